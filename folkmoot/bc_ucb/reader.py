"""What a ledger file shows to whoever reads it, the numbers of the participants included or not.

Of a game whose numbers only the participants see (disclosure "validators"), a reader checks

    the signatures of reports, of sets and of the quorum on each block; proofs of verifiable random functions
    that each report in a block is the one that more than half of the sets name, and why others are missing
    who was silent, which statements enter, and what each participant is paid

and takes from the word of the quorum, of whom more than half are honest if fewer than a third of all lie,

    who was drawn: that follows from trust
    that a report was out of range; whom a set names on an arm; the estimates, and with them trust and levels

It computes by the same rules as participants do, with numbers that stand in for those it does not see; what follows
from these is left out of its state.
"""

from typing import Any, cast

import numpy as np

from folkmoot.agreement.shared import Call, directly
from folkmoot.bc_ucb.contract import MOST_REPORT, Accounts, open_accounts
from folkmoot.bc_ucb.costs import new_disclosure
from folkmoot.bc_ucb.disclosed import ToldRecord, ToldReport, ToldSet
from folkmoot.bc_ucb.genesis import checked_configuration
from folkmoot.bc_ucb.goes_on import check_goes_on
from folkmoot.bc_ucb.records import (
    RANGE,
    REPORT,
    SETS,
    Named,
    Report,
    bits_of,
    report_words,
    sets_body,
    sets_of,
    sets_words,
)
from folkmoot.bc_ucb.rules import Rounds, Unfinished, concluded
from folkmoot.bc_ucb.shown import proven
from folkmoot.bc_ucb.state import State
from folkmoot.bc_ucb.validators import proven_output
from folkmoot.encoding import Malformed, Value
from folkmoot.ledger.block import Header
from folkmoot.ledger.chain import Chain
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.signatures import check

SEEN = ("reported", "earned", "waiting")  # accounts that a reader can compute; in its state the others are empty


UNSIGNED = "rewards are what participants claim: no environment signs them"
SEALED = "only participants see means, sets and estimates; a reader checks signatures, names, payments and the quorum"
FROM_BEFORE = "it begins with accounts of another chain, after block {height} with hash {hash}: verify it with --before"
SIMULATED = (
    "a simulation: its keys follow from the seed in its genesis; whoever has the file can sign in it and read all of it"
)


class Reading(Rounds):
    """The rules for whoever has the chain and nothing else."""

    def remarks(self, configuration: Value, verified: bool) -> tuple[str, ...]:
        """See `folkmoot.ledger.rules.remarks`.

        Raises:
            Malformed: see there.
        """
        settings = checked_configuration(configuration)
        if verified:
            before, sealed = settings.opening, (SEALED,) if settings.sealed else ()
            if before is None:
                return sealed
            return (*sealed, FROM_BEFORE.format(height=before.height, hash=before.tip.hex()))
        told = {UNSIGNED: not settings.environment, SEALED: settings.sealed, SIMULATED: settings.coins is not None}
        return tuple(remark for remark, holds in told.items() if holds)

    def goes_on(self, configuration: Value, before: Chain) -> tuple[str, ...]:
        """See `folkmoot.ledger.rules.goes_on`.

        Raises:
            Malformed: see there.
        """
        check_goes_on(configuration, before)
        return tuple(remark for remark in self.remarks(configuration, True) if remark != SEALED)

    def step(self, state: State, header: Header, records: tuple[bytes, ...]) -> State:
        """As of `Rounds`; of a game whose numbers only participants see, what can be checked without them.

        Raises:
            RefusedRecord: something in it is not what it should be.
        """
        if not state.configuration.sealed:
            return super().step(state, header, records)
        if len(records) != 1:
            raise RefusedRecord(f"{len(records)} records: expected one, of a round")
        try:
            told = ToldRecord.from_bytes(records[0], state.configuration.terms.n_participants)
            return _after(state, header, told, self.call)
        except (Malformed, Unfinished) as error:
            raise RefusedRecord(str(error)) from None


READING = Reading()


def _after(state: State, header: Header, told: ToldRecord, call: Call = directly) -> State:
    settings, terms = state.configuration, state.configuration.terms
    if told.round <= state.round:
        raise RefusedRecord(f"round {told.round}: expected one after {state.round}")
    held = {report.name: _standing_in(state, header, told, report) for report in told.reports}
    sets = {validator: _read_set(state, header, told.round, validator, one, call) for validator, one in told.sets}
    accounts = open_accounts(terms)._replace(**{name: getattr(state.accounts, name).copy() for name in SEEN})
    record, _ = concluded(state, told.round, sets, held, accounts, call)
    if len(record.reports) != len(told.reports):
        raise RefusedRecord("reports: not those that more than half of the sets name")
    silent = tuple(v for v in told.validators if v not in sets)
    drawn = set(sets) <= set(told.validators) if settings.coins is not None else told.validators == tuple(sets)
    for field, holds in (
        ("validators", drawn),
        ("void", told.void == silent),
        ("refused", told.refused == record.refused),
        ("paid", np.array_equal(told.paid, record.paid)),
        ("shown", told.shown == record.shown),
    ):
        if not holds:
            raise RefusedRecord(f"{field}: not what follows from the sets and the reports")
    seen = Accounts(*(array if name in SEEN else array[:0] for name, array in accounts._asdict().items()))
    for array in seen:
        array.setflags(write=False)
    faults, last = proven(state, told.shown, call), cast(Any, told)  # of a record, its round is all that is asked
    found = (new_disclosure(state, statement) for statement in told.shown)
    disclosed = max((one.round for one in found if one is not None), default=state.disclosed)
    seen_of = (seen, last, state.members[:0], faults, b"", disclosed)
    return State(state.configuration, state.origin, header.hash, *seen_of)


def _standing_in(state: State, header: Header, told: ToldRecord, report: ToldReport) -> Report:
    """A report with means that are in range, or out of range if this was found.

    Raises:
        RefusedRecord: it is not signed by its participant.
    """
    number, terms = report.participant, state.configuration.terms
    words = report_words(state.origin, header.previous, told.round, number, report.body)
    if not check(state.configuration.keys[number], REPORT, words, report.signature):
        raise RefusedRecord(f"the report of participant {number} is not signed by it")
    means = np.full(terms.n_arms, MOST_REPORT + 1 if (number, RANGE) in told.refused else 0, np.int64)
    return Report(number, means, *report[2:])


def _read_set(state: State, header: Header, round: int, validator: int, told: ToldSet, call: Call) -> Named:
    """A set that names everybody on each arm.

    Raises:
        RefusedRecord: it is not signed by its validator, or its proof shows nothing.
        Malformed: it is not of this game's shape.
    """
    settings, m, k = state.configuration, state.configuration.terms.n_participants, state.configuration.terms.n_arms
    proven = settings.coins is None
    named = sets_of((told.proof, bits_of(np.ones((m, k), np.bool_)), told.names, told.signature), m, k, proven)
    body = sets_body(told.commitment, told.names, told.shown)
    words = sets_words(state.origin, header.previous, round, validator, told.proof, body)
    if not check(state.keys[validator], SETS, words, told.signature):
        raise RefusedRecord(f"the set of validator {validator} is not signed by it")
    if proven and proven_output(settings, header.previous, round, validator, told.proof, call) is None:
        raise RefusedRecord(f"the proof of validator {validator} shows nothing")
    return named._replace(shown=told.shown)
