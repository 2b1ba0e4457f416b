# ruff: noqa: F811  one generic function has an implementation per record type
"""Rule 2 of UCB-SBM: agents of a cluster pool what they see, and clusters gossip as single agents do in DrFed-UCB.

Source: arXiv 2502.08003. Its formulas are lost: this is DrFed-UCB with clusters in the place of agents, as the
text describes it. [T] stated there, [R] recalled, [I] filled in by us, [D] derived. `ucb_sbm.UCBSBM` configures it.
"""

from math import inf, log, sqrt
from typing import NamedTuple

import numpy as np

from folkmoot.algorithms.words import fill_counts, read_row, write_means, write_row
from folkmoot.coins import CHOICE, below
from folkmoot.interface import implements, kernel


class Params(NamedTuple):
    """Numbers the kernels need (Rule 2)."""

    n_agents: int  # M
    n_arms: int  # K
    burn_in: int  # L
    refresh: int  # tau
    c1: float  # C_1
    largest_size: int  # agents in the largest cluster
    labels: np.ndarray  # int64 [n_agents]  c(m)
    rank: np.ndarray  # int64 [n_agents]  place of an agent among its mates
    share: np.ndarray  # float64 [n_clusters]  weight of a cluster, 1 on average
    gate_unit: np.ndarray  # float64 [n_clusters]  pooled pulls by this are what the gate compares
    count_unit: np.ndarray  # float64 [n_clusters]  pooled pulls by this are what the radius takes
    size: np.ndarray  # int64 [n_clusters]  |c|


class State(NamedTuple):
    """What an agent remembers."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]  own
    total: np.ndarray  # float64 [n_agents, n_arms]  own sum of rewards
    contact: np.ndarray  # int64 [n_agents, largest_size]  round in which a mate was last heard
    mate_pulls: np.ndarray  # int64 [n_agents, largest_size, n_arms]  its table then
    mate_total: np.ndarray  # float64 [n_agents, largest_size, n_arms]
    team_pulls: np.ndarray  # int64 [n_agents, n_arms]  own and mates' together
    team_mean: np.ndarray  # float64 [n_agents, n_arms]
    cluster_pulls: np.ndarray  # int64 [n_agents, n_arms]  nc, team_pulls when last refreshed
    cluster_mean: np.ndarray  # float64 [n_agents, n_arms]  mubar_c
    gossip: np.ndarray  # float64 [n_agents, n_arms]  mutilde, estimate of the mean over all agents
    largest: np.ndarray  # float64 [n_agents, n_arms]  Nc, largest pulls heard of, in units of the gate
    stamp: np.ndarray  # int64 [n_agents, n_clusters]  round in which the copies below were sent; 0: never
    heard_mean: np.ndarray  # float64 [n_agents, n_clusters, n_arms]  hbar, latest copy of cluster_mean
    heard_gossip: np.ndarray  # float64 [n_agents, n_clusters, n_arms]  htil, latest copy of gossip
    known: np.ndarray  # int64 [n_agents]  how many of the cluster were ever heard, itself among them


class Message(NamedTuple):
    """To mates the own table with this round's observation (2K + 2 numbers), to everybody 3K on the cluster.

    One record serves both. The cluster's pulls are not sent, since `largest` bounds them [D], nor its number, since
    every agent knows who belongs where.
    """

    pulls: np.ndarray  # int64 [n_agents, n_arms]
    total: np.ndarray  # float64 [n_agents, n_arms]
    arm: np.ndarray  # int64 [n_agents]  pulled in this round
    reward: np.ndarray  # float64 [n_agents]  paid in this round
    cluster_mean: np.ndarray  # float64 [n_agents, n_arms]
    gossip: np.ndarray  # float64 [n_agents, n_arms]
    largest: np.ndarray  # float64 [n_agents, n_arms]


class LateMessage(NamedTuple):
    """Passed on to mates, so that a link of one is a link of all [T]: the latest copies, 2CK + C + K numbers."""

    stamp: np.ndarray  # int64 [n_agents, n_clusters]
    heard_mean: np.ndarray  # float64 [n_agents, n_clusters, n_arms]
    heard_gossip: np.ndarray  # float64 [n_agents, n_clusters, n_arms]
    largest: np.ndarray  # float64 [n_agents, n_arms]


@implements(Params)
def init(params):
    n, k, c, mates = params.n_agents, params.n_arms, len(params.share), params.largest_size
    return State(
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros((n, mates), np.int64),
        np.zeros((n, mates, k), np.int64),
        np.zeros((n, mates, k), np.float64),
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.float64),
        np.zeros((n, c), np.int64),
        np.zeros((n, c, k), np.float64),
        np.zeros((n, c, k), np.float64),
        np.ones(n, np.int64),
    )


@implements(Params)
def outbox(params):
    n, k = params.n_agents, params.n_arms
    return Message(
        np.zeros((n, k), np.int64),
        np.zeros((n, k), np.float64),
        np.zeros(n, np.int64),
        np.zeros(n, np.float64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.float64),
        np.zeros((n, k), np.float64),
    )


@implements(Params)
def late_outbox(params):
    n, k, c = params.n_agents, params.n_arms, len(params.share)
    return LateMessage(
        np.zeros((n, c), np.int64),
        np.zeros((n, c, k), np.float64),
        np.zeros((n, c, k), np.float64),
        np.zeros((n, k), np.float64),
    )


@implements(Message)
def possible(message, params, j, t):
    for k in range(params.n_arms):
        if not 0 <= message.pulls[j, k] <= t:
            return False
    return 0 <= message.arm[j] < params.n_arms


@implements(LateMessage)
def possible(message, params, j, t):
    return all(0 <= message.stamp[j, c] <= t for c in range(len(params.share)))


@implements(Message)
def said(message, params, i, values):
    read_row(message.gossip, i, values)


@implements(Message)
def say(message, params, i, values):
    """The same to mates and to others."""
    write_row(message.gossip, i, values)
    write_row(message.cluster_mean, i, values)
    write_means(message.pulls, message.total, i, values)
    if message.arm[i] >= 0:
        message.reward[i] = values[message.arm[i]]


@implements(Message)
def claim(message, params, i, t):
    fill_counts(message.pulls, i, t)
    fill_counts(message.largest, i, t)


@implements(LateMessage)
def said(message, params, i, values):
    """The copy of the own cluster's means."""
    for k in range(params.n_arms):
        values[k] = message.heard_mean[i, params.labels[i], k]


@implements(LateMessage)
def say(message, params, i, values):
    """Of every cluster."""
    for c in range(len(params.share)):
        for k in range(params.n_arms):
            message.heard_mean[i, c, k] = values[k]
            message.heard_gossip[i, c, k] = values[k]


@implements(LateMessage)
def claim(message, params, i, t):
    fill_counts(message.largest, i, t)


@implements(Params)
def select(params, state, i, t, coins):
    """Burn-in in turns; then an arm fallen behind, if any, at random [I: among those]; else the largest bound.

    The coin bears the cluster's name: mates who know the same draw the same arm, as the analysis supposes.
    """
    if t <= params.burn_in:
        return (t - 1) % params.n_arms
    cluster, n_behind = params.labels[i], 0
    for k in range(params.n_arms):
        n_behind += behind(params, state, i, k)
    if n_behind > 0:
        n = below(coins, n_behind, CHOICE, t, cluster, 0)
        for k in range(params.n_arms):
            if behind(params, state, i, k):
                if n == 0:
                    return k
                n -= 1
    best, bound = 0, -inf
    width, unit = params.c1 * log(t), params.count_unit[cluster]
    for k in range(params.n_arms):
        index = state.gossip[i, k] + sqrt(width / (state.cluster_pulls[i, k] / unit))
        if index > bound:
            best, bound = k, index
    return best


@kernel
def behind(params, state, i, k):
    """Are the cluster's pulls of arm k at least K below the largest heard of?"""
    return gate_pulls(params, state, i, k) <= state.largest[i, k] - params.n_arms


@kernel
def gate_pulls(params, state, i, k):
    """The cluster's pulls of arm k in units of the gate, as if those mates never heard had pulled like the rest [I].

    Otherwise who hears only some mates, on a sparse base graph, would be behind for ever and pull at random.
    """
    cluster = params.labels[i]
    unheard = params.size[cluster] / state.known[i]
    return state.cluster_pulls[i, k] * unheard / params.gate_unit[cluster]


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    for k in range(params.n_arms):
        outbox.pulls[i, k] = state.pulls[i, k]
        outbox.total[i, k] = state.total[i, k]
        outbox.cluster_mean[i, k] = state.cluster_mean[i, k]
        outbox.gossip[i, k] = state.gossip[i, k]
        outbox.largest[i, k] = state.largest[i, k]
    arm, reward = seen.arm[i], seen.reward[i, 0]
    outbox.pulls[i, arm] += 1
    outbox.total[i, arm] += reward
    outbox.arm[i] = arm
    outbox.reward[i] = reward


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """Copies of other clusters (and of the own, which is always there), then the own cluster's observations.

    These are added in the order of the agents, so that mates who hear the same have the same to the last bit.
    """
    cluster, arm = params.labels[i], seen.arm[i]
    hear_cluster(params, state, i, t, inbox, i)
    state.pulls[i, arm] += 1
    state.total[i, arm] += seen.reward[i, 0]
    own = False
    for j in neighbours:
        if params.labels[j] != cluster:
            if state.stamp[i, params.labels[j]] < t:  # of several members, the first
                hear_cluster(params, state, i, t, inbox, j)
            if t > params.burn_in:
                for k in range(params.n_arms):
                    state.largest[i, k] = max(state.largest[i, k], inbox.largest[j, k])
        else:
            if j > i and not own:
                pool(state, i, arm, 1, seen.reward[i, 0])
                own = True
            hear_mate(params, state, i, t, inbox, j)
    if not own:
        pool(state, i, arm, 1, seen.reward[i, 0])
    if t % params.refresh == 0 or t == params.burn_in:
        for k in range(params.n_arms):
            state.cluster_pulls[i, k] = state.team_pulls[i, k]
            state.cluster_mean[i, k] = state.team_mean[i, k]
    if t >= params.burn_in:
        for k in range(params.n_arms):
            state.largest[i, k] = max(state.largest[i, k], gate_pulls(params, state, i, k))


@kernel
def hear_cluster(params, state, i, t, inbox, j):
    """Keep what agent j says of its cluster."""
    c = params.labels[j]
    state.stamp[i, c] = t
    for k in range(params.n_arms):
        state.heard_mean[i, c, k] = inbox.cluster_mean[j, k]
    if t > params.burn_in:
        for k in range(params.n_arms):
            state.heard_gossip[i, c, k] = inbox.gossip[j, k]


@kernel
def hear_mate(params, state, i, t, inbox, j):
    """Add what mate j has observed since it was last heard: one reward if that was in the last round."""
    r = params.rank[j]
    if state.contact[i, r] == 0:
        state.known[i] += 1
    if state.contact[i, r] == t - 1:
        k = inbox.arm[j]
        pool(state, i, k, 1, inbox.reward[j])
        state.mate_pulls[i, r, k] = inbox.pulls[j, k]
        state.mate_total[i, r, k] = inbox.total[j, k]
    else:
        for k in range(params.n_arms):
            pulls = inbox.pulls[j, k] - state.mate_pulls[i, r, k]
            if pulls > 0:
                pool(state, i, k, pulls, inbox.total[j, k] - state.mate_total[i, r, k])
                state.mate_pulls[i, r, k] = inbox.pulls[j, k]
                state.mate_total[i, r, k] = inbox.total[j, k]
    state.contact[i, r] = t


@kernel
def pool(state, i, k, pulls, total):
    """Add pulls of arm k with this sum of rewards to the cluster's."""
    state.team_pulls[i, k] += pulls
    state.team_mean[i, k] += (total - pulls * state.team_mean[i, k]) / state.team_pulls[i, k]


@implements(Params)
def publish_late(params, state, i, t, outbox):
    for k in range(params.n_arms):
        outbox.largest[i, k] = state.largest[i, k]
    for c in range(len(params.share)):
        outbox.stamp[i, c] = state.stamp[i, c]
        for k in range(params.n_arms):
            outbox.heard_mean[i, c, k] = state.heard_mean[i, c, k]
            outbox.heard_gossip[i, c, k] = state.heard_gossip[i, c, k]


@implements(Params)
def update_late(params, state, i, t, inbox, neighbours):
    """Fresher copies from mates; then the average."""
    if t % params.refresh == 0 or t == params.burn_in:
        cluster = params.labels[i]
        for j in neighbours:
            if params.labels[j] == cluster:
                hear_copies(params, state, i, inbox, j)
    if t == params.burn_in:
        end_burn_in(params, state, i)
    elif t > params.burn_in:
        average(params, state, i)


@kernel
def hear_copies(params, state, i, inbox, j):
    """Take over what mate j knows better. (Before the burn-in ends nobody has gossip or counts to pass on.)"""
    for c in range(len(params.share)):
        if inbox.stamp[j, c] > state.stamp[i, c]:
            state.stamp[i, c] = inbox.stamp[j, c]
            for k in range(params.n_arms):
                state.heard_mean[i, c, k] = inbox.heard_mean[j, c, k]
            if inbox.stamp[j, c] > params.burn_in:
                for k in range(params.n_arms):
                    state.heard_gossip[i, c, k] = inbox.heard_gossip[j, c, k]
    for k in range(params.n_arms):
        state.largest[i, k] = max(state.largest[i, k], inbox.largest[j, k])


@kernel
def known_share(params, state, i):
    """The shares of the clusters ever heard of, added up."""
    share = 0.0
    for c in range(len(params.share)):
        if state.stamp[i, c] > 0:
            share += params.share[c]
    return share


@kernel
def end_burn_in(params, state, i):
    """The average of the copies by their shares; clusters never heard of are left out [I]."""
    share = known_share(params, state, i)
    for k in range(params.n_arms):
        total = 0.0
        for c in range(len(params.share)):
            if state.stamp[i, c] > 0:
                total += params.share[c] * state.heard_mean[i, c, k]
        state.gossip[i, k] = total / share
    for c in range(len(params.share)):
        for k in range(params.n_arms):
            state.heard_gossip[i, c, k] = state.gossip[i, k]


@kernel
def average(params, state, i):
    """Gossip = sum_c P'_c heard_gossip_c + d_c heard_mean_c, P'_c = w_c (1 - 1/C), d_c = w_c / C [D].

    With w_c = 1/C these are DrFed's (C - 1) / C^2 and 1 / C^2 [R]. They sum to 1, and if every E heard_gossip is
    mu = sum_c w_c mu_c, so is E gossip = (1 - 1/C) mu + (1/C) mu. With clusters not heard of yet, d grows [I].
    """
    n_clusters = float(len(params.share))
    weight = (n_clusters - 1.0) / (n_clusters * n_clusters)
    share = known_share(params, state, i)
    fresh = (1.0 - share * weight) / share
    for k in range(params.n_arms):
        state.gossip[i, k] = 0.0
    for c in range(len(params.share)):
        if state.stamp[i, c] > 0:
            p, d = weight * params.share[c], fresh * params.share[c]
            for k in range(params.n_arms):
                state.gossip[i, k] += p * state.heard_gossip[i, c, k] + d * state.heard_mean[i, c, k]
