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
from folkmoot.simulation.turns import Alone, each, gather, leads, release, strayed


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
    crew = Alone(np.zeros(1, np.bool_))
    for r in range(len(replicates)):
        coins = replicate_coins(seed_low, seed_high, replicates[r])
        under_way = calendar(world.feedback, n, d)
        state = init(params) if len(under_way) > 0 else init_at_once(params)
        team[:] = 0
        seen.verified[:] = False
        reported.pulls[:] = 0
        reported.mean[:] = 0.0
        left[0] = budget(world.adversary)
        crew.over[0] = False
        rounds(
            params, world.rewards, world.network, world.adversary, world.verifications,
            world.presence, world.feedback, world.liars, world.law, row_bytes,
            coins, checkpoints, 1, checkpoints[-1], r, state,
            seen, clean, reported, inbox, second, late_inbox, late_second, active, heard, present, nature,
            under_way, team, left, words, tally, control, crew,
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
def lay(params, world, at_once):
    """The table of a replicate before the first round; `at_once`: without room for what waits, where nothing does."""
    n, d, k = params.n_agents, objectives(world.rewards), params.n_arms
    inbox, late_inbox, active = outbox(params), late_outbox(params), links(world.network)
    under_way = calendar(world.feedback, n, d)
    state = init_at_once(params) if at_once and len(under_way) == 0 else init(params)
    return Table(
        state, fresh_seen(world.feedback, n, d), np.zeros(d), Reported(np.zeros(k, np.int64), np.zeros((k, d))),
        inbox, second_box(world.liars, params), late_inbox, second_late_box(world.liars, params),
        active, spare_links(world.presence, active), np.ones(n, np.bool_), scene(world.rewards),
        under_way, np.zeros(k, np.int64), np.full(1, budget(world.adversary)), np.zeros(k),
    )  # fmt: skip


def part(
    params, world, row_bytes, seed_low, seed_high, replicate, checkpoints, first, last, table, tally, control, crew
):  # fmt: skip
    """The rounds from `first` to `last` of one replicate, which `lay` has begun: row 0 of the tally."""
    rounds(
        params, world.rewards, world.network, world.adversary, world.verifications,
        world.presence, world.feedback, world.liars, world.law, row_bytes,
        replicate_coins(seed_low, seed_high, replicate), checkpoints, first, last, 0, table.state,
        table.seen, table.clean, table.reported, table.inbox, table.second, table.late_inbox, table.late_second,
        table.active, table.heard, table.present, table.nature, table.under_way, table.team, table.left,
        table.words, tally, control, crew,
    )  # fmt: skip


def rounds(
    params, rewards, network, adversary, verifications, presence, feedback, liars, law, row_bytes,
    coins, checkpoints, first, last, r, state,
    seen, clean, reported, inbox, second, late_inbox, late_second, active, heard, present, nature,
    under_way, team, left, words, tally, control, crew,
):  # fmt: skip
    """The rounds from `first` to `last` of one replicate: row r of the tally. Allocates nothing.

    Played in parts, one after the other with the same arrays, a replicate is what it is in one go. Several threads
    (see folkmoot.simulation.turns) play it with the same arrays, except `team` and what counts in the tally.
    """
    c, n = 0, params.n_agents
    while checkpoints[c] < first:
        c += 1
    for t in range(first, last + 1):
        if gather(crew):
            if control.stop[0] or strayed(crew, tally.astray[r]):
                crew.over[0] = True
            draw_presence(presence, t, coins, present)
            set_scene(rewards, t, coins, nature)
            release(crew)
        if crew.over[0]:
            return
        if leads(crew):  # while others begin to act, which needs no links
            draw_links(network, t, coins, active)
            meet(presence, present, active, heard)
        each(crew, n, act, (params, rewards, presence, present, state, t, coins, nature, seen, tally, r, c))
        if gather(crew):
            if verifications > 0:
                grant(params, verifications, state, t, coins, seen, tally.verified, r)
            if budget(adversary) > 0.0:
                left[0] = interfere(adversary, t, coins, seen, clean, reported, left[0], tally.spent, r)
            release(crew)
        each(crew, n, tell, (params, presence, feedback, under_way, present, state, t, coins, seen, inbox))
        if gather(crew):
            release(crew)
        sent = params, presence, liars, present, state, t, seen, inbox, heard, row_bytes, team, tally, r
        each(crew, n, account, sent)
        if gather(crew):
            if varies(rewards):
                lose(rewards, presence, liars, present, t, coins, nature, seen, tally, r, c)
            oversee(params, state, t, seen, tally.spent[r])
            mislead(liars, law, params, state, t, coins, seen, inbox, second, heard, words)
            release(crew)
        told = params, presence, liars, present, state, t, coins, seen, inbox, second, heard, late_inbox
        each(crew, n, learn, told)
        if gather(crew):
            mislead_late(liars, law, params, state, t, coins, seen, late_inbox, late_second, heard, words)
            release(crew)
        told_late = params, presence, liars, present, state, t, late_inbox, late_second, heard, tally, r
        each(crew, n, learn_late, told_late)
        if leads(crew):
            control.rounds[0] += 1
        if t == checkpoints[c]:
            record(params, crew, team, tally, r, c)
            c += 1
    if leads(crew) and last == checkpoints[-1]:
        control.done[r] = True


@inlined
def record(params, crew, team, tally, r, c):
    """Checkpoint c: the counts so far; sums that go on are carried over to the next one."""
    for k in range(params.n_arms):
        tally.team_pulls[r, c, k] = team[k]
    if not leads(crew):
        return
    for i in range(params.n_agents if tally.agent_pulls.shape[1] > 0 else 0):
        for k in range(params.n_arms):
            tally.agent_pulls[r, c, i, k] = tally.pulls[r, i, k]
    if c + 1 < tally.team_pulls.shape[1]:
        tally.lost[r, c + 1] = tally.lost[r, c]
        for i in range(params.n_agents if tally.realised.shape[1] > 0 else 0):
            tally.realised[r, c + 1, i] = tally.realised[r, c, i]


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
def lose(rewards, presence, liars, present, t, coins, nature, seen, tally, r, c):
    """The regret of this round's pulls, in the order of the agents: a sum of fractions is another in another order."""
    for i in range(len(seen.pulled)):
        if here(presence, present, i) and not lies(liars, i):
            tally.lost[r, c] += gap(rewards, nature, t, seen.pulled[i], coins)


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
def act(low, high, params, rewards, presence, present, state, t, coins, nature, seen, tally, r, c):
    """Agents that are there pull and are paid. A choice that is no arm is the last of the replicate."""
    pulls, astray = tally.pulls[r], tally.astray[r]
    for place in range(high - low):
        i = low + place
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
    if tally.realised.shape[1] > 0:  # what nature has paid, before any adversary's turn
        for place in range(high - low):
            i = low + place
            if seen.pulled[i] >= 0:
                tally.realised[r, c, i] += seen.reward[i, 0]


@inlined
def tell(low, high, params, presence, feedback, under_way, present, state, t, coins, seen, inbox):
    """Outcomes of this round set out, and those that are due come; agents write their messages."""
    for place in range(high - low):
        i = low + place
        if here(presence, present, i):
            post(feedback, under_way, i, t, coins, seen)
            fetch(feedback, under_way, i, t, seen)
    for place in range(high - low):
        i = low + place
        if here(presence, present, i):
            publish(params, state, i, t, seen, inbox)


@inlined
def account(low, high, params, presence, liars, present, state, t, seen, inbox, heard, row_bytes, team, tally, r):
    """Pulls and messages of this round enter the tally."""
    for place in range(high - low):
        i = low + place
        if here(presence, present, i):
            if not lies(liars, i):
                team[seen.pulled[i]] += 1
            neighbours = heard.neighbours[heard.start[i] : heard.start[i] + heard.count[i]]
            sent = messages(params, state, i, t, seen, heard.count[i])
            tally.sent[r] += sent
            tally.bytes[r] += traffic(params, state, i, t, seen, neighbours, inbox, row_bytes, sent)


@inlined
def learn(low, high, params, presence, liars, present, state, t, coins, seen, inbox, second, heard, late_inbox):
    """Agents learn from what they saw and from their inboxes, but a liar has learnt before; they write again."""
    for place in range(high - low):
        i = low + place
        if here(presence, present, i) and not lies(liars, i):
            neighbours = heard.neighbours[heard.start[i] : heard.start[i] + heard.count[i]]
            update(params, state, i, t, seen, hear(liars, i, inbox, second), neighbours, coins)
    for place in range(high - low):
        i = low + place
        if here(presence, present, i):
            publish_late(params, state, i, t, late_inbox)


@inlined
def learn_late(low, high, params, presence, liars, present, state, t, late_inbox, late_second, heard, tally, r):
    """Agents learn from the second exchange; the round in which one has settled on an arm is written down."""
    for place in range(high - low):
        i = low + place
        if here(presence, present, i) and not lies(liars, i):
            neighbours = heard.neighbours[heard.start[i] : heard.start[i] + heard.count[i]]
            update_late(params, state, i, t, hear(liars, i, late_inbox, late_second), neighbours)
    for place in range(high - low):
        i = low + place
        if tally.decided_at[r, i] == 0:
            arm = decision(params, state, i)
            if arm >= 0:
                tally.decisions[r, i] = arm
                tally.decided_at[r, i] = t
