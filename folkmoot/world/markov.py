"""Links with memory: each edge of a base graph is a Markov chain with two states, up and down.

How it works: the state in a round is a function of coins, not of calls. The coin of a round either settles the state
whatever it was (up if it is below both chances to be up next, down if it is above both), or keeps it (slow links) or
turns it (links that change more often than not). So the state of any round is found by going back to the last coin that
settled it, or to round 0, which is drawn from the stationary law. `draw_links` keeps the states of the last round it
drew beside the links, with the round and the coins they belong to; where these do not fit, it goes back.
"""

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from folkmoot.coins import LINK, Coins, block, word_of
from folkmoot.configuration import Plain
from folkmoot.doors import number
from folkmoot.errors import brief
from folkmoot.interface import Links, implements, kernel
from folkmoot.world.edge_links import note_link, room_on_graph
from folkmoot.world.graphs import BaseGraph
from folkmoot.world.networks import OnGraph

if TYPE_CHECKING:
    import networkx as nx

_MOST = 2.0**32
_MIDDLE = 1 << 31  # words are kept in 32 bits with a sign


class MarkovRecord(NamedTuple):
    """Which words of a round settle the state of an edge. Thresholds are times 2**32."""

    start: NDArray[np.int64]  # [n_agents + 1]
    neighbours: NDArray[np.int32]  # [2 n_edges]
    upper: NDArray[np.int64]  # [n_agents], where in the row the neighbours above i begin
    settled_up: float  # a word below this: up, whatever it was
    settled_down: float  # a word from here on: down, whatever it was
    turns: bool  # a word between the two turns the state; else it keeps it
    first: float  # a word of round 0 below this: up


class Markov(OnGraph):
    """Each edge of a base graph comes up and goes down by a Markov chain of its own (the Gilbert model of a link).

    Edges are independent; a link that is down is up in the next round with probability `up`, one that is up is down in
    the next with probability `down`. Every round has the stationary law: an edge is up with probability
    up / (up + down), for 1 / down rounds on average. `up + down = 1` has no memory: it is Erdos-Renyi. Probabilities
    are rounded to multiples of 2**-32.

    Args:
        base_graph: a networkx graph; agent i is its i-th node.
        up: probability that a link which is down comes up, in (0, 1].
        down: probability that a link which is up goes down, in [0, 1].

    Attributes:
        share_up: up / (up + down), the share of rounds in which an edge is up.
        link_probability: None, for rounds are not independent: what an algorithm proves from p need not hold. One that
            asks for it can be given `share_up`.

    Raises:
        ValueError: not an undirected graph, or a probability out of its range.
    """

    up: Annotated[float, Plain(float)]
    down: Annotated[float, Plain(float)]

    def __init__(self, base_graph: "nx.Graph[Any] | BaseGraph", up: float, down: float) -> None:
        self._write(base=base_graph, up=up, down=down)

    @model_validator(mode="after")
    def _chances_are_probabilities(self) -> Self:
        up, down = number(self.up), number(self.down)
        if not 0.0 < up <= 1.0:
            raise ValueError(f"up = {brief(self.up)}: expected a probability in (0, 1]")
        if not 0.0 <= down <= 1.0:
            raise ValueError(f"down = {brief(self.down)}: expected a probability from 0 to 1")
        return self._settle(up=up, down=down)

    @property
    def share_up(self) -> float:
        return self.up / (self.up + self.down)

    def record(self) -> MarkovRecord:
        stays = 1.0 - self.down
        low, high = min(self.up, stays), max(self.up, stays)
        base, first = self.base, self.share_up * _MOST
        return MarkovRecord(base.start, base.neighbours, base.upper, low * _MOST, high * _MOST, self.up > stays, first)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "up": self.up, "down": self.down}


@implements(MarkovRecord)
def links(network: MarkovRecord) -> Links:
    """Behind the rows: the state of each edge (above the diagonal), then the round and the coins it belongs to."""
    return room_on_graph(network, len(network.neighbours) + 3)


@implements(MarkovRecord)
def draw_links(network: MarkovRecord, t: int, coins: Coins, links: Links) -> None:
    """The coin of link (i, j), i < j, is word j mod 4 of the block named (t, i, j div 4)."""
    neighbours = links.neighbours
    n, states = len(network.start) - 1, len(network.neighbours)
    mark = 2 * states
    low_word, high_word = coins.low - _MIDDLE, coins.high - _MIDDLE
    same_coins = neighbours[mark + 1] == low_word and neighbours[mark + 2] == high_word
    known = t > 1 and same_coins and neighbours[mark] == t - 1 - _MIDDLE
    for i in range(n):
        links.count[i] = 0
    for i in range(n):
        tile, w0, w1, w2, w3 = -1, 0, 0, 0, 0
        for e in range(network.upper[i], network.start[i + 1]):
            j = int(network.neighbours[e])
            if j >> 2 != tile:
                tile = j >> 2
                w0, w1, w2, w3 = block(coins, LINK, t, i, tile)
            word = word_of(j, w0, w1, w2, w3)
            if word < network.settled_up:
                up = 1
            elif word >= network.settled_down:
                up = 0
            else:
                before = int(neighbours[states + e]) if known else state_of(network, t - 1, coins, i, j)
                up = 1 - before if network.turns else before
            neighbours[states + e] = up
            note_link(links, i, j, up)
    neighbours[mark], neighbours[mark + 1], neighbours[mark + 2] = t - _MIDDLE, low_word, high_word


@kernel
def state_of(network: MarkovRecord, t: int, coins: Coins, i: int, j: int) -> int:
    """1 if link (i, j), i < j, is up in round t, 0 if not: back to the last word that settles it."""
    turned = 0
    for s in range(t, 0, -1):
        w0, w1, w2, w3 = block(coins, LINK, s, i, j >> 2)
        word = word_of(j, w0, w1, w2, w3)
        if word < network.settled_up:
            return 1 - turned
        if word >= network.settled_down:
            return turned
        if network.turns:
            turned = 1 - turned
    w0, w1, w2, w3 = block(coins, LINK, 0, i, j >> 2)
    return 1 - turned if word_of(j, w0, w1, w2, w3) < network.first else turned
