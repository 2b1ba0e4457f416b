"""GoSInE, the gossiping insert-eliminate algorithm: few arms per agent, one recommendation a phase.

Source: Chawla, Sankararaman, Ganesh and Shakkottai (2020), "The gossiping insert-eliminate algorithm for
multi-agent bandits" (AISTATS), its synchronous version as in the authors' code [C]; [I] marks what we filled in,
[R] what is recalled.
"""

from math import ceil, inf, log, sqrt
from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from folkmoot.algorithms.base import Algorithm, Problem, scale
from folkmoot.algorithms.outcomes import note_pull
from folkmoot.algorithms.words import best_of, read_arm
from folkmoot.coins import CHOICE, below
from folkmoot.errors import brief
from folkmoot.interface import implements, kernel

_ALPHA = 4.0  # in the authors' code [C]; the theory wants more than 3 [R]
_MOST_PHASES = 10**6


class GoSInE(Algorithm):
    """UCB on a few arms; at the end of a phase a neighbour's favourite replaces the worse of two of them.

    Made for agents with equal means. With different means an agent takes a neighbour's favourite for good or bad
    by its own rewards alone, so it learns a local optimum and its regret can grow linearly.

    An answer, one arm, is the only message counted: one per agent and phase in which the agent has a neighbour to
    ask. The question, which carries nothing, is not counted.

    Attributes:
        c1: alpha in the radius sqrt(alpha ln t / pulls); None is the 4 of the authors' code. Give all UCB baselines
            of a comparison the same. It is for rewards in [0, 1] and multiplied by (2 sigma)^2 where they are
            sigma-sub-Gaussian.
        phase_exponent: beta; phase j = 1, 2, ... ends after round ceil(j**beta). 3 in the authors' code.
    """

    label: ClassVar[str] = "GoSInE"
    c1: float | None = Field(None, gt=0, le=1e6)
    phase_exponent: float = Field(3.0, gt=1, le=100)

    def params(self, problem: Problem) -> "Params":
        n, k = problem.n_agents, problem.n_arms
        sticky = -(-k // n)
        ends = phase_ends(self.phase_exponent, problem.horizon)
        return Params(n, k, sticky, min(sticky + 2, k), (self.c1 or _ALPHA) * scale(problem), ends)


def phase_ends(exponent: float, horizon: int) -> np.ndarray:
    """The rounds ceil(j**exponent), j = 1, 2, ..., after which phases end; int64, the last one past the horizon.

    Raises:
        ValueError: there would be more than a million.
    """
    if horizon ** (1.0 / exponent) > _MOST_PHASES:
        raise ValueError(
            f"GoSInE phase_exponent = {brief(exponent)}: "
            f"expected one with at most {_MOST_PHASES} phases in {horizon} rounds; give a larger one"
        )
    power = int(exponent) if exponent == int(exponent) else exponent  # whole powers exactly
    ends = [1]
    while ends[-1] <= horizon:
        ends.append(ceil((len(ends) + 1) ** power))
    return np.array([min(end, 2**62) for end in ends], np.int64)


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # N
    n_arms: int  # K
    n_sticky: int  # ceil(K / N), arms an agent never gives up
    n_slots: int  # arms an agent holds: the sticky ones, U and L, but never more than K [I]
    alpha: float  # alpha
    ends: np.ndarray  # int64 [phases], rounds after which phases end


class State(NamedTuple):
    """What an agent remembers."""

    held: np.ndarray  # int64 [n_agents, n_slots]  S_j: sticky arms first, then U, then L
    phase_pulls: np.ndarray  # int64 [n_agents, n_slots]  pulls of the held arms in this phase
    pulls: np.ndarray  # int64 [n_agents, n_arms]  T_k, over all phases, of which the outcome came
    mean: np.ndarray  # float64 [n_agents, n_arms]  own observations, over all phases
    phase: np.ndarray  # int64 [n_agents]  j - 1
    favourite: np.ndarray  # int64 [n_agents]  the most pulled arm of the phase that ended last
    waiting: np.ndarray  # int64 [n_agents, n_arms]  pulls without an outcome


class Message(NamedTuple):
    """The answer to whoever asks at the end of a phase. Who was absent then asks when it is back."""

    favourite: np.ndarray  # int64 [n_agents]  the most pulled arm of the phase that ends or has ended


@implements(Params)
def init(params):
    """Agent i holds the arms from i ceil(K/N) on, modulo K: all different, as there are at most K slots."""
    n, k = params.n_agents, params.n_arms
    state = State(
        np.zeros((n, params.n_slots), np.int64),
        np.zeros((n, params.n_slots), np.int64),
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros((n, k), np.int64),
    )
    for i in range(n):
        for s in range(params.n_slots):
            state.held[i, s] = (i * params.n_sticky + s) % k
        state.favourite[i] = state.held[i, 0]
    return state


@implements(Params)
def outbox(params):
    return Message(np.zeros(params.n_agents, np.int64))


@implements(Message)
def possible(message, params, j, t):
    return 0 <= message.favourite[j] < params.n_arms


@implements(Message)
def said(message, params, i, values):
    read_arm(message.favourite[i], values)


@implements(Message)
def say(message, params, i, values):
    message.favourite[i] = best_of(values)


@implements(Params)
def select(params, state, i, t, coins):
    """Held arms without an outcome, then the largest mean + sqrt(alpha ln t / pulls); ties to the first slot [C]."""
    best, bound = 0, -inf
    width = params.alpha * log(t)
    for s in range(params.n_slots):
        k = state.held[i, s]
        if state.pulls[i, k] == 0:
            return untried_of_held(params, state, i)
        index = state.mean[i, k] + sqrt(width / state.pulls[i, k])
        if index > bound:
            best, bound = k, index
    return best


@kernel
def untried_of_held(params, state, i):
    """Of the held arms without an outcome the one pulled least, ties to the first slot."""
    best = -1
    for s in range(params.n_slots):
        k = state.held[i, s]
        if state.pulls[i, k] == 0 and (best < 0 or state.waiting[i, k] < state.waiting[i, best]):
            best = k
    return best


@kernel
def ends_phase(params, state, i, t):
    """Does a phase of agent i end in round t, or has it ended while it was absent?"""
    return t >= params.ends[state.phase[i]]


@kernel
def most_pulled(params, state, i, pulled):
    """The most pulled arm of the phase, this round's pull included; ties to the first slot."""
    best, most = 0, -1
    for s in range(params.n_slots):
        pulls = state.phase_pulls[i, s] + (state.held[i, s] == pulled)
        if pulls > most:
            best, most = state.held[i, s], pulls
    return best


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    """At the end of a phase its favourite, in other rounds that of the last phase."""
    if ends_phase(params, state, i, t):
        outbox.favourite[i] = most_pulled(params, state, i, seen.pulled[i])
    else:
        outbox.favourite[i] = state.favourite[i]


@implements(Params)
def messages(params, state, i, t, seen, n_neighbours):
    """One answer to agent i at the end of a phase, if there is anybody to ask."""
    if ends_phase(params, state, i, t):
        return min(n_neighbours, 1)
    return 0


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """The own mean; at the end of a phase, one question to one of this round's neighbours."""
    arm = seen.arm[i]
    note_pull(state, seen, i)
    if arm >= 0:
        state.pulls[i, arm] += 1
        state.mean[i, arm] += (seen.reward[i, 0] - state.mean[i, arm]) / state.pulls[i, arm]
    for s in range(params.n_slots):
        state.phase_pulls[i, s] += state.held[i, s] == seen.pulled[i]

    if ends_phase(params, state, i, t):
        state.favourite[i] = most_pulled(params, state, i, -1)
        if params.n_slots < params.n_arms:  # otherwise all arms are held already
            keep_the_better(params, state, i)
            if len(neighbours) > 0:  # with nobody to ask keep L [I]
                asked = neighbours[below(coins, len(neighbours), CHOICE, t, i, 0)]
                insert(params, state, i, inbox.favourite[asked])
        for s in range(params.n_slots):
            state.phase_pulls[i, s] = 0
        while t >= params.ends[state.phase[i]]:  # once, unless it was absent
            state.phase[i] += 1


@kernel
def keep_the_better(params, state, i):
    """The more pulled of U and L in the phase is the new U, the other one L; U stays U in a tie [C]."""
    u, last = params.n_sticky, params.n_sticky + 1
    if state.phase_pulls[i, last] > state.phase_pulls[i, u]:
        worse = state.held[i, u]
        state.held[i, u] = state.held[i, last]
        state.held[i, last] = worse


@kernel
def insert(params, state, i, arm):
    """A recommended arm takes the place of L unless it is held already."""
    for s in range(params.n_slots):
        if state.held[i, s] == arm:
            return
    state.held[i, params.n_sticky + 1] = arm
