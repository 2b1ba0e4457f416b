"""The training that `Retraining` describes, for the kinds of models that are known here."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.multiparty.exchange.retraining import Retraining
from folkmoot.multiparty.models.estimator_model import EstimatorModel
from folkmoot.multiparty.models.linear_model import SklearnModel
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.rules.margin import Floats, Integers

STRIDE = 0.35  # by which a step of a linear model changes a sum, whatever units inputs have
DECAY, SQUARES, LEAST = 0.9, 0.999, 1e-8  # of Adam (Kingma and Ba 2015)


def further(
    how: Retraining, model: Model, x: Floats32, columns: Integers, foreign: Floats32, generator: np.random.Generator
) -> Model | None:
    """A candidate; the model itself stays as it is.

    Args:
        how: see there.
        model: as it is.
        x: samples of one's own, [samples, *shape].
        columns: [samples], the places of their labels among the model's classes.
        foreign: samples of other classes, [samples, *shape].
        generator: draws the batches.

    Returns:
        None for a kind of model that this cannot train, or without samples of one's own.
    """
    if not len(x):
        return None
    if isinstance(model, SklearnModel):
        return _linear(how, model, x, columns, foreign, generator)
    if isinstance(model, EstimatorModel):  # its layer alone
        if len(foreign) and how.foreign:
            model = model.with_reserved()
        seen, others = model.features(x), model.features(foreign) if len(foreign) else foreign
        return model.with_layer(_linear(how, model.layer, seen, columns, others, generator))
    if model.kind.startswith("torch/"):
        from folkmoot.multiparty.exchange.networks import retrained

        return retrained(model, how, x, columns, foreign, generator)
    return None


def _linear(
    how: Retraining,
    model: SklearnModel,
    x: Floats32,
    columns: Integers,
    foreign: Floats32,
    generator: np.random.Generator,
) -> SklearnModel:
    reserved = len(model.classes)
    if len(foreign) and how.foreign:
        model = model.with_reserved()
    adam = _Adam(_rate(x) if how.rate is None else how.rate)
    numbers = [model.weights.astype(np.float64), model.intercepts.astype(np.float64)]
    for _ in range(how.steps):
        given, right = how.batch(x, columns, foreign, reserved, generator)
        numbers = adam.step(numbers, model.slope(given, right))
        model = model.moved_to(*numbers)
    return model.from_bytes(model.to_bytes())


def _rate(x: Floats32) -> float:
    """That of a linear model of samples [samples, ...]: a weight moves by it in a step, and a sum by `STRIDE`."""
    size = float(np.abs(x.astype(np.float64)).sum() / len(x))
    return min(STRIDE / max(size, LEAST), 1.0)


class _Adam:
    def __init__(self, rate: float) -> None:
        self._rate, self._number = rate, 0
        self._means: list[Any] = []
        self._squares: list[Any] = []

    def step(self, numbers: list[Floats], slopes: tuple[NDArray[Any], ...]) -> list[Floats]:
        self._number += 1
        if not self._means:
            self._means, self._squares = ([np.zeros_like(n) for n in numbers] for _ in range(2))
        found = []
        for i, (value, slope) in enumerate(zip(numbers, slopes, strict=True)):
            self._means[i] = DECAY * self._means[i] + (1.0 - DECAY) * slope
            self._squares[i] = SQUARES * self._squares[i] + (1.0 - SQUARES) * slope * slope
            mean = self._means[i] / (1.0 - DECAY**self._number)
            square = self._squares[i] / (1.0 - SQUARES**self._number)
            found.append(value - self._rate * mean / (np.sqrt(square) + LEAST))
        return found
