"""The examples run as they are, in a folder of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_the_consortium_on_digits_gets_better_and_its_chains_verify(tmp_path):
    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / "digits_consortium.py"), str(tmp_path)], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    lines = [line for line in ran.stdout.splitlines() if " before, " in line]
    assert [line.split()[0] for line in lines] == ["honest", "one-lies"]
    for line in lines:
        before, after = (float(word.rstrip("%")) for word in line.split() if word.endswith("%"))
        assert after >= before + 2.0  # measured: 5.0 and 5.2 points; 597 digits, so 1.2 points of standard error
    assert ran.stdout.count("every one follows") == 2
    command = ["ledger", "verify", "--models", str(EXAMPLES / "digits_consortium.py"), str(tmp_path / "honest.ledger")]
    verified = subprocess.run([sys.executable, "-m", "folkmoot", *command], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
