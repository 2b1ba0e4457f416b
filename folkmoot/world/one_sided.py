"""Links that one side only may notice: each direction of a link is lost on its own.

How it works: the links of a round are drawn by the network inside; then every receiver loses each of its senders by a
coin of its own. So row i of the links is whom agent i *hears*: that i hears j does not say that j hears i.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, ValidationInfo, model_validator

from folkmoot import interface
from folkmoot.coins import LINK, Coins, block, word_of
from folkmoot.configuration import Plain, part
from folkmoot.doors import array, within
from folkmoot.interface import Links, implements, kernel
from folkmoot.world import NETWORKS
from folkmoot.world.graphs import BaseGraph, GraphFacts
from folkmoot.world.networks import Network
from folkmoot.world.pairs import by_pair, pairs_in_file

_LOST = LINK + 256  # a stream of its own: streams are below 128, and their multiples of 256 are free
_WRITTEN_OUT = 2_000  # up to so many probabilities are written out in a result's configuration
_MOST = 2.0**32

Loss = float | NDArray[np.float64] | dict[tuple[int, int], float]


class OneSidedRecord(NamedTuple):
    """The network inside, and how likely it is that a receiver does not hear a sender. Thresholds are times 2**32."""

    inner: NamedTuple
    threshold: NDArray[np.float64]  # [n_agents] of a receiver, for every sender that is not listed
    start: NDArray[np.int64]  # [n_agents + 1], where the listed senders of each receiver begin
    sender: NDArray[np.int64]  # [listed], increasing for each receiver
    listed: NDArray[np.float64]  # [listed], their thresholds


class OneSided(Network):
    """What is sent over a link that is up is lost with some probability, in each direction on its own.

    The sender does not learn of it. Directions, links and rounds are independent; probabilities are rounded to
    multiples of 2**-32. Messages and bytes of a result count what arrives.

    Args:
        network: who is linked to whom before anything is lost.
        loss: probability of a loss, each from 0 to 1: a number; float [n_agents], one for each receiver; or
            {(sender, receiver): probability}, where pairs that are not there lose nothing. In a file the pairs are a
            table: `loss = { "0-1" = 0.3 }` loses what agent 0 sends to agent 1.

    Attributes:
        link_probability: probability that a message crosses an edge of the base graph, if it is the same for all; else
            None.

    Raises:
        ValueError: not a network, one that is one-sided itself, a probability outside [0, 1], or a pair that no link
            ever joins.
    """

    network: Annotated[Network, part(NETWORKS)]
    loss: Annotated[Loss, Plain(float | list[float] | dict[str, float])] = Field()

    def __init__(self, network: Network, loss: float | ArrayLike | Mapping[tuple[int, int], float]) -> None:
        self._write(network=network, loss=loss)

    @model_validator(mode="after")
    def _every_pair_has_a_loss(self, info: ValidationInfo) -> Self:
        if not isinstance(self.network, Network):
            raise ValueError(f"network = {type(self.network).__name__}: expected a network such as Static(graph)")
        if self.network.one_sided:
            raise ValueError(f"network = {type(self.network).__name__}: expected one whose links both sides notice")
        given = self.loss if info.context is None else pairs_in_file("loss", self.loss)
        return self._settle(loss=_checked(given, self.network))

    @property
    def base(self) -> GraphFacts:
        return self.network.base

    @property
    def labels(self) -> NDArray[np.int64] | None:
        return self.network.labels

    @property
    def one_sided(self) -> bool:
        return True

    @cached_property
    def link_probability(self) -> float | None:
        p = self.network.link_probability
        if p is None or isinstance(self.loss, dict):
            return None
        losses = np.unique(self.loss)
        crossing = p * (1.0 - float(losses[0]))
        return crossing if len(losses) == 1 and crossing > 0.0 else None

    def record(self) -> OneSidedRecord:
        n = self.n_agents
        pairs = sorted((j, i, p) for (i, j), p in self.loss.items()) if isinstance(self.loss, dict) else []
        same = 0.0 if isinstance(self.loss, dict) else self.loss
        count = np.bincount([j for j, _, _ in pairs], minlength=n) if pairs else np.zeros(n, np.int64)
        return OneSidedRecord(
            self.network.record(),
            np.broadcast_to(np.asarray(same, np.float64) * _MOST, n).copy(),
            np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
            np.array([i for _, i, _ in pairs], np.int64),
            np.array([p for _, _, p in pairs], np.float64) * _MOST,
        )

    def describe(self) -> dict[str, Any]:
        head = {"type": "OneSided", "n_agents": self.n_agents, "edges": self.base.n_edges}
        out: dict[str, Any] = {**head, "network": self.network.describe()}
        if isinstance(self.loss, dict):
            listed = [[i, j, p] for (i, j), p in self.loss.items()]
            return {**out, "loss": listed} if len(listed) <= _WRITTEN_OUT else out
        values = np.asarray(self.loss)
        return {**out, "loss": values.tolist()} if values.size <= _WRITTEN_OUT else out


def _checked(loss: Any, network: Network) -> Loss:
    """A loss in one of its three forms.

    Raises:
        ValueError: see OneSided.
    """
    if isinstance(loss, Mapping):
        edges = network.base.edge_set if isinstance(network.base, BaseGraph) else None
        return by_pair("loss", loss, network.n_agents, edges)
    values = array("loss", loss, "a probability from 0 to 1, one for each agent, or a table of pairs")
    if values.ndim == 0:
        within(values, 0.0, 1.0, lambda: "loss", said="a probability from 0 to 1")
        return float(values)
    if values.shape != (network.n_agents,):
        raise ValueError(f"loss of shape {values.shape}: expected [n_agents] = ({network.n_agents},)")
    within(values, 0.0, 1.0, lambda i: f"loss of receiver {i}", said="a probability from 0 to 1")
    values.setflags(write=False)
    return values


@kernel
def links_inside(links: Links) -> Links:
    """The links before losses, which stand behind the rows of what is heard: see `links`."""
    n = len(links.start)
    behind = links.neighbours[len(links.neighbours) - 4 * n :].view(np.int64)
    room = len(links.neighbours) // 2 - 2 * n
    return Links(behind[:n], behind[n:], links.neighbours[room : 2 * room])


@implements(OneSidedRecord)
def links(network: OneSidedRecord) -> Links:
    """`neighbours` holds three things: rows of whom each agent hears, then the rows of the network inside (which may
    keep something in them from round to round), then that network's `start` and `count`.
    """
    inner = interface.links(network.inner)
    n, size = len(network.threshold), len(inner.neighbours)
    size += size & 1  # so that 64-bit numbers stand where they may
    heard = Links(np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(2 * size + 4 * n, np.int32))
    before = links_inside(heard)
    for i in range(n):
        before.start[i] = inner.start[i]
        before.count[i] = inner.count[i]
    for e in range(len(inner.neighbours)):
        before.neighbours[e] = inner.neighbours[e]
    return heard


@implements(OneSidedRecord)
def draw_links(network: OneSidedRecord, t: int, coins: Coins, links: Links) -> None:
    """The coin of what j sends to i is word j mod 4 of the block named (t, i, j div 4)."""
    before = links_inside(links)
    interface.draw_links(network.inner, t, coins, before)
    end = 0
    for i in range(len(links.start)):
        links.start[i] = end
        tile, w0, w1, w2, w3 = -1, 0, 0, 0, 0
        place, last = network.start[i], network.start[i + 1]
        for e in range(before.start[i], before.start[i] + before.count[i]):
            j = int(before.neighbours[e])
            while place < last and network.sender[place] < j:
                place += 1
            threshold = network.threshold[i]
            if place < last and network.sender[place] == j:
                threshold = network.listed[place]
            if j >> 2 != tile:
                tile = j >> 2
                w0, w1, w2, w3 = block(coins, _LOST, t, i, tile)
            links.neighbours[end] = j
            end += 0 if word_of(j, w0, w1, w2, w3) < threshold else 1
        links.count[i] = end - links.start[i]
