"""The worlds of a grid: which of its cells may be compared with one another, and which has the least regret.

A cell is one algorithm with one combination of the grid's values. Cells of one world differ in nothing but the
algorithm and its parameters, so only their regrets are compared.
"""

import json
from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any, NamedTuple

from folkmoot.report.tables import is_oracle, paired_difference, world_key
from folkmoot.report.words import NO_VALUE
from folkmoot.simulation.result import Result, student_interval
from folkmoot.simulation.saved import Saved
from folkmoot.simulation.swept import label_of, settings_of

Row = Mapping[str, Any]


class Cell(NamedTuple):
    """One algorithm with one combination of values.

    Attributes:
        row: number of the combination, from 0.
        algorithm: its name.
        name: that and the values that vary over the grid, "GSE, link probability 0.3".
        value: its `Result`, or the summary of one.
    """

    row: int
    algorithm: str
    name: str
    value: Any


class World(NamedTuple):
    """Cells that met the same world.

    Attributes:
        title: the values that vary over the grid and not within this world; "" if there are none.
        cells: its cells by what tells them apart within it, in the order of the grid.
    """

    title: str
    cells: dict[str, Cell]

    @property
    def results(self) -> dict[str, Result]:
        """Of the cells that hold whole results."""
        return {name: cell.value for name, cell in self.cells.items() if isinstance(cell.value, Result)}


def rows_of(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A mapping for each combination of values: these, and results under the names of their algorithms."""
    found: dict[str, dict[str, Any]] = {}
    for name, result in results.items():
        plain = settings_of(result)
        found.setdefault(json.dumps(plain), plain)[label_of(result.name, result) if plain else name] = result
    return list(found.values())


def is_outcome(value: Any) -> bool:
    """Is it a result or the summary of one?"""
    return isinstance(value, Saved) or (isinstance(value, Mapping) and "regret_mean" in value)


def regret_of(value: Any) -> tuple[float, float]:
    """Mean final regret and half-width of its interval, of a result or a summary; NaN where there is none."""
    if isinstance(value, Result):
        final = student_interval(value.regret[:, -1])
        return float(final[0]), float(final[1])
    told = value if is_outcome(value) else {}
    mean = float(told.get("regret_mean", nan))
    return mean, float(told.get("regret_high", nan)) - mean


def size_of(value: Any) -> tuple[int, int]:
    """Agents whose regret counts, and rounds; 0 where a summary does not say."""
    if isinstance(value, Result):
        return int(value.counted.sum()), value.horizon
    return int(value.get("n_agents", 0)), int(value.get("horizon", 0))


def readable(key: str) -> str:
    """`network.link_probability` as "link probability (network)"."""
    where, dot, what = str(key).rpartition(".")
    return f"{what.replace('_', ' ')} ({where})" if dot and where and what else str(key).replace("_", " ")


def is_number(value: Any) -> bool:
    """A finite number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def shown(value: Any) -> str:
    """A value as tables have it."""
    if value is None:
        return NO_VALUE
    return f"{value:,.10g}" if isinstance(value, float) else f"{value:,}" if is_number(value) else str(value)


def keys_of(rows: Sequence[Row]) -> list[str]:
    """The names of settings, in the order they appear."""
    return list(dict.fromkeys(key for row in rows for key, value in row.items() if not is_outcome(value)))


def varied_in(rows: Sequence[Row], keys: Sequence[str]) -> list[str]:
    """Those of the settings that have several values in these rows."""
    return [key for key in keys if len({repr(row.get(key)) for row in rows}) > 1]


def worlds_of(rows: Sequence[Row]) -> list[World]:
    """The cells of a grid by world, in the order of the grid.

    Summaries do not say which world they are of: the cells of a row with one are taken for a world of their own.
    """
    varied = varied_in(rows, keys_of(rows))
    groups: dict[str, list[Cell]] = {}
    for number, row in enumerate(rows):
        outcomes = {name: value for name, value in row.items() if is_outcome(value)}
        alone = not all(isinstance(value, Result) for value in outcomes.values())
        for name, value in outcomes.items():
            cell = Cell(number, name, _named(name, row, varied), value)
            groups.setdefault(f"row {number}" if alone else world_key(value), []).append(cell)
    return [_world(cells, rows, varied) for cells in groups.values()]


def _world(cells: Sequence[Cell], rows: Sequence[Row], varied: Sequence[str]) -> World:
    here = [rows[cell.row] for cell in cells]
    within = varied_in(here, varied)
    title = _values(here[0], [key for key in varied if key not in within])
    return World(title, {_named(cell.algorithm, rows[cell.row], within): cell for cell in cells})


def _values(row: Row, keys: Sequence[str]) -> str:
    return ", ".join(f"{readable(key)} {shown(row[key])}" for key in keys if row.get(key) is not None)


def _named(algorithm: str, row: Row, keys: Sequence[str]) -> str:
    values = _values(row, keys)
    return f"{algorithm}, {values}" if values else algorithm


def oracle(cell: Cell) -> bool:
    """Does its algorithm see what no agent could?"""
    return is_oracle(cell.value) if isinstance(cell.value, Result) else cell.algorithm.endswith("(oracle)")


def contest(world: World) -> list[str]:
    """Names of the cells to compare, least mean final regret first; oracles count only among themselves."""
    means = {name: regret_of(cell.value)[0] for name, cell in world.cells.items()}
    known = [name for name in world.cells if isfinite(means[name])]
    fair = [name for name in known if not oracle(world.cells[name])]
    return sorted(fair or known, key=lambda name: means[name])


def lowest(world: World) -> list[str]:
    """Names of the cells with the least mean final regret; several if it is the same."""
    ranked = contest(world)
    return [n for n in ranked if regret_of(world.cells[n].value)[0] == regret_of(world.cells[ranked[0]].value)[0]]


def is_close(world: World) -> bool:
    """Is the next lowest not to be told apart from the lowest, by their paired difference?"""
    first, second = contest(world)[:2]
    results = world.results
    if first not in results or second not in results or len(lowest(world)) > 1:
        return False
    try:
        return paired_difference(results, first, second).significant is False
    except ValueError:  # no replicate in common
        return False
