"""A calibration sample on the chain: is it its sender's, and what did it move?"""

from folkmoot.ledger.block import Block
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.multiparty.chain.records import SampleNote, read_x
from folkmoot.multiparty.chain.signing import SAMPLE, is_signed
from folkmoot.multiparty.chain.standing import State
from folkmoot.multiparty.models.labels import named
from folkmoot.multiparty.rules.sample import Sample


def sample_of(state: State, note: SampleNote) -> Sample:
    """The sample a note is of.

    Raises:
        RefusedRecord, Malformed: its sender, labels, signature or content are not as they should be.
    """
    if not state.is_in(note.sender):
        what = "it is gone" if note.sender in state.life.gone else "there is no such party"
        raise RefusedRecord(what)
    if not (state.claimed(note.label) and state.claimed(note.wrong)):
        both = named((note.label, note.wrong), state.terms.labels)
        raise RefusedRecord(f"labels {both}: expected two that parties know")
    if not is_signed(state.parties[note.sender].key, SAMPLE, state.origin, note.said(), note.signature):
        raise RefusedRecord("not signed by it")
    x = read_x(state.contents.get(note.name), state.terms.shape)
    return Sample(x, note.label, note.wrong, note.sender, note.name)


def moved_by_each(state: State, block: Block, notes: tuple[SampleNote, ...]) -> tuple[tuple[int, ...], ...]:
    """The models that each sample of a block moved, computed from the state before it.

    Raises:
        RefusedRecord, Malformed: see `State.after`, `sample_of`.
    """
    state = state._replace(origin=block.header.previous) if block.header.height == 1 else state
    return state.after([sample_of(state, note) for note in notes]).each
