"""Who of the neighbours is heard when, in UCB-SBM: mates found and parted, their tables as a slow version has them."""

import numpy as np
import pytest
from by_hand import drive

import folkmoot as fm
from folkmoot.algorithms import cluster_hearing
from folkmoot.algorithms.base import Problem
from folkmoot.algorithms.cluster_hearing import part
from folkmoot.algorithms.cluster_records import mates_in, place_of, stand_together
from folkmoot.interface import init

TOGETHER, APART = (0,) * 5 + (1,) * 4 + (2,) * 3, (0, 1, 2, 1, 0, 0, 2, 1, 0, 1, 2, 0)
ROUNDS, ARMS = 60, 3
RNG = np.random.default_rng(5)
UP = np.triu(RNG.uniform(size=(ROUNDS, 12, 12)) < 0.6, 1)
UP = UP | UP.transpose(0, 2, 1)
PAY = RNG.normal(0.5, 0.3, (ROUNDS, 12, ARMS))


def params(labels, **settings):
    return fm.UCBSBM(clusters=labels, burn_in=6, c1=0.3, **settings).params(
        Problem(12, ARMS, ROUNDS, None, 0.6, 0.5, None)
    )


def game(labels, **settings):
    """The last state, and what everybody had before each round: pulls and sums of rewards."""
    tables = []

    def rows(t):
        return [np.flatnonzero(row) for row in UP[t - 1]]

    for _, state, _ in drive(params(labels, **settings), rows, lambda t, i, arm: PAY[t - 1, i, arm], ROUNDS):
        tables.append((state.pulls.copy(), state.total.copy()))
    return state, tables


def test_a_place_is_how_many_come_before():
    for n in range(40):
        row = np.sort(RNG.choice(60, n, replace=False)).astype(np.int32)
        for agent in range(61):
            assert place_of(row, agent) == np.searchsorted(row, agent)


@pytest.mark.parametrize("labels", [TOGETHER, APART])
def test_mates_are_found(labels):
    p, labels = params(labels), np.array(labels)
    assert stand_together(p) == (labels[0] == labels[4] == 0 and labels[1] == 0)
    state = init(p)
    for t in range(20):
        for i in range(12):
            row = np.flatnonzero(UP[t, i])
            mates = row[labels[row] == labels[i]]
            if stand_together(p):
                near, far = mates_in(p, i, row)
                np.testing.assert_array_equal(row[near:far], mates)
            else:
                assert part(p, state, i, row) == len(mates)
                np.testing.assert_array_equal(state.parted[i, 0, : len(mates)], mates)
                np.testing.assert_array_equal(
                    state.parted[i, 1, : len(row) - len(mates)], row[labels[row] != labels[i]]
                )


@pytest.mark.parametrize("goal", ["common", "cluster"])
@pytest.mark.parametrize("labels", [TOGETHER, APART])
def test_an_agent_knows_the_table_that_each_mate_told_last(labels, goal):
    state, tables = game(labels, goal=goal)
    for i in range(12):
        mates = [j for j in range(12) if labels[j] == labels[i]]
        pulls, total = state.pulls[i].copy(), state.total[i].copy()
        for r, j in enumerate(mates):
            if j == i:
                continue
            told = state.told[i, :, r]
            last = int(state.contact[i, r])
            assert last == max(t for t in range(1, ROUNDS + 1) if UP[t - 1, i, j])
            np.testing.assert_array_equal(told[:, 0], tables[last - 1][0][j])
            np.testing.assert_array_equal(told[:, 1], tables[last - 1][1][j])
            assert state.others[i, r] == told[:, 0].sum() - told[state.spoke[i, r], 0]
            pulls += told[:, 0].astype(int)
            total += told[:, 1]
        np.testing.assert_array_equal(state.team_pulls[i], pulls)
        np.testing.assert_allclose(state.team_mean[i], total / pulls, atol=1e-12)


@pytest.mark.parametrize("settings", [{}, {"relay": True}, {"goal": "cluster"}, {"refresh": 2}], ids=str)
@pytest.mark.parametrize("labels", [TOGETHER, APART])
def test_how_many_are_heard_at_a_time_makes_no_difference(labels, settings, monkeypatch):
    state, _ = game(labels, **settings)
    monkeypatch.setattr(cluster_hearing, "_TURN", 1)
    monkeypatch.setattr(cluster_hearing, "PARTED", 3)
    other, _ = game(labels, **settings)
    for name, column, same in zip(state._fields, state, other, strict=True):
        assert name == "parted" or column.tobytes() == same.tobytes(), name
