"""What an amendment says of the charter before it, and what an epoch begins with."""

from typing import NamedTuple

from folkmoot.encoding import Malformed, decode, digest, encode
from folkmoot.node.frames import OPENING, Frame

MOST_EPOCHS = 1_000
MOST_CARRIED = 1 << 18  # bytes


class Amends(NamedTuple):
    """What an amendment follows.

    Attributes:
        before: digest of the charter before it.
        epoch: number of the epoch that it begins: 2 for that of the first amendment.
        after: round of the epoch before, which is its last one. Where there is a chain, the first block of this round
            or of a later one is the last block.
    """

    before: bytes
    epoch: int
    after: int


class Opening(NamedTuple):
    """Where the chain of the epoch before has ended.

    Attributes:
        height, hash: of its last block; 0 and nothing where there is no chain.
        carried: what the accounts of the next chain begin with, see `folkmoot.bc_ucb.opening`; nothing where there is
            none before, or after.
    """

    height: int
    hash: bytes
    carried: bytes = b""


NOTHING = Opening(0, b"")


def identity_of(charter: bytes, opening: Opening | None) -> bytes:
    """32 bytes that all of an epoch is bound to; `charter`: its digest."""
    if opening is None or opening == NOTHING:
        return charter  # what is carried over follows from the block
    return digest("epoch", (charter, opening.height, opening.hash))


def is_opening(opening: Opening) -> bool:
    """Is it one, as far as that can be seen without the chain?"""
    return len(opening.hash) == (32 if opening.height else 0) and len(opening.carried) <= MOST_CARRIED


def opening_frame(charter: bytes, opening: Opening) -> Frame:
    """What is said to a member that is still in another epoch."""
    return Frame(OPENING, parts=(encode((charter, *opening)),))


def opening_of(frame: Frame) -> tuple[bytes, Opening]:
    """The digest of the charter, and how its epoch began.

    Raises:
        Malformed: it says something else.
    """
    value = decode(frame.parts[0]) if len(frame.parts) == 1 else None
    if type(value) is not tuple or tuple(map(type, value)) != (bytes, int, bytes, bytes):
        raise Malformed("opening: expected a charter, a height, a hash, and what is carried over")
    charter, opening = value[0], Opening(*value[1:])
    if len(charter) != 32 or not 0 <= opening.height < 1 << 62 or not is_opening(opening):
        raise Malformed("opening: out of bounds")
    return charter, opening
