"""What a command costs that has little to do: processor time of whole processes, with bytecode on the disk.

The same file is run with another seed each time, so that games are played and figures drawn; then once more, when
there is nothing left to do; and the report of a grid of sixty cells is built anew.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.measure import table

HERE = Path(__file__).resolve().parent.parent
LIST, AGAIN, CHANGED, GRID = (
    "`folkmoot list`", "a tiny file, played again", "a tiny file that has changed", "the report of a grid of 60 cells",
)  # fmt: skip
AT_MOST = {LIST: 0.5, AGAIN: 0.75, CHANGED: 1.0, GRID: 2.5}  # seconds
_TINY = """
name = "tiny"
horizon = 200
replicates = 2
seed = {seed}
rewards = {{ type = "bernoulli", means = {{ law = "uniform", n_agents = 4, n_arms = 3, seed = 1 }} }}
network = {{ type = "erdos_renyi", base = "cycle", link_probability = 0.9 }}
algorithm = [{{ type = "ucb" }}]
"""
_GRID = """
name = "grid"
horizon = {horizon}
replicates = 3
rewards = {{ type = "bernoulli", means = {{ law = "uniform", n_agents = 6, n_arms = 4, seed = 1 }} }}
network = {{ type = "erdos_renyi", base = "complete", link_probability = {{ grid = {values} }} }}
algorithm = [{{ type = "ucb" }}, {{ type = "dist_ucb" }}]
"""


def command(folder: Path, *arguments: str) -> float:
    """Seconds of processor time of `folkmoot ARGUMENTS` in this folder, as a process of its own.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    paths = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = [sys.executable, "-m", "folkmoot", *arguments]
    subprocess.run(program, cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _changed(folder: Path, seeds: list[int]) -> float:
    seeds.append(len(seeds))
    (folder / "tiny.toml").write_text(_TINY.format(seed=seeds[-1]), encoding="utf-8")
    return command(folder, "run", "tiny.toml")


def part(quick: bool) -> tuple[str, dict[str, float]]:
    """All of it in turn, nine times: a table, and the medians in seconds."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        values = [0.3, 0.9] if quick else [round(0.03 * n, 2) for n in range(1, 31)]
        (folder / "grid.toml").write_text(_GRID.format(horizon=20 if quick else 2_000, values=values), encoding="utf-8")
        command(folder, "run", "grid.toml")
        cases: dict[str, Callable[[], float]] = {
            LIST: partial(command, folder, "list"),
            CHANGED: partial(_changed, folder, []),
            AGAIN: partial(command, folder, "run", "tiny.toml"),  # after the one before it: nothing has changed
            GRID: partial(command, folder, "report", "results/grid"),
        }
        times: dict[str, list[float]] = {case: [] for case in cases}
        for turn in range(1 if quick else 10):
            for case, play in cases.items():
                took = play()
                times[case] += [took] if turn or quick else []  # the first turn writes bytecode
    found = {case: median(some) for case, some in times.items()}
    rows = [[case, f"{found[case]:.2f}", f"{min(some):.2f}", f"{max(some):.2f}"] for case, some in times.items()]
    return table(["command", "s of processor time", "least", "most"], rows), found
