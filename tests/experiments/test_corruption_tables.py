"""Experiment files with an adversary, verified pulls, vector rewards."""

from pathlib import Path

import numpy as np
import pytest

import folkmoot as fm
from folkmoot.experiments.plan import plan
from folkmoot.world import SCALARISATIONS
from folkmoot.world.corruption import CORRUPTIONS
from folkmoot.world.means import Uniform, UniformVectors

MEANS = [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]
VECTORS = {
    "type": "vector_bernoulli",
    "n_agents": 2,
    "means": MEANS,
    "scalarisation": {"type": "linear", "weights": [0.25, 0.75]},
}


def cells(**changes):
    document = {
        "name": "test",
        "horizon": 50,
        "rewards": {"type": "bernoulli", "means": MEANS},
        "network": {"type": "static", "base": "complete"},
        "algorithm": [{"type": "s2"}],
        **changes,
    }
    return plan(document, Path(".")).cells


def only(**changes):
    (cell,) = cells(**changes)
    return cell.job


# --- Adversaries --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "corruption"),
    [
        ({"type": "suppress", "budget": 5}, fm.Suppress(budget=5)),
        ({"type": "suppress", "budget": 5.5, "target": 1}, fm.Suppress(budget=5.5, target=1)),
        ({"type": "suppress", "budget": 5, "spending": "spread"}, fm.Suppress(budget=5, spending="spread")),
        ({"type": "promote", "budget": 5, "decoy": "second"}, fm.Promote(budget=5, decoy="second")),
        ({"type": "swap", "budget": 0, "target": 0, "decoy": 1}, fm.Swap(budget=0, target=0, decoy=1)),
        ({"type": "thinning", "budget": 5, "keep": 0.5}, fm.Thinning(budget=5, keep=0.5)),
        ({"type": "flip_random", "budget": 5, "rate": 1}, fm.FlipRandom(budget=5, rate=1.0)),
    ],
)
def test_an_adversary_is_the_class_of_python(table, corruption):
    job = only(corruption=table)
    assert job.corruption == corruption
    assert type(job.corruption) is type(corruption)
    assert job.problem().corruption == table["budget"]


def test_every_adversary_has_a_name_in_files():
    assert set(CORRUPTIONS.values()) == {fm.Suppress, fm.Promote, fm.Swap, fm.Thinning, fm.FlipRandom}
    assert CORRUPTIONS["flip_random"] is fm.FlipRandom


def test_without_a_table_there_is_none():
    job = only()
    assert job.corruption is None
    assert job.verification == 0
    assert (job.problem().corruption, job.problem().verification) == (0.0, 0)


def test_budgets_may_be_a_grid():
    found = cells(corruption={"type": "suppress", "budget": {"grid": [0, 10]}}, verification={"grid": [0, 20]})
    assert [(cell.job.corruption.budget, cell.job.verification) for cell in found] == [
        (0, 0),
        (0, 20),
        (10, 0),
        (10, 20),
    ]
    assert found[3].name == "S2 statistics, budget = 10, verification = 20"
    assert found[3].settings == {"budget": 10, "verification": 20}


def test_adversaries_may_be_a_grid():
    tables = [{"type": "suppress", "budget": 3}, {"type": "promote", "budget": 3}]
    found = cells(corruption={"grid": tables})
    assert [type(cell.job.corruption) for cell in found] == [fm.Suppress, fm.Promote]


def test_the_protocols_are_told_the_budgets():
    job = only(corruption={"type": "suppress", "budget": 7}, verification=30)
    assert job.params().rule.corruption == 7
    assert job.params().rule.verifications == 30


# --- Vectors --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "law"),
    [
        ({"type": "linear", "weights": [0.25, 0.75]}, fm.Linear([0.25, 0.75])),
        ({"type": "linear", "weights": [0, 1]}, fm.Linear([0.0, 1.0])),
        ({"type": "chebyshev"}, fm.Chebyshev()),
        ({"type": "log_sum_exp"}, fm.LogSumExp(5.0)),
        ({"type": "log_sum_exp", "beta": 2}, fm.LogSumExp(2.0)),
    ],
)
def test_scalarisations(table, law):
    rewards = only(rewards={**VECTORS, "scalarisation": table}).rewards
    assert rewards.describe() == fm.VectorBernoulli(MEANS, law, n_agents=2).describe()
    np.testing.assert_array_equal(rewards.means, fm.VectorBernoulli(MEANS, law, n_agents=2).means)


def test_every_scalarisation_has_a_name_in_files():
    assert set(SCALARISATIONS) == {"linear", "chebyshev", "log_sum_exp"}


def test_drawn_vectors_are_independent_of_how_many_objectives_there_are():
    """Objective j of all arms is row j of the table that Uniform draws."""
    given = {"law": "uniform", "n_arms": 3, "seed": 5, "low": 0.2, "high": 0.4}
    rewards = only(rewards={**VECTORS, "means": {**given, "n_objectives": 2}}).rewards
    assert rewards.vector_means.shape == (3, 2)
    np.testing.assert_array_equal(rewards.vector_means.T, Uniform(**given, n_agents=2).table())
    longer = UniformVectors(**given, n_objectives=4).table()
    np.testing.assert_array_equal(longer[:, :2], rewards.vector_means)


def test_scalarisations_may_be_a_grid():
    kinds = [{"type": "chebyshev"}, {"type": "linear", "weights": [0.5, 0.5]}]
    found = cells(rewards={**VECTORS, "scalarisation": {"grid": kinds}})
    assert [cell.job.rewards.describe()["scalarisation"]["type"] for cell in found] == ["Chebyshev", "Linear"]
    assert found[0].job.network is found[1].job.network


def test_several_problems_are_counted_over_all_tables():
    with pytest.raises(
        ValueError,
        match=r"^verification = -1: expected at least 0 \(and 2 more: algorithm\[0\]\.type, corruption\.type\)$",
    ):
        cells(verification=-1, corruption={"type": "swop"}, algorithm=[{"type": "s5"}])
