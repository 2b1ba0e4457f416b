"""What SQLite passes over in a ledger file: bytes after its last page, and a write-ahead log that breaks off early.

SQLite reads a write-ahead log up to the first frame whose checksum is wrong, for so ends one whose writer lost power:
blocks that were acknowledged could so be gone by one flipped bit, and nothing said. But each commit was on the disk
before the next one began. So a frame that was written after a commit, as its checksum, which goes on from that of the
frame before, shows, proves that everything up to that commit had been stored whole: what is wrong there is damage.
Within the last commit, or the last two, damage cannot be told from a write that was cut off, with two exceptions: one
wrong bit makes a difference of the checksum that no torn write makes but by chance of 2**-47, and a checksum that is
right beside another number than that of this log can only be a changed number.

The checksum (of SQLite's file format, section 4.3) adds up linearly in 32 bits: that of each frame alone is two
products with fixed weights, and they are put together from frame to frame.
"""

import sqlite3
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from folkmoot.ledger.place import WAL, Place, stamp

_MAGIC = {0x377F0682: "<u4", 0x377F0683: ">u4"}  # and how the words of the checksum are stored
_VERSION = 3007000
_HEADER, _FRAME = 32, 24  # bytes; a frame is followed by its page
_TRIES = 5
_AT_ONCE = 256  # frames

Words: TypeAlias = np.ndarray[Any, np.dtype[np.uint32]]


def fault_around(database: sqlite3.Connection, place: Place) -> str | None:
    """What is wrong around the rows, in one line; None: nothing.

    Raises:
        sqlite3.Error: the file is damaged.
    """
    found = [row[0] for row in database.execute("PRAGMA quick_check(1)")]
    if found != ["ok"]:
        return str(found[0]).replace("*** in database main ***", "")
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    (size,) = database.execute("PRAGMA page_size").fetchone()
    wal = Path(f"{place.real}{WAL}")
    end = loose_end(place.real.stat().st_size, pages, size)
    if end is not None:
        return end
    logged = stamp(wal)
    for _ in range(_TRIES if logged else 0):
        try:
            with open(wal, "rb") as log:
                fault = broken_off(log, size)
        except FileNotFoundError:  # the last writer is done
            return None
        if fault is None or stamp(wal) == logged:
            return fault
        logged = stamp(wal)  # somebody writes: half of what was read was old
    return None


def loose_end(length: int, pages: int, size: int) -> str | None:
    """What follows the pages of a file of this length; there may be fewer of them than a write-ahead log goes on to."""
    if length > pages * size:
        return f"{length - pages * size} bytes follow its last page"
    return f"{length % size} bytes follow its last whole page" if length % size else None


def broken_off(log: BinaryIO, page: int) -> str | None:
    """What is wrong with the write-ahead log of a file with pages of this size, in one line; None: nothing."""
    header = log.read(_HEADER)
    if len(header) < _HEADER:
        return None  # nothing was ever committed to it
    magic, version, size = struct.unpack_from(">3I", header)
    stored = np.frombuffer(header, ">u4", 2, 24).astype(np.uint32)
    words = _MAGIC.get(magic)
    if words is None or version != _VERSION or size != page:
        return "its write-ahead log begins with no header"
    if (_sums(np.frombuffer(header, words, 6).astype(np.uint32)[None])[0] != stored).any():
        return "the header of its write-ahead log is not that which was written"
    heads, sums = [np.zeros((0, _FRAME), np.uint8)], [np.zeros((0, 2), np.uint32)]
    while part := log.read(_AT_ONCE * (_FRAME + page)):
        count = len(part) // (_FRAME + page)
        frames = np.frombuffer(part, np.uint8, count * (_FRAME + page)).reshape(count, _FRAME + page)
        covered = np.concatenate([frames[:, :8], frames[:, _FRAME:]], axis=1)
        sums.append(_sums(covered.view(words).astype(np.uint32)))
        heads.append(frames[:, :_FRAME].copy())
    wrong = _wrong_frame(np.concatenate(heads), np.concatenate(sums), stored, header[16:24], page)
    return None if wrong is None else f"frame {wrong + 1} of its write-ahead log is not that which was written"


def _wrong_frame(heads: np.ndarray[Any, Any], own: Words, first: Words, salts: bytes, page: int) -> int | None:
    """The number of a frame that is damaged and not just the end of what was written.

    A head: page number, pages after the commit (0: no commit), two salts, the two sums up to here.
    """
    step = _step((page + 8) // 8)
    current: np.ndarray[Any, Any] = np.all(heads[:, 8:16] == np.frombuffer(salts, np.uint8), axis=1)
    commit: np.ndarray[Any, Any] = np.any(heads[:, 4:8], axis=1)
    stored = heads[:, 16:24].copy().view(">u4").astype(np.uint32)
    expected = np.concatenate([first[None], stored])[:-1] @ step + own
    right: np.ndarray[Any, Any] = np.all(expected == stored, axis=1)  # written after the frame before it
    linked: np.ndarray[Any, Any] = current & right
    if linked.all():
        return None
    wrong = int(np.argmin(linked))
    if right[wrong] or (current[wrong] and _is_one_bit(stored[wrong] - expected[wrong], page)):
        return wrong
    rest = slice(wrong + 1, wrong + 2)
    if current[rest].any():  # perhaps it is only the sum that is wrong
        linked[rest] |= np.all(expected[wrong] @ step + own[rest] == stored[rest], axis=1)
    return wrong if (commit[wrong:-1] & linked[wrong + 1 :]).any() else None


def _is_one_bit(difference: Words, page: int) -> bool:
    """Is this what the sums differ by if one bit of the frame, or of the sums themselves, is another?"""
    words = np.concatenate([_weights((page + 8) // 8), np.eye(2, dtype=np.uint32)])
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    each = (words[:, None, :] * bits[None, :, None]).reshape(-1, 2)
    return bool(((each == difference) | (each == -difference)).all(axis=1).any())


def _sums(rows: Words) -> Words:
    """The two sums of each row of an even number of words, begun at zero."""
    return rows @ _weights(rows.shape[1] // 2)


_PAIR = np.array([[1, 1], [1, 2]], np.uint32)  # (s0, s1) becomes (s0 + s1, s0 + 2 s1)


@lru_cache(maxsize=4)
def _weights(pairs: int) -> Words:
    """What each word of a row of so many pairs adds to the two sums."""
    weights: Words = np.zeros((2 * pairs, 2), np.uint32)
    state = np.eye(2, dtype=np.uint32)
    for pair in reversed(range(pairs)):
        # A word x goes in as s0 += x + s1, the next as s1 += y + s0; what follows multiplies by `state`.
        weights[2 * pair] = np.array([1, 1], np.uint32) @ state
        weights[2 * pair + 1] = np.array([0, 1], np.uint32) @ state
        state = _PAIR @ state
    return weights


def _step(pairs: int) -> Words:
    """What becomes of the two sums by so many pairs of words that are zero."""
    result: Words = np.eye(2, dtype=np.uint32)
    for _ in range(pairs):
        result = result @ _PAIR
    return result
