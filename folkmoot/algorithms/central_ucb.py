"""Centralised UCB: an oracle that sees every reward at once. The reference that every figure draws.

All agents pull the same arm, so each round yields one reward per agent and their average is an unbiased
sample of the mean over all agents, whose variance is N times smaller (the "optimal centralised regret").
"""

from math import inf, log, sqrt
from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.interface import implements


class CentralUCB(Algorithm):
    """UCB1 for the whole team, told everything for nothing. No network can run it.

    Attributes:
        exploration: c in the index mean + sqrt(c ln t / (N rounds)), with N times `rounds` pulls of the arm.
    """

    label: ClassVar[str] = "Central UCB (oracle)"
    exploration: float = Field(2.0, gt=0, le=1e6)

    @property
    def is_oracle(self) -> bool:
        """It is."""
        return True

    def params(self, problem: Problem) -> "Params":
        return Params(problem.n_agents, problem.n_arms, self.exploration)


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int
    n_arms: int
    exploration: float  # c


class State(NamedTuple):
    """What the oracle remembers: one row for the whole team."""

    rounds: np.ndarray  # int64 [1, n_arms]  rounds in which the arm was pulled by all
    mean: np.ndarray  # float64 [1, n_arms]  of all rewards of the arm
    arm: np.ndarray  # int64 [1]  to pull next


@implements(Params)
def init(params):
    shape = (1, params.n_arms)
    return State(np.zeros(shape, np.int64), np.zeros(shape, np.float64), np.zeros(1, np.int64))


@implements(Params)
def select(params, state, i, t, coins):
    return state.arm[0]


@implements(Params)
def oversee(params, state, t, seen, spent):
    """Average this round's rewards into the arm's mean, then choose the arm of the next round."""
    arm, total = state.arm[0], 0.0
    for i in range(params.n_agents):
        total += seen.reward[i, 0]
    state.rounds[0, arm] += 1
    state.mean[0, arm] += (total / params.n_agents - state.mean[0, arm]) / state.rounds[0, arm]
    bound, width = -inf, params.exploration * log(t + 1.0)
    for k in range(params.n_arms):
        pulls = state.rounds[0, k] * params.n_agents
        index = inf if pulls == 0 else state.mean[0, k] + sqrt(width / pulls)
        if index > bound:
            state.arm[0], bound = k, index
