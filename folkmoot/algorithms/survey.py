"""The survey: what agents gather in a burn-in to find their clusters by, and how everybody comes to know it.

In the burn-in arms are pulled in turn, outcomes counted, and links noticed; nothing is said. What an agent has then is
its row: pulls, sums, and how often it met each other agent. In the rounds that follow, neighbours tell one another
whose rows they have, and send those that the other lacks. A row does not change on the way, so the kernel notes who has
it.

It plays the first rounds only, and keeps its state in its `Params`, where `ucb_sbm` then reads it.
"""

from typing import NamedTuple

import numpy as np

from folkmoot.algorithms.base import Problem
from folkmoot.interface import implements


class Params(NamedTuple):
    """The sizes, and the arrays that the rounds fill."""

    n_agents: int
    n_arms: int
    burn_in: int  # rounds before rows are passed on
    pulls: np.ndarray  # int64 [n_agents, n_arms]  outcomes in the burn-in
    total: np.ndarray  # float64 [n_agents, n_arms]  their sum
    mean: np.ndarray  # float64 [n_agents, n_arms]
    met: np.ndarray  # int64 [n_agents, n_agents]  rounds of the burn-in in which the two were linked
    has: np.ndarray  # bool [n_agents, n_agents]  does the first have the row of the second?
    sent: np.ndarray  # int64 [n_agents, rounds]  bytes sent in a round


class State(NamedTuple):
    """The same arrays."""

    pulls: np.ndarray
    total: np.ndarray
    mean: np.ndarray
    met: np.ndarray
    has: np.ndarray
    sent: np.ndarray


class Message(NamedTuple):
    """Whose rows the sender has; the rows themselves are in `sent`."""

    has: np.ndarray  # bool [n_agents, n_agents]


def blank(problem: Problem, burn_in: int, passing: int) -> Params:
    """A survey yet to be made, with so many rounds to pass rows on.

    Raises:
        ValueError: so many agents that a number for every pair is too much.
    """
    n, k = problem.n_agents, problem.n_arms
    problem.require_memory(10.0 * n * n + 8.0 * n * (burn_in + passing), "a survey of who meets whom")
    return Params(
        n,
        k,
        burn_in,
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.float64),
        np.zeros((n, n), np.int64),
        np.eye(n, dtype=np.bool_),
        np.zeros((n, burn_in + passing), np.int64),
    )


@implements(Params)
def init(params):
    return State(params.pulls, params.total, params.mean, params.met, params.has, params.sent)


@implements(Params)
def outbox(params):
    return Message(np.zeros((params.n_agents, params.n_agents), np.bool_))


@implements(Message)
def possible(message, params, j, t):
    return bool(message.has[j, j])


@implements(Params)
def select(params, state, i, t, coins):
    return (t - 1) % params.n_arms


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    for j in range(params.n_agents):
        outbox.has[i, j] = state.has[i, j]


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """In the burn-in count; after it take the rows that neighbours have."""
    if t <= params.burn_in:
        arm = seen.arm[i]
        if arm >= 0:
            state.pulls[i, arm] += 1
            state.total[i, arm] += seen.reward[i, 0]
            state.mean[i, arm] += (seen.reward[i, 0] - state.mean[i, arm]) / state.pulls[i, arm]
        for j in neighbours:
            state.met[i, j] += 1
        return
    row = 8 * (2 * params.n_arms + params.n_agents)
    for j in neighbours:
        state.sent[i, t - 1] += (params.n_agents + 7) // 8
        for r in range(params.n_agents):
            if inbox.has[i, r] and not inbox.has[j, r]:
                state.sent[i, t - 1] += row
            if inbox.has[j, r]:
                state.has[i, r] = True
