"""One agent of any algorithm as a machine: the functions of the algorithm, and bytes in place of the others' memory.

How it works. The algorithm's functions work on arrays whose first axis is the agent. This machine has such arrays too
and uses its own row alone; what others send it writes into their rows of the inbox. A round has three stages, or four
if the algorithm has a second exchange:

    play      choose an arm, which the driver pulls; whether a verified observation is asked for
    exchange  take the outcome, tell the neighbours (`publish`)
    learn     learn from the outcome and from those whose message came (`update`); tell the late things (`publish_late`)
    close     learn from the second exchange (`update_late`)

A link is up in a round if the message came, so a loss may be noticed by one side only. An algorithm that never says
anything sends nothing; one that says nothing in its first exchange, but does in its second, sends an empty message in
the first, by which its neighbours know that the link is up.

Outcomes may come late, out of order, more than once, or never (see `folkmoot.algorithms.pending`).
- At `exchange` the agent takes in one outcome, of this round's pull or of an earlier one. If none has come it goes on
  without: it tells and hears all the same.
- An outcome that comes later waits for the next round; after a window of rounds it is not taken any more.
- A round that is abandoned before `learn` is closed alone, with an outcome if one has come: each enters once.

After a restart inside a round, the arm of this round is pulled once more in the next step if no outcome has come: it is
the same arm, and the driver may have died before it told anybody. The agent then sits the exchanges of this round out,
so that the outcome can still enter in it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.algorithms import wire
from folkmoot.algorithms.learner import ALONE, Learner, as_reward
from folkmoot.algorithms.pending import WINDOW, Entering, Pending
from folkmoot.encoding import Malformed, decode, digest, encode
from folkmoot.machine import ALL, Delete, Effects, Floor, Moment, Noticed, Outcome, Put, Received, Stage, content

PLAY, EXCHANGE, LEARN, CLOSE = range(4)  # stages
PLAYED, TOLD, LEARNT, CLOSED = range(4)  # how far the agent is in its round
_MARK = "mark"  # the key of what tells whether all else that is kept is whole


class Agent:
    """An agent between two steps.

    Attributes:
        learner: what it knows.
        stages: of a round.
        next: the first moment it may act in.
        round: the round it is in; 0 before the first.
        arm: pulled in this round.
        pending: pulls that wait for their outcome.
    """

    def __init__(
        self,
        learner: Learner,
        neighbours: frozenset[int] | None,
        horizon: int,
        kept: Mapping[str, bytes],
        floor: Floor,
        window: int = WINDOW,
    ) -> None:
        """`neighbours`: with whom it may ever talk, None: with all. `horizon`: last round. See `Role` for the rest."""
        self.learner, self._horizon, self._neighbours = learner, horizon, neighbours
        others = range(learner.params.n_agents) if neighbours is None else neighbours
        self._others = frozenset(others) - {learner.index}
        self._carries = tuple(wire.row_bytes(box) > 0 for box in learner.boxes)
        self._limits = wire.limits(learner.boxes)
        self._heard: tuple[set[int], set[int]] = (set(), set())
        self.stages = self._stages()
        self.round, self.arm, self._stage, self._phase = 0, -1, len(self.stages) - 1, CLOSED
        self.pending = Pending(learner.params.n_arms, learner.seen.reward.shape[1], window, learner.bounded)
        self._window = window
        self._entered: Entering | None = None  # in this round
        self._untold = False  # may the driver not know of the pull?
        self._kept, self._marks, self._mark = dict(kept), dict[str, int](), 0
        if kept:
            self._load()
        self.next = max(self._after(Moment(self.round, self._stage)), Moment(floor.round, PLAY))

    def _stages(self) -> tuple[Stage, ...]:
        """A neighbour whose clock is ahead may send early: every stage takes a message of each exchange."""
        exchanges = 1 + self._carries[1] if any(self._carries) else 0
        names = ("play", "exchange", "learn", "close")[: 3 + self._carries[1]]
        return tuple(Stage(name, exchanges, exchanges * self._limits.size) for name in names)

    def kind_of(self, data: bytes) -> str:
        """There is one kind of message, without a name."""
        return ""

    def _after(self, moment: Moment) -> Moment:
        last = moment.stage == len(self.stages) - 1
        return Moment(moment.round + 1, PLAY) if last else Moment(moment.round, moment.stage + 1)

    # --- A step ----------------------------------------------------------------------------------------------------

    def step(
        self, moment: Moment, inbox: Sequence[Received], outcomes: Sequence[Outcome], blocks: Sequence[Any] = ()
    ) -> Effects:
        """See the head of the module.

        Raises:
            ValueError: a moment that is neither `next` nor the first of a later round, or that is after the horizon.
        """
        if moment < self.next or (moment != self.next and moment.stage != PLAY):
            raise ValueError(f"moment = {tuple(moment)}: expected {tuple(self.next)}, or stage 0 of a later round")
        if moment.round > self._horizon:
            raise ValueError(f"round = {moment.round}: expected at most the horizon, {self._horizon}")
        effects = Effects()
        with np.errstate(all="ignore"):  # as compiled loops, which know no warnings
            self._take_outcomes(outcomes, moment, effects.counts)
            if moment.stage == PLAY:
                self._close(effects.counts)
                self._enter(moment.round, effects.counts)
            for sender, data in inbox:
                if reason := self._take(sender, data, effects.counts):
                    effects.noticed.append(Noticed(sender, reason))
            self._act(moment.stage, effects)
        self._stage, self.next = moment.stage, self._after(moment)
        self._keep(effects)
        return effects

    def _act(self, stage: int, effects: Effects) -> None:
        again = self._untold and self._phase == PLAYED and self.pending.awaits(self.round)
        if again:
            effects.pull, effects.verify = self.arm, self.learner.verify(self.round, self.arm)
        self._untold = False
        if stage == EXCHANGE and self._phase == PLAYED and not again:
            self._see()
            self._phase = TOLD
            self._send(0, effects)
        elif stage == LEARN and self._phase == TOLD:
            self._learn(self._from(0))
            if self._carries[1]:
                self._send(1, effects)
            else:
                self._learn_late(self._from(0))
        elif stage == CLOSE and self._phase == LEARNT:
            self._learn_late(self._from(1))

    def _close(self, counts: Counter[str]) -> None:
        """End the last round, alone if it is still open."""
        if self._phase < LEARNT:
            counts["rounds learnt alone"] += 1
            if self._phase == PLAYED:
                self._see()
            self._learn(ALONE)
        if self._phase == LEARNT:
            self._learn_late(ALONE)

    def _see(self) -> None:
        """Take in an outcome if there is one, and write the own row of the first exchange."""
        self._entered = self.pending.enter()
        self._show()
        self.learner.publish(self.round)

    def _show(self) -> None:
        self.learner.see(self.arm, *(self._entered or (-1, None, False)))

    def _enter(self, round: int, counts: Counter[str]) -> None:
        if forgotten := self.pending.forget(round):
            counts["outcomes that never came"] += forgotten
        self.round, self.arm = round, self.learner.select(round)
        self.pending.add(round, self.arm)
        self._phase, self._entered, self._untold = PLAYED, None, True
        for senders in self._heard:
            senders.clear()

    def _learn(self, neighbours: NDArray[np.int32]) -> None:
        self.learner.learn(self.round, neighbours)
        self.learner.publish_late(self.round)
        self._phase = LEARNT

    def _learn_late(self, neighbours: NDArray[np.int32]) -> None:
        self.learner.learn_late(self.round, neighbours)
        self._phase = CLOSED

    # --- What goes out and comes in --------------------------------------------------------------------------------

    def _from(self, exchange: int) -> NDArray[np.int32]:
        return np.array(sorted(self._heard[exchange]), np.int32)

    def _send(self, exchange: int, effects: Effects) -> None:
        if any(self._carries):
            data = wire.pack(self.round, exchange, self.learner.boxes[exchange], self.learner.index)
            to: Iterable[int | None] = [ALL] if self._neighbours is None else sorted(self._neighbours)
            effects.send += [(receiver, data) for receiver in to]

    def _take_outcomes(self, outcomes: Sequence[Outcome], moment: Moment, counts: Counter[str]) -> None:
        for outcome in outcomes:
            if reason := self.pending.take(outcome, moment, self.round):
                counts[reason] += 1

    def _take(self, sender: int, data: bytes, counts: Counter[str]) -> str:
        """Take in one message; what is wrong with it, or nothing."""
        if sender not in self._others:
            return "no neighbour"
        try:
            message = wire.unpack(data, self.learner.boxes, self._limits)
        except Malformed:
            return "malformed"
        heard = self._heard[message.exchange]
        if message.round != self.round or self._phase > (LEARNT if message.exchange else TOLD):
            counts["messages of another round or too late"] += 1
            return ""
        if sender in heard:
            return "second message"
        wire.write(self.learner.boxes[message.exchange], sender, message)
        if not self.learner.is_possible(message.exchange, sender, self.round):
            return "impossible"
        heard.add(sender)
        return ""

    # --- What is kept ----------------------------------------------------------------------------------------------

    def _keep(self, effects: Effects) -> None:
        """What has changed since the last step."""
        values = {f"state.{name}": row for name, row in self.learner.rows()}
        entered = None if self._entered is None else tuple(self._entered)
        values["round"] = encode((self.round, self._stage, self._phase, self.arm, entered))
        if "agent" not in self._kept:
            values["agent"] = self.learner.digest()
            if self._window != WINDOW:
                values["window"] = encode(self._window)
        for item in self.pending.changes():
            if isinstance(item, Put):
                values[item.key] = content(item.value)
            elif isinstance(item, Delete) and self._kept.pop(item.key, None) is not None:
                self._mark ^= self._marks.pop(item.key)
                effects.keep.append(item)
        for key, value in values.items():
            if self._kept.get(key) != value:
                self._kept[key] = value
                self._note(key, value)
                effects.keep.append(Put(key, value))
        effects.keep.append(Put(_MARK, self._mark.to_bytes(32, "big")))

    def _note(self, key: str, value: bytes) -> None:
        """Bring the mark up to date: the digests of all that is kept, added without carry."""
        mark = int.from_bytes(digest("kept", (key, value)), "big")
        self._mark ^= self._marks.get(key, 0) ^ mark
        self._marks[key] = mark

    def _load(self) -> None:
        if self._kept.get("agent") != self.learner.digest():
            raise ValueError("kept values: another agent, or one of another algorithm or game, has kept them")
        mark = self._kept.pop(_MARK, b"")
        for key, value in self._kept.items():
            self._note(key, value)
        if mark != self._mark.to_bytes(32, "big"):
            raise Malformed("kept values: they are damaged, not complete, or not all of one step")
        window = decode(self._kept["window"]) if "window" in self._kept else WINDOW
        if window != self._window:
            raise ValueError(f"window = {self._window}: kept by an agent with {window}; expected the same")
        rows = {key.removeprefix("state."): row for key, row in self._kept.items() if key.startswith("state.")}
        self.learner.load(rows)
        self.round, self._stage, self._phase, self.arm, entered = self._kept_round()
        self.pending.load(self._kept)
        self._entered = None if entered is None else Entering(*entered)
        self._show()
        self._untold = self._phase == PLAYED
        if self._phase == TOLD:  # the own row, which algorithms may read
            self.learner.publish(self.round)
        elif self._phase == LEARNT:
            self.learner.publish_late(self.round)

    def _kept_round(self) -> tuple[int, int, int, int, tuple[int, NDArray[np.float64], bool] | None]:
        """The round, the stage, how far the agent was, the arm, the outcome that entered.

        Raises:
            Malformed: something else was kept.
        """
        value = decode(self._kept.get("round", b""))
        if type(value) is not tuple or tuple(map(type, value[:4])) != (int, int, int, int) or len(value) != 5:
            raise Malformed("round: expected a round, a stage, a phase, an arm and an outcome in what was kept")
        outcome = value[4]
        fits = 1 <= value[0] <= self._horizon and 0 <= value[1] < len(self.stages) and PLAYED <= value[2] <= CLOSED
        n_arms = self.learner.params.n_arms
        if not fits or not 0 <= value[3] < n_arms:
            raise Malformed(f"round = {value[:4]!r:.80}: no agent like this can have kept that")
        if outcome is not None:
            if type(outcome) is not tuple or len(outcome) != 3 or (type(outcome[0]), type(outcome[2])) != (int, bool):
                raise Malformed("outcome: expected an arm, a reward and whether it was verified in what was kept")
            size = self.learner.seen.reward.shape[1]
            if not 0 <= outcome[0] < n_arms or as_reward(outcome[1], size, self.learner.bounded) is None:
                raise Malformed("outcome: expected an arm and a reward in what was kept")
        return value
