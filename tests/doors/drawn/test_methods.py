"""Every method of what learns together, with all that it must not take for an argument: one line, always."""

import importlib
import inspect

import numpy as np
import pytest

from . import Heavy, bare, kinds_of, optional, plays, said
from .calls_of_methods import OF_THE_LIBRARY, methods
from .calls_of_parts import BASES, MODULES
from .damages import DRAWN, is_refused

pytest.importorskip("torch", reason="the extra 'multiparty' is not installed")
pytest.importorskip("sklearn", reason="the extra 'multiparty' is not installed")
REFUSED = "Consortium.prune"  # of a consortium without a ledger, in one line


@pytest.fixture(scope="module")
def legal(tmp_path_factory):
    return methods(tmp_path_factory.mktemp("methods"))


def public_methods():
    """Those that take something, by class and name, of all public classes of the room."""
    home = importlib.import_module("folkmoot.multiparty")
    for name in home.__all__:
        kind = getattr(home, name)
        if not isinstance(kind, type) or f"multiparty.{name}" in BASES | MODULES:
            continue
        for method, found in inspect.getmembers(kind, callable):
            own = getattr(found, "__module__", "") or ""
            if (
                not method.startswith("_")
                and own.startswith("folkmoot.")
                and len(inspect.signature(found).parameters) > 1
            ):
                yield f"{name}.{method}"


def test_every_method_has_a_legal_call(legal):
    asked = {name for name in public_methods() if name.partition(".")[2] not in OF_THE_LIBRARY}
    assert {"Consortium.register", "Consortium.distances", "HMR.predict", "TorchModel.scores"} <= asked
    assert asked - set(legal) == set()


def test_legal_calls_are_taken(legal):
    found = {
        name: said(plays(call, {key: bare(value) for key, value in call.given.items()})) for name, call in legal.items()
    }
    assert {name: what for name, what in found.items() if what != "taken"} == {REFUSED: ""}


def _wrong(name, call, generator):
    for argument, value in call.given.items():
        kinds = kinds_of(value, argument in optional(call.function))
        for tag, (made, _) in DRAWN.items():
            refused = is_refused(tag, kinds)
            if (call.slow or isinstance(value, Heavy)) and not refused:
                continue
            given = {key: bare(one) for key, one in call.given.items()} | {argument: made(generator)}
            what = said(plays(call, given))
            if what and (what != "taken" or refused):
                yield f"{name}({argument} = {tag}): {what}"


def test_what_is_no_argument_is_refused_in_one_line(legal, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some names that are drawn become files
    generator = np.random.default_rng(3)
    assert [line for name, call in legal.items() for line in _wrong(name, call, generator)] == []
