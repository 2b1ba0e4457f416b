"""What stands in the blocks of kind "bema": the records, each with one encoding, read within bounds.

A block is a head and, by what the head says it is, the registration of one party, the refusal of one, or calibration:
the samples in the order in which they were applied, then a leaf for each model they moved. A sample's numbers and a
model's parameters are not on the chain but their names in the contents, 32 bytes each.
"""

import math
import re
from typing import NamedTuple

import numpy as np

from folkmoot.encoding import Limits, Malformed, Value, decode, digest, encode
from folkmoot.ledger.block import MOST_HEIGHT
from folkmoot.multiparty.chain.entries import MOST_NAME, MOST_PARTIES, NAME_BYTES, Entry, read_entry, typed
from folkmoot.multiparty.models.model import Floats32
from folkmoot.multiparty.rules.terms import MOST_CLASSES
from folkmoot.signatures import KEY_BYTES, SIGNATURE_BYTES

REGISTER, REFUSE, CALIBRATE = "register", "refuse", "calibrate"  # what a block is
LEAVE, EXPEL, UPDATE, ROTATE, ADMIT = "leave", "expel", "update", "rotate", "admit"  # see acts.py
CHECKPOINT, PREDICT = "checkpoint", "predict"
ACTS = (LEAVE, EXPEL, UPDATE, ROTATE, ADMIT, CHECKPOINT, PREDICT)
COMMIT, EXCHANGE = "commit", "exchange"  # see exchanged.py
WHATS = (REGISTER, REFUSE, CALIBRATE, *ACTS, COMMIT, EXCHANGE)
OP, RP, MINER = "OP", "RP", "miner"  # kinds of those who make blocks
MINER_KINDS = (OP, RP, MINER)

# Why a newcomer is refused.
UNCOVERED = "uncovered"  # no original party knows all of its classes; the rules see that for themselves
DISTANCE = "distance"  # its scores are further than omega from those of an original party
UNUSABLE = "unusable"  # its model cannot be read, or gives scores that are none
UNMEASURED = "unmeasured"  # the original party has no samples of its classes
REASONS = (UNCOVERED, DISTANCE, UNUSABLE, UNMEASURED)
NO_APPROVER = -1  # number of the original party where none covers the classes

MOST_TIME = 1 << 53  # milliseconds
MOST_ROUND = (1 << 62) - 1
MOST_SAMPLES = 1 << 12  # in one block
LIMITS = Limits(size=1 << 16, depth=3, items=1 << 13, int_size=8)
SAMPLE_LIMITS = Limits(size=(1 << 22) + 64, depth=0, items=1, int_size=1)  # shapes of terms hold at most 2**20 numbers
_VERDICT = re.compile(r"[a-z_-]{0,32}")


class Head(NamedTuple):
    """Record 0: what the block is and who made it when."""

    what: str
    time: int  # milliseconds since 1970, as its miner says; nobody judges it
    miner: bytes  # public key
    miner_kind: str
    round: int | None = None  # of the vote it was proposed in; None on a chain without votes

    def to_bytes(self) -> bytes:
        """The one encoding; as in the paper, it holds the hash of miner and kind too."""
        said = self[:4] if self.round is None else tuple(self)
        return encode((*said, miner_hash(self.miner, self.miner_kind)), LIMITS)


class Registered(NamedTuple):
    """A newcomer and its approval by an original party."""

    party: Entry
    consent: bytes  # the newcomer's signature on its application
    approver: int  # number of the original party
    distance: float  # mean of |h_j - h_i|, see OriginalParty.assess
    signature: bytes  # the approver's
    until: int | None = None  # the last height that it is approved for; None on chains on which nobody leaves

    def said(self) -> Value:
        """What the approver signs."""
        said = (tuple(self.party), self.consent, self.approver, self.distance)
        return said if self.until is None else (*said, self.until)

    def to_bytes(self) -> bytes:
        """The one encoding."""
        until = () if self.until is None else (self.until,)
        return encode((REGISTER, tuple(self.party), "regular", *self[1:4], *until, self.signature), LIMITS)


class Refused(NamedTuple):
    """A newcomer that was not admitted, and why."""

    party: Entry
    consent: bytes
    approver: int  # or NO_APPROVER
    reason: str  # one of REASONS
    distance: float | None  # where it was measured
    signature: bytes  # of that original party; empty for NO_APPROVER

    def said(self) -> Value:
        """What the original party signs."""
        return (tuple(self.party), self.consent, self.approver, self.reason, self.distance)

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode((REFUSE, tuple(self.party), "regular", *self[1:]), LIMITS)


class SampleNote(NamedTuple):
    """A calibration sample, what its sender said of it, and what became of it."""

    sender: int  # number of the party
    name: bytes  # of the content: the encoding of float32 [*shape]
    label: int  # y
    wrong: int  # y-
    signature: bytes  # the sender's
    verdict: str  # empty if it moved models, else the check it failed

    def said(self) -> Value:
        """What the sender signs."""
        return tuple(self[:4])

    @property
    def message(self) -> bytes:
        """32 bytes that stand for what its sender said."""
        return digest("multiparty/message", self.said())

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode(("sample", *self), LIMITS)


class Leaf(NamedTuple):
    """A model after the samples of the block."""

    party: int
    model_kind: str
    parameters: bytes  # name of the content

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode(("model", *self), LIMITS)


def miner_hash(key: bytes, kind: str) -> bytes:
    """32 bytes: double SHA-256 of who made a block."""
    return digest("multiparty/miner", (key, kind))


def read_head(data: bytes) -> Head:
    """The head with this encoding.

    Raises:
        Malformed: there is none.
    """
    value = decode(data, LIMITS)
    voted = type(value) is tuple and len(value) == 6
    *fields, told = typed(value, (str, int, bytes, str, *[int] * voted, bytes), "head of a block")
    head = Head(*fields)
    if head.what not in WHATS or head.miner_kind not in MINER_KINDS:
        raise Malformed(
            f"block of {head.what!r:.40} by {head.miner_kind!r:.40}: expected one of {WHATS}, {MINER_KINDS}"
        )
    if not 0 <= head.time <= MOST_TIME:
        raise Malformed(f"time = {head.time}: expected milliseconds from 0 to {MOST_TIME}")
    if head.round is not None and not 1 <= head.round <= MOST_ROUND:
        raise Malformed(f"round = {head.round}: expected 1 to {MOST_ROUND}")
    if len(head.miner) != KEY_BYTES or told != miner_hash(head.miner, head.miner_kind):
        raise Malformed("head of a block: the hash is not that of the miner and its kind")
    return head


def read_registered(data: bytes) -> Registered:
    """The registration with this encoding.

    Raises:
        Malformed: there is none.
    """
    value = decode(data, LIMITS)
    ends = type(value) is tuple and len(value) == 8
    kinds = (str, tuple, str, bytes, int, float, *[int] * ends, bytes)
    tag, party, kind, consent, approver, distance, *until, signature = typed(value, kinds, "registration")
    if tag != REGISTER or kind != "regular":
        raise Malformed("registration: expected one of a regular party")
    found = Registered(read_entry(party), consent, approver, distance, signature, until[0] if until else None)
    _require_number("until", found.until or 0, MOST_HEIGHT)
    _require_number("original party", found.approver, MOST_PARTIES)
    if not math.isfinite(found.distance) or found.distance < 0.0:
        raise Malformed(f"distance = {found.distance}: expected a finite number of at least 0")
    _require_signatures(found.consent, found.signature)
    return found


def read_refused(data: bytes) -> Refused:
    """The refusal with this encoding.

    Raises:
        Malformed: there is none.
    """
    value = decode(data, LIMITS)
    measured = type(value) is tuple and len(value) == 8 and type(value[6]) is float
    kinds = (str, tuple, str, bytes, int, str, float if measured else type(None), bytes)
    tag, party, kind, consent, *rest = typed(value, kinds, "refusal")
    if tag != REFUSE or kind != "regular":
        raise Malformed("refusal: expected one of a regular party")
    found = Refused(read_entry(party), consent, *rest)
    if found.reason not in REASONS or measured != (found.reason == DISTANCE):
        raise Malformed(
            f"refusal for {found.reason!r:.40}: expected one of {REASONS}, and a number for a distance only"
        )
    if found.distance is not None and not (math.isfinite(found.distance) and found.distance >= 0.0):
        raise Malformed(f"distance = {found.distance}: expected a finite number of at least 0")
    if found.reason == UNCOVERED:
        if found.approver != NO_APPROVER or found.signature:
            raise Malformed("refusal of classes that nobody covers: signed by somebody")
        _require_signatures(found.consent)
    else:
        _require_number("original party", found.approver, MOST_PARTIES)
        _require_signatures(found.consent, found.signature)
    return found


def answer_in(data: bytes) -> Registered | Refused:
    """The answer to a newcomer with this encoding.

    Raises:
        Malformed: there is none.
    """
    value = decode(data, LIMITS)
    what = value[0] if type(value) is tuple and value else None
    if type(what) is not str or what not in (REGISTER, REFUSE):
        raise Malformed("answer to an application: expected a registration or a refusal")
    return read_registered(data) if what == REGISTER else read_refused(data)


def read_calibration(records: tuple[bytes, ...]) -> tuple[tuple[SampleNote, ...], tuple[Leaf, ...]]:
    """The samples and the leaves of a block, without its head.

    Raises:
        Malformed: something else, samples after a leaf, leaves that do not ascend, no sample or too many.
    """
    samples: list[SampleNote] = []
    leaves: list[Leaf] = []
    for number, data in enumerate(records, 1):
        try:
            value = decode(data, LIMITS)
            if type(value) is tuple and value and type(value[0]) is str and value[0] == "model":
                leaves.append(_leaf(value, leaves[-1].party if leaves else -1))
            elif leaves:
                raise Malformed("a sample after the first model")
            else:
                samples.append(_sample(value))
        except Malformed as error:
            raise Malformed(f"record {number}: {error}") from None
    if not 1 <= len(samples) <= MOST_SAMPLES:
        raise Malformed(f"{len(samples)} samples: expected 1 to {MOST_SAMPLES}")
    return tuple(samples), tuple(leaves)


def _leaf(value: Value, last: int) -> Leaf:
    _, *fields = typed(value, (str, int, str, bytes), "model")
    leaf = Leaf(*fields)
    _require_number("party", leaf.party, MOST_PARTIES)
    if leaf.party <= last:
        raise Malformed(f"model of party {leaf.party} after that of {last}: expected ascending order, each once")
    if len(leaf.model_kind) > MOST_NAME or len(leaf.parameters) != NAME_BYTES:
        raise Malformed(f"model of party {leaf.party}: its kind or the name of its parameters has the wrong length")
    return leaf


def _sample(value: Value) -> SampleNote:
    tag, *fields = typed(value, (str, int, bytes, int, int, bytes, str), "sample")
    note = SampleNote(*fields)
    if tag != "sample":
        raise Malformed(f"record of {tag!r:.40}: expected a sample or a model")
    require_claim(note.sender, note.label, note.wrong)
    if len(note.name) != NAME_BYTES or not _VERDICT.fullmatch(note.verdict):
        raise Malformed("sample: the name of its content or the verdict is not of its form")
    _require_signatures(note.signature)
    return note


def require_claim(sender: int, label: int, wrong: int) -> None:
    """Numbers that a party and two different classes can have.

    Raises:
        Malformed: anything else.
    """
    _require_number("sender", sender, MOST_PARTIES)
    _require_number("label", label, MOST_CLASSES)
    _require_number("wrong label", wrong, MOST_CLASSES)
    if label == wrong:
        raise Malformed(f"label and wrong label are both {label}")


def read_x(data: bytes, shape: tuple[int, ...]) -> Floats32:
    """The numbers of a sample, [1, *shape].

    Raises:
        Malformed: not the encoding of float32 [*shape], or numbers that are not finite.
    """
    x = decode(data, SAMPLE_LIMITS)
    if type(x) is not np.ndarray or x.dtype != np.float32 or x.shape != shape:
        shown = f"{x.dtype} {x.shape}" if type(x) is np.ndarray else type(x).__name__
        raise Malformed(f"sample of {shown}: expected float32 {shape}")
    if not bool(np.isfinite(x).all()):
        raise Malformed("sample: numbers that are not finite")
    return x[None].copy()  # what is decoded is read-only


def _require_number(what: str, value: int, most: int) -> None:
    if not 0 <= value < most:
        raise Malformed(f"{what} = {value}: expected 0 to {most - 1}")


def _require_signatures(*signatures: bytes) -> None:
    for signature in signatures:
        if len(signature) != SIGNATURE_BYTES:
            raise Malformed(f"signature of {len(signature)} bytes: expected {SIGNATURE_BYTES}")
