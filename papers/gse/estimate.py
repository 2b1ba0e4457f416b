"""Theorem C.2: agents that are not told the link probability estimate it in a burn-in."""

from math import log
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import Result, student_interval

from . import settings as s

CHANCES = (0.1, 0.3, 0.9)
REPLICATES, RUNS = 10, 100
MEANS = (0.9, 0.7, 0.5, 0.3, 0.1)  # of every agent


class BurnIn(NamedTuple):
    """What the stopping rule of `folkmoot.algorithms.gse` leaves behind."""

    used: NDArray[np.float64]  # [runs, n_agents], the p that goes into the radius; 0: none within T
    end: NDArray[np.int64]  # [runs, n_agents], the last round of the burn-in; T + 1: none


def graphs() -> "dict[str, nx.Graph[int]]":
    return {
        "complete, N = 16": nx.complete_graph(16),
        "grid 4 x 4, N = 16": s.grid(),
        "Petersen, N = 10": nx.petersen_graph(),
        "ring, N = 16": nx.cycle_graph(16),
    }


def last_round(n: int, degree: int, p: float) -> float:
    """Appendix C, with our stopping rule: 8 ln(4 N T^2 / delta) / (degree p^2), delta = 1/T."""
    return 8.0 * log(4.0 * n * s.HORIZON**3) / (degree * p**2)


def burn_in(graph: "nx.Graph[int]", p: float, runs: int, horizon: int = s.HORIZON) -> BurnIn:
    """The burn-in alone, which no reward enters: links drawn, and the rule applied to the links of each agent."""
    n, dice = len(graph), np.random.default_rng(s.SEED)
    ends = np.array([[float(i in edge) for i in range(n)] for edge in graph.edges])  # [edges, agents]
    degree, rounds = ends.sum(axis=0), np.arange(1, horizon + 1)
    trials = degree * rounds[:, None]
    doubt = np.sqrt(log(4.0 * n * float(horizon) ** 2 * horizon) / (2.0 * trials))
    used, end = np.zeros((runs, n)), np.full((runs, n), horizon + 1)
    for run in range(runs):
        met = np.cumsum((dice.random((horizon, len(ends))) < p) @ ends, axis=0)
        share = met / trials
        sure = 3.0 * doubt <= share
        first = sure.argmax(axis=0)
        done = sure[first, np.arange(n)]
        used[run] = np.where(done, (share - doubt)[first, np.arange(n)], 0.0)
        end[run] = np.where(done, rounds[first], horizon + 1)
    return BurnIn(used, end)


def estimate(out: Path, jobs: int, progress: bool) -> bool:
    """Theorem C.2: every agent's estimate is in [p / 2, p], and the burn-in ends by the round that it gives."""
    claims = Claims("gse/estimate", out)
    rows, added = [], {}
    inside, in_time, learners, beyond = True, True, 0, 0
    for name, graph in graphs().items():
        n, degrees = len(graph), np.array([degree for _, degree in graph.degree()])
        cost = []
        for p in CHANCES:
            used, end = burn_in(graph, p, RUNS)
            done = used > 0.0
            inside &= bool(((used[done] >= p / 2) & (used[done] <= p)).all())
            learners += int(done.sum())
            most = np.array([last_round(n, int(degree), p) for degree in degrees])
            in_time &= bool((end <= np.ceil(most))[:, most < s.HORIZON].all())
            beyond += int((most >= s.HORIZON).sum())
            told, found = (_play(graph, link, p, jobs, progress) for link in (None, "estimate"))
            cost.append(student_interval(found.regret_per_agent[:, -1] - told.regret_per_agent[:, -1]))
            rows.append(
                [name, f"{p:g}", f"{used[done].min():.3f} to {used[done].max():.3f}" if done.any() else "none",
                 f"{done.mean():.0%}", f"{np.median(end[done]):,.0f}" if done.any() else "", f"{most.max():,.0f}",
                 *map(_interval, (told, found))]
            )  # fmt: skip
        added[name] = ([float(m) for m, _ in cost], [float(h) for _, h in cost])
    claims.table(
        f"{RUNS} burn-ins; {REPLICATES} games, equal means {MEANS}, T = {s.HORIZON:,}, delta = 1/T; regret an agent",
        ["base graph", "p", "estimates", "agents that have one", "burn-in, median", "at most", "regret, told p",
         "regret, estimated"], rows, "estimate.csv",
    )  # fmt: skip
    claims.claim(f"all {learners:,} estimates lie in [p / 2, p]", inside)
    claims.claim("where 8 ln(4 N T^2 / delta) / (degree p^2) is below T, every burn-in ends by that round", in_time)
    claims.say(f"It is above T for {beyond} agents (p = 0.1, degree 2): these may play uniformly to the end.")
    claims.picture(
        "estimate.png",
        plot_setting(
            "link probability p, estimated by each agent",
            CHANCES,
            added,
            regret="regret an agent\nthat estimating adds",
        ),
    )
    return claims.all_hold


def _play(graph: "nx.Graph[int]", link: object, p: float, jobs: int, progress: bool) -> Result:
    return fm.simulate(
        fm.GSE(link_probability=link), fm.Bernoulli(MEANS, n_agents=len(graph)),  # type: ignore[arg-type]
        fm.ErdosRenyi(graph, p), horizon=s.HORIZON, replicates=REPLICATES, checkpoints=[s.HORIZON], jobs=jobs,
        progress=progress,
    )  # fmt: skip


def _interval(result: Result) -> str:
    mean, half = student_interval(result.regret_per_agent[:, -1])
    return f"{float(mean):.0f} ± {float(half):.0f}"
