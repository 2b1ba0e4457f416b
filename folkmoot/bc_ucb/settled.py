"""A ledger of kind "bc_ucb" as what the contract is told of each round, for its settlement on another chain."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from folkmoot.bc_ucb.contract import Terms, validated
from folkmoot.bc_ucb.costs import disclosure_in, most_kept
from folkmoot.bc_ucb.edition_1 import words_of
from folkmoot.bc_ucb.genesis import GameSettings
from folkmoot.bc_ucb.records import CLAIM, MISSING, NO_REWARD, UNSIGNED, RoundRecord
from folkmoot.bc_ucb.rules import heard_sets
from folkmoot.bc_ucb.state import State
from folkmoot.ledger.store import Ledger


class SettledRound(NamedTuple):
    """What the contract is told of a round; None stands for nobody, or nothing."""

    reports: np.ndarray  # int64 [participants, arms]  scaled; 0 where nobody has reported
    present: np.ndarray  # bool [participants]
    sets: np.ndarray  # bool [n_sets, participants, arms]
    paid: np.ndarray  # int64 [participants]  scaled, outcomes of earlier rounds that are claimed now among them
    silent: np.ndarray | None = None  # bool [participants]  of whom nothing came
    awaits: np.ndarray | None = None  # bool [participants]  who says that no outcome has come
    claimed: np.ndarray | None = None  # int64 [participants]  bits of rounds, as of Accounts.waiting
    malicious: np.ndarray | None = None  # bool [participants]  as the environment has disclosed in this round
    elapsed: int = 1  # rounds since the last block
    charged: int = 0  # blocks that are charged for the malicious


def settled_rounds(ledger: Ledger) -> tuple[Terms, Iterator[SettledRound]]:
    """The terms and the approved rounds of a ledger, every block of which is verified first.

    Raises:
        ValueError: its reports are not on the chain, or it goes on from another one.
        DamagedLedger: a block does not follow.
        UnreadableLedger: see `folkmoot.ledger.open`.
    """
    chain = ledger.chain
    settings: GameSettings = chain.state.configuration
    if settings.sealed:
        raise ValueError(
            f"{ledger.path}: disclosure is 'validators', so the reports are not on the chain: nothing to settle"
        )
    if settings.opening is not None:
        raise ValueError(
            f"{ledger.path}: begins with the accounts of another chain, which the contract on an EVM chain cannot take"
        )
    return settings.terms, _rounds(settings, ledger)


def _rounds(settings: GameSettings, ledger: Ledger) -> Iterator[SettledRound]:
    before, charges = settings.burn_in, Charges(ledger.chain.state)
    for block in ledger.blocks(1, ledger.chain.height):
        a_round, record = settled(settings, block.records[0], before)
        yield charges.after(a_round, record)
        before = record.round


class Charges:
    """What disclosures in a chain's blocks charge for, block by block: see costs.py."""

    def __init__(self, state: State) -> None:
        """`state`: of the chain, after any block."""
        self._settings, self._origin = state.configuration, state.origin
        # Of the blocks since the last disclosure, who was in a validated set.
        self._entered = deque[np.ndarray](maxlen=most_kept(len(self._settings.keys)))
        self._disclosed = 0  # round of the last disclosure

    def after(self, a_round: SettledRound, record: RoundRecord) -> SettledRound:
        """The round with what is charged in its block."""
        terms = self._settings.terms
        if not self._settings.environment:
            return a_round
        members = np.zeros(a_round.reports.shape, np.bool_)
        validated(terms, a_round.sets, len(a_round.sets), a_round.reports, np.zeros(terms.n_arms, np.int64), members)
        self._entered.append(np.asarray(members.any(axis=1)))
        for statement in record.shown:
            told = disclosure_in(self._settings, self._origin, statement)
            if told is not None and told.round > self._disclosed:
                bits = np.unpackbits(np.frombuffer(told.malicious, np.uint8))
                malicious = bits[: terms.n_participants].astype(np.bool_)
                charged = sum(bool((entered & malicious).any()) for entered in self._entered)
                self._entered.clear()
                self._disclosed = told.round
                return a_round._replace(malicious=malicious, charged=charged)
        return a_round


def settled(settings: GameSettings, record: bytes, before: int) -> tuple[SettledRound, RoundRecord]:
    """What the contract is told of the round in a record that the rules have accepted, and the record.

    `before`: the round of the block before it, of the burn-in's end if there is none.

    Raises:
        Malformed: not a record of this game.
    """
    m, k = settings.terms.n_participants, settings.terms.n_arms
    words = words_of(settings.edition)
    told = words.record(record, m, k)
    refused = dict(told.refused)
    present, silent, awaits = (np.zeros(m, np.bool_) for _ in range(3))
    silent[[number for number, reason in told.refused if reason == MISSING]] = True
    reports, claimed = np.zeros((m, k), np.int64), np.zeros(m, np.int64)
    for report in told.reports:
        who, reason = report.participant, refused.get(report.participant)
        if reason is None:
            present[who], reports[who] = True, report.means
        if reason not in (CLAIM, UNSIGNED):  # else nothing that it says of rewards counts
            awaits[who] = report.reward == NO_REWARD
            claimed[who] = sum(1 << (before - claim.round) for claim in report.earlier)
    named = {v: words.value(value, m, k, settings.coins is None) for v, value in told.sets}
    sets = heard_sets(named, {report.participant: words.name(report) for report in told.reports}, present)
    paid, elapsed = np.array(told.paid, np.int64), told.round - before
    return SettledRound(reports, present, sets, paid, silent, awaits, claimed, elapsed=elapsed), told
