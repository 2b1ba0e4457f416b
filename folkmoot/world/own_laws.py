"""Reward laws that users have written: what they say and pay is looked at, once and at every pull.

A law of this package needs no such check, so its loops have none. The record of any other law is wrapped in one whose
`pay` looks at what the law has paid; compiled, an error can carry no numbers, so they are written into an array first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot import interface
from folkmoot.coins import Coins
from folkmoot.doors import array, number, within
from folkmoot.errors import brief
from folkmoot.interface import implements
from folkmoot.own_code import is_ours
from folkmoot.world.means import LARGEST
from folkmoot.world.rewards import Rewards

_LARGEST = float(np.finfo(np.float64).max)


class WatchedRecord(NamedTuple):
    """A law, and what it may pay."""

    inner: Any
    low: float
    high: float
    amiss: NDArray[np.float64]  # [5]  round, agent, arm, objective and value of what it should not have paid; 0: none


def watched(rewards: Rewards) -> NamedTuple:
    """The record of a law for the loop; that of a user's law is watched."""
    record = rewards.record()
    if is_ours(record):
        return record
    low, high = (0.0, 1.0) if rewards.bounded else (-_LARGEST, _LARGEST)
    return WatchedRecord(record, low, high, np.zeros(5))


def noted_apart(rewards: NamedTuple) -> NamedTuple:
    """The record of a law for one of several threads: what it should not have paid there is noted in its own row."""
    return rewards._replace(amiss=np.zeros(5)) if isinstance(rewards, WatchedRecord) else rewards


def check_law(rewards: Rewards) -> None:
    """See that a user's law says what a law must say.

    Raises:
        ValueError: its means are no table of numbers, or out of range, or its sub-Gaussian parameter is none.
    """
    if is_ours(rewards.record()):
        return
    name = type(rewards).__name__
    means = array(f"{name}: means", rewards.means, "a table of numbers [n_agents, n_arms]")
    if means.ndim != 2 or 0 in means.shape:
        raise ValueError(f"{name}: means of shape {means.shape}: expected [n_agents, n_arms]")
    low, high = (0.0, 1.0) if rewards.bounded else (-LARGEST, LARGEST)
    within(means, low, high, lambda i, k: f"{name}: mean of agent {i}, arm {k}")
    if not 0.0 <= number(rewards.sub_gaussian) <= LARGEST:
        raise ValueError(
            f"{name}: sub_gaussian = {brief(rewards.sub_gaussian)}: expected a number from 0 to {LARGEST:g}"
        )


@contextmanager
def payments_named(rewards: NamedTuple, name: str) -> Iterator[None]:
    """Inside, a law that pays what it should not is named.

    Args:
        rewards: the record of the loop inside.
        name: of the law.

    Raises:
        ValueError: it has paid so.
    """
    try:
        yield
    except ValueError:
        if not isinstance(rewards, WatchedRecord) or rewards.amiss[0] == 0.0:
            raise
        t, i, arm, j = (int(x) for x in rewards.amiss[:4])
        allowed = "a finite number" if rewards.high > 1.0 else "a number from 0 to 1, for the law is bounded"
        of = f" in objective {j}" if j > 0 else ""
        raise ValueError(
            f"{name}: pay gave {rewards.amiss[4]:g} to agent {i} for arm {arm} in round {t}{of}; expected {allowed}"
        ) from None


@implements(WatchedRecord)
def objectives(rewards: WatchedRecord) -> int:
    return interface.objectives(rewards.inner)


@implements(WatchedRecord)
def scene(rewards: WatchedRecord) -> Any:
    return interface.scene(rewards.inner)


@implements(WatchedRecord)
def set_scene(rewards: WatchedRecord, t: int, coins: Coins, scene: Any) -> None:
    interface.set_scene(rewards.inner, t, coins, scene)


@implements(WatchedRecord)
def varies(rewards: WatchedRecord) -> bool:
    return interface.varies(rewards.inner)


@implements(WatchedRecord)
def gap(rewards: WatchedRecord, scene: Any, t: int, arm: int, coins: Coins) -> float:
    return interface.gap(rewards.inner, scene, t, arm, coins)


@implements(WatchedRecord)
def pay(
    rewards: WatchedRecord, scene: Any, i: int, arm: int, t: int, coins: Coins, reward: NDArray[np.float64]
) -> None:
    interface.pay(rewards.inner, scene, i, arm, t, coins, reward)
    for j in range(reward.shape[1]):
        value = reward[i, j]
        if not (rewards.low <= value and value <= rewards.high):
            rewards.amiss[0] = t
            rewards.amiss[1] = i
            rewards.amiss[2] = arm
            rewards.amiss[3] = j
            rewards.amiss[4] = value
            raise ValueError("a reward law has paid what is not in the range of its rewards")
