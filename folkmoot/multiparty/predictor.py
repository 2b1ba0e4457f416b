"""What the models say together of a new sample (BEMA, eqs. 13-14; HMR, Definition 1)."""

import numpy as np
from numpy.typing import NDArray

from folkmoot.multiparty.margin import Bools, Group, Integers, stars


def krum_prediction(scores: NDArray[np.floating], group: Group) -> Integers:
    """For each class the centre of those that claim it speaks; the class with the largest such score, [samples].

    Args:
        scores: [models, samples, classes], finite.
        group: see `margin.grouped`.
    """
    best: Integers = stars(scores, group).centre_value.argmax(axis=1)
    return best


def max_prediction(scores: NDArray[np.floating], claims: Bools) -> Integers:
    """The class with the largest score any model gives it, [samples]."""
    best: Integers = np.where(claims[:, None, :], scores, -np.inf).max(axis=0).argmax(axis=1)
    return best
