"""A saved consortium, damaged: what is said of it is one line, and nothing else is loaded in its place."""

import json
import os
import random
import re
import shutil

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from folkmoot.errors import DamagedFile, OtherSide
from folkmoot.multiparty import Consortium, Party
from folkmoot.multiparty.models.linear_model import blank
from folkmoot.multiparty.saved import FILE, SUMS

DRAWS = 300
X = np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3)
ODD = (
    None,
    True,
    -1,
    0,
    3,
    1 << 64,
    10**400,
    1.5,
    1e400,
    "",
    "x",
    "00",
    [],
    [1],
    [1, 1],
    {},
    {"shape": [3]},
    "linear/none",
    "torch/none",
)


def party(number, classes):
    model = blank("linear/softmax", classes, (3, (), ()))
    model.weights = np.random.default_rng(number).normal(size=(len(classes), 3)).astype(np.float32)
    return Party(f"p{number}", model, X, np.array(classes)[[0, 1, 0, 1]])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two models of one form, so that their files could be exchanged."""
    folder = tmp_path_factory.mktemp("saved") / "good"
    Consortium([party(0, (0, 1)), party(1, (1, 2))]).save(folder)
    return folder


def told(folder):
    """What is said of a folder, in one line; where it is loaded, what it scores."""
    try:
        return Consortium.load(folder).scores(X).tobytes()
    except (ValueError, OtherSide) as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 600
    assert not re.search(r"[A-Z][a-z]+Error|object has no|argument|NoneType", said), (
        said
    )  # words of Python, and of nobody else
    return said


def test_swapped_parameters_are_noticed(saved, tmp_path):
    folder = shutil.copytree(saved, tmp_path / "a")
    (folder / "0.parameters").rename(folder / "2")
    (folder / "1.parameters").rename(folder / "0.parameters")
    (folder / "2").rename(folder / "1.parameters")
    with pytest.raises(DamagedFile, match=r"0\.parameters: does not have the digest that stands in SHA256SUMS"):
        Consortium.load(folder)


def test_a_folder_of_an_earlier_version_has_no_digests(saved, tmp_path):
    folder = shutil.copytree(saved, tmp_path / "a")
    (folder / SUMS).unlink()
    assert told(folder) == told(saved)


def bytes_of(folder, dice):
    """Any file, any damage to its bytes."""
    file = dice.choice(sorted(folder.iterdir()))
    data, at = bytearray(file.read_bytes()), 0
    at = dice.randrange(len(data))
    what = dice.randrange(4)
    if what == 0:
        data[at] ^= 1 << dice.randrange(8)
    elif what == 1:
        del data[at:]
    elif what == 2:
        data[at : at + dice.randrange(9)] = dice.randbytes(dice.randrange(9))
    else:
        file.unlink()
        return
    file.write_bytes(bytes(data))


def values_of(folder, dice):
    """A value of the head is another, in a folder without digests."""
    (folder / SUMS).unlink()
    head = json.loads((folder / FILE).read_text())
    where = head
    while True:
        key = dice.choice(sorted(where) if isinstance(where, dict) else range(len(where)))
        if not isinstance(where[key], dict | list) or not where[key] or dice.random() < 0.2:
            break
        where = where[key]
    if dice.random() < 0.2 and isinstance(where, dict):
        del where[key]
    else:
        where[key] = dice.choice(ODD)
    (folder / FILE).write_text(json.dumps(head))


@pytest.mark.parametrize("damage", [bytes_of, values_of])
def test_damage_ends_in_one_line(saved, tmp_path, damage):
    good, passed = told(saved), 0
    for seed in range(DRAWS):
        folder = shutil.copytree(saved, tmp_path / "a")
        damage(folder, random.Random(f"{damage.__name__} {seed}"))
        found = told(folder)
        if damage is bytes_of and isinstance(found, bytes):  # a file of digests that is gone, or says the same
            assert found == good, seed
        passed += isinstance(found, bytes)
        shutil.rmtree(folder)
    assert passed < DRAWS / 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda head: head.pop("terms"), r"\(terms: missing; expected an object\)"),
        (lambda head: head["terms"].pop("shape"), r"\(terms\.shape: missing\)"),
        (lambda head: head["terms"].update(speed=1), r"\(terms\.speed: unknown\)"),
        (lambda head: head["terms"].update(labels="ab"), r"\(terms\.labels = 'ab': expected a list\)"),
        (lambda head: head.update(seed="x"), r"\(seed = 'x': expected an integer\)"),
        (lambda head: head.update(parties=[3]), r"\(parties\[0\] = 3: expected an object\)"),
        (lambda head: head["parties"][1].pop("kind"), r"\(parties\[1\]\.kind: missing; expected text\)"),
        (lambda head: head["parties"][0].update(settings="xy"), r"settings = 'xy': expected hexadecimal digits\)"),
        (lambda head: head.update(predictor={"name": "oracle"}), "predictor: name = 'oracle': expected one of mean, "),
        (lambda head: head.update(predictor={"name": "krum", "beta": 1}), "predictor: 'beta': unknown; expected alpha"),
        (lambda head: head.update(predictor={"name": "tempered"}), "predictor: temperatures: missing"),
        (lambda head: head.update(predictor={"name": "krum", "alpha": "a"}), "alpha = 'a': expected a number above 0"),
    ],
)
def test_what_is_wrong_is_named(saved, tmp_path, change, said):
    folder = shutil.copytree(saved, tmp_path / "a")
    (folder / SUMS).unlink()
    head = json.loads((folder / FILE).read_text())
    change(head)
    (folder / FILE).write_text(json.dumps(head))
    with pytest.raises(DamagedFile, match=said):
        Consortium.load(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes as POSIX has them")
def test_a_pipe_or_a_device_is_no_file_of_it(saved, tmp_path):
    """Of a pipe nothing comes, and of a device there is no end."""
    for number, name in enumerate(file.name for file in saved.iterdir()):
        for what in ("pipe", "device"):
            folder = shutil.copytree(saved, tmp_path / f"{number} {what}")
            (folder / name).unlink()
            if what == "pipe":
                os.mkfifo(folder / name)
            else:
                (folder / name).symlink_to("/dev/zero")
            with pytest.raises((ValueError, DamagedFile), match="it is no file"):
                Consortium.load(folder)
