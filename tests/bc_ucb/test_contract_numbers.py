"""The numbers of the contract against exact arithmetic: exponentials, chances, scaled reports."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_contract import exact_exponential

from folkmoot.bc_ucb import contract
from folkmoot.bc_ucb.contract import ONE, UNITS

LAST = 22 * ONE  # from here on nothing is left of a weight
POSITIONS = len(contract._POWERS)


def test_the_table_of_powers():
    assert [int(exact_exponential(2**j)) for j in range(POSITIONS)] == contract._POWERS.tolist()
    assert 2**POSITIONS > LAST  # every bit of an exponent that counts has its power


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.integers(0, LAST + ONE), st.integers(0, 36).map(lambda j: 2**j - 1), st.integers(0, 2**12)))
def test_a_shrunk_weight_is_within_its_bound(x):
    """Each bit of x loses less than 1 by rounding its power and less than 1 by rounding the product, always down."""
    found, exact = int(contract.shrunk(x)), exact_exponential(x)
    assert exact - max(2 * x.bit_count(), 1) < found <= exact


@settings(max_examples=500, deadline=None)
@given(st.integers(0, LAST), st.integers(0, LAST))
def test_a_larger_exponent_is_never_worth_more_than_a_rounding(a, b):
    """Losses depend on the bits: the order of two exponents may turn round by what the smaller one has lost."""
    low, high = min(a, b), max(a, b)
    assert contract.shrunk(high) <= contract.shrunk(low) + 2 * low.bit_count()


def test_a_shrunk_weight_begins_with_one_and_ends_with_nothing():
    assert contract.shrunk(0) == 2**30
    assert contract.shrunk(LAST - 1) == contract.shrunk(LAST) == contract.shrunk(2**60) == 0
    assert contract.shrunk(20 * ONE) in (0, 1, 2)  # exactly 2.21


def check_chance(units, total, expected, exact):
    """2**30 times a chance against the exact one (times 2**30).

    The first two terms of units * -log(1 - p) leave out at most units * p**3 / (3 (1 - p)); the two quotients are
    rounded down, the second after the first's rounding: 3 * 2**-32 together; and exp(z) <= 1 / (1 - z). From
    below, the weight loses 2 for each bit of its exponent.
    """
    p = Fraction(expected, total)
    left_out = units * p**3 / (3 * (1 - p)) + Fraction(3, ONE)
    assert left_out < 1
    found = int(contract.unlucky(units, total, expected))
    assert exact - 2 * POSITIONS < found <= exact / (1 - left_out)


TOTALS = st.integers(UNITS - contract.MOST_PARTICIPANTS, UNITS + contract.MOST_PARTICIPANTS)
EXPECTED = st.integers(1, contract.MOST_PARTICIPANTS)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 3_000), TOTALS, EXPECTED)
def test_the_chance_not_to_be_drawn_against_fractions(units, total, expected):
    check_chance(units, total, expected, (1 - Fraction(expected, total)) ** units * 2**30)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, UNITS), TOTALS, EXPECTED)
def test_the_chance_not_to_be_drawn_of_many_units(units, total, expected):
    with localcontext() as context:
        context.prec = 60  # a power of 2**20 factors keeps more than 50 of these digits
        exact = (1 - Decimal(expected) / total) ** min(units, total) * 2**30
    check_chance(min(units, total), total, expected, Fraction(exact))


def test_who_holds_everything_is_as_good_as_certain_to_be_drawn():
    assert contract.unlucky(UNITS, UNITS, 30) == 0
    assert 0 < contract.unlucky(UNITS // 2, UNITS, 30) < contract.unlucky(UNITS // 2, UNITS, 29)
    assert 2**30 - 1024 - 2 * POSITIONS < contract.unlucky(1, UNITS, 1) <= 2**30 - 1024


@pytest.mark.parametrize(
    "value",
    [
        float("nan"), float("inf"), -float("inf"), np.float32("nan"), True, False, np.True_, "1", b"1", None, 1j, [1.0],
        np.array([1.0]), 4.000000001, -4.000000001, 5, -(10**30), 1e308,
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused(value):
    with pytest.raises(ValueError, match=r"^report = .*: expected a (finite )?number.*$"):
        contract.scaled(value)


def test_an_enormous_integer_is_refused():
    with pytest.raises(ValueError, match="expected"):
        contract.scaled(10**400)


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (0.0, 0), (-0.0, 0), (1, ONE), (4, 4 * ONE), (-4.0, -4 * ONE), (0.25, ONE // 4), (np.float32(0.5), ONE // 2),
        (2**-33, 1), (-(2**-33), 0), (3 * 2**-33, 2), (-3 * 2**-33, -1), (5e-324, 0), (-5e-324, 0),
    ],
)  # fmt: skip
def test_a_report_by_hand(value, whole):
    assert contract.scaled(value) == whole
    assert type(contract.scaled(value)) is int


@settings(max_examples=300, deadline=None)
@given(st.floats(-4, 4))
def test_a_report_is_rounded_to_the_nearest_with_halves_up(value):
    exact = Fraction(value) * ONE
    if not 0 < Fraction(1, 2) - exact < Fraction(1, 2**53):  # the one number below a half whose sum with it rounds up
        assert contract.scaled(value) == (exact + Fraction(1, 2)).__floor__()
