"""A replicate of bandits as the plain values of a row of the log, and back; and arrays of any system likewise."""

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import DamagedFile


class Finished(NamedTuple):
    """One finished replicate of bandits."""

    replicate: int
    pulls: NDArray[np.int64]  # [n_agents, n_arms]
    team_pulls: NDArray[np.int64]  # [checkpoints, n_arms]
    messages: int
    bytes: int
    seconds: float
    verified: int  # pulls
    spent: NDArray[np.float64]  # [n_arms] by the adversary
    decisions: NDArray[np.int64]  # [n_agents] arms settled on for good; -1 is none
    decided_at: NDArray[np.int64]  # [n_agents] the round of that; 0 is never
    more: Mapping[str, NDArray[Any]] = {}  # what was asked for beyond these, by name


_ARRAYS = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"})  # types in `more`
_LISTS = ("team_pulls", "pulls", "spent", "decisions", "decided_at")
_KINDS = {"replicate": int, "messages": int, "bytes": int, "seconds": float, "verified": int}


def check_fields(row: Mapping[str, Any], kinds: Mapping[str, type], others: tuple[str, ...] = ()) -> None:
    """See that a row has these fields, and those of `kinds` these types: counts of 64 bits, finite numbers.

    Raises:
        DamagedFile: it does not.
    """
    if set(row) != {*kinds, *others}:
        raise DamagedFile(f"expected the fields {', '.join(sorted({*kinds, *others}))}")
    for name, kind in kinds.items():
        if type(row[name]) is not kind:
            raise DamagedFile(f"{name} = {row[name]!r}: expected {kind.__name__}")
        if kind in (int, float) and not 0 <= row[name] < 1 << 63:
            raise DamagedFile(f"{name} = {row[name]}: expected at least 0, in 64 bits")


def pack(array: NDArray[Any]) -> str:
    """The numbers of an array, little-endian, deflated, in base 64."""
    data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    return base64.b64encode(zlib.compress(data)).decode("ascii")


def unpack(text: Any, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """The array with these numbers.

    Raises:
        DamagedFile: there is none of this type and shape.
    """
    kind = np.dtype(dtype)
    size = kind.itemsize * int(np.prod(shape, dtype=np.int64))
    try:
        inflate = zlib.decompressobj()
        data = inflate.decompress(base64.b64decode(text, validate=True), size + 1)
    except (TypeError, ValueError, binascii.Error, zlib.error) as error:
        raise DamagedFile(f"unreadable numbers: {error}") from None
    if len(data) != size:
        raise DamagedFile(f"unreadable numbers: expected {size} bytes")
    return np.frombuffer(data, kind.newbyteorder("<")).astype(kind).reshape(shape)


def encode(outcome: Finished) -> dict[str, Any]:
    """A finished replicate as a row, without its number."""
    return {
        "team_pulls": outcome.team_pulls.tolist(),
        "pulls": pack(outcome.pulls),
        "messages": int(outcome.messages),
        "bytes": int(outcome.bytes),
        "seconds": float(outcome.seconds),
        "verified": int(outcome.verified),
        "spent": [float(x) for x in outcome.spent],
        "decisions": outcome.decisions.tolist(),
        "decided_at": outcome.decided_at.tolist(),
        **({"more": {name: _told(array) for name, array in outcome.more.items()}} if outcome.more else {}),
    }


def _told(array: NDArray[Any]) -> list[Any]:
    """An array of any type and shape: those, and its numbers."""
    return [array.dtype.str.lstrip("<>|="), list(array.shape), pack(array)]


def _more(told: Any, wanted: Sequence[str], checkpoints: int) -> dict[str, NDArray[Any]]:
    """The arrays of these names. Raises DamagedFile: they are not there, or one has not a place a checkpoint."""
    if not isinstance(told, dict) or set(told) != set(wanted):
        raise DamagedFile(f"more: expected the arrays {', '.join(wanted)}")
    found = {}
    for name, value in told.items():
        kind, shape, numbers = value if isinstance(value, list) and len(value) == 3 else ("", [], "")
        sizes = isinstance(shape, list) and all(type(size) is int and 0 <= size < 1 << 31 for size in shape)
        if kind not in _ARRAYS or not sizes or shape[:1] != [checkpoints] or prod(shape) >= 1 << 40:
            raise DamagedFile(f"more: {name}: expected numbers [checkpoints, ...] with their type and shape")
        found[name] = unpack(numbers, kind, tuple(shape))
    return found


def decode(
    row: Mapping[str, Any],
    n: int,
    k: int,
    checkpoints: NDArray[np.int64],
    liars: Sequence[int] = (),
    more: Sequence[str] = (),
    absent: bool = False,
) -> Finished:
    """A row as the replicate of n agents and k arms that it was.

    Args:
        row: as `encode` made it, and its number.
        n, k, checkpoints: of the game.
        liars: those whose pulls do not count.
        more: the names of the arrays that it was asked for.
        absent: may agents have been absent in some rounds?

    Raises:
        DamagedFile: it is not one; also when its counts do not add up.
    """
    check_fields(row, _KINDS, (*_LISTS, *(["more"] if more else [])))
    pulls = unpack(row["pulls"], np.int64, (n, k))
    try:
        team = np.array(row["team_pulls"])
        spent = np.array(row["spent"], np.float64)
        decisions, decided_at = np.array(row["decisions"]), np.array(row["decided_at"])
    except (TypeError, ValueError, OverflowError) as error:
        raise DamagedFile(f"unreadable numbers: {error}") from None
    if team.shape != (len(checkpoints), k) or team.dtype != np.int64:
        raise DamagedFile("team_pulls: expected whole numbers [checkpoints, n_arms]")
    honest = np.delete(pulls, liars, axis=0)
    made, most = team.sum(axis=1), len(honest) * checkpoints
    if (made > most if absent else made != most).any() or (honest.sum(axis=0) != team[-1]).any():
        raise DamagedFile("the pulls do not add up")
    if spent.shape != (k,) or not (spent >= 0.0).all():
        raise DamagedFile("spent: expected numbers of at least 0 [n_arms]")
    horizon = int(checkpoints[-1])
    for name, value, low, high in (("decisions", decisions, -1, k - 1), ("decided_at", decided_at, 0, horizon)):
        if value.shape != (n,) or value.dtype != np.int64 or (value < low).any() or (value > high).any():
            raise DamagedFile(f"{name}: expected whole numbers [n_agents] from {low} to {high}")
    counts = (row["messages"], row["bytes"], row["seconds"], row["verified"])
    asked = _more(row["more"], more, len(checkpoints)) if more else {}
    return Finished(row["replicate"], pulls, team, *counts, spent, decisions, decided_at, asked)
