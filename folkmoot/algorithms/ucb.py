"""UCB1, a lone agent that talks to nobody: the file to read first, and to copy.

Auer, Cesa-Bianchi, Fischer (2002), "Finite-time analysis of the multiarmed bandit problem".
"""

from math import inf, log, sqrt
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from folkmoot.algorithms.base import Algorithm, Problem, scale
from folkmoot.algorithms.outcomes import note_pull, untried
from folkmoot.interface import implements


class UCB(Algorithm):
    """Every agent plays UCB1 on its own rewards alone.

    Under heterogeneous means it learns what is best for itself, so its regret against the arm that is best
    for all grows linearly: the price of not talking.

    Attributes:
        exploration: c in the index mean + sqrt(c ln t / pulls) for rewards in [0, 1]; 2 in the source (Fig. 1).
            Where rewards are sigma-sub-Gaussian it is multiplied by (2 sigma)^2, which is 1 on [0, 1].
    """

    label: ClassVar[str] = "UCB (alone)"
    exploration: float = Field(2.0, gt=0, le=1e6)

    @property
    def pursues(self) -> Literal["own"]:
        return "own"

    def params(self, problem: Problem) -> "Params":
        return Params(problem.n_agents, problem.n_arms, self.exploration * scale(problem))


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int
    n_arms: int
    exploration: float  # c


class State(NamedTuple):
    """What an agent remembers."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]  n_k, of which the outcome came
    mean: np.ndarray  # float64 [n_agents, n_arms]  own observations
    narrowing: np.ndarray  # float64 [n_agents, n_arms]  1 / sqrt(n_k); 0 before the first outcome
    waiting: np.ndarray  # int64 [n_agents, n_arms]  pulls without an outcome


@implements(Params)
def init(params):
    shape = (params.n_agents, params.n_arms)
    return State(
        np.zeros(shape, np.int64), np.zeros(shape, np.float64), np.zeros(shape, np.float64), np.zeros(shape, np.int64)
    )


@implements(Params)
def select(params, state, i, t, coins):
    """Arms without an outcome first, then the largest upper confidence bound; ties to the lowest index."""
    best, bound = 0, -inf
    width = sqrt(params.exploration * log(t))
    for k in range(params.n_arms):
        if state.narrowing[i, k] == 0.0:
            return untried(state.pulls, state.waiting, i)
        index = state.mean[i, k] + width * state.narrowing[i, k]
        if index > bound:
            best, bound = k, index
    return best


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """The running mean of the arm whose outcome came, and its radius but for the factor all arms share."""
    k = seen.arm[i]
    note_pull(state, seen, i)
    if k < 0:
        return
    state.pulls[i, k] += 1
    state.mean[i, k] += (seen.reward[i, 0] - state.mean[i, k]) / state.pulls[i, k]
    state.narrowing[i, k] = 1.0 / sqrt(state.pulls[i, k])
