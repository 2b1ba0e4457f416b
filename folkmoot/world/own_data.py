"""Logs of one's own, from CSV or Parquet: who pulled what, what it paid, and when.

CSV is read by the standard library. Parquet needs pyarrow or polars; which of them makes no difference.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.doors import array
from folkmoot.errors import brief
from folkmoot.world import log_entries

COLUMNS = ("agent", "arm", "reward", "time")
_MARKS = {";": "semicolons", "\t": "tabs", "|": "bars"}  # what stands between columns elsewhere
Row = tuple[str, Sequence[Any]]  # where it stands, for errors; agent, arm, reward, and time if there is one


class Events(NamedTuple):
    """What was logged, in order of time; events of one time in the order in which they stand."""

    agent: NDArray[np.int64]  # [n_events]
    arm: NDArray[np.int64]  # [n_events]
    reward: NDArray[np.float64]  # [n_events], in [0, 1]
    agent_names: list[str]  # of agents 0, 1, ...
    arm_names: list[str]  # of arms 0, 1, ...


def read_events(path: Path, columns: Mapping[str, str], scale: tuple[float, float]) -> Events:
    """The events of a file.

    Args:
        path: ends in .csv or .parquet.
        columns: names in the file of "agent", "arm", "reward" and "time", where they differ; without a column for the
            time the order of the rows is that of time.
        scale: the rewards that become 0 and 1.

    Raises:
        ValueError: it cannot be read, a column is missing, or a row is wrong, with its line.
    """
    roles = _roles(columns)
    wanted = {name: roles.get(name, name) for name in COLUMNS}
    if path.suffix not in _READERS:
        raise ValueError(f"file {path}: expected a name that ends in .csv or .parquet")
    try:
        rows = _READERS[path.suffix](path, wanted, "time" in columns)
        return events(rows, scale, texts=path.suffix == ".csv")
    except UnicodeDecodeError as error:
        found = f"byte {error.object[error.start]:#04x} is no UTF-8"
        raise ValueError(f"file {path}: cannot be read ({found}); expected text in UTF-8") from None
    except (OSError, csv.Error) as error:
        raise ValueError(f"file {path}: cannot be read ({error})") from None


def _roles(columns: Mapping[str, str]) -> Mapping[str, str]:
    """What the file calls its columns, checked.

    Raises:
        ValueError: no such table, or one column for two things.
    """
    if not isinstance(columns, Mapping):
        raise ValueError(f'columns = {brief(columns)}: expected a table such as {{"arm": "policy"}}')
    taken: dict[str, str] = {}
    for name, column in columns.items():
        if name not in COLUMNS:
            raise ValueError(f"columns: {brief(name)}: allowed are {', '.join(COLUMNS)}")
        if not isinstance(column, str):
            raise ValueError(f"columns: {name} = {brief(column)}: expected the name of a column")
        if column in taken:
            raise ValueError(f"columns: {taken[column]} and {name} = {brief(column)}: expected a column for each")
        taken[column] = name
    return columns


def checked_scale(scale: Any) -> tuple[float, float]:
    """The rewards that become 0 and 1.

    Raises:
        ValueError: not two numbers, the first below the second, or so far apart that their difference is infinite.
    """
    allowed = "two numbers, the first below the second, with a finite difference"
    found = array("scale", scale, allowed)
    if found.shape != (2,) or not (found[0] < found[1] and isfinite(float(found[1]) - float(found[0]))):
        raise ValueError(f"scale = {brief(list(scale) if found.ndim == 1 else scale)}: expected {allowed}")
    return float(found[0]), float(found[1])


def events(rows: Iterator[Row], scale: tuple[float, float], texts: bool = True) -> Events:
    """The events of rows.

    Args:
        rows: each with its place.
        scale: see `read_events`.
        texts: are all entries texts, as in CSV?

    Raises:
        ValueError: no rows, a scale that is none, or what is wrong with a row.
    """
    low, high = checked_scale(scale)
    agents: list[str] = []
    arms: list[str] = []
    rewards: list[float] = []
    times: list[int | float] = []
    kind = ""
    for where, (agent, arm, reward, *time) in rows:
        agents.append(_name(where, "agent", agent))
        arms.append(_name(where, "arm", arm))
        rewards.append(_paid(where, reward, low, high, texts))
        if not time:
            times.append(len(times))
            continue
        moment = _moment(where, time[0])
        kind = kind or moment.kind
        if moment.kind != kind:
            raise ValueError(f"{where}: time = {brief(time[0])}: expected {kind} as in the rows before")
        times.append(moment.at)
    if not agents:
        raise ValueError("the log has no rows")
    order = np.array(sorted(range(len(times)), key=times.__getitem__), np.int64)  # stable, and exact whatever the size
    agent_names, arm_names = log_entries.in_order(set(agents), "agent"), log_entries.in_order(set(arms), "arm")
    places = [{name: n for n, name in enumerate(names)} for names in (agent_names, arm_names)]
    numbers = [np.array([place[name] for name in column], np.int64) for place, column in zip(places, (agents, arms))]
    return Events(numbers[0][order], numbers[1][order], np.array(rewards)[order], agent_names, arm_names)


def _name(where: str, what: str, value: Any) -> str:
    found = log_entries.name(value)
    if found is None:
        if value is None or isinstance(value, str):
            raise ValueError(f"{where}: {what}: missing")
        raise ValueError(f"{where}: {what} = {brief(value)}: expected a whole number or a name")
    return found


def _paid(where: str, value: Any, low: float, high: float, texts: bool) -> float:
    """A reward on the scale from 0 to 1."""
    found = log_entries.number(value, texts)
    if found is None:
        raise ValueError(f"{where}: reward = {brief(value)}: expected a number")
    paid = (found - low) / (high - low)
    if not (low <= found <= high and 0.0 <= paid <= 1.0):
        raise ValueError(f"{where}: reward = {value}: expected a number from {low:g} to {high:g} (scale)")
    return paid


def _moment(where: str, value: Any) -> log_entries.Time:
    found = log_entries.time(value)
    if found is None:
        raise ValueError(f"{where}: time = {brief(value)}: expected a number, or a date such as 2024-05-31")
    return found


def _chosen(path: Path, wanted: dict[str, str], found: Sequence[str], needs_time: bool) -> list[str]:
    """The columns to read, in the order of COLUMNS; without the time if there is none and nobody asked for it.

    Raises:
        ValueError: one is not there, is there twice, or is for two things.
    """
    out = []
    for name, column in wanted.items():
        if found.count(column) > 1:
            raise ValueError(f"file {path}: {found.count(column)} columns {brief(column)} for the {name}: expected one")
        if column in found:
            out.append(column)
        elif name != "time" or needs_time:
            there, other = ", ".join(found), len(found) == 1 and path.suffix == ".csv" and _separator(found[0])
            commas = f"; expected commas between columns, not {other}" if other else ""
            raise ValueError(f"file {path}: no column {brief(column)} for the {name}; there are {there}{commas}")
    for name, column in wanted.items():
        twice = [other for other, same in wanted.items() if same == column and other != name]
        if column in out and twice:
            raise ValueError(f"file {path}: column {column!r} for the {name} and the {twice[0]}: expected one for each")
    return out


def _separator(head: str) -> str:
    """What seems to stand between the columns of a file without commas, in words; empty if nothing does."""
    return next((words for mark, words in _MARKS.items() if mark in head), "")


def _csv(path: Path, wanted: dict[str, str], needs_time: bool) -> Iterator[Row]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        head = [name.strip() for name in next(reader, [])]
        columns = _chosen(path, wanted, head, needs_time)
        places = [head.index(column) for column in columns]
        for row in reader:
            if not row:
                continue
            where = f"file {path}, line {reader.line_num}"
            if len(row) != len(head):
                raise ValueError(f"{where}: {len(row)} columns: expected {len(head)} as in the first line")
            yield where, [row[place] for place in places]


def _parquet(path: Path, wanted: dict[str, str], needs_time: bool) -> Iterator[Row]:
    table = _parquet_columns(path)
    columns = _chosen(path, wanted, list(table), needs_time)
    for number, row in enumerate(zip(*(table[column] for column in columns)), 1):
        yield f"file {path}, row {number}", row


def _parquet_columns(path: Path) -> Mapping[str, Sequence[Any]]:
    """The columns of a file, by name.

    Raises:
        ValueError: no library for that, or it cannot read the file.
        OSError: the file is not there.
    """
    path.stat()
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        try:
            import polars
        except ImportError:
            raise ValueError(
                f"file {path}: Parquet needs pyarrow (pip install 'folkmoot[tables]') or polars; CSV needs neither"
            ) from None
        with _or_say(path):
            frame = polars.read_parquet(path)
            return {name: frame[name].to_list() for name in frame.columns}
    with _or_say(path):
        table = parquet.read_table(path)
        names = table.column_names
        if len(set(names)) < len(names):
            raise ValueError("two columns of one name")
        return {name: table.column(name).to_pylist() for name in names}
    raise AssertionError("either read or refused")


@contextmanager
def _or_say(path: Path) -> Iterator[None]:
    """Inside, whatever a library raises about a file becomes one line."""
    try:
        yield
    except Exception as error:  # each library has errors of its own
        raise ValueError(f"file {path}: cannot be read ({brief(str(error))})") from None


_READERS: dict[str, Callable[[Path, dict[str, str], bool], Iterator[Row]]] = {".csv": _csv, ".parquet": _parquet}
