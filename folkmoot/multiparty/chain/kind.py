"""The kind "bema": a chain whose every block anyone computes again, from the first models to the last parameters.

`step` checks signatures, reads the samples from the contents, validates and applies them in their order, and compares
each verdict and the parameters of each model with what the block says; the first record that differs is named.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.encoding import Malformed, Value
from folkmoot.ledger.block import Header
from folkmoot.ledger.chain import Chain
from folkmoot.ledger.contents import Contents
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.ledger.rules import Signers, UnknownRules
from folkmoot.multiparty.chain.acts import require_approved
from folkmoot.multiparty.chain.changes import changed
from folkmoot.multiparty.chain.checkpoints import entered, gone_on, is_going_on, remark_on, require_follows
from folkmoot.multiparty.chain.entries import MOST_PARTIES, Entry, load, with_parameters
from folkmoot.multiparty.chain.exchange_rules import committed, exchanged
from folkmoot.multiparty.chain.reading import BemaReader
from folkmoot.multiparty.chain.records import (
    ACTS,
    CALIBRATE,
    COMMIT,
    DISTANCE,
    EXCHANGE,
    MINER,
    REGISTER,
    UNCOVERED,
    Head,
    Leaf,
    Refused,
    Registered,
    SampleNote,
    read_calibration,
    read_head,
    read_refused,
    read_registered,
)
from folkmoot.multiparty.chain.samples import sample_of
from folkmoot.multiparty.chain.signing import APPLICATION, APPROVAL, REFUSAL, is_signed
from folkmoot.multiparty.chain.standing import Moved, State, read_configuration, replaced
from folkmoot.multiparty.chain.voting import in_turn, quorum
from folkmoot.multiparty.models.model import Model
from folkmoot.multiparty.models.tensors import tensors_in
from folkmoot.multiparty.rules.committee import Committee

KIND = "bema"


class Bema:
    """The rules: see the top of the file."""

    def genesis(self, configuration: Value, contents: Contents) -> State:
        """The state before the first block; the original parties' models are loaded.

        Raises:
            Malformed: not what `standing.configuration` returns for models that can be loaded.
            UnknownRules: models of a kind that is not known here, or whose library is not installed.
            MissingContent, TamperedContent: parameters that are not as they are named.
        """
        if is_going_on(configuration):
            return gone_on(configuration, contents)
        terms, originals, miners, voting = read_configuration(configuration)
        models = []
        for number, party in enumerate(originals):
            with _named(f"original party {number} ({party.name})"):
                models.append(load(party, terms, contents))
        committee = Committee(models, terms)
        return State(terms, originals, len(originals), miners, committee, contents, b"", {}, voting)

    def reader(self, configuration: Value, contents: Contents) -> BemaReader:
        """Who tells what the blocks of such a chain say.

        Raises:
            Malformed: see `genesis`.
        """
        return BemaReader(configuration, contents)

    def signers(self, state: State, records: tuple[bytes, ...]) -> Signers:
        """The miner whom record 0 names, alone; where blocks are voted on, more than two thirds of all who vote.

        Raises:
            RefusedRecord, Malformed: there is no such miner, or it is not its turn.
        """
        head = head_of(state, records)
        if state.voting is None:
            return Signers(frozenset([head.miner]), 1)
        return Signers(frozenset(state.voters), quorum(len(state.voters)))

    def step(self, state: State, header: Header, records: tuple[bytes, ...]) -> State:
        """The state after a block, everything in it computed again.

        Raises:
            RefusedRecord: something in it is not what it should be; `MissingContent` and `TamperedContent` are such.
            UnknownRules: it admits a model of a kind that is not known here.
        """
        head = head_of(state, records)
        state = state._replace(origin=header.previous) if header.height == 1 else state
        state, what = entered(state, head), head.what
        if what == CALIBRATE:
            return _calibrate(state, records[1:])
        if what == COMMIT:
            return committed(state, records[1:])
        if what == EXCHANGE:
            return exchanged(state, header.previous, records[1:])
        if len(records) != 2:
            raise RefusedRecord(f"{len(records)} records: a block of a newcomer has two")
        with _named("record 1"):
            if what in ACTS:
                return changed(state, what, header.height, records[1])
            return _register(state, records[1], header.height) if what == REGISTER else _refuse(state, records[1])

    def remarks(self, configuration: Value, verified: bool) -> tuple[str, ...]:
        """What a reader of a chain that goes on from another one cannot check.

        Raises:
            Malformed: see `genesis`.
        """
        return remark_on(configuration)

    def goes_on(self, configuration: Value, before: Chain) -> tuple[str, ...]:
        """Does it go on from that chain? The remarks that are settled by this.

        Raises:
            Malformed: no.
        """
        return require_follows(configuration, before)

    def accounts(self, state: State) -> tuple[str, list[str], list[list[str]]]:
        """What the paper rewards: of each party its samples that moved models, and of each maker its blocks."""
        rows = []
        for number, party in enumerate(state.parties):
            kind = "gone" if number in state.life.gone else "original" if number < state.originals else "regular"
            counts = (state.life.taught.get(party.name, 0), state.life.made.get(party.name, 0))
            rows.append([party.name, kind, *map(str, counts)])
        rows += [[f"miner {key.hex()}", MINER, "0", str(state.life.made.get(key.hex(), 0))]
                 for key in sorted(state.miners) if state.number_of(key) < 0]  # fmt: skip
        return "samples that moved models, and blocks made", ["party", "kind", "samples", "blocks"], rows


BEMA = Bema()


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Say in which record it was; anything wrong in one is the block's fault, except what is not known here."""
    try:
        yield
    except RefusedRecord as error:
        raise type(error)(f"{what}: {error}") from None
    except UnknownRules as error:
        raise UnknownRules(f"{what}: {error}") from None
    except Malformed as error:
        raise Malformed(f"{what}: {error}") from None


def head_of(state: State, records: tuple[bytes, ...]) -> Head:
    """Record 0, which says who made the block, and that it might.

    Raises:
        RefusedRecord, Malformed: there is none, or its miner may make no block, or not in its round.
    """
    if not records:
        raise RefusedRecord("no records: expected the head of a block")
    head = read_head(records[0])
    kind = state.kind_of(head.miner)
    if kind != head.miner_kind:
        what = "neither a miner nor a party" if state.voting is None else "none that proposes blocks"
        what = what if kind is None else f"of kind {kind}"
        raise RefusedRecord(f"record 0: miner {head.miner.hex()} of kind {head.miner_kind} is {what}")
    if (head.round is None) != (state.voting is None):
        raise RefusedRecord(f"record 0: {'no ' if head.round is None else 'a '}round of a vote on this chain")
    if state.voting is not None and head.round is not None:
        if head.round <= state.round:
            raise RefusedRecord(f"record 0: round {head.round}: expected one after {state.round}")
        if head.miner not in in_turn(state.voting, state.makers, head.round):
            raise RefusedRecord(f"record 0: round {head.round} is not the turn of miner {head.miner.hex()}")
    return head


def _register(state: State, data: bytes, height: int) -> State:
    said = read_registered(data)
    party = said.party
    if (said.until is None) == bool(state.terms.approvals):
        ends = "no" if said.until is None else "a"
        raise RefusedRecord(f"approval of {party.name}: {ends} last height on this chain")
    if said.until is not None:
        require_approved(party.name, said.until, height)
    _require_application(state, said)
    if not state.covers(said.approver, party.classes):
        raise RefusedRecord(f"party {said.approver} is no original party that knows all classes of {party.name}")
    if not is_signed(state.parties[said.approver].key, APPROVAL, state.origin, said.said(), said.signature):
        raise RefusedRecord(f"the approval of {party.name} is not signed by party {said.approver}")
    if state.terms.approvals > 1 or state.terms.outside < 1.0:
        raise RefusedRecord(f"{party.name} has one approval: by these terms that is not how a newcomer is admitted")
    if not said.distance <= state.terms.omega:
        raise RefusedRecord(f"distance of {party.name} = {said.distance:g}: at most {state.terms.omega:g} is admitted")
    if len(state.parties) >= MOST_PARTIES:
        raise RefusedRecord(f"{party.name} would be party {MOST_PARTIES}: no more are allowed")
    committee = state.committee.with_model(load(party, state.terms, state.contents))
    return state._replace(parties=(*state.parties, party), committee=committee, ahead={}, turned_away=0)


def _refuse(state: State, data: bytes) -> State:
    said = read_refused(data)
    name = said.party.name
    _require_application(state, said)
    if state.terms.refusals:
        if said.reason == UNCOVERED:
            raise RefusedRecord(f"{name} is refused as uncovered: by these terms that is not recorded")
        if state.turned_away >= state.terms.refusals:
            raise RefusedRecord(f"{name} is refused after {state.turned_away} others: no more in a row are recorded")
        state = state._replace(turned_away=state.turned_away + 1)
    if said.reason == UNCOVERED:
        for original in range(state.originals):
            if state.covers(original, said.party.classes):
                raise RefusedRecord(f"{name} is refused as uncovered: party {original} knows all of its classes")
        return state
    if not state.covers(said.approver, said.party.classes):
        raise RefusedRecord(f"party {said.approver} is no original party that knows all classes of {name}")
    if not is_signed(state.parties[said.approver].key, REFUSAL, state.origin, said.said(), said.signature):
        raise RefusedRecord(f"the refusal of {name} is not signed by party {said.approver}")
    if said.reason == DISTANCE and (said.distance is None or said.distance <= state.terms.omega):
        raise RefusedRecord(f"{name} is refused for its distance, which is within {state.terms.omega:g}")
    return state


def _require_application(state: State, said: Registered | Refused) -> None:
    """The newcomer is new and has asked for it."""
    party = said.party
    if state.is_taken(party.name, party.key):
        raise RefusedRecord(f"the name or the key of {party.name} is that of a party already")
    if not is_signed(party.key, APPLICATION, state.origin, tuple(party), said.consent):
        raise RefusedRecord(f"the application of {party.name} is not signed by its key")


def _calibrate(state: State, records: tuple[bytes, ...]) -> State:
    notes, leaves = read_calibration(records)
    refused = refusals(state, notes)
    if refused.excess:
        note = notes[refused.excess[0]]
        who = f"{note.sender} ({state.parties[note.sender].name})" if note.sender < len(state.parties) else "unknown"
        what = f"refused as {note.verdict}, which stands on the chain already, or more than {state.terms.refusals} are"
        raise RefusedRecord(f"record {refused.excess[0] + 1}: sample of party {who}: {what}")
    samples = []
    for number, note in enumerate(notes, 1):
        with _named(f"record {number}: sample of party {note.sender}"):
            samples.append(sample_of(state, note))
    try:
        outcome = state.after(samples)
    except Malformed as error:
        raise RefusedRecord(f"these samples make a model useless: {error}") from None
    for number, (note, verdict) in enumerate(zip(notes, outcome.verdicts, strict=True), 1):
        if note.verdict != verdict:
            told, found = (text or "accepted" for text in (note.verdict, verdict))
            who = f"{note.sender} ({state.parties[note.sender].name})"
            raise RefusedRecord(f"record {number}: sample of party {who}: {found}, the block says {told}")
    others = _others(state, len(notes) + 1, outcome.moved, leaves)
    committee = replaced(outcome.committee, others) if others else outcome.committee
    done = len(notes) > len(refused.recorded) or not state.terms.refusals
    senders = [state.parties[note.sender].name for note in notes if not note.verdict]
    return state._replace(
        committee=committee,
        life=state.life.with_samples(senders),
        ahead={},
        recorded=state.recorded | refused.recorded,
        turned_away=0 if done else state.turned_away,
    )


class Refusals(NamedTuple):
    """Samples of a block that are refused, where the terms bound how many there may be."""

    recorded: frozenset[bytes]  # see `SampleNote.message`
    excess: tuple[int, ...]  # numbers of the notes that stand on the chain already, or are too many of one sender


def refusals(state: State, notes: Sequence[SampleNote]) -> Refusals:
    """Which refusals a block may record: each once, and only so many of a sender."""
    if not state.terms.refusals:
        return Refusals(frozenset(), ())
    counts, found, excess = Counter[int](), set[bytes](), list[int]()
    for number, note in enumerate(notes):
        if note.verdict:
            message = note.message
            if message in state.recorded or message in found or counts[note.sender] == state.terms.refusals:
                excess.append(number)
            else:
                counts[note.sender] += 1
                found.add(message)
    return Refusals(frozenset(found), tuple(excess))


def _others(state: State, first: int, moved: tuple[Moved, ...], leaves: tuple[Leaf, ...]) -> dict[int, Model]:
    """The models to go on with that are not bit by bit ours: the block's, where the terms tolerate a difference."""
    others: dict[int, Model] = {}
    for number in range(max(len(moved), len(leaves))):
        with _named(f"record {first + number}"):
            leaf = leaves[number] if number < len(leaves) else None
            ours = moved[number] if number < len(moved) else None
            if ours is None or leaf is None or ours.party != leaf.party:
                expected, told = (_who(state, item.party) if item else "none" for item in (ours, leaf))
                raise RefusedRecord(f"the model moved next is {expected}, the block says {told}")
            party = state.parties[leaf.party]
            if leaf.model_kind != party.model_kind:
                raise RefusedRecord(f"{_who(state, leaf.party)} is of kind {party.model_kind}, not {leaf.model_kind}")
            if ours.name == leaf.parameters:
                state.contents.get(leaf.parameters)
            elif state.terms.tolerance > 0.0:
                others[leaf.party] = _tolerated(state, party, ours, leaf)
            else:
                raise _differs(state, ours, leaf)
    return others


def _who(state: State, number: int) -> str:
    name = state.parties[number].name if number < len(state.parties) else "there is none"
    return f"model of party {number} ({name})"


def _differs(state: State, ours: Moved, leaf: Leaf, more: str = "") -> RefusedRecord:
    hashes = f"parameters hash to {ours.name.hex()}, the block says {leaf.parameters.hex()}"
    return RefusedRecord(f"{_who(state, leaf.party)}: {hashes}{more}")


def _tolerated(state: State, party: Entry, ours: Moved, leaf: Leaf) -> Model:
    theirs = with_parameters(party, state.terms, state.contents.get(leaf.parameters))
    own, told = numbers(with_parameters(party, state.terms, ours.parameters)), numbers(theirs)
    if own is None or told is None:
        raise _differs(state, ours, leaf, "; models of this kind cannot be compared by their numbers")
    most = float(np.abs(own - told).max(initial=0.0)) if own.shape == told.shape else np.inf
    if not most <= state.terms.tolerance:
        raise _differs(state, ours, leaf, f"; they differ by {most:g}, {state.terms.tolerance:g} is tolerated")
    return theirs


def numbers(model: Model) -> NDArray[np.float64] | None:
    """All parameters of a model in a row: its `numbers()`, or those in its bytes; None if it has neither."""
    found: Callable[[], Any] | None = getattr(model, "numbers", None)
    if found is not None:
        return np.asarray(found(), np.float64).ravel()
    try:
        from safetensors.numpy import load as arrays_in
    except ImportError:
        return None
    data = model.to_bytes()
    try:
        tensors_in(data)
    except Malformed:
        return None
    arrays = arrays_in(data)
    return np.concatenate([np.zeros(0), *(arrays[name].astype(np.float64).ravel() for name in sorted(arrays))])
