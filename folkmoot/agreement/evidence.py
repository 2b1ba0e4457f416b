"""Evidence: what proves to everybody, for ever, that a member has broken a rule.

It has one form: the encoding of (number of its kind, member, ...), of at most `MOST_BYTES`. What is signed covers what
it is about, so the public keys and the origin of the chain are all that a check needs: no block, no list of members,
no value that was signed (its digest will do). Nobody can make evidence against a member who signs through a `Hand`
only: that signs one word for each purpose and slot, whatever crashes, and the origin is another one in every run.

Here are the kinds that every chain has whose blocks are voted on; a system adds kinds of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias

from folkmoot.agreement.messages import (
    MOST_NUMBER,
    PRECOMMIT,
    PREVOTE,
    PROPOSAL,
    Proposal,
    Vote,
    proposal_words,
    vote_words,
)
from folkmoot.encoding import Limits, Malformed, Value, decode, encode
from folkmoot.ledger.block import Header
from folkmoot.signatures import check, check_header

MOST_BYTES = 1_024
_LIMITS = Limits(size=MOST_BYTES, depth=1, items=24, int_size=8)
TWO_PROPOSALS, TWO_PREVOTES, TWO_PRECOMMITS, TWO_CONFIRMATIONS = 1, 2, 3, 4  # numbers of kinds

Payload: TypeAlias = tuple[Value, ...]  # member, ...
Statement: TypeAlias = tuple[tuple[Value, ...], bytes]  # what was signed besides member and slot, and the signature


class Ground(Protocol):
    """What evidence is checked against; a system's kinds may ask for more."""

    @property
    def origin(self) -> bytes:
        """Of the chain: 32 bytes that no other run has."""

    @property
    def keys(self) -> Sequence[bytes]:
        """Of the members, in the order of their numbers."""


class FaultKind(Protocol):
    """A kind of evidence."""

    def culprit(self, ground: Any, payload: Payload) -> int | None:
        """The member whom this convicts; None: nobody."""


Kinds: TypeAlias = Mapping[int, FaultKind]  # by their numbers


def evidence(number: int, payload: Payload) -> bytes:
    """The one encoding of evidence of this kind."""
    return encode((number, *payload), _LIMITS)


def culprit(kinds: Kinds, data: bytes, ground: Ground) -> int | None:
    """The member whom these bytes convict; None: nobody, whatever else they are."""
    try:
        value = decode(data, _LIMITS)
    except Malformed:
        return None
    if type(value) is not tuple or len(value) < 2 or type(value[0]) is not int or value[0] not in kinds:
        return None
    return kinds[value[0]].culprit(ground, value[1:])


class TwoWords(NamedTuple):
    """A kind: two different words that one member signed for one slot of a purpose.

    Attributes:
        purpose: of the signatures; an honest member signs one word for it in each slot, as a rule a round.
        said: types of what a word says besides member and slot.
        words: what is signed, of (origin, slot, member, what is said).
        twice: do two signatures of the same words count too? An honest member signs deterministically (RFC 8032), and
            nobody else can make a second signature that libsodium takes.
    """

    purpose: str
    said: tuple[type, ...]
    words: Callable[..., bytes]
    twice: bool = False

    def payload(self, member: int, slot: int, one: Statement, other: Statement) -> Payload:
        """Of evidence in two words; there is one for both orders."""
        first, second = sorted(((*one[0], one[1]), (*other[0], other[1])))
        return (member, slot, *first, *second)

    def culprit(self, ground: Ground, payload: Payload) -> int | None:
        """See `FaultKind`."""
        each = (*self.said, bytes)
        if not are(payload, (int, int, *each, *each)) or not is_member(payload[0], ground):
            return None
        member, slot = payload[:2]
        one, other = payload[2 : 2 + len(each)], payload[2 + len(each) :]
        if one >= other or (not self.twice and one[:-1] == other[:-1]):
            return None
        key, words = ground.keys[member], partial(self.words, ground.origin, slot, member)
        signed = all(check(key, self.purpose, words(*said[:-1]), said[-1]) for said in (one, other))
        return member if signed else None


def is_member(number: int, ground: Ground) -> bool:
    """Is there a member of this number?"""
    return 0 <= number < len(ground.keys)


def are(payload: Payload, types: tuple[type, ...]) -> bool:
    """Are these the items, of exactly these types, and no number negative or beyond what is ever signed?"""
    return tuple(map(type, payload)) == types and all(0 <= item <= MOST_NUMBER for item in payload if type(item) is int)


def _proposal(origin: bytes, round: int, member: int, height: int, hash: bytes) -> bytes:
    return proposal_words(origin, height, round, hash)


def _vote(phase: str, origin: bytes, round: int, member: int, height: int, hash: bytes) -> bytes:
    return vote_words(origin, phase, height, round, hash)


class TwoConfirmations(NamedTuple):
    """A kind: one member's signatures on two headers that follow the same block.

    A signature on a header covers a hash only, so the headers are shown whole. `previous` covers the chain from its
    genesis on; an honest member signs one header of a height.
    """

    kind: str  # of the chain

    def payload(self, member: int, one: tuple[Header, bytes], other: tuple[Header, bytes]) -> Payload:
        """Of evidence in two headers with their signatures; there is one for both orders."""
        first, second = sorted((*header.fields(), signature) for header, signature in (one, other))
        return (member, *first, *second)

    def culprit(self, ground: Ground, payload: Payload) -> int | None:
        """See `FaultKind`."""
        each = (int, str, int, bytes, bytes, int, bytes, bytes)
        if not are(payload, (int, *each, *each)) or not is_member(payload[0], ground):
            return None
        member, one, other = payload[0], payload[1 : 1 + len(each)], payload[1 + len(each) :]
        if one[:-1] >= other[:-1]:
            return None
        try:
            headers = [_header(*said[:7]) for said in (one, other)]
        except ValueError:
            return None
        if any(header.kind != self.kind or header.fields() != said[:-1] for header, said in zip(headers, (one, other))):
            return None
        if headers[0].previous != headers[1].previous:
            return None
        key = ground.keys[member]
        signed = all(check_header(key, header.hash, said[-1]) for header, said in zip(headers, (one, other)))
        return member if signed else None


def _header(*fields: Any) -> Header:
    """Of these fields, as they are encoded."""
    version, kind, height, previous, root, bits, nonce = fields
    return Header(version, kind, height, previous, root, bits, int.from_bytes(nonce, "little"))


TWO_OF: dict[str, int] = {PROPOSAL: TWO_PROPOSALS, PREVOTE: TWO_PREVOTES, PRECOMMIT: TWO_PRECOMMITS}
_WORDS: dict[str, Callable[..., bytes]] = {
    PROPOSAL: _proposal,
    PREVOTE: partial(_vote, PREVOTE),
    PRECOMMIT: partial(_vote, PRECOMMIT),
}
OF_VOTES: dict[int, TwoWords] = {number: TwoWords(p, (int, bytes), _WORDS[p]) for p, number in TWO_OF.items()}


def kinds_of(chain: str) -> dict[int, FaultKind]:
    """The kinds that every chain has whose blocks are voted on, of one of this kind."""
    return {**OF_VOTES, TWO_CONFIRMATIONS: TwoConfirmations(chain)}


def two_votes(one: Proposal | Vote, other: Proposal | Vote) -> bytes:
    """Evidence in two votes of one phase, or two proposals, of one sender and round; their signatures hold.

    The height is no part of the slot: who votes for two heights in one round votes for two blocks too.
    """
    number = TWO_OF[one.phase if isinstance(one, Vote) else PROPOSAL]
    said = [((message.height, message.hash), message.signature) for message in (one, other)]
    return evidence(number, OF_VOTES[number].payload(one.sender, one.round, *said))


def two_confirmations(sender: int, one: tuple[Header, bytes], other: tuple[Header, bytes]) -> bytes:
    """Evidence in two headers with one `previous`, each with its signature; they hold."""
    kind = TwoConfirmations(one[0].kind)
    return evidence(TWO_CONFIRMATIONS, kind.payload(sender, one, other))
