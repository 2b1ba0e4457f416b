"""Sortition: how many of a participant's trust units are drawn as validators, from its VRF output.

Each unit is drawn with probability p, so the number drawn is binomial; the output names a point u of [0, 1) and the
point names the number (Gilad, Hemo, Micali, Vlachos, Zeldovich 2017, "Algorand", algorithm 1). How a participant's
weight is split into units or identities of its own does not change the law of the sum.

Integers only, so every machine draws the same. The distribution function is summed in fixed point and always from
below; where its small error could matter, the exact rational decides.
"""

from functools import lru_cache

MAX_UNITS = 2**20
MAX_DENOMINATOR = 2**64
MAX_OUTPUT = 64  # bytes

_BITS = 640  # precision of the fixed point
# The error of the sum F(k) <= 1, in units of 2**-640: the first term loses at most 2**-617 of itself (each of the cuts
# in its power loses 2**-639 and is raised to at most the 2**20-th power); a growing term at most 2**-638 of itself a
# step; a shrinking one a unit a step, which reaches at most 2**20 later terms; each addition a unit: below 2**41.
_SLACK = 1 << 64


def drawn(output: bytes, units: int, numerator: int, denominator: int) -> int:
    """The number z of `units` drawn: u lies in [F(z-1), F(z)), where u = int(output) / 2**bits (big-endian).

    F is the distribution function of Binomial(units, numerator / denominator). Takes z + 1 steps.

    Raises:
        ValueError: output is not 1 to 64 bytes, units not in [0, 2**20], or not 0 <= numerator <= denominator <= 2**64.
    """
    if not isinstance(output, bytes) or not 1 <= len(output) <= MAX_OUTPUT:
        raise ValueError(f"output = {output!r:.80}: expected 1 to {MAX_OUTPUT} bytes")
    _require_integer("units", units, 0, MAX_UNITS)
    _require_integer("denominator", denominator, 1, MAX_DENOMINATOR)
    _require_integer("numerator", numerator, 0, denominator)
    if units == 0 or numerator == denominator:
        return units  # every unit is drawn, F(units - 1) = 0
    value, bits = int.from_bytes(output, "big"), 8 * len(output)
    if numerator == 0 or value == 0:
        return 0  # F(0) > 0 always
    point, total = value << (_BITS - bits), 0
    term, exponent = _nobody(units, numerator, denominator)
    for z in range(units):
        total += term >> (exponent - _BITS)
        if point < total:
            return z
        if point < total + _SLACK and _exactly_below(value, bits, z, (units, numerator, denominator)):
            return z
        term = term * (units - z) * numerator // ((z + 1) * (denominator - numerator))
        if term.bit_length() > 2 * _BITS:
            term, exponent = _shortened(term, exponent)
    return units


@lru_cache(maxsize=1024)
def _nobody(units: int, numerator: int, denominator: int) -> tuple[int, int]:
    """The probability that no unit is drawn, as (m, e): m * 2**-e from below, m of 640 bits.

    Powers by squaring. m < 2**e because the probability is below 1, hence e >= 640.
    """
    shift = _BITS + denominator.bit_length()
    base, base_exponent = _shortened(((denominator - numerator) << shift) // denominator, shift)
    power, exponent = 1, 0
    for bit in f"{units:b}":
        power, exponent = power * power, 2 * exponent
        if bit == "1":
            power, exponent = power * base, exponent + base_exponent
        power, exponent = _shortened(power, exponent)
    return power, exponent


def _shortened(number: int, exponent: int) -> tuple[int, int]:
    """The same number * 2**-exponent, cut off after 640 significant bits."""
    surplus = max(0, number.bit_length() - _BITS)
    return number >> surplus, exponent - surplus


def _exactly_below(value: int, bits: int, z: int, law: tuple[int, int, int]) -> bool:
    """Is value / 2**bits < F(z), in exact rationals? Needed once in 2**60 draws, or when u is a tie by design."""
    units, numerator, denominator = law
    rest = denominator - numerator
    term: int = rest**units  # times denominator**-units
    total, whole = term, denominator**units
    for k in range(z):
        term = term * (units - k) * numerator // ((k + 1) * rest)  # no remainder
        total += term
    return bool(value * whole < total << bits)


def _require_integer(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} = {value!r:.80}: expected an integer from {low} to {high}")
