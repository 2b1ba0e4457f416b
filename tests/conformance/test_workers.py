"""Same seed, same result: on a cluster, and for a run broken off half-way and resumed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cases import CASES, DIFFERENT, Case, complete

import folkmoot as fm
from folkmoot.simulation.cells import Cell
from folkmoot.simulation.simulate import make_job
from folkmoot.simulation.sweep import sweep

every_algorithm = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
FIELDS = ("pulls", "team_pulls", "messages", "bytes", "regret")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two worker processes on this machine."""
    distributed = pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    folder = tmp_path_factory.mktemp("dask")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, local_directory=str(folder)
        ) as workers,
        distributed.Client(workers) as client,
    ):
        yield client


def same(one: fm.Result, other: fm.Result) -> None:
    for field in FIELDS:
        assert getattr(one, field).tobytes() == getattr(other, field).tobytes(), field


@every_algorithm
def test_a_dask_cluster_gives_the_same(case: Case, cluster: Any) -> None:
    world = fm.Bernoulli(DIFFERENT), complete(6)
    here = fm.simulate(case.algorithm, *world, horizon=300, replicates=4, seed=9)
    there = fm.simulate(case.algorithm, *world, horizon=300, replicates=4, seed=9, jobs=2, backend="dask")
    same(here, there)


@every_algorithm
def test_a_run_resumed_half_way_gives_the_same(case: Case, tmp_path: Path) -> None:
    """Three of six replicates, a torn last line as a crash leaves it, and then the rest."""
    job = make_job(case.algorithm, fm.Bernoulli(DIFFERENT), complete(6), horizon=300, seed=9)
    whole = sweep([Cell("x", job)], 6, tmp_path / "whole.jsonl", progress=False).results["x"]
    log = tmp_path / "broken.jsonl"
    sweep([Cell("x", job)], 3, log, progress=False)
    torn = log.read_bytes().splitlines()[-1][:100]
    with log.open("ab") as file:
        file.write(torn)
    resumed = sweep([Cell("x", job)], 6, log, workers=2, progress=False)
    assert resumed.resumed == 3
    same(whole, resumed.results["x"])
