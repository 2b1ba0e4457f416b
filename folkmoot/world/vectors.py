"""Rewards with several objectives: what an arm pays is a vector, and a scalarisation says what that is worth."""

from functools import cached_property
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from folkmoot.coins import REWARD, Coins, two_uniforms
from folkmoot.configuration import Plain, part
from folkmoot.interface import implements
from folkmoot.world import SCALARISATIONS
from folkmoot.world.means import (
    Drawn,
    Means,
    Redraw,
    Table,
    UniformVectors,
    checked_agents,
    described_means,
    drawn_means,
    given_or,
    table_of_means,
)
from folkmoot.world.rewards import Rewards
from folkmoot.world.scalarisations import Scalarisation, worth


class VectorBernoulliRecord(NamedTuple):
    """Success probabilities."""

    means: NDArray[np.float64]  # [n_arms, n_objectives]  mu_k


class VectorBernoulli(Rewards):
    """Independent Bernoulli coordinates, the same law for all agents; regret is in the scalarised means.

    Args:
        means: [n_arms, n_objectives], each in [0, 1].
        scalarisation: what a mean vector is worth: `Linear(weights)`, `Chebyshev()` or `LogSumExp(beta)`.
        n_agents: number of agents.
        redraw: are means by a law drawn anew for each replicate?

    Attributes:
        vector_means: float64 [n_arms, n_objectives].
        means: float64 [n_agents, n_arms], theta_k = phi(mu_k).

    Raises:
        ValueError: wrong means, no scalarisation or one for another number of objectives, fewer than one agent.
    """

    vector_means: Annotated[Table, given_or(UniformVectors)] = Field(alias="means")
    law: Annotated[Scalarisation, part(SCALARISATIONS)] = Field(alias="scalarisation")
    agents: Annotated[int, Plain(int)] = Field(alias="n_agents")
    redraw: Annotated[Redraw, Plain(bool)] = Field(False, repr=False)

    def __init__(self, means: Means, scalarisation: Scalarisation, *, n_agents: int, redraw: Redraw = False) -> None:
        self._write(means=means, scalarisation=scalarisation, n_agents=n_agents, redraw=redraw)

    @model_validator(mode="after")
    def _vectors_have_a_worth(self) -> Self:
        means, redraw = drawn_means(self.vector_means, self.redraw, 0.0, 1.0)
        table = table_of_means(means, None, 0.0, 1.0, row="arm", column="objective")
        if not isinstance(self.law, Scalarisation):
            name = type(self.law).__name__
            raise ValueError(f"scalarisation = {name}: expected Linear(weights), Chebyshev() or LogSumExp(beta)")
        self.law.record(table.shape[1])
        return self._settle(vector_means=table, agents=checked_agents(self.agents), redraw=redraw)

    @property
    def redraws(self) -> bool:
        return isinstance(self.redraw, Drawn)

    def instance(self, coins: Coins) -> Rewards:
        if not isinstance(self.redraw, Drawn):
            return self
        return self.model_copy(update={"means": self.redraw.table(coins), "redraw": False})

    @property
    def n_objectives(self) -> int:
        return int(self.vector_means.shape[1])

    @cached_property
    def scalarisation(self) -> NamedTuple:
        return self.law.record(self.n_objectives)

    @cached_property
    def means(self) -> Table:
        table = np.tile(worth(self.scalarisation, self.vector_means), (self.agents, 1))
        table.setflags(write=False)
        return table

    def record(self) -> VectorBernoulliRecord:
        return VectorBernoulliRecord(self.vector_means)

    def describe(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "type": "VectorBernoulli",
            "n_agents": self.n_agents,
            "n_arms": self.n_arms,
            "n_objectives": self.n_objectives,
            "scalarisation": self.law.describe(),
        }
        return {**out, **described_means("means", self.vector_means, self.redraw)}


@implements(VectorBernoulliRecord)
def objectives(rewards: VectorBernoulliRecord) -> int:
    return int(rewards.means.shape[1])


@implements(VectorBernoulliRecord)
def pay(
    rewards: VectorBernoulliRecord,
    scene: NDArray[np.bool_],
    i: int,
    arm: int,
    t: int,
    coins: Coins,
    reward: NDArray[np.float64],
) -> None:
    """Two coordinates to a coin; the pairs live in streams of their own."""
    d = rewards.means.shape[1]
    for j in range(0, d, 2):
        one, other = two_uniforms(coins, REWARD + 256 * (j // 2), t, i, arm)
        reward[i, j] = 1.0 if one < rewards.means[arm, j] else 0.0
        if j + 1 < d:
            reward[i, j + 1] = 1.0 if other < rewards.means[arm, j + 1] else 0.0
