"""Bad arguments of the calculator, one clear line each."""

from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.doors import array, number
from folkmoot.errors import brief

_LEAST, _MOST = 1e-100, 1e100
Gaps = Sequence[float] | NDArray[np.float64]


def check_sizes(n_agents: int, n_clusters: int, horizon: int, eps: float) -> None:
    if n_agents < 1 or not 1 <= n_clusters <= n_agents:
        raise ValueError(f"n_agents = {n_agents}, n_clusters = {n_clusters}: expected 1 <= n_clusters <= n_agents")
    if horizon < 1:
        raise ValueError(f"horizon = {horizon}: expected at least 1")
    if not 0.0 < eps < 1.0:
        raise ValueError(f"eps = {brief(eps)}: expected a probability between 0 and 1")


def sample_width(n_arms: int, n_objectives: int, n_agents: int, horizon: int, delta: float | None) -> float:
    """ln(2 d K N T / delta), of the radii of Shi's theorems; a `delta` of None is 1/T.

    Raises:
        ValueError: a size below 1, or a delta that is no failure probability.
    """
    sizes = {"n_arms": n_arms, "n_objectives": n_objectives, "n_agents": n_agents, "horizon": horizon}
    for name, value in sizes.items():
        if value < 1:
            raise ValueError(f"{name} = {value}: expected at least 1")
    return log(2 * n_objectives * n_arms * n_agents * horizon) - log(failure(delta, horizon))


def failure(delta: float | None, horizon: int) -> float:
    """The probability delta with which a theorem may fail; None is 1/T.

    Raises:
        ValueError: no probability between 0 and 1.
    """
    if delta is not None and not 0.0 < delta < 1.0:
        raise ValueError(f"delta = {brief(delta)}: expected a probability between 0 and 1")
    return delta or 1.0 / horizon


def checked_probability(name: str, value: float) -> float:
    if not 0.0 <= number(value) <= 1.0:
        raise ValueError(f"{name} = {brief(value)}: expected a probability from 0 to 1")
    return float(value)


def checked_gaps(gaps: Gaps) -> NDArray[np.float64]:
    """The gaps as an array.

    Raises:
        ValueError: not a row of numbers, none of them 0, or another so small or large that it has no square.
    """
    allowed = f"0 for a best arm, and numbers from {_LEAST:g} to {_MOST:g} for others"
    delta: NDArray[np.float64] = array("gaps", gaps, allowed)
    if delta.ndim != 1 or not (delta == 0.0).any() or not ((delta == 0.0) | _has_square(delta)).all():
        raise ValueError(f"gaps = {brief(gaps)}: expected {allowed}")
    return delta


def checked_scale(name: str, value: float) -> float:
    """A number above 0 that is squared, or divided by.

    Raises:
        ValueError: no number from 1e-100 to 1e100.
    """
    if not _has_square(number(value)):
        raise ValueError(f"{name} = {brief(value)}: expected a number from {_LEAST:g} to {_MOST:g}")
    return float(value)


def _has_square(value: Any) -> Any:
    """Is the square of a number neither 0 nor infinite, with room for sums of many?"""
    return (value >= _LEAST) & (value <= _MOST)
