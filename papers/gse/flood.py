"""FloodSE beside GSE: where GSE drops the best arm (E-22), and every setting of the paper.

FloodSE is ours (docs/decisions/0031-flood-se.md); the paper does not know it.
"""

from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path

import networkx as nx
import numpy as np

import folkmoot as fm
from folkmoot.algorithms.flood_threshold import Claim, flood_rounds, regret_bound
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import Result, student_interval
from folkmoot.world.graphs import BaseGraph, as_base_graph
from folkmoot.world.networks import Network
from folkmoot.world.rewards import Rewards

from . import settings as s

ORACLE = "Central UCB (oracle)"
_RUNS = 2_000


def _contenders() -> dict[str, fm.Algorithm]:
    return {
        "FloodSE": fm.FloodSE(),
        "GSE": fm.GSE(),
        "Dist_UCB": fm.DistUCB(),
        ORACLE: fm.CentralUCB(),
        "UCB (alone)": fm.UCB(),
    }


def _play(
    rewards: Rewards, network: Network, horizon: int, replicates: int, jobs: int, progress: bool,
    contenders: Mapping[str, fm.Algorithm] | None = None,
) -> dict[str, Result]:  # fmt: skip
    return {
        name: fm.simulate(
            algorithm, rewards, network, horizon=horizon, replicates=replicates, jobs=jobs, progress=progress
        )
        for name, algorithm in (contenders or _contenders()).items()
    }


def _row(result: Result) -> list[str]:
    mean, half = student_interval(result.regret_per_agent[:, -1])
    uniform = result.horizon * float(result.gaps.mean())
    wrong = (result.decisions >= 0) & (result.gaps[result.decisions] > 0.0)
    settled = result.decided_at[result.decided_at > 0]
    return [
        f"{float(mean):.2f} ± {float(half):.2f}",
        f"{100 * float(mean) / uniform:.2f} %",
        f"{result.summary()['best_arm_share']:.4f}",
        str(int(wrong.any(axis=1).sum())),
        f"{int(settled.max()):,}" if len(settled) == result.decided_at.size else "",
        f"{result.summary()['bytes'] / 1e6:.2f}",
    ]


_HEADER = ["regret an agent", "of uniform play", "best arm", "runs that drop it", "last settled", "MB sent"]


def e22(out: Path, jobs: int, progress: bool) -> bool:
    """E-22: on two cliques with one bridge GSE drops the best arm, in every run; FloodSE does not."""
    claims = Claims("gse/e22", out)
    rewards, network = s.two_cliques()
    results = _play(rewards, network, 20_000, 5, jobs, progress)
    claims.table(
        "80 + 120 agents, one bridge, p = 0.9, 20,000 rounds, 5 replicates; arm 1 is best by 0.06",
        ["algorithm", *_HEADER], [[name, *_row(result)] for name, result in results.items()], "e22.csv",
    )  # fmt: skip
    gse, flood = results["GSE"], results["FloodSE"]
    claims.claim("GSE: all agents settle on the wrong arm, in every run", bool((gse.decisions == 0).all()))
    claims.claim("it warns that its condition is not met", bool(gse.configuration.get("remarks")))
    claims.claim("FloodSE: all agents settle on the best arm, in every run", bool((flood.decisions == 1).all()))
    claims.claim(
        "FloodSE: share of best-arm pulls above .99", all(x > 0.99 for x in flood.pulls[:, :, 1].mean(axis=1) / 20_000)
    )
    return claims.all_hold


def _settings() -> dict[str, tuple[Rewards, "nx.Graph[int]", float]]:
    """Table 1 and figure 1: rewards, base graph, link probability."""
    out: dict[str, tuple[Rewards, nx.Graph[int], float]] = {}
    for degree in s.DEGREES:
        out[f"Table 1, degree {degree}, p = 0.1"] = (s.half_active(), s.circulant(degree), 0.1)
    out["fig. 1a, p = 0.9"] = (s.heterogeneous(), nx.complete_graph(s.N_AGENTS), 0.9)
    movies = movielens()
    out["fig. 1b, MovieLens, p = 0.9"] = (movies, nx.complete_graph(movies.n_agents), 0.9)
    graphs = {"complete 16": nx.complete_graph(16), "grid 4 x 4": s.grid(), "Petersen": nx.petersen_graph()}
    for name, graph in graphs.items():
        for p in (0.1, 0.3, 0.5, 0.7, 0.9):
            out[f"fig. 1cd, {name}, p = {p:g}"] = (s.half_active(graph.number_of_nodes()), graph, p)
    return out


def movielens() -> Rewards:
    """Twenty users and five genres."""
    from folkmoot.world.datasets import load

    return load("movielens")


def flood(out: Path, jobs: int, progress: bool) -> bool:
    """FloodSE in every setting of the paper, on slow networks, among absent agents, and 2,000 hard runs."""
    claims = Claims("gse/flood", out)
    _paper(claims, jobs, progress)
    _slow(claims, jobs, progress)
    _hard(claims, jobs, progress)
    _gone(claims, jobs, progress)
    _bounds(claims)
    return claims.all_hold


def _paper(claims: Claims, jobs: int, progress: bool) -> None:
    rows, ratios, below, wrong = [], {}, True, 0
    contenders = {name: a for name, a in _contenders().items() if name in ("FloodSE", "GSE", ORACLE)}
    for label, (rewards, graph, p) in _settings().items():
        results = _play(rewards, fm.ErdosRenyi(graph, p), s.HORIZON, s.REPLICATES, jobs, progress, contenders)
        means = {name: float(result.regret_per_agent[:, -1].mean()) for name, result in results.items()}
        ratios[label] = means["FloodSE"] / means[ORACLE]
        below &= means["FloodSE"] < means["GSE"]
        flood_se = results["FloodSE"]
        wrong += int((flood_se.gaps[flood_se.decisions] > 0.0).any(axis=1).sum())
        intervals = [student_interval(result.regret_per_agent[:, -1]) for result in results.values()]
        sent = [f"{results[name].summary()['bytes'] / 1e6:.2f}" for name in ("FloodSE", "GSE")]
        rows.append([label, *(f"{float(m):.1f} ± {float(h):.1f}" for m, h in intervals), f"{ratios[label]:.2f}", *sent])
    claims.table(
        f"Regret an agent after {s.HORIZON:,} rounds, {s.REPLICATES} replicates",
        ["setting", *contenders, "FloodSE / oracle", "MB, FloodSE", "MB, GSE"], rows, "flood.csv",
    )  # fmt: skip
    complete = max(x for label, x in ratios.items() if "complete" in label or "fig. 1a" in label or "1b" in label)
    claims.claim(f"complete graphs, at every p: at most 1.5 times the oracle ({complete:.2f})", complete <= 1.5)
    claims.claim(f"everywhere at most 4 times the oracle ({max(ratios.values()):.2f})", max(ratios.values()) <= 4.0)
    claims.claim("below GSE everywhere", below)
    claims.claim(f"nobody drops a best arm, in {len(rows) * s.REPLICATES} runs ({wrong})", wrong == 0)


def _slow(claims: Claims, jobs: int, progress: bool) -> None:
    worlds = {
        "two cliques, T = 20,000": (*s.two_cliques(), 20_000),
        "grid 15 x 15, T = 50,000": (*s.regional_grid(15), 50_000),
        "grid 20 x 20, T = 50,000": (*s.regional_grid(20), 50_000),
    }
    rows = []
    for label, (rewards, network, horizon) in worlds.items():
        results = _play(rewards, network, horizon, 3, jobs, progress)
        rows += [[label, name, *_row(result)] for name, result in results.items()]
        share = results["FloodSE"].pulls[:, :, 1].sum(axis=1) / (horizon * rewards.n_agents)
        claims.claim(f"{label}: FloodSE's share of best-arm pulls above .99 ({share.min():.5f})", share.min() > 0.99)
    claims.table(
        "Slow networks, regional tastes, 3 replicates", ["world", "algorithm", *_HEADER], rows, "flood_slow.csv"
    )


def _hard(claims: Claims, jobs: int, progress: bool) -> None:
    """Two arms that differ by .02 on a ring with links up one time in two."""
    means = np.tile([[0.9, 0.1], [0.1, 0.86]], (4, 1))
    result = fm.simulate(
        fm.FloodSE(), fm.Bernoulli(means), fm.ErdosRenyi(nx.cycle_graph(8), 0.5),
        horizon=10_000, replicates=_RUNS, seed=22, jobs=jobs, progress=progress,
    )  # fmt: skip
    wrong = int((result.decisions == 1).any(axis=1).sum())
    decided = float((result.decisions == 0).all(axis=1).mean())
    claims.say(f"8 agents on a ring, p = 0.5, two arms .02 apart, T = 10,000: {100 * decided:.0f} % of runs settle.")
    claims.claim(f"{wrong} of {_RUNS:,} runs drop the best arm at delta = 1/T", wrong == 0)


def _gone(claims: Claims, jobs: int, progress: bool) -> None:
    """A tenth of the agents leaves early, for good."""
    means = np.random.default_rng(s.SEED).uniform(0.0, 0.5, size=(40, 4))
    means[:, 2] += 0.4
    world = fm.Bernoulli(means), fm.ErdosRenyi(nx.complete_graph(40), 0.9)
    leaving = fm.Presence(absences=[(i, 3) for i in range(0, 40, 10)])
    rows = []
    for missing in (0, 4):
        result = fm.simulate(
            fm.FloodSE(missing=missing), *world, presence=leaving, horizon=s.HORIZON, replicates=s.REPLICATES,
            jobs=jobs, progress=progress,
        )  # fmt: skip
        stay = np.delete(result.decisions, range(0, 40, 10), axis=1)
        rows.append([missing, f"{float((stay >= 0).mean()):.2f}", int((stay[stay >= 0] != 2).sum())])
        if missing:
            claims.claim(
                "with 10 % of agents gone for good all others settle, on the best arm", bool((stay == 2).all())
            )
    claims.table("4 of 40 agents leave after round 2", ["missing", "settled", "on a wrong arm"], rows, "flood_gone.csv")


def gse_order(gaps: Sequence[float], graph: BaseGraph, p: float, horizon: int) -> float:
    """The order of GSE's bound with all constants 1: sum ln T / Delta + N^2 ln T / (p lambda) + K N^2 ln T / p."""
    n, k = graph.n_agents, len(gaps)
    learning = sum(log(horizon) / gap for gap in gaps if gap > 0.0)
    return learning + n**2 * log(horizon) / p * (1.0 / graph.algebraic_connectivity + k)


def _bounds(claims: Claims) -> None:
    """Both bounds and both measured, against the link probability, on rings of growing length."""
    import matplotlib.pyplot as plt

    horizon, gaps = 10_000, [0.0, 0.1, 0.2, 0.3, 0.4]
    sizes = np.array([4, 8, 16, 32, 64, 128, 256])
    ours, theirs = [], []
    for n in sizes:
        graph = as_base_graph(nx.cycle_graph(int(n)))
        flood_time = flood_rounds(int(n), graph.diameter, 0.9, horizon, 1 / horizon)
        ours.append(regret_bound(Claim(int(n), 5, 0.5, 1 / horizon), gaps, horizon, flood_time) / n)
        theirs.append(gse_order(gaps, graph, 0.9, horizon) / n)
    drawing, axes = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    axes.loglog(sizes, theirs, "o-", label="GSE, order of its bound (constants 1)")
    axes.loglog(sizes, ours, "s-", label="FloodSE, Theorem 2 (its constants)")
    axes.axhline(horizon * float(np.mean(gaps)), color="0.5", linestyle=":", label="uniform play")
    axes.set(xlabel="agents on a ring, p = 0.9", ylabel="bound on regret an agent", title="T = 10,000, 5 arms")
    axes.legend()
    claims.picture("flood_bounds.png", drawing)
    plt.close(drawing)
    claims.table(
        "Bounds on regret an agent, rings, p = 0.9, T = 10,000, gaps .1 to .4",
        ["agents", *map(str, sizes)],
        [["GSE (order)", *(f"{x:.0f}" for x in theirs)], ["FloodSE", *(f"{x:.0f}" for x in ours)]],
        "flood_bounds.csv",
    )
