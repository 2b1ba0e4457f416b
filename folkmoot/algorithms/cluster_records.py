# ruff: noqa: F811  one generic function has an implementation per record type
"""The records of Rule 2 of UCB-SBM: what its agents are told, remember and say. `cluster_gossip` has the rule."""

from typing import NamedTuple

import numpy as np

from folkmoot.algorithms.words import fill_counts, read_means, read_row, write_means, write_row
from folkmoot.interface import implements, kernel

PARTED = 64  # neighbours that are parted at a time where mates do not stand together


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # M
    n_arms: int  # K
    burn_in: int  # L, with the rounds of a survey
    refresh: int  # tau
    c1: float  # C_1
    labels: np.ndarray  # int64 [n_agents]  c(m)
    rank: np.ndarray  # int64 [n_agents]  place of an agent among its mates
    first: np.ndarray  # int64 [n_clusters]  the first agent of each, if all agents of it follow one another; else [0]
    share: np.ndarray  # float64 [n_clusters]  weight of a cluster, 1 on average
    gate_unit: np.ndarray  # float64 [n_clusters]  pooled pulls by this are what the gate "cluster" compares
    count_unit: np.ndarray  # float64 [n_clusters]  pooled pulls by this are what the radius takes
    size: np.ndarray  # int64 [n_clusters]  |c|
    own_gate: bool  # does the gate compare the agent's own pulls?
    relay: bool  # are mates' tables passed on?
    common: bool  # is the goal the arm best for all? Else clusters say nothing to one another
    surveyed: int  # rounds of the burn-in in which a survey was made: in these nothing else is said; 0: none
    quiet: int  # those of them in which nothing at all was said
    row_pulls: np.ndarray  # int64 [n_agents, n_arms]  what the survey told everybody of everybody; without one [0, K]
    row_total: np.ndarray  # float64, the same shape
    survey_bytes: np.ndarray  # int64 [n_agents, surveyed]  sent by the agent in that round of it


class State(NamedTuple):
    """What an agent remembers."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]  own outcomes
    total: np.ndarray  # float64 [n_agents, n_arms]  their sum
    made: np.ndarray  # int64 [n_agents, n_arms]  own pulls, whether or not their outcomes have come
    contact: np.ndarray  # int64 [n_agents, largest_size]  round in which a mate's table below was its own; 0: none
    mate: np.ndarray  # float64 [n_agents, largest_size or 0, n_arms, 2]  that table, with relay: pulls and their sum
    told: np.ndarray  # float64 [n_agents, n_arms or 0, largest_size, 2]  the same without relay, mates side by side
    spoke: np.ndarray  # int32 [n_agents, largest_size]  the arm of which a mate spoke last
    others: np.ndarray  # int64 [n_agents, largest_size]  the pulls of all other arms in `told`
    team_pulls: np.ndarray  # int64 [n_agents, n_arms]  own and mates' together
    team_mean: np.ndarray  # float64 [n_agents, n_arms]
    cluster_pulls: np.ndarray  # int64 [n_agents, n_arms]  nc, as adopted when a period last ended
    cluster_mean: np.ndarray  # float64 [n_agents, n_arms]  mubar_c
    gossip: np.ndarray  # float64 [n_agents, n_arms]  mutilde, estimate of what the goal is about
    largest: np.ndarray  # float64 [n_agents, n_arms]  Nc, largest pulls heard of
    bar: np.ndarray  # float64 [n_agents, n_arms]  `largest` as adopted when a period last ended
    stamp: np.ndarray  # int64 [n_agents, n_clusters]  round in which the copies below were sent; 0: never
    heard_mean: np.ndarray  # float64 [n_agents, n_clusters, n_arms]  hbar, copy of a cluster's mean
    heard_gossip: np.ndarray  # float64 [n_agents, n_clusters, n_arms]  htil, copy of its gossip
    next_largest: np.ndarray  # float64 [n_agents, n_arms]  heard after a period's first round, for the next period
    next_stamp: np.ndarray  # int64 [n_agents, n_clusters or 0]  the same of copies; 0 columns if a period is one round
    next_mean: np.ndarray  # float64 [n_agents, n_clusters or 0, n_arms]
    next_gossip: np.ndarray  # float64 [n_agents, n_clusters or 0, n_arms]
    learning: np.ndarray  # bool [n_agents]  is its burn-in over?
    parted: np.ndarray  # int32 [n_agents, 2, PARTED or 0]  scratch: neighbours that are mates, and those that are not


class Message(NamedTuple):
    """To mates the own table with this round's outcome; to other clusters what stands for the cluster.

    One record serves both. The cluster's pulls are not sent, since `largest` bounds them [D], nor its number, since
    every agent knows who belongs where. `traffic` counts to whom which part is sent.
    """

    pulls: np.ndarray  # int64 [n_agents, n_arms]
    total: np.ndarray  # float64 [n_agents, n_arms]
    arm: np.ndarray  # int64 [n_agents]  whose outcome came in this round; -1: none
    reward: np.ndarray  # float64 [n_agents]  that outcome
    contact: np.ndarray  # int64 [n_agents, largest_size or 0]  with relay: the tables of mates, and their rounds
    mate_pulls: np.ndarray  # int64 [n_agents, largest_size or 0, n_arms]
    mate_total: np.ndarray  # float64 [n_agents, largest_size or 0, n_arms]
    cluster_mean: np.ndarray  # float64 [n_agents, n_arms or 0]  what stands for the cluster, if the goal is common
    gossip: np.ndarray  # float64 [n_agents, n_arms or 0]
    largest: np.ndarray  # float64 [n_agents, n_arms or 0]


class LateMessage(NamedTuple):
    """Passed on to mates, so that a link of one is a link of all [T]: the latest copies of other clusters."""

    stamp: np.ndarray  # int64 [n_agents, n_clusters]
    heard_mean: np.ndarray  # float64 [n_agents, n_clusters, n_arms]
    heard_gossip: np.ndarray  # float64 [n_agents, n_clusters, n_arms]
    largest: np.ndarray  # float64 [n_agents, n_arms]


@implements(Params)
def init(params):
    n, k, c, mates = params.n_agents, params.n_arms, len(params.size), params.size.max()
    later, relayed, told = c if params.refresh > 1 else 0, mates if params.relay else 0, 0 if params.relay else k
    return State(
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.int64),
        np.zeros((n, mates), np.int64),
        np.zeros((n, relayed, k, 2), np.float64),
        np.zeros((n, told, mates, 2), np.float64),
        np.zeros((n, mates), np.int32),
        np.zeros((n, mates), np.int64),
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.float64),
        np.zeros((n, c), np.int64),
        np.zeros((n, c, k), np.float64),
        np.zeros((n, c, k), np.float64),
        np.zeros((n, k), np.float64),
        np.zeros((n, later), np.int64),
        np.zeros((n, later, k), np.float64),
        np.zeros((n, later, k), np.float64),
        np.zeros(n, np.bool_),
        np.zeros((n, 2, 0 if stand_together(params) else PARTED), np.int32),
    )


@implements(Params)
def outbox(params):
    n, k = params.n_agents, params.n_arms
    mates = params.size.max() if params.relay else 0
    told = k if params.common else 0
    return Message(
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros(n, np.int64),
        np.zeros(n, np.float64),
        np.zeros((n, mates), np.int64),
        np.zeros((n, mates, k), np.int64),
        np.zeros((n, mates, k), np.float64),
        np.zeros((n, told), np.float64),
        np.zeros((n, told), np.float64),
        np.zeros((n, told), np.float64),
    )


@implements(Params)
def late_outbox(params):
    n, k = params.n_agents, params.n_arms
    c, told = (len(params.size), k) if params.common else (0, 0)
    return LateMessage(
        np.zeros((n, c), np.int64),
        np.zeros((n, c, k), np.float64),
        np.zeros((n, c, k), np.float64),
        np.zeros((n, told), np.float64),
    )


@implements(Message)
def possible(message, params, j, t):
    for k in range(params.n_arms):
        if not 0 <= message.pulls[j, k] <= t:
            return False
    for r in range(message.contact.shape[1]):
        if not 0 <= message.contact[j, r] < t:
            return False
        for k in range(params.n_arms):
            if not 0 <= message.mate_pulls[j, r, k] < t:
                return False
    return -1 <= message.arm[j] < params.n_arms


@implements(LateMessage)
def possible(message, params, j, t):
    return all(0 <= message.stamp[j, c] <= t for c in range(message.stamp.shape[1]))


@implements(Message)
def said(message, params, i, values):
    """The estimate, or where none is told the own means."""
    if message.gossip.shape[1] > 0:
        read_row(message.gossip, i, values)
    else:
        read_means(message.pulls, message.total, i, values)


@implements(Message)
def say(message, params, i, values):
    """The same to mates and to others, of the own table and of all that is passed on."""
    if message.gossip.shape[1] > 0:
        write_row(message.gossip, i, values)
        write_row(message.cluster_mean, i, values)
    write_means(message.pulls, message.total, i, values)
    if message.arm[i] >= 0:
        message.reward[i] = values[message.arm[i]]
    for r in range(message.contact.shape[1]):
        for k in range(params.n_arms):
            message.mate_total[i, r, k] = values[k] * message.mate_pulls[i, r, k]


@implements(Message)
def claim(message, params, i, t):
    fill_counts(message.pulls, i, t)
    fill_counts(message.largest, i, t)


@implements(LateMessage)
def said(message, params, i, values):
    """The copy of the own cluster's means; 0 where clusters are not spoken of."""
    for k in range(params.n_arms):
        values[k] = message.heard_mean[i, params.labels[i], k] if message.stamp.shape[1] > 0 else 0.0


@implements(LateMessage)
def say(message, params, i, values):
    """Of every cluster."""
    for c in range(message.stamp.shape[1]):
        for k in range(params.n_arms):
            message.heard_mean[i, c, k] = values[k]
            message.heard_gossip[i, c, k] = values[k]


@implements(LateMessage)
def claim(message, params, i, t):
    fill_counts(message.largest, i, t)


@implements(Params)
def messages(params, state, i, t, seen, n_neighbours):
    """One to each neighbour, once there is something to say."""
    return 0 if t <= params.quiet else n_neighbours


@implements(Params)
def traffic(params, state, i, t, seen, neighbours, inbox, row_bytes, n_messages):
    """Between clusters 3K numbers; to a mate the own table, the tables it lacks, and the copies of other clusters.

    With relay mates say which tables they have, hence a number a mate. Without it an outcome is sent beside the table,
    so that all add up the same numbers in the same order.
    """
    if t <= params.surveyed:
        return params.survey_bytes[i, t - 1]
    k, cluster = params.n_arms, params.labels[i]
    told = 3 * k if params.common else 0
    copies = (len(params.size) - 1) * (2 * k + 1) + k if params.common else 0
    mates = 0
    if stand_together(params):
        near, far = mates_in(params, i, neighbours)
        mates = far - near
    else:
        for j in neighbours:
            mates += params.labels[j] == cluster
    numbers = mates * copies + (len(neighbours) - mates) * told
    if not params.relay:
        return 8 * (numbers + mates * (2 * k + 2))
    for j in neighbours:
        if params.labels[j] != cluster:
            continue
        numbers += params.size[cluster]
        if first_of_period(params, t):
            numbers += 2 * k
        for r in range(params.size[cluster]):
            sent_anew = first_of_period(params, t) and r == params.rank[i]
            if inbox.contact[i, r] > inbox.contact[j, r] and not sent_anew:
                numbers += 2 * k
    return 8 * numbers


@kernel
def stand_together(params):
    """Do the agents of each cluster follow one another?"""
    return len(params.first) > 0


@kernel
def mates_in(params, i, neighbours):
    """Where the mates of agent i begin in the row, and where they end, if the agents of a cluster stand together."""
    c = params.labels[i]
    return place_of(neighbours, params.first[c]), place_of(neighbours, params.first[c] + params.size[c])


@kernel
def place_of(neighbours, agent):
    """How many neighbours come before this agent: counted, as compilers make vectors of that; halves take longer."""
    before = 0
    for e in range(len(neighbours)):
        before += neighbours[e] < agent
    return before


@kernel
def first_of_period(params, t):
    """Does a period of `refresh` rounds begin? One ends with the burn-in; the first may be shorter."""
    return params.refresh == 1 or (t - 1 - params.burn_in) % params.refresh == 0 or t == 1
