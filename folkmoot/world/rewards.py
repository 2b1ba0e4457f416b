"""Reward laws: what an arm pays an agent in a round. Bernoulli, Gaussian, Beta, half active.

Every law has `means`, float64 [n_agents, n_arms]: the expected reward of each arm for each agent. The
coin of a reward is named (round, agent, arm), so all algorithms of a comparison meet the same world.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from folkmoot import coins as dice
from folkmoot import interface
from folkmoot.coins import REWARD, SCENE, Coins, bernoulli, gaussian, uniform
from folkmoot.configuration import Configuration, Plain, part
from folkmoot.interface import Scalar, implements
from folkmoot.ties import behind
from folkmoot.world import REWARDS
from folkmoot.world.means import Table, Uniform, described, given_or, number, table_of_means


class Rewards(Configuration):
    """What every reward law offers. A field may not have the name of anything here: give it that name as an alias.

    Attributes:
        means: float64 [n_agents, n_arms], expected reward.
        sub_gaussian: smallest known sigma such that rewards are sigma-sub-Gaussian (1/2 on [0, 1]).
        bounded: do all rewards lie in [0, 1]?
        labels: int64 [n_agents], the cluster of each agent; None if there are no clusters.
        n_objectives: length of a reward vector.
        scalarisation: record of what such a vector is worth; `means` are the worths of the mean vectors.
    """

    says_its_name: ClassVar[bool] = False  # errors say what they are about: "mean of agent 0, arm 1"

    if TYPE_CHECKING:

        @property
        def means(self) -> Table: ...

    @property
    def sub_gaussian(self) -> float:
        return 0.5

    @property
    def bounded(self) -> bool:
        return True

    @property
    def labels(self) -> NDArray[np.int64] | None:
        return None

    @property
    def n_objectives(self) -> int:
        return 1

    @property
    def scalarisation(self) -> NamedTuple:
        return Scalar(1)

    @property
    def n_agents(self) -> int:
        """Number of agents."""
        return int(self.means.shape[0])

    @property
    def n_arms(self) -> int:
        """Number of arms."""
        return int(self.means.shape[1])

    @property
    def gaps(self) -> NDArray[np.float64]:
        """float64 [n_arms]: by how much the mean of each arm over all agents is below the best such mean.

        Arms within 1e-12 of the best are as good: their gap is 0.
        """
        return behind(self.means.mean(axis=0))

    @property
    def best_arm(self) -> int:
        """The arm with the largest mean over all agents (the first of equals)."""
        return int(np.argmin(self.gaps))

    def record(self) -> NamedTuple:
        """What the kernels need: numbers and arrays only."""
        raise TypeError(f"{type(self).__name__} does not define record()")

    def describe(self) -> dict[str, Any]:
        """The configuration as plain values, for provenance."""
        out: dict[str, Any] = {"type": type(self).__name__, "n_agents": self.n_agents, "n_arms": self.n_arms}
        return {**out, **described("means", self.means)}


class OfMeans(Rewards):
    """A law given by the mean of each agent and arm.

    Attributes:
        means: [n_agents, n_arms], or [n_arms] with n_agents.
        row_for: number of agents when all share one row, as `n_agents`.
        range_of_means: smallest and largest mean.
    """

    range_of_means: ClassVar[tuple[float, float]] = (0.0, 1.0)
    means: Annotated[Table, given_or(Uniform)]
    row_for: Annotated[int | None, Plain(int | None)] = Field(None, alias="n_agents", repr=False)

    @model_validator(mode="after")
    def _means_are_a_table(self) -> Self:
        return self._settle(means=table_of_means(self.means, self.row_for, *self.range_of_means), row_for=None)


# --- Bernoulli ----------------------------------------------------------------------------------------


class BernoulliRecord(NamedTuple):
    """Success probabilities."""

    means: NDArray[np.float64]  # [n_agents, n_arms]


class Bernoulli(OfMeans):
    """Reward 1 with probability means[agent, arm], else 0.

    Args:
        means: [n_agents, n_arms], or [n_arms] with n_agents; each in [0, 1].
        n_agents: number of agents when all share one row.

    Raises:
        ValueError: wrong shape, NaN or a mean outside [0, 1].
    """

    def __init__(self, means: ArrayLike, n_agents: int | None = None) -> None:
        self._write(means=means, n_agents=n_agents)

    def record(self) -> BernoulliRecord:
        return BernoulliRecord(self.means)


@implements(BernoulliRecord)
def pay(
    rewards: BernoulliRecord,
    scene: NDArray[np.bool_],
    i: int,
    arm: int,
    t: int,
    coins: Coins,
    reward: NDArray[np.float64],
) -> None:
    reward[i, 0] = 1.0 if bernoulli(coins, rewards.means[i, arm], REWARD, t, i, arm) else 0.0


# --- Gaussian -----------------------------------------------------------------------------------------


class GaussianRecord(NamedTuple):
    """Means and one standard deviation."""

    means: NDArray[np.float64]  # [n_agents, n_arms]
    deviation: float


class Gaussian(OfMeans):
    """Normal rewards with the given means and one standard deviation.

    Args:
        means: [n_agents, n_arms], or [n_arms] with n_agents.
        deviation: standard deviation, at least 0, in the unit of the rewards.
        n_agents: number of agents when all share one row.

    Raises:
        ValueError: wrong shape, a mean that is not finite, a deviation below 0.
    """

    range_of_means: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    deviation: Annotated[float, Plain(float)] = 1.0

    def __init__(self, means: ArrayLike, deviation: float = 1.0, n_agents: int | None = None) -> None:
        self._write(means=means, deviation=deviation, n_agents=n_agents)

    @model_validator(mode="after")
    def _deviation_is_finite(self) -> Self:
        deviation = number(self.deviation)
        if not 0.0 <= deviation < np.inf:
            raise ValueError(f"deviation = {self.deviation!r}: expected a finite number of at least 0")
        return self._settle(deviation=deviation)

    @property
    def bounded(self) -> bool:
        return False

    @property
    def sub_gaussian(self) -> float:
        return self.deviation

    def record(self) -> GaussianRecord:
        return GaussianRecord(self.means, self.deviation)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "deviation": self.deviation}


@implements(GaussianRecord)
def pay(
    rewards: GaussianRecord,
    scene: NDArray[np.bool_],
    i: int,
    arm: int,
    t: int,
    coins: Coins,
    reward: NDArray[np.float64],
) -> None:
    reward[i, 0] = rewards.means[i, arm] + rewards.deviation * gaussian(coins, REWARD, t, i, arm)


# --- Beta ---------------------------------------------------------------------------------------------


class BetaRecord(NamedTuple):
    """Means and one concentration."""

    means: NDArray[np.float64]  # [n_agents, n_arms]
    concentration: float


class Beta(OfMeans):
    """Beta rewards on [0, 1] with shapes mean * concentration and (1 - mean) * concentration.

    Args:
        means: [n_agents, n_arms], or [n_arms] with n_agents; each in [0.001, 0.999].
        concentration: sum of the two shapes, from 1 to 1e6; the larger, the narrower.
        n_agents: number of agents when all share one row.

    Raises:
        ValueError: wrong shape, NaN, a mean or concentration out of range.
    """

    range_of_means: ClassVar[tuple[float, float]] = (0.001, 0.999)
    concentration: Annotated[float, Plain(float)] = 10.0

    def __init__(self, means: ArrayLike, concentration: float = 10.0, n_agents: int | None = None) -> None:
        self._write(means=means, concentration=concentration, n_agents=n_agents)

    @model_validator(mode="after")
    def _concentration_is_in_range(self) -> Self:
        concentration = number(self.concentration)
        if not 1.0 <= concentration <= 1e6:
            raise ValueError(f"concentration = {self.concentration!r}: expected a number from 1 to 1e6")
        return self._settle(concentration=concentration)

    def record(self) -> BetaRecord:
        return BetaRecord(self.means, self.concentration)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "concentration": self.concentration}


@implements(BetaRecord)
def pay(
    rewards: BetaRecord, scene: NDArray[np.bool_], i: int, arm: int, t: int, coins: Coins, reward: NDArray[np.float64]
) -> None:
    alpha = rewards.means[i, arm] * rewards.concentration
    reward[i, 0] = dice.beta(coins, alpha, rewards.concentration - alpha, REWARD, t, i, arm)


# --- Half active ----------------------------------------------------------------------------------------


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
        if not 0.0 <= silent <= 1.0:
            raise ValueError(f"silent = {self.silent!r}: expected a reward from 0 to 1")
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
