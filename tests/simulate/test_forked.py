"""Parallel loops: not begun in a copy of the process, nor by two threads at a time; memory of all workers."""

import os
import threading
import time
import warnings

import networkx as nx
import pytest

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.simulation import runner
from folkmoot.simulation.compiled import PARALLEL, threads_of_a_round
from folkmoot.simulation.simulate import make_job


@pytest.fixture(autouse=True)
def as_before():
    kept = PARALLEL.begun, PARALLEL.copied
    yield
    PARALLEL.begun, PARALLEL.copied = kept


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are never copied on this system")
@pytest.mark.parametrize("begun", [True, False])
def test_a_copy_of_a_process_that_played_in_parallel_plays_one_by_one(begun):
    PARALLEL.begun = begun
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that there are threads
        child = os.fork()
    if child == 0:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with threads_of_a_round(2) as parallel:
                os.write(write, f"{parallel} {' '.join(str(one.message) for one in caught)}".encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    told = os.read(read, 10_000).decode()
    os.close(read)
    assert told.startswith("False this process is a copy" if begun else "True ")
    assert ("get_context('spawn')" in told) == begun


def test_two_threads_take_turns():
    inside, most, lock = [0], [0], threading.Lock()

    def play():
        with threads_of_a_round(2) as parallel:
            assert parallel
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.05)
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=play) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_the_memory_of_all_workers_counts(monkeypatch):
    n = 60
    world = fm.Bernoulli([0.2, 0.8], n_agents=n), fm.Static(nx.cycle_graph(n))
    job = make_job(fm.CooperativeUCB(), *world, horizon=20, engine="interpreted")
    assert job.memory == 16.0 * n * n * 2  # two numbers for each pair and arm
    monkeypatch.setattr(Problem, "memory_limit", 2.5 * job.memory)
    with pytest.raises(ValueError, match=r"^jobs = 4: 4 replicates at a time would need [^\n]*, so at most jobs = 2$"):
        list(runner.run([(job, range(8))], 4))
    assert len(list(runner.run([(job, range(2))], 4))) == 2  # no more than two are played at a time
