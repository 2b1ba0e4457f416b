"""FloodSE in every setting of the paper, on slow networks, in 2,000 hard runs, and where a tenth of the agents leaves.

FloodSE is ours (docs/decisions/0031-flood-se.md); the paper does not know it. `flood` plays all parts; each is a
command of its own, too. What has been played is kept in the folder, so that a part that was stopped goes on.
"""

from collections.abc import Callable, Mapping, Sequence
from math import log
from pathlib import Path

import networkx as nx
import numpy as np

from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval
from folkmoot.theory import flood_rounds, flood_se_bound
from folkmoot.world.graphs import BaseGraph, as_base_graph

from . import settings as s
from .flood_games import COMPLETE, GONE, ORACLE, SLOW, Found, Game, of_the_paper, play_games

RUNS: Mapping[str, int] = {"FloodSE": 5, ORACLE: 3, "GSE": 1, "Dist_UCB": 1, "UCB (alone)": 1}  # on slow networks
COMPARED = ("FloodSE", "GSE", ORACLE)
MOST_COMPLETE, MOST, LEAST_SHARE = 1.5, 4.0, 0.99  # fixed beforehand: times the oracle's regret; best-arm pulls
HARD_CELLS, HARD_SEED = 8, 22  # cells of 250 runs


def flood(out: Path, jobs: int, progress: bool) -> bool:
    """FloodSE: all of gse/flood_paper, flood_slow, flood_hard, flood_gone and flood_bounds."""
    held = [part(out, jobs, progress) for part in PARTS.values()]
    return all(held)


def flood_paper(out: Path, jobs: int, progress: bool) -> bool:
    """FloodSE beside GSE and an oracle in all 24 settings of Table 1 and figure 1."""
    claims, labels = Claims("gse/flood_paper", out), list(of_the_paper())
    games = [Game(label, name, s.REPLICATES) for label in labels for name in COMPARED]
    found = play_games(games, out, jobs, progress)
    rows, ratios, below, wrong = [], {}, True, 0
    for label in labels:
        told = {name: found[Game(label, name, s.REPLICATES)] for name in COMPARED}
        means = {name: float(np.mean([one.regret for one in runs])) for name, runs in told.items()}
        ratios[label] = means["FloodSE"] / means[ORACLE]
        below &= means["FloodSE"] < means["GSE"]
        wrong += sum(one.dropped > 0 for one in told["FloodSE"])
        sent = [_mean([one.sent for one in told[name]], 2) for name in ("FloodSE", "GSE")]
        regrets = [_interval([one.regret for one in runs], 1) for runs in told.values()]
        rows.append([label, *regrets, f"{ratios[label]:.2f}", *sent])
    claims.table(
        f"Regret an agent after {s.HORIZON:,} rounds, {s.REPLICATES} replicates",
        ["setting", *COMPARED, "FloodSE / oracle", "MB, FloodSE", "MB, GSE"], rows, "flood.csv",
    )  # fmt: skip
    complete = max(x for label, x in ratios.items() if COMPLETE in label)
    claims.claim(
        f"complete graphs, at every p: at most {MOST_COMPLETE:g} times the oracle ({complete:.2f})",
        complete <= MOST_COMPLETE,
    )
    claims.claim(
        f"everywhere at most {MOST:g} times the oracle ({max(ratios.values()):.2f})", max(ratios.values()) <= MOST
    )
    claims.claim("below GSE everywhere", below)
    claims.claim(f"nobody drops a best arm, in {len(rows) * s.REPLICATES} runs ({wrong})", wrong == 0)
    return claims.all_hold


def flood_slow(out: Path, jobs: int, progress: bool) -> bool:
    """FloodSE, GSE and others on two cliques and two grids, where regions have different tastes."""
    claims = Claims("gse/flood_slow", out)
    games = {
        (world, name): [Game(world, name, 1, seed) for seed in range(n)] for world in SLOW for name, n in RUNS.items()
    }
    found = play_games([game for some in games.values() for game in some], out, jobs, progress)
    rows = []
    for (world, name), some in games.items():
        runs = [found[game][0] for game in some]
        rows.append([world, name, len(runs), *_told(runs)])
        if name == "FloodSE":
            share = min(one.share for one in runs)
            claims.claim(
                f"{world}: FloodSE's share of best-arm pulls above {LEAST_SHARE:g} in every run ({share:.5f})",
                share > LEAST_SHARE,
            )
            claims.claim(f"{world}: no agent of any run drops the best arm", not any(one.dropped for one in runs))
    claims.table(
        "Slow networks, regional tastes",
        [
            "world", "algorithm", "runs", "regret an agent", "of uniform play", "best arm", "runs that drop it",
            "last settled", "MB sent",
        ],
        rows, "flood_slow.csv",
    )  # fmt: skip
    return claims.all_hold


def _told(runs: Sequence[Found]) -> list[str]:
    """Regret, its share of that of uniform play, of best-arm pulls, runs that drop it, when settled, traffic."""
    lasts = [one.last for one in runs]
    return [
        _interval([one.regret for one in runs], 2),
        f"{100 * float(np.mean([one.regret for one in runs])) / runs[0].uniform:.2f} %",
        _mean([one.share for one in runs], 4),
        str(sum(one.dropped > 0 for one in runs)),
        f"{max(lasts):,}" if all(lasts) else "",
        _mean([one.sent for one in runs], 2),
    ]


def _mean(values: Sequence[float], digits: int) -> str:
    return f"{float(np.mean(values)):.{digits}f}"


def _interval(values: Sequence[float], digits: int) -> str:
    """Mean and half-width of the 95 % interval over replicates; of one replicate no interval."""
    mean, half = student_interval(np.array(values))
    if len(values) == 1:
        return f"{float(mean):.{digits}f}"
    return f"{float(mean):.{digits}f} ± {float(half):.{digits}f}"


def flood_hard(out: Path, jobs: int, progress: bool) -> bool:
    """FloodSE in 2,000 runs on a ring with rare links and two arms .02 apart: none drops the best arm."""
    claims = Claims("gse/flood_hard", out)
    games = [Game("hard", "FloodSE", 250, HARD_SEED + n) for n in range(HARD_CELLS)]
    runs = [one for some in play_games(games, out, jobs, progress).values() for one in some]
    wrong, settled = sum(one.dropped > 0 for one in runs), sum(one.settled == one.stay for one in runs)
    claims.table(
        "8 agents on a ring, p = 0.5, two arms .02 apart, T = 10,000, delta = 1/T",
        ["runs", "all settle", "drop the best arm", "regret an agent", "of uniform play"],
        [[f"{len(runs):,}", f"{settled:,}", wrong, *_told(runs)[:2]]], "flood_hard.csv",
    )  # fmt: skip
    claims.claim(f"{wrong} of {len(runs):,} runs drop the best arm at delta = 1/T", wrong == 0)
    return claims.all_hold


def flood_gone(out: Path, jobs: int, progress: bool) -> bool:
    """FloodSE where 4 of 40 agents leave after round 2, for good: with missing = 4 all others settle."""
    claims, told = Claims("gse/flood_gone", out), {}
    names = {0: "FloodSE", len(GONE): "FloodSE, missing 4"}
    found = play_games([Game("gone", name, s.REPLICATES) for name in names.values()], out, jobs, progress)
    for missing, name in names.items():
        runs = found[Game("gone", name, s.REPLICATES)]
        settled, stay = sum(one.settled for one in runs), sum(one.stay for one in runs)
        told[missing] = [missing, f"{settled} of {stay}", *_told(runs)[:5]]
    claims.table(
        f"4 of 40 agents leave after round 2, {s.REPLICATES} replicates",
        [
            "missing", "settled, of those that stay", "regret an agent", "of uniform play", "best arm",
            "runs that drop it", "last settled",
        ],
        list(told.values()), "flood_gone.csv",
    )  # fmt: skip
    runs = found[Game("gone", names[len(GONE)], s.REPLICATES)]
    good = all(one.settled == one.stay and one.dropped == 0 for one in runs)
    claims.claim("with 10 % of agents gone for good all others settle, on the best arm, in every run", good)
    return claims.all_hold


def gse_order(gaps: Sequence[float], graph: BaseGraph, p: float, horizon: int) -> float:
    """The order of GSE's bound with all constants 1: sum ln T / Delta + N^2 ln T / (p lambda) + K N^2 ln T / p."""
    n, k = graph.n_agents, len(gaps)
    learning = sum(log(horizon) / gap for gap in gaps if gap > 0.0)
    return learning + n**2 * log(horizon) / p * (1.0 / graph.algebraic_connectivity + k)


def flood_bounds(out: Path, jobs: int, progress: bool) -> bool:
    """The bound of FloodSE and the order of GSE's, on rings of growing length."""
    import matplotlib.pyplot as plt

    claims = Claims("gse/flood_bounds", out)
    horizon, gaps = 10_000, [0.0, 0.1, 0.2, 0.3, 0.4]
    sizes = np.array([4, 8, 16, 32, 64, 128, 256])
    ours, theirs = [], []
    for n in sizes:
        graph = as_base_graph(nx.cycle_graph(int(n)))
        flood_time = flood_rounds(int(n), graph.diameter, 0.9, horizon, 1 / horizon)
        ours.append(flood_se_bound(gaps, int(n), horizon, flood_time) / n)
        theirs.append(gse_order(gaps, graph, 0.9, horizon) / n)
    drawing, axes = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    axes.loglog(sizes, theirs, "o-", label="GSE, order of its bound (constants 1)")
    axes.loglog(sizes, ours, "s--", label="FloodSE, Theorem 2 (its constants)")
    axes.axhline(horizon * float(np.mean(gaps)), color="0.5", linestyle=":", label="uniform play")
    most = horizon * max(gaps)
    axes.axhspan(most, 1.5 * most, color="0.85", label="more than can be lost: a bound here says nothing")
    axes.set(xlabel="agents on a ring, p = 0.9", ylabel="bound on regret an agent", title="T = 10,000, 5 arms")
    axes.set(ylim=(100, 1.5 * most), xticks=sizes, xticklabels=[str(n) for n in sizes])
    axes.tick_params(axis="x", which="minor", bottom=False)
    axes.legend(loc="lower right")
    claims.picture("flood_bounds.png", drawing)
    plt.close(drawing)
    claims.table(
        "Bounds on regret an agent, rings, p = 0.9, T = 10,000, gaps .1 to .4",
        ["agents", *map(str, sizes)],
        [["GSE (order)", *(f"{x:.0f}" for x in theirs)], ["FloodSE", *(f"{x:.0f}" for x in ours)]],
        "flood_bounds.csv",
    )
    claims.claim(
        "on rings from 8 agents on FloodSE's bound is the lower one",
        all(ours[i] < theirs[i] for i in range(1, len(sizes))),
    )
    return claims.all_hold


PARTS: Mapping[str, Callable[[Path, int, bool], bool]] = {
    "flood_paper": flood_paper,
    "flood_slow": flood_slow,
    "flood_hard": flood_hard,
    "flood_gone": flood_gone,
    "flood_bounds": flood_bounds,
}
