"""Consortia of models on nodes, on a network in memory: the same as in one program, and what they do when some lack."""

import asyncio
import tracemalloc
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("safetensors")

from consortium import seeds_of
from made_voted import Play
from models_brought import CLASSES, RULES, Learners, blocks_of, brought_by, charter_of_models, folders_in, party_of

from folkmoot.ledger.contents import name_of
from folkmoot.machine import NO_FLOOR, Kept, Moment, Received
from folkmoot.multiparty import Consortium
from folkmoot.multiparty.attacks import SwappedWithin, lying
from folkmoot.multiparty.chain.talk import CONSORTIUM, Given, Lacking
from folkmoot.node.brought import contents_of, lend
from folkmoot.node.metrics import metrics
from folkmoot.node.systems import system_of
from folkmoot.node.view import View
from folkmoot.node.web_learning import PREDICT, SAMPLES, answer

MEMBERS, ROUNDS = 5, 6


def made(path, members=MEMBERS, **more):
    """Two sets of data folders of the same members, and the charter."""
    parties = [party_of(number) for number in range(members)]
    folders, others = folders_in(path / "nodes", members), folders_in(path / "alone", members)
    tables = brought_by(folders, parties)
    assert brought_by(others, parties) == tables
    return charter_of_models(folders, tables, **more), folders, others


def digest_of(charter, number):
    return bytes.fromhex(charter.terms.settings["models"][number]["parameters"])


def in_one_program(charter, folders, rounds, lies=None):
    system, lies = system_of(charter), lies or {}
    roles = [
        system.role(me, seed, folder=folder.path, lies=lies.get(me))
        for me, (seed, folder) in enumerate(zip(seeds_of(len(folders)), folders, strict=True))
    ]
    return Play(roles).play(rounds)


def test_the_same_game_in_one_program_and_on_nodes(tmp_path):
    """Ledgers, parameters and predictions are equal, to the last bit; one of the five lies."""
    charter, folders, others = made(tmp_path, rounds=ROUNDS)
    lies = {4: lambda party: lying(party, SwappedWithin)}
    play = in_one_program(charter, others, ROUNDS, lies)
    nodes = Learners(charter, folders, lies)
    nodes.play()
    expected = blocks_of(play.hosts[0].kept)
    assert len(expected) >= ROUNDS - 3
    machines = [player.machine for player in nodes.players]
    fleet = play.hosts[0].machine.participant.chain.state.committee.fleet
    for number, player in enumerate(nodes.players):
        assert blocks_of(player._store) == expected
        assert blocks_of(play.hosts[number].kept) == expected
        own = player.machine.participant.chain.state.committee.fleet
        assert [own.parameters(i) for i in range(MEMBERS)] == [fleet.parameters(i) for i in range(MEMBERS)]
    x = np.random.default_rng(0).normal(size=(50, 6)).tolist()
    said = [machine.predict(x) for machine in machines]
    assert all((one.scores == said[0].scores).all() and one.height == len(expected) for one in said)
    seen = nodes.players[0].seen()["learning"]
    assert [bytes.fromhex(one["parameters"]) for one in seen["models"]] == [fleet.hash(i) for i in range(MEMBERS)]
    assert seen["models"][0]["accepted"] > 0
    assert sum(seen["models"][4]["refused"].values()) > 0
    assert (seen["lacking"], seen["wrong"], seen["checked"]) == (0, "", 40)
    assert seen["accuracy"]["mean"] > 0.5


def test_the_same_consortium_in_one_program_has_the_same_models(tmp_path):
    """`Consortium` with the same five, one of which lies: parameters and scores are equal to the last bit."""
    charter, folders, _ = made(tmp_path, rounds=ROUNDS)
    for folder in folders:  # all are there from the first round on: nobody is late
        for other in folders:
            lend(folder, (other.path / "parameters").read_bytes())
    lies = {4: lambda party: lying(party, SwappedWithin)}
    nodes = Learners(charter, folders, lies)
    nodes.play()
    alone = in_consortium(folders, lies)
    tally = alone.calibrate_in_rounds(ROUNDS, wanted=3, most=8)
    state = nodes.players[0].machine.participant.chain.state
    assert state.round == alone.chain.state.round == ROUNDS
    assert tally.accepted > 0
    assert sum(tally.by_sender["site-4"].get(why, 0) for why in tally.refused) > 0
    fleet, own = state.committee.fleet, alone.chain.state.committee.fleet
    assert [fleet.hash(i) for i in range(MEMBERS)] == [own.hash(i) for i in range(MEMBERS)]
    x = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    assert (nodes.players[1].machine.predict(x.tolist()).scores == alone.scores(x, "mean")).all()


def in_consortium(folders, lies=None, **more):
    """The members of `made`, with their keys, as one program plays them."""
    parties = [replace(party_of(number), key=folder.seed()) for number, folder in enumerate(folders)]
    parties = [(lies or {}).get(number, lambda party: party)(party) for number, party in enumerate(parties)]
    return Consortium(parties, n_classes=CLASSES, voted=True, edition=2, **RULES, **more)


class WithOneAway(Learners):
    """Member 2 is not there at first; member 1 is gone once, and comes back from what is on its disk."""

    async def _play(self):
        late, again = self.players[2], self.players[1]
        running = {player.me: asyncio.create_task(player.run()) for player in self.players if player is not late}

        async def height(player, least):
            while player.height < least:
                assert not running[0].done()
                await asyncio.sleep(0.01)

        await height(self.players[0], 1)
        running[2] = asyncio.create_task(late.run())
        await height(late, 2)
        running[1].cancel()
        await asyncio.gather(running[1], return_exceptions=True)
        await again.stop()
        again._store.close()
        self.players[1] = self.player(1)
        running[1] = asyncio.create_task(self.players[1].run())
        at = max(player.height for player in self.players)
        for player in self.players:
            await height(player, at + 2)
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
        for player in self.players:
            await player.stop()


def test_one_that_comes_late_and_one_that_comes_back(tmp_path):
    """Each gets blocks, models and samples by digest; who was away misses nothing of the chain."""
    charter, folders, _ = made(tmp_path, rounds=1_000, stage=0.5, wanted=1)
    lend(folders[0], (folders[2].path / "parameters").read_bytes())
    nodes = WithOneAway(charter, folders)
    nodes.play()
    ledgers = [blocks_of(player._store) for player in nodes.players]
    least = min(map(len, ledgers))
    assert least >= 4
    assert all(ledger[:least] == ledgers[0][:least] for ledger in ledgers)


def test_a_model_that_is_none_is_said_and_stops_no_program(tmp_path):
    """The charter names parameters that are no model: all fetch them, and all say so."""
    folders = folders_in(tmp_path, 4)
    tables = brought_by(folders, [party_of(number) for number in range(4)])
    junk = lend(folders[3], b"no model")
    tables[3] = {**tables[3], "parameters": junk.hex(), "size": 8}
    system = system_of(charter_of_models(folders, tables, rounds=4))
    with pytest.raises(ValueError, match=r"model.toml is not the model that the charter has for site-3"):
        system.role(3, folders[3].seed(), folder=folders[3].path)
    roles = [system.role(me, folders[me].seed(), folder=folders[me].path) for me in range(3)]
    liar = replace(roles[0], me=3, seed=folders[3].seed(), contents=contents_of(folders[3].path))
    machine = Play([*roles, liar]).play(3).hosts[0].machine
    assert machine.wrong.startswith("original party 3 (site-3): ")
    assert machine.shown["learning"]["wrong"] == machine.wrong
    with pytest.raises(ValueError, match="nothing can be predicted yet: original party 3"):
        machine.predict([[0.0] * 6])


@pytest.mark.parametrize(
    "told", [b"\x00" * 50, CONSORTIUM.to_bytes(Given((b"x" * 1_000,) * 3)), None], ids=["no message", "another", "none"]
)
def test_nobody_is_believed_while_models_are_fetched(tmp_path, told):
    """Member 1 answers with something else, or nothing; what it owns is had from a member that has it already."""
    charter, folders, _ = made(tmp_path, 4)
    system = system_of(charter)
    roles = [system.role(me, folders[me].seed(), folder=folders[me].path) for me in range(4)]
    roles[2].contents.put(roles[1].contents.get(digest_of(charter, 1)))  # it was there before
    play = Play(roles, tampered=lambda moment, sender, receiver, data: told if sender == 1 else data).play(4)
    for number in (0, 2, 3):
        assert play.hosts[number].machine.participant is not None
        assert play.hosts[number].machine.lacking == set()
    files = {f"{file.parent.name}{file.name}" for file in (folders[0].path / "contents").rglob("*") if file.is_file()}
    assert digest_of(charter, 1).hex() in files
    assert name_of(b"x" * 1_000).hex() not in files


def test_who_asks_too_often_is_not_answered(tmp_path):
    charter, folders, _ = made(tmp_path, 4)
    role = system_of(charter).role(0, folders[0].seed(), folder=folders[0].path)
    machine = role.resume({}, Kept(), None, NO_FLOOR)
    want = Received(3, CONSORTIUM.to_bytes(Lacking((digest_of(charter, 0),))))
    machine.step(Moment(1, 0), [], [])
    effects = machine.step(Moment(1, 1), [want] * 20, [])
    assert sum(receiver == 3 for receiver, _ in effects.send) == 1  # once in a round
    assert [(notice.sender, notice.reason) for notice in effects.noticed] == [(3, "asked too often")] * 12
    huge = Received(2, CONSORTIUM.to_bytes(Given((bytes(1 << 20),))))
    noticed = machine.step(Moment(1, 2), [huge, Received(1, b"")], []).noticed
    assert [(notice.sender, notice.reason) for notice in noticed] == [(2, "too large"), (1, "malformed")]


def test_what_has_been_fetched_is_not_asked_for_again_after_a_crash(tmp_path):
    """It is on the disk before anything else is done; rounds that were entered are not entered again."""
    charter, folders, _ = made(tmp_path, 4)
    system = system_of(charter)
    role = system.role(0, folders[0].seed(), folder=folders[0].path)
    kept = Kept()
    machine = role.resume({}, kept, None, NO_FLOOR)
    kept.store(Moment(1, 0), machine.step(Moment(1, 0), [], []).keep)
    theirs = contents_of(folders[2].path).get(digest_of(charter, 2))
    told = Received(1, CONSORTIUM.to_bytes(Given((theirs,))))  # from somebody else than its owner
    kept.store(Moment(1, 1), machine.step(Moment(1, 1), [told], []).keep)
    again = system.role(0, folders[0].seed(), folder=folders[0].path).resume(kept.values, kept, None, NO_FLOOR)
    assert again.lacking == {digest_of(charter, 1), digest_of(charter, 3)}
    assert again.next == Moment(2, 0)
    asked = again.step(Moment(2, 0), [], []).send
    assert sorted(receiver for receiver, _ in asked) == [1, 3]


def test_models_that_are_all_here_speak_from_the_next_round_on_and_it_says_so(tmp_path):
    charter, folders, _ = made(tmp_path, 4)
    machine = system_of(charter).role(0, folders[0].seed(), folder=folders[0].path).resume({}, Kept(), None, NO_FLOOR)
    machine.step(Moment(1, 0), [], [])
    with pytest.raises(ValueError, match="yet: 3 of 4 models are still to be fetched"):
        machine.predict([[0.0] * 6])
    theirs = tuple(contents_of(folders[n].path).get(digest_of(charter, n)) for n in (1, 2, 3))
    machine.step(Moment(1, 1), [Received(1, CONSORTIUM.to_bytes(Given(theirs)))], [])
    assert (machine.lacking, machine.shown["learning"]["accuracy"]) == (set(), None)
    with pytest.raises(ValueError, match="yet: all models are here; they speak from the next round on"):
        machine.predict([[0.0] * 6])
    while machine.next.round == 1:
        machine.step(machine.next, [], [])
    machine.step(Moment(2, 0), [], [])
    assert len(machine.predict([[0.0] * 6]).classes) == 1
    assert machine.shown["learning"]["accuracy"]["mean"] > 0


def test_predictions_are_counted_and_a_number_that_json_has_none_for_is_named(tmp_path):
    charter, folders, _ = made(tmp_path, 4, rounds=2)
    nodes = Learners(charter, folders)
    nodes.play()
    player = nodes.players[0]
    view = View(player)

    async def done(function, *given):
        return function(*given)

    stub = SimpleNamespace(machine=player.machine, between_steps=done)
    for body, status in ((b'{"x":[[0,0,0,0,0,0]]}', 200), (b'{"x":[[0,0,0]]}', 400), (b'{"x":[[NaN,0,0,0,0,0]]}', 400)):
        found, value = asyncio.run(answer(PREDICT, body, stub, view))
        assert found == status
    assert value["error"] == "NaN is no number in JSON: expected finite numbers"
    assert (view.predicted, view.state()["predicted"], view.state()["decided"]) == (1, 1, 0)
    text = metrics(view.state(), 1.0).decode()
    assert "folkmoot_predictions_total 1.0" in text
    assert "folkmoot_decisions_total 0.0" in text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"x":[' + b"[]," * 1_000_000 + b"[]]}", "more than 4,096 lists"),
        (b'{"x":[[' + b"1," * 2_000_000 + b"1]]}", "more than 524,288 numbers"),
    ],
    ids=["lists", "numbers"],
)
@pytest.mark.parametrize("path", [PREDICT, SAMPLES])
def test_a_request_of_a_million_empty_lists_is_refused_before_anything_is_made_of_it(path, body, said):
    player = SimpleNamespace(machine=object())  # which nobody asks
    tracemalloc.start()
    status, value = asyncio.run(answer(path, body, player, None))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert status == 400
    assert said in value["error"]
    assert peak < 1 << 20
