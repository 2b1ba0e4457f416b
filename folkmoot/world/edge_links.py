"""What networks share that look at each edge of a base graph on its own: room for its rows, an entry in two of them.

A row of `Links` begins where the agent's row of the base graph does, so all its edges have room in it.
"""

from typing import Any

import numpy as np

from folkmoot.coins import BATCH, LINK, ROOM, Coins, blocks
from folkmoot.interface import Links, inlined, kernel


@kernel
def room_on_graph(network: Any, more: int = ROOM) -> Links:
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


@kernel
def toss(network: Any, t: int, coins: Coins, links: Links, i: int, e: int) -> tuple[int, int]:
    """The coins of edges from e on, in the row of agent i, for as many as go into a batch; where that ends.

    The coin of link (i, j), i < j, is word j mod 4 of the block named (t, i, j div 4): in a dense row four links share
    a block. Block q is that of the (q + 1)-th change of (i, j div 4) from here on; see `word_in`.
    """
    n, count, tile = len(links.start), 0, -1
    room = links.neighbours[len(network.neighbours) : len(network.neighbours) + ROOM]
    while i < n:
        while e < network.start[i + 1]:
            j = int(network.neighbours[e])
            if j >> 2 != tile:
                if count == BATCH:
                    blocks(coins, LINK, t, room, count)
                    return i, e
                tile = j >> 2
                room[count] = i
                room[count + BATCH] = tile
                count += 1
            e += 1
        i += 1
        tile = -1
        if i < n:
            e = network.upper[i]
    blocks(coins, LINK, t, room, count)
    return n, e
