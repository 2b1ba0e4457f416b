"""Messages of agents as bytes: one row of a record, with the round and the exchange it is for.

A message is the canonical encoding of (round, exchange, field, field, ...): each field an array, the sender's row of
the outbox; fields without room for anything are left out. Who sent it is not in it, for that is what the channel
vouches for.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from folkmoot.encoding import Limits, Malformed, decode, encode

Record: TypeAlias = Any  # a NamedTuple of arrays whose first axis is the agent

LARGEST = 2.0**100  # of a number in a message: sums and products of such numbers stay finite
_MOST_ROUND = (1 << 63) - 1


class Message(NamedTuple):
    """What a message says, with types and shapes checked."""

    round: int
    exchange: int  # 0, or 1 for the second of the round
    row: tuple[NDArray[Any], ...]


def pack(round: int, exchange: int, record: Record, i: int) -> bytes:
    """Row i of a record as a message.

    Raises:
        ValueError: a field of a type that has no encoding.
    """
    return encode((round, exchange, *(np.array(column[i]) for _, column in _fields(record))))


def _fields(record: Record) -> list[tuple[str, NDArray[Any]]]:
    """Those that say something, by name."""
    return [(name, column) for name, column in zip(record._fields, record) if column.size > 0]


def row_bytes(record: Record) -> int:
    """Size of a row in memory; 0: the record says nothing."""
    return sum(int(column.nbytes) // len(column) for column in record)


def most_bytes(boxes: tuple[Record, Record]) -> int:
    """The longest message that these two records, one for each exchange, allow."""
    return max(len(pack(_MOST_ROUND, exchange, record, 0)) for exchange, record in enumerate(boxes))


def unpack(data: bytes, boxes: tuple[Record, Record], limits: Limits) -> Message:
    """The message in these bytes.

    Raises:
        Malformed: it is none: another form, another type or shape, a number that is not finite or above 2**100.
    """
    value = decode(data, limits)
    if type(value) is not tuple or len(value) < 2 or type(value[0]) is not int or type(value[1]) is not int:
        raise Malformed("expected a round, an exchange and a row")
    round, exchange, *row = value
    if not 1 <= round <= _MOST_ROUND or exchange not in (0, 1):
        raise Malformed(f"round {round}, exchange {exchange}: expected a round from 1 on, and exchange 0 or 1")
    fields = _fields(boxes[exchange])
    if len(row) != len(fields):
        raise Malformed(f"{len(row)} fields: expected {len(fields)}")
    for (name, column), field in zip(fields, row):
        _check(name, column, field)
    return Message(round, exchange, tuple(row))


def _check(name: str, column: NDArray[Any], field: Any) -> None:
    if type(field) is not np.ndarray or field.dtype != column.dtype or field.shape != column.shape[1:]:
        raise Malformed(f"{name}: expected {column.dtype} of shape {column.shape[1:]}")
    if field.dtype.kind == "f" and not (np.abs(field) <= LARGEST).all():
        raise Malformed(f"{name}: expected finite numbers of at most 2**100")


def limits(boxes: tuple[Record, Record]) -> Limits:
    """What a message may cost to read."""
    return Limits(size=most_bytes(boxes), depth=1, items=3 + max(map(len, boxes)), int_size=8)


def write(record: Record, j: int, message: Message) -> None:
    """Put the row of agent j into its place."""
    for (_, column), field in zip(_fields(record), message.row):
        column[j] = field
