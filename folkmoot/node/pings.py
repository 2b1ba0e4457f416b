"""Pings: members ask each other what time it is, and how long the way is; see clock.py for what comes of it."""

import asyncio
from collections.abc import Callable, Sequence
from struct import Struct

from folkmoot.machine import Moment
from folkmoot.node.clock import Clock
from folkmoot.node.frames import PING, PONG, Frame
from folkmoot.node.transport import Transport

PING_SECONDS = 2.0
_PINGED = 16  # others that are asked for their time at once
_TIME = Struct("<d")


class Pings:
    """Those of one member."""

    def __init__(self, clock: Clock, others: Sequence[int], transport: Transport) -> None:
        self._clock, self._others, self._transport = clock, others, transport
        self._asked: dict[int, tuple[float, int]] = {}  # when each member was asked for its time, after which jump

    def time(self) -> bytes:
        """What the own clock shows, as it is sent."""
        return _TIME.pack(self._clock.wall())

    def arrived(self, sender: int, frame: Frame, moment: Moment) -> None:
        """A ping or a pong has come: parts of eight bytes, one or two."""
        if any(len(part) != _TIME.size for part in frame.parts):
            return
        if frame.kind == PING and len(frame.parts) == 1:
            self._transport.send(sender, Frame(PONG, moment, (frame.parts[0], self.time())))
        elif frame.kind == PONG and len(frame.parts) == 2:
            self._answered(sender, frame)

    def _answered(self, sender: int, frame: Frame) -> None:
        (sent, jumps), theirs = self._asked.pop(sender, (0.0, -1)), _TIME.unpack(frame.parts[1])[0]
        if jumps == self._clock.look() and frame.parts[0] == _TIME.pack(sent) and abs(theirs) < 1e12:
            self._clock.answer(sender, sent, theirs, self._clock.wall())

    def met(self, other: int, moment: Moment) -> None:
        """It has greeted: its clock is asked for at once, unless those of many are known."""
        if len(self._asked) + len(self._clock.heard) < 2 * _PINGED:
            self._ask(other, moment)

    def _ask(self, other: int, moment: Moment) -> None:
        self._asked[other] = now, _ = self._clock.wall(), self._clock.look()
        self._transport.send(other, Frame(PING, moment, (_TIME.pack(now),)))

    async def ask(self, moment: Callable[[], Moment]) -> None:
        """Ask others for their time, so many at once and by turns: the median of those that were asked will do."""
        every = PING_SECONDS * max(1.0, len(self._others) / (2 * _PINGED))  # among hundreds it is said less often
        turn = 0
        while True:
            connected = self._transport.connected
            asked = {self._others[(turn + n) % len(self._others)] for n in range(min(_PINGED, len(self._others)))}
            turn += _PINGED
            for other in self._others:
                if other in connected and other in asked:
                    self._ask(other, moment())
                elif other not in connected:
                    self._clock.forget(other)
            await asyncio.sleep(every)
