"""One thread and two: replicates side by side, and agents of a round shared. Time on the wall, so on a quiet machine.

`python -m benchmarks --only threads`: the two take turns. On a busy machine the ratio of processor times still tells
what threads cost; times on the wall do not.
"""

from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter, process_time

import numpy as np

from benchmarks import worlds
from benchmarks.measure import table
from folkmoot.algorithms.ucb import UCB
from folkmoot.algorithms.ucb_sbm import UCBSBM
from folkmoot.simulation.replicates import Job, run_batch
from folkmoot.simulation.runner import run_one
from folkmoot.simulation.simulate import make_job
from folkmoot.world.block_model import StochasticBlockModel
from folkmoot.world.graphs import complete
from folkmoot.world.networks import Static
from folkmoot.world.rewards import Bernoulli

GRID = "GSE, grid of 99,856"  # the case that is judged
Case = tuple[Job, int, Callable[[int], object]]  # rounds are counted over so many replicates


def few(n_agents: int, horizon: int) -> Job:
    """A round that has next to no work: what is left is waiting for each other."""
    return make_job(UCB(), Bernoulli([0.1, 0.9], n_agents=n_agents), Static(complete(n_agents)), horizon=horizon)


def clusters(n_agents: int, horizon: int) -> Job:
    """Clusters of a hundred that seldom meet others."""
    network = StochasticBlockModel(np.arange(n_agents) // 100, 0.5, 2.0 / n_agents)
    return make_job(UCBSBM(), Bernoulli(np.linspace(0.1, 0.9, 5), n_agents=n_agents), network, horizon=horizon)


def _replicates(job: Job, count: int, threads: int) -> None:
    for _ in run_one(job, range(count), threads):
        pass


def cases(quick: bool) -> dict[str, Case]:
    """Name, game, replicates, how to play it with so many threads."""
    if quick:
        jobs = {"GSE, grid of 16": worlds.grid_gse(4, 20)}
        return {name: (job, 1, partial(run_batch, job, [0])) for name, job in jobs.items()}
    team, lone = worlds.team_gse(), worlds.lone_ucb(horizon=20_000)
    shared = {
        "UCB, 2 agents": few(2, 2_000),
        "GSE, grid of 1,024": worlds.grid_gse(32, 1_000),
        "GSE, grid of 4,900": worlds.grid_gse(70, 200),
        "GSE, grid of 10,000": worlds.grid_gse(100, 100),
        "GSE, grid of 19,881": worlds.grid_gse(141, 50),
        GRID: worlds.grid_gse(316, 30),
        "GSE, grid of 1,000,000": worlds.grid_gse(1_000, 10),
        "UCB-SBM, 20,000 agents in clusters of 100": clusters(20_000, 10),
    }
    return {
        "16 replicates of GSE, 16 agents": (team, 16, partial(_replicates, team, 16)),
        "64 replicates of UCB, 1 agent": (lone, 64, partial(_replicates, lone, 64)),
        **{name: (job, 1, partial(run_batch, job, [0])) for name, job in shared.items()},
    }


def part(quick: bool, turns: int) -> tuple[str, dict[str, tuple[float, float]]]:
    """A table; times as fast, and processor time of two threads over that of one, by case."""
    rows, found = [], {}
    for name, (job, replicates, play) in cases(quick).items():
        wall: list[list[float]] = [[], []]
        work: list[list[float]] = [[], []]
        for turn in range(turns + 1):
            for x in (0, 1):
                began, worked = perf_counter(), process_time()
                play(x + 1)
                if turn:  # the first one compiles
                    wall[x].append((perf_counter() - began) / replicates / job.horizon * 1e3)
                    work[x].append(process_time() - worked)
        gain, cost = (median(a / b for a, b in zip(*pair, strict=True)) for pair in (wall, work[::-1]))
        found[name] = gain, cost
        rows.append([name, *(f"{median(times):.3f}" for times in wall), f"{gain:.2f}", f"{cost:.2f}"])
    head = ["", "1 thread, ms a round", "2 threads", "times as fast", "times the processor time"]
    return table(head, rows), found
