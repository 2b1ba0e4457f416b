import json

import networkx as nx
import numpy as np
import pytest

from folkmoot.algorithms.ucb import UCB
from folkmoot.experiments import made
from folkmoot.simulation.simulate import simulate
from folkmoot.world.networks import Static
from folkmoot.world.rewards import Bernoulli


@pytest.fixture(scope="module")
def result():
    return simulate(UCB(), Bernoulli([[0.4, 0.6]]), Static(nx.empty_graph(1)), horizon=20, engine="interpreted")


@pytest.fixture
def folder(tmp_path, result):
    (tmp_path / "report.html").write_text("a page")
    (tmp_path / "summary.csv").write_text("a table")
    made.note(tmp_path, made.key_of({"UCB": result}, "told"), made.settings_of({"UCB": result}))
    return tmp_path


def test_what_was_made_is_made(folder, result):
    assert made.is_made(folder, made.key_of({"UCB": result}, "told"))


def test_a_folder_without_files_is_not(tmp_path, result):
    assert not made.is_made(tmp_path, made.key_of({"UCB": result}, "told"))


def test_everything_that_a_result_holds_counts(folder, result):
    other = result.configured(seed=7)
    assert not made.is_made(folder, made.key_of({"UCB": other}, "told"))
    assert not made.is_made(folder, made.key_of({"ucb": result}, "told"))
    assert not made.is_made(folder, made.key_of({"UCB": result}, "told otherwise"))
    pulls = result.pulls.copy()
    result.pulls[0, 0] = result.pulls[0, 0, ::-1].copy()
    try:
        assert not np.array_equal(pulls, result.pulls)
        assert not made.is_made(folder, made.key_of({"UCB": result}, "told"))
    finally:
        result.pulls[:] = pulls


@pytest.mark.parametrize("spoilt", ["report.html", "summary.csv"])
def test_a_file_that_is_gone_or_another_is_noticed(folder, result, spoilt):
    key = made.key_of({"UCB": result}, "told")
    (folder / spoilt).write_text("cut")
    assert not made.is_made(folder, key)
    (folder / spoilt).unlink()
    assert not made.is_made(folder, key)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"results": 1}', "[" * 100_000, '{"results": "x", "files": []}'])
def test_a_damaged_note_has_all_made_anew(folder, result, text):
    (folder / made.MADE).write_text(text)
    assert not made.is_made(folder, made.key_of({"UCB": result}, "told"))


def test_a_note_with_the_key_and_damaged_files(folder, result):
    key = made.key_of({"UCB": result}, "told")
    (folder / made.MADE).write_text(json.dumps({"results": key, "files": ["report.html"]}))
    assert not made.is_made(folder, key)
