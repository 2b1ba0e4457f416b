"""The worlds of the GSE paper's experiments, and those of ours where its settings are lost.

Source: "Distributed Multi-Agent Bandits Over Erdos-Renyi Random Networks" (arXiv 2510.22811).
"""

import networkx as nx
import numpy as np

import folkmoot as fm

N_AGENTS, N_ARMS, HORIZON, REPLICATES = 16, 5, 10_000, 20
SEED = 2510
LAST_RECORDED = 9_801  # the round at which the published code last writes its regret
DEGREES = (2, 4, 6, 8, 10, 12, 14)
PRINTED_REGRET = (751.28, 255.52, 165.66, 133.92, 121.93, 115.12, 112.47)  # Table 1
PRINTED_LAMBDA = (0.1716, 1.39, 1.97, 3.97, 6.73, 10.15, 14.00)  # Table 1


def half_active(n_agents: int = N_AGENTS) -> fm.HalfActive:
    """The environment of the published code, in rewards 1 - loss: losses Bernoulli((k - 1) / (K - 1)), and in
    every round the losses of a random half of the agents are 0.
    """
    return fm.HalfActive(fm.Bernoulli(1.0 - np.arange(N_ARMS) / (N_ARMS - 1), n_agents=n_agents), silent=1.0)


def heterogeneous() -> fm.Bernoulli:
    """The text's synthetic instance as far as it is told: every agent's means drawn uniformly. The draw is ours."""
    means = np.random.default_rng(SEED).uniform(size=(N_AGENTS, N_ARMS))
    return fm.Bernoulli(means)


def circulant(degree: int) -> "nx.Graph[int]":
    """The nearest-neighbour circulant graph of Table 1."""
    return nx.circulant_graph(N_AGENTS, list(range(1, degree // 2 + 1)))


def grid() -> "nx.Graph[int]":
    """The 4 x 4 grid."""
    return nx.convert_node_labels_to_integers(nx.grid_2d_graph(4, 4))


APART = ((0.95, 0.05), (0.20, 0.90))  # means of two regions; with 2 and 3 parts of the agents arm 1 is best by .06


def two_cliques() -> tuple[fm.Bernoulli, fm.ErdosRenyi]:
    """Cliques of 80 and 120 agents, each with tastes of its own, joined by one bridge; links up with .9 (E-22)."""
    graph = nx.disjoint_union(nx.complete_graph(80), nx.complete_graph(120))
    graph.add_edge(0, 80)
    return fm.Bernoulli(np.repeat(APART, (80, 120), axis=0)), fm.ErdosRenyi(graph, 0.9)


def regional_grid(side: int) -> tuple[fm.Bernoulli, fm.ErdosRenyi]:
    """A square grid of which the first two fifths of the rows have the tastes of one region; links up with .9."""
    graph = nx.convert_node_labels_to_integers(nx.grid_2d_graph(side, side))
    first = 2 * side * side // 5
    return fm.Bernoulli(np.repeat(APART, (first, side * side - first), axis=0)), fm.ErdosRenyi(graph, 0.9)
