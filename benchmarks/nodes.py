"""Nodes as processes on loopback: what a round costs, how many a second, and what disturbs them.

Processor times are read from the system, of all threads of a node, and shown beside those of the same machines at a
table in memory, played in turn with them. Everything on the wall (rounds a second, seconds) wants a quiet machine.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.by_hand import Table, in_memory, on_disk
from benchmarks.consortium import ARMS, Consortium, Cost, Member, answer, stopped
from benchmarks.measure import table
from folkmoot.node.store import FILE

BURN_IN = 5 * ARMS  # rounds in which nothing is said
WARM = 12  # rounds more, before anything is measured
AT_MOST, AT_LEAST = "at most", "at least"


@dataclass(frozen=True)
class Target:
    """What was measured, and what is asked for."""

    what: str
    value: float
    relation: str
    bound: float

    @property
    def line(self) -> str:
        """One line: is it met?"""
        met = self.value <= self.bound if self.relation == AT_MOST else self.value >= self.bound
        return f"- {'met' if met else 'MISSED'}: {self.what}: {self.value:.2f} ({self.relation} {self.bound:g})"


@dataclass(frozen=True)
class Case:
    """A consortium to be measured.

    Attributes:
        name: for the table.
        n: members.
        terms: of the charter, beside those of an eager one.
        bounds: rounds a second, at least; processor ms a member and round, at most, where it is asked for.
        at_table: rounds that are played at the table in a turn, as many as take a second or two.
    """

    name: str
    n: int
    terms: dict[str, Any]
    bounds: tuple[float, float | None]
    at_table: int = 8


BC_UCB: dict[str, Any] = {"system": "bc_ucb", "settings": {}}
SCREENED: dict[str, Any] = {"system": "bc_ucb", "settings": {"comparison": "pairwise"}}
BANDIT: dict[str, Any] = {"system": "bandit", "settings": {}}
CASES = (
    Case("bc_ucb, VRF", 4, BC_UCB, (10, 15)),
    Case("bc_ucb, VRF", 7, BC_UCB, (4, 20)),
    Case("bc_ucb, VRF", 16, BC_UCB, (0.7, None), 3),
    Case("bc_ucb, VRF, screening", 4, SCREENED, (1, None), 3),
    Case("bandit", 4, BANDIT, (80, None), 100),
    Case("bandit", 16, BANDIT, (6, None), 100),
)
HEAD = [
    "system", "members", "rounds/s", "ms a member and round", "at a table", "times the table", "kB a round",
    "MiB", "up after, s",
]  # fmt: skip


def seeds_of(consortium: Consortium) -> list[bytes]:
    """The secrets of all members."""
    return [member.folder.seed() for member in consortium.members]


def rounds(case: Case, seconds: float, turns: int) -> tuple[list[str], list[Target]]:
    """One line of the table: rounds of nodes and rounds at a table in turn."""
    costs, alone = list[Cost](), list[float]()
    with TemporaryDirectory() as folder, Consortium(Path(folder), case.n, case.terms) as consortium:
        up = max(member.up_after for member in consortium.members)
        beside: Table = in_memory(consortium.charter, seeds_of(consortium))
        chain = case.terms["system"] == "bc_ucb"
        beside.play(BURN_IN + WARM if chain else WARM)
        consortium.until(BURN_IN + WARM)
        for _ in range(turns):
            costs.append(consortium.cost(seconds))
            for member in consortium.members:
                os.kill(member.pid, 19)  # SIGSTOP: it would make the table's processor time dearer
            alone.append(beside.play(case.at_table))
            for member in consortium.members:
                os.kill(member.pid, 18)  # SIGCONT
            consortium.until(consortium.at() + 3)
        memory = max(member.memory[1] for member in consortium.members)
        numba = any(member.has_loaded("numba") for member in consortium.members)
    speed, cost = median(one.speed for one in costs), median(one.milliseconds for one in costs)
    ratio = median(one.milliseconds / table for one, table in zip(costs, alone))
    sent = sum(one.sent for one in costs) / sum(one.rounds for one in costs) / 1e3
    cells = [f"{speed:.1f}", f"{cost:.1f}", f"{median(alone):.1f}", f"{ratio:.1f}", f"{sent:,.1f}"]
    about = f"{case.name}, {case.n} members"
    targets = [
        Target(f"{about}, rounds a second", speed, AT_LEAST, case.bounds[0]),
        Target(f"{about}, MiB a node", memory, AT_MOST, 85),
        Target(f"{about}, nodes that have loaded numba", float(numba), AT_MOST, 0),
        Target(f"{about}, listening after s, all started at once", up, AT_MOST, float(case.n) / 2),
    ]
    if chain:
        targets.append(Target(f"{about}, times the processor time at a table", ratio, AT_MOST, 4))
    if case.bounds[1] is not None:
        targets.append(Target(f"{about}, ms of processor time a member and round", cost, AT_MOST, case.bounds[1]))
    return [case.name, str(case.n), *cells, f"{memory:.0f}", f"{up:.2f}"], targets


def starting() -> tuple[str, list[Target]]:
    """One node that is started while nothing else runs."""
    with TemporaryDirectory() as folder:
        consortium = Consortium(Path(folder), 4, BC_UCB)
        member, took = consortium.members[0], list[float]()
        for _ in range(3):
            member.start()
            member.wait_until_up()
            took.append(member.up_after)
            member.kill()
    said = f"A node that starts alone listens after {median(took):.2f} s."
    return said, [Target("a node alone, listening after s", median(took), AT_MOST, 1)]


# --- Decisions -------------------------------------------------------------------------------------------------------


class Load:
    """Requests to one node: decisions, each with its outcome, over a few connections."""

    def __init__(self, member: Member, connections: int = 16) -> None:
        self._folder, self._connections = member.folder, connections
        self.decided = 0

    async def run(self, seconds: float, a_second: float | None) -> float:
        """Decisions a second that were answered; `a_second`: as many as are asked for, None: as many as it can."""
        began = time.monotonic()
        self.decided = 0
        workers = [self._work(n, began, seconds, a_second) for n in range(self._connections)]
        await asyncio.gather(*workers)
        return self.decided / (time.monotonic() - began)

    async def _work(self, number: int, began: float, seconds: float, a_second: float | None) -> None:
        host, port = self._folder.url.removeprefix("http://").rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"Host: localhost\r\nAuthorization: Bearer {self._folder.token}\r\n".encode()
        decide = b"POST /v1/decide HTTP/1.1\r\n" + head + b"Content-Length: 0\r\n\r\n"
        done = 0
        while (now := time.monotonic() - began) < seconds:
            if a_second is not None:
                due = (done * self._connections + number) / a_second
                if due > now:
                    await asyncio.sleep(due - now)
            done += 1
            writer.write(decide)
            status, _ = await answer(reader)
            self.decided += status == 200
        writer.close()


def _judged(consortium: Consortium, seconds: float, load: Callable[[], float] | None) -> tuple[float, float, int]:
    """Share of the rounds that brought a block, decisions a second, marks of the loaded member that were missed."""

    def missed() -> int:
        return sum(
            one["missed"] for member in consortium.members[1:] for one in member.state()["members"]
            if one["name"] == "m0"
        )  # fmt: skip

    before, late = consortium.members[1].state(), missed()
    found = 0.0
    if load is None:
        time.sleep(seconds)
    else:
        found = load()
    after = consortium.members[1].state()
    played = max(1, after["round"] - before["round"])
    return (after["height"] - before["height"]) / played, found, missed() - late


def decisions(seconds: float) -> tuple[str, list[Target]]:
    """A load on one node while rounds of one second each go on."""
    terms = {**BC_UCB, "period": 1.0, "play": 0.3, "stage": 0.06}
    with TemporaryDirectory() as folder, Consortium(Path(folder), 4, terms) as consortium:
        consortium.until(BURN_IN + 3)
        load = Load(consortium.members[0])
        quiet, _, _ = _judged(consortium, seconds, None)
        loaded, a_second, missed = _judged(consortium, seconds, lambda: asyncio.run(load.run(seconds, 2_000)))
        most = asyncio.run(load.run(min(seconds, 5.0), None))
    said = (
        f"Four members, a round a second, stages of 60 ms at most. Without a load {100 * quiet:.0f} % of the rounds "
        f"brought a block; with {a_second:,.0f} decisions a second on one node {100 * loaded:.0f} %, and the others "
        f"waited {missed} times for that node until a deadline. At most it answers {most:,.0f} decisions a second "
        "(the application that asks has the other processor)."
    )
    return said, [
        Target("decisions a second on one node beside rounds", a_second, AT_LEAST, 1_950),
        Target("rounds with a block under that load, of those without", loaded / max(quiet, 1e-9), AT_LEAST, 0.95),
    ]


# --- Members that stall, come late, or start again -------------------------------------------------------------------


def stalled(others_play: int) -> tuple[str, list[Target]]:
    """A member stands still while the others play on: how many deadlines does it cost them?"""
    with TemporaryDirectory() as folder, Consortium(Path(folder), 4, {**BC_UCB, "stage": 2.0}) as consortium:
        consortium.until(BURN_IN + WARM)
        others, late = consortium.members[:3], consortium.members[3]

        def missed() -> list[int]:
            return [
                next(one["missed"] for one in member.state()["members"] if one["name"] == "m3") for member in others
            ]

        before = missed()
        with stopped(late):
            consortium.until(consortium.at(others) + others_play, others)
            cost = max(now - then for now, then in zip(missed(), before))
    said = f"A member that stood still for {others_play} rounds cost each of the others {cost} deadline(s) in all."
    return said, [Target("deadlines that a stalled member costs", cost, AT_MOST, 1)]


def catching_up(blocks: int) -> tuple[str, list[Target]]:
    """A member with an empty store gets the whole chain of three others; then one of them starts again."""
    with TemporaryDirectory() as folder:
        terms = {**BC_UCB, "play": 60.0, "stage": 30.0}  # the others wait in the first stage of a round
        consortium = Consortium(Path(folder), 4, terms)
        members, late = consortium.members, consortium.members[3]
        files = [member.folder.path / FILE for member in members]
        height = on_disk(consortium.charter, seeds_of(consortium), files, BURN_IN + blocks)
        for part in late.folder.path.glob(f"{FILE}*"):
            part.unlink()
        try:
            for member in members[:3]:
                member.start()
            for member in members[:3]:
                member.wait_until_up()
            restarted = median(member.up_after for member in members[:3])
            late.start()
            late.wait_until_up()
            began = since = time.monotonic()
            used, there, first = late.processor, 0, None
            while there < height:
                then = time.monotonic()
                there = late.state().get("height", 0)
                if first is None and there > 0:  # as many as came with the first answers, before it was looked at
                    first, since = (there, time.monotonic()) if there < height else (0, since)
                since = then if there == 0 else since
                if then - began > 1_200:
                    raise RuntimeError(f"height {there} of {height}: it does not go on")
                time.sleep(0.2)  # to ask costs the node some milliseconds
            took, used, peak = time.monotonic() - since, late.processor - used, late.memory[1]
        finally:
            for member in members:
                member.kill()
    speed = (height - (first or 0)) / took
    said = (
        f"A member with an empty store took in {height:,} blocks of three others: {speed:,.0f} blocks a second, "
        f"{1e3 * used / height:.1f} ms of its processor time a block, at most {peak:.0f} MiB. With as many blocks on "
        f"its disk a node listens {restarted:.2f} s after it is started (three at once)."
    )
    return said, [
        Target("catching up, blocks a second, 4 members", speed, AT_LEAST, 200),
        Target(f"started again at {height:,} blocks, listening after s, three at once", restarted, AT_MOST, 3),
    ]


def part(quick: bool) -> tuple[list[str], list[str]]:
    """All of it as Markdown, and what was asked for; within six minutes where nothing else runs."""
    seconds, turns = (3.0, 1) if quick else (6.0, 3)
    rows, targets = list[list[str]](), list[Target]()
    for case in CASES[:1] + CASES[4:5] if quick else CASES:
        if case.terms is SCREENED and find_spec("rbcl") is None:
            continue
        row, found = rounds(case, seconds, turns)
        rows.append(row)
        targets += found
        print(json.dumps(dict(zip(HEAD, row))), flush=True)
    texts = [f"### Nodes: eager rounds on loopback\n\n{table(HEAD, rows)}\n"]
    parts: list[tuple[str, Callable[[], tuple[str, list[Target]]]]] = [
        ("starting", starting),
        ("decisions", partial(decisions, 5.0 if quick else 15.0)),
        ("a member that stalls", partial(stalled, 5 if quick else 20)),
        ("catching up, and starting again", partial(catching_up, 60 if quick else 1_000)),
    ]
    for title, measured in parts:
        said, found = measured()
        texts.append(f"### Nodes: {title}\n\n{said}\n")
        targets += found
        print(texts[-1], flush=True)
    return texts, [target.line for target in targets]
