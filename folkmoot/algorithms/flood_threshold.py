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


def flood_rounds(n_agents: int, diameter: int, link_probability: float, horizon: int, delta: float) -> float:
    """The Lemma of section 3: within so many rounds all know what anybody knew, except with probability delta.

    Args:
        n_agents, diameter: N, D of a connected base graph.
        link_probability: p, in (0, 1], of each edge in each round, independently.
        horizon: T.
        delta: in (0, 1).

    Raises:
        ValueError: an argument out of range.
    """
    if not 0.0 < link_probability <= 1.0 or not 0.0 < delta < 1.0 or n_agents < 1 or horizon < 1 or diameter < 0:
        raise ValueError(f"link_probability = {link_probability}, delta = {delta}: expected 0 < p <= 1, 0 < delta < 1")
    return (2.0 * diameter + 4.0 * log(n_agents**2 * horizon / delta)) / link_probability


def regret_bound(
    claim: Claim, gaps: Sequence[float] | NDArray[np.float64], horizon: int, flood: float, beta: float = 1.1
) -> float:
    """Theorem 2: the regret of all agents together, with probability at least 1 - 3 delta; a table, nobody missing.

    Args:
        claim: N, K, sigma, delta.
        gaps: Delta_k of all arms.
        horizon: T.
        flood: F, rounds (`flood_rounds`).
        beta: ratio of sample counts.

    Returns:
        Regret summed over agents, in the unit of rewards.
    """
    points = len(sample_counts(beta, horizon))
    width = log(max(claim.n_arms - 1, 1) * points / claim.delta)
    away = [float(gap) for gap in gaps if gap > 0.0]
    learning = sum(16.0 * beta * claim.sub_gaussian**2 * width / gap for gap in away)
    return learning + claim.n_agents * sum(away) * (3.0 * flood + 4.0 * claim.n_arms)
