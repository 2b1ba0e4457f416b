"""The soak: processes that are killed at random moments. Attacks are in test_attacks_on_nodes.py.

    make soak                  about ten minutes, 200 kills
    make soak SECONDS=60       in proportion
    make soak SEED=7           another order of the kills

No test here looks at how long something took.
"""

import os
import random
import signal
import time
from collections import Counter

import pytest
from cluster import Cluster
from seen import (
    HEARD,
    MOST_ROUNDS_TO_COME_BACK,
    Kill,
    account,
    acknowledged_but_gone,
    alone,
    frames,
    note,
    proven_faults,
    reporters,
    returns,
    rounds_with_blocks,
    said_twice,
)
from test_node_processes import hash_of, pays

pytestmark = pytest.mark.soak
SECONDS = float(os.environ.get("FOLKMOOT_SOAK_SECONDS", "600"))
SEED = int(os.environ.get("FOLKMOOT_SOAK_SEED", "1"))
KILLS = max(2, round(200 * SECONDS / 600))
CHAIN = {"system": "bc_ucb", "settings": {"disclosure": "open", "algorithm": {"burn_in": 3}}}
KILLED = {**CHAIN, "stage": 2.0, "evidence": "exclude"}  # a busy machine misses no deadline of that length
LEAST_SHARE = 0.95
STAGES = 11  # of a round of four members


def heights(members):
    return [member.state().get("height", 0) for member in members]


def record(cluster):
    for member in cluster.members:
        member.does(record=str(member.folder.path / HEARD))


def one_ledger(members):
    """Do all hold the same blocks, as far as each goes? The processes must have ended; the shortest height."""
    stores = [member.store() for member in members]
    lowest = min(store.height for store in stores)
    for height in range(1, max(store.height for store in stores) + 1):
        assert len({hash_of(store.block(height)) for store in stores if store.height >= height}) == 1
    for store in stores:
        store.close()
    return lowest


def die(cluster, victim, place):
    """Let a member end itself there, and start it again; the kill."""
    victim.does(record=str(victim.folder.path / HEARD), dies=place)
    cluster.until(lambda: victim.process.poll() is not None)
    assert victim.process.returncode == -signal.SIGKILL, victim.words()
    kill = Kill(victim.number, time.monotonic())
    assert acknowledged_but_gone(victim) == []
    victim.does(record=str(victim.folder.path / HEARD))
    victim.start()
    victim.wait_until_there(120)
    return kill


def last_rounds(cluster):
    return [member.last_round() for member in cluster.members]


def kill_at_random(cluster, kills, chance):
    """Kill members, at most as many as may be away and now and then one more, and start each again; the kills.

    Most are killed at a random moment of a round that all play; one in ten while it or another one is still coming
    back. So a busy machine has no more kills of members that have only just been started than a quiet one.
    """
    done, away = [], {}
    while len(done) < kills:
        hurry = chance.random() < 0.1
        if not hurry:
            for number in away:
                cluster.members[number].start()
            away = {}
            for member in cluster.members:
                member.wait_until_there(120)
            to = max(last_rounds(cluster)) + 2 + chance.randrange(5)
            cluster.until(lambda to=to: min(last_rounds(cluster)) >= to, every=0.05)
        time.sleep(chance.uniform(0, 1))
        victim = cluster.members[chance.randrange(len(cluster.members))]
        if victim.number in away or len(away) > cluster.charter.terms.faults:
            continue
        assert victim.process.poll() is None, victim.words()
        victim.kill()
        done.append(Kill(victim.number, time.monotonic()))
        assert acknowledged_but_gone(victim) == []
        if chance.random() < 0.6:
            victim.start()
        else:
            away[victim.number] = True
            time.sleep(chance.uniform(0, 2))
    for number in away:
        cluster.members[number].start()
    for member in cluster.members:
        member.wait_until_there(120)
    return done


def test_kills_at_random_moments_lose_nothing_of_a_bandit(tmp_path):
    cluster, began = Cluster(tmp_path, 4, pays=pays, quick=True), time.monotonic()
    record(cluster)
    with cluster:
        cluster.until(lambda: min(cluster.rounds()) >= 3)
        kills = kill_at_random(cluster, KILLS // 4, random.Random(SEED))
        at = max(cluster.rounds())
        cluster.until(lambda: min(cluster.rounds()) >= at + 10)
        assert cluster.stop() == [0, 0, 0, 0]
    digests, _ = frames(cluster.members)
    played = max(key[2] for key in digests)
    outcomes = sum(len(member.acknowledged) for member in cluster.members)
    note(what="bandit", seed=SEED, seconds=round(time.monotonic() - began), kills=len(kills), rounds=played,
         frames=len(digests), outcomes=outcomes)  # fmt: skip
    assert said_twice(digests, range(4)) == []
    assert [line for member in cluster.members for line in account(member)] == []


def test_kills_at_random_moments_stop_no_chain(tmp_path):
    cluster, began = Cluster(tmp_path, 4, pays=pays, quick=True, **KILLED), time.monotonic()
    record(cluster)
    with cluster:
        cluster.until(lambda: min(heights(cluster.members)) >= 2)
        kills = kill_at_random(cluster, KILLS - KILLS // 4, random.Random(SEED))
        at = max(heights(cluster.members))
        cluster.until(lambda: min(heights(cluster.members)) >= at + 8)
        assert cluster.stop() == [0, 0, 0, 0]
    look_at_kills("chain", cluster, kills, round(time.monotonic() - began))


def look_at_kills(what, cluster, kills, seconds):
    """All that is looked at from outside after members of a chain were killed; the processes must have ended."""
    digests, receivers = frames(cluster.members)
    blocks = one_ledger(cluster.members)
    rounds = rounds_with_blocks(cluster, receivers, range(4))
    back, short = returns(cluster, kills, rounds.possible)
    single = alone(back)
    outcomes = sum(len(member.acknowledged) for member in cluster.members)
    note(what=what, seed=SEED, seconds=seconds, kills=len(kills), blocks=blocks,
         rounds=max(key[2] for key in digests), possible=len(rounds.possible), made=len(rounds.made),
         lost=sorted(set(rounds.possible) - set(rounds.made)), frames=len(digests), outcomes=outcomes,
         back=Counter(one.rounds for one in back), short=short, alone=len(single),
         lost_by_others=Counter(len(one.lost) for one in single), returns=back)  # fmt: skip
    assert said_twice(digests, range(4)) == []
    assert [line for member in cluster.members for line in account(member)] == []
    assert proven_faults(cluster.members) == []
    assert rounds.share >= LEAST_SHARE
    assert [one for one in back if one.rounds > MOST_ROUNDS_TO_COME_BACK] == []
    assert [one for one in single if len(one.lost) > 1] == []


def test_a_kill_in_each_stage_costs_the_others_one_round_at_most(tmp_path):
    """In each stage, before any, one, or all of the others have been told of it; one kill after another."""
    cluster, began = Cluster(tmp_path, 4, pays=pays, quick=True, **KILLED), time.monotonic()
    record(cluster)
    kills, places = [], [(stage, told) for stage in range(STAGES) for told in (0, 1, 3)]
    random.Random(SEED).shuffle(places)
    with cluster:
        cluster.until(lambda: min(heights(cluster.members)) >= 2)
        for number, place in enumerate(places[: max(2, round(len(places) * SECONDS / 600))]):
            victim = cluster.members[number % 4]
            kills.append(die(cluster, victim, place))
            at = max(heights(cluster.members))
            cluster.until(lambda at=at: min(heights(cluster.members)) >= at + 8)
        assert cluster.stop() == [0, 0, 0, 0]
    look_at_kills("stages", cluster, kills, round(time.monotonic() - began))


def test_seven_that_were_cut_into_four_and_three_for_a_minute_go_on_within_three_rounds(tmp_path):
    """Neither part is a quorum. It is counted from the last round that anybody was in when they met again."""
    cluster, began = Cluster(tmp_path, 7, pays=pays, quick=True, **KILLED), time.monotonic()
    parts = [cluster.members[:4], cluster.members[4:]]
    record(cluster)
    with cluster:
        cluster.until(lambda: min(heights(cluster.members)) >= 3, 180)
        for one, other in (parts, parts[::-1]):
            for member in one:
                member.does(record=str(member.folder.path / HEARD), cut=[there.name for there in other])
        time.sleep(1)
        before = max(heights(cluster.members))
        time.sleep(SECONDS / 10)
        apart = max(heights(cluster.members))
        record(cluster)
        at = max(member.state()["round"] for member in cluster.members)
        cluster.until(lambda: min(heights(cluster.members)) >= apart + 3, 180)
        assert cluster.stop() == [0] * 7
    digests, _ = frames(cluster.members)
    blocks = one_ledger(cluster.members)
    rounds = sorted(reporters(cluster, 0))
    first = next(round for round in rounds if round > at)
    whole = next(round for round, who in sorted(reporters(cluster, 0).items()) if round > at and len(who) == 7)
    note(what="4 and 3", seconds=round(time.monotonic() - began), apart=SECONDS / 10, made_apart=apart - before,
         blocks=blocks, met_in=at, next_block=first, with_all=whole, frames=len(digests))  # fmt: skip
    assert apart <= before + 1
    assert first <= at + 3
    assert said_twice(digests, range(7)) == []
    assert [line for member in cluster.members for line in account(member)] == []
    assert proven_faults(cluster.members) == []
