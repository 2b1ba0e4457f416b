"""The life of a consortium, as its user has it: leaving, other models and keys, checkpoints, predictions, rewards."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_voted import CLASSES, TERMS, data, model

from folkmoot import ledger
from folkmoot.cli import main
from folkmoot.ledger.contents import MissingContent
from folkmoot.multiparty import Consortium, Party
from folkmoot.multiparty.chain.records import CALIBRATE, read_calibration, read_head
from folkmoot.multiparty.predictors import Screened

NAMES = ("ada", "bob", "cyd", "dan")
X, _ = data(50, 12)


def party(n, name, kind="original", classes=(0, 1, 2), **more):
    return Party(name, model(n, classes), *data(n, 60, classes), kind=kind, **more)


def begun(path=None, **more):
    members = [*(party(i, name) for i, name in enumerate(NAMES)), party(20, "eve", "regular", (0, 1))]
    return Consortium(members, path, n_classes=CLASSES, **{**TERMS, **more})


@pytest.mark.parametrize("voted", [False, True])
def test_a_whole_life_is_verified_and_goes_on(tmp_path, voted):
    one = begun(tmp_path / "a", voted=voted)
    one.calibrate(1, 6, progress=False)
    assert one.update(party(30, "eve", "regular", (0, 1))).admitted
    assert one.update(party(31, "bob")).by == "ada, cyd, dan"
    one.rotate("eve")
    one.rotate("ada")
    one.expel("eve", "sent bogus samples")
    one.leave("dan")
    assert [p.name for p in one.parties] == ["ada", "bob", "cyd"]
    assert one.protection().owners == {0: 3, 1: 3, 2: 3}
    told = one.calibrate(1, 6, progress=False)
    assert told.accepted > 0
    assert told.by_sender["dan"] == told.by_sender["eve"] == {}
    found = one.predict(X)
    one.close()
    assert ledger.open(tmp_path / "a").verify().ok
    again = Consortium.open(tmp_path / "a", [party(0, "ada"), party(31, "bob")])
    assert np.array_equal(again.predict(X), found)
    assert again.calibrate(1, 6, progress=False).accepted > 0
    again.close()
    assert ledger.open(tmp_path / "a").verify().ok


def test_who_is_gone_is_not_given_again_and_has_no_model(tmp_path):
    one = begun(tmp_path / "a")
    one.leave("dan")
    with pytest.raises(ValueError, match=r"party 'dan': unknown \(it is gone\); there are ada, bob, cyd, eve"):
        one.leave("dan")
    with pytest.raises(ValueError, match="there is one of that name already"):
        one.register(party(40, "dan", "regular"))
    one.close()
    with pytest.raises(ValueError, match="party dan: it has left the chain, or was expelled"):
        Consortium.open(tmp_path / "a", [party(3, "dan")])
    again = Consortium.open(tmp_path / "a")
    assert [p.name for p in again.parties] == ["ada", "bob", "cyd", "eve"]
    assert [r.name for r in again.registrations] == ["eve"]
    again.save(tmp_path / "saved")
    assert np.array_equal(Consortium.load(tmp_path / "saved").predict(X, "mean"), again.predict(X))
    again.close()


def test_a_fitted_predictor_is_saved_for_those_who_are_in(tmp_path):
    x, y = data(51, 60)
    one = begun()
    screened = Screened((False, True, True, True, True))
    one.leave("cyd")
    for chosen in (screened, one.tempered(x, y)):
        one.predictor = chosen
        one.save(tmp_path / chosen.name)
        assert np.array_equal(Consortium.load(tmp_path / chosen.name).predict(X), one.predict(X))
    one.predictor = one.stacked(x, y)
    with pytest.raises(ValueError, match="made for 5 models, of which 4 are left; make it anew"):
        one.save(tmp_path / "stacked")


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda c: c.expel("eve", "why", by=["ada", "bob"]), "2 of 4 original parties expel eve: 3 must"),
        (lambda c: c.expel("dan", "why", by=["ada", "bob", "dan"]), "party 3 has no say in whether dan is expelled"),
        (lambda c: c.expel("eve", "\n"), "reason = '.n': expected 1 to 160 printable"),
        (lambda c: c.expel("zed", "why"), "party 'zed': unknown; there are ada, bob"),
        (lambda c: c.rotate("eve", b"short"), "key of 5 bytes: expected 32 bytes"),
        (lambda c: c.rotate("eve", bytes(32)) or c.rotate("ada", bytes(32)), "is or was somebody's already"),
        (lambda c: c.update(party(30, "eve", "original", (0, 1))), "on the chain it is regular"),
        (lambda c: c.update(party(30, "bob", classes=(0, 1))), "an original party keeps its classes"),
        (lambda c: c.predict_on_record(X, "zed"), "party 'zed': unknown"),
    ],
)
def test_what_the_rules_refuse_is_said_in_a_line(act, words):
    one = begun()
    chain = one.chain
    with pytest.raises(ValueError, match=words):
        act(one)
    assert one.chain.height - chain.height <= 1


def test_a_model_that_is_not_approved_stays_out():
    one = begun()
    before = one.scores(X)
    weights = model(20, (0, 1))
    odd = type(weights).from_bytes(weights, weights.to_bytes())
    odd.weights = -5 * odd.weights
    found = one.update(Party("eve", odd, *data(20, 60, (0, 1)), kind="regular"))
    assert (found.admitted, found.reason, found.by) == (False, "distance", "ada")
    assert np.array_equal(one.scores(X), before)
    assert one.chain.height == 1


def test_terms_of_an_earlier_version_know_none_of_it(tmp_path):
    one = begun(tmp_path / "a", approvals=0)
    for act in (lambda: one.leave("dan"), lambda: one.rotate("dan"), one.checkpoint, lambda: one.prune(tmp_path / "b")):
        with pytest.raises(ValueError, match="by these terms nobody leaves"):
            act()
    with pytest.raises(ValueError, match="by the terms of this chain no model changes"):
        one.update(party(30, "eve", "regular", (0, 1)))
    assert one.chain.height == 1
    one.close()


def test_several_approve_a_newcomer():
    one = begun(approvals=3)
    assert one.registrations[0].by == "ada, bob, cyd, dan"
    with pytest.raises(ValueError, match="outside"):
        begun(approvals=0, outside=0.5)
    assert begun(approvals=5).registrations[0][1:] == (False, "uncovered", None, None, None)


# --- Checkpoints -----------------------------------------------------------------------------------------------------


def life(path, voted=False):
    one = begun(path, voted=voted)
    one.calibrate(1, 6, progress=False)
    one.leave("dan")
    one.rotate("bob")
    one.calibrate(1, 6, progress=False)
    return one


@pytest.mark.parametrize("voted", [False, True])
def test_a_pruned_ledger_goes_on_without_the_old_one(tmp_path, voted):
    one = life(tmp_path / "a", voted)
    found, rewards = one.predict(X), one.rewards()
    one.prune(tmp_path / "b")
    for name in ("a", "a.contents", "a.keys"):
        (tmp_path / name).rename(tmp_path / f"old {name}")
    assert np.array_equal(one.predict(X), found)
    assert Counter(one.rewards()) - Counter(rewards) == Counter({"bob" if voted else "ada": 1.0}) or not voted
    one.calibrate(1, 4, progress=False)
    one.close()
    again = Consortium.open(tmp_path / "b", [party(0, "ada"), party(1, "bob")])
    assert [p.name for p in again.parties] == ["ada", "bob", "cyd", "eve"]
    again.calibrate(1, 4, progress=False)
    after = again.predict(X)
    again.close()
    verified = ledger.open(tmp_path / "b").verify()
    assert verified.ok
    assert "begins at a checkpoint of another ledger" in verified.remarks[0]
    assert np.array_equal(Consortium.open(tmp_path / "b").predict(X), after)
    assert main(["ledger", "verify", str(tmp_path / "b")]) == 0


def test_who_has_the_old_file_checks_that_the_new_one_goes_on_from_it(tmp_path, capsys):
    one, (a, b, c) = life(tmp_path / "a"), (str(tmp_path / name) for name in "abc")
    one.prune(tmp_path / "b")
    one.close()
    begun(tmp_path / "c").close()
    assert main(["ledger", "verify", b, "--before", a]) == 0
    assert "all good" in capsys.readouterr().out
    assert main(["ledger", "verify", b, "--before", c]) == 1
    assert "it goes on from another block" in capsys.readouterr().err
    assert main(["ledger", "verify", a, "--before", c]) == 1
    assert "does not begin at a checkpoint" in capsys.readouterr().err


def forged(one, **changes):
    """The genesis of a pruned chain with something else in its block or snapshot."""
    word, terms, data_ = one.chain.genesis.configuration
    block = ledger.Block.from_bytes(data_)
    block = replace(block, **changes)
    return ledger.Genesis("bema", (word, terms, block.to_bytes()), 0)


def test_a_checkpoint_that_nobody_may_sign_is_none(tmp_path):
    one = life(tmp_path / "a", voted=True)
    one.prune(tmp_path / "b")
    contents, genesis = one.chain.state.contents, one.chain.genesis
    block = ledger.Block.from_bytes(genesis.configuration[2])
    assert ledger.start(genesis, contents).height == 0
    for changes, words in (
        ({"signatures": ()}, "0 signatures, 3 are needed"),
        ({"signatures": block.signatures[:2]}, "2 signatures, 3 are needed"),
        ({"records": (block.records[0],)}, "two records that its header covers"),
        ({"records": (block.records[0], block.records[1][:-1] + b"x")}, "two records that its header covers"),
    ):
        with pytest.raises(ledger.Malformed, match=words):
            ledger.start(forged(one, **changes), contents)
    told = genesis.configuration[1]
    other = ledger.Genesis("bema", (genesis.configuration[0], (*told[:3], 0.1, *told[4:]), block.to_bytes()), 0)
    with pytest.raises(ledger.Malformed, match="terms of a chain that goes on"):
        ledger.start(other, contents)
    with pytest.raises(MissingContent):
        ledger.start(genesis, ledger.MemoryContents())
    one.close()


def test_a_checkpoint_of_another_state_is_refused(tmp_path):
    from folkmoot.multiparty.chain.acts import Checkpoint
    from folkmoot.multiparty.chain.miner import Miner

    one = life(tmp_path / "a")
    miner = Miner(one._key(one._parties[0]), one.chain)
    with pytest.raises(ledger.RefusedRecord, match="record 1: the state hashes to"):
        ledger.apply_block(one.chain, miner.act(Checkpoint(bytes(32)), 1))
    one.close()


# --- Predictions and rewards -----------------------------------------------------------------------------------------


def test_a_prediction_on_record_can_be_made_again(tmp_path):
    one = begun(tmp_path / "a")
    said = one.predict_on_record(X, "ada", reveal=True)
    assert np.array_equal(said, one.predict(X))
    first = one.chain.height
    one.predict_on_record(X, "eve", "median")
    one.update(party(30, "eve", "regular", (0, 1)))
    one.leave("dan")
    one.calibrate(1, 6, progress=False)
    assert [(r.height, r.by, r.predictor.name) for r in one.recorded()] == [
        (first, "ada", "mean"),
        (first + 1, "eve", "median"),
    ]
    assert one.recorded()[0].answers == tuple(said)
    assert one.predicted_alike(first)
    assert one.predicted_alike(first + 1, X)
    with pytest.raises(ValueError, match="not the samples of the prediction at height"):
        one.predicted_alike(first, X + 0.25)
    with pytest.raises(ValueError, match="no prediction is on record there"):
        one.predicted_alike(1)
    one.close()
    assert ledger.open(tmp_path / "a").verify().ok


def test_an_answer_that_the_models_do_not_give_is_found(tmp_path):
    """Signed and on the chain: the rules cannot see the samples. Who has them can."""
    from folkmoot.multiparty import on_record

    one = begun(tmp_path / "a")
    one.predict_on_record(X, "ada", reveal=True)
    record = one._predictions()[0][1]
    number = one._number("ada")
    lie = record._replace(before=1, answers=tuple((a + 1) % 3 for a in record.answers), until=one._until)
    one._act(lie._replace(signature=one._sign(number, on_record.PREDICTION, lie.said())))
    assert one.predicted_alike(2)
    assert not one.predicted_alike(3)
    tempered = '{"name": "tempered", "temperatures": [1%s]}' % ("0" * 400)  # no float is so large
    rows = [[1e308] * len(record.models) * CLASSES] * 2  # whose sums no float holds
    huge = json.dumps({"name": "stacked", "weights": rows, "intercepts": [0.0, 0.0], "classes": [0, 1], "models": 5})
    assert len(record.models) == 5
    screened = '{"kept": [true], "name": "screened"}'
    for before, told in enumerate(('{"name": "oracle"}', tempered, screened, huge), 2):
        odd = record._replace(before=before, predictor=told, until=one._until)
        one._act(odd._replace(signature=one._sign(number, on_record.PREDICTION, odd.said())))
        assert not one.predicted_alike(one.chain.height)
    assert [r.predictor is None for r in one.recorded()] == [False, False, True, True, False, False]
    one.close()


def test_anybody_adds_up_the_rewards_from_the_records(tmp_path, capsys):
    one = life(tmp_path / "a", voted=True)
    one.checkpoint()
    one.close()
    samples, blocks = Counter(), Counter()
    names = [*NAMES, "eve"]
    for block in ledger.open(tmp_path / "a").blocks():
        head = read_head(block.records[0])
        blocks[head.miner] += 1
        notes = read_calibration(block.records[1:])[0] if head.what == CALIBRATE else ()
        samples.update(names[note.sender] for note in notes if not note.verdict)
    told = one.rewards(sample=1.0, block=0.0)
    assert {name: count for name, count in told.items() if count} == dict(samples)
    assert sum(one.rewards(0.0, 1.0).values()) == sum(blocks.values()) == one.chain.height
    assert main(["ledger", "show", str(tmp_path / "a"), "--accounts", "--blocks", "0"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["ada", "original", str(samples["ada"])] == next(row for row in rows if row[:1] == ["ada"])[:3]
    assert next(row for row in rows if row[:1] == ["dan"])[1] == "gone"


def test_all_of_it_is_shown(tmp_path, capsys):
    one = begun(tmp_path / "a", labels=("cat", "dog", "hen"))
    one.update(party(30, "eve", "regular", (0, 1)))
    one.rotate("bob")
    said = one.predict_on_record(X[:2], "ada")
    assert set(said) <= {"cat", "dog", "hen"}
    one.expel("eve", "sent bogus samples")
    one.leave("dan")
    one.prune(tmp_path / "b")
    one.close()
    assert main(["ledger", "show", str(tmp_path / "a")]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("block", "party: eve"))]
    for line, begins in zip(
        lines,
        (
            "party: eve (regular, since block 1, gone by block 5): linear/softmax, knows cat, dog",
            "block 1: eve was admitted by ada, distance",
            "block 2: eve has another model, approved by ada, bob, cyd, dan; made by",
            "block 3: bob has another key, ",
            "block 4: ada put a prediction of 2 samples on record, input",
            "block 5: eve was expelled by ada, bob, cyd, dan: sent bogus samples; made by",
            "block 6: dan left; made by",
            "block 7: checkpoint ",
        ),
        strict=True,
    ):
        assert line.startswith(begins)
    assert main(["ledger", "show", str(tmp_path / "a"), "--block", "4", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)["blocks"][0]["records"][0]
    assert record["answers"] == list(said)
    assert record["predictor"]["name"] == "mean"
    assert set(record["models"]) == {*NAMES, "eve"}
    (tmp_path / "b.contents").rename(tmp_path / "elsewhere")
    assert main(["ledger", "show", str(tmp_path / "b")]) == 0
    assert "party: " not in capsys.readouterr().out
    (tmp_path / "elsewhere").rename(tmp_path / "b.contents")
    assert main(["ledger", "show", str(tmp_path / "b")]) == 0
    told = capsys.readouterr().out
    assert "note: begins at a checkpoint of another ledger, its block 7; 1 signature vouches" in told
    assert "party: dan (original, since block 0, gone by block 0): linear/softmax, knows cat, dog, hen" in told


def test_where_classes_have_names_they_are_said(tmp_path):
    names = ("cat", "dog", "hen")
    one = begun(tmp_path / "a", labels=names)
    told = one.predict_on_record(X, "ada")
    found = one.recorded()[0]
    assert found.labels == tuple(told)
    assert found.answers == tuple(names.index(label) for label in told)
    assert found._replace(answers=(2, -1)).labels == ("hen", "")
    assert repr(found).endswith(f"answers={found.answers!r}, labels={found.labels!r})")
    assert found.input.hex() in repr(found)
    assert str(one.protection(predictor="star")).splitlines()[0].startswith("4 models: classes hen: ")
    assert one.protection().keys() == {0, 1, 2}
    one.close()
    two = begun(tmp_path / "b")
    two.predict_on_record(X, "ada")
    assert two.recorded()[0].labels == two.recorded()[0].answers
    assert "labels" not in repr(two.recorded()[0])
    two.close()


def test_a_screening_says_who_is_left_out():
    kept = data(50, 90)
    one = begun()
    judged = [replace(party, check=kept if party.kind == "original" else None) for party in one.parties]
    honest = Consortium(judged, n_classes=CLASSES, **TERMS).screening()
    assert honest.names == (*NAMES, "eve")
    assert honest._replace(kept=np.ones(5, np.bool_)).left_out == ()
    told = repr(honest._replace(kept=np.arange(5) != 2, recall=np.array([0.5, 1.0, 0.125, np.nan, 0.0])))
    assert told.startswith("Screening(left_out=('cyd',), before=")
    assert "recall={'ada': 0.5, 'bob': 1.0, 'cyd': 0.125, 'dan': nan, 'eve': 0.0}" in told
    assert honest._replace(names=(), kept=np.arange(5) != 2).left_out == (2,)
