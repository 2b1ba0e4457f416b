"""Whoever settles on an arm for good says so where a log is replayed as it was."""

import warnings

import networkx as nx
import pytest

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.world.graphs import as_base_graph

NETWORK = fm.ErdosRenyi(nx.complete_graph(3), 1.0)
TURNING = [[[1.0] * 200 + [0.0] * 400, [0.0] * 200 + [1.0] * 400]] * 3  # arm 0 is best at first, arm 1 on the whole


def problem(replayed: bool) -> Problem:
    return Problem(3, 2, 30, as_base_graph(nx.complete_graph(3)), 1.0, 0.5, replayed=replayed)


@pytest.mark.parametrize("algorithm", [fm.FloodSE(), fm.GSE(), fm.LayeredElimination(), fm.S3Cert()], ids=str)
def test_an_elimination_rule_warns_where_a_log_is_replayed(algorithm: fm.Algorithm) -> None:
    assert algorithm.remarks(problem(replayed=False)) == []
    (said,) = algorithm.remarks(problem(replayed=True))
    assert said.startswith(f"{algorithm.label}: a log is replayed as it was here")


def test_an_index_does_not_warn() -> None:
    assert fm.UCB().remarks(problem(replayed=True)) == []


def test_which_orders_are_replayed(tmp_path) -> None:
    rows = [f"{agent},{arm},1" for arm in (0, 1) for agent in (0, 1, 2) for _ in range(20)]
    (tmp_path / "log.csv").write_text("\n".join(["agent,arm,reward", *rows]), encoding="utf-8")
    laws = {order: fm.Replay.from_file(tmp_path / "log.csv", order=order) for order in ("drawn", "time", "rejection")}
    assert {order: law.replayed for order, law in laws.items()} == {"drawn": False, "time": True, "rejection": True}
    assert [fm.HalfActive(laws[order]).replayed for order in ("drawn", "time")] == [False, True]
    assert not fm.Bernoulli([0.9, 0.1], n_agents=3).replayed


def test_what_the_warning_is_about() -> None:
    """By time all settle on the arm that is best at first, and pull the other one, which is best, no more."""
    by_time = fm.Replay(TURNING, order="time")
    assert by_time.best_arm == 1
    with pytest.warns(UserWarning, match="FloodSE: a log is replayed as it was") as said:
        result = fm.simulate(fm.FloodSE(), by_time, NETWORK, horizon=600, engine="interpreted")
    assert [str(warning.message) for warning in said] == result.configuration["remarks"]
    assert (result.decisions == 0).all()


def test_rewards_that_are_drawn_from_a_log_are_no_reason_to_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fm.simulate(fm.FloodSE(), fm.Replay(TURNING), NETWORK, horizon=30, engine="interpreted")
