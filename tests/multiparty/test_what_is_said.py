"""What a consortium says of wrong input, and of itself: classes by their names, on a line, with what is allowed."""

import re

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from sklearn.linear_model import LogisticRegression

from folkmoot.multiparty import (
    HMR,
    Consortium,
    EstimatorLearner,
    OneStepHMR,
    Party,
    SklearnModel,
    SwappedLabels,
    claiming,
    exchange_liar,
    lying,
)
from folkmoot.multiparty.exchange.gate import Decision
from folkmoot.multiparty.predictors import Mean, Screened

NAMES = ("cold", "flu", "none")
TERMS = {"delta": 0.2, "sigma": 0.9, "omega": 1.0, "rules": "printed", "keys": "derived"}


def data(number, classes, samples=40):
    generator = np.random.default_rng(number)
    y = generator.choice(classes, samples)
    return generator.normal(size=(samples, 4)) + 2 * np.eye(4)[y], y


def party(number, name, classes=(0, 1), named=True, check=False, **more):
    x, y = data(number, classes)
    told = np.array(NAMES)[y] if named else y
    estimator = LogisticRegression().fit(x, told)
    own = [NAMES[one] for one in classes] if named else list(classes)
    model = SklearnModel(estimator, own, labels=NAMES if named else ())
    kept_back = (x[:20], told[:20]) if check else None
    return Party(name, model, x, told, check=kept_back, **more)


@pytest.fixture(scope="module")
def three():
    return [party(0, "ada"), party(1, "bob", (1, 2)), party(2, "cyd", (0, 2))]


def test_classes_are_called_by_their_names(three, tmp_path):
    x, _ = data(0, (0, 1))
    consortium = Consortium(three, **TERMS)
    for call, said in (
        (lambda: Party("eve", three[0].model, x, np.full(40, "none")), "labels none in y: its model knows cold, flu"),
        (lambda: SklearnModel(LogisticRegression().fit(x, np.array(NAMES)[data(0, (0, 1))[1]]), ["flu"], labels=NAMES),
         "classes flu: the estimator was fitted on cold, flu"),
        (lambda: SklearnModel(None, ["flu", "flu"], labels=NAMES), r"classes = \['flu', 'flu'\]: expected"),
        (lambda: consortium.exchange(), "class cold: nobody has check samples of it"),
        (lambda: consortium.stacked(x, np.full(40, "flu")), "public samples of class flu alone"),
        (lambda: consortium.stacked(x, np.full(40, 7)), "y: class 7: expected one of cold, flu, none"),
        (lambda: Consortium(three, labels=NAMES[:2]), "party bob: class none: the classes are cold, flu"),
        (lambda: consortium.tempered(x, ["fever"] * 40), "y: 'fever': expected one of cold, flu, none"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            call()
    kept = Consortium(three, ledger=tmp_path / "a.ledger", **TERMS)
    kept.close()
    with pytest.raises(ValueError, match="on the chain it is original, with the classes cold, flu"):
        Consortium.open(tmp_path / "a.ledger", [party(0, "ada", (1, 2))], keys="derived")


def test_a_decision_calls_classes_by_their_names():
    for decision, said in (
        (Decision(False, (), 0.0, (0, 2)), "refused: more than half of their judges object to the classes {}"),
        (Decision(False, (), 0.0, (), (0, 2)), "refused: nobody has check samples of the classes {}"),
    ):
        assert str(decision) == said.format("0, 2")
        assert str(decision._replace(labels=NAMES)) == said.format("cold, none")
    members = [
        party(0, "ada", (0, 1), check=True),
        party(1, "bob", (0, 1), check=True),
        party(2, "cyd", (0, 1), check=True),
    ]
    assert Consortium(members, **TERMS).exchange(1).decision.labels == NAMES


def test_a_wrong_kind_is_named_with_what_is_allowed(three):
    consortium = Consortium(three, **TERMS)
    for call, said in (
        (lambda: consortium.register("x"), "party = 'x': expected a Party"),
        (lambda: consortium.distances("x"), "party = 'x': expected a Party"),
        (lambda: consortium.predict("x"), "x = 'x': expected numbers [samples, ...]"),
        (
            lambda: consortium.calibrate("x"),
            "iterations = 'x': expected an integer of at least 1 and at most 2147483648",
        ),
        (lambda: consortium.leave(3), "name = 3: expected text"),
        (lambda: three[0].model.scores("x"), "x = 'x': expected an array of numbers [samples, ...]"),
    ):
        with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
            call()


def test_whole_numbers_of_numpy_are_whole_numbers(three):
    assert Consortium(three, **TERMS).calibrate(np.int64(1), np.int32(4), progress=False).accepted >= 0


def test_a_party_is_shown_on_a_line(three):
    assert repr(three[1]) == ("Party('bob', original, linear/softmax, knows flu, none; 40 samples of shape [4])")
    judge = party(0, "ada", named=False, check=True, key=b"k" * 32)
    assert repr(judge).endswith("knows 0, 1; 40 samples of shape [4] and 20 check samples)")
    for liar in (lying(judge, SwappedLabels), exchange_liar(judge, shows="swapped")):
        assert repr(liar).startswith(type(liar).__name__)
        assert "array" not in repr(liar)
        assert "kkk" not in repr(liar)


def test_a_model_is_shown_on_a_line(three):
    assert repr(three[1].model) == "SklearnModel(linear/softmax, knows flu, none)"
    assert repr(party(0, "ada", named=False).model) == "SklearnModel(linear/softmax, knows 0, 1)"


def test_false_classes_are_named_as_others_are(three):
    assert claiming(three[0], ("flu", "none")).model.classes == (1, 2)


def test_protection_names_its_predictor(three):
    shown = Consortium(three, **TERMS).protection()
    why = "both count alike; nobody can tell which is wrong"
    assert str(shown) == f"2 models: classes cold, flu, none: 'mean' tolerates no liar ({why})"
    assert repr(shown) == "Protection('mean', {cold: 0, flu: 0, none: 0})"
    judges = [party(number, name, check=True) for number, name in enumerate(("ada", "bob", "cyd"))]
    assert "'screened' tolerates no liar" in str(Consortium(judges, **TERMS).protection())


def test_screened_means_the_same_by_name_and_by_default(tmp_path):
    judges = [party(number, name, check=True) for number, name in enumerate(("ada", "bob", "cyd"))]
    x, _ = data(9, (0, 1))
    for kind in (Consortium, OneStepHMR):
        terms = TERMS if kind is Consortium else {}
        consortium, asked = kind(judges, **terms), kind(judges, predictor="screened", **terms)
        wanted = consortium.screening().predictor
        assert isinstance(wanted, Screened)
        assert asked.predictor == wanted
        assert (consortium.scores(x, "screened") == consortium.scores(x, wanted)).all()
        consortium.predictor = "screened"
        assert consortium.predictor == wanted
    asked.save(tmp_path / "a")
    assert OneStepHMR.load(tmp_path / "a").predictor == wanted


def test_screened_without_check_sets_says_what_is_missing(three):
    consortium = Consortium(three, predictor="screened", **TERMS)
    x, _ = data(9, (0, 1))
    with pytest.raises(ValueError, match=r"screening: no party has a check set \(Party\(\.\.\., check=\(x, y\)\)\)"):
        consortium.predict(x)
    assert len(consortium.predict(x, "mean")) == 40
    with pytest.raises(ValueError, match=r"predictor = 'mode': expected 'mean', .*'max', 'screened', or a Predictor"):
        consortium.predict(x, "mode")
    with pytest.raises(ValueError, match=r"'stacked': it is made by Consortium\.stacked\(x, y\); expected 'mean'"):
        consortium.predict(x, "stacked")


def test_hmr_takes_predictors_by_their_names():
    x, y = data(0, (0, 1, 2))
    learners = [EstimatorLearner(LogisticRegression(), [0, 1, 2]) for _ in range(2)]
    hmr = HMR(learners, [(x, y), (x, y)])
    hmr.train_alone([1, 1])
    assert (hmr.predict(x, "mean") == hmr.predict(x, Mean())).all()
    with pytest.raises(ValueError, match="predictor = 'screened': expected 'mean'"):
        hmr.predict(x, "screened")
    with pytest.raises(ValueError, match=r"epochs = .* expected 2 whole numbers of at least 0"):
        hmr.train_alone([1])
