"""Tables that stand beside a paper are what its page shows, and the table of liars leaves nobody out."""

import csv
import importlib
import re
from pathlib import Path

import pytest

import folkmoot as fm
from folkmoot.algorithms import ALGORITHMS
from folkmoot.reproductions.papers import figures
from folkmoot.world.lies import LIES

ROOT = Path(__file__).parents[2]
PAPERS = ROOT / "papers"
LYING = ROOT / "docs" / "lying-agents.md"
ELSEWHERE = {"liars/laws.csv": LYING}  # all others: README.md of the paper
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
        *ELSEWHERE,
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


def test_every_algorithm_that_hears_others_meets_every_law_of_lies():
    assert "laws" in figures(PAPERS, "liars")
    laws = importlib.import_module("folkmoot_papers_liars.laws")
    played = {type(row.algorithm) for row in laws.ROWS.values()}
    assert played == {ALGORITHMS[kind] for kind in ALGORITHMS} - {fm.CentralUCB}
    told = {type(liars.law) for liars in laws.LAWS.values() if liars}
    assert told == {LIES[kind] for kind in LIES}
