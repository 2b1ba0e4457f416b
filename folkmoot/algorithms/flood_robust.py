"""FloodSE among liars: what f agents may say is nowhere enough to drop an arm or to hold others up.

Three rules stand in the place of those that believe everybody (docs/decisions/0031-flood-se.md, section 5):
an arm is compared on the sum of the rows without the f that favour it most; it is dropped on hearsay only if f + 1
agents say that they have dropped it; a later point is adopted only if f + 1 agents collect it, or a later one.

What an agent says of itself is passed on unchanged: rows and sets are taken to be signed by their agents, which is not
played. A liar says of itself what it likes, to everybody something else if it likes.
"""

from folkmoot.interface import kernel


@kernel
def tell(params, state, i, outbox):
    """What all say they have dropped, and which points they collect."""
    for r in range(params.n_agents):
        outbox.asked[i, r] = state.asked[i, r]
        for k in range(params.n_arms):
            outbox.dropped[i, r, k] = state.dropped[i, r, k]
    outbox.asked[i, i] = state.point[i]
    for k in range(params.n_arms):
        outbox.dropped[i, i, k] = not state.active[i, k]


@kernel
def hear(params, state, i, inbox, neighbours):
    """Take over what neighbours have heard of others; follow f + 1 who say that an arm is dropped."""
    for j in neighbours:
        for r in range(params.n_agents):
            if r != i:
                state.asked[i, r] = max(state.asked[i, r], inbox.asked[j, r])
                for k in range(params.n_arms):
                    state.dropped[i, r, k] = state.dropped[i, r, k] or inbox.dropped[j, r, k]
    left = 0
    for k in range(params.n_arms):
        left += state.active[i, k]
    for k in range(params.n_arms):
        if state.active[i, k] and left > 1 and n_dropped(params, state, i, k) > params.faulty:
            state.active[i, k] = False
            left -= 1


@kernel
def n_dropped(params, state, i, k):
    """How many others say that they have dropped arm k."""
    found = 0
    for r in range(params.n_agents):
        found += r != i and state.dropped[i, r, k]
    return found


@kernel
def wanted_point(params, state, i):
    """The latest point such that f + 1 others collect it or a later one."""
    wanted = state.point[i]
    for r in range(params.n_agents):
        if r != i and state.asked[i, r] > wanted:
            found = 0
            for q in range(params.n_agents):
                found += q != i and state.asked[i, q] >= state.asked[i, r]
            if found > params.faulty:
                wanted = state.asked[i, r]
    return wanted


@kernel
def drop(params, state, i, threshold):
    """Eq. (5): arm k goes if some arm is better by more than the threshold without the f rows most in its favour.

    The best by plain sums stays: others' differences to it are at most 0 on average, without the f largest even more.
    """
    for better in range(params.n_arms):
        if state.active[i, better]:
            for k in range(params.n_arms):
                if k != better and state.active[i, k]:
                    trimmed = trimmed_difference(params, state, i, better, k)
                    state.estimate[i, k] = trimmed / params.n_agents
                    if trimmed / params.n_agents > threshold:
                        state.active[i, k] = False


@kernel
def trimmed_difference(params, state, i, better, k):
    """Sum over usable rows of mean of `better` minus mean of `k`, without the f largest of these differences."""
    total, kept = 0.0, 0
    for r in range(params.n_agents):
        if state.usable[i, r]:
            difference = state.row[i, r, better] - state.row[i, r, k]
            total += difference
            place = kept
            if kept < params.faulty:
                kept += 1
            elif difference > state.largest[i, kept - 1]:
                place = kept - 1
            else:
                continue
            while place > 0 and state.largest[i, place - 1] < difference:
                state.largest[i, place] = state.largest[i, place - 1]
                place -= 1
            state.largest[i, place] = difference
    for q in range(kept):
        total -= state.largest[i, q]
    return total
