"""What strangers and peers may take of a node: connections, bytes, frames.

A `Door` counts the connections whose peer has not said yet who it is. Their number is bounded, of one address and in
all, and each holds its place for a while, also if it ends at once. So what a stranger costs has a bound a second,
however fast it knocks, and a stranger that holds its connections open keeps no more than its places.

A `Budget` is what one member may send, over all its connections: bytes and frames a second, and a burst ahead of them.
"""

import asyncio
from collections import Counter

AT_ONCE = 8  # connections of one address whose peer is not known yet
AT_ONCE_IN_ALL = 64
HELD_SECONDS = 0.25  # that a connection keeps its place at least
BURST_SECONDS = 2.0  # what a peer may send ahead of its budget
FRAMES_A_SECOND = 1_000
PARTS_A_FRAME = 32  # a frame with more counts as several
BYTES_BESIDE = 256  # what a frame costs beside its bytes


class Door:
    """Connections whose peer is not known yet, by address."""

    def __init__(self) -> None:
        self._inside: Counter[str] = Counter()
        self._in_all = 0

    def enter(self, host: str) -> bool:
        """Take a place; False: there is none."""
        if self._inside[host] >= AT_ONCE or self._in_all >= AT_ONCE_IN_ALL:
            return False
        self._inside[host] += 1
        self._in_all += 1
        return True

    def leave(self, host: str, seconds: float) -> None:
        """Give the place back, which was held for so long."""
        if seconds < HELD_SECONDS:
            asyncio.get_running_loop().call_later(HELD_SECONDS - seconds, self._free, host)
        else:
            self._free(host)

    def _free(self, host: str) -> None:
        self._in_all -= 1
        self._inside[host] -= 1
        if not self._inside[host]:
            del self._inside[host]


class Budget:
    """What one member may send."""

    def __init__(self, bytes_a_second: float, now: float) -> None:
        self._rates = bytes_a_second, float(FRAMES_A_SECOND)
        self._left = [rate * BURST_SECONDS for rate in self._rates]
        self._since = now

    def spend(self, size: int, parts: int, now: float) -> float:
        """A frame of so many bytes and parts has come: seconds for which no other one is to be read; 0: none."""
        passed, self._since = now - self._since, now
        for n, (rate, cost) in enumerate(zip(self._rates, (size + BYTES_BESIDE, 1 + parts / PARTS_A_FRAME))):
            self._left[n] = min(self._left[n] + passed * rate, rate * BURST_SECONDS) - cost
        return max(0.0, *(-left / rate for left, rate in zip(self._left, self._rates)))
