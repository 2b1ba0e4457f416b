"""Does a calibration sample stand up to the models as they are? (BEMA, eqs. 8-10)"""

from typing import NamedTuple

from folkmoot.multiparty.margin import Stars

# Why a sample is refused; the order is that of the checks.
DUPLICATE = "duplicate"  # hardened: it has moved the models before
FOREIGN = "foreign"  # hardened: its sender does not claim the class it gives as the label
MARGIN = "margin"  # eq. 8: rho > 0, the models are right about it already
CONFIDENCE = "confidence"  # eq. 9: the star of its label is below delta
SPREAD = "spread"  # eq. 10: those behind the star do not agree within sigma


class Thresholds(NamedTuple):
    """What a sample is held against.

    Attributes:
        delta: least star of the label (paper: 0.6).
        sigma: largest distance from the star among the m scores behind it (paper: 0.2).
    """

    delta: float = 0.6
    sigma: float = 0.2


def objection(found: Stars, label: int, wrong: int, thresholds: Thresholds) -> str | None:
    """The first of eqs. 8-10 that the sample fails, or None.

    Args:
        found: of this one sample.
        label: y, a class somebody claims.
        wrong: y-, another.
        thresholds: see there.
    """
    star = found.value[0, label]
    if star - found.value[0, wrong] > 0.0:
        return MARGIN
    if star < thresholds.delta:
        return CONFIDENCE
    if found.spread[0, label] > thresholds.sigma:
        return SPREAD
    return None
