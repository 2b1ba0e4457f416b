"""A consortium on scikit-learn's digits, as a user has it."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from made_digits import digits, linear_models, skewed
from sklearn.linear_model import LogisticRegression

from folkmoot import ledger
from folkmoot.errors import DamagedFile
from folkmoot.multiparty import Consortium, OneStepHMR, Party, SklearnModel, SwappedLabels, claiming, lying
from folkmoot.multiparty.consortium import Registration

X, Y = digits()
TEST = slice(1200, None)


@pytest.fixture(scope="module")
def parties():
    parts = skewed()
    return [Party(f"p{i}", m, x, y) for i, (m, (_, x, y)) in enumerate(zip(linear_models(parts), parts, strict=True))]


def _hashes(consortium):
    return [consortium.group.fleet.hash(i) for i in range(len(consortium.parties))]


def _accuracy(consortium):
    return float((consortium.predict(X[TEST]) == Y[TEST]).mean())


@pytest.mark.parametrize("rules", ["printed", "hardened"])
def test_with_and_without_a_ledger_the_models_are_the_same_to_the_last_bit(parties, rules, tmp_path):
    members = [*parties[:7], *(lying(party, SwappedLabels, 0.5) for party in parties[7:])]
    alone, chained = Consortium(members, rules=rules, seed=3), Consortium(members, tmp_path / "a", rules=rules, seed=3)
    told = [c.calibrate(2, 40, progress=False) for c in (alone, chained)]
    assert told[0] == told[1]
    assert told[0].accepted >= 20
    assert _hashes(alone) == _hashes(chained) != _hashes(Consortium(members))
    chained.close()
    assert ledger.open(tmp_path / "a").verify().ok


def test_the_same_seed_makes_the_same_file_and_another_seed_another(parties, tmp_path):
    tips = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        consortium = Consortium(parties[:4], tmp_path / name, seed=seed, keys="derived")
        consortium.calibrate(1, 20, progress=False)
        tips.append(consortium.chain.tip)
    assert tips[0] == tips[1] != tips[2]


def test_without_a_ledger_too_a_state_stays_as_it_is(parties):
    consortium = Consortium(parties, seed=3)
    chain = consortium.chain
    before = [chain.state.committee.fleet.hash(i) for i in range(len(parties))]
    consortium.calibrate(1, 20, progress=False)
    assert [chain.state.committee.fleet.hash(i) for i in range(len(parties))] == before != _hashes(consortium)
    assert chain.state.committee.used == frozenset()


def test_a_check_that_is_left_out_stands_in_the_genesis(parties, tmp_path):
    """And it is kept when saved; where nothing is left out, the genesis is as it always was."""
    consortium = Consortium(parties, tmp_path / "a", without=("foreign",))
    assert consortium.group.checks == ("duplicate", "contradicted")
    assert consortium.chain.genesis.configuration[0][11] == ("foreign",)
    consortium.save(tmp_path / "saved")
    assert Consortium.load(tmp_path / "saved").terms == consortium.terms
    assert len(Consortium(parties, edition=1).chain.genesis.configuration[0]) == 11
    assert Consortium(parties).chain.genesis.configuration[0][11:] == ((), 2, (), 0, 1)
    assert Consortium(parties, approvals=0).chain.genesis.configuration[0][11:] == ((), 2)
    with pytest.raises(ValueError, match="in this order, each once"):
        Consortium(parties, without=("foreign", "duplicate"))
    consortium.close()


def test_a_consortium_may_vote_on_its_blocks(parties, tmp_path):
    """The same samples, models and registrations as without; more signatures, another genesis."""
    members = [*parties[:9], replace(parties[9], kind="regular")]
    terms = {"seed": 3, "delta": 0.4, "sigma": 0.3}
    games = [Consortium(members, tmp_path / str(voted), voted=voted, **terms) for voted in (False, True)]
    told = [game.calibrate(1, 20, progress=False) for game in games]
    assert told[0] == told[1]
    assert games[0].registrations == games[1].registrations
    assert _hashes(games[0]) == _hashes(games[1])
    for game, signatures in zip(games, (1, 9), strict=True):
        game.close()
        assert game.chain.height >= 2
        assert {len(b.signatures) for b in ledger.open(tmp_path / str(signatures == 9)).blocks()} == {signatures}
        assert ledger.open(tmp_path / str(signatures == 9)).verify().ok


def test_scores_and_predictions(parties):
    consortium = Consortium(parties)
    scores = consortium.scores(X[TEST])
    assert scores.shape == (len(X[TEST]), 10)
    assert (scores.argmax(axis=1) == consortium.predict(X[TEST])).mean() > 0.99  # but for ties
    assert _accuracy(consortium) > 0.8


def test_saved_and_loaded_it_predicts_the_same(parties, tmp_path):
    for kind in (Consortium, OneStepHMR):
        begun = kind(parties, seed=4)
        begun.calibrate(1, 20, progress=False)
        begun.save(tmp_path / kind.__name__)
        loaded = kind.load(tmp_path / kind.__name__)
        assert (loaded.scores(X[TEST]) == begun.scores(X[TEST])).all()
        assert [party.name for party in loaded.parties] == [party.name for party in parties]
        assert loaded.iterations == 1
        with pytest.raises(ValueError, match="no party has data"):
            loaded.calibrate(1)
        with pytest.raises(ValueError, match="exists already"):
            begun.save(tmp_path / kind.__name__)
    (tmp_path / "OneStepHMR" / "0.parameters").write_bytes(b"\0" * 100)
    with pytest.raises(DamagedFile, match="digest"):
        OneStepHMR.load(tmp_path / "OneStepHMR")
    for folder in ("nowhere", "."):
        with pytest.raises(ValueError, match="not a saved consortium"):
            Consortium.load(tmp_path / folder)


# --- Registration (eq. 2) and attacks of type I -------------------------------------------------------------


@pytest.fixture(scope="module")
def approver(parties):
    """An original party that knows all digits, and a newcomer that knows four."""
    model = SklearnModel(LogisticRegression(max_iter=300).fit(X[:600], Y[:600]), range(10))
    return Party("hospital", model, X[:600], Y[:600]), replace(parties[2], kind="regular", name="newcomer")


def _offered(approver, newcomer, **more):
    consortium = Consortium([approver, newcomer], **more)
    (told,) = consortium.registrations
    return consortium, told


def test_an_honest_newcomer_is_admitted_with_its_measured_distance(approver, tmp_path):
    consortium, told = _offered(*approver, ledger=tmp_path / "a")
    assert told == Registration("newcomer", True, "", told.distance, "hospital")
    assert 0.0 < told.distance <= consortium.terms.omega
    assert [party.name for party in consortium.parties] == ["hospital", "newcomer"]
    assert ledger.open(tmp_path / "a").verify().blocks == 1


def test_type_1_a_model_of_other_classes_than_it_claims_is_refused_with_the_measured_distance(approver):
    original, newcomer = approver
    liar = claiming(newcomer, tuple(sorted((c + 5) % 10 for c in newcomer.model.classes)))
    consortium, told = _offered(original, liar)
    assert (told.admitted, told.reason, told.by) == (False, "distance", "hospital")
    assert told.distance > 0.5 > consortium.terms.omega
    assert [party.name for party in consortium.parties] == ["hospital"]


def _inflated(party):
    model = party.model.from_bytes(party.model.to_bytes())
    model.intercepts = np.where(np.arange(len(model.intercepts)) == 0, np.float32(60.0), model.intercepts)
    return replace(party, model=model)


def test_type_1_a_model_with_inflated_scores_is_refused_with_the_measured_distance(approver):
    """One class is scored 1 whatever the sample: far from the original party's scores of all other classes."""
    original, newcomer = approver
    _, told = _offered(original, _inflated(newcomer))
    assert (told.admitted, told.reason) == (False, "distance")
    assert told.distance > 0.5


def test_a_copy_cat_is_admitted(approver):
    """Who hands in the original party's own model is at distance 0: this check cannot stop it, and the docs say so."""
    original, _ = approver
    _, told = _offered(original, Party("cat", original.model, X[:50], Y[:50], kind="regular"))
    assert (told.admitted, told.distance) == (True, 0.0)


def test_a_newcomer_whose_classes_no_original_party_knows_is_refused_on_the_chain(parties, tmp_path):
    consortium, told = _offered(parties[0], replace(parties[5], kind="regular"), ledger=tmp_path / "a")
    assert told == Registration("p5", False, "uncovered", None, None)
    assert consortium.chain.height == 1
    assert ledger.open(tmp_path / "a").verify().ok


# --- Bad input ----------------------------------------------------------------------------------------------


def _with_nan(party):
    model = party.model.from_bytes(party.model.to_bytes())
    model.weights[0, 0] = np.nan
    return replace(party, model=model)


class Wide(SklearnModel):
    """Two columns too many."""

    def scores(self, x):
        return np.pad(super().scores(x), ((0, 0), (0, 2)))


def _wide(party):
    model = Wide.__new__(Wide)
    model.__dict__.update(party.model.__dict__)
    return replace(party, model=model)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: Consortium([]), "parties: expected at least one"),
        (lambda p: Consortium([p[0], p[0]]), "two are named p0"),
        (lambda p: Consortium([replace(p[0], kind="regular")]), "none is of kind 'original'"),
        (lambda p: Consortium(p, n_classes=5), "class 5: the classes are 0 to 4"),
        (lambda p: Consortium([p[0], _with_nan(p[1])]), "party p1: the model gives scores that are not finite"),
        (lambda p: Consortium([p[0], _wide(p[1])]), r"party p1: scores of shape \(\d+, 6\): expected \(\d+, 4\)"),
        (lambda p: Consortium(p, alpha=0.0), "alpha = 0.0: expected a number"),
        (lambda p: Consortium(p, alpha="much"), "alpha = 'much': expected a number"),
        (lambda p: Consortium(p, rules="soft"), "rules = 'soft': expected 'hardened' or 'printed'"),
        (lambda p: Consortium(p, epsilon=0.1), "epsilon: unknown; the settings are alpha, delta"),
        (lambda p: Consortium(p, seed=-1), "seed = -1"),
        (lambda p: Consortium(p).calibrate(0), "iterations = 0: expected an integer of at least 1"),
        (
            lambda p: Consortium(p).calibrate(1, 5000),
            "samples_per_iteration = 5000: expected an integer of at least 1 and at most 4096",
        ),
        (lambda p: Consortium(p).predict(X[:, :10]), r"x of shape \(1797, 10\): expected \[samples, 64\]"),
        (lambda p: Consortium(p).predict(np.full_like(X, "a", object)), r"x\[0\]\[0\] = 'a': expected numbers"),
        (lambda p: Consortium(p).predict(X * np.nan), "x has numbers that are not finite"),
        (lambda p: Consortium(p).model("p77"), "party 'p77': unknown"),
        (lambda p: Consortium(p).register(p[3]), "original parties begin a chain"),
        (lambda p: Consortium(p).register(replace(p[3], kind="regular")), "one of that name already"),
        (lambda p: replace(p[0], kind="friend"), "kind = 'friend': expected 'original' or 'regular'"),
        (lambda p: replace(p[0], y=p[0].y + 5), "labels .* in y: its model knows"),
        (lambda p: replace(p[0], x=p[0].x[:3]), "expected numbers"),
        (lambda p: replace(p[0], x=np.full_like(p[0].x, np.inf)), "not finite"),
        (lambda p: replace(p[0], model="lenet"), "expected a TorchModel"),
        (lambda p: lying(p[0], SwappedLabels, 1.5), "share = 1.5"),
    ],
)
def test_bad_input_is_refused_in_one_line(parties, make, words):
    with pytest.raises(ValueError, match=words) as caught:
        make(parties)
    assert "\n" not in str(caught.value)


def test_a_ledger_that_exists_is_left_alone(parties, tmp_path):
    (tmp_path / "a").write_bytes(b"precious")
    with pytest.raises(ValueError, match="there is a file already"):
        Consortium(parties, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"precious"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]
