"""What may stand on the sheets of an exchange, and in the answers to them; see sheets.py.

Whoever calls for an exchange may lie, and so may whoever answers. What is looked at here is looked at before anything
is worked out of it, so one that lies costs the others no more than one that says nothing.
"""

from folkmoot.agreement.signed_messages import Rejected
from folkmoot.encoding import Malformed
from folkmoot.ledger.contents import name_of
from folkmoot.multiparty.chain.entries import with_parameters
from folkmoot.multiparty.chain.exchange_rules import (
    committed,
    entry_of,
    judges_of,
    reports_in,
    require_signatures,
)
from folkmoot.multiparty.chain.exchanged import ExchangeBlock, ShownNote, ballot_in, read_committed
from folkmoot.multiparty.chain.records import read_x
from folkmoot.multiparty.chain.sheets import CHECKS, REVEAL, TRAIN, VOTE, Answer, Sheet, read_records
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.exchange.bench import sound_ballot

WITHHELD = "withheld"  # it says that it reveals something, and does not send it


def require_sheet(state: State, sheet: Sheet, block: ExchangeBlock) -> None:
    """A sheet can be answered: it names classes that there are, no more samples than may be revealed, and sets of its
    own candidates.

    Raises:
        Malformed: it cannot.
    """
    parties, numbers = range(len(state.parties)), [one.party for one in block.candidates]
    fine = (
        all(_is_plain(state, note) for note in block.shown)
        and all(_of(block.shown, n) <= sheet.each * len(state.parties[n].classes) for n in parties)
        and (sheet.phase == TRAIN or not block.shown)
        and (sheet.phase == VOTE or not block.candidates)
        and all(note.after is False for note in block.recalls)
        and not block.ballots
        and all(set(asked) <= set(numbers) for asked in sheet.asked)
    )
    if not fine:
        raise Malformed("sheet: not what may be asked")


def _of(shown: tuple[ShownNote, ...], sender: int) -> int:
    return sum(note.sender == sender for note in shown)


def _is_plain(state: State, note: ShownNote) -> bool:
    return note.wrong == -1 and note.label < state.terms.n_classes and state.is_in(note.sender)


def checked(state: State, origin: bytes, sheet: Sheet, answer: Answer) -> ExchangeBlock:
    """The records of an answer to a sheet; a commitment, which is none of a block of an exchange, is not among them.

    Args:
        state: of the chain.
        origin: hash of its genesis.
        sheet: what was asked.
        answer: what was said.

    Raises:
        OtherSide: they are not what may be said to it.
    """
    number, phase = answer.number, sheet.phase
    if phase == CHECKS:
        _require_commitment(state, origin, answer)
        return read_records(sheet.each, ())
    asked = read_records(sheet.each, sheet.records)
    own = read_records(sheet.each, answer.records)
    said = [
        *(note.sender for note in own.shown), *(one.party for one in own.candidates),
        *(note.judge for note in own.recalls), *(note.judge for note in own.ballots),
    ]  # fmt: skip
    numbered = {judge.number: judge for judge in judges_of(state)}
    fine = (
        all(one == number for one in said)
        and len(own.shown) <= (sheet.each * len(state.parties[number].classes) if phase == REVEAL else 0)
        and all(_is_plain(state, note) for note in own.shown)
        and len(own.candidates) <= (phase == TRAIN)
        and all(note.after == (phase == VOTE) for note in own.recalls)
        and len(own.recalls) <= (phase != TRAIN)
        and bool(own.recalls or not own.ballots)
        and all(
            note.reverted in sheet.asked and note.judge in numbered
            and sound_ballot(ballot_in(note), numbered[note.judge]) for note in own.ballots
        )
    )  # fmt: skip
    if not fine:
        raise Malformed("answer: not what was asked for")
    whole = own._replace(candidates=asked.candidates, recalls=(*asked.recalls, *own.recalls)) if phase == VOTE else own
    require_signatures(state, sheet.previous, whole)
    reports_in(own, judges_of(state), state.committee.fleet.claims, phase == VOTE)
    return own


def _require_commitment(state: State, origin: bytes, answer: Answer) -> None:
    if len(answer.records) > 1:
        raise Malformed("answer: more than one commitment")
    for data in answer.records:
        if read_committed(data).party != answer.number:
            raise Malformed("answer: a commitment of somebody else")
        committed(state._replace(origin=origin), [data])


def require_contents(state: State, answer: Answer, block: ExchangeBlock) -> None:
    """What an answer names comes with it: samples of the right form, and a model that can be loaded.

    Without that nobody could train on it or vote on it, and all would wait.

    Raises:
        Rejected: something is not there.
        OtherSide: something is not of its form.
    """
    found = {name_of(content): content for content in answer.contents}
    names = [note.name for note in block.shown] + [one.parameters for one in block.candidates]
    if not found.keys() >= set(names):
        raise Rejected(WITHHELD)
    for note in block.shown:
        read_x(found[note.name], state.terms.shape)
    for one in block.candidates:
        with_parameters(entry_of(state, one), state.terms, found[one.parameters])
