"""Rewards of which a random half of the agents gets nothing of its own: the environment of GSE's experiments."""

from functools import cached_property
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from folkmoot import interface
from folkmoot.coins import SCENE, Coins, uniform
from folkmoot.configuration import Plain, part
from folkmoot.doors import number
from folkmoot.errors import brief
from folkmoot.interface import implements
from folkmoot.world import REWARDS
from folkmoot.world.means import Table
from folkmoot.world.rewards import Rewards


class HalfActiveRecord(NamedTuple):
    """The law of the agents that are active."""

    inner: NamedTuple
    n_agents: int
    silent: float


class HalfActive(Rewards):
    """In each round a uniformly random half of the agents (rounded down) gets one reward whatever it pulls.

    The environment of GSE's published experiments. It is written there in losses, those of the silent half
    being 0: as rewards, 1 - loss, that is `silent=1`. Gaps shrink by the share of active agents, for all alike.

    Args:
        inner: the law of the active agents.
        silent: the reward of the others, in [0, 1].

    Raises:
        ValueError: not a reward law, one that is half active itself, or `silent` outside [0, 1].
    """

    inner: Annotated[Rewards, part(REWARDS)]
    silent: Annotated[float, Plain(float)] = 0.0

    def __init__(self, inner: Rewards, silent: float = 0.0) -> None:
        self._write(inner=inner, silent=silent)

    @model_validator(mode="after")
    def _half_of_one_law(self) -> Self:
        inner, silent = self.inner, number(self.silent)
        if not isinstance(inner, Rewards) or isinstance(inner, HalfActive):
            raise ValueError(f"inner = {type(inner).__name__}: expected a reward law that is not half active itself")
        if inner.n_objectives > 1:
            raise ValueError(f"inner = {type(inner).__name__}: expected rewards with one objective")
        if inner.consumed:
            raise ValueError(f"inner = {type(inner).__name__}: expected rewards that do not depend on earlier pulls")
        if inner.varies:
            raise ValueError(f"inner = {type(inner).__name__}: expected rewards whose means do not move")
        if not 0.0 <= silent <= 1.0:
            raise ValueError(f"silent = {brief(self.silent)}: expected a reward from 0 to 1")
        return self._settle(silent=silent)

    @cached_property
    def means(self) -> Table:
        n = self.inner.n_agents
        return np.asarray(self.inner.means * ((n - n // 2) / n) + self.silent * ((n // 2) / n))

    @property
    def bounded(self) -> bool:
        return self.inner.bounded

    @property
    def labels(self) -> NDArray[np.int64] | None:
        return self.inner.labels

    @property
    def redraws(self) -> bool:
        return self.inner.redraws

    @property
    def replayed(self) -> bool:
        return self.inner.replayed

    def instance(self, coins: Coins) -> Rewards:
        return self.model_copy(update={"inner": self.inner.instance(coins)}) if self.redraws else self

    @property
    def sub_gaussian(self) -> float:
        if self.inner.bounded:
            return 0.5
        # the noise, and the two-valued variable that scales the mean
        return float(np.hypot(self.inner.sub_gaussian, np.abs(self.inner.means - self.silent).max() / 2.0))

    def record(self) -> HalfActiveRecord:
        return HalfActiveRecord(self.inner.record(), self.n_agents, self.silent)

    def describe(self) -> dict[str, Any]:
        return {"type": "HalfActive", "silent": self.silent, "inner": self.inner.describe()}


@implements(HalfActiveRecord)
def scene(rewards: HalfActiveRecord) -> NDArray[np.bool_]:
    return np.zeros(rewards.n_agents, np.bool_)


@implements(HalfActiveRecord)
def set_scene(rewards: HalfActiveRecord, t: int, coins: Coins, scene: NDArray[np.bool_]) -> None:
    """Selection sampling (Knuth, volume 2, algorithm 3.4.2 S): exactly half, every subset alike."""
    needed = rewards.n_agents // 2
    for i in range(rewards.n_agents):
        scene[i] = uniform(coins, SCENE, t, i, 0) * (rewards.n_agents - i) < needed
        if scene[i]:
            needed -= 1


@implements(HalfActiveRecord)
def pay(
    rewards: HalfActiveRecord,
    scene: NDArray[np.bool_],
    i: int,
    arm: int,
    t: int,
    coins: Coins,
    reward: NDArray[np.float64],
) -> None:
    if scene[i]:
        reward[i, 0] = rewards.silent
    else:
        interface.pay(rewards.inner, scene, i, arm, t, coins, reward)
