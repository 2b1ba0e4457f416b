"""`folkmoot try` for as long as its pages promise: 300 rounds, in which members are killed."""

import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.soak


def test_after_300_rounds_all_recommend_what_is_best_for_all(tmp_path):
    command = [sys.executable, "-m", "folkmoot", "try", "edge_cache", "--members", "5", "--rounds", "300"]
    ran = subprocess.run(
        [*command, "--kill", "75", "--no-page", "--data", str(tmp_path / "all")], capture_output=True, text=True
    )
    print(ran.stdout)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("is killed (signal 9)") >= 2
    assert ran.stdout.splitlines()[-1] == "agreed: yes, arm lfu-aged, rounds 300, blocks 0"


def test_five_offices_read_digits_while_one_lies_and_some_are_killed(tmp_path):
    """One alone reads fewer than 60 % of all digits; the mean of the five models as they came reads 91 %."""
    pytest.importorskip("sklearn")
    command = [sys.executable, "-m", "folkmoot", "try", "digits", "--members", "5", "--rounds", "200", "--kill", "40"]
    command += ["--attack", "swapped_within", "--no-page", "--data", str(tmp_path / "all")]
    ran = subprocess.run(command, capture_output=True, text=True)
    print(ran.stdout)
    assert (ran.returncode, ran.stderr) == (0, "")
    *offices, last = ran.stdout.splitlines()[-6:]
    assert re.fullmatch(r"agreed: yes, one ledger of \d+ blocks, rounds 200", last)
    for line in offices[:4]:
        assert float(line.rpartition("read ")[2].partition("%")[0]) > 85
