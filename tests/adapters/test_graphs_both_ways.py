"""Graphs of networkx become base graphs and come back."""

import networkx as nx
import pytest

import folkmoot as fm


@pytest.mark.parametrize("graph", [nx.petersen_graph(), nx.path_graph(5), nx.empty_graph(3), nx.star_graph(4)])
def test_a_graph_comes_back_as_it_was(graph):
    back = fm.Static(graph).base.to_networkx()
    assert list(back.nodes) == list(graph.nodes)
    assert set(map(frozenset, back.edges)) == set(map(frozenset, graph.edges))
    assert fm.Static(back) == fm.Static(graph)


def test_nodes_with_names_become_numbers_in_their_order():
    back = fm.ErdosRenyi(nx.Graph([("b", "a"), ("a", "c")]), 0.5).base.to_networkx()
    assert sorted(back.edges) == [(0, 1), (1, 2)]
