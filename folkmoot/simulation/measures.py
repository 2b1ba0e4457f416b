"""Numbers made of a result's counts. Sums go from left to right, so that the last bit never depends on a library."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import brief
from folkmoot.simulation.student import student_quantile

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
T = TypeVar("T")

_WITHOUT = {
    "means": "rewards that change from round to round have none, and games on a chain and version 0.1.0 save none",
    "constant_means": "its means change from round to round; what is known is `regret`, of the team",
    "agent_pulls": "simulate with per_agent=True",
    "realised": "simulate with realised=True",
    "offered": "simulate with realised=True",
}


def student_interval(values: Floats, level: float = 0.95) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and half-width of Student's interval over the first axis; the half-width is NaN for one value."""
    n = len(values)
    mean = values.mean(axis=0)
    if n < 2:
        return mean, np.full_like(mean, np.nan)
    factor = student_quantile(level, n - 1) / n**0.5
    return mean, factor * values.std(axis=0, ddof=1)


def standard_deviation(values: Floats) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and standard deviation over the first axis (n - 1 below the sum); the latter is NaN for one value."""
    mean = values.mean(axis=0)
    return mean, np.asarray(values.std(axis=0, ddof=1)) if len(values) > 1 else np.full_like(mean, np.nan)


def known(name: str, what: str, value: T | None) -> T:
    """The value.

    Raises:
        ValueError: it is None; the line says why that may be.
    """
    if value is None:
        raise ValueError(f"result {brief(name)} has no {what.replace('_', ' ')}: {_WITHOUT[what]}")
    return value


def weighted(pulls: Counts, worth: Floats) -> Floats:
    """float64: for each entry of all axes but the last, the sum over arms of pulls times what a pull is worth.

    Args:
        pulls: int64 [..., n_arms].
        worth: float64, of a shape that NumPy fits to that of `pulls`.
    """
    total = np.zeros(pulls.shape[:-1])
    for k in range(pulls.shape[-1]):
        total += pulls[..., k] * worth[..., k]
    return total


def added(values: Floats, axis: int) -> Floats:
    """The sum along an axis, which is not empty."""
    return np.asarray(np.take(np.cumsum(values, axis=axis), -1, axis=axis))


def settled(decided_at: Counts) -> Counts:
    """int64 [replicates]: the round in which the last agent has settled; 0 where one never has.

    Args:
        decided_at: int64 [replicates, n_agents]; 0 is never. Without any agent nobody settles.
    """
    return np.where((decided_at > 0).all(axis=1), decided_at.max(axis=1, initial=0), 0)


def agreed(decisions: Counts, decided_at: Counts) -> Counts:
    """int64 [replicates]: the first round from which all agents hold the same decision; 0 is never.

    A decision is for good, so that is the round in which the last of them settles, if all settle on one arm.
    """
    same = (decisions == decisions[:, :1]).all(axis=1)
    return np.where(same, settled(decided_at), 0)
