"""How a round of a block model is drawn: agents stand in a line, and the later ones that a place can be linked to are
ranges with one probability each. See `folkmoot.world.block_model`.
"""

from math import ceil, log, log1p, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.coins import BATCH, LINK, ROOM, Coins, blocks_from, uniform_in, word_in
from folkmoot.interface import Links, kernel

_DENSE = 0.25  # from here on a coin a pair, four to a block, is no dearer than a skip a link
_BATCHED = 8  # links expected in a range, from which on skips are drawn in batches
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


class Chance(NamedTuple):
    """A link probability as the kernels use it."""

    threshold: float  # times 2**32
    log_miss: float  # log(1 - probability); 0 if a coin is tossed for each pair


def chance_of(probability: float) -> Chance:
    """A probability as the kernels use it."""
    return Chance(probability * 2.0**32, 0.0 if probability >= _DENSE else log1p(-probability))


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
    pairs: NDArray[np.int32],
    end: int,
    limit: int,
    stream: int = LINK,
) -> int:
    """Write the linked pairs of the agent at place a and of those at places first, ..., last - 1; returns the new end.

    Coin by coin, the coin of places (a, b) is word b mod 4 of the block (t, a, b div 4). A skip is the number of
    failures before a success, floor(log(1 - u) / log(1 - p)) with u uniform: the geometric law by inversion. Coins are
    drawn in batches, in a room behind the pairs: of skips as many as links are expected, and one.
    """
    b, room = first, pairs[4 * network.most_links : 4 * network.most_links + ROOM]
    least_down = ceil(chance.threshold)
    if chance.threshold == 0.0:
        b = last
    elif chance.log_miss == 0.0:
        while b < last:
            tile = b >> 2
            count = min(BATCH, ((last - 1) >> 2) - tile + 1)
            blocks_from(coins, stream, t, a, tile, room, count)
            stop = min(last, (tile + count) << 2)
            while b < stop:
                if word_in(room, (b >> 2) - tile, b) < least_down:
                    end = note_pair(network, a, b, pairs, end, limit)
                b += 1
    while b < last:
        expected = int((last - b) * chance.threshold * 2.0**-32)
        count = min(BATCH, expected + 1) if expected >= _BATCHED else 1
        blocks_from(coins, stream, t, a, name, room, count)
        name += count
        for q in range(count):
            skip = log(1.0 - uniform_in(room, q)) / chance.log_miss
            if skip >= last - b:
                b = last
                break
            b += int(skip)
            end = note_pair(network, a, b, pairs, end, limit)
            b += 1
            if b >= last:
                break
    return end


@kernel
def room_for_pairs(n_agents: int, most_links: int) -> Links:
    """Half of the room is for the rows, the other for the pairs that are drawn; behind them is that for coins."""
    size = 4 * most_links + ROOM
    return Links(np.zeros(n_agents, np.int64), np.zeros(n_agents, np.int64), np.zeros(size, np.int32))


@kernel
def note_pair(network: Any, a: int, b: int, pairs: NDArray[np.int32], end: int, limit: int) -> int:
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
    e = source
    while e < end:  # pairs of one first agent follow one another
        i, begin = neighbours[e], e
        while e < end and neighbours[e] == i:
            count[neighbours[e + 1]] += 1
            e += 2
        count[i] += (e - begin) // 2
    place = 0
    for i in range(n):
        start[i] = place
        place += count[i]
        count[i] = 0
    e = source
    while e < end:
        i = int(neighbours[e])
        mine = target + start[i] + count[i]
        while e < end and neighbours[e] == i:
            j = int(neighbours[e + 1])
            neighbours[mine] = j
            mine += 1
            neighbours[target + start[j] + count[j]] = i
            count[j] += 1
            e += 2
        count[i] = mine - target - start[i]


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
