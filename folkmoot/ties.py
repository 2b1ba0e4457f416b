"""When two numbers that a computer has added up are the same: within 1e-12 of each other.

Means are averages over agents, so arms that are equally good on paper differ by some 1e-17 in floating point. Nobody
is to call one of them the best for that.
"""

import numpy as np
from numpy.typing import NDArray

TIE = 1e-12


def behind(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each value is below the largest of its row (the last axis); exactly 0 within `TIE` of it."""
    below = values.max(axis=-1, keepdims=True) - values
    return np.where(below <= TIE, 0.0, below)
