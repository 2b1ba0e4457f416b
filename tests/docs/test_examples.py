"""The examples run as they are, in a folder of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_an_exchange_on_digits_makes_the_mean_better_liars_take_no_more_than_that_and_the_chains_verify(tmp_path):
    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / "digits_consortium.py"), str(tmp_path)], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    before = [line for line in ran.stdout.splitlines() if " before: " in line]
    after = [line for line in ran.stdout.splitlines() if line.strip().startswith("after: ")]
    assert [line.split()[0] for line in before] == ["honest", "three"]
    gains = []
    for lines in zip(before, after, strict=True):  # mean, screened mean; 497 digits: 1.3 points of standard error
        first, then = ([float(word.rstrip("%,;")) for word in line.split() if "%" in word][:2] for line in lines)
        gains.append([two - one for one, two in zip(first, then, strict=True)])
    assert min(gains[0]) >= 1.5  # measured: 3.3 points
    assert min(gains[1]) >= -1.0  # measured: 2.1 points won
    assert ran.stdout.count("all verified") == 2
    command = ["ledger", "verify", "--models", str(EXAMPLES / "digits_consortium.py"), str(tmp_path / "honest.ledger")]
    verified = subprocess.run([sys.executable, "-m", "folkmoot", *command], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
