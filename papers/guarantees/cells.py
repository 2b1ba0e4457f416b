"""One algorithm in one world, and what is read off it."""

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import folkmoot as fm
from folkmoot.algorithms.base import Algorithm
from folkmoot.simulation.result import Result, student_interval

from .algorithms import PARTS
from .worlds import WORLDS, Setting

SMALL = 0.005  # a second half with less than this share of uniform play's rate is not called linear
STEADY = 0.8  # rate of regret in the second half over that in the second quarter; ln t: .5, sqrt t: .71, t: 1


class Cell(NamedTuple):
    """What one algorithm did in one world. All are shares of what uniform play loses in the same rounds.

    Attributes:
        share: mean over replicates of regret.
        half: half of its 95 % interval.
        quarter: the share after a quarter of the rounds.
        early: from a quarter to a half of the rounds.
        late: the second half.
        reward: the mean reward of a pull, for the agent that pulls; not a share.
        warns: does the algorithm say beforehand that it may go wrong here?
    """

    share: float
    half: float
    quarter: float
    early: float
    late: float
    reward: float
    warns: bool

    @property
    def is_linear(self) -> bool:
        """Does regret go on at the rate it had, as far as this horizon shows?"""
        return self.late >= SMALL and self.late >= STEADY * self.early


def checkpoints(horizon: int) -> list[int]:
    """A quarter, a half and the whole of a game."""
    return [horizon // 4, horizon // 2, horizon]


def read(result: Result) -> Cell:
    """Regret as shares of what the same number of pulls lose if arms are drawn uniformly."""
    pulls: NDArray[np.int64] = result.team_pulls.sum(axis=2)  # [replicates, 3], of agents that count
    uniform = pulls * float(result.gaps.mean())
    mean, half = student_interval(result.regret[:, -1] / uniform[:, -1])
    shares = result.regret[:, 0] / uniform[:, 0]
    steps = np.diff(result.regret, axis=1) / np.diff(uniform, axis=1)
    early, late = steps.mean(axis=0)
    numbers = mean, half, shares.mean(), early, late, result.own_reward.mean()
    return Cell(*(round(float(number), 6) for number in numbers), bool(result.configuration.get("remarks")))


def cell(fields: dict[str, Any], cache: Path) -> dict[str, Any]:
    """One algorithm in one world; or why it refuses."""
    setting = WORLDS[fields["world"]](fields["part"] == "alike")
    try:
        return play(PARTS[fields["part"]][fields["algorithm"]].make(setting), setting)._asdict()
    except ValueError as error:
        return {"refuses": str(error)}


def play(algorithm: Algorithm, setting: Setting, engine: str = "compiled") -> Cell:
    """One algorithm in one world. Raises ValueError if it refuses."""
    with warnings.catch_warnings(action="ignore"):  # what an algorithm warns of stands in the table
        result = fm.simulate(
            algorithm, setting.rewards, setting.network, horizon=setting.horizon, replicates=setting.replicates,
            progress=False, seed=1, checkpoints=checkpoints(setting.horizon), engine=engine, **setting.more,
        )  # fmt: skip
    return read(result)
