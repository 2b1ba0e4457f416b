"""UCB-SBM: DrFed-UCB when all clusters are single agents, pooling when there is one, unbiased in between."""

import networkx as nx
import numpy as np
import pytest
from by_hand import COINS, drive

import folkmoot as fm
from folkmoot.algorithms import cluster_gossip, drfed_ucb, survey
from folkmoot.algorithms.base import Problem
from folkmoot.coins import CHOICE, below
from folkmoot.interface import (
    draw_links,
    init,
    late_outbox,
    links,
    messages,
    nothing_seen,
    outbox,
    publish,
    publish_late,
    select,
    traffic,
    update,
    update_late,
)
from folkmoot.simulation.replicates import prepared_job
from folkmoot.simulation.simulate import make_job
from folkmoot.world.graphs import as_base_graph


def problem(n=6, k=3, horizon=1000, labels=None):
    return Problem(n, k, horizon, as_base_graph(nx.complete_graph(n)), 0.9, 0.5, labels)


def params(labels, k=3, horizon=1000, **settings):
    return fm.UCBSBM(clusters=tuple(labels), **settings).params(problem(len(labels), k, horizon))


def rows_of(edges, n):
    graph = nx.empty_graph(n)
    graph.add_edges_from(edges)
    return [np.array(sorted(graph.neighbors(i)), np.int64) for i in range(n)]


def inside(labels):
    n = len(labels)
    return [(i, j) for i in range(n) for j in range(i) if labels[i] == labels[j]]


def test_rule_1_is_drfed_ucb() -> None:
    assert fm.UCBSBM(rule=1, c1=0.3, burn_in=9).params(problem()) == drfed_ucb.Params(6, 3, 9, 0.3)
    world = fm.Bernoulli(np.random.default_rng(1).uniform(size=(6, 3))), fm.ErdosRenyi(nx.complete_graph(6), 0.5)
    a = fm.simulate(fm.DrFedUCB(), *world, horizon=2000)
    b = fm.simulate(fm.UCBSBM(rule=1), *world, horizon=2000)
    assert (a.pulls == b.pulls).all()
    assert (a.team_pulls == b.team_pulls).all()


@pytest.mark.parametrize("gate", ["agent", "cluster"])
@pytest.mark.parametrize("weights", ["size", "smallest"])
@pytest.mark.parametrize("law", [fm.Bernoulli, fm.Gaussian])
def test_with_every_agent_its_own_cluster_rule_2_is_drfed_ucb(law, weights, gate) -> None:
    """Pull for pull; with a path as base graph the gate opens often, since counts travel slowly.

    Bernoulli rewards compiled and for long; Gaussian ones, whose sums are no whole numbers, interpreted.
    """
    means = np.random.default_rng(5).uniform(size=(6, 4))
    short = {"horizon": 200, "engine": "interpreted"}
    played = short if law is fm.Gaussian else {"horizon": 2000, "replicates": 2}
    for graph in (nx.complete_graph(6), nx.path_graph(6)):
        world = law(means), fm.ErdosRenyi(graph, 0.3)
        for settings, c1 in (({"burn_in": 8}, 0.25), ({}, None)):
            a = fm.simulate(fm.DrFedUCB(c1=c1, **settings), *world, **played)
            settings["c1"] = c1 or "published_agents"
            one_each = fm.UCBSBM(clusters=tuple(range(6)), weights=weights, gate=gate, **settings)
            b = fm.simulate(one_each, *world, **played)
            assert (a.team_pulls == b.team_pulls).all()
            assert (a.pulls == b.pulls).all()


def test_with_one_cluster_it_is_cooperative_ucb_up_to_noise() -> None:
    """Alike agents, all linked, the same constant: final regrets of 20 replicates, means within five standard errors
    of their difference and a lag of two pulls an agent and arm; a lone UCB is far outside."""
    n, k, horizon = 10, 4, 5000
    world = fm.Bernoulli([0.3, 0.5, 0.4, 0.7], n_agents=n), fm.ErdosRenyi(nx.complete_graph(n), 1.0)
    settings = {"horizon": horizon, "replicates": 20, "jobs": 2}
    pooled = fm.simulate(fm.CooperativeUCB(exploration=2.0), *world, **settings).regret[:, -1]
    ours = fm.simulate(fm.UCBSBM(clusters=(0,) * n, c1=2.0, burn_in=k), *world, **settings).regret[:, -1]
    alone = fm.simulate(fm.UCB(), *world, **settings).regret[:, -1]
    error = np.sqrt((pooled.var(ddof=1) + ours.var(ddof=1)) / 20)
    lag = 2 * n * 0.9  # the sum of the gaps is 0.9
    assert abs(pooled.mean() - ours.mean()) < 5 * error + lag
    assert alone.mean() > pooled.mean() + 5 * error + lag


@pytest.mark.parametrize("labels", [(0, 0, 1, 1, 2, 2), (0, 1, 1, 1, 1, 0, 2)])
@pytest.mark.parametrize("weights", ["size", "smallest"])
def test_the_estimate_is_unbiased(labels, weights) -> None:
    """With rewards equal to their means it is the target from the end of the burn-in on: the mean over agents with
    "size", over clusters with "smallest"."""
    cluster_means = np.array([[0.9, 0.1], [0.2, 0.6], [0.4, 0.3]])
    means, n = cluster_means[list(labels)], len(labels)
    target = means.mean(axis=0) if weights == "size" else cluster_means.mean(axis=0)
    everybody = rows_of([(i, j) for i in range(n) for j in range(i)], n)
    p = params(labels, k=2, burn_in=6, c1=0.5, weights=weights)
    for t, state, _ in drive(p, lambda t: everybody, lambda t, i, arm: means[i, arm], 60):
        if t >= 6:
            np.testing.assert_allclose(state.gossip, np.tile(target, (n, 1)), atol=1e-12)


def test_clusters_never_heard_of_do_not_bias_the_estimate() -> None:
    """Clusters 0 (3 agents) and 1 (1 agent) meet each other and nobody else: both agree on (3 * 0.8 + 0.4) / 4."""
    labels, means = (0, 0, 0, 1, 2, 2), (0.8, 0.8, 0.8, 0.4, 0.1, 0.1)
    rows = rows_of([*inside(labels), (2, 3)], 6)
    *_, (_, state, _) = drive(params(labels, k=1, burn_in=3), lambda t: rows, lambda t, i, arm: means[i], 80)
    np.testing.assert_allclose(state.gossip[:, 0], [0.7] * 4 + [0.1] * 2, atol=1e-9)


def test_mates_who_are_linked_know_the_same_and_pull_the_same() -> None:
    """Within = 1, across random: to the last bit, in every round, the random branch included."""
    labels = np.array([0, 1, 2, 0, 1, 2, 0, 1, 1])
    p = params(labels, k=4, horizon=5000, burn_in=8, c1=0.2)
    network = fm.StochasticBlockModel(labels, 1.0, 0.02).record()
    active, pay = links(network), np.random.default_rng(8).normal(0.5, 0.5, (400, 9, 4))
    opened = 0

    def rows(t):
        draw_links(network, t, COINS, active)
        return [active.neighbours[s : s + c].copy() for s, c in zip(active.start, active.count, strict=True)]

    for t, state, seen in drive(p, rows, lambda t, i, arm: pay[t - 1, i, arm], 400):
        for c in range(3):
            mates = np.flatnonzero(labels == c)
            assert len(set(seen.arm[mates].tolist())) == 1
            for column in (state.gossip, state.cluster_mean, state.cluster_pulls, state.largest, state.stamp):
                assert (column[mates] == column[mates[0]]).all(), t
            np.testing.assert_array_equal(state.cluster_pulls[mates[0]], state.pulls[mates].sum(axis=0))
            np.testing.assert_allclose(
                state.cluster_mean[mates[0]] * np.maximum(state.cluster_pulls[mates[0]], 1),
                state.total[mates].sum(axis=0), atol=1e-9,
            )  # fmt: skip
        if t > 8:
            opened += any(cluster_gossip.behind(p, state, 0, k) for k in range(4))
    assert opened > 0


def test_rule_2_with_a_dumb_twin() -> None:
    """Three clusters of unlike sizes, all mates linked, random links between clusters: from the pooled data of a
    cluster and one copy of every other, as the rule is written down."""
    labels, k, burn_in, rounds = np.array([0, 0, 0, 1, 1, 2]), 2, 4, 40
    share, rng = np.array([3, 2, 1]) / 6, np.random.default_rng(3)
    graphs = []
    for _ in range(rounds):
        across = [(i, j) for i in range(6) for j in range(i) if labels[i] != labels[j] and rng.uniform() < 0.15]
        graphs.append([*inside(labels), *across])
    graphs[0] = [(i, j) for i in range(6) for j in range(i)]
    pay = rng.uniform(size=(rounds, 6, k))
    p = params(labels, k=k, burn_in=burn_in, c1=0.5)
    n_c, s_c = np.zeros((3, k)), np.zeros((3, k))
    hbar, htil, gossip = np.zeros((3, 3, k)), np.zeros((3, 3, k)), np.zeros((3, k))
    for t, state, seen in drive(p, lambda t: rows_of(graphs[t - 1], 6), lambda t, i, arm: pay[t - 1, i, arm], rounds):
        mean = s_c / np.maximum(n_c, 1)
        touching = {(labels[i], labels[j]) for i, j in graphs[t - 1]} | {(c, c) for c in range(3)}
        for a, b in touching | {(b, a) for a, b in touching}:
            hbar[a, b], htil[a, b] = mean[b], (gossip[b] if t > burn_in else htil[a, b])
        for i in range(6):
            n_c[labels[i], seen.arm[i]] += 1
            s_c[labels[i], seen.arm[i]] += seen.reward[i, 0]
        if t == burn_in:
            gossip = np.einsum("b,abk->ak", share, hbar)
            htil = np.repeat(gossip[:, None], 3, axis=1)
        elif t > burn_in:
            weight = share * (1 - 1 / 3)
            gossip = np.einsum("b,abk->ak", weight, htil) + np.einsum("b,abk->ak", share / 3, hbar)
        np.testing.assert_array_equal(state.cluster_pulls, n_c[labels])
        np.testing.assert_allclose(state.gossip, gossip[labels], atol=1e-12)


def test_mates_relay_the_freshest_copy_over_several_hops() -> None:
    """Mates on a path 0-1-2, a stranger 3 heard by agent 0 in the first round alone: one hop a round."""
    p = params((0, 0, 0, 1), k=1, burn_in=9)
    path, rows = rows_of([(0, 1), (1, 2)], 4), rows_of([(0, 1), (1, 2), (0, 3)], 4)
    stamps = [s.stamp[:, 1].tolist() for _, s, _ in drive(p, lambda t: rows if t == 1 else path, lambda t, i, a: 1, 3)]
    assert stamps == [[1, 1, 0, 1], [1, 1, 1, 2], [1, 1, 1, 3]]


def test_copies_from_before_the_end_of_the_burn_in_bring_no_gossip() -> None:
    """Agent 0 met cluster 1 in the burn-in, its mate 1 did not and learns of it later: until a message of cluster 1
    from after the burn-in comes, agent 1 has its own first estimate in the place of that cluster's."""
    p, pay = params((0, 0, 1), k=1, burn_in=3), (1.0, 0.2, 0.5)
    rows = {2: rows_of([(0, 2)], 3), 4: rows_of([(0, 1)], 3)}
    for t, state, _ in drive(p, lambda t: rows.get(t, rows_of([], 3)), lambda t, i, arm: pay[i], 4):
        if t == 3:
            own, other = state.gossip[1, 0], state.gossip[0, 0]
    assert state.stamp[1, 1] == 2
    assert state.heard_mean[1, 1, 0] == 0.5
    assert state.heard_gossip[1, 1, 0] == own == 0.2 != other


def test_tables_catch_up_after_silence() -> None:
    """Mates linked in some rounds only: after a round with a link both have all of both."""
    p = params((0, 0), k=3, burn_in=6)
    met, apart = rows_of([(0, 1)], 2), rows_of([], 2)
    pay = np.random.default_rng(0).uniform(size=(60, 2))
    for t, state, _ in drive(p, lambda t: met if t % 7 < 2 else apart, lambda t, i, arm: pay[t - 1, i], 60):
        if t % 7 < 2:
            np.testing.assert_array_equal(state.team_pulls, np.tile(state.pulls.sum(axis=0), (2, 1)))
            whole = np.tile(state.total.sum(axis=0), (2, 1))
            np.testing.assert_allclose(state.team_mean * np.maximum(state.team_pulls, 1), whole, atol=1e-12)
        else:
            assert (state.team_pulls.sum(axis=1) < state.pulls.sum()).all()


def test_periods_end_with_the_burn_in_and_then_every_refresh_rounds() -> None:
    """What is adopted is the tables of the period's first round: 3 mates' pulls after rounds 5, 7, 9, ..."""
    p = params((0, 0, 0, 1, 2), k=2, burn_in=6, refresh=2)
    everybody = rows_of([(i, j) for i in range(5) for j in range(i)], 5)
    pooled = [int(s.cluster_pulls[0].sum()) for _, s, _ in drive(p, lambda t: everybody, lambda t, i, arm: 0.5, 11)]
    assert pooled == [0, 3, 3, 9, 9, 15, 15, 21, 21, 27, 27]


PATH = (0, 0, 0, 1, 1, 1, 2, 2, 2)  # three clusters of three


def test_in_step_mates_hold_the_same_numbers_in_every_round() -> None:
    """Theorem 10: mates are never all linked in a round, and one may need two rounds to hear from another; with periods
    of four rounds, in which everything reaches everybody, they still go by the same numbers and pull the same arms.
    Without periods they do not. (Two agents stand alone: periods of four rounds need five clusters.)"""
    labels = (*PATH, 3, 4)
    dice, n = np.random.default_rng(12), len(labels)
    graphs = []
    for t in range(240):
        inside = [(3 * c + h, 3 * c + h + 1) for c in range(3) for h in [t % 2]]
        across = [(i, j) for i in range(n) for j in range(i) if labels[i] != labels[j] and dice.uniform() < 0.05]
        graphs.append(rows_of([*inside, *across], n))
    pay = dice.normal(0.5, 0.5, (240, n, 3)) + 0.3 * dice.uniform(size=(1, n, 3))
    apart = {}
    for refresh in (1, 4):
        p, apart[refresh] = params(labels, k=3, burn_in=12, refresh=refresh, relay=True), 0
        for t, state, seen in drive(p, lambda t: graphs[t - 1], lambda t, i, arm: pay[t - 1, i, arm], 240):
            if t <= 12:
                continue
            for c in range(3):
                mates = np.flatnonzero(np.array(labels) == c)
                numbers = (state.cluster_pulls, state.cluster_mean, state.gossip, seen.arm)
                apart[refresh] += any((column[mates] != column[mates[0]]).any() for column in numbers)
    assert apart[4] == 0
    assert apart[1] > 400  # of 684


def test_the_period_is_limited_to_what_theorem_10_allows() -> None:
    for labels, allowed in ((PATH, 2), ((0, 1, 2, 3, 4), 4), ((0, 0, 1), 1), ((0, 0), 1)):
        params(labels, refresh=allowed)
        with pytest.raises(ValueError, match=rf"refresh = {allowed + 1}: expected from 1 to {allowed}, for") as caught:
            params(labels, refresh=allowed + 1)
        assert "\n" not in str(caught.value)


def test_what_is_heard_after_a_periods_first_round_waits_for_the_next() -> None:
    """Agent 1 hears of cluster 1 from its mate 0: met in round 3, a period's first, it is known at once; in round 4 it
    waits for the period of rounds 5 and 6."""
    for met, expected in ((3, [0, 0, 3, 3, 3, 3]), (4, [0, 0, 0, 0, 4, 4])):
        p = params((0, 0, 1, 2), k=1, burn_in=30, refresh=2)
        rows, mates = rows_of([(0, 1), (0, 2)], 4), rows_of([(0, 1)], 4)
        played = drive(p, lambda t, up=(met, rows, mates): up[1] if t == up[0] else up[2], lambda t, i, a: 1.0, 6)
        assert [int(s.stamp[1, 1]) for _, s, _ in played] == expected


def test_tables_of_mates_are_passed_on_by_their_rounds() -> None:
    """A path 0-1-2 of mates with relay: agent 0 knows the table of agent 2 as it was a round ago, and no outcome twice;
    where 2 is met directly later, what is known directly stands."""
    p = params((0, 0, 0), k=2, burn_in=4, relay=True)
    path, triangle = rows_of([(0, 1), (1, 2)], 3), rows_of([(0, 1), (1, 2), (0, 2)], 3)
    pay = np.random.default_rng(4).uniform(size=(30, 3))
    for t, state, _ in drive(p, lambda t: triangle if t == 20 else path, lambda t, i, arm: pay[t - 1, i], 30):
        lag = 0 if t == 20 else 1
        assert state.contact[0].tolist() == [t, t, max(0, t - lag)]
        assert state.team_pulls[0].sum() == 3 * t - lag
        whole = pay[:t, :2].sum() + pay[: t - lag, 2].sum()
        np.testing.assert_allclose((state.team_mean[0] * state.team_pulls[0]).sum(), whole, atol=1e-9)


@pytest.mark.parametrize(
    ("network", "relayed"),
    [
        (fm.StochasticBlockModel([0, 0, 0, 1, 1, 1], 0.005, 0.4), False),
        (fm.StochasticBlockModel([0, 0, 0, 1, 1, 1], 0.3, 0.0), False),
        (fm.StochasticBlockModel([0, 1, 0, 1, 1, 0], 0.3, 0.0), True),  # other blocks than the clusters
        (fm.ErdosRenyi(nx.complete_graph(6), 0.1), False),
        (fm.ErdosRenyi(nx.cycle_graph(6), 0.9), True),
    ],
    ids=["blocks", "blocks apart", "other blocks", "complete", "ring"],
)
def test_tables_are_passed_on_where_mates_never_meet(network, relayed) -> None:
    told = Problem.on(network, n_arms=2, horizon=100)
    assert fm.UCBSBM(clusters=(0, 0, 0, 1, 1, 1)).params(told).relay == relayed
    assert fm.UCBSBM(clusters=(0, 0, 0, 1, 1, 1), relay=not relayed).params(told).relay != relayed


@pytest.mark.parametrize(
    ("gate", "largest", "drawn"),
    [("agent", 13, False), ("agent", 14, True), ("cluster", 23, False), ("cluster", 24, True)],
)
def test_the_gate_and_its_units(gate, largest, drawn) -> None:
    """K = 4, 10 own pulls and 20 of the cluster: behind 14 = 10 + 4, or behind 24 = 20 + 4 as a cluster."""
    p = params((0, 0, 1, 1), k=4, burn_in=4, gate=gate, c1=0.01)
    state = init(p)
    state.made[:], state.cluster_pulls[:] = 10, 20
    state.gossip[:] = [9.0, 0.0, 0.0, 0.0]
    state.largest[:, 1:3] = largest
    arms = {select(p, state, 0, t, COINS) for t in range(10, 60)}
    assert arms == ({1, 2} if drawn else {0})


def test_a_forced_pull_never_raises_the_largest() -> None:
    """The invariant from which it follows that pulling at random cannot sustain itself: whoever pulls an arm because it
    is behind has at most `largest` - K + 1 pulls of it then. On rare links, where a gate on pooled counts is open in
    most rounds."""
    labels = np.arange(12) // 4
    p, dice = params(labels, k=3, burn_in=6, c1=2.0), np.random.default_rng(3)
    pay, forced = dice.uniform(size=(600, 12)), 0
    chance = np.where(labels[:, None] == labels, 0.01, 0.3)

    def rows(t):
        up = np.triu(dice.uniform(size=(12, 12)) < chance, 1)
        return [np.flatnonzero(row) for row in up | up.T]

    bar = np.zeros((12, 3))
    for t, state, seen in drive(p, rows, lambda t, i, arm: pay[t - 1, i], 600):
        for i in range(12):
            if t > 6 and bar[i, seen.arm[i]] >= state.made[i, seen.arm[i]] - 1 + 3:  # it was behind
                forced += 1
                assert state.made[i, seen.arm[i]] <= state.largest[:, seen.arm[i]].max() - 2
        bar = state.largest.copy()
    assert forced > 0


def test_the_random_branch_is_the_clusters() -> None:
    """Mates draw the same arm, that of the coin named after round and cluster; clusters draw apart."""
    p = params((0, 1, 0, 1), k=4, burn_in=4)
    state = init(p)
    state.made[:], state.largest[:] = 1, 100.0
    arms = np.array([[select(p, state, i, t, COINS) for i in range(4)] for t in range(10, 60)])
    assert (arms[:, 0] == arms[:, 2]).all()
    assert (arms[:, 1] == arms[:, 3]).all()
    assert (arms[:, 0] != arms[:, 1]).any()
    assert arms[:, 1].tolist() == [below(COINS, 4, CHOICE, t, 1, 0) for t in range(10, 60)]


def test_a_small_cluster_is_not_for_ever_behind_a_large_one() -> None:
    """Clusters of 1 and 9 in step, by the gate on cluster counts: 9 n pulls against n must not open it."""
    p = params((0, *[1] * 9), k=2, burn_in=4, gate="cluster", c1=0.3)
    state = init(p)
    state.cluster_pulls[0], state.cluster_pulls[1:] = 50, 450
    state.largest[:] = state.cluster_pulls[9] / p.gate_unit[1]
    assert not any(cluster_gossip.behind(p, state, i, k) for i in range(10) for k in range(2))


def rare_mates(within, **settings):
    """The final regret of 2 replicates: 20 agents in 4 clusters that meet often, mates that meet with this chance."""
    labels = np.arange(20) // 5
    means = np.random.default_rng(2502).uniform(size=(20, 5))[:4]
    world = fm.Clustered(means, labels), fm.StochasticBlockModel(labels, within, 0.4)
    result = fm.simulate(fm.UCBSBM(c1=2.0, burn_in=125, **settings), *world, horizon=10_000, replicates=2, seed=2502)
    return result.regret[:, -1]


def test_no_regret_is_linear_where_mates_meet_rarely() -> None:
    """With C1 = 2 for all, below Rule 1, which knows no clusters, whatever the chance that mates meet. A gate on
    cluster counts, as published, is open for ever there: at within = .01 most of uniform play's 29,000."""
    alone = rare_mates(1.0, rule=1)
    for within in (0.005, 0.01, 0.02):
        for refresh in (1, 3):
            assert (rare_mates(within, refresh=refresh) < 0.6 * alone).all(), (within, refresh)
    assert (rare_mates(0.01, gate="cluster") > 3 * alone).all()


def test_pooling_pays_at_equal_c1() -> None:
    """20 agents in 4 clusters, links across of 0.3, the same C1 = 0.5: Rule 2 well below Rule 1 in every replicate
    (in simulations of the rule as reconstructed it had a third of its regret)."""
    labels = np.arange(20) % 4
    means = np.random.default_rng(6).uniform(size=(4, 4))
    world = fm.Clustered(means, labels), fm.StochasticBlockModel(labels, 1.0, 0.3)
    one, two = (
        fm.simulate(fm.UCBSBM(rule=rule, c1=0.5, burn_in=100), *world, horizon=5000, replicates=4).regret[:, -1]
        for rule in (1, 2)
    )
    assert (two < 0.8 * one).all()


def radius_squared(p, i, pulls):
    """Of agent i, by ln t, when each mate has so many pulls of an arm."""
    size = p.size[p.labels[i]]
    return p.c1 / (pulls * size / p.count_unit[p.labels[i]])


def test_the_default_radius_is_the_same_for_every_number_of_clusters() -> None:
    """kappa ln t / (M n): DrFed-UCB's recalled one from M = 50 on, below that the narrower 2 sigma^2 / (M n)."""
    for n, labels in ((6, (0, 0, 1, 1, 2, 2)), (6, (0,) * 6), (6, (0, 0, 0, 0, 1, 2)), (60, np.arange(60) % 12)):
        p = params(labels)
        expected = min(2 * 0.25 / n, drfed_ucb.recalled_c1(n, 0.5)) / 7
        for i in range(n):
            assert radius_squared(p, i, 7) == pytest.approx(expected)
    assert expected == drfed_ucb.recalled_c1(60, 0.5) / 7 != 2 * 0.25 / 60 / 7


def test_the_published_constants_have_names() -> None:
    labels = (0, 0, 1, 1, 2)
    for name, n in (("published_agents", 5), ("published_clusters", 3)):
        p = params(labels, c1=name)
        assert (p.c1, p.count_unit.tolist()) == (drfed_ucb.recalled_c1(n, 0.5), [1.0, 1.0, 1.0])
    assert params(labels, c1="published_agents", weights="smallest").count_unit.tolist() == [2.0, 2.0, 1.0]
    assert fm.UCBSBM(rule=1, c1="published_agents").params(problem()) == fm.DrFedUCB().params(problem())


def test_the_defaults_are_at_least_as_good_as_drfeds() -> None:
    """For one, few and many clusters of 20 agents: 4 replicates, mean of paired differences not above 0."""
    means = np.random.default_rng(11).uniform(size=(20, 4))
    for c in (1, 4, 10, 20):
        labels = np.arange(20) * c // 20
        world = fm.Clustered(means[:c], labels), fm.StochasticBlockModel(labels, 1.0, 0.4)
        ours, theirs = (
            fm.simulate(algorithm, *world, horizon=6000, replicates=4, seed=8).regret[:, -1]
            for algorithm in (fm.UCBSBM(), fm.DrFedUCB())
        )
        assert ours.mean() <= theirs.mean(), (c, ours, theirs)


def test_with_the_clusters_goal_agents_learn_what_is_best_for_their_cluster() -> None:
    """Two clusters that want different arms, and a third arm that is best on average: with goal="cluster" nine pulls in
    ten of the second half are of the cluster's best, each agent has less than a third of the regret it has alone, and
    clusters say nothing to one another. With goal="common" all go to the third arm."""
    labels = np.arange(8) // 4
    world = fm.Clustered([[0.9, 0.1, 0.7], [0.1, 0.9, 0.7]], labels), fm.StochasticBlockModel(labels, 0.5, 0.5)
    own, common = (
        fm.simulate(fm.UCBSBM(goal=goal), *world, horizon=4000, replicates=2).pulls for goal in ("cluster", "common")
    )
    alone = fm.simulate(fm.UCB(), *world, horizon=4000, replicates=2).pulls
    for i in range(8):
        best = labels[i]
        assert (own[:, i, best] > 0.95 * 4000).all()
        assert (4000 - own[:, i, best] < (4000 - alone[:, i, best]) / 3).all()
    assert (common[:, :, 2] > 0.9 * 4000).all()


def test_with_the_clusters_goal_nothing_is_told_to_other_clusters() -> None:
    """Agents of other clusters may say anything, or be absent: arms and states stay the same to the last bit."""
    labels = (0, 0, 0, 1)
    p = params(labels, k=3, goal="cluster", horizon=200)
    assert sum(column[0].nbytes for column in late_outbox(p)) == 0
    pay = np.random.default_rng(1).uniform(size=(150, 4, 3))
    everybody, mates = (rows_of(edges, 4) for edges in ([(0, 1), (1, 2), (0, 3), (1, 3)], [(0, 1), (1, 2)]))
    states = [
        [
            column[:3].tobytes()
            for column in list(drive(p, lambda t, rows=rows: rows, lambda t, i, arm: pay[t - 1, i, arm], 150))[-1][1]
        ]
        for rows in (everybody, mates)
    ]
    assert states[0] == states[1]


def test_bytes_are_cluster_numbers_between_clusters_and_tables_between_mates() -> None:
    """K = 5, C = 4, an agent with 4 mates and 6 strangers linked: 3K numbers to a stranger; to a mate its table and
    this round's outcome, 2K + 2, and the copies of 3 other clusters, 3 (2K + 1) + K. In all 2,320 bytes, where every
    number to every neighbour would be 6,080."""
    labels = np.arange(20) // 5
    p = params(labels, k=5, burn_in=5)
    rows = np.array([1, 2, 3, 4, 5, 6, 10, 11, 15, 16])
    sent = traffic(p, init(p), 0, 7, nothing_seen(20), rows, outbox(p), 0, len(rows))
    assert sent == 8 * (6 * 15 + 4 * (12 + 3 * 11 + 5)) == 2320


def test_bytes_of_tables_that_are_passed_on_are_those_that_are_lacking() -> None:
    """K = 2, three mates: a list of 3 rounds goes to each; the table of mate 2 goes to agent 1 only while it is older
    there; the own table goes in a period's first round."""
    p = params((0, 0, 0, 1, 2), k=2, burn_in=6, refresh=2)
    box, mate = outbox(p), np.array([1])
    box.contact[:2] = [[5, 5, 3], [5, 5, 1]]
    late = 8 * (2 * 5 + 2)
    assert traffic(p, init(p), 0, 8, nothing_seen(5), mate, box, 0, 1) == 8 * (3 + 4) + late
    assert traffic(p, init(p), 0, 9, nothing_seen(5), mate, box, 0, 1) == 8 * (3 + 4 + 4) + late
    box.contact[1, 2] = 3
    assert traffic(p, init(p), 0, 8, nothing_seen(5), mate, box, 0, 1) == 8 * 3 + late


@pytest.mark.parametrize("settings", [{}, {"refresh": 2}, {"goal": "cluster", "relay": True}], ids=str)
def test_absent_late_and_lost(settings) -> None:
    """Agent 0 is absent until round 40, agent 1 in the round in which the burn-in ends; outcomes of agent 2 come ten
    rounds late, of agent 3 never: all choose, nobody's numbers are other than finite, and what is pooled came."""
    labels, n, k = (0, 0, 0, 0, 1, 1, 2, 2), 8, 3
    p = params(labels, k=k, burn_in=12, **settings)
    state, box, late, seen = init(p), outbox(p), late_outbox(p), nothing_seen(n)._replace(pulled=np.full(n, -1))
    dice, waiting, came = np.random.default_rng(5), [], np.zeros((n, k), int)
    absent = {0: range(1, 41), 1: [12, 13], 5: range(30, 60)}
    for t in range(1, 151):
        there = [i for i in range(n) if t not in absent.get(i, [])]
        for i in range(n):
            seen.arm[i] = seen.pulled[i] = -1
            seen.reward[i] = np.nan
        for i in there:
            arm = select(p, state, i, t, COINS)
            assert 0 <= arm < k
            seen.pulled[i], waiting = arm, [*waiting, (t + 10 if i == 2 else t, i, arm)]
            due = [one for one in waiting if one[0] <= t and one[1] == i and i != 3]
            if due:
                waiting.remove(due[0])
                seen.arm[i], seen.reward[i, 0] = due[0][2], dice.uniform()
                came[i, due[0][2]] += 1
            publish(p, state, i, t, seen, box)
        rows = {i: np.array([j for j in there if j != i and (i + j + t) % 3], np.int64) for i in there}
        for i in there:
            update(p, state, i, t, seen, box, rows[i], COINS)
        for i in there:
            publish_late(p, state, i, t, late)
        for i in there:
            update_late(p, state, i, t, late, rows[i])
        assert all(np.isfinite(column).all() for column in state if column.dtype.kind == "f")
    np.testing.assert_array_equal(state.pulls, came)
    assert (state.team_pulls[4:6] <= came[4:6].sum(axis=0)).all()
    assert state.made.sum(axis=1).tolist() == [110, 148, 150, 150, 150, 120, 150, 150]
    assert state.learning.all()


def test_labels_of_the_network_are_taken() -> None:
    labels = [0, 1, 1, 0]
    network, rewards = fm.StochasticBlockModel(labels, 1.0, 0.5), fm.Bernoulli(np.full((4, 2), 0.5))
    told = fm.simulate(fm.UCBSBM(), rewards, network, horizon=300)
    given = fm.simulate(fm.UCBSBM(clusters=np.array(labels)), rewards, network, horizon=300)
    assert (told.pulls == given.pulls).all()
    assert given.configuration["algorithm"]["clusters"] == labels


SEEKING = {"clusters": "detect", "n_clusters": 3, "burn_in": 40, "c1": 0.2}


def test_detection_plays_the_game_of_the_clusters_it_finds() -> None:
    """Well apart, so found exactly. In the burn-in and while rows are passed on arms are pulled in turn; after that as
    agents do that know their clusters and everybody's burn-in: same for both engines and any number of workers."""
    pytest.importorskip("sklearn", reason="the extra 'clusters' is not installed")
    labels = np.arange(9) % 3
    rewards = fm.Clustered([[0.1, 0.9], [0.9, 0.1], [0.5, 0.5]], labels)
    network = fm.StochasticBlockModel(labels, 0.9, 0.2)
    settings = {"horizon": 400, "replicates": 3, "seed": 4, "checkpoints": [40, 48, 400]}
    find = fm.UCBSBM(**SEEKING)
    runs = [
        fm.simulate(find, rewards, network, **settings, **more) for more in ({}, {"engine": "interpreted"}, {"jobs": 2})
    ]
    for found in runs[1:]:
        assert (found.team_pulls == runs[0].team_pulls).all()
        assert (found.pulls == runs[0].pulls).all()
        assert (found.bytes == runs[0].bytes).all()
    assert (runs[0].team_pulls[:, :2] == [[[180, 180], [216, 216]]]).all()
    assert runs[0].configuration["algorithm"]["clusters"] == "detect"
    job = make_job(find, rewards, network, horizon=400, seed=4)
    assert prepared_job(job, 1).algorithm.clusters == tuple(labels)


def survey_of(rows, pay, burn_in=6, passing=5, n=6, k=2):
    """A survey made by hand: its record, and how many rows each agent had after each round."""
    made = survey.blank(problem(n, k), burn_in, passing)
    known = [state.has.sum(axis=1).tolist() for _, state, _ in drive(made, rows, pay, burn_in + passing)]
    return made, known


def test_rows_are_passed_on_hop_by_hop_and_counted() -> None:
    """Six agents on a path: nothing is said in the burn-in; a row goes one hop a round, and once over each link. A list
    of 6 bits is a byte, a row of 4 numbers and 6 meetings 80 bytes."""
    made, known = survey_of(lambda t: rows_of([(i, i + 1) for i in range(5)], 6), lambda t, i, arm: i + arm)
    assert known[5] == [1] * 6
    assert known[-5:] == [[2, 3, 3, 3, 3, 2], [3, 4, 5, 5, 4, 3], [4, 5, 6, 6, 5, 4], [5, 6, 6, 6, 6, 5], [6] * 6]
    assert made.sent[:, :6].sum() == 0
    assert made.sent.sum() == 5 * 10 * 1 + 10 * 80 * 3  # of a link's six rows three go each way
    assert made.sent[0].tolist() == [0] * 6 + [81, 1, 1, 1, 1]
    assert made.pulls.tolist() == [[3, 3]] * 6
    assert made.total.tolist() == [[3.0 * i, 3.0 * (i + 1)] for i in range(6)]


def test_detection_fails_where_rows_do_not_reach_everybody() -> None:
    """Nobody meets, or not in time: one line that says who lacks what. (With enough rounds it is found.)"""
    pytest.importorskip("sklearn", reason="the extra 'clusters' is not installed")
    world = fm.Clustered([[0.1, 0.9], [0.9, 0.1], [0.5, 0.5]], np.arange(9) % 3), fm.Recorded([[]], n_agents=9)
    short = {"horizon": 100, "engine": "interpreted"}
    with pytest.raises(
        ValueError, match="agent 0 has the burn-in of 1 of 9 agents after 8 rounds of passing"
    ) as caught:
        fm.simulate(fm.UCBSBM(**SEEKING), *world, **short)
    assert "\n" not in str(caught.value)
    pair = fm.Clustered([[0.1, 0.9], [0.9, 0.1]], [0, 1, 0, 1]), fm.Recorded([[(0, 1)], [(2, 3)], [(1, 2)], []])
    find = {"clusters": "detect", "n_clusters": 2, "burn_in": 40, "c1": 0.2}
    with pytest.raises(ValueError, match="agent 0 has the burn-in of 2 of 4 agents after 3 rounds"):
        fm.simulate(fm.UCBSBM(**find), *pair, **short)
    assert fm.simulate(fm.UCBSBM(**find, passing=7), *pair, **short).pulls.sum() == 400


def test_detection_among_absent_agents_blames_absence_too() -> None:
    """All links are up, and agent 3 is never there: links alone are not to blame."""
    world = fm.Clustered([[0.1, 0.9], [0.9, 0.1]], [0, 1, 0, 1]), fm.Recorded([[(0, 1), (1, 2), (2, 3), (3, 0)]])
    with pytest.raises(ValueError, match="agents are absent or links too rare for these rounds; raise passing"):
        fm.simulate(
            fm.UCBSBM(clusters="detect", n_clusters=2, burn_in=10), *world, presence=fm.Presence(absences=[(3, 1)]),
            horizon=60, engine="interpreted", progress=False,
        )  # fmt: skip


def test_after_the_survey_all_know_the_rows_and_go_by_them() -> None:
    """The end of the game's own burn-in: all have the same first estimate, the mean over agents of the rows' means, and
    each the outcomes of its mates in the burn-in beside all of its own. The survey's bytes are the game's."""
    labels, value = (0, 1, 0, 1, 2, 2), np.arange(12).reshape(6, 2) / 12
    made, _ = survey_of(
        lambda t: rows_of([(i, j) for i in range(6) for j in range(i)], 6), lambda t, i, arm: value[i, arm]
    )
    algorithm = fm.UCBSBM(clusters=labels, burn_in=11)
    algorithm._survey = made
    p = algorithm.params(problem(6, 2))
    *_, (_, state, seen) = drive(p, lambda t: rows_of([(0, 1)], 6), lambda t, i, arm: value[i, arm], 11)
    np.testing.assert_allclose(state.gossip, np.tile(value.mean(axis=0), (6, 1)))
    assert state.cluster_pulls.tolist() == [[9, 8]] * 6  # 6 + 5 own rounds and 6 of the mate's
    assert messages(p, state, 0, 6, seen, 5) == 0 < messages(p, state, 0, 7, seen, 5)
    assert [traffic(p, state, 2, t, seen, np.array([0]), outbox(p), 0, 1) for t in range(1, 12)] == made.sent[
        2
    ].tolist()


def test_undetected_agents_stay_in_the_burn_in() -> None:
    p = fm.UCBSBM(clusters="detect", n_clusters=2, burn_in=10).params(problem(n=4, k=3, horizon=100))
    assert p.burn_in == 100


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "clusters = None: the network declares none"),
        ({"clusters": (0, 1)}, "got 2 labels; expected one for each of 6 agents"),
        ({"clusters": (0, 0, 0, 2, 2, 2)}, "cluster 1 is empty"),
        ({"clusters": (0, 0, 0, 1, 1, 2**60)}, "cluster 2 is empty"),
        ({"clusters": (0, 0, 0, 1, 1, -1)}, "labels from -1 to 1; expected 0 to 1"),
        ({"clusters": (0, 0, 0, 1, 1, 1), "n_clusters": 3}, "cluster 2 is empty"),
        ({"clusters": (0, 0, 0, 1, 1, 2), "n_clusters": 2}, "labels from 0 to 2; expected 0 to 1"),
        ({"clusters": "detect", "n_clusters": 7}, "n_clusters = 7: expected at most 6 agents"),
        (
            {"clusters": (0,) * 6, "burn_in": 2},
            "burn_in = 2: expected from the number of arms, 3, to the horizon, 1000",
        ),
        ({"clusters": (0,) * 6, "burn_in": 1001}, "burn_in = 1001: expected"),
        ({"clusters": "detect", "n_clusters": 2, "burn_in": 996}, "to the horizon, 1000 less 5 to pass everything on"),
        ({"clusters": "detect", "n_clusters": 2, "burn_in": 992, "passing": 9}, "1000 less 9 to pass everything on"),
    ],
)
def test_what_does_not_fit_the_problem(settings, message) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        fm.UCBSBM(**settings).params(problem())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"rule": 3}, {"rule": 1, "clusters": (0, 1)}, {"clusters": "detect"}, {"clusters": "find"}, {"refresh": 0},
        {"gate": "open"}, {"weights": "largest"}, {"clusters": (0.5, 1)}, {"n_clusters": 0}, {"c1": 0.0},
        {"c1": "published"}, {"c1": float("inf")}, {"goal": "own"}, {"rule": 1, "goal": "cluster"},
        {"rule": 1, "refresh": 2},
        {"goal": "cluster", "gate": "cluster"}, {"goal": "cluster", "c1": "published_agents"}, {"passing": 5},
        {"rule": 1, "c1": "published_clusters"}, {"refresh": 2, "relay": False}, {"passing": 0},
    ],
)  # fmt: skip
def test_settings_that_are_refused(settings) -> None:
    with pytest.raises(ValueError, match=r"^UCBSBM: .+") as caught:
        fm.UCBSBM(**settings)
    assert "\n" not in str(caught.value)


def test_too_many_agents_are_refused_before_memory_is_asked_for() -> None:
    with pytest.raises(ValueError, match=r"100000.*GiB"):
        fm.UCBSBM(clusters=(0,) * 100_000).params(Problem(100_000, 10, 1000, None, 0.9, 0.5))
