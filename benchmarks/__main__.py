"""`python -m benchmarks`: the compiled loop against its rivals, and the growth of its cost.

--quick        small sizes, one repetition: does everything run, do the twins agree?
--save FILE    also write the text to this file.
--blocks N     of the ledger that is verified.
--peers        also other people's libraries, each in an environment of its own; --gse FOLDER: see benchmarks/peers.
--nodes        also nodes as processes, which want a quiet machine.
--only PART    primitives, ucb, gse, growth, threads, chain, learning, start, peers or nodes.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks import chain, growth, in_threads, primitives, rivals, startup, worlds
from benchmarks.measure import Contender, Row, interleave, table
from benchmarks.twins import FLAGS, Counts, Twins, compiler
from folkmoot.files import write_file
from folkmoot.simulation.replicates import Job, run_batch
from folkmoot.simulation.rows import Finished
from folkmoot.simulation.simulate import make_job

PARTS = ("primitives", "ucb", "gse", "growth", "threads", "chain", "learning", "start", "peers", "nodes")
OURS, TWIN = "compiled loop", "C twin"
INTERPRETED, PLAIN, NUMPY = "the loop interpreted", "plain Python by hand", "NumPy over replicates"
TWIN_ALLOWANCE = {"ucb": 1.35, "gse": 0.9}  # at most so many times the C twin's cost
PYTHON_GAIN = {INTERPRETED: 300.0, PLAIN: 30.0}  # UCB: at least so many times quicker
GSE_STEPS = 6e6  # agent-steps a second, at least
GRID_ALLOWANCE = 1.5  # 10^6 agents: at most so many times the cost of 10^4, a step of an agent
GRID_MEMORY = 838 * 2**20  # bytes
LEARNING_GAIN = {"10 parties": 0.7, "50 parties": 1.5}  # at least so many times quicker than plain PyTorch, per sample
THREADS_ALLOWANCE = 1.1  # two threads that share agents: at most so many times the processor time of one
VERIFY_ALLOWANCE = (1.4, 2.5)  # ledgers of notes and of a game: at most so many times bare checks of their signatures


def check_twin(job: Job, replicates: int, twin: Callable[[Job, int], tuple[np.ndarray, np.ndarray]]) -> None:
    """The C twin must pull the very same arms.

    Raises:
        AssertionError: it does not.
    """
    ours: list[Finished] = run_batch(job, range(replicates))
    pulls, team_pulls = twin(job, replicates)
    for r, outcome in enumerate(ours):
        assert (outcome.pulls == pulls[r]).all(), f"replicate {r}: other pulls than the C twin"
        assert (outcome.team_pulls == team_pulls[r]).all(), f"replicate {r}: other checkpoints than the C twin"


def contest(
    job: Job,
    replicates: int,
    short: Job,
    rivals_of: Mapping[str, Callable[[], object]],
    twin: tuple[Callable[[Job, int], Counts], Callable[[Job, int], Counts]] | None,
    repetitions: int,
) -> list[Row]:
    """Our loop, the C twin (as timed, as compared) and others; `short` is the game the interpreted ones play once."""
    run_batch(job, [0])
    contenders: list[Contender] = [
        (OURS, lambda: run_batch(job, range(replicates)), worlds.agent_steps(job, replicates))
    ]
    if twin is not None:
        timed, exact = twin
        check_twin(job, min(replicates, 20), exact)
        contenders.append((TWIN, lambda: timed(job, replicates), worlds.agent_steps(job, replicates)))
    slow = make_job(short.algorithm, short.rewards, short.network, horizon=short.horizon, engine="interpreted")
    contenders.append((INTERPRETED, lambda: run_batch(slow, [0]), worlds.agent_steps(short, 1)))
    contenders += [
        (name, function, worlds.agent_steps(short, 1) if name == PLAIN else worlds.agent_steps(job, replicates))
        for name, function in rivals_of.items()
    ]
    return interleave(contenders, repetitions)


def report(title: str, rows: list[Row], replicates: int) -> str:
    """A heading and a table of costs and ratios."""
    ours = rows[0]
    lines = [[row.name, f"{row.median:,.0f}", f"{1e3 / row.median:,.2f}", f"{row.ratio(ours):,.2f}"] for row in rows]
    head = ["", "ns per agent-step", "million agent-steps/s", "times our cost"]
    return f"### {title}, {replicates:,} replicates\n\n{table(head, lines)}\n"


def verdict(what: str, value: float, bound: float, at_most: bool, form: str = "{:.2f}") -> str:
    """One line: a requirement, what was measured, whether it holds."""
    holds = value <= bound if at_most else value >= bound
    relation = "at most" if at_most else "at least"
    return f"- {'met' if holds else 'MISSED'}: {what}: {form.format(value)} ({relation} {form.format(bound)})"


def ucb_part(twins: tuple[Twins, Twins] | None, quick: bool, repetitions: int) -> tuple[list[str], list[str]]:
    """The lone UCB, few replicates and many."""
    texts, verdicts = [], []
    job = worlds.lone_ucb(horizon=200 if quick else 10_000)
    for replicates in (2, 4) if quick else (20, 2_000):
        others: dict[str, Callable[[], object]] = {
            PLAIN: partial(rivals.python_ucb, job, 1),
            NUMPY: partial(rivals.numpy_ucb, job, replicates),
        }
        rows = contest(job, replicates, job, others, (twins[0].ucb, twins[1].ucb) if twins else None, repetitions)
        by_name = {row.name: row for row in rows}
        texts.append(report(f"UCB, 1 agent, 10 arms, {job.horizon:,} rounds", rows, replicates))
        for name in (INTERPRETED, PLAIN):
            gain = by_name[name].ratio(rows[0])
            verdicts.append(verdict(f"UCB, R = {replicates:,}, gain over {name}", gain, PYTHON_GAIN[name], False))
        if TWIN in by_name:
            cost = rows[0].ratio(by_name[TWIN])
            verdicts.append(
                verdict(f"UCB, R = {replicates:,}, cost over the C twin", cost, TWIN_ALLOWANCE["ucb"], True)
            )
    return texts, verdicts


def gse_part(twins: tuple[Twins, Twins] | None, quick: bool, repetitions: int) -> tuple[list[str], list[str]]:
    """GSE of sixteen agents."""
    job, replicates = worlds.team_gse(horizon=200 if quick else 10_000), 2 if quick else 20
    short = worlds.team_gse(horizon=20 if quick else 500)
    others = {NUMPY: partial(rivals.numpy_gse, job, replicates, worlds.LINK_PROBABILITY)}
    rows = contest(job, replicates, short, others, (twins[0].gse, twins[1].gse) if twins else None, repetitions)
    by_name = {row.name: row for row in rows}
    verdicts = [verdict("GSE, million agent-steps a second", 1e3 / rows[0].median, GSE_STEPS / 1e6, False)]
    if TWIN in by_name:
        verdicts.append(verdict("GSE, cost over the C twin", rows[0].ratio(by_name[TWIN]), TWIN_ALLOWANCE["gse"], True))
    title = f"GSE, 16 agents, 5 arms, complete graph, p = 0.9, {job.horizon:,} rounds"
    return [report(title, rows, replicates)], verdicts


def growth_part(quick: bool, repetitions: int) -> tuple[list[str], list[str]]:
    """Agents, arms, horizon."""
    text, sizes = growth.agents(growth.QUICK_SIDES if quick else growth.SIDES, repetitions)
    by_arms, by_horizon = growth.arms_and_horizon(quick, repetitions)
    texts = [
        f"### Growth with agents: GSE, square grid, 10 arms, p = 0.9\n\n{text}\n",
        f"### Growth with arms\n\n{by_arms}\n",
        f"### Growth with the horizon, 5 arms\n\n{by_horizon}\n",
    ]
    cost = {size.n_agents: size for size in sizes}
    if 10**6 not in cost:
        return texts, []
    ratio = cost[10**6].nanoseconds / cost[10**4].nanoseconds
    return texts, [
        verdict("10^6 agents, step of an agent against 10^4 agents", ratio, GRID_ALLOWANCE, True),
        verdict("10^6 agents, peak memory in GB", cost[10**6].peak_bytes / 1e9, GRID_MEMORY / 1e9, True),
    ]


def threads_part(quick: bool) -> tuple[list[str], list[str]]:
    """One thread and two; judged by processor time, which other programs do not stretch."""
    text, found = in_threads.part(quick, 1 if quick else 3)
    return [f"### Threads\n\n{text}\n"], [
        verdict("agents in two threads, processor time over that of one", cost, THREADS_ALLOWANCE, True)
        for name, (_, cost) in found.items()
        if name == in_threads.GRID
    ]


def chain_part(quick: bool, repetitions: int, blocks: int) -> tuple[list[str], list[str]]:
    """Blocks made and verified."""
    texts, ratios = chain.part(quick, repetitions, blocks)
    return texts, [
        verdict(f"verifying a ledger ({name}), cost over bare signature checks", ratio, allowed, True)
        for (name, ratio), allowed in zip(ratios.items(), VERIFY_ALLOWANCE, strict=True)
    ]


def learning_part(quick: bool, repetitions: int) -> tuple[list[str], list[str]]:
    """Networks scored and moved; nothing without PyTorch."""
    if find_spec("torch") is None or find_spec("safetensors") is None:
        return [], []
    from benchmarks import learning

    texts, gains = learning.part(quick, repetitions)
    return texts, [
        verdict(f"learning, {name}, gain over plain PyTorch", gain, LEARNING_GAIN[parties], False)
        for name, gain in gains.items()
        if (parties := name.rpartition(", ")[2]) in LEARNING_GAIN and "batch" not in name
    ]


def nodes_part(quick: bool) -> tuple[list[str], list[str]]:
    """Nodes as processes; nothing without what a node needs."""
    if find_spec("uvicorn") is None or find_spec("cryptography") is None or platform.system() != "Linux":
        return [], []
    from benchmarks import nodes

    return nodes.part(quick)


def start_part(quick: bool) -> tuple[list[str], list[str]]:
    """Commands that have little to do."""
    text, found = startup.part(quick)
    return [f"### Start-up\n\n{text}\n"], [
        verdict(f"{case}, seconds of processor time", seconds, startup.AT_MOST[case], True)
        for case, seconds in found.items()
    ]


def peers_part(gse: Path | None, quick: bool) -> tuple[list[str], list[str]]:
    """Other people's libraries; nothing is required of them."""
    from benchmarks import peers

    return peers.part(gse, quick), []


def machine() -> str:
    """The kind of machine, in general words."""
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
    return f"{platform.machine()} {platform.system()}, {os.cpu_count()} processors, {versions}; one thread is used"


def main(arguments: list[str] | None = None) -> int:
    """Run everything and print it as Markdown; 1 when a requirement is missed, which --quick does not judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, one repetition, nothing judged")
    parser.add_argument("--save", type=Path, metavar="FILE", help="also write the text to this file")
    parser.add_argument("--blocks", type=int, default=chain.BLOCKS, metavar="N", help="of the ledger to verify")
    parser.add_argument("--only", choices=PARTS, metavar="PART", help=f"this part alone: {', '.join(PARTS)}")
    parser.add_argument("--peers", action="store_true", help="also other people's libraries, which are installed")
    parser.add_argument("--nodes", action="store_true", help="also nodes as processes, on a quiet machine")
    parser.add_argument("--gse", type=Path, metavar="FOLDER", help="the published code of GSE, for --peers")
    options = parser.parse_args(arguments)
    if options.blocks < 1:
        parser.error(f"--blocks = {options.blocks}: expected an integer of at least 1")
    repetitions = 1 if options.quick else 7
    twins = (Twins(FLAGS), Twins()) if compiler() else None
    texts, verdicts = [], []
    parts: dict[str, Callable[[], tuple[list[str], list[str]]]] = {
        "primitives": lambda: (primitives.part(options.quick, repetitions), []),
        "ucb": partial(ucb_part, twins, options.quick, repetitions),
        "gse": partial(gse_part, twins, options.quick, repetitions),
        "growth": partial(growth_part, options.quick, 1 if options.quick else 3),
        "threads": partial(threads_part, options.quick),
        "chain": partial(chain_part, options.quick, repetitions, options.blocks),
        "learning": partial(learning_part, options.quick, repetitions),
        "start": partial(start_part, options.quick),
        "peers": partial(peers_part, options.gse, options.quick),
        "nodes": partial(nodes_part, options.quick),
    }
    left_out = {"peers": not options.peers, "nodes": not options.nodes}
    try:
        for name in [options.only] if options.only else [name for name in parts if not left_out.get(name)]:
            found, judged = parts[name]()
            texts += found
            verdicts += judged
            print("\n".join(found), flush=True)
    finally:
        for both in twins or ():
            both.close()
    note = (
        f"C twins: gcc {' '.join(FLAGS)}; with -ffp-contract=off as well, identical pulls."
        if twins
        else "C twins: skipped, there is no gcc."
    )
    verdict_text = "" if options.quick else "### Requirements\n\n" + "\n".join(verdicts) + "\n"
    print(f"{note}\n\n{verdict_text}")
    if options.save:
        write(options.save, [*texts, note + "\n", verdict_text])
    return int(not options.quick and any("MISSED" in line for line in verdicts))


def write(path: Path, texts: list[str]) -> None:
    """The text with its circumstances, by way of a temporary name."""
    head = f"""# Benchmarks

`python -m benchmarks --peers --nodes` measures all of this in one run; without the two options, all but other people's
libraries and nodes. `--save FILE` writes it down, `--quick` only tries it out.
`--only PART` is one part of it (`primitives`, `ucb`, `gse`, `growth`, `threads`, `chain`, `learning`, `start`, `peers`,
`nodes`), `--blocks N` the length of the ledger that is verified.
`python -m benchmarks.versus TREE` plays a row of games in this tree and in another checkout in turn.
Contenders take turns (A B C A B C ...); costs are medians, ratios are medians of the ratio within one turn.
Times are processor times of a single thread: other programs may share the machine. Threads alone are measured on the
wall, and want a quiet one.
The interpreted loop and the plain Python one play a single replicate, the interpreted GSE its first rounds.

Measured {date.today().isoformat()} on {machine()}.
"""
    write_file(path, "\n".join([head, *texts]).encode())


if __name__ == "__main__":
    sys.exit(main())
