"""The plain operations of a program: each takes arrays of float64 [samples, width] and gives one.

Sums are made in one order, by explicit loops or `einsum`. The arrays of an operation are float64 unless it says
otherwise.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.encoding import Malformed

Floats = NDArray[np.float64]


class Made(NamedTuple):
    """An operation with its arrays.

    Attributes:
        width: of its result.
        run: from its sources.
        held: numbers of a sample that it holds besides while it runs.
    """

    width: int
    run: Callable[[list[Floats]], Floats]
    held: int = 0


Maker = Callable[[list[int], tuple[Any, ...]], Made]  # of the widths of the sources, and what stands in the step


def arrays(given: tuple[Any, ...], *shapes: tuple[int | None, ...]) -> list[Floats]:
    """Arrays of float64 of these shapes; None: any length of at least 1.

    Raises:
        Malformed: others, or numbers that are not finite.
    """
    if len(given) != len(shapes):
        raise Malformed(f"{len(given)} arrays and numbers: expected {len(shapes)}")
    for value, shape in zip(given, shapes, strict=True):
        good = type(value) is np.ndarray and value.dtype == np.float64 and value.ndim == len(shape)
        if not good or not all(n > 0 and wanted in (None, n) for n, wanted in zip(value.shape, shape, strict=True)):
            what = f"{value.dtype} {value.shape}" if type(value) is np.ndarray else f"{value!r:.40}"
            raise Malformed(f"{what}: expected float64 of shape {shape}".replace("None", "any"))
        if not np.isfinite(value).all():
            raise Malformed("numbers that are not finite")
    return list(given)


def indices(value: Any, below: int) -> NDArray[np.int64]:
    """Whole numbers from 0 on, [any].

    Raises:
        Malformed: something else.
    """
    if type(value) is not np.ndarray or value.dtype != np.uint32 or value.ndim != 1 or not value.size:
        raise Malformed("expected an array of uint32 with one axis")
    if int(value.max()) >= below:
        raise Malformed(f"number {int(value.max())}: expected below {below}")
    return value.astype(np.int64)


def _one(widths: list[int]) -> int:
    if len(widths) != 1:
        raise Malformed(f"{len(widths)} sources: expected one")
    return widths[0]


def _scaled(widths: list[int], given: tuple[Any, ...]) -> Made:
    """(minus [w], over [w]): (x - minus) / over."""
    width = _one(widths)
    minus, over = arrays(given, (width,), (width,))
    return Made(width, lambda x: (x[0] - minus) / over)


def _linear(widths: list[int], given: tuple[Any, ...]) -> Made:
    """(weights [o, w], intercepts [o])."""
    weights, intercepts = arrays(given, (None, _one(widths)), (None,))
    if len(weights) != len(intercepts):
        raise Malformed(f"{len(weights)} rows of weights and {len(intercepts)} intercepts")
    return Made(len(weights), lambda x: np.einsum("sd,cd->sc", x[0], weights) + intercepts)


def _total(x: Floats) -> Floats:
    return np.asarray(np.einsum("sc->s", x))[:, None]


def _softmax(x: Floats) -> Floats:
    e: Floats = np.exp(x - x.max(axis=1, keepdims=True))
    return e / _total(e)


def _shares(x: Floats) -> Floats:
    whole = _total(x)
    return np.where(whole == 0.0, 1.0 / x.shape[1], x / whole)


def _over(x: Floats, size: Floats) -> Floats:
    found: Floats = x / np.where(size == 0.0, 1.0, size)
    return found


FUNCTIONS: dict[str, Callable[[Floats], Floats]] = {
    "exp": np.exp,
    "first largest": lambda x: (np.arange(x.shape[1]) == x.argmax(axis=1)[:, None]).astype(np.float64),
    "l1": lambda x: _over(x, _total(np.abs(x))),
    "l2": lambda x: _over(x, np.sqrt(_total(x * x))),
    "largest": lambda x: _over(x, np.abs(x).max(axis=1, keepdims=True)),
    "log": np.log,
    "logistic": lambda x: 0.5 * (1.0 + np.tanh(0.5 * x)),
    "relu": lambda x: np.maximum(x, 0.0),
    "shares": _shares,
    "softmax": _softmax,
    "square": lambda x: x * x,
    "tanh": np.tanh,
    "two": lambda x: np.concatenate([1.0 - x, x], axis=1),
}


def _function(widths: list[int], given: tuple[Any, ...]) -> Made:
    """(name,): one of FUNCTIONS."""
    width = _one(widths)
    if len(given) != 1 or type(given[0]) is not str or given[0] not in FUNCTIONS:
        raise Malformed(f"function {given!r:.60}: expected one of {', '.join(FUNCTIONS)}")
    if given[0] == "two" and width != 1:
        raise Malformed(f"two of {width} columns: expected one")
    compute = FUNCTIONS[given[0]]
    return Made(width + (given[0] == "two"), lambda x: compute(x[0]))


def _columns(widths: list[int], given: tuple[Any, ...]) -> Made:
    """(uint32 [o],): these columns."""
    if len(given) != 1:
        raise Malformed("expected one array")
    chosen = indices(given[0], _one(widths))
    return Made(len(chosen), lambda x: x[0][:, chosen])


def _beside(widths: list[int], given: tuple[Any, ...]) -> Made:
    """(): all sources beside each other."""
    if given:
        raise Malformed("expected no arrays")
    return Made(sum(widths), lambda x: np.concatenate(x, axis=1))


def _sum(widths: list[int], given: tuple[Any, ...]) -> Made:
    """(weights [sources],): the sources, each times its weight, added up."""
    (weights,) = arrays(given, (len(widths),))
    if len(set(widths)) != 1:
        raise Malformed(f"sources of widths {widths!r:.60}: expected equal ones")

    def run(x: list[Floats]) -> Floats:
        found = np.zeros_like(x[0])
        for weight, one in zip(weights, x, strict=True):
            found += weight * one
        return found

    return Made(widths[0], run)


def _marked(widths: list[int], given: tuple[Any, ...]) -> Made:
    """(number [1],): this number means that a value is missing."""
    (number,) = arrays(given, (1,))
    return Made(_one(widths), lambda x: np.where(x[0] == number, np.nan, x[0]))


def _filled(widths: list[int], given: tuple[Any, ...]) -> Made:
    """(values [w],): these where a value is missing."""
    width = _one(widths)
    (values,) = arrays(given, (width,))
    return Made(width, lambda x: np.where(np.isnan(x[0]), values, x[0]))


def _missing(widths: list[int], given: tuple[Any, ...]) -> Made:
    """(uint32 [o],): 1 where the value of this column is missing, else 0."""
    if len(given) != 1:
        raise Malformed("expected one array")
    chosen = indices(given[0], _one(widths))
    return Made(len(chosen), lambda x: np.isnan(x[0][:, chosen]).astype(np.float64))


def _same(widths: list[int], given: tuple[Any, ...]) -> Made:
    """(uint32 [o], values [o]): 1 where this column has this value, else 0."""
    if len(given) != 2:
        raise Malformed("expected two arrays")
    chosen = indices(given[0], _one(widths))
    (values,) = arrays(given[1:], (len(chosen),))
    return Made(len(chosen), lambda x: (x[0][:, chosen] == values).astype(np.float64))


def _quadratic(widths: list[int], given: tuple[Any, ...]) -> Made:
    """(centres [o, w], precisions [o, w], constants [o]): constant - sum of precision (x - centre)^2 / 2."""
    width = _one(widths)
    centres, precisions, constants = arrays(given, (None, width), (None, width), (None,))
    if not len(centres) == len(precisions) == len(constants):
        raise Malformed("centres, precisions and constants of different numbers")

    def run(x: list[Floats]) -> Floats:
        found = np.empty((len(x[0]), len(centres)))
        for row, (centre, precision) in enumerate(zip(centres, precisions, strict=True)):
            away = x[0] - centre
            found[:, row] = constants[row] - 0.5 * np.einsum("sd,d->s", away * away, precision)
        return found

    return Made(len(centres), run)


OPERATIONS: dict[str, Maker] = {
    "beside": _beside,
    "columns": _columns,
    "filled": _filled,
    "function": _function,
    "linear": _linear,
    "marked": _marked,
    "missing": _missing,
    "quadratic": _quadratic,
    "same": _same,
    "scaled": _scaled,
    "sum": _sum,
}
