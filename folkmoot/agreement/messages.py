"""What members say to each other about the next block of a chain, whatever its kind.

A system adds messages of its own (see `Forms`); these have the same numbers in all of them. `verify` checks the
signatures of a message and makes it `Verified`, the only thing that is acted on. Wants and blocks (which
`apply_block` checks) carry no signature of their own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from folkmoot.agreement.catching_up import MOST_BLOCKS
from folkmoot.agreement.forms import HEAD, Field, Shape
from folkmoot.agreement.shared import Call, directly
from folkmoot.agreement.signed_messages import MAX_MEMBERS, Rejected
from folkmoot.encoding import Limits, digest
from folkmoot.ledger.block import LIMITS as BLOCK_LIMITS
from folkmoot.signatures import SIGNATURE_BYTES, check, check_header

PROPOSAL = "round proposal"  # purposes of signatures
PREVOTE, PRECOMMIT = "round prevote", "round precommit"
PHASES = (PREVOTE, PRECOMMIT)
MOST_NUMBER = (1 << 62) - 1  # a height or a round

LIMITS = Limits(size=BLOCK_LIMITS.size + (1 << 18), depth=2, items=2 * MAX_MEMBERS + 16, int_size=8)


class Proposal(NamedTuple):
    """A member says that this is the round's block; the block itself, unsigned, may be left out (empty)."""

    height: int
    round: int
    sender: int
    hash: bytes
    signature: bytes
    block: bytes


class Vote(NamedTuple):
    """A prevote or precommit for a block of this height, in this round."""

    phase: str
    height: int
    round: int
    sender: int
    hash: bytes
    signature: bytes


class Confirmation(NamedTuple):
    """The signature on the header of a block that was decided: what the chain keeps."""

    height: int
    sender: int
    hash: bytes
    signature: bytes


class Certificate(NamedTuple):
    """A quorum of prevotes of one round for a block, and the block, unsigned."""

    height: int
    round: int
    hash: bytes
    voters: tuple[int, ...]  # ascending
    signatures: tuple[bytes, ...]
    block: bytes


class Ballots(NamedTuple):
    """Proposals or votes of others for one block in one round, passed on."""

    purpose: str  # of their signatures
    height: int
    round: int
    hash: bytes
    voters: tuple[int, ...]  # ascending
    signatures: tuple[bytes, ...]


class Want(NamedTuple):
    """Asks for blocks from this height on."""

    height: int


class WantState(NamedTuple):
    """Asks for a state of this height at least."""

    height: int


class StateGiven(NamedTuple):
    """A state, and the next block with its signatures, which names the state (see states.py)."""

    state: bytes
    block: bytes


class Blocks(NamedTuple):
    """Some blocks with their signatures, in order."""

    blocks: tuple[bytes, ...]


Signed: TypeAlias = Proposal | Vote | Confirmation | Certificate
Unverified: TypeAlias = Signed | Ballots | Want | Blocks | WantState | StateGiven

MESSAGE_KINDS: Mapping[int, type[Any]] = {
    4: Proposal, 5: Vote, 6: Confirmation, 7: Certificate, 8: Want, 9: Blocks, 15: Ballots,
}  # fmt: skip


def _is_member(value: Any, shape: Shape) -> bool:
    return bool(0 <= value < shape[0])


def _is_number(value: Any, shape: Shape) -> bool:
    return bool(0 <= value <= MOST_NUMBER)


def _are_voters(value: Any, shape: Shape) -> bool:
    return all(type(v) is int and 0 <= v < shape[0] for v in value) and list(value) == sorted(set(value))


def _are_signatures(value: Any) -> bool:
    return all(type(signature) is bytes and len(signature) == SIGNATURE_BYTES for signature in value)


def of_length(*lengths: int) -> Field:
    """Bytes of one of these lengths."""
    return Field(bytes, lambda value, shape: len(value) in lengths, HEAD + max(lengths), by_form=True)


NUMBER, MEMBER = Field(int, _is_number, HEAD + 8), Field(int, _is_member, HEAD + 2)
HASH, SIGNATURE = of_length(32), of_length(SIGNATURE_BYTES)
FIELDS: Mapping[str, Field] = {
    "height": NUMBER,
    "round": NUMBER,
    "sender": MEMBER,
    "hash": HASH,
    "signature": SIGNATURE,
    "phase": Field(str, lambda value, shape: value in PHASES, HEAD + max(map(len, PHASES))),
    "purpose": Field(str, lambda value, shape: value in (PROPOSAL, *PHASES), HEAD + max(map(len, (PROPOSAL, *PHASES)))),
    "state": Field(bytes, lambda value, shape: True, by_form=True),  # as the block
    "block": Field(bytes, lambda value, shape: True, by_form=True),  # bounded by the message
    "voters": Field(tuple, _are_voters),
    "signatures": Field(tuple, lambda value, shape: _are_signatures(value), by_form=True),
    "blocks": Field(tuple, lambda value, shape: len(value) <= MOST_BLOCKS and all(type(b) is bytes for b in value)),
}


def wrong(message: Any) -> str | None:
    """What of several fields together is wrong, see `Forms`."""
    if isinstance(message, (Certificate, Ballots)) and len(message.voters) != len(message.signatures):
        return f"{len(message.voters)} voters with {len(message.signatures)} signatures"
    return None


STATES: Mapping[int, type[Any]] = {16: WantState, 17: StateGiven}  # of kinds whose blocks name the state before them


Message = TypeVar("Message", covariant=True)
_SEAL = object()


class Verified(Generic[Message]):
    """A message whose signatures hold: it comes from `verify` or `verified`, or was signed here."""

    __slots__ = ("checked", "message")

    def __init__(self, message: Message, checked: int, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a Verified message comes from verify() only")
        self.message = message
        self.checked = checked  # signatures


AnySigned = TypeVar("AnySigned", bound=Signed)
AnySmall = TypeVar("AnySmall", Proposal, Vote, Confirmation)
AnyMessage = TypeVar("AnyMessage")


class HasSignature(Protocol):
    """A message with one signature."""

    @property
    def signature(self) -> bytes: ...


AnyOne = TypeVar("AnyOne", bound=HasSignature)


def signed_here(message: AnyMessage) -> Verified[AnyMessage]:
    """A message with the own signature, which needs no check."""
    return Verified(message, 0, _SEAL)


def verify(
    message: AnySigned, keys: Sequence[bytes], quorum: int, origin: bytes, call: Call = directly
) -> Verified[AnySigned]:
    """Check the signatures of a message by the members with these keys, on the chain of this origin.

    Raises:
        Rejected: one does not hold, or a certificate has less than a quorum.
    """
    said: Signed = message
    if isinstance(said, Certificate):
        if len(said.voters) < quorum:
            raise Rejected("quorum")
        words = call(vote_words, origin, PREVOTE, said.height, said.round, said.hash)
        for voter, signature in zip(said.voters, said.signatures):
            if not check(keys[voter], PREVOTE, words, signature):
                raise Rejected("signature")
        return Verified(message, len(said.voters), _SEAL)
    return verify_one(message, keys[said.sender], origin, call)


def verify_one(message: AnySigned, key: bytes, origin: bytes, call: Call = directly) -> Verified[AnySigned]:
    """As `verify`, of a message with one signature, by this key.

    Raises:
        Rejected: it does not hold.
    """
    said: Signed = message
    if isinstance(said, Certificate) or not _is_signed(said, key, origin, call):
        raise Rejected("signature")
    return Verified(message, 1, _SEAL)


def verify_by(message: AnySmall, keys: Sequence[bytes], origin: bytes, call: Call) -> Verified[AnySmall]:
    """As `verify_one`, by the member with these keys whose it is.

    Raises:
        Rejected: see there.
    """
    return verify_one(message, keys[message.sender], origin, call)


def _is_signed(message: Proposal | Vote | Confirmation, key: bytes, origin: bytes, call: Call) -> bool:
    if isinstance(message, Confirmation):
        return check_header(key, message.hash, message.signature)
    about = message.height, message.round, message.hash
    if isinstance(message, Proposal):
        return check(key, PROPOSAL, call(proposal_words, origin, *about), message.signature)
    return check(key, message.phase, call(vote_words, origin, message.phase, *about), message.signature)


def verified(message: AnyOne, key: bytes, purpose: str, words: bytes) -> Verified[AnyOne]:
    """The message, if its `signature` is that of these words by this key.

    Raises:
        Rejected: it is not.
    """
    return if_signed(message, check(key, purpose, words, message.signature))


def if_signed(message: AnyMessage, holds: bool) -> Verified[AnyMessage]:
    """The message, if the check of its signature has said that it holds.

    Raises:
        Rejected: it has not.
    """
    if not holds:
        raise Rejected("signature")
    return Verified(message, 1, _SEAL)


def proposal_words(origin: bytes, height: int, round: int, hash: bytes) -> bytes:
    """What is signed of a proposal; the hash covers the block.

    `origin` is of the chain (see `kinds.Kind`): what was signed in another run with the same keys counts nowhere, and
    is no evidence.
    """
    return digest("round proposal", (origin, height, round, hash))


def vote_words(origin: bytes, phase: str, height: int, round: int, hash: bytes) -> bytes:
    """What is signed of a vote; `origin` as of `proposal_words`."""
    return digest("round vote", (origin, phase, height, round, hash))
