"""The base graph of clustered networks by closed forms: no edge is ever stored, so 10^5 agents cost nothing."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from folkmoot.encoding import digest


@dataclass(frozen=True, eq=False)
class BlockGraph:
    """All pairs inside clusters, or all pairs across clusters, or both, or neither.

    Attributes:
        labels: int64 [n_agents], the cluster of each agent; no cluster is empty.
        within: are the pairs inside a cluster neighbours?
        across: are those of different clusters?
    """

    labels: NDArray[np.int64]
    within: bool
    across: bool

    @cached_property
    def digest(self) -> bytes:
        """What tells its edges from those of another graph."""
        return digest("block graph", (digest("rows", self.labels.tobytes()), bool(self.within), bool(self.across)))

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Number of agents of each cluster, int64 [n_clusters]."""
        return np.bincount(self.labels)

    @property
    def n_agents(self) -> int:
        """Number of agents."""
        return len(self.labels)

    @property
    def pairs_within(self) -> int:
        """Number of pairs of agents inside a cluster."""
        return int((self.sizes * (self.sizes - 1) // 2).sum())

    @property
    def pairs_across(self) -> int:
        """Number of pairs of agents of different clusters."""
        return self.n_agents * (self.n_agents - 1) // 2 - self.pairs_within

    @property
    def n_edges(self) -> int:
        """Number of undirected edges."""
        return self.within * self.pairs_within + self.across * self.pairs_across

    @cached_property
    def degree(self) -> NDArray[np.int64]:
        """Number of neighbours of each agent, int64 [n_agents]."""
        own = self.sizes[self.labels]
        return np.asarray(self.within * (own - 1) + self.across * (self.n_agents - own))

    @property
    def is_connected(self) -> bool:
        """Can a message reach everybody over enough hops?"""
        return self.n_agents == 1 or (self.across if len(self.sizes) > 1 else self.within)

    @property
    def is_complete(self) -> bool:
        """Are all pairs neighbours?"""
        return self.n_edges == self.n_agents * (self.n_agents - 1) // 2

    @property
    def algebraic_connectivity(self) -> float:
        """The second smallest eigenvalue of the Laplacian (0 when disconnected or a single agent).

        n of a complete graph, n less the largest cluster of a complete multipartite one: its complement is
        a union of cliques, whose largest Laplacian eigenvalue is the largest size.
        """
        if self.n_agents == 1 or not self.is_connected:
            return 0.0
        return float(self.n_agents if self.is_complete else self.n_agents - self.sizes.max())

    @property
    def diameter(self) -> int:
        """The longest shortest path in hops (0 for a single agent).

        Raises:
            ValueError: the graph is not connected.
        """
        if not self.is_connected:
            raise ValueError("base graph: expected a connected graph to have a diameter")
        if self.is_complete:
            return min(self.n_agents - 1, 1)
        return 2  # two agents of a cluster meet at any agent of another
