"""A name means one thing: no two files of a room have classes of one name."""

import ast

import pytest
from test_imports import FILES, PACKAGE, part_of

# Of contract 1: each algorithm, network, reward law ... has its own under these names.
CONTRACT_1 = {"Params", "State", "Message", "LateMessage"}


def classes(text):
    """Names of the public classes at the top of a module, and of the types it gives a name.

    A name for `Any` stands for a class that the module cannot import; it has that class's name.
    """
    found = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
        elif (
            isinstance(node, ast.AnnAssign)
            and ast.unparse(node.annotation) == "TypeAlias"
            and ast.unparse(node.value) != "Any"
        ):
            found.add(ast.unparse(node.target))
    return {name for name in found if not name.startswith("_")} - CONTRACT_1


def meant_twice(texts, room):
    """Names that several modules define, with these. `texts`: source by path; `room`: of a path."""
    homes = {}
    for path, text in texts.items():
        for name in classes(text):
            homes.setdefault((room(path), name), []).append(path)
    return {name: paths for (_, name), paths in homes.items() if len(paths) > 1}


def test_a_class_means_one_thing_in_its_room():
    texts = {path: path.read_text(encoding="utf-8") for path in FILES}
    assert {n: [p.relative_to(PACKAGE) for p in ps] for n, ps in meant_twice(texts, part_of).items()} == {}


@pytest.mark.parametrize("other", ["class Kind: pass", "Kind: TypeAlias = int"])
def test_a_second_meaning_is_noticed(other):
    texts = {"agreement/a.py": "class Kind(Protocol):\n    pass", "agreement/b.py": other, "ledger/c.py": other}
    found = meant_twice(texts, lambda path: path.split("/")[0])
    assert found == {"Kind": ["agreement/a.py", "agreement/b.py"]}


def test_what_every_algorithm_has_is_no_second_meaning():
    assert meant_twice({"a": "class State: pass", "b": "class State: pass\nclass _Own: pass"}, lambda _: "x") == {}
