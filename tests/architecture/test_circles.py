"""No two files of the package import each other, not even by way of others, at the top or inside a function."""

from graphlib import CycleError, TopologicalSorter

import pytest
from test_imports import FILES, PACKAGE, imported

MODULES = {
    ".".join(("folkmoot", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in FILES
}


def module(name, modules):
    """The module that is imported by `import name` or `from package import name`; None: none of ours."""
    if name in modules:
        return name
    above = name.rpartition(".")[0]
    return above if above in modules else None


def circle(texts):
    """The modules of a circle, in order, the first again at the end; none: []. `texts`: source by module.

    The package itself, which loads everything lazily, is left out, and so is what a package's own list of public
    names imports from its files.
    """
    names = set(texts)
    arrows = {
        one: {found for name in imported(text) if (found := module(name, names)) and found not in (one, "folkmoot")}
        for one, text in texts.items()
        if one != "folkmoot"
    }
    for one, found in arrows.items():
        found -= {other for other in found if other.startswith(f"{one}.")}
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle():
    assert circle({name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}) == []


@pytest.mark.parametrize(
    "texts",
    [
        {"folkmoot.a": "import folkmoot.b", "folkmoot.b": "from folkmoot.a import x"},
        {"folkmoot.a": "from folkmoot import b", "folkmoot.b": "def f():\n    import folkmoot.a"},
        {"folkmoot.a": "x = 'folkmoot.b:name'", "folkmoot.b": "import folkmoot.c", "folkmoot.c": "import folkmoot.a"},
    ],
)
def test_a_circle_is_noticed(texts):
    found = circle(texts)
    assert found[0] == found[-1]
    assert set(found) == set(texts)


def test_a_row_is_no_circle():
    assert (
        circle({"folkmoot.a": "import folkmoot.b, folkmoot.c", "folkmoot.b": "import folkmoot.c", "folkmoot.c": ""})
        == []
    )
