"""The loop: every agent, round after round. Plain Python text; the compiled loop is this text.

The generic functions are picked by the types of the records (see folkmoot.interface), so nothing here
knows any algorithm, reward law, network or adversary.
"""

from typing import NamedTuple

import numpy as np

from folkmoot.coins import replicate_coins
from folkmoot.interface import (
    Reported,
    budget,
    corrupt,
    decision,
    draw_links,
    init,
    inlined,
    late_outbox,
    links,
    message_bytes,
    messages,
    nothing_seen,
    objectives,
    outbox,
    oversee,
    pay,
    publish,
    publish_late,
    scene,
    select,
    set_scene,
    update,
    update_late,
    verify,
)

prange = range  # compiled, the loop finds numba's under this name


class Tally(NamedTuple):
    """What the loop writes down: counts, hence exact in any order of evaluation, and the adversary's account."""

    pulls: np.ndarray  # int64 [replicates, n_agents, n_arms] at the horizon
    team_pulls: np.ndarray  # int64 [replicates, checkpoints, n_arms] summed over agents
    sent: np.ndarray  # int64 [replicates] messages of one exchange
    bytes: np.ndarray  # int64 [replicates] of all exchanges
    verified: np.ndarray  # int64 [replicates] pulls
    spent: np.ndarray  # float64 [replicates, n_arms] by the adversary
    decisions: np.ndarray  # int64 [replicates, n_agents] arms settled on for good; -1 is none
    decided_at: np.ndarray  # int64 [replicates, n_agents] the round of that; 0 is never


def blank_tally(replicates: int, n_agents: int, n_arms: int, checkpoints: int) -> Tally:
    """A tally before the first round."""
    r, n, k = replicates, n_agents, n_arms
    count = np.int64
    return Tally(
        np.zeros((r, n, k), count), np.zeros((r, checkpoints, k), count), np.zeros(r, count), np.zeros(r, count),
        np.zeros(r, count), np.zeros((r, k)), np.full((r, n), -1, count), np.zeros((r, n), count),
    )  # fmt: skip


class World(NamedTuple):
    """Everything an algorithm meets."""

    rewards: NamedTuple
    network: NamedTuple
    adversary: NamedTuple
    verifications: int  # pulls that may be verified in a replicate


class Control(NamedTuple):
    """A line to the world outside while the loop runs: written here, read there, and the reverse."""

    rounds: np.ndarray  # int64 [1] rounds completed by this call
    done: np.ndarray  # bool [replicates] replicate complete
    stop: np.ndarray  # bool [1] set from outside: give up after this round


def play(params, world, row_bytes, seed_low, seed_high, replicates, checkpoints, tally, control):
    """Run the given replicates one after the other, filling one row of the tally for each.

    Args:
        params: record of the algorithm.
        world: records of what it meets.
        row_bytes: size of a message, all exchanges of a round together.
        seed_low, seed_high: the words of the seed.
        replicates: int64, the numbers of the replicates (coordinates of their coins).
        checkpoints: int64, increasing rounds at which to record; the last is the horizon.
        tally, control: written.
    """
    d = objectives(world.rewards)
    inbox, late_inbox = outbox(params), late_outbox(params)
    seen, clean = nothing_seen(params.n_agents, d), np.zeros(d, np.float64)
    active, nature, team = links(world.network), scene(world.rewards), np.zeros(params.n_arms, np.int64)
    reported = Reported(np.zeros(params.n_arms, np.int64), np.zeros((params.n_arms, d), np.float64))
    for r in range(len(replicates)):
        coins = replicate_coins(seed_low, seed_high, replicates[r])
        state = init(params)
        team[:] = 0
        seen.verified[:] = False
        reported.pulls[:] = 0
        reported.mean[:] = 0.0
        rounds(
            params, world.rewards, world.network, world.adversary, world.verifications, row_bytes,
            coins, checkpoints, r, state,
            seen, clean, reported, inbox, late_inbox, active, nature, team, tally, control,
        )  # fmt: skip


def rounds(
    params, rewards, network, adversary, verifications, row_bytes,
    coins, checkpoints, r, state,
    seen, clean, reported, inbox, late_inbox, active, nature, team, tally, control,
):  # fmt: skip
    """All rounds of one replicate: row r of the tally. Allocates nothing."""
    c, left = 0, budget(adversary)
    for t in range(1, checkpoints[-1] + 1):
        if control.stop[0]:
            return
        draw_links(network, t, coins, active)
        set_scene(rewards, t, coins, nature)
        for agent in prange(params.n_agents):
            act(params, rewards, state, np.int64(agent), t, coins, nature, seen, tally.pulls, r)
        if verifications > 0:
            grant(params, verifications, state, t, coins, seen, tally.verified, r)
        if budget(adversary) > 0.0:
            left = interfere(adversary, t, coins, seen, clean, reported, left, tally.spent, r)
        for agent in prange(params.n_agents):
            publish(params, state, np.int64(agent), t, seen, inbox)
        for i in range(params.n_agents):
            team[seen.arm[i]] += 1
            sent = messages(params, state, i, t, seen, active.count[i])
            tally.sent[r] += sent
            tally.bytes[r] += message_bytes(params, state, i, t, seen, sent, row_bytes)
        oversee(params, state, t, seen, tally.spent[r])
        for agent in prange(params.n_agents):
            learn(params, state, np.int64(agent), t, coins, seen, inbox, active)
        for agent in prange(params.n_agents):
            publish_late(params, state, np.int64(agent), t, late_inbox)
        for agent in prange(params.n_agents):
            learn_late(params, state, np.int64(agent), t, late_inbox, active)
        for i in range(params.n_agents):
            settle(params, state, i, t, tally, r)
        control.rounds[0] += 1
        if t == checkpoints[c]:
            for k in range(params.n_arms):
                tally.team_pulls[r, c, k] = team[k]
            c += 1
    control.done[r] = True


@inlined
def grant(params, verifications, state, t, coins, seen, verified, r):
    """Verified observations for those that ask, in the order of their numbers, while the budget lasts."""
    for i in range(params.n_agents):
        asked = verified[r] < verifications and verify(params, state, i, t, seen.arm[i], coins)
        seen.verified[i] = asked
        if asked:
            verified[r] += 1


@inlined
def interfere(adversary, t, coins, seen, clean, reported, left, spent, r):
    """The adversary's turn at every unverified pull, in the order of the agents; what it has left after that.

    Whatever it writes is clipped to [0, 1]; what is no number counts as untouched; what changed is charged.
    """
    for i in range(len(seen.arm)):
        arm, cost = seen.arm[i], 0.0
        if not seen.verified[i]:
            for j in range(len(clean)):
                clean[j] = seen.reward[i, j]
            corrupt(adversary, i, t, seen, left, reported, coins)
            for j in range(len(clean)):
                value = seen.reward[i, j]
                value = clean[j] if value != value else min(1.0, max(0.0, value))
                seen.reward[i, j] = value
                cost = max(cost, abs(value - clean[j]))
            assert cost <= left, "an adversary spent more than its budget"
            left -= cost
            spent[r, arm] += cost
        reported.pulls[arm] += 1
        for j in range(len(clean)):
            reported.mean[arm, j] += (seen.reward[i, j] - reported.mean[arm, j]) / reported.pulls[arm]
    return left


@inlined
def settle(params, state, i, t, tally, r):
    """Write down the round in which agent i has settled on an arm."""
    arm = decision(params, state, i)
    if arm >= 0 and tally.decided_at[r, i] == 0:
        tally.decisions[r, i] = arm
        tally.decided_at[r, i] = t


# Bodies of the parallel loops. They are functions because numba, which counts parallel loops in uint64 and
# shares the sizes of slices between iterations, must see neither arithmetic nor slices in the loop itself.


@inlined
def act(params, rewards, state, i, t, coins, nature, seen, pulls, r):
    """Agent i pulls and is paid."""
    arm = select(params, state, i, t, coins)
    seen.arm[i] = arm
    pulls[r, i, arm] += 1
    pay(rewards, nature, i, arm, t, coins, seen.reward)


@inlined
def learn(params, state, i, t, coins, seen, inbox, active):
    """Agent i learns from what it saw and from its inbox."""
    neighbours = active.neighbours[active.start[i] : active.start[i] + active.count[i]]
    update(params, state, i, t, seen, inbox, neighbours, coins)


@inlined
def learn_late(params, state, i, t, late_inbox, active):
    """Agent i learns from the second exchange."""
    neighbours = active.neighbours[active.start[i] : active.start[i] + active.count[i]]
    update_late(params, state, i, t, late_inbox, neighbours)
