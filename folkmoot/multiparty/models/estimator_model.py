"""A party's model that is any fitted estimator, kept as it is, with a layer on top of it that can be moved."""

import hashlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from folkmoot.doors import array, guarded
from folkmoot.encoding import Malformed, Value
from folkmoot.multiparty.models import linear_model
from folkmoot.multiparty.models.labels import checked_labels, named, numbered
from folkmoot.multiparty.models.linear_model import SklearnModel
from folkmoot.multiparty.models.model import Floats32, Pace, check_alone, checked_classes, require_samples
from folkmoot.multiparty.models.program import MOST_BYTES, MOST_INPUTS, Program, Writer
from folkmoot.multiparty.models.tensors import Tensor, require

KIND = "estimator/1"
LEAST = 1e-6  # a probability counts as at least this: its logarithm is what the layer sees
RESERVED = -5.0  # where an output for "none of mine" begins
TRIED = 256  # random inputs to compare on


class EstimatorModel:
    """What a fitted estimator computes, as a program that anybody can run, and a linear layer on its log-probabilities.

    The program stays as it is. The layer begins as the identity; calibration and exchange move it alone. Trees,
    forests, boosting (LightGBM's and XGBoost's too), neighbours, voting, stacking, networks and pipelines of
    scikit-learn can be written down, see `exported`. No library is needed to score, to step or to replay.

    Args:
        estimator: fitted, with `predict_proba` and `classes_`; it is not changed.
        classes: what its outputs stand for; they must be its `classes_`, in any order.
        x: some of the samples it was fitted on, [samples, ...]: program and estimator are compared on them, and on
            random inputs within their ranges.
        labels: names of all classes of the consortium, in the order all agree on, if the estimator was fitted on names.
        missing: the number that stands for a missing value in samples, which must be finite; the estimator is given NaN
            in its place. It is outside of the range of every column of `x`.

    Raises:
        ValueError: an estimator that is not fitted or cannot be written down, other classes than its own, a program
            that is too large, probabilities that are off by more than 0.001, or a number for missing values that is a
            value as well.
    """

    labels: tuple[str, ...] = ()
    missing: float | None = None
    _estimator: Any = None  # while the layer is the identity

    @guarded
    def __init__(
        self,
        estimator: Any,
        classes: Sequence[int | str],
        x: NDArray[Any],
        *,
        labels: Sequence[str] = (),
        missing: float | None = None,
    ) -> None:
        name = type(estimator).__name__
        if not hasattr(estimator, "classes_") or not hasattr(estimator, "predict_proba"):
            raise ValueError(f"estimator {name}: expected a fitted one with predict_proba")
        labels = tuple(labels)
        self.labels = checked_labels(labels) if labels else ()
        self.classes = checked_classes(list(numbered(list(classes), self.labels, "classes")), self.labels)
        own = [int(label) for label in numbered(estimator.classes_, self.labels, "classes of the estimator")]
        if sorted(own) != list(self.classes):
            said, fitted = (named(some, self.labels) for some in (self.classes, own))
            raise ValueError(f"classes {said}: the estimator was fitted on {fitted}")
        self._order = np.argsort(own)
        self.missing = None if missing is None else _as_float32(float(missing))
        samples: NDArray[np.float64] = np.atleast_1d(array("x", x, "numbers [samples, ...]"))
        tried = samples.reshape(len(samples), -1)
        if not len(tried) or not np.isfinite(tried).all():
            raise ValueError(
                "x: expected some samples, with finite numbers; where a value is missing put a number, "
                "as in x[np.isnan(x)] = -1, and say missing=-1.0"
            )
        inputs = getattr(estimator, "n_features_in_", tried.shape[1])
        if inputs != tried.shape[1]:
            raise ValueError(f"x: samples of {tried.shape[1]} numbers: {name} was fitted on {inputs}")
        if self.missing is not None:
            _check_outside(self.missing, tried)
        self.program = self._written(estimator, tried.shape[1])
        self._layer = linear_model.softmax_of(self.classes, np.eye(len(own)), np.zeros(len(own)))
        self._estimator = estimator
        check_alone(name, self, self._inputs(tried))

    def _written(self, estimator: Any, inputs: int) -> Program:
        """The estimator as a program.

        Raises:
            ValueError: see the class.
        """
        from folkmoot.multiparty.models.exported import probabilities

        name = type(estimator).__name__
        try:
            writer = Writer(inputs)
            source = 0 if self.missing is None else writer.add("marked", [0], np.array([self.missing]))
            found = probabilities(writer, source, estimator)
            writer.add("columns", [found], self._order.astype(np.uint32))
            return Program(writer.data())
        except (Malformed, AttributeError, KeyError, IndexError, TypeError) as error:  # of estimators that are others
            raise ValueError(
                f"estimator {name}: cannot be written down ({' '.join(str(error).split())[:200]})"
            ) from None

    def _inputs(self, x: NDArray[np.float64]) -> Floats32:
        """The samples, and random ones within their ranges: some between, some of their values."""
        dice = np.random.default_rng(0)
        between = dice.uniform(x.min(axis=0), x.max(axis=0), (TRIED, x.shape[1]))
        mixed = x[dice.integers(len(x), size=(TRIED, x.shape[1])), np.arange(x.shape[1])]
        if self.missing is not None:
            between[dice.random(between.shape) < 0.05] = self.missing
        return np.concatenate([x[:TRIED], between, mixed]).astype(np.float32)

    def alone(self, x: Floats32) -> NDArray[np.float64] | None:
        """What the estimator itself gives, [samples, classes]; None once the layer was moved."""
        if self._estimator is None:
            return None
        given = x.reshape(len(x), -1).astype(np.float64)
        if self.missing is not None:
            given[given == self.missing] = np.nan
        with warnings.catch_warnings():  # on names of features, which samples here do not have
            warnings.simplefilter("ignore")
            found: NDArray[np.float64] = np.asarray(self._estimator.predict_proba(given), np.float64)[:, self._order]
        return found

    def __repr__(self) -> str:
        """On a line: the kind, and the classes it knows."""
        return f"{type(self).__name__}({self.kind}, knows {named(self.classes, self.labels)})"

    @property
    def kind(self) -> str:
        """The family, and the format of its programs."""
        return KIND

    @property
    def reserved(self) -> bool:
        """Has it an output for "none of mine"? See `with_reserved`."""
        return self._layer.reserved

    @property
    def layer(self) -> SklearnModel:
        """What is moved: a softmax regression on `features`."""
        return self._layer

    def features(self, x: Floats32) -> Floats32:
        """The logarithms of what the estimator says, float32 [samples, classes]."""
        with np.errstate(all="ignore"):
            found: Floats32 = np.log(np.clip(self.program.run(x), LEAST, 1.0)).astype(np.float32)
        return found

    def scores(self, x: Floats32) -> Floats32:
        """See `Model`."""
        require_samples(x)
        with np.errstate(all="ignore"):
            return self._layer.scores(self.features(x))

    def step(self, x: Floats32, column: int, sign: int, pace: Pace) -> None:
        """See `Model`: the layer moves."""
        self._estimator = None
        self._layer = self._layer.from_bytes(self._layer.to_bytes())
        self._layer.step(self.features(x), column, sign, pace)

    def with_reserved(self) -> "EstimatorModel":
        """The same with an output for "none of mine", if it has none; it begins small."""
        if self.reserved:
            return self.with_layer(self._layer)
        wide = self._layer.with_reserved()
        return self.with_layer(
            wide.moved_to(wide.weights.astype(np.float64), np.append(self._layer.intercepts, RESERVED))
        )

    def with_layer(self, layer: SklearnModel) -> "EstimatorModel":
        """The same with another layer."""
        twin: EstimatorModel = object.__new__(EstimatorModel)
        twin.__dict__.update(self.__dict__)
        twin._estimator, twin._layer = None, layer.from_bytes(layer.to_bytes())
        return twin

    def settings(self) -> Value:
        """See `Model`: (inputs, bytes of the program, their SHA-256), and True, if an output is reserved."""
        told = (self.program.inputs, len(self.program.data), hashlib.sha256(self.program.data).digest())
        return (*told, True) if self.reserved else told

    def to_bytes(self) -> bytes:
        """See `Model`: the program and the layer, in the format of safetensors without any metadata."""
        program = np.frombuffer(self.program.data, np.uint8)
        return safetensors.numpy.save(
            {"intercepts": self._layer.intercepts, "program": program, "weights": self._layer.weights}
        )

    def from_bytes(self, data: bytes) -> "EstimatorModel":
        """See `Model`."""
        return _read(data, self.classes, self.settings(), self)


def _as_float32(missing: float) -> float:
    """The number that samples, which are float32, have for it.

    Raises:
        ValueError: none.
    """
    with np.errstate(over="ignore"):
        found = float(np.float32(missing))
    if not np.isfinite(found):
        raise ValueError(f"missing = {missing:g}: expected a finite number, as float32")
    return found


def _check_outside(missing: float, x: NDArray[np.float64]) -> None:
    """Is it outside of the range of each column, of what is not missing there?

    Raises:
        ValueError: no.
    """
    there = x.astype(np.float32) != np.float32(missing)
    low, high = np.where(there, x, np.inf).min(axis=0), np.where(there, x, -np.inf).max(axis=0)
    inside = np.flatnonzero((low <= missing) & (missing <= high))
    if len(inside):
        column = int(inside[0])
        raise ValueError(
            f"missing = {missing:g}: column {column} of x goes from {low[column]:g} to {high[column]:g}, expected a "
            "number outside of every column's range"
        )


def _read(data: bytes, classes: tuple[int, ...], settings: Value, like: "EstimatorModel | _Blank") -> EstimatorModel:
    """The model with these bytes.

    Raises:
        Malformed: not those of one with these settings.
    """
    _, size, digest, *reserved = settings
    outputs = len(classes) + len(reserved)
    require(data, {
        "weights": Tensor("F32", (outputs, len(classes))), "intercepts": Tensor("F32", (outputs,)),
        "program": Tensor("U8", (size,)),
    })  # fmt: skip
    try:
        found = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise Malformed(f"parameters that cannot be read: {' '.join(str(error).split())[:200]}") from None
    weights, intercepts = found["weights"], found["intercepts"]
    if not np.isfinite(weights).all() or not np.isfinite(intercepts).all():
        raise Malformed("parameters: numbers that are not finite")
    written = found["program"].tobytes()
    twin: EstimatorModel = object.__new__(EstimatorModel)
    if isinstance(like, EstimatorModel):
        twin.__dict__.update(like.__dict__)
    twin.classes, twin._estimator = classes, None
    if not isinstance(like, EstimatorModel) or written != like.program.data:
        if hashlib.sha256(written).digest() != digest:
            raise Malformed("program: another one than the settings name")
        twin.program = Program(written)
        if (twin.program.inputs, twin.program.outputs) != (settings[0], len(classes)):
            raise Malformed(f"program of {twin.program.inputs} inputs and {twin.program.outputs} outputs: expected "
                            f"{settings[0]} and {len(classes)}")  # fmt: skip
    twin._layer = linear_model.softmax_of(classes, weights, intercepts, bool(reserved))
    return twin


def with_program(classes: tuple[int, ...], program: Program, layer: SklearnModel) -> EstimatorModel:
    """A model that was not made from an estimator here.

    Raises:
        ValueError: a program with other outputs than classes.
    """
    if program.outputs != len(classes):
        raise ValueError(f"program of {program.outputs} outputs for {len(classes)} classes")
    model: EstimatorModel = object.__new__(EstimatorModel)
    model.classes, model.program, model._layer = classes, program, layer
    return model


class _Blank:
    """Stands for a model until its bytes are there: nothing is known of its program but size and digest."""

    def __init__(self, classes: tuple[int, ...], settings: Value) -> None:
        self.classes, self._settings = classes, settings

    def from_bytes(self, data: bytes) -> EstimatorModel:
        """See `Model`."""
        return _read(data, self.classes, self._settings, self)


def blank(kind: str, classes: tuple[int, ...], settings: Value) -> "_Blank":
    """What `from_bytes` makes a model of such a kind of; for `kinds.blank`.

    Raises:
        Malformed: settings that none of its models has.
    """
    if kind != KIND or type(settings) is not tuple or list(map(type, settings))[:3] != [int, int, bytes]:
        raise Malformed(f"settings of {kind:.80}: expected {KIND} with (inputs, bytes, digest)")
    inputs, size, digest, *reserved = settings
    if reserved not in ([], [True]) or (reserved and type(reserved[0]) is not bool) or len(digest) != 32:
        raise Malformed(f"settings of {kind:.80}: a digest of {len(digest)} bytes: expected 32, and True or nothing")
    if not 1 <= inputs <= MOST_INPUTS or not 1 <= size <= MOST_BYTES:
        raise Malformed(f"settings of {kind:.80}: {inputs} inputs, a program of {size} bytes: expected at most "
                        f"{MOST_INPUTS} and {MOST_BYTES}")  # fmt: skip
    return _Blank(classes, settings)
