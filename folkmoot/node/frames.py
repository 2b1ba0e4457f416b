"""What nodes say to each other: frames, each with its length before it.

    length        4 bytes, little-endian, of all that follows
    kind          1 byte, see `FRAME_KINDS`
    round, stage  8 and 2 bytes: the moment whose step made this; 0 where it has none
    parts         2 bytes: how many; then each with its length (4 bytes) and its bytes

A frame of kind STEP holds all that a member says to another one in one stage, and is the mark that it has ended it:
there is one of them a stage and receiver, also without any part. Whoever reads knows the most a frame may take before
it reads it, and holds no byte of one that is longer.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

from folkmoot.encoding import Malformed, decode, encode
from folkmoot.machine import Moment

HELLO, STEP, PING, PONG, WANT, BLOCKS, BYE, OPENING, GIVEN = range(1, 10)
FRAME_KINDS = {
    HELLO: "hello", STEP: "step", PING: "ping", PONG: "pong", WANT: "want", BLOCKS: "blocks", BYE: "bye",
    OPENING: "opening", GIVEN: "given",
}  # fmt: skip
LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<BQHH")
PART_BYTES = LENGTH.size  # beside the bytes of a part
MOST_PARTS = 1 << 14
HELLO_BYTES = 512  # a greeting is shorter
PROTOCOLS = (1, 1)  # the oldest and the newest version that this node speaks
NO_MOMENT = Moment(0, 0)


class Frame(NamedTuple):
    """A frame, without its length."""

    kind: int
    moment: Moment = NO_MOMENT
    parts: tuple[bytes, ...] = ()

    def to_bytes(self) -> bytes:
        """With its length before it."""
        body = [_HEAD.pack(self.kind, *self.moment, len(self.parts))]
        for part in self.parts:
            body += (LENGTH.pack(len(part)), part)
        return LENGTH.pack(sum(map(len, body))) + b"".join(body)


def size_of(parts: Iterable[int]) -> int:
    """Bytes of a frame, without its length, whose parts have these sizes."""
    return _HEAD.size + sum(PART_BYTES + size for size in parts)


def from_bytes(body: bytes) -> Frame:
    """The frame in these bytes, which come without their length.

    Raises:
        Malformed: they are no frame.
    """
    if len(body) < _HEAD.size:
        raise Malformed(f"frame of {len(body)} bytes: expected at least {_HEAD.size}")
    kind, round, stage, count = _HEAD.unpack_from(body)
    if kind not in FRAME_KINDS or count > MOST_PARTS or round >= 1 << 62:
        raise Malformed(f"frame of kind {kind} with {count} parts in round {round}: there is no such frame")
    parts, at = list[bytes](), _HEAD.size
    for _ in range(count):
        if len(body) - at < PART_BYTES:
            raise Malformed("frame: it ends inside a part")
        (size,) = LENGTH.unpack_from(body, at)
        at += PART_BYTES
        if size > len(body) - at:
            raise Malformed("frame: a part is longer than the frame")
        parts.append(body[at : at + size])
        at += size
    if at != len(body):
        raise Malformed(f"frame: {len(body) - at} bytes after its last part")
    return Frame(kind, Moment(round, stage), tuple(parts))


class Hello(NamedTuple):
    """The first frame of each side.

    Attributes:
        oldest, newest: versions of this protocol that it speaks.
        charter: digest of its charter, or what else its epoch is bound to (see epoch.py).
        version: of its software, for people.
        time: what its clock shows, in seconds.
        height: of its last block.
    """

    oldest: int
    newest: int
    charter: bytes
    version: str
    time: float
    height: int

    def frame(self, moment: Moment) -> Frame:
        """As it is sent, with the moment its sender is at."""
        return Frame(HELLO, moment, (encode(tuple(self)),))


def hello_of(frame: Frame) -> Hello:
    """What a greeting says.

    Raises:
        Malformed: it is none.
    """
    if frame.kind != HELLO or len(frame.parts) != 1:
        raise Malformed("greeting: expected a frame of kind hello with one part")
    value = decode(frame.parts[0])
    kinds = (int, int, bytes, str, float, int)
    fields = value[: len(kinds)] if type(value) is tuple else ()  # a newer version may say more, which is not for us
    if tuple(map(type, fields)) != kinds:
        raise Malformed("greeting: expected versions, a charter, a version, a time and a height")
    said = Hello(*fields)
    if not 1 <= said.oldest <= said.newest < 1 << 16 or len(said.charter) != 32 or len(said.version) > 64:
        raise Malformed("greeting: numbers or texts out of bounds")
    if not abs(said.time) < 1e12 or not 0 <= said.height < 1 << 62:
        raise Malformed("greeting: a time or a height out of bounds")
    return said


def spoken(ours: tuple[int, int], theirs: tuple[int, int]) -> int | None:
    """The newest version that both sides speak; None: there is none."""
    newest = min(ours[1], theirs[1])
    return newest if newest >= max(ours[0], theirs[0]) else None
