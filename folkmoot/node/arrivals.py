"""What has come from others and waits for its step: bounded for each sender, whatever that sends.

A frame of a step holds all of one sender and one moment; there is one of them. It is held if it is for the stage under
way, or a later one of this round or the next; what is for a stage that is over is late. Of a late one, the next step
gets the kinds that its stage takes late. Of one sender so many frames and bytes are held at most; one frame is always.

Each frame says in which moment its sender is. That a member is in a round is believed once two things that it said, one
after the other, were of that round or of later ones, and if it can be that round by now. So a single wrong frame moves
nobody, and what a member says of a time far ahead is forgotten as soon as it does not go on from there.
"""

from collections.abc import Callable, Collection, Sequence

from folkmoot.machine import Moment, Received, Stage
from folkmoot.node.frames import PART_BYTES, Frame
from folkmoot.simulation.host import admit

MOST_FRAMES, MOST_BYTES = 128, 1 << 22  # of one sender that wait
TWO_STORIES = "two frames of one stage"  # which differ: of two nodes with one key, or of a liar


class Arrivals:
    """What waits for one machine.

    Attributes:
        furthest: the moment each other member has spoken of last.
    """

    def __init__(self, others: Sequence[int]) -> None:
        self._frames: dict[Moment, dict[int, tuple[bytes, ...]]] = {}
        self._late: dict[int, tuple[bytes, ...]] = {}
        self._waiting: dict[int, dict[Moment, int]] = {number: {} for number in others}  # bytes of each frame
        self.furthest = dict.fromkeys(others, Moment(0, 0))
        self._before: dict[int, Moment] = {}  # of which it spoke before that
        self._spoke: set[int] = set()
        self._told: dict[int, dict[Moment, int]] = {
            number: {} for number in others
        }  # of the last frames, a mark of each
        self._met: dict[int, int] = {}  # in which round each was when it was first connected

    def greeted(self, sender: int, moment: Moment) -> None:
        """A member is connected, and says where it is."""
        self._met.setdefault(sender, moment.round)
        self.speaks(sender, moment)

    def speaks(self, sender: int, moment: Moment) -> None:
        """A member is in this moment, as it says."""
        if sender in self._spoke:
            self._before[sender] = self.furthest[sender]
        self._spoke.add(sender)
        self.furthest[sender] = moment

    def take(self, sender: int, frame: Frame, at: Moment) -> str:
        """Hold a frame while the stage `at` is under way; why not, or nothing."""
        moment = frame.moment
        self.speaks(sender, moment)
        if moment.round > at.round + 1:
            return "too far ahead" if at.round else "before this node began"
        if self._is_another(sender, frame):
            return TWO_STORIES
        if moment < at:
            if sender in self._late:
                return "too much that is late"
            self._late[sender] = frame.parts
            return ""
        if self.has(sender, moment):
            return "second frame of a stage"
        waiting, size = self._waiting[sender], sum(map(len, frame.parts)) + PART_BYTES * len(frame.parts)
        if waiting and (len(waiting) >= MOST_FRAMES or sum(waiting.values()) + size > MOST_BYTES):
            return "too much that is early"
        waiting[moment] = size
        self._frames.setdefault(moment, {})[sender] = frame.parts
        return ""

    def _is_another(self, sender: int, frame: Frame) -> bool:
        """Has this member said something else in that stage already?"""
        told, mark = self._told[sender], hash(frame.parts)
        first = told.setdefault(frame.moment, mark)
        if len(told) > MOST_FRAMES:
            del told[next(iter(told))]
        return first != mark

    def has(self, sender: int, moment: Moment) -> bool:
        """Is this member's frame of that moment there?"""
        return sender in self._frames.get(moment, ())

    def inbox(
        self, ended: Moment, stage: Stage, kind_of: Callable[[bytes], str]
    ) -> tuple[list[Received], dict[str, int]]:
        """For the step after the stage that has ended: what is within its bounds, and what is not, and why."""
        in_time = self._frames.pop(ended, {})
        found = [Received(sender, part) for sender in sorted(in_time) for part in in_time[sender]]
        late, self._late = self._late, {}
        for sender in sorted(late):
            found += [Received(sender, part) for part in late[sender] if kind_of(part) in stage.late]
        self._frames = {moment: held for moment, held in self._frames.items() if moment > ended}
        for sender, waiting in self._waiting.items():
            self._waiting[sender] = {moment: size for moment, size in waiting.items() if moment > ended}
        admitted, refused = admit(stage, found, kind_of)
        return admitted, dict(refused)

    def _believed(self, sender: int, latest: int) -> int:
        """In which round a member is; of one that has said a single thing, in that of its greeting."""
        last = self.furthest[sender]
        round = min(self._before.get(sender, last), last).round
        return round if round <= latest else 0

    def is_passed(self, at: Moment, faults: int, latest: int, connected: Collection[int]) -> int:
        """A later round that more members than may lie are in, and that can be by now (`latest`); 0: there is none.

        Nor is there one for a member that has not begun, but heard them begin the first: it is still part of that.
        """
        ahead = sorted((self._believed(sender, latest) for sender in connected), reverse=True)
        there = ahead[faults] if len(ahead) > faults else 0
        if there == 1 and sum(round > 0 for round in self._met.values()) <= faults:
            return 0
        return there if there > at.round else 0

    def is_reached(self, moment: Moment, faults: int) -> bool:
        """Do more members than may lie speak of this moment, or of a later one?"""
        return sum(seen >= moment for seen in self.furthest.values()) > faults
