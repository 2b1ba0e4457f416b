"""Dist_UCB: estimates averaged with all neighbours by Metropolis weights.

Source: Zhu and Liu (2023), "Distributed multi-armed bandits" (IEEE TAC), from public code of it and from the full
text of its sibling (arXiv 2111.10933) [C]. That 4/3 is the paper's constant for different means is not confirmed:
the code at hand checks that all agents share their means [I].
"""

from math import inf, log, sqrt
from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from folkmoot.algorithms.accounts import bytes_with_accounts, publish_accounts, slots, transfer
from folkmoot.algorithms.base import Algorithm, Problem, scale
from folkmoot.algorithms.drfed_ucb import nth_behind
from folkmoot.algorithms.outcomes import made, note_pull, untried
from folkmoot.algorithms.words import fill_counts, read_row, write_row
from folkmoot.coins import CHOICE, below
from folkmoot.interface import implements, inlined


class DistUCB(Algorithm):
    """UCB on estimates mixed by doubly stochastic weights, with a gate that keeps the agents' counts together.

    Attributes:
        c1: constant of the radius sqrt(c1 ln t / pulls); None is the radius of the code,
            sqrt(4 ln(t + 1) / (3 pulls)). Give all UCB baselines of a comparison the same. Either is for rewards in
            [0, 1] and multiplied by (2 sigma)^2 where they are sigma-sub-Gaussian.
    """

    label: ClassVar[str] = "Dist_UCB"
    c1: float | None = Field(None, gt=0, le=1e6)

    def params(self, problem: Problem) -> "Params":
        width, ahead = (4.0 / 3.0, 1) if self.c1 is None else (self.c1, 0)
        width *= scale(problem)
        return Params(problem.n_agents, problem.n_arms, width, ahead, slots(problem, "DistUCB"))


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # N
    n_arms: int  # M
    width: float  # 4/3 [C], or c1
    ahead: int  # 1: the radius has ln(t + 1) [C]; 0: ln t
    slots: int  # accounts an agent keeps: N if links may be one-sided, else 0


class State(NamedTuple):
    """What an agent remembers."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]  n_{i,k}, of which the outcome came
    mean: np.ndarray  # float64 [n_agents, n_arms]  xbar_{i,k}, own observations
    gossip: np.ndarray  # float64 [n_agents, n_arms]  z_{i,k}, estimate of the mean over all agents
    largest: np.ndarray  # int64 [n_agents, n_arms]  m_{i,k}, largest pulls heard of
    size: np.ndarray  # int64 [n_agents]  |N_i(t)|, agent i included; 0: it does not mix yet
    arm: np.ndarray  # int64 [n_agents]  of this round's outcome; -1: none came
    increment: np.ndarray  # float64 [n_agents]  xbar(t + 1) - xbar(t) of that arm; 0 for all others
    waiting: np.ndarray  # int64 [n_agents, n_arms]  pulls without an outcome
    tried: np.ndarray  # int64 [n_agents]  arms of which an outcome came
    account: np.ndarray  # float64 [n_agents, slots, n_arms]  see folkmoot.algorithms.accounts


class LateMessage(NamedTuple):
    """The only exchange: late, because an agent knows the size of its neighbourhood only then."""

    gossip: np.ndarray  # float64 [n_agents, n_arms]  z(t), without this round's increment
    largest: np.ndarray  # int64 [n_agents, n_arms]  m(t)
    size: np.ndarray  # int64 [n_agents]
    account: np.ndarray  # float64 [n_agents, slots, n_arms]


@implements(Params)
def init(params):
    n, k = params.n_agents, params.n_arms
    return State(
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.int64),
        np.ones(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.float64),
        np.zeros((n, k), np.int64),
        np.zeros(n, np.int64),
        np.zeros((n, params.slots, k), np.float64),
    )


@implements(Params)
def late_outbox(params):
    n, k = params.n_agents, params.n_arms
    return LateMessage(
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.int64),
        np.zeros(n, np.int64),
        np.zeros((n, params.slots, k), np.float64),
    )


@implements(LateMessage)
def possible(message, params, j, t):
    for k in range(params.n_arms):
        if not 0 <= message.largest[j, k] <= t:
            return False
    return 0 <= message.size[j] <= params.n_agents


@implements(LateMessage)
def said(message, params, i, values):
    read_row(message.gossip, i, values)


@implements(LateMessage)
def say(message, params, i, values):
    write_row(message.gossip, i, values)


@implements(LateMessage)
def claim(message, params, i, t):
    fill_counts(message.largest, i, t)


@implements(Params)
def select(params, state, i, t, coins):
    """Each arm until its outcome came; then uniformly an arm with n <= m - M, if any; else the largest bound.

    t counts the first pulls too; the clock of the code starts after them.
    """
    if state.tried[i] < params.n_arms:
        return untried(state.pulls, state.waiting, i)
    n_behind = 0
    for k in range(params.n_arms):
        n_behind += made(state, i, k) <= state.largest[i, k] - params.n_arms
    if n_behind > 0:
        return nth_behind(params, state, i, below(coins, n_behind, CHOICE, t, i, 0))
    best, bound = 0, -inf
    width = params.width * log(t + params.ahead)
    for k in range(params.n_arms):
        index = state.gossip[i, k] + sqrt(width / state.pulls[i, k])
        if index > bound:
            best, bound = k, index
    return best


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """Own mean and the size of the neighbourhood; the rest waits for the exchange."""
    arm = seen.arm[i]
    state.size[i] = len(neighbours) + 1 if state.tried[i] == params.n_arms else 0
    note_pull(state, seen, i)
    state.arm[i] = arm
    if arm >= 0:
        before = state.mean[i, arm]
        state.pulls[i, arm] += 1
        state.mean[i, arm] += (seen.reward[i, 0] - before) / state.pulls[i, arm]
        state.increment[i] = state.mean[i, arm] - before
        state.tried[i] += state.pulls[i, arm] == 1


@implements(Params)
def publish_late(params, state, i, t, outbox):
    for k in range(params.n_arms):
        outbox.gossip[i, k] = state.gossip[i, k]
        outbox.largest[i, k] = state.largest[i, k]
    outbox.size[i] = state.size[i]
    publish_accounts(params, state, i, outbox)


@implements(Params)
def message_bytes(params, state, i, t, seen, n_messages, row_bytes):
    return bytes_with_accounts(params, params.slots, n_messages, row_bytes)


@implements(Params)
def update_late(params, state, i, t, inbox, neighbours):
    """z_i(t+1) = sum_j w_ij z_j(t) + xbar_i(t+1) - xbar_i(t); m_i(t+1) = max of n_i(t+1) and all m_j(t).

    w_ij = 1 / max(|N_i|, |N_j|), and w_ii is what is left to 1, of the links of this round [I: of a fixed graph in
    the source]. Who has not seen every arm does not mix: until then n = m = 1 and z = xbar.
    """
    if state.size[i] > 0:
        for j in neighbours:
            if inbox.size[j] > 0:
                mix(params, state, i, j, inbox)
    arm = state.arm[i]
    if arm >= 0:
        state.gossip[i, arm] += state.increment[i]
        state.largest[i, arm] = max(state.largest[i, arm], made(state, i, arm))


@inlined
def mix(params, state, i, j, inbox):
    """What agent i takes over from j; where links may be one-sided, by their accounts."""
    weight = 1.0 / max(state.size[i], inbox.size[j])
    for k in range(params.n_arms):
        if params.slots > 0:
            state.gossip[i, k] += transfer(state, inbox, i, j, k, weight)
        else:
            state.gossip[i, k] += weight * (inbox.gossip[j, k] - inbox.gossip[i, k])
        state.largest[i, k] = max(state.largest[i, k], inbox.largest[j, k])
