"""What is optional is never fatal: metadata, byte-order marks, a console's alphabet, long names, permissions."""

import os
import stat
import subprocess
import sys

import pytest

from folkmoot.simulation import saved

EXPERIMENT = """name = "small"
horizon = 60
replicates = 1
[rewards]
type = "bernoulli"
means = [[0.2, 0.8], [0.3, 0.7]]
[network]
type = "static"
base = "complete"
[[algorithm]]
type = "ucb"
"""


def folkmoot(*words, cwd, **environment):
    program = "import sys; sys.path.remove(''); from folkmoot.cli import main; sys.exit(main())"
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=cwd, env={**os.environ, "PYTHONPATH": paths, **environment}, capture_output=True, check=False,
    )  # fmt: skip


def test_without_metadata_the_version_is_unknown(monkeypatch):
    def none(name):
        raise saved.PackageNotFoundError(name)

    monkeypatch.setattr(saved, "version", none)
    saved._version.cache_clear()
    try:
        made = saved.provenance()
    finally:
        saved._version.cache_clear()
    assert (made["folkmoot"], made["numba"]) == ("unknown", "unknown")
    assert len(made["sources"]) == 16


def test_a_file_that_begins_with_a_byte_order_mark_is_an_experiment(tmp_path):
    (tmp_path / "small.toml").write_text("\ufeff" + EXPERIMENT, encoding="utf-8")
    done = folkmoot("run", "small.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("alphabet", ["ascii", "cp1252"])
def test_a_console_that_cannot_print_a_name(tmp_path, alphabet):
    (tmp_path / "small.toml").write_text(EXPERIMENT + 'name = "名前 ε"\n', encoding="utf-8")
    done = folkmoot("run", "small.toml", cwd=tmp_path, PYTHONIOENCODING=alphabet)
    assert done.returncode == 0, done.stderr.decode()
    assert b"\\u540d\\u524d" in done.stdout


def test_a_name_of_300_characters(tmp_path):
    (tmp_path / "small.toml").write_text(EXPERIMENT.replace('"small"', f'"{"x" * 300}"'), encoding="utf-8")
    done = folkmoot("run", "small.toml", cwd=tmp_path)
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 0 or (done.returncode == 2 and len(lines) == 1 and "x" * 20 in lines[0]), lines


@pytest.mark.parametrize("umask", [0o002, 0o077])
def test_what_is_written_has_the_permissions_that_the_umask_gives(tmp_path, umask):
    (tmp_path / "small.toml").write_text(EXPERIMENT, encoding="utf-8")
    before = os.umask(umask)
    try:
        done = folkmoot("run", "small.toml", cwd=tmp_path)
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr.decode()
    for path in (tmp_path / "results").rglob("*"):
        wanted = (0o777 if path.is_dir() else 0o666) & ~umask
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
