"""Rewards that were observed: drawn from a table, played in order of time, or taken from a log by rejection.

How it works: rewards of the same agent and arm are a *cell*. Drawn, a pull pays one of its cell at random; in order of
time round t pays the t-th of its cell, and begins again at the end. By rejection each agent has a place in its own log:
a pull goes forward to the next event with that arm and pays what it paid; the events in between are rejected (Li, Chu,
Langford and Wang 2011, "Unbiased offline evaluation of contextual-bandit-based news article recommendation
algorithms").
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from folkmoot.coins import REWARD, Coins, below
from folkmoot.configuration import LEFT_OUT, Plain
from folkmoot.doors import array, number, within
from folkmoot.errors import brief
from folkmoot.interface import implements
from folkmoot.world.in_file import InFile
from folkmoot.world.means import Table
from folkmoot.world.own_data import Events, read_events
from folkmoot.world.rewards import Rewards


class ReplayRecord(NamedTuple):
    """All observed rewards, one agent and arm after the other."""

    values: NDArray[np.float64]  # [n_values]
    start: NDArray[np.int64]  # [n_agents * n_arms + 1]
    n_arms: int


class InTimeRecord(NamedTuple):
    """The same, in order of time; its type says that they are played in that order."""

    values: NDArray[np.float64]  # [n_values]
    start: NDArray[np.int64]  # [n_agents * n_arms + 1]
    n_arms: int


class LogRecord(NamedTuple):
    """What each agent has logged, in order of time, one agent after the other."""

    arm: NDArray[np.int64]  # [n_events]
    reward: NDArray[np.float64]  # [n_events]
    start: NDArray[np.int64]  # [n_agents + 1]
    n_arms: int


Order = Literal["drawn", "time", "rejection"]


def _texts(name: str, given: Any) -> list[str]:
    """A list of names. Raises ValueError: it is none."""
    single = isinstance(given, str | bytes) or getattr(given, "shape", (1,)) == ()  # also an array without an axis
    found = [] if single or not isinstance(given, Iterable) else list(given)
    if not found or not all(isinstance(one, str) for one in found):
        raise ValueError(f"{name} = {brief(given)}: expected a list of names")
    return found


class Replay(Rewards):
    """Rewards that were observed for the same agent and arm, drawn with replacement, in order of time or by rejection.

    `Replay.from_file` reads a log. What such a replay can and cannot tell: docs/own-data.md.

    Attributes:
        table: table[agent][arm] is the non-empty sequence of rewards observed there, each in [0, 1], in order of time.
        order: "drawn": a pull pays one of them at random; "time": round t pays the t-th, from the start again at the
            end; "rejection": a pull pays the next event of the agent's log with that arm, and needs such a log.
        file: in a file, in place of a table: a log as CSV or Parquet, with `columns`, `scale` and `missing` as in
            `from_file`.
        dataset: a name for the report; in a file without a table, the data set to make it from.
        arm_names: names of the arms for the report, or None.
        agent_names: read-only: of a log, what it calls agents 0, 1, ...; else None.
        users, genres: in a file, numbers of agents and arms taken from the data set; None is its own default.

    Raises:
        ValueError: agents with different numbers of arms, an empty cell, a value outside [0, 1], or what is wrong with
            a log: see `from_file`.
    """

    table: Annotated[ReplayRecord | LogRecord, Plain(list[list[list[float]]] | None)] = LEFT_OUT
    dataset: str = ""
    arm_names: Annotated[list[str] | None, Plain(list[str] | None)] = None
    users: int | None = Field(None, repr=False)
    genres: int | None = Field(None, repr=False)
    order: Annotated[Order, Plain(Order)] = "drawn"
    file: str | None = Field(None, repr=False)
    columns: dict[str, str] | None = Field(None, repr=False)
    scale: list[float] | None = Field(None, min_length=2, max_length=2, repr=False)
    missing: float | None = Field(None, ge=0, le=1, repr=False)
    _agent_names: tuple[str, ...] | None = PrivateAttr(None)

    def __init__(
        self,
        table: Sequence[Sequence[ArrayLike]],
        dataset: str = "",
        arm_names: Sequence[str] | None = None,
        order: Order = "drawn",
    ) -> None:
        self._write(table=table, dataset=dataset, arm_names=arm_names, order=order)

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        columns: Mapping[str, str] | None = None,
        scale: tuple[float, float] = (0.0, 1.0),
        missing: float | None = None,
        order: Order = "drawn",
    ) -> "Replay":
        """The rewards of a log: a row for each event, with its agent, its arm, its reward and perhaps its time.

        Args:
            path: a file whose name ends in .csv (the first line names the columns) or .parquet.
            columns: what the file calls "agent", "arm", "reward" and "time", where it is something else.
            scale: the rewards that become 0 and 1.
            missing: what a pull pays where an agent never pulled the arm, in [0, 1]; None: the log is refused.
            order: see the class.

        Raises:
            ValueError: it cannot be read; or the first wrong row, in one line with its number.
        """
        if missing is not None and not 0.0 <= number(missing) <= 1.0:
            raise ValueError(f"missing = {brief(missing)}: expected a reward from 0 to 1")
        if not isinstance(path, str | Path):
            raise ValueError(f"path = {brief(path)}: expected the name of a file")
        found = read_events(Path(path), {} if columns is None else columns, scale)
        table: Any = _from_events(found, order, missing)
        law = cls(table, Path(path).name, found.arm_names, order)
        law._agent_names = tuple(found.agent_names)
        return law

    @model_validator(mode="after")
    def _something_was_observed(self, info: ValidationInfo) -> Self:
        if info.context is not None and self.table is None:
            return self._loaded(info.context)
        if self.order not in ("drawn", "time", "rejection"):
            raise ValueError(f"order = {brief(self.order)}: allowed are 'drawn', 'time', 'rejection'")
        table = self.table if isinstance(self.table, ReplayRecord | LogRecord) else observations(self.table)
        if isinstance(table, LogRecord) != (self.order == "rejection"):
            raise ValueError(f"order = {self.order!r}: expected a log for 'rejection', and only then: Replay.from_file")
        names = None if self.arm_names is None else _texts("arm_names", self.arm_names)
        if names is not None and len(names) != table.n_arms:
            raise ValueError(f"arm_names: {len(names)} names: expected {table.n_arms}, one for each arm")
        return self._settle(table=table, arm_names=names)

    def _loaded(self, context: InFile) -> Self:
        """What a file says of a data set, as the rewards made from it."""
        if self.file is not None:
            scale = self.scale or [0.0, 1.0]
            found = Replay.from_file(
                context.folder / self.file,
                columns=self.columns,
                scale=(scale[0], scale[1]),
                missing=self.missing,
                order=self.order,
            )
            self._agent_names = found._agent_names
            read = {"table": found.table, "arm_names": found.arm_names, "dataset": found.dataset}
            return self._settle(**read, file=None, columns=None, scale=None, missing=None)
        if not self.dataset:
            raise ValueError('dataset: missing; expected the name of one, such as dataset = "movielens"')
        options = {"users": self.users, "genres": self.genres}
        found = context.load(self.dataset, **{key: value for key, value in options.items() if value is not None})
        return self._settle(table=found.table, arm_names=found.arm_names, users=None, genres=None)

    @property
    def agent_names(self) -> list[str] | None:
        """Of a log, what it calls agents 0, 1, ...: by number if all are whole numbers, else by text. Else None."""
        return None if self._agent_names is None else list(self._agent_names)

    @cached_property
    def means(self) -> Table:
        if isinstance(self.table, LogRecord):
            return _means_of(self.table)
        values, start, n_arms = self.table
        cells = [values[first:end].mean() for first, end in pairwise(start)]
        return np.array(cells).reshape(-1, n_arms)

    @property
    def consumed(self) -> bool:
        return self.order == "rejection"

    @property
    def replayed(self) -> bool:
        return self.order != "drawn"

    def record(self) -> ReplayRecord | InTimeRecord | LogRecord:
        return InTimeRecord(*self.table) if self.order == "time" else self.table

    def describe(self) -> dict[str, Any]:
        size = self.table.reward.size if isinstance(self.table, LogRecord) else self.table.values.size
        out = {**super().describe(), "dataset": self.dataset, "observations": int(size)}
        if self.order != "drawn":
            out["order"] = self.order
        if self.arm_names:
            out["arm_names"] = self.arm_names
        return out


def observations(table: Any) -> ReplayRecord:
    """What was observed, table[agent][arm], as the kernels need it.

    Raises:
        ValueError: agents with different numbers of arms, an empty cell, a value outside [0, 1].
    """
    allowed = "sequences of numbers"
    try:
        rows = [list(row) for row in table]
    except TypeError:
        raise ValueError(f"replay table = {brief(table)}: expected table[agent][arm] to be {allowed}") from None
    widths = {len(row) for row in rows}
    if len(widths) != 1 or 0 in widths:
        raise ValueError("replay table: expected the same number (at least 1) of arms for every agent")
    n_arms = widths.pop()
    cells = [
        array(f"replay table[{i}][{k}]", cell, allowed).ravel()
        for i, row in enumerate(rows)
        for k, cell in enumerate(row)
    ]
    for place, cell in enumerate(cells):
        where = f"replay table, agent {place // n_arms}, arm {place % n_arms}"
        if cell.size == 0:
            raise ValueError(f"{where}: expected at least one observed reward, got none")
        within(cell, 0.0, 1.0, lambda x, where=where: f"{where}, reward {x}", said="rewards from 0 to 1")
    return ReplayRecord(np.concatenate(cells), np.cumsum([0, *(len(cell) for cell in cells)]), n_arms)


@implements(ReplayRecord)
def pay(
    rewards: ReplayRecord, scene: NDArray[np.bool_], i: int, arm: int, t: int, coins: Coins, reward: NDArray[np.float64]
) -> None:
    cell = i * rewards.n_arms + arm
    first = rewards.start[cell]
    reward[i, 0] = rewards.values[first + below(coins, rewards.start[cell + 1] - first, REWARD, t, i, arm)]


def _from_events(found: Events, order: Order, missing: float | None) -> ReplayRecord | LogRecord:
    """A log as its order needs it.

    Raises:
        ValueError: an agent that never pulled some arm, without a reward for that.
    """
    n_agents, n_arms = len(found.agent_names), len(found.arm_names)
    cell = found.agent * n_arms + found.arm
    count = np.bincount(cell, minlength=n_agents * n_arms)
    if order != "rejection" and missing is not None:
        absent = np.flatnonzero(count == 0)
        cell, count = np.concatenate([cell, absent]), np.maximum(count, 1)
        found = found._replace(reward=np.concatenate([found.reward, np.full(len(absent), missing)]))
    if (count == 0).any():
        i, k = divmod(int(np.argmax(count == 0)), n_arms)
        hint = "" if order == "rejection" else "; expected at least one, or missing = REWARD"
        agent, arm = found.agent_names[i], found.arm_names[k]
        raise ValueError(f"the log has no event of agent {brief(agent)} with arm {brief(arm)}{hint}")
    if order == "rejection":
        rows = np.argsort(found.agent, kind="stable")
        start = np.concatenate([[0], np.cumsum(np.bincount(found.agent, minlength=n_agents))])
        return LogRecord(found.arm[rows], found.reward[rows], start.astype(np.int64), n_arms)
    rows = np.argsort(cell, kind="stable")
    return ReplayRecord(found.reward[rows], np.concatenate([[0], np.cumsum(count)]).astype(np.int64), n_arms)


def _means_of(log: LogRecord) -> Table:
    agent = np.repeat(np.arange(len(log.start) - 1), np.diff(log.start))
    cell, size = agent * log.n_arms + log.arm, (len(log.start) - 1) * log.n_arms
    sums, counts = np.bincount(cell, log.reward, size), np.bincount(cell, minlength=size)
    return np.asarray((sums / counts).reshape(-1, log.n_arms))


@implements(InTimeRecord)
def pay(
    rewards: InTimeRecord, scene: NDArray[np.bool_], i: int, arm: int, t: int, coins: Coins, reward: NDArray[np.float64]
) -> None:
    cell = i * rewards.n_arms + arm
    first = rewards.start[cell]
    reward[i, 0] = rewards.values[first + (t - 1) % (rewards.start[cell + 1] - first)]


@implements(LogRecord)
def scene(rewards: LogRecord) -> NDArray[np.int64]:
    """Each agent's place in its log: the next event that it has not seen."""
    return rewards.start[:-1].copy()


@implements(LogRecord)
def set_scene(rewards: LogRecord, t: int, coins: Coins, scene: NDArray[np.int64]) -> None:
    if t == 1:  # a replicate begins
        for i in range(len(scene)):
            scene[i] = rewards.start[i]


@implements(LogRecord)
def pay(
    rewards: LogRecord, scene: NDArray[np.int64], i: int, arm: int, t: int, coins: Coins, reward: NDArray[np.float64]
) -> None:
    place = scene[i]
    while place < rewards.start[i + 1] and rewards.arm[place] != arm:
        place += 1
    if place >= rewards.start[i + 1]:
        raise ValueError("the log has run out for an agent: expected a shorter horizon, or a longer log")
    reward[i, 0] = rewards.reward[place]
    scene[i] = place + 1
