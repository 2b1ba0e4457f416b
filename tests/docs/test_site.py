"""The tree of the site has every page, and its pages of Python have every public name. No site is built here."""

import importlib
import re
import sys
from pathlib import Path

import pytest

import folkmoot
from folkmoot.experiments.catalogue import TABLES

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "docs" / "site"
PACKAGES = ["adapters", "ledger", "multiparty", "node", "theory"]
_TREE = re.compile(r"^:::\{toctree\}\n(.*?)^:::$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"^\.\. (?:auto\w+|py:data):: (folkmoot[\w.]*)$", re.MULTILINE)


def entries(text: str) -> list[str]:
    """What the trees on a page name."""
    lines = [line for tree in _TREE.findall(text) for line in tree.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def in_tree(page: Path) -> set[Path]:
    """A page and all pages below it."""
    found = {page}
    text = page.read_text(encoding="utf-8") if page.suffix == ".md" else ""
    for entry in entries(text):
        below = (
            sorted(page.parent.glob(f"{entry}.ipynb"))
            + sorted(page.parent.glob(f"{entry}.md"))
            + sorted(page.parent.glob(f"{entry}.rst"))
        )
        assert below, f"{page.name}: {entry} is no page"
        for one in below:
            found |= in_tree(one.resolve())
    return found


def test_every_page_is_in_the_tree():
    pages = {
        *(ROOT / "docs").glob("*.ipynb"),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "docs" / "decisions").glob("*.md"),
        *SITE.rglob("*.md"),
    }
    pages |= {*SITE.rglob("*.rst"), *ROOT.glob("papers/*/README.md")}
    missing = {path.resolve() for path in pages} - in_tree(SITE / "index.md")
    assert sorted(path.name for path in missing) == []


def documented() -> list[str]:
    return [name for page in sorted(SITE.glob("python/*.rst")) for name in _NAME.findall(page.read_text("utf-8"))]


def public() -> set[str]:
    names = {f"folkmoot.{name}" for name in folkmoot.__all__ if name not in PACKAGES}
    for package in PACKAGES:
        module = importlib.import_module(f"folkmoot.{package}")
        names |= {f"folkmoot.{package}.{name}" for name in module.__all__}
    return names


def test_every_public_name_is_on_one_page():
    said = documented()
    assert (sorted(public() - set(said)), sorted(set(said) - public())) == ([], [])
    assert len(said) == len(set(said))


def test_every_public_algorithm_has_its_provenance():
    page = (SITE / "provenance.md").read_text(encoding="utf-8")
    named = (SITE / "python" / "algorithms.rst").read_text(encoding="utf-8")
    algorithms = {name.removeprefix("folkmoot.") for name in _NAME.findall(named)} - {"Algorithm"}
    assert {name for name in algorithms if f"`{name}`" not in page} == set()


@pytest.fixture(scope="module")
def keys():
    sys.path.insert(0, str(SITE))
    try:
        return importlib.import_module("keys")
    finally:
        sys.path.remove(str(SITE))


@pytest.fixture(scope="module")
def command_line():
    sys.path.insert(0, str(SITE))
    try:
        return importlib.import_module("command_line")
    finally:
        sys.path.remove(str(SITE))


def test_the_page_of_commands_has_every_command_and_option(command_line):
    """As the help in a terminal says them."""
    page = command_line.filled((SITE / "command-line.md").read_text(encoding="utf-8"))
    found = dict(command_line.commands())
    assert {"folkmoot run", "folkmoot ledger verify", "folkmoot node init", "folkmoot charter sign"} <= set(found)
    for name, command in found.items():
        assert f"## `{name}`" in page
        for parameter in command.params:
            hidden = parameter.name == "help" or getattr(parameter, "hidden", False)
            assert hidden or all(one in page for one in parameter.opts if one.startswith("--"))
        assert [called for called, what in command_line.parameters(command) if not what] == []


def test_lists_in_a_help_stay_lists_on_the_page(command_line):
    page = command_line.section("folkmoot try", dict(command_line.commands())["folkmoot try"])
    assert "```text\nOn a chain (bc_ucb):\n  sign_flip         reports the negative" in page
    assert "\b" not in page


def test_the_page_of_keys_has_every_group(keys):
    page = (SITE / "keys.md").read_text(encoding="utf-8")
    assert [group for group in TABLES if f"<!-- keys: {group} -->" not in page] == []


@pytest.mark.parametrize("group", TABLES)
def test_every_key_of_every_type_says_what_it_means(keys, group):
    silent = [f"{name}.{key}" for name, kind in TABLES[group].items() for key, _, what in keys.rows(kind) if not what]
    assert silent == []


def test_the_tables_have_key_default_and_meaning(keys):
    page = keys.filled("<!-- keys: networks -->\n")
    assert "### `markov`" in page
    assert re.search(r"^\| `up` \| needed \| probability that a link which is down comes up", page, re.MULTILINE)
    assert "<!-- keys" not in page
