"""How cost grows with agents, arms and horizon. Each size in a process of its own, for its peak memory.

`python -m benchmarks.growth SIDE HORIZON REPETITIONS` prints one line of JSON for the square grid of that side.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import worlds
from benchmarks.measure import Contender, interleave, table
from folkmoot.simulation.replicates import run_batch

# Side of the grid and rounds: ten million agent-steps each, forty for the largest, whose memory is touched first
SIDES = ((32, 10_000), (100, 1_000), (316, 100), (1_000, 40))
QUICK_SIDES = ((4, 20), (6, 20))


def peak_bytes() -> int:
    """The most memory this process ever held, code and compiler included.

    Linux carries ru_maxrss over from the parent process, so there the kernel's own record is read.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@dataclass(frozen=True)
class Size:
    """What one process measured."""

    n_agents: int
    horizon: int
    nanoseconds: float  # per agent-step
    peak_bytes: int  # of the whole process


def measure_here(side: int, horizon: int, repetitions: int) -> Size:
    """Play on this grid in this process, after a small game for the compiler."""
    run_batch(worlds.grid_gse(4, 10), [0])
    job = worlds.grid_gse(side, horizon)
    steps = worlds.agent_steps(job, 1)
    (row,) = interleave([("grid", partial(run_batch, job, [0]), steps)], repetitions)
    return Size(side * side, horizon, row.median, peak_bytes())


def measure(side: int, horizon: int, repetitions: int) -> Size:
    """The same in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.growth", str(side), str(horizon), str(repetitions)]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    return Size(**json.loads(done.stdout))


def agents(sizes: Sequence[tuple[int, int]], repetitions: int) -> tuple[str, list[Size]]:
    """Growth with the number of agents: a table and its numbers. The sizes take turns as everywhere here."""
    measure(4, 10, 1)  # the compiled code is on disk from here on: no later process holds the compiler's memory
    turns = [[measure(side, horizon, 1) for side, horizon in sizes] for _ in range(repetitions)]
    found = [
        Size(
            column[0].n_agents,
            column[0].horizon,
            median(size.nanoseconds for size in column),
            max(size.peak_bytes for size in column),
        )
        for column in zip(*turns, strict=True)
    ]
    rows = [
        [f"{s.n_agents:,}", f"{s.horizon:,}", f"{s.nanoseconds:.0f}", f"{s.peak_bytes / 2**20:,.0f} MiB"] for s in found
    ]
    return table(["agents", "rounds", "ns per agent-step", "peak memory"], rows), found


def arms_and_horizon(quick: bool, repetitions: int) -> tuple[str, str]:
    """Growth with the number of arms and with the horizon, for the lone UCB and for GSE: two tables."""
    horizon = 200 if quick else 10_000
    arms = (2, 5) if quick else (2, 5, 10, 20, 50, 100)
    horizons = (100, 200) if quick else (1_000, 10_000, 100_000)
    return (
        _pairs("arms", [(k, k, horizon) for k in arms], repetitions),
        _pairs("rounds", [(t, 5, t) for t in horizons], repetitions),
    )


def _pairs(what: str, cases: Sequence[tuple[int, int, int]], repetitions: int) -> str:
    """A table with a row for each (value, arms, horizon)."""
    contenders: list[Contender] = []
    for value, n_arms, horizon in cases:
        for name, job in (("UCB", worlds.lone_ucb(n_arms, horizon)), ("GSE", worlds.team_gse(16, n_arms, horizon))):
            replicates = max(1, 1_000_000 // (horizon * job.rewards.n_agents)) if horizon > 1_000 else 10
            run_batch(job, [0])
            run = partial(run_batch, job, range(replicates))
            contenders.append((f"{name} {value}", run, worlds.agent_steps(job, replicates)))
    cost = {row.name: row.median for row in interleave(contenders, repetitions)}
    rows = [[f"{v:,}", f"{cost[f'UCB {v}']:.0f}", f"{cost[f'GSE {v}']:.0f}"] for v, _, _ in cases]
    return table([what, "UCB, 1 agent, ns per agent-step", "GSE, 16 agents, ns per agent-step"], rows)


if __name__ == "__main__":
    print(json.dumps(measure_here(*map(int, sys.argv[1:])).__dict__))
