"""What members of one program look at once."""

import pytest

from folkmoot.agreement.shared import Shared, by_first, directly


def counting():
    """A pure function, and how often it was computed for each argument."""
    asked = []

    def product(number, factor):
        asked.append(number)
        if number < 0:
            raise ValueError("below 0")
        return number * factor

    return product, asked


def test_a_value_is_computed_once_for_all_who_call():
    product, asked = counting()
    call = Shared(4)
    assert [call(product, 2, 3), call(product, 2, 3), call(product, 2, 4)] == [6, 6, 8]
    assert asked == [2, 2]
    assert [directly(product, 2, 3), directly(product, 2, 3)] == [6, 6]
    assert len(asked) == 4


def test_none_is_a_value_as_any_other():
    asked = []
    call = Shared()
    assert [call(asked.append, 1), call(asked.append, 1)] == [None, None]
    assert asked == [1]
    reading = by_first(call, asked.append)
    assert reading.learn(7) is None
    assert reading.known == {7: None}


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_is_remembered_than_is_allowed(most):
    product, _ = counting()
    call = Shared(most)
    reading = by_first(call, product, 10)
    for number in range(20):
        assert call(product, number, 10) == reading.learn(number) == 10 * number
        assert len(reading.known) <= most
        assert len(call._known[product]) <= most
    for factor in range(40):
        by_first(call, product, factor)
        assert len(call._by_first) <= 4


def test_many_share_what_they_know_by_the_first_argument_and_one_alone_remembers_nothing():
    product, asked = counting()
    call = Shared()
    one, other, apart = by_first(call, product, 2), by_first(call, product, 2), by_first(call, product, 3)
    assert one.learn(5) == 10
    assert (other.known, apart.known) == ({5: 10}, {})
    alone = by_first(directly, product, 2)
    assert [alone.learn(5), alone.learn(5)] == [10, 10]
    assert alone.known == {}
    assert asked == [5, 5, 5]


def test_what_is_refused_is_not_remembered():
    product, asked = counting()
    call = Shared()
    reading = by_first(call, product, 2)
    for _ in range(2):
        with pytest.raises(ValueError, match="below 0"):
            call(product, -1, 2)
        with pytest.raises(ValueError, match="below 0"):
            reading.learn(-1)
    assert asked == [-1] * 4
    assert reading.known == {}
