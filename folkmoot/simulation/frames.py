"""Results as tables: long ones, a value in each row, for data frames and for files.

How it works. A table is a dictionary of columns, arrays of one length; see `interchange`. Data frames and files are
made of it by whichever library is asked for; none of them is needed by anything else.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from folkmoot.doors import guarded
from folkmoot.errors import brief
from folkmoot.files import or_say, write_file
from folkmoot.simulation.interchange import LongTable
from folkmoot.simulation.swept import ALGORITHM, as_array, label_of, swept_columns

Result: TypeAlias = Any  # a Result, which imports this module
By: TypeAlias = Literal["team", "agent", "arm", "observed"]
Kind: TypeAlias = Literal["dict", "pandas", "polars"]
Columns: TypeAlias = dict[str, NDArray[Any]]
_AXES: dict[str, tuple[str, ...]] = {"team": (), "agent": ("agent",), "arm": ("arm",), "observed": ("agent", "arm")}
_FIXED = (ALGORITHM, "replicate", "round", "agent", "arm", "what", "value")
_KINDS = ("dict", "pandas", "polars")
_Piece: TypeAlias = tuple[str, NDArray[Any], bool]  # what, [replicates, c or 1, ...], at all checkpoints?


def table(results: Result | Mapping[str, Result], by: By | str = "team") -> LongTable:
    """A long table of results: each row says of one replicate at one round what was measured, and the value.

    Args:
        results: one, or several by the names that the column `algorithm` gives them.
        by: what a row is about. "team": regret at every checkpoint, and at the horizon traffic, corruption, rounds of
            settling. "agent": the same of each agent; at every checkpoint with `per_agent`. "arm": pulls of each arm,
            summed over agents, over honest ones if some lie. "observed": the states of `observe`.

    Returns:
        Columns `algorithm` (text), a column for each value that a grid swept (a number where all are, with NaN for
        none, else text), `replicate`, `round` (int64), then `agent` and `arm` where a row is about one (int64; -1 is
        none), `what` (text), `value` (float64). In a grid `algorithm` is the name without the swept values.

    Raises:
        ValueError: neither of these, `by` is none of these, or nothing is known of it.
    """
    named = _named(results)
    wrong = next((name for name, result in named.items() if getattr(result, "KIND", None) != "bandit"), None)
    if wrong is not None:
        raise ValueError(f"results[{brief(wrong)}]: expected a result of bandits; others have no such table")
    if by not in _AXES:
        raise ValueError(f"by = {brief(by)}: allowed are {', '.join(map(repr, _AXES))}")
    settings = {key: as_array(values) for key, values in swept_columns(named, _FIXED).items()}
    blocks = [
        _with(block, {key: values[n] for key, values in settings.items()})
        for n, (name, result) in enumerate(named.items())
        for block in _blocks(label_of(name, result), result, by)
    ]
    if not blocks:
        raise ValueError(f"by = {brief(by)}: nothing is known of it; simulate with observe=(...)")
    return LongTable({column: np.concatenate([block[column] for block in blocks]) for column in blocks[0]})


def _with(block: Columns, settings: Mapping[str, Any]) -> Columns:
    """A block with a column for each swept value, after the name of the algorithm."""
    size = len(block["value"])
    return {ALGORITHM: block[ALGORITHM], **{key: np.full(size, value) for key, value in settings.items()}, **block}


def _named(results: Any) -> Mapping[str, Result]:
    """Results by name.

    Raises:
        ValueError: there is none, or a name is no text.
    """
    named: Mapping[Any, Result] = results if isinstance(results, Mapping) else {getattr(results, "name", 0): results}
    if not named or not all(isinstance(name, str) for name in named):
        raise ValueError(f'results = {brief(results)}: expected a result, or several by name: {{"UCB": result}}')
    return named


def _blocks(name: str, result: Result, by: str) -> Iterator[Columns]:
    """Columns of the same length for each thing measured."""
    numbers = np.array(result.configuration.get("replicates", range(result.replicates)), np.int64)
    makers = {"team": _of_team, "agent": _of_agents, "arm": _of_arms, "observed": _observed}
    for what, values, curve in makers[by](result):
        rounds = result.checkpoints if curve else result.checkpoints[-1:]
        axes = [numbers, rounds, *(np.arange(size) for size in values.shape[2:])]
        axes += [np.array([-1])] * (2 + len(_AXES[by]) - len(axes))
        grid = np.meshgrid(*axes, indexing="ij")
        columns = {"algorithm": np.full(values.size, name)}
        columns |= {axis: g.ravel() for axis, g in zip(("replicate", "round", *_AXES[by]), grid, strict=True)}
        yield {**columns, "what": np.full(values.size, what), "value": values.ravel().astype(np.float64)}


def _of_team(result: Result) -> Iterator[_Piece]:
    yield "regret", result.regret, True
    if result.means is not None:
        curve = result.agent_pulls is not None
        own = result.own_regret_so_far if curve else result.own_regret[:, None]
        yield "own_regret", own, curve
        yield "own_reward", result.own_reward[:, None], False
        yield "regret_as_paid", result.regret_as_paid[:, None], False
    if result.realised is not None:
        yield "realised_regret", result.realised_regret, True
    for what in ("messages", "bytes", "verified", "corruption_spent", "settled_at", "agreed_at"):
        yield what, getattr(result, what)[:, None], False


def _of_agents(result: Result) -> Iterator[_Piece]:
    if result.agent_pulls is not None and result.lost is None:
        yield "regret", result.regret_of_agents, True
        if result.means is not None:
            yield "own_regret", result.own_regret_of_agents, True
    if result.realised is not None:
        yield "realised_reward", result.realised, True
    yield "pulls", result.pulls.sum(axis=2)[:, None], False
    yield "decision", result.decisions[:, None], False
    yield "decided_at", result.decided_at[:, None], False


def _of_arms(result: Result) -> Iterator[_Piece]:
    yield "pulls", result.team_pulls, True


def _observed(result: Result) -> Iterator[_Piece]:
    for what, values in result.observed.items():
        if values.ndim > 4:
            raise ValueError(f"observed field {what!r} has the shape {values.shape}: expected one value for each agent "
                             "and arm; read it from result.observed")  # fmt: skip
        yield what, values, True


# --- Data frames and files -----------------------------------------------------------------------------------


@guarded
def to_frame(results: Result | Mapping[str, Result], kind: Kind | None = None, by: By = "team") -> Any:
    """A long table of results as a data frame.

    Args:
        results, by: see `table`.
        kind: "pandas", "polars", or "dict" for a dictionary of NumPy arrays by column; None takes the first of pandas
            and polars that is installed, else "dict".

    Raises:
        ValueError: another kind, or a library that is not installed; see also `table`.
    """
    if kind is not None and kind not in _KINDS:
        raise ValueError(f"kind = {brief(kind)}: allowed are {', '.join(map(repr, _KINDS))}")
    columns = table(results, by)
    for name in ("pandas", "polars") if kind is None else (kind,):
        library = None if name == "dict" else _library(name)
        if library is not None:
            return library.DataFrame(columns)
    if kind in ("pandas", "polars"):
        raise ValueError(f"kind = {brief(kind)}: needs {kind}; pip install {kind}")
    return columns


def _library(name: str) -> Any:
    """The module; None if it is not installed."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        return None


@guarded
def write_table(results: Result | Mapping[str, Result], path: str | Path, by: By | str = "team") -> Path:
    """Write a long table of results into a file, which replaces an older one; its ending says which kind of file.

    Args:
        results, by: see `table`.
        path: ends in ".csv", or in ".parquet", which needs the extra `tables`.

    Raises:
        ValueError: another ending, the extra is not installed, or the file cannot be written.
    """
    target = Path(path)
    if target.suffix not in (".csv", ".parquet"):
        raise ValueError(f"file {target}: expected a name that ends in .csv or .parquet")
    columns = table(results, by)
    content = csv_bytes(columns) if target.suffix == ".csv" else _parquet_bytes(columns, target)
    with or_say(f"file {target}"):
        write_file(target, content)
    return target


def csv_bytes(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """A table as CSV: a header, then a line a row; numbers in full precision, NaN as an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    lists = [["" if x != x else x for x in column.tolist()] for column in columns.values()]
    writer.writerows(zip(*lists, strict=True))
    return out.getvalue().encode()


def _parquet_bytes(columns: Mapping[str, NDArray[Any]], target: Path) -> bytes:
    arrow = _library("pyarrow")
    if arrow is None:
        raise ValueError(f"file {target}: Parquet needs an extra; pip install 'folkmoot[tables]'")
    parquet = _library("pyarrow.parquet")
    out = io.BytesIO()
    parquet.write_table(arrow.table({name: column.tolist() for name, column in columns.items()}), out)
    return out.getvalue()
