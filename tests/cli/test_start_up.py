"""What commands may load: a command that needs little is there at once."""

import subprocess
import sys

import pytest

TINY = """
name = "tiny"
horizon = 40
replicates = 2

[rewards]
type = "bernoulli"
means = { law = "uniform", n_agents = 3, n_arms = 2, seed = 1 }

[network]
type = "erdos_renyi"
base = "cycle"
link_probability = 0.9

[[algorithm]]
type = "ucb"
"""
HEAVY = ("numba", "llvmlite", "matplotlib", "scipy", "networkx", "joblib", "torch", "sklearn", "safetensors", "pooch")


def loaded(*arguments):
    """The heavy packages that the command has loaded when it ends, and its output."""
    code = (
        "import sys\n"
        "from folkmoot.cli import main\n"
        f"status = main({list(arguments)!r})\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
        "sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()[-1], done.stdout


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(TINY)
    return tmp_path / "results" / "tiny"


def test_to_list_needs_nothing_heavy():
    assert loaded("list")[0] == "[]"


def test_a_run_of_what_has_been_run_loads_nothing_heavy_and_leaves_the_files(tiny):
    _, first = loaded("run", "tiny.toml", "--jobs", "1")
    written = {path.name: path.stat().st_mtime_ns for path in tiny.iterdir() if "log" not in path.name}
    again, second = loaded("run", "tiny.toml", "--jobs", "1")
    assert again == "[]"
    assert second == first
    assert {path.name: path.stat().st_mtime_ns for path in tiny.iterdir() if "log" not in path.name} == written
    page = (tiny / "report.html").read_bytes()
    (tiny / "report.html").write_bytes(page[:100])
    loaded("run", "tiny.toml", "--jobs", "1")
    assert (tiny / "report.html").read_bytes() == page


def test_a_simulation_needs_no_module_that_windows_lacks():
    code = (
        "import sys\n"
        "for name in ('fcntl', 'grp', 'pwd', 'resource', 'termios', 'uvloop'):\n"
        "    sys.modules[name] = None\n"
        "import networkx as nx\n"
        "import folkmoot as fm\n"
        "from folkmoot.cli import main\n"
        "world = fm.Bernoulli([[0.2, 0.8]] * 3), fm.Static(nx.path_graph(3))\n"
        "assert fm.simulate(fm.UCB(), *world, horizon=20, engine='interpreted').regret[0, -1] > 0\n"
        "sys.exit(main(['list', 'rewards']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
