"""Models that go on under another charter: as they are on the chain, to the last bit, in folders of their own."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("safetensors")

from consortium import charter_of, seeds_of
from models_asking import Asking, made_asking
from models_brought import CLASSES, charter_of_models, clouds, party_of

from folkmoot.cli import main
from folkmoot.ledger.chain import start
from folkmoot.node.asking import AskedFor
from folkmoot.node.brought import bring, contents_of, lend, read_brought
from folkmoot.node.carrying import carry
from folkmoot.node.charter import BadCharter
from folkmoot.node.folder import Folder
from folkmoot.node.systems import system_of


def fresh(path, name, number, port=9100):
    return Folder.make(path / name, name, f"127.0.0.1:{port + number}", seed=seeds_of(20)[10 + number])


def test_after_an_exchange_they_go_on_with_another_address_pace_and_member(tmp_path):
    charter, folders = made_asking(tmp_path)
    nodes = Asking(charter, folders, [(0, AskedFor("exchange", each=3), 2), (4, AskedFor("leave"), 3)])
    nodes.play()
    before = nodes.players[0].machine.participant.chain.state.committee.fleet
    others = [fresh(tmp_path / "new", f"site-{number}", number) for number in range(5)]
    tables = [carry(old, new) for old, new in zip(folders[:4], others[:4], strict=True)]
    assert [bytes.fromhex(one["parameters"]) for one in tables] == [before.hash(number) for number in range(4)]
    with pytest.raises(ValueError, match="site-4 has left the consortium, or was expelled from it"):
        carry(folders[4], others[4])
    newcomer = fresh(tmp_path / "new", "site-9", 9)
    tables.append(bring(newcomer, party_of(2 + 4)))
    again = charter_of_models([*others[:4], newcomer], tables, rounds=77, play=0.5, settings={"wanted": 0, "each": 2})
    for place in (one for one in others[:4]):
        lend(others[0], contents_of(place.path).get(bytes.fromhex(read_brought(place.path).parameters)))
    lend(others[0], contents_of(newcomer.path).get(bytes.fromhex(read_brought(newcomer.path).parameters)))
    state = start(system_of(again).genesis, contents_of(others[0].path)).state
    x, _ = clouds(1, 200, range(CLASSES))
    assert (state.committee.fleet.scores(x)[:4] == before.scores(x)[:4]).all()
    system = system_of(again)
    party, _ = system._party(1, others[1].path)  # with its samples, and its check set
    old, _ = system_of(charter)._party(1, folders[1].path)
    for ours, theirs in ((party.x, old.x), (party.y, old.y), (party.check[0], old.check[0])):
        assert np.array_equal(ours, theirs)
    with pytest.raises(ValueError, match=r"model\.toml: is there already"):
        carry(folders[0], others[0])


def test_members_that_have_no_model_on_a_chain_are_told_so(tmp_path, capsys):
    bandit, new = fresh(tmp_path, "site-0", 0), fresh(tmp_path, "other", 1)
    bandit.join(charter_of(4, seeds=[bandit.seed(), *seeds_of(4)[1:]]))
    assert main(["node", "carry", str(bandit.path), str(new.path)]) == 2
    assert "members of a bandit have no models" in capsys.readouterr().err
    _, folders = made_asking(tmp_path / "models", 3)
    assert main(["node", "carry", str(folders[1].path), str(new.path)]) == 2
    assert "site-1: 2 of 3 models are not here yet; run its node until they are" in capsys.readouterr().err


def test_the_model_as_it_was_brought_where_there_is_no_block_yet(tmp_path, capsys):
    _, folders = made_asking(tmp_path, 3)
    for folder in folders:
        for other in folders:
            lend(other, (folder.path / "parameters").read_bytes())
    new = fresh(tmp_path, "other", 1)
    assert main(["node", "carry", str(folders[1].path), str(new.path)]) == 0
    assert capsys.readouterr().out == (
        f"{new.path}: has the model of site-1 as it is after block 0, and its samples; send {new.path / 'model.toml'} "
        "to whoever proposes the charter\n"
    )
    assert Path(new.path / "model.toml").read_bytes() != b""
    assert read_brought(new.path).parameters == read_brought(folders[1].path).parameters
    assert read_brought(new.path).member == "other"


def test_who_amends_such_a_charter_is_told_what_to_do_instead(tmp_path):
    from folkmoot.node.amendment import amend

    charter, _ = made_asking(tmp_path, 4)
    with pytest.raises(BadCharter, match=r"cannot be amended: .*folkmoot node ask.*folkmoot node carry"):
        system_of(amend(charter, 5))
