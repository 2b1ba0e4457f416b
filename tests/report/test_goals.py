"""The two goals in a report: told apart, and a warning where cooperating costs the agents."""

from dataclasses import replace

import numpy as np
import pytest
from made_results import make

from folkmoot.report import bandits, goals
from folkmoot.report.html import render

SAME = np.tile([0.75, 0.5, 0.25], (4, 1))
TASTES = np.array([[0.75, 0.5, 0.25], [0.75, 0.5, 0.25], [0.75, 0.5, 0.25], [0.25, 0.75, 0.5]])


def playing(name, pulls, means=TASTES, goal="common", replicates=4):
    """All agents of all replicates pull as `pulls` [n_agents, n_arms] says, one replicate a little otherwise."""
    pulls = np.repeat(np.array(pulls, np.int64)[None], replicates, axis=0)
    pulls[0, 0, 0] -= 1
    pulls[0, 0, 2] += 1
    made = make(name, replicates=replicates, means=means, kind="UCB" if goal == "own" else "GSE")
    made = replace(made, pulls=pulls, configuration={**made.configuration, "goal": goal})
    return replace(made, gaps=means.mean(axis=0).max() - means.mean(axis=0))


COMMON = [[1000, 0, 0]] * 3 + [[1000, 0, 0]]
OWN = [[1000, 0, 0]] * 3 + [[0, 1000, 0]]
POOR = [[0, 0, 1000]] * 4


def test_where_tastes_agree_nothing_is_said():
    together, alone = playing("GSE", COMMON, SAME), playing("UCB", POOR, SAME, "own")
    assert goals.remarks({"GSE": together, "UCB": alone}) == []
    assert "Two goals" not in render("T", {"GSE": together, "UCB": alone})


def test_without_means_nothing_is_said():
    assert goals.remarks({"GSE": make()}) == []


def test_it_warns_where_an_agent_alone_earns_more():
    results = {"GSE": playing("GSE", COMMON), "UCB": playing("UCB", OWN, goal="own")}
    first, second = goals.remarks(results)
    assert "pays 0.625 a pull" in first
    assert "would pay 0.750" in first
    assert second.startswith(
        "Cooperating costs the agents here. With UCB, where each plays for itself, agents earn 0.75"
    )
    assert "GSE (0.625)" in second
    document = render("T", results)
    assert '<p class="warning">' in document
    assert "<h2>Two goals</h2>" in document
    assert "own best arm" in document
    assert "GSE: regret against the common arm after" in render("T", {"GSE": results["GSE"]})
    assert second in bandits.terminal(results)[2]


def test_it_says_where_cooperating_pays():
    results = {"GSE": playing("GSE", COMMON), "UCB": playing("UCB", POOR, goal="own")}
    said = goals.remarks(results)[1]
    assert "costs" not in said
    assert said == "With UCB, where each plays for itself, agents earn 0.312 a pull, less than with GSE (0.625)."


def test_both_at_once_and_neither():
    own, common, poor = (playing("A", pulls) for pulls in (OWN, COMMON, POOR))
    said = goals.remarks({"A": own, "B": poor, "UCB": playing("UCB", COMMON, goal="own")})[1]
    assert "more than with B (0.312)" in said
    assert "They earn less than with A (0.750)" in said
    said = goals.remarks({"A": common, "UCB": playing("UCB", COMMON, goal="own")})[1]
    assert "as much as with A (0.625)" in said


def test_without_a_lone_learner_it_says_whom_to_add():
    said = goals.remarks({"GSE": playing("GSE", COMMON)})[1]
    assert "Add UCB" in said
    assert goals.PAGE in said


def test_different_worlds_get_no_remark():
    other = playing("B", OWN, goal="own")
    other = replace(other, configuration={**other.configuration, "seed": 9})
    results = {"A": playing("A", COMMON), "B": other}
    assert bandits.terminal(results)[2] == []
    assert "Two goals" not in render("T", results)


def test_the_goal_of_an_old_result_is_that_of_its_algorithm():
    assert goals.goal(make(kind="UCB")) == "own"
    assert goals.goal(make(kind="GSE")) == "common"


def test_ceilings_of_means_drawn_anew():
    means = np.stack([SAME, TASTES])
    result = replace(make(replicates=2), means=means, gaps=np.zeros((2, 3)))
    assert goals.ceilings(result) == pytest.approx(((0.75 + 0.625) / 2, 0.75))
