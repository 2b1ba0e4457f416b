"""GSE: what its theorems promise, and what its published radius comes to.

Source: "Distributed Multi-Agent Bandits Over Erdos-Renyi Random Networks" (arXiv 2510.22811). The formulas of its body
are lost; the orders are those of its abstract and of its proofs, and constants are ours where a function says so.
"""

from math import cos, log, pi, sqrt
from typing import Literal, NamedTuple

import numpy as np

from folkmoot.doors import guarded
from folkmoot.errors import brief
from folkmoot.theory.checks import Gaps, checked_gaps, checked_scale


class GSEBound(NamedTuple):
    """The three terms of Theorem 5.3, regret summed over agents."""

    learning: float  # sum over suboptimal arms of ln T / Delta_k: what one learner with all rewards pays, too
    gossip: float  # N^2 ln T / (p lambda): until estimates have mixed
    waiting: float  # K N^2 ln T / p: until all agents have dropped the same arms

    @property
    def total(self) -> float:
        return self.learning + self.gossip + self.waiting


def _check_run(n_agents: int, link_probability: float, horizon: int) -> None:
    if n_agents < 1 or horizon < 2:
        raise ValueError(f"n_agents = {n_agents}, horizon = {horizon}: expected at least 1 and 2")
    if not 0.0 < link_probability <= 1.0:
        raise ValueError(f"link_probability = {brief(link_probability)}: expected a probability in (0, 1]")


@guarded
def gse_bound(gaps: Gaps, n_agents: int, link_probability: float, connectivity: float, horizon: int) -> GSEBound:
    """Theorem 5.3, the order as its abstract gives it: every constant is 1 (ours), so it is no bound to the letter.

    sum_k ln T / Delta_k + N^2 ln T / (p lambda) + K N^2 ln T / p. It assumes a connected base graph, links that are
    independent with one probability, and rewards in [0, 1].

    Args:
        gaps: Delta_k of all arms; those of 0 are the best arm's.
        n_agents: N.
        link_probability: p.
        connectivity: lambda, second smallest Laplacian eigenvalue of the base graph, above 0.
        horizon: T, rounds.

    Returns:
        The three terms; regret summed over agents.

    Raises:
        ValueError: an argument out of range.
    """
    delta = checked_gaps(gaps)
    _check_run(n_agents, link_probability, horizon)
    if not connectivity > 0.0:
        raise ValueError(f"connectivity = {brief(connectivity)}: expected above 0, a connected base graph")
    width, away = log(horizon), delta[delta > 0.0]
    return GSEBound(
        float((width / away).sum()),
        n_agents**2 * width / (link_probability * connectivity),
        len(delta) * n_agents**2 * width / link_probability,
    )


@guarded
def gse_bound_on(
    graph: Literal["complete", "grid", "expander"],
    gaps: Gaps,
    n_agents: int,
    link_probability: float,
    horizon: int,
    degree: int | None = None,
) -> GSEBound:
    """Corollary 5.4: Theorem 5.3 on the graphs it names, again with every constant 1 (ours).

    "complete": lambda = N and, with the refined L* of the corollary, the last term is K N ln T / p. "grid": a square
    grid, lambda = 2 (1 - cos(pi / sqrt N)), about pi^2 / N, so that the middle term grows like N^3. "expander": lambda
    is a fixed share of the degree, taken as the degree itself.

    Args:
        graph: which of the three.
        gaps: Delta_k of all arms.
        n_agents: N; a square number for a grid.
        link_probability: p.
        horizon: T, rounds.
        degree: of an expander.

    Returns:
        The three terms; regret summed over agents.

    Raises:
        ValueError: an argument out of range.
    """
    if graph == "complete":
        whole = gse_bound(gaps, n_agents, link_probability, max(n_agents, 1), horizon)
        return whole._replace(waiting=whole.waiting / n_agents)
    if graph == "grid":
        side = round(sqrt(max(n_agents, 0)))
        if side < 2 or side * side != n_agents:
            raise ValueError(f"n_agents = {n_agents}: expected a square number of at least 4 for a grid")
        return gse_bound(gaps, n_agents, link_probability, 2.0 * (1.0 - cos(pi / side)), horizon)
    if graph != "expander":
        raise ValueError(f"graph = {brief(graph)}: allowed are 'complete', 'grid' and 'expander'")
    if degree is None or degree < 1:
        raise ValueError(f"degree = {degree}: expected that of the expander, at least 1")
    return gse_bound(gaps, n_agents, link_probability, degree, horizon)


@guarded
def gse_pulls(
    gap: float, n_arms: int, n_agents: int, link_probability: float, connectivity: float, horizon: int
) -> float:
    """Most pulls that an agent gives an arm before GSE's *published* radius drops it: what Lemma 5.2 bounds.

    It assumes that estimates stay within the radius (Lemma 5.1; on slow networks they do not, E-22). Two arms with
    equal pulls are then told apart when the radius is below a quarter of their gap: L* + m + 2 pulls, where m solves
    sqrt(ln T / (N m)) + (tau* + sqrt N) / (N m) = gap / 4, with L* = K ln T / p and tau* = N ln T / (p lambda) as in
    the authors' code. The 2 are ours: one round is lost to m, one to counts that differ by one.

    Args:
        gap: Delta_k, above 0.
        n_arms: K.
        n_agents: N.
        link_probability: p that the radius is given.
        connectivity: lambda that the radius is given.
        horizon: T, rounds.

    Returns:
        Pulls, at most T.

    Raises:
        ValueError: an argument out of range.
    """
    _check_run(n_agents, link_probability, horizon)
    gap = checked_scale("gap", gap)
    if n_arms < 1 or not connectivity > 0.0:
        raise ValueError(f"n_arms = {n_arms}, connectivity = {brief(connectivity)}: expected at least 1, above 0")
    width = log(horizon)
    statistical = sqrt(width / n_agents)
    links = link_probability * connectivity
    if links == 0.0:  # too small to be told from no link
        return float(horizon)
    consensus = (n_agents * width / links + sqrt(n_agents)) / n_agents
    # x = 1 / sqrt(m): consensus x^2 + statistical x = gap / 4, solved without a difference of numbers nearly equal
    inverse = 2.0 * (sqrt(statistical**2 + consensus * gap) + statistical) / gap
    return min(float(horizon), n_arms * width / link_probability + max(1.0, inverse * inverse) + 2.0)


@guarded
def gse_regret(gaps: Gaps, n_agents: int, link_probability: float, connectivity: float, horizon: int) -> float:
    """What GSE's published radius comes to at most, on the event of `gse_pulls`: N times the sum of Delta_k pulls.

    Args:
        gaps: Delta_k of all arms.
        n_agents, link_probability, connectivity, horizon: as of `gse_pulls`.

    Returns:
        Regret summed over agents; never more than pulling the worst arm always.

    Raises:
        ValueError: an argument out of range.
    """
    delta = checked_gaps(gaps)
    _check_run(n_agents, link_probability, horizon)
    spent = [
        gap * gse_pulls(float(gap), len(delta), n_agents, link_probability, connectivity, horizon)
        for gap in delta[delta > 0.0]
    ]
    worst = float(delta.max(initial=0.0)) * horizon
    return n_agents * min(float(np.sum(spent)), worst)


@guarded
def gse_lower_bound(gaps: Gaps, horizon: int, exponent: float = 0.0, sigma: float = 1.0) -> float:
    """Theorem 5.9, its leading term: what every consistent policy pays on Gaussian instances, for large T.

    A policy is consistent if its regret is at most C T^a, a = `exponent`, on every instance. Moving arm k of all
    agents by its gap costs Delta_k^2 / (2 sigma^2) of divergence a pull, so sum_k 2 sigma^2 (1 - a) ln T / Delta_k.
    The constant is worked out from the proof (the printed one is lost); it says nothing about a fixed T.

    Args:
        gaps: Delta_k of all arms.
        horizon: T, rounds.
        exponent: a, from 0 to 1.
        sigma: standard deviation of a reward; the paper's is 1.

    Returns:
        Regret summed over agents.

    Raises:
        ValueError: an argument out of range.
    """
    delta = checked_gaps(gaps)
    if horizon < 2 or not 0.0 <= exponent < 1.0:
        raise ValueError(f"horizon = {horizon}, exponent = {exponent}: expected >= 2, in [0, 1)")
    sigma = checked_scale("sigma", sigma)
    away = delta[delta > 0.0]
    return float((2.0 * sigma**2 * (1.0 - exponent) * log(horizon) / away).sum())
