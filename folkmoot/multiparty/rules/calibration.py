"""Which models a valid sample moves, and which way (BEMA, eqs. 11 and 12; HMR)."""

import numpy as np
from numpy.typing import NDArray

from folkmoot.multiparty.models.fleet import Move
from folkmoot.multiparty.rules.margin import Bools, Stars

ENHANCE, IMPAIR = 1, -1


def moves(scores: NDArray[np.floating], claims: Bools, found: Stars, label: int, wrong: int) -> list[Move]:
    """Enhance those of S(y) below the star of y, impair those of S(y-) above the star of y-.

    Args:
        scores: [models, 1, classes] of the one sample.
        claims: [models, classes].
        found: its stars.
        label, wrong: y and y-.
    """
    below = claims[:, label] & (scores[:, 0, label] < found.value[0, label])
    above = claims[:, wrong] & (scores[:, 0, wrong] > found.value[0, wrong])
    up = [Move(int(i), label, ENHANCE) for i in np.flatnonzero(below)]
    return up + [Move(int(i), wrong, IMPAIR) for i in np.flatnonzero(above)]


def hmr_moves(scores: NDArray[np.floating], claims: Bools, label: int, wrong: int) -> list[Move]:
    """Enhance the model that gives y the largest score, impair the one that gives y- the largest (HMR)."""
    chosen = np.where(claims, scores[:, 0].astype(np.float64), -np.inf)
    return [
        Move(int(chosen[:, label].argmax()), label, ENHANCE),
        Move(int(chosen[:, wrong].argmax()), wrong, IMPAIR),
    ]
