"""A party's model that is linear in its inputs: scikit-learn's softmax regression or calibrated linear SVM."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from folkmoot.encoding import Malformed, Value
from folkmoot.multiparty.models.model import Floats32, Pace, Unfit, checked_classes

Floats = NDArray[np.float64]
MOST_INPUTS = 1 << 20
_TINY = 1e-300


class SklearnModel:
    """What a fitted scikit-learn estimator computes, with weights that can be moved.

    Softmax regression (`LogisticRegression`) keeps its probabilities. A linear SVM needs scores that are
    probabilities: `CalibratedClassifierCV(LinearSVC(), method="sigmoid", ensemble=False)`. Either may be the end of
    a pipeline that begins with a `StandardScaler`, which becomes part of the weights. scikit-learn itself is not
    needed to score, to step or to replay.

    Args:
        estimator: fitted; it is not changed.
        classes: what its outputs stand for; they must be its `classes_`, in any order.

    Raises:
        ValueError: an estimator of another kind or not fitted, other classes than its own, numbers not finite.
    """

    def __init__(self, estimator: Any, classes: Sequence[int]) -> None:
        self.classes = checked_classes(classes)
        weights, intercepts, link = _read(estimator)
        own = [int(label) for label in estimator.classes_]
        if sorted(own) != list(self.classes):
            raise ValueError(f"classes = {list(self.classes)}: the estimator was fitted on {own}")
        self._set(weights, intercepts, link)

    def _set(self, weights: Floats, intercepts: Floats, link: tuple[Floats, Floats] | None) -> None:
        self.weights = np.ascontiguousarray(weights, np.float32)  # [classes, inputs]
        self.intercepts = np.ascontiguousarray(intercepts, np.float32)  # [classes]
        self._link = link  # slopes and offsets of the sigmoids; None: softmax
        for name, numbers in (("weights", self.weights), ("intercepts", self.intercepts)):
            if not np.isfinite(numbers).all():
                raise ValueError(f"{name} of the estimator: numbers that are not finite")

    @property
    def kind(self) -> str:
        """The family and the link."""
        return "linear/softmax" if self._link is None else "linear/sigmoid"

    def _activations(self, x: Floats32) -> Floats:
        # einsum adds in one order, whatever the number of threads a matrix product would use.
        flat = x.reshape(len(x), math.prod(x.shape[1:])).astype(np.float64)
        if flat.shape[1] != self.weights.shape[1]:
            raise Unfit(f"samples of {flat.shape[1]} numbers: the model takes {self.weights.shape[1]}")
        sums: Floats = np.einsum("sd,cd->sc", flat, self.weights.astype(np.float64))
        return sums + self.intercepts

    def _parts(self, f: Floats) -> tuple[Floats, Floats]:
        """Terms whose shares are the scores, and their derivatives."""
        if self._link is None:
            e = np.exp(f - f.max(axis=-1, keepdims=True))
            return e, e
        slopes, offsets = self._link
        s = 0.5 * (1.0 - np.tanh(0.5 * (slopes * f + offsets)))
        return np.maximum(s, _TINY), -slopes * s * (1.0 - s)

    def scores(self, x: Floats32) -> Floats32:
        """See `Model`."""
        s, _ = self._parts(self._activations(x))
        shares: Floats32 = (s / s.sum(axis=1, keepdims=True)).astype(np.float32)
        return shares

    def step(self, x: Floats32, column: int, sign: int, pace: Pace) -> None:
        """See `Model`."""
        s, slope = (part[0] for part in self._parts(self._activations(x)))
        whole, rest = s.sum(), max(float(s.sum() - s[column]), _TINY)
        own = np.arange(len(s)) == column
        if not pace.log_probability:
            towards = slope * (own - s[column] / whole) / whole
        elif sign > 0:
            towards = slope * (own / s[column] - 1.0 / whole)
        else:  # of -log(1 - h)
            towards = slope * (1.0 / whole - ~own / rest)
        flat = x.reshape(-1).astype(np.float64)
        norm = np.sqrt((towards * towards).sum() * (1.0 + (flat * flat).sum()))
        length = sign * pace.eta / max(1.0, norm / pace.cap)
        self.weights = (self.weights + length * np.outer(towards, flat)).astype(np.float32)
        self.intercepts = (self.intercepts + length * towards).astype(np.float32)

    def settings(self) -> Value:
        """See `Model`: (inputs, slopes, offsets); the last two are empty for a softmax."""
        slopes, offsets = self._link or ((), ())
        return (self.weights.shape[1], tuple(float(a) for a in slopes), tuple(float(b) for b in offsets))

    def to_bytes(self) -> bytes:
        """See `Model`: weights and intercepts in the format of safetensors, without any metadata."""
        return safetensors.numpy.save({"intercepts": self.intercepts, "weights": self.weights})

    def from_bytes(self, data: bytes) -> "SklearnModel":
        """See `Model`."""
        if len(data) > 4 * self.weights.size + (1 << 16):
            raise Malformed(f"parameters of {len(data)} bytes: too many for this model")
        try:
            found = safetensors.numpy.load(data)
        except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
            raise Malformed(f"parameters that cannot be read: {' '.join(str(error).split())[:200]}") from None
        shapes = {name: (numbers.shape, numbers.dtype) for name, numbers in found.items()}
        ours = {"weights": self.weights, "intercepts": self.intercepts}
        if shapes != {name: (numbers.shape, numbers.dtype) for name, numbers in ours.items()}:
            raise Malformed("parameters of another model: other names, shapes or types of numbers")
        if not all(bool(np.isfinite(numbers).all()) for numbers in found.values()):
            raise Malformed("parameters: numbers that are not finite")
        return _made(self.classes, found["weights"], found["intercepts"], self._link)


def _made(
    classes: tuple[int, ...], weights: NDArray[Any], intercepts: NDArray[Any], link: tuple[Floats, Floats] | None
) -> SklearnModel:
    model = object.__new__(SklearnModel)
    model.classes = classes
    model._set(weights, intercepts, link)
    return model


def blank(kind: str, classes: tuple[int, ...], settings: Value) -> SklearnModel:
    """A model of such a kind, with any parameters; for `kinds.blank`.

    Raises:
        Malformed: a link that there is not, or settings that none of its models has.
    """
    if type(settings) is not tuple or list(map(type, settings)) != [int, tuple, tuple]:
        raise Malformed(f"settings of {kind:.80}: expected (inputs, slopes, offsets)")
    inputs, slopes, offsets = settings
    links = len(classes) if kind == "linear/sigmoid" else 0
    if kind not in ("linear/softmax", "linear/sigmoid") or not 1 <= inputs <= MOST_INPUTS:
        raise Malformed(f"model of kind {kind:.80} with {inputs} inputs: expected linear/softmax or linear/sigmoid")
    for numbers in (slopes, offsets):
        if len(numbers) != links or not all(type(n) is float and np.isfinite(n) for n in numbers):
            raise Malformed(f"settings of {kind:.80}: expected {links} finite slopes and offsets")
    link = (np.array(slopes), np.array(offsets)) if links else None
    return _made(classes, np.zeros((len(classes), inputs)), np.zeros(len(classes)), link)


def _read(estimator: Any) -> tuple[Floats, Floats, tuple[Floats, Floats] | None]:
    """Weights [classes, inputs], intercepts, and slopes and offsets of the sigmoids if there are any."""
    name = type(estimator).__name__
    if not hasattr(estimator, "classes_"):
        raise ValueError(f"estimator {name}: not fitted")
    if name == "Pipeline":
        scalers, last = [step for _, step in estimator.steps[:-1]], estimator.steps[-1][1]
        if [type(scaler).__name__ for scaler in scalers] not in ([], ["StandardScaler"]):
            raise ValueError(f"pipeline of {[type(s).__name__ for s in scalers]}: expected a StandardScaler at most")
        weights, intercepts, link = _read(last)
        for scaler in scalers:
            if scaler.scale_ is not None:
                weights = weights / scaler.scale_
            if scaler.mean_ is not None and scaler.with_mean:
                intercepts = intercepts - weights @ scaler.mean_
        return weights, intercepts, link
    if name == "LogisticRegression":
        return (*_both(estimator, half=True), None)
    if (
        name == "CalibratedClassifierCV"
        and estimator.method == "sigmoid"
        and len(estimator.calibrated_classifiers_) == 1
    ):
        inner = estimator.calibrated_classifiers_[0]
        if type(inner.estimator).__name__ == "LinearSVC":
            slopes = np.array([calibrator.a_ for calibrator in inner.calibrators])
            offsets = np.array([calibrator.b_ for calibrator in inner.calibrators])
            if len(slopes) == 1:  # of the second class; the first one's is its complement
                slopes, offsets = np.repeat(slopes, 2), np.array([-offsets[0], offsets[0]])
            return (*_both(inner.estimator, half=False), (slopes, offsets))
    raise ValueError(
        f"estimator {name}: expected LogisticRegression, "
        'CalibratedClassifierCV(LinearSVC(), method="sigmoid", ensemble=False), or a pipeline that ends in one'
    )


def _both(estimator: Any, half: bool) -> tuple[Floats, Floats]:
    """A row for each class; scikit-learn keeps one for two classes."""
    weights, intercepts = np.asarray(estimator.coef_, np.float64), np.asarray(estimator.intercept_, np.float64)
    if len(estimator.classes_) == 2:
        share = 0.5 if half else 1.0
        weights, intercepts = share * np.vstack([-weights, weights]), share * np.array([-intercepts[0], intercepts[0]])
    return weights, np.broadcast_to(intercepts, len(weights)).copy()
