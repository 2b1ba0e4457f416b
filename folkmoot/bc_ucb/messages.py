"""What participants of a game say besides their votes: reports, comparisons of counts, the agreement on sets.

They are decoded strictly; `verify` checks their signatures. Sets have chains of signatures, which the agreement checks.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from folkmoot.agreement import messages as voting
from folkmoot.agreement.forms import HEAD, Field, Forms
from folkmoot.agreement.messages import HASH, MEMBER, Verified, of_length, verified
from folkmoot.agreement.vrf import PROOF_BYTES
from folkmoot.bc_ucb.records import REPORT, report_words
from folkmoot.encoding import digest

COMPARISON = "round comparison"  # purpose of a signature
MOST_COMPARISON = 1 << 22  # bytes


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


class Passed(NamedTuple):
    """Reports of others, or one's own, passed on: encodings of ReportSent."""

    round: int
    reports: tuple[bytes, ...]


Early: TypeAlias = ReportSent | Offer | Answer

_FIELDS = {
    **voting.FIELDS,
    "reward": Field(int, lambda value, shape: True, HEAD + 8),
    "means": Field(np.ndarray, lambda value, shape: bool(value.dtype == np.int64 and value.shape == shape[1:])),
    "validator": MEMBER,
    "previous": HASH,
    "proof": of_length(0, PROOF_BYTES),
    "content": Field(bytes, lambda value, shape: len(value) <= MOST_COMPARISON),
    "reports": Field(tuple, lambda value, shape: len(value) <= shape[0] and all(type(r) is bytes for r in value)),
}

# Of a system of the shape (participants, arms).
GAME = Forms(
    {0: ReportSent, 1: Offer, 2: Answer, 3: SetsSent, 13: Passed, **voting.KINDS}, _FIELDS, voting.wrong, voting.LIMITS
)


def verify_early(message: Early, keys: Sequence[bytes]) -> Verified[Any]:
    """Check the signature of a report, an offer or an answer by the participants with these keys.

    Raises:
        Rejected: it does not hold.
    """
    key = keys[message.sender]
    if isinstance(message, ReportSent):
        words = report_words(message.previous, message.round, message.sender, message.means, message.reward)
        return verified(message, key, REPORT, words)
    return verified(message, key, COMPARISON, comparison_words(message))


def comparison_words(message: Offer | Answer) -> bytes:
    """What is signed of an offer or an answer."""
    return digest("round comparison", (type(message).__name__, *message[:-1]))
