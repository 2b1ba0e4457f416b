"""Rule 2 of UCB-SBM: agents of a cluster pool what they see, and clusters gossip as single agents do in DrFed-UCB.

Source: arXiv 2502.08003. Its formulas are lost: this is DrFed-UCB with clusters in the place of agents, as the
text describes it. [T] stated there, [R] recalled, [I] filled in by us, [D] derived. `ucb_sbm.UCBSBM` configures it,
`cluster_records` has its records, `cluster_hearing` what neighbours say, `cluster_tables` what mates know.

Periods. Every `refresh` rounds a period ends. What an agent hears of other clusters in a period's first round, and the
tables of mates as they are in it, spread among mates until the period ends; then all adopt them, and keep to them for
a period. What is heard later waits for the next. If the links of a period let everything reach everybody, mates hold
the same numbers to the last bit in every round, as Theorem 10 needs. A period of one round is Theorem 3's case.
"""

from math import inf, log, sqrt

from folkmoot.algorithms.cluster_hearing import hear_cluster, hear_late, hear_neighbours
from folkmoot.algorithms.cluster_records import Params, first_of_period
from folkmoot.algorithms.cluster_tables import adopt, keep_own, observe, take_survey
from folkmoot.algorithms.outcomes import untried
from folkmoot.coins import CHOICE, below
from folkmoot.interface import implements, kernel


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
        if state.cluster_pulls[i, k] == 0:  # absent in the burn-in, or outcomes late
            return untried(state.cluster_pulls, state.made, i)
        index = state.gossip[i, k] + sqrt(width / (state.cluster_pulls[i, k] / unit))
        if index > bound:
            best, bound = k, index
    return best


@kernel
def behind(params, state, i, k):
    """Are the pulls of arm k at least K below the largest heard of?"""
    bar = state.largest[i, k] if params.refresh == 1 else state.bar[i, k]
    return gate_pulls(params, state, i, k) <= bar - params.n_arms


@kernel
def gate_pulls(params, state, i, k):
    """The pulls of arm k that the gate compares: the agent's own, or what it knows of the cluster's, by its size.

    A forced pull adds to the own count alone, and lands at most at `largest` - K + 1: so only the index can raise
    `largest`. A pooled count may lag behind the pulls of mates out of hearing: then all are behind on all arms, each
    forced pull raises `largest` again, and pulling at random sustains itself (docs/decisions/0032-own-gate.md).
    """
    if params.own_gate:
        return float(state.made[i, k])
    return state.cluster_pulls[i, k] / params.gate_unit[params.labels[i]]


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    for k in range(params.n_arms):
        outbox.pulls[i, k] = state.pulls[i, k]
        outbox.total[i, k] = state.total[i, k]
    arm, reward = seen.arm[i], seen.reward[i, 0]
    if arm >= 0:
        outbox.pulls[i, arm] += 1
        outbox.total[i, arm] += reward
    outbox.arm[i] = arm
    outbox.reward[i] = reward
    if params.common:
        for k in range(params.n_arms):
            outbox.cluster_mean[i, k] = state.cluster_mean[i, k]
            outbox.gossip[i, k] = state.gossip[i, k]
            outbox.largest[i, k] = state.largest[i, k]
    if params.relay:
        for r in range(params.size[params.labels[i]]):
            outbox.contact[i, r] = state.contact[i, r]
            for k in range(params.n_arms):
                outbox.mate_pulls[i, r, k] = int(state.mate[i, r, k, 0])
                outbox.mate_total[i, r, k] = state.mate[i, r, k, 1]


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """Copies of other clusters (and of the own, which is always there), then the own cluster's tables.

    Outcomes are added in the order of the agents, so that mates who hear the same have the same to the last bit.
    """
    observe(params, state, i, seen)
    if t <= params.surveyed:
        if t == params.surveyed:
            take_survey(params, state, i)
            close_tables(params, state, i, t)
        return
    if params.surveyed > 0 and not state.learning[i]:  # absent when the survey ended
        take_survey(params, state, i)
    if params.common:
        hear_cluster(params, state, i, t, inbox, i)
    if params.relay and first_of_period(params, t):
        keep_own(params, state, i, t)
    hear_neighbours(params, state, i, t, seen, inbox, neighbours)
    close_tables(params, state, i, t)


@kernel
def close_tables(params, state, i, t):
    """Adopt the tables if a period ends, or if the agent only begins to learn; note the own pulls."""
    if period_ends(params, t) or starts(params, state, i, t):
        adopt(params, state, i)
    if params.common and t >= params.burn_in:
        for k in range(params.n_arms):
            state.largest[i, k] = max(state.largest[i, k], gate_pulls(params, state, i, k))


@kernel
def period_ends(params, t):
    """Does a period end with this round?"""
    return params.refresh == 1 or (t - params.burn_in) % params.refresh == 0


@kernel
def starts(params, state, i, t):
    """Does the agent begin to learn in this round: at the end of the burn-in, or later if it was absent then?"""
    return t >= params.burn_in and not state.learning[i]


@implements(Params)
def publish_late(params, state, i, t, outbox):
    if not params.common:
        return
    for k in range(params.n_arms):
        outbox.largest[i, k] = state.largest[i, k]
    for c in range(len(params.size)):
        outbox.stamp[i, c] = state.stamp[i, c]
    mean, gossip = state.heard_mean[i].flat, state.heard_gossip[i].flat  # in one go: a loop over ten arms hardly begins
    told_mean, told_gossip = outbox.heard_mean[i].flat, outbox.heard_gossip[i].flat
    for e in range(len(params.size) * params.n_arms):
        told_mean[e] = mean[e]
    for e in range(len(params.size) * params.n_arms):
        told_gossip[e] = gossip[e]


@implements(Params)
def update_late(params, state, i, t, inbox, neighbours):
    """Fresher copies from mates; then, if the period ends, the average."""
    if params.common and t > params.surveyed:
        hear_late(params, state, i, t, inbox, neighbours)
    if starts(params, state, i, t):
        state.learning[i] = True
        begin(params, state, i, t)
    elif t > params.burn_in and period_ends(params, t):
        average(params, state, i)
    if params.common and params.refresh > 1 and period_ends(params, t):
        open_period(params, state, i, t)


@kernel
def open_period(params, state, i, t):
    """Go by the counts that spread in the period that ends; what was heard meanwhile is for the next."""
    for k in range(params.n_arms):
        state.bar[i, k] = state.largest[i, k]
        state.largest[i, k] = max(state.largest[i, k], state.next_largest[i, k])
    for c in range(len(params.size)):
        if state.next_stamp[i, c] > state.stamp[i, c]:
            state.stamp[i, c] = state.next_stamp[i, c]
            for k in range(params.n_arms):
                state.heard_mean[i, c, k] = state.next_mean[i, c, k]
            if state.next_stamp[i, c] > params.burn_in:
                for k in range(params.n_arms):
                    state.heard_gossip[i, c, k] = state.next_gossip[i, c, k]


@kernel
def known_share(params, state, i):
    """The shares of the clusters ever heard of, added up."""
    share = 0.0
    for c in range(len(params.share)):
        if state.stamp[i, c] > 0:
            share += params.share[c]
    return share


@kernel
def begin(params, state, i, t):
    """The first estimate: the average of the copies by their shares; clusters never heard of are left out [I].

    Who begins after the burn-in has gossip of others already; of its own cluster it has what it has just adopted.
    """
    if not params.common:
        average(params, state, i)
        return
    own = params.labels[i]
    if t > params.burn_in:
        for k in range(params.n_arms):
            state.heard_mean[i, own, k] = state.cluster_mean[i, k]
    share = known_share(params, state, i)
    for k in range(params.n_arms):
        total = 0.0
        for c in range(len(params.share)):
            if state.stamp[i, c] > 0:
                total += params.share[c] * state.heard_mean[i, c, k]
        state.gossip[i, k] = total / share
    for c in range(len(params.share)):
        if state.stamp[i, c] <= params.burn_in or c == own:
            for k in range(params.n_arms):
                state.heard_gossip[i, c, k] = state.gossip[i, k]


@kernel
def average(params, state, i):
    """Gossip = sum_c P'_c heard_gossip_c + d_c heard_mean_c, P'_c = w_c (1 - 1/C), d_c = w_c / C [D].

    With w_c = 1/C these are DrFed's (C - 1) / C^2 and 1 / C^2 [R]. They sum to 1, and if every E heard_gossip is
    mu = sum_c w_c mu_c, so is E gossip = (1 - 1/C) mu + (1/C) mu. With clusters not heard of yet, d grows [I].
    If the goal is the own cluster's best arm, it is the own cluster's mean.
    """
    if not params.common:
        for k in range(params.n_arms):
            state.gossip[i, k] = state.cluster_mean[i, k]
        return
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
