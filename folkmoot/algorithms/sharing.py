# ruff: noqa: F811  one generic function has an implementation per record type
"""S1 and S2: raw samples or statistics, shared with everybody, while an adversary corrupts some of them.

Source: "Communication-Corruption Coupling and Verification in Cooperative Multi-Objective Bandits" (Shi). Equation
numbers are that paper's. Both hold the same pooled sample when every message arrives, and so differ in the radius
alone (docs/decisions/0010-s1-against-s2.md).
"""

from math import inf
from typing import ClassVar, NamedTuple

import numpy as np

from folkmoot.algorithms.base import Problem
from folkmoot.algorithms.outcomes import note_pull
from folkmoot.algorithms.robust_index import STALE, Rule, Sharing, append, refresh_stale, reveal, turn
from folkmoot.algorithms.words import fill_counts, read_sample, write_sample
from folkmoot.interface import implements, kernel

# --- What S1 and S2 have in common --------------------------------------------------------------------------------


class S1Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # N
    n_arms: int  # K
    rule: Rule


class S2Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # N
    n_arms: int  # K
    rule: Rule


@implements(S1Params)
@implements(S2Params)
def select(params, state, i, t, coins):
    """The arm whose turn to be verified it is; then arms without a sample, then the largest index; ties to the lowest.

    Of those without a sample the one that agent i pulled least comes first.
    """
    v = turn(params, i, t)
    if v < params.rule.verifications:
        return v % params.n_arms
    best = 0
    for k in range(1, params.n_arms):
        if state.bound[i, k] > state.bound[i, best] or (
            state.bound[i, k] == inf and state.waiting[i, k] < state.waiting[i, best]
        ):
            best = k
    return best


@implements(S1Params)
@implements(S2Params)
def verify(params, state, i, t, arm, coins):
    """The whole budget at once: in order of the rounds, then of the agents (E-10)."""
    return turn(params, i, t) < params.rule.verifications


@implements(S1Params)
@implements(S2Params)
def oversee(params, state, t, seen, spent):
    reveal(params, state, spent)


# --- S1 -----------------------------------------------------------------------------------------------------------


class S1(Sharing):
    """Every agent tells everybody what it pulled and saw; everybody appends every sample to its own estimate.

    Samples sent over a link that is down are lost. With radius "aware" it budgets for N times the corruption
    (Corollary 1), although each of its estimates holds every sample once, as S2's does.
    """

    label: ClassVar[str] = "S1 raw samples"

    def params(self, problem: Problem) -> S1Params:
        return S1Params(problem.n_agents, problem.n_arms, self._rule(problem, copies=problem.n_agents))


class S1State(NamedTuple):
    """What an agent remembers."""

    samples: np.ndarray  # int64 [n_agents, n_arms]  own and heard
    total: np.ndarray  # float64 [n_agents, n_arms, n_objectives]  their sum
    corruption: np.ndarray  # float64 [n_agents, n_arms]  G_k in the radius
    bound: np.ndarray  # float64 [n_agents, n_arms]  the index
    corner: np.ndarray  # float64 [n_agents, n_objectives]  scratch
    waiting: np.ndarray  # int64 [n_agents, n_arms]  own pulls without an outcome


class S1Message(NamedTuple):
    """One sample: d + 2 numbers."""

    arm: np.ndarray  # int64 [n_agents]  -1: there is no sample, and what follows is stale
    reward: np.ndarray  # float64 [n_agents, n_objectives]  as observed
    verified: np.ndarray  # int64 [n_agents]  V, 0 or 1; the estimate weighs both alike


@implements(S1Params)
def init(params):
    n, k, d = params.n_agents, params.n_arms, params.rule.n_objectives
    return S1State(
        np.zeros((n, k), np.int64),
        np.zeros((n, k, d), np.float64),
        np.full((n, k), params.rule.corruption),
        np.full((n, k), inf),
        np.zeros((n, d), np.float64),
        np.zeros((n, k), np.int64),
    )


@implements(S1Params)
def outbox(params):
    n, d = params.n_agents, params.rule.n_objectives
    return S1Message(np.zeros(n, np.int64), np.zeros((n, d), np.float64), np.zeros(n, np.int64))


@implements(S1Message)
def possible(message, params, j, t):
    return -1 <= message.arm[j] < params.n_arms and 0 <= message.verified[j] <= 1


@implements(S1Message)
def said(message, params, i, values):
    read_sample(message.arm[i], message.reward, i, values)


@implements(S1Message)
def say(message, params, i, values):
    write_sample(message.arm[i], message.reward, i, values)


@implements(S1Params)
def publish(params, state, i, t, seen, outbox):
    outbox.arm[i] = seen.arm[i]
    outbox.verified[i] = seen.verified[i]
    for j in range(params.rule.n_objectives):
        outbox.reward[i, j] = seen.reward[i, j]


@implements(S1Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """Append all. Rewards of 0 and 1 add up exactly, others in this order, which is not S2's."""
    note_pull(state, seen, i)
    if seen.arm[i] >= 0:
        append(state, i, seen.arm[i], seen.reward, i)
    for j in neighbours:
        if inbox.arm[j] >= 0:
            append(state, i, inbox.arm[j], inbox.reward, j)
    refresh_stale(params, state, i)


# --- S2 -----------------------------------------------------------------------------------------------------------


class S2(Sharing):
    """Every agent tells everybody its counts and sums; everybody adds up the latest of each.

    What a lost message said, the next one repeats.
    """

    label: ClassVar[str] = "S2 statistics"

    def params(self, problem: Problem) -> S2Params:
        n, k, d = problem.n_agents, problem.n_arms, problem.n_objectives
        problem.require_memory(8.0 * n * n * k * (1 + d), "S2, which keeps the last statistics of every pair,")
        return S2Params(n, k, self._rule(problem))


class S2State(NamedTuple):
    """What an agent remembers: own statistics, what it last heard of the others', and the sum of it all."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]  H, verified pulls included
    reported: np.ndarray  # float64 [n_agents, n_arms, n_objectives]  S, unverified rewards
    verified: np.ndarray  # int64 [n_agents, n_arms]  H^ver
    clean: np.ndarray  # float64 [n_agents, n_arms, n_objectives]  S^ver, verified rewards
    heard_pulls: np.ndarray  # int64 [n_agents, n_agents, n_arms]
    heard_total: np.ndarray  # float64 [n_agents, n_agents, n_arms, n_objectives]  S + S^ver
    samples: np.ndarray  # int64 [n_agents, n_arms]  pooled H
    total: np.ndarray  # float64 [n_agents, n_arms, n_objectives]  pooled S + S^ver
    corruption: np.ndarray  # float64 [n_agents, n_arms]  G_k in the radius
    bound: np.ndarray  # float64 [n_agents, n_arms]  the index
    corner: np.ndarray  # float64 [n_agents, n_objectives]  scratch
    waiting: np.ndarray  # int64 [n_agents, n_arms]  own pulls without an outcome


class S2Message(NamedTuple):
    """Own statistics, this round's observation included: K (2 d + 2) numbers."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]
    reported: np.ndarray  # float64 [n_agents, n_arms, n_objectives]
    verified: np.ndarray  # int64 [n_agents, n_arms]
    clean: np.ndarray  # float64 [n_agents, n_arms, n_objectives]


@implements(S2Params)
def init(params):
    n, k, d = params.n_agents, params.n_arms, params.rule.n_objectives
    return S2State(
        np.zeros((n, k), np.int64),
        np.zeros((n, k, d), np.float64),
        np.zeros((n, k), np.int64),
        np.zeros((n, k, d), np.float64),
        np.zeros((n, n, k), np.int64),
        np.zeros((n, n, k, d), np.float64),
        np.zeros((n, k), np.int64),
        np.zeros((n, k, d), np.float64),
        np.full((n, k), params.rule.corruption),
        np.full((n, k), inf),
        np.zeros((n, d), np.float64),
        np.zeros((n, k), np.int64),
    )


@implements(S2Params)
def outbox(params):
    n, k, d = params.n_agents, params.n_arms, params.rule.n_objectives
    return S2Message(
        np.zeros((n, k), np.int64),
        np.zeros((n, k, d), np.float64),
        np.zeros((n, k), np.int64),
        np.zeros((n, k, d), np.float64),
    )


@implements(S2Message)
def possible(message, params, j, t):
    return all(0 <= message.verified[j, k] <= message.pulls[j, k] <= t for k in range(params.n_arms))


@implements(S2Message)
def said(message, params, i, values):
    """Means over all pulls and objectives."""
    d = params.rule.n_objectives
    for k in range(params.n_arms):
        values[k] = 0.0
        for j in range(d):
            total = message.reported[i, k, j] + message.clean[i, k, j]
            values[k] += total / (message.pulls[i, k] * d) if message.pulls[i, k] > 0 else 0.0


@implements(S2Message)
def say(message, params, i, values):
    for k in range(params.n_arms):
        for j in range(params.rule.n_objectives):
            message.clean[i, k, j] = values[k] * message.verified[i, k]
            message.reported[i, k, j] = values[k] * (message.pulls[i, k] - message.verified[i, k])


@implements(S2Message)
def claim(message, params, i, t):
    fill_counts(message.pulls, i, t)


@kernel
def note(statistics, i, seen):
    """Add the outcome that came to agent i, if any, to its row of statistics, be they a state's or a message's."""
    arm = seen.arm[i]
    if arm < 0:
        return
    statistics.pulls[i, arm] += 1
    statistics.verified[i, arm] += seen.verified[i]
    for j in range(seen.reward.shape[1]):
        if seen.verified[i]:
            statistics.clean[i, arm, j] += seen.reward[i, j]
        else:
            statistics.reported[i, arm, j] += seen.reward[i, j]


@implements(S2Params)
def publish(params, state, i, t, seen, outbox):
    for k in range(params.n_arms):
        outbox.pulls[i, k] = state.pulls[i, k]
        outbox.verified[i, k] = state.verified[i, k]
        for j in range(params.rule.n_objectives):
            outbox.reported[i, k, j] = state.reported[i, k, j]
            outbox.clean[i, k, j] = state.clean[i, k, j]
    note(outbox, i, seen)


@implements(S2Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """Add the own observation; where a neighbour's count has changed, its statistics replace what was heard.

    Mostly one count has, and nobody can foresee which: so it is found without a branch.
    """
    note(state, i, seen)
    note_pull(state, seen, i)
    if seen.arm[i] >= 0:
        append(state, i, seen.arm[i], seen.reward, i)
    for j in neighbours:
        changed, arm = 0, 0
        for k in range(params.n_arms):
            differs = int(inbox.pulls[j, k] != state.heard_pulls[i, j, k])
            changed += differs
            arm += k * differs
        if changed == 1:
            take_over(params, state, i, inbox, j, arm)
            continue
        for k in range(params.n_arms if changed > 1 else 0):
            if inbox.pulls[j, k] != state.heard_pulls[i, j, k]:
                take_over(params, state, i, inbox, j, k)
    refresh_stale(params, state, i)


@kernel
def take_over(params, state, i, inbox, j, arm):
    """The sum of all rewards is S + S^ver, as H counts all pulls: S / H would be 0 with all verified (E-9)."""
    state.samples[i, arm] += inbox.pulls[j, arm] - state.heard_pulls[i, j, arm]
    state.heard_pulls[i, j, arm] = inbox.pulls[j, arm]
    for o in range(params.rule.n_objectives):
        total = inbox.reported[j, arm, o] + inbox.clean[j, arm, o]
        state.total[i, arm, o] += total - state.heard_total[i, j, arm, o]
        state.heard_total[i, j, arm, o] = total
    state.bound[i, arm] = STALE
