"""What FloodSE's tables say, and what that costs: heads to all neighbours, rows to those who lack them."""

from folkmoot.algorithms.flood_common import is_single
from folkmoot.interface import kernel


@kernel
def is_silent(params, state, i):
    """Was every neighbour of the base graph met while both were settled? Then nobody needs agent i any more."""
    return state.n_met[i] == params.degree[i] and is_single(state.active, i, params.n_arms)


@kernel
def head_bytes(params, state, i):
    """Point and round, one bit an arm; unless settled one bit an agent; with liars what everybody dropped and asks."""
    size = 8 + (params.n_arms + 7) // 8
    if params.faulty > 0:
        size += params.n_agents * ((params.n_arms + 7) // 8 + 4)
    elif is_single(state.active, i, params.n_arms):
        return size
    return size + (params.n_agents + 7) // 8


@kernel
def one_row_bytes(params, state, i):
    """Whose it is, one bit an arm, and the means of the arms in play."""
    size = 4 + (params.n_arms + 7) // 8
    for k in range(params.n_arms):
        size += 8 * state.active[i, k]
    return size


@kernel
def rows_lacking(params, state, i, neighbours, inbox):
    """Rows that agent i has and neighbours lack who collect the same point or an earlier one, summed over them."""
    rows = 0
    if state.held[i] > 0:
        for j in neighbours:
            if inbox.point[j] <= state.point[i]:
                for r in range(params.n_agents):
                    rows += state.have[i, r] and not (inbox.point[j] == state.point[i] and inbox.have[j, r])
    return rows


@kernel
def full_bytes(params, state, i, n_messages):
    """So many messages with the whole table in each."""
    return n_messages * (head_bytes(params, state, i) + state.held[i] * one_row_bytes(params, state, i))


@kernel
def tell_row(params, state, i, r, outbox):
    """The row of agent r, or that there is none."""
    here = state.have[i, r]
    outbox.have[i, r] = here
    for k in range(params.n_arms):
        outbox.row[i, r, k] = state.row[i, r, k] if here else 0.0
        outbox.valid[i, r, k] = here and state.valid[i, r, k]
