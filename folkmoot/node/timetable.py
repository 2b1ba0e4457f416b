"""Which round it is by the charter and the clock, and which it cannot be yet."""

from collections.abc import Collection

from folkmoot.machine import Moment
from folkmoot.node.arrivals import Arrivals
from folkmoot.node.clock import Clock
from folkmoot.node.terms import Terms

_CLOCKS = 16  # of others, whose median will do also among hundreds


class Timetable:
    """Of one charter, for one node. Rounds have a time only where there is a period."""

    def __init__(self, terms: Terms, clock: Clock, quorum: int, members: int) -> None:
        self._terms, self._clock, self._needed, self._members = terms, clock, min(quorum - 1, _CLOCKS), members

    @property
    def knows_clocks(self) -> bool:
        """Have the clocks of a quorum been heard since the own one began, or jumped?"""
        self._clock.look()
        return len(self._clock.heard) >= self._needed

    @property
    def is_unsure(self) -> bool:
        """Is there a time for each round, and not known here?"""
        return bool(self._terms.period) and (not self.knows_clocks or self._clock.is_off)

    @property
    def round(self) -> int:
        """Whose time it is; below 1: it has not begun, or rounds have no time."""
        if not self._terms.period:
            return 0
        return int((self._clock.now() - self._terms.starts) // self._terms.period) + 1

    def left(self, round: int) -> float:
        """Seconds until this round begins."""
        return self._terms.starts + (round - 1) * self._terms.period - self._clock.now()

    def left_to_play(self, round: int) -> float:
        """Seconds until its arm has been played, whatever the clock says no more than a charter gives."""
        return max(0.0, min(self._terms.play, self.left(round) + self._terms.play))

    def latest(self, plays_on: bool) -> int:
        """The last round that anybody can be in; `plays_on`: they may go on beyond those of the charter."""
        if self._terms.period and not self.is_unsure:
            return self.round + 1
        return self.most if plays_on else self._terms.rounds

    def passed(self, arrivals: Arrivals, at: Moment, connected: Collection[int], plays_on: bool) -> int:
        """See `Arrivals.is_passed`. Of more than two members, no single one says that all rounds are over."""
        latest, faults = self.latest(plays_on), self._terms.faults
        there = arrivals.is_passed(at, faults, latest, connected)
        if there >= self._terms.rounds and self._members > 2:
            return arrivals.is_passed(at, max(1, faults), latest, connected)
        return there

    @property
    def most(self) -> int:
        """Nobody is beyond this one, whatever amendments there are."""
        return 2 * self._terms.rounds + 1_000
