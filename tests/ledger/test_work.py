"""Proof of work: the search finds the first counter, can be interrupted, and is checked apart from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.encoding import digest
from folkmoot.ledger import work


def leading_zeros(data):
    return len(data) * 8 - int.from_bytes(data, "big").bit_length()


@given(st.integers(0, 256), st.integers(0, 2**256 - 1))
def test_enough_counts_leading_zero_bits(bits, number):
    data = (number >> (number % 257)).to_bytes(32, "big")
    assert work.enough(data, bits) == (leading_zeros(data) >= bits)


@pytest.mark.parametrize("bits", [0, 1, 5, 10])
def test_the_first_counter_is_found(bits):
    found = work.search("test", b"prefix", bits, range(10**6))
    zeros = [leading_zeros(digest("test", b"prefix" + work.counter_bytes(n))) for n in range(found + 1)]
    assert zeros[found] >= bits
    assert all(z < bits for z in zeros[:found])


def test_a_long_prefix_is_hashed_once():
    """The midstate stands for all of a prefix of many blocks, not for whole blocks of it only."""
    prefix = bytes(range(256)) * 3 + b"odd"
    found = work.search("test", prefix, 8, range(10**5))
    assert work.enough(digest("test", prefix + work.counter_bytes(found)), 8)


def test_counters_are_those_given():
    first = work.search("test", b"", 6, range(10**5))
    second = work.search("test", b"", 6, range(first + 1, 10**5))
    assert second > first
    assert work.search("test", b"", 6, range(first + 1, second)) is None
    assert work.search("test", b"", 6, range(second, -1, -1)) == second
    assert work.search("test", b"", 0, range(0)) is None
    assert work.search("test", b"", 0, range(2**64 - 1, 2**64)) == 2**64 - 1


def test_a_search_can_be_stopped_and_taken_up_again():
    asked = []

    def stop():
        asked.append(None)
        return len(asked) == 3

    assert work.search("test", b"", 64, range(50_000), stop) is None
    assert len(asked) == 3
    assert work.search("test", b"", 0, range(5), lambda: True) is None


@pytest.mark.parametrize("bits", [-1, 65])
def test_bits_within_reason(bits):
    with pytest.raises(ValueError, match=f"bits = {bits}"):
        work.search("test", b"", bits, range(5))


@pytest.mark.parametrize("counters", [range(-1, 5), range(2**64, 2**64 + 1), range(5, -2, -1)])
def test_counters_of_eight_bytes(counters):
    with pytest.raises(ValueError, match="counters = "):
        work.search("test", b"", 64, counters)


@pytest.mark.parametrize("counter", [-1, 2**64, True, 1.0])
def test_a_counter_of_eight_bytes(counter):
    with pytest.raises(ValueError, match="counter = "):
        work.counter_bytes(counter)
