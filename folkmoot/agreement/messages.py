"""What participants send each other: typed messages, decoded strictly from bytes, counted only once verified.

`decode` gives a message whose form is right and whose numbers are in range; `verify` checks its signatures and makes
it `Verified`, the only thing a participant acts on. Sets (whose chains of signatures the agreement checks), wants
and blocks (which `apply_block` checks) carry no signature of their own.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from folkmoot.agreement.signed_messages import MAX_MEMBERS, Rejected
from folkmoot.agreement.vrf import PROOF_BYTES
from folkmoot.bc_ucb.records import MOST_ROUND, REPORT, report_words
from folkmoot.encoding import Limits, Malformed, decode, digest, encode
from folkmoot.ledger.block import LIMITS as BLOCK_LIMITS
from folkmoot.signatures import SIGNATURE_BYTES, check, check_header

COMPARISON, PROPOSAL = "round comparison", "round proposal"  # purposes of signatures
PREVOTE, PRECOMMIT = "round prevote", "round precommit"
PHASES = (PREVOTE, PRECOMMIT)
MOST_BLOCKS = 8  # in one answer
MOST_COMPARISON = 1 << 22  # bytes

_SMALL = 1 << 11  # bytes of a message that is worth remembering
_LIMITS = Limits(size=BLOCK_LIMITS.size + (1 << 18), depth=2, items=2 * MAX_MEMBERS + 16, int_size=8)


class ReportSent(NamedTuple):
    """A participant's report; the fields of records.Report, and what its signature covers."""

    height: int  # blocks the sender has
    previous: bytes
    round: int
    sender: int
    means: NDArray[np.int64]
    reward: int
    signature: bytes


class Offer(NamedTuple):
    """A validator's side of the private comparison; `proof` as in records.Named."""

    previous: bytes
    round: int
    sender: int
    proof: bytes
    content: bytes
    signature: bytes


class Answer(NamedTuple):
    """A participant's answer to the offer of a validator."""

    previous: bytes
    round: int
    sender: int
    validator: int
    content: bytes
    signature: bytes


class SetsSent(NamedTuple):
    """A message of the agreement on the validators' sets, see signed_messages."""

    round: int
    content: bytes


class Proposal(NamedTuple):
    """A validator says that this is the round's block; the block itself, unsigned, may be left out (empty)."""

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


class Want(NamedTuple):
    """Asks for blocks from this height on."""

    height: int


class Blocks(NamedTuple):
    """Some blocks with their signatures, in order."""

    blocks: tuple[bytes, ...]


Unverified: TypeAlias = (
    ReportSent | Offer | Answer | SetsSent | Proposal | Vote | Confirmation | Certificate | Want | Blocks
)
_KINDS: tuple[type[Any], ...] = (
    ReportSent, Offer, Answer, SetsSent, Proposal, Vote, Confirmation, Certificate, Want, Blocks,
)  # fmt: skip
_TYPES = {
    "height": int, "round": int, "sender": int, "validator": int, "reward": int, "means": np.ndarray, "phase": str,
    "previous": bytes, "hash": bytes, "signature": bytes, "proof": bytes, "content": bytes, "block": bytes,
    "voters": tuple, "signatures": tuple, "blocks": tuple,
}  # fmt: skip


def to_bytes(message: Unverified) -> bytes:
    """The one encoding of a message."""
    return encode((_KINDS.index(type(message)), *message), _LIMITS)


def from_bytes(data: bytes, participants: int, arms: int) -> Unverified:
    """The message with this encoding, in a game of so many participants and arms.

    Raises:
        Malformed: there is none.
    """
    if type(data) is bytes and len(data) <= _SMALL:
        return _small(data, participants, arms)
    return _decoded(data, participants, arms)


def _decoded(data: bytes, participants: int, arms: int) -> Unverified:
    value = decode(data, _LIMITS)
    if type(value) is not tuple or not value or type(value[0]) is not int or not 0 <= value[0] < len(_KINDS):
        raise Malformed("message of no known kind")
    kind, fields = _KINDS[value[0]], value[1:]
    if tuple(map(type, fields)) != tuple(_TYPES[name] for name in kind._fields):
        raise Malformed(f"{kind.__name__}: expected {', '.join(kind._fields)}")
    message: Unverified = kind(*fields)
    for name, field in zip(kind._fields, fields):
        if not _fits(name, field, participants, arms):
            raise Malformed(f"{kind.__name__}: {name} out of range")
    if isinstance(message, Certificate) and len(message.voters) != len(message.signatures):
        raise Malformed(f"{len(message.voters)} voters with {len(message.signatures)} signatures")
    return message


_small = lru_cache(maxsize=1 << 10)(_decoded)  # where many run in one process, all receive the same broadcast


def _fits(name: str, field: Any, participants: int, arms: int) -> bool:
    """Is the value of a field, of the right type, in range?"""
    if name in ("height", "round"):
        return bool(0 <= field <= MOST_ROUND)
    if name in ("sender", "validator"):
        return bool(0 <= field < participants)
    if name in ("previous", "hash"):
        return len(field) == 32
    if name == "signature":
        return len(field) == SIGNATURE_BYTES
    if name == "proof":
        return len(field) in (0, PROOF_BYTES)
    if name == "means":
        return bool(field.dtype == np.int64 and field.shape == (arms,))
    if name == "phase":
        return bool(field in PHASES)
    if name == "content":
        return len(field) <= MOST_COMPARISON
    if name == "voters":
        return all(type(v) is int and 0 <= v < participants for v in field) and list(field) == sorted(set(field))
    if name == "signatures":
        return all(type(s) is bytes and len(s) == SIGNATURE_BYTES for s in field)
    if name == "blocks":
        return len(field) <= MOST_BLOCKS and all(type(block) is bytes for block in field)
    return True


_SEAL = object()


class Verified:
    """A message whose signatures hold. Only `verify` makes one."""

    __slots__ = ("checked", "message")

    def __init__(self, message: Unverified, checked: int, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a Verified message comes from verify() only")
        self.message = message
        self.checked = checked  # signatures


def verify(message: Unverified, keys: Sequence[bytes], quorum: int) -> Verified:
    """Check the signatures of a message by the participants with these keys.

    Raises:
        Rejected: one does not hold, or a certificate has less than a quorum.
    """
    if isinstance(message, Certificate):
        if len(message.voters) < quorum:
            raise Rejected("quorum")
        words = vote_words(PREVOTE, message.height, message.round, message.hash)
        for voter, signature in zip(message.voters, message.signatures):
            if not check(keys[voter], PREVOTE, words, signature):
                raise Rejected("signature")
        return Verified(message, len(message.voters), _SEAL)
    if isinstance(message, SetsSent | Want | Blocks):
        return Verified(message, 0, _SEAL)
    if isinstance(message, Confirmation):
        good = check_header(keys[message.sender], message.hash, message.signature)
    else:
        good = check(keys[message.sender], *_purpose_and_words(message), message.signature)
    if not good:
        raise Rejected("signature")
    return Verified(message, 1, _SEAL)


def _purpose_and_words(message: ReportSent | Offer | Answer | Proposal | Vote) -> tuple[str, bytes]:
    if isinstance(message, ReportSent):
        words = report_words(message.previous, message.round, message.sender, message.means, message.reward)
        return REPORT, words
    if isinstance(message, Offer | Answer):
        return COMPARISON, comparison_words(message)
    if isinstance(message, Proposal):
        return PROPOSAL, proposal_words(message.height, message.round, message.hash)
    return message.phase, vote_words(message.phase, message.height, message.round, message.hash)


def comparison_words(message: Offer | Answer) -> bytes:
    """What is signed of an offer or an answer."""
    return digest("round comparison", (type(message).__name__, *message[:-1]))


@lru_cache(maxsize=1 << 10)
def proposal_words(height: int, round: int, hash: bytes) -> bytes:
    """What is signed of a proposal; the hash covers the block."""
    return digest("round proposal", (height, round, hash))


@lru_cache(maxsize=1 << 10)
def vote_words(phase: str, height: int, round: int, hash: bytes) -> bytes:
    """What is signed of a vote; the hash covers the chain before the block, so no vote counts on another chain."""
    return digest("round vote", (phase, height, round, hash))
