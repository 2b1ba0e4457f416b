"""`folkmoot report A B`: one report of several folders; what differs is said, not mixed."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from made_results import make

from folkmoot.cli import main
from folkmoot.simulation.saved import load_all, save


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save({"GSE": make("GSE", 0.1), "UCB": make("UCB", 0.3)}, "a")
    save({"GSE": make("GSE", 0.15)}, "b")
    long = make("GSE", 0.15, replicates=2).configured(horizon=10_000)
    save({"GSE": replace(long, checkpoints=long.checkpoints * 10)}, "c")
    save({"Other": make("Other", 0.2)}, "d")


def test_runs_of_one_world_are_compared(capsys):
    assert main(["report", "a", "b"]) == 0
    told = capsys.readouterr().out
    folder = Path("results/a-and-b")
    assert told.strip().endswith(f"report: {folder / 'report.html'}")
    assert "differ" not in told
    assert list(load_all(folder)) == ["a: GSE", "a: UCB", "b: GSE"]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "a: GSE has the lowest regret" in page
    assert "Paired differences" in page
    assert main(["report", str(folder)]) == 0  # it is a folder of results like any other


def test_other_horizons_are_said(capsys):
    assert main(["report", "a/result.json", "c", "--out", "both"]) == 0
    said = "2 runs in one report. They differ in horizon (a: 1,000; c: 10,000); replicates (a: 5; c: 2)."
    assert said in capsys.readouterr().out
    page = Path("both/report.html").read_text(encoding="utf-8")
    assert said in page
    assert "cannot be compared with one another" in page
    assert "Paired differences" not in page


def test_names_that_differ_stay():
    assert main(["report", "b", "d"]) == 0
    assert list(load_all("results/b-and-d")) == ["GSE", "Other"]


def test_the_run_is_a_setting_of_a_grid():
    for name in ("e", "f"):
        cells = [make(f"GSE, p = {p}", p).configured(cell={"label": "GSE", "settings": {"p": p}}) for p in (0.1, 0.2)]
        save({cell.name: cell for cell in cells}, name)
    assert main(["report", "e", "f", "--out", "out"]) == 0
    rows = list(csv.DictReader(Path("out/summary.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["algorithm"], row["run"], row["p"]) for row in rows] == [
        ("GSE", "e", "0.1"), ("GSE", "e", "0.2"), ("GSE", "f", "0.1"), ("GSE", "f", "0.2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a", "a"], "folders: expected different ones"),
        (["a", "nowhere"], "folder nowhere: no result there (result.json is missing)"),
        (["a", "b", "--out", "b"], "--out = b: is one of those that are compared; choose another"),
    ],
)
def test_what_cannot_be_compared_is_one_line(arguments, said, capsys):
    assert main(["report", *arguments]) == 2
    assert capsys.readouterr().err == f"folkmoot: error: {said}\n"
