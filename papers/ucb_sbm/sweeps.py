"""Figures 1c to 1f: what the number of agents, the number of clusters and the link probabilities do."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import linregress

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import Result, student_interval

from . import settings as s

Algorithms = dict[str, fm.Algorithm]
Cell = tuple[fm.Clustered, fm.StochasticBlockModel, Algorithms]
Runs = dict[str, list[Result]]  # by algorithm, one a value


def play(
    claims: Claims, what: str, values: Sequence[float], cell: Callable[[float], Cell], jobs: int, progress: bool
) -> Runs:
    """Every algorithm at each value: table, picture and results, with the regret of the phases of a run."""
    found: Runs = {}
    for value in values:
        rewards, network, algorithms = cell(value)
        for name, algorithm in algorithms.items():
            result = fm.simulate(
                algorithm, rewards, network, horizon=s.HORIZON, replicates=s.SWEEP_REPLICATES, seed=s.SEED,
                checkpoints=[s.BURN_IN, s.HORIZON // 2, s.HORIZON], jobs=jobs, progress=progress,
            )  # fmt: skip
            found.setdefault(name, []).append(result)
    intervals = {name: [student_interval(one.regret[:, -1]) for one in results] for name, results in found.items()}
    rows = [
        [name, *(f"{float(mean):.0f} ± {float(half):.0f}" for mean, half in pairs)] for name, pairs in intervals.items()
    ]
    name = claims.name.rpartition("/")[2]
    claims.table(
        f"Final regret, summed over agents, C1 = {s.COMMON_C1:g}, {s.SWEEP_REPLICATES} replicates",
        ["", *(f"{v:g}" for v in values)],
        rows,
        f"{name}.csv",
    )
    curves = {
        one: ([float(mean) for mean, _ in pairs], [float(half) for _, half in pairs])
        for one, pairs in intervals.items()
    }
    claims.picture(f"{name}.png", plot_setting(what, values, curves))
    return found


def final(results: Sequence[Result]) -> NDArray[np.float64]:
    """float64 [values]: mean final regret."""
    return np.array([float(one.regret[:, -1].mean()) for one in results])


def lowest_everywhere(claims: Claims, found: Runs) -> None:
    """The claim that the paper makes of every setting."""
    others = [final(results) for name, results in found.items() if not name.startswith("UCB-SBM")]
    lowest = bool((final(found["UCB-SBM"]) <= np.min(others, axis=0)).all())
    claims.claim("UCB-SBM is the lowest of the five at every value", lowest)


def fig1c(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1c: total regret against the number of agents at 4 clusters; slopes, and in which rounds it grows."""
    claims, sizes = Claims("ucb_sbm/fig1c", out), (8, 12, 20, 32, 48)
    found = play(
        claims,
        "number of agents M, 4 clusters",
        sizes,
        lambda m: (s.rewards(int(m)), s.network(int(m)), s.five(s.labels(int(m)))),
        jobs,
        progress,
    )
    slopes = {name: linregress(np.log(sizes), np.log(final(results))).slope for name, results in found.items()}
    claims.say("log-log slopes in M: " + ", ".join(f"{name} {slope:.2f}" for name, slope in slopes.items()))
    parts = np.array([np.diff(one.regret.mean(axis=0), prepend=0.0) for one in found["UCB-SBM"]])
    whole, half = f"{s.HORIZON // 2 + 1:,} to {s.HORIZON:,}", f"{s.BURN_IN + 1} to {s.HORIZON // 2:,}"
    rows = [
        [f"rounds {name}", *(f"{x:.0f} ({x / m:.1f})" for x, m in zip(column, sizes, strict=True))]
        for name, column in zip((f"1 to {s.BURN_IN}, burn-in", half, whole), parts.T, strict=True)
    ]
    claims.table("UCB-SBM's regret by rounds: all agents (an agent)", ["", *map(str, sizes)], rows, "fig1c-rounds.csv")
    late = linregress(np.log(sizes), np.log(parts[:, 2])).slope
    claims.say(f"log-log slope in M of the last half: {late:.2f}")
    lowest_everywhere(claims, found)
    claims.claim(
        "UCB-SBM's regret grows more slowly with M than DrFed-UCB's", slopes["UCB-SBM"] < slopes["DrFed-UCB"] - 0.2
    )
    return claims.all_hold


def fig1d(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1d: regret against the number of clusters at 20 agents; at C = M both rules are the same."""
    claims, counts = Claims("ucb_sbm/fig1d", out), (2, 4, 5, 10, 20)
    found = play(
        claims,
        "number of clusters C, 20 agents",
        counts,
        lambda c: (s.rewards(n_clusters=int(c)), s.network(n_clusters=int(c)), s.five(s.labels(n_clusters=int(c)))),
        jobs,
        progress,
    )
    two, one = final(found["UCB-SBM"]), final(found["DrFed-UCB"])
    claims.claim("at C = M Rule 2 equals Rule 1", bool(two[-1] == one[-1]))
    claims.claim("below, Rule 2's regret is lower", bool((two[:-1] < one[:-1]).all()))
    lowest_everywhere(claims, found)
    claims.say(
        "Every C is an instance of its own (more clusters average to flatter global means), so only columns compare; "
        "table1 varies C alone."
    )
    return claims.all_hold


def _links(
    out: Path, figure: str, what: str, values: Sequence[float], cell: Callable[[float], Cell], jobs: int, progress: bool
) -> bool:
    claims = Claims(f"ucb_sbm/{figure}", out)
    found = play(claims, what, values, cell, jobs, progress)
    ours = final(found["UCB-SBM"])
    claims.claim(
        f"regret is at most {s.FLAT:g} times that at probability 1, at every value", ours.max() <= s.FLAT * ours[-1]
    )
    lowest_everywhere(claims, found)
    inner = [student_interval(one.regret[:, -1]) for one in found["UCB-SBM"]]
    ends = max(float(inner[0][0] + inner[0][1]), float(inner[-1][0] + inner[-1][1]))
    peak = any(float(mean - half) > ends for mean, half in inner[1:-1])
    claims.say(
        f"the paper's shape, rises then falls (an inner interval above both ends'): {'' if peak else 'not '}found"
    )
    if "UCB-SBM, periods of 3" in found:
        three = final(found["UCB-SBM, periods of 3"])
        claims.claim("the same with periods of 3 rounds, the most that is allowed", three.max() <= s.FLAT * ours[-1])
        published = final(found["UCB-SBM, gate as published"])
        rare = np.array(values) <= 0.02
        claims.claim(
            "with the gate as published, on the cluster's counts, it is above twice that where mates meet rarely",
            bool((published[rare] > 2 * ours[rare]).all()),
        )
    return claims.all_hold


def fig1e(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1e: regret against the link probability within clusters, down to 0.005."""

    def cell(p: float) -> Cell:
        more = {
            f"UCB-SBM, {name}": fm.UCBSBM(clusters=s.labels(), c1=s.COMMON_C1, burn_in=s.BURN_IN, **settings)
            for name, settings in (("periods of 3", {"refresh": 3}), ("gate as published", {"gate": "cluster"}))
        }
        return s.rewards(), s.network(within=p), {**s.five(s.labels()), **more}

    chances = (0.005, 0.01, 0.02, 0.05, 0.2, 0.4, 0.6, 0.8, 1.0)
    return _links(out, "fig1e", "link probability within clusters", chances, cell, jobs, progress)


def fig1f(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1f: regret against the link probability across clusters."""
    chances = (0.005, 0.02, 0.1, 0.2, 0.4, 0.7, 1.0)
    return _links(
        out,
        "fig1f",
        "link probability across clusters",
        chances,
        lambda q: (s.rewards(), s.network(across=q), s.five(s.labels())),
        jobs,
        progress,
    )
