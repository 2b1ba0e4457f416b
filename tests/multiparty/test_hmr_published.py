"""The configurations of the published program, and the table of `bema/hmr`."""

import csv
import importlib

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from folkmoot.reproductions.claims import Claims
from folkmoot.reproductions.papers import figures, papers_folder


@pytest.fixture(scope="module")
def published():
    figures(papers_folder(), "bema")
    return importlib.import_module("folkmoot_papers_bema.published")


@pytest.mark.parametrize(("name", "parties"), [("2 A", 2), ("2 B", 2), ("2 C", 2), ("3 A", 3), ("3 B", 3), ("7", 7)])
def test_every_sample_belongs_to_one_party(published, name, parties):
    owners = published.CONFIGURATIONS[name][1]
    y = np.arange(1000) % 10
    rows = np.concatenate([published.held(y, owner) for owner in owners])
    assert len(owners) == parties
    assert sorted(rows.tolist()) == list(range(1000))


def test_the_seven_have_the_classes_of_the_published_file(published):
    classes = [sorted(owner) for owner in published.CONFIGURATIONS["7"][1]]
    assert classes == [[0, 1, 2], [1, 2, 3], [2, 3, 4, 5], [4, 5, 6], [5, 6, 7, 8], [7, 8, 9], [8, 9]]


def test_the_table_has_before_after_and_control(published, tmp_path):
    accuracy = {"HMR": [0.5, 0.8], "HMR, mean": [0.6, 0.7], "alone": [0.5, 0.6], "alone, mean": [0.6, 0.65]}
    told = {"looks": [0, 105], "accuracy": accuracy, "revealed": 90, "epochs": 210}
    assert published.report(Claims("bema/hmr", tmp_path), {"7": [told] * 3})
    (row,) = [row for row in csv.reader((tmp_path / "hmr.csv").open()) if row[0].startswith("7")]
    assert [cell[:6] for cell in row[1:7]] == ["0.5000", "0.6000", "0.8000", "0.7000", "0.6000", "0.6500"]
    assert row[7:] == ["90", "210"]
    assert (tmp_path / "hmr.png").read_bytes().startswith(b"\x89PNG")
