"""Who is there in a round: agents that are absent now and then, join late, or leave.

How it works: an absent agent does nothing in that round. It neither pulls nor sends nor hears nor learns; all links to
and from it are down; and nothing of that round enters its regret. It keeps what it knows. Others are not told why
they do not hear from it.
"""

from collections.abc import Iterable, Sequence
from operator import index
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from folkmoot.coins import PRESENCE, Coins, replicate_coins, uniform
from folkmoot.configuration import Configuration, Plain
from folkmoot.doors import array, is_whole, one_or_row
from folkmoot.errors import brief
from folkmoot.interface import Index, Links, implements

Absence = tuple[int, int, int | None]
_WRITTEN_OUT = 2_000  # up to so many entries of a recording are written out in a result's configuration
_FOR_GOOD = 2**32  # a round after every horizon
_NO_COINS = replicate_coins(0, 0, 0)


class PresenceRecord(NamedTuple):
    """Probabilities, absences agent after agent, and a recording, which has no rounds if there is none."""

    probability: NDArray[np.float64]  # [n_agents]
    start: NDArray[np.int64]  # [n_agents + 1], where the absences of each agent begin
    first: NDArray[np.int64]  # [absences], first round of each
    last: NDArray[np.int64]  # [absences], last round of each
    recorded: NDArray[np.bool_]  # [rounds, n_agents]


class Presence(Configuration):
    """Which agents are present in a round; those who are not do nothing in it.

    Attributes:
        probability: an agent is present in a round with this probability in (0, 1], independently of others and other
            rounds; a number, or one for each agent.
        absences: (agent, first, last): the agent is absent from round `first` to round `last`, both included; without
            `last`, or with None, for good. So (3, 1, 500) joins in round 501, and (3, 800) leaves after round 799. An
            agent may have several.
        recorded: bool [rounds, n_agents], true where an agent is present; played again from the start when it ends. It
            stands alone.

    Raises:
        ValueError: a probability outside (0, 1], an absence that is not such numbers or ends before it begins, a
            recording that is no such table, is empty or has nobody there in any round, or stands beside other fields.
    """

    probability: Annotated[float | tuple[float, ...], Plain(float | list[float])] = 1.0
    absences: Annotated[tuple[Absence, ...], Plain(list[list[int]])] = ()
    recorded: Annotated[NDArray[np.bool_] | None, Plain(list[list[bool]] | None)] = Field(None)

    @model_validator(mode="after")
    def _all_of_it_can_be(self) -> Self:
        probability, absences = _probabilities(self.probability), tuple(map(_absence, _listed(self.absences)))
        recorded = None if self.recorded is None else _recording(self.recorded)
        if recorded is not None and (probability != 1.0 or absences):
            raise ValueError("recorded: stands alone; expected neither probability nor absences beside it")
        return self._settle(probability=probability, absences=absences, recorded=recorded)

    def record(self, n_agents: int) -> PresenceRecord:
        """What the kernels need, for so many agents.

        Raises:
            ValueError: it speaks of other agents than there are.
        """
        probability = np.atleast_1d(np.asarray(self.probability, np.float64))
        if isinstance(self.probability, tuple) and len(probability) != n_agents:
            raise ValueError(f"presence: probability for {len(probability)} agents: expected {n_agents}")
        for agent, first, last in self.absences:
            if agent >= n_agents:
                raise ValueError(
                    f"presence: absence {(agent, first, last)}: expected an agent from 0 to {n_agents - 1}"
                )
        table = np.zeros((0, n_agents), np.bool_) if self.recorded is None else self.recorded
        if table.shape[1] != n_agents:
            raise ValueError(f"presence: recorded for {table.shape[1]} agents: expected {n_agents}")
        ordered = sorted(self.absences, key=lambda absence: absence[:2])
        count = np.bincount(np.array([a for a, _, _ in ordered], np.int64), minlength=n_agents)
        return PresenceRecord(
            np.broadcast_to(probability, n_agents).copy(),
            np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
            np.array([first for _, first, _ in ordered], np.int64),
            np.array([_FOR_GOOD if last is None else last for _, _, last in ordered], np.int64),
            np.array(table),
        )

    def gone(self, n_agents: int, horizon: int) -> list[int]:
        """Agents that are not there in round `horizon`, whatever coins say."""
        presence, present = self.record(n_agents), np.ones(n_agents, np.bool_)
        draw_presence(presence._replace(probability=np.ones(n_agents)), horizon, _NO_COINS, present)
        return [int(agent) for agent in np.flatnonzero(~present)]

    def describe(self) -> dict[str, Any]:
        """What is said, as plain values; a long recording by its length."""
        out: dict[str, Any] = {}
        if self.probability != 1.0:
            out["probability"] = list(self.probability) if isinstance(self.probability, tuple) else self.probability
        if self.absences:
            out["absences"] = [list(absence) for absence in self.absences]
        if self.recorded is not None:
            out["recorded_rounds"] = len(self.recorded)
            out |= {"recorded": self.recorded.tolist()} if self.recorded.size <= _WRITTEN_OUT else {}
        return out


def _listed(given: Any) -> Iterable[Any]:
    single = isinstance(given, str) or getattr(given, "shape", (1,)) == ()  # also an array without an axis
    if single or not isinstance(given, Sequence | np.ndarray) or getattr(given, "dtype", np.dtype(int)).names:
        raise ValueError(f"absences = {brief(given)}: expected a list of (agent, first, last)")
    return given


def _absence(given: Any) -> Absence:
    """One absence, checked.

    Raises:
        ValueError: see Presence.
    """
    try:
        agent, first, *rest = given
        if not all(is_whole(one) or one is None for one in (agent, first, *rest)):
            raise ValueError("numbers")
        last = None if not rest or rest[0] is None else index(rest[0])
        agent, first = index(agent), index(first)
    except (TypeError, ValueError):
        rest = [None, None]
    if len(rest) > 1 or any(isinstance(entry, bool | np.bool_) for entry in given):
        raise ValueError(f"absence {brief(given)}: expected (agent, first, last) or (agent, first), whole numbers")
    if agent < 0 or first < 1 or (last is not None and last < first):
        raise ValueError(f"absence {brief(given)}: expected an agent from 0 on, and rounds with 1 <= first <= last")
    if max(agent, first, last or 0) > _FOR_GOOD:
        raise ValueError(
            f"absence {brief(given)}: expected numbers of at most 2**32; without a last round it is for good"
        )
    return agent, first, last


def _probabilities(given: Any) -> float | tuple[float, ...]:
    """One probability, or a tuple of them.

    Raises:
        ValueError: see Presence.
    """
    allowed = "a probability in (0, 1], or one for each agent"
    values = one_or_row("probability", given, allowed)
    if not all(0.0 < p <= 1.0 for p in (values if isinstance(values, tuple) else (values,))):
        raise ValueError(f"probability = {brief(given)}: expected {allowed}")
    return values


def _recording(given: Any) -> NDArray[np.bool_]:
    """The recording as an array of its own.

    Raises:
        ValueError: see Presence.
    """
    allowed = "true and false, [rounds, n_agents], at least one of each"
    table = array("recorded", given, allowed, "flag")
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"recorded of shape {table.shape}: expected {allowed}")
    if not table.any():
        raise ValueError("recorded: nobody is there in any round: expected somebody in at least one")
    table.setflags(write=False)
    return table


@implements(PresenceRecord)
def draw_presence(presence: PresenceRecord, t: int, coins: Coins, present: NDArray[np.bool_]) -> None:
    rounds = len(presence.recorded)
    for i in range(len(present)):
        there = True
        if rounds > 0:
            there = presence.recorded[(t - 1) % rounds, i]
        for a in range(presence.start[i], presence.start[i + 1]):
            if presence.first[a] <= t and t <= presence.last[a]:
                there = False
        if there and presence.probability[i] < 1.0:
            there = uniform(coins, PRESENCE, t, i, 0) < presence.probability[i]
        present[i] = there


@implements(PresenceRecord)
def here(presence: PresenceRecord, present: NDArray[np.bool_], i: Index) -> bool:
    there: bool = present[i]
    return there


@implements(PresenceRecord)
def spare_links(presence: PresenceRecord, active: Links) -> Links:
    n = len(presence.probability)
    return Links(np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(len(active.neighbours), np.int32))


@implements(PresenceRecord)
def meet(presence: PresenceRecord, present: NDArray[np.bool_], active: Links, heard: Links) -> None:
    """The rows of those who are there, without those who are not."""
    end = 0
    for i in range(len(present)):
        heard.start[i] = end
        if present[i]:
            for e in range(active.start[i], active.start[i] + active.count[i]):
                j = active.neighbours[e]
                if present[j]:
                    heard.neighbours[end] = j
                    end += 1
        heard.count[i] = end - heard.start[i]
