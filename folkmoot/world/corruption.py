"""Adversaries that alter what agents see, each within a budget.

An adversary sees everything public and the pull in question, and overwrites an unverified reward. The loop clips
that to [0, 1] and charges the largest change of a coordinate; the sum of the charges never exceeds the budget
(arXiv: Shi, eq. 2 and 3). All adversaries here act on a pull entirely or not at all.
"""

from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from folkmoot import interface
from folkmoot.coins import CORRUPTION, Coins, bernoulli
from folkmoot.configuration import Configuration, Kinds
from folkmoot.errors import brief
from folkmoot.interface import Reported, Seen, implements, kernel
from folkmoot.world.means import over_agents
from folkmoot.world.rewards import Rewards
from folkmoot.world.scalarisations import worth

Arm = Annotated[int, Field(ge=0)] | Literal["best", "second", "worst"]
Spending = Literal["front_loaded", "spread", "adaptive"]
_FRONT_LOADED, _SPREAD, _ADAPTIVE = 0, 1, 2
_SPENDING = {"front_loaded": _FRONT_LOADED, "spread": _SPREAD, "adaptive": _ADAPTIVE}
_HALVINGS = 60  # of the interval in which Thinning looks for its probability


class Purse(NamedTuple):
    """How an adversary spends, and how it judges what has been reported so far."""

    budget: float  # Gamma
    spending: int  # _FRONT_LOADED, _SPREAD or _ADAPTIVE
    horizon: int
    scalarisation: NamedTuple


class Corruption(Configuration):
    """What every adversary shares.

    Attributes:
        budget: what it may spend in a replicate, at least 0: the sum over pulls of the largest change of a coordinate.
        spending: "front_loaded" spends wherever it can until the budget is gone; "spread" has spent at most the share
            t / horizon of it after round t; "adaptive" spends only while the reports do not show what it wants: that
            the target is not the best arm, that the decoy is, or, for FlipRandom, that the arm in question is not.
    """

    label: ClassVar[str] = "?"
    budget: float = Field(ge=0, allow_inf_nan=False)
    spending: Spending = "front_loaded"

    def record(self, rewards: Rewards, horizon: int) -> NamedTuple:
        """What the kernels need, in this world.

        Raises:
            ValueError: rewards that may leave [0, 1], or an arm that is not there.
        """
        raise TypeError(f"{type(self).__name__} does not define record()")

    def _purse(self, rewards: Rewards, horizon: int) -> Purse:
        if not rewards.bounded:
            raise ValueError(f"{type(self).__name__}: expected rewards from 0 to 1; these may lie outside")
        return Purse(self.budget, _SPENDING[self.spending], horizon, rewards.scalarisation)

    def _arm(self, field: str, rewards: Rewards) -> int:
        return arm_number(f"{type(self).__name__}: {field}", getattr(self, field), rewards)


def arm_number(name: str, arm: Arm, rewards: Rewards) -> int:
    """The number of an arm given by number or rank, all agents together; the first of equals.

    Raises:
        ValueError: there is no such arm.
    """
    overall = over_agents(rewards.means)
    if isinstance(arm, str):
        order = np.argsort(-overall, kind="stable")
        ranks = {"best": 0, "second": 1, "worst": len(order) - 1}
        if ranks[arm] >= len(order):
            raise ValueError(f"{name} = {brief(arm)}: there is only one arm; expected 'best' or 0")
        return int(order[ranks[arm]])
    if not 0 <= arm < len(overall):
        raise ValueError(f"{name} = {arm}: expected an arm from 0 to {len(overall) - 1}, or 'best', 'second', 'worst'")
    return arm


@kernel
def affordable(purse: Purse, t: int, left: float, cost: float) -> bool:
    """May it spend so much now?"""
    if cost <= 0.0 or cost > left:
        return False
    return purse.spending != _SPREAD or purse.budget - left + cost <= purse.budget * t / purse.horizon


@kernel
def leads(purse: Purse, reported: Reported, arm: int) -> bool:
    """Is no arm reported to be worth more than this one, which has been pulled?"""
    own = interface.scalarise(purse.scalarisation, reported.mean, arm)
    for k in range(len(reported.pulls)):
        if k != arm and reported.pulls[k] > 0 and interface.scalarise(purse.scalarisation, reported.mean, k) > own:
            return False
    return True


@kernel
def useful(purse: Purse, reported: Reported, arm: int, wanted: bool) -> bool:
    """Is there anything to gain by an act on this arm? Always, but for an adversary that spends adaptively and sees
    the reports show what it wants: that the arm leads, or that it does not. Without a report they show nothing.
    """
    return purse.spending != _ADAPTIVE or reported.pulls[arm] == 0 or leads(purse, reported, arm) != wanted


@kernel
def lower(purse: Purse, target: int, i: int, t: int, seen: Seen, left: float, reported: Reported) -> None:
    """Report a pull of the target as 0 everywhere, if that can be paid and, spending adaptively, is of use."""
    if seen.arm[i] != target:
        return
    cost = 0.0
    for j in range(seen.reward.shape[1]):
        cost = max(cost, seen.reward[i, j])
    if affordable(purse, t, left, cost) and useful(purse, reported, target, False):
        for j in range(seen.reward.shape[1]):
            seen.reward[i, j] = 0.0


@kernel
def raise_(purse: Purse, decoy: int, i: int, t: int, seen: Seen, left: float, reported: Reported) -> None:
    """Report a pull of the decoy as 1 everywhere, if that can be paid and, spending adaptively, is of use."""
    if seen.arm[i] != decoy:
        return
    cost = 0.0
    for j in range(seen.reward.shape[1]):
        cost = max(cost, 1.0 - seen.reward[i, j])
    if affordable(purse, t, left, cost) and useful(purse, reported, decoy, True):
        for j in range(seen.reward.shape[1]):
            seen.reward[i, j] = 1.0


# --- Suppress, Promote, Swap ----------------------------------------------------------------------------


class SuppressRecord(NamedTuple):
    """Which arm to make look bad."""

    purse: Purse
    target: int


class Suppress(Corruption):
    """Reports pulls of the target as 0.

    Attributes:
        target: the arm, by number or rank.
    """

    label: ClassVar[str] = "Suppress"
    target: Arm = "best"

    def record(self, rewards: Rewards, horizon: int) -> SuppressRecord:
        return SuppressRecord(self._purse(rewards, horizon), self._arm("target", rewards))


@implements(SuppressRecord)
def corrupt(
    adversary: SuppressRecord, i: int, t: int, seen: Seen, left: float, reported: Reported, coins: Coins
) -> None:
    lower(adversary.purse, adversary.target, i, t, seen, left, reported)


class PromoteRecord(NamedTuple):
    """Which arm to make look good."""

    purse: Purse
    decoy: int


class Promote(Corruption):
    """Reports pulls of the decoy as 1.

    Attributes:
        decoy: the arm, by number or rank.
    """

    label: ClassVar[str] = "Promote"
    decoy: Arm = "worst"

    def record(self, rewards: Rewards, horizon: int) -> PromoteRecord:
        return PromoteRecord(self._purse(rewards, horizon), self._arm("decoy", rewards))


@implements(PromoteRecord)
def corrupt(
    adversary: PromoteRecord, i: int, t: int, seen: Seen, left: float, reported: Reported, coins: Coins
) -> None:
    raise_(adversary.purse, adversary.decoy, i, t, seen, left, reported)


class SwapRecord(NamedTuple):
    """Which arm to make look bad, and which good."""

    purse: Purse
    target: int
    decoy: int


class Swap(Corruption):
    """Reports pulls of the target as 0 and of the decoy as 1.

    Attributes:
        target, decoy: the arms, by number or rank; two different ones.
    """

    label: ClassVar[str] = "Swap"
    target: Arm = "best"
    decoy: Arm = "worst"

    def record(self, rewards: Rewards, horizon: int) -> SwapRecord:
        target, decoy = self._arm("target", rewards), self._arm("decoy", rewards)
        if target == decoy:
            raise ValueError(f"Swap: decoy = {brief(self.decoy)}: is the target, arm {target}; expected another arm")
        return SwapRecord(self._purse(rewards, horizon), target, decoy)


@implements(SwapRecord)
def corrupt(adversary: SwapRecord, i: int, t: int, seen: Seen, left: float, reported: Reported, coins: Coins) -> None:
    lower(adversary.purse, adversary.target, i, t, seen, left, reported)
    raise_(adversary.purse, adversary.decoy, i, t, seen, left, reported)


# --- Thinning -------------------------------------------------------------------------------------------


class ThinningRecord(NamedTuple):
    """Which arm to thin out, and how much of it to leave."""

    purse: Purse
    target: int
    keep: float  # q


class Thinning(Corruption):
    """Multiplies rewards of the target by a coin that is 1 with probability `keep`: the lower bound's adversary.

    Attributes:
        target: the arm, by number or rank.
        keep: the probability q; None makes the target look exactly like the best of the other arms.
    """

    label: ClassVar[str] = "Thinning"
    target: Arm = "best"
    keep: float | None = Field(None, ge=0, le=1)

    def record(self, rewards: Rewards, horizon: int) -> ThinningRecord:
        purse = self._purse(rewards, horizon)
        target = self._arm("target", rewards)
        keep = _keep_like_the_next(rewards, target) if self.keep is None else self.keep
        return ThinningRecord(purse, target, keep)


def _keep_like_the_next(rewards: Rewards, target: int) -> float:
    """The probability with which the thinned target is worth as much as the best other arm, all agents together.

    Raises:
        ValueError: there is no other arm.
    """
    overall = over_agents(rewards.means)
    others = np.delete(overall, target)
    if len(others) == 0:
        raise ValueError("Thinning: keep = None: there is no other arm to look like; expected a number from 0 to 1")
    vector = getattr(rewards, "vector_means", overall[:, None])[target]
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if worth(rewards.scalarisation, middle * vector[None, :])[0] < others.max():
            low = middle
        else:
            high = middle
    return high


@implements(ThinningRecord)
def corrupt(
    adversary: ThinningRecord, i: int, t: int, seen: Seen, left: float, reported: Reported, coins: Coins
) -> None:
    if seen.arm[i] == adversary.target and not bernoulli(coins, adversary.keep, CORRUPTION, t, i, adversary.target):
        lower(adversary.purse, adversary.target, i, t, seen, left, reported)


# --- Flip random ----------------------------------------------------------------------------------------


class FlipRandomRecord(NamedTuple):
    """How often to flip."""

    purse: Purse
    rate: float


class FlipRandom(Corruption):
    """Reports 1 minus the reward, in every coordinate, at pulls of any arm chosen by coin.

    Attributes:
        rate: probability that a pull is chosen.
    """

    label: ClassVar[str] = "Flip at random"
    rate: float = Field(0.5, ge=0, le=1)

    def record(self, rewards: Rewards, horizon: int) -> FlipRandomRecord:
        return FlipRandomRecord(self._purse(rewards, horizon), self.rate)


@implements(FlipRandomRecord)
def corrupt(
    adversary: FlipRandomRecord, i: int, t: int, seen: Seen, left: float, reported: Reported, coins: Coins
) -> None:
    arm = seen.arm[i]
    if not bernoulli(coins, adversary.rate, CORRUPTION, t, i, arm):
        return
    cost = 0.0
    for j in range(seen.reward.shape[1]):
        cost = max(cost, abs((1.0 - seen.reward[i, j]) - seen.reward[i, j]))  # as the loop computes it
    if affordable(adversary.purse, t, left, cost) and useful(adversary.purse, reported, arm, False):
        for j in range(seen.reward.shape[1]):
            seen.reward[i, j] = 1.0 - seen.reward[i, j]


@implements(SuppressRecord)
@implements(PromoteRecord)
@implements(SwapRecord)
@implements(ThinningRecord)
@implements(FlipRandomRecord)
def budget(adversary: Any) -> float:
    purse: Purse = adversary.purse
    return purse.budget


CORRUPTIONS: Kinds[Corruption] = Kinds(
    {
        "suppress": Suppress,
        "promote": Promote,
        "swap": Swap,
        "thinning": Thinning,
        "flip_random": FlipRandom,
    },
    "folkmoot.world.corruption:Corruption",
)
