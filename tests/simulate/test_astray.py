"""An algorithm that chooses what is no arm is told so by name: interpreted, compiled, in parts and by hand."""

from typing import NamedTuple

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.interface import implements
from folkmoot.simulation.parts import Parts
from folkmoot.simulation.simulate import make_job

WORLD = fm.Bernoulli([0.2, 0.5, 0.8], n_agents=4), fm.Static(nx.cycle_graph(4))


class Astray(Algorithm):
    """Pulls arm 0, but for agent 2 in round 3."""

    arm: int

    def params(self, problem: Problem) -> "Params":
        return Params(problem.n_agents, problem.n_arms, self.arm)


class Params(NamedTuple):
    n_agents: int
    n_arms: int
    arm: int


class State(NamedTuple):
    pulls: np.ndarray


@implements(Params)
def init(params):
    return State(np.zeros(params.n_agents, np.int64))


@implements(Params)
def select(params, state, i, t, coins):
    return params.arm if i == 2 and t == 3 else 0


@pytest.mark.parametrize("engine", ["interpreted", "compiled"])
@pytest.mark.parametrize("arm", [3, 5_000_000, -1])
def test_an_arm_out_of_range_is_named(engine, arm):
    expected = rf"^Astray: select gave arm {arm} for agent 2 in round 3; expected 0 to 2$"
    with pytest.raises(ValueError, match=expected):
        fm.simulate(Astray(arm=arm), *WORLD, horizon=50, replicates=2, engine=engine, progress=False)


def test_the_last_arm_is_one():
    result = fm.simulate(Astray(arm=2), *WORLD, horizon=50, engine="compiled", progress=False)
    assert result.pulls[0].tolist() == [[50, 0, 0], [50, 0, 0], [49, 0, 1], [50, 0, 0]]


def test_in_parts_too():
    parts = Parts(make_job(Astray(arm=3), *WORLD, horizon=50, engine="interpreted"))
    parts.play(2)
    with pytest.raises(ValueError, match=r"^Astray: select gave arm 3 for agent 2 in round 3"):
        parts.play(10)


def test_by_hand_too():
    agent = fm.agent(Astray(arm=3), fm.Problem.on(WORLD[1], n_arms=3, horizon=50), 2)
    for _ in range(2):
        agent.outcome(0.5)
        agent.close_round()
    with pytest.raises(ValueError, match=r"select gave arm 3 for agent 2 in round 3; expected 0 to 2$"):
        agent.arm()
