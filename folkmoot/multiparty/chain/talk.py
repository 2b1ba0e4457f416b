"""What participants of a consortium say to each other besides their votes.

A sample, an application and an answer carry the signatures of those who made them; contents carry their names. So none
of these messages has a signature of its own, and anybody may pass them on.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from folkmoot.agreement import messages as voting
from folkmoot.agreement.forms import Field, Forms
from folkmoot.multiparty.chain.entries import NAME_BYTES

MOST_NAMES = 64  # of contents, in one message
ROOM = voting.LIMITS.size - (1 << 12)  # bytes of contents in one message


class SampleTold(NamedTuple):
    """A signed sample, see `messages.SampleSent`."""

    content: bytes


class Applied(NamedTuple):
    """A signed application, see `messages.Application`, and the parameters it names."""

    content: bytes
    parameters: bytes


class Answered(NamedTuple):
    """What an original party says of a newcomer: the record, see `OriginalParty.assess`."""

    content: bytes


class WishTold(NamedTuple):
    """An act that is to come to a block, see wishes.py."""

    content: bytes


class RecordsTold(NamedTuple):
    """The records of an exchange that are to come to a block, see wishes.py."""

    content: bytes


class ExchangeTold(NamedTuple):
    """A sheet of an exchange, or an answer to one, see sheets.py."""

    content: bytes


class Lacking(NamedTuple):
    """Asks for contents."""

    names: tuple[bytes, ...]


class Given(NamedTuple):
    """Contents, asked for or about to be named by a proposal."""

    contents: tuple[bytes, ...]


_FIELDS = {
    **voting.FIELDS,
    "content": Field(bytes, lambda value, shape: True),  # bounded by the message
    "parameters": Field(bytes, lambda value, shape: True),
    "names": Field(
        tuple,
        lambda value, shape: (
            len(value) <= MOST_NAMES and all(type(name) is bytes and len(name) == NAME_BYTES for name in value)
        ),
    ),
    "contents": Field(
        tuple, lambda value, shape: len(value) <= MOST_NAMES and all(type(data) is bytes for data in value)
    ),
}

# Of a chain of the shape (members,).
CONSORTIUM = Forms(
    {
        0: SampleTold,
        1: Applied,
        2: Answered,
        3: Lacking,
        10: Given,
        11: WishTold,
        12: ExchangeTold, 13: RecordsTold,
        **voting.MESSAGE_KINDS,
    },
    _FIELDS,
    voting.wrong,
    voting.LIMITS,
)  # fmt: skip


def given(contents: Iterable[bytes], room: int = ROOM) -> Iterator[Given]:
    """Contents in as many messages as they need, each with `room` for so many bytes; what fits in none is left out."""
    packed: list[bytes] = []
    size = 0
    for content in contents:
        if len(content) > room:
            continue
        if packed and (len(packed) == MOST_NAMES or size + len(content) + 16 > room):
            yield Given(tuple(packed))
            packed, size = [], 0
        packed.append(content)
        size += len(content) + 16
    if packed:
        yield Given(tuple(packed))
