"""Each swept value is a column of its own; files of many cells do not say the same twice."""

import csv
import io
import json

import numpy as np
from made_results import make

import folkmoot as fm
from folkmoot.report.tables import curves_csv, summary_csv
from folkmoot.simulation.saved import load_all, save


def cell(name, label, **settings):
    return make(name).configured(cell={"label": label, "settings": settings})


GRID = {
    "GSE, p = 0.1": cell("GSE, p = 0.1", "GSE", p=0.1, horizon=1_000),
    "GSE, p = 0.9": cell("GSE, p = 0.9", "GSE", p=0.9, horizon=1_000),
    "UCB, c = 2": cell("UCB, c = 2", "UCB", c=2, kind={"type": "x", "y": [1]}, round="late", horizon=1_000),
}


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_columns_of_the_files():
    rows = read(summary_csv(GRID))
    assert next(iter(rows[0])) == "name"
    assert list(rows[0])[-5:] == ["algorithm", "p", "c", "kind", "round"]
    assert [(row["algorithm"], row["p"], row["c"]) for row in rows] == [
        ("GSE", "0.1", ""),
        ("GSE", "0.9", ""),
        ("UCB", "", "2"),
    ]
    assert rows[2]["kind"] == '{"type": "x", "y": [1]}'
    assert [key for key in rows[0] if key.startswith("horizon")] == ["horizon"]  # it is a column anyway
    rows = read(curves_csv(GRID))
    assert list(rows[0]) == [
        "algorithm", "p", "horizon", "c", "kind", "swept_round", "what", "round", "mean", "std", "low", "high",
        "replicates",
    ]  # fmt: skip
    assert {(row["algorithm"], row["p"]) for row in rows} == {("GSE", "0.1"), ("GSE", "0.9"), ("UCB", "")}
    assert "algorithm" not in read(summary_csv({"A": make()}))[0]


def test_columns_of_tables():
    columns = fm.to_frame(GRID, "dict")
    assert list(columns) == [
        "algorithm",
        "p",
        "horizon",
        "c",
        "kind",
        "swept_round",
        "replicate",
        "round",
        "what",
        "value",
    ]
    assert columns["p"].dtype == np.float64
    assert set(columns["p"][columns["algorithm"] == "GSE"].tolist()) == {0.1, 0.9}
    assert np.isnan(columns["p"][columns["algorithm"] == "UCB"]).all()
    assert set(columns["kind"].tolist()) == {"", '{"type": "x", "y": [1]}'}
    mine = fm.to_frame({"mine": GRID["GSE, p = 0.1"]}, "dict")
    assert set(mine["algorithm"].tolist()) == {"mine"}  # a name that was chosen stays


def test_sixty_cells_say_their_settings_once(tmp_path):
    """Links and means of a hundred agents: 2,000 pairs and 300 numbers in each configuration."""
    links = [[i, j] for i in range(40) for j in range(50, 100)]
    many = {}
    for n in range(60):
        made = make(f"cell {n}")
        network = {**made.configuration["network"], "edge_list": links, "link_probability": n / 60}
        many[made.name] = made.configured(network=network, remarks=[float("nan")])
    save(many, tmp_path / "out")
    told = (tmp_path / "out" / "result.json").read_text(encoding="utf-8")
    assert len(told) < 400_000
    assert json.loads(told, parse_constant=lambda name: 1 / 0)  # no NaN
    back = load_all(tmp_path / "out")
    assert back["cell 7"].configuration["network"] == many["cell 7"].configuration["network"]


def test_a_file_in_which_nothing_is_shared_has_the_older_format(tmp_path):
    save({"A": make("A"), "B": make("B")}, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert told["format"] == 3
    assert "shared" not in told
