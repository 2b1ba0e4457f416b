"""Bad input: exit status 2, one line on standard error that says what is wrong, and no file written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from folkmoot.cli import main
from folkmoot.experiments import files as files_of_experiments
from folkmoot.experiments.plan import plan
from folkmoot.simulation import log

GOOD = """
name = "small"
horizon = 60
replicates = 2
[rewards]
type = "bernoulli"
means = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.9, 0.5]]
[network]
type = "erdos_renyi"
base = "complete"
link_probability = 0.9
[[algorithm]]
type = "ucb"
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FOLKMOOT_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "40")  # a narrow terminal breaks no error into lines


def files():
    return sorted(str(path) for path in Path(".").rglob("*"))


def refused(capsys, *arguments, before=None):
    """Run the command, check the contract, return the line."""
    before = files() if before is None else before
    status = main(arguments)
    captured = capsys.readouterr()
    assert status == 2
    assert captured.err.startswith("folkmoot: error: ")
    assert captured.err.count("\n") == 1
    assert captured.err.endswith("\n")
    assert "Traceback" not in captured.out + captured.err
    assert files() == before
    return captured.err.removeprefix("folkmoot: error: ").rstrip("\n")


def changed(old, new):
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


ATTACK = '[corruption]\ntype = "suppress"\nbudget = 5\n'
VECTORS = """type = "vector_bernoulli"
n_agents = 4
means = [[0.5, 0.6], [0.1, 0.2]]
[rewards.scalarisation]
type = "linear"
weights = [0.5, 0.5]
[network]"""


def attacked(old, new):
    """An experiment with an adversary, changed."""
    assert ATTACK.count(old) == 1
    return changed("[network]", ATTACK.replace(old, new) + "[network]")


def of_vectors(old, new, algorithm="s2"):
    """An experiment with vector rewards, changed."""
    assert VECTORS.count(old) == 1
    head, _, tail = GOOD.partition("[rewards]\n")
    text = head + "[rewards]\n" + VECTORS.replace(old, new) + tail.partition("[network]")[2]
    return text.replace('"ucb"', f'"{algorithm}"')


UNDER_ATTACK = {
    "unknown adversary": (
        attacked('"suppress"', '"supress"'),
        "corruption.type = 'supress': unknown; did you mean 'suppress'? allowed are suppress, promote, ",
    ),
    "adversary without a type": (
        attacked('type = "suppress"\n', ""),
        "corruption.type: missing; allowed are suppress, promote, swap, thinning, flip_random",
    ),
    "adversary that is no table": (changed("horizon", "corruption = 5\nhorizon"), "corruption = 5: expected a table"),
    "adversary's unknown field": (
        attacked("budget", "bugdet"),
        "corruption: field 'bugdet': unknown; did you mean 'budget'? allowed are budget, spending, target",
    ),
    "no budget": (attacked("budget = 5\n", ""), "corruption.budget: missing"),
    "budget below 0": (attacked("= 5", "= -1"), "corruption.budget = -1: expected at least 0"),
    "budget NaN": (attacked("= 5", "= nan"), "corruption.budget = nan: expected a finite number"),
    "budget without end": (attacked("= 5", "= inf"), "corruption.budget = inf: expected a finite number"),
    "one budget of a grid below 0": (
        attacked("= 5", "= { grid = [5, -1] }"),
        "corruption.budget = -1: expected at least 0",
    ),
    "spending in an unknown way": (
        attacked("= 5", '= 5\nspending = "fast"'),
        "corruption.spending = 'fast': allowed are 'front_loaded', 'spread' or 'adaptive'",
    ),
    "target that is not there": (
        attacked("= 5", "= 5\ntarget = 2"),
        "corruption: Suppress: target = 2: expected an arm from 0 to 1, or 'best', 'second', 'worst'",
    ),
    "target by an unknown rank": (
        attacked("= 5", '= 5\ntarget = "bset"'),
        "corruption.target = 'bset': expected a whole number, or 'best', 'second' or 'worst'",
    ),
    "swap of one arm with itself": (
        attacked('"suppress"', '"swap"\ndecoy = "best"'),
        "corruption: Swap: decoy = 'best': is the target, arm 0; expected another arm",
    ),
    "thinning with one arm": (
        attacked('"suppress"', '"thinning"').replace("[[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.9, 0.5]]", "[[0.9]]"),
        "corruption: Thinning: keep = None: there is no other arm to look like; expected a number from 0 to 1",
    ),
    "adversary and Gaussian rewards": (
        attacked("= 5", "= 5").replace('"bernoulli"', '"gaussian"'),
        "corruption: Suppress: expected rewards from 0 to 1; these may lie outside",
    ),
    "verification of more than there is": (
        changed("replicates = 2", "verification = 241"),
        "verification = 241: expected at most n_agents * horizon = 240",
    ),
    "verification below 0": (changed("replicates = 2", "verification = -1"), "verification = -1: expected at least 0"),
    "verification a fraction": (
        changed("replicates = 2", "verification = 2.5"),
        "verification = 2.5: expected a whole",
    ),
    "verification a word": (
        changed("replicates = 2", 'verification = "all"'),
        "verification = 'all': expected a whole",
    ),
    "vectors for an algorithm of single rewards": (
        of_vectors("0.6", "0.6", "ucb"),
        "algorithm[0]: UCB (alone): learns from single rewards, got vectors of 2 "
        "(S1 to S3 and layered elimination take those)",
    ),
    "mean of an objective above 1": (
        of_vectors("0.6", "1.6"),
        "rewards: mean of arm 0, objective 1 = 1.6: expected a number from 0 to 1",
    ),
    "mean of an objective NaN": (
        of_vectors("0.6", "nan"),
        "rewards: mean of arm 0, objective 1 = nan: expected a number",
    ),
    "ragged vectors": (
        of_vectors("[0.1, 0.2]", "[0.1]"),
        "rewards: means: not of one shape: expected a table of numbers [n_arms, n_obj",
    ),
    "vectors drawn for agents": (
        of_vectors("[[0.5, 0.6], [0.1, 0.2]]", '{ law = "uniform", n_arms = 3, n_agents = 2 }'),
        "rewards.means: field 'n_agents': unknown; allowed are law, n_arms, low, high, seed, redraw, n_objectives",
    ),
    "no agents for vectors": (of_vectors("n_agents = 4", "n_agents = 0"), "rewards: n_agents = 0: expected an integer"),
    "weights that do not sum to 1": (
        of_vectors("[0.5, 0.5]", "[0.5, 0.4]"),
        "rewards.scalarisation: weights = [0.5, 0.4]: expected numbers of at least 0 with sum 1",
    ),
    "weight below 0": (
        of_vectors("[0.5, 0.5]", "[1.5, -0.5]"),
        "rewards.scalarisation: weights = [1.5, -0.5]: expected numbers of at least 0 with sum 1",
    ),
    "weights for another number of objectives": (
        of_vectors("[0.5, 0.5]", "[0.5, 0.25, 0.25]"),
        "rewards: 3 weights: expected 2, one for each objective",
    ),
    "weight that is text": (
        of_vectors("[0.5, 0.5]", '[0.5, "much"]'),
        "rewards.scalarisation.weights[1] = 'much': expected a number",
    ),
    "no weights": (of_vectors("weights = [0.5, 0.5]\n", ""), "rewards.scalarisation.weights: missing"),
    "unknown scalarisation": (
        of_vectors('"linear"', '"liner"'),
        "rewards.scalarisation.type = 'liner': unknown; did you mean 'linear'? allowed are linear, chebyshev, ",
    ),
    "scalarisation without a type": (
        of_vectors('type = "linear"\n', ""),
        "rewards.scalarisation.type: missing; allowed are linear, chebyshev, log_sum_exp",
    ),
    "beta 0": (
        of_vectors('"linear"\nweights = [0.5, 0.5]', '"log_sum_exp"\nbeta = 0'),
        "rewards.scalarisation: beta = 0.0: expected a number above 0 and at most 1e6",
    ),
}

CASES = {
    "unknown algorithm": (
        changed('type = "ucb"', 'type = "gsee"'),
        "algorithm[0].type = 'gsee': unknown; did you mean 'gse'? allowed are ucb, ",
    ),
    "algorithm without a type": (changed('type = "ucb"', ""), "algorithm[0].type: missing; allowed are ucb, "),
    "algorithm's unknown field": (
        changed('type = "ucb"', 'type = "ucb"\nexplorration = 1'),
        "algorithm[0]: field 'explorration': unknown; did you mean 'exploration'? allowed are exploration",
    ),
    "algorithm's field of the wrong kind": (
        changed('type = "ucb"', 'type = "ucb"\nexploration = "much"'),
        "algorithm[0].exploration = 'much': expected a number",
    ),
    "algorithm's field out of range": (
        changed('type = "ucb"', 'type = "ucb"\nexploration = -1.0'),
        "algorithm[0].exploration = -1.0: expected more than 0",
    ),
    "two algorithms of one name": (
        GOOD + '[[algorithm]]\ntype = "ucb"',
        "algorithm[1]: two are called 'UCB (alone)'; give one of them another name",
    ),
    "no algorithm": (GOOD.partition("[[a")[0], "algorithm: missing"),
    "unknown reward law": (
        changed('"bernoulli"', '"bernouli"'),
        "rewards.type = 'bernouli': unknown; did you mean 'bernoulli'? allowed are bernoulli, gaussian, ",
    ),
    "reward law without a type": (
        changed('type = "bernoulli"', ""),
        "rewards.type: missing; allowed are bernoulli, gaussian, beta, replay, clustered, half_active",
    ),
    "rewards are no table": (
        'rewards = 5\nname = "x"\nhorizon = 60\n[network]' + GOOD.partition("[network]")[2],
        "rewards = 5: expected a table",
    ),
    "probability above 1": (
        changed("= 0.9\n[[", "= 1.2\n[["),
        "network.link_probability = 1.2: expected a probability in (0, 1]",
    ),
    "probability 0": (changed("= 0.9\n[[", "= 0\n[["), "network.link_probability = 0: expected a probability"),
    "probability NaN": (changed("= 0.9\n[[", "= nan\n[["), "network.link_probability = nan: expected a probability"),
    "one cell of a grid with a bad probability": (
        changed("= 0.9\n[[", "= { grid = [0.5, 1.2] }\n[["),
        "network.link_probability = 1.2: expected a probability in (0, 1]",
    ),
    "empty grid": (changed("= 60", "= { grid = [] }"), "horizon.grid = []: expected a list of at least one value"),
    "grid of names": (changed('"small"', '{ grid = ["a"] }'), "name: expected one value for the whole experiment"),
    "unknown network": (changed('"erdos_renyi"', '"mesh"'), "network.type = 'mesh': unknown; allowed are static, "),
    "unknown base graph": (changed('"complete"', '"torus"'), "network: base graph 'torus': unknown; allowed are "),
    "base graph of another size": (
        changed('"complete"', '"petersen"'),
        "network: base graph 'petersen' with 4 agents: expected 10",
    ),
    "unknown network field": (
        changed("link_probability", "link_prob"),
        "network: field 'link_prob': unknown; did you mean 'link_probability'? allowed are base, link_prob",
    ),
    "mean NaN": (changed("[0.8, 0.2]", "[nan, 0.2]"), "rewards: mean of agent 1, arm 0 = nan: expected a number from"),
    "mean above 1": (changed("[0.8, 0.2]", "[1.8, 0.2]"), "rewards: mean of agent 1, arm 0 = 1.8: expected a number"),
    "mean that is text": (
        changed("[0.8, 0.2]", '["0.8", 0.2]'),
        "rewards.means: expected numbers, got '0.8' in [1][0]",
    ),
    "ragged means": (
        changed("[0.8, 0.2]", "[0.8]"),
        "rewards: means: not of one shape: expected a table of numbers [n_agents, n_arms]",
    ),
    "one row of means without agents": (
        changed("[[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.9, 0.5]]", "[0.9, 0.1]"),
        "rewards: means of shape (2,): expected [n_agents, n_arms] (one row for all agents needs n_agents=)",
    ),
    "drawn means with a bad field": (
        changed("[[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.9, 0.5]]", '{ law = "uniform", n_agents = 0, n_arms = 5 }'),
        "rewards.means.n_agents = 0: expected at least 1",
    ),
    "drawn means beyond [0, 1]": (
        changed(
            "[[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.9, 0.5]]",
            '{ law = "uniform", n_agents = 4, n_arms = 5, low = 1.5, high = 2.0 }',
        ),
        "rewards: mean of agent 0, arm 0 = ",
    ),
    "horizon 0": (changed("= 60", "= 0"), "horizon = 0: expected at least 1"),
    "horizon that is no whole number": (changed("= 60", "= 60.5"), "horizon = 60.5: expected a whole number"),
    "horizon below the number of arms": (
        changed("= 60", "= 1"),
        "horizon = 1: expected at least the number of arms, 2",
    ),
    "replicates 0": (changed("replicates = 2", "replicates = 0"), "replicates = 0: expected at least 1"),
    "checkpoints beyond the horizon": (
        changed("replicates = 2", "checkpoints = [1, 61]"),
        "checkpoints = [1, 61]: expected increasing rounds from at least 1 that end at the horizon, 60",
    ),
    "unknown field": (changed("replicates", "repliactes"), "field 'repliactes': unknown; did you mean 'replicates'?"),
    "name that leaves the folder": (changed('"small"', '"../small"'), "name = '../small': expected letters, digits"),
    **UNDER_ATTACK,
    "several problems": (
        changed("= 60", "= 0").replace('"ucb"', '"gsee"').replace("= 0.9\n", "= 1.2\n"),
        "horizon = 0: expected at least 1 (and 2 more: network.link_probability, algorithm[0].type)",
    ),
    "syntax": (changed("horizon = 60", "horizon 60"), "not valid TOML: Expected '=' after a key in a key/value pair "),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_a_wrong_experiment_file(capsys, text, expected):
    Path("experiment.toml").write_text(text, encoding="utf-8")
    assert refused(capsys, "run", "experiment.toml").startswith(f"experiment.toml: {expected}")


def test_the_syntax_error_says_where(capsys):
    Path("experiment.toml").write_text('name = "x"\nhorizon 60\n', encoding="utf-8")
    assert "(at line 2, column 9)" in refused(capsys, "run", "experiment.toml")


def test_the_good_file_runs(capsys):
    """Guards the cases above: what they change is what is refused."""
    Path("experiment.toml").write_text(GOOD, encoding="utf-8")
    assert main(["run", "experiment.toml", "--jobs", "1"]) == 0


@pytest.mark.parametrize("text", [attacked("= 5", "= 5"), of_vectors("0.6", "0.6")], ids=["attacked", "vectors"])
def test_the_good_files_under_attack_run(capsys, text):
    """Guards their cases likewise; checked, not run."""
    Path("experiment.toml").write_text(text, encoding="utf-8")
    experiment = plan(files_of_experiments.read(Path("experiment.toml")), Path("."))
    assert len(experiment.cells) == 1


def test_gse_on_a_graph_that_falls_apart(capsys):
    Path("edges.txt").write_text("0 1\n2 3\n", encoding="utf-8")
    text = changed('"complete"', '"file:edges.txt"').replace('"ucb"', '"gse"')
    Path("experiment.toml").write_text(text, encoding="utf-8")
    line = refused(capsys, "run", "experiment.toml")
    assert line == "experiment.toml: algorithm[0]: base graph: GSE expects a connected one, this one falls apart"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot be read"),
        ("0 1\n1 two\n", "line 2: '1 two': expected two agent numbers"),
        ("0 9\n", "agents from 0 to 3"),
    ],
)
def test_a_wrong_edge_file(capsys, content, expected):
    if content is not None:
        Path("edges.txt").write_text(content, encoding="utf-8")
    Path("experiment.toml").write_text(changed('"complete"', '"file:edges.txt"'), encoding="utf-8")
    line = refused(capsys, "run", "experiment.toml")
    assert line.startswith("experiment.toml: network: ")
    assert expected in line


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot be read"),
        ("", "expected at least one, got none"),
        ("1 0 1\n0 1 2\n", "line 2: '0 1 2': expected a round of at least 1 and two agent numbers"),
        ("1 0 9\n", "edge (0, 9): expected agents from 0 to 3"),
    ],
)
def test_a_wrong_recording(capsys, content, expected):
    if content is not None:
        Path("links.txt").write_text(content, encoding="utf-8")
    head, _, tail = GOOD.partition("[network]")
    network = '[network]\ntype = "recorded"\nfile = "links.txt"\n'
    Path("experiment.toml").write_text(head + network + tail[tail.index("[[a") :], encoding="utf-8")
    line = refused(capsys, "run", "experiment.toml")
    assert line.startswith("experiment.toml: network: ")
    assert expected in line


def test_a_missing_file(capsys):
    assert refused(capsys, "run", "nowhere.toml") == "nowhere.toml: cannot be read (No such file or directory)"


def test_a_name_of_two_lines_is_one_line(capsys):
    assert refused(capsys, "run", "no\nwhere.toml").startswith("no where.toml: cannot be read")


def test_a_file_that_is_not_text(capsys):
    Path("experiment.toml").write_bytes(b'name = "\xff"')
    assert refused(capsys, "run", "experiment.toml") == "experiment.toml: not UTF-8 text (byte 8)"


def test_a_folder_instead_of_a_file(capsys):
    Path("experiment.toml").mkdir()
    assert refused(capsys, "run", "experiment.toml").startswith("experiment.toml: cannot be read")


def test_an_unknown_experiment(capsys):
    line = refused(capsys, "run", "demmo")
    assert line.startswith("experiment 'demmo': unknown; did you mean 'demo'? allowed are demo, ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run"], "Missing argument 'FILE.toml|NAME'."),
        (["run", "demo", "--jobs", "two"], "Invalid value for '--jobs'"),
        (["run", "demo", "--jobs", "0"], "--jobs = 0: expected an integer of at least 1"),
        (["run", "demo", "--seed", "-1"], "demo: seed = -1: expected at least 0"),
        (["run", "demo", "--seed", str(2**64)], f"demo: seed = {2**64}: expected less than {2**64}"),
        (["run", "demo", "--replicates", "0"], "demo: replicates = 0: expected at least 1"),
        (["run", "demo", "--sed", "1"], "No such option: --sed"),
        (["run", "demo", "extra"], "Got unexpected extra argument"),
        (["rune"], "No such command 'rune'."),
        (["list", "algorithm"], "list 'algorithm': unknown; did you mean 'algorithms'? allowed are algorithms, "),
        (["report", "nowhere"], "folder nowhere: no result there (result.json is missing)"),
        (["report"], "Missing argument 'DIR'."),
        (["data", "where", "movielenz"], "data set 'movielenz': unknown; allowed are movielens"),
        (["data", "fetch", "movielenz"], "data set 'movielenz': unknown; allowed are movielens"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line(capsys, arguments, expected):
    assert refused(capsys, *arguments).startswith(expected)


def test_out_is_a_file(capsys):
    Path("taken").write_text("", encoding="utf-8")
    line = refused(capsys, "run", "demo", "--out", "taken")
    assert line == "folder taken: is a file; expected a folder"


def test_out_is_below_a_file(capsys):
    Path("taken").write_text("", encoding="utf-8")
    out = os.path.join("taken", "results")
    assert refused(capsys, "run", "demo", "--out", out) == f"folder {out}: cannot be written (Not a directory)"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs the proc file system")
def test_out_where_nobody_may_write(capsys):
    assert refused(capsys, "run", "demo", "--out", "/proc/folkmoot").startswith("folder /proc/folkmoot: cannot be")


@pytest.mark.skipif(os.name == "nt" or getattr(os, "geteuid", int)() == 0, reason="needs a user bound by permissions")
def test_out_is_read_only(capsys):
    Path("locked").mkdir(mode=0o500)
    assert refused(capsys, "run", "demo", "--out", "locked") == "folder locked: cannot be written (Permission denied)"


def test_corrupt_ratings(capsys, monkeypatch):
    Path("data").mkdir()
    Path("data", "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,eleven,0\n", encoding="utf-8")
    Path("data", "movies.csv").write_text("movieId,title,genres\n1,Toy Story,Comedy\n", encoding="utf-8")
    monkeypatch.setenv("FOLKMOOT_DATA", "data")
    line = refused(capsys, "run", "demo")
    assert line.startswith(str(Path("data", "ratings.csv")))
    assert "ratings.csv, line 2" in line


def test_half_a_data_set(capsys, monkeypatch):
    Path("data").mkdir()
    Path("data", "movies.csv").write_text("movieId,title,genres\n", encoding="utf-8")
    monkeypatch.setenv("FOLKMOOT_DATA", "data")
    assert "ratings.csv is missing" in refused(capsys, "run", "demo")


def test_a_data_set_that_is_not_there(capsys, monkeypatch):
    monkeypatch.setenv("FOLKMOOT_CACHE", "cache")
    rewards = '[rewards]\ntype = "replay"\ndataset = "movielens"\nusers = 30\n[network]'
    Path("experiment.toml").write_text(
        GOOD.partition("[rewards]")[0] + rewards + GOOD.partition("[network]")[2], encoding="utf-8"
    )
    line = refused(capsys, "run", "experiment.toml")
    assert line.startswith("experiment.toml: rewards: movielens with users = 30")
    assert "folkmoot data fetch movielens" in line


def test_an_unknown_data_set(capsys):
    rewards = '[rewards]\ntype = "replay"\ndataset = "netflix"\n[network]'
    Path("experiment.toml").write_text(
        GOOD.partition("[rewards]")[0] + rewards + GOOD.partition("[network]")[2], encoding="utf-8"
    )
    line = refused(capsys, "run", "experiment.toml")
    assert line == "experiment.toml: rewards: data set 'netflix': unknown; allowed are movielens"


def test_a_full_disk(capsys, monkeypatch):
    """A fault of the machine is one line as well."""
    Path("small.toml").write_text(GOOD, encoding="utf-8")
    Path("out").mkdir()
    for name in ("log.jsonl", "log.jsonl.lock"):
        Path("out", name).touch()

    def full(file, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log.os, "write", full)
    line = refused(capsys, "run", "small.toml", "--out", "out")
    assert line == f"log {Path('out', 'log.jsonl')}: cannot be written (No space left on device)"


def test_a_corrupt_log(capsys):
    Path("experiment.toml").write_text(GOOD, encoding="utf-8")
    Path("out").mkdir()
    Path("out", "log.jsonl").write_text('{"format":2}\nnonsense\n', encoding="utf-8")
    Path("out", "log.jsonl.lock").touch()
    line = refused(capsys, "run", "experiment.toml", "--out", "out", "--jobs", "1")
    assert line.startswith(f"log {Path('out', 'log.jsonl')}, line 2: not a row of this log (")


def test_a_corrupt_result(capsys):
    Path("out").mkdir()
    Path("out", "result.json").write_text("{", encoding="utf-8")
    assert refused(capsys, "report", "out").startswith("folder out: not a readable result (")


def test_in_a_process_of_its_own():
    """The same through the interpreter's own error handling."""
    done = subprocess.run(
        [sys.executable, "-m", "folkmoot", "run", "demmo"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("folkmoot: error: experiment 'demmo': unknown")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [("run", "x.toml", "--out", ""), ("reproduce", "gse/x", "--out", ""), ("report", ""), ("table", "", "x.csv")],
)
def test_an_empty_name_is_no_folder(capsys, arguments):
    Path("x.toml").write_text(GOOD, encoding="utf-8")
    assert refused(capsys, *arguments).endswith("'': expected the name of a file or folder")
