"""Regret that DrFed-UCB and UCB-SBM promise, and when clusters can be found.

Sources: DrFed-UCB (Xu and Klabjan 2023), UCB-SBM (arXiv 2502.08003), Braun, Tyagi and Biernacki (2022). The formulas
are lost in the stored texts. What is recalled or ours is said of each function.
"""

from math import comb, inf, log, pi

import numpy as np
from numpy.typing import ArrayLike

from folkmoot.doors import array, guarded
from folkmoot.errors import brief
from folkmoot.theory.checks import Gaps, check_sizes, checked_gaps, checked_probability, checked_scale

_MOST_AGENTS = 1_000


@guarded
def connected_probability(n_agents: int, link_probability: float) -> float:
    """The chance that a graph of independent links is connected; exact.

    P_n = 1 - sum over k < n of (n - 1 choose k - 1) P_k (1 - p)^(k (n - k)): the component of one agent has k agents.

    Args:
        n_agents: at least 1.
        link_probability: p, of every pair.

    Raises:
        ValueError: an argument out of range.
    """
    check_sizes(n_agents, 1, 1, 0.5)
    if n_agents > _MOST_AGENTS:
        raise ValueError(
            f"n_agents = {brief(n_agents)}: expected at most {_MOST_AGENTS} (the time grows as its square)"
        )
    missing = 1.0 - checked_probability("link_probability", link_probability)
    chance = [0.0, 1.0]
    for n in range(2, n_agents + 1):
        apart = sum(comb(n - 1, k - 1) * chance[k] * missing ** (k * (n - k)) for k in range(1, n))
        chance.append(max(0.0, 1.0 - apart))
    return chance[n_agents]


@guarded
def single_cluster_bound(gaps: Gaps, n_agents: int, horizon: int, synchronised: float) -> float:
    """UCB-SBM, Theorem 1 of its section 5: regret of one agent where all agents are alike.

    sum over suboptimal i of 8 ln T / (M Delta_i) + Delta_i (1 + pi^2 / 3) + Delta_i / P. P is the chance that all
    agents know all rewards after a round. The shape is the paper's; the constants, UCB1's, are ours. The paper takes
    the chance that the graph is connected for P (`connected_probability`); with messages over one link that is too
    much (E-16), and the chance that every pair is linked, p^(M (M - 1) / 2), is safe.

    Args:
        gaps: Delta_i of all arms.
        n_agents: M.
        horizon: T, rounds.
        synchronised: P, in (0, 1].

    Raises:
        ValueError: an argument out of range.
    """
    delta = checked_gaps(gaps)
    check_sizes(n_agents, 1, horizon, 0.5)
    if checked_probability("synchronised", synchronised) == 0.0:
        raise ValueError("synchronised = 0: agents that never know all rewards are promised nothing")
    away = delta[delta > 0.0]
    each = 8.0 * log(horizon) / (n_agents * away) + away * (1.0 + pi**2 / 3.0) + away / synchronised
    return float(each.sum())


def _pulls(delta: float, n_parties: int, n_arms: int, horizon: int, c1: float, good: float) -> float:
    """Pulls of an arm in DrFed-UCB's bound, with n_parties agents (or clusters)."""
    learning = max(4.0 * c1 * log(horizon) / delta**2, 2.0 * (n_arms**2 + n_parties * n_arms))
    return learning + 2.0 * pi**2 / (3.0 * good) + n_arms**2 + (2 * n_parties - 1) * n_arms


@guarded
def ucb_sbm_bound(
    gaps: Gaps, n_agents: int, n_clusters: int, horizon: int, c1: float, burn_in: int, eps: float = 0.01
) -> float:
    """UCB-SBM, Theorems 3, 5, 9 and 10: regret of one agent under Rule 2.

    L + (C / M) sum over suboptimal i of ( max{4 C1 ln T / Delta_i^2, 2 (K^2 + C K)} + 2 pi^2 / (3 P) + K^2 + (2 C -
    1) K ), P = 1 - 7 eps. That it is linear in C over M is the paper's; the terms are those recalled of DrFed-UCB
    with clusters in place of agents (ours). Theorems 3, 5, 9 and 10 differ in what they ask of links
    (`across_threshold`, `chebyshev_threshold`, `within_threshold`), not in this. It holds with probability P, for
    balanced clusters; in Theorem 10, with a period of l rounds, add l for each term that waits for the cluster.

    Args:
        gaps: Delta_i of all arms.
        n_agents: M.
        n_clusters: C.
        horizon: T, rounds, at least 2.
        c1: C1 of the radius.
        burn_in: L, rounds.
        eps: failure probability, below 1/7.

    Raises:
        ValueError: an argument out of range.
    """
    delta = checked_gaps(gaps)
    check_sizes(n_agents, n_clusters, horizon, eps)
    if not eps < 1.0 / 7.0:
        raise ValueError(f"eps = {brief(eps)}: expected below 1/7, the bound holds with probability 1 - 7 eps")
    if horizon < 2 or not 0.0 < c1 < inf or burn_in < 0:
        raise ValueError(f"horizon = {horizon}, c1 = {c1}, burn_in = {burn_in}: expected >= 2, > 0, >= 0")
    pulls = [_pulls(float(d), n_clusters, len(delta), horizon, c1, 1.0 - 7.0 * eps) for d in delta[delta > 0.0]]
    return float(burn_in + n_clusters / n_agents * np.sum(pulls))


@guarded
def drfed_ucb_bound(gaps: Gaps, n_agents: int, horizon: int, c1: float, burn_in: int, eps: float = 0.01) -> float:
    """DrFed-UCB's Theorem 2, and Theorem 1 of UCB-SBM (Rule 1): regret averaged over agents. Recalled.

    L + sum over suboptimal i of ( max{4 C1 ln T / Delta_i^2, 2 (K^2 + M K)} + 2 pi^2 / (3 P) + K^2 + (2 M - 1) K ). It
    assumes that any two agents are linked with at least `link_threshold`.

    Args:
        gaps: Delta_i of all arms.
        n_agents: M.
        horizon: T, rounds, at least 2.
        c1: C1 of the radius.
        burn_in: L, rounds.
        eps: failure probability, below 1/7.

    Raises:
        ValueError: an argument out of range.
    """
    return ucb_sbm_bound(gaps, n_agents, n_agents, horizon, c1, burn_in, eps)


@guarded
def recovery_signal(
    cluster_means: ArrayLike, n_agents: int, within: float, across: float, burn_in: int, sigma: float = 0.5
) -> float:
    """Lemmas 2 and 3 of UCB-SBM: the signal of a burn-in over ln M; above 1, clusters are found.

    ( min over pairs of ||mu_a - mu_b||^2 / (8 s^2) + (M / C) (sqrt p' - sqrt q')^2 ) / ln M, with s^2 = sigma^2 K / L
    the variance of a mean of L / K rewards, and p', q' the chances to have met at least once in L rounds. Recalled of
    Braun and others; it says "found with probability that tends to 1", and its slack is lost. It assumes balanced
    clusters, links so rare that p' and q' are of the order of ln M / M, and Gaussian rewards (E-21).

    Args:
        cluster_means: [n_clusters, n_arms].
        n_agents: M, at least 2.
        within: p.
        across: q.
        burn_in: L, rounds, at least one an arm.
        sigma: standard deviation of a reward.

    Raises:
        ValueError: an argument out of range.
    """
    means = array("cluster_means", cluster_means, "numbers [n_clusters, n_arms]")
    if means.ndim != 2 or len(means) < 2 or not np.isfinite(means).all():
        raise ValueError(
            f"cluster_means of shape {means.shape}: expected a row of finite numbers for each of 2 or more"
        )
    n_clusters, n_arms = means.shape
    check_sizes(n_agents, n_clusters, 1, 0.5)
    if burn_in < n_arms:
        raise ValueError(f"burn_in = {burn_in}: expected at least one round an arm, {n_arms}")
    sigma = checked_scale("sigma", sigma)
    met, met_across = (
        1.0 - (1.0 - checked_probability(name, p)) ** burn_in for name, p in (("within", within), ("across", across))
    )
    apart = min(float(((means[a] - means[b]) ** 2).sum()) for a in range(n_clusters) for b in range(a + 1, n_clusters))
    rewards = apart / (8.0 * sigma**2 * n_arms / burn_in)
    links = n_agents / n_clusters * (met**0.5 - met_across**0.5) ** 2
    return float(rewards + links) / log(n_agents)
