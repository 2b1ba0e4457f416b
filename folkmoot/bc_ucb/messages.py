"""What participants of a game say besides their votes: reports, comparisons of counts, the agreement on sets.

They are decoded strictly; `verify` checks their signatures. Sets have chains of signatures, which the agreement checks.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from folkmoot.agreement import messages as voting
from folkmoot.agreement.forms import HEAD, Field, Forms
from folkmoot.agreement.messages import HASH, MEMBER, Verified, if_signed, of_length, verified
from folkmoot.agreement.shared import Call, directly
from folkmoot.agreement.vrf import PROOF_BYTES
from folkmoot.bc_ucb.contract import MOST_WINDOW
from folkmoot.bc_ucb.records import (
    BLINDING_BYTES,
    MOST_STATEMENT,
    REPORT,
    SEAL_BYTES,
    Claim,
    Report,
    claims_of,
    report_words,
    require_seal,
)
from folkmoot.encoding import Malformed, digest
from folkmoot.signatures import SIGNATURE_BYTES, check

COMPARISON = "round comparison"  # purpose of a signature
MOST_COMPARISON = 1 << 22  # bytes


class _ReportSent(NamedTuple):
    height: int  # blocks the sender has
    previous: bytes
    round: int
    sender: int
    means: NDArray[np.int64]
    reward: int
    seal: bytes
    proof: bytes
    earlier: tuple[Any, ...]
    signature: bytes
    blinding: bytes = b""


class ReportSent(_ReportSent):
    """A participant's report; the fields of records.Report, and what its signature covers."""

    @cached_property
    def report(self) -> Report:
        """As it would stand in a record; whoever shares a message shares its digests."""
        earlier = tuple(Claim(*claim) for claim in self.earlier)
        return Report(self.sender, *self[4:8], earlier, self.signature, self.blinding)

    def signed(self, signature: bytes) -> "ReportSent":
        """With this signature; what was worked out of the rest stays."""
        message = ReportSent(*self[:9], signature, self[10])
        message.__dict__["report"] = self.report.signed(signature)
        return message


class Offer(NamedTuple):
    """A validator's side of the private comparison; `drawn` is the proof in records.Named."""

    previous: bytes
    round: int
    sender: int
    drawn: bytes
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


class Shown(NamedTuple):
    """Evidence, passed on until a block holds it."""

    statement: bytes


class Passed(NamedTuple):
    """Reports of others, or one's own, passed on: encodings of ReportSent."""

    round: int
    reports: tuple[bytes, ...]


Early: TypeAlias = ReportSent | Offer | Answer

_FIELDS = {
    **voting.FIELDS,
    "reward": Field(int, lambda value, shape: True, HEAD + 8),
    "means": Field(np.ndarray, lambda value, shape: bool(value.dtype == np.int64 and value.shape == shape[1:])),
    "seal": of_length(0, SEAL_BYTES),
    "proof": of_length(0, SIGNATURE_BYTES),
    "earlier": Field(tuple, lambda value, shape: len(value) <= MOST_WINDOW),
    "blinding": of_length(0, BLINDING_BYTES),
    "validator": MEMBER,
    "previous": HASH,
    "drawn": of_length(0, PROOF_BYTES),
    "content": Field(bytes, lambda value, shape: len(value) <= MOST_COMPARISON, by_form=True),
    "statement": Field(bytes, lambda value, shape: len(value) <= MOST_STATEMENT, by_form=True),
    "reports": Field(tuple, lambda value, shape: len(value) <= shape[0] and all(type(r) is bytes for r in value)),
}

_LIMITS = voting.LIMITS._replace(depth=3)  # claims are tuples inside one


def _wrong(message: Any) -> str | None:
    """What of several fields together is wrong, see `Forms`."""
    if not isinstance(message, ReportSent):
        return voting.wrong(message)
    try:
        require_seal(message.seal, message.proof)
        claims_of(message.earlier)
    except Malformed as error:
        return str(error)
    return None


# Of a system of the shape (participants, arms).
_KINDS = {0: ReportSent, 1: Offer, 2: Answer, 3: SetsSent, 13: Passed, 14: Shown}
GAME = Forms({**_KINDS, **voting.MESSAGE_KINDS, **voting.STATES}, _FIELDS, _wrong, _LIMITS)


def verify_early(message: Early, keys: Sequence[bytes], origin: bytes, call: Call = directly) -> Verified[Any]:
    """Check the signature of a report, an offer or an answer of this game by the participants with these keys.

    Raises:
        Rejected: it does not hold.
    """
    key = keys[message.sender]
    if isinstance(message, ReportSent):
        about = origin, message.previous, message.round, message.sender, message.report.body
        return if_signed(message, call(_is_reported, key, message.signature, *about))
    return verified(message, key, COMPARISON, comparison_words(origin, message))


def _is_reported(key: bytes, signature: bytes, *about: Any) -> bool:
    """Is this the signature of a report of this body, by this key?"""
    return check(key, REPORT, report_words(*about), signature)


def comparison_words(origin: bytes, message: Offer | Answer) -> bytes:
    """What is signed of an offer or an answer."""
    if isinstance(message, Offer):
        return offer_words(origin, *message[:4], content_digest(message.content))
    return digest("round comparison", (origin, "Answer", *message[:-1]))


def offer_words(origin: bytes, previous: bytes, round: int, sender: int, drawn: bytes, content: bytes) -> bytes:
    """What is signed of an offer with a content of this digest."""
    return digest("round comparison", (origin, "Offer", previous, round, sender, drawn, content))


def content_digest(content: bytes) -> bytes:
    """32 bytes that stand for what an offer holds."""
    return digest("comparison content", content)
