"""`python -m benchmarks --peers`: the same games by other people's libraries, each in an environment of its own.

UCB: one agent, ten arms with means from 0.1 to 0.9, rewards drawn beforehand. GSE: sixteen agents, five arms, a
complete graph whose links are up with probability 0.9. `--gse FOLDER` is a checkout of the code that GSE's authors
published (`haoqiu95/multi-agent-bandit`), which is not on the package index; without it GSE stands alone. It needs
PyTorch where the benchmarks run. Environments are made below `.venv-peers` and kept. Each player prints the processor
time of its rounds, without imports and without drawing rewards. Times are of a single thread.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time

from benchmarks import worlds
from benchmarks.measure import table
from folkmoot.simulation.replicates import Job, run_batch

HERE = Path(__file__).resolve().parent
PLACES = HERE.parents[1] / ".venv-peers"
LIBRARIES = {"river": "river==0.26.1", "mabwiser": "mabwiser==2.7.4", "SMPyBandits": "smpybandits==0.9.7"}
TURNS = 3
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def environment(library: str) -> Path:
    """The Python of a library's own environment, which is made if need be.

    Raises:
        subprocess.CalledProcessError: it cannot be made, for instance because the package does not install here.
    """
    folder = PLACES / library
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", LIBRARIES[library]]
        subprocess.run(install, check=True)
        (folder / "made").touch()
    return python


def timed(python: str | Path, *arguments: str) -> float:
    """Nanoseconds per agent-step, as the player prints them.

    Raises:
        subprocess.CalledProcessError: the player failed.
    """
    command = [str(python), *arguments]
    env = {**os.environ, **_ONE_THREAD}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env)
    told = json.loads(done.stdout.splitlines()[-1])
    return float(told["seconds"]) / int(told["steps"]) * 1e9


def ours(job: Job, replicates: int) -> Callable[[], float]:
    """Our loop on this game."""
    run_batch(job, [0])

    def play() -> float:
        begun = process_time()
        run_batch(job, range(replicates))
        return (process_time() - begun) / worlds.agent_steps(job, replicates) * 1e9

    return play


def compared(title: str, players: Sequence[tuple[str, Callable[[], float]]], turns: int) -> str:
    """All players in turn: medians, and the medians of their ratios to the first, within a turn."""
    times: dict[str, list[float]] = {name: [] for name, _ in players}
    for _ in range(turns):
        for name, play in players:
            times[name].append(play())
    first = next(iter(times.values()))
    rows = [
        [name, f"{median(own):,.0f}", f"{median(a / b for a, b in zip(own, first, strict=True)):,.0f}"]
        for name, own in times.items()
    ]
    return f"### {title}\n\n{table(['', 'ns per agent-step', 'times our cost'], rows)}\n"


def part(gse: Path | None, quick: bool) -> list[str]:
    """Both comparisons as texts; a library that cannot be installed or played is left out, as standard error says."""
    rounds, turns = ("200" if quick else "5000"), (1 if quick else TURNS)
    players: list[tuple[str, Callable[[], float]]] = [("folkmoot", ours(worlds.lone_ucb(horizon=10_000), 20))]
    for library in LIBRARIES:
        try:
            python, script = environment(library), str(HERE / "play_ucb.py")
            timed(python, script, library, "50")
        except subprocess.CalledProcessError as error:
            print(f"{LIBRARIES[library]}: left out ({error})", file=sys.stderr)
            continue
        players.append((LIBRARIES[library], partial(timed, python, script, library, rounds)))
    texts = [compared("UCB, 1 agent, 10 arms", players, turns)]
    teams: list[tuple[str, Callable[[], float]]] = [("folkmoot", ours(worlds.team_gse(horizon=10_000), 20))]
    if gse is not None:
        script = str(HERE / "play_gse.py")
        teams.append(("the code of GSE's authors", partial(timed, sys.executable, script, str(gse), rounds)))
    texts.append(compared("GSE, 16 agents, 5 arms, complete graph, p = 0.9", teams, turns))
    return texts
