import json
import logging
import os
import socket
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import folkmoot
from folkmoot.comparison import joint as committee

pytest.importorskip("mpyc", reason="the extra 'private' is not installed")

KAPPA = Fraction(3, 2)
ROOT = Path(folkmoot.__file__).parents[1]

GUARDED = """
import json, logging, sys
sys.argv = ["prog", "-M3", "--help", "--VERSION", "file"]
from folkmoot.comparison.compare import compare
from fractions import Fraction
before = "mpyc" in sys.modules
logging.getLogger().setLevel(logging.ERROR)
bits = compare([[5], [4]], [6], Fraction(3, 2), backend="mpyc").tolist()
root = logging.getLogger()
print(json.dumps([before, bits, sys.argv, root.level, len(root.handlers)]))
"""

MEMBER = """
import json, sys
from fractions import Fraction
import mpyc.runtime
from mpyc.runtime import mpc
from folkmoot.comparison.joint import committee_bits
shares = json.loads(sys.argv[1])[mpc.pid]
loads = mpyc.runtime.pickle.loads

def unpickled(data):
    raise AssertionError("bytes of another member were unpickled")

async def main():
    await mpc.start()
    mpyc.runtime.pickle.loads = unpickled
    bits = await committee_bits(mpc, shares, Fraction(3, 2), 32, receivers=[0])
    mpyc.runtime.pickle.loads = loads
    await mpc.shutdown()
    print(json.dumps([len(mpc.parties), [[int(bit) for bit in row] for row in bits]]))

mpc.run(main())
"""


def run(script, *words):
    """The last line a Python program prints, with this package to import."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_importing_leaves_the_command_line_and_the_log_alone():
    before, bits, words, level, handlers = json.loads(run(GUARDED))
    assert not before  # loaded when it is needed
    assert bits == [[True], [False]]
    assert words == ["prog", "-M3", "--help", "--VERSION", "file"]
    assert (level, handlers) == (logging.ERROR, 0)


def free_ports(number):
    """The first of a few neighbouring ports that nobody listens on."""
    for base in range(21_000 + os.getpid() % 5_000, 60_000, number):
        sockets = [socket.socket() for _ in range(number)]
        try:
            for i, each in enumerate(sockets):
                each.bind(("localhost", base + i))
        except OSError:
            continue
        finally:
            for each in sockets:
                each.close()
        return base
    raise AssertionError("no free ports")


def test_three_members_compare_what_none_of_them_knows(tmp_path):
    """Real processes on the loopback; until the bits are out nobody unpickles anything."""
    counts, members = [[7, 2], [6, 2**32 - 1], [9, 5]], 3  # the last row is the validator's
    prime, draw = committee.modulus(KAPPA, 32), np.random.default_rng(1).bytes
    split = [[committee.additive_shares(count, members, prime, draw) for count in row] for row in counts]
    shares = [[[count[member] for count in row] for row in split] for member in range(members)]
    script = tmp_path / "member.py"
    script.write_text(MEMBER)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script), "-M3", "-K", "64", "-B", str(free_ports(members)), "--no-log"]
    done = subprocess.run(
        [*command, json.dumps(shares)], capture_output=True, text=True, timeout=600, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [3, [[1, 0], [0, 1]]]


def test_shares_add_up_and_look_random():
    prime, draw = committee.modulus(KAPPA, 32), np.random.default_rng(2).bytes
    for count in (0, 5, 2**32 - 1):
        shares = committee.additive_shares(count, 4, prime, draw)
        assert sum(shares) % prime == count
        assert all(0 <= share < prime for share in shares)
        assert min(shares) > 2**64  # each is uniform: smaller with probability below 2**-60
    assert committee.additive_shares(5, 1, prime, draw) == [5]


@pytest.mark.parametrize(
    ("kappa", "bits", "security", "size"),
    [(KAPPA, 32, 64, 127), (KAPPA, 57, 64, 127), (KAPPA, 58, 64, 256), (Fraction(2**32 - 1), 64, 64, 256)],
)
def test_the_prime_has_room_for_masks(kappa, bits, security, size):
    prime = committee.modulus(kappa, bits, security)
    assert prime.bit_length() == size
    assert prime % 4 == 3
    assert pow(3, prime - 1, prime) == 1  # Fermat's test: a composite would pass for few bases
    assert prime > 4 * 2**security * 2**bits * max(kappa.numerator, kappa.denominator)


def test_no_room_is_named():
    with pytest.raises(ValueError, match="sec_param = 300 with 32-bit counts"):
        committee.modulus(KAPPA, 32, 300)


def test_settings_of_the_runtime_are_put_back_and_weak_ones_refused():
    mpc = committee.runtime()
    before = dict(vars(mpc.options))
    assert before["sec_param"] == 30
    assert committee.compare_mpyc([[5, 4]], [6, 6], KAPPA, 8) == [[True, False]]
    assert vars(mpc.options) == before
    with pytest.raises(ValueError, match="sec_param = 30: expected 40 or more"):
        committee._finish(committee.committee_bits(mpc, [[5], [6]], KAPPA, 8))


def test_masks_are_as_wide_as_promised(monkeypatch):
    """The only values ever opened are masked by 64 bits more than the counts have, or are bits of the result."""
    mpc, seen = committee.runtime(), []
    monkeypatch.setattr(type(mpc), "output", _recording(type(mpc).output, seen, mpc))
    committee.compare_mpyc([[5]], [6], KAPPA, 8)
    assert seen
    assert set(seen) == {committee.SECURITY}


def _recording(original, seen, mpc):
    def output(self, *arguments, **options):
        seen.append(mpc.options.sec_param)
        return original(self, *arguments, **options)

    return output


def test_a_member_of_a_larger_committee_is_told(monkeypatch):
    mpc = committee.runtime()
    monkeypatch.setattr(mpc, "parties", (*mpc.parties, *mpc.parties))
    with pytest.raises(ValueError, match="mpyc runs with 2 members here: expected 1"):
        committee.compare_mpyc([[5]], [6], KAPPA, 8)


def test_missing_extras_are_named(monkeypatch):
    from folkmoot.comparison import ristretto

    monkeypatch.setitem(sys.modules, "mpyc.runtime", None)
    with pytest.raises(ValueError, match=r"needs the package mpyc: pip install 'folkmoot\[private\]'"):
        committee.compare_mpyc([[5]], [6], KAPPA, 8)
    monkeypatch.setitem(sys.modules, "rbcl", None)
    ristretto._sodium.cache_clear()
    with pytest.raises(ValueError, match=r"needs the package rbcl: pip install 'folkmoot\[private\]'"):
        ristretto.base(1)
    ristretto._sodium.cache_clear()
