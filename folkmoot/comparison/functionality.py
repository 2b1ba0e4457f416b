"""The functionality that every private comparison must compute, said in the clear: one bit of two counts."""

from fractions import Fraction

from folkmoot.interface import inlined


@inlined
def suffices(numerator: int, denominator: int, count: int, own: int) -> bool:
    """Is kappa = numerator / denominator times a participant's count above a validator's own? All it may learn."""
    return numerator * count > denominator * own


def compare_ideal(participants: list[list[int]], validator: list[int], kappa: Fraction) -> list[list[bool]]:
    """The functionality: counts [M, K] and [K] in, bits [M, K] out, nothing kept."""
    more, less = kappa.numerator, kappa.denominator
    return [[bool(suffices(more, less, count, own)) for count, own in zip(row, validator)] for row in participants]
