"""A node that names samples in an exchange and never sends them: the others finish, decide the same, and name it."""

import pytest

pytest.importorskip("safetensors")

from models_asking import MEMBERS, Asking, made_asking

from folkmoot.multiparty.chain.answering import Answering
from folkmoot.multiparty.chain.records import COMMIT, EXCHANGE
from folkmoot.node.asking import AskedFor
from folkmoot.node.view import View

LIAR = 3


def test_who_withholds_samples_is_named_and_holds_up_nobody(tmp_path, monkeypatch):
    """Before, the exchange came to nothing, and the one that had called for it was blamed, or its process ended."""
    charter, folders = made_asking(tmp_path, patience=2)
    key, reveals = folders[LIAR].card.key, Answering._reveals

    def withheld(answering, *told):
        records, contents = reveals(answering, *told)
        return records, [] if answering._own.own == key else contents

    monkeypatch.setattr(Answering, "_reveals", withheld)
    nodes = Asking(charter, folders, [(0, AskedFor("exchange", each=3), 2)])
    nodes.play()
    assert nodes.whats() == [COMMIT, EXCHANGE]
    assert len({tuple(nodes.models(number)) for number in range(MEMBERS)}) == 1
    player = nodes.players[0]
    assert player.machine.shown["learning"]["exchanges"][0]["accepted"]
    assert set(player.noticed[LIAR]) == {"withheld"}
    found = {one["name"]: one["faults"] for one in View(player).members() if "faults" in one}
    assert found[f"site-{LIAR}"]["withheld"] >= 1
    assert not any(faults for name, faults in found.items() if name != f"site-{LIAR}")
