"""Definition 1 computed from runs, held against a count of every pull, and against Lemma 1.

(6) rho_{n,t} = #{ j : (n,t) in I_{j,k_{n,t}}(T) }: the number of distinct index-driving estimators that include the
pull's outcome with unit weight. (7) Gamma_eff = sum over t and n of rho_{n,t} |C_{n,t}|. (8) the same of one arm.
"""

from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot import theory

MEANS = [[0.2, 0.3], [0.5, 0.4], [0.7, 0.8], [0.6, 0.3]]
N, T = 3, 200


def run(algorithm, network=None, **more):
    rewards = fm.VectorBernoulli(MEANS, fm.Linear([0.7, 0.3]), n_agents=N)
    game = {"horizon": T, "replicates": 2, "engine": "interpreted", "progress": False, **more}
    return fm.simulate(
        algorithm, rewards, network or fm.Static(nx.complete_graph(N)), corruption=fm.Suppress(budget=30),
        observe=("samples", "total"), **game,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "agents", "distinct"), [("S1", N, 1), ("S2", N, 1), ("S3", 1, 1)])
def test_equations_6_to_8_of_a_run(name, agents, distinct) -> None:
    """S1 and S2 have one multiplicity, by either count: Lemma 1's N and 1 are two counts, not two protocols (E-7)."""
    result = run(getattr(fm, name)())
    for replicate in (0, 1):
        spent = result.corruption_spent_per_arm[replicate]
        assert spent.sum() > 20
        for count, rho in (("agents", agents), ("distinct", distinct)):
            found = theory.effective_corruption_of_run(result, replicate, count)
            assert (found.multiplicity == rho).all()
            np.testing.assert_allclose(found.of_arm, rho * spent)
            assert found.total == pytest.approx(rho * spent.sum())


def test_it_is_what_a_count_of_every_pull_gives() -> None:
    """The same run of S1, pull by pull: agent i holds (n, t) if its samples of the arm are all of the team's."""
    result = run(fm.S1(), per_agent=True, checkpoints=range(1, T + 1))
    pulls = np.diff(result.agent_pulls[0], axis=0, prepend=0)  # [rounds, n_agents, n_arms]
    arm = pulls.argmax(axis=2).ravel()
    spent = result.corruption_spent_per_arm[0]
    share = (spent / pulls.sum(axis=(0, 1)))[arm]  # of each pull of the arm alike: (8) is a sum
    held = np.array([result.observed["samples"][0, -1, i][arm] == pulls.sum(axis=(0, 1))[arm] for i in range(N)])
    every, counted = theory.effective_corruption(held, share, arm, 4), theory.effective_corruption_of_run(result)
    assert every.total == pytest.approx(counted.total)
    np.testing.assert_allclose(every.of_arm, counted.of_arm)
    assert set(every.multiplicity) == set(counted.multiplicity) == {N}


def test_an_arm_that_nobody_pulled_has_no_multiplicity() -> None:
    samples = np.array([[[[2, 0], [1, 0]]]])
    made = SimpleNamespace(
        observed={"samples": samples, "total": np.ones((1, 1, 2, 2, 1))},
        team_pulls=np.array([[[3, 0]]]),
        corruption_spent_per_arm=np.array([[1.5, 0.0]]),
    )
    found = theory.effective_corruption_of_run(made)
    assert found.multiplicity.tolist() == [1, 0]
    assert found.of_arm.tolist() == [1.5, 0.0]


def test_samples_that_not_all_have_are_refused() -> None:
    result = run(fm.S1(), fm.ErdosRenyi(nx.complete_graph(N), 0.5))
    with pytest.raises(ValueError, match=r"arm \d: \d+ samples of \d+ pulls: some are in more estimators"):
        theory.effective_corruption_of_run(result)


def test_errors_are_one_line() -> None:
    result = run(fm.S3(), horizon=5)
    with pytest.raises(ValueError, match="count = 'pulls': allowed are 'agents' and 'distinct'"):
        theory.effective_corruption_of_run(result, count="pulls")  # type: ignore[arg-type]
    result.observed.pop("total")
    with pytest.raises(ValueError, match=r"expected one simulated with observe = .*lacks \['total'\]"):
        theory.effective_corruption_of_run(result)
