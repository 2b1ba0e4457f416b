"""Long values that results share stand once; what comes back is what was put in."""

import pytest

from folkmoot.errors import DamagedFile
from folkmoot.simulation.shared_values import put_back, taken_out

LONG = [[i, i + 1] for i in range(60)]


def test_a_shared_value_stands_once_and_comes_back_in_its_place():
    told = [
        {"a": 1, "network": {"p": n / 10, "links": LONG, "more": "x"}, "z": {"means": LONG[::-1]}} for n in range(5)
    ]
    written, values = taken_out(told)
    assert values == [LONG, {"means": LONG[::-1]}]
    assert written[3] == {"a": 1, "network": {"p": 0.3, "links": {"shared": 0}, "more": "x"}, "z": {"shared": 1}}
    assert [put_back(one, values) for one in written] == told
    assert list(put_back(written[3], values)["network"]) == ["p", "links", "more"]  # order is part of what is shown


def test_shared_values_share_what_they_have_in_common():
    """Two algorithms in each of three worlds, all with the same links."""
    told = [{"network": {"p": p, "links": LONG}} for p in range(3) for _ in range(2)]
    written, values = taken_out(told)
    assert values == [LONG, *({"p": p, "links": {"shared": 0}} for p in range(3))]
    assert [put_back(one, values) for one in written] == told
    with pytest.raises(DamagedFile, match="shared value"):  # and not themselves
        put_back({"a": {"shared": 1}}, [LONG, {"b": {"shared": 1}}])


def test_what_is_short_or_alone_stays():
    told = [{"links": LONG, "short": [1, 2]}, {"short": [1, 2]}]
    assert taken_out(told) == (told, [])


def test_a_value_that_looks_like_a_reference_is_none():
    told = [{"own": {"shared": 0}}, {"own": {"shared": [1]}}]
    written, values = taken_out(told)
    assert [put_back(one, values) for one in written] == told


@pytest.mark.parametrize("wrong", [1, -1, True, "0", None])
def test_a_reference_to_nothing_is_damage(wrong):
    with pytest.raises(DamagedFile, match="shared value"):
        put_back({"a": {"shared": wrong}}, [LONG])
