"""Cooperative UCB: one cluster of like-minded agents that pool what they have seen.

Source: the single-cluster case of UCB-SBM (arXiv 2502.08003): an agent uses its own observations and, for
every other agent, the table last received from it. One hop: tables are not passed on.
"""

from math import inf, log, sqrt
from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from folkmoot.algorithms.base import Algorithm, Problem, scale
from folkmoot.algorithms.outcomes import note_pull, untried
from folkmoot.algorithms.words import fill_counts, read_means, write_means
from folkmoot.interface import PLACE, implements


class CooperativeUCB(Algorithm):
    """UCB on the pooled counts and sums of all agents heard of.

    Right when all agents have the same means; with different means the pool leans towards whoever is heard
    most and is freshest.

    Attributes:
        exploration: c in the index mean + sqrt(c ln t / pulls) for rewards in [0, 1]. The source's constant is lost; 2
            is UCB1's. Where rewards are sigma-sub-Gaussian it is multiplied by (2 sigma)^2, which is 1 on [0, 1].
    """

    label: ClassVar[str] = "Cooperative UCB"
    exploration: float = Field(2.0, gt=0, le=1e6)

    def params(self, problem: Problem) -> "Params":
        n, k = problem.n_agents, problem.n_arms
        problem.require_memory(16.0 * n * n * k, "CooperativeUCB, which keeps a table for every pair,")
        return Params(n, k, self.exploration * scale(problem))


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int
    n_arms: int
    exploration: float  # c


class State(NamedTuple):
    """What an agent remembers."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]  n_{m,i}, own
    total: np.ndarray  # float64 [n_agents, n_arms]  own sum of rewards
    heard_pulls: np.ndarray  # int64 [n_agents, n_agents, n_arms]  latest table of each other agent
    heard_total: np.ndarray  # float64 [n_agents, n_agents, n_arms]
    team_pulls: np.ndarray  # int64 [n_agents, n_arms]  own and heard together
    team_total: np.ndarray  # float64 [n_agents, n_arms]
    waiting: np.ndarray  # int64 [n_agents, n_arms]  own pulls without an outcome


class Message(NamedTuple):
    """The own table."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]
    total: np.ndarray  # float64 [n_agents, n_arms]


@implements(Params)
def init(params):
    n, k = params.n_agents, params.n_arms
    return State(
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros((n, n, k), np.int64),
        np.zeros((n, n, k), np.float64),
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.int64),
    )


@implements(Params)
def outbox(params):
    shape = (params.n_agents, params.n_arms)
    return Message(np.zeros(shape, np.int64), np.zeros(shape, np.float64))


@implements(Message)
def possible(message, params, j, t):
    return all(0 <= message.pulls[j, k] <= t for k in range(params.n_arms))


@implements(Message)
def said(message, params, i, values):
    read_means(message.pulls, message.total, i, values)


@implements(Message)
def say(message, params, i, values):
    write_means(message.pulls, message.total, i, values)


@implements(Message)
def claim(message, params, i, t):
    fill_counts(message.pulls, i, t)


@implements(Params)
def select(params, state, i, t, coins):
    """Arms of which no outcome is known first, then the largest bound; ties to the lowest index."""
    best, bound = 0, -inf
    width = params.exploration * log(t)
    for k in range(params.n_arms):
        pulls = state.team_pulls[i, k]
        if pulls == 0:
            return untried(state.team_pulls, state.waiting, i)
        index = state.team_total[i, k] / pulls + sqrt(width / pulls)
        if index > bound:
            best, bound = k, index
    return best


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    for k in range(params.n_arms):
        outbox.pulls[i, k] = state.pulls[i, k]
        outbox.total[i, k] = state.total[i, k]


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """Add the own observation; replace what was heard of each neighbour by its fresh table."""
    arm, reward = seen.arm[i], seen.reward[i, 0]
    note_pull(state, seen, i)
    if arm >= 0:
        state.pulls[i, arm] += 1
        state.total[i, arm] += reward
        state.team_pulls[i, arm] += 1
        state.team_total[i, arm] += reward
    for neighbour in neighbours:
        j = int(neighbour) & PLACE  # .93 to .98 of the time: see folkmoot.generics
        for k in range(params.n_arms):  # two loops, for the compiler makes no vectors of as many rows in one
            state.team_pulls[i, k] += inbox.pulls[j, k] - state.heard_pulls[i, j, k]
            state.heard_pulls[i, j, k] = inbox.pulls[j, k]
        for k in range(params.n_arms):
            state.team_total[i, k] += inbox.total[j, k] - state.heard_total[i, j, k]
            state.heard_total[i, j, k] = inbox.total[j, k]
