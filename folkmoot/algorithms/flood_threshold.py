"""The grid of sample counts and the threshold of FloodSE: all of its statistics, and nothing else.

Ours; the proof is docs/decisions/0031-flood-se.md, whose equation numbers are used here.
"""

from collections.abc import Sequence
from math import ceil, inf, lgamma, log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


def sample_counts(beta: float, horizon: int) -> NDArray[np.int64]:
    """The grid n_1 = 1, n_{e+1} = max(n_e + 1, ceil(beta n_e)), up to the horizon; int64 [points].

    Args:
        beta: ratio of neighbours, above 1.
        horizon: T, at least 1.

    Raises:
        ValueError: an argument out of range.
    """
    if not 1.0 < beta < inf or horizon < 1:
        raise ValueError(f"beta = {beta}, horizon = {horizon}: expected more than 1, and at least 1")
    counts = [1]
    while (count := max(counts[-1] + 1, ceil(beta * counts[-1]))) <= horizon:
        counts.append(count)
    return np.array(counts, np.int64)


class Claim(NamedTuple):
    """What a threshold must hold for.

    Attributes:
        n_agents, n_arms: N, K.
        sub_gaussian: sigma of a reward.
        delta: probability that a best arm is ever dropped.
        missing: m, so many rows may lack.
        faulty: f, so many agents may lie.
        anytime: does the grid have no end?
    """

    n_agents: int
    n_arms: int
    sub_gaussian: float
    delta: float
    missing: int = 0
    faulty: int = 0
    anytime: bool = False


def thresholds(claim: Claim, counts: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Eq. (3): by how much the average of the rows must favour an arm before the other one is dropped.

    Args:
        claim: what it must hold for.
        counts: the grid.

    Returns:
        float64 [missing + 1, points]: with r rows missing, at each point; in the unit of a reward.
    """
    out = np.zeros((claim.missing + 1, len(counts)))
    for r in range(claim.missing + 1):
        for e, count in enumerate(counts):
            out[r, e] = _threshold(claim, r, e, int(count), len(counts))
    return out


def _threshold(claim: Claim, r: int, e: int, count: int, points: int) -> float:
    n, honest = claim.n_agents, claim.n_agents - r - claim.faulty
    times = log((e + 1.0) * (e + 2.0)) if claim.anytime else log(points)
    subsets = log(claim.missing + 1.0) + _log_choose(n, r) + _log_choose(n - r, claim.faulty)
    width = log(max(claim.n_arms - 1, 1)) + times + subsets - log(claim.delta)
    return 2.0 * claim.sub_gaussian * sqrt(width * honest / count) / n + (r + claim.faulty) / n


def _log_choose(n: int, k: int) -> float:
    """Logarithm of the number of subsets of k of n; exactly 0 for the empty one."""
    return 0.0 if k in (0, n) else lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def too_few(missing: int, faulty: int, n_agents: int) -> list[str]:
    """A remark where so few agents told of so many missing and lying ones can never drop an arm; else none."""
    least = 4 * faulty + 2 * missing
    told = f"FloodSE missing = {missing}, faulty = {faulty} among {n_agents} agents"
    never = f"{told}: no gap is large enough to drop an arm; that needs more than {least} agents."
    return [never] if least >= n_agents else []
