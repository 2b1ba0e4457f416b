"""Replicates on a cluster of Dask: handed over as they come, in a log that resumes, and own classes are refused."""

import sys
import textwrap

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.simulation import backends, replicates
from folkmoot.simulation.cells import Cell
from folkmoot.simulation.runner import run
from folkmoot.simulation.simulate import make_job
from folkmoot.simulation.sweep import sweep

distributed = pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
WORLD = fm.Bernoulli(np.random.default_rng(0).uniform(size=(4, 3))), fm.Static(nx.cycle_graph(4))
REPLICATES = 6


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two worker processes on this machine."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
            local_directory=str(tmp_path_factory.mktemp("dask")),
        ) as workers,
        distributed.Client(workers) as client,
    ):  # fmt: skip
        yield client


def job(horizon=40, algorithm=None):
    return make_job(algorithm or fm.UCB(), *WORLD, horizon=horizon, engine="interpreted", seed=3)


@pytest.fixture
def a_task_each(monkeypatch):
    """A task for each replicate, as long games have it."""
    monkeypatch.setattr(replicates, "_BATCH_STEPS", 1)


def test_tasks_come_back_one_by_one(cluster, a_task_each):
    told, tasks = [], []
    for done in run([(job(1_000), range(REPLICATES))], 1, "dask", lambda game, rounds: told.append(rounds)):
        assert done.error is None
        tasks.append([outcome.replicate for outcome in done.outcomes])
    assert sorted(number for task in tasks for number in task) == list(range(REPLICATES))
    assert len(tasks) == len(told) > 2  # more than one for each worker
    assert told == sorted(told)


def test_what_is_finished_at_an_interrupt_is_in_the_log_and_the_rest_is_played_later(
    cluster, tmp_path, monkeypatch, a_task_each
):
    cells, log = [Cell("one", job(1_000))], tmp_path / "log.jsonl"
    handed = backends.play

    def interrupted(calls, backend):
        for number, one in enumerate(handed(calls, backend)):
            yield one
            if number == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(backends, "play", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep(cells, REPLICATES, log, backend="dask", progress=False)
    rows = len(log.read_text(encoding="utf-8").splitlines()) - 1
    assert 0 < rows < REPLICATES
    monkeypatch.setattr(backends, "play", handed)
    swept = sweep(cells, REPLICATES, log, backend="dask", progress=False)
    assert swept.resumed == rows
    here = fm.simulate(
        fm.UCB(), *WORLD, horizon=1_000, engine="interpreted", seed=3, replicates=REPLICATES, progress=False
    )
    assert np.array_equal(swept.results["one"].pulls, here.pulls)


MINE = textwrap.dedent("""
    import folkmoot as fm

    class Mine(fm.UCB):
        label = "mine"
""")


def test_an_own_class_that_workers_cannot_import_is_refused(cluster):
    names = {"__name__": "__main__"}
    exec(MINE, names)
    with pytest.raises(ValueError, match=r"^backend = 'dask': Mine is defined in this program, [^\n]*upload_file"):
        list(run([(job(algorithm=names["Mine"]()), range(2))], 1, "dask"))


def test_an_own_class_in_a_module_works_once_the_module_is_there(cluster, tmp_path, monkeypatch):
    (tmp_path / "mine_on_dask.py").write_text(MINE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    own = __import__("mine_on_dask").Mine()
    try:
        with pytest.raises(ValueError, match=r"^backend = 'dask': a worker has no module 'mine_on_dask'; [^\n]*"):
            list(run([(job(algorithm=own), range(2))], 1, "dask"))
        cluster.upload_file(str(tmp_path / "mine_on_dask.py"))
        (one, *_) = run([(job(algorithm=own), range(1))], 1, "dask")
        assert one.error is None
        assert one.outcomes[0].replicate == 0
    finally:
        sys.modules.pop("mine_on_dask", None)


@pytest.mark.parametrize("backend", ["spark", 3, ["dask"]])
def test_another_backend_is_refused(backend):
    with pytest.raises(ValueError, match=r"^backend = [^\n]*: allowed are None, 'dask' and 'ray'$"):
        list(run([(job(), range(1))], 1, backend))
