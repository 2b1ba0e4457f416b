"""The page on the files of a result lists exactly the columns and fields that are written."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_games import chain, consortium
from made_results import make

from folkmoot.report.shared import summaries_csv
from folkmoot.report.tables import curves_csv, summary_csv
from folkmoot.simulation.saved import save

PAGE = Path(__file__).resolve().parents[2] / "docs" / "site" / "result-files.md"


def listed(heading):
    """The names in the first column of the table below a heading, in order."""
    part = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (text,) = [one for one in part if one.startswith(f"{heading}\n")]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def bandits():
    made = make(means=np.array([[0.5, 0.25, 0.0]] * 4))
    return replace(made, decisions=made.decisions + 1)


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("`summary.csv` of bandits", lambda: summary_csv({"A": bandits()})),
        ("`summary.csv` of games on a chain", lambda: summaries_csv({"A": chain()})),
        ("`summary.csv` of consortia", lambda: summaries_csv({"A": consortium()})),
        ("`curves.csv`", lambda: curves_csv({"A": bandits()})),
    ],
)
def test_the_page_lists_the_columns(heading, text):
    written = next(csv.reader(io.StringIO(text())))
    assert sorted(listed(heading)) == sorted(written)


def test_the_page_lists_the_fields_of_the_json(tmp_path):
    long = [[i, i + 1] for i in range(60)]
    results = {name: make(name).configured(links=long) for name in "AB"}
    save(results, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert sorted(listed("`result.json`")) == sorted(told)
