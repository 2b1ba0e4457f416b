"""The files of exact versions: everything an extra asks for is pinned, within its bounds, with hashes."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.constraints import EXTRAS, FOLDER, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)([^\\\n]*)((?:\\\n    --hash=sha256:[0-9a-f]{64} ?)+)$", re.MULTILINE)


def pins(extra):
    """Versions by name; a package may have one for each of several Pythons."""
    text = (FOLDER / f"{extra}.txt").read_text(encoding="utf-8")
    found = {}
    for name, version, _, _ in _PIN.findall(text):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_an_extra_asks_for_is_pinned_within_its_bounds(extra):
    pinned = pins(extra)
    for text in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"][extra]):
        wanted = Requirement(text)
        versions = pinned.get(canonicalize_name(wanted.name), [])
        assert versions, f"{extra}: {wanted.name} is not pinned"
        assert all(wanted.specifier.contains(version, prereleases=True) for version in versions), (
            extra,
            text,
            versions,
        )


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_pin_has_hashes_and_no_file_names_an_index(extra):
    text = (FOLDER / f"{extra}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in text
    entries = re.split(r"\n(?=[A-Za-z0-9])", text)[1:]
    assert len(entries) > 20
    assert all("--hash=sha256:" in entry for entry in entries)


def test_there_is_no_file_without_an_extra():
    assert {path.stem for path in Path(FOLDER).glob("*.txt")} == set(EXTRAS) <= set(PROJECT["optional-dependencies"])
