"""Scalarisations: what a vector of rewards is worth.

Each is nondecreasing in every coordinate and changes by at most the largest change of a coordinate (it is
1-Lipschitz in the sup norm), as the paper on communication and corruption asks (arXiv: Shi, section II-C).
"""

from math import exp, log
from typing import Annotated, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import model_validator

from folkmoot import interface
from folkmoot.configuration import Configuration, Plain
from folkmoot.doors import array
from folkmoot.errors import brief
from folkmoot.interface import implements

_SIMPLEX_TOLERANCE = 1e-9  # by how much the sum of weights may miss 1
_MOST_BETA = 1e6


class Scalarisation(Configuration):
    """What every scalarisation offers."""

    says_its_name: ClassVar[bool] = False

    def record(self, n_objectives: int) -> NamedTuple:
        """What the kernels need, for vectors of this length.

        Raises:
            ValueError: it is for vectors of another length.
        """
        raise TypeError(f"{type(self).__name__} does not define record()")

    def describe(self) -> dict[str, Any]:
        """The configuration as plain values, for provenance."""
        return {"type": type(self).__name__}


def worth(record: NamedTuple, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 [n]: the worth of each row of `vectors`, float64 [n, n_objectives]."""
    return np.array([interface.scalarise(record, vectors, row) for row in range(len(vectors))])


# --- Linear -------------------------------------------------------------------------------------------


class LinearRecord(NamedTuple):
    """Weights."""

    weights: NDArray[np.float64]  # [n_objectives]  w


class Linear(Scalarisation):
    """The weighted mean of the objectives.

    Args:
        weights: one for each objective, none below 0, with sum 1.

    Raises:
        ValueError: not numbers, one below 0, or a sum other than 1.
    """

    weights: Annotated[NDArray[np.float64], Plain(list[float])]

    def __init__(self, weights: ArrayLike) -> None:
        self._write(weights=weights)

    @model_validator(mode="after")
    def _on_the_simplex(self) -> Self:
        w = array("weights", self.weights, "a list of numbers")
        if w.ndim != 1 or len(w) == 0 or not (w >= 0.0).all() or not abs(w.sum() - 1.0) <= _SIMPLEX_TOLERANCE:
            raise ValueError(f"weights = {w.tolist()}: expected numbers of at least 0 with sum 1")
        w.setflags(write=False)
        return self._settle(weights=w)

    def record(self, n_objectives: int) -> LinearRecord:
        if len(self.weights) != n_objectives:
            raise ValueError(f"{len(self.weights)} weights: expected {n_objectives}, one for each objective")
        return LinearRecord(self.weights)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "weights": self.weights.tolist()}


@implements(LinearRecord)
def scalarise(scalarisation: LinearRecord, values: NDArray[np.float64], row: int) -> float:
    total = 0.0
    for j in range(len(scalarisation.weights)):
        total += scalarisation.weights[j] * values[row, j]
    return total


# --- Chebyshev ------------------------------------------------------------------------------------------


class ChebyshevRecord(NamedTuple):
    """The number of objectives."""

    n_objectives: int


class Chebyshev(Scalarisation):
    """The smallest objective."""

    def record(self, n_objectives: int) -> ChebyshevRecord:
        return ChebyshevRecord(n_objectives)


@implements(ChebyshevRecord)
def scalarise(scalarisation: ChebyshevRecord, values: NDArray[np.float64], row: int) -> float:
    least: float = values[row, 0]
    for j in range(1, scalarisation.n_objectives):
        least = min(least, values[row, j])
    return least


# --- Log-sum-exp ----------------------------------------------------------------------------------------


class LogSumExpRecord(NamedTuple):
    """The sharpness and the number of objectives."""

    beta: float
    n_objectives: int


class LogSumExp(Scalarisation):
    """A smooth largest objective: log(sum_j exp(beta x_j)) / beta, as the source prints it.

    On [0, 1] it lies between the largest objective and log(d) / beta above it, so it can exceed 1; differences,
    hence regret, do not see the shift.

    Args:
        beta: sharpness, above 0 and at most 1e6.

    Raises:
        ValueError: beta out of range.
    """

    beta: Annotated[float, Plain(float)] = 5.0

    def __init__(self, beta: float = 5.0) -> None:
        self._write(beta=beta)

    @model_validator(mode="after")
    def _beta_is_in_range(self) -> Self:
        beta = self.beta
        if isinstance(beta, bool) or not isinstance(beta, int | float) or not 0.0 < beta <= _MOST_BETA:
            raise ValueError(f"beta = {brief(beta)}: expected a number above 0 and at most 1e6")
        return self._settle(beta=float(beta))

    def record(self, n_objectives: int) -> LogSumExpRecord:
        return LogSumExpRecord(self.beta, n_objectives)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "beta": self.beta}


@implements(LogSumExpRecord)
def scalarise(scalarisation: LogSumExpRecord, values: NDArray[np.float64], row: int) -> float:
    """By way of the largest coordinate, so that no exponential overflows."""
    largest: float = values[row, 0]
    for j in range(1, scalarisation.n_objectives):
        largest = max(largest, values[row, j])
    total = 0.0
    for j in range(scalarisation.n_objectives):
        total += exp(scalarisation.beta * (values[row, j] - largest))
    return largest + log(total) / scalarisation.beta
