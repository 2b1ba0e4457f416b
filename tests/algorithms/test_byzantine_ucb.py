"""ByzantineUCB: who is heard, what is trimmed, g and the index by hand; against a twin that sorts; lies of any size."""

from math import log, sqrt

import networkx as nx
import numpy as np
import pytest
from by_hand import drive_table

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.coins import replicate_coins
from folkmoot.interface import init, nothing_seen, outbox, select, update
from folkmoot.world.graphs import as_base_graph

COINS = replicate_coins(1, 0, 0)


def params(n=6, k=1, sub_gaussian=0.5, **settings):
    problem = Problem(n, k, 1_000, as_base_graph(nx.complete_graph(n)), 1.0, sub_gaussian)
    return fm.ByzantineUCB(**settings).params(problem)


def listen(p, own, heard, arm=-1, reward=0.0):
    """What agent 0 believes after a round: `own` and each of `heard` are (pulls, mean) of arm 0, by agent from 1 on."""
    state, box, seen = init(p), outbox(p), nothing_seen(p.n_agents)
    state.pulls[0, 0], state.mean[0, 0] = own
    for j, (pulls, mean) in heard.items():
        box.pulls[j, 0], box.mean[j, 0] = pulls, mean
    seen.arm[0], seen.reward[0, 0], seen.pulled[0] = arm, reward, arm
    update(p, state, 0, 7, seen, box, np.array(sorted(heard), np.int64), COINS)
    return state


def test_z_and_g_by_hand() -> None:
    """A = {1, ..., 5}, f = 1: z = (own + the middle three) / 4, eta = 1/4, g = (4/16 + 1.5/4 + 1.5) / 4."""
    state = listen(params(), (10, 0.5), {1: (10, 0.9), 2: (12, 0.1), 3: (9, 0.3), 4: (30, 0.4), 5: (8, 0.8)})
    assert state.estimate[0, 0] == pytest.approx((0.5 + 0.3 + 0.4 + 0.8) / 4)
    assert state.noise[0, 0] == pytest.approx((0.25 + 0.375 + 1.5) / 4)


def test_who_has_pulled_too_rarely_is_not_heard() -> None:
    """kappa n_h >= n_i, with equality: at n_i = 12 and kappa = 1.5 eight pulls are enough, seven are not."""
    heard = {1: (8, 0.9), 2: (8, 0.1), 3: (8, 0.3), 4: (7, 77.0), 5: (0, -77.0)}
    state = listen(params(), (12, 0.5), heard)
    assert state.estimate[0, 0] == pytest.approx((0.5 + 0.3) / 2)
    assert state.noise[0, 0] == pytest.approx((4 / 4 + 1.5 / 2 + 1.5) / 4)


@pytest.mark.parametrize(("faulty", "heard"), [(0, 0), (1, 2), (2, 4)])
def test_with_at_most_2f_heard_an_agent_is_alone(faulty: int, heard: int) -> None:
    """|A| <= 2 f: z is the own mean and g = 1, as UCB1; one more, and it is not."""
    told = dict.fromkeys(range(1, heard + 1), (10, 0.9))
    state = listen(params(faulty=faulty), (10, 0.25), told)
    assert (state.estimate[0, 0], state.noise[0, 0]) == (0.25, 1.0)
    state = listen(params(faulty=faulty), (10, 0.25), told | {5: (10, 0.9)})
    assert state.estimate[0, 0] == pytest.approx((0.25 + 0.9) / 2)


def test_without_an_outcome_it_still_hears() -> None:
    state = listen(params(), (10, 0.5), dict.fromkeys(range(1, 6), (10, 0.3)))
    assert state.pulls[0, 0] == 10
    assert state.made[0, 0] == 0
    assert state.estimate[0, 0] == pytest.approx((0.5 + 3 * 0.3) / 4)


def test_the_index_by_hand() -> None:
    """z + sqrt(2 g ln t / n); Gaussian rewards of sigma = 1 take 8 in the place of 2."""
    for sigma, factor in ((0.5, 2.0), (1.0, 8.0)):
        p = params(k=3, sub_gaussian=sigma)
        state, t = init(p), 56
        state.pulls[0], state.estimate[0], state.noise[0] = [40, 5, 10], [0.5, 0.1, 0.2], [0.4, 0.5, 1.0]
        index = state.estimate[0] + np.sqrt(factor * state.noise[0] * log(t) / state.pulls[0])
        assert select(p, state, 0, t, COINS) == int(np.argmax(index))


def test_arms_without_an_outcome_are_pulled_in_turn() -> None:
    """With late outcomes: the least pulled of them, so that none is waited for."""
    p = params(k=3)
    state = init(p)
    state.made[0], state.pulls[0] = [4, 4, 3], [4, 0, 0]
    assert select(p, state, 0, 12, COINS) == 2
    state.made[0] = [4, 4, 4]
    assert select(p, state, 0, 13, COINS) == 1


def twin(graphs, rewards, f, kappa):
    """The algorithm with sorted lists: pulls, z, g after the last round, and the arms pulled."""
    rounds, n, k = rewards.shape
    pulls, total, z, g = np.zeros((n, k)), np.zeros((n, k)), np.zeros((n, k)), np.ones((n, k))
    arms = np.zeros((rounds, n), int)
    for t in range(1, rounds + 1):
        for i in range(n):
            unpulled = np.flatnonzero(pulls[i] == 0)
            index = z[i] + np.sqrt(2 * g[i] * log(t) / np.maximum(pulls[i], 1))
            arms[t - 1, i] = unpulled[0] if len(unpulled) else np.argmax(index)
        for i in range(n):
            pulls[i, arms[t - 1, i]] += 1
            total[i, arms[t - 1, i]] += rewards[t - 1, i, arms[t - 1, i]]
        mean = total / np.maximum(pulls, 1)
        for i in range(n):
            for a in range(k):
                heard = sorted(mean[h, a] for h in graphs[t - 1].neighbors(i) if kappa * pulls[h, a] >= pulls[i, a])
                if len(heard) <= 2 * f:
                    z[i, a], g[i, a] = mean[i, a], 1
                else:
                    eta = 1 / (len(heard) - 2 * f + 1)
                    z[i, a] = eta * (mean[i, a] + sum(heard[f : len(heard) - f]))
                    g[i, a] = (4 * eta**2 + kappa * eta + kappa) / 4
    return pulls, z, g, arms


@pytest.mark.parametrize("faulty", [0, 1, 2])
def test_the_whole_algorithm_with_a_dumb_twin(faulty: int) -> None:
    n, k, rounds = 7, 3, 150
    graphs = [nx.gnp_random_graph(n, 0.7, seed=t) for t in range(rounds)]
    rewards = np.random.default_rng(6).uniform(size=(rounds, n, k))
    *_, (_, state, _) = drive_table(params(n=n, k=k, faulty=faulty), graphs, rewards)
    pulls, z, g, _ = twin(graphs, rewards, faulty, 1.5)
    assert (state.pulls == pulls).all()
    assert (state.made == pulls).all()
    np.testing.assert_allclose(state.estimate, z, atol=1e-12)
    np.testing.assert_allclose(state.noise, g, atol=1e-12)


@pytest.mark.parametrize("lie", [1e30, -1e30])
def test_f_lies_change_nothing_and_one_more_does(lie: float) -> None:
    """Extremes are left out, not added and taken away again, which would cost all digits: equal to the last bit."""
    p, honest = params(n=8, faulty=2), {j: (9, 0.1 * j) for j in range(1, 5)}
    believed = [listen(p, (9, 0.25), honest | {5: (9, size), 6: (9, size)}).estimate[0, 0] for size in (lie, lie / 7)]
    assert believed[0] == believed[1]
    assert 0.1 <= believed[0] <= 0.4
    assert not 0.1 <= listen(p, (9, 0.25), honest | dict.fromkeys((5, 6, 7), (9, lie))).estimate[0, 0] <= 0.4


def test_the_settings_of_the_source_are_the_defaults() -> None:
    assert (fm.ByzantineUCB().faulty, fm.ByzantineUCB().kappa) == (1, 1.5)
    with pytest.raises(ValueError, match=r"ByzantineUCB: faulty = -1: expected at least 0"):
        fm.ByzantineUCB(faulty=-1)
    with pytest.raises(ValueError, match=r"ByzantineUCB: kappa = 0.5: expected at least 1"):
        fm.ByzantineUCB(kappa=0.5)


def test_radius_is_never_below_three_fifths_of_that_of_ucb() -> None:
    """g > kappa / 4, however many are heard: cooperation gains a constant, not a factor N."""
    n = 200
    state = listen(params(n=n), (10, 0.5), dict.fromkeys(range(1, n), (10, 0.5)))
    assert 0.375 < state.noise[0, 0] < 0.38
    assert sqrt(state.noise[0, 0]) > 0.6
