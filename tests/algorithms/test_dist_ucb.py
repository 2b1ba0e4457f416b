"""Dist_UCB: mixing with Metropolis weights against matrices, the gate, the radius, and what mixing must keep."""

from math import log, sqrt

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.coins import CHOICE, below, replicate_coins
from folkmoot.interface import Seen, init, late_outbox, nothing_seen, publish_late, select, update, update_late
from folkmoot.world.graphs import as_base_graph

COINS = replicate_coins(1, 0, 0)


def params(n=4, k=3, horizon=1000, **settings):
    return fm.DistUCB(**settings).params(Problem(n, k, horizon, as_base_graph(nx.complete_graph(n)), 1.0, 0.5))


def exchange(p, state, seen, t, graph):
    """All that follows the pulls of a round."""
    late, rows = late_outbox(p), [np.array(sorted(graph.neighbors(i)), np.int64) for i in range(p.n_agents)]
    for i in range(p.n_agents):
        update(p, state, i, t, seen, None, rows[i], COINS)
    for i in range(p.n_agents):
        publish_late(p, state, i, t, late)
    for i in range(p.n_agents):
        update_late(p, state, i, t, late, rows[i])


def play(p, graphs, rewards):
    """Rounds driven by hand: after each round (gossip, mean, largest, pulls), and the arms pulled."""
    n = p.n_agents
    state, seen, history, arms = init(p), nothing_seen(n), [], []
    for t, graph in enumerate(graphs, 1):
        for i in range(n):
            seen.arm[i] = select(p, state, i, t, COINS)
            seen.reward[i, 0] = rewards[t - 1, i, seen.arm[i]]
        exchange(p, state, seen, t, graph)
        history.append((state.gossip.copy(), state.mean.copy(), state.largest.copy(), state.pulls.copy()))
        arms.append(seen.arm.copy())
    return history, np.array(arms)


def metropolis(graph):
    """W: w_ij = 1 / max(|N_i|, |N_j|) over links, |N| counting the agent itself; the rest on the diagonal."""
    n = len(graph)
    weights = np.zeros((n, n))
    for i, j in graph.edges:
        weights[i, j] = weights[j, i] = 1 / max(graph.degree(i) + 1, graph.degree(j) + 1)
    return weights + np.diag(1 - weights.sum(axis=1))


def twin(graphs, rewards, width, ahead):
    """The algorithm with matrices; tables [n, k] after the last round, arms pulled, how often the gate was shut."""
    rounds, n, k = rewards.shape
    pulls, total, z, heard = (np.zeros((n, k)) for _ in range(4))
    arms, shut = np.zeros((rounds, n), int), 0
    for t in range(1, rounds + 1):
        for i in range(n):
            behind = np.flatnonzero(pulls[i] <= heard[i] - k)
            if t <= k:
                arms[t - 1, i] = t - 1
            elif len(behind):
                arms[t - 1, i] = behind[below(COINS, len(behind), CHOICE, t, i, 0)]
                shut += 1
            else:
                arms[t - 1, i] = np.argmax(z[i] + np.sqrt(width * log(t + ahead) / pulls[i]))
        before = total / np.maximum(pulls, 1)
        for i in range(n):
            pulls[i, arms[t - 1, i]] += 1
            total[i, arms[t - 1, i]] += rewards[t - 1, i, arms[t - 1, i]]
        graph = graphs[t - 1] if t > k else nx.empty_graph(n)
        z = metropolis(graph) @ z + total / np.maximum(pulls, 1) - before
        closed = nx.to_numpy_array(graph, nodelist=range(n)) + np.eye(n)
        heard = np.maximum(np.where(closed[:, :, None] > 0, heard[None], 0).max(axis=1), pulls)
    return z, heard, pulls, arms, shut


@pytest.mark.parametrize(("c1", "width", "ahead"), [(None, 4 / 3, 1), (0.02, 0.02, 0)])
def test_the_whole_algorithm_with_a_dumb_twin(c1: float | None, width: float, ahead: int) -> None:
    """z_i(t+1) = sum_j w_ij z_j(t) + xbar_i(t+1) - xbar_i(t); m_i(t+1) = max{n_i(t+1), m_j(t)}."""
    n, k, rounds = 5, 3, 200
    graphs = [nx.gnp_random_graph(n, 0.3, seed=t) for t in range(rounds)]
    rewards = np.random.default_rng(5).uniform(size=(n, k)) + np.random.default_rng(6).uniform(size=(rounds, n, k))
    history, arms = play(params(n=n, k=k, c1=c1), graphs, rewards)
    z, heard, pulls, twin_arms, shut = twin(graphs, rewards, width, ahead)
    assert (arms == twin_arms).all()
    assert shut > 0
    np.testing.assert_allclose(history[-1][0], z, atol=1e-12)
    assert (history[-1][2] == heard).all()
    assert (history[-1][3] == pulls).all()


def test_metropolis_weights_are_doubly_stochastic_and_keep_the_average() -> None:
    """On any graph rows and columns of W sum to 1, so z averages to the average of the own means in every round."""
    graphs = [nx.gnp_random_graph(6, 0.4, seed=t) for t in range(60)]
    for graph in graphs:
        np.testing.assert_allclose(metropolis(graph).sum(axis=0), 1)
        np.testing.assert_allclose(metropolis(graph).sum(axis=1), 1)
    history, _ = play(params(n=6), graphs, np.random.default_rng(0).uniform(size=(60, 6, 3)))
    for gossip, mean, _, _ in history:
        np.testing.assert_allclose(gossip.mean(axis=0), mean.mean(axis=0), atol=1e-12)


def test_weights_on_a_star_by_hand() -> None:
    """Centre and two leaves: |N| = 3, 2, 2, so every link weighs 1/3, a leaf keeps 2/3 and the centre 1/3."""
    p = params(n=3, k=1)
    state, seen = (
        init(p),
        Seen(np.zeros(3, np.int64), np.full((3, 1), 0.5), np.zeros(3, np.bool_), np.zeros(3, np.int64)),
    )
    state.pulls[:], state.mean[:], state.gossip[:, 0] = 1, 0.5, [0.0, 3.0, 6.0]  # rewards at the mean: no increment
    state.tried[:] = 1
    exchange(p, state, seen, 2, nx.star_graph(2))
    np.testing.assert_allclose(state.gossip[:, 0], [3.0, 2.0, 4.0])


def test_counts_take_the_own_new_pull_and_the_neighbours_old_ones() -> None:
    p = params(n=3, k=1)
    state, seen = init(p), nothing_seen(3)
    state.pulls[:, 0], state.largest[:, 0], state.tried[:] = [7, 4, 1], [7, 4, 1], p.n_arms
    exchange(p, state, seen, 8, nx.path_graph(3))
    assert state.largest[:, 0].tolist() == [8, 7, 4]
    exchange(p, state, seen, 9, nx.path_graph(3))
    assert state.largest[:, 0].tolist() == [9, 8, 7]


def test_radius_is_the_root_of_4_ln_of_t_plus_1_over_3_pulls() -> None:
    p = params(k=2)
    assert params(c1=2.0)[2:4] == (2.0, 0)
    state = init(p)
    state.tried[0] = p.n_arms
    state.pulls[0], state.gossip[0] = [3, 3], [0.5, 0.4]
    state.pulls[0, 1] = 2
    t = 9
    difference = sqrt(4 * log(t + 1) / (3 * 2)) - sqrt(4 * log(t + 1) / (3 * 3))
    state.gossip[0, 1] = state.gossip[0, 0] - difference + 1e-9
    assert select(p, state, 0, t, COINS) == 1
    state.gossip[0, 1] -= 2e-9
    assert select(p, state, 0, t, COINS) == 0


def test_gate_is_shut_from_m_minus_the_number_of_arms_down() -> None:
    """A = {k: n <= m - M}, M = 3: with m = 20, 17 pulls are too few and 18 are enough."""
    p = params(n=9, k=3)
    state = init(p)
    state.tried[0] = p.n_arms
    state.largest[0], state.gossip[0] = [20, 20, 20], [0.0, 0.0, 9.0]
    state.pulls[0] = [18, 18, 20]
    assert {select(p, state, 0, t, COINS) for t in range(60, 100)} == {2}
    state.pulls[0] = [17, 17, 20]
    assert {select(p, state, 0, t, COINS) for t in range(60, 100)} == {0, 1}


def test_every_arm_is_pulled_once_first_and_nothing_is_mixed_before() -> None:
    rewards = np.random.default_rng(0).uniform(size=(4, 3, 4))
    history, arms = play(params(n=3, k=4), [nx.complete_graph(3)] * 4, rewards)
    gossip, mean, largest, pulls = history[-1]
    assert (arms == np.arange(4)[:, None]).all()
    assert (largest == 1).all()
    assert (pulls == 1).all()
    np.testing.assert_array_equal(mean, rewards[range(4), :, range(4)].T)
    np.testing.assert_array_equal(gossip, mean)


def test_finds_the_best_arm_that_is_nobodys_favourite() -> None:
    means = np.array([[0.9, 0.1, 0.8], [0.1, 0.9, 0.8], [0.9, 0.1, 0.8], [0.1, 0.9, 0.8]])
    world = fm.Bernoulli(means), fm.ErdosRenyi(nx.cycle_graph(4), 0.8)
    result = fm.simulate(fm.DistUCB(), *world, horizon=20_000, replicates=5, checkpoints=[10_000, 20_000])
    late = result.team_pulls[:, 1] - result.team_pulls[:, 0]
    assert (late[:, 2] > 0.95 * 4 * 10_000).all()


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), "2"])
def test_c1_out_of_range(value: object) -> None:
    with pytest.raises(ValueError, match="c1"):
        fm.DistUCB(c1=value)
