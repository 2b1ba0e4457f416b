"""Frames over a broker that is not trusted: the line of each member that a process hosts. See meeting.py."""

import asyncio
import os
from collections.abc import Callable

from folkmoot.agreement.identity import Identity
from folkmoot.machine import Chance, Moment
from folkmoot.node.charter import Charter
from folkmoot.node.frames import Frame, Hello, hello_of
from folkmoot.node.meeting import Meeting, Wire, beat_of
from folkmoot.node.transport import TOO_LARGE, Arrived, Traffic

_BURST_SECONDS = 2.0  # what a peer may send ahead of its budget


class Post:
    """A process's connection to one broker, for all members that it hosts."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._meetings: dict[bytes, Meeting] = {}
        self._lines = 0

    def line(
        self, charter: Charter, me: int, seed: bytes, largest: int, budget: float,
        *, beat: float | None = None, chance: Chance = os.urandom,
    ) -> "Line":  # fmt: skip
        """The transport of a member.

        Args:
            charter, me, seed: whose.
            largest: bytes of the largest frame that is read.
            budget: bytes a second that one peer may send to one member for long.
            beat: seconds from beat to beat; left out: `beat_of`.
            chance: for sessions and challenges.
        """
        meeting = self._meetings.get(charter.identity)
        if meeting is None:
            every = beat_of(charter.n_members) if beat is None else beat
            meeting = self._meetings[charter.identity] = Meeting(self.wire, charter, every, chance)
        meeting.largest = max(meeting.largest, largest)
        return Line(self, meeting, charter, me, seed, max(budget, 4.0 * largest))

    async def begin(self) -> None:
        """A line has begun."""
        self._lines += 1
        if self._lines == 1:
            await self.wire.start(self._changed)

    async def end(self) -> None:
        """A line has ended."""
        self._lines -= 1
        if self._lines == 0:
            await asyncio.sleep(0)  # a last word leaves
            await self.wire.stop()

    def _changed(self, up: bool) -> None:
        for meeting in self._meetings.values():
            meeting.changed(up)


class Line:
    """The line of one member; see `folkmoot.node.transport.Transport`.

    Attributes:
        me, identity: whose it is.
        traffic: of each other member.
        greeting: what is said in each beat.
    """

    greeting: Callable[[], tuple[Moment, Hello]]

    def __init__(self, post: Post, meeting: Meeting, charter: Charter, me: int, seed: bytes, budget: float) -> None:
        self._post, self.meeting, self.me, self.identity, self._budget = post, meeting, me, Identity(seed), budget
        others = [number for number in range(charter.n_members) if number != me]
        self.traffic = {number: Traffic() for number in others}
        self._live: set[int] = set()
        self._allowed = dict.fromkeys(others, (_BURST_SECONDS * budget, 0.0))
        self._waiting: list[tuple[Frame, int]] = []
        self._arrived: Arrived | None = None

    @property
    def settles(self) -> float:
        """See `Transport`: it has heard of this one in the beat after the one in which this one heard of it."""
        return 2 * self.meeting.beat

    @property
    def connected(self) -> frozenset[int]:
        """See `Transport`."""
        return frozenset(self._live)

    async def start(self, arrived: Arrived, greeting: Callable[[], tuple[Moment, Hello]]) -> None:
        """See `Transport`: it does not wait for the broker."""
        self._arrived, self.greeting = arrived, greeting
        self.meeting.join(self)
        await self._post.begin()

    async def stop(self) -> None:
        """See `Transport`."""
        if self._arrived is not None:
            self._flush()
            self._arrived = None
            await self.meeting.leave(self)
            await self._post.end()

    def send(self, to: int, frame: Frame) -> None:
        """See `Transport`: what goes to several in one turn of the event loop leaves as one envelope."""
        if to not in self._live:
            self.traffic[to].dropped += 1
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        bit = 1 << to
        if self._waiting and self._waiting[-1][0] is frame and not self._waiting[-1][1] & bit:
            self._waiting[-1] = frame, self._waiting[-1][1] | bit
        else:
            self._waiting.append((frame, bit))

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        refused = self._post.wire.refused
        for frame, receivers in waiting:
            before = refused[TOO_LARGE]
            size = self.meeting.publish(self, receivers, frame)
            for to, traffic in self.traffic.items():
                if receivers >> to & 1:
                    traffic.sent += size
                    traffic.dropped += not size
                    if refused[TOO_LARGE] > before:
                        traffic.refused[TOO_LARGE] += 1

    # --- Of the meeting ----------------------------------------------------------------------------------------------

    def found(self, number: int, hello: Frame | None) -> None:
        """A member is connected."""
        if self._arrived is None or hello is None or number in self._live:
            return
        self._live.add(number)
        self.traffic[number].connected = True
        self.traffic[number].version = hello_of(hello).version
        self._arrived(number, hello)

    def lost(self, number: int) -> None:
        """It is not any more."""
        if number in self._live:
            self._live.discard(number)
            self.traffic[number].connected = False
            self.traffic[number].refused.pop(TOO_LARGE, None)  # the broker may be another one now

    def take(self, sender: int, frame: Frame, size: int, now: float) -> None:
        """A frame of another member."""
        traffic, (allowed, since) = self.traffic[sender], self._allowed[sender]
        if self._arrived is None:
            return
        allowed = min(allowed + (now - since) * self._budget, _BURST_SECONDS * self._budget)
        if allowed < size:
            self._allowed[sender] = allowed, now
            traffic.refused["too much"] += 1
            return
        self._allowed[sender] = allowed - size - 256, now
        traffic.received += size
        traffic.frames += 1
        self._arrived(sender, frame)
