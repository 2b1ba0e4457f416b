"""Networks: which links are up in a round. Static, Erdos-Renyi over a base graph, recorded."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from folkmoot.coins import ROOM, Coins, word_in
from folkmoot.configuration import LEFT_OUT, Configuration, Plain
from folkmoot.doors import array
from folkmoot.errors import brief
from folkmoot.interface import Links, implements
from folkmoot.world.edge_links import room_on_graph, toss
from folkmoot.world.edge_probabilities import EdgewiseRecord, checked, described, edgewise, in_file
from folkmoot.world.graphs import BaseGraph, GraphFacts, as_base_graph, from_edges, named_graph, read_rounds
from folkmoot.world.in_file import InFile
from folkmoot.world.means import checked_agents

if TYPE_CHECKING:
    import networkx as nx

_MOST_BYTES = 16 * 2**30  # of a recording
_DIGEST_EDGES = 2_000  # up to so many edges are written out in a result's configuration


class Network(Configuration):
    """What every network offers: its base graph, its link probability, its record for the kernels.

    A field may not have the name of anything here: give it that name as an alias.

    Attributes:
        base: who could ever talk to whom.
        link_probability: probability that an edge of the base graph is up in a round, the smallest where edges have one
            each; None if it is not constant, or rounds or edges are not independent.
        labels: int64 [n_agents], the cluster of each agent; None if there are no clusters.
        one_sided: may an agent hear another that does not hear it in the same round?
    """

    says_its_name: ClassVar[bool] = False  # errors say what they are about: "edge (1, 9)"

    if TYPE_CHECKING:

        @property
        def base(self) -> GraphFacts: ...

    @property
    def link_probability(self) -> float | None:
        return None

    @property
    def labels(self) -> NDArray[np.int64] | None:
        return None

    @property
    def one_sided(self) -> bool:
        return False

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
            out["edge_list"] = self.base.edges().tolist()
        if self.link_probability is not None:
            out["link_probability"] = self.link_probability
        return out


def _base_graph(given: Any, context: InFile | None) -> BaseGraph:
    """A networkx graph, or in a file the name of a base graph, for as many agents as the rewards have.

    Raises:
        ValueError: see as_base_graph and named_graph.
    """
    if context is None:
        return as_base_graph(given)
    kind, colon, file = given.partition(":")
    inside = kind == "file" and colon and file
    return named_graph(f"file:{context.folder / file}" if inside else given, context.agents())


class OnGraph(Network):
    """A network over a base graph.

    Attributes:
        base: a networkx graph (agent i is its i-th node) or a BaseGraph; in a file the name of one.
    """

    base: Annotated[BaseGraph, Plain(str)]

    @model_validator(mode="after")
    def _base_is_a_graph(self, info: ValidationInfo) -> Self:
        return self._settle(base=_base_graph(self.base, info.context))


# --- Static -------------------------------------------------------------------------------------------


class StaticRecord(NamedTuple):
    """Every edge of the base graph, in every round."""

    start: NDArray[np.int64]  # [n_agents + 1]
    neighbours: NDArray[np.int32]  # [2 n_edges]


class Static(OnGraph):
    """The same links in every round: all edges of an undirected graph.

    Args:
        graph: a networkx graph; agent i is its i-th node.

    Raises:
        ValueError: not an undirected graph with at least one node.
    """

    def __init__(self, graph: "nx.Graph[Any] | BaseGraph") -> None:
        self._write(base=graph)

    @property
    def link_probability(self) -> float:
        return 1.0

    def record(self) -> StaticRecord:
        return StaticRecord(self.base.start, self.base.neighbours)


@implements(StaticRecord)
def links(network: StaticRecord) -> Links:
    start = network.start[:-1].copy()
    return Links(start, network.start[1:] - start, network.neighbours)


# --- Erdos-Renyi --------------------------------------------------------------------------------------


class ErdosRenyiRecord(NamedTuple):
    """Each edge of the base graph is up with the same probability, independently."""

    start: NDArray[np.int64]  # [n_agents + 1]
    neighbours: NDArray[np.int32]  # [2 n_edges]
    upper: NDArray[np.int64]  # [n_agents], where in the row the neighbours above i begin
    threshold: float  # link probability times 2**32


class ErdosRenyi(OnGraph):
    """Each edge of a base graph is up with probability p, independently of the others and in every round.

    (GSE, Assumption 3.1. Probabilities are rounded to multiples of 2**-32.)

    Args:
        base_graph: a networkx graph; agent i is its i-th node.
        link_probability: p in (0, 1]; or one for each edge: a symmetric [n_agents, n_agents] matrix (0 where there is
            no edge), {(i, j): probability} for every edge, or numbers in the order of the edges (0, 1), (0, 2), ... In
            a file the pairs are a table: `{ "0-1" = 0.3, "1-2" = 0.9 }`.

    Attributes:
        link_probability: p; where edges have one each the smallest, which is what bounds hold for.
        probability: as given; float64 [n_edges] where edges have one each.

    Raises:
        ValueError: not an undirected graph, a p outside (0, 1], or not one for every edge.
    """

    probability: Annotated[float | NDArray[np.float64], Plain(Annotated[Any, AfterValidator(in_file)])] = Field(
        alias="link_probability"
    )

    def __init__(self, base_graph: "nx.Graph[Any] | BaseGraph", link_probability: Any) -> None:
        self._write(base=base_graph, link_probability=link_probability)

    @model_validator(mode="after")
    def _every_edge_has_a_probability(self) -> Self:
        return self._settle(probability=checked(self.probability, self.base))

    @property
    def link_probability(self) -> float:
        return self.probability if isinstance(self.probability, float) else float(self.probability.min(initial=1.0))

    def record(self) -> ErdosRenyiRecord | EdgewiseRecord:
        if not isinstance(self.probability, float):
            return edgewise(self.base, self.probability)
        base = self.base
        return ErdosRenyiRecord(base.start, base.neighbours, base.upper, self.probability * 2.0**32)

    def describe(self) -> dict[str, Any]:
        out = super().describe()
        if not isinstance(self.probability, float):
            out |= described(self.probability)
        return out


@implements(ErdosRenyiRecord)
def links(network: ErdosRenyiRecord) -> Links:
    return room_on_graph(network)


@implements(ErdosRenyiRecord)
def draw_links(network: ErdosRenyiRecord, t: int, coins: Coins, links: Links) -> None:
    """The coin of link (i, j), i < j, is word j mod 4 of the block named (t, i, j div 4): in a dense
    row four links share a block. Each link is looked at once and written into both rows.
    """
    n, least_down = len(links.start), ceil(network.threshold)
    room = links.neighbours[len(network.neighbours) : len(network.neighbours) + ROOM]
    start, count, neighbours = links.start, links.count, links.neighbours
    for i in range(n):
        count[i] = start[i]  # until row i is whole: where its next link is to stand
    i, e = 0, network.upper[0]
    while i < n:
        end, last = toss(network, t, coins, links, i, e)
        q = -1
        while i <= end and i < n:
            tile, stop = -1, last if i == end else network.start[i + 1]
            mine = count[i]
            while e < stop:
                j = int(network.neighbours[e])
                if j >> 2 != tile:
                    tile = j >> 2
                    q += 1
                up = 1 if word_in(room, q, j) < least_down else 0
                neighbours[mine] = j
                mine += up
                neighbours[count[j]] = i
                count[j] += up
                e += 1
            count[i] = mine
            if i == end:
                break
            count[i] -= start[i]
            i += 1
            if i < n:
                e = network.upper[i]


# --- Recorded -----------------------------------------------------------------------------------------


class RecordedRecord(NamedTuple):
    """The rounds of a recording, row after row of all of them in one table."""

    start: NDArray[np.int64]  # [n_rounds, n_agents + 1]
    neighbours: NDArray[np.int32]  # [all links of all rounds]
    capacity: int  # most links (counted at both ends) in a round


class Recorded(Network):
    """Links as observed: one list of edges a round, played again from the start when it ends.

    Args:
        rounds: for each round a list of pairs (i, j) of agents.
        n_agents: number of agents; by default one more than the largest that occurs, in a file that of the rewards.

    Attributes:
        rounds: the graph of each round. In a file, the length of the recording; None is the last round with a link.
        file: in a file, in place of the rounds: text, a link a line as `ROUND AGENT AGENT`; rounds count from 1, agents
            from 0.

    Raises:
        ValueError: no rounds, an edge that is not a pair of different agents, or n_agents below 1.
    """

    rounds: Annotated[tuple[BaseGraph, ...], Plain(Annotated[int, Field(ge=1, lt=2**32)] | None)] = LEFT_OUT
    agents: Annotated[int | None, Plain(int | None)] = Field(None, alias="n_agents", repr=False)
    file: str | None = Field(None, repr=False)

    def __init__(self, rounds: Sequence[Iterable[tuple[int, int]]], n_agents: int | None = None) -> None:
        self._write(rounds=rounds, n_agents=n_agents)

    @model_validator(mode="after")
    def _rounds_are_graphs(self, info: ValidationInfo) -> Self:
        n = None if self.agents is None else checked_agents(self.agents)
        given: Any = self.rounds
        if info.context is not None:
            given, n = self._read(info.context, given), n or info.context.agents()
        return self._settle(rounds=_graphs(given, n), agents=None, file=None)

    def _read(self, context: InFile, length: int | None) -> list[list[tuple[int, int]]]:
        """The recording that a file names."""
        if self.file is None:
            raise ValueError('file: missing; expected file = "links.txt"')
        edges = read_rounds(context.folder / self.file)
        last = max(edges, default=0)
        length = last if length is None else length
        if length < last:
            raise ValueError(f"rounds = {length}: the recording has links in round {last}")
        return [edges.get(t, []) for t in range(1, length + 1)]

    @cached_property
    def base(self) -> BaseGraph:
        return from_edges(self.rounds[0].n_agents, np.concatenate([graph.edges() for graph in self.rounds]))

    def record(self) -> RecordedRecord:
        offsets = np.cumsum([0, *(len(r.neighbours) for r in self.rounds)])
        start = np.stack([r.start + o for r, o in zip(self.rounds, offsets[:-1], strict=True)])
        neighbours = np.concatenate([r.neighbours for r in self.rounds])
        return RecordedRecord(start, neighbours, max(len(r.neighbours) for r in self.rounds))

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "recorded_rounds": len(self.rounds)}


def _graphs(rounds: Any, n_agents: int | None) -> tuple[BaseGraph, ...]:
    """The graph of each round, from pairs of agents, or graphs as they are."""
    allowed = "lists of pairs of agent numbers"
    try:
        given = list(rounds)
        if given and all(isinstance(one, BaseGraph) for one in given):
            return tuple(given)
        lists = [list(one) for one in given]
    except TypeError:
        raise ValueError(f"recorded rounds = {brief(rounds)}: expected {allowed}") from None
    if len(lists) == 0:
        raise ValueError("recorded rounds: expected at least one, got none")
    edges = [_pairs(f"recorded rounds[{t}]", one, allowed) for t, one in enumerate(lists)]
    n = checked_agents(max(int(e.max(initial=0)) for e in edges) + 1) if n_agents is None else n_agents
    size = 8 * (n + 1) * len(edges)
    if size > _MOST_BYTES:
        raise ValueError(
            f"recorded rounds: {len(edges)} of {n} agents would need {size / 2**30:.0f} GiB; allowed are "
            f"{_MOST_BYTES // 2**30} GiB"
        )
    return tuple(from_edges(n, e) for e in edges)


def _pairs(name: str, given: list[Any], allowed: str) -> NDArray[np.int64]:
    """int64 [n_links, 2]."""
    pairs = array(name, given, allowed, "whole")
    if len(given) > 0 and (pairs.ndim != 2 or pairs.shape[1] != 2):
        raise ValueError(f"{name} of shape {pairs.shape}: expected {allowed}")
    return pairs.reshape(-1, 2)


@implements(RecordedRecord)
def links(network: RecordedRecord) -> Links:
    n = network.start.shape[1] - 1
    return Links(np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(network.capacity, np.int32))


@implements(RecordedRecord)
def draw_links(network: RecordedRecord, t: int, coins: Coins, links: Links) -> None:
    row = network.start[(t - 1) % len(network.start)]
    for i in range(len(row) - 1):
        links.start[i] = row[i] - row[0]
        links.count[i] = row[i + 1] - row[i]
    for e in range(row[-1] - row[0]):
        links.neighbours[e] = network.neighbours[row[0] + e]
