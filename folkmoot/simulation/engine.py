"""The loop: every agent, round after round. Plain Python text; the compiled loop is this text.

The generic functions are picked by the types of the records (see folkmoot.interface), so nothing here
knows any algorithm, reward law, network or adversary.
"""

from typing import Any, NamedTuple

import numpy as np

from folkmoot.coins import replicate_coins
from folkmoot.interface import (
    Everybody,
    Honesty,
    Immediate,
    Links,
    Reported,
    Seen,
    budget,
    calendar,
    corrupt,
    decision,
    draw_links,
    draw_presence,
    fetch,
    fresh_seen,
    gap,
    hear,
    here,
    init,
    init_at_once,
    inlined,
    kernel,
    late_outbox,
    lies,
    links,
    meet,
    messages,
    mislead,
    mislead_late,
    objectives,
    outbox,
    oversee,
    pay,
    post,
    publish,
    publish_late,
    scene,
    second_box,
    second_late_box,
    select,
    set_scene,
    spare_links,
    traffic,
    update,
    update_late,
    varies,
    verify,
)

prange = range  # compiled, the loop finds numba's under this name


class World(NamedTuple):
    """Everything an algorithm meets."""

    rewards: NamedTuple
    network: NamedTuple
    adversary: NamedTuple
    verifications: int  # pulls that may be verified in a replicate
    presence: NamedTuple = Everybody(0)
    feedback: NamedTuple = Immediate(0)
    liars: NamedTuple = Honesty(0)
    law: NamedTuple = Honesty(0)  # of what liars say


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
    n, d = params.n_agents, objectives(world.rewards)
    inbox, late_inbox = outbox(params), late_outbox(params)
    second, late_second = second_box(world.liars, params), second_late_box(world.liars, params)
    seen, clean = fresh_seen(world.feedback, n, d), np.zeros(d, np.float64)
    active, nature, team = links(world.network), scene(world.rewards), np.zeros(params.n_arms, np.int64)
    heard, present = spare_links(world.presence, active), np.ones(n, np.bool_)
    reported = Reported(np.zeros(params.n_arms, np.int64), np.zeros((params.n_arms, d), np.float64))
    left, words = np.zeros(1, np.float64), np.zeros(params.n_arms, np.float64)
    for r in range(len(replicates)):
        coins = replicate_coins(seed_low, seed_high, replicates[r])
        under_way = calendar(world.feedback, n, d)
        state = init(params) if len(under_way) > 0 else init_at_once(params)
        team[:] = 0
        seen.verified[:] = False
        reported.pulls[:] = 0
        reported.mean[:] = 0.0
        left[0] = budget(world.adversary)
        rounds(
            params, world.rewards, world.network, world.adversary, world.verifications,
            world.presence, world.feedback, world.liars, world.law, row_bytes,
            coins, checkpoints, 1, checkpoints[-1], r, state,
            seen, clean, reported, inbox, second, late_inbox, late_second, active, heard, present, nature,
            under_way, team, left, words, tally, control,
        )  # fmt: skip


class Table(NamedTuple):
    """What lies on the table while one replicate is played: `play` has all this too, in its own variables."""

    state: Any
    seen: Seen
    clean: np.ndarray  # float64 [n_objectives]
    reported: Reported
    inbox: Any
    second: Any
    late_inbox: Any
    late_second: Any
    active: Links
    heard: Links
    present: np.ndarray  # bool [n_agents]
    nature: Any
    under_way: Any
    team: np.ndarray  # int64 [n_arms]
    left: np.ndarray  # float64 [1] of the adversary's budget
    words: np.ndarray  # float64 [n_arms] scratch of liars


@kernel
def lay(params, world):
    """The table of a replicate before the first round."""
    n, d, k = params.n_agents, objectives(world.rewards), params.n_arms
    inbox, late_inbox, active = outbox(params), late_outbox(params), links(world.network)
    return Table(
        init(params), fresh_seen(world.feedback, n, d), np.zeros(d), Reported(np.zeros(k, np.int64), np.zeros((k, d))),
        inbox, second_box(world.liars, params), late_inbox, second_late_box(world.liars, params),
        active, spare_links(world.presence, active), np.ones(n, np.bool_), scene(world.rewards),
        calendar(world.feedback, n, d), np.zeros(k, np.int64), np.full(1, budget(world.adversary)), np.zeros(k),
    )  # fmt: skip


def part(params, world, row_bytes, seed_low, seed_high, replicate, checkpoints, first, last, table, tally, control):
    """The rounds from `first` to `last` of one replicate, which `lay` has begun: row 0 of the tally."""
    rounds(
        params, world.rewards, world.network, world.adversary, world.verifications,
        world.presence, world.feedback, world.liars, world.law, row_bytes,
        replicate_coins(seed_low, seed_high, replicate), checkpoints, first, last, 0, table.state,
        table.seen, table.clean, table.reported, table.inbox, table.second, table.late_inbox, table.late_second,
        table.active, table.heard, table.present, table.nature, table.under_way, table.team, table.left,
        table.words, tally, control,
    )  # fmt: skip


def rounds(
    params, rewards, network, adversary, verifications, presence, feedback, liars, law, row_bytes,
    coins, checkpoints, first, last, r, state,
    seen, clean, reported, inbox, second, late_inbox, late_second, active, heard, present, nature,
    under_way, team, left, words, tally, control,
):  # fmt: skip
    """The rounds from `first` to `last` of one replicate: row r of the tally. Allocates nothing.

    Played in parts, one after the other with the same arrays, a replicate is what it is in one go.
    """
    c, pulls, astray = 0, tally.pulls[r], tally.astray[r]
    while checkpoints[c] < first:
        c += 1
    for t in range(first, last + 1):
        if control.stop[0] or astray[0] > 0:
            return
        draw_presence(presence, t, coins, present)
        draw_links(network, t, coins, active)
        meet(presence, present, active, heard)
        set_scene(rewards, t, coins, nature)
        for agent in prange(params.n_agents):
            act(params, rewards, presence, present, state, np.int64(agent), t, coins, nature, seen, pulls, astray)
        if tally.realised.shape[1] > 0:
            realise(seen, tally.realised, r, c)
        if verifications > 0:
            grant(params, verifications, state, t, coins, seen, tally.verified, r)
        if budget(adversary) > 0.0:
            left[0] = interfere(adversary, t, coins, seen, clean, reported, left[0], tally.spent, r)
        for i in range(params.n_agents):
            deliver(presence, feedback, under_way, present, i, t, coins, seen)
        for agent in prange(params.n_agents):
            tell(params, presence, present, state, np.int64(agent), t, seen, inbox)
        for i in range(params.n_agents):
            account(params, rewards, presence, liars, present, state, i, t, coins, nature, seen, inbox, heard,
                    row_bytes, team, tally, r, c)  # fmt: skip
        oversee(params, state, t, seen, tally.spent[r])
        mislead(liars, law, params, state, t, coins, seen, inbox, second, heard, words)
        for agent in prange(params.n_agents):
            learn(params, presence, liars, present, state, np.int64(agent), t, coins, seen, inbox, second, heard)
        for agent in prange(params.n_agents):
            tell_late(params, presence, present, state, np.int64(agent), t, late_inbox)
        mislead_late(liars, law, params, state, t, coins, seen, late_inbox, late_second, heard, words)
        for agent in prange(params.n_agents):
            learn_late(params, presence, liars, present, state, np.int64(agent), t, late_inbox, late_second, heard)
        for i in range(params.n_agents):
            settle(params, state, i, t, tally, r)
        control.rounds[0] += 1
        if t == checkpoints[c]:
            record(params, team, tally, r, c)
            c += 1
    if last == checkpoints[-1]:
        control.done[r] = True


@inlined
def record(params, team, tally, r, c):
    """Checkpoint c: the counts so far; sums that go on are carried over to the next one."""
    for k in range(params.n_arms):
        tally.team_pulls[r, c, k] = team[k]
    for i in range(params.n_agents if tally.agent_pulls.shape[1] > 0 else 0):
        for k in range(params.n_arms):
            tally.agent_pulls[r, c, i, k] = tally.pulls[r, i, k]
    if c + 1 < tally.team_pulls.shape[1]:
        tally.lost[r, c + 1] = tally.lost[r, c]
        for i in range(params.n_agents if tally.realised.shape[1] > 0 else 0):
            tally.realised[r, c + 1, i] = tally.realised[r, c, i]


@inlined
def realise(seen, realised, r, c):
    """What nature has paid for the pulls of this round, before any adversary's turn."""
    for i in range(len(seen.pulled)):
        if seen.pulled[i] >= 0:
            realised[r, c, i] += seen.reward[i, 0]


@inlined
def grant(params, verifications, state, t, coins, seen, verified, r):
    """Verified observations for those that ask, in the order of their numbers, while the budget lasts."""
    for i in range(params.n_agents):
        arm = seen.pulled[i]
        asked = arm >= 0 and verified[r] < verifications and verify(params, state, i, t, arm, coins)
        seen.verified[i] = asked
        if asked:
            verified[r] += 1


@inlined
def deliver(presence, feedback, under_way, present, i, t, coins, seen):
    """Agent i's outcome of this round sets out, and one that is due comes."""
    if here(presence, present, i):
        post(feedback, under_way, i, t, coins, seen)
        fetch(feedback, under_way, i, t, seen)


@inlined
def account(
    params, rewards, presence, liars, present, state, i, t, coins, nature, seen, inbox, heard, row_bytes, team, tally,
    r, c,
):  # fmt: skip
    """Agent i's pull and its messages of this round enter the tally."""
    if here(presence, present, i):
        arm = seen.pulled[i]
        if not lies(liars, i):
            team[arm] += 1
            if varies(rewards):
                tally.lost[r, c] += gap(rewards, nature, t, arm, coins)
        neighbours = heard.neighbours[heard.start[i] : heard.start[i] + heard.count[i]]
        sent = messages(params, state, i, t, seen, heard.count[i])
        tally.sent[r] += sent
        tally.bytes[r] += traffic(params, state, i, t, seen, neighbours, inbox, row_bytes, sent)


@inlined
def interfere(adversary, t, coins, seen, clean, reported, left, spent, r):
    """The adversary's turn at every unverified pull, in the order of the agents; what it has left after that.

    Whatever it writes is clipped to [0, 1]; what is no number counts as untouched; what changed is charged.
    """
    for i in range(len(seen.arm)):
        arm, cost = seen.arm[i], 0.0
        if arm < 0:
            continue
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
    if tally.decided_at[r, i] == 0:
        arm = decision(params, state, i)
        if arm >= 0:
            tally.decisions[r, i] = arm
            tally.decided_at[r, i] = t


# Bodies of the parallel loops. They are functions because numba, which counts parallel loops in uint64 and
# shares the sizes of slices between iterations, must see neither arithmetic nor slices in the loop itself.


@inlined
def act(params, rewards, presence, present, state, i, t, coins, nature, seen, pulls, astray):
    """Agent i pulls and is paid, if it is there. A choice that is no arm is the last of the replicate."""
    if here(presence, present, i):
        arm = select(params, state, i, t, coins)
        if arm < 0 or arm >= params.n_arms:
            astray[0], astray[1], astray[2] = t, i, arm
            arm = 0
        seen.arm[i] = arm
        seen.pulled[i] = arm
        pulls[i, arm] += 1
        pay(rewards, nature, i, arm, t, coins, seen.reward)
    else:
        seen.arm[i] = -1
        seen.pulled[i] = -1


@inlined
def tell(params, presence, present, state, i, t, seen, inbox):
    """Agent i writes its message."""
    if here(presence, present, i):
        publish(params, state, i, t, seen, inbox)


@inlined
def tell_late(params, presence, present, state, i, t, late_inbox):
    """Agent i writes that of the second exchange."""
    if here(presence, present, i):
        publish_late(params, state, i, t, late_inbox)


@inlined
def learn(params, presence, liars, present, state, i, t, coins, seen, inbox, second, heard):
    """Agent i learns from what it saw and from its inbox; a liar has learnt before."""
    if here(presence, present, i) and not lies(liars, i):
        neighbours = heard.neighbours[heard.start[i] : heard.start[i] + heard.count[i]]
        update(params, state, i, t, seen, hear(liars, i, inbox, second), neighbours, coins)


@inlined
def learn_late(params, presence, liars, present, state, i, t, late_inbox, late_second, heard):
    """Agent i learns from the second exchange."""
    if here(presence, present, i) and not lies(liars, i):
        neighbours = heard.neighbours[heard.start[i] : heard.start[i] + heard.count[i]]
        update_late(params, state, i, t, hear(liars, i, late_inbox, late_second), neighbours)
