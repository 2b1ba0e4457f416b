"""Rewards drawn from those that were observed."""

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, ValidationInfo, model_validator

from folkmoot.coins import REWARD, Coins, below
from folkmoot.configuration import LEFT_OUT, Plain
from folkmoot.interface import implements
from folkmoot.world.in_file import InFile
from folkmoot.world.means import Table
from folkmoot.world.rewards import Rewards


class ReplayRecord(NamedTuple):
    """All observed rewards, one agent and arm after the other."""

    values: NDArray[np.float64]  # [n_values]
    start: NDArray[np.int64]  # [n_agents * n_arms + 1]
    n_arms: int


class Replay(Rewards):
    """Rewards drawn, with replacement, from those observed for the same agent and arm.

    Attributes:
        table: table[agent][arm] is the non-empty sequence of rewards observed there, each in [0, 1].
        dataset: a name for the report; in a file without a table, the data set to make it from.
        arm_names: names of the arms for the report, or None.
        users, genres: in a file, numbers of agents and arms taken from the data set; None is its own default.

    Raises:
        ValueError: agents with different numbers of arms, an empty cell, a value outside [0, 1].
    """

    table: Annotated[ReplayRecord, Plain(list[list[list[float]]] | None)] = LEFT_OUT
    dataset: str = ""
    arm_names: Annotated[list[str] | None, Plain(list[str] | None)] = None
    users: int | None = Field(None, repr=False)
    genres: int | None = Field(None, repr=False)

    def __init__(
        self, table: Sequence[Sequence[ArrayLike]], dataset: str = "", arm_names: Sequence[str] | None = None
    ) -> None:
        self._write(table=table, dataset=dataset, arm_names=arm_names)

    @model_validator(mode="after")
    def _something_was_observed(self, info: ValidationInfo) -> Self:
        if info.context is not None and self.table is None:
            return self._loaded(info.context)
        table = self.table if isinstance(self.table, ReplayRecord) else observations(self.table)
        names = None if self.arm_names is None else list(self.arm_names)
        if names is not None and len(names) != table.n_arms:
            raise ValueError(f"arm_names: {len(names)} names: expected {table.n_arms}, one for each arm")
        return self._settle(table=table, arm_names=names)

    def _loaded(self, context: InFile) -> Self:
        """What a file says of a data set, as the rewards made from it."""
        if not self.dataset:
            raise ValueError('dataset: missing; expected the name of one, such as dataset = "movielens"')
        options = {"users": self.users, "genres": self.genres}
        found = context.load(self.dataset, **{key: value for key, value in options.items() if value is not None})
        return self._settle(table=found.table, arm_names=found.arm_names, users=None, genres=None)

    @cached_property
    def means(self) -> Table:
        values, start, n_arms = self.record()
        cells = [values[first:end].mean() for first, end in pairwise(start)]
        return np.array(cells).reshape(-1, n_arms)

    def record(self) -> ReplayRecord:
        return self.table

    def describe(self) -> dict[str, Any]:
        out = {**super().describe(), "dataset": self.dataset, "observations": int(self.record().values.size)}
        if self.arm_names:
            out["arm_names"] = self.arm_names
        return out


def observations(table: Any) -> ReplayRecord:
    """What was observed, table[agent][arm], as the kernels need it.

    Raises:
        ValueError: agents with different numbers of arms, an empty cell, a value outside [0, 1].
    """
    try:
        widths = {len(row) for row in table}
        cells = [np.asarray(cell, np.float64).ravel() for row in table for cell in row]
    except (TypeError, ValueError):
        raise ValueError("replay table: expected table[agent][arm] to be sequences of numbers") from None
    if len(widths) != 1 or 0 in widths:
        raise ValueError("replay table: expected the same number (at least 1) of arms for every agent")
    n_arms = widths.pop()
    for place, cell in enumerate(cells):
        where = f"replay table, agent {place // n_arms}, arm {place % n_arms}"
        if cell.size == 0:
            raise ValueError(f"{where}: expected at least one observed reward, got none")
        if not ((cell >= 0.0) & (cell <= 1.0)).all():
            raise ValueError(f"{where}: expected rewards from 0 to 1, got {cell[~((cell >= 0) & (cell <= 1))][0]}")
    return ReplayRecord(np.concatenate(cells), np.cumsum([0, *(len(cell) for cell in cells)]), n_arms)


@implements(ReplayRecord)
def pay(
    rewards: ReplayRecord, scene: NDArray[np.bool_], i: int, arm: int, t: int, coins: Coins, reward: NDArray[np.float64]
) -> None:
    cell = i * rewards.n_arms + arm
    first = rewards.start[cell]
    reward[i, 0] = rewards.values[first + below(coins, rewards.start[cell + 1] - first, REWARD, t, i, arm)]
