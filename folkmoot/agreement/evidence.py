"""Evidence: two words of one member for one slot, which everybody can check, for ever.

A confirmation is no evidence by itself: its signature is on a hash, and the height beside it is anybody's word.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from folkmoot.agreement.forms import Forms, Shape
from folkmoot.agreement.messages import PROPOSAL, Proposal, Vote, verify
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.encoding import Limits, Malformed, decode, encode

_LIMITS = Limits(size=1 << 16, depth=1, items=4, int_size=1)


class TwoVotes(NamedTuple):
    """Two messages of a vote, signed by one member for one slot, with different blocks."""

    one: bytes
    other: bytes

    @staticmethod
    def of(forms: Forms, one: Proposal | Vote, other: Proposal | Vote) -> "TwoVotes":
        """The evidence in two messages; a proposal is shown without its block."""
        return TwoVotes(*(forms.to_bytes(_bare(message)) for message in (one, other)))

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode(tuple(self), _LIMITS)

    @staticmethod
    def from_bytes(data: bytes) -> "TwoVotes":
        """The evidence with this encoding, to be checked by `culprit`.

        Raises:
            Malformed: there is none.
        """
        value = decode(data, _LIMITS)
        if type(value) is not tuple or tuple(map(type, value)) != (bytes, bytes):
            raise Malformed("evidence: expected two messages")
        return TwoVotes(*value)

    def culprit(self, forms: Forms, shape: Shape, keys: Sequence[bytes]) -> int | None:
        """Which of the members with these keys signed both; None: this proves nothing."""
        try:
            one, other = (forms.from_bytes(data, shape) for data in self)
            if not (isinstance(one, Proposal | Vote) and isinstance(other, Proposal | Vote)):
                return None
            if slot(one) != slot(other) or one.hash == other.hash:
                return None
            verify(one, keys, 0)
            verify(other, keys, 0)
        except (Malformed, Rejected):
            return None
        return one.sender


def slot(message: Proposal | Vote) -> tuple[Any, ...]:
    """What an honest member signs one block for: its proposal of a round, each of its votes of a round.

    The height is no part of it: who votes for two heights in one round votes for two blocks too.
    """
    return (message.phase if isinstance(message, Vote) else PROPOSAL, message.sender, message.round)


def _bare(message: Proposal | Vote) -> Proposal | Vote:
    return message._replace(block=b"") if isinstance(message, Proposal) else message
