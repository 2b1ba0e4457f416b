"""The kind "notes": a fixed list of keys writes down any records. The file to copy for a kind of one's own."""

from typing import NamedTuple

from folkmoot.encoding import Malformed, Value
from folkmoot.ledger.block import MOST_SIGNATURES, Header
from folkmoot.ledger.contents import Contents
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.ledger.rules import Signers


class State(NamedTuple):
    """Who signs, and how many notes there are."""

    signers: Signers
    notes: int


def configuration(keys: tuple[bytes, ...], quorum: int | None = None) -> Value:
    """What the genesis of a chain of notes holds: public keys of 32 bytes, and how many must sign (None: all)."""
    return (tuple(sorted(keys)), len(keys) if quorum is None else quorum)


class Notes:
    """The rules: `quorum` of the keys sign each block; a record is anything but empty."""

    def genesis(self, configuration: Value, contents: Contents) -> State:
        """The state before the first note. No note refers to contents.

        Raises:
            Malformed: not what `configuration` returns for 1 to 1,024 different keys and a quorum among them.
        """
        if type(configuration) is not tuple or len(configuration) != 2 or type(configuration[0]) is not tuple:
            raise Malformed("configuration of notes: expected (keys, quorum)")
        keys, quorum = configuration
        if not 1 <= len(keys) <= MOST_SIGNATURES or not all(type(key) is bytes and len(key) == 32 for key in keys):
            raise Malformed(f"keys of notes: expected 1 to {MOST_SIGNATURES} of 32 bytes")
        if list(keys) != sorted(set(keys)):
            raise Malformed("keys of notes: expected ascending order, each key once")
        if type(quorum) is not int or not 1 <= quorum <= len(keys):
            raise Malformed(f"quorum of notes: expected an integer from 1 to {len(keys)}")
        return State(Signers(frozenset(keys), quorum), 0)

    def signers(self, state: State, records: tuple[bytes, ...]) -> Signers:
        """The same for every block."""
        return state.signers

    def step(self, state: State, header: Header, records: tuple[bytes, ...]) -> State:
        """Count the notes.

        Raises:
            RefusedRecord: an empty one.
        """
        for number, record in enumerate(records):
            if not record:
                raise RefusedRecord(f"record {number} is empty")
        return state._replace(notes=state.notes + len(records))


NOTES = Notes()
