"""Do estimates lie within their radius of what they estimate? A check of any algorithm that has both."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.doors import guarded
from folkmoot.errors import brief
from folkmoot.simulation.measures import known
from folkmoot.simulation.result import Result


class Coverage(NamedTuple):
    """How often estimates were within their radius of the truth.

    Attributes:
        checkpoints: int64 [c], rounds.
        share: float64 [replicates, c], over agents and arms: the share of estimates z with |z - mu| <= radius.
        largest: float64 [replicates, c], the largest |z - mu| / radius; 0 for an infinite radius, at most 1 if all are
            covered.
        finite: float64 [replicates, c], the share of radii that are finite. An infinite one covers everything.
    """

    checkpoints: NDArray[np.int64]
    share: NDArray[np.float64]
    largest: NDArray[np.float64]
    finite: NDArray[np.float64]


@guarded
def coverage(
    result: Result,
    estimate: str = "gossip",
    radius: str = "radius",
    of: Literal["common", "own"] = "common",
) -> Coverage:
    """How often the agents' estimates were within their radius of the means, at every checkpoint.

    Args:
        result: of `simulate(..., observe=("gossip", "radius"))` or with other names.
        estimate, radius: the states that hold them, [n_agents, n_arms].
        of: what is estimated: "common", each arm's mean over all agents, or "own", its mean for the agent.

    Raises:
        ValueError: a state that was not observed or has another shape, another `of`, or means that are not known.
    """
    if of not in ("common", "own"):
        raise ValueError(f"of = {brief(of)}: allowed are 'common' and 'own'")
    means = known(result.name, "means", result.means)
    truth = means if of == "own" else means.mean(axis=-2, keepdims=True)
    if truth.ndim == 3:  # each replicate has its own
        truth = truth[:, None]
    off = np.abs(_state(result, estimate) - truth)
    width = _state(result, radius)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(off == 0.0, 0.0, off / width)  # 0 / 0 is covered
    axes = (2, 3)
    return Coverage(
        result.checkpoints, (off <= width).mean(axis=axes), ratio.max(axis=axes), np.isfinite(width).mean(axis=axes)
    )


def _state(result: Result, name: str) -> NDArray[np.float64]:
    """An observed state, [replicates, c, n_agents, n_arms]."""
    if name not in result.observed:
        there = ", ".join(result.observed) or "none"
        asked = brief(name)
        raise ValueError(f"{asked}: not observed; simulate with observe=({asked}, ...). Observed are: {there}")
    array = result.observed[name]
    if array.ndim != 4 or array.shape[3] != result.n_arms:
        raise ValueError(f"{name!r} has the shape {array.shape}: expected [replicates, checkpoints, n_agents, n_arms]")
    return array.astype(np.float64)
