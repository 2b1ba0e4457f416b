"""Does a calibration sample stand up to the models as they are? (BEMA, eqs. 8-10)"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.multiparty.rules.margin import Bools, Stars

# Why a sample is refused; the order is that of the checks.
DUPLICATE = "duplicate"  # hardened: it has moved the models before
FOREIGN = "foreign"  # hardened: its sender does not claim the class it gives as the label
NOT_FINITE = "unusable"  # a model's scores of it are not finite
CONTRADICTED = "contradicted"  # hardened: half or more of the models that know both classes prefer y- to y
MARGIN = "margin"  # eq. 8: rho > 0, the models are right about it already
CONFIDENCE = "confidence"  # eq. 9: the star of its label is below delta
MISTAKEN = "mistaken"  # behind a gate: y- is not the class that the models take it for
SPREAD = "spread"  # eq. 10: those behind the star do not agree within sigma

HARDENED = (DUPLICATE, FOREIGN, CONTRADICTED)  # what is checked before eqs. 8-10


class Thresholds(NamedTuple):
    """What a sample is held against.

    Attributes:
        delta: least star of the label (paper: 0.6).
        sigma: largest distance from the star among the m scores behind it (paper: 0.2).
    """

    delta: float = 0.6
    sigma: float = 0.2


def contradicted(scores: NDArray[np.floating], claims: Bools, label: int, wrong: int) -> bool:
    """Do half or more of the models that were trained on both classes score y- at least as high as y?

    Most samples that two classes are confused about are so for models that never saw one of them. Those that know
    both are the only ones whose word on it is worth something; where there are none, nobody objects.

    Args:
        scores: [models, 1, classes] of the one sample.
        claims: [models, classes].
        label, wrong: y and y-.
    """
    both = claims[:, label] & claims[:, wrong]
    agree = both & (scores[:, 0, label] > scores[:, 0, wrong])
    return bool(both.any()) and 2 * int(agree.sum()) <= int(both.sum())


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
