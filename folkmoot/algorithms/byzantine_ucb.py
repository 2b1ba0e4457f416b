"""ByzantineUCB: UCB on a mean of own and neighbours' means from which the most extreme are left out.

Source: Zhu, Koppel, Velasquez and Liu (2023), "Byzantine-resilient decentralized multi-armed bandits" (arXiv
2310.07320), from the authors' code [C]; [I] marks what we filled in. Its world has equal means in all agents, a fixed
graph, and a message in every round.
"""

from math import inf, log, sqrt
from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.algorithms.outcomes import untried
from folkmoot.algorithms.words import fill_counts, read_row, write_row
from folkmoot.interface import implements, kernel


class ByzantineUCB(Algorithm):
    """UCB for agents with equal means, at most `faulty` of whose neighbours lie.

    In each round and for each arm an agent hears those neighbours that have pulled it about as often as itself, leaves
    out the `faulty` largest and smallest of their means, and averages what is left with its own. Where too few are
    heard it stays with its own mean. So lies cannot move an estimate beyond what honest agents say, and the worst that
    liars can do is to make it no better than UCB alone.

    Attributes:
        faulty: f, how many neighbours of an agent may lie. 0 trims nothing, and then one liar is enough.
        kappa: how often a neighbour must have pulled an arm: kappa times its pulls are at least the agent's own.
    """

    label: ClassVar[str] = "Byzantine UCB"
    faulty: int = Field(1, ge=0, le=1_000)
    kappa: float = Field(1.5, ge=1, le=1e6)

    def params(self, problem: Problem) -> "Params":
        return Params(problem.n_agents, problem.n_arms, self.faulty, self.kappa, 8.0 * problem.sub_gaussian**2)


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # N
    n_arms: int  # K
    faulty: int  # f
    kappa: float  # kappa
    width: float  # 8 sigma^2: the 2 of the source for rewards from 0 to 1, which are 1/2-sub-Gaussian [I]


class State(NamedTuple):
    """What an agent remembers."""

    made: np.ndarray  # int64 [n_agents, n_arms]  pulls
    pulls: np.ndarray  # int64 [n_agents, n_arms]  n_i: pulls whose outcome has come
    mean: np.ndarray  # float64 [n_agents, n_arms]  of these
    estimate: np.ndarray  # float64 [n_agents, n_arms]  z
    noise: np.ndarray  # float64 [n_agents, n_arms]  g in the radius sqrt(2 g ln t / n_i)
    lowest: np.ndarray  # float64 [n_agents, faulty]  scratch
    highest: np.ndarray  # float64 [n_agents, faulty]  scratch


class Message(NamedTuple):
    """The own table, this round's observation included."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]
    mean: np.ndarray  # float64 [n_agents, n_arms]


@implements(Params)
def init(params):
    shape, trimmed = (params.n_agents, params.n_arms), (params.n_agents, params.faulty)
    return State(
        np.zeros(shape, np.int64),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.float64),
        np.zeros(shape, np.float64),
        np.ones(shape, np.float64),
        np.zeros(trimmed, np.float64),
        np.zeros(trimmed, np.float64),
    )


@implements(Params)
def outbox(params):
    shape = (params.n_agents, params.n_arms)
    return Message(np.zeros(shape, np.int64), np.zeros(shape, np.float64))


@implements(Message)
def possible(message, params, j, t):
    return all(0 <= message.pulls[j, k] <= t for k in range(params.n_arms))


@implements(Message)
def said(message, params, i, values):
    read_row(message.mean, i, values)


@implements(Message)
def say(message, params, i, values):
    write_row(message.mean, i, values)


@implements(Message)
def claim(message, params, i, t):
    fill_counts(message.pulls, i, t)


@implements(Params)
def select(params, state, i, t, coins):
    """Arms without an outcome first, of these the least pulled; then the largest bound; ties to the lowest index."""
    best, bound = 0, -inf
    width = params.width * log(t)
    for k in range(params.n_arms):
        if state.pulls[i, k] == 0:
            return untried(state.pulls, state.made, i)
        index = state.estimate[i, k] + sqrt(width * state.noise[i, k] / state.pulls[i, k])
        if index > bound:
            best, bound = k, index
    return best


@kernel
def observe(table, i, arm, reward):
    """Add an outcome to row i of a table of pulls and means, be it a state's or a message's."""
    table.pulls[i, arm] += 1
    table.mean[i, arm] += (reward - table.mean[i, arm]) / table.pulls[i, arm]


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    for k in range(params.n_arms):
        outbox.pulls[i, k] = state.pulls[i, k]
        outbox.mean[i, k] = state.mean[i, k]
    if seen.arm[i] >= 0:
        observe(outbox, i, seen.arm[i], seen.reward[i, 0])


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """The own table, then z and g of every arm, from the neighbours heard in this round."""
    if seen.pulled[i] >= 0:
        state.made[i, seen.pulled[i]] += 1
    if seen.arm[i] >= 0:
        observe(state, i, seen.arm[i], seen.reward[i, 0])
    for k in range(params.n_arms):
        heard = 0
        for j in neighbours:
            heard += params.kappa * inbox.pulls[j, k] >= state.pulls[i, k]
        if heard <= 2 * params.faulty:
            state.estimate[i, k], state.noise[i, k] = state.mean[i, k], 1.0
        else:
            terms = heard - 2 * params.faulty + 1
            eta = 1.0 / terms
            state.estimate[i, k] = (state.mean[i, k] + trimmed_total(params, state, i, k, inbox, neighbours)) / terms
            state.noise[i, k] = (4.0 * eta * eta + params.kappa * eta + params.kappa) / 4.0


@kernel
def trimmed_total(params, state, i, k, inbox, neighbours):
    """The sum of the means heard of arm k without the f smallest and the f largest, which never enter it.

    A mean pushes its way into the f smallest so far; the one that it pushes out, into the f largest so far; the one
    that falls out of these is added.
    """
    total = 0.0
    for s in range(params.faulty):
        state.lowest[i, s] = inf
        state.highest[i, s] = -inf
    for j in neighbours:
        if params.kappa * inbox.pulls[j, k] >= state.pulls[i, k]:
            value = inbox.mean[j, k]
            for s in range(params.faulty):
                smaller, larger = min(value, state.lowest[i, s]), max(value, state.lowest[i, s])
                state.lowest[i, s], value = smaller, larger
            if value < inf:
                for s in range(params.faulty):
                    smaller, larger = min(value, state.highest[i, s]), max(value, state.highest[i, s])
                    state.highest[i, s], value = larger, smaller
                if value > -inf:
                    total += value
    return total
