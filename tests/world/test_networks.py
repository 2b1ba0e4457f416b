"""Networks: drawn links against the law they claim, a dumb twin, interpreted = compiled.

Bounds, fixed before any draw, with p the link probability and T rounds:

- How often a link is up is binomial(T, p); with E links each count must lie between the quantiles
  1e-6 / (2 E) and 1 - 1e-6 / (2 E), so that a right generator fails with probability 1e-6 at most.
- A correlation of T independent pairs is close to normal with deviation 1 / sqrt(T); allowed are 6 of
  them, which one in 5e8 exceeds: at most 7,260 correlations are looked at, so 2e-5 in all.
"""

import networkx as nx
import numpy as np
import pytest
from jitted import jit
from scipy import stats

from folkmoot.coins import LINK, block, replicate_coins
from folkmoot.interface import draw_links, links
from folkmoot.world.graphs import from_edges, named_graph
from folkmoot.world.networks import ErdosRenyi, Recorded, Static

COINS = replicate_coins(20_250_811, 0, 1)
ROUNDS = 20_000
FAILURE = 1e-6
CORRELATION = 6.0


def play(network, first, rounds, coins):
    """uint8 [rounds, n, n]: 1 where j stands in the row of i; the row must be increasing (else 9)."""
    drawn = links(network)
    n = len(drawn.start)
    table = np.zeros((rounds, n, n), np.uint8)
    for r in range(rounds):
        draw_links(network, first + r, coins, drawn)
        for i in range(n):
            previous = -1
            for e in range(drawn.start[i], drawn.start[i] + drawn.count[i]):
                j = drawn.neighbours[e]
                table[r, i, j] = 1 if j > previous else 9
                previous = j
    return table


compiled = jit(play)


def adjacency(base):
    table = np.zeros((base.n_agents, base.n_agents), np.uint8)
    table[np.repeat(np.arange(base.n_agents), base.degree), base.neighbours] = 1
    return table


@pytest.fixture(scope="module")
def drawn():
    """uint8 [rounds, 120]: the links of the complete graph of 16 agents, up with probability 0.3."""
    table = compiled(ErdosRenyi(nx.complete_graph(16), 0.3).record(), 1, ROUNDS, COINS)
    return table[:, *np.triu_indices(16, 1)]


def test_how_often_a_link_is_up(drawn):
    tail = FAILURE / (2 * drawn.shape[1])
    low, high = stats.binom.ppf(tail, ROUNDS, 0.3), stats.binom.isf(tail, ROUNDS, 0.3)
    counts = drawn.sum(axis=0)
    assert counts.min() >= low
    assert counts.max() <= high


def test_links_of_a_round_are_independent(drawn):
    correlation = np.corrcoef(drawn.T)
    np.fill_diagonal(correlation, 0.0)
    assert np.abs(correlation).max() < CORRELATION / ROUNDS**0.5


@pytest.mark.parametrize("lag", [1, 2, 16])
def test_rounds_are_independent(drawn, lag):
    earlier, later = drawn[:-lag] - drawn[:-lag].mean(axis=0), drawn[lag:] - drawn[lag:].mean(axis=0)
    correlation = (earlier.T @ later) / len(earlier) / 0.21  # variance 0.3 * 0.7; each link with each
    assert np.abs(correlation).max() < (CORRELATION + 0.5) / ROUNDS**0.5  # 14,400 of them, 0.5 for the variance


def test_how_many_links_are_up_in_a_round(drawn):
    """The number of links up is binomial(120, p): chi-square over the values 28..44 and the two tails."""
    inner = np.arange(28, 45)
    law = stats.binom(120, 0.3)
    expected = ROUNDS * np.array([law.cdf(27), *law.pmf(inner), law.sf(44)])
    counts = np.bincount(np.clip(drawn.sum(axis=1, dtype=int), 27, 45), minlength=46)[27:]
    assert stats.chisquare(counts, expected).pvalue > FAILURE


def test_replicates_differ(drawn):
    other = compiled(ErdosRenyi(nx.complete_graph(16), 0.3).record(), 1, 100, replicate_coins(20_250_811, 0, 2))
    assert (other[:, *np.triu_indices(16, 1)] != drawn[:100]).mean() == pytest.approx(0.42, abs=0.03)


@pytest.mark.parametrize("p", [1e-3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("name", ["grid", "complete", "circulant:6", "random", "hub"])
def test_links_are_symmetric_edges_of_the_base_graph(name, p):
    graph = {"random": nx.gnp_random_graph(36, 0.15, seed=3), "hub": nx.star_graph(35)}.get(name)
    base = ErdosRenyi(named_graph(name, 36) if graph is None else graph, p).base
    table = compiled(ErdosRenyi(base, p).record(), 1, 300, COINS)
    assert table.max(initial=0) <= 1  # rows are increasing
    assert (table == table.transpose(0, 2, 1)).all()
    assert (table <= adjacency(base)).all()
    law = stats.binom(300 * base.n_edges, p)
    assert law.ppf(FAILURE / 2) <= table.sum() / 2 <= law.isf(FAILURE / 2)
    if p == 1.0:
        assert (table == adjacency(base)).all()


def test_the_coin_of_a_link_is_the_one_named_after_it():
    """A dumb twin, link by link, in any order; both ends compute it alone."""
    base = named_graph("karate", 34)
    p = 0.37
    table = compiled(ErdosRenyi(base, p).record(), 7, 20, COINS)
    for r in range(20):
        for i, j in zip(*np.nonzero(adjacency(base))):
            low, high = int(min(i, j)), int(max(i, j))
            word = block(COINS, LINK, 7 + r, low, high // 4)[high % 4]
            assert table[r, i, j] == (word < p * 2**32)


def test_a_link_keeps_its_coin_on_another_base_graph():
    sparse = compiled(ErdosRenyi(named_graph("grid", 16), 0.5).record(), 1, 50, COINS)
    dense = compiled(ErdosRenyi(named_graph("complete", 16), 0.5).record(), 1, 50, COINS)
    assert (sparse == dense * adjacency(named_graph("grid", 16))).all()


def test_more_probable_links_contain_the_less_probable():
    few = compiled(ErdosRenyi(named_graph("complete", 9), 0.2).record(), 1, 50, COINS)
    many = compiled(ErdosRenyi(named_graph("complete", 9), 0.6).record(), 1, 50, COINS)
    assert (few <= many).all()


RECORDING = [[(0, 1), (2, 1)], [], [(3, 0), (0, 3), (2, 3), (1, 3)]]
NETWORKS = {
    "static": Static(nx.petersen_graph()),
    "erdos_renyi": ErdosRenyi(nx.karate_club_graph(), 0.4),
    "one agent": ErdosRenyi(nx.complete_graph(1), 0.4),
    "recorded": Recorded(RECORDING),
    "nothing recorded": Recorded([[], []], n_agents=3),
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_interpreted_is_compiled(network):
    assert (play(network.record(), 3, 12, COINS) == compiled(network.record(), 3, 12, COINS)).all()


def test_static():
    network = Static(nx.karate_club_graph())
    assert network.link_probability == 1.0
    assert (compiled(network.record(), 1, 5, COINS) == adjacency(network.base)).all()


def test_recorded_plays_its_rounds_and_begins_again():
    network = Recorded(RECORDING, n_agents=5)
    table = compiled(network.record(), 1, 8, COINS)
    for r in range(8):
        expected = np.zeros((5, 5), int)
        for i, j in RECORDING[r % 3]:
            expected[i, j] = expected[j, i] = 1
        assert (table[r] == expected).all()
    assert network.n_agents == 5
    assert network.link_probability is None
    assert (adjacency(network.base) == table.max(axis=0)).all()


def test_recorded_rounds_may_be_arrays_and_count_their_agents():
    assert Recorded([np.array([(0, 4)]), np.zeros((0, 2), int)]).n_agents == 5
    assert Recorded([[]]).n_agents == 1


def test_descriptions_are_plain():
    assert ErdosRenyi(nx.path_graph(3), 0.25).describe() == {
        "type": "ErdosRenyi",
        "n_agents": 3,
        "edges": 2,
        "edge_list": [[0, 1], [1, 2]],
        "link_probability": 0.25,
    }
    assert Recorded(RECORDING).describe()["recorded_rounds"] == 3
    assert "edge_list" not in Static(from_edges(3_000, np.stack([np.arange(2_999), np.arange(1, 3_000)], 1))).describe()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        *[
            (lambda p=p: ErdosRenyi(nx.path_graph(3), p), r"link_probability = .*: expected a probability in \(0, 1\]")
            for p in (0, 0.0, -0.1, 1.0000001, float("nan"), float("inf"), "often", None)
        ],
        (lambda: ErdosRenyi(nx.DiGraph([(0, 1)]), 0.5), "undirected"),
        (lambda: Static("complete"), "expected a networkx graph"),
        (lambda: Static(nx.Graph()), "at least one agent"),
        (lambda: Recorded([]), "at least one, got none"),
        (lambda: Recorded([[(0, 1, 2)]]), "pairs of agent numbers"),
        (lambda: Recorded([[(0, "x")]]), "pairs of agent numbers"),
        (lambda: Recorded([[(0, 1.5)]]), "pairs of agent numbers"),
        (lambda: Recorded([[(0, 2**70)]]), "pairs of agent numbers"),
        (lambda: Recorded(7), "pairs of agent numbers"),
        (lambda: Recorded([[(1, 1)]]), "own neighbour"),
        (lambda: Recorded([[(0, -1)]]), "edge"),
        (lambda: Recorded([[(0, 3)]], n_agents=3), r"edge \(0, 3\): expected agents from 0 to 2"),
        (lambda: Recorded([[]], n_agents=0), "n_agents = 0: expected an integer of at least 1"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
