"""The loop: every agent, round after round. Plain Python text; the compiled loop is this text.

The generic functions are picked by the types of the records (see folkmoot.interface), so nothing here
knows any algorithm, reward law or network.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from folkmoot.coins import replicate_coins
from folkmoot.interface import (
    Seen,
    draw_links,
    init,
    inlined,
    late_outbox,
    links,
    messages,
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
)


class Tally(NamedTuple):
    """What the loop writes down: counts only, hence exact in any order of evaluation."""

    pulls: np.ndarray  # int64 [replicates, n_agents, n_arms] at the horizon
    team_pulls: np.ndarray  # int64 [replicates, checkpoints, n_arms] summed over agents
    sent: np.ndarray  # int64 [replicates] messages of one exchange


class Control(NamedTuple):
    """A line to the world outside while the loop runs: written here, read there, and the reverse."""

    rounds: np.ndarray  # int64 [1] rounds completed by this call
    done: np.ndarray  # bool [replicates] replicate complete
    stop: np.ndarray  # bool [1] set from outside: give up after this round


def play(params, rewards, network, seed_low, seed_high, replicates, checkpoints, tally, control):
    """Run the given replicates one after the other, filling one row of the tally for each.

    Args:
        params, rewards, network: records of the algorithm, the reward law, the network.
        seed_low, seed_high: the words of the seed.
        replicates: int64, the numbers of the replicates (coordinates of their coins).
        checkpoints: int64, increasing rounds at which to record; the last is the horizon.
        tally, control: written.
    """
    inbox, late_inbox = outbox(params), late_outbox(params)
    seen = Seen(np.zeros(params.n_agents, np.int64), np.zeros((params.n_agents, 1), np.float64))
    active, nature, team = links(network), scene(rewards), np.zeros(params.n_arms, np.int64)
    for r in range(len(replicates)):
        coins = replicate_coins(seed_low, seed_high, replicates[r])
        state = init(params)
        team[:] = 0
        rounds(
            params, rewards, network, coins, checkpoints, r, state,
            seen, inbox, late_inbox, active, nature, team, tally, control,
        )  # fmt: skip


def rounds(
    params, rewards, network, coins, checkpoints, r, state,
    seen, inbox, late_inbox, active, nature, team, tally, control,
):  # fmt: skip
    """All rounds of one replicate: row r of the tally. Allocates nothing."""
    c = 0
    for t in range(1, checkpoints[-1] + 1):
        if control.stop[0]:
            return
        draw_links(network, t, coins, active)
        set_scene(rewards, t, coins, nature)
        for agent in prange(params.n_agents):
            act(params, rewards, state, np.int64(agent), t, coins, nature, seen, inbox, tally.pulls, r)
        for i in range(params.n_agents):
            team[seen.arm[i]] += 1
            tally.sent[r] += messages(params, state, i, t, active.count[i])
        oversee(params, state, t, seen)
        for agent in prange(params.n_agents):
            learn(params, state, np.int64(agent), t, coins, seen, inbox, active)
        for agent in prange(params.n_agents):
            publish_late(params, state, np.int64(agent), t, late_inbox)
        for agent in prange(params.n_agents):
            learn_late(params, state, np.int64(agent), t, late_inbox, active)
        control.rounds[0] += 1
        if t == checkpoints[c]:
            for k in range(params.n_arms):
                tally.team_pulls[r, c, k] = team[k]
            c += 1
    control.done[r] = True


# Bodies of the parallel loops. They are functions because numba, which counts parallel loops in uint64 and
# shares the sizes of slices between iterations, must see neither arithmetic nor slices in the loop itself.


@inlined
def act(params, rewards, state, i, t, coins, nature, seen, inbox, pulls, r):
    """Agent i pulls, is paid and writes its message."""
    arm = select(params, state, i, t, coins)
    seen.arm[i] = arm
    pulls[r, i, arm] += 1
    pay(rewards, nature, i, arm, t, coins, seen.reward)
    publish(params, state, i, t, seen, inbox)


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
