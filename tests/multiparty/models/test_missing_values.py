"""The number that stands for a missing value: which may, and what is said where none was agreed on."""

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from sklearn.tree import DecisionTreeClassifier

from folkmoot.multiparty import Consortium, EstimatorModel, Party

X = np.random.default_rng(0).uniform(0, 1, (60, 3))
X[:, 1] = np.linspace(-4, 2, 60)
Y = np.arange(60) % 2
HOLES = np.where(np.random.default_rng(1).random(X.shape) < 0.1, np.nan, X)


def fitted(x=X):
    return DecisionTreeClassifier(max_depth=3, random_state=0).fit(x, Y)


@pytest.mark.parametrize("missing", [-0.1, 1.5, -3.9])
def test_it_is_none_of_the_data(missing):
    line = (
        rf"^missing = {missing:g}: column 1 of x goes from -4 to 2, expected a number outside of every column's range$"
    )
    with pytest.raises(ValueError, match=line):
        EstimatorModel(fitted(), (0, 1), X, missing=missing)


@pytest.mark.parametrize("missing", [np.nan, np.inf, 1e39])
def test_it_is_finite_as_samples_are(missing):
    with pytest.raises(ValueError, match=r"^missing = .*: expected a finite number"):
        EstimatorModel(fitted(), (0, 1), X, missing=missing)


def test_a_number_that_float32_does_not_have_is_found_in_samples():
    x = np.where(np.isnan(HOLES), -999.9, HOLES).astype(np.float32)
    estimator = fitted(HOLES)
    model = EstimatorModel(estimator, (0, 1), x, missing=-999.9)
    np.testing.assert_allclose(model.scores(x), estimator.predict_proba(HOLES), atol=1e-5)


def test_where_none_was_agreed_on_the_line_says_what_to_do():
    model = EstimatorModel(fitted(HOLES), (0, 1), X)
    told = r"x has numbers that are not finite; for a value that is missing .*EstimatorModel\(\.\.\., missing=-1\.0\)"
    with pytest.raises(ValueError, match=r"^" + told):
        Consortium([Party("a", model, X, Y)]).predict(HOLES)
    with pytest.raises(ValueError, match=r"^party a: " + told):
        Party("a", model, HOLES, Y)


def test_samples_of_another_width_than_the_estimator_was_fitted_on_are_named():
    with pytest.raises(ValueError, match=r"^x: samples of 2 numbers: DecisionTreeClassifier was fitted on 3$"):
        EstimatorModel(fitted(), (0, 1), X[:, :2])


def test_a_label_that_is_nothing_is_named():
    model = EstimatorModel(
        DecisionTreeClassifier(max_depth=3).fit(X, np.array(("a", "b"))[Y]), ("a", "b"), X, labels=("a", "b")
    )
    with pytest.raises(ValueError, match=r"^party one: y: None: expected one of a, b$"):
        Party("one", model, X, [None, *np.array(("a", "b"))[Y[1:]]])


def test_a_check_set_has_samples_of_the_shape_of_the_others():
    model = EstimatorModel(fitted(), (0, 1), X)
    with pytest.raises(ValueError, match=r"^party one: check: samples of shape \(2,\): expected that of x, \(3,\)$"):
        Party("one", model, X, Y, check=(X[:5, :2], Y[:5]))
