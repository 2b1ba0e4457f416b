"""Rounds for the contract on an EVM chain, and what has to be there to try it."""

import numpy as np
import pytest
from plain_contract import arrays

from folkmoot.bc_ucb import contract, settlement
from folkmoot.bc_ucb.contract import DISTANCE, MAJORITY, ONE, Terms
from folkmoot.bc_ucb.settlement import SettledRound

missing = None
try:
    import eth  # noqa: F401
    import vyper  # noqa: F401
except ImportError as error:
    missing = f"the extra evm is not installed ({error})"
on_evm = pytest.mark.skipif(missing is not None, reason=str(missing))

TERMS = Terms(4, 3, 1, 4, MAJORITY, DISTANCE, ONE // 10, 2 * ONE, ONE // 10, 32, 8, ONE // 2)


def settled(terms, a_round, malicious=None, charged=0):
    """A round of lists as a SettledRound: sets name only those who are present, and reports are on the grid."""
    entry, sets, n_sets, elapsed = arrays(terms, a_round)
    present, sets = entry.present, sets[:n_sets] & entry.present[:, None]
    step = 1 << (32 - terms.resolution)
    reports = np.where(present[:, None], entry.reports // step * step, 0)
    told = entry.silent, entry.awaits, entry.claimed
    return SettledRound(reports, present, sets, entry.paid, *told, malicious, elapsed, charged)


def some_rounds(count, terms=TERMS, seed=0):
    """Rounds of which the third is disapproved, with somebody absent in every other."""
    random, found = np.random.default_rng(seed), []
    m, k = terms.n_participants, terms.n_arms
    for n in range(count):
        reports = random.integers(0, ONE, (m, k)) + (2 * ONE if n == 2 else 0)
        present = np.arange(m) != (n % m if n % 2 else m)
        sets = np.broadcast_to(present[:, None], (2, m, k)).copy()
        found.append(SettledRound(np.where(present[:, None], reports, 0), present, sets, random.integers(0, ONE, m)))
    return found


def after(terms, rounds):
    """The accounts that contract.py arrives at."""
    accounts = contract.open_accounts(terms)
    approved = [settlement.entered(terms, accounts, a_round) for a_round in rounds]
    return accounts, approved


def equal(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in contract.Accounts._fields)
