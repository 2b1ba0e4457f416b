"""Predicting together as a user has it: defaults, who is silent, few owners, check sets, names of classes, advice."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from made_digits import digits, linear_models, skewed
from sklearn.linear_model import LogisticRegression

from folkmoot import ledger
from folkmoot.encoding import Malformed
from folkmoot.multiparty import Consortium, OneStepHMR, Party, SklearnModel
from folkmoot.multiparty.models import kinds, linear_model
from folkmoot.multiparty.predictors import Krum, Mean
from folkmoot.multiparty.rules import validation
from folkmoot.multiparty.rules.committee import Committee
from folkmoot.multiparty.rules.sample import Sample
from folkmoot.multiparty.rules.terms import Terms

X, Y = digits()
TEST = slice(1200, None)
TERMS = {"delta": 0.4, "sigma": 0.3, "seed": 5}


@pytest.fixture(scope="module")
def parties():
    parts = skewed()
    return [Party(f"p{i}", m, x, y) for i, (m, (_, x, y)) in enumerate(zip(linear_models(parts), parts, strict=True))]


class Holed:
    """A model of a user's kind that gives no numbers where it is not sure: elsewhere than on its own samples."""

    kind = "holed"

    def __init__(self, model):
        self.model, self.classes = model, model.classes
        self.step, self.settings, self.to_bytes = model.step, model.settings, model.to_bytes

    def scores(self, x):
        found = self.model.scores(x)
        unsure = (found.max(axis=1) < 0.9) & x.reshape(len(x), -1).any(axis=1)
        return np.where(unsure[:, None], np.float32(np.nan), found)

    def from_bytes(self, data):
        return Holed(self.model.from_bytes(data))


@pytest.fixture
def holed(parties, monkeypatch):
    """The fourth party's model has holes, which a look at its own samples does not show."""
    build = lambda kind, *more: Holed(linear_model.blank("linear/softmax", *more))  # noqa: E731
    monkeypatch.setitem(kinds._OWN, "holed", build)
    party = parties[3]
    known = party.model.scores(party.x).max(axis=1) > 0.95
    one = replace(party, model=Holed(party.model), x=party.x[known], y=party.y[known])
    return Consortium([*parties[:3], one, *parties[4:]], **TERMS)


def _right(consortium, **more):
    return float((consortium.predict(X[TEST], **more) == Y[TEST]).mean())


def test_row_4_the_default_is_the_mean_and_the_paper_s_centre_is_there_by_name(parties):
    consortium = Consortium(parties, **TERMS)
    assert consortium.predictor == Mean()
    assert _right(consortium) > _right(consortium, predictor="krum")
    assert Consortium(parties, predictor="krum", **TERMS).predictor == Krum(0.75)
    assert OneStepHMR(parties).predictor.name == "max"
    with pytest.raises(ValueError, match="predictor = 'mode': expected 'mean'"):
        Consortium(parties, predictor="mode")


def test_row_2_a_model_that_gives_no_numbers_elsewhere_is_silent_there_and_nowhere_else(parties, holed):
    """Scores, predictions, protection and calibration agree on whom they hear."""
    whole = Consortium(parties, **TERMS)
    assert np.isnan(holed.group.fleet.scores(X[TEST])).any()
    for name in ("mean", "median", "star", "krum", "max"):
        scores, told = holed.scores(X[TEST], name), holed.predict(X[TEST], name)
        assert np.isfinite(scores).all()
        assert (scores[np.arange(len(told)), told] == scores.max(axis=1)).all()
        assert _right(holed, predictor=name) > _right(whole, predictor=name) - 0.06
    assert holed.protection(X[TEST], "median")[3] == holed.protection(predictor="median")[3] == 1
    assert holed.protection(X[TEST]).owners[3] == 3 == holed.protection().owners[3] - 1
    told = holed.calibrate(1, 30, progress=False)
    assert told.accepted > 0
    assert validation.NOT_FINITE not in told.refused


class Spoken:
    """A model that says what it is told."""

    kind = "spoken"

    def __init__(self, *says):
        self.classes, self.says, self.steps = tuple(range(len(says))), says, []

    def scores(self, x):
        return np.tile(np.array(self.says, np.float32), (len(x), 1))

    def step(self, x, column, sign, pace):
        self.steps.append((column, sign))

    def settings(self):
        return ()

    def to_bytes(self):
        return b""

    def from_bytes(self, data):
        return self


def _taken(models, edition, **more):
    given = {"rules": "printed", "delta": 0.3, "sigma": 1.0, **more}
    committee = Committee(models, Terms(2, (2,), edition=edition, **given))
    return committee.take(Sample(np.zeros((1, 2), np.float32), 0, 1, 0, b"a" * 32)), committee


def test_row_2_one_nan_vetoes_no_sample_since_the_second_edition():
    models = [Spoken(np.nan, 0.9), Spoken(0.4, 0.5), Spoken(0.45, 0.55), Spoken(1.5, 0.0)]
    assert _taken(models, 1)[0].refused == validation.NOT_FINITE  # as chains of earlier versions have it
    judged, committee = _taken(models, 2)
    assert judged.refused is None
    assert set(judged.moved) <= {1, 2}
    assert committee.margins(np.zeros((1, 2), np.float32), np.array([0])).value[0] <= 0.0
    assert _taken([Spoken(np.nan, 0.9)] * 3, 2)[0].refused == validation.NOT_FINITE


def test_row_3_two_owners_stand_behind_a_star_together_and_in_any_order():
    one, other = Spoken(0.7, 0.2), Spoken(0.3, 0.9)
    verdicts = [[_taken(pair, edition)[0].refused for pair in ([one, other], [other, one])] for edition in (1, 2)]
    assert verdicts[0] == [validation.MARGIN, None]  # the paper's: the first one decides
    assert verdicts[1] == [None, None]


def test_row_3_protection_says_how_many_know_a_class(parties):
    models = [parties[0], parties[1]]  # both know 1, 2 and 3
    told = Consortium(models, n_classes=5, **TERMS).protection()
    assert told.owners == {0: 1, 1: 2, 2: 2, 3: 2, 4: 1}
    assert set(told.values()) == {0}
    assert "2 models: classes 1, 2, 3: 'mean' tolerates no liar (both count alike" in str(told)
    ten = Consortium(parties, **TERMS)
    assert ten.protection(predictor="median") == dict.fromkeys(range(10), 1)
    assert "'median' tolerates 1 liar" in str(ten.protection(predictor="median"))


def test_check_sets_make_the_screened_mean_the_default_and_it_is_saved(parties, tmp_path):
    """A model that swaps its classes is dropped; what was kept is written and read."""
    own = [np.flatnonzero(np.isin(Y[:1200], party.model.classes))[100:200] for party in parties]
    members = [replace(party, check=(X[rows], Y[rows])) for party, rows in zip(parties, own, strict=True)]
    swapped = members[4].model.from_bytes(members[4].model.to_bytes())
    swapped.weights, swapped.intercepts = swapped.weights[::-1].copy(), swapped.intercepts[::-1].copy()
    members[4] = replace(members[4], model=swapped)
    consortium = Consortium(members, **TERMS)
    found = consortium.screening()
    assert not found.kept[4]
    assert found.fewest >= 10
    assert consortium.predictor == found.predictor
    assert _right(consortium) > _right(consortium, predictor="mean")
    consortium.save(tmp_path / "saved")
    again = Consortium.load(tmp_path / "saved")
    assert again.predictor == found.predictor
    assert (again.predict(X[TEST]) == consortium.predict(X[TEST])).all()
    with pytest.raises(ValueError, match="no party has a check set"):
        Consortium(parties, **TERMS).screening()
    for check, words in (((X[:3], Y[:2]), "check: x of shape"), (X, "expected samples and labels")):
        with pytest.raises(ValueError, match=words):
            replace(parties[0], check=check)


def test_a_public_pool_fits_temperatures_or_a_stacking(parties):
    consortium = Consortium(parties, **TERMS)
    for fitted in (consortium.tempered(X[1000:1200], Y[1000:1200]), consortium.stacked(X[1000:1200], Y[1000:1200])):
        assert _right(consortium, predictor=fitted) > 0.7
    with pytest.raises(ValueError, match=r"y of shape \(3,\), int64, for 2 samples: expected one of 0 to 9 for each"):
        consortium.stacked(X[:2], Y[:3])


def test_a_calibration_that_accepts_nothing_says_why_and_what_to_do(parties):
    """Where all know all classes every sample is contradicted."""
    everybody = [
        Party(f"p{i}", SklearnModel(LogisticRegression(C=0.01).fit(X[i:300:3], Y[i:300:3]), range(10)), X, Y)
        for i in range(2)
    ]
    told = Consortium(everybody, **TERMS).calibrate(1, 10, progress=False)
    assert told.accepted == 0
    assert set(told.refused) == {validation.CONTRADICTED}
    assert "were refused as 'contradicted': half or more of the models" in told.advice
    assert "where all know all classes" in told.advice
    assert "the mean needs no calibration" in told.advice
    assert Consortium(parties, **TERMS).calibrate(1, 10, progress=False).advice == ""


NAMES = ("zero", "one", "two", "three")


def _named(rows, known):
    """A party whose classes have names; scikit-learn sorts them by the alphabet, the consortium does not."""
    rows = rows[np.isin(Y[rows], known)]
    y = np.array(NAMES)[Y[rows]]
    model = SklearnModel(LogisticRegression(max_iter=200).fit(X[rows], y), [NAMES[c] for c in known], labels=NAMES)
    return Party(f"party {rows[0]}", model, X[rows], y)


def test_classes_may_have_names(tmp_path):
    parts = [_named(np.arange(i, 900, 3), known) for i, known in enumerate([(0, 1, 2, 3), (1, 2, 3), (0, 2, 3)])]
    consortium = Consortium(parts, tmp_path / "a.ledger", **TERMS)
    rows = np.flatnonzero(Y[TEST] < 4) + 1200
    told = consortium.predict(X[rows])
    assert told.dtype.kind == "U"
    assert (told == np.array(NAMES)[Y[rows]]).mean() > 0.9
    assert consortium.terms.labels == NAMES
    consortium.calibrate(1, 5, progress=False)
    consortium.close()
    assert ledger.open(tmp_path / "a.ledger").verify().ok
    consortium.save(tmp_path / "saved")
    again = Consortium.load(tmp_path / "saved")
    assert (again.predict(X[rows]) == consortium.predict(X[rows])).all()
    nameless = Party("p", linear_models(skewed())[0], X[:0], Y[:0])
    for wrong, words in (
        (lambda: replace(parts[0], y=np.full(len(parts[0].y), "five")), "'five': expected one of zero, one"),
        (lambda: replace(nameless, x=X[:2], y=np.array(["a", "b"])), "made with labels="),
        (lambda: Consortium([*parts, nameless]), "expected the same for all"),
        (lambda: SklearnModel(None, ["a"], labels=("a", "a")), "two or more different names"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()


def test_terms_say_their_edition_and_names_only_where_there_is_something_to_say():
    old, new = Terms(3, (2,)), Terms(3, (2,), edition=2, labels=("a", "b", "c"))
    assert (len(old.to_value()), len(new.to_value())) == (11, 14)
    for terms in (old, new, Terms(3, (2,), edition=2), Terms(3, (2,), without=("foreign",))):
        assert Terms.from_value(terms.to_value()) == terms
    for value in ((*old.to_value(), ()), (*new.to_value()[:-1], ())):
        with pytest.raises(Malformed, match="say nothing"):
            Terms.from_value(value)
    with pytest.raises(ValueError, match="labels: 2 names for 3 classes"):
        Terms(3, (2,), labels=("a", "b"))
