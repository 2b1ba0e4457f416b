"""What can go wrong, on purpose: for `folkmoot try` and for tests. No node does any of it unless it is told to."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from folkmoot.algorithms.agent import Agent
from folkmoot.machine import ALL, NO_FLOOR, Chain, Chance, Effects, Floor, Machine, Moment, Outcome, Received, Resumes
from folkmoot.meant import choices
from folkmoot.node import frames
from folkmoot.node.bema import Bema
from folkmoot.node.chained import BCUCBChain
from folkmoot.node.charter import Charter
from folkmoot.node.frames import STEP, Frame, Hello
from folkmoot.node.system import System
from folkmoot.node.transport import Arrived, Traffic, Transport

if TYPE_CHECKING:
    from folkmoot.multiparty.party import Party

UNKNOWN_IMAGES, POOL = "unknown_images", "pool.npy"
DOSED = "dosed"  # lies in exchanges, as many as it expects to pass, and votes for what hurts
_LOOK_SECONDS = 0.1  # how often the file is looked at
_KNOWN = ("attack", "lose", "cut", "clock", "record", "dies", "late", "protocols")
_PUNCTUAL = 3  # in a round whose number it divides, a member that marks late does not


class Dies(NamedTuple):
    """Where a process ends itself as `kill -9` would: in this stage, as soon as so many members have been told of it.

    None told: the step is on the disk, and nothing of it has left.
    """

    stage: int
    told: int


class Mischief:
    """What a node is told to do wrong, in a JSON file that is read again while it runs.

        {"attack": "constant", "lose": 0.1, "cut": ["site-2"], "clock": 5.0, "record": "heard",
         "dies": [5, 1], "late": {"site-0": 0.9}}

    attack     how this member lies, from its start on
    lose       share of the frames that come in and are lost
    cut        members that it neither hears nor reaches
    clock      seconds by which its clock is ahead
    record     a file to which it adds a line for each frame of a step that comes in: whose, round, stage, digest, time
    dies       a stage, and how many members are told of it before it ends itself; see `Dies`
    late       members whose frames it holds back for so much of a stage, in two of three rounds: so its marks come late
    protocols  the oldest and the newest version that it speaks, from its start on: of another release

    Raises:
        ValueError: the file cannot be read, or says something else.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._read_at, self._stamp = path, 0.0, 0
        self.attack, self.lose, self.cut, self.clock = "", 0.0, frozenset[str](), 0.0
        self.record, self.protocols = "", frames.PROTOCOLS
        self.dies: Dies | None = None
        self.late: dict[str, float] = {}
        self._read()
        frames.PROTOCOLS = self.protocols

    def _read(self) -> None:
        try:
            said = json.loads(self._path.read_text(encoding="utf-8"))
            unknown = set(said) - set(_KNOWN)
        except (OSError, ValueError, TypeError) as error:
            raise ValueError(f"mischief {self._path}: {error}") from None
        if unknown:
            raise ValueError(f"mischief {self._path}: {sorted(unknown)}: expected {', '.join(_KNOWN)}")
        self.attack, self.lose = str(said.get("attack", "")), float(said.get("lose", 0.0))
        self.cut, self.clock = frozenset(said.get("cut", ())), float(said.get("clock", 0.0))
        self.record = str(said.get("record", ""))
        self.dies = Dies(*map(int, said["dies"])) if said.get("dies") else None
        self.late = {str(name): float(share) for name, share in said.get("late", {}).items()}
        oldest, newest = said.get("protocols", frames.PROTOCOLS)
        self.protocols = int(oldest), int(newest)

    def look(self) -> "Mischief":
        """As it is now."""
        now = time.monotonic()
        if now - self._read_at > _LOOK_SECONDS:
            self._read_at = now
            with suppress(OSError, ValueError):
                stamp = self._path.stat().st_mtime_ns
                if stamp != self._stamp:
                    self._stamp = stamp
                    self._read()
        return self

    def wall(self) -> float:
        """What this member's clock shows."""
        return time.time() + self.look().clock


class Meddled:
    """A transport that loses what it is told to lose, or holds it back."""

    def __init__(self, inner: Transport, names: Sequence[str], mischief: Mischief, stage: float) -> None:
        """`stage`: seconds of one."""
        self._inner, self._names, self._mischief, self._chance = inner, names, mischief, Random()
        self._stage = stage
        self._file: int | None = None
        self._told: dict[int, int] = {}  # of the stage in which it dies: bytes sent before, by receiver
        self._dying: asyncio.Task[None] | None = None

    @property
    def traffic(self) -> dict[int, Traffic]:
        """See `Transport`."""
        return self._inner.traffic

    @property
    def settles(self) -> float:
        """See `Transport`."""
        return self._inner.settles

    @property
    def connected(self) -> frozenset[int]:
        """See `Transport`."""
        return frozenset(number for number in self._inner.connected if not self._is_cut(number))

    def _is_cut(self, number: int) -> bool:
        return self._names[number] in self._mischief.look().cut

    def send(self, to: int, frame: Frame) -> None:
        """See `Transport`."""
        mischief = self._mischief.look()
        if self._dying is not None or self._is_cut(to):
            return
        if frame.kind == STEP and mischief.dies is not None and frame.moment.stage == mischief.dies.stage:
            self._tell(to, frame, mischief.dies.told)
        elif frame.kind == STEP and self._names[to] in mischief.late and frame.moment.round % _PUNCTUAL:
            late = mischief.late[self._names[to]] * self._stage
            asyncio.get_running_loop().call_later(late, self._inner.send, to, frame)
        else:
            self._inner.send(to, frame)

    def _tell(self, to: int, frame: Frame, most: int) -> None:
        """Send what is said in the last stage of this process, to so many at most; then it ends."""
        if len(self._told) < most:
            self._told[to] = self.traffic[to].sent
            self._inner.send(to, frame)
        if len(self._told) >= most:
            self._dying = asyncio.get_running_loop().create_task(self._die())

    async def _die(self) -> None:
        """Once what was to be sent has left; who cannot be reached is not waited for."""
        while any(to in self.connected and self.traffic[to].sent == before for to, before in self._told.items()):
            await asyncio.sleep(0.0005)
        os.kill(os.getpid(), signal.SIGKILL)

    async def start(self, arrived: Arrived, greeting: Callable[[], tuple[Moment, Hello]]) -> None:
        """See `Transport`."""

        def some(sender: int, frame: Frame) -> None:
            self._note(sender, frame)
            if not self._is_cut(sender) and self._chance.random() >= self._mischief.lose:
                arrived(sender, frame)

        await self._inner.start(some, greeting)

    def _note(self, sender: int, frame: Frame) -> None:
        """Write down what has come in; it is there also if this process is killed just after."""
        if frame.kind != STEP or not self._mischief.look().record:
            return
        if self._file is None:
            self._file = os.open(self._mischief.record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        said = sha256(b"".join(sha256(part).digest() for part in frame.parts)).hexdigest()[:32]
        line = f"{sender} {frame.moment.round} {frame.moment.stage} {said} {time.monotonic():.4f}\n"
        os.write(self._file, line.encode("ascii"))

    async def stop(self) -> None:
        """See `Transport`."""
        await self._inner.stop()


@dataclass(frozen=True)
class LyingAgent:
    """An agent of a bandit that tells others what a law of lies makes of the truth."""

    inner: Resumes
    liars: Any
    n_members: int
    n_arms: int

    def resume(self, kept: Mapping[str, bytes], chain: Chain, chance: Chance, floor: Floor = NO_FLOOR) -> Machine:
        """See `Resumes`."""
        machine = self.inner.resume(kept, chain, chance, floor)
        assert isinstance(machine, Agent)
        return _Liar(machine, self)


class _Liar:
    def __init__(self, inner: Agent, role: LyingAgent) -> None:
        from folkmoot.world.rewards import Bernoulli

        self.inner, self._liars, self._members = inner, role.liars, role.n_members
        rewards = Bernoulli(np.full((role.n_members, role.n_arms), 0.5))
        self._record, self._law = role.liars.record(rewards), role.liars.law.record(rewards)

    @property
    def stages(self) -> Any:
        return self.inner.stages

    @property
    def next(self) -> Moment:
        return self.inner.next

    @property
    def learner(self) -> Any:
        return self.inner.learner

    def kind_of(self, data: bytes) -> str:
        return self.inner.kind_of(data)

    def step(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any] = ()
    ) -> Effects:
        effects = self.inner.step(moment, inbox, outcomes, blocks)
        learner = self.inner.learner
        told: list[tuple[int | None, bytes]] = []
        for receiver, data in effects.send:
            others = [m for m in range(self._members) if m != learner.index] if receiver is ALL else [receiver]
            for other in others:

                def lie(box: Any, other: int = int(other or 0)) -> None:
                    about = learner.params, learner.index, moment.round, other % 2, box, learner.coins
                    self._liars.lie(self._record, self._law, *about)

                told.append((other, learner.retold(data, lie)))
        effects.send = told
        return effects


def lying(system: System, charter: Charter, me: int, seed: bytes, attack: str, folder: Path | None = None) -> Resumes:
    """The role of a member that lies; `folder`: its data folder.

    Raises:
        ValueError: no such attack in this system.
    """
    if isinstance(system, Bema):
        return system.role(me, seed, folder=folder, lies=_liar(attack, folder))
    if isinstance(system, BCUCBChain):
        return _attacker(system, charter, me, seed, attack)
    from folkmoot.world.liars import Liars
    from folkmoot.world.lies import LIES

    if attack not in LIES:
        raise ValueError(f"attack = {attack!r}: {choices(attack, LIES)}")
    liars = Liars([me], attack)
    return LyingAgent(system.role(me, seed), liars, charter.n_members, len(charter.terms.arms))


def _liar(attack: str, folder: Path | None) -> Callable[["Party"], "Party"]:
    """What makes a liar of a party, by the name of the attack as experiment files have it.

    Or one that looks at the models first, and sends samples of others that pass all checks: they are in its folder.
    """
    from folkmoot.multiparty import attacks
    from folkmoot.multiparty.adaptive import exchange_liar, unknown_images
    from folkmoot.multiparty.games import LIARS

    if attack == UNKNOWN_IMAGES and folder is not None:
        pool = np.load(folder / POOL, allow_pickle=False)
        return lambda party: unknown_images(party, pool)
    if attack == DOSED:
        return lambda party: exchange_liar(party, shows="dosed", votes="contrary", recalls="slander")
    if attack not in LIARS:
        raise ValueError(f"attack = {attack!r}: {choices(attack, [*LIARS, UNKNOWN_IMAGES, DOSED])}")
    kind = LIARS[attack].attack
    return lambda party: attacks.lying(party, kind)


def _attacker(system: BCUCBChain, charter: Charter, me: int, seed: bytes, attack: str) -> Resumes:
    from folkmoot.bc_ucb.attackers import AttackerRole
    from folkmoot.bc_ucb.attacks import ATTACKS
    from folkmoot.world.rewards import Bernoulli

    if attack not in ATTACKS:
        raise ValueError(f"attack = {attack!r}: {choices(attack, ATTACKS)}")
    n, k = charter.n_members, len(charter.terms.arms)
    misbehaviour = ATTACKS[attack]().record(Bernoulli(np.full((n, k), 0.5)))
    allies = np.arange(n) == me

    def role(*about: Any, **more: Any) -> AttackerRole:
        return AttackerRole(*about, **more, attack=misbehaviour, allies=allies)

    return system.role(me, seed, role)
