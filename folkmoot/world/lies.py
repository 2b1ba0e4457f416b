"""Laws of lies: what an agent that lies makes of what it would have said.

A law knows nothing of any algorithm. It is given what a message conveys of each arm, in the unit of rewards, and puts
something else in its place; the message's own functions (`said` and `say` of `folkmoot.interface`) translate. Lies stay
in the range of the rewards: they are wrong, not absurd, and no check of ranges finds them.
"""

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, model_validator

from folkmoot.coins import LIE, Coins, uniform
from folkmoot.configuration import Configuration, Kinds
from folkmoot.doors import one_or_row
from folkmoot.interface import implements
from folkmoot.world.corruption import Arm, arm_number
from folkmoot.world.rewards import Rewards

_TABLE, _FLIP, _RANDOM, _DRIFT = 0, 1, 2, 3


class LieRecord(NamedTuple):
    """Numbers of all laws of this file: one type, so that they are compiled once."""

    law: int  # _TABLE, _FLIP, _RANDOM or _DRIFT
    table: NDArray[np.float64]  # [2, n_arms]  what receivers with even and with odd numbers are told
    rate: float  # by how much a lie drifts in a round
    low: float  # smallest and largest of what may be said
    high: float


class Lie(Configuration):
    """Base of the laws: a configuration class, a record, and the function `lie` for that record."""

    label: ClassVar[str] = "?"

    def record(self, rewards: Rewards) -> NamedTuple:
        """What the kernels need, in this world.

        Raises:
            ValueError: an arm that is not there, or a value outside the range of the rewards.
        """
        raise TypeError(f"{type(self).__name__} does not define record()")


def scale(rewards: Rewards) -> tuple[float, float]:
    """The range of what may be said: that of the rewards, [0, 1]; of unbounded ones that of their means."""
    return (0.0, 1.0) if rewards.bounded else (float(rewards.means.min()), float(rewards.means.max()))


def _told(law: int, rewards: Rewards, table: NDArray[np.float64] | None = None, rate: float = 0.0) -> LieRecord:
    low, high = scale(rewards)
    blank = np.zeros((2, rewards.n_arms))
    return LieRecord(law, blank if table is None else np.array(table, np.float64), rate, low, high)


def _promoted(name: str, arms: tuple[Arm, Arm], fields: tuple[str, str], rewards: Rewards) -> NDArray[np.float64]:
    """Two rows, in each of which one arm has the largest value and all others the smallest."""
    low, high = scale(rewards)
    table = np.full((2, rewards.n_arms), low)
    for side in (0, 1):
        table[side, arm_number(f"{name}: {fields[side]}", arms[side], rewards)] = high
    return table


class ConstantLie(Lie):
    """Says the same in every round.

    Attributes:
        values: what it says of each arm, as a list, a tuple or an array, or one number for all of them; in the range of
            the rewards.

    Raises:
        ValueError: values that are no such numbers.
    """

    label: ClassVar[str] = "Constant"
    values: float | tuple[float, ...] = 0.5

    @model_validator(mode="before")
    @classmethod
    def _values_are_numbers(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """Looked at from Python; in a file the type of the field says it, and has the place of what is wrong."""
        if "values" not in given:
            return given
        values = given["values"]
        if info.context is None:
            values = one_or_row("values", values, "a finite number, or one for each arm")
        return {**given, "values": tuple(values) if isinstance(values, list) else values}

    def record(self, rewards: Rewards) -> LieRecord:
        given, (low, high) = np.atleast_1d(np.array(self.values, np.float64)), scale(rewards)
        if len(given) not in (1, rewards.n_arms):
            raise ValueError(
                f"ConstantLie: {len(given)} values: expected one, or one for each of {rewards.n_arms} arms"
            )
        for value in given:
            if not low <= value <= high:
                raise ValueError(f"ConstantLie: values = {value:g}: expected numbers from {low:g} to {high:g}")
        return _told(_TABLE, rewards, np.broadcast_to(given, (2, rewards.n_arms)))


class FlippedLie(Lie):
    """Says the mirror image of what it would have said: the better an arm is, the worse it seems."""

    label: ClassVar[str] = "Sign flipped"

    def record(self, rewards: Rewards) -> LieRecord:
        return _told(_FLIP, rewards)


class PromotingLie(Lie):
    """Says that one arm pays the most there is, and all others the least.

    Attributes:
        arm: that arm, by number or rank.
    """

    label: ClassVar[str] = "Promotion"
    arm: Arm = "worst"

    def record(self, rewards: Rewards) -> LieRecord:
        return _told(_TABLE, rewards, _promoted("PromotingLie", (self.arm, self.arm), ("arm", "arm"), rewards))


class RandomLie(Lie):
    """Says a random number in the range of the rewards, drawn anew for each round and arm."""

    label: ClassVar[str] = "Random"

    def record(self, rewards: Rewards) -> LieRecord:
        return _told(_RANDOM, rewards)


class DriftingLie(Lie):
    """Says what it would have said, moved by a little more in every round, until the end of the range.

    Attributes:
        rate: by how much a round.
    """

    label: ClassVar[str] = "Drift"
    rate: float = Field(-1e-4, ge=-1, le=1)

    def record(self, rewards: Rewards) -> LieRecord:
        return _told(_DRIFT, rewards, rate=self.rate)


class SplitLie(Lie):
    """Promotes one arm to agents with even numbers, and another to those with odd numbers.

    Attributes:
        even, odd: these arms, by number or rank.
    """

    label: ClassVar[str] = "Split"
    even: Arm = "worst"
    odd: Arm = "second"

    def record(self, rewards: Rewards) -> LieRecord:
        return _told(_TABLE, rewards, _promoted("SplitLie", (self.even, self.odd), ("even", "odd"), rewards))


@implements(LieRecord)
def lie(law: LieRecord, i: int, t: int, side: int, values: NDArray[np.float64], coins: Coins) -> None:
    for k in range(len(values)):
        if law.law == _TABLE:
            values[k] = law.table[side, k]
        elif law.law == _FLIP:
            values[k] = law.low + law.high - values[k]
        elif law.law == _RANDOM:
            values[k] = law.low + (law.high - law.low) * uniform(coins, LIE, t, i, k)
        else:
            values[k] = values[k] + law.rate * t
        values[k] = min(law.high, max(law.low, values[k]))


LIES: Kinds[Lie] = Kinds(
    {
        "constant": ConstantLie,
        "sign_flip": FlippedLie,
        "promote": PromotingLie,
        "random": RandomLie,
        "drift": DriftingLie,
        "split": SplitLie,
    },
    "folkmoot.world.lies:Lie",
)
