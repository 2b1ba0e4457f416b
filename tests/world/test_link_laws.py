"""Links whose edges differ, that have memory, or that connect over several rounds; and blocks by a matrix.

Bounds, fixed before any draw, with T rounds:

- How often a link is up, where rounds are independent, is binomial(T, p): each of E counts lies between the quantiles
  1e-6 / (2 E) and 1 - 1e-6 / (2 E).
- Changes of a link with memory are coins too: of the rounds in which it is down, those after which it is up are
  binomial with `up`, likewise `down`. The share of rounds up has deviation sqrt(s (1 - s) (2 - u - d) / ((u + d) T));
  allowed are 6.
"""

import networkx as nx
import numpy as np
import pytest
from scipy import stats

import folkmoot as fm
from folkmoot.coins import replicate_coins
from folkmoot.interface import draw_links, links
from folkmoot.world.block_graph import BlockGraph
from folkmoot.world.block_matrix import MatrixGraph
from folkmoot.world.clusters import labels_of_sizes
from folkmoot.world.graphs import from_edges, named_graph
from folkmoot.world.markov import state_of

from .test_networks import COINS, adjacency, compiled, play

ROUNDS, FAILURE = 20_000, 1e-6
KARATE = named_graph("karate", 34)
OWN = np.linspace(0.01, 1.0, KARATE.n_edges)
MATRIX = [[0.9, 0.05, 0.0], [0.05, 0.3, 0.4], [0.0, 0.4, 0.1]]


def in_bounds(counts, law):
    tail = FAILURE / (2 * counts.size)
    return bool((law.ppf(tail) <= counts).all() and (counts <= law.isf(tail)).all())


# --- A probability for each edge ----------------------------------------------------------------------------


def test_edges_with_equal_probabilities_have_the_links_of_one_probability():
    one, each = fm.ErdosRenyi(KARATE, 0.37), fm.ErdosRenyi(KARATE, np.full(KARATE.n_edges, 0.37))
    assert (compiled(each.record(), 5, 40, COINS) == compiled(one.record(), 5, 40, COINS)).all()
    assert one.link_probability == each.link_probability == 0.37


def test_every_edge_is_up_as_often_as_it_says():
    network = fm.ErdosRenyi(KARATE, OWN)
    table = compiled(network.record(), 1, ROUNDS, COINS)
    assert (table == table.transpose(0, 2, 1)).all()
    assert (table[:12] == play(network.record(), 1, 12, COINS)).all()
    edges = KARATE.edges()
    assert in_bounds(table.sum(axis=0, dtype=int)[edges[:, 0], edges[:, 1]], stats.binom(ROUNDS, OWN))
    assert table.sum(axis=0).astype(bool).sum() == 2 * KARATE.n_edges
    assert network.link_probability == 0.01  # the smallest


def test_three_ways_to_say_the_same():
    edges = KARATE.edges()
    matrix = np.zeros((34, 34))
    matrix[edges[:, 0], edges[:, 1]] = matrix[edges[:, 1], edges[:, 0]] = OWN
    pairs = {(int(j), int(i)): p for (i, j), p in zip(edges, OWN)}
    same = [fm.ErdosRenyi(KARATE, given) for given in (OWN, OWN.tolist(), matrix, pairs)]
    assert all(one == same[0] and hash(one) == hash(same[0]) for one in same)
    assert same[0].describe()["link_probabilities"] == OWN.tolist()


# --- A matrix of probabilities --------------------------------------------------------------------------------


def test_a_matrix_of_clusters_is_played_pair_by_pair():
    """Each pair's count, in order and shuffled; blocks of small probability go by skips, others coin by coin."""
    for labels in (labels_of_sizes([4, 3, 5]), np.array([2, 0, 1, 2, 0, 0, 1, 2, 2, 1, 0, 2])):
        network = fm.StochasticBlockModel(labels, probabilities=MATRIX)
        table = compiled(network.record(), 1, ROUNDS, COINS)
        assert (table == table.transpose(0, 2, 1)).all()
        assert (table[:8] == play(network.record(), 1, 8, COINS)).all()
        upper = np.triu_indices(12, 1)
        law = stats.binom(ROUNDS, np.array(MATRIX)[labels[upper[0]], labels[upper[1]]])
        assert in_bounds(table.sum(axis=0, dtype=int)[upper], law)
        pairs = table[:, *upper].astype(float)
        moving = pairs[:, pairs.std(axis=0) > 0]
        correlation = np.corrcoef(moving.T) - np.eye(moving.shape[1])
        assert np.abs(correlation).max() < 7.0 / ROUNDS**0.5  # 1,176 of them; one in 4e11 exceeds it


def test_two_probabilities_are_a_matrix_of_two():
    labels = labels_of_sizes([3, 4])
    two = fm.StochasticBlockModel(labels, 0.9, 0.5)
    matrix = fm.StochasticBlockModel(labels, probabilities=[[0.9, 0.5], [0.5, 0.9]])
    assert matrix.room == two.room
    assert (matrix.link_probability, two.link_probability) == (None, None)
    assert fm.StochasticBlockModel(labels, probabilities=np.full((2, 2), 0.25)).link_probability == 0.25
    assert matrix.describe()["probabilities"] == [[0.9, 0.5], [0.5, 0.9]]


@pytest.mark.parametrize("joined", range(64))
@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 1, 3)])
def test_the_base_graph_of_a_matrix_is_the_graph_it_stands_for(joined, sizes):
    """Every way to join three clusters, against the same graph edge by edge."""
    matrix = np.zeros((3, 3), bool)
    matrix[np.triu_indices(3)] = [joined >> bit & 1 for bit in range(6)]
    matrix |= matrix.T
    labels = labels_of_sizes(sizes)
    n = len(labels)
    edges = [(i, j) for i in range(n) for j in range(i) if matrix[labels[i], labels[j]]]
    dumb, graph = from_edges(n, np.array(edges, np.int64).reshape(-1, 2)), MatrixGraph(labels, matrix)
    assert (graph.n_agents, graph.n_edges, graph.is_complete) == (n, dumb.n_edges, dumb.is_complete)
    assert (graph.degree == dumb.degree).all()
    assert graph.is_connected == dumb.is_connected
    assert graph.algebraic_connectivity == pytest.approx(dumb.algebraic_connectivity, abs=1e-9)
    if dumb.is_connected:
        assert graph.diameter == dumb.diameter
    else:
        with pytest.raises(ValueError, match="connected"):
            _ = graph.diameter


def test_the_graph_of_two_probabilities_is_that_of_a_matrix():
    labels = labels_of_sizes([5, 2, 1])
    for within, across in ((True, True), (False, True), (True, False)):
        one = BlockGraph(labels, within, across)
        other = MatrixGraph(labels, np.where(np.eye(3, dtype=bool), within, across))
        assert (one.n_edges, one.is_connected) == (other.n_edges, other.is_connected)
        assert one.algebraic_connectivity == pytest.approx(other.algebraic_connectivity)


# --- Links with memory ------------------------------------------------------------------------------------------

CHAINS = [(0.02, 0.05), (0.3, 0.1), (0.9, 0.7), (0.4, 0.6), (1.0, 1.0)]


@pytest.mark.parametrize(("up", "down"), CHAINS)
def test_links_come_and_go_as_the_chain_says(up, down):
    network = fm.Markov(named_graph("cycle", 8), up, down)
    table = compiled(network.record(), 1, ROUNDS, COINS)
    assert (table == table.transpose(0, 2, 1)).all()
    states = np.stack([table[:, i, (i + 1) % 8] for i in range(8)], axis=1).astype(int)
    was, now = states[:-1], states[1:]
    for i in range(8):
        rises, falls = (~was[:, i] & now[:, i] & 1).sum(), (was[:, i] & ~now[:, i] & 1).sum()
        assert in_bounds(rises, stats.binom((was[:, i] == 0).sum(), up))
        assert in_bounds(falls, stats.binom((was[:, i] == 1).sum(), down))
    share = network.share_up
    spread = (share * (1 - share) * (2 - up - down) / ((up + down) * ROUNDS)) ** 0.5
    assert np.abs(states.mean(axis=0) - share).max() <= 6 * spread + 1 / ROUNDS


def test_round_one_has_the_stationary_law():
    """One round of 4,000 edges far from any start: the share up, within 6 deviations."""
    network = fm.Markov(named_graph("circulant:8", 1_000), 0.001, 0.003)
    for t in (1, 2):
        share = compiled(network.record(), t, 1, COINS).sum() / 8_000
        assert abs(share - 0.25) < 6 * (0.25 * 0.75 / 4_000) ** 0.5


@pytest.mark.parametrize(("up", "down"), CHAINS)
def test_a_round_does_not_depend_on_which_rounds_were_drawn_before(up, down):
    """In order, from the middle, backwards, with other coins between: the state is a function of coins."""
    record = fm.Markov(named_graph("karate", 34), up, down).record()
    whole = compiled(record, 1, 60, COINS)
    assert (play(record, 37, 8, COINS) == whole[36:44]).all()
    drawn, other = links(record), replicate_coins(1, 0, 5)
    for t, coins in (
        (9, COINS),
        (10, other),
        (10, COINS),
        (11, COINS),
        (3, COINS),
        (4, other),
        (5, COINS),
        (60, COINS),
    ):
        draw_links(record, t, coins, drawn)
        if coins is COINS:
            assert drawn.count.tolist() == whole[t - 1].sum(axis=1).tolist()
    for (i, j), t in zip(KARATE.edges().tolist(), range(1, 61)):
        assert state_of(record, t, COINS, i, j) == whole[t - 1, i, j]


def test_a_chain_without_memory_is_erdos_renyi():
    chain, free = fm.Markov(KARATE, 0.25, 0.75), fm.ErdosRenyi(KARATE, 0.25)
    assert (play(chain.record(), 1, 9, COINS) == play(free.record(), 1, 9, COINS)).all()


def test_segments_and_replicates_of_a_run_meet_the_same_links():
    """Interpreted and compiled, one agent at a time, several replicates in one task."""
    from folkmoot.simulation.agents import Agents
    from folkmoot.simulation.simulate import make_job

    world = fm.Bernoulli([0.2, 0.5, 0.8], 6), fm.Markov(nx.cycle_graph(6), 0.05, 0.1)
    both = [
        fm.simulate(fm.CooperativeUCB(), *world, horizon=60, replicates=3, engine=engine)
        for engine in ("interpreted", "compiled")
    ]
    assert (both[0].pulls == both[1].pulls).all()
    assert (both[0].messages == both[1].messages).all()
    agents = Agents(make_job(fm.CooperativeUCB(), *world, horizon=60), 2)
    agents.play(60)
    assert (agents.pulls == both[0].pulls[2]).all()


# --- Connected over several rounds --------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [1, 2, 7])
def test_the_links_of_a_window_are_the_base_graph_once(rounds):
    network = fm.BConnected(KARATE, rounds)
    table = compiled(network.record(), 1, 20 * rounds, COINS)
    assert (table[:9] == play(network.record(), 1, 9, COINS)).all()
    windows = table.reshape(20, rounds, 34, 34).sum(axis=1)
    assert (windows == adjacency(KARATE)).all()
    assert network.link_probability is None


def test_the_round_of_a_window_is_uniform():
    table = compiled(fm.BConnected(named_graph("cycle", 8), 4).record(), 1, ROUNDS, COINS)
    counts = table.reshape(-1, 4, 8, 8).sum(axis=0, dtype=int)
    for i in range(8):
        assert stats.chisquare(counts[:, i, (i + 1) % 8]).pvalue > FAILURE


# --- What is wrong --------------------------------------------------------------------------------------------------

PATH, LABELS = nx.path_graph(3), [0, 1, 1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: fm.ErdosRenyi(PATH, [0.5]),
            r"link_probability of shape \(1,\): expected a number, \[n_edges\] = \(2,\)",
        ),
        (lambda: fm.ErdosRenyi(PATH, [0.5, 0]), r"link_probability of edge \(1, 2\) = 0\.0: expected a probability in"),
        (lambda: fm.ErdosRenyi(PATH, [0.5, "x"]), r"link_probability\[1\] = 'x': expected numbers"),
        (lambda: fm.ErdosRenyi(PATH, np.eye(3)), r"of \(0, 0\) = 1\.0: the base graph has no such edge; expected 0"),
        (lambda: fm.ErdosRenyi(PATH, np.arange(9).reshape(3, 3)), "expected a symmetric matrix"),
        (
            lambda: fm.ErdosRenyi(PATH, {(0, 1): 0.5}),
            r"edge \(1, 2\) is missing; expected a probability for every edge",
        ),
        (lambda: fm.ErdosRenyi(PATH, {(0, 1): 0.5, (1, 0): 0.5}), r"edge \(0, 1\) stands there twice"),
        (lambda: fm.ErdosRenyi(PATH, {(0, 2): 0.5}), r"pair \(0, 2\): the base graph has no such edge"),
        (lambda: fm.ErdosRenyi(PATH, {"0:1": 0.5}), "key '0:1': expected two agent numbers such as \"0-1\""),
        (lambda: fm.StochasticBlockModel(LABELS, probabilities=[[1]]), r"probabilities of shape \(1, 1\): expected"),
        (lambda: fm.StochasticBlockModel(LABELS, probabilities=[[1, 0], [1, 1]]), "clusters 0 and 1 = 0.0, of 1 and 0"),
        (lambda: fm.StochasticBlockModel(LABELS, probabilities=[[1, 2], [2, 1]]), "clusters 0 and 1 = 2.0: expected a"),
        (
            lambda: fm.StochasticBlockModel(LABELS, probabilities="x"),
            "probabilities = 'x': expected a table",
        ),
        (lambda: fm.StochasticBlockModel(LABELS, 0.5, probabilities=np.eye(2)), "expected these, or within and across"),
        (lambda: fm.StochasticBlockModel(LABELS, within=0.5), "across: missing; expected within and across, or prob"),
        *[(lambda u=u: fm.Markov(PATH, u, 0.5), "up = .*: expected a probability in") for u in (0, 1.1, "x", None)],
        *[(lambda d=d: fm.Markov(PATH, 0.5, d), "down = .*: expected a probability from 0 to 1") for d in (-0.1, 2)],
        *[
            (lambda b=b: fm.BConnected(PATH, b), r"rounds = .*: expected an integer from 1 to 2\*\*16")
            for b in (0, 1.5, True, 1 << 17)
        ],
        (lambda: fm.BConnected(nx.empty_graph(3), 2), "base graph: expected a connected one"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
