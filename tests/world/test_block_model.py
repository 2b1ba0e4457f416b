"""The stochastic block model against the law it claims: every pair a coin of its own.

Bounds, fixed before any draw, T rounds; FAILURE is the probability that a right generator fails a check:

- Whole graphs of a few agents: chi-square over all of them, those expected less than 10 times taken together.
- How often a pair is linked is binomial(T, p): quantiles FAILURE / (2 pairs) from either end.
- Correlations of T independent pairs of coins are close to normal with deviation 1 / sqrt(T); allowed are
  6.5 of them, which one in 1e10 exceeds. The least frequent coincidence is expected 290 times; a skewness of
  1 / sqrt(290) raises that to about 1.5e-9 (factor exp(6.5^3 / (6 sqrt(290)))): 80,000 correlations, 1e-4 in all.
- Numbers of links in a round: the largest distance from the exact law, a convolution of two binomials, is at
  most sqrt(ln(2 / FAILURE) / (2 T)) (Dvoretzky, Kiefer, Wolfowitz with Massart's constant; any law).
"""

import math
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jitted import jit
from scipy import stats

import folkmoot as fm
from folkmoot.coins import ROOM, replicate_coins
from folkmoot.interface import draw_links, links
from folkmoot.world import block_links, block_model
from folkmoot.world.block_graph import BlockGraph
from folkmoot.world.block_model import StochasticBlockModel, karate_block_model, most_links
from folkmoot.world.clusters import cluster_labels, karate_labels, labels_of_sizes
from folkmoot.world.graphs import from_edges, named_graph
from folkmoot.world.networks import ErdosRenyi

from .test_networks import adjacency, compiled, play

COINS = replicate_coins(20_250_813, 0, 1)
FAILURE = 1e-6
CORRELATION = 6.5

UNSORTED = [2, 0, 1, 0, 2, 2, 1, 2, 2, 0, 2, 2]  # sizes 3, 2, 7
REGIMES = {
    "skips": (0.2, 0.07),
    "coins": (0.6, 0.3),
    "coins inside, skips across": (0.5, 0.1),
    "skips inside, coins across": (0.1, 0.4),
}
every_regime = pytest.mark.parametrize(("within", "across"), REGIMES.values(), ids=REGIMES)


def law(labels, within, across):
    """float64 [n_pairs]: the link probability of each pair i < j, in the order of np.triu_indices."""
    i, j = np.triu_indices(len(labels), 1)
    return np.where(np.asarray(labels)[i] == np.asarray(labels)[j], within, across)


def sample(network, rounds, first=1, coins=COINS):
    """uint8 [rounds, n_pairs], with a check that rows are symmetric and increasing."""
    table = compiled(network.record(), first, rounds, coins)
    assert table.max(initial=0) <= 1  # rows are increasing
    assert (table == table.transpose(0, 2, 1)).all()
    assert not np.diagonal(table, axis1=1, axis2=2).any()
    return table[:, *np.triu_indices(network.n_agents, 1)]


# --- The law ----------------------------------------------------------------------------------------------


@every_regime
@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 1, 2, 1]], ids=str)
def test_whole_graphs_are_as_frequent_as_with_a_coin_for_every_pair(labels, within, across):
    rounds = 300_000
    p = law(labels, within, across)
    drawn = sample(StochasticBlockModel(labels, within, across), rounds)
    counts = np.bincount(drawn @ (1 << np.arange(len(p))), minlength=1 << len(p))
    bits = (np.arange(1 << len(p))[:, None] >> np.arange(len(p))) & 1
    expected = rounds * np.where(bits == 1, p, 1 - p).prod(axis=1)
    rare = expected < 10
    if rare.any():
        counts = np.append(counts[~rare], counts[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    assert stats.chisquare(counts, expected).pvalue > FAILURE


@pytest.fixture(scope="module", params=REGIMES.values(), ids=REGIMES)
def drawn(request):
    """Within, across, and uint8 [rounds, 66]: the links of 12 agents in three unbalanced clusters."""
    return *request.param, sample(StochasticBlockModel(UNSORTED, *request.param), 60_000)


def test_how_often_each_pair_is_linked(drawn):
    within, across, table = drawn
    p, tail = law(UNSORTED, within, across), FAILURE / (2 * table.shape[1])
    counts = table.sum(axis=0)
    assert (counts >= stats.binom.ppf(tail, len(table), p)).all()
    assert (counts <= stats.binom.isf(tail, len(table), p)).all()


def test_pairs_of_a_round_are_independent(drawn):
    table = drawn[2]
    correlation = np.corrcoef(table.T)
    np.fill_diagonal(correlation, 0.0)
    assert np.abs(correlation).max() < CORRELATION / len(table) ** 0.5


@pytest.mark.parametrize("lag", [1, 2, 8])
def test_rounds_are_independent(drawn, lag):
    within, across, table = drawn
    p = law(UNSORTED, within, across)
    unit = (table - p) / np.sqrt(p * (1 - p))
    correlation = unit[:-lag].T @ unit[lag:] / (len(table) - lag)
    assert np.abs(correlation).max() < (CORRELATION + 0.5) / len(table) ** 0.5  # 0.5 for the empirical variance


def test_replicates_are_independent(drawn):
    within, across, table = drawn
    other = sample(StochasticBlockModel(UNSORTED, within, across), len(table), coins=replicate_coins(20_250_813, 0, 2))
    p = law(UNSORTED, within, across)
    unit, fresh = (table - p) / np.sqrt(p * (1 - p)), (other - p) / np.sqrt(p * (1 - p))
    assert np.abs(unit.T @ fresh / len(table)).max() < (CORRELATION + 0.5) / len(table) ** 0.5


@pytest.mark.parametrize(
    ("sizes", "within", "across"),
    [
        ([5, 5, 5, 5], 0.2, 0.05),
        ([17, 1, 2], 0.9, 0.24),
        ([60], 0.01, 0.9),
        ([1] * 20, 0.9, 0.1),
        ([30, 30], 0.3, 0.01),
    ],
    ids=str,
)
def test_how_many_links_a_round_has(sizes, within, across):
    labels = np.random.default_rng(1).permutation(labels_of_sizes(sizes))
    network = StochasticBlockModel(labels, within, across)
    rounds = 20_000
    inside, outside = network.base.pairs_within, network.base.pairs_across
    exact = np.convolve(
        stats.binom.pmf(np.arange(inside + 1), inside, within), stats.binom.pmf(np.arange(outside + 1), outside, across)
    )
    counts = np.bincount(sample(network, rounds).sum(axis=1, dtype=int), minlength=len(exact))
    distance = np.abs(np.cumsum(counts) / rounds - np.cumsum(exact)).max()
    assert distance < np.sqrt(np.log(2 / FAILURE) / (2 * rounds))


@pytest.mark.parametrize(("within", "across"), [(1e-4, 1e-4), (0.0, 1e-5), (1e-3, 0.0)])
def test_small_probabilities(within, across):
    labels = np.arange(100) % 7
    p, rounds = law(labels, within, across), 4_000
    table = sample(StochasticBlockModel(labels, within, across), rounds)
    assert not table[:, p == 0.0].any()
    for probability in {within, across} - {0.0}:
        binomial = stats.binom(rounds * int((p == probability).sum()), probability)
        assert binomial.ppf(FAILURE / 2) <= table[:, p == probability].sum() <= binomial.isf(FAILURE / 2)


@pytest.mark.parametrize("probability", [1e-30, 1e-300, 5e-324])
def test_probabilities_of_next_to_nothing(probability):
    """A skip is then beyond every range, also where it is beyond every integer."""
    assert not sample(StochasticBlockModel([0, 1] * 50, probability, probability), 2_000).any()


@pytest.mark.parametrize("labels", [[0], [0] * 6, [3, 1, 0, 2], UNSORTED, [0, 0, 1, 1, 1, 2]], ids=str)
@pytest.mark.parametrize(("within", "across"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_certain_and_impossible_links(labels, within, across):
    assert (sample(StochasticBlockModel(labels, within, across), 40) == law(labels, within, across)).all()


@pytest.mark.parametrize("certain", [0.0, 1.0])
@pytest.mark.parametrize("other", [0.1, 0.7])
def test_certain_or_impossible_beside_chance(certain, other):
    """The chance of no link, or of all, among the 2,000 times 24 pairs or more left to it is below 1e-2000."""
    for within, across in ((certain, other), (other, certain)):
        p, table = law(UNSORTED, within, across), sample(StochasticBlockModel(UNSORTED, within, across), 2_000)
        assert (table[:, p == certain] == certain).all()
        assert 0 < table[:, p == other].mean() < 1


# --- The coins --------------------------------------------------------------------------------------------


def test_coin_by_coin_it_is_erdos_renyi_on_the_complete_graph():
    """Equal probabilities from 1/4 on and labels in order: the very same links."""
    ours = StochasticBlockModel([0] * 5 + [1] * 9 + [2] * 3, 0.37, 0.37)
    theirs = ErdosRenyi(nx.complete_graph(17), 0.37)
    assert (compiled(ours.record(), 3, 200, COINS) == compiled(theirs.record(), 3, 200, COINS)).all()


@every_regime
def test_the_order_of_the_agents_is_a_matter_of_names(within, across):
    labels = np.random.default_rng(2).permutation(np.repeat([0, 1, 2], [4, 9, 6]))
    order = np.argsort(labels, kind="stable")
    named = compiled(StochasticBlockModel(labels, within, across).record(), 1, 200, COINS)
    sorted_ = compiled(StochasticBlockModel(labels[order], within, across).record(), 1, 200, COINS)
    assert (named[:, order][:, :, order] == sorted_).all()
    assert (named != sorted_).any()


@every_regime
def test_no_two_coins_share_a_name(monkeypatch, within, across):
    """Interpreted: the names (round, agent, number) asked for in a round, of blocks and of skips together."""
    asked = []
    genuine = block_links.blocks_from

    def noted(coins, stream, a, b, c, room, count):
        asked.extend((stream, a, b, c + q) for q in range(count))
        genuine(coins, stream, a, b, c, room, count)

    monkeypatch.setattr(block_links, "blocks_from", noted)
    network = StochasticBlockModel([0] * 42 + [1] * 38, within, across)
    play(network.record(), 5, 1, COINS)
    across_a_border = {a for a in asked if a[3] >= 2**31}
    on_the_border = 42 if within >= 0.25 and across >= 0.25 else 0  # one block with coins of both kinds
    assert len(asked) - on_the_border <= len(set(asked)) <= len(asked)
    assert all(a[:2] == (1, 5) and 0 <= a[2] < 80 and a[3] < 2**32 for a in asked)
    assert bool(across_a_border) == (across < 0.25)


def count_coins(monkeypatch, network):
    """Coins tossed, and links up, in one interpreted round."""
    asked = []
    genuine = block_links.blocks_from
    monkeypatch.setattr(block_links, "blocks_from", lambda *a: asked.append(a[-1]) or genuine(*a))
    record = network.record()
    drawn = links(record)
    draw_links(record, 1, COINS, drawn)
    return sum(asked), int(drawn.count.sum()) // 2


@pytest.mark.parametrize(("last", "linked"), [(2, []), (3, [2]), (4, [2]), (5, [2, 4])])
def test_a_skip_that_just_reaches_the_end_of_a_range_ends_it(monkeypatch, last, linked):
    """u = 1/2 and p = 1/2 make every skip exactly 1: places 2, 4, ... of those from 1 on."""
    monkeypatch.setattr(block_links, "uniform_in", lambda *_: 0.5)
    record = StochasticBlockModel([0] * 6, 0.1, 0.1).record()
    half = block_links.Chance(2.0**31, np.log(0.5))
    drawn = links(record)
    end = block_links.draw_range(record, half, 0, 1, COINS, 0, 1, last, drawn, 0, 12)
    assert drawn.neighbours[:end].tolist() == linked


@pytest.mark.parametrize("p", [1 / 256, 0.01, 0.05, 0.1, 0.2, 0.249])
def test_a_skip_from_the_table_is_that_of_the_logarithm(p):
    """At both ends of each entry that tells one, by the very operations of the kernel; and most tell one."""
    chance = block_links.chance_of(p, with_skips=True)
    width = 2.0**53 / len(chance.skips)
    told = np.flatnonzero(chance.skips >= 0)
    assert len(told) > len(chance.skips) / 8
    for entry in told:
        for coin in (entry * width, entry * width + 1, (entry + 1) * width - 1):
            assert int(math.log(1.0 - coin * 2.0**-53) / chance.log_miss) == chance.skips[entry]


@pytest.mark.parametrize("n_clusters", [1, 2, 100, 10_000])
def test_a_sparse_round_costs_as_much_as_it_has_links_and_agents(monkeypatch, n_clusters):
    """A range with r links takes r + 1 skips at most, and an agent has two ranges: far below 5e7 pairs."""
    n = 10_000
    coins, up = count_coins(monkeypatch, StochasticBlockModel(np.arange(n) % n_clusters, 4 / n, 4 / n))
    assert up <= coins <= up + 2 * n
    assert up == pytest.approx(2 * n, abs=6 * (2 * n) ** 0.5)


def test_impossible_links_cost_nothing(monkeypatch):
    assert count_coins(monkeypatch, StochasticBlockModel(np.arange(1_000) % 2, 0.0, 0.0)) == (0, 0)


def test_coin_by_coin_four_pairs_share_a_block(monkeypatch):
    coins, _ = count_coins(monkeypatch, StochasticBlockModel(np.arange(400) % 2, 0.5, 0.5))
    assert coins <= 400 * 399 / 2 / 4 + 4 * 400  # two ends of two ranges an agent are not whole blocks


# --- The kernels ------------------------------------------------------------------------------------------

NETWORKS = {
    "one agent": StochasticBlockModel([0], 0.5, 0.5),
    "one cluster": StochasticBlockModel([0] * 9, 0.1, 0.9),
    "every agent a cluster": StochasticBlockModel([4, 3, 0, 1, 2, 5], 0.9, 0.2),
    "nothing": StochasticBlockModel([0, 1, 0], 0.0, 0.0),
    "certain": StochasticBlockModel(UNSORTED, 1.0, 0.2),
    "in order": StochasticBlockModel([0, 0, 0, 1, 1, 2], 0.2, 0.1),
    "karate": karate_block_model(),
    **{name: StochasticBlockModel(UNSORTED, *p) for name, p in REGIMES.items()},
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_interpreted_is_compiled(network):
    assert (play(network.record(), 3, 25, COINS) == compiled(network.record(), 3, 25, COINS)).all()


def test_a_round_does_not_depend_on_those_before():
    network = NETWORKS["skips"]
    assert (sample(network, 20)[10:] == sample(network, 10, first=11)).all()


def test_the_record_is_only_read():
    record = NETWORKS["karate"].record()
    before = [field.copy() for field in (record.order, record.border)]
    compiled(record, 1, 20, COINS)
    assert all((a == b).all() for a, b in zip(before, (record.order, record.border), strict=True))


def test_agents_in_parallel_give_the_same(monkeypatch):
    world = fm.Bernoulli([0.2, 0.8, 0.5], n_agents=12), NETWORKS["skips"]
    runs = [fm.simulate(fm.CooperativeUCB(), *world, horizon=100, seed=4, engine="interpreted", progress=False)]
    runs.append(fm.simulate(fm.CooperativeUCB(), *world, horizon=100, seed=4, progress=False))
    monkeypatch.setattr("folkmoot.simulation.replicates._MANY_AGENTS", 1)
    runs.append(fm.simulate(fm.CooperativeUCB(), *world, horizon=100, seed=4, jobs=2, progress=False))
    for other in runs[1:]:
        assert (other.pulls == runs[0].pulls).all()
        assert (other.messages == runs[0].messages).all()
    assert runs[0].messages[0] > 0


@jit
def one_round(record, coins):
    drawn = links(record)
    draw_links(record, 1, coins, drawn)
    return drawn


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_hundred_thousand_agents(shuffled):
    """A round of mean degree 4, row by row: increasing, symmetric, as many links as the law has."""
    n = 100_000
    labels = labels_of_sizes([n // 4] * 4)
    labels = np.random.default_rng(3).permutation(labels) if shuffled else labels
    network = StochasticBlockModel(labels, 12 / n, 4 / (3 * n))
    drawn = one_round(network.record(), COINS)
    used = int(drawn.count.sum())
    row = np.repeat(np.arange(n), drawn.count)
    neighbour = drawn.neighbours[:used].astype(np.int64)
    names, mirrored = row * n + neighbour, neighbour * n + row
    assert (np.diff(names) > 0).all()
    assert (names == np.sort(mirrored)).all()
    inside = labels[row] == labels[neighbour]
    assert abs(inside.sum() / 2 - 3 * n / 2) < 6 * (3 * n / 2) ** 0.5
    assert abs((~inside).sum() / 2 - n / 2) < 6 * (n / 2) ** 0.5


def test_a_hundred_thousand_agents_play():
    """Each of 600,000 link ends carries GSE's two messages; six standard errors of their number are 1.2 %."""
    n = 100_000
    network = StochasticBlockModel(np.arange(n) % 10, 30 / n, 1 / n)
    result = fm.simulate(
        fm.GSE(link_probability="estimate"),
        fm.Bernoulli([0.2, 0.8], n_agents=n),
        network,
        horizon=3,
        progress=False,
    )
    assert result.pulls.sum() == 3 * n
    degree = 30 / n * (n / 10 - 1) + 1 / n * (n - n / 10)
    assert result.messages[0] == pytest.approx(2 * 3 * n * degree, rel=0.012)


# --- Room -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 10, 200, 5_000, 100_000])
@pytest.mark.parametrize("p", [0.0, 1e-9, 1e-5, 1e-3, 0.1, 0.24])
def test_room_is_never_too_small_and_not_much_too_large(n, p):
    """The exact tail of the binomial law, against 1e-12 for all of 2**32 rounds."""
    pairs = n * (n - 1) // 2
    for room in (most_links(pairs, 0, p, 1.0), most_links(0, pairs, 1.0, p)):
        assert room <= pairs
        assert room == pairs or stats.binom.sf(room, pairs, p) < 1e-12 / 2**32
        assert room <= p * pairs + 12 * (p * pairs) ** 0.5 + 64


def test_room_for_all_pairs_when_all_can_be_up():
    assert most_links(45, 100, 0.5, 0.0) == 45
    assert most_links(45, 100, 0.0, 0.9) == 100
    assert most_links(45, 100, 1.0, 1.0) == 145


class Cramped(StochasticBlockModel):
    """Room for one link."""

    def record(self):
        return super().record()._replace(most_links=1)


@pytest.mark.parametrize("labels", [[0, 0, 0, 1], [1, 0, 0, 0]])
@pytest.mark.parametrize("how", [{"engine": "interpreted"}, {}, {"jobs": 2}], ids=str)
def test_more_links_than_there_is_room_for_stop_the_run(how, labels, monkeypatch):
    monkeypatch.setattr("folkmoot.simulation.replicates._MANY_AGENTS", 1)
    with pytest.raises(OverflowError, match="a round has more links than there is room for"):
        fm.simulate(fm.UCB(), fm.Bernoulli([0.2, 0.8], 4), Cramped(labels, 1.0, 0.1), horizon=50, progress=False, **how)


@pytest.mark.parametrize("source", [0, 2])
def test_a_full_table_is_not_written_beyond_its_end(source):
    record = Cramped([0, 0, 0], 1.0, 0.0).record()
    drawn = links(record)
    drawn.neighbours[:] = -7
    with pytest.raises(OverflowError):
        block_model.draw_places(record, 1, COINS, drawn, source)
    assert (np.delete(drawn.neighbours[:-ROOM], source) == -7).all()
    assert drawn.neighbours[source] == 1


# --- The base graph and the labels ------------------------------------------------------------------------


@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=12), within=st.booleans(), across=st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_base_graph_without_edges_is_the_one_with_edges(labels, within, across):
    labels = np.unique(labels, return_inverse=True)[1]  # no cluster is empty
    short = BlockGraph(labels, within, across)
    n = len(labels)
    edges = [(i, j) for i, j in combinations(range(n), 2) if (within if labels[i] == labels[j] else across)]
    long = from_edges(n, np.array(edges, np.int64).reshape(-1, 2))
    for fact in ("n_agents", "n_edges", "is_connected", "is_complete"):
        assert getattr(short, fact) == getattr(long, fact), fact
    assert (short.degree == long.degree).all()
    assert short.degree.dtype == np.int64
    assert short.algebraic_connectivity == pytest.approx(long.algebraic_connectivity, abs=1e-9)
    if long.is_connected:
        assert short.diameter == long.diameter
    else:
        with pytest.raises(ValueError, match="expected a connected graph to have a diameter"):
            short.diameter  # noqa: B018


def test_the_base_graph_of_many_agents():
    base = StochasticBlockModel(np.arange(100_000) % 10, 1e-4, 1e-5).base
    assert base.n_edges == 100_000 * 99_999 // 2
    assert base.is_complete
    assert base.algebraic_connectivity == 100_000.0


@pytest.mark.parametrize(
    ("labels", "within", "across", "expected"),
    [
        ([0, 0, 1], 0.3, 0.3, 0.3),
        ([0, 0, 1], 0.3, 0.2, None),
        ([0, 0, 1, 1], 0.3, 0.0, 0.3),  # the base graph is two pairs
        ([0, 0, 1, 1], 0.0, 0.2, 0.2),
        ([0, 0, 0], 0.3, 0.2, 0.3),  # nobody is across
        ([0, 1, 2], 0.3, 0.2, 0.2),  # nobody is within
        ([0, 1], 0.0, 0.0, None),
        ([0], 0.5, 0.5, None),
    ],
)
def test_the_link_probability_is_that_of_all_edges_of_the_base_graph(labels, within, across, expected):
    assert StochasticBlockModel(labels, within, across).link_probability == expected


def test_labels_reach_the_algorithms():
    class Curious(fm.UCB):
        def params(self, problem):
            told[-1].append(problem.labels)
            return super().params(problem)

    told = []
    for network in (StochasticBlockModel([1, 0, 1], 0.5, 0.5), fm.Static(nx.path_graph(3))):
        told.append([])
        fm.simulate(Curious(), fm.Bernoulli([0.2, 0.8], 3), network, horizon=2, progress=False)
    first, second = told
    assert first
    assert all(labels.tolist() == [1, 0, 1] and labels.dtype == np.int64 for labels in first)
    assert second
    assert all(labels is None for labels in second)


def test_labels_are_a_copy_and_cannot_be_changed():
    given_ = np.array([0, 1, 1])
    network = StochasticBlockModel(given_, 0.5, 0.5)
    given_[0] = 1
    assert network.labels.tolist() == [0, 1, 1]
    assert network.n_clusters == 2
    with pytest.raises(ValueError, match="read-only"):
        network.labels[0] = 1


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64])
def test_labels_may_be_any_integers(kind):
    labels = cluster_labels(np.array([1, 0, 1], kind))
    assert labels.dtype == np.int64
    assert labels.tolist() == [1, 0, 1]
    assert cluster_labels((np.int8(1), 0)).tolist() == [1, 0]


def test_sizes():
    assert labels_of_sizes([2, 1, 3]).tolist() == [0, 0, 1, 2, 2, 2]


def test_descriptions_are_plain():
    assert StochasticBlockModel([1, 0, 1], 0.5, 0).describe() == {
        "type": "StochasticBlockModel",
        "n_agents": 3,
        "edges": 1,
        "link_probability": 0.5,
        "cluster_sizes": [1, 2],
        "labels": [1, 0, 1],
        "within": 0.5,
        "across": 0.0,
    }


def test_descriptions_of_many_agents_are_short_and_tell_clusterings_apart():
    labels = np.arange(3_000) % 3
    one, other = (StochasticBlockModel(x, 0.1, 0.2).describe() for x in (labels, np.sort(labels)))
    assert "labels" not in one
    assert one["cluster_sizes"] == other["cluster_sizes"] == [1_000] * 3
    assert one["labels_digest"] != other["labels_digest"]
    assert one == StochasticBlockModel(labels, 0.1, 0.2).describe()


def test_the_karate_club():
    """Zachary's split: 17 and 17; of 78 friendships 67 are inside a side (2 * 136 pairs), 11 across (289)."""
    labels = karate_labels()
    sides = nx.get_node_attributes(nx.karate_club_graph(), "club")
    assert [sides[i] for i in range(34)] == [["Mr. Hi", "Officer"][label] for label in labels]
    network = karate_block_model()
    assert (network.labels == labels).all()
    assert network.base.sizes.tolist() == [17, 17]
    assert network.within == 67 / 272
    assert network.across == 11 / 289
    same = labels[:, None] == labels
    assert (adjacency(named_graph("karate", 34)) * same).sum() == 2 * 67


@pytest.mark.parametrize(
    ("make", "message"),
    [
        *[
            (lambda p=p: StochasticBlockModel([0, 1], p, 0.5), "within = .*: expected a probability from 0 to 1")
            for p in (-0.1, 1.0000001, float("nan"), float("inf"), "often", [0.5, 0.5])
        ],
        *[
            (lambda p=p: StochasticBlockModel([0, 1], 0.5, p), "across = .*: expected a probability from 0 to 1")
            for p in (-0.1, 1.0000001, float("nan"))
        ],
        (lambda: StochasticBlockModel([], 0.5, 0.5), "labels: expected at least one agent, got none"),
        (lambda: StochasticBlockModel([0, 2, 2], 0.5, 0.5), "cluster 1 is empty: .* all clusters 0 to 2"),
        (lambda: StochasticBlockModel([1, 2, 2], 0.5, 0.5), "cluster 0 is empty"),
        (lambda: StochasticBlockModel([0, 10**12], 0.5, 0.5), "cluster 1 is empty"),
        (lambda: StochasticBlockModel([0, -1], 0.5, 0.5), "label of agent 1 = -1: expected an integer from 0"),
        (lambda: StochasticBlockModel([0, 1.0], 0.5, 0.5), "label of agent 1 = 1.0: expected an integer"),
        (
            lambda: StochasticBlockModel(np.array([0.0, 1.0]), 0.5, 0.5),
            "labels: numbers: expected of each agent",
        ),
        (lambda: StochasticBlockModel([0, True], 0.5, 0.5), "label of agent 1 = True: expected an integer"),
        (
            lambda: StochasticBlockModel(np.array([True, False]), 0.5, 0.5),
            "labels: true and false: expected",
        ),
        (lambda: StochasticBlockModel([0, 2**70], 0.5, 0.5), "label of agent 1 = 1180591620717411303424: expected"),
        (lambda: StochasticBlockModel([0, None], 0.5, 0.5), "label of agent 1 = None: expected an integer"),
        (lambda: StochasticBlockModel("001", 0.5, 0.5), "labels = '001': expected a list of integers"),
        (lambda: StochasticBlockModel([[0, 1]], 0.5, 0.5), "label of agent 0 = a list: expected an integer"),
        (lambda: StochasticBlockModel([np.eye(9)], 0.5, 0.5), "label of agent 0 = a ndarray: expected an integer"),
        (lambda: StochasticBlockModel(np.zeros((2, 2), int), 0.5, 0.5), r"labels of shape \(2, 2\)"),
        (lambda: StochasticBlockModel(3, 0.5, 0.5), "labels = 3: expected a list of integers"),
        (lambda: StochasticBlockModel(None, 0.5, 0.5), "labels = None: expected a list"),
        (lambda: StochasticBlockModel(np.zeros(100_000, int), 0.5, 0), "room for .* links would need .* GiB"),
        (lambda: labels_of_sizes([]), "sizes: expected at least one cluster, got none"),
        *[
            (lambda s=s: labels_of_sizes([3, s]), "size of cluster 1 = .*: expected an integer of at least 1")
            for s in (0, -2, 2.0, True, "3", 2**40)
        ],
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
