"""The gas that the contract on an EVM chain takes: run this file for the table in docs/contract.md.

The receipts of py-evm (Prague rules), one transaction a block: the deployment; the first round, which fills fresh
storage; the third one. Everybody reports numbers that are new, up to ten validators name everybody, majority, distance.
"""

import sys

import numpy as np
from evm_node import Node

from folkmoot.bc_ucb.contract import DISTANCE, MAJORITY, ONE, Terms
from folkmoot.bc_ucb.settlement import SettledRound, settle

SIZES = [(4, 2), (4, 16), (8, 4), (16, 8), (32, 4), (32, 16)]


def gas(m, k):
    """Of the deployment, the first and the third round."""
    terms, random = Terms(m, k, (m - 1) // 3, m, MAJORITY, DISTANCE, ONE // 10, ONE), np.random.default_rng(m * k)
    present, sets = np.ones(m, np.bool_), np.ones((min(m, 10), m, k), np.bool_)
    rounds = [
        SettledRound(random.integers(0, ONE, (m, k)), present, sets, random.integers(0, ONE, m)) for _ in range(3)
    ]
    used = settle(rounds, Node(), terms=terms).gas
    return used[0], used[1], used[3]


def row(m, k):
    """The line of the table for m participants and k arms, in thousands."""
    return f"| {m} | {k} | {' | '.join(f'{used / 1000:,.0f}' for used in gas(m, k))} |"


if __name__ == "__main__":
    for size in SIZES:
        sys.stdout.write(row(*size) + "\n")
        sys.stdout.flush()
