"""scikit-learn's linear models as parties' models, held against scikit-learn and finite differences."""

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
sklearn = pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC

from folkmoot.encoding import Malformed
from folkmoot.multiparty.models import Pace, blank
from folkmoot.multiparty.models.linear_model import SklearnModel


def _digits(classes):
    x, y = load_digits(return_X_y=True)
    chosen = np.isin(y, classes)
    return (x[chosen] / 16.0).astype(np.float32), y[chosen]


def _svm():
    return CalibratedClassifierCV(LinearSVC(random_state=0), method="sigmoid", ensemble=False)


MAKERS = {
    "softmax": lambda: LogisticRegression(max_iter=300),
    "svm": _svm,
    "scaled softmax": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
    "scaled svm": lambda: make_pipeline(StandardScaler(), _svm()),
}


@pytest.mark.parametrize("classes", [(3, 7), (0, 2, 5, 9)])
@pytest.mark.parametrize("maker", MAKERS)
def test_the_scores_are_those_of_scikit_learn(maker, classes):
    x, y = _digits(classes)
    estimator = MAKERS[maker]().fit(x, y)
    ours = SklearnModel(estimator, classes).scores(x)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, estimator.predict_proba(x), atol=2e-5)


@pytest.mark.parametrize("log_probability", [False, True])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("maker", ["softmax", "svm"])
def test_a_step_follows_the_gradient(maker, sign, log_probability):
    """Finite differences of h, log h or -log(1 - h) in every weight."""
    classes = (1, 4, 8)
    x, y = _digits(classes)
    model = SklearnModel(MAKERS[maker]().fit(x, y), classes)
    sample = x[7:8]
    column = 1

    def value(weights, intercepts):
        model.weights, model.intercepts = weights, intercepts  # float64 for the differences
        s, _ = model._parts(model._activations(sample))
        h = (s / s.sum())[0, column]
        if not log_probability:
            return h
        return np.log(h) if sign > 0 else -np.log1p(-h)

    w, b = model.weights.astype(np.float64), model.intercepts.astype(np.float64)
    slope = np.zeros((len(b), w.shape[1] + 1))
    for c in range(len(b)):
        for d in [*np.flatnonzero(sample[0])[:6], w.shape[1]]:
            step = np.zeros_like(slope)
            step[c, d] = 1e-6
            up, down = (value(w + z * step[:, :-1], b + z * step[:, -1]) for z in (1, -1))
            slope[c, d] = (up - down) / 2e-6
    model.weights, model.intercepts = w.astype(np.float32), b.astype(np.float32)
    before = np.hstack([model.weights, model.intercepts[:, None]]).astype(np.float64)
    model.step(sample, column, sign, Pace(1e-2, 1e9, log_probability))
    after = np.hstack([model.weights, model.intercepts[:, None]])
    checked = slope != 0
    np.testing.assert_allclose(((after - before) / (1e-2 * sign))[checked], slope[checked], rtol=2e-2, atol=2e-4)


def test_the_gradient_is_clipped_to_its_cap():
    classes = (1, 4, 8)
    x, y = _digits(classes)
    model = SklearnModel(MAKERS["softmax"]().fit(x, y), classes)
    sample = x[np.argsort(np.abs(model.scores(x)[:, 0] - 0.5))[0]][None]
    before = np.hstack([model.weights, model.intercepts[:, None]]).astype(np.float64)
    model.step(sample, 0, 1, Pace(0.5, 1e-3, False))
    moved = np.hstack([model.weights, model.intercepts[:, None]]) - before
    assert np.linalg.norm(moved) == pytest.approx(0.5e-3, rel=1e-2)


@pytest.mark.parametrize("maker", MAKERS)
def test_a_model_written_and_read_scores_the_same(maker):
    classes = (0, 2, 5, 9)
    x, y = _digits(classes)
    model = SklearnModel(MAKERS[maker]().fit(x, y), classes)
    twin = blank(model.kind, model.classes, model.settings()).from_bytes(model.to_bytes())
    assert (twin.scores(x) == model.scores(x)).all()
    assert twin.to_bytes() == model.to_bytes()


@pytest.mark.parametrize("data", [b"", b"\x00" * 40, b"\xff" * 5000])
def test_bytes_that_are_no_parameters_are_refused_in_one_line(data):
    classes = (3, 7)
    model = SklearnModel(MAKERS["softmax"]().fit(*_digits(classes)), classes)
    with pytest.raises(Malformed, match="parameters") as caught:
        model.from_bytes(data)
    assert "\n" not in str(caught.value)


def test_estimators_that_cannot_serve_are_refused():
    x, y = _digits((3, 7))
    for estimator, words in [
        (LogisticRegression(), "not fitted"),
        (Ridge().fit(x, y), "not fitted"),
        (LinearSVC(random_state=0).fit(x, y), "CalibratedClassifierCV"),
        (make_pipeline(MinMaxScaler(), LogisticRegression()).fit(x, y), "StandardScaler"),
    ]:
        with pytest.raises(ValueError, match=words):
            SklearnModel(estimator, (3, 7))
    with pytest.raises(ValueError, match="classes 3, 8: the estimator was fitted on 3, 7"):
        SklearnModel(LogisticRegression().fit(x, y), (3, 8))
