"""Running replicates: finished ones are handed over when interrupted, and a cluster gives the same."""

from typing import ClassVar

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.simulation import replicates
from folkmoot.simulation.replicates import run_batch
from folkmoot.simulation.runner import run_one as run
from folkmoot.simulation.simulate import make_job

LONE = fm.Static(nx.empty_graph(1))
ARMS = fm.Bernoulli([[0.3, 0.6]])


def job(horizon):
    return make_job(fm.UCB(), ARMS, LONE, horizon=horizon, seed=2)


def interrupted(horizon, replicates, after, jobs=1):
    """The outcomes handed over when an interrupt arrives once so many rounds are done."""

    def on_rounds(rounds):
        if rounds >= after:
            raise KeyboardInterrupt

    outcomes = []

    def consume():
        for finished in run(job(horizon), range(replicates), jobs, on_rounds=on_rounds):
            outcomes.extend(finished)

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert len({outcome.replicate for outcome in outcomes}) == len(outcomes), "handed over twice"
    return {outcome.replicate: outcome for outcome in outcomes}


def test_an_interrupt_hands_over_finished_replicates_and_stops_the_others():
    """All replicates lie in one batch; to run them all would take minutes."""
    horizon = 20_000
    run_batch(job(horizon), [0])  # compiled before the clock of the progress callback starts
    outcomes = interrupted(horizon, 1_000_000, 2.5 * horizon)
    assert {0, 1} <= set(outcomes)
    assert set(outcomes) == set(range(len(outcomes)))
    assert len(outcomes) < 1_000_000
    for outcome in outcomes.values():
        assert outcome.pulls.sum() == horizon
    expected = run_batch(job(horizon), [1])[0]
    assert (outcomes[1].pulls == expected.pulls).all()


def test_an_interrupt_after_the_last_round_loses_nothing():
    assert set(interrupted(50, 3, 150)) == {0, 1, 2}


def test_an_interrupt_loses_no_batch_and_hands_none_over_twice(monkeypatch):
    monkeypatch.setattr(replicates, "_BATCH_STEPS", 1)
    assert set(interrupted(50, 40, 40 * 50, jobs=2)) == set(range(40))


def test_closing_the_iterator_early_stops_the_workers(monkeypatch):
    """To run the rest would take hours."""
    monkeypatch.setattr(replicates, "_BATCH_STEPS", 1)
    batches = run(job(20_000), range(100_000), 2)
    assert len(next(batches)) == 1
    batches.close()


def test_an_error_in_a_worker_reaches_the_caller():
    class Broken(fm.Bernoulli):
        breaks: ClassVar[bool] = False

        def record(self):
            if self.breaks:
                raise ValueError("no record today")
            return super().record()

    broken = make_job(fm.UCB(), Broken([[0.3, 0.6]]), LONE, horizon=10)  # laws of one's own are looked at here
    Broken.breaks = True
    with pytest.raises(ValueError, match="no record today"):
        list(run(broken, range(4), 2))


def test_dask_without_a_client_is_refused():
    pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    with pytest.raises(ValueError, match=r"^backend = 'dask': no client; create a distributed\.Client first$"):
        list(run(job(10), range(2), 2, "dask"))


def test_two_dask_worker_processes_give_the_same_result(tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    rewards = fm.Bernoulli(np.random.default_rng(0).uniform(size=(6, 3)))
    world = (fm.GSE(), rewards, fm.ErdosRenyi(nx.cycle_graph(6), 0.6))
    options = {"horizon": 200, "replicates": 6, "seed": 5, "progress": False}
    here = fm.simulate(*world, **options)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, local_directory=str(tmp_path)
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert len({worker["id"] for worker in client.scheduler_info()["workers"].values()}) == 2
        there = fm.simulate(*world, **options, jobs=2, backend="dask")
    for name in ("team_pulls", "pulls", "messages", "bytes"):
        assert (getattr(here, name) == getattr(there, name)).all()
