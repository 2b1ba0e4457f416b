"""Gossip_UCB: Algorithm 1 of its paper with a dumb twin, the gate, who gossips with whom, and the first pull."""

from itertools import combinations, permutations
from math import log, sqrt

import networkx as nx
import numpy as np
import pytest
from by_hand import COINS, drive_table

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.coins import CHOICE, below, uniform
from folkmoot.interface import init, nothing_seen, outbox, publish, select, update
from folkmoot.world.graphs import as_base_graph

both_rules = pytest.mark.parametrize("partner", ["pair", "matching"])


def params(n=4, k=3, horizon=1000, **settings):
    return fm.GossipUCB(**settings).params(Problem(n, k, horizon, as_base_graph(nx.complete_graph(n)), 1.0, 0.5))


def play(p, graphs, rewards):
    """After each round a dictionary of what the agents believed, and the arms pulled."""
    history, arms = [], []
    for _, state, seen in drive_table(p, graphs, rewards):
        history.append({field: column.copy() for field, column in state._asdict().items()})
        arms.append(seen.arm.copy())
    return history, np.array(arms)


def pairs_of(partner, graph, t):
    """Who averages in round t, by the two rules written down naively."""
    n = len(graph)
    if partner == "pair":
        pair = list(permutations(range(n), 2))[below(COINS, n * (n - 1), CHOICE, t, 0, 1)]
        return [pair] if graph.has_edge(*pair) else []
    weight = {frozenset(edge): uniform(COINS, CHOICE, t, min(edge), max(edge)) for edge in graph.edges}
    lightest = {i: min((frozenset((i, j)) for j in graph[i]), key=weight.get) for i in graph if graph[i]}
    return [tuple(edge) for edge in weight if all(lightest[i] == edge for i in edge)]


def twin(partner, graphs, rewards, width, extra):
    """Algorithm 1 with matrices; tables [n, k] after the last round, arms pulled, how often the gate was shut."""
    rounds, n, k = rewards.shape
    pulls, total, theta, heard = np.zeros((n, k)), np.zeros((n, k)), np.zeros((n, k)), np.ones((n, k))
    arms, shut = np.zeros((rounds, n), int), 0
    for t in range(1, rounds + 1):
        for i in range(n):
            behind = np.flatnonzero(pulls[i] < heard[i] - n)
            if t <= k:
                arms[t - 1, i] = t - 1
            elif len(behind):
                arms[t - 1, i] = behind[below(COINS, len(behind), CHOICE, t, i, 0)]
                shut += 1
            else:
                arms[t - 1, i] = np.argmax(theta[i] + np.sqrt(width * log(t) / pulls[i]) + extra)
        weights = np.eye(n)
        if t > k:
            closed = nx.to_numpy_array(graphs[t - 1], nodelist=range(n)) + np.eye(n)
            candidates = np.where(closed[:, :, None] > 0, heard[None], 0).max(axis=1)
            heard = np.maximum(candidates, pulls)
            for i, j in pairs_of(partner, graphs[t - 1], t):
                weights[[i, i, j, j], [i, j, i, j]] = 0.5
        before = total / np.maximum(pulls, 1)
        for i in range(n):
            pulls[i, arms[t - 1, i]] += 1
            total[i, arms[t - 1, i]] += rewards[t - 1, i, arms[t - 1, i]]
        theta = weights @ theta + total / np.maximum(pulls, 1) - before
    return theta, heard, pulls, arms, shut


@both_rules
@pytest.mark.parametrize("c1", [None, 0.02])
def test_algorithm_1_with_a_dumb_twin(partner: str, c1: float | None) -> None:
    """theta_i(t) = (theta_i + theta_j) / 2 + Xtilde_i(t) - Xtilde_i(t - 1) with a partner, else without the half."""
    n, k, rounds = 4, 3, 200
    graphs = [nx.gnp_random_graph(n, 0.25, seed=t) for t in range(rounds)]
    rewards = np.random.default_rng(15).uniform(size=(n, k)) + np.random.default_rng(6).uniform(size=(rounds, n, k))
    history, arms = play(params(n=n, k=k, partner=partner, c1=c1), graphs, rewards)
    width, extra = (2.0 * n, 64 / n**17) if c1 is None else (c1, 0.0)
    theta, heard, pulls, twin_arms, shut = twin(partner, graphs, rewards, width, extra)
    assert (arms == twin_arms).all()
    assert shut > 20 or c1 is None
    np.testing.assert_allclose(history[-1]["gossip"], theta, atol=1e-12)
    assert (history[-1]["largest"] == heard).all()
    assert (history[-1]["pulls"] == pulls).all()


@both_rules
def test_e20_the_first_pull_is_not_forgotten(partner: str) -> None:
    """Averaging keeps the sum, so estimates average to the own means: from the first round on, all through."""
    rewards = np.random.default_rng(0).uniform(0.2, 1.0, size=(40, 5, 3))
    history, _ = play(params(n=5, partner=partner), [nx.gnp_random_graph(5, 0.5, seed=t) for t in range(40)], rewards)
    for t in range(40):
        np.testing.assert_allclose(history[t]["gossip"].mean(axis=0), history[t]["mean"].mean(axis=0), atol=1e-12)
    np.testing.assert_array_equal(history[2]["gossip"], rewards[range(3), :, range(3)].T)
    assert (history[2]["largest"] == 1).all()


def test_radius_is_the_root_of_2_n_ln_t_over_pulls_plus_alpha_1() -> None:
    p = params(n=5)
    assert (p.width, p.extra) == (10.0, pytest.approx(64 / 5**17))
    assert params(n=1).extra == 64.0
    assert params(n=5, c1=2.0)[2:4] == (2.0, 0.0)
    many = Problem(10_000_000, 3, 1000, None, 1.0, 0.5)
    assert fm.GossipUCB().params(many).extra == pytest.approx(6.4e-118)
    state = init(p)
    state.tried[0] = p.n_arms
    state.pulls[0], state.gossip[0] = [40, 8, 10], [0.5, 0.1, 0.2]
    index = [m + sqrt(2 * 5 * log(58) / n) for m, n in zip(state.gossip[0], state.pulls[0], strict=True)]
    assert select(p, state, 0, 58, COINS) == int(np.argmax(index)) == 1
    state.gossip[0, 1] -= index[1] - index[2] + 1e-9
    assert select(p, state, 0, 58, COINS) == 2


def test_gate_is_shut_below_ntilde_minus_n_only() -> None:
    """A = {k: n < ntilde - N}, N = 4: with ntilde = 20, 15 pulls are too few and 16 are enough."""
    p = params(n=4, k=3)
    state = init(p)
    state.tried[0] = p.n_arms
    state.largest[0], state.gossip[0] = [20, 20, 20], [0.0, 0.0, 9.0]
    state.pulls[0] = [16, 16, 20]
    assert {select(p, state, 0, t, COINS) for t in range(60, 100)} == {2}
    state.pulls[0] = [15, 15, 20]
    assert {select(p, state, 0, t, COINS) for t in range(60, 100)} == {0, 1}


def test_counts_travel_one_hop_a_round_and_lag_one_round() -> None:
    """ntilde(t + 1) = max of the own n(t) before the pull of round t, and the neighbours' ntilde(t)."""
    p = params(n=3, k=1, horizon=10)
    history, _ = play(p, [nx.empty_graph(3)] * 4, np.ones((4, 3, 1)))
    assert [h["largest"][0, 0] for h in history] == [1, 1, 2, 3]
    state, box = init(p), outbox(p)
    state.pulls[:], state.largest[:], state.tried[:] = 1, [[9], [1], [1]], 1
    seen = nothing_seen(3)
    for expected in ([9, 9, 1], [9, 9, 9]):
        for i in range(3):
            publish(p, state, i, 5, seen, box)
        for i, row in enumerate(([1], [0, 2], [1])):
            update(p, state, i, 5, seen, box, np.array(row), COINS)
        assert state.largest[:, 0].tolist() == expected


def averaged(history, arms, t):
    """The agents whose estimates changed in round t (from 1) by more than their own increment, and their partners."""
    expected = history[t - 2]["gossip"].copy()
    for i, arm in enumerate(arms[t - 1]):
        expected[i, arm] += history[t - 1]["mean"][i, arm] - history[t - 2]["mean"][i, arm]
    moved = np.flatnonzero((abs(history[t - 1]["gossip"] - expected) > 1e-12).any(axis=1))
    return {int(i): int(history[t - 1]["partner"][i]) for i in moved}


def test_pair_two_agents_at_most_average_and_both_know_it() -> None:
    rewards = np.random.default_rng(1).uniform(size=(300, 5, 2))
    graphs = [nx.gnp_random_graph(5, 0.5, seed=t) for t in range(300)]
    history, arms = play(params(n=5, k=2), graphs, rewards)
    met = 0
    for t in range(3, 301):
        moved = averaged(history, arms, t)
        assert len(moved) in (0, 2)
        assert all(moved[j] == i and graphs[t - 1].has_edge(i, j) for i, j in moved.items())
        met += len(moved) > 0
    assert met > 75  # of 298 rounds the pair's link is up in half: 149, standard deviation 8.6


def test_pair_every_pair_is_drawn_equally_often() -> None:
    """3,000 rounds, 6 pairs: 500 each up to 5 standard deviations, sqrt(500 * 5 / 6) = 20.4."""
    p = params(n=4, k=1, horizon=3001)
    history, _ = play(p, [nx.complete_graph(4)] * 3001, np.ones((3001, 4, 1)))
    partners = np.array([h["partner"] for h in history[1:]])
    for i, j in combinations(range(4), 2):
        assert abs((partners[:, i] == j).sum() - 500) < 5 * 20.4
        assert ((partners[:, i] == j) == (partners[:, j] == i)).all()


def test_matching_is_a_matching_along_links_and_mutual() -> None:
    n, rounds = 7, 200
    rewards = np.random.default_rng(1).uniform(size=(rounds, n, 2))
    graphs = [nx.gnp_random_graph(n, 0.3, seed=t) for t in range(rounds)]
    history, arms = play(params(n=n, k=2, partner="matching"), graphs, rewards)
    sizes = []
    for t in range(3, rounds + 1):
        moved = averaged(history, arms, t)
        edges = {frozenset(edge) for edge in moved.items()}
        assert nx.is_matching(graphs[t - 1], [tuple(edge) for edge in edges])
        assert all(moved[j] == i for i, j in moved.items())
        assert edges or not graphs[t - 1].edges  # the lightest link of all is always matched
        sizes.append(len(edges))
    assert max(sizes) >= 2


@both_rules
def test_nobody_averages_before_every_arm_was_pulled(partner: str) -> None:
    history, _ = play(params(n=4, k=5, partner=partner), [nx.complete_graph(4)] * 5, np.ones((5, 4, 5)))
    assert all((h["partner"] == -1).all() for h in history)


@both_rules
def test_finds_the_best_arm_that_is_nobodys_favourite(partner: str) -> None:
    means = np.array([[0.9, 0.1, 0.8], [0.1, 0.9, 0.8], [0.9, 0.1, 0.8], [0.1, 0.9, 0.8]])
    world = fm.Bernoulli(means), fm.ErdosRenyi(nx.cycle_graph(4), 0.8)
    algorithm = fm.GossipUCB(partner=partner)
    result = fm.simulate(algorithm, *world, horizon=40_000, replicates=5, checkpoints=[20_000, 40_000])
    late = result.team_pulls[:, 1] - result.team_pulls[:, 0]
    assert (late[:, 2] > 0.9 * 4 * 20_000).all()


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), "2"])
def test_c1_out_of_range(value: object) -> None:
    with pytest.raises(ValueError, match="c1"):
        fm.GossipUCB(c1=value)


@pytest.mark.parametrize("value", ["ring", None, 2])
def test_partner_is_one_of_two_rules(value: object) -> None:
    with pytest.raises(ValueError, match="'pair' or 'matching'"):
        fm.GossipUCB(partner=value)
