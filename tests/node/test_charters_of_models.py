"""Charters of models that make no sense are refused in one line; what is signed is said in words."""

import random
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("safetensors")

from consortium import seeds_of
from models_brought import CLASSES, brought_by, charter_of_models, folders_in, party_of

from folkmoot.errors import OtherSide
from folkmoot.machine import NO_FLOOR, Kept, Moment, Received
from folkmoot.multiparty.chain.talk import CONSORTIUM, Given, Lacking
from folkmoot.node.amendment import amend
from folkmoot.node.brought import bring, enter_code, read_brought
from folkmoot.node.charter import BadCharter, read_charter, write_charter
from folkmoot.node.member import Card
from folkmoot.node.systems import system_of
from folkmoot.node.words import words


@pytest.fixture(scope="module")
def brought(tmp_path_factory):
    folders = folders_in(tmp_path_factory.mktemp("members"), 4)
    return folders, brought_by(folders, [party_of(number) for number in range(4)])


def changed(tables, number, **more):
    return [{**table, **more} if n == number else table for n, table in enumerate(tables)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: {"models": t[:3]}, "models: of site-0, site-1, site-2: expected one of each member"),
        (lambda t: {"models": [*t, t[0]]}, "expected one of each member"),
        (lambda t: {"models": changed(t, 1, member="site-9")}, "expected one of each member"),
        (lambda t: {"models": changed(t, 1, parameters=t[0]["parameters"])}, "two have the same parameters"),
        (
            lambda t: {"models": changed(t, 1, parameters="zz")},
            "model of site-1: settings and parameters: expected hex",
        ),
        (lambda t: {"models": changed(t, 1, parameters="00")}, "expected 32"),
        (lambda t: {"models": changed(t, 1, settings="ff")}, "terms.settings: "),
        (lambda t: {"models": changed(t, 1, classes=[0, CLASSES])}, f"class {CLASSES}: expected 0 to {CLASSES - 1}"),
        (lambda t: {"models": changed(t, 1, classes=[1, 0])}, "expected ascending order"),
        (lambda t: {"models": changed(t, 1, classes=[])}, "classes"),
        (lambda t: {"models": changed(t, 1, size=1 << 23)}, "8388608 bytes of parameters: expected at most 4903912"),
        (lambda t: {"models": changed(t, 1, size=0)}, "size"),
        (lambda t: {"models": changed(t, 1, more=0)}, "more"),
        (lambda t: {"models": 3}, "terms.settings.models"),
        (lambda t: {"classes": 1}, "terms.settings.classes = 1: expected at least 2"),
        (lambda t: {"shape": []}, "shape"),
        (lambda t: {"shape": [1 << 21]}, "shape"),
        (lambda t: {"wanted": -1}, "wanted"),
        (lambda t: {"wanted": 65}, "wanted"),
        (lambda t: {"most": 0}, "most"),
        (lambda t: {"rules": {"speed": 1}}, "speed: unknown; the rules are alpha, delta"),
        (lambda t: {"rules": {"delta": 7}}, "delta = 7.0: expected a number (float) from 0 to 1"),
        (lambda t: {"rules": {"delta": "7"}}, "delta = '7'"),
        (lambda t: {"speed": 1}, "speed"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_one_line(brought, change, said):
    folders, tables = brought
    with pytest.raises(BadCharter) as caught:
        system_of(charter_of_models(folders, tables, join=False, settings=change(tables)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_else_such_a_charter_cannot_have(brought):
    folders, tables = brought
    with pytest.raises(BadCharter, match="such a chain records no proofs"):
        system_of(charter_of_models(folders, tables, join=False, evidence="exclude"))
    with pytest.raises(ValueError, match="whose members choose nothing"):
        charter_of_models(folders, tables, join=False, arms=("a", "b"))
    charter = charter_of_models(folders, tables, join=False, rounds=30)
    card = Card.of(seeds_of(5)[4], "site-4", "127.0.0.1:9100")
    with pytest.raises(BadCharter, match="a charter of bema cannot be amended"):
        system_of(amend(charter, 10, admit=[card]))


def test_a_charter_says_what_is_brought_and_is_the_same_from_its_file(brought, tmp_path):
    folders, tables = brought
    charter = charter_of_models(folders, tables, join=False)
    write_charter(tmp_path / "charter.toml", charter)
    assert read_charter(tmp_path / "charter.toml").digest == charter.digest
    told = "\n".join(words(charter))
    assert "Choices" not in told
    assert "linear/softmax, knows 0, 1, 2" in told
    assert "Samples of shape [6], in 4 classes. What moves" in told
    assert (
        "The first round begins as soon as 3 members are there, each other one when the one before has ended;" in told
    )
    assert "As period is 0, nobody waits for start = 2026-01-01T00:00:00Z." in told
    assert "Blocks go on while 1 member is away: 3 sign one." in told
    assert "A member sends up to 3 of its own samples in a round" in told
    quiet = "\n".join(words(charter_of_models(folders, tables, join=False, wanted=0)))
    assert "No samples are sent: wanted = 0." in quiet


def test_a_charter_calls_classes_by_their_names(brought):
    folders, tables = brought
    rules = {"delta": 0.2, "labels": ["ash", "elm", "fir", "oak"]}
    told = "\n".join(words(charter_of_models(folders, tables, join=False, settings={"rules": rules})))
    assert "in 4 classes: ash, elm, fir, oak. What moves" in told
    assert "linear/softmax, knows ash, elm, fir" in told
    assert ", delta = 0.2." in told
    assert "labels" not in told


def test_two_charters_of_the_same_models_are_two_chains(brought):
    folders, tables = brought
    first, second = (system_of(charter_of_models(folders, tables, join=False)) for _ in range(2))
    assert first.genesis.hash != second.genesis.hash


def test_a_member_brings_one_model(brought):
    folders, tables = brought
    assert read_brought(folders[0].path).model_dump(mode="json") == tables[0]
    with pytest.raises(ValueError, match="a member brings one model"):
        bring(folders[0], party_of(0))


def test_bytes_of_others_raise_nothing(brought):
    """Changed messages, and junk, to one that lacks models."""
    folders, tables = brought
    role = system_of(charter_of_models(folders, tables, join=False)).role(0, folders[0].seed(), folder=folders[0].path)
    machine, chance = role.resume({}, Kept(), None, NO_FLOOR), random.Random(5)
    good = [CONSORTIUM.to_bytes(Lacking((bytes(32),))), CONSORTIUM.to_bytes(Given((b"abc", b"d" * 100)))]
    for round in range(1, 60):
        inbox = []
        for _ in range(20):
            data = bytearray(chance.choice(good))
            for _ in range(chance.randrange(4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            inbox.append(Received(chance.randrange(1, 4), bytes(data[: chance.randrange(len(data) + 1)])))
        machine.step(Moment(round, 0), inbox, [])
        assert machine.lacking


def test_a_node_loads_no_compiler_and_torch_only_for_models_of_torch(brought, tmp_path):
    """A fresh program: what it has loaded before and after it has a machine."""
    folders, tables = brought
    write_charter(tmp_path / "charter.toml", charter_of_models(folders, tables, join=False))
    text = f"""
import sys
from pathlib import Path
from folkmoot.node import process
from folkmoot.node.charter import read_charter
from folkmoot.node.systems import system_of
assert "folkmoot.multiparty.party" not in sys.modules
system = system_of(read_charter(Path({str(tmp_path / "charter.toml")!r})))
system.role(0, bytes(32), folder=Path({str(folders[0].path)!r}))
assert "folkmoot.multiparty.party" in sys.modules
print([name for name in ("numba", "torch", "sklearn") if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


def test_damaged_files_of_a_member_are_said_in_one_line(brought, tmp_path):
    folders, tables = brought
    system = system_of(charter_of_models(folders, tables, join=False))
    digest = tables[0]["parameters"]
    for name, data in (
        ("model.toml", b"x"), ("model.toml", b"[settings]\nmodels = 3\n"), ("samples.sqlite", b"no database" * 99),
        (f"contents/{digest[:2]}/{digest[2:]}", b"x"),
    ):  # fmt: skip
        place = tmp_path / str(random.random())
        shutil.copytree(folders[0].path, place, ignore=shutil.ignore_patterns("samples.sqlite-*"))
        (place / name).write_bytes(data)
        with pytest.raises((ValueError, OtherSide)) as caught:
            system.role(0, folders[0].seed(), folder=place)
        assert "\n" not in str(caught.value)


def test_code_that_members_bring_runs_once_in_a_process(tmp_path):
    """As in `folkmoot node host`, which plays many members: a name can be entered once."""
    text = "from folkmoot.multiparty import register_architecture\nregister_architecture('brought-once', lambda n: n)\n"
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "models.py").write_text(text if name != "c" else f"{text}# another file\n", encoding="utf-8")
    enter_code(tmp_path / "a")
    enter_code(tmp_path / "b")
    with pytest.raises(ValueError, match="architecture 'brought-once': the name is taken"):
        enter_code(tmp_path / "c")
    enter_code(tmp_path)  # who brings none
