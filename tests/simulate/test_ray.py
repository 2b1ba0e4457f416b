"""Replicates on a cluster of Ray, started on this machine; `make test-ray` runs this."""

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.simulation.runner import run
from folkmoot.simulation.simulate import make_job

pytestmark = pytest.mark.ray
WORLD = fm.Bernoulli(np.random.default_rng(0).uniform(size=(4, 3))), fm.Static(nx.cycle_graph(4))
OPTIONS = {"horizon": 30_000, "engine": "interpreted", "seed": 3}


@pytest.fixture(scope="module")
def cluster():
    """Two workers."""
    ray = pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield ray
    ray.shutdown()


def test_tasks_come_back_one_by_one_with_the_same_result(cluster):
    told, outcomes, tasks = [], [], 0
    for done in run([(make_job(fm.UCB(), *WORLD, **OPTIONS), range(5))], 1, "ray", lambda game, n: told.append(n)):
        assert done.error is None
        outcomes += done.outcomes
        tasks += 1
    assert tasks == len(told) > 2
    here = fm.simulate(fm.UCB(), *WORLD, **OPTIONS, replicates=5, progress=False)
    there = sorted(outcomes, key=lambda outcome: outcome.replicate)
    assert np.array_equal(here.pulls, np.stack([outcome.pulls for outcome in there]))


def test_an_own_class_is_refused(cluster):
    class Mine(fm.UCB):
        label = "mine"

    with pytest.raises(ValueError, match=r"^backend = 'ray': [^\n]*Mine is defined in this program, [^\n]*py_modules"):
        list(run([(make_job(Mine(), *WORLD, **OPTIONS), range(2))], 1, "ray"))
