"""Reward laws: what an arm pays an agent in a round. Bernoulli, Gaussian, Beta.

Every law has `means`, float64 [n_agents, n_arms]: the expected reward of each arm for each agent. The
coin of a reward is named (round, agent, arm), so all algorithms of a comparison meet the same world.
"""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from folkmoot import coins as dice
from folkmoot.coins import REWARD, Coins, bernoulli, gaussian
from folkmoot.configuration import Configuration, Plain
from folkmoot.doors import number
from folkmoot.errors import brief
from folkmoot.interface import Scalar, implements
from folkmoot.ties import behind
from folkmoot.world.means import (
    LARGEST,
    Drawn,
    Means,
    Redraw,
    Table,
    Uniform,
    described,
    described_means,
    drawn_means,
    given_or,
    over_agents,
    rows_apart,
    table_of_means,
)


class Rewards(Configuration):
    """What every reward law offers. A field may not have the name of anything here: give it that name as an alias.

    Attributes:
        means: float64 [n_agents, n_arms], expected reward.
        sub_gaussian: smallest known sigma such that rewards are sigma-sub-Gaussian (1/2 on [0, 1]).
        bounded: do all rewards lie in [0, 1]?
        labels: int64 [n_agents], the cluster of each agent; None if there are no clusters.
        redraws: has each replicate means of its own? `instance` then says which; `means` only stand for their shape.
        consumed: does what a pull pays depend on the pulls before? Then rewards of other arms cannot be asked for.
        varies: do the means move from round to round? `means` are then those of round 1.
        replayed: is a log played as it was, with nothing drawn?
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
    def redraws(self) -> bool:
        return False

    @property
    def varies(self) -> bool:
        return False

    @property
    def consumed(self) -> bool:
        return False

    @property
    def replayed(self) -> bool:
        return False

    def instance(self, coins: Coins) -> "Rewards":
        """The law of the replicate with these coins: this one, unless it `redraws`."""
        return self

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
        return behind(over_agents(self.means))

    def gaps_over(self, horizon: int) -> NDArray[np.float64]:
        """float64 [n_arms]: `gaps`, averaged over so many rounds where the means move."""
        return self.gaps

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
        means: [n_agents, n_arms], or [n_arms] with n_agents; or a law that draws them, in Python too a dictionary such
            as {"law": "uniform", "n_agents": 6, "n_arms": 3}.
        row_for: number of agents when all share one row, as `n_agents`.
        redraw: are means by a law drawn anew for each replicate? Once checked, that law, or False.
        range_of_means: smallest and largest mean.
    """

    range_of_means: ClassVar[tuple[float, float]] = (0.0, 1.0)
    means: Annotated[Table, given_or(Uniform)]
    row_for: Annotated[int | None, Plain(int | None)] = Field(None, alias="n_agents", repr=False)
    redraw: Annotated[Redraw, Plain(bool)] = Field(False, repr=False)

    @model_validator(mode="after")
    def _means_are_a_table(self) -> Self:
        means, redraw = drawn_means(self.means, self.redraw, *self.range_of_means)
        table = table_of_means(means, self.row_for, *self.range_of_means)
        return self._settle(means=table, row_for=None, redraw=redraw)

    @property
    def redraws(self) -> bool:
        return isinstance(self.redraw, Drawn)

    def instance(self, coins: Coins) -> Rewards:
        if not isinstance(self.redraw, Drawn):
            return self
        return self.model_copy(update={"means": self.redraw.table(coins), "redraw": False})

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), **described_means("means", self.means, self.redraw)}


# --- Bernoulli ----------------------------------------------------------------------------------------


class BernoulliRecord(NamedTuple):
    """Success probabilities."""

    means: NDArray[np.float64]  # [n_agents, n_arms], or the one row that all share


class Bernoulli(OfMeans):
    """Reward 1 with probability means[agent, arm], else 0.

    Args:
        means: [n_agents, n_arms], or [n_arms] with n_agents; each in [0, 1].
        n_agents: number of agents when all share one row.
        redraw: are means by a law drawn anew for each replicate?

    Raises:
        ValueError: wrong shape, NaN or a mean outside [0, 1].
    """

    def __init__(self, means: Means, n_agents: int | None = None, redraw: Redraw = False) -> None:
        self._write(means=means, n_agents=n_agents, redraw=redraw)

    def record(self) -> BernoulliRecord:
        return BernoulliRecord(rows_apart(self.means))


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
    row = i if len(rewards.means) > 1 else 0
    reward[i, 0] = 1.0 if bernoulli(coins, rewards.means[row, arm], REWARD, t, i, arm) else 0.0


# --- Gaussian -----------------------------------------------------------------------------------------


class GaussianRecord(NamedTuple):
    """Means and one standard deviation."""

    means: NDArray[np.float64]  # [n_agents, n_arms], or the one row that all share
    deviation: float


class Gaussian(OfMeans):
    """Normal rewards with the given means and one standard deviation.

    Args:
        means: [n_agents, n_arms], or [n_arms] with n_agents; each in [-1e100, 1e100].
        deviation: standard deviation, from 0 to 1e100, in the unit of the rewards.
        n_agents: number of agents when all share one row.
        redraw: are means by a law drawn anew for each replicate?

    Raises:
        ValueError: wrong shape, NaN, a mean or deviation out of range.
    """

    range_of_means: ClassVar[tuple[float, float]] = (-LARGEST, LARGEST)
    deviation: Annotated[float, Plain(float)] = 1.0

    def __init__(
        self, means: Means, deviation: float = 1.0, n_agents: int | None = None, redraw: Redraw = False
    ) -> None:
        self._write(means=means, deviation=deviation, n_agents=n_agents, redraw=redraw)

    @model_validator(mode="after")
    def _deviation_is_in_range(self) -> Self:
        deviation = number(self.deviation)
        if not 0.0 <= deviation <= LARGEST:
            raise ValueError(f"deviation = {brief(self.deviation)}: expected a number from 0 to {LARGEST:g}")
        return self._settle(deviation=deviation)

    @property
    def bounded(self) -> bool:
        return False

    @property
    def sub_gaussian(self) -> float:
        return self.deviation

    def record(self) -> GaussianRecord:
        return GaussianRecord(rows_apart(self.means), self.deviation)

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
    row = i if len(rewards.means) > 1 else 0
    reward[i, 0] = rewards.means[row, arm] + rewards.deviation * gaussian(coins, REWARD, t, i, arm)


# --- Beta ---------------------------------------------------------------------------------------------


class BetaRecord(NamedTuple):
    """Means and one concentration."""

    means: NDArray[np.float64]  # [n_agents, n_arms], or the one row that all share
    concentration: float


class Beta(OfMeans):
    """Beta rewards on [0, 1] with shapes mean * concentration and (1 - mean) * concentration.

    Args:
        means: [n_agents, n_arms], or [n_arms] with n_agents; each in [0.001, 0.999].
        concentration: sum of the two shapes, from 1 to 1e6; the larger, the narrower.
        n_agents: number of agents when all share one row.
        redraw: are means by a law drawn anew for each replicate?

    Raises:
        ValueError: wrong shape, NaN, a mean or concentration out of range.
    """

    range_of_means: ClassVar[tuple[float, float]] = (0.001, 0.999)
    concentration: Annotated[float, Plain(float)] = 10.0

    def __init__(
        self, means: Means, concentration: float = 10.0, n_agents: int | None = None, redraw: Redraw = False
    ) -> None:
        self._write(means=means, concentration=concentration, n_agents=n_agents, redraw=redraw)

    @model_validator(mode="after")
    def _concentration_is_in_range(self) -> Self:
        concentration = number(self.concentration)
        if not 1.0 <= concentration <= 1e6:
            raise ValueError(f"concentration = {brief(self.concentration)}: expected a number from 1 to 1e6")
        return self._settle(concentration=concentration)

    def record(self) -> BetaRecord:
        return BetaRecord(rows_apart(self.means), self.concentration)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "concentration": self.concentration}


@implements(BetaRecord)
def pay(
    rewards: BetaRecord, scene: NDArray[np.bool_], i: int, arm: int, t: int, coins: Coins, reward: NDArray[np.float64]
) -> None:
    alpha = rewards.means[i if len(rewards.means) > 1 else 0, arm] * rewards.concentration
    reward[i, 0] = dice.beta(coins, alpha, rewards.concentration - alpha, REWARD, t, i, arm)
