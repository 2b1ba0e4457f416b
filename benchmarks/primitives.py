"""What this machine does in a nanosecond, and what a step of an agent would cost of that alone.

The bounds count what a step cannot do without (coins, roots, divisions, additions over neighbours), each at the price
of a loop that does nothing else. Nothing reaches them: a step also reads and writes what it knows.
"""

from collections.abc import Callable
from functools import partial
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Contender, interleave, table
from folkmoot.coins import BATCH, ROOM, Coins, block, blocks_from
from folkmoot.simulation.compiled import compiler

Floats = NDArray[np.float64]
COIN, COINS, LOG, ROOT, ADD, READ = (
    "a block of coins, called", "a block of coins, in batches", "a logarithm", "a root and a division",
    "a product and an addition", "8 bytes of memory, read",
)  # fmt: skip
_LINK = 0.9  # probability of a link


def _coin(count: int) -> int:
    found = 0
    for q in range(count):
        found ^= block(Coins(1, 2), 3, q, found & 1, 0)[0]
    return found


def _coins(room: NDArray[np.int32], count: int) -> int:
    found = 0
    for q in range(count // BATCH):
        blocks_from(Coins(1, 2), 3, q, 0, 0, room, BATCH)
        found ^= int(room[2 * BATCH])
    return found


def _log(x: Floats, out: Floats, times: int) -> None:
    for t in range(times):
        for q in range(len(x)):
            out[q] = log(x[q] + t)


def _root(x: Floats, out: Floats, times: int) -> None:
    for t in range(times):
        for q in range(len(x)):
            out[q] = sqrt(2.0 / (x[q] + t))


def _add(x: Floats, out: Floats, times: int) -> None:
    for t in range(times):
        for q in range(len(x)):
            out[q] += x[q] * t


def _read(x: Floats) -> float:
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    for q in range(0, len(x) - 3, 4):
        a, b, c, d = a + x[q], b + x[q + 1], c + x[q + 2], d + x[q + 3]
    return a + b + c + d


def measured(quick: bool, repetitions: int) -> dict[str, float]:
    """Nanoseconds of each."""
    few, row, far = (1_000 if quick else 1_000_000), 512, np.ones(10_000 if quick else 4_000_000)
    near, room, out = np.linspace(1.0, 9.0, row), np.zeros(ROOM, np.int32), np.zeros(row)
    times = max(1, few // row)
    jit: Callable[[Any], Any] = compiler().njit(error_model="numpy")  # as loops are compiled: a division asks nothing
    plays: dict[str, tuple[Callable[[], object], int]] = {
        COIN: (partial(jit(_coin), few), few),
        COINS: (partial(jit(_coins), room, few), few // BATCH * BATCH),
        LOG: (partial(jit(_log), near, out, times), times * row),
        ROOT: (partial(jit(_root), near, out, times), times * row),
        ADD: (partial(jit(_add), near, out, times), times * row),
        READ: (partial(jit(_read), far), len(far)),
    }
    for play, _ in plays.values():
        play()
    contenders: list[Contender] = [(name, play, steps) for name, (play, steps) in plays.items()]
    return {one.name: one.median for one in interleave(contenders, repetitions)}


def bound_of_ucb(cost: dict[str, float], arms: int) -> float:
    """One reward, one logarithm, a root and a division for each arm."""
    return cost[COIN] + cost[LOG] + arms * cost[ROOT]


def bound_of_gse(cost: dict[str, float], arms: int, neighbours: int) -> float:
    """One reward, a word for each of half of the links, sums over neighbours and a radius for each arm."""
    links, sums = neighbours / 2 / 4 * cost[COINS], arms * (_LINK * neighbours * cost[ADD] + cost[ROOT])
    return cost[COIN] + links + sums


def part(quick: bool, repetitions: int) -> list[str]:
    """Two tables."""
    cost = measured(quick, repetitions)
    arms = (2, 5, 10, 20, 50, 100)
    rows = [[str(k), f"{bound_of_ucb(cost, k):.0f}", f"{bound_of_gse(cost, k, 15):.0f}"] for k in arms]
    first = table(["", "ns"], [[name, f"{value:.2f}"] for name, value in cost.items()])
    second = table(["arms", "UCB, 1 agent, ns per agent-step", "GSE, 16 agents, ns per agent-step"], rows)
    return [
        f"### Primitives\n\n{first}\n",
        f"### Bounds: what a step cannot do without\n\n{second}\n",
    ]
