"""What networks share that look at each edge of a base graph on its own: room for its rows, an entry in two of them.

A row of `Links` begins where the agent's row of the base graph does, so all its edges have room in it.
"""

from typing import Any

import numpy as np

from folkmoot.interface import Links, inlined, kernel


@kernel
def room_on_graph(network: Any, more: int) -> Links:
    """Room for rows of some edges of the base graph, and for so many numbers behind them."""
    n, size = len(network.start) - 1, len(network.neighbours) + more
    return Links(network.start[:-1].copy(), np.zeros(n, np.int64), np.zeros(size, np.int32))


@inlined
def note_link(links: Links, i: int, j: int, up: int) -> None:
    """Write link (i, j) into both rows: what is down (0) is overwritten by the next one."""
    start, count, neighbours = links.start, links.count, links.neighbours
    neighbours[start[i] + count[i]] = j
    count[i] += up
    neighbours[start[j] + count[j]] = i
    count[j] += up
