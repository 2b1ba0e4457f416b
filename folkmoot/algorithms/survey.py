"""The survey: what agents gather in a burn-in to find their clusters by. Arms in turn, and whom was met how often.

It plays the first rounds only, and keeps its state in its `Params`, where `clustering` then reads it.
"""

from typing import NamedTuple

import numpy as np

from folkmoot.algorithms.base import Problem
from folkmoot.interface import implements


class Params(NamedTuple):
    """The sizes, and the arrays that the rounds fill."""

    n_agents: int
    n_arms: int
    pulls: np.ndarray  # int64 [n_agents, n_arms]
    mean: np.ndarray  # float64 [n_agents, n_arms]  of what the agent was paid
    met: np.ndarray  # int64 [n_agents, n_agents]  rounds in which the two were linked


class State(NamedTuple):
    """The same arrays."""

    pulls: np.ndarray
    mean: np.ndarray
    met: np.ndarray


def blank(problem: Problem) -> Params:
    """A survey yet to be made.

    Raises:
        ValueError: so many agents that a number for every pair is too much.
    """
    n, k = problem.n_agents, problem.n_arms
    problem.require_memory(8.0 * n * n, "a survey of who meets whom")
    return Params(n, k, np.zeros((n, k), np.int64), np.zeros((n, k), np.float64), np.zeros((n, n), np.int64))


@implements(Params)
def init(params):
    return State(params.pulls, params.mean, params.met)


@implements(Params)
def select(params, state, i, t, coins):
    return (t - 1) % params.n_arms


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    arm = seen.arm[i]
    state.pulls[i, arm] += 1
    state.mean[i, arm] += (seen.reward[i, 0] - state.mean[i, arm]) / state.pulls[i, arm]
    for j in neighbours:
        state.met[i, j] += 1
