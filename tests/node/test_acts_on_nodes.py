"""What members of a consortium of models ask of each other on nodes, on a network in memory: exchanges and acts."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("safetensors")

from models_asking import ACTS, MEMBERS, Asking, made_asking
from models_brought import CLASSES, charter_of_models, folders_in, party_of

from folkmoot.multiparty import Consortium
from folkmoot.multiparty.chain.records import ADMIT, COMMIT, EXCHANGE, REGISTER, ROTATE, UPDATE
from folkmoot.node.asking import AskedFor
from folkmoot.node.brought import bring, renew
from folkmoot.node.charter import BadCharter
from folkmoot.node.systems import system_of
from folkmoot.node.words import words


def test_an_exchange_another_key_and_another_model(tmp_path):
    """The models are those of the same consortium in one program, to the last bit; what became of it is shown."""
    charter, folders = made_asking(tmp_path)
    better = party_of(2).model
    better.weights = better.weights + np.float32(0.001)
    renew(folders[2], better)
    asks = [
        (0, AskedFor("exchange", each=3), 2), (1, AskedFor("rotate"), 3), (2, AskedFor("update"), 4),
        (1, AskedFor("exchange", each=2), 6),
    ]  # fmt: skip
    nodes = Asking(charter, folders, asks)
    nodes.play()
    assert nodes.whats() == [COMMIT, EXCHANGE, ROTATE, UPDATE, COMMIT, EXCHANGE]  # a new key has another salt
    parties = [replace(party_of(number), key=folder.seed()) for number, folder in enumerate(folders)]
    alone = Consortium(parties, n_classes=CLASSES, voted=True, seed=7, edition=2, **ACTS)
    first = alone.exchange(3)
    alone.rotate("site-1", bytes([99]) * 32)
    alone.update(replace(parties[2], model=better))
    second = alone.exchange(2)
    expected = alone.chain.state.committee.fleet
    assert [nodes.models(n) for n in range(MEMBERS)] == [[expected.hash(n) for n in range(MEMBERS)]] * MEMBERS
    learning = nodes.players[3].seen()["learning"]
    assert [one["accepted"] for one in learning["exchanges"]] == [first.decision.accepted, second.decision.accepted]
    assert [one["rolled_back"] for one in learning["exchanges"]] == [
        list(said.reverted if said.decision.accepted else [p.name for p in parties]) for said in (first, second)
    ]
    assert learning["models"][0]["revealed"] == sum(said.revealed["site-0"].get("", 0) for said in (first, second))
    assert nodes.players[0].seen()["learning"]["exchange"] == str(first.decision)
    assert learning["waiting"] == []
    ours = learning["exchanges"]  # before and after, on the own check set
    assert ours[1]["after"] == learning["accuracy"]["mean"]
    assert ours[0]["before"] is not None
    assert all(0 <= one[when] <= 1 for one in ours for when in ("before", "after"))
    assert [one["parameters"] for one in learning["models"]] == [expected.hash(n).hex() for n in range(MEMBERS)]
    with pytest.raises(ValueError, match="2 exchanges are on the chain: the members have agreed on no more"):
        nodes.players[0].machine.ask(AskedFor("exchange", each=1))


@pytest.mark.parametrize("approvals", [1, 2])
def test_a_guest_is_admitted_and_members_without_models_make_the_blocks(tmp_path, approvals):
    """Members in the order guest, miner, parties, miner: on the chain they have other numbers."""
    folders = folders_in(tmp_path, 6)
    parties = {number: party_of(0) for number in (0, 2, 3, 4)}
    for number, party in parties.items():
        party.model.weights = party.model.weights + np.float32(0.001 * number)
    tables = [bring(folders[number], replace(parties[number], name=f"site-{number}")) for number in (0, 2, 3, 4)]
    settings = {
        "models": tables[1:], "miners": ["site-1", "site-5"], "guests": ["site-0"], "wanted": 1,
        "rules": {**ACTS, "approvals": approvals, "delta": 0.0, "sigma": 1.0},
    }  # fmt: skip
    charter = charter_of_models(folders, tables[1:], rounds=1_000, settings=settings)
    said = "\n".join(words(charter))
    assert "Only these make blocks, and they have no models: site-1, site-5." in said
    assert "These may ask to be admitted with a model, later: site-0." in said
    nodes = Asking(charter, folders, [(2, None, ADMIT if approvals == 2 else REGISTER)])
    nodes.play()
    state = nodes.players[1].machine.participant.chain.state
    assert [party.name for party in state.parties] == ["site-2", "site-3", "site-4", "site-0"]
    assert set(state.life.made) <= {folders[n].card.key.hex() for n in (1, 5)}
    assert nodes.players[0].machine.participant.party == 3
    assert [one["member"] for one in nodes.players[5].seen()["learning"]["models"]][-1] == "site-0"
    x = np.zeros((2, 6)).tolist()
    assert (nodes.players[1].machine.predict(x).scores == nodes.players[0].machine.predict(x).scores).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"miners": ["site-9"]}, "miners and guests: site-9: expected names of members, each once"),
        ({"miners": ["site-1"], "guests": ["site-1"]}, "miners and guests: site-1, site-1: expected names of members"),
        ({"miners": ["site-1"]}, "expected one of each member, site-0, site-2"),
        ({"each": 17}, "each"),
        ({"each": -1}, "each"),
        ({"patience": 0}, "patience"),
        ({"exchanges": -1}, "exchanges"),
    ],
)
def test_settings_of_exchanges_that_make_no_sense(tmp_path, change, said):
    charter, _ = made_asking(tmp_path, 3)
    changed = charter.terms.settings | change
    with pytest.raises(BadCharter, match=said):
        system_of(replace(charter, terms=replace_settings(charter.terms, changed)))


def replace_settings(terms, settings):
    return terms.model_copy(update={"settings": settings})


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (AskedFor("exchange"), "each = 0: expected 1 to 3"),
        (AskedFor("exchange", each=4), "each = 4: expected 1 to 3"),
        (AskedFor("leave", party="site-1"), "party and reason for an expulsion alone"),
        (AskedFor("expel", party="site-7", reason="x"), "party = 'site-7'"),
        (AskedFor("expel", party="site-1"), "reason = ''"),
        (AskedFor("update"), "no other model lies in the data folder"),
        (AskedFor("lie"), "what = 'lie'"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(learner, wanted, said):
    with pytest.raises(ValueError, match=said) as caught:
        learner.ask(wanted)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def learner(tmp_path_factory):
    """Of one who has all models."""
    from folkmoot.machine import NO_FLOOR, Kept
    from folkmoot.node.brought import lend

    charter, folders = made_asking(tmp_path_factory.mktemp("three"), 3)
    for other in folders[1:]:
        lend(folders[0], (other.path / "parameters").read_bytes())
    return system_of(charter).role(0, folders[0].seed(), folder=folders[0].path).resume({}, Kept(), None, NO_FLOOR)
