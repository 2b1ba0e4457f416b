"""The loop's side of corruption: who may verify, what the adversary cannot touch, and what is written down."""

from typing import NamedTuple

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import Scripted

import folkmoot as fm
from folkmoot.interface import implements
from folkmoot.world.corruption import Corruption

VECTORS = [[0.9, 0.6, 0.7, 0.8, 0.5], [0.5, 0.5, 0.5, 0.5, 0.5], [0.1, 0.4, 0.2, 0.3, 0.5]]
SCALARS = [0.9, 0.5, 0.1]
each_d = pytest.mark.parametrize("d", [1, 5])
each_engine = pytest.mark.parametrize("engine", ["interpreted", "compiled"])


def law(d, n):
    if d == 1:
        return fm.Bernoulli(SCALARS, n_agents=n)
    return fm.VectorBernoulli(VECTORS, fm.Linear([0.2] * 5), n_agents=n)


def game(arms, d=1, asks=None, settles=None, **options):
    """A scripted game of given arms: what the agents saw, and the result."""
    arms = np.array(arms)
    rounds, n = arms.shape
    algorithm = Scripted(arms, 3, d, asks, settles)
    options = {"engine": "interpreted", "seed": 4, "progress": False, **options}
    result = fm.simulate(algorithm, law(d, n), fm.Static(nx.complete_graph(n)), horizon=rounds, **options)
    return algorithm.saw, result


ARMS = np.random.default_rng(3).integers(0, 3, (40, 3))
ALL = np.ones(ARMS.shape, bool)


# --- The adversary leaves the world as it is ----------------------------------------------------------------


@each_d
@pytest.mark.parametrize("kind", [fm.Suppress, fm.Promote, fm.Swap, fm.Thinning, fm.FlipRandom])
def test_what_it_does_not_alter_is_as_without_it(kind, d):
    """Its coins are its own: every report is the clean reward, or what this adversary reports instead of it."""
    clean, _ = game(ARMS, d)
    seen, result = game(ARMS, d, corruption=kind(budget=15))
    instead = {fm.Suppress: 0.0, fm.Promote: 1.0, fm.Thinning: 0.0}
    altered = (seen.reward != clean.reward).any(axis=2)
    assert 0 < altered.sum() < altered.size
    lie = clean.reward.copy()
    if kind in instead:
        lie[:] = instead[kind]
    elif kind is fm.Swap:
        lie[:] = np.where(ARMS == 0, 0.0, 1.0)[:, :, None]
    else:
        lie = 1.0 - lie
    assert (seen.reward[altered] == lie[altered]).all()
    charges = np.abs(seen.reward - clean.reward).max(axis=2)
    assert charges.sum() == result.corruption_spent[0] <= 15
    assert [charges[k == ARMS].sum() for k in range(3)] == result.corruption_spent_per_arm[0].tolist()


@pytest.mark.parametrize("kind", [fm.Suppress, fm.Promote, fm.Swap, fm.Thinning, fm.FlipRandom])
def test_with_nothing_to_spend_it_is_the_game_without_it(kind):
    world = fm.Bernoulli([[0.9, 0.5, 0.1], [0.2, 0.5, 0.8]]), fm.ErdosRenyi(nx.path_graph(2), 0.7)
    options = {"horizon": 80, "replicates": 2, "seed": 1, "engine": "interpreted", "progress": False}
    without = fm.simulate(fm.GSE(), *world, **options)
    with_it = fm.simulate(fm.GSE(), *world, **options, corruption=kind(budget=0))
    for name in ("pulls", "team_pulls", "messages", "bytes", "regret", "corruption_spent_per_arm"):
        assert getattr(without, name).tobytes() == getattr(with_it, name).tobytes(), name


def test_budgets_begin_anew_in_every_replicate():
    _, result = game(ARMS, corruption=fm.Suppress(budget=5), replicates=3)
    assert result.corruption_spent.tolist() == [5.0, 5.0, 5.0]


def test_oracles_are_told_what_was_spent_this_round_included():
    """The script remembers the last of two replicates."""
    clean, _ = game(ARMS, replicates=2)
    seen, result = game(ARMS, corruption=fm.Swap(budget=12), replicates=2)
    charges = np.abs(seen.reward - clean.reward).max(axis=2)
    for k in range(3):
        assert (seen.spent[:, k] == np.where(k == ARMS, charges, 0.0).sum(axis=1).cumsum()).all()
    assert (seen.spent[-1] == result.corruption_spent_per_arm[1]).all()
    assert (result.corruption_spent_per_arm[0] != result.corruption_spent_per_arm[1]).any()


def test_the_two_engines_write_down_the_same():
    asks = np.random.default_rng(1).uniform(size=ARMS.shape) < 0.3
    options = {"corruption": fm.FlipRandom(budget=9, spending="adaptive"), "verification": 20, "replicates": 2}
    slow, expected = game(ARMS, 5, asks, **options)
    fast, result = game(ARMS, 5, asks, engine="compiled", **options)
    assert slow.reward.tobytes() == fast.reward.tobytes()
    assert (slow.verified == fast.verified).all()
    for name in ("verified", "corruption_spent_per_arm", "decisions", "decided_at", "pulls"):
        assert getattr(result, name).tobytes() == getattr(expected, name).tobytes(), name
    assert 0 < result.corruption_spent[0] <= 9
    assert result.verified.tolist() == [20, 20]


class Spendthrift(NamedTuple):
    """Reports 1 at every pull, whatever that costs."""

    total: float


@implements(Spendthrift)
def budget(adversary):
    return adversary.total


@implements(Spendthrift)
def corrupt(adversary, i, t, seen, left, reported, coins):
    seen.reward[i, 0] = 1.0


class Overspending(Corruption):
    """An adversary with a bug."""

    def record(self, rewards, horizon):
        return Spendthrift(self.budget)


@each_engine
def test_one_that_overspends_ends_the_run(engine):
    with pytest.raises(AssertionError, match="an adversary spent more than its budget"):
        game(ARMS, corruption=Overspending(budget=3), engine=engine)
    _, result = game(ARMS, corruption=Overspending(budget=ARMS.size), engine=engine)
    assert 3 < result.corruption_spent[0] < ARMS.size


# --- Verification -----------------------------------------------------------------------------------------


@each_d
def test_verified_pulls_are_untouched_and_free(d):
    clean, _ = game(ARMS, d)
    asks = np.random.default_rng(2).uniform(size=ARMS.shape) < 0.4
    seen, result = game(ARMS, d, asks, corruption=fm.Suppress(budget=1e6), verification=ARMS.size)
    assert (seen.verified == asks).all()
    assert (seen.reward[asks] == clean.reward[asks]).all()
    hidden = ~asks & (ARMS == 0)
    assert not seen.reward[hidden].any()
    assert result.corruption_spent[0] == clean.reward[hidden].max(axis=1).sum() > 0
    assert result.verified[0] == asks.sum()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 120), st.integers(0, 2**32))
def test_the_budget_goes_to_those_who_ask_first_by_round_then_by_number(nu, seed):
    asks = np.random.default_rng(seed).uniform(size=ARMS.shape) < 0.5
    seen, result = game(ARMS, asks=asks, verification=nu)
    expected = asks & (asks.ravel().cumsum().reshape(asks.shape) <= nu)
    assert (seen.verified == expected).all()
    assert result.verified[0] == min(nu, asks.sum())


def test_every_pull_may_be_verified():
    seen, result = game(ARMS, asks=ALL, verification=ARMS.size, corruption=fm.Suppress(budget=100))
    assert seen.verified.all()
    assert result.verified[0] == ARMS.size
    assert result.corruption_spent[0] == 0.0


def test_without_a_budget_nobody_is_asked():
    seen, result = game(ARMS, asks=ALL)
    assert not seen.asked.any()
    assert not seen.verified.any()
    assert result.verified[0] == 0


def test_agents_are_asked_about_the_arm_they_have_selected_while_the_budget_lasts():
    seen, _ = game(ARMS, asks=ALL, verification=7)
    assert (seen.asked == (np.arange(ARMS.size).reshape(ARMS.shape) < 7)).all()


def test_budget_and_flags_begin_anew_in_every_replicate():
    """The last round of a replicate verifies; the first of the next does not ask, so must not be taken as verified."""
    asks = np.zeros(ARMS.shape, bool)
    asks[-1] = True
    seen, result = game(ARMS, asks=asks, verification=3, replicates=2, corruption=fm.Suppress(budget=1e6))
    assert result.verified.tolist() == [3, 3]
    assert not seen.verified[0].any()
    assert (seen.reward[(ARMS == 0) & ~asks] == 0.0).all()


def test_an_algorithm_that_never_asks_has_none_verified():
    world = fm.Bernoulli([SCALARS] * 2), fm.Static(nx.path_graph(2))
    result = fm.simulate(fm.UCB(), *world, horizon=20, verification=10, engine="interpreted", progress=False)
    assert result.verified[0] == 0


# --- Decisions --------------------------------------------------------------------------------------------


def test_the_first_decision_stands_with_its_round():
    """Agent 0 decides in round 3 and changes its mind, agent 1 in the first round, agent 2 never."""
    arms, settles = np.zeros((6, 3), int), np.full((6, 3), -1)
    settles[2:, 0], settles[4, 0], settles[:, 1] = 2, 1, 0
    _, result = game(arms, settles=settles, replicates=2)
    assert result.decisions.tolist() == [[2, 0, -1]] * 2
    assert result.decided_at.tolist() == [[3, 1, 0]] * 2
    assert result.summary()["decided_share"] == pytest.approx(2 / 3)


# --- Many agents ------------------------------------------------------------------------------------------


def test_agents_in_parallel_meet_the_same_adversary(monkeypatch):
    world = fm.Bernoulli(np.linspace(0.1, 0.9, 3), n_agents=8), fm.Static(nx.complete_graph(8))
    options = {"horizon": 60, "corruption": fm.Suppress(budget=30, spending="spread"), "progress": False}
    serial = fm.simulate(fm.UCB(), *world, **options, engine="interpreted")
    monkeypatch.setattr("folkmoot.simulation.replicates._MANY_AGENTS", 2)
    parallel = fm.simulate(fm.UCB(), *world, **options, jobs=2)
    assert serial.corruption_spent[0] > 20
    for name in ("pulls", "corruption_spent_per_arm"):
        assert (getattr(serial, name) == getattr(parallel, name)).all()
