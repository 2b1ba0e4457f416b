"""The list of errors is complete, numbered once, and each of its commands exists."""

import re
from pathlib import Path

import pytest
from test_pages import ROOT

from folkmoot.reproductions.papers import figures

PAGE = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"(?<![\w-])E-\d+[a-d]?(?!\w)")
ROWS = re.findall(r"^\| (E-\d+[a-c]?) \|.*\| ([^|]*) \|$", PAGE, re.MULTILINE)
WHERE = ("papers", "docs", "folkmoot")
WORKED_OUT = {  # commands that take no simulation
    "bema": ("e28", "e29", "e30", "e31", "e32"),
    "bc_ucb": ("e12", "e13", "e14", "e15", "e25", "e26"),
    "corruption": ("e9", "e11", "e23"),
    "gse": ("e1", "e2", "e6b"),
    "ucb_sbm": ("e16", "e17", "e20", "e21", "e27"),
}


def named(text: str) -> set[str]:
    """The numbers of errors in a text; parts of one error, as in E-11a, are that error."""
    return {number if number[:3] == "E-6" else number.rstrip("abcd") for number in NUMBER.findall(text)}


def pages() -> list[Path]:
    return [p for top in WHERE for kind in ("*.md", "*.py") for p in (ROOT / top).rglob(kind)]


def test_every_number_that_is_named_is_in_the_list() -> None:
    listed = [number for number, _ in ROWS]
    assert len(listed) == len(set(listed)) >= 29
    for path in pages():
        assert named(path.read_text(encoding="utf-8")) <= set(listed) | {"E-6"}, path


def test_no_number_is_left_out() -> None:
    numbers = {int(re.sub(r"\D", "", number)) for number, _ in ROWS}
    assert numbers == set(range(1, max(numbers) + 1))


@pytest.mark.parametrize(("number", "cell"), ROWS, ids=[number for number, _ in ROWS])
def test_its_command_exists(number: str, cell: str) -> None:
    commands = re.findall(r"folkmoot reproduce (\w+)/(\w+)", cell)
    assert commands
    for paper, figure in commands:
        assert figure in figures(ROOT / "papers", paper)


@pytest.mark.parametrize("name", [f"{paper}/{e}" for paper, errors in WORKED_OUT.items() for e in errors])
def test_an_error_that_is_worked_out_shows(name: str, tmp_path: Path) -> None:
    paper, figure = name.split("/")
    assert figures(ROOT / "papers", paper)[figure](tmp_path, 1, False)


def test_a_number_that_is_nowhere_in_the_list_is_noticed() -> None:
    assert named("so it fails (E-99), like E-11a and E-6c, unlike CVE-2012 or FE-3") == {"E-99", "E-11", "E-6c"}
