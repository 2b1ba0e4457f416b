"""The rooms of `folkmoot.multiparty` are built on each other: models, rules, chain, and what is on top of them."""

import ast
from pathlib import Path

import pytest

import folkmoot.multiparty

HOME = Path(folkmoot.multiparty.__file__).parent
FILES = sorted(HOME.rglob("*.py"))
BELOW = {
    "models": {"models"},
    "rules": {"models", "rules"},
    "exchange": {"models", "rules", "exchange", "party", "screening"},  # these two know models and rules alone
    "chain": {"models", "rules", "exchange", "chain", "party"},  # a participant that exchanges holds a party
}


def room_of(path):
    parts = path.relative_to(HOME).parts
    return parts[0] if len(parts) > 1 else "top"


def uses(text):
    """Every name below `folkmoot.multiparty` that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    prefix = "folkmoot.multiparty."
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def violations(room, text):
    allowed = BELOW.get(room)
    return [] if allowed is None else sorted(name for name in uses(text) if name.split(".")[0] not in allowed)


def modules_used(path):
    """The modules of ours that one of them imports."""
    known = {f.relative_to(HOME).with_suffix("").as_posix().replace("/", ".") for f in FILES}
    found = set()
    for name in uses(path.read_text(encoding="utf-8")):
        while name and name not in known:
            name = name.rpartition(".")[0]
        found |= {name} if name else set()
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOME).as_posix())
def test_a_room_uses_only_those_below_it(path):
    assert violations(room_of(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("room", "text"),
    [
        ("models", "from folkmoot.multiparty.rules.terms import Terms"),
        ("models", "def f():\n    from folkmoot.multiparty.chain import entries"),
        ("rules", "from folkmoot.multiparty.chain.records import Leaf"),
        ("rules", "import folkmoot.multiparty.party"),
        ("exchange", "from folkmoot.multiparty.chain.standing import State"),
        ("exchange", "from folkmoot.multiparty.together import Together"),
        ("chain", "from folkmoot.multiparty.consortium import Consortium"),
    ],
)
def test_a_room_above_is_noticed(room, text):
    assert violations(room, text) != []


def test_imports_go_in_no_circle():
    left = {f.relative_to(HOME).with_suffix("").as_posix().replace("/", "."): modules_used(f) for f in FILES}
    while left:
        free = [name for name, used in left.items() if not used & left.keys()]
        assert free, f"a circle among {sorted(left)}"
        for name in free:
            del left[name]
