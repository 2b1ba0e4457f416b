"""What a process knows of the members of a charter, over a broker that is not trusted.

How it works. A process has one connection to a broker (a `Wire`), for all the members that it hosts: the `Post`. What
it knows of the members of one charter is a `Meeting`: each envelope is looked at once, and handed to all members here
that it is for. A frame that a member sends to several others at once leaves as one envelope.

Every member says every few seconds that it is there: a *beat*, which holds its greeting, a challenge that is new in
each beat, and the challenges it has heard from others of late. A beat that repeats a challenge of ours was made after
it: so the member is there, it hears us, and its session (see envelope.py) is one of now. Only such a beat makes a
session the current one of its member; nothing of another session is taken, and no number twice. So what a broker or
anybody else has recorded is worth nothing, also to a process that has just begun and has seen nothing yet.

Whoever has not been heard in this way for a few beats is not connected; the same holds for all as long as the broker
is away. A frame for who is not connected is lost.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from folkmoot.agreement.identity import Identity
from folkmoot.encoding import Malformed
from folkmoot.machine import Chance, Moment
from folkmoot.node import frames
from folkmoot.node.charter import Charter
from folkmoot.node.envelope import SESSION_BYTES, TO_SEVERAL, Envelope, Envelopes, lane_of
from folkmoot.node.frames import BYE, HELLO, HELLO_BYTES, LENGTH, Frame, Hello, from_bytes, hello_of, spoken
from folkmoot.node.transport import Traffic

CHALLENGE_BYTES = 8
BEATS = 4  # after so many without a word a member is not connected
_HURRY = 0.25  # of a beat: no sooner than this after the last one

Take: TypeAlias = Callable[[bytes], None]


def beat_of(members: int) -> float:
    """Seconds from beat to beat, where there are so many members."""
    return max(1.0, members / 100)


class Wire(Protocol):
    """A connection to a broker: it loses what it cannot send, never waits, and comes back by itself.

    Attributes:
        refused: what was not sent or not taken, by reason, such as `transport.TOO_LARGE`.
    """

    refused: Counter[str]

    def listen(self, subject: str, take: Take) -> None:
        """Hand what comes under this subject to `take`, in the event loop, from now on or as soon as it is up."""

    def forget(self, subject: str) -> None:
        """Listen no longer."""

    def publish(self, subject: str, data: bytes) -> bool:
        """On its way; False: lost."""

    async def start(self, changed: Callable[[bool], None]) -> None:
        """Connect; `changed` is told whenever the broker is there (True) or gone (False)."""

    async def stop(self) -> None:
        """Let go of everything."""


class Attendant(Protocol):
    """A member that this process hosts: what the meeting tells it, and asks of it (`folkmoot.node.broker.Line`)."""

    me: int
    identity: Identity
    greeting: Callable[[], tuple[Moment, Hello]]
    traffic: dict[int, Traffic]

    def found(self, number: int, hello: Frame | None) -> None:
        """Another member is connected."""

    def lost(self, number: int) -> None:
        """It is not any more."""

    def take(self, sender: int, frame: Frame, size: int, now: float) -> None:
        """A frame of another member: of how many bytes, and when."""


@dataclass
class _Peer:
    """What a process knows of a member of a charter.

    Attributes:
        session: the current one; empty: none yet.
        adopted: how many challenges of ours had been made when it became that.
        base: the number of the beat that made it so: lower ones are old.
        last: the last number taken, by lane.
        seen: when its last beat with a challenge of ours came; 0: it is not connected.
        heard: its last challenge.
        stranger, other: the last session that is not the current one, and the last challenge in it.
        hello: its last greeting.
    """

    session: bytes = b""
    adopted: int = 0
    base: int = 0
    last: dict[int, int] = field(default_factory=dict)
    seen: float = 0.0
    heard: bytes = b""
    stranger: bytes = b""
    other: bytes = b""
    hello: Frame | None = None


class Meeting:
    """What a process knows of the members of one charter.

    Attributes:
        beat: seconds from beat to beat.
        largest: bytes of the largest frame.
        strangers: envelopes that were not taken, by reason; nobody can be named for them.
        subject: what all that is published for this charter begins with.
    """

    def __init__(self, wire: Wire, charter: Charter, beat: float, chance: Chance) -> None:
        self._wire, self._charter, self.beat, self._chance = wire, charter, beat, chance
        self._form = Envelopes(charter)
        self._session, self._number = chance(SESSION_BYTES), 0
        self.largest = HELLO_BYTES + 2 * CHALLENGE_BYTES * (charter.n_members + 1)
        self.strangers: Counter[str] = Counter()
        self.subject = f"folkmoot.{charter.identity.hex()}"
        self._everybody = (1 << charter.n_members) - 1
        self._peers = [_Peer() for _ in charter.members]
        self._lines: dict[int, Attendant] = {}
        self._challenges: dict[bytes, tuple[int, float]] = {}  # of ours: which one, and when
        self._made, self._last_beat = 0, 0.0
        self._soon = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None

    @property
    def largest_envelope(self) -> int:
        """Bytes of the largest one."""
        return self.largest + self._form.overhead

    def join(self, line: Attendant) -> None:
        """A member of this process begins."""
        self._lines[line.me] = line
        self._wire.listen(f"{self.subject}.to.{line.me}", self.take)
        if self._beating is None:
            self._wire.listen(f"{self.subject}.all", self.take)
            self._beating = asyncio.get_running_loop().create_task(self._beats())
        for number, peer in enumerate(self._peers):
            if peer.seen and number != line.me:
                line.found(number, peer.hello)
        self._soon.set()

    async def leave(self, line: Attendant) -> None:
        """It ends."""
        if self._lines.pop(line.me, None) is None:
            return
        self._wire.forget(f"{self.subject}.to.{line.me}")
        self.publish(line, self._everybody & ~(1 << line.me), Frame(BYE))
        if not self._lines and self._beating is not None:
            self._wire.forget(f"{self.subject}.all")
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None

    def publish(self, line: Attendant, receivers: int, frame: Frame) -> int:
        """Bytes that are on their way; 0: lost."""
        self._number += 1
        body = frame.to_bytes()[LENGTH.size :]
        data = self._form.sealed(line.identity, line.me, self._session, self._number, receivers, body)
        lane = lane_of(receivers)
        where = "all" if lane == TO_SEVERAL else f"to.{lane}"
        return len(data) if self._wire.publish(f"{self.subject}.{where}", data) else 0

    # --- Beats -------------------------------------------------------------------------------------------------------

    def changed(self, up: bool) -> None:
        """The broker is there, or gone."""
        if not up:
            for number in range(len(self._peers)):
                self._gone(number)
        self._soon.set()

    async def _beats(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.beat):
                    await self._soon.wait()
            await asyncio.sleep(max(0.0, self._last_beat + _HURRY * self.beat - time.monotonic()))
            self._soon.clear()
            now = time.monotonic()
            self._forgive(now - self._last_beat - self.beat)
            self._last_beat = now
            for number, peer in enumerate(self._peers):
                if peer.seen and now - peer.seen > BEATS * self.beat:
                    self._gone(number)
            self._say(now)
            await asyncio.sleep(0)

    def _forgive(self, late: float) -> None:
        """Time in which we were held up ourselves is not the silence of others, whose words may wait to be read."""
        if self._made and late > self.beat:
            self._challenges = {word: (which, made + late) for word, (which, made) in self._challenges.items()}
            for peer in self._peers:
                peer.seen += late if peer.seen else 0.0

    def _say(self, now: float) -> None:
        self._challenges = {word: made for word, made in self._challenges.items() if now - made[1] <= BEATS * self.beat}
        self._made += 1
        challenge = self._chance(CHALLENGE_BYTES)
        self._challenges[challenge] = self._made, now
        heard = {word for peer in self._peers for word in (peer.heard, peer.other) if word}
        words = challenge + b"".join(sorted(heard))
        for line in self._lines.values():
            moment, hello = line.greeting()
            frame = hello.frame(moment)
            self.publish(line, self._everybody & ~(1 << line.me), frame._replace(parts=(*frame.parts, words)))

    def _gone(self, number: int) -> None:
        self._peers[number].seen = 0.0
        for line in self._lines.values():
            line.lost(number)

    # --- What comes in -----------------------------------------------------------------------------------------------

    def take(self, data: bytes) -> None:
        """Something has come from the broker: whoever it may be from."""
        try:
            envelope = self._form.opened(data, self.largest)
        except Malformed:
            self.strangers["malformed"] += 1
            return
        peer, greets = self._peers[envelope.sender], envelope.body[0] == HELLO
        current = envelope.session == peer.session
        if not current and not greets:
            self.strangers["of another session"] += 1
        elif current and envelope.number <= peer.last.get(envelope.lane, peer.base):
            self.strangers["again, or out of order"] += 1
        elif not self._form.is_signed(envelope):
            self.strangers["forged"] += 1
        else:
            if current:
                peer.last[envelope.lane] = envelope.number
            try:
                frame = from_bytes(envelope.body)
                if greets:
                    self._greeted(envelope, peer, frame)
                else:
                    self._deliver(envelope, frame, len(data))
            except Malformed:
                self._refuse(envelope, "malformed")

    def _receivers(self, envelope: Envelope) -> Iterator[Attendant]:
        return (line for me, line in self._lines.items() if envelope.receivers >> me & 1)

    def _refuse(self, envelope: Envelope, reason: str) -> None:
        """Few reasons, of our own words: what a member sends makes no new ones."""
        for line in self._receivers(envelope):
            line.traffic[envelope.sender].refused[reason] += 1

    def _deliver(self, envelope: Envelope, frame: Frame, size: int) -> None:
        sender, now = envelope.sender, time.monotonic()
        if frame.kind == BYE:
            self._gone(sender)
        elif self._peers[sender].seen:
            for line in self._receivers(envelope):
                line.take(sender, frame, size, now)

    def _greeted(self, envelope: Envelope, peer: _Peer, frame: Frame) -> None:
        """A beat.

        Raises:
            Malformed: it is none.
        """
        words = _words(frame, self._charter.n_members)
        hello = frame._replace(parts=frame.parts[:1])
        said = hello_of(hello)
        if said.charter != self._charter.identity:
            raise Malformed("greeting: of another charter")
        if spoken(frames.PROTOCOLS, (said.oldest, said.newest)) is None:
            self._refuse(envelope, "speaks none of our versions")
            return
        now = time.monotonic()
        ours = [self._challenges[word] for word in words[1:] if word in self._challenges]
        answered = max((which for which, made in ours if now - made <= BEATS * self.beat), default=0)
        if envelope.session == peer.session:
            peer.heard = words[0]
        elif answered > peer.adopted:
            peer.session, peer.adopted, peer.base, peer.last = envelope.session, self._made, envelope.number, {}
            peer.heard, peer.other = words[0], b""
            self._gone(envelope.sender)  # what was connected is another process
        else:
            if envelope.session != peer.stranger:
                self._soon.set()
            peer.stranger, peer.other = envelope.session, words[0]
            return
        peer.hello = hello
        if answered:
            if not peer.seen:
                self._soon.set()
                for line in self._receivers(envelope):
                    line.found(envelope.sender, hello)
            peer.seen = now


def _words(frame: Frame, members: int) -> list[bytes]:
    """The challenges in a beat: its own, then those heard.

    Raises:
        Malformed: there are none, or too many.
    """
    if len(frame.parts) != 2:
        raise Malformed("beat: expected two parts")
    size = len(frame.parts[1])
    if size % CHALLENGE_BYTES or not CHALLENGE_BYTES <= size <= CHALLENGE_BYTES * (2 * members + 1):
        raise Malformed("beat: challenges out of bounds")
    return [frame.parts[1][at : at + CHALLENGE_BYTES] for at in range(0, size, CHALLENGE_BYTES)]
