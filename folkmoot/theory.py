"""What the papers' theorems demand of a network, or of a budget, as numbers: a small calculator.

M agents in C balanced clusters, horizon T, and a failure probability eps: above the threshold, every graph of
a run is connected with probability at least 1 - eps. Sources: DrFed-UCB (Xu and Klabjan 2023) and UCB-SBM
(arXiv 2502.08003). Their formulas are lost in the stored texts; these are derived from what the texts prove:
a graph in which every degree exceeds (M - 1) / 2 is connected, Chernoff's bound on a degree is
(4 p (1 - p))^((M - 1) / 2), and a union over agents and rounds must stay below eps.
"""

from collections.abc import Sequence
from math import inf, log, log1p, pi, sqrt

import numpy as np
from numpy.typing import NDArray


def _check(n_agents: int, n_clusters: int, horizon: int, eps: float) -> None:
    if n_agents < 1 or not 1 <= n_clusters <= n_agents:
        raise ValueError(f"n_agents = {n_agents}, n_clusters = {n_clusters}: expected 1 <= n_clusters <= n_agents")
    if horizon < 1:
        raise ValueError(f"horizon = {horizon}: expected at least 1")
    if not 0.0 < eps < 1.0:
        raise ValueError(f"eps = {eps!r}: expected a probability between 0 and 1")


def _probability(name: str, value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} = {value!r}: expected a probability from 0 to 1")
    return float(value)


def link_threshold(n_agents: int, horizon: int, eps: float = 0.01) -> float:
    """Theorem 1 (Rule 1, DrFed-UCB): the least link probability c between any two agents.

    c = 1/2 + 1/2 sqrt(1 - (eps / (M T))^(2 / (M - 1))). It falls with M and rises with T.

    Args:
        n_agents: M.
        horizon: T, rounds.
        eps: failure probability.

    Returns:
        c in [1/2, 1); 0 for a single agent, which needs no link.

    Raises:
        ValueError: an argument out of range.
    """
    _check(n_agents, 1, horizon, eps)
    if n_agents == 1:
        return 0.0
    return 0.5 + 0.5 * sqrt(1.0 - float((eps / (n_agents * horizon)) ** (2.0 / (n_agents - 1))))


def cluster_link_probability(across: float, n_agents: int, n_clusters: int) -> float:
    """Lemma 4, exact: the chance that at least one link joins two given clusters of M / C agents in a round.

    Args:
        across: probability q of a link between two agents of different clusters.
        n_agents: M.
        n_clusters: C.

    Returns:
        1 - (1 - q)^((M / C)^2).

    Raises:
        ValueError: an argument out of range.
    """
    _check(n_agents, n_clusters, 1, 0.5)
    return float(1.0 - (1.0 - _probability("across", across)) ** ((n_agents / n_clusters) ** 2))


def across_threshold(n_agents: int, n_clusters: int, horizon: int, eps: float = 0.01, period: int = 1) -> float:
    """Theorem 3 (period 1) and Theorem 9: the least link probability across clusters, when within = 1.

    The graph of clusters must be connected in every window of `period` rounds:
    1 - (1 - q)^((M / C)^2 period) >= c, with the c of Theorem 1 for C nodes.

    Args:
        n_agents: M.
        n_clusters: C.
        horizon: T, rounds.
        eps: failure probability.
        period: l, rounds within which the union of the graphs must be connected.

    Returns:
        The least q; 0 for a single cluster.

    Raises:
        ValueError: an argument out of range.
    """
    _check(n_agents, n_clusters, horizon, eps)
    if period < 1:
        raise ValueError(f"period = {period}: expected at least 1")
    if n_clusters == 1:
        return 0.0
    missing = 1.0 - link_threshold(n_clusters, horizon, eps)
    return float(1.0 - missing ** ((n_clusters / n_agents) ** 2 / period))


def chebyshev_threshold(n_clusters: int, horizon: int, eps: float = 0.01) -> float:
    """Theorem 5's alternative to Chernoff: the least link probability of the graph of clusters by Chebyshev.

    1/2 + 1/2 sqrt(C T / (eps (C - 1))), with the variance of an edge at most 1/4. It exceeds 1 for every T >= 1 and
    eps < 1, so the minimum of both is always Chernoff's and Theorem 5 asks no less than Theorem 3.

    Args:
        n_clusters: C, at least 2.
        horizon: T, rounds.
        eps: failure probability.

    Raises:
        ValueError: an argument out of range.
    """
    _check(max(n_clusters, 1), n_clusters, horizon, eps)
    if n_clusters < 2:
        raise ValueError(f"n_clusters = {n_clusters}: expected at least 2")
    return 0.5 + 0.5 * sqrt(n_clusters * horizon / (eps * (n_clusters - 1)))


def period_needed(across: float, n_agents: int, n_clusters: int, horizon: int, eps: float = 0.01) -> int:
    """The least period l for which `across` meets Theorem 9: how long to wait where links are rare.

    Args:
        across: probability of a link between two agents of different clusters, above 0.
        n_agents: M.
        n_clusters: C.
        horizon: T, rounds.
        eps: failure probability.

    Returns:
        Rounds, at least 1.

    Raises:
        ValueError: an argument out of range.
    """
    _check(n_agents, n_clusters, horizon, eps)
    if _probability("across", across) == 0.0:
        raise ValueError("across = 0: clusters that never talk are connected in no period")
    if n_clusters == 1 or across == 1.0:
        return 1
    missing = 1.0 - link_threshold(n_clusters, horizon, eps)
    rounds = log(missing) / (log1p(-across) * (n_agents / n_clusters) ** 2)
    return max(1, -int(-rounds // 1))


# --- Verification: Shi, "Communication-Corruption Coupling and Verification in Cooperative Multi-Objective Bandits" ---


def _certificate_constant(
    n_arms: int, n_objectives: int, n_agents: int, horizon: int, delta: float | None, lipschitz: float, c: float
) -> float:
    """Verifications times the squared gap: c K L^2 log(2 d K N T / delta)."""
    for name, value in (("n_arms", n_arms), ("n_objectives", n_objectives), ("n_agents", n_agents)):
        if value < 1:
            raise ValueError(f"{name} = {value}: expected at least 1")
    if horizon < 1:
        raise ValueError(f"horizon = {horizon}: expected at least 1")
    if delta is not None and not 0.0 < delta < 1.0:
        raise ValueError(f"delta = {delta!r}: expected a probability between 0 and 1")
    for name, factor in (("lipschitz", lipschitz), ("c", c)):
        if not 0.0 < factor < inf:
            raise ValueError(f"{name} = {factor!r}: expected a number above 0")
    width = log(2 * n_objectives * n_arms * n_agents * horizon) - log(delta or 1.0 / horizon)
    return c * n_arms * lipschitz**2 * width


def verification_needed(
    gap_min: float,
    n_arms: int,
    n_objectives: int,
    n_agents: int,
    horizon: int,
    delta: float | None = None,
    lipschitz: float = 1.0,
    c: float = 8.0,
) -> float:
    """Theorem 3 (eq. 18): verified pulls of the team that are enough to prove the best arm the best.

    nu >= c K L^2 log(2 d K N T / delta) / gap_min^2. With c = 8 an arm verified nu / K times has a certificate of
    half-width gap_min / 4, as the proof asks; nu is meant as a multiple of K. There are only N T pulls: above that, no
    budget is enough.

    Args:
        gap_min: the smallest gap to the best arm, above 0.
        n_arms: K.
        n_objectives: d.
        n_agents: N.
        horizon: T, rounds.
        delta: failure probability; None is 1/T.
        lipschitz: L of the scalarisation in the sup norm.
        c: the constant.

    Returns:
        nu, in pulls.

    Raises:
        ValueError: an argument out of range.
    """
    if not 0.0 < gap_min < inf:
        raise ValueError(f"gap_min = {gap_min!r}: expected a number above 0")
    return _certificate_constant(n_arms, n_objectives, n_agents, horizon, delta, lipschitz, c) / gap_min**2


def gap_certifiable(
    verifications: float,
    n_arms: int,
    n_objectives: int,
    n_agents: int,
    horizon: int,
    delta: float | None = None,
    lipschitz: float = 1.0,
    c: float = 8.0,
) -> float:
    """The reverse of `verification_needed`: the smallest gap for which so many verified pulls are enough.

    Args:
        verifications: nu, above 0; more than N T pulls there are not.
        n_arms: K.
        n_objectives: d.
        n_agents: N.
        horizon: T, rounds.
        delta: failure probability; None is 1/T.
        lipschitz: L of the scalarisation in the sup norm.
        c: the constant.

    Returns:
        The gap.

    Raises:
        ValueError: an argument out of range.
    """
    if not 0.0 < verifications < inf:
        raise ValueError(f"verifications = {verifications!r}: expected a number above 0")
    return sqrt(_certificate_constant(n_arms, n_objectives, n_agents, horizon, delta, lipschitz, c) / verifications)


def bc_ucb_bound(
    gaps: Sequence[float] | NDArray[np.float64],
    n_honest: int,
    horizon: int,
    c1: float,
    burn_in: int,
    cost: float = 0.0,
    forgery: float = 2.0,
) -> float:
    """Theorem 1 of BC-UCB, as printed: what it promises for the regret of all honest participants together.

    (c + 1) L + sum over honest m and suboptimal k of Delta_k (4 C1 ln T / Delta_k^2 + pi^2 / 3) + |H| K l^(1 - T). Its
    proof needs C1 >= 4 |H| kappa sigma^2 (it asks for half of that: the terms then sum to ln T, not to pi^2 / 6).

    Args:
        gaps: Delta_k of all arms; those of 0 are the best arm's.
        n_honest: |H|, at least 1.
        horizon: T, rounds, at least 2.
        c1: C1, above 0.
        burn_in: L, rounds.
        cost: c.
        forgery: l, above 1: a signature is forged with probability l^-T.

    Returns:
        Regret, summed over honest participants.

    Raises:
        ValueError: an argument out of range.
    """
    delta = np.asarray(gaps, np.float64)
    if delta.ndim != 1 or not (np.isfinite(delta) & (delta >= 0.0)).all():
        raise ValueError(f"gaps = {gaps!r}: expected finite numbers of at least 0")
    if n_honest < 1 or horizon < 2 or burn_in < 0:
        raise ValueError(f"n_honest = {n_honest}, horizon = {horizon}, burn_in = {burn_in}: expected >= 1, >= 2, >= 0")
    if not c1 > 0.0 or not cost >= 0.0 or not forgery > 1.0:
        raise ValueError(f"c1 = {c1}, cost = {cost}, forgery = {forgery}: expected > 0, >= 0, > 1")
    away = delta[delta > 0.0]
    learning = float((4.0 * c1 * log(horizon) / away + away * pi**2 / 3.0).sum())
    return float((cost + 1.0) * burn_in + n_honest * learning + n_honest * len(delta) * forgery ** (1.0 - horizon))
