"""Chains of networks that a process replays which computes otherwise: more threads, kernels of other processors."""

import os
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `multiparty`")

from folkmoot.multiparty import Consortium, Party, TorchModel
from folkmoot.multiparty.models.architectures import LeNet5

ADVISED = 2e-6  # docs/multiparty.md
VERIFIES = """
import sys, torch
torch.set_num_threads(2)
from folkmoot.cli import main
for path in sys.argv[1:]:
    print(main(["ledger", "verify", path]))
"""


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory):
    """The same game twice, with tolerance 0 and with the one that is advised."""
    found = []
    for name, tolerance in (("exact", 0.0), ("advised", ADVISED)):
        parties = []
        for number in range(3):
            torch.manual_seed(number)
            chance = np.random.default_rng(number)
            x = chance.random((60, 1, 28, 28)).astype(np.float32)
            model = TorchModel(LeNet5(4), classes=[0, 1, 2, 3])
            parties.append(Party(f"party {number}", model, x, chance.integers(0, 4, 60)))
        path = tmp_path_factory.mktemp("replayed") / f"{name}.ledger"
        told = {"delta": 0.1, "sigma": 0.9, "rules": "printed", "tolerance": tolerance, "keys": "derived"}
        consortium = Consortium(parties, ledger=path, **told)
        assert consortium.calibrate(2, 20, progress=False).accepted > 10
        consortium.close()
        found.append(str(path))
    return found


def replayed(ledgers, **environment):
    """What a process of its own says of each: its exit statuses, and its words."""
    command = [sys.executable, "-c", VERIFIES, *ledgers]
    ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=600)
    assert ran.returncode == 0, ran.stderr
    said = [line for line in ran.stderr.splitlines() if "% after" not in line]  # a slow machine says how far it is
    return [int(line) for line in ran.stdout.splitlines() if line in ("0", "1", "2")], "\n".join(said)


def test_threads_and_kernels_of_openblas_change_no_bit(ledgers):
    statuses, said = replayed(ledgers, OPENBLAS_CORETYPE="Prescott", OMP_NUM_THREADS="2")
    assert (statuses, said) == ([0, 0], "")


def test_an_old_processor_agrees_within_the_tolerance_that_is_advised(ledgers):
    """PyTorch's kernels without wide registers round otherwise; a chain that tolerates nothing is refused there."""
    statuses, said = replayed(ledgers, ATEN_CPU_CAPABILITY="default", OPENBLAS_CORETYPE="Prescott")
    assert statuses[1] == 0
    if torch.backends.cpu.get_cpu_capability() != "DEFAULT":
        assert statuses[0] == 1
        assert "exact.ledger" in said
        assert "advised.ledger" not in said
