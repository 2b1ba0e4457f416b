"""Games on a chain and consortia, killed or interrupted in a real process, go on to the same result."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import folkmoot as fm
from folkmoot.cli import main

CHAIN = """
name = "game"
horizon = 40
replicates = 3
[rewards]
type = "bernoulli"
means = [0.8, 0.3]
n_agents = 4
[chain]
fidelity = "protocol"
malicious = [1]
attack = { grid = [{ type = "sign_flip" }, { type = "congest" }] }
"""
CONSORTIUM = """
name = "learn"
replicates = 3
[consortium]
data = { type = "digits" }
division = { type = "listed", classes = [[0, 1, 2], [1, 2, 3], [2, 3, 0]], samples = 40 }
models = "softmax"
eta = { grid = [0.01, 0.05] }
iterations = 2
samples_per_iteration = 5
"""
# Runs the command, and lets `{act}` happen in place of the fourth time that rows are to be written.
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
sys.exit(main(["run", "file.toml", "--out", "broken", "--jobs", "{jobs}"]))
"""
KILLED = "os.write(log._file, json.dumps(rows[0]).encode()[:200]); os.kill(os.getpid(), signal.SIGKILL)"
INTERRUPTED = "append(log, rows); return os.kill(os.getpid(), signal.SIGINT)"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")


def rows(folder):
    return [json.loads(line) for line in Path(folder, "log.jsonl").read_text(encoding="utf-8").splitlines()[1:]]


@pytest.mark.parametrize(("act", "status"), [(KILLED, -9), (INTERRUPTED, 130)])
@pytest.mark.parametrize("text", [CHAIN, CONSORTIUM], ids=["chain", "consortium"])
def test_broken_off_and_run_again(tmp_path, monkeypatch, capsys, text, act, status):
    if text is CONSORTIUM:
        pytest.importorskip("sklearn", reason="needs the extra `multiparty`")
    monkeypatch.chdir(tmp_path)
    Path("file.toml").write_text(text, encoding="utf-8")
    program = BREAKING.replace("{act}", act).replace("{jobs}", "1")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert not Path("broken", "result.json").exists()
    kept = 2 if status == -9 else len(rows("broken"))
    assert 2 <= kept < 6
    assert main(["run", "file.toml", "--out", "broken", "--jobs", "1"]) == 0
    there = "replicate was" if kept == 1 else "replicates were"
    assert f"resumed: {kept} {there} there already" in capsys.readouterr().err
    assert len(rows("broken")) == 6
    assert main(["run", "file.toml", "--out", "whole", "--jobs", "1"]) == 0
    one, other = fm.load("broken"), fm.load("whole")
    assert list(one) == list(other)
    for name, result in one.items():
        for array in set(result.ARRAYS) - {"seconds"}:
            np.testing.assert_array_equal(getattr(result, array), getattr(other[name], array))
        assert result.configuration == other[name].configuration
