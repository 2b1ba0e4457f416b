"""A party's model that is linear in its inputs: scikit-learn's softmax regression or calibrated linear SVM."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.doors import guarded
from folkmoot.encoding import Malformed, Value
from folkmoot.multiparty.models.labels import checked_labels, named, numbered
from folkmoot.multiparty.models.model import Floats32, Pace, Unfit, check_alone, checked_classes, require_samples
from folkmoot.multiparty.models.tensors import Tensor, require

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
        labels: names of all classes of the consortium, in the order all agree on, if the estimator was fitted on names.

    Raises:
        ValueError: an estimator of another kind or not fitted, other classes than its own, numbers not finite,
            probabilities that are not those of its weights (as by one-versus-rest).
    """

    labels: tuple[str, ...] = ()
    reserved = False  # has it one output more, the last, for "none of mine"? See `with_reserved`
    _estimator: Any = None  # while the weights are still its own

    @guarded
    def __init__(self, estimator: Any, classes: Sequence[int | str], *, labels: Sequence[str] = ()) -> None:
        labels = tuple(labels)
        self.labels = checked_labels(labels) if labels else ()
        self.classes = checked_classes(list(numbered(list(classes), self.labels, "classes")), self.labels)
        weights, intercepts, link = _read(estimator)
        own = [int(label) for label in numbered(estimator.classes_, self.labels, "classes of the estimator")]
        if sorted(own) != list(self.classes):
            said, fitted = (named(some, self.labels) for some in (self.classes, own))
            raise ValueError(f"classes {said}: the estimator was fitted on {fitted}")
        self._order = np.argsort(own)
        if link is not None:
            link = (link[0][self._order], link[1][self._order])
        self._set(weights[self._order], intercepts[self._order], link)
        self._estimator = estimator
        check_alone(type(estimator).__name__, self, self._tried())

    def _tried(self) -> Floats32:
        """Inputs to compare the estimator with its weights on: around what it was fitted on, if that is known."""
        inputs = self.weights.shape[1]
        found = np.random.default_rng(0).normal(size=(max(2, min(64, (1 << 21) // inputs)), inputs))
        scaler: Any = self._estimator.steps[0][1] if type(self._estimator).__name__ == "Pipeline" else None
        if getattr(scaler, "scale_", None) is not None:
            found = found * scaler.scale_
        if getattr(scaler, "mean_", None) is not None:
            found = found + scaler.mean_
        return found.astype(np.float32)

    def alone(self, x: Floats32) -> Floats | None:
        """What the estimator itself gives, [samples, classes]; None once the weights are no longer its own."""
        if self._estimator is None:
            return None
        with warnings.catch_warnings():  # on names of features, which samples here do not have
            warnings.simplefilter("ignore")
            found: Floats = self._estimator.predict_proba(x.reshape(len(x), -1))[:, self._order]
        return found

    def _set(self, weights: Floats, intercepts: Floats, link: tuple[Floats, Floats] | None) -> None:
        self.weights = np.ascontiguousarray(weights, np.float32)  # [classes, inputs]
        self.intercepts = np.ascontiguousarray(intercepts, np.float32)  # [classes]
        self._link = link  # slopes and offsets of the sigmoids; None: softmax
        for name, numbers in (("weights", self.weights), ("intercepts", self.intercepts)):
            if not np.isfinite(numbers).all():
                raise ValueError(f"{name} of the estimator: numbers that are not finite")

    def __repr__(self) -> str:
        """On a line: the kind, and the classes it knows."""
        return f"{type(self).__name__}({self.kind}, knows {named(self.classes, self.labels)})"

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
        require_samples(x)
        s, _ = self._parts(self._activations(x))
        shares: Floats32 = (s / s.sum(axis=1, keepdims=True)).astype(np.float32)
        return shares[:, : len(self.classes)]

    def with_reserved(self) -> "SklearnModel":
        """The same with an output for "none of mine", if it has none; nothing has been learnt for it yet."""
        if self.reserved:
            return self.from_bytes(self.to_bytes())
        link = self._link and (np.append(self._link[0], -1.0), np.append(self._link[1], 0.0))
        weights = np.concatenate([self.weights, np.zeros((1, self.weights.shape[1]))])
        return _made(self.classes, weights, np.append(self.intercepts, 0.0), link, True)

    def slope(self, x: Floats32, columns: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """The gradient of the mean of -log h by weights and intercepts.

        Args:
            x: samples [samples, ...].
            columns: [samples], which output is right for each.
        """
        s, slopes = self._parts(self._activations(x))
        own = np.arange(s.shape[1]) == columns[:, None]
        towards = slopes * (own / s - 1.0 / s.sum(axis=1, keepdims=True))
        return -np.einsum("sc,sd->cd", towards, x.reshape(len(x), -1)) / len(x), -towards.mean(axis=0)

    def moved_to(self, weights: Floats, intercepts: Floats) -> "SklearnModel":
        """The same with other numbers."""
        return _made(self.classes, weights, intercepts, self._link, self.reserved)

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
        self._estimator = None
        self.weights = (self.weights + length * np.outer(towards, flat)).astype(np.float32)
        self.intercepts = (self.intercepts + length * towards).astype(np.float32)

    def settings(self) -> Value:
        """See `Model`: (inputs, slopes, offsets), the last two empty for a softmax; and True, if one is reserved."""
        slopes, offsets = self._link or ((), ())
        told = (self.weights.shape[1], tuple(float(a) for a in slopes), tuple(float(b) for b in offsets))
        return (*told, True) if self.reserved else told

    def to_bytes(self) -> bytes:
        """See `Model`: weights and intercepts in the format of safetensors, without any metadata."""
        from safetensors.numpy import save

        return bytes(save({"intercepts": self.intercepts, "weights": self.weights}))

    def from_bytes(self, data: bytes) -> "SklearnModel":
        """See `Model`."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        require(
            data, {"weights": Tensor("F32", self.weights.shape), "intercepts": Tensor("F32", self.intercepts.shape)}
        )
        try:
            found = load(data)
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise Malformed(f"parameters that cannot be read: {' '.join(str(error).split())[:200]}") from None
        if not all(bool(np.isfinite(numbers).all()) for numbers in found.values()):
            raise Malformed("parameters: numbers that are not finite")
        return _made(self.classes, found["weights"], found["intercepts"], self._link, self.reserved)


def _made(
    classes: tuple[int, ...],
    weights: NDArray[Any],
    intercepts: NDArray[Any],
    link: tuple[Floats, Floats] | None,
    reserved: bool,
) -> SklearnModel:
    model = object.__new__(SklearnModel)
    model.classes, model.reserved = classes, reserved
    model._set(weights, intercepts, link)
    return model


def blank(kind: str, classes: tuple[int, ...], settings: Value) -> SklearnModel:
    """A model of such a kind, with any parameters; for `kinds.blank`.

    Raises:
        Malformed: a link that there is not, or settings that none of its models has.
    """
    if type(settings) is not tuple or list(map(type, settings)) not in ([int, tuple, tuple], [int, tuple, tuple, bool]):
        raise Malformed(f"settings of {kind:.80}: expected (inputs, slopes, offsets), or with a reserved output")
    inputs, slopes, offsets, *reserved = settings
    if reserved not in ([], [True]):
        raise Malformed(f"settings of {kind:.80}: False at the end says nothing")
    outputs = len(classes) + len(reserved)
    links = outputs if kind == "linear/sigmoid" else 0
    if kind not in ("linear/softmax", "linear/sigmoid") or not 1 <= inputs <= MOST_INPUTS:
        raise Malformed(f"model of kind {kind:.80} with {inputs} inputs: expected linear/softmax or linear/sigmoid")
    for numbers in (slopes, offsets):
        if len(numbers) != links or not all(type(n) is float and np.isfinite(n) for n in numbers):
            raise Malformed(f"settings of {kind:.80}: expected {links} finite slopes and offsets")
    link = (np.array(slopes), np.array(offsets)) if links else None
    model = object.__new__(SklearnModel)
    model.classes, model._link, model.reserved = classes, link, bool(reserved)
    # One number, seen so many times: settings say how large a model is before any of its numbers is there.
    model.weights = np.broadcast_to(np.zeros((), np.float32), (outputs, inputs))
    model.intercepts = np.zeros(outputs, np.float32)
    return model


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


def softmax_of(
    classes: tuple[int, ...], weights: NDArray[Any], intercepts: NDArray[Any], reserved: bool = False
) -> SklearnModel:
    """A softmax regression with these numbers, [classes, inputs] and [classes]; one row more if one is reserved."""
    return _made(classes, weights, intercepts, None, reserved)
