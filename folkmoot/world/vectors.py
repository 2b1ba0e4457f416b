"""Rewards with several objectives: what an arm pays is a vector, and a scalarisation says what that is worth."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from folkmoot.coins import REWARD, two_uniforms
from folkmoot.interface import implements
from folkmoot.world.rewards import Rewards, checked_agents, table_of_means
from folkmoot.world.scalarisations import Scalarisation, worth

_DIGEST_VALUES = 4_000  # as for the other laws


class VectorBernoulliRecord(NamedTuple):
    """Success probabilities."""

    means: np.ndarray  # float64 [n_arms, n_objectives]  mu_k


class VectorBernoulli(Rewards):
    """Independent Bernoulli coordinates, the same law for all agents; regret is in the scalarised means.

    Args:
        means: [n_arms, n_objectives], each in [0, 1].
        scalarisation: what a mean vector is worth: `Linear(weights)`, `Chebyshev()` or `LogSumExp(beta)`.
        n_agents: number of agents.

    Attributes:
        vector_means: float64 [n_arms, n_objectives].
        means: float64 [n_agents, n_arms], theta_k = phi(mu_k).

    Raises:
        ValueError: wrong means, no scalarisation or one for another number of objectives, fewer than one agent.
    """

    def __init__(self, means: ArrayLike, scalarisation: Scalarisation, *, n_agents: int) -> None:
        self.vector_means = table_of_means(means, None, 0.0, 1.0, row="arm", column="objective")
        self.n_objectives = int(self.vector_means.shape[1])
        if not isinstance(scalarisation, Scalarisation):
            name = type(scalarisation).__name__
            raise ValueError(f"scalarisation = {name}: expected Linear(weights), Chebyshev() or LogSumExp(beta)")
        n = checked_agents(n_agents)
        self._law = scalarisation
        self.scalarisation = scalarisation.record(self.n_objectives)
        self.means = np.tile(worth(self.scalarisation, self.vector_means), (n, 1))
        self.means.setflags(write=False)

    def record(self) -> VectorBernoulliRecord:
        return VectorBernoulliRecord(self.vector_means)

    def describe(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "type": "VectorBernoulli",
            "n_agents": self.n_agents,
            "n_arms": self.n_arms,
            "n_objectives": self.n_objectives,
            "scalarisation": self._law.describe(),
        }
        if self.vector_means.size <= _DIGEST_VALUES:
            out["means"] = self.vector_means.tolist()
        return out


@implements(VectorBernoulliRecord)
def objectives(rewards):
    return rewards.means.shape[1]


@implements(VectorBernoulliRecord)
def pay(rewards, scene, i, arm, t, coins, reward):
    """Two coordinates to a coin; the pairs live in streams of their own."""
    d = rewards.means.shape[1]
    for j in range(0, d, 2):
        one, other = two_uniforms(coins, REWARD + 256 * (j // 2), t, i, arm)
        reward[i, j] = 1.0 if one < rewards.means[arm, j] else 0.0
        if j + 1 < d:
            reward[i, j + 1] = 1.0 if other < rewards.means[arm, j + 1] else 0.0
