"""How a round of a block model is drawn: agents stand in a line, and the later ones that a place can be linked to are
ranges with one probability each. See `folkmoot.world.block_model`.
"""

from math import ceil, log, log1p, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.coins import BATCH, LINK, ROOM, Coins, blocks_from, uniform_in, word_in
from folkmoot.interface import PLACE, Links, kernel

_DENSE = 0.25  # from here on a coin a pair, four to a block, is no dearer than a skip a link
_BATCHED = 8  # links expected in a range, from which on skips are drawn in batches
_TABLE_BITS = 11  # of a coin, which mostly tell a skip
_TELLING = 2.0**-8  # probability, below which they seldom do
_DOUBT = 1e-9  # share by which a skip from logarithms may be wrong, by far
_LOG_OVERFLOW = 60.0  # a round has more links than there is room for with probability below exp(-60)

# The third coordinate of a coin: below 2**29 a block of four places (coin by coin), above it the number of a
# skip. Fewer than 2**30 agents, which the limit on memory ensures, keep the three apart.
SKIP_WITHIN = 1 << 30
SKIP_ACROSS = 1 << 31


def room_for(mean: float, possible: int) -> int:
    """Room for the links of a round: exceeded with probability below exp(-60) = 9e-27, or never if all fit.

    The number of links is a sum of independent coins of mean m, hence of variance at most m. Bernstein:
    P(links >= m + x) <= exp(-x^2 / (2 (m + x/3))), which is exp(-L) at x = L/3 + sqrt(L^2/9 + 2 m L). Over the
    2**32 rounds a run can have at most, that is below 4e-17. (Rounding a probability of at least 1/4 to
    2**-32 changes m by less than a billionth.)

    Args:
        mean: m.
        possible: number of pairs that can be linked.
    """
    third = _LOG_OVERFLOW / 3.0
    return min(possible, ceil(mean + third + sqrt(third * third + 2.0 * mean * _LOG_OVERFLOW)))


NO_SKIPS = np.zeros(0, np.int16)


class Chance(NamedTuple):
    """A link probability as the kernels use it."""

    threshold: float  # times 2**32
    log_miss: float  # log(1 - probability); 0 if a coin is tossed for each pair
    skips: NDArray[np.int16] = NO_SKIPS  # by the first bits of a coin; -1: they do not tell


def chance_of(probability: float, with_skips: bool = False) -> Chance:
    """A probability as the kernels use it, with a table of skips if it is asked for."""
    log_miss = 0.0 if probability >= _DENSE else log1p(-probability)
    skips = skips_by_bits(log_miss) if with_skips and _TELLING <= probability < _DENSE else NO_SKIPS
    return Chance(probability * 2.0**32, log_miss, skips)


def skips_by_bits(log_miss: float) -> NDArray[np.int16]:
    """The skip of all coins that begin with these bits; -1 where they have different ones, or rounding might decide."""
    edges = np.log1p(-np.arange(2.0**_TABLE_BITS) / 2.0**_TABLE_BITS) / log_miss
    low, high = edges * (1.0 - _DOUBT), np.append(edges[1:], np.inf) * (1.0 + _DOUBT)
    skips = np.where((np.floor(low) == np.floor(high)) & (high < 2.0**15), np.floor(low), -1.0)
    return skips.astype(np.int16)


@kernel
def draw_range(
    network: Any,
    chance: Chance,
    name: int,
    t: int,
    coins: Coins,
    a: int,
    first: int,
    last: int,
    links: Links,
    end: int,
    limit: int,
    stream: int = LINK,
) -> int:
    """Write the agents at places first, ..., last - 1 that are linked to the one at place a; returns the new end.

    Coin by coin, the coin of places (a, b) is word b mod 4 of the block (t, a, b div 4). A skip is the number of
    failures before a success, floor(log(1 - u) / log(1 - p)) with u uniform: the geometric law by inversion. Coins are
    drawn in batches, in a room behind the links: of skips as many as links are expected, and one.
    """
    b, room = first, links.neighbours[len(links.neighbours) - ROOM :]
    least_down = ceil(chance.threshold)
    if chance.threshold == 0.0:
        b = last
    elif chance.log_miss == 0.0:
        while b < last:
            tile = b >> 2
            count = min(BATCH, ((last - 1) >> 2) - tile + 1)
            blocks_from(coins, stream, t, a, tile, room, count)
            stop = min(last, (tile + count) << 2)
            end = note_tossed(network, room, least_down, tile, b, stop, links, end, limit)
            b = stop
    while b < last:
        expected = int((last - b) * chance.threshold * 2.0**-32)
        count = min(BATCH, expected + 1) if expected >= _BATCHED else 1
        count = whole(count)
        blocks_from(coins, stream, t, a, name, room, count)
        name += count
        for q in range(count):
            b += skip_in(chance, room, q, last - b)
            if b >= last:
                break
            end = note_link(network, b, links, end, limit)
            b += 1
    return end


@kernel
def whole(count: int) -> int:
    """So many blocks, or a few more, where a rest would be drawn one by one."""
    return (count + 7) & -8 if count >= 8 else count


@kernel
def note_tossed(
    network: Any,
    room: NDArray[np.int32],
    least_down: int,
    tile: int,
    first: int,
    stop: int,
    links: Links,
    end: int,
    limit: int,
) -> int:
    """Write down the agents at those of the places first, ..., stop - 1 whose coin is below; returns the new end.

    Each is written down, and the next one over it if it is not linked: nobody could foresee a branch.
    """
    for b in range(first, stop):
        up = word_in(room, (b >> 2) - tile, b) < least_down
        if end < limit:
            links.neighbours[end] = network.order[b]
        elif up:
            raise OverflowError("stochastic block model: a round has more links than there is room for")
        end += up
    return end


@kernel
def skip_in(chance: Chance, room: NDArray[np.int32], q: int, most: int) -> int:
    """The skip by coin q of the room; `most` if it is longer."""
    if len(chance.skips) > 0:
        skip = int(chance.skips[word_in(room, q, 0) >> (32 - _TABLE_BITS)])
        if skip >= 0:
            return min(skip, most)
    exact = log(1.0 - uniform_in(room, q)) / chance.log_miss
    return most if exact >= most else int(exact)


@kernel
def room_for_links(n_agents: int, most_links: int, in_order: bool) -> Links:
    """The record of `links`, whose room is for rows, for links that are drawn, and behind them for coins.

    The drawn links stand behind the rows. If rows are to be sorted, these stand behind their own place, and the links
    in it.
    """
    size = (3 if in_order else 4) * most_links + ROOM
    return Links(np.zeros(n_agents, np.int64), np.zeros(n_agents, np.int64), np.zeros(size, np.int32))


@kernel
def note_link(network: Any, b: int, links: Links, end: int, limit: int) -> int:
    """Write down the agent at a place. Never beyond the limit: see `most_links` for how improbable that is."""
    if end >= limit:
        raise OverflowError("stochastic block model: a round has more links than there is room for")
    links.neighbours[end] = network.order[b]
    return end + 1


@kernel
def count_links(links: Links, i: int, begin: int, end: int) -> None:
    """Count the links of agent i with later ones, which stand from `begin` to `end`, for both."""
    count = links.count
    count[i] += end - begin
    drawn = links.neighbours[begin:end]
    for e in range(len(drawn)):
        count[int(drawn[e]) & PLACE] += 1


@kernel
def lay_rows(network: Any, links: Links, source: int, target: int) -> int:
    """From links at `source`, place after place, to rows that begin at `target + start`; returns the size of all.

    When it is an agent's turn, all who stand before it are in its row, and the rest of its row is its own links.
    Meanwhile `count` says where in its row the next one goes.
    """
    start, count, rows = links.start, links.count, links.neighbours[target:]
    n, size = len(start), 0
    for i in range(n):
        start[i] = size
        size += count[i]
        count[i] = start[i]
    for a in range(n):
        i = network.order[a]
        mine = count[i]
        end = start[i + 1] if i + 1 < n else size
        drawn, rest = links.neighbours[source : source + end - mine], rows[mine:end]
        for e in range(len(drawn)):
            rest[e] = drawn[e]
        for e in range(len(drawn)):
            j = int(drawn[e]) & PLACE
            rows[count[j]] = i
            count[j] += 1
        source += end - mine
    for i in range(n):
        count[i] = (start[i + 1] if i + 1 < n else size) - start[i]
    return size


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
