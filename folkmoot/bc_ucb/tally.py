"""What is written down of a game on a chain: counts, hence the same in any order of evaluation.

Both drivers fill it by these functions. A checkpoint holds the counts so far: `close_checkpoint` ends one and begins
the next with them.
"""

from typing import NamedTuple

import numpy as np

from folkmoot.interface import kernel


class GameTally(NamedTuple):
    """Counts of a game, one row for each replicate."""

    pulls: np.ndarray  # int64 [replicates, participants, arms] at the horizon
    paid: np.ndarray  # int64 [replicates, checkpoints, arms] pulls of honest participants that were paid
    unpaid: np.ndarray  # int64 [replicates, checkpoints, arms] their other pulls
    entered: np.ndarray  # int64 [replicates, checkpoints] blocks whose average a malicious estimate has entered
    approved: np.ndarray  # int64 [replicates, checkpoints] blocks
    validators: np.ndarray  # int64 [replicates] over all rounds
    estimates: np.ndarray  # int64 [replicates, checkpoints, arms] scaled, of the last approved block
    units: np.ndarray  # int64 [replicates, participants] trust at the horizon
    included: np.ndarray  # int64 [replicates, participants] over blocks and arms, how often in the validated set
    proven: np.ndarray  # int64 [replicates, participants] 1: evidence is on the chain, 0: none, -1: not known


def blank_tally(replicates: int, m: int, k: int, checkpoints: int) -> GameTally:
    """A tally before the first round, of m participants and k arms."""
    r, c, count = replicates, checkpoints, np.int64
    return GameTally(
        np.zeros((r, m, k), count), np.zeros((r, c, k), count), np.zeros((r, c, k), count), np.zeros((r, c), count),
        np.zeros((r, c), count), np.zeros(r, count), np.zeros((r, c, k), count), np.zeros((r, m), count),
        np.zeros((r, m), count), np.zeros((r, m), count),
    )  # fmt: skip


@kernel
def count_pulls(tally, r, c, arms, malicious, paid):
    """The pulls of a round before checkpoint c; those of malicious participants are nobody's regret.

    Args:
        arms: int64 [participants], -1 for those that pulled none.
        malicious, paid: bool [participants].
    """
    for m in range(len(arms)):
        arm = arms[m]
        if arm >= 0:
            tally.pulls[r, m, arm] += 1
            if not malicious[m]:
                if paid[m]:
                    tally.paid[r, c, arm] += 1
                else:
                    tally.unpaid[r, c, arm] += 1


@kernel
def has_entered(malicious, members):
    """Is a malicious participant in the validated set (bool [participants, arms]) of any arm?"""
    for m in range(len(malicious)):
        if malicious[m]:
            for i in range(members.shape[1]):
                if members[m, i]:
                    return True
    return False


@kernel
def count_block(tally, r, c, malicious, members):
    """An approved block before checkpoint c, with these validated sets."""
    tally.approved[r, c] += 1
    for m in range(members.shape[0]):
        for i in range(members.shape[1]):
            if members[m, i]:
                tally.included[r, m] += 1
    if has_entered(malicious, members):
        tally.entered[r, c] += 1


@kernel
def close_checkpoint(tally, r, c, estimates):
    """End checkpoint c with the estimates on the chain; the next one, which is returned, goes on from its counts."""
    after = c + 1
    for i in range(len(estimates)):
        tally.estimates[r, c, i] = estimates[i]
    if after < tally.approved.shape[1]:
        tally.approved[r, after] = tally.approved[r, c]
        tally.entered[r, after] = tally.entered[r, c]
        for i in range(len(estimates)):
            tally.paid[r, after, i] = tally.paid[r, c, i]
            tally.unpaid[r, after, i] = tally.unpaid[r, c, i]
    return after


@kernel
def close_game(tally, r, n_validators, units, proven):
    """The end of a replicate: how many validators there were in all rounds, who is trusted how much, who has lied."""
    tally.validators[r] = n_validators
    for m in range(len(units)):
        tally.units[r, m] = units[m]
        tally.proven[r, m] = proven[m]
