"""Offices as processes: five, of which one lies, one is killed and one comes late; and nodes that get bad bytes."""

import http.client
import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("safetensors")

from models_brought import blocks_of
from models_in_processes import Offices, digits

from folkmoot import ledger
from folkmoot.ledger.chain import apply_block, start
from folkmoot.multiparty import Consortium
from folkmoot.multiparty.adaptive import exchange_liar
from folkmoot.node.brought import contents_of, lend
from folkmoot.node.care import backup, export, problems
from folkmoot.node.client import NodeSays, Refused
from folkmoot.node.folder import Folder
from folkmoot.node.mischief import DOSED
from folkmoot.node.systems import system_of

HONEST, LIAR, KILLED, LATE = (0, 1, 2, 3), 4, 1, 3


def ended_at(member, charter, height):
    """The state after so many blocks, computed again from what is on this member's disk."""
    store = member.store()
    chain = start(system_of(charter).genesis, contents_of(member.folder.path))
    for number in range(1, height + 1):
        chain = apply_block(chain, ledger.Block.from_bytes(store.block(number)))
    store.close()
    return chain.state


def test_five_offices_one_lies_one_is_killed_one_comes_late(tmp_path):
    """Two exchanges: honest ledgers, parameters and predictions are equal, and those of the same five in one program.

    The liar has a look at all models, reveals as many lies as it expects the gate to let pass, slanders the others and
    votes for what hurts. Whoever asks for an exchange waits for who is away, so it does not matter when one is killed.
    """
    x, y = (part[1_000:] for part in digits.images())
    told = {"each": 3, "exchanges": 2, "patience": 1 << 20}
    offices = Offices(tmp_path, wanted=0, play=0.1, stage=6.0, absent=(LATE,), **told)
    lend(offices.members[0].folder, (offices.members[LATE].folder.path / "parameters").read_bytes())
    offices.members[LIAR].does(attack=DOSED)
    victim, late = offices.members[KILLED], offices.members[LATE]
    with offices:
        offices.until(lambda: offices.members[0].learning().get("accuracy"), 600)  # all models are there, and speak
        before = read_by(offices.members[0], x, y)
        late.start()
        late.wait_until_there()
        with offices.members[0].client() as client:
            assert client.ask("exchange", each=3) == "called for"
        victim.kill()
        at = offices.members[0].state()["round"]
        offices.until(lambda: offices.members[0].state()["round"] > at + 3, 600)
        victim.start()
        victim.wait_until_there()
        offices.until(lambda: offices.height(HONEST) >= 2, 600)
        with victim.client() as client:
            client.ask("exchange", each=2)
        offices.until(lambda: offices.height(HONEST) >= 3, 600)
        after = read_by(late, x, y)
        shown = late.learning()["exchanges"]
        assert offices.stop() == [0] * 5
    ledgers = {}
    for number in HONEST:
        store = offices.members[number].store()
        ledgers[number] = blocks_of(store)
        store.close()
    assert [len(found) for found in ledgers.values()] == [3] * 4
    assert all(found == ledgers[0] for found in ledgers.values())
    fleets = [ended_at(offices.members[number], offices.charter, 3).committee.fleet for number in HONEST]
    alone, said = one_program(offices.charter)
    expected = alone.chain.state.committee.fleet
    for number in range(5):
        assert {fleet.parameters(number) for fleet in fleets} == {expected.parameters(number)}
    scores = [fleet.scores(x) for fleet in fleets]
    assert all((one == scores[0]).all() for one in scores)
    assert (after == alone.predict(x[: len(after)], "mean")).all()
    assert [one["accepted"] for one in shown] == [one.decision.accepted for one in said]
    reads = [float(np.mean(told == y[: len(told)])) for told in (before, after)]
    print(f"right before and after: {reads}; {[str(one.decision) for one in said]}")
    assert reads[1] > reads[0]


def read_by(member, x, y):
    """What an office reads of the first images."""
    with member.client() as client:
        return np.concatenate([np.array(client.predict(x[at : at + 250]).classes) for at in (0, 250, 500)])


def one_program(charter):
    """The same five, with the same liar, and what came of the same two exchanges."""
    parties = [replace(digits.office(number, 5), name=f"site-{number}") for number in range(5)]
    parties[LIAR] = exchange_liar(parties[LIAR], shows="dosed", votes="contrary", recalls="slander")
    seed = int.from_bytes(charter.identity[:7], "big")
    alone = Consortium(parties, seed=seed, **digits.TERMS["settings"]["rules"])
    return alone, [alone.exchange(each) for each in (3, 2)]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    with Offices(tmp_path_factory.mktemp("offices"), 2) as offices:
        offices.until(lambda: offices.height([0, 1]) >= 2, 600)
        yield offices


def posted(member, path, body, method="POST"):
    """Status and value of what a node answers to these bytes."""
    connection = http.client.HTTPConnection(member.folder.url.removeprefix("http://"), timeout=60)
    connection.request(method, path, body, {"Authorization": f"Bearer {member.folder.token}"})
    response = connection.getresponse()
    found = response.status, json.loads(response.read())
    connection.close()
    return found


def test_what_an_office_asks_and_hands_in(two):
    x, y = (part[1_000:1_040] for part in digits.images())
    with two.members[0].client() as client:
        said = client.predict(x)
        assert (len(said.classes), len(said.scores[0]), said.labels, said.predictor) == (40, 10, None, "mean")
        assert np.mean(np.array(said.classes) == y) > 0.7
        assert said.height >= 2
        assert len(client.predict(x.reshape(40, 8, 8), "screened").classes) == 40  # as images, too
        own = np.isin(y, digits.classes_of(0, 2))
        before = client.state()["learning"]["samples"]
        assert client.samples(x[own], y[own]) == own.sum()
        assert client.samples(x[own], y[own]) == 0  # each is kept once
        learning = client.state()["learning"]
        assert learning["samples"] == before + own.sum()
        assert learning["accuracy"].keys() == {"mean", "screened", "alone"}
        assert [one["member"] for one in learning["models"]] == ["site-0", "site-1"]
        assert sum(one["accepted"] + sum(one["refused"].values()) for one in learning["models"]) >= 2
        with pytest.raises(Refused, match=r"y\[0\] = 9: expected one of the classes that this member's"):
            client.samples(x[:1], [9])
        with pytest.raises(NodeSays, match="choose no arms: expected /v1/predict or /v1/samples"):
            client.decide()


ROW = [0.5] * 64


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("predict", b"", "truncated"),
        ("predict", b"{}", "missing required field `x`"),
        ("predict", {"x": []}, "0 samples: expected 1 to 256"),
        ("predict", {"x": [ROW] * 257}, "257 samples: expected 1 to 256"),
        ("predict", {"x": [[0.5] * 63]}, "x[0]: 63 numbers: expected the 64 of one sample"),
        ("predict", {"x": [["0.5"] * 64]}, "Expected `float`, got `str`"),
        ("predict", {"x": [[True] * 64]}, "Expected `float`, got `bool`"),
        ("predict", {"x": [[None] * 64]}, "Expected `float`, got `null`"),
        ("predict", {"x": [[float("nan")] * 64]}, "NaN is no number in JSON: expected finite numbers"),
        ("predict", {"x": [[1e39] * 64]}, "a number of size 1e+39"),
        ("predict", {"x": [ROW], "predictor": "best"}, "predictor = 'best': expected one of mean, screened"),
        ("predict", {"x": [ROW], "z": 1}, "unknown field `z`"),
        ("predict", {"x": [[ROW]]}, "Expected `float`, got `array`"),
        ("predict", b'{"x": [[' + b"[" * 3_000, "Expected `float`, got `array`"),
        ("predict", b'{"x": [[' + b"[" * 100_000, "more than 4,096 lists"),
        ("predict", b" " * ((1 << 22) + 1), "request of more than 4194304 bytes"),
        ("samples", {"x": [ROW]}, "missing required field `y`"),
        ("samples", {"x": [ROW], "y": [1, 2]}, "y: 2 classes for 1 samples"),
        ("samples", {"x": [ROW], "y": [1.5]}, "Expected `int | str`, got `float`"),
        ("samples", {"x": [ROW], "y": ["one"]}, "y[0] = 'one': expected one of the classes"),
        ("samples", {"x": [ROW], "y": [-1]}, "y[0] = -1: expected one of the classes"),
        ("samples", {"x": [ROW], "y": [10**400]}, ""),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_bytes_are_refused_in_one_line(two, path, body, words):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, said = posted(two.members[0], f"/v1/{path}", data)
    assert status == 400
    assert set(said) == {"error"}
    assert words in said["error"]
    assert "\n" not in said["error"]
    assert len(said["error"]) <= 300
    assert posted(two.members[0], f"/v1/{path}", b"", "PUT") == (405, {"error": "expected POST"})


def test_a_copy_a_check_and_a_ledger_that_verifies(two, tmp_path):
    """Last in this module: it ends the two offices."""
    member = two.members[0]
    backup(member.folder, tmp_path / "copy")
    assert two.stop() == [0, 0]
    assert list(problems(member.folder, None)) == []
    assert list(problems(Folder(tmp_path / "copy"), None)) == []
    blocks = export(member.folder, tmp_path / "offices.ledger")
    assert blocks >= 2
    verdict = ledger.open(tmp_path / "offices.ledger").verify()
    assert (verdict.ok, verdict.blocks) == (True, blocks)
    name = two.charter.terms.settings["models"][1]["parameters"]
    (member.folder.path / "contents" / name[:2] / name[2:]).write_bytes(b"something else")
    assert any("has been changed" in line for line in problems(member.folder, None))
