"""When outcomes come: at once, later, or never.

How it works: the outcome of a pull sets out in the round of the pull, after any adversary's turn, and is due after its
delay. In each round an agent takes in at most one outcome, the one that has been due longest; another that is due
waits for the next round, and all wait for an agent that is absent. A lost outcome never comes. Agents are not told
of an outcome's delay: they see which arm it is of.
"""

from functools import cached_property
from math import log, sqrt
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from folkmoot.coins import FEEDBACK, Coins, two_uniforms
from folkmoot.configuration import Configuration, Plain, shown
from folkmoot.doors import array, within
from folkmoot.interface import Index, Seen, implements, kernel

Delay = int | Literal["geometric"] | NDArray[np.int64]
_WRITTEN_OUT = 2_000  # up to so many entries of a recording are written out in a result's configuration
_MOST_BYTES = 16 * 2**30  # of outcomes under way in a replicate
_HALVES = 120  # the room for outcomes is too small with a chance of at most two to minus this, in one round
_LONGEST = 2**32  # delays beyond every horizon
_ROUNDS = "a number of rounds of at least 0 and below 2**32"


class FeedbackRecord(NamedTuple):
    """The law of delays and losses."""

    horizon: int
    delay: int  # of every outcome; -1: geometric
    shrink: float  # log(1 - p) of the geometric law with success probability p = 1 / (1 + mean); 0: no delay
    recorded: NDArray[np.int64]  # [rounds, n_agents]; no rounds if there is no recording
    loss: float
    room: int  # outcomes of an agent that may be under way at once


class Calendar(NamedTuple):
    """Outcomes under way, for each agent a heap whose top has been due longest."""

    entries: NDArray[np.int64]  # [n_agents], in use
    due: NDArray[np.int64]  # [n_agents, room]
    round: NDArray[np.int64]  # [n_agents, room], of the pull
    arm: NDArray[np.int64]  # [n_agents, room]
    reward: NDArray[np.float64]  # [n_agents, room, n_objectives]
    verified: NDArray[np.bool_]  # [n_agents, room]
    came: NDArray[np.int64]  # [n_agents], round of the pull whose outcome has come in this round; 0: none


class Feedback(Configuration):
    """When the outcome of a pull comes to the agent that pulled.

    Attributes:
        delay: rounds until an outcome comes, 0 is the round of the pull: a whole number; "geometric", with `mean`; or a
            recording, int [rounds, n_agents], of each pull's delay, played again from the start when it ends, in
            which -1 says that the outcome never comes.
        mean: mean delay of "geometric", at least 0 and below 2**32: each round after the first an outcome comes with
            the same chance.
        loss: probability that an outcome never comes, from 0 to 1.

    Raises:
        ValueError: a delay or mean below 0 or from 2**32 on, a loss outside [0, 1], a recording that is no such table,
            a mean without "geometric", or the reverse.
    """

    delay: Annotated[Delay, Plain(int | Literal["geometric"] | list[list[int]])] = 0
    mean: float | None = Field(None, ge=0, allow_inf_nan=False)
    loss: float = Field(0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _the_delay_is_one(self) -> Self:
        delay = self.delay
        if (self.mean is not None) != (isinstance(delay, str) and delay == "geometric"):
            raise ValueError(f"mean = {self.mean}: expected one with delay = 'geometric', and only then")
        if self.mean is not None and self.mean >= _LONGEST:
            raise ValueError(f"mean = {self.mean}: expected {_ROUNDS}")
        return self._settle(delay=delay if isinstance(delay, str) and self.mean is not None else _checked(delay))

    def record(self, n_agents: int, n_objectives: int, horizon: int) -> FeedbackRecord:
        """What the kernels need, in such a world.

        Raises:
            ValueError: a recording for another number of agents, or more outcomes under way than memory allows.
        """
        table = np.zeros((0, n_agents), np.int64)
        if isinstance(self.delay, np.ndarray):
            table = self.delay
            if table.shape[1] != n_agents:
                raise ValueError(f"feedback: delay recorded for {table.shape[1]} agents: expected {n_agents}")
        room = self._room(horizon)
        size = n_agents * room * (8 * n_objectives + 25)
        if size > _MOST_BYTES:
            raise ValueError(
                f"feedback: {room} outcomes of each of {n_agents} agents may be under way, which would need "
                f"{size / 2**30:.0f} GiB a replicate; allowed are {_MOST_BYTES // 2**30} GiB"
            )
        shrink = 0.0 if not self.mean else log(self.mean / (1.0 + self.mean))
        fixed = int(self.delay) if isinstance(self.delay, int) else -1 if self.mean is not None else 0
        return FeedbackRecord(horizon, fixed, shrink, np.array(table), self.loss, room)

    def _room(self, horizon: int) -> int:
        """Most outcomes of one agent under way at once.

        Their number grows only in rounds in which none is due, so it never exceeds the most that are not due yet. A
        geometric law's are independent, `mean` on average; Bernstein's inequality bounds them.
        """
        if self.mean is not None:
            x = _HALVES * log(2.0)
            return min(horizon, int(self.mean + sqrt(2.0 * self.mean * x) + x)) + 1
        if isinstance(self.delay, np.ndarray):
            return min(horizon, self._most_recorded) + 1
        return min(horizon, int(self.delay)) + 1

    @cached_property
    def _most_recorded(self) -> int:
        """Most outcomes of an agent not due yet, in any round of the recording played for ever."""
        table = np.asarray(self.delay)
        rounds = len(table)
        longest = int(table.max(initial=0))
        if longest > rounds:  # more than once around: bounded by the longest delay
            return longest
        most = 0
        for column in table.T:
            change = np.zeros(3 * rounds + 2, np.int64)
            for turn in range(2):
                begin = np.arange(rounds)[column > 0] + turn * rounds
                np.add.at(change, begin, 1)
                np.add.at(change, begin + column[column > 0], -1)
            most = max(most, int(np.cumsum(change)[: 2 * rounds].max(initial=0)))
        return most

    def describe(self) -> dict[str, Any]:
        """What is said, as plain values; a long recording by its length."""
        out: dict[str, Any] = {"delay": self.delay}
        if isinstance(self.delay, np.ndarray):
            out = {"recorded_rounds": len(self.delay)}
            out |= {"delay": self.delay.tolist()} if self.delay.size <= _WRITTEN_OUT else {}
        if self.mean is not None:
            out["mean"] = self.mean
        return {**out, "loss": self.loss} if self.loss else out


def _checked(delay: Any) -> int | NDArray[np.int64]:
    """A fixed delay, or a recording as an array of its own.

    Raises:
        ValueError: see Feedback.
    """
    if isinstance(delay, int | np.integer) and not isinstance(delay, bool):
        if not 0 <= delay < _LONGEST:
            raise ValueError(f"delay = {delay}: expected {_ROUNDS}")
        return int(delay)
    if isinstance(delay, str | float | bool) or delay is None:
        raise ValueError(f"delay = {shown(delay)}: expected a number of rounds, 'geometric', or [rounds, n_agents]")
    allowed = "whole numbers, [rounds, n_agents], at least one of each"
    table = array("delay", delay, allowed, "whole")
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"delay of shape {table.shape}: expected {allowed}")
    within(
        table, -1, _LONGEST - 1, lambda t, i: f"delay of round {t + 1}, agent {i}",
        said=f"{_ROUNDS}, or -1 for an outcome that never comes",
    )  # fmt: skip
    table.setflags(write=False)
    return table


@implements(FeedbackRecord)
def fresh_seen(feedback: FeedbackRecord, n_agents: int, n_objectives: int) -> Seen:
    """Outcomes and pulls are no longer the same: two arrays."""
    return Seen(
        np.zeros(n_agents, np.int64),
        np.zeros((n_agents, n_objectives), np.float64),
        np.zeros(n_agents, np.bool_),
        np.zeros(n_agents, np.int64),
    )


@implements(FeedbackRecord)
def calendar(feedback: FeedbackRecord, n_agents: int, n_objectives: int) -> Calendar:
    n, room = n_agents, feedback.room
    return Calendar(
        np.zeros(n, np.int64), np.zeros((n, room), np.int64), np.zeros((n, room), np.int64),
        np.zeros((n, room), np.int64), np.zeros((n, room, n_objectives), np.float64), np.zeros((n, room), np.bool_),
        np.zeros(n, np.int64),
    )  # fmt: skip


@kernel
def delay_of(feedback: FeedbackRecord, i: Index, t: int, coins: Coins) -> int:
    """Rounds until the outcome of agent i's pull of round t comes; -1: never."""
    delay, lost = feedback.delay, False
    if len(feedback.recorded) > 0:
        delay = feedback.recorded[(t - 1) % len(feedback.recorded), i]
    if feedback.loss > 0.0 or feedback.delay < 0:
        first, second = two_uniforms(coins, FEEDBACK, t, int(i), 0)
        lost = second < feedback.loss
        if feedback.delay < 0:
            rounds = 0.0 if feedback.shrink == 0.0 else log(1.0 - first) / feedback.shrink
            delay = int(min(rounds, 4294967296.0))
    return -1 if lost else int(delay)


@kernel
def before(calendar: Calendar, i: Index, one: int, other: int) -> bool:
    """Is entry `one` due before entry `other`, or its pull the earlier one?"""
    if calendar.due[i, one] != calendar.due[i, other]:
        return calendar.due[i, one] < calendar.due[i, other]  # type: ignore[no-any-return]
    return calendar.round[i, one] < calendar.round[i, other]  # type: ignore[no-any-return]


@kernel
def exchange(calendar: Calendar, i: Index, one: int, other: int) -> None:
    """Let two entries change their places."""
    due, pull, arm = calendar.due[i, one], calendar.round[i, one], calendar.arm[i, one]
    verified = calendar.verified[i, one]
    calendar.due[i, one], calendar.due[i, other] = calendar.due[i, other], due
    calendar.round[i, one], calendar.round[i, other] = calendar.round[i, other], pull
    calendar.arm[i, one], calendar.arm[i, other] = calendar.arm[i, other], arm
    calendar.verified[i, one], calendar.verified[i, other] = calendar.verified[i, other], verified
    for j in range(calendar.reward.shape[2]):
        value = calendar.reward[i, one, j]
        calendar.reward[i, one, j] = calendar.reward[i, other, j]
        calendar.reward[i, other, j] = value


@implements(FeedbackRecord)
def post(feedback: FeedbackRecord, calendar: Calendar, i: Index, t: int, coins: Coins, seen: Seen) -> None:
    """An outcome that would come after the horizon does not set out."""
    delay = delay_of(feedback, i, t, coins)
    if delay < 0 or delay > feedback.horizon - t:
        return
    place = calendar.entries[i]
    assert place < feedback.room, "more outcomes are under way than there is room for"
    calendar.entries[i] += 1
    calendar.due[i, place], calendar.round[i, place] = t + delay, t
    calendar.arm[i, place], calendar.verified[i, place] = seen.pulled[i], seen.verified[i]
    for j in range(calendar.reward.shape[2]):
        calendar.reward[i, place, j] = seen.reward[i, j]
    while place > 0 and before(calendar, i, place, (place - 1) >> 1):
        exchange(calendar, i, place, (place - 1) >> 1)
        place = (place - 1) >> 1


@implements(FeedbackRecord)
def fetch(feedback: FeedbackRecord, calendar: Calendar, i: Index, t: int, seen: Seen) -> None:
    seen.arm[i], seen.verified[i], calendar.came[i] = -1, False, 0
    for j in range(calendar.reward.shape[2]):
        seen.reward[i, j] = 0.0
    if calendar.entries[i] == 0 or calendar.due[i, 0] > t:
        return
    seen.arm[i], seen.verified[i] = calendar.arm[i, 0], calendar.verified[i, 0]
    calendar.came[i] = calendar.round[i, 0]
    for j in range(calendar.reward.shape[2]):
        seen.reward[i, j] = calendar.reward[i, 0, j]
    last = calendar.entries[i] - 1
    calendar.entries[i] = last
    exchange(calendar, i, 0, last)
    place = 0
    while 2 * place + 1 < last:
        child = 2 * place + 1
        if child + 1 < last and before(calendar, i, child + 1, child):
            child += 1
        if not before(calendar, i, child, place):
            break
        exchange(calendar, i, child, place)
        place = child
