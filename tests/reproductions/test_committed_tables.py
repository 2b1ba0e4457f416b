"""Tables that stand beside a paper are what its page shows."""

import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAPERS = ROOT / "papers"
LYING = ROOT / "docs" / "lying-agents.md"
ELSEWHERE = {"liars/laws.csv": LYING, "bc_ucb/liars.csv": LYING}  # all others: README.md of the paper
LAID_OUT = {"guarantees/guarantees.csv"}  # shown as tables of another form: see test_guarantees.py
COMMITTED = sorted(
    path for path in PAPERS.glob("*/tables/*.csv") if f"{path.parents[1].name}/{path.name}" not in LAID_OUT
)


def name(path):
    return f"{path.parents[1].name}/{path.name}"


def plain(cell):
    """A cell without marks of emphasis, thousands' commas and the typographic minus."""
    bare = cell.strip().replace("`", "").replace("*", "").replace("\N{MINUS SIGN}", "-")
    return re.sub(r"(?<=\d),(?=\d{3})", "", bare)


def rows_of(text):
    """The rows of all tables of a page."""
    lines = [line.strip().strip("|") for line in text.splitlines() if line.startswith("|")]
    return [tuple(plain(cell) for cell in line.split("|")) for line in lines]


def test_there_are_tables():
    assert {name(path) for path in COMMITTED} >= {
        "gse/flood.csv",
        "gse/flood_slow.csv",
        "gse/flood_gone.csv",
        "gse/table1.csv",
    }


@pytest.mark.parametrize("path", COMMITTED, ids=name)
def test_every_row_stands_on_the_page(path):
    page = ELSEWHERE.get(name(path), path.parents[1] / "README.md")
    shown = rows_of(page.read_text(encoding="utf-8"))
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert rows
    for row in (header, *rows):
        assert tuple(plain(cell) for cell in row) in shown


def test_a_number_that_differs_is_noticed():
    page = "| `A` | 1,984 ± 10 | **5** |\n| B | \N{MINUS SIGN}2 |\n"
    assert rows_of(page) == [("A", "1984 ± 10", "5"), ("B", "-2")]
    assert ("A", "1985 ± 10", "5") not in rows_of(page)
