"""What neighbours say in a round of UCB-SBM: mates their tables, others the copies and counts of their clusters.

Where the agents of each cluster follow one another, mates are one piece of a row of neighbours. Else the row is parted,
some neighbours at a time. Mates and strangers are heard by turns: a mean over mates
is a chain of divisions, each of which waits for the one before, and meanwhile the processor compares counts.
"""

from folkmoot.algorithms.cluster_records import PARTED, first_of_period, mates_in, place_of, stand_together
from folkmoot.algorithms.cluster_tables import hear_mates, hear_tables, pool_own
from folkmoot.algorithms.rows import raise_to
from folkmoot.interface import PLACE, kernel

_TURN = 8  # mates, and strangers, that are heard in turn


@kernel
def hear_neighbours(params, state, i, t, seen, inbox, neighbours):
    """All neighbours in the first exchange, and without relay the agent's own outcome in its place among the mates'."""
    if not stand_together(params):
        hear_parts(params, state, i, t, seen, inbox, neighbours)
        return
    near, far = mates_in(params, i, neighbours)
    if params.common:
        hear_strangers(params, state, i, t, inbox, neighbours[:near])
        hear_strangers(params, state, i, t, inbox, neighbours[far:])
    mates = neighbours[near:far]
    own = place_of(mates, i)
    hear_by_turns(params, state, i, t, inbox, mates[:own], neighbours[:near])
    if not params.relay:
        pool_own(state, i, seen)
    hear_by_turns(params, state, i, t, inbox, mates[own:], neighbours[far:])


@kernel
def hear_parts(params, state, i, t, seen, inbox, neighbours):
    """The same, where mates and others are mixed."""
    pooled = params.relay
    for place in range(0, len(neighbours), PARTED):
        n_mates = part(params, state, i, neighbours[place : place + PARTED])
        n_strangers = min(PARTED, len(neighbours) - place) - n_mates
        mates, strangers, own = state.parted[i, 0, :n_mates], state.parted[i, 1, :n_strangers], 0
        if params.common:
            hear_strangers(params, state, i, t, inbox, strangers)
        if not pooled and n_mates > 0 and mates[n_mates - 1] > i:
            own, pooled = place_of(mates, i), True
            hear_mates(params, state, i, t, inbox, mates[:own])
            pool_own(state, i, seen)
        hear_by_turns(params, state, i, t, inbox, mates[own:], strangers)
    if not pooled:
        pool_own(state, i, seen)


@kernel
def part(params, state, i, neighbours):
    """Part some neighbours into mates and others; how many mates. Each is written to both, and the next one over it."""
    mates, strangers, cluster, n_mates = state.parted[i, 0], state.parted[i, 1], params.labels[i], 0
    for e in range(len(neighbours)):
        j = neighbours[e]
        mates[n_mates] = j
        strangers[e - n_mates] = j
        n_mates += params.labels[j] == cluster
    return n_mates


@kernel
def hear_by_turns(params, state, i, t, inbox, mates, strangers):
    """Some mates, some strangers, and so on."""
    for place in range(0, max(len(mates), len(strangers)), _TURN):
        if params.relay:
            for j in mates[place : place + _TURN]:
                hear_tables(params, state, i, t, inbox, j)
        else:
            hear_mates(params, state, i, t, inbox, mates[place : place + _TURN])
        hear_counts(params, state, i, t, inbox, strangers[place : place + _TURN])


@kernel
def hear_strangers(params, state, i, t, inbox, strangers):
    """Copies of other clusters: of neighbours side by side who are of one cluster, the first one's."""
    last = -1
    for e in range(len(strangers)):
        j = int(strangers[e]) & PLACE
        if params.labels[j] != last:
            last = params.labels[j]
            hear_stranger(params, state, i, t, inbox, j)


@kernel
def hear_stranger(params, state, i, t, inbox, j):
    """What an agent of another cluster says; after a period's first round it is kept for the next period."""
    c = params.labels[j]
    if first_of_period(params, t):
        if state.stamp[i, c] < t:  # of several members, the first
            hear_cluster(params, state, i, t, inbox, j)
    elif state.next_stamp[i, c] < t:
        state.next_stamp[i, c] = t
        for k in range(params.n_arms):
            state.next_mean[i, c, k] = inbox.cluster_mean[j, k]
            state.next_gossip[i, c, k] = inbox.gossip[j, k]


@kernel
def hear_counts(params, state, i, t, inbox, strangers):
    """The largest pulls that strangers know of, whatever their clusters."""
    if t > params.burn_in and params.common and len(strangers) > 0:
        if first_of_period(params, t):
            raise_to(state.largest, i, inbox.largest, strangers, params.n_arms)
        else:
            raise_to(state.next_largest, i, inbox.largest, strangers, params.n_arms)


@kernel
def hear_cluster(params, state, i, t, inbox, j):
    """Keep what agent j says of its cluster."""
    c = params.labels[j]
    state.stamp[i, c] = t
    if t > params.burn_in:
        for k in range(params.n_arms):
            state.heard_mean[i, c, k] = inbox.cluster_mean[j, k]
            state.heard_gossip[i, c, k] = inbox.gossip[j, k]
    else:
        for k in range(params.n_arms):
            state.heard_mean[i, c, k] = inbox.cluster_mean[j, k]


@kernel
def hear_late(params, state, i, t, inbox, neighbours):
    """Mates in the second exchange."""
    old = oldest(params, state, i) < t
    if stand_together(params):
        near, far = mates_in(params, i, neighbours)
        hear_mates_late(params, state, i, inbox, neighbours[near:far], old)
        return
    for place in range(0, len(neighbours), PARTED):
        n_mates = part(params, state, i, neighbours[place : place + PARTED])
        hear_mates_late(params, state, i, inbox, state.parted[i, 0, :n_mates], old)


@kernel
def hear_mates_late(params, state, i, inbox, mates, old):
    """The largest counts they have heard of, and if an own copy is old those that they know better."""
    if old:  # else nobody knows better than what was said in this round
        for j in mates:
            hear_copies(params, state, i, inbox, j)
    raise_to(state.largest, i, inbox.largest, mates, params.n_arms)


@kernel
def oldest(params, state, i):
    """When the oldest of the copies was sent."""
    stamp = state.stamp[i, 0]
    for c in range(1, len(params.size)):
        stamp = min(stamp, state.stamp[i, c])
    return stamp


@kernel
def hear_copies(params, state, i, inbox, j):
    """Take over what mate j knows better. (Before the burn-in ends nobody has gossip or counts to pass on.)"""
    for c in range(len(params.size)):
        if inbox.stamp[j, c] > state.stamp[i, c]:
            state.stamp[i, c] = inbox.stamp[j, c]
            for k in range(params.n_arms):
                state.heard_mean[i, c, k] = inbox.heard_mean[j, c, k]
            if inbox.stamp[j, c] > params.burn_in:
                for k in range(params.n_arms):
                    state.heard_gossip[i, c, k] = inbox.heard_gossip[j, c, k]
