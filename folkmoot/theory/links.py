"""UCB-SBM and DrFed-UCB: the links that their theorems ask for, and the regret that they promise.

M agents in C balanced clusters, horizon T, and a failure probability eps: above a threshold, every graph of
a run is connected with probability at least 1 - eps. Sources: DrFed-UCB (Xu and Klabjan 2023) and UCB-SBM
(arXiv 2502.08003). Their formulas are lost in the stored texts; these are derived from what the texts prove:
a graph in which every degree exceeds (M - 1) / 2 is connected, Chernoff's bound on a degree is
(4 p (1 - p))^((M - 1) / 2), and a union over agents and rounds must stay below eps.
"""

from math import log, log1p, sqrt

from folkmoot.doors import guarded
from folkmoot.theory.checks import check_sizes, checked_probability


@guarded
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
    check_sizes(n_agents, 1, horizon, eps)
    if n_agents == 1:
        return 0.0
    return 0.5 + 0.5 * sqrt(1.0 - float((eps / (n_agents * horizon)) ** (2.0 / (n_agents - 1))))


@guarded
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
    check_sizes(n_agents, n_clusters, 1, 0.5)
    return float(1.0 - (1.0 - checked_probability("across", across)) ** ((n_agents / n_clusters) ** 2))


@guarded
def across_threshold(n_agents: int, n_clusters: int, horizon: int, eps: float = 0.01, period: int = 1) -> float:
    """Theorem 3 (period 1), and a condition that is enough for Theorem 9: the least link probability across clusters.

    Both assume within = 1. The union of the graphs of clusters in every window of `period` rounds must be connected:
    1 - (1 - q)^((M / C)^2 period) >= c, with the c of Theorem 1 for C nodes. Theorem 9 speaks of compositions, chains
    of one link a round. Who keeps what it heard spreads it over every union, too, so a connected union is enough. The
    threshold that the paper prints for compositions (Lemma 8) is lost, and may ask for less.

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
    check_sizes(n_agents, n_clusters, horizon, eps)
    if period < 1:
        raise ValueError(f"period = {period}: expected at least 1")
    if n_clusters == 1:
        return 0.0
    missing = 1.0 - link_threshold(n_clusters, horizon, eps)
    return float(1.0 - missing ** ((n_clusters / n_agents) ** 2 / period))


@guarded
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
    check_sizes(max(n_clusters, 1), n_clusters, horizon, eps)
    if n_clusters < 2:
        raise ValueError(f"n_clusters = {n_clusters}: expected at least 2")
    return 0.5 + 0.5 * sqrt(n_clusters * horizon / (eps * (n_clusters - 1)))


@guarded
def period_needed(across: float, n_agents: int, n_clusters: int, horizon: int, eps: float = 0.01) -> int:
    """The least period l for which `across` meets `across_threshold`: how long to wait where links are rare.

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
    check_sizes(n_agents, n_clusters, horizon, eps)
    if checked_probability("across", across) == 0.0:
        raise ValueError("across = 0: clusters that never talk are connected in no period")
    if n_clusters == 1 or across == 1.0:
        return 1
    missing = 1.0 - link_threshold(n_clusters, horizon, eps)
    rounds = log(missing) / (log1p(-across) * (n_agents / n_clusters) ** 2)
    return max(1, -int(-rounds // 1))


@guarded
def within_threshold(n_agents: int, n_clusters: int, horizon: int, eps: float = 0.01, period: int = 1) -> float:
    """Theorem 10: the least link probability p inside a cluster; `across_threshold` is what it asks for across.

    The union of the graphs of each cluster in every window of `period` rounds must be connected. A cluster has
    m = M / C agents: 1 - (1 - p)^period >= 1/2 + 1/2 sqrt(1 - (eps / (M T))^(2 / (m - 1))). The union bound goes over
    all M agents and T windows (the paper's threshold is lost: this one is ours). The algorithm must then refresh what
    it knows of its cluster every `period` rounds, not more often.

    Args:
        n_agents: M.
        n_clusters: C.
        horizon: T, rounds.
        eps: failure probability.
        period: l, rounds.

    Returns:
        The least p; 0 for clusters of one agent.

    Raises:
        ValueError: an argument out of range, or clusters that cannot be of one size.
    """
    check_sizes(n_agents, n_clusters, horizon, eps)
    if period < 1:
        raise ValueError(f"period = {period}: expected at least 1")
    if n_agents % n_clusters:
        raise ValueError(f"n_agents = {n_agents}, n_clusters = {n_clusters}: expected clusters of one size")
    size = n_agents // n_clusters
    if size == 1:
        return 0.0
    least = 0.5 + 0.5 * sqrt(1.0 - float((eps / (n_agents * horizon)) ** (2.0 / (size - 1))))
    return float(1.0 - (1.0 - least) ** (1.0 / period))
