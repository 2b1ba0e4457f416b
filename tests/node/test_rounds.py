"""Nodes on a network in memory: with nothing going wrong they play what the simulator plays."""

import asyncio
from collections import Counter

import numpy as np
import pytest
from consortium import Consortium, charter_of

import folkmoot as fm
from folkmoot.bc_ucb import protocol
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.encoding import digest
from folkmoot.ledger.block import Block
from folkmoot.machine import Moment
from folkmoot.node.frames import STEP
from folkmoot.node.store import Store
from folkmoot.node.tickets import Tickets, key_in
from folkmoot.simulation.agents import Agents
from folkmoot.simulation.simulate import make_job

MEANS = [[0.2, 0.5, 0.8], [0.3, 0.4, 0.7], [0.1, 0.6, 0.75], [0.25, 0.5, 0.7]]
ALGORITHMS = {
    "gse": fm.GSE(),
    "ucb_sbm": fm.UCBSBM(),
    "drfed_ucb": fm.DrFedUCB(),
    "s3_cert": fm.S3Cert(),
    "flood_se": fm.FloodSE(),
}


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.filterwarnings("ignore:GSE")
def test_arm_for_arm_what_the_simulator_plays(name, tmp_path):
    rewards, rounds, seed = fm.Bernoulli(MEANS), 40, 7
    network = {"type": "stochastic_block_model", "labels": [0, 0, 1, 1], "within": 1.0, "across": 1.0}
    settings = {"algorithm": {"type": name}, "network": network, "certain": True}
    charter = charter_of(4, rounds=rounds, settings=settings, seed=seed)
    consortium = Consortium(charter, rewards, tmp_path)
    consortium.play()

    world = fm.StochasticBlockModel([0, 0, 1, 1], within=1.0, across=1.0)
    simulated = Agents(make_job(ALGORITHMS[name], rewards, world, horizon=rounds, seed=seed))
    arms = []
    for _ in range(rounds):
        before = simulated.pulls.copy()
        simulated.play(1)
        arms.append((simulated.pulls - before).argmax(1).tolist())
    assert consortium.arms[1:].tolist() == arms


@pytest.mark.parametrize("members", [4, 7])
def test_block_for_block_what_the_simulator_agrees_on(members, tmp_path, monkeypatch):
    """Public coins, the same keys and the same genesis: then the same arms, and the same bytes on every disk."""
    seed, rounds, means = 3, 15 + 12, (0.3, 0.5, 0.7)
    seeds = [digest("participant", (seed, 0, number)) for number in range(members)]
    settings = {"disclosure": "open", "validators": 2 * members}
    charter = charter_of(members, rounds=rounds, system="bc_ucb", settings=settings, seed=seed, seeds=seeds)
    rewards = fm.Bernoulli(means, n_agents=members)
    consortium = Consortium(charter, rewards, tmp_path, seeds)
    consortium.play()

    facts = consortium.players[0].system.facts
    monkeypatch.setattr(protocol, "_salt", lambda game, replicate: charter.digest)
    game = protocol.Game(
        facts.params, facts.terms, rewards.record(), ATTACKS["attack"]().record(rewards), np.zeros(members, bool), seed,
        np.array([15, rounds]),
    )  # fmt: skip
    with protocol.Table(game, 0) as table:
        for t in range(1, rounds + 1):
            table.play_round(t)
    stored = table.hosts[table.honest[0]].kept
    assert stored.height == rounds - 15
    assert consortium.arms[1:].tolist() == table._arms[1:].tolist()
    for player in consortium.players:
        assert player.height == stored.height
        for height in range(1, stored.height + 1):
            found, told = Block.from_bytes(player.block(height)), Block.from_bytes(stored.block(height))
            assert found == told


def test_a_late_outcome_is_taken_before_the_first_round_after_a_restart(tmp_path):
    consortium = Consortium(charter_of(2, rounds=5), fm.Bernoulli(MEANS[:2]), tmp_path)
    consortium.play()
    again = consortium.player(0)
    before = Tickets(("a", "b"), 0.0, 1.0, 8, key=key_in(again._store))
    before.open(5, 1)
    ticket = before.decide().ticket
    assert again.tickets.outcome(ticket, 0.5) == (ticket, 5, 0.5)


def test_what_is_not_on_the_disk_is_written_before_anything_leaves_and_before_anybody_waits(tmp_path, monkeypatch):
    consortium = Consortium(charter_of(4, rounds=12), fm.Bernoulli(MEANS), tmp_path)
    left, unwritten, late = Counter(), [], Counter()
    steps = Counter()  # of each member, that are not on the disk; an outcome may be, of which nothing has left
    stores = [player._store for player in consortium.players]

    def passes(sender, receiver, frame):
        left[frame.kind] += 1
        if frame.kind == STEP and stores[sender].waits and steps[sender]:
            unwritten.append((sender, frame.moment))
        return True

    for number, (player, store) in enumerate(zip(consortium.players, stores, strict=True)):

        def stored(*args, store=store, number=number, real=store.store, **more):
            real(*args, **more)
            late[number] += store.waits
            steps[number] = store.waits

        async def waits(store=store, number=number, real=player._woken.wait):
            if store.waits and steps[number]:
                unwritten.append((number, "waits"))
            return await real()

        monkeypatch.setattr(store, "store", stored)
        monkeypatch.setattr(player._woken, "wait", waits)
    consortium.board.lets_through = passes
    consortium.play()
    assert unwritten == []
    assert left[STEP] > 12 * 4
    assert all(late[number] >= 10 for number in range(4))  # a step a round is written with the next one
    assert all(store.position == Moment(12, 2) for store in map(Store, sorted(tmp_path.glob("*.sqlite"))))


def test_who_would_wait_writes_first_what_is_not_on_the_disk(tmp_path):
    (player, *_), path = Consortium(charter_of(4), fm.Bernoulli(MEANS), tmp_path).players, tmp_path / "0.sqlite"
    player._store.store(Moment(1, 2), [], later=True)
    assert Store(path).position is None
    asyncio.run(player._wake(3600.0))  # and it does not wait then: what it waits for may have come meanwhile
    assert Store(path).position == Moment(1, 2)
