"""A loop of our own, so that the state of the agents can be looked at.

As a program it plays the cases named on the command line, compiled, and prints a digest of each.
"""

import hashlib
import sys

import numpy as np
from cases import CASES, DIFFERENT, Case, complete, problem
from jitted import jit

import folkmoot as fm
from folkmoot.coins import replicate_coins
from folkmoot.interface import (
    draw_links,
    init,
    late_outbox,
    links,
    nothing_seen,
    outbox,
    oversee,
    pay,
    publish,
    publish_late,
    scene,
    select,
    update,
    update_late,
    verify,
)


def rounds(params, rewards, network, coins, horizon):
    """(state, arms pulled)."""
    n = params.n_agents
    state, inbox, late = init(params), outbox(params), late_outbox(params)
    seen = nothing_seen(n)
    active, nature = links(network), scene(rewards)
    arms = np.zeros((horizon, n), np.int64)
    for t in range(1, horizon + 1):
        draw_links(network, t, coins, active)
        for i in range(n):
            seen.arm[i] = select(params, state, i, t, coins)
            arms[t - 1, i] = seen.arm[i]
            seen.verified[i] = verify(params, state, i, t, seen.arm[i], coins)
            pay(rewards, nature, i, seen.arm[i], t, coins, seen.reward)
            publish(params, state, i, t, seen, inbox)
        oversee(params, state, t, seen, np.full(params.n_arms, 0.1 * t))
        for i in range(n):
            row = active.neighbours[active.start[i] : active.start[i] + active.count[i]]
            update(params, state, i, t, seen, inbox, row, coins)
        for i in range(n):
            publish_late(params, state, i, t, late)
        for i in range(n):
            row = active.neighbours[active.start[i] : active.start[i] + active.count[i]]
            update_late(params, state, i, t, late, row)
    return state, arms


def digests(case: Case, loop) -> str:
    """Of the arms, and of each field of the state: SHA-256."""
    rewards, network = fm.Gaussian(DIFFERENT, 0.5), complete(6, 0.6)
    records = case.algorithm.params(problem(case, rewards, network, 300)), rewards.record(), network.record()
    state, arms = loop(*records, replicate_coins(7, 0, 0), 300)
    named = {"arms": arms, **state._asdict()}
    return "; ".join(f"{name} {hashlib.sha256(array.tobytes()).hexdigest()}" for name, array in named.items())


if __name__ == "__main__":
    fast = jit(rounds, error_model="numpy")
    for case in CASES:
        if case.name in sys.argv[1:]:
            print(case.name, digests(case, fast), sep="\t", flush=True)
