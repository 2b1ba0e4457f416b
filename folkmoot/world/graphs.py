"""Base graphs: who could ever talk to whom. From networkx, a name or a file into compressed rows."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from folkmoot.encoding import digest
from folkmoot.errors import brief
from folkmoot.meant import choices

if TYPE_CHECKING:
    import networkx as nx

_DENSE_EIGENVALUES = 400  # below this many agents a dense solver is quicker than a sparse one
_ORDER = (
    "base graph: agents are its nodes in their order in the graph, which is not that of their numbers: agent 0 is node "
    "{first}; to number them alike, begin with graph.add_nodes_from(range(n))"
)


class GraphFacts(Protocol):
    """What is known of every base graph, stored edge by edge or not; see BaseGraph for the meanings."""

    @property
    def n_agents(self) -> int: ...
    @property
    def n_edges(self) -> int: ...
    @property
    def degree(self) -> NDArray[np.int64]: ...
    @property
    def is_connected(self) -> bool: ...
    @property
    def is_complete(self) -> bool: ...
    @property
    def algebraic_connectivity(self) -> float: ...
    @property
    def diameter(self) -> int: ...
    @property
    def digest(self) -> bytes: ...


@dataclass(frozen=True, eq=False)
class BaseGraph:
    """An undirected simple graph on agents 0, ..., n-1 in compressed sparse rows.

    Attributes:
        start: int64 [n + 1]; row i is `neighbours[start[i]:start[i + 1]]`, increasing.
        neighbours: int32 [2 * number of edges].
    """

    start: NDArray[np.int64]
    neighbours: NDArray[np.int32]

    @property
    def n_agents(self) -> int:
        """Number of agents."""
        return len(self.start) - 1

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaseGraph):
            return False
        return np.array_equal(self.start, other.start) and np.array_equal(self.neighbours, other.neighbours)

    def __hash__(self) -> int:
        return hash((self.start.tobytes(), self.neighbours.tobytes()))

    def __repr__(self) -> str:
        return f"BaseGraph({self.n_agents} agents, {self.n_edges} edges)"

    @property
    def n_edges(self) -> int:
        """Number of undirected edges."""
        return len(self.neighbours) // 2

    @cached_property
    def digest(self) -> bytes:
        """What tells its edges from those of another graph."""
        return digest("base graph", (digest("rows", self.start.tobytes()), digest("rows", self.neighbours.tobytes())))

    @cached_property
    def degree(self) -> NDArray[np.int64]:
        """Number of neighbours of each agent, int64 [n_agents]."""
        return np.diff(self.start)

    def edges(self) -> NDArray[np.int64]:
        """Each edge once, int64 [n_edges, 2], the smaller agent first."""
        rows = np.repeat(np.arange(self.n_agents), self.degree)
        upper = rows < self.neighbours
        return np.stack([rows[upper], self.neighbours[upper]], axis=1)

    def to_networkx(self) -> "nx.Graph[int]":
        """A networkx graph with nodes 0, ..., n-1 in this order."""
        import networkx as nx

        graph: nx.Graph[int] = nx.empty_graph(self.n_agents)
        graph.add_edges_from(self.edges().tolist())
        return graph

    @cached_property
    def upper(self) -> NDArray[np.int64]:
        """Where in the row of each agent the neighbours above it begin, int64 [n_agents]."""
        rows = np.repeat(np.arange(self.n_agents), self.degree)
        return np.asarray(self.start[:-1] + np.bincount(rows[self.neighbours < rows], minlength=self.n_agents))

    @cached_property
    def edge_set(self) -> frozenset[tuple[int, int]]:
        """The edges as pairs, the smaller agent first."""
        return frozenset((i, j) for i, j in self.edges().tolist())

    def _adjacency(self) -> Any:
        from scipy.sparse import csr_array

        shape = (self.n_agents, self.n_agents)
        return csr_array((np.ones(len(self.neighbours)), self.neighbours, self.start), shape=shape)

    @cached_property
    def is_connected(self) -> bool:
        """Can a message reach everybody over enough hops?"""
        if self.is_complete and self.n_agents > 0:
            return True  # without SciPy, whose modules take 25 MiB
        from scipy.sparse.csgraph import connected_components

        count, _ = connected_components(self._adjacency(), directed=False)
        return bool(count == 1)

    @cached_property
    def is_complete(self) -> bool:
        """Are all pairs neighbours?"""
        return self.n_edges == self.n_agents * (self.n_agents - 1) // 2

    @cached_property
    def algebraic_connectivity(self) -> float:
        """The second smallest eigenvalue of the Laplacian (0 when disconnected or a single agent)."""
        n = self.n_agents
        if n == 1 or not self.is_connected:
            return 0.0
        if self.is_complete:
            return float(n)
        from scipy.sparse import csc_array, diags_array

        matrix = csc_array(diags_array(self.degree.astype(np.float64)) - self._adjacency())
        if n <= _DENSE_EIGENVALUES:
            return float(np.linalg.eigvalsh(matrix.toarray())[1])
        return 1.0 / _largest_inverse_eigenvalue(matrix)

    @cached_property
    def diameter(self) -> int:
        """The longest shortest path in hops (0 for a single agent).

        Raises:
            ValueError: the graph is not connected.
        """
        if not self.is_connected:
            raise ValueError("base graph: expected a connected graph to have a diameter")
        if self.is_complete:
            return min(self.n_agents - 1, 1)
        from scipy.sparse.csgraph import shortest_path

        longest = 0
        for first in range(0, self.n_agents, 256):
            rows = np.arange(first, min(first + 256, self.n_agents))
            hops = shortest_path(self._adjacency(), unweighted=True, directed=False, indices=rows)
            longest = max(longest, int(hops.max()))
        return longest


def _largest_inverse_eigenvalue(laplacian: Any) -> float:
    """The largest eigenvalue of the pseudo-inverse of a connected graph's sparse Laplacian (Lanczos).

    Solving with the first agent's potential held at 0, among vectors of mean 0, inverts the Laplacian there.
    """
    from scipy.sparse.linalg import LinearOperator, eigsh, splu

    n = laplacian.shape[0]
    grounded = splu(laplacian[1:, 1:], permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})

    def solve(x: NDArray[np.float64]) -> NDArray[np.float64]:
        x = x.ravel()
        potential = np.concatenate([[0.0], grounded.solve(x[1:] - x.mean())])
        return np.asarray(potential - potential.mean())

    first = np.random.default_rng(0).standard_normal(n)  # fixed, so that runs repeat
    inverse = LinearOperator((n, n), matvec=solve, dtype=np.float64)
    return float(eigsh(inverse, k=1, v0=first, return_eigenvectors=False)[0])


def from_edges(n_agents: int, edges: NDArray[np.integer[Any]]) -> BaseGraph:
    """Compressed rows from undirected edges, int [n_edges, 2]; doubled edges count once.

    Raises:
        ValueError: an end outside 0..n_agents-1, or an edge from an agent to itself.
    """
    pairs = np.asarray(edges, np.int64).reshape(-1, 2)
    if len(pairs) and not (pairs.min() >= 0 and pairs.max() < n_agents):
        bad = pairs[((pairs < 0) | (pairs >= n_agents)).any(axis=1)][0]
        raise ValueError(f"edge {tuple(bad.tolist())}: expected agents from 0 to {n_agents - 1}")
    if (pairs[:, 0] == pairs[:, 1]).any():
        loop = int(pairs[pairs[:, 0] == pairs[:, 1]][0, 0])
        raise ValueError(f"edge ({loop}, {loop}): an agent is not its own neighbour")
    names = np.unique(np.concatenate([pairs[:, 0] * n_agents + pairs[:, 1], pairs[:, 1] * n_agents + pairs[:, 0]]))
    start = np.zeros(n_agents + 1, np.int64)
    np.cumsum(np.bincount(names // n_agents, minlength=n_agents), out=start[1:])
    return BaseGraph(start, (names % n_agents).astype(np.int32))


def as_base_graph(graph: "nx.Graph[Any] | BaseGraph") -> BaseGraph:
    """A networkx graph (agents in the order of its nodes) or a BaseGraph as a BaseGraph.

    Warns where the nodes are numbers from 0 on in another order: agent 0 is then not the node 0.

    Raises:
        ValueError: not such a graph, directed, without agents, or an edge from a node to itself.
    """
    if isinstance(graph, BaseGraph):
        return graph
    if not hasattr(graph, "edges") or not hasattr(graph, "is_directed"):
        raise ValueError(f"base graph = {type(graph).__name__}: expected a networkx graph")
    if graph.is_directed():
        raise ValueError("base graph: expected an undirected graph, got a directed one")
    n = graph.number_of_nodes()
    if n == 0:
        raise ValueError("base graph: expected at least one agent, got none")
    place = {node: i for i, node in enumerate(graph.nodes)}
    pairs = [(edge[0], edge[1]) for edge in graph.edges()]
    loop = next((one for one, other in pairs if one == other), None)
    if loop is not None:
        raise ValueError(f"base graph: node {brief(loop)} has an edge to itself; an agent is not its own neighbour")
    if set(place) == set(range(n)) and list(place) != list(range(n)):
        warnings.warn(_ORDER.format(first=next(iter(place))), stacklevel=2)
    ends = np.fromiter((place[node] for pair in pairs for node in pair), np.int64)
    return from_edges(n, ends.reshape(-1, 2))


def complete(n: int) -> BaseGraph:
    """All pairs."""
    columns = np.arange(n, dtype=np.int32)
    rows = np.broadcast_to(columns, (n, n))[~np.eye(n, dtype=bool)]
    return BaseGraph(np.arange(n + 1, dtype=np.int64) * (n - 1), np.ascontiguousarray(rows))


def grid(n: int) -> BaseGraph:
    """The square grid with four neighbours inside; n must be a square."""
    side = round(n**0.5)
    if side * side != n:
        raise ValueError(f"base graph 'grid' with {n} agents: expected a square number of agents")
    place = np.arange(n, dtype=np.int64).reshape(side, side)
    across = np.stack([place[:, :-1].ravel(), place[:, 1:].ravel()], axis=1)
    down = np.stack([place[:-1].ravel(), place[1:].ravel()], axis=1)
    return from_edges(n, np.concatenate([across, down]))


def circulant(n: int, degree: int) -> BaseGraph:
    """Each agent on a ring knows its degree/2 nearest on either side; degree even, below n."""
    if degree < 2 or degree % 2 or degree >= n:
        raise ValueError(f"base graph 'circulant:{degree}' with {n} agents: expected an even degree from 2 to {n - 1}")
    agents = np.arange(n, dtype=np.int64)
    return from_edges(n, np.concatenate([np.stack([agents, (agents + o) % n], 1) for o in range(1, degree // 2 + 1)]))


def _cycle(n: int) -> BaseGraph:
    if n < 3:
        raise ValueError(f"base graph 'cycle' with {n} agents: expected at least 3")
    return circulant(n, 2)


def _fixed(name: str, n: int) -> BaseGraph:
    import networkx as nx

    graph = as_base_graph({"petersen": nx.petersen_graph, "karate": nx.karate_club_graph}[name]())
    if graph.n_agents != n:
        raise ValueError(f"base graph {brief(name)} with {n} agents: expected {graph.n_agents}")
    return graph


NAMED: dict[str, Callable[[int], BaseGraph]] = {
    "complete": complete,
    "grid": grid,
    "cycle": _cycle,
    "petersen": lambda n: _fixed("petersen", n),
    "karate": lambda n: _fixed("karate", n),
}


def named_graph(name: str, n_agents: int) -> BaseGraph:
    """The base graph an experiment file names: complete, grid, petersen, cycle, circulant:D, karate, file:PATH.

    Raises:
        ValueError: no such name, or no such graph with this many agents.
    """
    kind, _, argument = name.partition(":")
    if kind == "circulant" and argument.isdecimal() and len(argument) < 10:
        return circulant(n_agents, int(argument))
    if kind == "file" and argument:
        return _read_edges(Path(argument), n_agents)
    if name in NAMED:
        return NAMED[name](n_agents)
    raise ValueError(f"base graph {brief(name)}: {choices(name, [*NAMED, 'circulant:DEGREE', 'file:EDGES.txt'])}")


def _read_edges(path: Path, n_agents: int) -> BaseGraph:
    """Two agent numbers a line, separated by blanks or a comma; '#' starts a comment."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"base graph file {path}: cannot be read ({error})") from None
    edges = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        if len(words) != 2 or not all(word.isdecimal() for word in words):
            raise ValueError(f"base graph file {path}, line {number}: {line.strip()!r}: expected two agent numbers")
        if words[0] == words[1] or not all(len(word) < 10 and int(word) < n_agents for word in words):
            raise ValueError(
                f"base graph file {path}, line {number}: {brief(line.strip())}: "
                f"expected two different agents from 0 to {n_agents - 1}"
            )
        edges.append((int(words[0]), int(words[1])))
    return from_edges(n_agents, np.array(edges, np.int64).reshape(-1, 2))


def read_rounds(path: Path) -> dict[int, list[tuple[int, int]]]:
    """A recording, `ROUND AGENT AGENT` a line: the links of each round that has any.

    Rounds count from 1, agents from 0. Commas count as blanks; '#' starts a comment.

    Raises:
        ValueError: it cannot be read, or a line is none.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"file {path}: cannot be read ({error})") from None
    rounds: dict[int, list[tuple[int, int]]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        numbers = [int(word) for word in words if word.isdecimal() and len(word) < 10]
        if len(words) != 3 or len(numbers) != 3 or numbers[0] < 1:
            raise ValueError(
                f"file {path}, line {number}: {line.strip()!r}: expected a round of at least 1 and two agent numbers"
            )
        rounds.setdefault(numbers[0], []).append((numbers[1], numbers[2]))
    return rounds
