"""A paper's functions run in other processes, which have never heard of it."""

from joblib import Parallel, delayed

from folkmoot.reproductions.papers import figures, perform


def test_a_function_beside_reproduce_py_runs_in_processes_of_its_own(tmp_path):
    home = tmp_path / "papers" / "moon"
    home.mkdir(parents=True)
    (home / "reproduce.py").write_text("from .tides import height\nFIGURES = {'tides': height}\n")
    (home / "tides.py").write_text("from os import getpid\n\ndef height(a, b):\n    return a * b, getpid()\n")
    here = figures(home.parent, "moon")["tides"](6, 7)
    there = Parallel(n_jobs=2, backend="loky")(
        delayed(perform)(home.parent, "moon", "tides", "height", a, 7) for a in (6, 8)
    )
    assert [found[0] for found in (here, *there)] == [42, 42, 56]
    assert here[1] not in {found[1] for found in there}
