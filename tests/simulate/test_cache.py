"""Compiled code on disk: reused by the next process, never stale, never for what lies outside the package."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import folkmoot
from folkmoot.simulation.compiled import cache_folder, source_digest

RUN = """
import json
import networkx as nx
import folkmoot as fm
from folkmoot.simulation.compiled import loop
from folkmoot.simulation.simulate import make_job

world = fm.UCB(), fm.Bernoulli([[0.2, 0.8]]), fm.Static(nx.empty_graph(1))
result = fm.simulate(*world, horizon=200, replicates=2, progress=False)
job = make_job(*world, horizon=200)
stats = loop("compiled", (job.params(), job.world())).stats
print(json.dumps({
    "home": fm.__file__,
    "pulls": result.pulls.tolist(),
    "hits": sum(stats.cache_hits.values()),
    "misses": sum(stats.cache_misses.values()),
}))
"""

OWN = """
import json
from typing import NamedTuple
import networkx as nx
import numpy as np
import folkmoot as fm
from folkmoot.interface import implements

class Params(NamedTuple):
    n_agents: int
    n_arms: int
    arm: int

class Stubborn(fm.Algorithm):
    arm: int = 1
    def params(self, problem):
        return Params(problem.n_agents, problem.n_arms, self.arm)

class State(NamedTuple):
    pulls: np.ndarray

@implements(Params)
def init(params):
    return State(np.zeros((params.n_agents, params.n_arms), np.int64))

@implements(Params)
def select(params, state, i, t, coins):
    return params.arm

result = fm.simulate(Stubborn(), fm.Bernoulli([[0.2, 0.8]]), fm.Static(nx.empty_graph(1)), horizon=50, progress=False)
print(json.dumps({"pulls": result.pulls.tolist()}))
"""


def run(script, home, cache):
    """Run a script in a process of its own, with the package found in `home`."""
    environment = {**os.environ, "PYTHONPATH": str(home), "FOLKMOOT_CACHE": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def edit(home, name, old, new):
    path = home / "folkmoot" / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{name}: the line this test edits has changed"
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A copy of the package, its cache, and what the first run printed."""
    home = tmp_path_factory.mktemp("home")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(folkmoot.__file__).parent, home / "folkmoot", ignore=ignore)
    cache = home / "cache"
    out = run(RUN, home, cache)
    assert Path(out["home"]).parent == home / "folkmoot"
    assert (out["hits"], out["misses"]) == (0, 1)
    return home, cache, out


def test_the_second_process_reuses_the_first_ones_code(first):
    home, cache, before = first
    stored = files(cache)
    assert stored
    after = run(RUN, home, cache)
    assert (after["hits"], after["misses"]) == (1, 0)
    assert after["pulls"] == before["pulls"]
    assert files(cache) == stored


EDITS = {
    "a helper of the coins": ("coins.py", "    return _unit(w0, w1)\n\n\n@kernel\ndef two_uniforms", None),
    "an update": ("algorithms/ucb.py", "state.pulls[i, k] += 1", "state.pulls[i, k] += 2"),
    "a reward law": ("world/rewards.py", "reward[i, 0] = 1.0 if bernoulli", "reward[i, 0] = 0.0 if bernoulli"),
}


@pytest.mark.parametrize("case", EDITS)
def test_an_edit_in_another_file_is_seen(first, case):
    home, cache, before = first
    name, old, new = EDITS[case]
    text = (home / "folkmoot" / name).read_text(encoding="utf-8")
    try:  # in place: numba itself tells apart copies in different folders
        edit(home, name, old, new or old.replace("_unit(w0, w1)", "1.0 - _unit(w0, w1)", 1))
        after = run(RUN, home, cache)
    finally:
        (home / "folkmoot" / name).write_text(text, encoding="utf-8")
    assert (after["hits"], after["misses"]) == (0, 1)
    assert after["pulls"] != before["pulls"]


def test_an_algorithm_of_the_users_own_works_and_is_not_kept_on_disk(first, tmp_path):
    home, _, _ = first
    assert run(OWN, home, tmp_path / "cache") == {"pulls": [[[0, 50]]]}
    assert files(tmp_path / "cache") == {}


def test_where_nothing_can_be_written_it_runs_uncached(first, tmp_path):
    home, _, before = first
    (tmp_path / "file").write_text("")
    out = run(RUN, home, tmp_path / "file")
    assert out["pulls"] == before["pulls"]
    assert out["hits"] == 0


def test_the_folder_is_named_after_the_sources(tmp_path, monkeypatch):
    monkeypatch.setenv("FOLKMOOT_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path / "kernels" / source_digest()


def test_old_code_is_removed_and_recent_code_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("FOLKMOOT_CACHE", str(tmp_path))
    for name, age in (("old", 40), ("recent", 3)):
        folder = tmp_path / "kernels" / name
        folder.mkdir(parents=True)
        then = folder.stat().st_mtime - age * 86_400
        os.utime(folder, (then, then))
    cache_folder()
    assert {path.name for path in (tmp_path / "kernels").iterdir()} == {"recent", source_digest()}
