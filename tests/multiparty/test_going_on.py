"""`Consortium.open`: a chain goes on after a break, also where the program was killed."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from made_voted import CLASSES, NAMES, TERMS, data, model

from folkmoot import ledger
from folkmoot.multiparty import Consortium, Party


def members():
    regular = Party("dan", model(20, (0, 1)), *data(20, 120, (0, 1)), kind="regular")
    return [*(Party(name, model(i), *data(i)) for i, name in enumerate(NAMES)), regular]


def begun(path, **more):
    return Consortium(members(), path, n_classes=CLASSES, **{**TERMS, **more})


def hashes(one):
    return [one.group.fleet.hash(i) for i in range(len(one.parties))]


@pytest.mark.parametrize("voted", [False, True])
def test_it_goes_on_where_it_was(tmp_path, voted):
    one = begun(tmp_path / "a", voted=voted)
    one.calibrate(1, 10, progress=False)
    before, height = hashes(one), one.chain.height
    one.close()
    again = Consortium.open(tmp_path / "a", members())
    assert hashes(again) == before
    assert again.registrations == one.registrations != []
    assert [(p.name, p.kind) for p in again.parties] == [(p.name, p.kind) for p in one.parties]
    assert again.calibrate(1, 10, progress=False).accepted > 0
    assert again.chain.height > height
    assert hashes(again) != before
    again.register(Party("fay", model(21, (1, 2)), *data(21, 120, (1, 2)), kind="regular"))
    again.close()
    assert ledger.open(tmp_path / "a").verify().ok


KILLED = """
import os, signal, sys
from test_going_on import begun
one, blocks = begun(sys.argv[1]), 0
append = one._ledger.append
def killing(block):
    global blocks
    blocks += 1
    done = append(block) if blocks < 3 else None
    if done is None:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
one._ledger.append = killing
one.calibrate(50, 10, progress=False)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9 as POSIX has it")
def test_it_goes_on_after_kill_9(tmp_path):
    """The contents of the block under way are there already, the block is not."""
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent)])
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "a"], env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == -signal.SIGKILL
    one = Consortium.open(tmp_path / "a", members())
    assert one.chain.height == 3  # of dan, and two of samples
    assert one.calibrate(1, 10, progress=False).accepted > 0
    one.close()
    assert ledger.open(tmp_path / "a").verify().ok


def test_without_data_it_predicts(tmp_path):
    one = begun(tmp_path / "a")
    x, _ = data(50, 20)
    found = one.predict(x)
    one.close()
    again = Consortium.open(tmp_path / "a")
    assert np.array_equal(again.predict(x), found)
    with pytest.raises(ValueError, match="no party has data"):
        again.calibrate(1)
    again.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: [replace(p[0], name="zed")], "party zed: not on this chain; there are ada, bob, cyd, dan"),
        (lambda p: [replace(p[0], key=bytes(32))], "party ada: its key is not the one it has on the chain"),
        (lambda p: [replace(p[0], kind="regular")], "party ada: on the chain it is original"),
        (lambda p: [replace(p[3], kind="original")], "party dan: on the chain it is regular"),
    ],
)
def test_parties_that_are_not_those_of_the_chain_are_refused(tmp_path, change, words):
    begun(tmp_path / "a").close()
    with pytest.raises(ValueError, match=words):
        Consortium.open(tmp_path / "a", change(members()))


def test_keys_are_not_made_anew(tmp_path):
    begun(tmp_path / "a").close()
    (tmp_path / "a.keys" / "bob.key").unlink()
    with pytest.raises(ValueError, match=r"bob\.key: there is none, and party bob has brought no key"):
        Consortium.open(tmp_path / "a", members())
    assert not (tmp_path / "a.keys" / "bob.key").exists()


ACTS = {
    "calibrate": lambda c: c.calibrate(1, 4, progress=False),
    "calibrate_in_rounds": lambda c: c.calibrate_in_rounds(1),
    "checkpoint": lambda c: c.checkpoint(),
    "exchange": lambda c: c.exchange(1),
    "expel": lambda c: c.expel("dan", "why"),
    "leave": lambda c: c.leave("dan"),
    "predict_on_record": lambda c: c.predict_on_record(data(50, 4)[0], by="ada"),
    "prune": lambda c: c.prune(str(c._ledger.path) + ".next"),
    "register": lambda c: c.register(Party("fay", model(21, (1, 2)), *data(21, 120, (1, 2)), kind="regular")),
    "rotate": lambda c: c.rotate("bob"),
    "update": lambda c: c.update(Party("ada", model(30), *data(30))),
}  # fmt: skip
READS = {
    "chain", "close", "distances", "group", "load", "model", "open", "parties", "predict", "predicted_alike",
    "predictor", "protection", "recorded", "rewards", "save", "scores", "screening", "stacked", "tempered",
}  # fmt: skip


def test_what_writes_and_what_does_not_is_known_of_every_method():
    assert {name for name in dir(Consortium) if name[0] != "_" and name.islower()} == ACTS.keys() | READS


@pytest.mark.parametrize("act", ACTS)
def test_after_close_nothing_is_written(tmp_path, act):
    one = begun(tmp_path / "a", voted=True)
    found = one.predict(data(50, 20)[0])
    one.close()
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=r"^this consortium is closed: .*Consortium\.open goes on with its ledger$"):
        ACTS[act](one)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files
    assert np.array_equal(one.predict(data(50, 20)[0]), found)
    one.close()


def test_without_a_ledger_closed_is_closed_too():
    one = begun(None)
    one.close()
    with pytest.raises(ValueError, match=r"^this consortium is closed: it predicts, and is not changed$"):
        one.rotate("bob")
