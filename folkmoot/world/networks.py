"""Networks: which links are up in a round. Static, Erdos-Renyi over a base graph, recorded."""

from collections.abc import Iterable, Sequence
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.coins import LINK, block
from folkmoot.interface import Links, implements
from folkmoot.world.graphs import BaseGraph, GraphFacts, as_base_graph, from_edges

if TYPE_CHECKING:
    import networkx as nx

_DIGEST_EDGES = 2_000  # up to so many edges are written out in a result's configuration


class Network:
    """What every network offers: its base graph, its link probability, its record for the kernels.

    Attributes:
        base: who could ever talk to whom.
        link_probability: probability that an edge of the base graph is up in a round; None if not constant.
        labels: int64 [n_agents], the cluster of each agent; None if there are no clusters.
    """

    base: GraphFacts
    link_probability: float | None = None
    labels: NDArray[np.int64] | None = None

    @property
    def n_agents(self) -> int:
        """Number of agents."""
        return self.base.n_agents

    def record(self) -> NamedTuple:
        """What the kernels need: numbers and arrays only."""
        raise TypeError(f"{type(self).__name__} does not define record()")

    def describe(self) -> dict[str, Any]:
        """The configuration as plain values, for provenance."""
        out: dict[str, Any] = {"type": type(self).__name__, "n_agents": self.n_agents, "edges": self.base.n_edges}
        if isinstance(self.base, BaseGraph) and self.base.n_edges <= _DIGEST_EDGES:
            rows = np.repeat(np.arange(self.n_agents), self.base.degree)
            upper = rows < self.base.neighbours
            out["edge_list"] = np.stack([rows[upper], self.base.neighbours[upper]], axis=1).tolist()
        if self.link_probability is not None:
            out["link_probability"] = self.link_probability
        return out


# --- Static -------------------------------------------------------------------------------------------


class StaticRecord(NamedTuple):
    """Every edge of the base graph, in every round."""

    start: np.ndarray  # int64 [n_agents + 1]
    neighbours: np.ndarray  # int32 [2 n_edges]


class Static(Network):
    """The same links in every round: all edges of an undirected graph.

    Args:
        graph: a networkx graph; agent i is its i-th node.

    Raises:
        ValueError: not an undirected graph with at least one node.
    """

    base: BaseGraph
    link_probability = 1.0

    def __init__(self, graph: "nx.Graph[Any] | BaseGraph") -> None:
        self.base = as_base_graph(graph)

    def record(self) -> StaticRecord:
        return StaticRecord(self.base.start, self.base.neighbours)


@implements(StaticRecord)
def links(network):
    start = network.start[:-1].copy()
    return Links(start, network.start[1:] - start, network.neighbours)


# --- Erdos-Renyi --------------------------------------------------------------------------------------


class ErdosRenyiRecord(NamedTuple):
    """Each edge of the base graph is up with the same probability, independently."""

    start: np.ndarray  # int64 [n_agents + 1]
    neighbours: np.ndarray  # int32 [2 n_edges]
    upper: np.ndarray  # int64 [n_agents], where in the row the neighbours above i begin
    threshold: float  # link probability times 2**32


class ErdosRenyi(Network):
    """Each edge of a base graph is up with probability p, independently of the others and in every round.

    (GSE, Assumption 3.1. The probability is rounded to a multiple of 2**-32.)

    Args:
        base_graph: a networkx graph; agent i is its i-th node.
        link_probability: p in (0, 1].

    Raises:
        ValueError: not an undirected graph, or p outside (0, 1].
    """

    base: BaseGraph

    def __init__(self, base_graph: "nx.Graph[Any] | BaseGraph", link_probability: float) -> None:
        self.base = as_base_graph(base_graph)
        try:
            self.link_probability = float(link_probability)
        except (TypeError, ValueError):
            self.link_probability = float("nan")
        if not 0.0 < self.link_probability <= 1.0:
            raise ValueError(f"link_probability = {link_probability!r}: expected a probability in (0, 1]")

    def record(self) -> ErdosRenyiRecord:
        rows = np.repeat(np.arange(self.n_agents), self.base.degree)
        below = np.bincount(rows[self.base.neighbours < rows], minlength=self.n_agents)
        upper = self.base.start[:-1] + below
        assert self.link_probability is not None
        return ErdosRenyiRecord(self.base.start, self.base.neighbours, upper, self.link_probability * 2.0**32)


@implements(ErdosRenyiRecord)
def links(network):
    n = len(network.start) - 1
    return Links(network.start[:-1].copy(), np.zeros(n, np.int64), np.zeros(len(network.neighbours), np.int32))


@implements(ErdosRenyiRecord)
def draw_links(network, t, coins, links):
    """The coin of link (i, j), i < j, is word j mod 4 of the block named (t, i, j div 4): in a dense
    row four links share a block. Each link is looked at once and written into both rows.
    """
    start, count, neighbours = links.start, links.count, links.neighbours
    n = len(start)
    for i in range(n):
        count[i] = 0
    for i in range(n):
        tile, w0, w1, w2, w3 = -1, 0, 0, 0, 0
        for e in range(network.upper[i], network.start[i + 1]):
            j = int(network.neighbours[e])
            if j >> 2 != tile:
                tile = j >> 2
                w0, w1, w2, w3 = block(coins, LINK, t, i, tile)
            low, high = (w1, w3) if j & 1 else (w0, w2)
            up = 1 if (high if j & 2 else low) < network.threshold else 0
            neighbours[start[i] + count[i]] = j
            count[i] += up
            neighbours[start[j] + count[j]] = i
            count[j] += up


# --- Recorded -----------------------------------------------------------------------------------------


class RecordedRecord(NamedTuple):
    """The rounds of a recording, row after row of all of them in one table."""

    start: np.ndarray  # int64 [n_rounds, n_agents + 1]
    neighbours: np.ndarray  # int32 [all links of all rounds]
    capacity: int  # most links (counted at both ends) in a round


class Recorded(Network):
    """Links as observed: one list of edges a round, played again from the start when it ends.

    Args:
        rounds: for each round a list of pairs (i, j) of agents.
        n_agents: number of agents; by default one more than the largest that occurs.

    Raises:
        ValueError: no rounds, an edge that is not a pair of different agents, or n_agents below 1.
    """

    base: BaseGraph

    def __init__(self, rounds: Sequence[Iterable[tuple[int, int]]], n_agents: int | None = None) -> None:
        if n_agents is not None and (isinstance(n_agents, bool) or not isinstance(n_agents, int) or n_agents < 1):
            raise ValueError(f"n_agents = {n_agents!r}: expected an integer of at least 1")
        try:
            edges = [np.array([(index(i), index(j)) for i, j in r], np.int64).reshape(-1, 2) for r in rounds]
        except (TypeError, ValueError, OverflowError):
            raise ValueError("recorded rounds: expected lists of pairs of agent numbers") from None
        if len(edges) == 0:
            raise ValueError("recorded rounds: expected at least one, got none")
        together = np.concatenate(edges)
        n = int(together.max(initial=0)) + 1 if n_agents is None else n_agents
        self.base = from_edges(n, together)
        self.rounds = [from_edges(n, e) for e in edges]

    def record(self) -> RecordedRecord:
        offsets = np.cumsum([0, *(len(r.neighbours) for r in self.rounds)])
        start = np.stack([r.start + o for r, o in zip(self.rounds, offsets[:-1], strict=True)])
        neighbours = np.concatenate([r.neighbours for r in self.rounds])
        return RecordedRecord(start, neighbours, max(len(r.neighbours) for r in self.rounds))

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "recorded_rounds": len(self.rounds)}


@implements(RecordedRecord)
def links(network):
    n = network.start.shape[1] - 1
    return Links(np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(network.capacity, np.int32))


@implements(RecordedRecord)
def draw_links(network, t, coins, links):
    row = network.start[(t - 1) % len(network.start)]
    for i in range(len(row) - 1):
        links.start[i] = row[i] - row[0]
        links.count[i] = row[i + 1] - row[i]
    for e in range(row[-1] - row[0]):
        links.neighbours[e] = network.neighbours[row[0] + e]
