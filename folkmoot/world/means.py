"""Tables of means, and single numbers: checked, as given or drawn once."""

from math import isfinite
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, PlainValidator, ValidationInfo, model_validator

from folkmoot.coins import INSTANCE, WORD, Coins, uniform
from folkmoot.configuration import Configuration, path, read_table, shown
from folkmoot.doors import array, is_whole, within
from folkmoot.errors import brief

Table = NDArray[np.float64]
Means: TypeAlias = "ArrayLike | Drawn | dict[str, Any]"  # as given
_WRITTEN_OUT = 4_000  # up to so many numbers of a table are written out in a result's configuration
_MOST = (1 << 31) - 1  # agents, or arms; their numbers have 32 bits
_TWO_TO_MINUS_53 = 2.0**-53
LARGEST = 1e100  # means and deviations of unbounded rewards: sums of squares over any run are finite


def checked_agents(n_agents: object) -> int:
    """A number of agents.

    Raises:
        ValueError: not an integer from 1 to 2**31 - 1.
    """
    if not is_whole(n_agents) or n_agents < 1:
        raise ValueError(f"n_agents = {brief(n_agents)}: expected an integer of at least 1")
    if n_agents > _MOST:
        raise ValueError(f"n_agents = {n_agents}: expected at most {_MOST}")
    return int(n_agents)


def table_of_means(
    means: ArrayLike, n_agents: int | None, low: float, high: float, row: str = "agent", column: str = "arm"
) -> Table:
    """A checked [n_agents, n_arms] table; one row for all is there once. Errors say what has a `row`, a `column`.

    Raises:
        ValueError: not numbers, not one or two axes, NaN, or outside [low, high].
    """
    shape = f"[n_{row}s, n_{column}s]"
    table = array("means", means, f"a table of numbers {shape}, all rows of one length")
    if table.ndim == 1 and n_agents is not None:
        table = np.broadcast_to(table, (checked_agents(n_agents), len(table)))
    if table.ndim != 2 or 0 in table.shape:
        hint = " (one row for all agents needs n_agents=)" if table.ndim == 1 and row == "agent" else ""
        raise ValueError(f"means of shape {table.shape}: expected {shape}{hint}")
    if n_agents is not None and (not is_whole(n_agents) or len(table) != n_agents):
        raise ValueError(f"means of shape {table.shape}: expected {brief(n_agents)} agents as n_agents says")
    within(table, low, high, lambda i, k: f"mean of {row} {i}, {column} {k}")
    table.setflags(write=False)
    return table


def rows_apart(table: Table) -> Table:
    """The rows that kernels need: the one that all agents share, or all."""
    return table[:1] if table.strides[0] == 0 else table


def over_agents(table: Table) -> Table:
    """float64 [n_arms]: the means over all agents, added up one after the other however they stand in memory."""
    return np.asarray(np.ascontiguousarray(table).mean(axis=0))


def described(name: str, table: Table) -> dict[str, Any]:
    """The table as plain values, for provenance; nothing if it is large."""
    return {name: table.tolist()} if table.size <= _WRITTEN_OUT else {}


# --- In place of a table ------------------------------------------------------------------------------


class Drawn(Configuration):
    """Means drawn uniformly between low and high, instead of a table of them: once, or anew for each replicate.

    Attributes:
        n_arms: number of arms.
        low, high: range of the means.
        seed: names the table; it does not change with the experiment's seed.
        redraw: has each replicate a table of its own? It then depends on the experiment's seed too.
    """

    law: Literal["uniform"]
    n_arms: int = Field(ge=1, le=_MOST)
    low: float = Field(0.0, allow_inf_nan=False)
    high: float = Field(1.0, allow_inf_nan=False)
    seed: int = Field(0, ge=0, lt=2**64)
    redraw: bool = False

    @model_validator(mode="after")
    def _low_is_not_above_high(self) -> Self:
        if self.low > self.high or not isfinite(self.high - self.low):
            raise ValueError(
                f"low = {self.low}, high = {self.high}: expected low not above high, and a finite difference"
            )
        return self

    def rows(self, rows: int) -> NDArray[np.float64]:
        """float64 [rows, n_arms]. Raw words of Philox, whose stream NumPy keeps from version to version."""
        words = np.random.Philox(key=self.seed).random_raw(rows * self.n_arms)
        unit = (words >> np.uint64(11)).astype(np.float64) * _TWO_TO_MINUS_53
        return np.asarray(self.low + (self.high - self.low) * unit.reshape(rows, self.n_arms))

    def rows_for(self, rows: int, coins: Coins) -> NDArray[np.float64]:
        """float64 [rows, n_arms], of the replicate with these coins."""
        name = (self.seed ^ (self.seed >> 32)) & WORD
        unit = [[uniform(coins, INSTANCE, name, i, k) for k in range(self.n_arms)] for i in range(rows)]
        return np.asarray(self.low + (self.high - self.low) * np.array(unit).reshape(rows, self.n_arms))

    def table(self, coins: Coins | None = None) -> NDArray[np.float64]:
        """The means: of all replicates, or of the one with these coins."""
        raise TypeError(f"{type(self).__name__} does not define table()")

    def _rows(self, rows: int, coins: Coins | None) -> NDArray[np.float64]:
        return self.rows(rows) if coins is None else self.rows_for(rows, coins)


class Uniform(Drawn):
    """Drawn means of agents.

    Attributes:
        n_agents: number of rows of the table.
        shared: all agents have the same means.
    """

    n_agents: int = Field(ge=1, le=_MOST)
    shared: bool = False

    def table(self, coins: Coins | None = None) -> NDArray[np.float64]:
        """float64 [n_agents, n_arms]."""
        rows = self._rows(1 if self.shared else self.n_agents, coins)
        return np.tile(rows, (self.n_agents, 1)) if self.shared else rows


class UniformOfClusters(Drawn):
    """Drawn means of clusters.

    Attributes:
        n_clusters: number of rows of the table.
    """

    n_clusters: int = Field(ge=1)

    def table(self, coins: Coins | None = None) -> NDArray[np.float64]:
        """float64 [n_clusters, n_arms]."""
        return self._rows(self.n_clusters, coins)


class UniformVectors(Drawn):
    """Drawn mean vectors of arms.

    Attributes:
        n_objectives: length of each.
    """

    n_objectives: int = Field(ge=1)

    def table(self, coins: Coins | None = None) -> NDArray[np.float64]:
        """float64 [n_arms, n_objectives]."""
        return self._rows(self.n_objectives, coins).T


Redraw = bool | Drawn  # as given, or once checked: the law by which each replicate draws its means; False if none does


def drawn_means(given: Any, redraw: Any, low: float, high: float) -> tuple[Any, Redraw]:
    """The table of means that is given or drawn, and the law by which each replicate draws its own.

    Args:
        given: a table, or a law.
        redraw: is one to be drawn for each replicate? Or the law already.
        low, high: what the means may be.

    Raises:
        ValueError: a redraw without a law, or by one whose means may lie outside.
    """
    if isinstance(redraw, Drawn):
        return given, redraw
    if not isinstance(redraw, bool):
        raise ValueError(f"redraw = {shown(redraw)}: expected true or false")
    if not isinstance(given, Drawn):
        if redraw:
            raise ValueError('redraw = true: expected means by a law, such as means = { law = "uniform", ... }')
        return given, False
    if not (redraw or given.redraw):
        return given.table(), False
    if given.low < low or given.high > high:
        raise ValueError(f"means: low = {given.low}, high = {given.high}: expected a range in [{low:g}, {high:g}]")
    return given.table(), given.model_copy(update={"redraw": True})


def described_means(name: str, table: Table, redraw: Redraw) -> dict[str, Any]:
    """The means as plain values, for provenance: the law where each replicate draws its own."""
    return {name: redraw.model_dump(mode="json")} if isinstance(redraw, Drawn) else described(name, table)


def _only_numbers(given: Any, place: tuple[int, ...] = ()) -> None:
    if isinstance(given, list):
        for k, entry in enumerate(given):
            _only_numbers(entry, (*place, k))
    elif isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError(f"expected numbers, got {shown(given)}{f' in {path(place)}' if place else ''}")


def given_or(drawn: type[Drawn]) -> PlainValidator:
    """Marks a field that is a table of means: an array, or in a file lists of numbers, or what this class draws.

    Shape and range are checked by the law itself (see `drawn_means`); an array is not turned into lists.
    """

    def check(given: Any, info: ValidationInfo) -> Any:
        if isinstance(given, Drawn):
            return given
        if isinstance(given, dict):
            if not all(isinstance(key, str) for key in given):
                raise ValueError(f"means = {shown(given)}: expected numbers, or a law with its fields by name")
            return drawn(**given) if info.context is None else read_table(drawn, given, info.context)
        if info.context is None:
            return given
        _only_numbers(given)
        return given

    return PlainValidator(check)
