"""FloodSE, sentence by sentence of docs/decisions/0031-flood-se.md."""

from math import comb, log, sqrt

import networkx as nx
import numpy as np
import pytest
from by_hand import COINS, drive, drive_table, rows_of
from scipy.stats import binom

import folkmoot as fm
from folkmoot.algorithms import flood_robust, flood_se, flood_tree
from folkmoot.algorithms.base import Problem
from folkmoot.algorithms.flood_threshold import Claim, sample_counts, thresholds
from folkmoot.interface import (
    decision,
    init,
    message_bytes,
    messages,
    nothing_seen,
    outbox,
    publish,
    said,
    say,
    select,
    traffic,
    update,
)
from folkmoot.theory import flood_rounds, flood_se_bound
from folkmoot.world.graphs import as_base_graph

DIFFERENT = np.array([[0.9, 0.1, 0.7], [0.1, 0.9, 0.8], [0.2, 0.3, 0.9], [0.3, 0.2, 0.8]])


def params(n=4, k=3, horizon=1000, graph=None, bounded=True, sigma=0.5, **settings):
    base = as_base_graph(graph if graph is not None else nx.complete_graph(n))
    return fm.FloodSE(**settings).params(Problem(len(base.degree), k, horizon, base, 0.5, sigma, bounded=bounded))


def random_graphs(n, p, rounds, seed):
    return [nx.gnp_random_graph(n, p, seed=seed + t) for t in range(rounds)]


# --- 1 and 2: the grid and the threshold ----------------------------------------------------------------------------


def test_the_grid_grows_by_beta_or_by_one() -> None:
    assert sample_counts(1.1, 25).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 21, 24]
    assert sample_counts(2.0, 31).tolist() == [1, 2, 4, 8, 16]


def test_equation_3_the_threshold() -> None:
    """With all rows sqrt(ln((K - 1) E / delta) / (N n)) for rewards in [0, 1]; sigma scales it."""
    counts = sample_counts(1.1, 1000)
    p = params(n=4, k=3, horizon=1000)
    expected = [sqrt(log(2 * len(counts) * 1000) / (4 * n)) for n in counts]
    np.testing.assert_allclose(p.thresholds[0], expected)
    wide = params(n=4, k=3, horizon=1000, bounded=False, sigma=2.0)
    np.testing.assert_allclose(wide.thresholds, 4.0 * p.thresholds)


def test_equation_4_what_missing_rows_and_liars_cost() -> None:
    """r / N and f / N for what their means may be; every subset of them is one more thing that may go wrong."""
    out = thresholds(Claim(10, 5, 0.5, 0.1, missing=2, faulty=1), [1, 7])
    for r in (0, 1, 2):
        width = log(4 * 2 * 3 * comb(10, r) * comb(10 - r, 1) / 0.1)
        assert out[r, 1] == pytest.approx(sqrt(width * (9 - r) / 7) / 10 + (r + 1) / 10)


def test_the_threshold_without_a_horizon_shares_delta_among_all_points_to_come() -> None:
    out = thresholds(Claim(4, 2, 0.5, 0.1, anytime=True), [1, 2, 3])
    shares = [0.1 * np.exp(-(out[0, e] ** 2) * 4 * n) / 0.1 for e, n in enumerate([1, 2, 3])]
    np.testing.assert_allclose(np.array(shares) * 10, [1 / 2, 1 / 6, 1 / 12])


# --- 3: tables are exact --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("aggregate", ["table", "tree"])
def test_rows_are_means_of_the_first_outcomes_whatever_way_they_came(aggregate: str) -> None:
    """On links that come and go: what is compared is the average over all agents of their first n_g outcomes."""
    n, rounds = 6, 150
    p = params(n=n, k=3, horizon=rounds, aggregate=aggregate)
    rewards = np.random.default_rng(1).uniform(size=(rounds, n, 3))
    came = [[[] for _ in range(3)] for _ in range(n)]
    points = set()
    for t, state, seen in drive_table(p, random_graphs(n, 0.2, rounds, 5), rewards):
        for i in range(n):
            came[i][seen.arm[i]].append(rewards[t - 1, i, seen.arm[i]])
        for i in range(n):
            g = int(state.point[i])
            first = np.array([[np.mean(arm[: p.counts[g]] or [0.0]) for arm in agent] for agent in came])
            if aggregate == "table":
                for r in np.flatnonzero(state.have[i]):
                    here = state.valid[i, r]
                    assert here[state.active[i]].all()
                    np.testing.assert_allclose(state.row[i, r, here], first[r, here], rtol=1e-12)
            elif i == 0 and state.included[i] == n:
                here = state.active[i]
                np.testing.assert_allclose(state.sum[i, here], first[:, here].sum(axis=0), rtol=1e-12)
            points.add(g)
    assert len(points) > 3


def test_an_arm_goes_if_the_average_favours_another_by_more_than_the_threshold() -> None:
    p = params(n=2, k=3)._replace(thresholds=np.full((1, 50), 0.25))
    state = init(p)
    state.row[0] = [[1.0, 0.5, 0.0], [0.5, 0.5, 1.0]]
    state.usable[0] = True
    flood_se.drop(p, state, 0, 0.25)
    assert state.estimate[0].tolist() == [0.75, 0.5, 0.5]
    assert state.active[0].tolist() == [True, True, True]  # 0.25 is not more than 0.25
    flood_se.drop(p, state, 0, 0.2)
    assert state.active[0].tolist() == [True, False, False]


def test_a_later_point_is_adopted_and_the_table_begins_anew() -> None:
    p = params(n=2, k=2)
    state, inbox = init(p), outbox(p)
    seen = nothing_seen(2)
    state.have[0, 1], state.held[0] = True, 1
    inbox.point[1], inbox.begun[1] = 7, 3
    update(p, state, 0, 9, seen, inbox, np.array([1]), COINS)
    assert (state.point[0], state.begun[0], state.held[0]) == (7, 3, 0)


def test_sets_pass_from_neighbour_to_neighbour_and_never_become_empty() -> None:
    p = params(n=3, k=2)
    state, box = init(p), outbox(p)
    box.active[0] = [True, False]
    update(p, state, 1, 1, nothing_seen(3), box, np.array([0]), COINS)
    assert state.active[1].tolist() == [True, False]
    box.active[2] = [False, True]
    state.active[1] = True
    update(p, state, 1, 2, nothing_seen(3), box, np.array([0, 2]), COINS)
    assert state.active[1].tolist() == [True, True]


@pytest.mark.parametrize("aggregate", ["table", "tree"])
def test_everybody_settles_on_the_arm_that_is_best_for_all(aggregate: str) -> None:
    world = fm.Bernoulli(DIFFERENT), fm.ErdosRenyi(nx.cycle_graph(4), 0.5)
    result = fm.simulate(fm.FloodSE(aggregate=aggregate), *world, horizon=5_000, replicates=20)
    assert (result.decisions == 2).all()
    assert result.decided_at.max() < 1_000


def test_it_goes_on_beyond_one_round_of_the_grid_in_a_slow_network() -> None:
    """The next point is the highest that the judge has reached, not the next of the grid."""
    p = params(n=2, k=2, horizon=500)
    state = init(p)
    state.passed[0] = [9, 12]
    assert flood_se.next_point(p, state, 0) == 8
    state.point[0] = 8
    assert flood_se.next_point(p, state, 0) == 9


# --- 3: soundness, and no slack of two ------------------------------------------------------------------------------


class Scaled(fm.FloodSE):
    """The same with all thresholds times a factor."""

    factor: float = 1.0

    def params(self, problem):
        p = super().params(problem)
        return p._replace(thresholds=p.thresholds * self.factor)


def wrong_drops(factor: float, runs: int, delta: float) -> int:
    """Runs in which anybody drops the best arm, where it is better by so little that this is nearly a toss."""
    algorithm = Scaled(delta=delta, factor=factor)
    world = fm.Bernoulli([0.5, 0.4999], n_agents=4), fm.ErdosRenyi(nx.complete_graph(4), 1.0)
    result = fm.simulate(algorithm, *world, horizon=2_000, replicates=runs, seed=3)
    return int((result.decisions == 1).any(axis=1).sum())


def test_theorem_1_at_most_delta_and_half_the_threshold_breaks_it() -> None:
    """delta = .1, 600 runs: above 84 (the 99.9 % quantile of a binomial) the promise is broken; half breaks it."""
    most = int(binom.ppf(0.999, 600, 0.1))
    assert most == 84
    assert wrong_drops(1.0, 600, 0.1) <= most
    assert wrong_drops(0.5, 600, 0.1) > most


@pytest.mark.parametrize("p", [0.1, 0.9])
def test_theorem_2_bounds_the_regret(p: float) -> None:
    """On a ring; delta = 1/T, so that 20 runs above the bound would be one in 30,000 at the most."""
    graph, horizon = nx.cycle_graph(4), 100_000
    flood = flood_rounds(4, 2, p, horizon, 1 / horizon)
    rewards = fm.Bernoulli(DIFFERENT)
    bound = flood_se_bound(rewards.gaps, 4, horizon, flood)
    result = fm.simulate(fm.FloodSE(), rewards, fm.ErdosRenyi(graph, p), horizon=horizon, replicates=20)
    assert result.regret[:, -1].max() < bound < 4 * horizon * rewards.gaps.max()


def test_the_lemma_a_flood_reaches_everybody_in_time() -> None:
    """A path of 6, p = .3, delta = .01: of 300 floods at most 3 + 5 standard deviations come too late."""
    n, p = 6, 0.3
    rounds, late = flood_rounds(n, n - 1, p, 1, 0.01), 0
    dice = np.random.default_rng(8)
    for _ in range(300):
        reached = 0
        for up in dice.random((rounds, n - 1)) < p:
            reached += reached < n - 1 and up[reached]
        late += reached < n - 1
    assert late <= 3 + 5 * sqrt(3)


# --- 4: missing agents ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("aggregate", ["table", "tree"])
def test_an_agent_that_is_never_heard_stops_everybody_unless_it_may_be_missing(aggregate: str) -> None:
    n, rounds = 8, 600
    rewards = np.zeros((rounds, n, 2))
    rewards[:, :, 1] = 1.0
    alone = nx.complete_graph(n)
    alone.remove_edges_from([(3, j) for j in range(n) if j != 3])
    others = [i for i in range(n) if i != 3]
    for missing, settles in ((0, False), (1, True)):
        p = params(n=n, k=2, horizon=rounds, missing=missing, aggregate=aggregate)
        for _, last, _ in drive_table(p, [alone] * (rounds if settles else 100), rewards):
            state = last
        assert [decision(p, state, i) for i in others] == ([1] * 7 if settles else [-1] * 7)
        assert decision(p, state, 3) == -1


@pytest.mark.parametrize("aggregate", ["table", "tree"])
def test_a_tenth_of_the_agents_gone_for_good_and_the_others_settle(aggregate: str) -> None:
    means = np.linspace([0.0, 0.7], [0.3, 1.0], 10)
    world = fm.Bernoulli(means), fm.ErdosRenyi(nx.complete_graph(10), 0.9)
    gone = fm.Presence(absences=[(3, 4)])
    result = fm.simulate(
        fm.FloodSE(missing=1, aggregate=aggregate), *world, presence=gone, horizon=200, engine="interpreted"
    )
    assert np.delete(result.decisions[0], 3).tolist() == [1] * 9
    assert result.decisions[0, 3] == -1


@pytest.mark.parametrize("aggregate", ["table", "tree"])
def test_late_and_lost_outcomes_and_one_sided_links_change_nothing_but_the_time(aggregate: str) -> None:
    means = np.linspace([0.0, 0.7], [0.3, 1.0], 5)
    network = fm.OneSided(fm.ErdosRenyi(nx.cycle_graph(5), 0.9), loss=0.3)
    late = fm.Feedback(delay=7, loss=0.2)
    result = fm.simulate(
        fm.FloodSE(aggregate=aggregate), fm.Bernoulli(means), network, feedback=late, horizon=250, engine="interpreted"
    )
    assert (result.decisions == 1).all()


def test_a_tree_grows_anew_around_an_agent_that_has_gone() -> None:
    """On a ring agent 1 goes in round 6, and with it the way of those behind it; one may be missing."""
    n, rounds = 8, 500
    whole, without = nx.cycle_graph(n), nx.cycle_graph(n)
    without.remove_edges_from([(0, 1), (1, 2)])
    rewards = np.zeros((rounds, n, 2))
    rewards[:, :, 1] = 1.0
    p = params(n=n, k=2, horizon=rounds, missing=1, aggregate="tree", graph=whole)
    for _, last, _ in drive_table(p, [whole] * 5 + [without] * (rounds - 5), rewards):
        state = last
    assert [decision(p, state, i) for i in range(n) if i != 1] == [1] * 7
    assert state.wait[0] > flood_tree.FIRST_WAIT


def test_it_waits_as_long_again_before_it_goes_on_without_rows() -> None:
    p = params(n=3, k=2, horizon=100, missing=1)
    state = init(p)
    state.begun[0], state.ready[0] = 10, 14
    assert [flood_se.is_patient(state, 0, t) for t in (14, 18, 19)] == [True, True, False]


# --- 5: liars -------------------------------------------------------------------------------------------------------


def test_equation_5_the_trimmed_difference_is_what_sorting_gives() -> None:
    dice = np.random.default_rng(4)
    for faulty in (1, 2, 3):
        p = params(n=9, k=2, faulty=faulty)
        state = init(p)
        state.row[0] = dice.choice(dice.uniform(size=6), size=(9, 2))  # with ties
        state.usable[0] = dice.random(9) < 0.8
        rows = state.row[0][state.usable[0]]
        differences = np.sort(rows[:, 0] - rows[:, 1])
        found = flood_robust.trimmed_difference(p, state, 0, 0, 1)
        assert found == pytest.approx(differences[: len(differences) - faulty].sum())


@pytest.mark.parametrize(("lies", "least"), [(False, 0.2), (True, 0.4)])
@pytest.mark.parametrize("more", [-0.01, 0.01])
def test_the_price_of_liars_is_paid_in_gaps(lies: bool, least: float, more: float) -> None:
    """N = 10, f = 1, no doubt left: gaps up to 2 f / N are not told, up to 4 f / N where the liar says the reverse."""
    p = params(n=10, k=2, faulty=1)
    state = init(p)
    taste = np.full(10, (10 * (least + more) - 2) / 8)
    taste[[0, 9]] = 1.0  # the two that like arm 0 most; the last one lies, or does not
    state.row[0, :, 0], state.usable[0] = taste, True
    if lies:
        state.row[0, 9] = [0.0, 1.0]
    flood_robust.drop(p, state, 0, 0.1)
    assert state.active[0].tolist() == [True, more < 0]


def flip_and_play(faulty: int, rounds: int = 900):
    """Ten agents, of whom the last says of itself, from round 1 on, that arm 0 is best and all others are dropped."""
    n = 10
    p = params(n=n, k=2, horizon=rounds, faulty=faulty)
    state, box, seen = init(p), outbox(p), nothing_seen(n)
    row = rows_of(nx.complete_graph(n))
    for t in range(1, rounds + 1):
        for i in range(n):
            seen.arm[i] = select(p, state, i, t, COINS)
            seen.reward[i, 0] = float(seen.arm[i] == 1)
            publish(p, state, i, t, seen, box)
        box.row[9, 9], box.valid[9, 9], box.have[9, 9], box.active[9] = [1, 0], True, True, [True, False]
        box.asked[9, 9:], box.dropped[9, 9:] = len(p.counts), [False, True]
        box.point[9] = state.point[:9].max()
        for i in range(n - 1):
            update(p, state, i, t, seen, box, row[i], COINS)
    return [decision(p, state, i) for i in range(n - 1)]


def test_one_liar_is_enough_to_mislead_those_who_believe_everybody() -> None:
    assert flip_and_play(faulty=0, rounds=3) == [0] * 9


def test_one_liar_changes_nothing_where_one_is_reckoned_with() -> None:
    assert flip_and_play(faulty=1) == [1] * 9


def test_a_lie_is_said_once_and_does_not_stay_in_the_message() -> None:
    """The table is published row by row, but the own row always: a liar's law starts from what is true each time."""
    p, told = params(n=2, k=2), np.zeros(2)
    state, box, seen = init(p), outbox(p), nothing_seen(2)
    state.have[0, 0], state.row[0, 0], state.valid[0, 0], state.awake[0] = True, [0.2, 0.9], True, True
    for t in (1, 2):
        publish(p, state, 0, t, seen, box)
        said(box, p, 0, told)
        assert told.tolist() == [0.2, 0.9]
        say(box, p, 0, np.array([1.0, 0.0]))
        said(box, p, 0, told)
        assert told.tolist() == [1.0, 0.0]
        assert box.active[0].tolist() == [True, False]


def test_hearsay_counts_from_f_plus_one_on() -> None:
    p = params(n=6, k=3, faulty=2)
    state = init(p)
    state.dropped[0, 1:3, 2] = True
    flood_robust.hear(p, state, 0, outbox(p), np.zeros(0, np.int64))
    assert state.active[0].all()
    state.dropped[0, 3, 2] = True
    flood_robust.hear(p, state, 0, outbox(p), np.zeros(0, np.int64))
    assert state.active[0].tolist() == [True, True, False]
    state.asked[0] = [0, 9, 9, 4, 2, 0]
    assert flood_robust.wanted_point(p, state, 0) == 4


# --- Outcomes that come late, or never ------------------------------------------------------------------------------


@pytest.mark.parametrize("aggregate", ["table", "tree"])
def test_snapshots_are_taken_at_outcomes_and_arms_chosen_by_pulls(aggregate: str) -> None:
    p = params(n=1, k=2, horizon=50, graph=nx.empty_graph(1), aggregate=aggregate)
    state, box, seen = init(p), outbox(p), nothing_seen(1)
    seen = seen._replace(pulled=np.zeros(1, np.int64))
    nobody = np.zeros(0, np.int64)
    for t, (came, reward) in enumerate([(-1, 0.0), (-1, 0.0), (0, 1.0), (0, 0.0), (1, 1.0), (-1, 0.0)], 1):
        seen.pulled[0] = select(p, state, 0, t, COINS)
        assert seen.pulled[0] == (t - 1) % 2  # by pulls made, whatever has come
        seen.arm[0], seen.reward[0, 0] = came, reward
        update(p, state, 0, t, seen, box, nobody, COINS)
    assert state.made[0].tolist() == [3, 3]
    assert state.outcomes[0].tolist() == [2, 1]
    assert state.snapshot[0, :2].tolist() == [[1.0, 1.0], [0.5, 0.0]]
    assert state.passed[0].tolist() == [2, 1]


# --- What it says -----------------------------------------------------------------------------------------------------


def test_rows_are_counted_for_those_who_lack_them_only() -> None:
    """Head: point and round 8, one bit an arm 1, one bit an agent 1; a row: whose 4, bits 1, means of arms in play."""
    p = params(n=3, k=2)
    state, box, seen = init(p), outbox(p), nothing_seen(3)
    state.have[0, :2], state.held[0] = True, 2
    for i in range(3):
        publish(p, state, i, 1, seen, box)
    box.have[1, 0] = True
    size = traffic(p, state, 0, 1, seen, np.array([1, 2]), box, 0, 2)
    assert size == 2 * 10 + (1 + 2) * (4 + 1 + 16)
    box.point[1] = 5  # whoever is ahead needs nothing
    assert traffic(p, state, 0, 1, seen, np.array([1, 2]), box, 0, 2) == 2 * 10 + 2 * 21
    assert message_bytes(p, state, 0, 1, seen, 2, 0) == 2 * 10 + 4 * 21
    state.active[0] = [True, False]
    state.held[0] = 0
    assert message_bytes(p, state, 0, 1, seen, 2, 0) == 2 * 9


@pytest.mark.parametrize("aggregate", ["table", "tree"])
def test_it_is_silent_once_all_neighbours_were_met_settled(aggregate: str) -> None:
    p = params(n=3, k=1, graph=nx.path_graph(3), aggregate=aggregate)  # one arm: settled from the start
    row = [np.array([1]), np.array([0, 2]), np.array([1])]
    heard = [[np.array([1]), np.array([0]), np.array([], np.int64)], row]
    said = []
    for t, state, seen in drive(p, lambda t: heard[t - 1], lambda t, i, arm: 1.0, 2):
        said.append([messages(p, state, i, t + 1, seen, 2) for i in range(3)])
    assert said == [[0, 2, 2], [0, 0, 0]]


def test_the_tree_sends_one_number_an_arm() -> None:
    world = fm.Bernoulli(DIFFERENT[:, :2]), fm.ErdosRenyi(nx.cycle_graph(4), 1.0)
    tree = fm.simulate(fm.FloodSE(aggregate="tree"), *world, horizon=20)
    assert 13 * tree.messages[0] < tree.bytes[0] < (13 + 16) * tree.messages[0]


def test_gaussian_rewards_are_scaled() -> None:
    """Eight times the rewards, eight times the deviation: the same pulls."""
    network = fm.ErdosRenyi(nx.complete_graph(6), 0.6)
    means = np.linspace([0.1, 0.5], [0.3, 0.9], 6)
    small, large = (
        fm.simulate(fm.FloodSE(), fm.Gaussian(c * means, 0.25 * c), network, horizon=100, engine="interpreted")
        for c in (1.0, 8.0)
    )
    assert (small.pulls == large.pulls).all()
    assert (small.decisions == 1).all()


@pytest.mark.parametrize(
    ("settings", "more", "says"),
    [
        ({}, {"graph": nx.empty_graph(4)}, "expects a connected one"),
        ({"anytime": True}, {}, "give delta a number"),
        ({"faulty": 1, "aggregate": "tree"}, {}, "use a table"),
        ({"missing": 2, "faulty": 1}, {}, "expected missing \\+ 2 faulty below the number of agents, 4"),
        ({"missing": 1}, {"bounded": False}, "needs rewards in \\[0, 1\\]"),
        ({"beta": 1.0}, {}, "expected more than 1"),
        ({"delta": 0.0}, {}, "expected more than 0"),
        ({}, {"graph": nx.star_graph(40_000), "horizon": 10}, "GiB a replicate"),
        ({"aggregate": "tree"}, {"graph": nx.star_graph(40_000), "horizon": 10}, "GiB a replicate"),
    ],
)
def test_errors_name_the_value_and_what_is_allowed(settings, more, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        params(**more, **settings)
    assert "\n" not in str(error.value)


def test_a_graph_that_lists_no_neighbours_gives_everybody_a_place() -> None:
    problem = Problem.on(fm.StochasticBlockModel([0, 0, 1, 1], within=0.9, across=0.4), n_arms=2, horizon=50)
    p = fm.FloodSE(aggregate="tree").params(problem)
    assert [flood_tree.slot_of(p, 2, j, 0) for j in (0, 1, 3)] == [0, 1, 3]


@pytest.mark.parametrize(("agents", "warns"), [(5, True), (6, True), (7, False)])
def test_whoever_tells_it_of_more_than_it_can_bear_is_warned(agents, warns):
    """(4 f + 2 m) / N = 6 / N: rewards from 0 to 1 have no gap above 1."""
    problem = Problem.on(fm.Static(nx.complete_graph(agents)), n_arms=2, horizon=100)
    remarks = fm.FloodSE(missing=1, faulty=1).remarks(problem)
    assert bool(remarks) == warns
    assert all("more than 6 agents" in remark for remark in remarks)
