"""The kind "bc_ucb": chains whose blocks are approved rounds of a game, each of which anyone can compute again.

A block holds one RoundRecord. Everything in it follows from the validators' values, the reports these name and the
chain before it: who the validators are, which reports count, the validated estimates, the payments. `step` computes
it all again and refuses what differs, by name; `conclude` is the same computation for those who make the block.
"""

from collections.abc import Callable, Mapping
from operator import is_
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from folkmoot.agreement.shared import Call, Latest, Shared, anew, directly
from folkmoot.bc_ucb.contract import Accounts, Entry, blank_entry, open_accounts, validated
from folkmoot.bc_ucb.costs import booked
from folkmoot.bc_ucb.disclosed import opened
from folkmoot.bc_ucb.earnings import due_for
from folkmoot.bc_ucb.edition_1 import words_of
from folkmoot.bc_ucb.genesis import GameSettings, checked_configuration
from folkmoot.bc_ucb.records import (
    DISPUTED,
    EXCLUDED,
    MISSING,
    NO_REPORT,
    RANGE,
    REPORT,
    SETS,
    Named,
    Report,
    RoundRecord,
)
from folkmoot.bc_ucb.round import admit, enter_round, strike_out
from folkmoot.bc_ucb.shown import entering, proven
from folkmoot.bc_ucb.standing import accounts
from folkmoot.bc_ucb.state import State
from folkmoot.bc_ucb.validators import drawn_by_coins, has_proof
from folkmoot.encoding import Malformed, Value, digest
from folkmoot.errors import OtherSide
from folkmoot.ledger.block import Block, Header
from folkmoot.ledger.contents import Contents
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.ledger.rules import Signers
from folkmoot.signatures import check

KIND = "bc_ucb"
MOST_REMEMBERED = 1 << 23  # bytes of blocks whose outcomes are remembered, unless there is one alone


_Looked: TypeAlias = tuple[bytes, bytes, bytes, bytes, tuple[bytes, ...], bytes]


class Unfinished(OtherSide):
    """Why the agreed sets give no block; one line."""


def counted(
    state: State, previous: bytes, round: int, values: Mapping[int, bytes | None], call: Call = directly
) -> dict[int, Named]:
    """Of the agreed values, those that are well-formed, signed by their validators and, with VRFs, proven."""
    settings, found = state.configuration, {}
    units, proven = state.weights, settings.coins is None
    members = range(len(settings.keys)) if proven else drawn_by_coins(settings, units, round, call)
    shape = (settings.terms.n_participants, settings.terms.n_arms, proven)
    for validator in members:
        value = values.get(validator)
        if value is None:
            continue
        about = state.origin, previous, round, validator
        named = call(_signed_value, settings.edition, state.keys[validator], about, value, shape)
        if named is None or len(named.blinding) != settings.blinding_bytes:
            continue
        if proven and not has_proof(settings, units, previous, round, validator, named.proof, call):
            continue
        found[validator] = named
    return found


def _signed_value(
    edition: int, key: bytes, about: tuple[bytes, bytes, int, int], value: bytes, shape: tuple[int, int, bool]
) -> Named | None:
    """What a value says; None: it is malformed, or the validator with this key has not signed it."""
    words = words_of(edition)
    try:
        named = words.value(value, *shape)
    except Malformed:
        return None
    return named if check(key, SETS, words.sets(*about, named), named.signature) else None


def conclude(
    state: State,
    previous: bytes,
    round: int,
    values: Mapping[int, bytes | None],
    held: Mapping[bytes, Report],
    accounts: Accounts | None = None,
    call: Call = directly,
) -> tuple[RoundRecord, NDArray[np.bool_]]:
    """The record that agreed values and the reports they name amount to, and the validated sets.

    Args:
        values: of each validator (by its number as participant) the agreed value, None if there is none.
        held: reports with right signatures, by their names.
        accounts: the round is entered into them; None: it is not.

    Raises:
        Unfinished: there is none: nobody's set counts, a report that is needed is not held, or disapproved.
    """
    settings = state.configuration
    sets = counted(state, previous, round, values, call)
    validators = tuple(sorted(sets))
    if settings.coins is not None:
        validators = drawn_by_coins(settings, state.weights, round, call)
    record, members = concluded(state, round, sets, held, accounts, call)
    kept = tuple((v, value) for v in sorted(sets) if (value := values[v]) is not None)
    void = tuple(v for v in validators if v not in sets)
    return record._replace(validators=validators, sets=kept, void=void, before=_named(state)), members


def copied(accounts: Accounts) -> Accounts:
    """The same accounts, to be written."""
    return Accounts(*(array.copy() for array in accounts))


def _named(state: State) -> bytes:
    """What the next block says of the state before it; in edition 1 nothing."""
    return state.digest if state.configuration.edition > 1 else b""


def concluded(
    state: State,
    round: int,
    sets: Mapping[int, Named],
    held: Mapping[bytes, Report],
    accounts: Accounts | None,
    call: Call = directly,
) -> tuple[RoundRecord, NDArray[np.bool_]]:
    """As `conclude`, of the sets that count; who was drawn is left out of the record, and what these have said.

    Raises:
        Unfinished: see there.
    """
    settings = state.configuration
    if not sets:
        raise Unfinished("no set counts")
    names, reasons = _agreed_names(state, sets, held)
    reports = {m: held[name] for m, name in names.items()}
    entry = _entry(state, round, reports, reasons)
    approved, estimates, members = _validated(state, round, heard_sets(sets, names, entry.present), entry, accounts)
    if not approved:
        raise Unfinished("disapproved: an arm without an estimate, or an estimate above 2")
    ordered = tuple(reports[m] for m in sorted(reports))
    shown = entering(state, sets, call) if settings.edition > 1 else ()
    refused = tuple(sorted(reasons.items()))
    return RoundRecord(round, (), ordered, refused, (), (), estimates, entry.paid, b"", shown), members


def _validated(
    state: State, round: int, agreed: NDArray[np.bool_], entry: Entry, accounts: Accounts | None
) -> tuple[bool, NDArray[np.int64], NDArray[np.bool_]]:
    """Is the round approved, estimates and validated sets; an approved one enters the accounts, if there are some.

    One by one, Python's numbers are quicker than those of arrays.
    """
    terms, sets, said = state.configuration.terms, agreed.astype(np.object_), Entry(*map(_one_by_one, entry))
    estimates, members = np.zeros(terms.n_arms, np.object_), np.zeros(entry.reports.shape, np.object_)
    if accounts is None:
        approved = validated(terms, sets, len(sets), said.reports, estimates, members)
    else:
        booked = Accounts(*map(_one_by_one, accounts))
        approved = enter_round(terms, booked, sets, len(sets), said, round - state.round, estimates, members)
        for array, found in zip(accounts, booked):
            array[...] = found
    return bool(approved), estimates.astype(np.int64), members.astype(np.bool_)


def _one_by_one(array: NDArray[Any]) -> NDArray[np.object_]:
    return array.astype(np.object_)


def _entry(state: State, round: int, reports: Mapping[int, Report], reasons: dict[int, str]) -> Entry:
    """What the agreed reports say; why those that are refused are joins the reasons."""
    terms = state.configuration.terms
    entry: Entry = blank_entry(terms)
    entry.silent[[m for m, reason in reasons.items() if reason != MISSING]] = False
    for m, report in reports.items():
        entry.reports[m] = report.means
        told = due_for(state, round, report)
        entry.paid[m], entry.awaits[m], entry.claimed[m] = told[1:]
        admit(terms, entry, m, told.refused is None)
        if not entry.present[m]:
            reasons[m] = told.refused or RANGE
    return entry


def _agreed_names(
    state: State, sets: Mapping[int, Named], held: Mapping[bytes, Report]
) -> tuple[dict[int, bytes], dict[int, str]]:
    """The reports that more than half of the sets name, by their names, and why the other participants have none."""
    agreed: dict[int, bytes] = {}
    reasons: dict[int, str] = {}
    for m, names in enumerate(zip(*(named.names for named in sets.values()))):
        if m in state.excluded:
            reasons[m] = EXCLUDED
            continue
        told = {*names} - {NO_REPORT}
        winner = next((name for name in told if 2 * names.count(name) > len(names)), None)
        if winner is None:
            reasons[m] = DISPUTED if len(told) > 1 else MISSING
        elif winner not in held or held[winner].participant != m:
            raise Unfinished(f"the report of participant {m} is not held")
        else:
            agreed[m] = winner
    return agreed, reasons


def heard_sets(sets: Mapping[int, Named], names: Mapping[int, bytes], present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whom each set names, bool [sets, participants, arms], in ascending order of the validators.

    Naming somebody counts only if the report a set holds of it is the one in the record (`names`, by participant).
    """
    rows, there = np.array([sets[v].members for v in sorted(sets)], np.bool_), present.tolist()
    kept = [names.get(m) for m in range(len(there))]
    for row, v in enumerate(sorted(sets)):
        spoken_for = [yes and name == held for yes, name, held in zip(there, sets[v].names, kept)]
        strike_out(rows, row, spoken_for)
    return rows


class Rounds:
    """The rules: see the top of the file.

    Attributes:
        call: how proofs of random functions are checked, and validators drawn.
        latest: how the block is made that values amount to, of names for all that it depends on.
        work: is there any to be done on a block? A quorum signs it instead.
    """

    work = False

    def __init__(self, call: Call = directly, latest: Callable[..., Any] = anew) -> None:
        self.call, self.latest = call, latest

    def genesis(self, configuration: Value, contents: Contents) -> State:
        """The state before the first block. Nothing in a round refers to contents.

        Raises:
            Malformed: not what `configuration` returns for terms, keys and sortition that make sense.
        """
        settings = checked_configuration(configuration)
        terms = settings.terms
        members = np.zeros((terms.n_participants, terms.n_arms), np.bool_)
        accounts = open_accounts(terms) if settings.opening is None else settings.opening.accounts(terms)
        return State(settings, digest("game", configuration), b"", accounts, None, members)

    def accounts(self, state: State) -> tuple[str, list[str], list[list[str]]]:
        """See standing.py."""
        return accounts(state)

    def signers(self, state: State, records: tuple[bytes, ...]) -> Signers:
        """All members; more than two thirds of them."""
        return Signers(state.voters, state.quorum)

    def step(self, state: State, header: Header, records: tuple[bytes, ...]) -> State:
        """The state after the round, everything in the record computed again.

        Raises:
            RefusedRecord: something in it is not what it should be.
        """
        return self.step_with(state, header, records, b"")

    def step_with(self, state: State, header: Header, records: tuple[bytes, ...], behind: bytes) -> State:
        """As `step`, with what is behind the commitments of the block, where there are such (see disclosed.py).

        Raises:
            RefusedRecord: see there.
        """
        return transition(state, header, records, behind, self.call)

    def remember(self, state: State, block: Block, after: State) -> None:
        """The state after a block that was made here is known, and need not be worked out when it is looked at."""


ROUNDS = Rounds()


class SharedRounds(Rounds):
    """The rules for one who sees the same blocks again and again, or for many in one program: each is looked at once.

    What was looked at is named completely by digests of the genesis, of the blocks before and after and of the state
    before, and by the records. The block before does not name the state: somebody may have given a false one.
    """

    def __init__(self, most: int = 64) -> None:
        """`most`: blocks whose outcomes are remembered; of large blocks fewer, `MOST_REMEMBERED` bytes in all.

        Of each other pure function 32 values are remembered for each block.
        """
        super().__init__(Shared(32 * most), Latest())
        self._most, self._size = most, 0
        self._outcomes: dict[_Looked, State | str] = {}

    def step_with(self, state: State, header: Header, records: tuple[bytes, ...], behind: bytes) -> State:
        """As of `Rounds`.

        Raises:
            RefusedRecord: see there.
        """
        key = (state.origin, state.tip, state.digest, header.hash, records, behind)
        outcome = self._outcomes.get(key)
        if outcome is None:
            try:
                outcome = super().step_with(state, header, records, behind)
            except RefusedRecord as refused:
                outcome = str(refused)
            self._remember(key, outcome)
        if isinstance(outcome, str):
            raise RefusedRecord(outcome)
        return outcome

    def remember(self, state: State, block: Block, after: State) -> None:
        self._remember((state.origin, state.tip, state.digest, block.hash, block.records, b""), after)

    def _remember(self, key: _Looked, outcome: State | str) -> None:
        if key in self._outcomes:
            return
        size = sum(map(len, key[4])) + len(key[5])
        while self._outcomes and (len(self._outcomes) >= self._most or self._size + size > MOST_REMEMBERED):
            oldest = next(iter(self._outcomes))
            del self._outcomes[oldest]
            self._size -= sum(map(len, oldest[4])) + len(oldest[5])
        self._outcomes[key] = outcome
        self._size += size


def transition(
    state: State, header: Header, records: tuple[bytes, ...], behind: bytes = b"", call: Call = directly
) -> State:
    """`Rounds.step_with`.

    Raises:
        RefusedRecord: see there.
    """
    settings = state.configuration
    words, record = words_of(settings.edition), _record_of(settings, records, behind)
    if record.round <= state.round:
        raise RefusedRecord(f"round {record.round}: expected one after {state.round}")
    if record.before != _named(state):  # nothing is computed with a state that the block does not name
        raise RefusedRecord("before: the block names another state")
    for report in record.reports:
        if len(report.blinding) != settings.blinding_bytes:
            raise RefusedRecord(f"the report of participant {report.participant} is not of this game's form")
        said = words.report(state.origin, header.previous, record.round, report)
        if not check(settings.keys[report.participant], REPORT, said, report.signature):
            raise RefusedRecord(f"the report of participant {report.participant} is not signed by it")
    held = {words.name(report): report for report in record.reports}
    accounts, sets = copied(state.accounts), dict(record.sets)
    try:
        expected, members = conclude(state, header.previous, record.round, sets, held, accounts, call)
    except Unfinished as error:
        raise RefusedRecord(str(error)) from None
    for field, told, found in zip(RoundRecord._fields, record, expected):
        if not _same(told, found):
            raise RefusedRecord(f"{field}: not what follows from the sets and the reports")
    return state_after(state, header.hash, record, members, accounts, call)


def state_after(
    state: State, hash: bytes, record: RoundRecord, members: NDArray[np.bool_], accounts: Accounts, call: Call
) -> State:
    """The state after the block with this hash and record, of the validated sets and the accounts after it."""
    faults, told = proven(state, record.shown, call), booked(state, record.shown, members, accounts)
    for array in (*accounts, members, record.estimates, record.paid):
        array.setflags(write=False)
    return State(state.configuration, state.origin, hash, accounts, record, members, faults, *told)


def _record_of(settings: GameSettings, records: tuple[bytes, ...], behind: bytes) -> RoundRecord:
    if len(records) != 1:
        raise RefusedRecord(f"{len(records)} records: expected one, of a round")
    shape = (settings.terms.n_participants, settings.terms.n_arms)
    try:
        if settings.sealed:
            return opened(records[0], behind, shape, settings.coins is None)
        return words_of(settings.edition).record(records[0], *shape)
    except Malformed as error:
        raise RefusedRecord(str(error)) from None


def _same(told: object, found: object) -> bool:
    """Equal fields; reports found are some of those told, in order: the very same objects, or others are."""
    if isinstance(told, np.ndarray) and isinstance(found, np.ndarray):
        return np.array_equal(told, found)
    if isinstance(told, tuple) and told and isinstance(told[0], Report):
        return isinstance(found, tuple) and len(found) == len(told) and all(map(is_, told, found))
    return told == found
