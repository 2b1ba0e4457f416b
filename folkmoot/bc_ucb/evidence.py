"""What proves that a participant of a game has lied: the kinds of `agreement.evidence`, and those only a game has."""

from typing import TYPE_CHECKING, NamedTuple

from folkmoot.agreement.evidence import Kind, TwoWords, evidence, kinds_of
from folkmoot.agreement.signed_messages import VALUE, Agreement, Fault, members_digest, session_digest, value_words
from folkmoot.encoding import encode

if TYPE_CHECKING:
    from folkmoot.bc_ucb.state import State

TWO_VALUES = 16  # numbers of kinds


class Ground(NamedTuple):
    """What evidence in a game is checked against: all of it follows from the genesis."""

    origin: bytes
    keys: tuple[bytes, ...]


def ground_of(state: "State") -> Ground:
    """Of the game that this is a state of."""
    return Ground(state.origin, state.configuration.keys)


def session_id(origin: bytes, previous: bytes, round: int) -> bytes:
    """The name of the agreement on sets in a round after this block."""
    return encode((origin, previous, round))


def _value(
    origin: bytes, round: int, member: int, previous: bytes, members: bytes, faulty: int, place: int, content: bytes
) -> bytes:
    return value_words(session_digest(session_id(origin, previous, round), members, faulty), place, content)


_OF_VALUES = TwoWords(VALUE, (bytes, bytes, int, int, bytes), _value)
KINDS: dict[int, Kind] = {**kinds_of("bc_ucb"), TWO_VALUES: _OF_VALUES}


def two_values(member: int, round: int, previous: bytes, agreement: Agreement, fault: Fault) -> bytes:
    """Evidence in a fault that the agreement of a round after this block has brought to light."""
    said = previous, members_digest(agreement.members), agreement.f, fault.general
    one, other = ((*said, fault.one), fault.signature_of_one), ((*said, fault.other), fault.signature_of_other)
    return evidence(TWO_VALUES, _OF_VALUES.payload(member, round, one, other))
