"""The stochastic block model: links inside clusters with one probability, across clusters with another.

Agents stand in a line, cluster after cluster. The later agents that the one at place a can be linked to are
then two ranges: the rest of its own cluster, and all that follow. A range with a small probability is
crossed by geometric skips from link to link (Batagelj and Brandes 2005), one with a large one coin by coin.
A round costs O(agents + links), whatever the number of pairs and clusters.
"""

from functools import cached_property
from math import ceil, log, log1p, sqrt
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, ValidationInfo, model_validator

from folkmoot.coins import LINK, Coins, block, uniform
from folkmoot.configuration import LEFT_OUT, Plain
from folkmoot.interface import Links, implements, kernel
from folkmoot.world.block_graph import BlockGraph
from folkmoot.world.clusters import Labels, chosen_labels, cluster_labels, describe_clusters, karate_labels
from folkmoot.world.graphs import named_graph
from folkmoot.world.in_file import InFile
from folkmoot.world.means import number
from folkmoot.world.networks import Network

_DENSE = 0.25  # from here on a coin a pair, four to a block, is no dearer than a skip a link
_MEMORY_LIMIT = 16 * 2**30  # bytes of one Links record
_LOG_OVERFLOW = 60.0  # a round has more links than there is room for with probability below exp(-60)

# The third coordinate of a coin: below 2**29 a block of four places (coin by coin), above it the number of a
# skip. Fewer than 2**30 agents, which the limit on memory ensures, keep the three apart.
_SKIP_WITHIN = 1 << 30
_SKIP_ACROSS = 1 << 31


def most_links(pairs_within: int, pairs_across: int, within: float, across: float) -> int:
    """Room for the links of a round: exceeded with probability below exp(-60) = 9e-27, or never if all fit.

    The number of links is a sum of independent coins of mean m, hence of variance at most m. Bernstein:
    P(links >= m + x) <= exp(-x^2 / (2 (m + x/3))), which is exp(-L) at x = L/3 + sqrt(L^2/9 + 2 m L). Over the
    2**32 rounds a run can have at most, that is below 4e-17. (Rounding a probability of at least 1/4 to
    2**-32 changes m by less than a billionth.)
    """
    mean = within * pairs_within + across * pairs_across
    possible = (within > 0.0) * pairs_within + (across > 0.0) * pairs_across
    third = _LOG_OVERFLOW / 3.0
    return min(possible, ceil(mean + third + sqrt(third * third + 2.0 * mean * _LOG_OVERFLOW)))


def _probability(name: str, value: object) -> float:
    if not 0.0 <= number(value) <= 1.0:
        raise ValueError(f"{name} = {value!r}: expected a probability from 0 to 1")
    return number(value)


class Chance(NamedTuple):
    """A link probability as the kernels use it."""

    threshold: float  # times 2**32
    log_miss: float  # log(1 - probability); 0 if a coin is tossed for each pair


def _chance(probability: float) -> Chance:
    return Chance(probability * 2.0**32, 0.0 if probability >= _DENSE else log1p(-probability))


class BlockModelRecord(NamedTuple):
    """The line of agents, and the two probabilities."""

    order: NDArray[np.int64]  # [n_agents], the agent at each place: cluster after cluster, increasing inside
    border: NDArray[np.int64]  # [n_agents], the place where the cluster after that of this place begins
    in_order: bool  # does every agent stand at the place of its number?
    within: Chance
    across: Chance
    most_links: int  # room in a round


class StochasticBlockModel(Network):
    """Each pair of a cluster is linked with one probability, each other pair with another, anew in every round.

    (UCB-SBM, arXiv 2502.08003.) Pairs and rounds are independent. Probabilities of 1/4 and more are rounded
    to multiples of 2**-32; smaller ones hold up to 2**-53. The base graph has the pairs whose probability
    is not 0.

    Args:
        labels: int [n_agents], the cluster of each agent: 0, ..., C-1, in any order, none of them empty.
        within: link probability inside a cluster, in [0, 1].
        across: link probability of agents of different clusters, in [0, 1].

    Attributes:
        labels: int64 [n_agents]. In a file, by default those of the rewards.
        sizes: in a file, in place of labels: numbers of agents of the clusters, one cluster after the other.
        n_clusters: C.
        link_probability: that of all pairs which can be linked, if it is the same for all; else None.

    Raises:
        ValueError: no agents, a label that is no such integer, an empty cluster, a probability outside
            [0, 1], or so many links that a round would need more than 16 GiB.
    """

    clusters: Annotated[Labels, Plain(list[int] | None)] = Field(LEFT_OUT, alias="labels")
    sizes: list[int] | None = Field(None, repr=False)
    within: Annotated[float, Plain(float)]
    across: Annotated[float, Plain(float)]

    def __init__(self, labels: ArrayLike, within: float, across: float) -> None:
        self._write(labels=labels, within=within, across=across)

    @model_validator(mode="after")
    def _every_pair_has_a_probability(self, info: ValidationInfo) -> Self:
        context: InFile | None = info.context
        given = self.clusters if context is None else chosen_labels(self.clusters, self.sizes, context.labels)
        labels = cluster_labels(given)
        if context is not None and len(labels) != context.agents():
            raise ValueError(f"clusters of {len(labels)} agents: the rewards are for {context.agents()}")
        within, across = _probability("within", self.within), _probability("across", self.across)
        self._settle(clusters=labels, sizes=None, within=within, across=across)
        n_bytes = 16 * self.room + 32 * self.n_agents
        if n_bytes > _MEMORY_LIMIT:
            raise ValueError(
                f"within = {within:g}, across = {across:g} with {self.n_agents} agents: room for "
                f"{self.room} links would need {n_bytes / 2**30:.0f} GiB a replicate; "
                f"allowed are {_MEMORY_LIMIT // 2**30} GiB"
            )
        return self

    @property
    def labels(self) -> Labels:
        return self.clusters

    @property
    def n_clusters(self) -> int:
        return len(self.base.sizes)

    @cached_property
    def base(self) -> BlockGraph:
        return BlockGraph(self.labels, self.within > 0.0, self.across > 0.0)

    @cached_property
    def link_probability(self) -> float | None:
        pairs = self.base.pairs_within, self.base.pairs_across
        possible = {p for p, count in zip((self.within, self.across), pairs, strict=True) if p > 0.0 and count > 0}
        return possible.pop() if len(possible) == 1 else None

    @cached_property
    def room(self) -> int:
        """For how many links of a round there is room."""
        return most_links(self.base.pairs_within, self.base.pairs_across, self.within, self.across)

    def record(self) -> BlockModelRecord:
        order = np.argsort(self.labels, kind="stable")
        border = np.cumsum(self.base.sizes)[self.labels[order]]
        in_order = bool((np.diff(self.labels) >= 0).all())
        return BlockModelRecord(order, border, in_order, _chance(self.within), _chance(self.across), self.room)

    def describe(self) -> dict[str, Any]:
        clusters = {**describe_clusters(self.labels), "within": self.within, "across": self.across}
        return {**super().describe(), **clusters}


def karate_block_model() -> StochasticBlockModel:
    """Zachary's karate club as a block model: the share of pairs that are friends inside and across its two sides."""
    labels, friends = karate_labels(), named_graph("karate", 34)
    rows = np.repeat(np.arange(friends.n_agents), friends.degree)
    inside = int((labels[rows] == labels[friends.neighbours]).sum()) // 2
    pairs = BlockGraph(labels, True, True)
    return StochasticBlockModel(labels, inside / pairs.pairs_within, (friends.n_edges - inside) / pairs.pairs_across)


@implements(BlockModelRecord)
def links(network: BlockModelRecord) -> Links:
    """Half of the room is for the rows, the other for what `draw_links` writes on the way."""
    n = len(network.order)
    return Links(np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(4 * network.most_links, np.int32))


@implements(BlockModelRecord)
def draw_links(network: BlockModelRecord, t: int, coins: Coins, links: Links) -> None:
    """Draw pairs of agents into one half, lay out their rows in the other.

    When every agent stands at its own place the pairs come in such an order that rows are increasing;
    otherwise they are turned back into the first half, which sorts them.
    """
    half = 2 * network.most_links
    if network.in_order:
        end = draw_pairs(network, t, coins, links.neighbours, half)
        lay_rows(links, half, end, 0)
    else:
        end = draw_pairs(network, t, coins, links.neighbours, 0)
        lay_rows(links, 0, end, half)
        sort_rows(links, half, end)


@kernel
def draw_pairs(network: BlockModelRecord, t: int, coins: Coins, pairs: NDArray[np.int32], end: int) -> int:
    """Write the linked pairs of round t into `pairs` from `end` on, two agents a link; returns the new end."""
    n = len(network.order)
    limit = end + 2 * network.most_links
    for a in range(n):
        border = network.border[a]
        end = draw_range(network, network.within, _SKIP_WITHIN, t, coins, a, a + 1, border, pairs, end, limit)
        end = draw_range(network, network.across, _SKIP_ACROSS, t, coins, a, border, n, pairs, end, limit)
    return end


@kernel
def draw_range(
    network: BlockModelRecord,
    chance: Chance,
    name: int,
    t: int,
    coins: Coins,
    a: int,
    first: int,
    last: int,
    pairs: NDArray[np.int32],
    end: int,
    limit: int,
) -> int:
    """As draw_pairs, for the agent at place a and those at places first, ..., last - 1.

    Coin by coin, the coin of places (a, b) is word b mod 4 of the block (t, a, b div 4). A skip is the number of
    failures before a success, floor(log(1 - u) / log(1 - p)) with u uniform: the geometric law by inversion.
    """
    b = first
    if chance.threshold == 0.0:
        b = last
    elif chance.log_miss == 0.0:
        tile, w0, w1, w2, w3 = -1, 0, 0, 0, 0
        while b < last:
            if b >> 2 != tile:
                tile = b >> 2
                w0, w1, w2, w3 = block(coins, LINK, t, a, tile)
            low, high = (w1, w3) if b & 1 else (w0, w2)
            if (high if b & 2 else low) < chance.threshold:
                end = note_pair(network, a, b, pairs, end, limit)
            b += 1
    draw = 0
    while b < last:
        skip = log(1.0 - uniform(coins, LINK, t, a, name + draw)) / chance.log_miss
        draw += 1
        if skip >= last - b:
            b = last
        else:
            b += int(skip)
            end = note_pair(network, a, b, pairs, end, limit)
            b += 1
    return end


@kernel
def note_pair(network: BlockModelRecord, a: int, b: int, pairs: NDArray[np.int32], end: int, limit: int) -> int:
    """Write down the agents at two places. Never beyond the limit: see `most_links` for how improbable that is."""
    if end >= limit:
        raise OverflowError("stochastic block model: a round has more links than there is room for")
    pairs[end] = network.order[a]
    pairs[end + 1] = network.order[b]
    return end + 2


@kernel
def lay_rows(links: Links, source: int, end: int, target: int) -> None:
    """From pairs at source, ..., end - 1 to rows that begin at `target + start`."""
    start, count, neighbours = links.start, links.count, links.neighbours
    n = len(start)
    for i in range(n):
        count[i] = 0
    for e in range(source, end):
        count[neighbours[e]] += 1
    place = 0
    for i in range(n):
        start[i] = place
        place += count[i]
        count[i] = 0
    for e in range(source, end, 2):
        i, j = int(neighbours[e]), int(neighbours[e + 1])
        neighbours[target + start[i] + count[i]] = j
        count[i] += 1
        neighbours[target + start[j] + count[j]] = i
        count[j] += 1


@kernel
def sort_rows(links: Links, source: int, size: int) -> None:
    """Rows at `source + start` turned into rows at `start`: agent after agent enters its neighbours' rows."""
    start, count, neighbours = links.start, links.count, links.neighbours
    n = len(start)
    for i in range(n):
        count[i] = 0
    for i in range(n):
        last = start[i + 1] if i + 1 < n else size
        for e in range(start[i], last):
            j = int(neighbours[source + e])
            neighbours[start[j] + count[j]] = i
            count[j] += 1
