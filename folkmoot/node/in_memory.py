"""A transport without sockets, for members that live in one program: for tests, and to see what a charter costs."""

import asyncio
from collections.abc import Callable

from folkmoot.machine import Moment
from folkmoot.node.frames import LENGTH, Frame, Hello, from_bytes
from folkmoot.node.transport import Arrived, Traffic


def _whole(sender: int, receiver: int, frame: Frame) -> bool:
    return True


class Switchboard:
    """Joins members in memory.

    Attributes:
        lets_through: of sender, receiver and frame: does it arrive?
    """

    def __init__(self, members: int, lets_through: Callable[[int, int, Frame], bool] = _whole) -> None:
        self.lets_through = lets_through
        self.lines: dict[int, InMemory] = {}
        self.members = members

    def line(self, me: int) -> "InMemory":
        """The transport of a member."""
        return InMemory(self, me)


class InMemory:
    """See `folkmoot.node.transport.Transport`."""

    def __init__(self, board: Switchboard, me: int) -> None:
        self._board, self._me = board, me
        self.traffic = {number: Traffic() for number in range(board.members) if number != me}

    @property
    def settles(self) -> float:
        """See `Transport`."""
        return 0.0

    @property
    def connected(self) -> frozenset[int]:
        """Those that have begun."""
        return frozenset(self._board.lines) - {self._me}

    async def start(self, arrived: Arrived, greeting: Callable[[], tuple[Moment, Hello]]) -> None:
        """See `Transport`."""
        self._arrived, self._greeting = arrived, greeting
        for other, line in self._board.lines.items():
            self.traffic[other].connected = line.traffic[self._me].connected = True
            line._arrived(self._me, _greeted(self))
            arrived(other, _greeted(line))
        self._board.lines[self._me] = self

    async def stop(self) -> None:
        """See `Transport`."""
        self._board.lines.pop(self._me, None)
        for line in self._board.lines.values():
            line.traffic[self._me].connected = False

    def send(self, to: int, frame: Frame) -> None:
        """See `Transport`: it goes as bytes, and arrives in a later turn of the event loop."""
        data = frame.to_bytes()
        line = self._board.lines.get(to)
        self.traffic[to].sent += len(data)
        if line is None or not self._board.lets_through(self._me, to, frame):
            self.traffic[to].dropped += 1
            return
        asyncio.get_running_loop().call_soon(line._take, self._me, data)

    def _take(self, sender: int, data: bytes) -> None:
        self.traffic[sender].received += len(data)
        self.traffic[sender].frames += 1
        self._arrived(sender, from_bytes(data[LENGTH.size :]))


def _greeted(line: InMemory) -> Frame:
    moment, hello = line._greeting()
    return hello.frame(moment)
