"""Any estimator as a party's model: what its program computes, what moves, and what is refused of others."""

import hashlib
import warnings

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("torch", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from made_digits import digits
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, OneHotEncoder, RobustScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

import folkmoot as fm
from folkmoot.encoding import Malformed, decode, encode
from folkmoot.multiparty import Consortium, EstimatorModel, Party
from folkmoot.multiparty.entrance import checked
from folkmoot.multiparty.models import Pace, blank
from folkmoot.multiparty.models.forest import MOST_DEPTH
from folkmoot.multiparty.models.program import MOST_BYTES, Program, Writer

ROWS = 120
PACE = Pace(0.5, 1.0, True)


def soft_vote():
    parts = [
        ("a", LogisticRegression(max_iter=200)),
        ("b", DecisionTreeClassifier(random_state=0)),
        ("c", GaussianNB()),
    ]
    return VotingClassifier(parts, voting="soft", weights=[1, 2, 1])


def stacked():
    parts = [("a", GaussianNB()), ("b", DecisionTreeClassifier(max_depth=3, random_state=0))]
    return StackingClassifier(parts, LogisticRegression(max_iter=300), cv=2, passthrough=True)


def by_column():
    parts = [("a", OneHotEncoder(handle_unknown="ignore"), [0, 20]), ("b", RobustScaler(), slice(21, 64))]
    return make_pipeline(ColumnTransformer(parts, sparse_threshold=0.0), LogisticRegression(max_iter=300))


def own_columns():
    """As a party does that has fewer features than others; scikit-learn writes a FunctionTransformer for it."""
    parts = [("own", "passthrough", [3, 20, 21, 42])]
    return make_pipeline(ColumnTransformer(parts, remainder="drop"), RandomForestClassifier(4, random_state=0))


def the_rest():
    parts = [("scaled", StandardScaler(), [20, 21])]
    return make_pipeline(ColumnTransformer(parts, remainder="passthrough"), RandomForestClassifier(4, random_state=0))


ESTIMATORS = {
    "tree": lambda: DecisionTreeClassifier(random_state=0),
    "forest": lambda: RandomForestClassifier(8, random_state=0),
    "extra trees": lambda: ExtraTreesClassifier(8, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=3, random_state=0),
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=3, random_state=0),
    "ada": lambda: AdaBoostClassifier(n_estimators=4, random_state=0),
    "bagging": lambda: BaggingClassifier(n_estimators=3, max_features=0.5, random_state=0),
    "neighbours": lambda: make_pipeline(PCA(5), KNeighborsClassifier(3)),  # nothing is equally far then
    "neighbours by distance": lambda: make_pipeline(PCA(5), KNeighborsClassifier(3, weights="distance", p=1)),
    "voting": soft_vote,
    "stacking": stacked,
    "calibrated": lambda: CalibratedClassifierCV(LinearSVC(random_state=0), cv=2),
    "calibrated bayes": lambda: CalibratedClassifierCV(GaussianNB(), cv=2),
    "network": lambda: make_pipeline(MinMaxScaler(), MLPClassifier((4,), max_iter=30, random_state=0)),
    "stochastic": lambda: SGDClassifier(loss="log_loss", random_state=0),
    "columns": by_column,
    "own columns": own_columns,
    "the rest": the_rest,
    "components": lambda: make_pipeline(StandardScaler(), PCA(5), RandomForestClassifier(4, random_state=0)),
    "chosen": lambda: make_pipeline(SelectKBest(k=9), Normalizer(), LogisticRegression(max_iter=300)),
}
MISSING = {
    "histograms": ESTIMATORS["histograms"],
    "forest": ESTIMATORS["forest"],
    "imputed": lambda: make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression(max_iter=500)),
}


def some(classes):
    x, y = digits()
    chosen = np.flatnonzero(np.isin(y, classes))
    return x[chosen], y[chosen]


def fitted(name, classes=(0, 2, 5)):
    x, y = some(classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a network that has not converged is one as well
        return ESTIMATORS[name]().fit(x[:ROWS].astype(np.float64), y[:ROWS]), x, y


def model_of(name, classes=(0, 2, 5)):
    estimator, x, _ = fitted(name, classes)
    return EstimatorModel(estimator, classes, x[:ROWS])


FEW = ("boosting", "histograms", "stacking", "calibrated", "network", "stochastic", "ada")  # other code for two classes
CASES = [(name, (0, 2, 5)) for name in ESTIMATORS] + [(name, (3, 7)) for name in FEW]


@pytest.mark.parametrize(("name", "classes"), CASES)
def test_the_scores_are_those_of_the_estimator(name, classes):
    """On samples it has not seen, every class; 1e-6 of a score is what a probability of 0 counts as."""
    estimator, x, _ = fitted(name, classes)
    model = EstimatorModel(estimator, classes, x[:ROWS])
    found = model.scores(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, estimator.predict_proba(x.astype(np.float64)), atol=1e-5)
    again = blank(model.kind, model.classes, model.settings()).from_bytes(model.to_bytes())
    assert again.to_bytes() == model.to_bytes()
    assert np.array_equal(again.scores(x), found)


@pytest.mark.parametrize("name", MISSING)
def test_missing_values_are_a_number_that_all_agree_on(name):
    x, y = some((0, 2, 5))
    x = np.where(np.random.default_rng(1).random(x.shape) < 0.1, np.float32(-1), x)
    holes = np.where(x == -1, np.nan, x).astype(np.float64)
    estimator = MISSING[name]().fit(holes[:ROWS], y[:ROWS])
    model = EstimatorModel(estimator, (0, 2, 5), x[:ROWS], missing=-1.0)
    np.testing.assert_allclose(model.scores(x), estimator.predict_proba(holes), atol=1e-5)
    assert np.abs(EstimatorModel(estimator, (0, 2, 5), np.abs(x[:ROWS])).scores(x) - model.scores(x)).max() > 0.1


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("classes", [(0, 1), (0, 1, 2)])
def test_libraries_of_boosting(library, classes):
    module = pytest.importorskip(library)
    x, y = some(classes)
    x = np.where(np.random.default_rng(1).random(x.shape) < 0.05, np.float32(-1), x)
    holes = np.where(x == -1, np.nan, x)
    estimator = (
        module.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1)
        if library == "lightgbm"
        else module.XGBClassifier(n_estimators=5, n_jobs=1)
    ).fit(holes[:ROWS], y[:ROWS])
    model = EstimatorModel(estimator, classes, x[:ROWS], missing=-1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_allclose(model.scores(x), estimator.predict_proba(holes), atol=1e-5)


def test_names_of_classes():
    x, y = some((0, 2, 5))
    names = ("nought", "one", "two", "three", "four", "five")
    estimator = RandomForestClassifier(8, random_state=0).fit(x[:ROWS], np.array(names)[y[:ROWS]])
    model = EstimatorModel(estimator, ["two", "five", "nought"], x[:ROWS], labels=names)
    assert model.classes == (0, 2, 5)
    assert (np.array(model.classes)[model.scores(x).argmax(axis=1)] == y).mean() > 0.9


def test_only_the_layer_moves():
    model = model_of("forest")
    x, _ = some((0, 2, 5))
    before, program = model.scores(x[:9]), model.program.data
    for sign in (1, -1):
        for log_probability in (True, False):
            moved = model.from_bytes(model.to_bytes())
            moved.step(x[3:4], 1, sign, Pace(0.5, 1.0, log_probability))
            assert (moved.scores(x[3:4])[0, 1] - before[3, 1]) * sign > 0
            assert moved.program.data == program
    assert np.array_equal(model.scores(x[:9]), before)
    assert moved.settings() == model.settings()


def test_an_output_for_none_of_mine_begins_small_and_is_learnt():
    model = model_of("forest")
    x, _ = some((0, 2, 5))
    wide = model.with_reserved()
    assert wide.reserved
    assert np.abs(wide.scores(x) - model.scores(x)).max() < 0.01
    again = blank(wide.kind, wide.classes, wide.settings()).from_bytes(wide.to_bytes())
    assert np.array_equal(again.scores(x), wide.scores(x))
    with pytest.raises(Malformed, match="another model"):
        blank(model.kind, model.classes, model.settings()).from_bytes(wide.to_bytes())


class Other(RandomForestClassifier):
    """Its probabilities are not those of its trees."""

    def predict_proba(self, x):
        return 0.99 * super().predict_proba(x) + 0.01 / 3


def test_an_estimator_whose_probabilities_are_others_is_refused():
    x, y = some((0, 2, 5))
    estimator = Other(8, random_state=0)
    Other.__name__ = "RandomForestClassifier"
    with pytest.raises(ValueError, match=r"differ by up to 0.00\d+ from those of the model.*0.001 is allowed"):
        EstimatorModel(estimator.fit(x[:ROWS], y[:ROWS]), (0, 2, 5), x[:ROWS])


def test_at_the_door_it_is_compared_on_the_samples_of_the_party():
    estimator, x, y = fitted("forest")
    model = EstimatorModel(estimator, (0, 2, 5), x[:ROWS])
    terms = Consortium([Party("a", model, x, y)]).terms
    estimator.estimators_ = estimator.estimators_[:3]
    with pytest.raises(ValueError, match=r"party a: scores as estimator/1 differ by up to .* 0\.001 is allowed"):
        checked(Party("a", model, x, y), terms)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x, y: SVC().fit(x, y), "estimator SVC: expected a fitted one with predict_proba"),
        (lambda x, y: RandomForestClassifier(), "estimator RandomForestClassifier: expected a fitted one"),
        (lambda x, y: make_pipeline(SimpleImputer(strategy="most_frequent"), PCA(2, whiten=True),
                                    CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=2)).fit(x, y),
         "CalibratedClassifierCV: method isotonic: cannot be written down; expected one of AdaBoost"),
        (lambda x, y: VotingClassifier([("a", GaussianNB())], voting="soft").fit(x, y).set_params(voting="hard"),
         "estimator VotingClassifier: expected a fitted one"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_down_is_refused_in_one_line(make, words):
    x, y = some((0, 2, 5))
    with pytest.raises(ValueError, match=words) as found:
        EstimatorModel(make(x[:60], y[:60]), (0, 2, 5), x[:ROWS])
    assert "\n" not in str(found.value)


# --- What others write --------------------------------------------------------------------------------------------


def forest_step(**changes):
    """Two trees of three and one nodes."""
    found = {
        "roots": np.array([0, 3], np.uint32),
        "feature": np.array([1, 0, 0, 0], np.uint32),
        "threshold": np.array([0.5, 0, 0, 0]),
        "left": np.array([1, 1, 2, 3], np.uint32),
        "right": np.array([2, 1, 2, 3], np.uint32),
        "missing": np.array([True, False, False, False]),
        "values": np.array([[1.0], [2.0], [10.0]]),
        "start": np.array([100.0]),
        "single": np.array([True]),
    } | changes
    return ("forest", (0,), tuple(found.values()))


def program(*steps, inputs=2):
    return encode((1, inputs, steps))


def test_a_forest_by_hand():
    x = np.array([[9, 0.5], [0, 0.6], [0, np.nan]], np.float32)
    assert Program(program(forest_step())).run(x).tolist() == [[111.0], [112.0], [111.0]]


def test_neighbours_by_hand():
    points, own = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]]), np.eye(3)
    x = np.array([[1, 0], [0, 4]], np.float32)
    run = {w: Program(program(("nearest", (0,), (points, own, 2, 2.0, w)))).run(x) for w in (False, True)}
    assert run[False].tolist() == [[0.5, 0.5, 0], [0.5, 0, 0.5]]
    np.testing.assert_allclose(run[True], [[2 / 3, 1 / 3, 0], [0, 0, 1]])


def chain(length):
    """A tree that is one long path."""
    inner = np.arange(length)
    nodes = 2 * length + 1
    left, right = np.arange(nodes, dtype=np.uint32), np.arange(nodes, dtype=np.uint32)
    left[:length], right[:length] = inner + 1, length + 1 + inner
    zeros = np.zeros(nodes)
    return forest_step(roots=np.zeros(1, np.uint32), feature=zeros.astype(np.uint32), threshold=zeros, left=left,
                       right=right, missing=zeros > 0, values=np.zeros((length + 1, 1)))  # fmt: skip


ONE = np.ones(1)
HOSTILE = {
    "no tuple": encode(7),
    "another format": encode((2, 2, (forest_step(),))),
    "no steps": program(),
    "inputs": program(forest_step(), inputs=1 << 40),
    "operation": program(("__import__", (0,), ())),
    "later source": program(("function", (1,), ("exp",))),
    "function": program(("function", (0,), ("system",))),
    "child before": program(forest_step(left=np.array([0, 1, 2, 3], np.uint32))),
    "cycle": program(forest_step(left=np.array([1, 0, 2, 3], np.uint32))),
    "child out of range": program(forest_step(left=np.array([1 << 31, 1, 2, 3], np.uint32))),
    "shared child": program(forest_step(right=np.array([1, 1, 2, 3], np.uint32))),
    "column out of range": program(forest_step(feature=np.array([2, 0, 0, 0], np.uint32))),
    "values of other leaves": program(forest_step(values=np.ones((4, 1)))),
    "infinite values": program(forest_step(values=np.full((3, 1), np.inf))),
    "other types": program(forest_step(missing=np.zeros(4))),
    "deep": program(chain(MOST_DEPTH + 1)),
    "wide": program(*(("beside", (i, i), ()) for i in range(30))),
    "neighbours": program(("nearest", (0,), (np.ones((3, 2)), np.eye(3), 4, 2.0, False))),
    "sum": program(("sum", (0, 0), (ONE,))),
    "columns": program(("columns", (0,), (np.array([2], np.uint32),))),
    "empty": program(("linear", (0,), (np.ones((0, 2)), np.ones(0)))),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_programs_of_others_are_checked_before_they_run(what):
    with pytest.raises(Malformed) as found:
        Program(HOSTILE[what])
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 600


def test_a_tree_as_deep_as_allowed_runs():
    assert Program(program(chain(MOST_DEPTH))).run(np.zeros((2, 2), np.float32)).tolist() == [[100.0]] * 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ((64, 1 << 40, bytes(32)), f"expected at most 1048576 and {MOST_BYTES}"),
        ((1 << 40, 100, bytes(32)), "expected at most 1048576"),
        ((64, 100, bytes(31)), "a digest of 31 bytes"),
        ((64, 100, bytes(32), False), "True or nothing"),
        ((64.0, 100, bytes(32)), "expected estimator/1 with"),
    ],
)
def test_settings_of_others_that_no_model_has_are_their_fault(settings, words):
    with pytest.raises(Malformed, match=words):
        blank("estimator/1", (0, 1), settings)


def test_the_program_of_a_model_is_the_one_that_its_settings_name():
    model = model_of("tree")
    other = program(("columns", (0,), (np.array([0, 1, 2], np.uint32),)), inputs=64)
    settings = (64, len(other), hashlib.sha256(other).digest())
    changed = model.to_bytes().replace(model.program.data[-40:], bytes(40))
    with pytest.raises(Malformed, match="another one than the settings name"):
        model.from_bytes(changed)
    with pytest.raises(Malformed, match="another model"):
        blank(model.kind, model.classes, settings).from_bytes(model.to_bytes())


def test_steps_that_do_not_fit_are_not_written():
    with pytest.raises(Malformed, match=r"step 1 \(linear\)"):
        Writer(3).add("linear", [0], np.ones((2, 2)), np.ones(2))
    assert decode(model_of("tree").program.data)[0] == 1


# --- In a consortium ----------------------------------------------------------------------------------------------


def test_a_consortium_of_forests_calibrates_exchanges_and_is_replayed(tmp_path):
    x, y = digits()
    parties = []
    for i in range(5):
        classes = sorted((2 * i + k) % 10 for k in range(4))
        own = np.flatnonzero(np.isin(y[:900], classes))[i::3]
        mine, kept = own[:60], own[60:110]
        estimator = RandomForestClassifier(5, random_state=i).fit(x[mine], y[mine])
        model = EstimatorModel(estimator, classes, x[mine])
        parties.append(Party(f"p{i}", model, x[mine], y[mine], check=(x[kept], y[kept])))
    file = tmp_path / "forests.ledger"
    together = Consortium(parties, ledger=file, delta=0.3, sigma=0.6, rules="printed", predictor="mean")
    before = together.scores(x[900:])
    assert together.calibrate(1, 20, progress=False).accepted > 0
    assert np.abs(together.scores(x[900:]) - before).max() > 0
    assert set(together.exchange(each=4).revealed) == {f"p{i}" for i in range(5)}
    together.close()
    assert fm.ledger.open(file).verify().ok
