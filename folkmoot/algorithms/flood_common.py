"""What both forms of FloodSE do alone: pull, note means at fixed sample counts, keep the set of arms in play."""

from folkmoot.interface import kernel


@kernel
def least_pulled(params, state, i):
    """The arm in play that agent i has pulled least often, outcome or not; ties to the lowest index."""
    best = -1
    for k in range(params.n_arms):
        if state.active[i, k] and (best < 0 or state.made[i, k] < state.made[i, best]):
            best = k
    return best


@kernel
def note_outcome(params, state, i, seen):
    """Write down this round's pull, and the outcome that came: of this pull, of an earlier one, or none.

    The s-th outcome of an arm to come is the s-th of its stack: with late outcomes the order is that of arrival.
    """
    if seen.pulled[i] >= 0:
        state.made[i, seen.pulled[i]] += 1
    arm = seen.arm[i]
    if arm < 0:
        return
    state.outcomes[i, arm] += 1
    state.total[i, arm] += seen.reward[i, 0]
    e = state.passed[i, arm]
    if e < len(params.counts) and state.outcomes[i, arm] == params.counts[e]:
        state.snapshot[i, e, arm] = state.total[i, arm] / state.outcomes[i, arm]
        state.passed[i, arm] = e + 1


@kernel
def reached(params, state, i):
    """How many points of the grid agent i has passed with all its arms in play."""
    least = len(params.counts)
    for k in range(params.n_arms):
        if state.active[i, k]:
            least = min(least, state.passed[i, k])
    return least


@kernel
def is_single(active, j, n_arms):
    """Is one arm left in row j?"""
    left = 0
    for k in range(n_arms):
        left += active[j, k]
    return left == 1


@kernel
def only_arm(active, j, n_arms):
    """The arm that is left in row j; -1: more than one."""
    found = -1
    for k in range(n_arms):
        if active[j, k]:
            if found >= 0:
                return -1
            found = k
    return found


@kernel
def hear_sets(params, state, i, inbox, neighbours):
    """Keep what all neighbours keep too; the own set where nothing would be left, which the proof rules out."""
    kept = 0
    for k in range(params.n_arms):
        kept += state.active[i, k] and all_keep(inbox, neighbours, k)
    if kept > 0:
        for k in range(params.n_arms):
            state.active[i, k] = state.active[i, k] and all_keep(inbox, neighbours, k)


@kernel
def all_keep(inbox, neighbours, k):
    """Is arm k in the set of every neighbour?"""
    without = 0
    for j in neighbours:
        without += not inbox.active[j, k]
    return without == 0


@kernel
def next_point(params, state, i):
    """The point after the one that agent i has judged: the highest it has reached, if that is further on."""
    return min(max(state.point[i] + 1, reached(params, state, i) - 1), len(params.counts))


@kernel
def is_patient(state, i, t):
    """Does agent i wait for rows that are still missing: as long again as it took until enough were there?"""
    return t <= 2 * state.ready[i] - state.begun[i]
