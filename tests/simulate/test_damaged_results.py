"""A saved result that is damaged: it is refused in one line that names the folder, or it is the same result."""

import json
import random

import numpy as np
import pytest
from made_results import make

import folkmoot as fm
from folkmoot.errors import DamagedFile
from folkmoot.simulation.saved import load_all

FILES = ("result.json", "curves.npz")


@pytest.fixture
def saved(tmp_path):
    return make().save(tmp_path / "out")


def of_format_2(folder):
    """As version 0.1.0 wrote it: without a digest."""
    told = json.loads((folder / "result.json").read_text())
    told.pop("digest", None)
    (folder / "result.json").write_text(json.dumps({**told, "format": 2}))
    return folder


def with_arrays(folder, **changes):
    with np.load(folder / "curves.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    np.savez(folder / "curves.npz", **{**kept, **{f"0.{name}": array for name, array in changes.items()}})
    return of_format_2(folder)


def damaged(content, draw):
    """The bytes after one of six kinds of damage."""
    data, place = bytearray(content), draw.randrange(len(content))
    kind = draw.randrange(6)
    if kind == 0:
        data[place] ^= 1 << draw.randrange(8)
    elif kind == 1:
        data[place : place + draw.randrange(1, 40)] = draw.randbytes(draw.randrange(40))
    elif kind == 2:
        del data[place:]
    elif kind == 3:
        data[place:place] = data[draw.randrange(len(data)) :][: draw.randrange(1, 60)]
    elif kind == 4:
        data[place] = draw.choice(b'0123456789[]{}",:.e-')
    else:
        for _ in range(20):
            data[draw.randrange(len(data))] = draw.randrange(256)
    return bytes(data)


def same(one, other):
    arrays = all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in one.ARRAYS
                 if getattr(other, name) is not None)  # fmt: skip
    told = ("name", "configuration", "provenance")
    return arrays and all(getattr(one, name) == getattr(other, name) for name in told)


def loaded(folder):
    """The result, or None and what was said in its place."""
    try:
        return fm.load(folder), ""
    except (DamagedFile, ValueError) as error:
        return None, str(error) if type(error) in (DamagedFile, ValueError) else repr(error)


@pytest.mark.parametrize("version", [2, 3])
def test_random_damage_is_refused_by_name_or_changes_nothing(saved, version):
    """A digest is in format 3 only; without one a number may have become another, but nothing else is raised."""
    if version == 2:
        of_format_2(saved)
    whole, draw, refused = fm.load(saved), random.Random(7), 0
    contents = {name: (saved / name).read_bytes() for name in FILES}
    for case in range(300):
        name = FILES[case % 2]
        (saved / name).write_bytes(damaged(contents[name], draw))
        found, said = loaded(saved)
        if found is None:
            assert said.startswith(f"folder {saved}: ")
            assert "\n" not in said
            refused += 1
        else:
            assert version == 2 or same(found, whole)
        (saved / name).write_bytes(contents[name])
    assert refused > 150


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pulls": np.zeros((3, 2), np.int64)}, r"pulls: int64 \[3, 2\]: expected int64 \[r, n, k\] from 0"),
        ({"pulls": np.zeros((0, 2, 3), np.int64)}, "pulls: int64"),
        ({"gaps": np.array([0.0, np.nan, 0.1])}, "gaps"),
        ({"seconds": np.array(["a"])}, "an array of <U1; expected numbers"),
        ({"checkpoints": np.array([1, 3, 10, 30, 300, 100, 1_000])}, "checkpoints: expected increasing rounds"),
        ({"decisions": np.zeros(3)}, "decisions: float64"),
    ],
)
def test_an_array_of_another_form_is_refused_by_name(saved, changes, said):
    with_arrays(saved, **changes)
    with pytest.raises(DamagedFile, match=rf"^folder [^\n]*{said}[^\n]*\Z"):
        fm.load(saved)


def test_a_number_that_was_changed_by_hand_is_noticed(saved):
    told = json.loads((saved / "result.json").read_text())
    told["results"][0]["configuration"]["seed"] = 12345
    (saved / "result.json").write_text(json.dumps(told, indent=1))
    with pytest.raises(DamagedFile, match=r"^folder [^\n]*are not what was written: their digest is another\)$"):
        fm.load(saved)


def test_another_layout_is_the_same_result(saved):
    told = json.loads((saved / "result.json").read_text())
    (saved / "result.json").write_text(json.dumps(dict(reversed(told.items()))))
    assert same(fm.load(saved), make()) or fm.load(saved).name == make().name


@pytest.mark.parametrize("folder", [None, 5, b"out", ["out"]])
def test_what_is_no_folder_is_refused(folder):
    with pytest.raises(ValueError, match=r"^folder = [^\n]*: expected the name of a folder$"):
        load_all(folder)
