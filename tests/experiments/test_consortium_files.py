"""Files with a [consortium] table: what they play is repeatable, told apart, reported; what is wrong is one line."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra `multiparty`")
pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

import folkmoot as fm
from folkmoot.cli import main

FILE = """
name = "learn"
replicates = 2
seed = 3
[consortium]
data = { type = "digits" }
division = { type = "consecutive", parties = 5, classes = 4, samples = 60 }
models = "softmax"
attack = { type = "swapped_labels", parties = [4] }
delta = 0.4
sigma = 0.3
eta = 0.05
iterations = 2
samples_per_iteration = 10
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def play(text, *more, out="out"):
        (tmp_path / "learn.toml").write_text(text, encoding="utf-8")
        return main(["run", "learn.toml", "--out", out, *(more or ("--jobs", "1"))])

    return play


def test_a_consortium_is_the_same_for_any_number_of_workers_and_read_again(run, capsys):
    assert run(FILE) == 0
    assert run(FILE, "--jobs", "2", out="again") == 0
    one, other = fm.load("out"), fm.load("again")
    assert one.configuration == other.configuration
    for name in set(one.ARRAYS) - {"seconds"}:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.accuracy.shape == (2, 3)
    assert one.per_class.shape == (2, 3, 10)
    assert one.verdicts.shape[:2] == (2, 5)
    assert one.configuration["verdicts"][0] == "accepted"
    assert not (one.accuracy[0] == one.accuracy[1]).all()  # another division and another game
    assert (one.accepted <= 20).all()
    assert one.admitted.all()
    assert run(FILE) == 0
    assert "resumed: 2 replicates" in capsys.readouterr().err


def test_the_report_says_who_sent_what(run):
    text = FILE.replace("iterations = 2", "iterations = { grid = [1, 2] }") + "regular = [3]\n"
    assert run(text, "--replicates", "1", "--jobs", "1") == 0
    page = Path("out/report.html").read_text(encoding="utf-8")
    for words in ("party 4, lies", "accepted", "Figure 2.", "Theorem 2", "iterations 1"):
        assert words in page
    assert "http" not in page.replace("http-equiv", "")
    head = json.loads(Path("out/result.json").read_text(encoding="utf-8"))
    assert [entry["kind"] for entry in head["results"]] == ["consortium"] * 2
    lines = Path("out/summary.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("name,parties,classes,iterations,replicates,accuracy_before_mean")
    assert main(["report", "out"]) == 0
    assert Path("out/report.html").read_text(encoding="utf-8") == page


def test_a_ledger_stands_in_the_folder_of_the_results(run):
    assert run(FILE.replace("replicates = 2", "replicates = 1") + 'ledger = "learn.ledger"\n') == 0
    verdict = fm.ledger.open("out/learn.ledger").verify()
    assert verdict.ok
    assert verdict.blocks > 0


def test_the_baseline_and_bema_side_by_side(run):
    assert run(FILE + 'method = { grid = ["bema", "one_step_hmr"] }\n', "--replicates", "1", "--jobs", "1") == 0
    found = fm.load("out")
    assert list(found) == ["method = bema", "method = one_step_hmr"]
    assert found["method = one_step_hmr"].refused[0] == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("division =", "divsion =", "consortium: field 'divsion': unknown; did you mean 'division'?"),
        ("seed = 3", "seed = 3\nmodels = 'svm'", "field 'models': belongs inside [consortium], not beside it"),
        ("[consortium]", "[consortum]", "field 'consortum': unknown; did you mean 'consortium'?"),
        ('"digits"', '"digit"', "consortium.data.type = 'digit': unknown; did you mean 'digits'?"),
        ("parties = 5", "parties = 0", "consortium.division.parties = 0: expected at least 1"),
        ("classes = 4", "classes = 11", "consortium: division: classes = 11: expected at most 10"),
        ('"softmax"', '"softmx"', "consortium.models.type = 'softmx': unknown; did you mean 'softmax'?"),
        ('"softmax"', '["svm", 3]', "consortium.models[1] = 3: expected a kind of model or a table"),
        ('"softmax"', '["svm", { type = "softmax", c = 0 }]', "consortium.models[1].c = 0: expected more than 0"),
        ('"softmax"', '"lenet5"', "consortium: models: these networks take images of 28x28"),
        ("parties = [4]", "parties = [5]", "consortium: attack: party 5: expected numbers from 0 to 4"),
        ("parties = [4]", "share = 2", "consortium.attack.share = 2: expected at most 1"),
        ("eta = 0.05", "eta = 0", "consortium: eta = 0.0: expected a number (float) above 0"),
        ("eta = 0.05", 'rules = "strict"', "consortium: rules = 'strict': expected 'hardened' or 'printed'"),
        ("iterations = 2", "iterations = 0", "consortium.iterations = 0: expected at least 1"),
        ("eta = 0.05", "regular = [0, 1, 2, 3, 4]", "consortium: regular: all parties are"),
        ("eta = 0.05", "regular = [1, 1]", "consortium: regular = [1, 1]: one is given twice"),
        ("eta = 0.05", 'ledger = "a.ledger"', "ledger: holds the chain of one game"),
        ("seed = 3", "seed = 3\nhorizon = 5", "field 'horizon': unknown"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(run, capsys, old, new, said):
    assert old in FILE
    assert run(FILE.replace(old, new)) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
