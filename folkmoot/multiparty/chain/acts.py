"""Records by which a consortium changes: who leaves or is expelled, other models and keys, newcomers that several
approve, checkpoints, and predictions that are put on record. Each is one record of a block of its own.

What a party does itself carries `before`, how many acts of this sort it has on the chain already. All that is signed
here carries `until`, the last height it may stand at; so do approvals, whoever they are of. So what was signed once
cannot be used twice, nor kept back until it hurts.
"""

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from folkmoot.encoding import Malformed, Value, decode, encode
from folkmoot.json_text import parsed
from folkmoot.ledger.block import MOST_HEIGHT
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.multiparty.chain.entries import MOST_PARTIES, NAME_BYTES, Entry, read_entry, typed
from folkmoot.multiparty.chain.records import ADMIT, CHECKPOINT, EXPEL, LEAVE, LIMITS, PREDICT, ROTATE, UPDATE
from folkmoot.multiparty.rules.terms import MOST_CLASSES
from folkmoot.signatures import KEY_BYTES, SIGNATURE_BYTES

WITHIN = 64  # blocks after it is signed, in which an act may stand on the chain
MOST_ANSWERED = 1 << 11  # samples of one prediction on record
MOST_PREDICTOR = 1 << 14  # characters
MOST_APPROVALS = 1 << 8
MOST_REASON = 160  # characters
_REASON = re.compile(f"[ -~]{{1,{MOST_REASON}}}")


class Forged(RefusedRecord):
    """An act that is not signed by whom it names."""


class Repeated(RefusedRecord):
    """An act that stands on the chain already, or follows on another one of its party than it says."""


class Late(RefusedRecord):
    """An act that was to stand on the chain earlier, or about a party that is gone."""


def require_approved(name: str, until: int, height: int) -> None:
    """A newcomer of this name is approved for blocks up to one height; this one is at another.

    Raises:
        Late: it is over.
    """
    if height > until:
        raise Late(f"{name} is approved for blocks up to {until}, this is block {height}")


class TooFew(RefusedRecord):
    """An act that fewer have signed than must."""


class Left(NamedTuple):
    """A party leaves. Its name and key are used no more."""

    number: int
    until: int
    signature: bytes

    def said(self) -> Value:
        """What the party signs."""
        return (self.number, self.until)


class Expelled(NamedTuple):
    """The original parties expel a party."""

    number: int
    reason: str  # 1 to 160 printable ASCII characters
    until: int
    signatures: tuple[tuple[int, bytes], ...]  # number of an original party, its signature; ascending

    def said(self) -> Value:
        """What each of them signs."""
        return (self.number, self.reason, self.until)


class Approval(NamedTuple):
    """An original party has measured a model and finds it good."""

    approver: int
    distance: float  # on samples of the model's classes, see `OriginalParty.distance`
    outside: float  # on samples of other classes; 0.0 where it has none
    signature: bytes

    def said(self, about: Value) -> Value:
        """What it signs; `about` is the act that it approves, without approvals."""
        return (about, self.approver, self.distance, self.outside)


class Updated(NamedTuple):
    """Another model of a party; the old one has no part in anything from this block on."""

    number: int
    party: Entry  # with its name and key as they are
    before: int
    until: int
    consent: bytes  # the party's signature
    approvals: tuple[Approval, ...]

    def said(self) -> Value:
        """What the party signs."""
        return (self.number, tuple(self.party), self.before, self.until)

    def about(self) -> Value:
        """What is approved."""
        return (UPDATE, *self.said(), self.consent)


class Admitted(NamedTuple):
    """A newcomer that as many original parties approve as the terms ask for."""

    party: Entry
    consent: bytes  # its signature on its application, which has no end
    until: int  # that of what is approved
    approvals: tuple[Approval, ...]

    def about(self) -> Value:
        """What is approved."""
        return (ADMIT, tuple(self.party), self.consent, self.until)


class Rotated(NamedTuple):
    """Another key of a party; signed by both."""

    number: int
    key: bytes
    before: int
    until: int
    old: bytes  # signature by the key it has
    new: bytes  # signature by the one it will have

    def said(self) -> Value:
        """What both sign."""
        return (self.number, self.key, self.before, self.until)


class Checkpoint(NamedTuple):
    """All that the next block depends on has this name among the contents, see checkpoints.py."""

    snapshot: bytes


class Prediction(NamedTuple):
    """What the models said of some samples, put on record by a party."""

    number: int
    before: int
    until: int
    input: bytes  # name of the encoding of float32 [samples, *shape], which need not be among the contents
    models: tuple[tuple[int, bytes], ...]  # number of each party that is in, name of its model's parameters
    predictor: str  # as JSON, see `predictors.told`
    answers: tuple[int, ...]  # classes; -1: no model speaks
    signature: bytes

    def said(self) -> Value:
        """What the party signs."""
        return tuple(self[:-1])


Act: TypeAlias = Left | Expelled | Updated | Admitted | Rotated | Checkpoint | Prediction
_WHAT: dict[type[Any], str] = {
    Left: LEAVE, Expelled: EXPEL, Updated: UPDATE, Admitted: ADMIT, Rotated: ROTATE, Checkpoint: CHECKPOINT,
    Prediction: PREDICT,
}  # fmt: skip


def what_of(act: Act) -> str:
    """What a block with this act is."""
    return _WHAT[type(act)]


def to_bytes(act: Act) -> bytes:
    """The one encoding.

    Raises:
        ValueError: more than a record can hold.
    """
    return encode((what_of(act), *(_plain(field) for field in act)), LIMITS)


def _plain(value: Any) -> Value:
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def read_act(data: bytes) -> Act:
    """The act with this encoding; signatures are for others to check.

    Raises:
        Malformed: there is none.
    """
    value = decode(data, LIMITS)
    tag = value[0] if type(value) is tuple and value else None
    if type(tag) is not str or tag not in _READ:
        raise Malformed(f"record of {tag!r:.40}: expected one of {', '.join(_READ)}")
    return _READ[tag](value)


def _left(value: Value) -> Left:
    found = Left(*typed(value, (str, int, int, bytes), "leaving")[1:])
    _numbered(found.number, found.until)
    _signatures(found.signature)
    return found


def _expelled(value: Value) -> Expelled:
    number, reason, until, signatures = typed(value, (str, int, str, int, tuple), "expulsion")[1:]
    _numbered(number, until)
    if not _REASON.fullmatch(reason):
        raise Malformed(f"reason = {reason!r:.40}: expected 1 to 160 printable ASCII characters")
    rows = tuple(typed(row, (int, bytes), "signature of an expulsion") for row in signatures)
    _ascending([row[0] for row in rows], "signatures")
    _signatures(*(row[1] for row in rows))
    return Expelled(number, reason, until, rows)


def _updated(value: Value) -> Updated:
    kinds = (str, int, tuple, int, int, bytes, tuple)
    number, party, before, until, consent, approvals = typed(value, kinds, "another model")[1:]
    _numbered(number, until, before)
    _signatures(consent)
    return Updated(number, read_entry(party), before, until, consent, _approvals(approvals))


def _admitted(value: Value) -> Admitted:
    party, consent, until, approvals = typed(value, (str, tuple, bytes, int, tuple), "admission")[1:]
    _numbered(0, until)
    _signatures(consent)
    return Admitted(read_entry(party), consent, until, _approvals(approvals))


def _approvals(value: tuple[Value, ...]) -> tuple[Approval, ...]:
    found = tuple(Approval(*typed(row, (int, float, float, bytes), "approval")) for row in value)
    _ascending([approval.approver for approval in found], "approvals")
    for approval in found:
        if not all(math.isfinite(away) and away >= 0.0 for away in (approval.distance, approval.outside)):
            raise Malformed(f"approval by party {approval.approver}: expected finite distances of at least 0")
    _signatures(*(approval.signature for approval in found))
    return found


def _rotated(value: Value) -> Rotated:
    found = Rotated(*typed(value, (str, int, bytes, int, int, bytes, bytes), "another key")[1:])
    _numbered(found.number, found.until, found.before)
    if len(found.key) != KEY_BYTES:
        raise Malformed(f"key of {len(found.key)} bytes: expected {KEY_BYTES}")
    _signatures(found.old, found.new)
    return found


def _checkpoint(value: Value) -> Checkpoint:
    (snapshot,) = typed(value, (str, bytes), "checkpoint")[1:]
    if len(snapshot) != NAME_BYTES:
        raise Malformed(f"name of {len(snapshot)} bytes: expected {NAME_BYTES}")
    return Checkpoint(snapshot)


def _prediction(value: Value) -> Prediction:
    kinds = (str, int, int, int, bytes, tuple, str, tuple, bytes)
    number, before, until, given, models, predictor, answers, signature = typed(value, kinds, "prediction")[1:]
    _numbered(number, until, before)
    rows = tuple(typed(row, (int, bytes), "model of a prediction") for row in models)
    _ascending([row[0] for row in rows], "models", MOST_PARTIES)
    if any(len(name) != NAME_BYTES for name in (given, *(row[1] for row in rows))):
        raise Malformed(f"prediction: expected names of {NAME_BYTES} bytes")
    if len(predictor) > MOST_PREDICTOR or not predictor.isascii() or not predictor.isprintable():
        raise Malformed(f"predictor: expected at most {MOST_PREDICTOR} printable ASCII characters")
    _require_object(predictor)
    if not 1 <= len(answers) <= MOST_ANSWERED or any(type(a) is not int or not -1 <= a < MOST_CLASSES for a in answers):
        raise Malformed(f"answers: expected 1 to {MOST_ANSWERED} classes")
    _signatures(signature)
    return Prediction(number, before, until, given, rows, predictor, answers, signature)


_READ: dict[str, Callable[[Value], Act]] = {
    LEAVE: _left, EXPEL: _expelled, UPDATE: _updated, ADMIT: _admitted, ROTATE: _rotated, CHECKPOINT: _checkpoint,
    PREDICT: _prediction,
}  # fmt: skip


def _require_object(text: str) -> None:
    try:
        told = parsed(text)
    except (ValueError, RecursionError):
        told = None
    if type(told) is not dict or type(told.get("name")) is not str:
        raise Malformed(f"predictor = {text!r:.40}: expected a JSON object with a name")


def _numbered(number: int, until: int, before: int = 0) -> None:
    for what, value, most in (
        ("party", number, MOST_PARTIES),
        ("until", until, MOST_HEIGHT),
        ("before", before, 1 << 32),
    ):
        if not 0 <= value < most:
            raise Malformed(f"{what} = {value}: expected 0 to {most - 1}")


def _ascending(numbers: list[int], what: str, most: int = MOST_APPROVALS) -> None:
    if len(numbers) > most or numbers != sorted(set(numbers)) or any(not 0 <= n < MOST_PARTIES for n in numbers):
        raise Malformed(f"{what}: expected at most {most}, each party once, in ascending order")


def _signatures(*signatures: bytes) -> None:
    for signature in signatures:
        if len(signature) != SIGNATURE_BYTES:
            raise Malformed(f"signature of {len(signature)} bytes: expected {SIGNATURE_BYTES}")
