"""Sortition against SciPy, against exact fractions, and at its edges."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from folkmoot.agreement import sortition
from folkmoot.agreement.sortition import MAX_DENOMINATOR, MAX_UNITS, drawn

ONES, ZEROS, HALF, LEAST = b"\xff" * 64, bytes(64), b"\x80" + bytes(63), bytes(63) + b"\x01"
OUTPUTS = st.one_of(st.binary(min_size=1, max_size=64), st.sampled_from([ONES, ZEROS, HALF, LEAST, b"\x80", b"\x40"]))


def by_fractions(output, units, numerator, denominator):
    """The definition: the smallest z with u < F(z)."""
    u = Fraction(int.from_bytes(output, "big"), 256 ** len(output))
    p = Fraction(numerator, denominator)
    below = Fraction(0)
    for z in range(units + 1):
        below += comb(units, z) * p**z * (1 - p) ** (units - z)
        if u < below:
            return z
    raise AssertionError("F(units) = 1 and u < 1")


@st.composite
def laws(draw):
    units = draw(st.one_of(st.integers(0, 12), st.integers(13, 90)))
    denominator = draw(st.one_of(st.sampled_from([1, 2, 3, 4, 16, 2**20, MAX_DENOMINATOR]), st.integers(1, 2**64)))
    numerator = draw(st.one_of(st.sampled_from([0, 1, denominator // 2, denominator]), st.integers(0, denominator)))
    return units, min(numerator, denominator), denominator


@settings(max_examples=400, deadline=None)
@given(output=OUTPUTS, law=laws())
def test_same_as_exact_fractions(output, law):
    assert drawn(output, *law) == by_fractions(output, *law)


@settings(max_examples=300, deadline=None)
@given(units=st.integers(1, 8), power=st.integers(1, 8), data=st.data())
def test_ties_belong_to_the_larger_number(units, power, data):
    """With p a multiple of 2**-power, F is a multiple of 2**-(units * power): u can be F(z) itself, or just below."""
    numerator = data.draw(st.integers(1, 2**power - 1))
    z = data.draw(st.integers(0, units - 1))
    p = Fraction(numerator, 2**power)
    tie = sum(comb(units, k) * p**k * (1 - p) ** (units - k) for k in range(z + 1)) * 2**512
    assert tie.denominator == 1
    law = units, numerator, 2**power
    assert drawn(int(tie).to_bytes(64, "big"), *law) == z + 1
    assert drawn((int(tie) - 1).to_bytes(64, "big"), *law) == z


@pytest.mark.parametrize(
    ("units", "numerator", "denominator"),
    [(2**17, 7, 2**20), (12, 3, 10), (2**20, 5, 2**20 + 1), (1000, 1, 300)],
    ids=["an eighth of all units", "few units", "all units", "a thousand"],
)
def test_same_as_scipy(units, numerator, denominator):
    """A quarter of a million draws a law, a million in all.

    A draw differs only if u is closer to a step of F than SciPy's error (2**-43 say, its results carry 13 digits): at
    most 40 steps matter, so the chance that any of 2**20 draws does is below 2**20 * 40 * 2**-42 < 2**-16.
    """
    draws = 250_000
    data = np.random.default_rng(units).bytes(64 * draws)
    outputs = [data[64 * i : 64 * (i + 1)] for i in range(draws)]
    ours = np.array([drawn(output, units, numerator, denominator) for output in outputs])
    u = np.frombuffer(data, ">u8").reshape(draws, 8)[:, 0] / 2.0**64
    theirs = stats.binom.ppf(u, units, numerator / denominator)
    assert (ours == theirs).all()
    assert len(set(ours)) > 4


# --- Edges -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", [ONES, ZEROS, HALF, LEAST, b"\x00", b"\xff"], ids=lambda data: data.hex()[-4:])
@pytest.mark.parametrize("units", [0, 1, 5, MAX_UNITS])
def test_certain_laws(output, units):
    assert drawn(output, units, 0, 3) == 0
    assert drawn(output, units, 3, 3) == units


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 2), (MAX_DENOMINATOR - 1, MAX_DENOMINATOR)])
def test_the_least_output_draws_nobody(numerator, denominator):
    """F(0) > 0 = u, though F(0) = 2**-(2**20) and less is far below the fixed point's last bit."""
    assert drawn(ZEROS, MAX_UNITS, numerator, denominator) == 0


@pytest.mark.parametrize("units", [1, 100, 20_000, MAX_UNITS])
def test_the_loop_ends_for_all_ones(units):
    """u = 1 - 2**-512: the point where 512 bits of upper tail are left, from SciPy's logarithm of the tail."""
    for numerator, denominator in ((1, 2**20), (30, 2**20), (1, MAX_DENOMINATOR)):
        z = drawn(ONES, units, numerator, denominator)
        p, tail = numerator / denominator, -512 * np.log(2)
        assert 0 <= z <= units
        assert stats.binom.logsf(z, units, p) <= tail + 1e-6 or z == units
        assert z == 0 or _log_tail(z, units, p) > tail - 1e-6


def _log_tail(z, units, p):
    """Logarithm of P(number >= z), by its terms."""
    terms = stats.binom.logpmf(np.arange(z, min(units, z + 400) + 1), units, p)
    return np.logaddexp.reduce(terms)


def test_a_large_mean():
    """Half of 2**15 units: the first term, 2**-32768, is far below the fixed point and comes back as the sum grows.

    Checked against the definition in integers: F(z - 1) <= u < F(z), all times 2**units.
    """
    units = 2**15
    for output in (HALF, ONES, LEAST, b"\x10"):
        z = drawn(output, units, 1, 2)
        scaled = int.from_bytes(output, "big") << (units - 8 * len(output))
        total, term = 0, 1
        for k in range(z):
            total += term
            term = term * (units - k) // (k + 1)
        assert total <= scaled < total + term


def test_the_exact_rational_decides_when_the_fixed_point_cannot(monkeypatch):
    """Widening the doubt to all of [0, 1) must not change a single draw."""
    cases = [(np.random.default_rng(k).bytes(64), 3 * k, 1 + k % 7, 9) for k in range(40)]
    before = [drawn(*case) for case in cases]
    asked = []
    exact = sortition._exactly_below
    monkeypatch.setattr(sortition, "_SLACK", 1 << sortition._BITS)
    monkeypatch.setattr(sortition, "_exactly_below", lambda *a: asked.append(a) or exact(*a))
    assert [drawn(*case) for case in cases] == before
    assert len(asked) > 40


def test_a_coarse_fixed_point_draws_the_same(monkeypatch):
    """With 40 bits instead of 640 the sum is often on the wrong side; the exact rational must mend every such draw.

    The error is below 64 * 64 + 64 units of 2**-40 and what the first term loses, so 2**16 units of doubt suffice.
    """
    rng = np.random.default_rng(3)
    powers = [(int(rng.integers(1, 65)), int(rng.integers(1, 2**16)), 2**16) for _ in range(200)]
    cases = []
    for units, numerator, denominator in powers:  # u just below and at the step F(0), which is what the floor moves
        step = (1 - Fraction(numerator, denominator)) ** units * 2**32
        cases += [(int(step - back).to_bytes(4, "big"), units, numerator, denominator) for back in (0, 1) if step > 1]
    sortition._nobody.cache_clear()
    monkeypatch.setattr(sortition, "_BITS", 40)
    monkeypatch.setattr(sortition, "_SLACK", 1 << 16)
    coarse = [drawn(*case) for case in cases]
    sortition._nobody.cache_clear()
    assert coarse == [by_fractions(*case) for case in cases]


@settings(max_examples=100, deadline=None)
@given(units=st.integers(1, MAX_UNITS), numerator=st.integers(1, 2**20 - 1))
def test_the_first_term_is_as_exact_as_promised(units, numerator):
    """q**units by ordinary powers of integers would have 20 million bits; at twice the precision it is quick."""
    mantissa, exponent = sortition._nobody(units, numerator, 2**20)
    power, scale, wide = 1, 0, 4 * sortition._BITS
    for bit in f"{units:b}":
        power, scale = power * power, 2 * scale
        if bit == "1":
            power, scale = power * (2**20 - numerator), scale + 20
        surplus = max(0, power.bit_length() - wide)
        power, scale = power >> surplus, scale - surplus
    assert mantissa.bit_length() <= sortition._BITS <= exponent
    ours, theirs = mantissa << max(0, scale - exponent), power << max(0, exponent - scale)
    assert 0 <= theirs - ours <= theirs >> 617


@settings(deadline=None)
@given(st.lists(st.binary(min_size=64, max_size=64), min_size=2, max_size=2), st.integers(0, 500))
def test_a_larger_output_never_draws_fewer(outputs, units):
    low, high = sorted(outputs)
    assert drawn(low, units, 3, 100) <= drawn(high, units, 3, 100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((b"", 1, 1, 2), "output = b''"),
        ((bytes(65), 1, 1, 2), "output = "),
        (("00", 1, 1, 2), "output = '00'"),
        ((b"\x00", -1, 1, 2), "units = -1"),
        ((b"\x00", MAX_UNITS + 1, 1, 2), "units = 1048577"),
        ((b"\x00", 1.0, 1, 2), "units = 1.0"),
        ((b"\x00", True, 1, 2), "units = True"),
        ((b"\x00", 1, -1, 2), "numerator = -1"),
        ((b"\x00", 1, 3, 2), "numerator = 3: expected an integer from 0 to 2"),
        ((b"\x00", 1, 0.5, 2), "numerator = 0.5"),
        ((b"\x00", 1, 0, 0), "denominator = 0"),
        ((b"\x00", 1, 0, MAX_DENOMINATOR + 1), "denominator = "),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        drawn(*arguments)
    assert "\n" not in str(caught.value)
