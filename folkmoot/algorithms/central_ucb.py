"""Centralised UCB: an oracle that sees every reward at once. The reference that every figure draws.

All agents pull the same arm, so each round yields one reward per agent and their average is an unbiased
sample of the mean over all agents, whose variance is N times smaller (the "optimal centralised regret").
Where agents may be absent, or outcomes late or lost, it averages the own means of the agents instead [I].
"""

from math import inf, log, sqrt
from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from folkmoot.algorithms.base import Algorithm, Problem, scale
from folkmoot.interface import implements, kernel


class CentralUCB(Algorithm):
    """UCB1 for the whole team, told everything at no cost. No network can run it.

    With absent agents or delayed outcomes the index of an arm is the average of the means of those agents of which an
    outcome of it has come, n_i each, M of them, plus sqrt(c ln t sum(1 / n_i)) / M.

    Attributes:
        exploration: c in the index mean + sqrt(c ln t / (N rounds)), with N times `rounds` pulls of the arm. It is
            for rewards in [0, 1] and multiplied by (2 sigma)^2 where they are sigma-sub-Gaussian.
    """

    label: ClassVar[str] = "Central UCB (oracle)"
    exploration: float = Field(2.0, gt=0, le=1e6)

    @property
    def is_oracle(self) -> bool:
        """It is."""
        return True

    def params(self, problem: Problem) -> "Params":
        partial = problem.absent or problem.delayed
        return Params(problem.n_agents, problem.n_arms, self.exploration * scale(problem), partial)


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int
    n_arms: int
    exploration: float  # c
    partial: bool  # rounds may lack outcomes


class State(NamedTuple):
    """What the oracle remembers: one row for the whole team."""

    rounds: np.ndarray  # int64 [1, n_arms]  rounds in which the arm was pulled by all
    mean: np.ndarray  # float64 [1, n_arms]  of all rewards of the arm
    arm: np.ndarray  # int64 [1]  to pull next
    outcomes: np.ndarray  # int64 [n_agents, n_arms]  of each agent, where rounds may lack some; else no rows
    own: np.ndarray  # float64 [n_agents, n_arms]  their means


@implements(Params)
def init(params):
    shape = (1, params.n_arms)
    rows = (params.n_agents if params.partial else 0, params.n_arms)
    return State(
        np.zeros(shape, np.int64),
        np.zeros(shape, np.float64),
        np.zeros(1, np.int64),
        np.zeros(rows, np.int64),
        np.zeros(rows, np.float64),
    )


@implements(Params)
def select(params, state, i, t, coins):
    return state.arm[0]


@implements(Params)
def oversee(params, state, t, seen, spent):
    """Average this round's rewards into the arm's mean, then choose the arm of the next round."""
    if params.partial:
        oversee_parts(params, state, t, seen)
        return
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


@kernel
def oversee_parts(params, state, t, seen):
    """The same with the outcomes that came, of whatever arms; an arm nothing came of is chosen first."""
    for i in range(params.n_agents):
        k = seen.arm[i]
        if k >= 0:
            state.outcomes[i, k] += 1
            state.own[i, k] += (seen.reward[i, 0] - state.own[i, k]) / state.outcomes[i, k]
    state.rounds[0, state.arm[0]] += 1
    best, bound, width = -1, -inf, params.exploration * log(t + 1.0)
    for k in range(params.n_arms):
        n, total, doubt = 0, 0.0, 0.0
        for i in range(params.n_agents):
            if state.outcomes[i, k] > 0:
                n += 1
                total += state.own[i, k]
                doubt += 1.0 / state.outcomes[i, k]
        index = inf if n == 0 else (total + sqrt(width * doubt)) / n
        first = index == inf and bound == inf and state.rounds[0, k] < state.rounds[0, best]
        if index > bound or first:
            best, bound = k, index
    state.arm[0] = best
