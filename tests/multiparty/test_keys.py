"""Keys of the parties that one program plays."""

import errno
import os
import stat
import subprocess
import sys
from dataclasses import replace

import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from made_digits import linear_models, skewed

from folkmoot.encoding import digest
from folkmoot.errors import DamagedFile
from folkmoot.multiparty import Consortium, Party, key_file, keys
from folkmoot.signatures import SigningKey, public_key

POSIX = os.name == "posix"


@pytest.fixture(scope="module")
def parties():
    parts = skewed()[:2]
    return [Party(f"p{i}", m, x, y) for i, (m, (_, x, y)) in enumerate(zip(linear_models(parts), parts, strict=True))]


def derived(seed, name):
    """What anybody can work out who knows the seed and a name."""
    return public_key(SigningKey(digest("multiparty/key", f"{seed}/{name}".encode())))


def keys_of(consortium):
    return [party.key for party in consortium.chain.state.parties]


def test_no_key_can_be_worked_out_from_what_is_public(parties, tmp_path):
    for ledger in (None, tmp_path / "a"):
        consortium = Consortium(parties, ledger)
        assert not {derived(0, party.name) for party in parties} & set(keys_of(consortium))
        assert keys_of(consortium) != keys_of(Consortium(parties))
        consortium.close()


def test_a_simulation_asks_for_derived_keys_by_name(parties):
    assert keys_of(Consortium(parties, keys="derived", seed=3)) == [derived(3, "p0"), derived(3, "p1")]


def test_keys_of_a_chain_are_kept_beside_it_for_their_owner_alone(parties, tmp_path):
    consortium = Consortium(parties, tmp_path / "a")
    consortium.close()
    folder = tmp_path / "a.keys"
    assert sorted(file.name for file in folder.iterdir()) == ["p0.key", "p1.key"]
    assert [public_key(SigningKey(key_file(folder / f"p{i}.key"))) for i in range(2)] == keys_of(consortium)
    if POSIX:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "p0.key").stat().st_mode) == 0o600
    again = Consortium(parties, tmp_path / "b", keys=folder)
    assert keys_of(again) == keys_of(consortium)
    again.close()


def test_a_party_with_a_key_of_its_own_keeps_it(parties, tmp_path):
    own = key_file(tmp_path / "mine.key")
    assert own == key_file(tmp_path / "mine.key")
    consortium = Consortium([replace(parties[0], key=own), parties[1]], tmp_path / "a")
    consortium.close()
    assert keys_of(consortium)[0] == public_key(SigningKey(own))
    assert [file.name for file in (tmp_path / "a.keys").iterdir()] == ["p1.key"]


@pytest.mark.skipif(not POSIX, reason="permissions as POSIX has them")
def test_a_key_that_others_may_read_is_refused(tmp_path):
    key_file(tmp_path / "a.key")
    (tmp_path / "a.key").chmod(0o644)
    with pytest.raises(ValueError, match="others than its owner may read it"):
        key_file(tmp_path / "a.key")


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"00" * 33, b"x" * 64, b"\xff" * 64, b"0" * 65])
def test_a_file_that_holds_no_key_is_refused(content, tmp_path):
    (tmp_path / "a.key").write_bytes(content)
    (tmp_path / "a.key").chmod(0o600)
    with pytest.raises(DamagedFile, match=r"no key; expected 64 hexadecimal digits"):
        key_file(tmp_path / "a.key")


@pytest.mark.skipif(not POSIX, reason="limits as POSIX has them")
def test_a_full_disk_leaves_no_half_a_key(tmp_path):
    """An empty file in its place would be no key for ever."""
    said = f"""
import resource, signal, sys
from folkmoot.multiparty import key_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    key_file({str(tmp_path / "a.key")!r})
except ValueError as error:
    sys.exit(str(error))
"""
    ended = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, timeout=120)
    assert "a.key: cannot be written (File too large)" in ended.stderr
    assert list(tmp_path.iterdir()) == []
    assert len(key_file(tmp_path / "a.key")) == 32


def test_a_disk_that_fills_up_while_keys_are_copied_is_no_end(parties, tmp_path, monkeypatch):
    """Half a folder of keys was in the way of all that came later."""
    copied = keys.new_file

    def full(path, *more):
        if path.parent.name == "b.keys" and path.name == "p1.key":
            raise OSError(errno.ENOSPC, "No space left on device")
        copied(path, *more)

    consortium = Consortium(parties, tmp_path / "a")
    monkeypatch.setattr(keys, "new_file", full)
    with pytest.raises(ValueError, match=r"b\.keys: cannot be written \(No space left on device\)"):
        consortium.prune(tmp_path / "b")
    monkeypatch.undo()
    other = tmp_path / "c.keys"
    key_file(other.mkdir() or other / "p0.key")
    with pytest.raises(ValueError, match=r"c\.keys.p0\.key: holds another key than"):
        consortium.prune(tmp_path / "c")
    consortium.prune(tmp_path / "b")
    assert [public_key(SigningKey(key_file(tmp_path / "b.keys" / f"p{i}.key"))) for i in range(2)] == keys_of(
        consortium
    )
    consortium.close()
    Consortium.open(tmp_path / "b", parties).close()


@pytest.mark.parametrize("given", [None, 7, "", b"secret"])
def test_other_keys_are_refused(parties, given):
    with pytest.raises((ValueError), match=r"keys = .*: expected 'random', 'derived' or a folder"):
        Consortium(parties, keys=given)
