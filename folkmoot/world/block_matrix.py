"""The stochastic block model with a link probability for each pair of clusters.

It is drawn as the one with two probabilities is (see `folkmoot.world.block_model`), with a range for each cluster: a
round costs O(agents * clusters + links). The base graph is known by closed forms: no edge is ever stored.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from folkmoot.coins import LINK, Coins
from folkmoot.doors import array, within
from folkmoot.encoding import digest
from folkmoot.interface import Links, implements, kernel
from folkmoot.world.block_links import (
    NO_SKIPS,
    SKIP_ACROSS,
    SKIP_WITHIN,
    Chance,
    chance_of,
    count_links,
    draw_range,
    lay_rows,
    room_for_links,
    sort_rows,
)

Matrix = NDArray[np.float64]


def checked_matrix(given: ArrayLike, n_clusters: int) -> Matrix:
    """Link probabilities by clusters, float64 [n_clusters, n_clusters], not to be changed.

    Raises:
        ValueError: another shape, not symmetric, or a probability outside [0, 1].
    """
    matrix = array("probabilities", given, "a table of numbers [n_clusters, n_clusters]")
    if matrix.shape != (n_clusters, n_clusters):
        raise ValueError(
            f"probabilities of shape {matrix.shape}: expected [n_clusters, n_clusters] = ({n_clusters}, {n_clusters})"
        )
    within(matrix, 0.0, 1.0, lambda c, d: f"probability of clusters {c} and {d}")
    if not np.array_equal(matrix, matrix.T):
        c, d = (int(x) for x in np.argwhere(matrix != matrix.T)[0])
        raise ValueError(
            f"probability of clusters {c} and {d} = {matrix[c, d]}, of {d} and {c} = {matrix[d, c]}: expected the same"
        )
    matrix.setflags(write=False)
    return matrix


@dataclass(frozen=True, eq=False)
class MatrixGraph:
    """All pairs of agents whose clusters are joined.

    Attributes:
        labels: int64 [n_agents], the cluster of each agent; no cluster is empty.
        joined: bool [n_clusters, n_clusters], symmetric: are agents of two clusters neighbours? On the diagonal, those
            of one cluster.
    """

    labels: NDArray[np.int64]
    joined: NDArray[np.bool_]

    @cached_property
    def digest(self) -> bytes:
        """What tells its edges from those of another graph."""
        rows = digest("rows", self.labels.tobytes()), digest("rows", self.joined.tobytes())
        return digest("matrix graph", rows)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Number of agents of each cluster, int64 [n_clusters]."""
        return np.bincount(self.labels)

    @property
    def n_agents(self) -> int:
        """Number of agents."""
        return len(self.labels)

    @cached_property
    def pairs(self) -> NDArray[np.int64]:
        """Number of pairs of agents of each two clusters, int64 [n_clusters, n_clusters]."""
        pairs = np.outer(self.sizes, self.sizes)
        np.fill_diagonal(pairs, self.sizes * (self.sizes - 1) // 2)
        return pairs

    @cached_property
    def n_edges(self) -> int:
        """Number of undirected edges."""
        return int(np.triu(self.pairs * self.joined).sum())

    @cached_property
    def _degrees(self) -> NDArray[np.int64]:
        """Number of neighbours of an agent of each cluster."""
        return np.asarray(self.joined @ self.sizes - np.diag(self.joined))

    @cached_property
    def degree(self) -> NDArray[np.int64]:
        """Number of neighbours of each agent, int64 [n_agents]."""
        return np.asarray(self._degrees[self.labels])

    @cached_property
    def _hops(self) -> NDArray[np.float64]:
        """Hops between agents of two clusters, [n_clusters, n_clusters]; between two of one cluster on the diagonal."""
        from scipy.sparse.csgraph import shortest_path

        other = self.joined & ~np.eye(len(self.sizes), dtype=bool)
        hops: NDArray[np.float64] = shortest_path(other.astype(float), unweighted=True)
        for c, size in enumerate(self.sizes):
            hops[c, c] = 0.0 if size == 1 else 1.0 if self.joined[c, c] else 2.0 if other[c].any() else np.inf
        return hops

    @property
    def is_connected(self) -> bool:
        """Can a message reach everybody over enough hops?"""
        return bool(np.isfinite(self._hops).all())

    @property
    def is_complete(self) -> bool:
        """Are all pairs neighbours?"""
        return self.n_edges == self.n_agents * (self.n_agents - 1) // 2

    @property
    def algebraic_connectivity(self) -> float:
        """The second smallest eigenvalue of the Laplacian (0 when disconnected or a single agent).

        Vectors that are 0 outside a cluster and sum to 0 inside it have the eigenvalue of its degree, plus 1 where its
        agents are neighbours. All others are constant on clusters; scaled by the roots of the sizes, the Laplacian is a
        symmetric matrix on clusters there.
        """
        if self.n_agents == 1 or not self.is_connected:
            return 0.0
        root = np.sqrt(self.sizes)
        inside = np.diag(self.joined)
        laplacian = np.diag((self._degrees + inside).astype(float)) - self.joined * np.outer(root, root)
        values = [*np.linalg.eigvalsh(laplacian)[1:], *(self._degrees + inside)[self.sizes > 1]]
        return float(min(values))

    @property
    def diameter(self) -> int:
        """The longest shortest path in hops (0 for a single agent).

        Raises:
            ValueError: the graph is not connected.
        """
        if not self.is_connected:
            raise ValueError("base graph: expected a connected graph to have a diameter")
        return int(self._hops.max())


class MatrixModelRecord(NamedTuple):
    """The line of agents, and the probabilities."""

    order: NDArray[np.int64]  # [n_agents], the agent at each place: cluster after cluster, increasing inside
    border: NDArray[np.int64]  # [n_clusters], the place where the next cluster begins
    in_order: bool  # does every agent stand at the place of its number?
    threshold: NDArray[np.float64]  # [n_clusters, n_clusters], as in Chance
    log_miss: NDArray[np.float64]  # [n_clusters, n_clusters], as in Chance
    skips: NDArray[np.int16]  # none
    most_links: int  # room in a round


def matrix_record(
    matrix: Matrix, sizes: NDArray[np.int64], order: NDArray[np.int64], in_order: bool, room: int
) -> MatrixModelRecord:
    """The record of a checked matrix, for clusters of these sizes."""
    chances: list[list[Any]] = [[chance_of(p) for p in row] for row in matrix.tolist()]
    threshold = np.array([[chance.threshold for chance in row] for row in chances])
    log_miss = np.array([[chance.log_miss for chance in row] for row in chances])
    return MatrixModelRecord(order, np.cumsum(sizes), in_order, threshold, log_miss, NO_SKIPS, room)


@implements(MatrixModelRecord)
def links(network: MatrixModelRecord) -> Links:
    return room_for_links(len(network.order), network.most_links, network.in_order)


@implements(MatrixModelRecord)
def draw_links(network: MatrixModelRecord, t: int, coins: Coins, links: Links) -> None:
    """As with two probabilities."""
    half = 2 * network.most_links
    source = half if network.in_order else 0
    draw_places_by_matrix(network, t, coins, links, source)
    size = lay_rows(network, links, source, half - source)
    if not network.in_order:
        sort_rows(links, half, size)


@kernel
def draw_places_by_matrix(network: MatrixModelRecord, t: int, coins: Coins, links: Links, end: int) -> None:
    """As with two probabilities. The coins of the later agents of each cluster are a stream of their own."""
    limit = end + network.most_links
    cluster = 0
    for i in range(len(network.order)):
        links.count[i] = 0
    for a in range(len(network.order)):
        while a >= network.border[cluster]:
            cluster += 1
        begin, first = end, a + 1
        for other in range(cluster, len(network.border)):
            last = network.border[other]
            chance = Chance(network.threshold[cluster, other], network.log_miss[cluster, other], network.skips)
            name = SKIP_WITHIN if other == cluster else SKIP_ACROSS
            stream = LINK + 256 * (2 + other)  # LINK + 256 is that of losses
            end = draw_range(network, chance, name, t, coins, a, first, last, links, end, limit, stream)
            first = last
        count_links(links, network.order[a], begin, end)
