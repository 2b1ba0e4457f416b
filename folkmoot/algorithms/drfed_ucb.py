"""DrFed-UCB, which is also Rule 1 of UCB-SBM: gossip over the latest copies of everybody's estimates.

Source: Xu and Klabjan (2023), "Decentralized randomly distributed multi-agent multi-armed bandit with
heterogeneous rewards" (NeurIPS). No code and no formulas of it are at hand: what is marked [R] is recalled,
[I] filled in by us, [D] derived; docs/decisions/0004-drfed-ucb.md says how far each was checked.
"""

from math import inf, log, sqrt
from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.algorithms.outcomes import made, note_pull, untried
from folkmoot.algorithms.rows import raise_to
from folkmoot.algorithms.words import fill_counts, read_row, write_row
from folkmoot.coins import CHOICE, below
from folkmoot.interface import implements, kernel

_BURN_IN_PULLS = 25  # per arm, unless burn_in is given [I]


class DrFedUCB(Algorithm):
    """Burn-in in turns, then UCB on a weighted average of all agents' latest estimates.

    Attributes:
        c1: C_1 in the radius sqrt(C_1 ln t / pulls); None is the recalled 96 sigma^2 (M + 2) / M^3 [R], which
            cannot be a variance proxy for M >= 14 [D]: give all UCB baselines of a comparison the same.
        burn_in: L, rounds of pulling the arms in turn; None is 25 pulls per arm, at most a tenth of the horizon.
    """

    label: ClassVar[str] = "DrFed-UCB"
    c1: float | None = Field(None, gt=0)
    burn_in: int | None = Field(None, ge=1)

    def params(self, problem: Problem) -> "Params":
        n, k = problem.n_agents, problem.n_arms
        problem.require_memory(16.0 * n * n * k, "DrFedUCB, which keeps two estimates for every pair,")
        burn_in = self.burn_in or min(_BURN_IN_PULLS * k, max(problem.horizon // 10 // k, 1) * k)
        if not k <= burn_in <= problem.horizon:
            raise ValueError(
                f"DrFedUCB burn_in = {burn_in}: "
                f"expected from the number of arms, {k}, to the horizon, {problem.horizon}"
            )
        return Params(n, k, burn_in, self.c1 or recalled_c1(n, problem.sub_gaussian))


def recalled_c1(n_agents: int, sub_gaussian: float) -> float:
    """C_1 = 8 sigma^2 12 M (M + 2) / M^4 [R], for M agents with sigma-sub-Gaussian rewards."""
    return 96.0 * sub_gaussian**2 * (n_agents + 2) / n_agents**3


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # M
    n_arms: int  # K
    burn_in: int  # L
    c1: float  # C_1


class State(NamedTuple):
    """What an agent remembers."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]  n_{m,i}, of which the outcome came
    mean: np.ndarray  # float64 [n_agents, n_arms]  own observations
    gossip: np.ndarray  # float64 [n_agents, n_arms]  estimate of the mean over all agents
    largest: np.ndarray  # int64 [n_agents, n_arms]  N_{m,i}, largest pulls heard of
    met: np.ndarray  # bool [n_agents, n_agents]  P_t(m, j) > 0
    heard_mean: np.ndarray  # float64 [n_agents, n_agents, n_arms]  latest copy of j's mean
    heard_gossip: np.ndarray  # float64 [n_agents, n_agents, n_arms]  latest copy of j's gossip
    waiting: np.ndarray  # int64 [n_agents, n_arms]  pulls without an outcome
    ready: np.ndarray  # bool [n_agents]  burn-in over, and an outcome of every arm came
    whole: np.ndarray  # bool [n_agents]  everybody was met, and heard_gossip holds the terms of `average` themselves


class Message(NamedTuple):
    """3K numbers to every neighbour."""

    mean: np.ndarray  # float64 [n_agents, n_arms]
    gossip: np.ndarray  # float64 [n_agents, n_arms]
    largest: np.ndarray  # int64 [n_agents, n_arms]  all 0 in the burn-in


@implements(Params)
def init(params):
    n, k = params.n_agents, params.n_arms
    return State(
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.int64),
        np.zeros((n, n), np.bool_),
        np.zeros((n, n, k), np.float64),
        np.zeros((n, n, k), np.float64),
        np.zeros((n, k), np.int64),
        np.zeros(n, np.bool_),
        np.zeros(n, np.bool_),
    )


@implements(Params)
def outbox(params):
    shape = (params.n_agents, params.n_arms)
    return Message(np.zeros(shape, np.float64), np.zeros(shape, np.float64), np.zeros(shape, np.int64))


@implements(Message)
def possible(message, params, j, t):
    return all(0 <= message.largest[j, k] <= t for k in range(params.n_arms))


@implements(Message)
def said(message, params, i, values):
    read_row(message.gossip, i, values)


@implements(Message)
def say(message, params, i, values):
    write_row(message.mean, i, values)
    write_row(message.gossip, i, values)


@implements(Message)
def claim(message, params, i, t):
    fill_counts(message.largest, i, t)


@implements(Params)
def select(params, state, i, t, coins):
    """Burn-in in turns; then an arm fallen behind, if any, at random [I: among those]; else the largest bound."""
    if not state.ready[i]:
        return in_turn(params, state, i)
    n_behind = 0
    for k in range(params.n_arms):
        n_behind += made(state, i, k) <= state.largest[i, k] - params.n_arms
    if n_behind > 0:
        return nth_behind(params, state, i, below(coins, n_behind, CHOICE, t, i, 0))
    best, bound = 0, -inf
    width = params.c1 * log(t)
    for k in range(params.n_arms):
        index = state.gossip[i, k] + sqrt(width / state.pulls[i, k])
        if index > bound:
            best, bound = k, index
    return best


@kernel
def in_turn(params, state, i):
    """The arm pulled least, those without an outcome first; ties to the lowest: one after the other if none is lost."""
    best = untried(state.pulls, state.waiting, i)
    if best < 0:
        best = 0
        for k in range(1, params.n_arms):
            if made(state, i, k) < made(state, i, best):
                best = k
    return best


@kernel
def nth_behind(params, state, i, n):
    """The n-th (from 0) arm whose pulls are at least K below the largest heard of."""
    for k in range(params.n_arms):
        if made(state, i, k) <= state.largest[i, k] - params.n_arms:
            if n == 0:
                return k
            n -= 1
    return 0


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    for k in range(params.n_arms):
        outbox.mean[i, k] = state.mean[i, k]
        outbox.gossip[i, k] = state.gossip[i, k]
        outbox.largest[i, k] = state.largest[i, k]


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """Rule 1: note the fresh copies (the own among them), then average."""
    if state.whole[i]:
        weigh(params, state, i, inbox, i)
        for j in neighbours:
            if inbox.largest[j, 0] > 0:
                weigh(params, state, i, inbox, j)
    else:
        hear(params, state, i, t, inbox, i)
        for j in neighbours:
            if t <= params.burn_in or inbox.largest[j, 0] > 0:  # who is late has nothing to say yet [I]
                hear(params, state, i, t, inbox, j)

    arm = seen.arm[i]
    note_pull(state, seen, i)
    if arm >= 0:
        state.pulls[i, arm] += 1
        state.mean[i, arm] += (seen.reward[i, 0] - state.mean[i, arm]) / state.pulls[i, arm]
    if t < params.burn_in:
        return

    if not state.ready[i]:
        if untried(state.pulls, state.waiting, i) < 0:
            end_burn_in(params, state, i, t)
    else:
        average(params, state, i)
        for k in range(params.n_arms):
            state.largest[i, k] = max(state.largest[i, k], made(state, i, k))
        raise_to(state.largest, i, inbox.largest, neighbours, params.n_arms)


@kernel
def count_met(params, state, i):
    """How many agents i has met, itself among them."""
    n_met = 0
    for j in range(params.n_agents):
        n_met += state.met[i, j]
    return n_met


@kernel
def weights(params, n_met):
    """What a copy of another's estimate and one of its mean weigh in `average`."""
    m = float(params.n_agents)
    weight = (m - 1.0) / (m * m)
    return weight, (1.0 - n_met * weight) / n_met


@kernel
def weigh(params, state, i, inbox, j):
    """Keep what j said in this round, as it enters the average."""
    weight, fresh = weights(params, params.n_agents)
    for k in range(params.n_arms):
        state.heard_gossip[i, j, k] = weight * inbox.gossip[j, k] + fresh * inbox.mean[j, k]


@kernel
def hear(params, state, i, t, inbox, j):
    """Keep what j said in this round."""
    state.met[i, j] = True
    for k in range(params.n_arms):
        state.heard_mean[i, j, k] = inbox.mean[j, k]
    if t > params.burn_in:
        for k in range(params.n_arms):
            state.heard_gossip[i, j, k] = inbox.gossip[j, k]


@kernel
def end_burn_in(params, state, i, t):
    """The plain average of the copies; agents never met are left out [I: the literal 1/M is biased low].

    It comes later for an agent that was absent, or whose outcomes were lost.
    """
    state.ready[i] = True
    if t > params.burn_in:
        for k in range(params.n_arms):
            state.heard_mean[i, i, k] = state.mean[i, k]
    n_met = count_met(params, state, i)
    for k in range(params.n_arms):
        total = 0.0
        for j in range(params.n_agents):
            if state.met[i, j]:
                total += state.heard_mean[i, j, k]
        state.gossip[i, k] = total / n_met
        state.largest[i, k] = made(state, i, k)
    for j in range(params.n_agents):
        for k in range(params.n_arms):
            state.heard_gossip[i, j, k] = state.gossip[i, k]


@kernel
def average(params, state, i):
    """Gossip = sum_j P' heard_gossip_j + d sum_j heard_mean_j, P' = (M - 1) / M^2, d = (1 - sum P') / M [R].

    With agents not yet met the second sum has fewer terms and d divides by their number [I], so that the
    weights still sum to 1, which is what makes the estimate unbiased [D]. Once everybody was met the weights stay
    as they are, and the term is kept in place of the two copies: half as much is written and read in a round.
    """
    if not state.whole[i]:
        n_met = count_met(params, state, i)
        weight, fresh = weights(params, n_met)
        if n_met < params.n_agents:
            add_met(params, state, i, weight, fresh)
            return
        for j in range(params.n_agents):
            for k in range(params.n_arms):
                term = weight * state.heard_gossip[i, j, k] + fresh * state.heard_mean[i, j, k]
                state.heard_gossip[i, j, k] = term
        state.whole[i] = True
    terms, j = state.heard_gossip, 0
    for k in range(params.n_arms):
        state.gossip[i, k] = 0.0
    while j + 4 <= params.n_agents:  # rows of four at a time: see rows.py
        for k in range(params.n_arms):
            first, second = terms[i, j, k], terms[i, j + 1, k]
            third, fourth = terms[i, j + 2, k], terms[i, j + 3, k]
            state.gossip[i, k] = state.gossip[i, k] + first + second + third + fourth
        j += 4
    while j < params.n_agents:
        for k in range(params.n_arms):
            state.gossip[i, k] += terms[i, j, k]
        j += 1


@kernel
def add_met(params, state, i, weight, fresh):
    """The average over those met so far."""
    said, mean, j = state.heard_gossip, state.heard_mean, 0
    for k in range(params.n_arms):
        state.gossip[i, k] = 0.0
    while j < params.n_agents:
        if j + 1 < params.n_agents and state.met[i, j] and state.met[i, j + 1]:
            for k in range(params.n_arms):
                first = weight * said[i, j, k] + fresh * mean[i, j, k]
                second = weight * said[i, j + 1, k] + fresh * mean[i, j + 1, k]
                state.gossip[i, k] = state.gossip[i, k] + first + second
            j += 2
        else:
            for k in range(params.n_arms if state.met[i, j] else 0):
                state.gossip[i, k] += weight * said[i, j, k] + fresh * mean[i, j, k]
            j += 1
