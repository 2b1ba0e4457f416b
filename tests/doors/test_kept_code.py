"""A kernel cache that is cut, emptied, full, read-only or another user's: used or compiled anew, never fatal."""

import errno
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from folkmoot.simulation import compiled, kept_code

numba = compiled.compiler()


def twice(x):
    return 2 * x


def play(folder, value=3):
    """A process that asks anew: what it got, hits of the cache, and what was said."""
    kept_code._said.clear()
    dispatcher = numba.njit(twice)
    kept_code.keep(dispatcher, folder)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert dispatcher(value) == 2 * value
        assert dispatcher(float(value)) == 2.0 * value
    return sum(dispatcher.stats.cache_hits.values()), [str(warning.message) for warning in caught]


@pytest.fixture
def warm(tmp_path):
    assert play(tmp_path) == (0, [])
    assert play(tmp_path) == (2, [])
    return tmp_path


def files(folder):
    return sorted(folder.iterdir())


DAMAGES = {
    "cut": lambda body: body[: len(body) // 2],
    "emptied": lambda body: b"",
    "a byte changed": lambda body: body[:-9] + bytes([body[-9] ^ 1]) + body[-8:],
    "something else": lambda body: b"\x80\x04K\x01." * 40,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_compiled_anew_and_mended(warm, damage):
    path = files(warm)[0]
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    hits, said = play(warm)
    assert hits == 1
    assert len(said) == 1
    assert "compiled anew: it is damaged" in said[0]
    assert play(warm) == (2, [])


def test_a_file_that_is_gone_is_compiled_anew(warm):
    files(warm)[0].unlink()
    assert play(warm) == (1, [])
    assert play(warm) == (2, [])


def test_code_of_another_signature_is_not_run(warm):
    """Nor a file that was given the name of another one."""
    one, other = files(warm)
    one.write_bytes(other.read_bytes())
    assert play(warm) == (1, [])
    assert play(warm) == (2, [])


def test_two_that_compile_at_the_same_time_take_nothing_from_each_other(tmp_path, monkeypatch):
    """The second one keeps its code while the first one is about to."""
    write, second = kept_code.write_file, numba.njit(twice)
    kept_code.keep(second, tmp_path)

    def both(path, content):
        monkeypatch.setattr(kept_code, "write_file", write)
        assert second(1.5) == 3.0
        write(path, content)

    monkeypatch.setattr(kept_code, "write_file", both)
    first = numba.njit(twice)
    kept_code.keep(first, tmp_path)
    assert first(1) == 2
    assert len(files(tmp_path)) == 2
    assert play(tmp_path) == (2, [])


def test_code_of_another_version_is_compiled_anew(warm, monkeypatch):
    monkeypatch.setattr(kept_code.llvmlite, "__version__", "0.0.1")
    assert play(warm) == (0, [])
    assert play(warm) == (2, [])


def test_code_that_another_user_wrote_is_not_run(warm, monkeypatch):
    monkeypatch.setattr(kept_code.os, "getuid", lambda: 4_711)
    for path in warm.iterdir():
        os.chown(path, 4_712, -1) if os.geteuid() == 0 else None
    if os.geteuid() != 0:
        pytest.skip("only root may give files to somebody else")
    hits, said = play(warm)
    assert hits == 0
    assert "another user wrote it" in said[0]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_what_cannot_be_written_is_not_kept(tmp_path, monkeypatch, number):
    def refused(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(kept_code, "write_file", refused)
    hits, said = play(tmp_path)
    assert hits == 0
    assert [line.split(": ")[-1] for line in said] == [os.strerror(number)]


READER = """
import sys
sys.path[:0] = {paths!r}
import os, tempfile
from pathlib import Path
import test_kept_code as tests
with tempfile.TemporaryDirectory() as other:  # what numba imports when it first compiles may not be readable later
    tests.play(Path(other))
    tests.play(Path(other))
os.setgid(65534)
os.setuid(65534)
print(*tests.play(Path({folder!r})))
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become somebody else")
def test_a_cache_that_root_filled_and_nobody_else_may_write_is_used(warm, tmp_path_factory):
    for path in (warm, *warm.parents):
        if path.owner() == "root" and len(path.parts) > 2:
            path.chmod(0o755)
    program = READER.format(paths=[os.path.dirname(__file__), *sys.path], folder=str(warm))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd="/")
    assert done.stdout.startswith("2 []"), done.stdout + done.stderr


def no_home(name):
    raise RuntimeError("could not determine the home directory")


@pytest.mark.parametrize("found", [lambda name: Path("~/.cache") / name, no_home], ids=["as it is written", "an error"])
def test_a_user_without_a_home_has_no_folder(monkeypatch, tmp_path, found):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FOLKMOOT_CACHE", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", found)
    assert compiled.cache_folder() is None
    assert not list(tmp_path.iterdir())


def test_where_numba_compiles_nothing_there_is_nothing_to_keep(monkeypatch, tmp_path):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert compiled._compiled(twice, tmp_path, {})(3) == 6
    assert not list(tmp_path.iterdir())
