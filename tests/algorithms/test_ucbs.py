"""UCB, cooperative UCB and the central oracle: indices by hand, what is pooled, and their bounds."""

from math import log, sqrt

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.coins import replicate_coins
from folkmoot.interface import Seen, init, outbox, oversee, publish, select, update
from folkmoot.world.graphs import as_base_graph

COINS = replicate_coins(1, 0, 0)


def params(algorithm, n=1, k=3):
    return algorithm.params(Problem(n, k, 1000, as_base_graph(nx.complete_graph(n)), 1.0, 0.5))


def believe(state, pulls, mean):
    """Put agent 0 of a lone UCB where these pulls with this mean would have brought it."""
    state.pulls[0], state.mean[0] = pulls, mean
    state.narrowing[0] = [1 / sqrt(n) if n else 0.0 for n in pulls]


def test_update_keeps_the_mean_and_the_narrowing_of_the_radius() -> None:
    p = params(fm.UCB())
    state = init(p)
    for n, reward in enumerate([1.0, 0.0, 0.5, 1.0], 1):
        update(
            p,
            state,
            0,
            n,
            Seen(np.array([2]), np.array([[reward]]), np.zeros(1, np.bool_), np.array([2])),
            None,
            np.zeros(0, np.int64),
            COINS,
        )
    assert state.pulls[0].tolist() == [0, 0, 4]
    assert state.mean[0, 2] == pytest.approx(0.625)
    assert state.narrowing[0].tolist() == [0.0, 0.0, 0.5]


def test_ucb1_index() -> None:
    """Auer et al. (2002), Fig. 1: mean + sqrt(2 ln t / n)."""
    p = params(fm.UCB())
    state = init(p)
    believe(state, pulls=[40, 5, 10], mean=[0.5, 0.1, 0.2])
    t = 56
    index = [m + sqrt(2 * log(t) / n) for m, n in zip(state.mean[0], state.pulls[0], strict=True)]
    assert select(p, state, 0, t, COINS) == int(np.argmax(index)) == 1


def test_unpulled_arms_come_first_and_ties_go_to_the_lowest() -> None:
    p = params(fm.UCB())
    state = init(p)
    believe(state, pulls=[1, 0, 0], mean=[0.0, 0.0, 0.0])
    assert select(p, state, 0, 2, COINS) == 1
    believe(state, pulls=[2, 2, 2], mean=[0.5, 0.5, 0.5])
    assert select(p, state, 0, 7, COINS) == 0


def test_theorem_1_of_auer_regret_is_below_its_bound() -> None:
    """Expected regret <= 8 sum ln T / gap + (1 + pi^2 / 3) sum gap; the mean of 50 runs, with room to spare."""
    means, horizon = np.array([0.9, 0.8, 0.6, 0.4]), 10_000
    world = fm.Bernoulli(means, n_agents=1), fm.Static(nx.empty_graph(1))
    regret = fm.simulate(fm.UCB(), *world, horizon=horizon, replicates=50).regret[:, -1]
    gaps = 0.9 - means[1:]
    assert regret.mean() <= 8 * log(horizon) * (1 / gaps).sum() + (1 + np.pi**2 / 3) * gaps.sum()


def test_theorem_of_lai_and_robbins_regret_is_not_absurdly_low() -> None:
    """A consistent algorithm pays about sum gap / KL ln T; half of that would mean the rewards leak."""
    means, horizon = np.array([0.9, 0.8, 0.6, 0.4]), 10_000
    world = fm.Bernoulli(means, n_agents=1), fm.Static(nx.empty_graph(1))
    regret = fm.simulate(fm.UCB(), *world, horizon=horizon, replicates=50).regret[:, -1]
    divergence = means[1:] * np.log(means[1:] / 0.9) + (1 - means[1:]) * np.log((1 - means[1:]) / 0.1)
    assert regret.mean() >= 0.5 * log(horizon) * ((0.9 - means[1:]) / divergence).sum()


def test_ucb_alone_has_linear_regret_when_tastes_differ() -> None:
    """It learns what is best for itself: between T and 2T it loses as much as before T, at least 80 % of it."""
    means = np.array([[0.9, 0.1, 0.7], [0.1, 0.9, 0.7]])
    world = fm.Bernoulli(means), fm.Static(nx.complete_graph(2))
    regret = fm.simulate(fm.UCB(), *world, horizon=20_000, replicates=5, checkpoints=[10_000, 20_000]).regret
    assert (regret[:, 1] - regret[:, 0] > 0.8 * regret[:, 0]).all()


def test_cooperative_ucb_pools_the_latest_tables() -> None:
    """Agent 0 hears agent 1 twice and agent 2 once: the latest table of each counts once, not twice."""
    p = params(fm.CooperativeUCB(), n=3, k=2)
    state, box = init(p), outbox(p)
    seen = Seen(np.zeros(3, np.int64), np.ones((3, 1)), np.zeros(3, np.bool_), np.zeros(3, np.int64))
    none = np.zeros(0, np.int64)
    for t, heard in ((1, [1]), (2, [1, 2]), (3, [])):
        for i in range(3):
            publish(p, state, i, t, seen, box)
        for i in range(3):
            update(p, state, i, t, seen, box, np.array(heard, np.int64) if i == 0 else none, COINS)
    assert state.team_pulls.tolist() == [[3 + 1 + 1, 0], [3, 0], [3, 0]]  # tables of the start of round 2
    assert state.team_total.tolist() == [[5.0, 0.0], [3.0, 0.0], [3.0, 0.0]]


def test_cooperative_ucb_does_not_pass_tables_on() -> None:
    """On the path 0 - 1 - 2 agent 0 never learns what agent 2 saw."""
    means = np.array([0.5, 0.5])
    world = fm.Bernoulli(means, n_agents=3), fm.Static(nx.path_graph(3))
    p = params(fm.CooperativeUCB(), n=3, k=2)
    state, box = init(p), outbox(p)
    seen = Seen(np.zeros(3, np.int64), np.ones((3, 1)), np.zeros(3, np.bool_), np.zeros(3, np.int64))
    for t in range(1, 10):
        for i in range(3):
            publish(p, state, i, t, seen, box)
        for i, row in enumerate(([1], [0, 2], [1])):
            update(p, state, i, t, seen, box, np.array(row), COINS)
    assert state.team_pulls.sum(axis=1).tolist() == [9 + 8, 9 + 8 + 8, 9 + 8]
    assert fm.simulate(fm.CooperativeUCB(), *world, horizon=100).pulls.sum() == 300


def test_cooperation_saves_about_the_number_of_agents() -> None:
    """Same means, complete links: total regret of 8 agents is within a factor 2 of one lone agent's, not 8 times it."""
    means = np.array([0.9, 0.7, 0.5])
    together = fm.simulate(
        fm.CooperativeUCB(),
        fm.Bernoulli(means, n_agents=8),
        fm.Static(nx.complete_graph(8)),
        horizon=5_000,
        replicates=20,
    )
    alone = fm.simulate(
        fm.UCB(), fm.Bernoulli(means, n_agents=1), fm.Static(nx.empty_graph(1)), horizon=5_000, replicates=20
    )
    assert together.regret[:, -1].mean() < 2 * alone.regret[:, -1].mean()


def test_central_ucb_index() -> None:
    """mean + sqrt(2 ln t / (N rounds)), the team's average reward being one sample of variance 1/N."""
    p = params(fm.CentralUCB(), n=4, k=3)
    state = init(p)
    state.rounds[0], state.mean[0], state.arm[0] = [5, 4, 5], [0.5, 0.4, 0.2], 1
    seen = Seen(np.full(4, 1), np.array([[1.0], [0.0], [1.0], [0.0]]), np.zeros(4, np.bool_), np.full(4, 1))
    oversee(p, state, 14, seen, np.zeros(p.n_arms))
    mean = 0.4 + (0.5 - 0.4) / 5
    assert state.mean[0, 1] == pytest.approx(mean)
    index = [0.5 + sqrt(2 * log(15) / 20), mean + sqrt(2 * log(15) / 20), 0.2 + sqrt(2 * log(15) / 20)]
    assert state.arm[0] == int(np.argmax(index))


def test_central_ucb_with_one_agent_is_ucb() -> None:
    world = fm.Bernoulli(np.array([0.2, 0.7, 0.5]), n_agents=1), fm.Static(nx.empty_graph(1))
    a = fm.simulate(fm.UCB(), *world, horizon=2_000, replicates=3)
    b = fm.simulate(fm.CentralUCB(), *world, horizon=2_000, replicates=3)
    assert (a.team_pulls == b.team_pulls).all()


@pytest.mark.parametrize("algorithm", [fm.UCB, fm.CooperativeUCB, fm.CentralUCB])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), "2"])
def test_exploration_out_of_range(algorithm: type, value: object) -> None:
    with pytest.raises(ValueError, match="exploration"):
        algorithm(exploration=value)
