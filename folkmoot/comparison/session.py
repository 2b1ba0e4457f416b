"""What a private comparison is about: the session both sides agree on, and the integers compared in it."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

MOST_ARMS = 1024


class Session(NamedTuple):
    """What both sides know before they begin; make it with `session`, which checks it.

    name:       of this round of this game, never used twice
    validator:  the validator's public identity
    n_arms:     arms compared at once
    count_bits: counts are integers from 0 to 2**count_bits - 1
    """

    name: bytes
    validator: bytes
    n_arms: int
    count_bits: int


def session(name: bytes, validator: bytes, n_arms: int, count_bits: int) -> Session:
    """A checked Session.

    Raises:
        ValueError: a name or validator outside 1 to 64 bytes, arms outside 1 to 1024, bits outside 1 to 64.
    """
    checked_name("session name", name)
    checked_name("validator", validator)
    for what, number, most in (("n_arms", n_arms, MOST_ARMS), ("count_bits", count_bits, 64)):
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
            raise ValueError(f"{what} = {number!r}: expected an integer from 1 to {most}")
    return Session(name, validator, n_arms, count_bits)


def checked_name(what: str, name: bytes) -> bytes:
    """The name of a session or party.

    Raises:
        ValueError: not 1 to 64 bytes.
    """
    if type(name) is not bytes or not 1 <= len(name) <= 64:
        raise ValueError(f"{what} = {name!r}: expected 1 to 64 bytes")
    return name


def checked_counts(about: Session, counts: Sequence[int]) -> list[int]:
    """The pull counts of one party, [n_arms], as a list of Python integers.

    Raises:
        ValueError: wrong number of counts, or one that is not an integer in [0, 2**count_bits).
    """
    if len(counts) != about.n_arms:
        raise ValueError(f"{len(counts)} counts: expected one for each of {about.n_arms} arms")
    for count in counts:
        whole = isinstance(count, int | np.integer) and not isinstance(count, bool)
        if not whole or not 0 <= count < 2**about.count_bits:
            raise ValueError(f"count = {count!r}: expected an integer from 0 to 2**{about.count_bits} - 1")
    return [int(count) for count in counts]


def checked_kappa(kappa: Fraction | int) -> Fraction:
    """The ratio of the comparison.

    Raises:
        ValueError: not an integer or Fraction, not positive, or a numerator or denominator of 2**32 or more.
    """
    if isinstance(kappa, bool) or not isinstance(kappa, Fraction | int) or kappa <= 0:
        raise ValueError(f"kappa = {kappa!r}: expected a positive fraction such as Fraction(3, 2)")
    ratio = Fraction(kappa)
    if max(ratio.numerator, ratio.denominator) >= 2**32:
        raise ValueError(f"kappa = {kappa}: expected numerator and denominator below 2**32")
    return ratio


def threshold(count: int, kappa: Fraction | int, count_bits: int) -> int:
    """The integer x such that n > x exactly if kappa * n > count, for all n in [0, 2**count_bits).

    For integers, num * n > den * count is n > floor(den * count / num). A threshold beyond the largest count is
    replaced by that count, which no n exceeds either.

    Raises:
        ValueError: kappa is not a positive fraction.
    """
    ratio = checked_kappa(kappa)
    return min(ratio.denominator * count // ratio.numerator, (1 << count_bits) - 1)
