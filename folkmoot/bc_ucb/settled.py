"""A ledger of kind "bc_ucb" as what the contract is told of each round, for its settlement on another chain."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from folkmoot.bc_ucb.contract import Terms
from folkmoot.bc_ucb.edition_1 import words_of
from folkmoot.bc_ucb.genesis import Configuration
from folkmoot.bc_ucb.rules import heard_sets
from folkmoot.ledger.store import Ledger


class SettledRound(NamedTuple):
    """What the contract is told of a round."""

    reports: np.ndarray  # int64 [participants, arms]  scaled; 0 where nobody has reported
    present: np.ndarray  # bool [participants]
    sets: np.ndarray  # bool [n_sets, participants, arms]
    paid: np.ndarray  # int64 [participants]  scaled


def settled_rounds(ledger: Ledger) -> tuple[Terms, Iterator[SettledRound]]:
    """The terms and the approved rounds of a ledger, every block of which is verified first.

    Raises:
        ValueError: its reports are not on the chain.
        DamagedLedger: a block does not follow.
        UnreadableLedger: see `folkmoot.ledger.open`.
    """
    chain = ledger.chain
    settings: Configuration = chain.state.configuration
    if settings.sealed:
        raise ValueError(
            f"{ledger.path}: disclosure is 'validators', so the reports are not on the chain: nothing to settle"
        )
    return settings.terms, (settled(settings, block.records[0]) for block in ledger.blocks(1, chain.height))


def settled(settings: Configuration, record: bytes) -> SettledRound:
    """What the contract is told of the round in a record that the rules have accepted.

    Raises:
        Malformed: not a record of this game.
    """
    m, k = settings.terms.n_participants, settings.terms.n_arms
    words = words_of(settings.edition)
    told = words.record(record, m, k)
    present = np.ones(m, np.bool_)
    present[[number for number, _ in told.refused]] = False
    reports = np.zeros((m, k), np.int64)
    for report in told.reports:
        if present[report.participant]:
            reports[report.participant] = report.means
    named = {v: words.value(value, m, k, settings.coins is None) for v, value in told.sets}
    sets = heard_sets(named, {report.participant: words.name(report) for report in told.reports}, present)
    return SettledRound(reports, present, sets, np.array(told.paid, np.int64))
