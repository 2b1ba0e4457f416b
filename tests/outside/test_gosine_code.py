"""Regret of our GoSInE, and of UCB alone, beside that of the official code of GoSInE.

`gosine_code.json` holds regrets an agent after 1,000, 3,375 and 8,000 rounds, a row a run, for one instance with 15
agents and 40 arms; `README.md` beside it says how it was made. Chance differs, so the agreement is statistical: the
means of two samples of runs are less than five standard errors of their difference apart, in each round.
"""

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm

THEIRS = json.loads((Path(__file__).parent / "gosine_code.json").read_text())
RUNS = 12


def apart(ours, theirs):
    """The difference of two means in its standard errors, [rounds]."""
    error = ours.var(axis=0, ddof=1) / len(ours) + theirs.var(axis=0, ddof=1) / len(theirs)
    return (ours.mean(axis=0) - theirs.mean(axis=0)) / np.sqrt(error)


def regrets(algorithm, n_agents):
    """Regret an agent, [runs, rounds]."""
    world = fm.Bernoulli(np.array(THEIRS["means"]), n_agents=n_agents), fm.Static(nx.complete_graph(n_agents))
    rounds = THEIRS["rounds"]
    result = fm.simulate(algorithm, *world, horizon=rounds[-1], checkpoints=rounds, replicates=RUNS, seed=2001, jobs=1)
    return np.asarray(result.regret_per_agent)


@pytest.mark.parametrize(("name", "n_agents"), [("gosine", THEIRS["n_agents"]), ("alone", 1)])
def test_regret_is_that_of_the_official_code(name: str, n_agents: int) -> None:
    algorithm = fm.GoSInE() if name == "gosine" else fm.UCB(exploration=4.0)
    assert (abs(apart(regrets(algorithm, n_agents), np.array(THEIRS[name]))) < 5).all()


def test_another_radius_is_told_apart() -> None:
    assert (abs(apart(regrets(fm.UCB(exploration=3.5), 1), np.array(THEIRS["alone"]))) > 5).any()
