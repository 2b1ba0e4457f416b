"""Graphs whose nodes are numbered otherwise, labels, names of grids, and results that say nothing twice."""

import csv
import json
import warnings

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.cli import main
from folkmoot.experiments.files import find, read
from folkmoot.experiments.plan import plan

MEANS = [[0.2, 0.8], [0.3, 0.7], [0.4, 0.6]]


def graph_of(nodes, edges):
    graph = nx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    return graph


def test_nodes_out_of_order_are_warned_about():
    with pytest.warns(UserWarning, match="agent 0 is node 2; to number them alike, begin with graph.add_nodes_from"):
        network = fm.Static(graph_of([2, 0, 1], [(2, 0), (0, 1)]))
    assert network.base.edges().tolist() == [[0, 1], [1, 2]]  # in the order of the nodes, as ever


@pytest.mark.parametrize("nodes", [[0, 1, 2], ["b", "a", "c"], [10, 5, 7], [2, 1, 3]])
def test_nodes_in_order_and_nodes_with_names_are_not(nodes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fm.Static(graph_of(nodes, [(nodes[0], nodes[2])])).base.edges().tolist() == [[0, 2]]


@pytest.mark.parametrize(("nodes", "said"), [([0, 1, 2], "node 1"), (["a", "b", "c"], "node 'b'")])
def test_a_self_loop_names_the_node(nodes, said):
    with pytest.raises(
        ValueError, match=f"^base graph: {said} has an edge to itself; an agent is not its own neighbour"
    ):
        fm.Static(graph_of(nodes, [(nodes[0], nodes[1]), (nodes[1], nodes[1])]))


@pytest.mark.parametrize("whole", [np.int64, np.uint8, np.int32])
def test_labels_of_numpy(whole):
    labels = [whole(0), whole(0), whole(1)]
    assert fm.StochasticBlockModel(labels, 0.5, 0.1) == fm.StochasticBlockModel([0, 0, 1], 0.5, 0.1)
    assert fm.Clustered(MEANS[:2], labels=labels).describe() == fm.Clustered(MEANS[:2], labels=[0, 0, 1]).describe()
    assert fm.UCBSBM(clusters=labels) == fm.UCBSBM(clusters=[0, 0, 1])


def test_a_path_is_taken_as_a_path_or_as_text(tmp_path):
    result = fm.simulate(fm.UCB(), fm.Bernoulli(MEANS), fm.Static(nx.path_graph(3)), horizon=20, engine="interpreted")
    for folder in (tmp_path / "a", str(tmp_path / "b")):
        result.save(folder)
        assert fm.load(folder).name == result.name


def test_what_is_saved_is_json_without_nan(tmp_path):
    """Whatever scalars of NumPy the settings were, and where an estimate is not there yet."""
    law = fm.Bernoulli([np.float32(0.25), np.float32(0.75)], n_agents=np.int8(4))
    result = fm.simulate_chain(
        fm.BCUCB(c1=np.float32(2)), law, horizon=np.int16(30), seed=np.uint64(3), fidelity="ideal",
        engine="interpreted", progress=False,
    )  # fmt: skip
    assert np.isnan(result.estimates).any()
    result.save(tmp_path / "kept")

    def refuse(name):
        raise AssertionError(name)

    json.loads((tmp_path / "kept" / "result.json").read_text(encoding="utf-8"), parse_constant=refuse)


GRID = """name = "grid"
horizon = 20
replicates = 1
[rewards]
type = "bernoulli"
means = [[0.2, 0.8], [0.3, 0.7]]
[network]
type = "erdos_renyi"
base = "complete"
link_probability = {{ grid = {values} }}
[[algorithm]]
type = "ucb"
"""


def test_two_long_values_of_a_grid_never_end_as_one_name(tmp_path):
    values = [0.1234567890123456, 0.1234567890123457, 0.12345678901234568]
    (tmp_path / "grid.toml").write_text(GRID.format(values=values), encoding="utf-8")
    cells = plan(read(find(str(tmp_path / "grid.toml"))), tmp_path).cells
    assert len({cell.name for cell in cells}) == 3


def test_a_grid_of_sixty_values_says_its_settings_once(tmp_path):
    """The values stand in columns; the report is far below a megabyte (the issue's: 9.7)."""
    values = [round(0.01 * number, 2) for number in range(1, 61)]
    text = GRID.format(values=values) + '[[algorithm]]\ntype = "ucb"\nname = "second"\nexploration = 1.0\n'
    (tmp_path / "grid.toml").write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    assert main(["run", str(tmp_path / "grid.toml"), "--out", str(out), "--jobs", "1"]) == 0
    assert (out / "report.html").stat().st_size < 1_000_000
    assert (out / "result.json").stat().st_size < 1_000_000
    with open(out / "summary.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted({float(row["link_probability"]) for row in rows}) == values
    assert {row["algorithm"] for row in rows} == {"UCB (alone)", "second"}
