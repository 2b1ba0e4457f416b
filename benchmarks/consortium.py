"""A consortium of nodes as processes on this machine, with an application each: what the cost of nodes is measured on.

All applications live in one thread of one other process. They speak plain HTTP over one connection each and wait for
rounds instead of asking again and again, so that what is measured is the node.
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from folkmoot.errors import OtherSide
from folkmoot.node.charter import Charter, propose
from folkmoot.node.client import Client
from folkmoot.node.folder import Folder
from folkmoot.node.ports import free_ports
from folkmoot.node.terms import Terms

TICK = os.sysconf("SC_CLK_TCK")
ARMS = 3
_UP_SECONDS = 120.0


def reward_of(member: int, round: int, arm: int) -> float:
    """What an application sees: 0 or 1, with means .3, .5 and .7, the same in each run."""
    return float((member * 7_919 + round * 104_729 + arm * 1_299_709) % 1_000 < 300 + 200 * arm)


class Application:
    """Asks its node once a round what to play, and tells what it brought."""

    def __init__(self, folder: Folder, member: int) -> None:
        self._folder, self._member = folder, member
        self.rounds = 0

    async def play(self) -> None:
        """Until it is cancelled; a node that is away is waited for."""
        while True:
            with suppress(OSError, ValueError, asyncio.IncompleteReadError):
                host, port = self._folder.url.removeprefix("http://").rsplit(":", 1)
                self._reader, self._writer = await asyncio.open_connection(host, int(port))
                try:
                    await self._play()
                finally:
                    self._writer.close()
            await asyncio.sleep(0.05)

    async def _play(self) -> None:
        last = 0
        while True:
            status, told = await self.ask(f"/v1/decide?after={last}", b"")
            if status != 200 or told["round"] == last:
                await asyncio.sleep(0.02)
                continue
            last = told["round"]
            body = {"ticket": told["ticket"], "reward": reward_of(self._member, last, told["arm"])}
            await self.ask("/v1/outcome", json.dumps(body).encode())
            self.rounds += 1

    async def ask(self, path: str, body: bytes) -> tuple[int, Any]:
        """Status and value of an answer."""
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._folder.token}\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return await answer(self._reader)


async def answer(reader: asyncio.StreamReader) -> tuple[int, Any]:
    """Status and value of the next answer on a connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return int(head[9:12]), json.loads(await reader.readexactly(size))


@dataclass
class Member:
    """A node's process.

    Attributes:
        began: when it was started last, on the clock that only rises.
        up_after: seconds from there until it had written down where it listens.
    """

    folder: Folder
    number: int
    began: float = 0.0
    up_after: float = 0.0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        """Of its process, which must run."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start it."""
        (self.folder.path / "http").unlink(missing_ok=True)
        command = [sys.executable, "-m", "folkmoot", "node", "run", str(self.folder.path), "--stay"]
        self.began = time.monotonic()
        with open(self.folder.path / "output", "ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def wait_until_up(self) -> None:
        """Until it says where it listens.

        Raises:
            RuntimeError: it has ended, or takes too long.
        """
        while not (self.folder.path / "http").exists():
            late = time.monotonic() - self.began > _UP_SECONDS
            if late or self.process is None or self.process.poll() is not None:
                raise RuntimeError(f"{self.folder.path.name}: {(self.folder.path / 'output').read_text()[-500:]}")
            time.sleep(0.005)
        self.up_after = time.monotonic() - self.began

    def kill(self) -> None:
        """As a power cut ends it."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def state(self) -> dict[str, Any]:
        """What it says of itself; empty: it does not answer."""
        with suppress(OtherSide, ValueError), Client.of(self.folder, timeout=30) as client:
            return client.state()
        return {}

    @property
    def processor(self) -> float:
        """Seconds of processor time its process has taken, all of its threads."""
        with open(f"/proc/{self.pid}/stat", "rb") as file:
            fields = file.read().rpartition(b") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    @property
    def memory(self) -> tuple[float, float]:
        """MiB that it holds now, and has held at most."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        now, most = (int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
        return now, most

    def has_loaded(self, word: str) -> bool:
        """Does its process hold a library with this in its path?"""
        return word in Path(f"/proc/{self.pid}/maps").read_text(encoding="utf-8", errors="replace")


@dataclass
class Cost:
    """What so many rounds have cost.

    Attributes:
        rounds: that were played.
        seconds: on the wall.
        processor: seconds a member, the mean over members.
        sent: bytes of all members.
        blocks: that became final.
    """

    rounds: int
    seconds: float
    processor: float
    sent: int
    blocks: int

    @property
    def speed(self) -> float:
        """Rounds a second."""
        return self.rounds / self.seconds

    @property
    def milliseconds(self) -> float:
        """Of processor time a member and round."""
        return 1e3 * self.processor / self.rounds


@dataclass
class Consortium:
    """Members of one charter, as processes, each with its application.

    Attributes:
        folder: of all their data.
        n: how many members.
        more: terms other than those of an eager charter.
    """

    folder: Path
    n: int
    more: dict[str, Any] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make keys and a charter that all have signed."""
        ports = free_ports(self.n)
        folders = [Folder.make(self.folder / f"m{n}", f"m{n}", f"127.0.0.1:{port}") for n, port in enumerate(ports)]
        self.charter = charter_of(folders, **self.more)
        for number, folder in enumerate(folders):
            folder.join(self.charter)
            self.members.append(Member(folder, number))
            self.applications.append(Application(folder, number))
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Self:
        for member in self.members:
            member.start()
        for member in self.members:
            member.wait_until_up()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._applications()), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()
        for member in self.members:
            member.kill()

    async def _applications(self) -> None:
        self._end = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(application.play()) for application in self.applications]
        await self._end.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def at(self, members: Sequence[Member] | None = None) -> int:
        """The last round that any of these members has entered."""
        return max(member.state().get("round", 0) for member in members or self.members)

    def until(self, round: int, members: Sequence[Member] | None = None, seconds: float = 600.0) -> None:
        """Wait until these members have entered a round.

        Raises:
            RuntimeError: it takes too long.
        """
        until = time.monotonic() + seconds
        while min(member.state().get("round", 0) for member in members or self.members) < round:
            if time.monotonic() > until:
                raise RuntimeError(f"round {round} does not come: {[m.state().get('troubles') for m in self.members]}")
            time.sleep(0.2)

    def cost(self, seconds: float) -> Cost:
        """Play on for so long: what a round costs."""
        before = [member.state() for member in self.members]
        began, used = time.monotonic(), [member.processor for member in self.members]
        time.sleep(seconds)
        used = [member.processor - then for member, then in zip(self.members, used)]
        took, after = time.monotonic() - began, [member.state() for member in self.members]
        return Cost(
            max(1, after[0]["round"] - before[0]["round"]), took, sum(used) / self.n,
            sum(_sent(now) - _sent(then) for now, then in zip(after, before)), after[0]["height"] - before[0]["height"],
        )  # fmt: skip


def _sent(state: dict[str, Any]) -> int:
    return sum(one.get("sent", 0) for one in state["members"])


def charter_of(folders: Sequence[Folder], **more: Any) -> Charter:
    """An eager charter that all have signed."""
    given: dict[str, Any] = {
        "name": "a benchmark", "system": "bc_ucb", "arms": tuple(f"arm {n}" for n in range(ARMS)), "rounds": 10**6,
        "start": datetime.now(UTC).replace(microsecond=0).isoformat(), "period": 0.0, "play": 5.0, "stage": 5.0,
        "faults": (len(folders) - 1) // 3, "settings": {}, **more,
    }  # fmt: skip
    charter = propose(Terms(**given), [folder.card for folder in folders])
    for folder in folders:
        charter = charter.signed(folder.seed())
    return charter


@contextmanager
def stopped(member: Member) -> Iterator[None]:
    """A process that stands still for a while, and goes on."""
    import signal

    os.kill(member.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(member.pid, signal.SIGCONT)
