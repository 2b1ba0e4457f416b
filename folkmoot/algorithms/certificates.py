"""S3 with certificates: verified samples, which nobody can forge, are shared, and prove an arm the best.

Source: "Communication-Corruption Coupling and Verification in Cooperative Multi-Objective Bandits" (Shi). Equation
numbers are that paper's. It leaves open when to verify: all at once, from the first round on, is ours
(docs/decisions/0012-s3-coordination.md).
"""

from math import inf, sqrt
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from folkmoot.algorithms.base import Problem
from folkmoot.algorithms.recommending import activate_own, best_active, ends_epoch, favourite, learn
from folkmoot.algorithms.robust_index import Rule, Sharing, reveal, turn
from folkmoot.algorithms.words import best_of, read_arm, write_sample
from folkmoot.interface import implements, kernel, scalarise

_NUMBER = 8  # bytes
_NOBODY = -1


class S3CertParams(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # N
    n_arms: int  # K
    rule: Rule
    elimination: bool
    filtering: bool


class S3Cert(Sharing):
    """S3 in which a verified sample goes to everybody, and all settle on an arm once those samples prove it the best.

    The certificate of an arm, phi(mean of its verified samples) -+ eps, is beyond any adversary's reach (eq. 16). Once
    the lower end of one is at least the upper end of all others its holder plays that arm for ever.

    Attributes:
        verify: which arm is verified next: "round_robin" takes them in turn; "elimination" (ours) takes in turn those
            that may still be the best.
        filtering: a recommendation carries the certificate of its arm (section III-F), and whoever hears it plays no
            arm in the next epoch that a certificate proves worse. Which, the paper leaves open: the rule is ours.
    """

    label: ClassVar[str] = "S3 with certificates"
    for_good: ClassVar[bool] = True
    verify: Literal["round_robin", "elimination"] = "round_robin"
    filtering: bool = False

    def params(self, problem: Problem) -> S3CertParams:
        return S3CertParams(
            problem.n_agents, problem.n_arms, self._rule(problem), self.verify == "elimination", self.filtering
        )


class S3CertState(NamedTuple):
    """What an agent remembers."""

    samples: np.ndarray  # int64 [n_agents, n_arms]  own
    total: np.ndarray  # float64 [n_agents, n_arms, n_objectives]  their sum
    corruption: np.ndarray  # float64 [n_agents, n_arms]  G_k in the radius
    bound: np.ndarray  # float64 [n_agents, n_arms]  the index
    corner: np.ndarray  # float64 [n_agents, n_objectives]  scratch
    active: np.ndarray  # bool [n_agents, n_arms]  arms to play in this epoch
    plays: np.ndarray  # int64 [n_agents, n_arms]  in this epoch
    verified: np.ndarray  # int64 [n_agents, n_arms]  H_k, own and heard
    clean: np.ndarray  # float64 [n_agents, n_arms, n_objectives]  their sum
    lower: np.ndarray  # float64 [n_agents, n_arms]  ends of the certificates
    upper: np.ndarray  # float64 [n_agents, n_arms]
    settled: np.ndarray  # int64 [n_agents]  the arm to play for ever; -1 is none
    end: np.ndarray  # int64 [n_agents]  last round of the epoch the agent is in
    liked: np.ndarray  # int64 [n_agents]  its last recommendation; its first own arm before there was one
    waiting: np.ndarray  # int64 [n_agents, n_arms]  pulls without an outcome


class S3CertMessage(NamedTuple):
    """Up to two messages: a recommendation at the end of an epoch, and a verified sample when there is one."""

    favourite: np.ndarray  # int64 [n_agents]  as in S3
    verified: np.ndarray  # bool [n_agents]  is there a verified sample? what follows is stale otherwise
    arm: np.ndarray  # int64 [n_agents]
    reward: np.ndarray  # float64 [n_agents, n_objectives]
    certified: np.ndarray  # bool [n_agents]  with filtering: is there a certificate? what follows is stale otherwise
    lower: np.ndarray  # float64 [n_agents]  its ends, of the recommended arm
    upper: np.ndarray  # float64 [n_agents]


@implements(S3CertParams)
def init(params):
    n, k, d = params.n_agents, params.n_arms, params.rule.n_objectives
    state = S3CertState(
        np.zeros((n, k), np.int64),
        np.zeros((n, k, d), np.float64),
        np.full((n, k), params.rule.corruption),
        np.full((n, k), inf),
        np.zeros((n, d), np.float64),
        np.zeros((n, k), np.bool_),
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.int64),
        np.zeros((n, k, d), np.float64),
        np.full((n, k), -inf),
        np.full((n, k), inf),
        np.full(n, 0 if k == 1 else _NOBODY, np.int64),
        np.full(n, k, np.int64),
        np.zeros(n, np.int64),
        np.zeros((n, k), np.int64),
    )
    for i in range(n):
        activate_own(params, state, i)
        state.liked[i] = i % k
    return state


@implements(S3CertParams)
def outbox(params):
    n, d = params.n_agents, params.rule.n_objectives
    return S3CertMessage(
        np.zeros(n, np.int64),
        np.zeros(n, np.bool_),
        np.zeros(n, np.int64),
        np.zeros((n, d), np.float64),
        np.zeros(n, np.bool_),
        np.zeros(n, np.float64),
        np.zeros(n, np.float64),
    )


@implements(S3CertMessage)
def possible(message, params, j, t):
    return (
        0 <= message.favourite[j] < params.n_arms
        and 0 <= message.arm[j] < params.n_arms
        and message.lower[j] <= message.upper[j]
    )


@implements(S3CertMessage)
def said(message, params, i, values):
    """The recommendation."""
    read_arm(message.favourite[i], values)


@implements(S3CertMessage)
def say(message, params, i, values):
    """The recommendation, and what a verified sample paid: what was seen unaltered may yet be told otherwise."""
    message.favourite[i] = best_of(values)
    write_sample(message.arm[i], message.reward, i, values)


@kernel
def best_lower(params, state, i):
    """The arm whose certificate has the largest lower end; ties to the lowest index."""
    best = 0
    for k in range(1, params.n_arms):
        if state.lower[i, k] > state.lower[i, best]:
            best = k
    return best


@kernel
def survivor(params, state, i, v):
    """The (v mod n)-th of the n arms that, by agent i's certificates, may be the best."""
    floor, survivors = state.lower[i, best_lower(params, state, i)], 0
    for k in range(params.n_arms):
        survivors += state.upper[i, k] >= floor
    place = v % survivors
    for k in range(params.n_arms):
        if state.upper[i, k] >= floor:
            if place == 0:
                return k
            place -= 1
    return 0  # not reached: the arm with the largest lower end survives


@implements(S3CertParams)
def select(params, state, i, t, coins):
    """The arm settled on; before, the one whose turn to be verified it is; then the best of this epoch's."""
    if state.settled[i] >= 0:
        return state.settled[i]
    v = turn(params, i, t)
    if v >= params.rule.verifications:
        return best_active(params, state, i)
    return survivor(params, state, i, v) if params.elimination else v % params.n_arms


@implements(S3CertParams)
def verify(params, state, i, t, arm, coins):
    return state.settled[i] < 0 and turn(params, i, t) < params.rule.verifications


@implements(S3CertParams)
def oversee(params, state, t, seen, spent):
    reveal(params, state, spent)


@implements(S3CertParams)
def publish(params, state, i, t, seen, outbox):
    outbox.favourite[i] = favourite(params, state, i, t, seen.pulled[i])
    outbox.verified[i] = seen.verified[i]
    if seen.verified[i]:
        outbox.arm[i] = seen.arm[i]
        for j in range(params.rule.n_objectives):
            outbox.reward[i, j] = seen.reward[i, j]
    arm = outbox.favourite[i]
    outbox.certified[i] = params.filtering and state.verified[i, arm] > 0
    if outbox.certified[i]:
        outbox.lower[i] = state.lower[i, arm]
        outbox.upper[i] = state.upper[i, arm]


@implements(S3CertParams)
def messages(params, state, i, t, seen, n_neighbours):
    sent = n_neighbours if ends_epoch(state, i, t) else 0
    return sent + n_neighbours if seen.verified[i] else sent


@implements(S3CertParams)
def message_bytes(params, state, i, t, seen, n_messages, row_bytes):
    """A recommendation is one number, three with its certificate, a verified sample 1 + d; in a round with both there
    are equally many.
    """
    sample = _NUMBER * (1 + params.rule.n_objectives)
    pick = _NUMBER * (3 if params.filtering else 1)
    if not seen.verified[i]:
        return n_messages * pick
    return n_messages // 2 * (pick + sample) if ends_epoch(state, i, t) else n_messages * sample


@implements(S3CertParams)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """As S3, on own samples alone; and the certificates, on all verified ones."""
    ended = ends_epoch(state, i, t)
    learn(params, state, i, t, seen, inbox, neighbours)
    if state.settled[i] >= 0:
        return
    news = False
    if seen.verified[i]:
        certify(params, state, i, seen.arm[i], seen.reward, i)
        news = True
    for j in neighbours:
        if inbox.verified[j]:
            certify(params, state, i, inbox.arm[j], inbox.reward, j)
            news = True
    if news:
        settle(params, state, i)
    if params.filtering and ended:
        drop_beaten(params, state, i, inbox, neighbours)


@kernel
def certify(params, state, i, arm, rewards, row):
    """One more verified sample; eq. 16 with L = 1. An arm without any has no bounds."""
    state.verified[i, arm] += 1
    h = state.verified[i, arm]
    for j in range(params.rule.n_objectives):
        state.clean[i, arm, j] += rewards[row, j]
        state.corner[i, j] = state.clean[i, arm, j] / h
    worth = scalarise(params.rule.scalarisation, state.corner, i)
    eps = sqrt(params.rule.width / (2.0 * h))
    state.lower[i, arm] = worth - eps
    state.upper[i, arm] = worth + eps


@kernel
def drop_beaten(params, state, i, inbox, neighbours):
    """Of the arms of the next epoch, leave out those whose certificate, own or heard, ends below the largest lower end.

    An arm without a certificate stays: nothing is known against it. If all are out, the arm with that lower end it is.
    """
    best = best_lower(params, state, i)
    floor, kept = state.lower[i, best], 0
    for j in neighbours:
        if inbox.certified[j] and inbox.lower[j] > floor:
            best, floor = inbox.favourite[j], inbox.lower[j]
    for k in range(params.n_arms):
        if state.active[i, k]:
            upper = state.upper[i, k]
            for j in neighbours:
                if inbox.certified[j] and inbox.favourite[j] == k:
                    upper = min(upper, inbox.upper[j])
            state.active[i, k] = upper >= floor
            kept += state.active[i, k]
    if kept == 0:
        state.active[i, best] = True


@kernel
def settle(params, state, i):
    """Settle on the arm whose lower end is at least every other's upper end, if there is one."""
    best = best_lower(params, state, i)
    for k in range(params.n_arms):
        if k != best and state.upper[i, k] > state.lower[i, best]:
            return
    state.settled[i] = best


@implements(S3CertParams)
def decision(params, state, i):
    return state.settled[i]
