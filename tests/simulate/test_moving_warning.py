"""Whoever settles on an arm for good says so where means move."""

import warnings

import networkx as nx
import pytest

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.world.graphs import as_base_graph

NETWORK = fm.ErdosRenyi(nx.complete_graph(3), 1.0)
MOVING = [
    fm.Piecewise([(1, fm.Bernoulli([0.9, 0.1], n_agents=3)), (20, fm.Bernoulli([0.1, 0.9], n_agents=3))]),
    fm.Drifting(fm.Bernoulli([0.9, 0.1], n_agents=3), fm.Bernoulli([0.1, 0.9], n_agents=3), period=30),
]


def problem(moving: bool) -> Problem:
    return Problem(3, 2, 30, as_base_graph(nx.complete_graph(3)), 1.0, 0.5, moving=moving)


@pytest.mark.parametrize("rewards", MOVING)
@pytest.mark.parametrize(
    "algorithm", [fm.FloodSE(), fm.FloodSE(aggregate="tree"), fm.GSE(), fm.LayeredElimination()], ids=str
)
def test_an_elimination_rule_warns_where_means_move(algorithm: fm.Algorithm, rewards: fm.Rewards) -> None:
    with pytest.warns(UserWarning, match="means move from round to round") as said:
        result = fm.simulate(algorithm, rewards, NETWORK, horizon=30, engine="interpreted")
    assert [str(warning.message) for warning in said] == result.configuration["remarks"]
    assert result.configuration["remarks"][0].startswith(algorithm.label)


@pytest.mark.parametrize("algorithm", [fm.FloodSE(), fm.GSE(), fm.LayeredElimination(), fm.S3Cert()])
def test_nobody_warns_of_it_where_means_stay(algorithm: fm.Algorithm) -> None:
    assert algorithm.remarks(problem(moving=False)) == []
    assert len(algorithm.remarks(problem(moving=True))) == 1


def test_an_index_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fm.simulate(fm.UCB(), MOVING[0], NETWORK, horizon=30, engine="interpreted")


def test_what_the_warning_is_about() -> None:
    """All settle on the arm that is best at first, and pull the worst one from round 301 on."""
    pieces = [(1, fm.Bernoulli([1.0, 0.0], n_agents=3)), (301, fm.Bernoulli([0.0, 1.0], n_agents=3))]
    with pytest.warns(UserWarning, match="FloodSE"):
        result = fm.simulate(fm.FloodSE(), fm.Piecewise(pieces), NETWORK, horizon=600, engine="interpreted")
    assert (result.decisions == 0).all()
    assert result.regret[0, -1] >= 900
