"""Proof of work: a counter that gives a digest with so many leading zero bits (Back 2002, "Hashcash").

A chain that does not want it demands zero bits. The counter is the last 8 bytes, little-endian, of what is
hashed, so everything before it is hashed once. Nobody's clock or dice are asked: the caller names the counters.
"""

import struct
from collections.abc import Callable

from folkmoot.encoding import hasher, sha256

MOST_BITS = 64  # a digest of 64 zero bits is out of anybody's reach
MOST_COUNTER = (1 << 64) - 1
ASK_EVERY = 4096  # counters between two questions whether to stop
_COUNTER = struct.Struct("<Q")


def enough(digest: bytes, bits: int) -> bool:
    """Does a digest of 32 bytes begin with at least `bits` zero bits (0 to 256)?"""
    return int.from_bytes(digest, "big") >> (256 - bits) == 0


def search(
    domain: str, prefix: bytes, bits: int, counters: range, stop: Callable[[], bool] = lambda: False
) -> int | None:
    """The first of `counters` with which digest(domain, prefix + counter) has enough zero bits.

    `stop` is asked before every 4,096th counter; the search ends when it says True. None: not found.

    Raises:
        ValueError: bits not from 0 to 64, or counters not from 0 to 2**64 - 1.
    """
    if not 0 <= bits <= MOST_BITS:
        raise ValueError(f"bits = {bits}: expected 0 to {MOST_BITS}")
    if counters and not (min(counters[0], counters[-1]) >= 0 and max(counters[0], counters[-1]) <= MOST_COUNTER):
        raise ValueError(f"counters = {counters}: expected counters from 0 to 2**64 - 1")
    midstate = hasher(domain)
    midstate.update(prefix)
    target = 1 << (256 - bits)
    for done, counter in enumerate(counters):
        if done % ASK_EVERY == 0 and stop():
            return None
        state = midstate.copy()
        state.update(_COUNTER.pack(counter))
        if int.from_bytes(sha256(state.digest()).digest(), "big") < target:
            return counter
    return None


def counter_bytes(counter: int) -> bytes:
    """How a counter is hashed.

    Raises:
        ValueError: not an integer from 0 to 2**64 - 1.
    """
    if type(counter) is not int or not 0 <= counter <= MOST_COUNTER:
        raise ValueError(f"counter = {counter!r:.40}: expected an integer from 0 to 2**64 - 1")
    return _COUNTER.pack(counter)
