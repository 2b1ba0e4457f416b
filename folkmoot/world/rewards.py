"""Reward laws: what an arm pays an agent in a round. Bernoulli, Gaussian, Beta, half active, replayed.

Every law has `means`, float64 [n_agents, n_arms]: the expected reward of each arm for each agent. The
coin of a reward is named (round, agent, arm), so all algorithms of a comparison meet the same world.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from folkmoot import coins as dice
from folkmoot import interface
from folkmoot.coins import REWARD, SCENE, below, bernoulli, gaussian, uniform
from folkmoot.interface import Scalar, implements

_DIGEST_VALUES = 4_000  # up to so many numbers of a table are written out in a result's configuration
Table = NDArray[np.float64]


def checked_agents(n_agents: object) -> int:
    """A number of agents.

    Raises:
        ValueError: not an integer of at least 1.
    """
    if isinstance(n_agents, bool) or not isinstance(n_agents, int | np.integer) or n_agents < 1:
        raise ValueError(f"n_agents = {n_agents!r}: expected an integer of at least 1")
    return int(n_agents)


def table_of_means(
    means: ArrayLike, n_agents: int | None, low: float, high: float, row: str = "agent", column: str = "arm"
) -> Table:
    """A checked [n_agents, n_arms] table; one row for all agents is repeated. Errors say what has a `row`, a `column`.

    Raises:
        ValueError: not numbers, not one or two axes, NaN, or outside [low, high].
    """
    shape = f"[n_{row}s, n_{column}s]"
    try:
        table = np.array(means, np.float64, order="C")  # one layout, one compilation
    except (TypeError, ValueError):
        raise ValueError(f"means: expected a table of numbers {shape}, all rows of one length") from None
    if table.ndim == 1 and n_agents is not None:
        table = np.tile(table, (checked_agents(n_agents), 1))
    if table.ndim != 2 or 0 in table.shape:
        hint = " (one row for all agents needs n_agents=)" if table.ndim == 1 and row == "agent" else ""
        raise ValueError(f"means of shape {table.shape}: expected {shape}{hint}")
    if n_agents is not None and len(table) != n_agents:
        raise ValueError(f"means of shape {table.shape}: expected {n_agents} agents as n_agents says")
    wrong = ~((table >= low) & (table <= high) & np.isfinite(table))
    if wrong.any():
        i, k = (int(x) for x in np.argwhere(wrong)[0])
        allowed = "a finite number" if np.isinf(high) else f"a number from {low:g} to {high:g}"
        raise ValueError(f"mean of {row} {i}, {column} {k} = {table[i, k]}: expected {allowed}")
    table.setflags(write=False)
    return table


def _number(value: object) -> float:
    """The value as a float; NaN, which is in no range, for what is no number."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


class Rewards:
    """What every reward law offers.

    Attributes:
        means: float64 [n_agents, n_arms], expected reward.
        sub_gaussian: smallest known sigma such that rewards are sigma-sub-Gaussian (1/2 on [0, 1]).
        bounded: do all rewards lie in [0, 1]?
        labels: int64 [n_agents], the cluster of each agent; None if there are no clusters.
        n_objectives: length of a reward vector.
        scalarisation: record of what such a vector is worth; `means` are the worths of the mean vectors.
    """

    means: Table
    sub_gaussian: float = 0.5
    bounded: bool = True
    labels: NDArray[np.int64] | None = None
    n_objectives: int = 1
    scalarisation: NamedTuple = Scalar(1)

    @property
    def n_agents(self) -> int:
        """Number of agents."""
        return int(self.means.shape[0])

    @property
    def n_arms(self) -> int:
        """Number of arms."""
        return int(self.means.shape[1])

    @property
    def gaps(self) -> NDArray[np.float64]:
        """float64 [n_arms]: by how much the mean of each arm over all agents is below the best such mean."""
        overall = self.means.mean(axis=0)
        return np.asarray(overall.max() - overall)

    @property
    def best_arm(self) -> int:
        """The arm with the largest mean over all agents (the first of equals)."""
        return int(np.argmax(self.means.mean(axis=0)))

    def record(self) -> NamedTuple:
        """What the kernels need: numbers and arrays only."""
        raise TypeError(f"{type(self).__name__} does not define record()")

    def describe(self) -> dict[str, Any]:
        """The configuration as plain values, for provenance."""
        out: dict[str, Any] = {"type": type(self).__name__, "n_agents": self.n_agents, "n_arms": self.n_arms}
        if self.means.size <= _DIGEST_VALUES:
            out["means"] = self.means.tolist()
        return out


# --- Bernoulli ----------------------------------------------------------------------------------------


class BernoulliRecord(NamedTuple):
    """Success probabilities."""

    means: np.ndarray  # float64 [n_agents, n_arms]


class Bernoulli(Rewards):
    """Reward 1 with probability means[agent, arm], else 0.

    Args:
        means: [n_agents, n_arms], or [n_arms] with n_agents; each in [0, 1].
        n_agents: number of agents when all share one row.

    Raises:
        ValueError: wrong shape, NaN or a mean outside [0, 1].
    """

    range_of_means: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __init__(self, means: ArrayLike, n_agents: int | None = None) -> None:
        self.means = table_of_means(means, n_agents, *self.range_of_means)

    def record(self) -> BernoulliRecord:
        return BernoulliRecord(self.means)


@implements(BernoulliRecord)
def pay(rewards, scene, i, arm, t, coins, reward):
    reward[i, 0] = 1.0 if bernoulli(coins, rewards.means[i, arm], REWARD, t, i, arm) else 0.0


# --- Gaussian -----------------------------------------------------------------------------------------


class GaussianRecord(NamedTuple):
    """Means and one standard deviation."""

    means: np.ndarray  # float64 [n_agents, n_arms]
    deviation: float


class Gaussian(Rewards):
    """Normal rewards with the given means and one standard deviation.

    Args:
        means: [n_agents, n_arms], or [n_arms] with n_agents.
        deviation: standard deviation, at least 0, in the unit of the rewards.
        n_agents: number of agents when all share one row.

    Raises:
        ValueError: wrong shape, a mean that is not finite, a deviation below 0.
    """

    range_of_means: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    bounded = False

    def __init__(self, means: ArrayLike, deviation: float = 1.0, n_agents: int | None = None) -> None:
        self.means = table_of_means(means, n_agents, *self.range_of_means)
        self.deviation = _number(deviation)
        if not 0.0 <= self.deviation < np.inf:
            raise ValueError(f"deviation = {deviation!r}: expected a finite number of at least 0")
        self.sub_gaussian = self.deviation

    def record(self) -> GaussianRecord:
        return GaussianRecord(self.means, self.deviation)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "deviation": self.deviation}


@implements(GaussianRecord)
def pay(rewards, scene, i, arm, t, coins, reward):
    reward[i, 0] = rewards.means[i, arm] + rewards.deviation * gaussian(coins, REWARD, t, i, arm)


# --- Beta ---------------------------------------------------------------------------------------------


class BetaRecord(NamedTuple):
    """Means and one concentration."""

    means: np.ndarray  # float64 [n_agents, n_arms]
    concentration: float


class Beta(Rewards):
    """Beta rewards on [0, 1] with shapes mean * concentration and (1 - mean) * concentration.

    Args:
        means: [n_agents, n_arms], or [n_arms] with n_agents; each in [0.001, 0.999].
        concentration: sum of the two shapes, from 1 to 1e6; the larger, the narrower.
        n_agents: number of agents when all share one row.

    Raises:
        ValueError: wrong shape, NaN, a mean or concentration out of range.
    """

    range_of_means: ClassVar[tuple[float, float]] = (0.001, 0.999)

    def __init__(self, means: ArrayLike, concentration: float = 10.0, n_agents: int | None = None) -> None:
        self.means = table_of_means(means, n_agents, *self.range_of_means)
        self.concentration = _number(concentration)
        if not 1.0 <= self.concentration <= 1e6:
            raise ValueError(f"concentration = {concentration!r}: expected a number from 1 to 1e6")

    def record(self) -> BetaRecord:
        return BetaRecord(self.means, self.concentration)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "concentration": self.concentration}


@implements(BetaRecord)
def pay(rewards, scene, i, arm, t, coins, reward):
    alpha = rewards.means[i, arm] * rewards.concentration
    reward[i, 0] = dice.beta(coins, alpha, rewards.concentration - alpha, REWARD, t, i, arm)


# --- Half active ----------------------------------------------------------------------------------------


class HalfActiveRecord(NamedTuple):
    """The law of the agents that are active."""

    inner: NamedTuple
    n_agents: int
    silent: float


class HalfActive(Rewards):
    """In each round a uniformly random half of the agents (rounded down) gets one reward whatever it pulls.

    The environment of GSE's published experiments. It is written there in losses, those of the silent half
    being 0: as rewards, 1 - loss, that is `silent=1`. Gaps shrink by the share of active agents, for all alike.

    Args:
        inner: the law of the active agents.
        silent: the reward of the others, in [0, 1].

    Raises:
        ValueError: not a reward law, one that is half active itself, or `silent` outside [0, 1].
    """

    def __init__(self, inner: Rewards, silent: float = 0.0) -> None:
        if not isinstance(inner, Rewards) or isinstance(inner, HalfActive):
            raise ValueError(f"inner = {type(inner).__name__}: expected a reward law that is not half active itself")
        if inner.n_objectives > 1:
            raise ValueError(f"inner = {type(inner).__name__}: expected rewards with one objective")
        self.silent = _number(silent)
        if not 0.0 <= self.silent <= 1.0:
            raise ValueError(f"silent = {silent!r}: expected a reward from 0 to 1")
        self.inner, self.bounded, self.labels = inner, inner.bounded, inner.labels
        n = inner.n_agents
        self.means = inner.means * ((n - n // 2) / n) + self.silent * ((n // 2) / n)
        if not inner.bounded:  # the noise, and the two-valued variable that scales the mean
            self.sub_gaussian = float(np.hypot(inner.sub_gaussian, np.abs(inner.means - self.silent).max() / 2.0))

    def record(self) -> HalfActiveRecord:
        return HalfActiveRecord(self.inner.record(), self.n_agents, self.silent)

    def describe(self) -> dict[str, Any]:
        return {"type": "HalfActive", "silent": self.silent, "inner": self.inner.describe()}


@implements(HalfActiveRecord)
def scene(rewards):
    return np.zeros(rewards.n_agents, np.bool_)


@implements(HalfActiveRecord)
def set_scene(rewards, t, coins, scene):
    """Selection sampling (Knuth, volume 2, algorithm 3.4.2 S): exactly half, every subset alike."""
    needed = rewards.n_agents // 2
    for i in range(rewards.n_agents):
        scene[i] = uniform(coins, SCENE, t, i, 0) * (rewards.n_agents - i) < needed
        if scene[i]:
            needed -= 1


@implements(HalfActiveRecord)
def pay(rewards, scene, i, arm, t, coins, reward):
    if scene[i]:
        reward[i, 0] = rewards.silent
    else:
        interface.pay(rewards.inner, scene, i, arm, t, coins, reward)


# --- Replay -------------------------------------------------------------------------------------------


class ReplayRecord(NamedTuple):
    """All observed rewards, one agent and arm after the other."""

    values: np.ndarray  # float64 [n_values]
    start: np.ndarray  # int64 [n_agents * n_arms + 1]
    n_arms: int


class Replay(Rewards):
    """Rewards drawn, with replacement, from those observed for the same agent and arm.

    Args:
        table: table[agent][arm] is the non-empty sequence of rewards observed there, each in [0, 1].
        dataset: a name for the report.
        arm_names: names of the arms for the report, or None.

    Raises:
        ValueError: agents with different numbers of arms, an empty cell, a value outside [0, 1].
    """

    def __init__(
        self, table: Sequence[Sequence[ArrayLike]], dataset: str = "", arm_names: Sequence[str] | None = None
    ) -> None:
        try:
            widths = {len(row) for row in table}
            cells = [np.asarray(cell, np.float64).ravel() for row in table for cell in row]
        except (TypeError, ValueError):
            raise ValueError("replay table: expected table[agent][arm] to be sequences of numbers") from None
        if len(widths) != 1 or 0 in widths:
            raise ValueError("replay table: expected the same number (at least 1) of arms for every agent")
        n_arms = widths.pop()
        for number, cell in enumerate(cells):
            place = f"replay table, agent {number // n_arms}, arm {number % n_arms}"
            if cell.size == 0:
                raise ValueError(f"{place}: expected at least one observed reward, got none")
            if not ((cell >= 0.0) & (cell <= 1.0)).all():
                raise ValueError(f"{place}: expected rewards from 0 to 1, got {cell[~((cell >= 0) & (cell <= 1))][0]}")
        self._values = np.concatenate(cells)
        self._start = np.cumsum([0, *(len(cell) for cell in cells)])
        self.means = np.array([cell.mean() for cell in cells]).reshape(len(table), n_arms)
        self.dataset = dataset
        self.arm_names = list(arm_names) if arm_names is not None else None
        if self.arm_names is not None and len(self.arm_names) != n_arms:
            raise ValueError(f"arm_names: {len(self.arm_names)} names: expected {n_arms}, one for each arm")

    def record(self) -> ReplayRecord:
        return ReplayRecord(self._values, self._start, self.n_arms)

    def describe(self) -> dict[str, Any]:
        out = {**super().describe(), "dataset": self.dataset, "observations": int(self._values.size)}
        if self.arm_names:
            out["arm_names"] = self.arm_names
        return out


@implements(ReplayRecord)
def pay(rewards, scene, i, arm, t, coins, reward):
    cell = i * rewards.n_arms + arm
    first = rewards.start[cell]
    reward[i, 0] = rewards.values[first + below(coins, rewards.start[cell + 1] - first, REWARD, t, i, arm)]
