"""The table of guarantees: what makes a cell linear, a few cells played small, and that the page shows what is kept."""

import importlib
import re
from dataclasses import dataclass
from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest

from folkmoot.algorithms import ALGORITHMS
from folkmoot.reproductions.papers import figures
from folkmoot.theory import link_threshold

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "papers" / "guarantees"
figures(HOME.parent, "guarantees")
algorithms, cells, table, worlds, written = (
    importlib.import_module(f"folkmoot_papers_guarantees.{name}")
    for name in ("algorithms", "cells", "table", "worlds", "written")
)
KEPT = written.from_csv((HOME / "tables" / "guarantees.csv").read_text(encoding="utf-8").splitlines())


@dataclass
class Played:
    """As much of a result as is read: two replicates of ten agents, two arms, of which one is best by .4."""

    regret: np.ndarray
    team_pulls: np.ndarray
    own_reward: np.ndarray
    gaps: np.ndarray
    configuration: dict[str, object]


def played(regret_at) -> Played:
    rounds = np.array(cells.checkpoints(10_000))
    pulls = np.stack([5 * rounds, 5 * rounds], axis=1)  # any two that add up to ten pulls a round
    regret = np.array([[factor * regret_at(t) for t in rounds] for factor in (0.9, 1.1)])
    return Played(regret, np.stack([pulls, pulls]), np.array([0.5, 0.7]), np.array([0.0, 0.4]), {})


@pytest.mark.parametrize(
    ("regret_at", "linear"),
    [
        (lambda t: 0.4 * t, True),
        (lambda t: 900.0 + 0.1 * t, True),  # a long beginning hides it in the share, not in the rates
        (lambda t: 30.0 * log(t), False),
        (lambda t: 9.0 * sqrt(t), False),
        (lambda t: 900.0, False),
        (lambda t: 900.0 + 0.001 * t, False),  # too small to be called so
    ],
)
def test_linear_is_what_goes_on_at_its_rate(regret_at, linear):
    assert cells.read(played(regret_at)).is_linear == linear


def test_shares_are_of_what_uniform_play_loses():
    cell = cells.read(played(lambda t: 0.5 * t))  # uniform play of ten agents loses 2 a round
    assert cell[:5] == pytest.approx((0.25, 0.025 * 12.706, 0.25, 0.25, 0.25), rel=1e-4)
    assert cell.reward == pytest.approx(0.6)


def test_cells_played_small_are_told_apart():
    def play(name: str, world: str):
        setting = worlds.WORLDS[world](False)._replace(horizon=240, replicates=2)
        return cells.play(algorithms.DIFFERENT[name].make(setting), setting, engine="interpreted")

    learns, alone = play(algorithms.FLOOD, "10 % leave"), play(algorithms.ALONE, "10 % leave")
    believes = play(algorithms.FLOOD, "10 % liars")
    assert (learns.is_linear, learns.late) == (False, 0.0)
    assert alone.late > 0.1
    assert believes.is_linear
    assert learns.share < alone.share < 1.0 < believes.share


def test_an_algorithm_that_refuses_says_so(tmp_path, monkeypatch):
    def refuse(*_):
        raise ValueError("not here")

    monkeypatch.setattr(cells, "play", refuse)
    fields = {"part": "different", "algorithm": algorithms.ALONE, "world": "Petersen"}
    assert cells.cell(fields, tmp_path) == {"refuses": "not here"}


def test_every_algorithm_of_files_is_in_the_table():
    setting = worlds.complete(same=False)
    played = {type(row.make(setting)) for row in algorithms.DIFFERENT.values()}
    assert played == {ALGORITHMS[name] for name in ALGORITHMS}


def test_all_links_are_as_frequent_as_drfed_asks():
    assert link_threshold(worlds.N_AGENTS, worlds.HORIZON) <= worlds.COMPLETE


def test_told_of_liars_it_is_played_only_where_its_gaps_can_be_told():
    told = algorithms.DIFFERENT[algorithms.TOLD].played
    for name, make in worlds.WORLDS.items():
        setting = make(False)
        can = worlds.gap(setting.rewards.means) > 6 * len(worlds.TWO) / setting.rewards.n_agents
        assert can == (name in told) or (can and setting.rewards.n_agents >= 200), name


def test_the_kept_table_is_whole_and_its_claims_hold():
    assert list(KEPT) == written.in_order()
    assert [statement for statement, holds in table.statements(KEPT) if not holds] == []
    assert written.as_csv(KEPT) == (HOME / "tables" / "guarantees.csv").read_text(encoding="utf-8")


def test_a_recommended_row_that_is_linear_is_noticed():
    worse = KEPT[("different", algorithms.FLOOD, "delay 50")]._replace(early=0.5, late=0.5)
    found = {**KEPT, ("different", algorithms.FLOOD, "delay 50"): worse}
    assert sum(not holds for _, holds in table.statements(found)) == 3


@pytest.mark.parametrize("part", algorithms.PARTS)
def test_the_page_shows_the_kept_table(part):
    page = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    assert written.as_page(KEPT, part) in page


def test_what_is_recommended_is_what_the_claims_are_about():
    """Names in bold under "When to choose which" are of rows that are recommended, and the other way round."""
    page = (ROOT / "docs" / "compare-algorithms.md").read_text(encoding="utf-8")
    advice = page.partition("## When to choose which")[2].partition("\n## ")[0]
    bold = set(re.findall(r"\*\*`(\w+)", advice))
    recommended = {
        type(row.make(worlds.complete(same=False))).__name__
        for rows in algorithms.PARTS.values()
        for row in rows.values()
        if row.recommended
    }
    assert bold == recommended
