"""GSE, sentence by sentence of its paper (arXiv 2510.22811) and of the published code where the text is silent."""

import warnings
from math import ceil, log, sqrt

import networkx as nx
import numpy as np
import pytest
from by_hand import COINS, drive_table

import folkmoot as fm
from folkmoot.algorithms import gse
from folkmoot.algorithms.base import Problem
from folkmoot.interface import decision, init, late_outbox, publish_late, select, update_late
from folkmoot.report.html import render
from folkmoot.world.graphs import as_base_graph


def params(n=4, k=3, horizon=1000, p=0.5, graph=None, **settings):
    base = as_base_graph(graph if graph is not None else nx.complete_graph(n))
    return fm.GSE(**settings).params(Problem(n, k, horizon, base, p, 0.5))


def matrix_twin(graphs, arms, rewards, n_arms):
    """Eqs. 3 and 4 with matrices, as the paper writes them: z(t) = W(t) z(t-1) + mean(t) - mean(t-1)."""
    n = arms.shape[1]
    z, mean, pulls = np.zeros((n, n_arms)), np.zeros((n, n_arms)), np.zeros((n, n_arms))
    for graph, arm, reward in zip(graphs, arms, rewards, strict=True):
        laplacian = nx.laplacian_matrix(graph, nodelist=range(n)).toarray()
        weights = np.eye(n) - laplacian / n
        before = mean.copy()
        for i in range(n):
            pulls[i, arm[i]] += 1
            mean[i, arm[i]] += (reward[i] - mean[i, arm[i]]) / pulls[i, arm[i]]
        z = weights @ z + mean - before
    return z


def play(p, graphs, rewards):
    """On given graphs and rewards [t, n, k]: the state at the end and the arms pulled."""
    arms, last = [], None
    for _, state, seen in drive_table(p, graphs, rewards):
        arms.append(seen.arm.copy())
        last = state
    return last, np.array(arms)


def random_graphs(n, p, rounds, seed):
    return [nx.gnp_random_graph(n, p, seed=seed + t) for t in range(rounds)]


def test_equation_4_gossip_equals_the_matrix_form() -> None:
    p, graphs = params(n=5, p=0.5), random_graphs(5, 0.5, 60, 7)
    rewards = np.random.default_rng(2).uniform(size=(60, 5, 3))
    state, arms = play(p, graphs, rewards)
    picked = np.take_along_axis(rewards, arms[:, :, None], 2)[:, :, 0]
    np.testing.assert_allclose(state.gossip, matrix_twin(graphs, arms, picked, 3), atol=1e-12)


def test_equation_4_keeps_the_average() -> None:
    """W is doubly stochastic, so the gossip estimates average to the average of the means, in every round."""
    state, _ = play(params(n=6), random_graphs(6, 0.3, 40, 3), np.random.default_rng(0).uniform(size=(40, 6, 3)))
    np.testing.assert_allclose(state.gossip.mean(axis=0), state.mean.mean(axis=0), atol=1e-12)


def test_equation_5_published_radius() -> None:
    """c = sqrt(ln T / (N m)) + (tau* + sqrt N) / (N m), m = max(pulls - L*, 1)."""
    p = params(n=16, k=5, horizon=10_000, p=0.9, graph=nx.circulant_graph(16, [1, 2]))
    connectivity, minimum = 4 - 2 * np.cos(np.pi / 8) - 2 * np.cos(np.pi / 4), 5 * log(10_000) / 0.9
    tau = 16 * log(10_000) / (0.9 * connectivity)
    for pulls in (0, 30, 52, 60, 900):
        m = max(pulls - minimum, 1.0)
        expected = sqrt(log(10_000) / (16 * m)) + (tau + 4.0) / (16 * m)
        assert gse.radius(p, pulls, 0.9) == pytest.approx(expected, rel=1e-6)


def test_corollary_5_4_on_the_complete_graph_tau_is_ln_t_over_p() -> None:
    assert gse.mixing_time(params(n=16, horizon=10_000, p=0.25), 0.25) == pytest.approx(log(10_000) / 0.25)


def test_equation_7_an_arm_leaves_when_its_upper_end_is_below_anothers_lower_end() -> None:
    p = params(n=1, k=3)
    state = init(p)
    state.gossip[0] = [0.9, 0.5, 0.45]
    state.radius[0] = [0.15, 0.25, 0.29]
    gse.eliminate(p, state, 0)
    assert state.active[0].tolist() == [True, True, False]  # 0.75 <= 0.75 stays, 0.74 < 0.75 goes


def test_equation_7_compares_with_arms_in_play_only() -> None:
    p = params(n=1, k=2)
    state = init(p)
    state.gossip[0], state.radius[0] = [0.9, 0.1], [0.1, 0.1]
    state.active[0, 0] = False
    gse.eliminate(p, state, 0)
    assert state.active[0].tolist() == [False, True]


def test_equation_8_intersection_is_one_hop_after_everybodys_elimination() -> None:
    """On the path 0 - 1 - 2 agent 0 loses an arm: agent 1 follows in the same round, agent 2 in the next."""
    p, late = params(n=3, k=2), late_outbox(params(n=3, k=2))
    state = init(p)
    state.active[0, 1] = False
    path = {0: [1], 1: [0, 2], 2: [1]}
    seen = []
    for t in (1, 2):
        for i in range(3):
            publish_late(p, state, i, t, late)
        for i in range(3):
            update_late(p, state, i, t, late, np.array(path[i]))
        seen.append(state.active[:, 1].tolist())
    assert seen == [[False, False, True], [False, False, False]]


def test_intersection_never_empties_a_set() -> None:
    p = params(n=2, k=2)
    state, late = init(p), late_outbox(p)
    state.active[0], state.active[1] = [True, False], [False, True]
    for i in range(2):
        publish_late(p, state, i, 1, late)
    for i in range(2):
        update_late(p, state, i, 1, late, np.array([1 - i]))
    assert state.active.tolist() == [[True, False], [False, True]]


def test_it_has_settled_when_one_arm_is_left() -> None:
    p = params(n=2, k=3)
    state = init(p)
    assert decision(p, state, 0) == -1
    state.active[0] = [False, True, False]
    assert decision(p, state, 0) == 1


def test_results_say_when_each_agent_has_settled() -> None:
    world = fm.Bernoulli([0.9, 0.1], n_agents=4), fm.ErdosRenyi(nx.complete_graph(4), 0.5)
    result = fm.simulate(fm.GSE(), *world, horizon=3_000)
    assert (result.decisions == 0).all()
    assert (result.decided_at > 0).all()
    assert (result.pulls[0, :, 1] <= result.decided_at[0]).all()


@pytest.mark.parametrize(
    ("graph", "n_arms", "is_slow"),
    [
        (nx.complete_graph(4), 2, False),
        (nx.petersen_graph(), 5, False),
        (nx.convert_node_labels_to_integers(nx.grid_2d_graph(15, 15)), 3, True),
        (nx.barbell_graph(8, 0), 2, True),
        (nx.circulant_graph(16, [1]), 5, True),  # degree 2 of Table 1: K^2 lambda = 3.8
        (nx.circulant_graph(16, [1, 2]), 5, False),  # degree 4: 18.5
    ],
)
def test_e_22_it_says_where_gossip_is_too_slow_for_its_radius(graph, n_arms: int, is_slow: bool) -> None:
    """K L* >= tau*: pulling all arms as often as the radius needs to begin to shrink takes as long as mixing."""
    problem = Problem(len(graph), n_arms, 5_000, as_base_graph(graph), 0.7, 0.5)
    p = fm.GSE().params(problem)
    assert (n_arms * gse.minimum_pulls(p, 0.7) < gse.mixing_time(p, 0.7)) == is_slow
    assert len(fm.GSE().remarks(problem)) == is_slow


def test_the_warning_is_said_once_and_is_in_the_result() -> None:
    world = fm.Bernoulli([0.9, 0.1], n_agents=6), fm.ErdosRenyi(nx.path_graph(6), 0.5)
    with pytest.warns(UserWarning, match="may drop the best arm") as said:
        result = fm.simulate(fm.GSE(), *world, horizon=50, replicates=2)
    assert [str(warning.message) for warning in said] == result.configuration["remarks"]
    assert "may drop the best arm" in render("slow", {"GSE": result})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "remarks" not in fm.simulate(fm.FloodSE(), *world, horizon=50).configuration


def test_the_radius_without_a_proof_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="had no proof and is gone") as error:
        fm.GSE(radius="proven")
    assert "\n" not in str(error.value)


def test_rewards_that_may_lie_outside_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expects them in \[0, 1\]"):
        fm.simulate(fm.GSE(), fm.Gaussian([0.1, 0.4], n_agents=3), fm.Static(nx.complete_graph(3)), horizon=10)


def test_the_least_pulled_arm_in_play_is_selected_lowest_index_first() -> None:
    p = params(n=1, k=4)
    state = init(p)
    state.pulls[0] = [3, 1, 0, 1]
    state.active[0] = [True, True, False, True]
    assert select(p, state, 0, 6, COINS) == 1


@pytest.mark.parametrize("p", [0.2, 0.6, 1.0])
def test_theorem_c_2_the_estimated_probability_lies_between_half_and_all_of_p(p: float) -> None:
    """On the good event (probability at least 1 - delta) p/2 <= estimate <= p, and the burn-in has ended by
    t = 8 ln(4 N T^2 / delta) / (degree p^2)."""
    n, horizon = 5, 4000
    problem_params = params(n=n, k=2, horizon=horizon, p=p, link_probability="estimate", delta=1e-3)
    graphs = [nx.gnp_random_graph(n, p, seed=t) if p < 1 else nx.complete_graph(n) for t in range(1, horizon + 1)]
    last = ceil(8 * log(4 * n * horizon**2 / 1e-3) / ((n - 1) * p**2))
    state, _ = play(problem_params, graphs[:last], np.full((last, n, 2), 0.5))
    assert (state.link > 0).all()
    assert (state.link >= p / 2).all()
    assert (state.link <= p).all()


def test_no_elimination_while_estimating() -> None:
    p = params(n=2, k=2, horizon=1000, p=0.5, link_probability="estimate")
    rewards = np.zeros((20, 2, 2))
    rewards[:, :, 0] = 1.0
    state, arms = play(p, [nx.empty_graph(2)] * 20, rewards)
    assert (state.link == 0).all()
    assert state.active.all()
    assert (arms[:, 0] == np.arange(20) % 2).all()


def test_lemma_5_2_the_best_arm_survives_and_the_others_go() -> None:
    means = np.array([[0.9, 0.1, 0.7], [0.1, 0.9, 0.8], [0.2, 0.3, 0.9], [0.3, 0.2, 0.8]])
    world = fm.Bernoulli(means), fm.ErdosRenyi(nx.cycle_graph(4), 0.5)
    result = fm.simulate(fm.GSE(), *world, horizon=20_000, replicates=20, checkpoints=[10_000, 20_000])
    late = result.team_pulls[:, 1] - result.team_pulls[:, 0]
    assert (late[:, 2] == 4 * 10_000).all()


def test_appendix_b_no_arm_is_dropped_before_its_radius_can_shrink() -> None:
    """With L* = K ln T / p pulls needed first, nobody pulls a bad arm less often than that."""
    means, p, horizon = np.array([0.9, 0.1]), 0.3, 5_000
    result = fm.simulate(
        fm.GSE(), fm.Bernoulli(means, n_agents=4), fm.ErdosRenyi(nx.complete_graph(4), p), horizon=horizon, replicates=3
    )
    assert result.pulls[:, :, 1].min() >= 2 * log(horizon) / p


@pytest.mark.parametrize(
    ("settings", "graph", "p", "says"),
    [
        ({}, nx.empty_graph(4), 0.5, "connected"),
        ({}, nx.complete_graph(4), None, "link_probability"),
        ({"link_probability": 1.2}, nx.complete_graph(4), 0.5, "1.2"),
        ({"link_probability": 0.0}, nx.complete_graph(4), 0.5, "0.0"),
        ({"link_probability": float("nan")}, nx.complete_graph(4), 0.5, "nan"),
    ],
)
def test_errors_name_the_value_and_what_is_allowed(settings, graph, p, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        params(graph=graph, p=p, **settings)
    assert "\n" not in str(error.value)
    assert "expect" in str(error.value) or "give" in str(error.value)
