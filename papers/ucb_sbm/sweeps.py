"""Figures 1c to 1f: what the number of agents, the number of clusters and the link probabilities do."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import linregress

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval

from . import settings as s

Means = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
World = Callable[[float], tuple[fm.Clustered, fm.StochasticBlockModel]]


def _sweep(claims: Claims, what: str, values: Sequence[float], world: World, jobs: int, progress: bool) -> Means:
    """Final regret of Rule 2 and Rule 1 (DrFed-UCB), both with the common C1, for each value."""
    found: dict[str, list[tuple[float, float]]] = {"Rule 2 (UCB-SBM)": [], "Rule 1 (DrFed-UCB)": []}
    for value in values:
        rewards, network = world(value)
        labels = [int(x) for x in rewards.labels]
        rules = (
            fm.UCBSBM(clusters=labels, c1=s.COMMON_C1, burn_in=s.BURN_IN),
            fm.UCBSBM(rule=1, c1=s.COMMON_C1, burn_in=s.BURN_IN),
        )
        for name, algorithm in zip(found, rules, strict=True):
            result = fm.simulate(
                algorithm, rewards, network, horizon=s.HORIZON, replicates=s.REPLICATES, seed=s.SEED,
                jobs=jobs, progress=progress,
            )  # fmt: skip
            mean, half = student_interval(result.regret[:, -1])
            found[name].append((float(mean), float(half)))
    rows = [[name, *(f"{mean:.0f} ± {half:.0f}" for mean, half in pairs)] for name, pairs in found.items()]
    name = claims.name.rpartition("/")[2]
    claims.table(
        f"Final regret, summed over agents, C1 = {s.COMMON_C1:g}",
        ["", *(f"{v:g}" for v in values)],
        rows,
        f"{name}.csv",
    )
    curves = {k: (np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])) for k, pairs in found.items()}
    claims.picture(f"{name}.png", plot_setting(what, values, curves))
    return curves


def fig1c(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1c: total regret against the number of agents at 4 clusters; slopes of Rule 1 and Rule 2."""
    claims, sizes = Claims("ucb_sbm/fig1c", out), (8, 12, 20, 32, 48)
    curves = _sweep(
        claims,
        "number of agents M, 4 clusters",
        sizes,
        lambda m: (s.rewards(int(m)), s.network(int(m))),
        jobs,
        progress,
    )
    slopes = {name: linregress(np.log(sizes), np.log(means)).slope for name, (means, _) in curves.items()}
    claims.say("log-log slopes in M: " + ", ".join(f"{name} {slope:.2f}" for name, slope in slopes.items()))
    claims.claim(
        "Rule 2's regret grows more slowly with M than Rule 1's",
        slopes["Rule 2 (UCB-SBM)"] < slopes["Rule 1 (DrFed-UCB)"] - 0.2,
    )
    return claims.all_hold


def fig1d(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1d: regret against the number of clusters at 20 agents; at C = M both rules are the same."""
    claims, counts = Claims("ucb_sbm/fig1d", out), (2, 4, 5, 10, 20)
    curves = _sweep(
        claims,
        "number of clusters C, 20 agents",
        counts,
        lambda c: (s.rewards(n_clusters=int(c)), s.network(n_clusters=int(c))),
        jobs,
        progress,
    )
    two, one = (means for means, _ in curves.values())
    claims.claim("at C = M Rule 2 equals Rule 1", bool(two[-1] == one[-1]))
    claims.claim("below, Rule 2's regret is lower", bool((two[:-1] < one[:-1]).all()))
    claims.say(
        "Every C is an instance of its own (more clusters average to flatter global means), so only pairs compare."
    )
    return claims.all_hold


def fig1e(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1e: regret against the link probability within clusters."""
    claims, chances = Claims("ucb_sbm/fig1e", out), (0.2, 0.4, 0.6, 0.8, 1.0)
    _sweep(
        claims,
        "link probability within clusters",
        chances,
        lambda p: (s.rewards(), s.network(within=p)),
        jobs,
        progress,
    )
    claims.say("Nothing is printed for this figure but its shape (rises, then falls); found as the table shows.")
    return claims.all_hold


def fig1f(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1f: regret against the link probability across clusters."""
    claims, chances = Claims("ucb_sbm/fig1f", out), (0.02, 0.1, 0.2, 0.4, 0.7, 1.0)
    _sweep(
        claims,
        "link probability across clusters",
        chances,
        lambda q: (s.rewards(), s.network(across=q)),
        jobs,
        progress,
    )
    claims.say("Nothing is printed for this figure but its shape (rises, then falls); found as the table shows.")
    return claims.all_hold
