# ruff: noqa: F811  one generic function has an implementation per record type
"""Gossip_UCB: estimates averaged with one partner at a time, counts with all neighbours.

Source: Zhu, Zhu, Liu and Liu (2021), "Federated bandit: a gossiping approach" (arXiv 2010.12763), Algorithm 1 [C].
Its text leaves open who gossips with whom [I]. The sum of its eq. 2 starts a round late, so that estimates would
forget the first pull; here that pull counts.
"""

from math import inf, log, sqrt
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from folkmoot.algorithms.accounts import bytes_with_accounts, publish_accounts, slots, transfer
from folkmoot.algorithms.base import Algorithm, Problem, scale
from folkmoot.algorithms.outcomes import made, note_pull, untried
from folkmoot.algorithms.rows import raise_to
from folkmoot.algorithms.words import fill_counts, read_row, write_row
from folkmoot.coins import CHOICE, below, uniform
from folkmoot.interface import implements, kernel

_NOBODY = -1


class GossipUCB(Algorithm):
    """UCB on gossiped estimates, with a gate that keeps the agents' counts together.

    Messages are counted as broadcast: the whole of both exchanges over every link, although only the partner needs
    the estimates.

    Attributes:
        c1: constant of the radius sqrt(c1 ln t / pulls); None is the paper's own radius,
            sqrt(2 N ln t / pulls) + 64 / N^17. Give all UCB baselines of a comparison the same. Either is for rewards
            in [0, 1]; the radius is multiplied by 2 sigma where they are sigma-sub-Gaussian.
        partner: who averages estimates in a round [I]. "pair": two agents drawn from all, if their link is up
            (slow when there are many agents or few links). "matching": a random matching of the round's links.
    """

    label: ClassVar[str] = "Gossip_UCB"
    c1: float | None = Field(None, gt=0, le=1e6)
    partner: Literal["pair", "matching"] = "pair"

    def params(self, problem: Problem) -> "Params":
        n = problem.n_agents
        width, extra = (2.0 * n, 64.0 / float(n) ** 17) if self.c1 is None else (self.c1, 0.0)
        width, extra = width * scale(problem), extra * sqrt(scale(problem))
        return Params(n, problem.n_arms, width, extra, self.partner == "pair", slots(problem, "GossipUCB"))


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # N
    n_arms: int  # M
    width: float  # 2 N, or c1
    extra: float  # alpha_1 [C: the authors' text by way of third-party code], or 0
    pair: bool  # one pair a round, not a matching
    slots: int  # accounts an agent keeps: N if links may be one-sided, else 0


class State(NamedTuple):
    """What an agent remembers."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]  n_{i,k}, of which the outcome came
    mean: np.ndarray  # float64 [n_agents, n_arms]  Xtilde_{i,k}, own observations
    gossip: np.ndarray  # float64 [n_agents, n_arms]  theta_{i,k}, estimate of the mean over all agents
    largest: np.ndarray  # int64 [n_agents, n_arms]  ntilde_{i,k}, largest pulls heard of
    partner: np.ndarray  # int64 [n_agents]  whom the agent would average with in this round; -1 for nobody
    arm: np.ndarray  # int64 [n_agents]  of this round's outcome; -1: none came
    increment: np.ndarray  # float64 [n_agents]  Xtilde(t) - Xtilde(t - 1) of that arm; 0 for all others
    waiting: np.ndarray  # int64 [n_agents, n_arms]  pulls without an outcome
    tried: np.ndarray  # int64 [n_agents]  arms of which an outcome came
    account: np.ndarray  # float64 [n_agents, slots, n_arms]  see folkmoot.algorithms.accounts


class Message(NamedTuple):
    """First exchange: to all neighbours."""

    largest: np.ndarray  # int64 [n_agents, n_arms]


class LateMessage(NamedTuple):
    """Second exchange: a proposal, and estimates before this round's increment."""

    partner: np.ndarray  # int64 [n_agents]
    gossip: np.ndarray  # float64 [n_agents, n_arms]
    account: np.ndarray  # float64 [n_agents, slots, n_arms]


@implements(Params)
def init(params):
    n, k = params.n_agents, params.n_arms
    return State(
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.int64),
        np.full(n, _NOBODY, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.float64),
        np.zeros((n, k), np.int64),
        np.zeros(n, np.int64),
        np.zeros((n, params.slots, k), np.float64),
    )


@implements(Params)
def outbox(params):
    return Message(np.zeros((params.n_agents, params.n_arms), np.int64))


@implements(Params)
def late_outbox(params):
    n, k = params.n_agents, params.n_arms
    return LateMessage(np.zeros(n, np.int64), np.zeros((n, k), np.float64), np.zeros((n, params.slots, k), np.float64))


@implements(Message)
def possible(message, params, j, t):
    return all(0 <= message.largest[j, k] <= t for k in range(params.n_arms))


@implements(Message)
def said(message, params, i, values):
    """Nothing: the message has counts only."""


@implements(Message)
def say(message, params, i, values):
    """Nothing."""


@implements(Message)
def claim(message, params, i, t):
    fill_counts(message.largest, i, t)


@implements(LateMessage)
def possible(message, params, j, t):
    return _NOBODY <= message.partner[j] < params.n_agents


@implements(LateMessage)
def said(message, params, i, values):
    read_row(message.gossip, i, values)


@implements(LateMessage)
def say(message, params, i, values):
    write_row(message.gossip, i, values)


@implements(Params)
def select(params, state, i, t, coins):
    """Each arm until its outcome came; then uniformly an arm fallen behind, if any; else the largest bound."""
    if state.tried[i] < params.n_arms:
        return untried(state.pulls, state.waiting, i)
    n_behind = 0
    for k in range(params.n_arms):
        n_behind += is_behind(params, state, i, k)
    if n_behind > 0:
        return nth_behind(params, state, i, below(coins, n_behind, CHOICE, t, i, 0))
    best, bound = 0, -inf
    width = params.width * log(t)
    for k in range(params.n_arms):
        index = state.gossip[i, k] + sqrt(width / state.pulls[i, k]) + params.extra
        if index > bound:
            best, bound = k, index
    return best


@kernel
def is_behind(params, state, i, k):
    """The gate: n < ntilde - N, n counting all pulls made."""
    return made(state, i, k) < state.largest[i, k] - params.n_agents


@kernel
def nth_behind(params, state, i, n):
    """The n-th (from 0) arm behind the gate."""
    for k in range(params.n_arms):
        if is_behind(params, state, i, k):
            if n == 0:
                return k
            n -= 1
    return 0


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    for k in range(params.n_arms):
        outbox.largest[i, k] = state.largest[i, k]


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """Counts, own mean, proposal. ntilde(t + 1) = max of n(t), before this round's pull [C], and heard ntilde(t)."""
    started = state.tried[i] == params.n_arms
    arm = seen.arm[i]
    if started:
        for k in range(params.n_arms):
            state.largest[i, k] = max(state.largest[i, k], made(state, i, k))
        raise_to(state.largest, i, inbox.largest, neighbours, params.n_arms)

    note_pull(state, seen, i)
    state.arm[i] = arm
    if arm >= 0:
        before = state.mean[i, arm]
        state.pulls[i, arm] += 1
        state.mean[i, arm] += (seen.reward[i, 0] - before) / state.pulls[i, arm]
        state.increment[i] = state.mean[i, arm] - before
        state.tried[i] += state.pulls[i, arm] == 1

    state.partner[i] = _NOBODY
    if not started:
        if arm >= 0:
            state.largest[i, arm] = 1  # ntilde = n after the first pull [I]
    elif len(neighbours) > 0:
        if params.pair:
            state.partner[i] = partner_in_pair(params, i, t, neighbours, coins)
        else:
            state.partner[i] = lightest(i, t, neighbours, coins)


@kernel
def partner_in_pair(params, i, t, neighbours, coins):
    """The other one of the round's pair, which all agents know, if i belongs to it and the link is up."""
    others = params.n_agents - 1
    pair = below(coins, params.n_agents * others, CHOICE, t, 0, 1)
    first, second = pair // others, pair % others
    second += second >= first
    for j in neighbours:
        if (i == first and j == second) or (i == second and j == first):
            return int(j)
    return _NOBODY


@kernel
def lightest(i, t, neighbours, coins):
    """The neighbour over the link whose coin in this round is smallest; two that point at each other are matched."""
    best, least = _NOBODY, inf
    for j in neighbours:
        weight = uniform(coins, CHOICE, t, min(i, int(j)), max(i, int(j)))
        if weight < least:
            best, least = int(j), weight
    return best


@implements(Params)
def publish_late(params, state, i, t, outbox):
    outbox.partner[i] = state.partner[i]
    for k in range(params.n_arms):
        outbox.gossip[i, k] = state.gossip[i, k]
    publish_accounts(params, state, i, outbox)


@implements(Params)
def message_bytes(params, state, i, t, seen, n_messages, row_bytes):
    return bytes_with_accounts(params, params.slots, n_messages, row_bytes)


@implements(Params)
def update_late(params, state, i, t, inbox, neighbours):
    """Alone theta + Xtilde(t) - Xtilde(t - 1); with partner j, (theta_i + theta_j) / 2 in place of theta, both old.

    Where links may be one-sided the half goes through the account of the link, and all that are heard are settled.
    """
    j = state.partner[i]
    if params.slots > 0:
        for other in neighbours:
            weight = 0.5 if other == j and inbox.partner[other] == i else 0.0
            for k in range(params.n_arms):
                state.gossip[i, k] += transfer(state, inbox, i, other, k, weight)
    elif j != _NOBODY and heard(neighbours, j) and inbox.partner[j] == i:
        for k in range(params.n_arms):
            state.gossip[i, k] = 0.5 * (state.gossip[i, k] + inbox.gossip[j, k])
    if state.arm[i] >= 0:
        state.gossip[i, state.arm[i]] += state.increment[i]


@kernel
def heard(neighbours, j):
    """Did the second message of j come? The first did, or it would be no partner."""
    found = False
    for other in neighbours:
        found = found or other == j
    return found
