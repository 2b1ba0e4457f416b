"""Links that connect everybody over several rounds, never in one: B-connected sequences of graphs.

The notion is Nedic and Olshevsky's (2009, "Distributed subgradient methods for multi-agent optimization"): time is cut
into windows of B rounds, and the union of the links of a window is connected.
"""

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from folkmoot.coins import LINK, Coins, block, word_of
from folkmoot.configuration import Plain
from folkmoot.doors import is_whole
from folkmoot.errors import brief
from folkmoot.interface import Links, implements
from folkmoot.world.edge_links import note_link, room_on_graph
from folkmoot.world.graphs import BaseGraph
from folkmoot.world.networks import OnGraph

if TYPE_CHECKING:
    import networkx as nx


class BConnectedRecord(NamedTuple):
    """Each edge of the base graph is up once in a window."""

    start: NDArray[np.int64]  # [n_agents + 1]
    neighbours: NDArray[np.int32]  # [2 n_edges]
    upper: NDArray[np.int64]  # [n_agents], where in the row the neighbours above i begin
    window: int  # B


class BConnected(OnGraph):
    """Every edge of a connected graph is up in exactly one of each B rounds, drawn anew for each window and edge.

    So the links of rounds 1 to B, B + 1 to 2 B and so on are together the whole graph, while a single round has only
    one in B of them. Any 2 B - 1 rounds in a row contain a whole window.

    Args:
        base_graph: a connected networkx graph; agent i is its i-th node.
        rounds: B, the length of a window, from 1 to 2**16.

    Attributes:
        link_probability: None, for the rounds of a window are not independent; an edge is up in one round of B.

    Raises:
        ValueError: not a connected undirected graph, or B out of its range.
    """

    window: Annotated[int, Plain(int)] = Field(alias="rounds")

    def __init__(self, base_graph: "nx.Graph[Any] | BaseGraph", rounds: int) -> None:
        self._write(base=base_graph, rounds=rounds)

    @model_validator(mode="after")
    def _windows_connect(self) -> Self:
        rounds = self.window
        if not is_whole(rounds) or not 1 <= rounds <= 1 << 16:
            raise ValueError(f"rounds = {brief(rounds)}: expected an integer from 1 to 2**16")
        if not self.base.is_connected:
            raise ValueError("base graph: expected a connected one, this one falls apart")
        return self._settle(window=int(rounds))

    def record(self) -> BConnectedRecord:
        return BConnectedRecord(self.base.start, self.base.neighbours, self.base.upper, self.window)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "rounds": self.window}


@implements(BConnectedRecord)
def links(network: BConnectedRecord) -> Links:
    return room_on_graph(network, 0)


@implements(BConnectedRecord)
def draw_links(network: BConnectedRecord, t: int, coins: Coins, links: Links) -> None:
    """The coin of link (i, j), i < j, is word j mod 4 of the block named (window, i, j div 4); it says which round."""
    n = len(network.start) - 1
    window, place = (t - 1) // network.window, (t - 1) % network.window
    for i in range(n):
        links.count[i] = 0
    for i in range(n):
        tile, w0, w1, w2, w3 = -1, 0, 0, 0, 0
        for e in range(network.upper[i], network.start[i + 1]):
            j = int(network.neighbours[e])
            if j >> 2 != tile:
                tile = j >> 2
                w0, w1, w2, w3 = block(coins, LINK, window, i, tile)
            drawn = word_of(j, w0, w1, w2, w3) * network.window >> 32
            note_link(links, i, j, 1 if drawn == place else 0)
