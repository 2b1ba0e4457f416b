"""After a parallel run: a forked pool of the user's ends, and two threads abort nothing; in processes of their own."""

import os
import subprocess
import sys

import pytest

# A parallel loop as the simulator's, but small, so that it is compiled in a moment.
PROGRAM = """
import sys
sys.path[:0] = {paths!r}
import multiprocessing
import threading
import warnings
import numpy as np
from folkmoot.simulation.compiled import compiler, threads_of_a_round

numba = compiler()

@numba.njit(parallel=True)
def total(x):
    found = 0.0
    for i in numba.prange(len(x)):
        found += x[i]
    return found

def play(number):
    with threads_of_a_round(2) as parallel:
        return float(total(np.ones(1_000))) if parallel else "one by one"

def often():
    for number in range(300):
        play(number)

{act}
"""
TWO_THREADS = """
play(0)
threads = [threading.Thread(target=often) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(play(0))
"""
FORKED = """
print(play(0))
warnings.simplefilter("ignore")
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map_async(play, range(4)).get(timeout=600))
print(play(0))
"""


def said(act, **environment):
    program = PROGRAM.format(paths=[path for path in sys.path if path], act=act)
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=1_200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.splitlines()


def test_two_threads_with_the_workqueue_layer():
    assert said(TWO_THREADS, NUMBA_THREADING_LAYER="workqueue") == ["1000.0"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are never copied on this system")
@pytest.mark.parametrize("layer", ["workqueue", "default"])
def test_a_forked_pool_after_a_parallel_run(layer):
    assert said(FORKED, NUMBA_THREADING_LAYER=layer) == ["1000.0", str(["one by one"] * 4), "1000.0"]
