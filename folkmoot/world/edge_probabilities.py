"""Erdos-Renyi links whose edges have a probability each: how it is given, and how links are drawn.

The coin of a link is the one it has where all edges share one probability, so equal probabilities give equal links.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

from folkmoot.coins import LINK, Coins, block, word_of
from folkmoot.doors import array, number, within
from folkmoot.errors import brief
from folkmoot.interface import Links, implements
from folkmoot.world.edge_links import note_link, room_on_graph
from folkmoot.world.graphs import BaseGraph
from folkmoot.world.pairs import by_pair, pairs_in_file

_WRITTEN_OUT = 2_000  # up to so many probabilities are written out in a result's configuration


def in_file(given: Any) -> Any:
    """What a file may say: a number in (0, 1], or a list or a table, which are looked at once the graph is known."""
    if isinstance(given, list | dict):
        return given
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise PydanticCustomError("float_type", "")
    if not 0.0 < given <= 1.0:
        raise ValueError("expected a probability in (0, 1]")
    return given


def of_edges(given: Any, base: BaseGraph) -> NDArray[np.float64]:
    """A probability for each edge, float64 [n_edges] in the order of `base.edges()`.

    Args:
        given: numbers in that order, a symmetric [n_agents, n_agents] matrix, or {(i, j): probability} for all edges.
        base: the graph.

    Raises:
        ValueError: another shape, a pair that is no edge or stands there twice, an edge that is missing, or a
            probability outside (0, 1].
    """
    edges = base.edges()
    if isinstance(given, Mapping):
        return _of_pairs(pairs_in_file("link_probability", given) if _is_text(given) else given, base)
    values = array("link_probability", given, "numbers, all rows of one length")
    n = base.n_agents
    if values.shape == (n, n):
        values = _of_matrix(values, edges)
    if values.shape != (len(edges),):
        raise ValueError(
            f"link_probability of shape {values.shape}: expected a number, [n_edges] = ({len(edges)},) or "
            f"[n_agents, n_agents] = ({n}, {n})"
        )
    within(
        values, 0.0, 1.0, lambda e: f"link_probability of edge {tuple(edges[e].tolist())}", above=True,
        said="a probability in (0, 1]",
    )  # fmt: skip
    values.setflags(write=False)
    return values


def _is_text(given: Mapping[Any, Any]) -> bool:
    return all(isinstance(key, str) for key in given)


def _of_matrix(matrix: NDArray[np.float64], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """The entries of the edges; all others must be 0."""
    if not np.array_equal(matrix, matrix.T):
        raise ValueError("link_probability: expected a symmetric matrix")
    rest = matrix.copy()
    rest[edges[:, 0], edges[:, 1]] = rest[edges[:, 1], edges[:, 0]] = 0.0
    if rest.any():
        i, j = (int(x) for x in np.argwhere(rest != 0.0)[0])
        raise ValueError(f"link_probability of ({i}, {j}) = {rest[i, j]}: the base graph has no such edge; expected 0")
    return np.asarray(matrix[edges[:, 0], edges[:, 1]])


def _of_pairs(given: Mapping[Any, Any], base: BaseGraph) -> NDArray[np.float64]:
    found: dict[tuple[int, int], float] = {}
    for (i, j), p in by_pair("link_probability", given, base.n_agents, base.edge_set).items():
        edge = (min(i, j), max(i, j))
        if edge in found:
            raise ValueError(f"link_probability: edge {edge} stands there twice")
        found[edge] = p
    edges = [(i, j) for i, j in base.edges().tolist()]
    for edge in edges:
        if edge not in found:
            raise ValueError(f"link_probability: edge {edge} is missing; expected a probability for every edge")
    return of_edges([found[edge] for edge in edges], base)


def checked(given: Any, base: BaseGraph) -> float | NDArray[np.float64]:
    """One probability for all edges, or one for each.

    Raises:
        ValueError: see of_edges.
    """
    if isinstance(given, Mapping | list | tuple) or getattr(given, "ndim", 0) > 0:
        return of_edges(given, base)
    probability = number(given)
    if not 0.0 < probability <= 1.0:
        raise ValueError(f"link_probability = {brief(given)}: expected a probability in (0, 1]")
    return probability


def described(values: NDArray[np.float64]) -> dict[str, Any]:
    """The probabilities as plain values, for provenance; the range of those that are many."""
    if len(values) <= _WRITTEN_OUT:
        return {"link_probabilities": values.tolist()}
    return {"link_probabilities_from": float(values.min()), "link_probabilities_to": float(values.max())}


class EdgewiseRecord(NamedTuple):
    """Each edge of the base graph is up with a probability of its own, independently."""

    start: NDArray[np.int64]  # [n_agents + 1]
    neighbours: NDArray[np.int32]  # [2 n_edges]
    upper: NDArray[np.int64]  # [n_agents], where in the row the neighbours above i begin
    threshold: NDArray[np.float64]  # [2 n_edges], link probability times 2**32; read above the diagonal only


def edgewise(base: BaseGraph, values: NDArray[np.float64]) -> EdgewiseRecord:
    """The record of a graph and of a probability for each of its edges."""
    rows = np.repeat(np.arange(base.n_agents), base.degree)
    threshold = np.zeros(len(base.neighbours))
    threshold[rows < base.neighbours] = values * 2.0**32
    return EdgewiseRecord(base.start, base.neighbours, base.upper, threshold)


@implements(EdgewiseRecord)
def links(network: EdgewiseRecord) -> Links:
    return room_on_graph(network, 0)


@implements(EdgewiseRecord)
def draw_links(network: EdgewiseRecord, t: int, coins: Coins, links: Links) -> None:
    """As where all edges share one probability: see `folkmoot.world.networks`."""
    n = len(network.start) - 1
    for i in range(n):
        links.count[i] = 0
    for i in range(n):
        tile, w0, w1, w2, w3 = -1, 0, 0, 0, 0
        for e in range(network.upper[i], network.start[i + 1]):
            j = int(network.neighbours[e])
            if j >> 2 != tile:
                tile = j >> 2
                w0, w1, w2, w3 = block(coins, LINK, t, i, tile)
            note_link(links, i, j, 1 if word_of(j, w0, w1, w2, w3) < network.threshold[e] else 0)
