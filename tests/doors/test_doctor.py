"""`folkmoot doctor` never fails and says what is wrong; `folkmoot licences` says the licence of every dependency."""

import importlib
import json
import re
from importlib.metadata import PackageNotFoundError, distribution

import pytest

from folkmoot.cli import main

doctor = importlib.import_module("folkmoot.cli.doctor")  # the package's own `doctor` is the command

PARTS = ["versions", "extras", "cache", "threads", "data", "machine", "settings"]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    monkeypatch.setenv("FOLKMOOT_CACHE", str(tmp_path))
    monkeypatch.delenv("FOLKMOOT_DATA", raising=False)
    for name in ("NUMBA_NUM_THREADS", "NUMBA_DISABLE_JIT"):
        monkeypatch.delenv(name, raising=False)


def told(capsys):
    assert main(["doctor", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_doctor_tells_every_part(capsys, tmp_path):
    found = told(capsys)
    assert list(found) == [*PARTS, "wrong"]
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", found["versions"]["python"])
    assert {"folkmoot", "numpy", "numba", "sources", "platform"} <= set(found["versions"])
    assert found["cache"]["compiled code"].startswith(str(tmp_path))
    assert set(found["data"]) == {"movielens", "mnist"}
    assert not [line for line in found["wrong"] if "cannot be told" in line]


def test_it_prints_the_same_for_people(capsys):
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert all(part in printed for part in PARTS[:6])
    assert "numba" in printed


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NUMBA_DISABLE_JIT", "1", "nothing is compiled"),
        ("NUMBA_NUM_THREADS", "9999", "more than the"),
        ("FOLKMOOT_DATA", "no-such-folder", "no such folder"),
    ],
)
def test_it_says_what_is_wrong(monkeypatch, capsys, name, value, said):
    assert not [line for line in told(capsys)["wrong"] if said in line]
    monkeypatch.setenv(name, value)
    assert [line for line in told(capsys)["wrong"] if said in line and name in line]


def test_without_a_cache_folder_it_says_so(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FOLKMOOT_CACHE", str(tmp_path / "file"))
    assert "set FOLKMOOT_CACHE" in " ".join(told(capsys)["wrong"])


def test_a_part_that_cannot_be_told_is_a_line(monkeypatch, capsys):
    def broken(wrong):
        raise RuntimeError("a\nb")

    monkeypatch.setattr(doctor, "_threads", broken)
    found = told(capsys)
    assert found["threads"] == {}
    assert "threads: cannot be told (RuntimeError: a b)" in found["wrong"]


def test_without_metadata_nothing_fails(monkeypatch, capsys):
    def none(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "distribution", none)
    assert told(capsys)["extras"] == {}
    assert main(["licences", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_package_that_is_too_old_is_named(monkeypatch, capsys):
    class Old:
        version, requires, metadata = "0.1", ["numpy>=2.0"], distribution("numpy").metadata

    monkeypatch.setattr(doctor, "distribution", lambda name: Old())
    assert "numpy 0.1: expected numpy>=2.0" in told(capsys)["wrong"]


def test_licences_of_all_dependencies_are_listed(capsys):
    assert main(["licences", "--json"]) == 0
    found = {row["package"]: row for row in json.loads(capsys.readouterr().out)}
    if not found:
        pytest.skip("folkmoot was not installed, so nothing is known of what it needs")
    assert {"numpy", "numba", "llvmlite", "pydantic", "pydantic-core", "pynacl"} <= set(found)  # also what those need
    assert "BSD" in found["numpy"]["licence"]
    assert all(row["version"] and row["licence"] for row in found.values())
    assert main(["licences"]) == 0
    assert "pydantic-core" in capsys.readouterr().out
