"""Exchanges of a consortium and its chain: what they bring, what is on record, and who lies in them."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra `multiparty`")
pytest.importorskip("torch", reason="needs the extra `multiparty`")

from folkmoot import ledger
from folkmoot.encoding import decode, encode
from folkmoot.ledger.chain import apply_block
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.multiparty import Retraining, TorchModel, exchange_liar, register_architecture
from folkmoot.multiparty.chain.records import EXCHANGE, LIMITS, read_head
from folkmoot.multiparty.consortium import Consortium
from folkmoot.multiparty.exchange.exchanging import taught
from folkmoot.multiparty.exchange.revealing import Shown
from folkmoot.multiparty.exchange.training import STRIDE, further

from .board import board, consortium_of, played, right

LIARS = (0, 3, 6)  # at most one of the three owners of a class
SHORT = Retraining(steps=60, rate=0.01)


def _lying(world, who=LIARS, **ways):
    return [
        exchange_liar(party, allies=who, pool=world.pools[i], **ways) if i in who else party
        for i, party in enumerate(world.parties)
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_no_party_has_a_reserved_class_and_at_most_200_samples_are_revealed(seed):
    """At least two points above the mean of the models before, each seed; three on the average (decision 0054)."""
    world = board(seed)
    found, before, after = played(world, world.parties, 5)
    assert found.decision.accepted
    assert sum(sum(counts.values()) for counts in found.revealed.values()) <= 200
    assert after >= before + 0.02


def test_what_stands_on_the_chain_is_computed_again(tmp_path):
    world = board(1)
    consortium = consortium_of(world.parties, ledger=tmp_path / "a.ledger", seed=3)
    found = consortium.exchange(2, SHORT)
    assert found.decision.accepted
    consortium.close()
    book = ledger.open(tmp_path / "a.ledger")
    assert book.verify().ok
    assert [read_head(block.records[0]).what for block in book.blocks()] == ["commit", "exchange"]
    again = Consortium.open(tmp_path / "a.ledger", world.parties, keys="derived", seed=3)
    assert (again.predict(world.x) == consortium.predict(world.x)).all()
    assert again.exchange(1, SHORT).decision is not None
    again.close()


def test_it_is_the_same_without_a_ledger_and_the_same_again():
    world = board(1)
    rows = []
    for _ in range(2):
        consortium = consortium_of(world.parties, seed=4)
        rows.append((consortium.exchange(2, SHORT), consortium.predict(world.x).tolist()))
    assert rows[0] == rows[1]


@pytest.fixture(scope="module")
def recorded():
    """A chain before an exchange, and the block that holds it."""
    world = board(1)
    consortium, kept = consortium_of(world.parties, seed=5), []
    consortium._commit()
    append = consortium._append
    before = consortium.chain
    consortium._append = lambda block: kept.append(block) or append(block)
    consortium.exchange(2, SHORT)
    (block,) = kept
    return consortium, before, block


def _made(recorded, records):
    """The block with other records, by the miner whose turn it is."""
    consortium, before, block = recorded
    later, consortium._chain = consortium._chain, before
    made = consortium._miner().recording(EXCHANGE, list(records), read_head(block.records[0]).time)
    consortium._chain = later
    return apply_block(before, made)


def _changed(records, tag, change):
    """The first record of a tag, changed."""
    found = list(records)
    for number, data in enumerate(found):
        value = decode(data, LIMITS)
        if value[0] == tag:
            found[number] = encode(change(value), LIMITS)
            return found
    raise AssertionError(tag)


def _without(records, tag):
    return [data for data in records if decode(data, LIMITS)[0] != tag]


TAMPERED = {
    "the decision": (lambda r: _changed(r, "gate", lambda v: (*v[:3], not v[3], *v[4:])), "the block says"),
    "the gain": (lambda r: _changed(r, "gate", lambda v: (*v[:5], v[5] + 0.01)), "the block says"),
    "who was taken back": (lambda r: _changed(r, "gate", lambda v: (*v[:4], (1,), v[5])), "the block says"),
    "a vote": (lambda r: _changed(r, "ballot", lambda v: (*v[:3], tuple((c, 0, n, n) for c, _, _, n in v[3]), v[4])),
               "not signed by party"),
    "a vote, its signature": (lambda r: _changed(r, "ballot", lambda v: (*v[:4], bytes(64))), "not signed by party"),
    "recalls": (lambda r: _changed(r, "recalls", lambda v: (*v[:3], v[3][1:], v[4])), "not signed by party"),
    "a label": (lambda r: _changed(r, "shown", lambda v: (*v[:3], (v[3] + 1) % 10, *v[4:])), "not signed by party"),
    "a verdict": (lambda r: _changed(r, "shown", lambda v: (*v[:6], "foreign" if v[6] == "" else "")), "says"),
    "a candidate": (lambda r: _changed(r, "candidate", lambda v: (*v[:3], bytes(32), v[4])), "not signed by party"),
    "all votes left out": (lambda r: _without(r, "ballot"), "no ballot on the candidates"),
    "how often candidates are right, left out": (
        lambda r: [data for data in r if decode(data, LIMITS)[0] != "recalls" or not decode(data, LIMITS)[2]],
        "without how often the candidates are right"),
    "whom one judge listens to, left out": (
        lambda r: [data for data in r if decode(data, LIMITS)[:3] != ("recalls", 4, False)], "not signed by party"),
    "the order": (lambda r: [r[0], *r[:0:-1]], "kind or order"),
    "a vote twice": (lambda r: [*r, r[-1]], "one twice"),
    "nothing": (lambda r: [], "no records"),
}  # fmt: skip


def test_the_block_as_it_was_made_is_taken(recorded):
    assert _made(recorded, recorded[2].records[1:]).tip == recorded[2].header.hash


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_record_is_refused(recorded, what):
    change, reason = TAMPERED[what]
    with pytest.raises(RefusedRecord, match=reason):
        _made(recorded, change(list(recorded[2].records[1:])))


def test_an_old_exchange_is_none_on_a_later_block(recorded):
    """Votes name the block before."""
    consortium, _, block = recorded
    made = consortium._miner().recording(EXCHANGE, list(block.records[1:]), 1)
    with pytest.raises(RefusedRecord, match="not signed by party"):
        apply_block(consortium.chain, made)


def test_leaving_out_those_who_object_does_not_help():
    """A wrong candidate, judged by all; the maker drops the ballots of one class's judges."""
    world = board(1)
    found, _, _ = played(world, _lying(world, (0,), votes="silent"), 3)
    other, _, _ = played(world, world.parties, 3)
    assert found.decision.gain <= other.decision.gain


@pytest.mark.parametrize("shows", ["swapped", "random", "noise", "copies", "outside", "crowded", "unknown", "blended",
                                   "dosed"])  # fmt: skip
def test_lying_messages_of_3_of_10_cost_at_most_a_point_against_no_exchange(shows):
    world = board(2)
    _, before, after = played(world, _lying(world, shows=shows), 4, steps=100)
    assert after >= before - 0.01


@pytest.mark.parametrize("ways", [{"votes": "veto"}, {"votes": "applaud"}, {"votes": "contrary"},
                                  {"recalls": "slander"}, {"candidate": "wrong"}], ids=str)  # fmt: skip
def test_lying_voters_and_candidates_cost_at_most_a_point(ways):
    world = board(2)
    _, before, after = played(world, _lying(world, **ways), 4, steps=100)
    assert after >= before - 0.01


def test_a_wrong_candidate_is_taken_back_and_the_others_stay():
    world = board(2)
    found, before, after = played(world, _lying(world, (4,), candidate="wrong"), 4, steps=100)
    assert "p4" in found.reverted
    assert found.decision.accepted
    assert after > before


def test_a_trigger_that_no_check_set_has_passes_the_gate():
    """Shown, not hidden: what judges cannot see they cannot refuse."""
    world, trigger = board(2), np.zeros(64, np.float32)
    trigger[[0, 7, 56, 63]] = 1.0
    parties = [exchange_liar(p, candidate="trigger", trigger=trigger) if i == 4 else p
               for i, p in enumerate(world.parties)]  # fmt: skip
    consortium = consortium_of(parties, seed=1)
    clean = right(consortium, world, "mean")
    found = consortium.exchange(4, SHORT)
    assert found.decision.accepted
    assert "p4" not in found.reverted
    assert right(consortium, world, "mean") >= clean
    x = np.clip(world.x + trigger, 0.0, 1.0)[np.isin(world.y, parties[4].model.classes)]
    model = consortium.model("p4")
    fooled = (model.scores(x).argmax(axis=1) == 0).mean()
    assert fooled > 0.6


def test_what_others_reveal_of_its_classes_a_party_learns_under_their_labels():
    """Not its own, not what was refused, not what it does not know; the party itself keeps its samples."""
    world = board(1)
    party, fleet = world.parties[0], consortium_of(world.parties).group.fleet  # it knows 0, 1 and 2
    shown = [Shown(1, world.x[0], 2), Shown(0, world.x[1], 1), Shown(1, world.x[2], 1), Shown(3, world.x[3], 5)]
    pupil = taught(party, 0, shown, ["", "", "unvouched", ""], fleet)
    assert np.array_equal(pupil.x, np.concatenate([party.x, world.x[:1]]))
    assert pupil.y.tolist() == [*party.y.tolist(), 2]
    assert len(party.x) == len(party.y) == 80
    assert np.array_equal(taught(party, 0, [], [], fleet).x, party.x)


def test_the_first_step_of_a_linear_model_is_the_same_whatever_units_inputs_have():
    """Adam moves each weight by its rate in its first step; the sums change by STRIDE on the mean, the most of them."""
    party = board(1).parties[0]
    columns = np.searchsorted(party.model.classes, party.y)
    moved = []
    for unit in (1.0, 1000.0):
        x = (party.x * unit).astype(np.float32)
        model = party.model.moved_to(party.model.weights / unit, party.model.intercepts)
        new = further(Retraining(steps=1), model, x, columns, x[:0], np.random.default_rng(1))
        moved.append((np.abs(x) @ np.abs(new.weights - model.weights).T).mean(axis=0).max())
    assert moved[0] == pytest.approx(STRIDE, rel=1e-3)
    assert moved[1] == pytest.approx(moved[0], rel=1e-2)


def test_a_calibration_behind_the_gate_changes_nothing_or_helps():
    world = board(1)
    consortium = consortium_of(world.parties, seed=2)
    before = right(consortium, world, "mean")
    tally = consortium.calibrate(2, 40, progress=False, gated=True)
    assert tally.gate is not None
    if tally.gate.accepted:
        assert right(consortium, world, "mean") >= before - 0.01
    else:
        assert right(consortium, world, "mean") == before


def test_what_cannot_be_asked_for():
    world = board(1)
    consortium = consortium_of(world.parties)
    for each in (-1, 65, True, 1.0):
        with pytest.raises(ValueError, match=r"each = .*: expected an integer of at least 0 and at most 64"):
            consortium.exchange(each)
    blind = consortium_of([replace(party, check=None) for party in world.parties])
    with pytest.raises(ValueError, match="class 0: nobody has check samples of it"):
        blind.exchange()
    with pytest.raises(ValueError, match="class 0: nobody has check samples of it"):
        blind.calibrate(1, 5, progress=False, gated=True)
    with pytest.raises(ValueError, match="steps = -1: expected an integer from 0 to"):
        Retraining(steps=-1)
    with pytest.raises(ValueError, match="shows = 'other': expected one of"):
        exchange_liar(world.parties[0], shows="other")


def _net(outputs):
    import torch
    from torch import nn

    torch.manual_seed(outputs)
    return nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, outputs))


register_architecture("exchanged-net", _net)


def test_a_network_gets_a_reserved_output_and_what_is_frozen_stays():
    world = board(1)
    party = world.parties[0]
    module = _net(3)
    module[0].weight.requires_grad_(False)
    model = TorchModel(module, party.model.classes, architecture="exchanged-net")
    columns, foreign = np.searchsorted(model.classes, party.y), world.pools[0][:40]
    found = further(Retraining(steps=300, rate=0.01), model, party.x, columns, foreign, np.random.default_rng(1))
    assert found.reserved
    assert not model.reserved
    assert (found.state()["0.weight"] == model.state()["0.weight"]).all()
    before, after = (m.scores(world.pools[0][40:]).sum(axis=1).mean() for m in (model, found))
    assert before == pytest.approx(1.0)
    assert after < 0.7  # what it does not know is none of its own
    head = further(Retraining(steps=5, head=True), model, party.x, columns, foreign, np.random.default_rng(1))
    assert (head.state()["0.bias"] == model.state()["0.bias"]).all()


@pytest.mark.parametrize("number", [0, 5])
def test_a_linear_model_gets_a_reserved_output_that_lives_on_the_chain(number):
    world = board(1)
    party = world.parties[number]
    foreign = world.pools[number]
    columns = np.searchsorted(party.model.classes, party.y)
    found = further(Retraining(rate=0.02), party.model, party.x, columns, foreign[:60], np.random.default_rng(1))
    assert found.settings()[-1] is True
    assert found.scores(foreign[60:]).sum(axis=1).mean() < 0.3
    assert found.scores(party.x).shape == (len(party.x), 3)
    again = found.from_bytes(found.to_bytes())
    assert (again.scores(foreign) == found.scores(foreign)).all()
