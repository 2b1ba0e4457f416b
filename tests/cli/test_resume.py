"""Broken off and run again: the same result to the last bit, whatever the break."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from folkmoot.cli import main
from folkmoot.simulation.saved import load_all

EXPERIMENT = """
name = "breaks"
horizon = 400
replicates = 3
seed = { grid = [1, 2, 3, 4] }
[rewards]
type = "bernoulli"
means = [[0.9, 0.1, 0.5], [0.8, 0.2, 0.5]]
[network]
type = "static"
base = "complete"
[[algorithm]]
type = "ucb"
"""
ROWS = 12

# Runs the command, and lets `{act}` happen in place of the third time that rows are to be written.
BREAKING = """
import json, os, signal, sys
from folkmoot.cli import main
from folkmoot.simulation.log import Log

append, calls = Log.append, []

def breaking(log, rows):
    calls.append(rows)
    if len(calls) == 4:  # the first call writes the head
        {act}
    append(log, rows)

Log.append = breaking
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a process in the background does not have
sys.exit(main(["run", "experiment.toml", "--out", "broken", "--jobs", "1"]))
"""


@pytest.fixture(autouse=True)
def _experiment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("experiment.toml").write_text(EXPERIMENT, encoding="utf-8")


def run(out, *more):
    return main(["run", "experiment.toml", "--out", out, "--jobs", "1", *more])


def rows(out):
    return [json.loads(line) for line in Path(out, "log.jsonl").read_text(encoding="utf-8").splitlines()[1:]]


def broken_off(act):
    text = BREAKING.replace("{act}", act)
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)


def without_progress(text):
    """The lines of standard error, but for those that a slow run says now and then."""
    return [line for line in text.splitlines() if "% after" not in line]


def assert_equal_results(one, other):
    first, second = load_all(one), load_all(other)
    assert list(first) == list(second)
    for name, result in first.items():
        for array in ("checkpoints", "gaps", "team_pulls", "pulls", "messages", "bytes", "regret"):
            a, b = getattr(result, array), getattr(second[name], array)
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
        assert result.configuration == second[name].configuration


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_killed_in_mid_write(capsys):
    half = "os.write(log._file, json.dumps(rows[0]).encode()[:200]); os.kill(os.getpid(), signal.SIGKILL)"
    done = broken_off(half)
    assert done.returncode == -9
    torn = Path("broken", "log.jsonl").read_bytes()
    assert not torn.endswith(b"\n")
    assert not Path("broken", "result.json").exists()
    assert run("broken") == 0
    assert "resumed: 6 replicates were there already" in capsys.readouterr().err
    assert len(rows("broken")) == ROWS
    assert run("whole") == 0
    assert_equal_results("broken", "whole")


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_interrupted_from_the_keyboard(capsys):
    done = broken_off("append(log, rows); return os.kill(os.getpid(), signal.SIGINT)")
    assert done.returncode == 130
    log = Path("broken", "log.jsonl")
    assert without_progress(done.stderr) == [
        f"folkmoot: interrupted; what is finished is kept in {log}; run the same command again to resume"
    ]
    kept = rows("broken")
    assert 9 <= len(kept) < ROWS
    assert run("broken") == 0
    assert rows("broken")[: len(kept)] == kept
    assert len(rows("broken")) == ROWS
    assert run("whole") == 0
    assert_equal_results("broken", "whole")


def test_more_replicates_later(capsys):
    assert run("grown", "--replicates", "1") == 0
    assert run("grown") == 0
    assert "resumed: 4 replicates were there already" in capsys.readouterr().err
    assert len(rows("grown")) == ROWS
    assert run("whole") == 0
    assert_equal_results("grown", "whole")


def test_a_complete_run_is_not_repeated(capsys):
    assert run("out") == 0
    before = Path("out", "log.jsonl").read_bytes()
    assert run("out") == 0
    assert Path("out", "log.jsonl").read_bytes() == before


def test_other_settings_do_not_mix(capsys):
    """The log keeps the rows of another horizon, and does not use them."""
    assert run("out") == 0
    Path("experiment.toml").write_text(EXPERIMENT.replace("= 400", "= 500"), encoding="utf-8")
    assert run("out") == 0
    assert (
        f"log: {ROWS} rows of other settings or another version of folkmoot are left alone" in capsys.readouterr().err
    )
    assert {result.horizon for result in load_all("out").values()} == {500}


def test_what_the_log_holds_is_said_before_anything_is_played(capsys, monkeypatch):
    """Who sees that nothing of an old log counts can still break off."""
    from folkmoot import progress

    def stop(self):
        raise KeyboardInterrupt

    text = EXPERIMENT.replace("{ grid = [1, 2, 3, 4] }", "1")
    Path("experiment.toml").write_text(text, encoding="utf-8")
    assert run("out", "--replicates", "1") == 0
    assert "1 algorithm, 1 replicate each" in capsys.readouterr().out
    monkeypatch.setattr(progress.Progress, "__enter__", stop)
    assert run("out") == 130
    assert capsys.readouterr().err.splitlines()[0] == "resumed: 1 replicate was there already"
    Path("experiment.toml").write_text(text.replace("= 400", "= 500"), encoding="utf-8")
    assert run("out") == 130
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "log: 1 row of other settings or another version of folkmoot is left alone"


def test_a_cell_that_fails_while_running(capsys, monkeypatch):
    """It is named, the others are complete, the status is 1; once it works, it is run."""
    from folkmoot.simulation.replicates import Job

    real = Job.play

    def failing(job, *rest):
        if job.seed == 2:
            raise ValueError("seed 2 is\nunlucky")
        return real(job, *rest)

    monkeypatch.setattr(Job, "play", failing)
    assert run("out") == 1
    captured = capsys.readouterr()
    assert without_progress(captured.err) == ["folkmoot: failed: UCB (alone), seed = 2: seed 2 is unlucky"]
    assert [row["error"] for row in rows("out") if "error" in row] == ["seed 2 is unlucky"]
    assert len(load_all("out")) == 3
    page = Path("out", "report.html").read_text(encoding="utf-8")
    assert "UCB (alone), seed = 2: seed 2 is unlucky" in page
    assert main(["report", "out"]) == 0
    assert "UCB (alone), seed = 2: seed 2 is unlucky" in Path("out", "report.html").read_text(encoding="utf-8")
    monkeypatch.setattr(Job, "play", real)
    assert run("out") == 0
    assert len(load_all("out")) == 4
    assert "unlucky" not in Path("out", "report.html").read_text(encoding="utf-8")
