"""Reward laws of users: what they pay out of range is named, and what they say of themselves is looked at."""

from typing import NamedTuple

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.interface import implements
from folkmoot.simulation.agents import Agents
from folkmoot.simulation.hindsight import offered
from folkmoot.simulation.parts import Parts
from folkmoot.simulation.simulate import make_job
from folkmoot.world.own_laws import WatchedRecord
from folkmoot.world.rewards import Rewards

NETWORK = fm.Static(nx.path_graph(2))


class PayingRecord(NamedTuple):
    means: np.ndarray
    value: float


class Paying(Rewards):
    """Pays 1/2, but agent 1 in round 3 what it is told."""

    value: float = 0.5
    in_range: bool = True
    table: tuple[tuple[float, ...], ...] = ((0.5, 0.5), (0.5, 0.5))
    spread: float = 0.5

    @property
    def means(self):
        return np.array(self.table)

    @property
    def bounded(self):
        return self.in_range

    @property
    def sub_gaussian(self):
        return self.spread

    def record(self):
        return PayingRecord(self.means, self.value)


class Wrong(Paying):
    def record(self):
        return PayingRecord(self.means, float("nan"))


@implements(PayingRecord)
def pay(rewards, scene, i, arm, t, coins, reward):
    reward[i, 0] = rewards.value if i == 1 and t == 3 else 0.5


def said(value, law="Paying"):
    allowed = "a number from 0 to 1, for the law is bounded"
    return rf"^{law}: pay gave {value} to agent 1 for arm [01] in round 3; expected {allowed}$"


@pytest.mark.parametrize("engine", ["interpreted", "compiled"])
def test_what_is_paid_out_of_range_is_named(engine):
    for law, value in ((Paying(value=7.0), 7), (Paying(value=-0.5), -0.5), (Wrong(), "nan")):
        with pytest.raises(ValueError, match=said(value, type(law).__name__)):
            fm.simulate(fm.UCB(), law, NETWORK, horizon=10, engine=engine, progress=False)


def test_what_a_law_of_any_range_may_not_pay():
    law, options = Paying(value=7.0, in_range=False), {"horizon": 10, "engine": "interpreted", "progress": False}
    assert fm.simulate(fm.UCB(), law, NETWORK, **options).horizon == 10
    with pytest.raises(ValueError, match=r"^Wrong: pay gave nan to agent 1 .*; expected a finite number$"):
        fm.simulate(fm.UCB(), Wrong(in_range=False), NETWORK, **options)


def test_wherever_it_is_paid():
    job = make_job(fm.UCB(), Paying(value=7.0), NETWORK, horizon=10, engine="interpreted")
    with pytest.raises(ValueError, match=said(7)):
        Parts(job).play(10)
    with pytest.raises(ValueError, match=said(7)):
        offered(job, 0)
    with pytest.raises(ValueError, match=said(7)):
        Agents(job).play(10)


def test_laws_of_the_package_are_not_watched():
    for law in (fm.Bernoulli([0.5, 0.5], n_agents=2), fm.HalfActive(fm.Beta([0.5, 0.5], n_agents=2))):
        assert not isinstance(make_job(fm.UCB(), law, NETWORK, horizon=10).world().rewards, WatchedRecord)
    halved = make_job(fm.UCB(), fm.HalfActive(Paying()), NETWORK, horizon=10).world().rewards
    assert isinstance(halved, WatchedRecord)


@pytest.mark.parametrize(
    ("law", "message"),
    [
        (Paying(table=((0.5, 2.0), (0.5, 0.5))), "Paying: mean of agent 0, arm 1 = 2.0: expected a number from 0 to 1"),
        (Paying(table=((), ())), r"Paying: means of shape \(2, 0\): expected \[n_agents, n_arms\]"),
        (Paying(spread=-1.0), r"Paying: sub_gaussian = -1\.0: expected a number from 0 to 1e\+100"),
    ],
)
def test_what_a_law_says_of_itself_is_looked_at_first(law, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make_job(fm.UCB(), law, NETWORK, horizon=10)


@pytest.mark.filterwarnings("error")
def test_where_nobody_is_ever_there_nothing_is_known():
    absences = [(0, 1, None), (1, 1, None)]
    result = fm.simulate(fm.UCB(), fm.Bernoulli([0.2, 0.8], n_agents=2), NETWORK, horizon=10, engine="interpreted",
                         presence=fm.Presence(absences=absences), progress=False)  # fmt: skip
    summary = result.summary()
    assert result.pulls.sum() == 0
    assert result.regret.max() == 0.0
    assert np.isnan(summary["best_arm_share"])
    assert np.isnan(summary["own_reward_mean"])
