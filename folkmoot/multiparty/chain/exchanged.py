"""Records of an exchange: commitments to check sets; and samples, candidates, votes and the decision of a gate.

Each has one encoding, read within bounds. What is signed names the block before, so that no vote counts twice.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from folkmoot.encoding import Malformed, Value, decode, digest, encode
from folkmoot.multiparty.chain.entries import MOST_PARTIES, NAME_BYTES, typed
from folkmoot.multiparty.chain.records import LIMITS, MOST_SAMPLES
from folkmoot.multiparty.exchange.ballots import Ballot, Counted, Recalled
from folkmoot.multiparty.exchange.bench import Commitment
from folkmoot.multiparty.exchange.exchanging import CALIBRATION, EXCHANGE, MOST_EACH
from folkmoot.multiparty.rules.terms import MOST_CLASSES
from folkmoot.signatures import SIGNATURE_BYTES

MOST_CHECKS = 1 << 20  # samples of a check set
Rows = tuple[tuple[int, ...], ...]


class Committed(NamedTuple):
    """A party's commitment to its check set."""

    party: int
    said: Commitment
    signature: bytes

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode(("checks", self.party, *self.said, self.signature), LIMITS)


class Gate(NamedTuple):
    """How candidates came about, and what became of them."""

    mode: str
    each: int
    accepted: bool
    reverted: tuple[int, ...]
    gain: float

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode(("gate", *self), LIMITS)


class ShownNote(NamedTuple):
    """A sample that was revealed, or that has calibrated."""

    sender: int
    name: bytes  # of the content
    label: int
    wrong: int  # y-; -1 in an exchange
    signature: bytes
    verdict: str

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode(("shown", *self), LIMITS)


class Candidate(NamedTuple):
    """A model that is to take the place of a party's."""

    party: int
    settings: bytes  # encoding of model.settings()
    parameters: bytes  # name of the content, which is there if the candidate is accepted
    signature: bytes

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode(("candidate", *self), LIMITS)


class RecallNote(NamedTuple):
    """What a judge says of the models as they are, or of the candidates."""

    judge: int
    after: bool
    rows: Rows
    signature: bytes

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode(("recalls", *self), LIMITS)


class BallotNote(NamedTuple):
    """What a judge says of candidates."""

    judge: int
    reverted: tuple[int, ...]
    rows: Rows
    signature: bytes

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode(("ballot", *self), LIMITS)


class ExchangeBlock(NamedTuple):
    """All records of a block but its head."""

    gate: Gate
    shown: tuple[ShownNote, ...]
    candidates: tuple[Candidate, ...]
    recalls: tuple[RecallNote, ...]
    ballots: tuple[BallotNote, ...]

    def to_records(self) -> list[bytes]:
        """In their order."""
        parts: list[Any] = [self.gate, *self.shown, *self.candidates, *self.recalls, *self.ballots]
        return [one.to_bytes() for one in parts]

    @property
    def taken(self) -> list[Candidate]:
        """Those that take the place of models, by its decision."""
        if not self.gate.accepted:
            return []
        return [one for one in self.candidates if one.party not in self.gate.reverted]

    @property
    def names(self) -> list[bytes]:
        """Contents that one must have to check it."""
        return [note.name for note in self.shown] + [one.parameters for one in self.taken]


def said_of_checks(party: int, said: Commitment, before: int) -> Value:
    """What a party signs of its check set; `before`: commitments of its that stand on the chain."""
    return (party, *said, before)


def said_of_shown(previous: bytes, note: ShownNote) -> Value:
    """What a party signs of a sample."""
    return (previous, *note[:4])


def said_of_candidate(previous: bytes, one: Candidate) -> Value:
    """What a party signs of its candidate."""
    return (previous, *one[:3])


def said_of_recalls(previous: bytes, candidates: Sequence[Candidate], note: RecallNote) -> Value:
    """What a judge signs of the models as they are, or of candidates."""
    return (previous, _named(candidates if note.after else ()), *note[:3])


def said_of_ballot(
    previous: bytes, candidates: Sequence[Candidate], recalls: Sequence[RecallNote], note: BallotNote
) -> Value:
    """What a judge signs of candidates; recalls of the models as they are say whom it has listened to."""
    before = tuple(tuple(one[:3]) for one in recalls if not one.after)
    return (previous, _named(candidates), digest("multiparty/listened", before), *note[:3])


def _named(candidates: Sequence[Candidate]) -> bytes:
    return digest("multiparty/candidates", tuple(tuple(one[:3]) for one in candidates))


def rows_of(found: Sequence[Recalled] | Sequence[Counted]) -> Rows:
    """Counts as they are encoded."""
    return tuple(tuple(row) for row in found)


def recalls_in(note: RecallNote) -> tuple[Recalled, ...]:
    """Counts as the rules take them."""
    return tuple(Recalled(*row) for row in note.rows)


def ballot_in(note: BallotNote) -> Ballot:
    """Counts as the rules take them."""
    return Ballot(note.reverted, tuple(Counted(*row) for row in note.rows))


def read_committed(data: bytes) -> Committed:
    """The commitment with this encoding.

    Raises:
        Malformed: there is none.
    """
    tag, party, name, counts, signature = typed(decode(data, LIMITS), (str, int, bytes, tuple, bytes), "commitment")
    _require(tag == "checks" and 0 <= party < MOST_PARTIES and len(name) == NAME_BYTES, "commitment")
    _require(len(signature) == SIGNATURE_BYTES, "commitment: signature")
    _integers(counts, 2, MOST_CHECKS)
    labels = [label for label, _ in counts]
    _require(labels == sorted(set(labels)) and all(n > 0 for _, n in counts), "commitment: counts")
    _require(bool(labels) and labels[-1] < MOST_CLASSES, "commitment: classes")
    return Committed(party, Commitment(name, counts), signature)


def read_exchange(records: Sequence[bytes]) -> ExchangeBlock:
    """The records of a block but its head.

    Raises:
        Malformed: something else, or another order.
    """
    _require(len(records) > 0, "exchange: no records")
    tag, *fields = typed(decode(records[0], LIMITS), (str, str, int, bool, tuple, float), "decision of a gate")
    gate = Gate(*fields)
    _require(tag == "gate" and gate.mode in (EXCHANGE, CALIBRATION), "decision of a gate")
    _require(0 <= gate.each <= MOST_EACH and math.isfinite(gate.gain), "decision of a gate: numbers")
    _parties(gate.reverted)
    shown: list[ShownNote] = []
    candidates: list[Candidate] = []
    recalls: list[RecallNote] = []
    ballots: list[BallotNote] = []
    order, last = ("shown", "candidate", "recalls", "ballot"), 0
    for number, data in enumerate(records[1:], 2):
        value = decode(data, LIMITS)
        tag = value[0] if type(value) is tuple and value else None
        _require(type(tag) is str and tag in order and order.index(tag) >= last, f"record {number}: kind or order")
        last = order.index(str(tag))
        if tag == "shown":
            shown.append(_shown(value))
        elif tag == "candidate":
            candidates.append(_candidate(value))
        elif tag == "recalls":
            recalls.append(_recalls(value))
        else:
            ballots.append(_ballot(value))
    _require(len(shown) <= MOST_SAMPLES, f"{len(shown)} samples, at most {MOST_SAMPLES}")
    _parties(tuple(one.party for one in candidates))
    for after in (False, True):
        _parties(tuple(note.judge for note in recalls if note.after == after))
    _require([note.after for note in recalls] == sorted(note.after for note in recalls), "recalls: order")
    heard = [(note.reverted, note.judge) for note in ballots]
    _require(len(set(heard)) == len(heard), "ballots: one twice")
    return ExchangeBlock(gate, tuple(shown), tuple(candidates), tuple(recalls), tuple(ballots))


def _require(good: bool, what: str) -> None:
    if not good:
        raise Malformed(f"{what}: not of its form")


def _parties(numbers: tuple[Any, ...]) -> None:
    good = all(type(n) is int and 0 <= n < MOST_PARTIES for n in numbers)
    _require(good and list(numbers) == sorted(set(numbers)), "numbers of parties")


def _integers(rows: tuple[Any, ...], width: int, most: int) -> None:
    for row in rows:
        _require(type(row) is tuple and len(row) == width, "row of numbers")
        _require(all(type(n) is int and 0 <= n <= most for n in row), "row of numbers")


def _shown(value: Value) -> ShownNote:
    _, *fields = typed(value, (str, int, bytes, int, int, bytes, str), "sample that is shown")
    note = ShownNote(*fields)
    _require(0 <= note.sender < MOST_PARTIES and len(note.name) == NAME_BYTES, "sample that is shown")
    _require(0 <= note.label < MOST_CLASSES and -1 <= note.wrong < MOST_CLASSES, "sample that is shown: classes")
    _require(len(note.signature) == SIGNATURE_BYTES and len(note.verdict) <= 32, "sample that is shown")
    return note


def _candidate(value: Value) -> Candidate:
    _, *fields = typed(value, (str, int, bytes, bytes, bytes), "candidate")
    one = Candidate(*fields)
    _require(len(one.parameters) == NAME_BYTES and len(one.signature) == SIGNATURE_BYTES, "candidate")
    return one


def _recalls(value: Value) -> RecallNote:
    _, *fields = typed(value, (str, int, bool, tuple, bytes), "recalls")
    note = RecallNote(*fields)
    _integers(note.rows, 4, MOST_CHECKS)
    _require(len(note.signature) == SIGNATURE_BYTES, "recalls: signature")
    return note


def _ballot(value: Value) -> BallotNote:
    _, *fields = typed(value, (str, int, tuple, tuple, bytes), "ballot")
    note = BallotNote(*fields)
    _parties((note.judge,))
    _parties(note.reverted)
    _integers(note.rows, 4, MOST_CHECKS)
    _require(len(note.signature) == SIGNATURE_BYTES, "ballot: signature")
    return note
