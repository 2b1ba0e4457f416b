"""DrFed-UCB: the rules as recalled, and what must hold whatever was forgotten (the estimate is unbiased)."""

import networkx as nx
import numpy as np
import pytest
from by_hand import COINS, drive_table

import folkmoot as fm
from folkmoot.algorithms import drfed_ucb
from folkmoot.algorithms.base import Problem
from folkmoot.interface import init, nothing_seen, outbox, publish, select, update
from folkmoot.world.graphs import as_base_graph


def params(n=5, k=3, horizon=1000, **settings):
    return fm.DrFedUCB(**settings).params(Problem(n, k, horizon, as_base_graph(nx.complete_graph(n)), 0.9, 0.5))


def drive(p, graphs, rewards):
    """The state at the end, what the agents believed after each round, and the arms they pulled."""
    history, arms = [], []
    for _, state, seen in drive_table(p, graphs, rewards):
        history.append((state.mean.copy(), state.gossip.copy(), state.largest.copy(), state.pulls.copy()))
        arms.append(seen.arm.copy())
    return state, history, np.array(arms)


def test_recalled_c1_has_the_values_of_its_table() -> None:
    """C1 / sigma^2 = 5.38, 1.15, 0.42, 0.26, 0.088 for M = 5, 10, 16, 20, 34."""
    values = [drfed_ucb.recalled_c1(m, 1.0) for m in (5, 10, 16, 20, 34)]
    np.testing.assert_allclose(values, [5.38, 1.15, 0.42, 0.26, 0.088], rtol=0.02)


def test_rule_1_with_a_dumb_twin() -> None:
    """gossip = sum_j P' heard_gossip_j + d (sum over neighbours of mean_j + sum over others of heard_mean_j)."""
    n, k, burn_in, rounds = 4, 2, 4, 30
    p = params(n=n, k=k, burn_in=burn_in, c1=0.5)
    graphs = [nx.complete_graph(n)] + [nx.gnp_random_graph(n, 0.5, seed=t) for t in range(rounds - 1)]
    state, history, _ = drive(p, graphs, np.random.default_rng(3).uniform(size=(rounds, n, k)))

    zero = np.zeros((n, k))
    means = [zero] + [h[0] for h in history]  # means[t - 1] is what is sent in round t
    believed = history[burn_in - 1][1]
    heard_mean, heard_gossip = np.zeros((n, n, k)), np.repeat(believed[:, None], n, axis=1)
    gossip = believed
    for t, graph in enumerate(graphs, 1):
        new = np.zeros((n, k))
        for m in range(n):
            for j in [m, *graph.neighbors(m)]:
                heard_mean[m, j] = means[t - 1][j]
                if t > burn_in:
                    heard_gossip[m, j] = gossip[j]
            new[m] = (n - 1) / n**2 * heard_gossip[m].sum(axis=0) + heard_mean[m].sum(axis=0) / n**2
        if t > burn_in:
            gossip = new
            np.testing.assert_allclose(history[t - 1][1], gossip, atol=1e-12)
    np.testing.assert_allclose(state.gossip, gossip, atol=1e-12)


def test_the_estimate_is_unbiased() -> None:
    """With rewards equal to their means every estimate equals the mean over agents up to what gossip has not yet
    mixed; on complete links it is exact from the end of the burn-in on."""
    n, k = 4, 2
    means = np.array([[0.9, 0.1], [0.1, 0.5], [0.4, 0.6], [0.2, 0.4]])
    _, history, _ = drive(params(n=n, k=k, burn_in=6, c1=0.5), [nx.complete_graph(n)] * 40, np.tile(means, (40, 1, 1)))
    for _, gossip, _, _ in history[6:]:
        np.testing.assert_allclose(gossip, np.tile(means.mean(axis=0), (n, 1)), atol=1e-12)


def test_agents_never_met_do_not_bias_the_estimate() -> None:
    """Two halves that never meet: each half agrees on its own average, with weights that sum to 1."""
    graph = nx.Graph([(0, 1), (2, 3)])
    means = np.array([[0.8], [0.6], [0.3], [0.1]])
    _, history, _ = drive(params(n=4, k=1, burn_in=3, c1=0.5), [graph] * 60, np.tile(means, (60, 1, 1)))
    np.testing.assert_allclose(history[-1][1][:, 0], [0.7, 0.7, 0.2, 0.2], atol=1e-9)


def test_largest_is_the_largest_count_heard_of() -> None:
    """N_m(t+1) = max(n_m(t+1), N_j(t) for neighbours j): a path passes it on by one hop a round."""
    n, p = 3, params(n=3, k=2, burn_in=2, c1=0.5)
    state, inbox = init(p), outbox(p)
    seen = nothing_seen(n)
    state.pulls[:], state.ready[:] = 1, True
    state.largest[:] = [[9, 1], [1, 1], [1, 1]]
    rows = [np.array([1]), np.array([0, 2]), np.array([1])]
    for t, expected in ((3, [9, 9, 2]), (4, [9, 9, 9])):
        for i in range(n):
            publish(p, state, i, t, seen, inbox)
        for i in range(n):
            update(p, state, i, t, seen, inbox, rows[i], COINS)
        assert state.largest[:, 0].tolist() == expected


def test_the_gate_draws_among_arms_that_have_fallen_behind() -> None:
    p = params(n=1, k=4, burn_in=4, c1=0.5)
    state = init(p)
    state.pulls[0], state.ready[0] = [10, 6, 5, 10], True
    state.largest[0] = [10, 10, 10, 10]
    state.gossip[0] = [1.0, 0.0, 0.0, 0.0]
    drawn = [select(p, state, 0, t, COINS) for t in range(100, 500)]
    assert set(drawn) == {1, 2}
    assert 150 < drawn.count(1) < 250  # 400 fair coins: five standard deviations are 50


def test_the_gate_is_closed_when_nothing_is_behind_by_k() -> None:
    p = params(n=1, k=4, burn_in=4, c1=0.5)
    state = init(p)
    state.pulls[0], state.largest[0], state.ready[0] = [10, 7, 7, 10], [10, 10, 10, 10], True
    state.gossip[0] = [0.9, 0.0, 0.0, 0.0]
    assert {select(p, state, 0, t, COINS) for t in range(100, 150)} == {0}


def test_burn_in_pulls_the_arms_in_turn() -> None:
    _, _, arms = drive(params(n=3, k=3, burn_in=9, c1=0.5), [nx.empty_graph(3)] * 9, np.zeros((9, 3, 3)))
    assert (arms == (np.arange(9) % 3)[:, None]).all()


@pytest.mark.parametrize(("horizon", "expected"), [(100_000, 125), (300, 30), (5, 5), (40, 5)])
def test_default_burn_in(horizon: int, expected: int) -> None:
    assert params(k=5, horizon=horizon).burn_in == expected


@pytest.mark.parametrize("burn_in", [2, 1001])
def test_burn_in_out_of_range(burn_in: int) -> None:
    with pytest.raises(ValueError, match=f"burn_in = {burn_in}: expected from the number of arms, 3, to the horizon"):
        params(burn_in=burn_in)


def test_too_many_agents_are_refused_before_memory_is_asked_for() -> None:
    with pytest.raises(ValueError, match=r"100000.*GiB"):
        fm.DrFedUCB().params(Problem(100_000, 10, 1000, None, 0.9, 0.5))
