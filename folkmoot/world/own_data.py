"""Logs of one's own, from CSV or Parquet: who pulled what, what it paid, and when.

CSV is read by the standard library. Parquet needs pyarrow or polars; which of them makes no difference.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

COLUMNS = ("agent", "arm", "reward", "time")
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
    for name in columns:
        if name not in COLUMNS:
            raise ValueError(f"columns: {name!r}: allowed are {', '.join(COLUMNS)}")
    wanted = {name: columns.get(name, name) for name in COLUMNS}
    if path.suffix not in _READERS:
        raise ValueError(f"file {path}: expected a name that ends in .csv or .parquet")
    try:
        return events(_READERS[path.suffix](path, wanted, "time" in columns), scale)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"file {path}: cannot be read ({error})") from None


def events(rows: Iterator[Row], scale: tuple[float, float]) -> Events:
    """The events of rows.

    Raises:
        ValueError: no rows, a scale that is none, or what is wrong with a row.
    """
    low, high = scale
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"scale = [{low}, {high}]: expected two numbers, the first below the second")
    agents: list[str] = []
    arms: list[str] = []
    rewards: list[float] = []
    times: list[float] = []
    for where, (agent, arm, reward, *time) in rows:
        for name, value in (("agent", agent), ("arm", arm)):
            if value is None or str(value).strip() == "":
                raise ValueError(f"{where}: {name}: missing")
        paid = (_number(where, "reward", reward) - low) / (high - low)
        if not 0.0 <= paid <= 1.0:
            raise ValueError(f"{where}: reward = {reward}: expected a number from {low:g} to {high:g} (scale)")
        agents.append(str(agent).strip())
        arms.append(str(arm).strip())
        rewards.append(paid)
        times.append(_moment(where, time[0]) if time else float(len(times)))
    if not agents:
        raise ValueError("the log has no rows")
    order = np.argsort(np.array(times), kind="stable")
    agent_names, arm_names = _names(agents), _names(arms)
    places = [{name: n for n, name in enumerate(names)} for names in (agent_names, arm_names)]
    numbers = [np.array([place[name] for name in column], np.int64) for place, column in zip(places, (agents, arms))]
    return Events(numbers[0][order], numbers[1][order], np.array(rewards)[order], agent_names, arm_names)


def _names(column: list[str]) -> list[str]:
    """Each name once: by number if all are whole numbers, else by text."""
    names = set(column)
    return sorted(names, key=int) if all(name.isdecimal() for name in names) else sorted(names)


def _number(where: str, name: str, value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = float("nan")
    if isinstance(value, bool) or not np.isfinite(found):
        raise ValueError(f"{where}: {name} = {value!r}: expected a number")
    return found


def _moment(where: str, value: Any) -> float:
    """A time as a number: as it is, or a date and time in ISO 8601 as seconds."""
    try:
        return _number(where, "time", value)
    except ValueError:
        try:
            moment = np.array(str(value).strip(), "datetime64[us]")
        except ValueError:
            moment = np.array("NaT", "datetime64[us]")
        if np.isnat(moment):
            raise ValueError(f"{where}: time = {value!r}: expected a number, or a date such as 2024-05-31") from None
        return float(moment.astype(np.int64)) / 1e6


def _chosen(path: Path, wanted: dict[str, str], found: Sequence[str], needs_time: bool) -> list[str]:
    """The columns to read, in the order of COLUMNS; without the time if there is none and nobody asked for it."""
    out = []
    for name, column in wanted.items():
        if column in found:
            out.append(column)
        elif name != "time" or needs_time:
            raise ValueError(f"file {path}: no column {column!r} for the {name}; there are {', '.join(found)}")
    return out


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
        frame = polars.read_parquet(path)
        return {name: frame[name].to_list() for name in frame.columns}
    table = parquet.read_table(path)
    return {name: table.column(name).to_pylist() for name in table.column_names}


_READERS: dict[str, Callable[[Path, dict[str, str], bool], Iterator[Row]]] = {".csv": _csv, ".parquet": _parquet}
