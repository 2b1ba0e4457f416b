"""Randomness named by coordinates, never drawn from a sequence.

A coin is a pure function of (seed, replicate, stream, a, b, c): whoever evaluates it, in whatever
order, on however many workers, sees the same value, and the two ends of a link agree without
talking. The generator is Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers:
as easy as 1, 2, 3"): a bijection of 128-bit counters, so that different coordinates of one replicate
never share a block. It is not cryptography: sortition and signatures do not come from here.

Coordinates a, b and c are integers in [0, 2**32); by convention `a` is the round, `b` the agent and
`c` the arm or the other end of a link. Every function runs unchanged in the interpreter and compiled;
the masks keep Python's integers and 64-bit machine integers equal.
"""

from math import cos, exp, log, pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.interface import inlined, kernel

# Streams: who asks. Two streams never share a coin.
SEED = 0  # deriving the key of a replicate
LINK = 1  # is this link up in this round?
REWARD = 2  # what does this arm pay?
SCENE = 3  # what nature decides once a round for everybody
CHOICE = 4  # an agent's own random choices
CORRUPTION = 5  # an adversary's
SORTITION = 6  # who is a validator, where coins stand for verifiable random functions
MALICE = 7  # malicious participants' own choices
FAULTS = 8  # what goes wrong in a network in memory
PRESENCE = 9  # who is absent in this round?
FEEDBACK = 10  # how late is this outcome, does it ever come?
LIE = 11  # a lying agent's own choices
INSTANCE = 12  # the means of this replicate, where each has its own
DRIFTING = 13  # how means move

WORD = 0xFFFFFFFF
BATCH = 128  # blocks of `blocks`
ROOM = 6 * BATCH  # numbers that take part in it
_MIDDLE = 1 << 31
_TWO_TO_MINUS_53 = 2.0**-53
_BETA_ATTEMPTS = 1 << 20


class Coins(NamedTuple):
    """The randomness of one replicate: the two words of its Philox key."""

    low: int
    high: int


@kernel
def philox(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """One Philox 4x32-10 block: counter words c0..c3, key words k0, k1, all in [0, 2**32)."""
    for _ in range(10):
        p0 = 0xD2511F53 * c0
        p1 = 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (
            ((p1 >> 32) & 0xFFFFFFFF) ^ c1 ^ k0,
            p1 & 0xFFFFFFFF,
            ((p0 >> 32) & 0xFFFFFFFF) ^ c3 ^ k1,
            p0 & 0xFFFFFFFF,
        )
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


@kernel
def replicate_coins(seed_low: int, seed_high: int, replicate: int) -> Coins:
    """The coins of one replicate: its key is a block keyed by the seed, so replicates are coordinates too."""
    low, high, _, _ = philox(int(replicate), 0, 0, SEED, int(seed_low), int(seed_high))
    return Coins(low, high)


@kernel
def block(coins: Coins, stream: int, a: int, b: int, c: int) -> tuple[int, int, int, int]:
    """Four independent uniform 32-bit words named (stream, a, b, c)."""
    return philox(int(a), int(b), int(c), stream, coins.low, coins.high)


@inlined
def blocks(coins: Coins, stream: int, a: int, room: NDArray[np.int32], count: int) -> None:
    """Blocks named (stream, a, b, c) for up to `BATCH` pairs (b, c) at once, four times as fast as one by one.

    In the room stand BATCH numbers b, BATCH numbers c, then BATCH words w0, w1, w2 and w3, each 2**31 less than it is:
    32 bits with a sign. The compiler makes vectors of this loop since all distances in it are constants, and no index
    can be negative.
    """
    for q in range(count):
        w0, w1, w2, w3 = philox(a, int(room[q]), int(room[q + BATCH]), stream, coins.low, coins.high)
        room[q + 2 * BATCH] = w0 - _MIDDLE
        room[q + 3 * BATCH] = w1 - _MIDDLE
        room[q + 4 * BATCH] = w2 - _MIDDLE
        room[q + 5 * BATCH] = w3 - _MIDDLE


@inlined
def blocks_from(coins: Coins, stream: int, a: int, b: int, c: int, room: NDArray[np.int32], count: int) -> None:
    """As `blocks`, named (stream, a, b, c), (stream, a, b, c + 1) and so on; the numbers in the room are left alone."""
    for q in range(count):
        w0, w1, w2, w3 = philox(int(a), int(b), int(c) + q, stream, coins.low, coins.high)
        room[q + 2 * BATCH] = w0 - _MIDDLE
        room[q + 3 * BATCH] = w1 - _MIDDLE
        room[q + 4 * BATCH] = w2 - _MIDDLE
        room[q + 5 * BATCH] = w3 - _MIDDLE


@inlined
def uniform_in(room: NDArray[np.int32], q: int) -> float:
    """As `uniform`, of block q of `blocks`."""
    return _unit(word_in(room, q, 0), word_in(room, q, 1))


@inlined
def word_in(room: NDArray[np.int32], q: int, place: int) -> int:
    """As `word_of`, of block q of `blocks`."""
    return int(room[(2 + (place & 3)) * BATCH + q]) + _MIDDLE


@inlined
def word_of(place: int, w0: int, w1: int, w2: int, w3: int) -> int:
    """The word of a block for one of four places that share it: number `place` mod 4."""
    low, high = (w1, w3) if place & 1 else (w0, w2)
    return high if place & 2 else low


@kernel
def _unit(w0: int, w1: int) -> float:
    """A double uniform on the 2**53 multiples of 2**-53 in [0, 1), from two words."""
    return ((w0 >> 5) * 67108864.0 + (w1 >> 6)) * _TWO_TO_MINUS_53


@kernel
def uniform(coins: Coins, stream: int, a: int, b: int, c: int) -> float:
    """Uniform on [0, 1) with 53 bits."""
    w0, w1, _, _ = block(coins, stream, a, b, c)
    return _unit(w0, w1)


@kernel
def two_uniforms(coins: Coins, stream: int, a: int, b: int, c: int) -> tuple[float, float]:
    """Two independent uniforms on [0, 1); the first is `uniform` of the same coordinates."""
    w0, w1, w2, w3 = block(coins, stream, a, b, c)
    return _unit(w0, w1), _unit(w2, w3)


@kernel
def bernoulli(coins: Coins, p: float, stream: int, a: int, b: int, c: int) -> bool:
    """True with probability p."""
    return uniform(coins, stream, a, b, c) < p


@kernel
def below(coins: Coins, n: int, stream: int, a: int, b: int, c: int) -> int:
    """An integer uniform on 0, ..., n-1 (n >= 1; bias below n * 2**-53)."""
    return min(int(uniform(coins, stream, a, b, c) * n), n - 1)


@kernel
def gaussian(coins: Coins, stream: int, a: int, b: int, c: int) -> float:
    """Standard normal (Box and Muller 1958)."""
    w0, w1, w2, w3 = block(coins, stream, a, b, c)
    return sqrt(-2.0 * log(1.0 - _unit(w0, w1))) * cos(2.0 * pi * _unit(w2, w3))


@kernel
def _log_gamma_draw(coins: Coins, shape: float, stream: int, a: int, b: int, c: int) -> float:
    """Logarithm of a Gamma(shape, 1) draw (Marsaglia and Tsang 2000); attempts are coordinates too.

    Blocks with an even attempt give the normal, those with an odd one the uniforms. A shape below 1
    is raised by 1 and corrected by U**(1/shape), in logarithms so that tiny shapes do not underflow.
    """
    raised = shape if shape >= 1.0 else shape + 1.0
    d = raised - 1.0 / 3.0
    scale = 1.0 / sqrt(9.0 * d)
    attempt = 0
    while attempt < _BETA_ATTEMPTS:
        x = gaussian(coins, stream + 256 * attempt, a, b, c)
        w0, w1, w2, w3 = block(coins, stream + 256 * (attempt + 1), a, b, c)
        attempt += 2
        v = 1.0 + scale * x
        if v > 0.0:
            v = v * v * v
            if log(1.0 - _unit(w0, w1)) < 0.5 * x * x + d - d * v + d * log(v):
                break
    boost = 0.0
    if shape < 1.0:
        boost = log(1.0 - _unit(w2, w3)) / shape
    return log(d * v) + boost


@kernel
def beta(coins: Coins, alpha: float, other: float, stream: int, a: int, b: int, c: int) -> float:
    """Beta(alpha, other) as the ratio of two Gamma draws; both shapes positive.

    The second draw lives half a stream away: streams are below 128, so 128 + stream is free.
    """
    x = _log_gamma_draw(coins, alpha, stream, a, b, c)
    y = _log_gamma_draw(coins, other, stream + 128, a, b, c)
    return 1.0 / (1.0 + exp(min(y - x, 700.0)))


def seed_words(seed: int) -> tuple[int, int]:
    """The two 32-bit words of a seed in [0, 2**64).

    Raises:
        ValueError: the seed is not an integer in that range.
    """
    no_number = isinstance(seed, bool | np.timedelta64) or not isinstance(seed, int | np.integer)
    if no_number or not 0 <= int(seed) < 2**64:
        told = " ".join(repr(seed).split())  # an array's has several lines
        raise ValueError(f"seed = {told:.80}: expected an integer from 0 to 2**64 - 1")
    return int(seed) & WORD, int(seed) >> 32
