"""A consortium of real processes, for tests: nodes that can be killed, cut off, given a wrong clock, made to lie."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

from nursery import Born

from folkmoot.errors import OtherSide
from folkmoot.node import ports
from folkmoot.node.charter import propose
from folkmoot.node.client import Client, NodeSays, NotNow
from folkmoot.node.folder import LOG, Folder
from folkmoot.node.store import FILE, Store
from folkmoot.node.systems import system_of
from folkmoot.node.terms import Terms

_SHARES = 8  # of processes that run tests side by side: a port whose member is away belongs to one of them


def free_ports(count):
    """As of the package, from the share of this process of tests."""
    size = len(ports.PORTS) // _SHARES
    share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
    return ports.free_ports(count, ports.PORTS[share * size : (share + 1) * size])


class Member:
    """A node's process, and an application that plays at it.

    Attributes:
        patience: seconds between two questions of its application.
    """

    patience = 0.01

    def __init__(self, folder, name, port, pays, number, quick=False):
        self.name, self.number, self._pays, self.quick = name, number, pays, quick
        self.folder = Folder.make(folder / name, name, f"127.0.0.1:{port}")
        self.mischief = self.folder.path / "mischief.json"
        self.process, self.acknowledged = None, {}  # rewards by ticket
        self.quiet = False  # while it is, its application tells nothing
        self.unsure = 0  # outcomes of which it was not told whether they are taken
        self._ends = threading.Event()

    def does(self, **wrong):
        """What it does wrong from now on."""
        part = self.mischief.with_suffix(".part")
        part.write_text(json.dumps(wrong))
        part.rename(self.mischief)

    def start(self):
        (self.folder.path / "http").unlink(missing_ok=True)
        if not self.mischief.exists():
            self.does()
        self.process = self._born()

    def _born(self):
        if self.quick:
            return Born("node", str(self.folder.path), str(self.mischief), None, output=self.folder.path / "output")
        command = [sys.executable, "-m", "folkmoot", "node", "run", str(self.folder.path), "--stay"]
        command += ["--mischief", str(self.mischief)]
        with open(self.folder.path / "output", "ab") as output:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def wait_until_there(self, seconds=240, words=None):
        words = words or self.words
        until = time.monotonic() + seconds
        while not (self.folder.path / "http").exists():
            assert self.process.poll() is None, words()
            assert time.monotonic() < until, f"{self.name} does not come up: {words()}"
            time.sleep(0.02)

    def words(self):
        return (self.folder.path / "output").read_text()[-2_000:]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, tells=True):
        """`tells`: it has not been told yet."""
        if self.process is not None and self.process.poll() is None:
            if tells:
                self.process.send_signal(signal.SIGTERM)
            try:
                return self.process.wait(240)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        return None if self.process is None else self.process.returncode

    def state(self):
        """What it says of itself; empty: it does not answer."""
        try:
            with Client.of(self.folder, timeout=30) as client:
                return client.state()
        except (OtherSide, ValueError):
            return {}

    def last_round(self):
        """The last round that ended, as its log says; that costs it nothing. 0: none."""
        log = self.folder.path / LOG
        lines = log.read_bytes()[-4_000:].splitlines() if log.exists() else []
        ended = [line for line in lines if b'"event": "round"' in line and line.endswith(b"}")]
        return json.loads(ended[-1])["round"] if ended else 0

    def store(self):
        """What is on its disk; the process must not run."""
        return Store(self.folder.path / FILE)

    def plays(self):
        """An application that asks once a round, in a thread of its own."""
        threading.Thread(target=self._play, daemon=True).start()

    def _play(self):
        client, last = None, 0
        while not self._ends.is_set():
            if self.quiet:
                time.sleep(0.01)
                continue
            try:
                client = client or Client.of(self.folder, timeout=30)
                decision = client.decide()
                if decision.round == last:
                    time.sleep(self.patience)
                    continue
                last, reward = decision.round, self._pays(self.number, decision.round, decision.arm)
                self.unsure += 1
                if client.outcome(decision.ticket, reward):
                    self.acknowledged[decision.ticket] = reward
                self.unsure -= 1
            except NotNow:
                time.sleep(0.01)
            except (NodeSays, ValueError):
                client = None
                time.sleep(0.05)

    def end(self):
        self._ends.set()


class Cluster:
    """Members of one charter. `pays(member, round, arm)`: the reward that an application sees, from 0 to 1.

    `quick`: nodes are forked, see nursery.py.
    """

    member = Member

    def __init__(
        self, folder, members, *, pays, arms=3, rounds=100_000, system="bandit", settings=None, quick=False, **more
    ):
        ports = free_ports(members)
        self.members = [self.member(folder, f"site-{n}", port, pays, n) for n, port in enumerate(ports)]
        for member in self.members:
            member.quick = quick
        given = {
            "name": "a test",
            "system": system,
            "arms": tuple(f"arm {number}" for number in range(arms)),
            "rounds": rounds,
            "start": datetime.now(UTC).replace(microsecond=0).isoformat(),
            "period": 0.0,
            "play": 1.0,
            "stage": 0.5,
            "faults": (members - 1) // 3,
            "settings": settings or {},
            **more,
        }
        charter = propose(Terms(**given), [member.folder.card for member in self.members])
        system_of(charter)
        for member in self.members:
            charter = charter.signed(member.folder.seed())
        for member in self.members:
            member.folder.join(charter)
        self.charter = charter

    def __enter__(self):
        try:
            for member in self.members:
                member.start()
            for member in self.members:
                member.wait_until_there()
                member.plays()
        except BaseException:
            self.__exit__()  # else what has started would stay
            raise
        return self

    def __exit__(self, *_):
        for member in self.members:
            member.end()
        for member in self.members:
            if member.process is not None and member.process.poll() is None:
                os.kill(member.process.pid, signal.SIGCONT)
                member.process.kill()
                member.process.wait()

    def stop(self):
        """All at once, or who is left would play on; the exit statuses."""
        for member in self.members:
            if member.process is not None and member.process.poll() is None:
                member.process.send_signal(signal.SIGTERM)
        return [member.stop(tells=False) for member in self.members]

    @contextmanager
    def slowly(self):
        """Meanwhile no application tells anything: a round takes as long as the charter lets them play."""
        for member in self.members:
            member.quiet = True
        yield
        for member in self.members:
            member.quiet = False

    def rounds(self):
        return [member.state().get("round", -1) for member in self.members]

    def until(self, fulfilled, seconds=300, every=0.1):
        """Wait until this is so."""
        until = time.monotonic() + seconds
        while not fulfilled():
            if time.monotonic() > until:
                raise AssertionError(
                    "it does not happen: "
                    + "; ".join(f"{m.name} {m.state().get('round')} {m.state().get('troubles')}" for m in self.members)
                    + "".join(m.words()[-300:] for m in self.members)
                )
            time.sleep(every)
