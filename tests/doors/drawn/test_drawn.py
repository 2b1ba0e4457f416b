"""A part of the drawn inputs; `python -m tests.doors.drawn` plays all of them."""

import importlib

import numpy as np
import pytest

import folkmoot as fm

from . import Call, draw, plays, said
from .calls import calls, exempt
from .calls_of_parts import BASES, MODULES, PACKAGES, RECORDS
from .fields import documents, draw_field

DRAWS = 300
NOT_INSTALLED = {"adapters.GymnasiumEnv", "adapters.PettingZooEnv"}  # without the extra `gym`
NEED_MORE = {"multiparty"}  # some of it needs the extra of that name


@pytest.fixture(scope="module")
def legal(tmp_path_factory):
    return calls(tmp_path_factory.mktemp("doors"))


def public():
    """Every public name, as the tables call it."""
    names = {name for name in fm.__all__ if name not in PACKAGES}
    for package in PACKAGES:
        module = importlib.import_module(f"folkmoot.{package}")
        names |= {f"{package}.{name}" for name in module.__all__}
    return names


def is_error(name):
    package, _, last = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(f"folkmoot.{package}" if package else "folkmoot"), last)
    except ValueError:  # the extra is not installed
        return False
    return isinstance(found, type) and issubclass(found, Exception)


def test_every_public_name_has_a_legal_call(legal):
    known = set(legal) | exempt() | BASES | MODULES | RECORDS
    missing = {name for name in public() - known if not is_error(name)}
    assert {name for name in missing if name not in NOT_INSTALLED and name.partition(".")[0] not in NEED_MORE} == set()
    pytest.importorskip("torch", reason="the extra 'multiparty' is not installed")
    pytest.importorskip("sklearn", reason="the extra 'multiparty' is not installed")
    assert missing - NOT_INSTALLED == set()


def test_the_drawn_inputs_come_to_a_result_or_to_one_line(legal, tmp_path, monkeypatch):
    """So many over all names and files, the same each time; some names that are drawn become files."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(7)
    names = [name for name, call in legal.items() if call.given]
    files = documents(tmp_path)
    wrong = []
    for _ in range(DRAWS):
        name = names[int(generator.integers(len(names)))]
        wrong.append(draw(name, legal[name], generator))
        if generator.random() < 0.2:
            file = list(files)[int(generator.integers(len(files)))]
            wrong.append(draw_field(file, files[file], generator))
    assert [str(found) for found in wrong if found is not None] == []


def silent(number):
    return float(number)


def many_lines(number):
    raise ValueError("a\nb")


def rude(number):
    raise KeyError(number)


@pytest.mark.parametrize("function", [silent, many_lines, rude])
def test_what_must_not_be_is_found(function):
    """Else the search would be content with everything."""
    generator = np.random.default_rng(1)
    call = Call(function, {"number": 0.5})
    assert any(draw("broken", call, generator) for _ in range(200))


def test_a_legal_call_is_taken(legal):
    assert said(plays(legal["UCB"], dict(legal["UCB"].given))) == "taken"
