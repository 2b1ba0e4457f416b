"""After games in threads: copies of the process, several games at once; memory of all workers."""

import os
import signal
import subprocess
import sys
import threading
import time

import networkx as nx
import pytest
from jitted import jit

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.simulation import runner
from folkmoot.simulation.replicates import run_batch
from folkmoot.simulation.simulate import make_job

JOB = make_job(fm.UCB(), fm.Bernoulli([0.2, 0.5, 0.8], n_agents=6), fm.Static(nx.cycle_graph(6)), horizon=150)


def pulls(threads: int) -> bytes:
    (outcome,) = run_batch(JOB, [0], threads)
    return outcome.pulls.tobytes()


def test_games_at_once_each_in_threads():
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(pulls(2))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [pulls(1)] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are never copied on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # that there are threads
def test_a_copy_of_a_process_that_played_in_threads_plays_in_threads():
    before = pulls(2)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, pulls(2))
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    assert os.read(read, 10_000) == before
    os.close(read)


def test_the_compilers_own_threads_are_never_begun():
    """Some of them abort where two threads ask for them, or wait for ever in a copy."""
    program = """
import numba
from test_forked import pulls
pulls(2)
try:
    print(numba.threading_layer())
except ValueError:
    print("none")
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *filter(None, sys.path)])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "none"


def test_the_memory_of_all_workers_counts(monkeypatch):
    n = 60
    world = fm.Bernoulli([0.2, 0.8], n_agents=n), fm.Static(nx.cycle_graph(n))
    job = make_job(fm.CooperativeUCB(), *world, horizon=20, engine="interpreted")
    assert job.memory == 16.0 * n * n * 2  # two numbers for each pair and arm
    monkeypatch.setattr(Problem, "memory_limit", 2.5 * job.memory)
    with pytest.raises(ValueError, match=r"^jobs = 4: 4 replicates at a time would need [^\n]*, so at most jobs = 2$"):
        list(runner.run([(job, range(8))], 4))
    assert len(list(runner.run([(job, range(2))], 4))) == 2  # no more than two are played at a time


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are never copied on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # that there are threads
def test_a_copy_made_while_another_thread_compiles_compiles():
    pulls(1)
    from numba.core.compiler_lock import global_compiler_lock

    begun = threading.Event()

    def compile_slowly() -> None:
        with global_compiler_lock:
            begun.set()
            time.sleep(0.5)

    compiling = threading.Thread(target=compile_slowly)
    compiling.start()
    begun.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # ends a copy that waits for a thread that it has not
        jit(lambda: 5)()
        os._exit(0)
    compiling.join()
    assert os.waitpid(child, 0)[1] == 0
    assert jit(lambda: 6)() == 6
