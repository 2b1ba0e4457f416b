"""What is written is there whole or not at all, whatever goes wrong in between."""

import ast
import os
import sys
from pathlib import Path

import pytest

import folkmoot
from folkmoot.files import new_file, new_folder, or_say, replacing, write_file

FULL = OSError(28, "No space left on device")


def fails(*given, **more):
    raise FULL


def half_written(path):
    path.write_text("new")
    raise FULL


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_written_over(tmp_path):
    for content in (b"one", b"two, longer", b""):
        write_file(tmp_path / "x", content)
        assert (tmp_path / "x").read_bytes() == content
        assert names(tmp_path) == ["x"]


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_when_it_fails_the_old_one_is_there_and_nothing_else(tmp_path, monkeypatch, step):
    write_file(tmp_path / "x", b"old")
    monkeypatch.setattr(os, step, fails)
    with pytest.raises(OSError, match="No space left"):
        write_file(tmp_path / "x", b"new", durable=True)
    assert names(tmp_path) == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32", reason="no folder can be opened")
@pytest.mark.parametrize("durable", [False, True])
def test_what_must_last_is_waited_for_before_it_has_its_name(tmp_path, monkeypatch, durable):
    done = []
    real = {name: getattr(os, name) for name in ("fsync", "replace")}
    for name, act in real.items():
        monkeypatch.setattr(os, name, lambda *given, name=name, act=act: (done.append(name), act(*given)))
    write_file(tmp_path / "x", b"new", durable=durable)
    assert done == (["fsync", "replace", "fsync"] if durable else ["replace"])


@pytest.mark.skipif(sys.platform == "win32", reason="no umask")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_users_umask_counts(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_file(tmp_path / "x", b"")
        with new_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o666 & ~mask
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o777 & ~mask


def test_what_a_crash_left_is_in_nobodys_way(tmp_path):
    left = tmp_path / f".x.{os.getpid()}-0.part"
    left.write_bytes(b"half")
    write_file(tmp_path / "x", b"whole")
    assert (tmp_path / "x").read_bytes() == b"whole"
    assert left.read_bytes() == b"half"


def test_a_link_is_replaced_not_followed(tmp_path):
    (tmp_path / "other").write_bytes(b"other")
    try:
        (tmp_path / "x").symlink_to("other")
    except OSError:
        pytest.skip("no links here")
    write_file(tmp_path / "x", b"mine")
    assert (tmp_path / "other").read_bytes() == b"other"
    assert not (tmp_path / "x").is_symlink()


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_appears_when_it_is_full(tmp_path, there):
    target = tmp_path / "deep" / "out"
    if there:
        target.mkdir(parents=True)
    with new_folder(target) as fresh:
        (fresh / "x").write_text("x")
        assert target.exists() is there
        assert fresh.parent == target.parent
    assert names(target) == ["x"]
    assert names(target.parent) == ["out"]


def test_a_folder_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="No space left"), new_folder(tmp_path / "out") as fresh:
        half_written(fresh / "x")
    assert names(tmp_path) == []


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    with pytest.raises(OSError, match="out"), new_folder(tmp_path / "out"):
        pass
    assert names(tmp_path / "out") == ["mine"]
    assert names(tmp_path) == ["out"]


def test_files_are_replaced_when_all_are_there(tmp_path):
    for name in ("a", "b", "other"):
        (tmp_path / name).write_text("old")
    with pytest.raises(OSError, match="No space left"), replacing(tmp_path) as fresh:
        half_written(fresh / "a")
    old = dict.fromkeys(("a", "b", "other"), "old")
    assert {name: (tmp_path / name).read_text() for name in names(tmp_path)} == old
    with replacing(tmp_path) as fresh:
        (fresh / "a").write_text("new")
        (fresh / "b").write_text("new")
    assert {name: (tmp_path / name).read_text() for name in names(tmp_path)} == {"a": "new", "b": "new", "other": "old"}


def test_what_goes_wrong_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"^file x: cannot be written \(Not a directory\)$"), or_say("file x"):
        write_file(tmp_path / "file" / "x", b"")
    with pytest.raises(ValueError, match=r"^mine$"), or_say("file x"):
        raise ValueError("mine")


# --- The only place ---------------------------------------------------------------------------------------------------

WRITERS = {"replace", "rename", "renames", "mkdtemp", "mkstemp", "NamedTemporaryFile"}


def writers(text):
    """Lines that give a file or folder another name, or make one under a name for a while."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and node.attr in WRITERS and isinstance(node.ctx, ast.Load):
            of_os = isinstance(node.value, ast.Name) and node.value.id in ("os", "tempfile", "shutil")
            if of_os or node.attr in ("rename", "mkdtemp"):
                found.append(node.lineno)
    return found


def test_nobody_else_renames_what_he_has_written():
    package = Path(folkmoot.__file__).parent
    found = [file.relative_to(package).as_posix() for file in package.rglob("*.py") if writers(file.read_text("utf-8"))]
    # A name for a while: of a trial's folder, and of a certificate that Python's ssl takes from a file alone.
    assert sorted(found) == ["files.py", "node/tls_contexts.py", "node/trying.py"]


@pytest.mark.parametrize("text", ["os.replace(a, b)", "part.rename(x)", "tempfile.mkdtemp()"])
def test_another_place_is_noticed(text):
    assert writers(text) == [1]


def test_a_new_file_takes_nobodys_place(tmp_path, monkeypatch):
    new_file(tmp_path / "a", b"one", 0o600)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        new_file(tmp_path / "a", b"two")
    monkeypatch.setattr(os, "link", lambda *names: (_ for _ in ()).throw(PermissionError()))  # as FAT has it
    with pytest.raises(FileExistsError):
        new_file(tmp_path / "a", b"two")
    new_file(tmp_path / "b", b"two")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a": b"one", "b": b"two"}
