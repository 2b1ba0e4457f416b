"""When a stage ends: a rule without a clock of its own; times are handed in, in seconds of any clock that only rises.

How it works. Every member tells every other one that it has ended a stage (its mark). Who has ended a later stage has
ended this one, too: a mark that is lost is not waited for. A stage ends here

- when the marks for it of all who are not suspected have come, if those and one's own are at least a quorum; or
- at its deadline, which is measured from the own start of the stage.

Who has not marked by the deadline is suspected, until its mark for the stage that is under way comes in time. So a
member that is gone, or asleep, costs one deadline in all and not one a stage. A quorum is needed because a node that
suspects everybody would else run through its rounds alone, in milliseconds. All of this is a matter of speed: what is
agreed on is right whoever is suspected.

A member that sends its mark to one victim at the last moment stretches that one's stages. It cannot stop them: the
deadline holds, and `stretched` counts by whom. The others wait for the victim: on their side the victim is counted, so
what the victim says of it matters.
"""

from collections import Counter

from folkmoot.machine import Moment

_OFTEN, _LATELY = 3, 8  # in so many of the last so many rounds


class Pace:
    """The pace of one member.

    Attributes:
        suspected: members whose marks are not waited for.
        stretched: how often each member's mark was the last one, and came in the last quarter of the time for marks,
            which is all of a stage but the time in which applications play.
        missed: how often each member was waited for until the deadline.
        stretchers: members that stretched stages in several of the last rounds.
        at: the stage under way.
    """

    def __init__(self, members: int, me: int, quorum: int) -> None:
        self._others = frozenset(range(members)) - {me}
        self._quorum, self._stage, self._late = quorum, 0.0, 0.0
        self._marked: set[int] = set()
        self._ended: dict[int, Moment] = {}  # the last stage that each member has marked
        self._began = 0.0
        self.at = Moment(0, 0)
        self.suspected: set[int] = set()
        self.stretched: Counter[int] = Counter()
        self.missed: Counter[int] = Counter()
        self._lately: dict[int, list[int]] = {}  # by member: the last rounds in which it stretched a stage

    def begin(self, moment: Moment, now: float, seconds: float, play: float = 0.0) -> None:
        """The stage of this moment begins, be it the next or a later one; it lasts so many seconds at most.

        `play`: seconds of it in which applications play. All may take them: nobody is late who marks right after.
        """
        self.at, self._began, self._stage = moment, now, seconds
        self._late = now + play + 0.75 * (seconds - play)
        self._marked = {who for who, then in self._ended.items() if then >= moment}
        self.suspected -= self._marked

    def mark(self, sender: int, moment: Moment, now: float) -> None:
        """A member has ended the stage of this moment."""
        if sender not in self._others or not self.at <= moment <= Moment(self.at.round + 1, moment.stage):
            return
        self._ended[sender] = max(moment, self._ended.get(sender, moment))
        if sender not in self._marked:
            self._marked.add(sender)
            self.suspected.discard(sender)
            if moment == self.at and now > self._late and self._all_have():
                self.stretched[sender] += 1
                rounds = self._lately.setdefault(sender, [])
                if moment.round not in rounds:
                    self._lately[sender] = [*rounds, moment.round][-_OFTEN:]

    @property
    def stretchers(self) -> frozenset[int]:
        """See the attributes."""
        first = self.at.round - _LATELY
        return frozenset(m for m, rounds in self._lately.items() if len(rounds) == _OFTEN and rounds[0] > first)

    def _all_have(self) -> bool:
        """Have all who are not suspected marked? Among hundreds, lengths alone answer it for most marks."""
        enough = len(self._marked) >= len(self._others) - len(self.suspected)
        return enough and self._others - self.suspected <= self._marked

    @property
    def deadline(self) -> float:
        """When the stage ends, whoever has not marked."""
        return self._began + self._stage

    @property
    def missing(self) -> frozenset[int]:
        """Of whom no mark for this stage has come."""
        return self._others - self._marked

    def is_over(self, now: float) -> bool:
        """Does the stage end now?"""
        if now >= self.deadline:
            return True
        return len(self._marked) + 1 >= self._quorum and self._all_have()

    def end(self, now: float) -> None:
        """The stage has ended: who was waited for until its deadline is suspected."""
        if now >= self.deadline:
            late = self._others - self._marked - self.suspected
            self.missed.update(late)
            self.suspected |= late
