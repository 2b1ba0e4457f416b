"""Rounds driven by hand, on given links and rewards: what the paper tests of this folder watch."""

import numpy as np

from folkmoot.coins import replicate_coins
from folkmoot.interface import (
    init,
    late_outbox,
    nothing_seen,
    outbox,
    publish,
    publish_late,
    select,
    update,
    update_late,
)

COINS = replicate_coins(1, 0, 0)


def rows_of(graph):
    """The neighbours of every agent, in increasing order."""
    return [np.array(sorted(graph.neighbors(i)), np.int64) for i in range(len(graph))]


def drive(p, rows, reward, rounds):
    """Yields (t, state, seen) after each round: `rows(t)` are the neighbours, `reward(t, i, arm)` the pay."""
    n, state, inbox, late = p.n_agents, init(p), outbox(p), late_outbox(p)
    seen = nothing_seen(n)
    for t in range(1, rounds + 1):
        now = rows(t)
        for i in range(n):
            seen.arm[i] = select(p, state, i, t, COINS)
            seen.reward[i, 0] = reward(t, i, seen.arm[i])
            publish(p, state, i, t, seen, inbox)
        for i in range(n):
            update(p, state, i, t, seen, inbox, now[i], COINS)
        for i in range(n):
            publish_late(p, state, i, t, late)
        for i in range(n):
            update_late(p, state, i, t, late, now[i])
        yield t, state, seen


def drive_table(p, graphs, rewards):
    """The same on a graph a round and a table of rewards [t, n, k]."""
    every = [rows_of(graph) for graph in graphs]
    return drive(p, lambda t: every[t - 1], lambda t, i, arm: rewards[t - 1, i, arm], len(graphs))
