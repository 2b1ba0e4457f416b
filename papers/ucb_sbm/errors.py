"""Steps of the paper that fail, each worked out with what it prints; E-20 is of one of its baselines."""

from pathlib import Path

import networkx as nx
import numpy as np

from folkmoot import theory
from folkmoot.reproductions.claims import Claims

from . import settings as s


def e16(out: Path, jobs: int, progress: bool) -> bool:
    """E-16: on a connected graph not everybody hears everybody in one round when nobody passes on."""
    claims = Claims("ucb_sbm/e16", out)
    path = nx.path_graph(3)
    heard = {i: {i, *path.neighbors(i)} for i in path}
    claims.table(
        "A path of three agents, own data only, one round",
        ["agent", "hears"],
        [[i, sorted(h)] for i, h in heard.items()],
    )
    claims.claim("the graph is connected", nx.is_connected(path))
    claims.claim("the ends do not hear each other, in this round or in any", 2 not in heard[0] and 0 not in heard[2])
    return claims.all_hold


def e17(out: Path, jobs: int, progress: bool) -> bool:
    """E-17: mates that draw the random arm each for itself do not pull the same arm."""
    claims = Claims("ucb_sbm/e17", out)
    rounds, behind = 10_000, 3
    draws = np.random.default_rng(0).integers(behind, size=(rounds, 2))
    same = float((draws[:, 0] == draws[:, 1]).mean())
    claims.say(f"Two mates, {behind} arms behind, a draw each: the same arm in {same:.1%} of {rounds:,} rounds.")
    # Five standard errors of a share of one in three.
    claims.claim("that is one in three, not always", abs(same - 1 / behind) < 5 * (2 / 9 / rounds) ** 0.5)
    claims.say("With a draw of the cluster, as we do it, it is always.")
    return claims.all_hold


def e20(out: Path, jobs: int, progress: bool) -> bool:
    """E-20: Gossip_UCB's eq. 2 sums from round 1 while it counts the first pull, too."""
    claims = Claims("ucb_sbm/e20", out)
    first = 0.8
    rows = []
    for rewards in ([], [1.0], [1.0, 0.0, 1.0]):
        count = 1 + len(rewards)
        rows.append([count, f"{sum(rewards) / count:.3f}", f"{(first + sum(rewards)) / count:.3f}"])
    claims.table(
        f"Own mean of an arm whose first pull (before round 1) brought {first}",
        ["pulls", "eq. 2", "with that pull"],
        rows,
    )
    claims.claim("an arm not pulled again falls from 0.8 to 0 in round 1", float(rows[0][1]) == 0.0)
    return claims.all_hold


def e21(out: Path, jobs: int, progress: bool) -> bool:
    """E-21: clusters are found where links are rare, and bounds hold where they are not: never both."""
    claims = Claims("ucb_sbm/e21", out)
    least = theory.across_threshold(s.N_AGENTS, s.N_CLUSTERS, s.HORIZON)
    rows = [[f"{q:g}", f"{1 - (1 - q) ** s.BURN_IN:.4f}", f"{s.BURN_IN * q:.2f}"] for q in (0.0005, 0.005, 0.05, least)]
    claims.table(
        f"The graph of pairs that met in a burn-in of {s.BURN_IN} rounds",
        ["link", "met at least once", "the proof's L q"],
        rows,
    )
    met = 1 - (1 - least) ** s.BURN_IN
    claims.claim(
        f"at the least q of Theorem 3, {least:.3f}, everybody has met everybody: the graph tells nothing",
        met > 1 - 1e-12,
    )
    claims.claim("and the proof's approximation L q is no probability there", least * s.BURN_IN > 1.0)
    return claims.all_hold


def e27(out: Path, jobs: int, progress: bool) -> bool:
    """E-27: Theorem 5's alternative to Theorem 3 exceeds 1 for every size, so it asks for no less."""
    claims = Claims("ucb_sbm/e27", out)
    sizes = [(clusters, horizon) for clusters in (2, 4, 50) for horizon in (1, 100, 10_000)]
    values = [theory.chebyshev_threshold(clusters, horizon, 0.5) for clusters, horizon in sizes]
    claims.table(
        "Least link probability between clusters by Chebyshev, eps = 0.5",
        ["C", "T", "least"],
        [[c, f"{t:,}", f"{value:.2f}"] for (c, t), value in zip(sizes, values, strict=True)],
    )
    claims.claim("none is a probability", min(values) > 1.0)
    return claims.all_hold
