"""What commands may load: a command that needs little is there at once."""

import subprocess
import sys

import networkx as nx
import pytest

import folkmoot as fm
from folkmoot.experiments import outputs
from folkmoot.simulation.cells import Cell
from folkmoot.simulation.simulate import make_job

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


def test_a_command_looks_for_no_garbage_when_it_ends():
    """What was loaded is a million objects; to look through them takes as long as to list. Who calls it goes on."""
    code = "import gc, sys; from folkmoot.cli import main; main({}); print(gc.get_freeze_count(), file=sys.stderr)"
    for given, few in (("", False), ("['list']", True)):
        program = [sys.executable, "-c", code.format(given), "list"]
        done = subprocess.run(program, capture_output=True, text=True, check=True)
        assert (int(done.stderr.splitlines()[-1]) < 1_000) == few


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


def test_a_tiny_run_compiles_nothing(tiny):
    """Its first run, of a sort that was never compiled: what draws is loaded, and no compiler."""
    heavy, _ = loaded("run", "tiny.toml", "--jobs", "1")
    assert heavy == "['matplotlib']"


@pytest.mark.parametrize(
    ("rounds", "tiny_one"), [(40, True), (400, True), (6_000, False)], ids=["tiny", "less tiny", "long"]
)
def test_who_is_played_by_the_interpreter(rounds, tiny_one):
    world = fm.Bernoulli([[0.2, 0.8]] * 3), fm.Static(nx.path_graph(3))
    cells = [Cell("a", make_job(fm.UCB(), *world, horizon=rounds))]
    assert [cell.job.interpret for cell in outputs._tiny(cells, 2)] == [tiny_one]
    assert [cell.job.key() for cell in outputs._tiny(cells, 2)] == [cell.job.key() for cell in cells]


def test_a_class_of_ones_own_is_compiled_so_that_it_is_seen_to_compile():
    class Mine(fm.UCB):
        label = "mine"

    world = fm.Bernoulli([[0.2, 0.8]] * 3), fm.Static(nx.path_graph(3))
    cells = [Cell("a", make_job(Mine(), *world, horizon=40))]
    assert [cell.job.interpret for cell in outputs._tiny(cells, 2)] == [False]


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
