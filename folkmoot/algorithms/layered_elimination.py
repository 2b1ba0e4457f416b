"""Layered elimination: arms are dropped in many layers at once, so that no guess of the corruption is needed.

Source: the multi-layer active arm elimination race of Lykouris, Mirrokni and Paes Leme (2018), "Stochastic bandits
robust to adversarial corruptions" (STOC, arXiv 1803.09353), for one learner and scalar rewards; its constants are
recalled [R]. Pooling by agents and vector rewards are ours (docs/decisions/0013-layers-instead-of-a-budget.md).
"""

from math import ceil, inf, log, log2, sqrt
from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.algorithms.outcomes import note_pull
from folkmoot.algorithms.words import read_sample, write_sample
from folkmoot.coins import CHOICE, uniform
from folkmoot.interface import implements, inlined, kernel, scalarise

_MOST_LAYERS = 53  # bits of a coin: a layer above would never be drawn
_MOST_VARIANCE = 0.5  # sigma**2 up to which sqrt(log(1/x) / n) bounds a mean with probability 1 - x


class LayeredElimination(Algorithm):
    """Each pull belongs to a layer drawn by coin; a layer drops arms by the samples of its own pulls.

    Layer l is drawn with probability 2**-l: high layers are slow but see a small share of what is corrupted, and what
    one of them drops, all below it drop too. So the lowest layer that is still right decides, without being told what
    the adversary may spend. The promise is for one that spends before it knows the arm (see decision 0013); without
    any adversary the layers cost a lot of regret. For agents with equal means.

    Attributes:
        delta: failure probability; None is 1/T.
        n_layers: None is ceil(log2(N T)), which suits any corruption; with fewer, say m, the promise ends at a
            corruption of 2**m. One layer is the plain elimination of pooled samples, which promises nothing.
    """

    label: ClassVar[str] = "Layered elimination"
    many_objectives: ClassVar[bool] = True
    for_good: ClassVar[bool] = True
    delta: float | None = Field(None, gt=0, lt=1)
    n_layers: int | None = Field(None, ge=1, le=_MOST_LAYERS)

    def params(self, problem: Problem) -> "Params":
        n, k, d = problem.n_agents, problem.n_arms, problem.n_objectives
        if problem.sub_gaussian**2 > _MOST_VARIANCE:
            raise ValueError(
                f"LayeredElimination: rewards with sub-Gaussian parameter {problem.sub_gaussian:g}; "
                "expected at most sqrt(1/2), as all rewards from 0 to 1 have"
            )
        steps = n * problem.horizon
        layers = self.n_layers or min(max(1, ceil(log2(steps))), _MOST_LAYERS)
        problem.require_memory(n * layers * k * (8.0 * d + 33.0), "LayeredElimination, which keeps a table per layer,")
        width = log(4.0 * d * k * steps * layers) - log(self.delta or 1.0 / problem.horizon)
        return Params(n, k, layers, d, width, problem.scalarisation)


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # N
    n_arms: int  # K
    n_layers: int  # L; the kernels number layers from 0, so that theirs is the paper's minus 1
    n_objectives: int  # d
    width: float  # log(4 d K N T L / delta); log(4 K T log T / delta) in the paper [R]
    scalarisation: NamedTuple


class State(NamedTuple):
    """What an agent remembers: every sample it has made or heard of, added up."""

    layer: np.ndarray  # int64 [n_agents]  of the pull of this round; everybody's first is in the lowest
    samples: np.ndarray  # int64 [n_agents, n_layers, n_arms]  n^l(a)
    total: np.ndarray  # float64 [n_agents, n_layers, n_arms, n_objectives]
    low: np.ndarray  # float64 [n_agents, n_layers, n_arms]  phi(mean) - wd
    high: np.ndarray  # float64 [n_agents, n_layers, n_arms]  phi(mean) + wd
    stale: np.ndarray  # bool [n_agents, n_layers, n_arms]  samples came since the bounds were computed
    due: np.ndarray  # bool [n_agents, n_layers]  the layer has samples it has not been tested with
    lowest: np.ndarray  # int64 [n_agents, n_arms]  the lowest layer the arm is active in, hence in all above it
    mean: np.ndarray  # float64 [n_agents, n_objectives]  scratch
    coin: np.ndarray  # float64 [n_agents]  that drew the layer of this round
    waiting: np.ndarray  # int64 [n_agents, n_arms]  own pulls without an outcome
    asked: np.ndarray  # int64 [n_agents, n_layers, n_arms]  the same by layer


class Message(NamedTuple):
    """The sample of this round."""

    layer: np.ndarray  # int64 [n_agents]
    arm: np.ndarray  # int64 [n_agents]  -1: there is none, and what follows is stale
    reward: np.ndarray  # float64 [n_agents, n_objectives]


@implements(Params)
def init(params):
    n, k, d = params.n_agents, params.n_arms, params.n_objectives
    shape = (n, params.n_layers, k)
    return State(
        np.zeros(n, np.int64),
        np.zeros(shape, np.int64),
        np.zeros((n, params.n_layers, k, d), np.float64),
        np.full(shape, -inf),
        np.full(shape, inf),
        np.zeros(shape, np.bool_),
        np.zeros((n, params.n_layers), np.bool_),
        np.zeros((n, k), np.int64),
        np.zeros((n, d), np.float64),
        np.zeros(n, np.float64),
        np.zeros((n, k), np.int64),
        np.zeros(shape, np.int64),
    )


@implements(Params)
def outbox(params):
    n = params.n_agents
    return Message(np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros((n, params.n_objectives), np.float64))


@implements(Message)
def possible(message, params, j, t):
    return -1 <= message.arm[j] < params.n_arms and 0 <= message.layer[j] < params.n_layers


@implements(Message)
def said(message, params, i, values):
    read_sample(message.arm[i], message.reward, i, values)


@implements(Message)
def say(message, params, i, values):
    write_sample(message.arm[i], message.reward, i, values)


@kernel
def drawn_layer(params, u):
    """The layer of a pull by its coin: the paper's layer l with probability 2^-l, what remains to its first."""
    layer, bound = 0, 0.5
    while layer < params.n_layers and u < bound:
        layer += 1
        bound *= 0.5
    return layer if layer < params.n_layers else 0


@kernel
def layer_of_outcome(params, state, i, seen):
    """The layer that the outcome which came to agent i belongs to: that of its pull.

    Which of its pulls of the arm it was is not told if several wait. Then one of them by this round's coin [I]:
    outcomes of an arm are alike, and so each layer gets its share also where some are lost.
    """
    arm = seen.arm[i]
    now = arm == seen.pulled[i]
    if now and state.waiting[i, arm] == 0:
        return state.layer[i]
    place = int(state.coin[i] * (state.waiting[i, arm] + now))
    for layer in range(params.n_layers):
        place -= state.asked[i, layer, arm] + (now and layer == state.layer[i])
        if place < 0:
            return np.int64(layer)
    return state.layer[i]  # not reached


@inlined
def note_layers(params, state, i, layer, seen):
    """As `note_pull`, for the layers; `layer` is that of the outcome."""
    if seen.arm[i] == seen.pulled[i] and layer == state.layer[i]:
        return
    if seen.pulled[i] >= 0:
        state.asked[i, state.layer[i], seen.pulled[i]] += 1
    if seen.arm[i] >= 0:
        state.asked[i, layer, seen.arm[i]] -= 1


@implements(Params)
def select(params, state, i, t, coins):
    """The active arm of the drawn layer with the fewest samples there; if none is left, of the lowest layer that has.

    Ties go to the lowest index. An arm always comes out: the top layer keeps at least one (see `eliminate`).
    """
    layer, best, level, fewest = state.layer[i], 0, params.n_layers, 0
    for k in range(params.n_arms):
        home, count = max(layer, state.lowest[i, k]), state.samples[i, layer, k] + state.asked[i, layer, k]
        if home < level or (home == level and count < fewest):
            best, level, fewest = k, home, count
    return best


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    outbox.arm[i] = seen.arm[i]
    if seen.arm[i] < 0:
        return
    outbox.layer[i] = layer_of_outcome(params, state, i, seen)
    for j in range(params.n_objectives):
        outbox.reward[i, j] = seen.reward[i, j]


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """Add the own sample and the neighbours'; test every layer that got some, once; draw the next pull's layer."""
    layer = state.layer[i]
    if seen.arm[i] >= 0:
        layer = layer_of_outcome(params, state, i, seen)
        append(params, state, i, layer, seen.arm[i], seen.reward, i)
    note_layers(params, state, i, layer, seen)
    note_pull(state, seen, i)
    for j in neighbours:
        if inbox.arm[j] >= 0:
            append(params, state, i, inbox.layer[j], inbox.arm[j], inbox.reward, j)
    for layer in range(params.n_layers):
        if state.due[i, layer]:
            state.due[i, layer] = False
            eliminate(params, state, i, layer)
    state.coin[i] = uniform(coins, CHOICE, t + 1, i, 0)
    state.layer[i] = drawn_layer(params, state.coin[i])


@inlined
def append(params, state, i, layer, arm, rewards, row):
    """Add the sample `rewards[row, :]` of this arm to a layer of agent i."""
    state.samples[i, layer, arm] += 1
    for j in range(params.n_objectives):
        state.total[i, layer, arm, j] += rewards[row, j]
    state.stale[i, layer, arm] = True
    state.due[i, layer] = True


@inlined
def eliminate(params, state, i, layer):
    """Drop, from this layer and all below, the active arms whose upper bound is below the layer's best lower bound.

    The arm with that lower bound stays, so a layer never loses its last arm by its own test; the top layer, which no
    other can take arms from, is therefore never empty, whatever the samples are.
    """
    best, least = -inf, inf
    for k in range(params.n_arms):
        if state.lowest[i, k] <= layer:
            if state.stale[i, layer, k]:
                refresh(params, state, i, layer, k)
            best, least = max(best, state.low[i, layer, k]), min(least, state.high[i, layer, k])
    if least >= best:
        return
    for k in range(params.n_arms):
        if state.lowest[i, k] <= layer and state.high[i, layer, k] < best:
            state.lowest[i, k] = layer + 1


@inlined
def refresh(params, state, i, layer, k):
    """phi(mean) -+ wd, wd = sqrt(width / n) + width / n: noise, and as much corruption as a high layer sees."""
    n = float(state.samples[i, layer, k])
    for j in range(params.n_objectives):
        state.mean[i, j] = state.total[i, layer, k, j] / n
    worth, share = scalarise(params.scalarisation, state.mean, i), params.width / n
    radius = sqrt(share) + share
    state.low[i, layer, k] = worth - radius
    state.high[i, layer, k] = worth + radius
    state.stale[i, layer, k] = False


@implements(Params)
def decision(params, state, i):
    """The arm left alone in the top layer, hence in every layer that has one: no other is ever pulled again."""
    alone = -1
    for k in range(params.n_arms):
        if state.lowest[i, k] < params.n_layers:
            if alone >= 0:
                return -1
            alone = k
    return alone
