"""Liars among cooperative agents: some of them tell their neighbours something else than the algorithm would.

A liar is an agent in everything but its words. It pulls what the algorithm says, from its own rewards and from what it
hears, and liars tell each other the truth. To all others it says, in each of its messages, what its law makes of the
truth; form, size and time of its messages stay, so that nobody can tell. Two outboxes do it: agents with even numbers
read the one, agents with odd numbers the other, and the rows of liars may differ in them.
"""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from folkmoot import interface
from folkmoot.coins import Coins
from folkmoot.configuration import Configuration, of_kind
from folkmoot.doors import array
from folkmoot.interface import IMPLEMENTATIONS, Index, Links, Seen, implements, kernel
from folkmoot.world.lies import LIES, FlippedLie, Lie, LieRecord
from folkmoot.world.rewards import Rewards


def _as_lie(given: Any, info: ValidationInfo) -> Any:
    """A law by its name, with the defaults of its class; in a file also a table with a `type`.

    Raises:
        ValueError: it is none.
    """
    if isinstance(given, str):
        return of_kind(LIES, {"type": given}, info.context or ())
    if info.context is not None:
        return of_kind(LIES, given, info.context)
    if not isinstance(given, Lie):
        raise ValueError(f"expected a name, {', '.join(map(repr, LIES))}, or a law such as folkmoot.ConstantLie()")
    return given


class Liars(Configuration):
    """Who lies, and how.

    Attributes:
        agents: their numbers, from 0; at least one agent must be honest.
        law: what they say, by name with its defaults, or a law such as `PromotingLie(arm=2)`.
        counts: how many pulls a liar claims to stand behind its words, where messages have counts: its "own", or the
            "most" that anybody can have made of every arm. Algorithms believe them, by weight or by waiting.

    Raises:
        ValueError: agents that are no such numbers or are named twice, a law that is none.
    """

    label: ClassVar[str] = "Liars"
    agents: Annotated[tuple[int, ...], Field(min_length=1)]
    law: Annotated[Lie, BeforeValidator(_as_lie)]
    counts: Literal["own", "most"] = "own"

    def __init__(self, agents: Sequence[int], law: Lie | str, **fields: Any) -> None:
        numbers = array("Liars: agents", agents, "a list of agent numbers from 0 on", "whole")
        if numbers.ndim != 1:
            raise ValueError(f"Liars: agents of shape {numbers.shape}: expected a list of agent numbers")
        self._write(agents=tuple(numbers.tolist()), law=law, **fields)

    @field_validator("agents")
    @classmethod
    def _each_is_named_once(cls, agents: tuple[int, ...]) -> tuple[int, ...]:
        for place, i in enumerate(agents):
            if i < 0:
                raise ValueError(f"{i}: expected numbers from 0 on")
            if i in agents[:place]:
                raise ValueError(f"{i} is named twice; expected each agent once")
        return agents

    def record(self, rewards: Rewards) -> "LiarsRecord":
        """What the kernels need, in this world.

        Raises:
            ValueError: an agent that is not there, nobody honest, or a law that does not fit.
        """
        n, who = rewards.n_agents, np.zeros(rewards.n_agents, np.bool_)
        for i in self.agents:
            if i >= n:
                raise ValueError(f"Liars: agents: {i}: expected a number from 0 to {n - 1}")
            who[i] = True
        if who.all():
            raise ValueError(f"Liars: agents: all {n} of them lie; expected at least one that does not")
        self.law.record(rewards)
        return LiarsRecord(who, len(self.agents), self.counts == "most")

    @staticmethod
    def nobody(rewards: Rewards) -> "tuple[LiarsRecord, LieRecord]":
        """The records of a world in which nobody lies, for a loop that is compiled for liars."""
        return LiarsRecord(np.zeros(rewards.n_agents, np.bool_), 0, False), FlippedLie().record(rewards)

    def check(self, label: str, boxes: Sequence[Any]) -> None:
        """See that every record of messages of an algorithm says how to lie in it.

        Raises:
            ValueError: one does not: a liar would tell the truth.
        """
        for box in boxes:
            kind = type(box)
            if sum(column.nbytes for column in box) > 0 and (kind, "say") not in IMPLEMENTATIONS:
                raise ValueError(
                    f"liars: {label}: {kind.__qualname__} does not implement `say`; expected it of every record of "
                    "messages (docs/add-an-algorithm.md)"
                )

    def lie(self, record: Any, law: Any, params: Any, i: int, t: int, side: int, box: Any, coins: Coins) -> None:
        """Put what liar i tells receivers of one side into row i of a box of messages, where the truth stands."""
        misspeak(record, law, params, i, t, side, box, np.zeros(params.n_arms), coins)

    def describe(self) -> dict[str, Any]:
        """The configuration as plain values, for provenance."""
        return {"agents": list(self.agents), "law": self.law.describe(), "counts": self.counts}


class LiarsRecord(NamedTuple):
    """Numbers the kernels need."""

    who: NDArray[np.bool_]  # [n_agents]  does it lie?
    n_liars: int  # without any nothing is done, and the second outboxes are not read
    most: bool  # do liars claim the most pulls?


@implements(LiarsRecord)
def second_box(liars: LiarsRecord, params: Any) -> Any:
    return interface.outbox(params)


@implements(LiarsRecord)
def second_late_box(liars: LiarsRecord, params: Any) -> Any:
    return interface.late_outbox(params)


@implements(LiarsRecord)
def hear(liars: LiarsRecord, i: Index, box: Any, second: Any) -> Any:
    return box if liars.n_liars == 0 or i % 2 == 0 else second


@implements(LiarsRecord)
def lies(liars: LiarsRecord, i: Index) -> bool:
    told: bool = liars.who[i]
    return told


@implements(LiarsRecord)
def mislead(
    liars: LiarsRecord, law: Any, params: Any, state: Any, t: int, coins: Coins, seen: Seen, box: Any, second: Any,
    heard: Links, words: NDArray[np.float64],
) -> None:  # fmt: skip
    if liars.n_liars == 0:
        return
    for i in range(params.n_agents):
        if seen.pulled[i] >= 0:
            interface.publish(params, state, i, t, seen, second)
    for i in range(params.n_agents):
        if liars.who[i] and seen.pulled[i] >= 0:
            row = heard.neighbours[heard.start[i] : heard.start[i] + heard.count[i]]
            interface.update(params, state, i, t, seen, box, row, coins)
    for i in range(params.n_agents):
        if liars.who[i]:
            misspeak(liars, law, params, i, t, 0, box, words, coins)
            misspeak(liars, law, params, i, t, 1, second, words, coins)


@implements(LiarsRecord)
def mislead_late(
    liars: LiarsRecord, law: Any, params: Any, state: Any, t: int, coins: Coins, seen: Seen, box: Any, second: Any,
    heard: Links, words: NDArray[np.float64],
) -> None:  # fmt: skip
    if liars.n_liars == 0:
        return
    for i in range(params.n_agents):
        if seen.pulled[i] >= 0:
            interface.publish_late(params, state, i, t, second)
    for i in range(params.n_agents):
        if liars.who[i] and seen.pulled[i] >= 0:
            row = heard.neighbours[heard.start[i] : heard.start[i] + heard.count[i]]
            interface.update_late(params, state, i, t, box, row)
    for i in range(params.n_agents):
        if liars.who[i]:
            misspeak(liars, law, params, i, t, 0, box, words, coins)
            misspeak(liars, law, params, i, t, 1, second, words, coins)


@kernel
def misspeak(
    liars: LiarsRecord, law: Any, params: Any, i: int, t: int, side: int, box: Any, values: Any, coins: Any
) -> None:
    """Put into row i of a box of messages, which one side reads, what the law makes of what stands there.

    Args:
        values: float64 [n_arms], scratch.
    """
    interface.said(box, params, i, values)
    interface.lie(law, i, t, side, values, coins)
    if liars.most:
        interface.claim(box, params, i, t)
    interface.say(box, params, i, values)
