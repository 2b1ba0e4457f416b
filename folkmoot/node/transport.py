"""How frames get from member to member: one small interface, which sockets, a broker and a memory network have.

A transport vouches for who sent a frame. It loses frames rather than wait, keeps the order of one sender where it can,
and never holds more for a peer, or of a peer, than its bounds.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from folkmoot.machine import ALL, Moment
from folkmoot.node.frames import PART_BYTES, STEP, Frame, Hello, size_of

Arrived: TypeAlias = Callable[[int, Frame], None]  # who sent it, and the frame; called in the event loop

Tail: TypeAlias = Callable[[Hello], tuple[bytes, ...]]  # what one is shown that greets from the epoch before

_MOST_REASONS, _OTHERS = 32, "others"


def no_tail(said: Hello) -> tuple[bytes, ...]:
    """Nothing is shown."""
    return ()


class Reasons(Counter[str]):
    """Counts by reason. What others send chooses some of the words: beyond 32 of them, new ones are "others"."""

    def __setitem__(self, reason: str, count: int) -> None:
        """Count."""
        if reason not in self and len(self) >= _MOST_REASONS:
            reason, count = _OTHERS, self[_OTHERS] + count
        super().__setitem__(reason, count)


TOO_LARGE = "larger than the broker takes"  # why something was not sent


@dataclass
class Traffic:
    """Of one peer, for operators.

    Attributes:
        sent, received: bytes.
        frames: received.
        dropped: frames that were not sent because the peer reads too slowly.
        refused: frames and connections that were not taken, by reason.
        connected: is there a connection now?
        version: of its software, as it says.
        elsewhere: how often it had come with another charter when it last came with ours.
    """

    sent: int = 0
    received: int = 0
    frames: int = 0
    dropped: int = 0
    refused: Counter[str] = field(default_factory=Reasons)
    connected: bool = False
    version: str = ""
    elsewhere: int = 0

    @property
    def came_elsewhere(self) -> int:
        """How often it has come with another charter."""
        return sum(count for reason, count in self.refused.items() if reason.startswith("of another charter"))

    @property
    def is_elsewhere(self) -> bool:
        """Has it come with another charter since it last came with ours?"""
        return self.came_elsewhere > self.elsewhere

    def meets(self) -> None:
        """It has come with ours."""
        self.elsewhere = self.came_elsewhere


class Transport(Protocol):
    """See the head of the module."""

    @property
    def settles(self) -> float:
        """Seconds after which whoever this member is connected with is connected with it."""

    @property
    def traffic(self) -> dict[int, Traffic]:
        """Of each other member."""

    @property
    def connected(self) -> frozenset[int]:
        """Members that can be reached now."""

    def send(self, to: int, frame: Frame) -> None:
        """On its way, or lost: never waits."""

    async def start(self, arrived: Arrived, greeting: Callable[[], tuple[Moment, Hello]]) -> None:
        """Begin to listen and to connect; `greeting` gives what is said first on each connection."""

    async def stop(self) -> None:
        """Let go of everything."""


def largest_frame(stages: Iterable[tuple[int, int]]) -> int:
    """Bytes of the largest frame of a step; `stages`: messages and bytes of each, of one sender."""
    return max(size_of([size]) + PART_BYTES * messages for messages, size in stages)


def speak(transport: Transport, moment: Moment, said: Iterable[tuple[int | None, bytes]]) -> None:
    """Send what a step says: one frame for each other member, be there anything in it or not."""
    words = list(said)
    same = all(receiver is ALL for receiver, _ in words)
    frame = Frame(STEP, moment, tuple(data for _, data in words) if same else ())
    for other in transport.traffic:
        if not same:
            frame = frame._replace(parts=tuple(data for receiver, data in words if receiver in (ALL, other)))
        transport.send(other, frame)
