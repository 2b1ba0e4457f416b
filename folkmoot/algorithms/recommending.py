"""S3: agents learn from their own samples and tell each other no more than which arm they like.

Source: "Communication-Corruption Coupling and Verification in Cooperative Multi-Objective Bandits" (Shi). It leaves
open when to recommend an arm and what to do with one recommended: epochs and arms of one's own are ours
(docs/decisions/0012-s3-coordination.md).
"""

from math import inf
from typing import ClassVar, NamedTuple

import numpy as np

from folkmoot.algorithms.base import Problem
from folkmoot.algorithms.outcomes import note_pull
from folkmoot.algorithms.robust_index import Rule, Sharing, append, refresh, reveal, turn
from folkmoot.algorithms.words import best_of, read_arm
from folkmoot.interface import implements, kernel


class S3Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # N
    n_arms: int  # K
    rule: Rule


class S3(Sharing):
    """Each agent tries the arms assigned to it and those that were recommended, on own samples alone.

    Epochs have K, 2 K, 4 K, ... rounds. At the end of one each agent recommends the arm it played most in it, and in
    the next plays the index over its own arms, that arm and those recommended to it. Verified samples stay with
    whoever asked for them.
    """

    label: ClassVar[str] = "S3 recommendations"

    def params(self, problem: Problem) -> S3Params:
        return S3Params(problem.n_agents, problem.n_arms, self._rule(problem))


class S3State(NamedTuple):
    """What an agent remembers."""

    samples: np.ndarray  # int64 [n_agents, n_arms]  own
    total: np.ndarray  # float64 [n_agents, n_arms, n_objectives]  their sum
    corruption: np.ndarray  # float64 [n_agents, n_arms]  G_k in the radius
    bound: np.ndarray  # float64 [n_agents, n_arms]  the index
    corner: np.ndarray  # float64 [n_agents, n_objectives]  scratch
    active: np.ndarray  # bool [n_agents, n_arms]  arms to play in this epoch
    plays: np.ndarray  # int64 [n_agents, n_arms]  in this epoch
    end: np.ndarray  # int64 [n_agents]  last round of the epoch the agent is in
    liked: np.ndarray  # int64 [n_agents]  its last recommendation; its first own arm before there was one
    waiting: np.ndarray  # int64 [n_agents, n_arms]  pulls without an outcome


class S3Message(NamedTuple):
    """A recommendation at the end of an epoch, and after it for those that were absent then."""

    favourite: np.ndarray  # int64 [n_agents]


@kernel
def ends_epoch(state, i, t):
    """Is t one of K, 3 K, 7 K, ..., the last round of an epoch, or was agent i absent when that came?"""
    return t >= state.end[i]


@kernel
def activate_own(params, state, i):
    """Only the arms assigned to agent i: k with k mod N = i; with fewer arms than agents, arm i mod K."""
    for k in range(params.n_arms):
        state.active[i, k] = False
    state.active[i, i % params.n_arms] = True
    for k in range(i + params.n_agents, params.n_arms, params.n_agents):
        state.active[i, k] = True


@kernel
def favourite(params, state, i, t, arm):
    """What agent i recommends: before the end of its epoch what it recommended last, at the end the most played arm,
    ties to the lowest, when `arm` is played once more.
    """
    if not ends_epoch(state, i, t):
        return state.liked[i]
    best, most = 0, -1
    for k in range(params.n_arms):
        plays = state.plays[i, k] + (k == arm)
        if plays > most:
            best, most = k, plays
    return best


@kernel
def best_active(params, state, i):
    """Among the arms of this epoch those without a sample, then the largest index; ties to the lowest.

    Of those without a sample the one pulled least comes first.
    """
    best, bound = 0, -inf
    for k in range(params.n_arms):
        if state.active[i, k]:
            first = bound == inf and state.bound[i, k] == inf and state.waiting[i, k] < state.waiting[i, best]
            if state.bound[i, k] > bound or first:
                best, bound = k, state.bound[i, k]
    return best


@kernel
def learn(params, state, i, t, seen, inbox, neighbours):
    """The own sample; at the end of an epoch, the arms of the next."""
    arm, pulled = seen.arm[i], seen.pulled[i]
    note_pull(state, seen, i)
    if arm >= 0:
        append(state, i, arm, seen.reward, i)
        refresh(params, state, i, arm)
    if not ends_epoch(state, i, t):
        state.plays[i, pulled] += 1
        return
    state.liked[i] = favourite(params, state, i, t, pulled)
    while t >= state.end[i]:  # once, unless it was absent
        state.end[i] += state.end[i] + params.n_arms
    activate_own(params, state, i)
    state.active[i, state.liked[i]] = True
    for j in neighbours:
        state.active[i, inbox.favourite[j]] = True
    for k in range(params.n_arms):
        state.plays[i, k] = 0


@implements(S3Params)
def init(params):
    n, k, d = params.n_agents, params.n_arms, params.rule.n_objectives
    state = S3State(
        np.zeros((n, k), np.int64),
        np.zeros((n, k, d), np.float64),
        np.full((n, k), params.rule.corruption),
        np.full((n, k), inf),
        np.zeros((n, d), np.float64),
        np.zeros((n, k), np.bool_),
        np.zeros((n, k), np.int64),
        np.full(n, k, np.int64),
        np.zeros(n, np.int64),
        np.zeros((n, k), np.int64),
    )
    for i in range(n):
        activate_own(params, state, i)
        state.liked[i] = i % k
    return state


@implements(S3Params)
def outbox(params):
    return S3Message(np.zeros(params.n_agents, np.int64))


@implements(S3Message)
def possible(message, params, j, t):
    return 0 <= message.favourite[j] < params.n_arms


@implements(S3Message)
def said(message, params, i, values):
    read_arm(message.favourite[i], values)


@implements(S3Message)
def say(message, params, i, values):
    message.favourite[i] = best_of(values)


@implements(S3Params)
def select(params, state, i, t, coins):
    v = turn(params, i, t)
    return v % params.n_arms if v < params.rule.verifications else best_active(params, state, i)


@implements(S3Params)
def verify(params, state, i, t, arm, coins):
    return turn(params, i, t) < params.rule.verifications


@implements(S3Params)
def oversee(params, state, t, seen, spent):
    reveal(params, state, spent)


@implements(S3Params)
def publish(params, state, i, t, seen, outbox):
    outbox.favourite[i] = favourite(params, state, i, t, seen.pulled[i])


@implements(S3Params)
def messages(params, state, i, t, seen, n_neighbours):
    """One to each neighbour at the end of an epoch; who was absent then is told by each when it is back."""
    return n_neighbours if ends_epoch(state, i, t) else 0


@implements(S3Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    learn(params, state, i, t, seen, inbox, neighbours)
