"""What the models say together of a new sample (BEMA, eqs. 13-14; HMR, Definition 1)."""

import numpy as np
from numpy.typing import NDArray

from folkmoot.multiparty.rules.margin import Bools, Claimants, Integers, stars


def krum_prediction(scores: NDArray[np.floating], claimants: Claimants) -> Integers:
    """For each class the centre of those that claim it speaks; the class with the largest such score, [samples].

    Args:
        scores: [models, samples, classes], finite.
        claimants: see `margin.claimants_of`.
    """
    best: Integers = stars(scores, claimants).centre_value.argmax(axis=1)
    return best


def max_prediction(scores: NDArray[np.floating], claims: Bools) -> Integers:
    """The class with the largest score any model gives it, [samples]."""
    best: Integers = np.where(claims[:, None, :], scores, -np.inf).max(axis=0).argmax(axis=1)
    return best
