"""The stochastic block model: links inside clusters with one probability, across clusters with another.

Agents stand in a line, cluster after cluster. The later agents that the one at place a can be linked to are
then two ranges: the rest of its own cluster, and all that follow. A range with a small probability is
crossed by geometric skips from link to link (Batagelj and Brandes 2005), one with a large one coin by coin.
A round costs O(agents + links), whatever the number of pairs and clusters.
"""

from functools import cached_property
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, ValidationInfo, model_validator

from folkmoot.coins import Coins
from folkmoot.configuration import LEFT_OUT, Plain
from folkmoot.doors import number
from folkmoot.errors import brief
from folkmoot.interface import Links, implements, kernel
from folkmoot.world.block_graph import BlockGraph
from folkmoot.world.block_links import (
    SKIP_ACROSS,
    SKIP_WITHIN,
    Chance,
    chance_of,
    count_links,
    draw_range,
    lay_rows,
    room_for,
    room_for_links,
    sort_rows,
)
from folkmoot.world.block_matrix import Matrix, MatrixGraph, MatrixModelRecord, checked_matrix, matrix_record
from folkmoot.world.clusters import Labels, chosen_labels, cluster_labels, describe_clusters, karate_labels
from folkmoot.world.graphs import named_graph
from folkmoot.world.in_file import InFile
from folkmoot.world.networks import Network

_MEMORY_LIMIT = 16 * 2**30  # bytes of one Links record


def most_links(pairs_within: int, pairs_across: int, within: float, across: float) -> int:
    """Room for the links of a round: see `room_for`."""
    mean = within * pairs_within + across * pairs_across
    return room_for(mean, (within > 0.0) * pairs_within + (across > 0.0) * pairs_across)


def _probability(name: str, value: object) -> float:
    if not 0.0 <= number(value) <= 1.0:
        raise ValueError(f"{name} = {brief(value)}: expected a probability from 0 to 1")
    return number(value)


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

    (UCB-SBM, arXiv 2502.08003.) Or each pair of clusters has a probability of its own (Holland, Laskey and Leinhardt
    1983). Pairs and rounds are independent. Probabilities of 1/4 and more are rounded to multiples of 2**-32; smaller
    ones hold up to 2**-53. The base graph has the pairs whose probability is not 0.

    Args:
        labels: int [n_agents], the cluster of each agent: 0, ..., C-1, in any order, none of them empty.
        within: link probability inside a cluster, in [0, 1].
        across: link probability of agents of different clusters, in [0, 1].
        probabilities: in place of these two, a symmetric [C, C] matrix: entry (c, d) is the link probability of an
            agent of cluster c and another of cluster d.

    Attributes:
        labels: int64 [n_agents]. In a file, by default those of the rewards.
        sizes: in a file, in place of labels: numbers of agents of the clusters, one cluster after the other.
        n_clusters: C.
        link_probability: that of all pairs which can be linked, if it is the same for all; else None.

    Raises:
        ValueError: no agents, a label that is no such integer, an empty cluster, a probability outside
            [0, 1], a matrix that is not symmetric or of another size, both or none of the two ways to say it, or so
            many links that a round would need more than 16 GiB.
    """

    clusters: Annotated[Labels, Plain(list[int] | None)] = Field(LEFT_OUT, alias="labels")
    sizes: list[int] | None = Field(None, repr=False)
    within: Annotated[float, Plain(float | None)] = LEFT_OUT
    across: Annotated[float, Plain(float | None)] = LEFT_OUT
    probabilities: Annotated[Matrix | None, Plain(list[list[float]] | None)] = None

    def __init__(
        self,
        labels: ArrayLike,
        within: float | None = None,
        across: float | None = None,
        *,
        probabilities: ArrayLike | None = None,
    ) -> None:
        self._write(labels=labels, within=within, across=across, probabilities=probabilities)

    @model_validator(mode="after")
    def _every_pair_has_a_probability(self, info: ValidationInfo) -> Self:
        context: InFile | None = info.context
        given = self.clusters if context is None else chosen_labels(self.clusters, self.sizes, context.labels)
        labels = cluster_labels(given)
        if context is not None and len(labels) != context.agents():
            raise ValueError(f"clusters of {len(labels)} agents: the rewards are for {context.agents()}")
        self._settle(clusters=labels, sizes=None, **self._checked(int(labels.max()) + 1))
        n_bytes = 16 * self.room + 32 * self.n_agents
        if n_bytes > _MEMORY_LIMIT:
            two = f"within = {self.within}, across = {self.across}" if self.probabilities is None else "probabilities"
            raise ValueError(
                f"{two} with {self.n_agents} agents: room for "
                f"{self.room} links would need {n_bytes / 2**30:.0f} GiB a replicate; "
                f"allowed are {_MEMORY_LIMIT // 2**30} GiB"
            )
        return self

    def _checked(self, n_clusters: int) -> dict[str, Any]:
        """The probabilities, whichever way they are given."""
        two: dict[str, Any] = {"within": self.within, "across": self.across}
        if self.probabilities is not None:
            if any(value is not None for value in two.values()):
                raise ValueError("probabilities: expected these, or within and across, got both")
            return {"probabilities": checked_matrix(self.probabilities, n_clusters)}
        for name, value in two.items():
            if value is None:
                raise ValueError(f"{name}: missing; expected within and across, or probabilities")
        return {name: _probability(name, value) for name, value in two.items()}

    @property
    def labels(self) -> Labels:
        return self.clusters

    @property
    def n_clusters(self) -> int:
        return len(self.base.sizes)

    @cached_property
    def base(self) -> BlockGraph | MatrixGraph:
        if self.probabilities is None:
            return BlockGraph(self.labels, self.within > 0.0, self.across > 0.0)
        return MatrixGraph(self.labels, self.probabilities > 0.0)

    @cached_property
    def link_probability(self) -> float | None:
        if isinstance(self.base, BlockGraph):
            pairs = self.base.pairs_within, self.base.pairs_across
            possible = {p for p, count in zip((self.within, self.across), pairs, strict=True) if p > 0.0 and count > 0}
        else:
            possible = set(self._matrix[(self.base.pairs > 0) & (self._matrix > 0.0)].tolist())
        return possible.pop() if len(possible) == 1 else None

    @property
    def _matrix(self) -> Matrix:
        assert self.probabilities is not None
        return self.probabilities

    @cached_property
    def room(self) -> int:
        """For how many links of a round there is room."""
        if isinstance(self.base, BlockGraph):
            return most_links(self.base.pairs_within, self.base.pairs_across, self.within, self.across)
        return room_for(float(np.triu(self._matrix * self.base.pairs).sum()), self.base.n_edges)

    def record(self) -> BlockModelRecord | MatrixModelRecord:
        order = np.argsort(self.labels, kind="stable")
        in_order = bool((np.diff(self.labels) >= 0).all())
        if not isinstance(self.base, BlockGraph):
            return matrix_record(self._matrix, self.base.sizes, order, in_order, self.room)
        border = np.cumsum(self.base.sizes)[self.labels[order]]
        within, across = chance_of(self.within, with_skips=True), chance_of(self.across, with_skips=True)
        return BlockModelRecord(order, border, in_order, within, across, self.room)

    def describe(self) -> dict[str, Any]:
        if self.probabilities is not None:
            two: dict[str, Any] = {"probabilities": self.probabilities.tolist()}
        else:
            two = {"within": self.within, "across": self.across}
        return {**super().describe(), **describe_clusters(self.labels), **two}


def karate_block_model() -> StochasticBlockModel:
    """Zachary's karate club as a block model: the share of pairs that are friends inside and across its two sides."""
    labels, friends = karate_labels(), named_graph("karate", 34)
    rows = np.repeat(np.arange(friends.n_agents), friends.degree)
    inside = int((labels[rows] == labels[friends.neighbours]).sum()) // 2
    pairs = BlockGraph(labels, True, True)
    return StochasticBlockModel(labels, inside / pairs.pairs_within, (friends.n_edges - inside) / pairs.pairs_across)


@implements(BlockModelRecord)
def links(network: BlockModelRecord) -> Links:
    return room_for_links(len(network.order), network.most_links, network.in_order)


@implements(BlockModelRecord)
def draw_links(network: BlockModelRecord, t: int, coins: Coins, links: Links) -> None:
    """Draw the links of place after place, lay out rows.

    When every agent stands at its own place the links come in such an order that rows are increasing; otherwise rows
    are sorted, into where the drawn links were.
    """
    half = 2 * network.most_links
    source = half if network.in_order else 0
    draw_places(network, t, coins, links, source)
    size = lay_rows(network, links, source, half - source)
    if not network.in_order:
        sort_rows(links, half, size)


@kernel
def draw_places(network: BlockModelRecord, t: int, coins: Coins, links: Links, end: int) -> None:
    """Write the links of round t from `end` on: of each place, the linked agents behind it; count the links of all."""
    n = len(network.order)
    limit = end + network.most_links
    for i in range(n):
        links.count[i] = 0
    for a in range(n):
        begin, border = end, network.border[a]
        end = draw_range(network, network.within, SKIP_WITHIN, t, coins, a, a + 1, border, links, end, limit)
        end = draw_range(network, network.across, SKIP_ACROSS, t, coins, a, border, n, links, end, limit)
        count_links(links, network.order[a], begin, end)
