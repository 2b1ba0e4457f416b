"""What the commands print and write when all is well."""

import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms import ALGORITHMS
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.cli import main
from folkmoot.experiments.catalogue import LISTED
from folkmoot.experiments.files import builtin_names
from folkmoot.multiparty.games import DATA, DIVISIONS, LIARS, MODELS
from folkmoot.reproductions import papers
from folkmoot.simulation.saved import load_all
from folkmoot.world import NETWORKS, REWARDS, SCALARISATIONS
from folkmoot.world.corruption import CORRUPTIONS

EXPERIMENT = """
name = "two"
description = "Two algorithms that ignore each other."
horizon = 200
replicates = 2
seed = 7
[rewards]
type = "bernoulli"
means = [[0.9, 0.1], [0.8, 0.2]]
[network]
type = "static"
base = "complete"
[[algorithm]]
type = "ucb"
[[algorithm]]
type = "ucb"
name = "Bold"
exploration = 4
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_run_writes_all_files_and_prints_where(capsys):
    Path("two.toml").write_text(EXPERIMENT, encoding="utf-8")
    assert main(["run", "two.toml", "--jobs", "1"]) == 0
    out = Path("results", "two")
    written = {path.name for path in out.iterdir()} - {"log.jsonl.lock"}
    assert written == {
        "curves.csv",
        "curves.npz",
        "log.jsonl",
        "made.json",
        "regret.png",
        "regret.svg",
        "report.html",
        "result.json",
        "summary.csv",
    }
    captured = capsys.readouterr()
    assert [line for line in captured.err.splitlines() if "% after" not in line] == []  # where it is slow it says so
    lines = captured.out.splitlines()
    assert lines[0] == f"two: 2 algorithms, 2 replicates each, into {out}"
    assert lines[1].split()[:3] == ["algorithm", "final", "regret"]
    assert lines[2].startswith("UCB (alone)")
    assert lines[3].startswith("Bold")
    assert lines[4:] == [f"report: {out / 'report.html'}"]
    assert "Two algorithms that ignore each other." in (out / "report.html").read_text(encoding="utf-8")


def test_results_of_a_folder_become_a_table(capsys):
    Path("two.toml").write_text(EXPERIMENT, encoding="utf-8")
    assert main(["run", "two.toml", "--jobs", "1"]) == 0
    assert main(["table", "results/two", "two.csv"]) == 0
    assert capsys.readouterr().out.endswith("table: two.csv\n")
    lines = Path("two.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "algorithm,replicate,round,what,value"
    regret = [line for line in lines if line.startswith("Bold,1,") and ",regret," in line]
    assert [float(line.split(",")[-1]) for line in regret] == fm.load("results/two")["Bold"].regret[1].tolist()
    assert main(["table", "results/two", "agents.csv", "--by", "agent"]) == 0
    assert Path("agents.csv").read_text(encoding="utf-8").startswith("algorithm,replicate,round,agent,what,value")
    assert main(["table", "results/two", "two.txt"]) == 2
    assert "ends in .csv or .parquet" in capsys.readouterr().err
    assert main(["table", "results/two", "two.csv", "--by", "day"]) == 2
    assert "by = 'day': allowed are" in capsys.readouterr().err


def test_run_is_what_python_computes(capsys):
    Path("two.toml").write_text(EXPERIMENT, encoding="utf-8")
    assert main(["run", "two.toml", "--jobs", "1"]) == 0
    ours = load_all(Path("results", "two"))["Bold"]
    network = fm.Static(nx.complete_graph(2))
    rewards = fm.Bernoulli([[0.9, 0.1], [0.8, 0.2]])
    same = fm.simulate(fm.UCB(exploration=4.0), rewards, network, horizon=200, replicates=2, seed=7)
    np.testing.assert_array_equal(ours.pulls, same.pulls)
    np.testing.assert_array_equal(ours.regret, same.regret)


def test_seed_and_replicates_replace_those_of_the_file(capsys):
    Path("two.toml").write_text(EXPERIMENT, encoding="utf-8")
    assert main(["run", "two.toml", "--jobs", "1", "--seed", "8", "--replicates", "3", "--out", "x"]) == 0
    result = load_all("x")["Bold"]
    assert result.configuration["seed"] == 8
    assert result.replicates == 3


def test_the_number_of_jobs_changes_nothing(capsys):
    Path("two.toml").write_text(EXPERIMENT, encoding="utf-8")
    assert main(["run", "two.toml", "--jobs", "1", "--replicates", "5", "--out", "one"]) == 0
    assert main(["run", "two.toml", "--jobs", "3", "--replicates", "5", "--out", "three"]) == 0
    for name, result in load_all("one").items():
        np.testing.assert_array_equal(result.pulls, load_all("three")[name].pulls)


def test_a_grid_has_a_row_for_each_cell(capsys):
    text = EXPERIMENT.replace("horizon = 200", "horizon = { grid = [100, 200] }")
    Path("two.toml").write_text(text, encoding="utf-8")
    assert main(["run", "two.toml", "--jobs", "1"]) == 0
    out = capsys.readouterr().out
    for name in ("UCB (alone)", "Bold"):
        for horizon in (100, 200):
            assert f"\n{name}, horizon = {horizon} " in out
    first = Path("results", "two", "report.html").read_bytes()
    Path("results", "two", "report.html").unlink()
    assert main(["report", "results/two"]) == 0
    assert Path("results", "two", "report.html").read_bytes() == first


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("algorithms", ALGORITHMS),
        ("rewards", REWARDS),
        ("scalarisations", SCALARISATIONS),
        ("networks", NETWORKS),
        ("corruptions", CORRUPTIONS),
        ("attacks", ATTACKS),
        ("data", DATA),
        ("divisions", DIVISIONS),
        ("models", MODELS),
        ("liars", LIARS),
        ("experiments", builtin_names()),
    ],
)
def test_list_names_everything_with_a_description(capsys, kind, names):
    assert main(["list", kind]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(names)
    assert all(len(line.split()) > 3 for line in lines)


def test_list_of_all_kinds(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert all(f"{kind}\n" in out for kind in LISTED)


def played(algorithm, **options):
    world = fm.Bernoulli([[0.9, 0.1], [0.8, 0.2]]), fm.Static(nx.complete_graph(2))
    return fm.simulate(algorithm, *world, horizon=40, replicates=2, engine="interpreted", progress=False, **options)


def test_the_table_shows_what_was_spent_and_verified_and_what_can_be_certified(capsys):
    result = played(fm.S3Cert(), corruption=fm.Suppress(budget=5), verification=20)
    result.save("out")
    assert main(["report", "out"]) == 0
    head, row, said, _ = capsys.readouterr().out.splitlines()
    assert head.split()[-5:] == ["messages", "corruption", "spent", "verified", "pulls"]
    assert row.split()[-2:] == ["5.0", "20"]
    # 8 * 2 / 0.7**2 * log(2 * 1 * 2 * 2 * 40 * 40) = 308.8, of 80 pulls
    assert said == (
        "S3 with certificates: certifying a gap of 0.7 needs about 310 verified pulls; the budget is 20, the whole run "
        "has 80: certificates cannot be expected. 0.0% of the agents settled on an arm."
    )


def test_a_table_without_budgets_is_as_before(capsys):
    played(fm.UCB()).save("out")
    assert main(["report", "out"]) == 0
    head, _, last = capsys.readouterr().out.splitlines()
    assert head.split()[-3:] == ["best", "arm", "messages"]
    assert last.startswith("report: ")


REPRODUCE = '''
from pathlib import Path
from .numbers_of_the_paper import TOLERANCE

def good(out: Path, jobs: int, progress: bool) -> bool:
    """Everything holds.

    More of it.
    """
    (out / "seen").write_text(f"{jobs} {progress} {TOLERANCE}")
    return True

def missed(out: Path, jobs: int, progress: bool) -> bool:
    """One tolerance is missed."""
    return False

FIGURES = {"good": good, "missed": missed}
'''


@pytest.fixture
def _a_paper(tmp_path, monkeypatch):
    paper = tmp_path / "shelf" / "gossip"
    paper.mkdir(parents=True)
    (paper / "reproduce.py").write_text(REPRODUCE, encoding="utf-8")
    (paper / "numbers_of_the_paper.py").write_text("TOLERANCE = 0.05\n", encoding="utf-8")
    monkeypatch.setattr(papers, "papers_folder", lambda: tmp_path / "shelf")


@pytest.mark.usefixtures("_a_paper")
def test_reproduce_runs_a_figure_in_its_folder(capsys):
    assert main(["reproduce", "gossip/good", "--jobs", "2"]) == 0
    assert Path("results", "gossip", "good", "seen").read_text(encoding="utf-8") == "2 True 0.05"


@pytest.mark.usefixtures("_a_paper")
def test_reproduce_says_that_a_tolerance_is_missed(capsys):
    assert main(["reproduce", "gossip/missed", "--out", "here"]) == 1
    assert Path("here").is_dir()


@pytest.mark.usefixtures("_a_paper")
def test_reproduce_lists_what_there_is(capsys):
    assert main(["reproduce"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["figure", "time", "needs", "what"]
    assert [" ".join(line) for line in lines[1:3]] == [
        "gossip/good unknown Everything holds.",
        "gossip/missed unknown One tolerance is missed.",
    ]


@pytest.mark.usefixtures("_a_paper")
def test_reproduce_lists_what_it_takes(capsys, tmp_path):
    rows = "figure,time,needs\ngossip/good,2 min,mnist and multiparty\ngossip/missed,,\n"
    (tmp_path / "shelf" / "costs.csv").write_text(rows, encoding="utf-8")
    assert main(["reproduce"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "gossip/good 2 min mnist and multiparty Everything holds." in out
    assert "gossip/missed unknown One tolerance" in out


@pytest.mark.usefixtures("_a_paper")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("gossipp/good", "paper 'gossipp': unknown; did you mean 'gossip'? allowed are gossip"),
        ("gossip/god", "figure 'gossip/god': unknown; did you mean 'good'? allowed are good, missed"),
        ("gossip", "'gossip': expected PAPER/FIGURE; allowed are gossip/good, gossip/missed"),
        ("../shelf/gossip", "paper '..': unknown; allowed are gossip"),
    ],
)
def test_reproduce_refuses_what_it_does_not_know(capsys, given, expected):
    assert main(["reproduce", given]) == 2
    assert capsys.readouterr().err == f"folkmoot: error: {expected}\n"
    assert not Path("results").exists()


@pytest.mark.usefixtures("_a_paper")
def test_a_paper_that_needs_what_is_not_installed(capsys, tmp_path):
    """It is refused in one line, and hides no other paper from the list."""
    (tmp_path / "shelf" / "absent").mkdir()
    (tmp_path / "shelf" / "absent" / "reproduce.py").write_text("import no_such_module\n", encoding="utf-8")
    said = "paper 'absent': cannot be loaded (No module named 'no_such_module')"
    assert main(["reproduce", "absent/x"]) == 2
    assert capsys.readouterr().err == f"folkmoot: error: {said}\n"
    assert main(["reproduce"]) == 0
    out = capsys.readouterr().out
    assert said in out
    assert "gossip/good" in out


def test_data_where(capsys, monkeypatch):
    monkeypatch.delenv("FOLKMOOT_DATA", raising=False)
    monkeypatch.setenv("FOLKMOOT_CACHE", "cache")
    assert main(["data", "where", "movielens"]) == 0
    assert Path(capsys.readouterr().out.strip()).exists()


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"folkmoot {fm.__version__}\n"


def test_help_shows_the_defaults(capsys):
    """Square brackets would be taken for markup, and vanish."""
    assert main(["run", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.replace("\u2502", " ").split())
    assert "results (default: results/NAME)" in said
    assert "parallel (default: all processors)" in said


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from folkmoot.cli import main; assert main(['--help']) == 0;"
        "heavy = {'numpy', 'numba', 'scipy', 'matplotlib', 'networkx', 'pydantic'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "reproduce" in done.stdout


def test_nothing_heavy_is_imported_before_the_first_progress():
    """Drawing and statistics come after the runs."""
    code = (
        "import sys\n"
        "from folkmoot.cli import main\n"
        "from folkmoot import progress\n"
        "def stop(self):\n"
        "    print(sorted({'matplotlib', 'scipy.stats', 'networkx'} & set(sys.modules)))\n"
        "    raise KeyboardInterrupt\n"
        "progress.Progress.__enter__ = stop\n"
        "sys.exit(main(['run', 'demo', '--out', 'x']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130, done.stderr
    assert done.stdout.splitlines()[1:] == ["[]"]
