"""What time it is for a node: its own clock, corrected by what its peers' clocks show, within a bound.

How it works. Each answer to a ping gives a peer's offset, half the way there and back taken off. The median over peers
is not moved far by fewer than half of them. A node follows that median up to `most` seconds. Beyond it, it does not
play: its rounds would not be those of the others. It still follows the chain.

If the own clock is set while the node runs, it jumps against the time since the process began. What was heard before is
of another clock then, and is forgotten.
"""

import time
from collections.abc import Callable
from statistics import median

_KEPT = 8  # last offsets of each peer


class Clock:
    """The clock of one node.

    Attributes:
        offsets: of each peer, seconds by which its clock is ahead of ours.
        heard: peers that have answered since the own clock began, or jumped.
        jumps: how often it has jumped.
    """

    def __init__(
        self, stage: float, most: float | None = None, wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`stage`: seconds of a stage; a clock that is off by more than `most` (half of it) does not play.

        `steady`: a clock that nobody sets.
        """
        self._wall, self._stage, self._steady = wall, stage, steady
        self._most = 0.5 * stage if most is None else most
        self._seen: dict[int, list[tuple[float, float]]] = {}
        self.heard: set[int] = set()
        self.jumps, self._apart = 0, self._ahead()

    def _ahead(self) -> float:
        """Of the steady clock; read again if this process was held up between two looks."""
        for _ in range(5):
            began, wall, ended = self._steady(), self._wall(), self._steady()
            if ended - began < 0.1 * self._most:
                break
        return wall - (began + ended) / 2

    def look(self) -> int:
        """Has the own clock jumped? How often so far."""
        before, self._apart = self._apart, self._ahead()
        if abs(self._apart - before) > 0.5 * self._most:
            self.jumps += 1
            self._seen, self.heard = {}, set()
        return self.jumps

    def wall(self) -> float:
        """What this machine's clock shows, uncorrected."""
        return self._wall()

    def now(self) -> float:
        """Seconds since 1970, as far as anybody knows."""
        self.look()
        return self._wall() + max(-self._most, min(self._most, self.shift))

    def answer(self, peer: int, sent: float, theirs: float, received: float) -> None:
        """A peer's clock showed `theirs` between two times of ours."""
        self.heard.add(peer)
        kept = self._seen.setdefault(peer, [])
        kept.append((received - sent, theirs - (sent + received) / 2))
        del kept[:-_KEPT]

    def forget(self, peer: int) -> None:
        """A peer that is gone does not count."""
        self._seen.pop(peer, None)

    @property
    def offsets(self) -> dict[int, float]:
        """Of each peer, of the answer that took the least time."""
        return {peer: min(kept)[1] for peer, kept in self._seen.items()}

    @property
    def shift(self) -> float:
        """Seconds by which most clocks, one's own included, are ahead of ours."""
        return median([0.0, *self.offsets.values()])

    @property
    def is_off(self) -> bool:
        """Is this machine's clock too wrong to play?"""
        return abs(self.shift) > self._most

    @property
    def warns(self) -> bool:
        """Is it off by more than a quarter of a stage?"""
        return abs(self.shift) > 0.25 * self._stage

    def wrong(self) -> dict[int, float]:
        """Peers whose clocks are off from those of most, and by how many seconds."""
        shift = self.shift
        return {peer: off - shift for peer, off in self.offsets.items() if abs(off - shift) > self._most}
