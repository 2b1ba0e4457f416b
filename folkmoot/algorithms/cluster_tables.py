"""What mates know of one another: tables of pulls and sums of rewards, heard from their owners or passed on.

Without relay an agent has the table that each mate told it last, and adds what is new to its sums as it comes. Mates
who hear the same have the same sums to the last bit. With relay a table also comes from mates who know a later one, and
the sums are taken anew, in the order of the mates, when a period ends.
"""

from folkmoot.algorithms.cluster_records import first_of_period
from folkmoot.interface import PLACE, kernel


@kernel
def observe(params, state, i, seen):
    """The own pull of this round, and the outcome that came in it, if any."""
    if seen.pulled[i] >= 0:
        state.made[i, seen.pulled[i]] += 1
    arm = seen.arm[i]
    if arm >= 0:
        state.pulls[i, arm] += 1
        state.total[i, arm] += seen.reward[i, 0]


@kernel
def pool(state, i, k, pulls, total):
    """Add pulls of arm k with this sum of rewards to the cluster's."""
    state.team_pulls[i, k] += pulls
    state.team_mean[i, k] += (total - pulls * state.team_mean[i, k]) / state.team_pulls[i, k]


@kernel
def pool_own(state, i, seen):
    """Add the outcome that came to the agent itself in this round."""
    if seen.arm[i] >= 0:
        pool(state, i, seen.arm[i], 1, seen.reward[i, 0])


@kernel
def hear_mates(params, state, i, t, inbox, mates):
    """Add what mates have observed since they were last heard: one outcome at most if that was in the last round."""
    place = 0
    while place < len(mates):
        arm, heard = inbox.arm[mates[place]], 0
        if arm >= 0:
            heard = hear_alike(params, state, i, t, arm, inbox, mates[place:])
        if heard == 0:
            hear_table(params, state, i, t, inbox, mates[place])
            heard = 1
        place += heard


@kernel
def hear_alike(params, state, i, t, arm, inbox, mates):
    """Add the new pulls of mates, from the first on, as long as all are of this arm; of how many mates they are.

    The pulls and mean of the arm are in variables meanwhile. Who was heard in the last round has one new pull, and its
    table is written only. (A liar's pulls of other arms that cancel out count as none.)
    """
    contact, spoke, others, told = state.contact[i], state.spoke[i], state.others[i], state.told[i, arm]
    pulls, mean, heard, k = state.team_pulls[i, arm], state.team_mean[i, arm], 0, arm & PLACE
    for e in range(len(mates)):
        j = int(mates[e]) & PLACE
        if inbox.arm[j] != arm:
            break
        r = params.rank[j] & PLACE
        if spoke[r] != arm:
            turn_to(state, i, r, arm)
        if contact[r] == t - 1:
            pulls += 1
            mean += (inbox.reward[j] - mean) / pulls
        elif pulls_of_others(params, inbox, j, k) == others[r]:
            new = inbox.pulls[j, k] - int(told[r, 0])
            if new <= 0:
                contact[r] = t
                heard += 1
                continue
            pulls += new
            mean += (inbox.total[j, k] - told[r, 1] - new * mean) / pulls
        else:
            break
        contact[r] = t
        told[r, 0] = inbox.pulls[j, k]
        told[r, 1] = inbox.total[j, k]
        heard += 1
    state.team_pulls[i, arm], state.team_mean[i, arm] = pulls, mean
    return heard


@kernel
def turn_to(state, i, r, arm):
    """Mate r speaks of another arm than before."""
    before = state.spoke[i, r]
    state.others[i, r] += int(state.told[i, before, r, 0]) - int(state.told[i, arm, r, 0])
    state.spoke[i, r] = arm


@kernel
def pulls_of_others(params, inbox, j, arm):
    """How many pulls of other arms mate j tells of."""
    pulls = -inbox.pulls[j, arm]
    for k in range(params.n_arms):
        pulls += inbox.pulls[j, k]
    return pulls


@kernel
def hear_table(params, state, i, t, inbox, j):
    """Add what is new in the table of mate j: nothing if it was heard in the last round and had no outcome."""
    r = params.rank[j]
    together = state.contact[i, r] == t - 1
    state.contact[i, r] = t
    if together and inbox.arm[j] < 0:
        return
    for k in range(params.n_arms):
        new = inbox.pulls[j, k] - int(state.told[i, k, r, 0])
        if new > 0:
            pool(state, i, k, new, inbox.total[j, k] - state.told[i, k, r, 1])
            if k != state.spoke[i, r]:
                state.others[i, r] += new
            state.told[i, k, r, 0] = inbox.pulls[j, k]
            state.told[i, k, r, 1] = inbox.total[j, k]


@kernel
def keep_own(params, state, i, t):
    """With relay: the own table, as it is passed on until the next period."""
    r = params.rank[i]
    state.contact[i, r] = t
    for k in range(params.n_arms):
        state.mate[i, r, k, 0] = state.pulls[i, k]
        state.mate[i, r, k, 1] = state.total[i, k]


@kernel
def hear_tables(params, state, i, t, inbox, j):
    """With relay: take over what mate j knows better of anybody, itself among them."""
    own, told = params.rank[i], params.rank[j]
    for r in range(params.size[params.labels[i]]):
        if inbox.contact[j, r] > state.contact[i, r] and r != own:
            state.contact[i, r] = inbox.contact[j, r]
            for k in range(params.n_arms):
                state.mate[i, r, k, 0] = inbox.mate_pulls[j, r, k]
                state.mate[i, r, k, 1] = inbox.mate_total[j, r, k]
    if first_of_period(params, t):
        state.contact[i, told] = t
        for k in range(params.n_arms):
            state.mate[i, told, k, 0] = inbox.pulls[j, k]
            state.mate[i, told, k, 1] = inbox.total[j, k]


@kernel
def add_tables(params, state, i):
    """With relay: the sums over all tables, the own among them, in the order of the mates."""
    for k in range(params.n_arms):
        pulls, total = 0, 0.0
        for r in range(params.size[params.labels[i]]):
            pulls += int(state.mate[i, r, k, 0])
            total += state.mate[i, r, k, 1]
        state.team_pulls[i, k] = pulls
        state.team_mean[i, k] = total / pulls if pulls > 0 else 0.0


@kernel
def adopt(params, state, i):
    """A period ends: what the cluster knows becomes what the agent goes by and tells others."""
    if params.relay:
        add_tables(params, state, i)
    for k in range(params.n_arms):
        state.cluster_pulls[i, k] = state.team_pulls[i, k]
        state.cluster_mean[i, k] = state.team_mean[i, k]


@kernel
def take_survey(params, state, i):
    """The survey is over: everybody has a table of everybody, from which all make the same copies of all clusters."""
    cluster = params.labels[i]
    for k in range(params.n_arms):
        state.team_pulls[i, k] = state.pulls[i, k]
        state.team_mean[i, k] = state.total[i, k] / state.pulls[i, k] if state.pulls[i, k] > 0 else 0.0
    for j in range(params.n_agents):
        if params.labels[j] == cluster and j != i:
            r = params.rank[j]
            state.contact[i, r], state.spoke[i, r], state.others[i, r] = params.quiet, 0, 0
            for k in range(params.n_arms):
                if params.relay:
                    state.mate[i, r, k, 0] = params.row_pulls[j, k]
                    state.mate[i, r, k, 1] = params.row_total[j, k]
                else:
                    state.others[i, r] += params.row_pulls[j, k] if k > 0 else 0
                    state.told[i, k, r, 0] = params.row_pulls[j, k]
                    state.told[i, k, r, 1] = params.row_total[j, k]
                if params.row_pulls[j, k] > 0:
                    pool(state, i, k, params.row_pulls[j, k], params.row_total[j, k])
    if params.relay:
        keep_own(params, state, i, params.surveyed)
    if params.common:
        for c in range(len(params.size)):
            state.stamp[i, c] = params.quiet
            for k in range(params.n_arms):
                state.heard_mean[i, c, k] = surveyed_mean(params, c, k)


@kernel
def surveyed_mean(params, c, k):
    """The mean of arm k in cluster c, from what the survey told."""
    pulls, total = 0, 0.0
    for j in range(params.n_agents):
        if params.labels[j] == c:
            pulls += params.row_pulls[j, k]
            total += params.row_total[j, k]
    return total / pulls if pulls > 0 else 0.0
