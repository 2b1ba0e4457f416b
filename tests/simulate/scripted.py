"""An algorithm that pulls and verifies what it is told to, and writes down what it sees: for tests of the loop."""

from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import PrivateAttr

import folkmoot as fm
from folkmoot.interface import implements


class Params(NamedTuple):
    """The script, and what came of it in the last replicate."""

    n_agents: int
    n_arms: int
    arms: np.ndarray  # int64 [rounds, n_agents]
    asks: np.ndarray  # bool [rounds, n_agents]
    settles: np.ndarray  # int64 [rounds, n_agents]  the decision after each round
    asked: np.ndarray  # bool [rounds, n_agents]  was verify() called?
    reward: np.ndarray  # float64 [rounds, n_agents, n_objectives]
    verified: np.ndarray  # bool [rounds, n_agents]
    spent: np.ndarray  # float64 [rounds, n_arms]  as an oracle is told
    now: np.ndarray  # int64 [1]


class Scripted(fm.Algorithm):
    """The arms of a script."""

    label: ClassVar[str] = "Scripted"
    many_objectives: ClassVar[bool] = True
    _record: Params = PrivateAttr()

    def __init__(self, arms, n_arms, d=1, asks=None, settles=None):
        super().__init__()
        arms = np.array(arms, np.int64)
        rounds, n = arms.shape
        self._record = Params(
            n,
            n_arms,
            arms,
            np.zeros((rounds, n), np.bool_) if asks is None else np.array(asks, np.bool_),
            np.full((rounds, n), -1) if settles is None else np.array(settles, np.int64),
            np.zeros((rounds, n), np.bool_),
            np.full((rounds, n, d), np.nan),
            np.zeros((rounds, n), np.bool_),
            np.full((rounds, n_arms), np.nan),
            np.zeros(1, np.int64),
        )

    def params(self, problem):
        return self._record

    @property
    def saw(self):
        """What came of it."""
        return self._record


@implements(Params)
def init(params):
    params.asked[:] = False
    return params


@implements(Params)
def select(params, state, i, t, coins):
    params.now[0] = t
    return params.arms[t - 1, i]


@implements(Params)
def verify(params, state, i, t, arm, coins):
    params.asked[t - 1, i] = arm == params.arms[t - 1, i]
    return params.asks[t - 1, i]


@implements(Params)
def oversee(params, state, t, seen, spent):
    for k in range(params.n_arms):
        params.spent[t - 1, k] = spent[k]


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    params.verified[t - 1, i] = seen.verified[i]
    for j in range(seen.reward.shape[1]):
        params.reward[t - 1, i, j] = seen.reward[i, j]


@implements(Params)
def decision(params, state, i):
    return params.settles[params.now[0] - 1, i]
