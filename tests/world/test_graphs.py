"""Base graphs, held against networkx, closed forms and published eigenvalues."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.world import graphs
from folkmoot.world.graphs import as_base_graph, from_edges, named_graph

NAMED = [
    ("complete", 1, nx.complete_graph(1)),
    ("complete", 2, nx.complete_graph(2)),
    ("complete", 16, nx.complete_graph(16)),
    ("grid", 1, nx.grid_2d_graph(1, 1)),
    ("grid", 16, nx.grid_2d_graph(4, 4)),
    ("grid", 49, nx.grid_2d_graph(7, 7)),
    ("cycle", 3, nx.cycle_graph(3)),
    ("cycle", 11, nx.cycle_graph(11)),
    ("petersen", 10, nx.petersen_graph()),
    ("karate", 34, nx.karate_club_graph()),
    *((f"circulant:{d}", 16, nx.circulant_graph(16, range(1, d // 2 + 1))) for d in range(2, 15, 2)),
    ("circulant:4", 5, nx.complete_graph(5)),
]
NAMES = [f"{name}-{n}" for name, n, _ in NAMED]


def edges(base):
    """The edges, and with them a check of the compressed rows: increasing, symmetric, nobody its own neighbour."""
    pairs = set()
    for i in range(base.n_agents):
        row = base.neighbours[base.start[i] : base.start[i + 1]].tolist()
        assert row == sorted(set(row))
        assert i not in row
        pairs |= {(i, j) for j in row}
    assert {(j, i) for i, j in pairs} == pairs
    assert base.start.dtype == np.int64
    assert base.neighbours.dtype == np.int32
    assert base.start[-1] == len(base.neighbours) == len(pairs)
    return {(i, j) for i, j in pairs if i < j}


def edges_of(graph):
    place = {node: i for i, node in enumerate(graph.nodes)}
    return {tuple(sorted((place[a], place[b]))) for a, b in graph.edges}


@pytest.mark.parametrize(("name", "n", "graph"), NAMED, ids=NAMES)
def test_named_graphs_are_those_of_networkx(name, n, graph):
    base = named_graph(name, n)
    assert edges(base) == edges(as_base_graph(graph)) == edges_of(graph)
    assert base.n_agents == n
    assert base.n_edges == graph.number_of_edges()
    assert base.degree.tolist() == [d for _, d in graph.degree]
    assert base.is_connected
    assert base.is_complete == (graph.number_of_edges() == n * (n - 1) // 2)
    assert base.diameter == nx.diameter(graph)


@pytest.mark.parametrize(("name", "n", "graph"), [row for row in NAMED if row[1] > 1])
def test_algebraic_connectivity_is_the_second_eigenvalue(name, n, graph):
    laplacian = nx.laplacian_matrix(graph, weight=None).toarray().astype(float)
    assert named_graph(name, n).algebraic_connectivity == pytest.approx(np.linalg.eigvalsh(laplacian)[1], abs=1e-9)


@pytest.mark.parametrize(
    ("name", "n", "published"),
    [
        *zip(
            [f"circulant:{d}" for d in range(2, 15, 2)],
            [16] * 7,
            [0.1522, 0.7380, 1.9727, 3.9727, 6.7380, 10.1522, 14.0],
        ),
        ("complete", 16, 16.0),
        ("complete", 1000, 1000.0),
        ("petersen", 10, 2.0),
        ("grid", 16, 0.5858),
        ("karate", 34, 0.4685),
    ],
)
def test_algebraic_connectivity_as_published(name, n, published):
    assert named_graph(name, n).algebraic_connectivity == pytest.approx(published, abs=0.00005)


def path(n):
    return from_edges(n, np.stack([np.arange(n - 1), np.arange(1, n)], axis=1))


@pytest.mark.parametrize("n", [2, 3, 400, 401, 5_000, 100_000])
def test_algebraic_connectivity_of_a_path(n):
    """Closed form 2 - 2 cos(pi / n), written without cancellation; sparse beyond 400 agents."""
    assert path(n).algebraic_connectivity == pytest.approx(4.0 * np.sin(np.pi / (2 * n)) ** 2, rel=1e-6)


@pytest.mark.parametrize("n", [402, 2_000])
def test_algebraic_connectivity_of_a_large_circulant(n):
    """Its second eigenvalue is double: 4 - 2 cos(x) - 2 cos(2x) with x = 2 pi / n."""
    x = 2.0 * np.pi / n
    expected = 4.0 * np.sin(x / 2) ** 2 + 4.0 * np.sin(x) ** 2
    assert named_graph("circulant:4", n).algebraic_connectivity == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("graph", [nx.random_regular_graph(4, 600, seed=1), nx.star_graph(500), nx.wheel_graph(450)])
def test_sparse_and_dense_eigenvalues_agree(graph, monkeypatch):
    sparse = as_base_graph(graph).algebraic_connectivity
    monkeypatch.setattr(graphs, "_DENSE_EIGENVALUES", 10_000)
    assert sparse == pytest.approx(as_base_graph(graph).algebraic_connectivity, rel=1e-9)


def test_algebraic_connectivity_repeats_to_the_last_bit():
    assert path(1_000).algebraic_connectivity == path(1_000).algebraic_connectivity


@given(n=st.integers(1, 25), p=st.floats(0.0, 1.0), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_random_graphs_agree_with_networkx(n, p, seed):
    graph = nx.gnp_random_graph(n, p, seed=seed)
    base = as_base_graph(graph)
    assert edges(base) == edges_of(graph)
    assert base.is_connected == nx.is_connected(graph)
    if base.is_connected:
        assert base.diameter == nx.diameter(graph)
    else:
        assert base.algebraic_connectivity == 0.0
        with pytest.raises(ValueError, match="connected"):
            base.diameter  # noqa: B018


def test_diameter_of_more_agents_than_one_chunk_of_rows():
    """The longest distance of this path is seen from its ends only, in the first and in the last chunk."""
    assert path(600).diameter == 599
    assert named_graph("grid", 400).diameter == 38
    shuffled = np.random.default_rng(5).permutation(600)
    assert from_edges(600, np.stack([shuffled[:-1], shuffled[1:]], axis=1)).diameter == 599


def test_nodes_of_any_name_become_agents_in_their_order():
    graph = nx.Graph()
    graph.add_nodes_from(["c", "a", "b"])
    graph.add_edge("a", "b")
    assert edges(as_base_graph(graph)) == {(1, 2)}


def test_doubled_edges_count_once():
    assert edges(from_edges(3, np.array([(0, 1), (1, 0), (0, 1), (2, 1)]))) == {(0, 1), (1, 2)}
    assert edges(as_base_graph(nx.MultiGraph([(0, 1), (0, 1)]))) == {(0, 1)}


def test_no_edges():
    base = from_edges(3, np.zeros((0, 2), np.int64))
    assert edges(base) == set()
    assert not base.is_connected
    assert base.algebraic_connectivity == 0.0
    assert from_edges(1, np.zeros((0, 2), np.int64)).diameter == 0


def test_a_base_graph_stays_itself():
    base = named_graph("cycle", 5)
    assert as_base_graph(base) is base


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: named_graph("tree", 4), "'tree': unknown; allowed are complete, grid, cycle, petersen, karate"),
        (lambda: named_graph("circulant:x", 8), "'circulant:x': unknown"),
        (lambda: named_graph("circulant:²", 8), "unknown"),
        (lambda: named_graph("circulant:3", 8), "'circulant:3' with 8 agents: expected an even degree from 2 to 7"),
        (lambda: named_graph("circulant:8", 8), "even degree"),
        (lambda: named_graph("circulant:0", 8), "even degree"),
        (lambda: named_graph("cycle", 2), "at least 3"),
        (lambda: named_graph("grid", 15), "15 agents: expected a square"),
        (lambda: named_graph("petersen", 16), "'petersen' with 16 agents: expected 10"),
        (lambda: named_graph("karate", 16), "expected 34"),
        (lambda: as_base_graph(nx.DiGraph([(0, 1)])), "undirected"),
        (lambda: as_base_graph(nx.Graph()), "at least one agent"),
        (lambda: as_base_graph([(0, 1)]), "base graph = list: expected a networkx graph"),
        (lambda: as_base_graph(nx.Graph([(0, 0)])), "node 0 has an edge to itself"),
        (lambda: from_edges(3, np.array([(0, 3)])), r"edge \(0, 3\): expected agents from 0 to 2"),
        (lambda: from_edges(3, np.array([(-1, 2)])), r"edge \(-1, 2\)"),
        (lambda: from_edges(3, np.array([(1, 1)])), r"edge \(1, 1\): an agent is not its own neighbour"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_file_of_edges(tmp_path):
    file = tmp_path / "edges.txt"
    file.write_text("# a triangle and a tail\n0 1\n1,2\n\n2\t0  # back\n2, 3\n", encoding="utf-8")
    assert edges(named_graph(f"file:{file}", 5)) == {(0, 1), (1, 2), (0, 2), (2, 3)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1\n0 1 2\n", "line 2: '0 1 2': expected two agent numbers"),
        ("0\n", "line 1"),
        ("0 one\n", "line 1"),
        ("0 -1\n", "line 1"),
        ("0 1\n1 4\n", "line 2: '1 4': expected two different agents from 0 to 3"),
        ("2 2\n", "line 1: '2 2': expected two different agents"),
        (f"0 {'9' * 30}\n", "line 1"),
    ],
)
def test_errors_in_a_file_of_edges(tmp_path, text, message):
    file = tmp_path / "edges.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message) as error:
        named_graph(f"file:{file}", 4)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_of_edges_that_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        named_graph(f"file:{tmp_path / 'none.txt'}", 4)
    (tmp_path / "latin").write_bytes(b"0 1 # \xe9\n")
    with pytest.raises(ValueError, match="cannot be read"):
        named_graph(f"file:{tmp_path / 'latin'}", 4)
