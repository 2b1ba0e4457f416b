"""Means that move: constant between breaks, or drifting from one table to another and back.

Both are given by ordinary laws (Bernoulli, Gaussian or Beta) that differ in their means only. A reward has the coin
that it has under such a law, so a law with one piece pays what that piece pays alone. Regret holds each pull against
the arm that is best on average over all agents in that round (dynamic regret, as in Garivier and Moulines 2011 for
breaks and Besbes, Gur and Zeevi 2014 for drifts). No algorithm here forgets what it has seen long ago: in the long run
expect a linear regret.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from math import cos, pi
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainValidator, ValidationInfo, model_validator

from folkmoot import coins as dice
from folkmoot.coins import REWARD, Coins, bernoulli, gaussian
from folkmoot.configuration import Place, Plain, Wrong, of_kind, part, path, shown
from folkmoot.doors import is_whole
from folkmoot.errors import brief
from folkmoot.interface import implements
from folkmoot.world import REWARDS
from folkmoot.world.means import Table, over_agents
from folkmoot.world.rewards import Bernoulli, Beta, Gaussian, OfMeans, Rewards

_BERNOULLI, _GAUSSIAN, _BETA = range(3)
_ROUNDS_AT_ONCE = 4_096  # of the gaps of a drift

Pieces = tuple[tuple[int, OfMeans], ...]


class MovingRecord(NamedTuple):
    """The tables that means move between."""

    kind: int  # _BERNOULLI, _GAUSSIAN or _BETA
    width: float  # deviation or concentration; 0 if there is none
    tables: NDArray[np.float64]  # [n_tables, n_agents, n_arms]
    first: NDArray[np.int64]  # [n_tables], the first round of each piece
    period: int  # rounds from the first table to the second and back; 0: pieces


class Moving(Rewards):
    """What the laws with moving means share: the laws they are given by."""

    @property
    def laws(self) -> list[OfMeans]:
        """The laws between which means move; of one kind."""
        raise TypeError(f"{type(self).__name__} does not define laws")

    @property
    def means(self) -> Table:
        return self.laws[0].means

    @property
    def varies(self) -> bool:
        return True

    @property
    def redraws(self) -> bool:
        return any(law.redraws for law in self.laws)

    @property
    def bounded(self) -> bool:
        return self.laws[0].bounded

    @property
    def sub_gaussian(self) -> float:
        return self.laws[0].sub_gaussian

    def _record(self, first: Sequence[int], period: int) -> MovingRecord:
        law = self.laws[0]
        kind = _BERNOULLI if isinstance(law, Bernoulli) else _GAUSSIAN if isinstance(law, Gaussian) else _BETA
        width = float(law.deviation if isinstance(law, Gaussian) else law.concentration if isinstance(law, Beta) else 0)
        tables = np.ascontiguousarray(np.stack([one.means for one in self.laws]))
        return MovingRecord(kind, width, tables, np.array(first, np.int64), period)


def _alike(name: str, law: Any, first: Any) -> None:
    """See that a law may stand beside the first one.

    Raises:
        ValueError: another kind, other options, or means of another shape.
    """
    if not isinstance(law, Bernoulli | Gaussian | Beta):
        raise ValueError(f"{name} = {type(law).__name__}: expected Bernoulli, Gaussian or Beta rewards")
    if type(law) is not type(first):
        raise ValueError(f"{name} = {type(law).__name__}: expected {type(first).__name__} as the first one")
    if law.means.shape != first.means.shape:
        raise ValueError(f"{name}: means of shape {law.means.shape}: expected {first.means.shape} as the first one's")
    for option in ("deviation", "concentration"):
        one, other = getattr(law, option, None), getattr(first, option, None)
        if one != other:
            raise ValueError(f"{name}: {option} = {one}: expected {other} as the first one's")


# --- Pieces -------------------------------------------------------------------------------------------------


def _in_file(given: Any, info: ValidationInfo) -> Any:
    """In a file a piece is a table with `from` and the fields of a law."""
    if info.context is None:
        return given
    if not isinstance(given, list) or not all(isinstance(piece, dict) for piece in given):
        raise ValueError("expected a list of tables, each with from = ROUND and the fields of a law")
    return [_piece(number, piece, info.context) for number, piece in enumerate(given)]


def _piece(number: int, piece: dict[str, Any], context: Any) -> tuple[int, Rewards]:
    start = piece.get("from")

    def says(what: str) -> Callable[[Place], list[str]]:
        return lambda place: [f"{path((*place, number, 'from'))}{what}"]

    if start is None:
        raise Wrong(says(": missing"))
    if isinstance(start, bool) or not isinstance(start, int):
        raise Wrong(says(f" = {shown(start)}: expected a whole number"))
    try:
        return start, of_kind(REWARDS, {key: value for key, value in piece.items() if key != "from"}, context)
    except Wrong as wrong:
        inside = wrong.lines
        raise Wrong(lambda place: inside((*place, number))) from None


class Piecewise(Moving):
    """Means that are constant between breaks: from the given rounds on, rewards follow another law.

    Args:
        pieces: (round, rewards), the rounds increasing, the first 1: `[(1, Bernoulli(a)), (5_000, Bernoulli(b))]`. All
            are Bernoulli, all Gaussian with one deviation, or all Beta with one concentration, for as many agents and
            arms. In a file each piece is a table: `{ from = 1, type = "bernoulli", means = ... }`.

    Attributes:
        means: those of round 1.

    Raises:
        ValueError: no pieces, rounds that do not increase from 1, or laws that differ in more than their means.
    """

    pieces: Annotated[Pieces, PlainValidator(_in_file)]

    def __init__(self, pieces: Sequence[tuple[int, Rewards]]) -> None:
        self._write(pieces=pieces)

    @model_validator(mode="after")
    def _pieces_follow_each_other(self) -> Self:
        try:
            pieces = tuple((start, law) for start, law in self.pieces)
        except (TypeError, ValueError):
            raise ValueError("pieces: expected pairs of a round and a reward law") from None
        if not pieces:
            raise ValueError("pieces: expected at least one, got none")
        last = 0
        for n, (start, law) in enumerate(pieces):
            whole = isinstance(start, int | np.integer) and not isinstance(start, bool)
            if not whole or not last < start < 2**32 or (n == 0 and start != 1):
                allowed = "round 1" if n == 0 else f"a round after {last} and below 2**32"
                raise ValueError(f"piece {n} from {brief(start)}: expected {allowed}")
            _alike(f"piece {n}", law, pieces[0][1])
            last = start
        return self._settle(pieces=tuple((int(start), law) for start, law in pieces))

    @property
    def laws(self) -> list[OfMeans]:
        return [law for _, law in self.pieces]

    def instance(self, coins: Coins) -> Rewards:
        return Piecewise([(start, law.instance(coins)) for start, law in self.pieces]) if self.redraws else self

    def gaps_over(self, horizon: int) -> NDArray[np.float64]:
        ends = [*(start - 1 for start, _ in self.pieces[1:]), horizon]
        lengths = [max(0, min(end, horizon) - start + 1) for (start, _), end in zip(self.pieces, ends, strict=True)]
        total = np.zeros(self.n_arms)
        for law, length in zip(self.laws, lengths, strict=True):
            total += law.gaps * length
        return total / horizon

    def record(self) -> MovingRecord:
        return self._record([start for start, _ in self.pieces], 0)

    def describe(self) -> dict[str, Any]:
        head = {"type": "Piecewise", "n_agents": self.n_agents, "n_arms": self.n_arms}
        return {**head, "pieces": [{"from": start, **law.describe()} for start, law in self.pieces]}


# --- A drift -----------------------------------------------------------------------------------------------


class Drifting(Moving):
    """Means that move slowly from one table to another and back, along a cosine.

    In round t the share of `end` is (1 - cos(2 pi (t - 1) / period)) / 2: none in round 1, all of it after half a
    period. (Besbes, Gur and Zeevi 2014 use such sinusoids.) Over a horizon of T rounds a mean has moved by about
    2 T / period times the distance of its two values.

    Args:
        start, end: two laws that differ in their means only: Bernoulli, Gaussian or Beta.
        period: rounds from `start` to `end` and back, at least 2.

    Attributes:
        means: those of round 1.

    Raises:
        ValueError: laws that differ in more than their means, or a period that is no such number.
    """

    start: Annotated[Rewards, part(REWARDS)]
    end: Annotated[Rewards, part(REWARDS)]
    period: Annotated[int, Plain(int)]

    def __init__(self, start: Rewards, end: Rewards, period: int) -> None:
        self._write(start=start, end=end, period=period)

    @model_validator(mode="after")
    def _between_two_laws(self) -> Self:
        _alike("start", self.start, self.start)
        _alike("end", self.end, self.start)
        period = self.period
        if not is_whole(period) or not 2 <= period < 2**32:
            raise ValueError(f"period = {brief(period)}: expected an integer of at least 2 and below 2**32")
        return self._settle(period=int(period))

    @property
    def laws(self) -> list[OfMeans]:
        assert isinstance(self.start, OfMeans)
        assert isinstance(self.end, OfMeans)
        return [self.start, self.end]

    def instance(self, coins: Coins) -> Rewards:
        return Drifting(self.start.instance(coins), self.end.instance(coins), self.period) if self.redraws else self

    @cached_property
    def _ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Means over all agents, [n_arms], at the two ends."""
        return over_agents(self.start.means), over_agents(self.end.means)

    def gaps_over(self, horizon: int) -> NDArray[np.float64]:
        start, end = self._ends
        total = np.zeros(self.n_arms)
        for first in range(0, horizon, _ROUNDS_AT_ONCE):
            rounds = np.arange(first, min(first + _ROUNDS_AT_ONCE, horizon))
            share = 0.5 - 0.5 * np.cos(2.0 * pi * rounds / self.period)
            overall = start + (end - start) * share[:, None]
            total += (overall.max(axis=1, keepdims=True) - overall).sum(axis=0)
        return total / horizon

    def record(self) -> MovingRecord:
        return self._record([1, 1], self.period)

    def describe(self) -> dict[str, Any]:
        head = {"type": "Drifting", "n_agents": self.n_agents, "n_arms": self.n_arms}
        return {**head, "start": self.start.describe(), "end": self.end.describe(), "period": self.period}


# --- How they pay ---------------------------------------------------------------------------------------------


@implements(MovingRecord)
def scene(rewards: MovingRecord) -> NDArray[np.float64]:
    """The means of a round, and in a row behind them how far each arm is below the best one on average."""
    return np.zeros((rewards.tables.shape[1] + 1, rewards.tables.shape[2]))


@implements(MovingRecord)
def set_scene(rewards: MovingRecord, t: int, coins: Coins, scene: NDArray[np.float64]) -> None:
    n, n_arms, one, other, share = len(scene) - 1, scene.shape[1], 0, 0, 0.0
    if rewards.period > 0:
        other = 1
        share = 0.5 - 0.5 * cos(2.0 * pi * ((t - 1) % rewards.period) / rewards.period)
    else:
        while one + 1 < len(rewards.first) and rewards.first[one + 1] <= t:
            one += 1
        other = one
    best = -np.inf
    for k in range(n_arms):
        total = 0.0
        for i in range(n):
            start = rewards.tables[one, i, k]
            scene[i, k] = start + share * (rewards.tables[other, i, k] - start)
            total += scene[i, k]
        scene[n, k] = total / n
        best = max(best, scene[n, k])
    for k in range(n_arms):
        scene[n, k] = best - scene[n, k]


@implements(MovingRecord)
def varies(rewards: MovingRecord) -> bool:
    return True


@implements(MovingRecord)
def gap(rewards: MovingRecord, scene: NDArray[np.float64], t: int, arm: int, coins: Coins) -> float:
    value: float = scene[len(scene) - 1, arm]
    return value


@implements(MovingRecord)
def pay(
    rewards: MovingRecord,
    scene: NDArray[np.float64],
    i: int,
    arm: int,
    t: int,
    coins: Coins,
    reward: NDArray[np.float64],
) -> None:
    """As the law of that kind pays."""
    mean = scene[i, arm]
    if rewards.kind == _BERNOULLI:
        reward[i, 0] = 1.0 if bernoulli(coins, mean, REWARD, t, i, arm) else 0.0
    elif rewards.kind == _GAUSSIAN:
        reward[i, 0] = mean + rewards.width * gaussian(coins, REWARD, t, i, arm)
    else:
        alpha = mean * rewards.width
        reward[i, 0] = dice.beta(coins, alpha, rewards.width - alpha, REWARD, t, i, arm)
