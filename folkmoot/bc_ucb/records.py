"""What a block of the game holds: signed reports, the validators' sets as they were agreed on, and what follows.

A block must come out the same at every honest validator, so nothing enters it that was not agreed on byte by byte: a
validator's value names each report it holds by a digest that covers the signature too (one who signs the same words
twice, with two signatures, has said two things), and the value carries the validator's own signature inside.

These are the forms of edition 2; those of chains that version 0.1.0 made are read by edition_1.py.
"""

from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.agreement.vrf import PROOF_BYTES
from folkmoot.encoding import Limits, Malformed, decode, digest, encode
from folkmoot.signatures import SIGNATURE_BYTES

REPORT, SETS = "round report", "round sets"  # what a participant, what a validator signs
NAME_BYTES = 32
NO_REPORT = bytes(NAME_BYTES)  # the name of a report that is not there
RANGE, CLAIM, DISPUTED, MISSING = "range", "reward", "disputed", "missing"  # why a participant was not heard
UNSIGNED = "unsigned reward"  # not by the environment
EXCLUDED = "excluded"  # as a proven liar
REASONS = (RANGE, CLAIM, DISPUTED, MISSING, UNSIGNED, EXCLUDED)
MOST_ROUND = (1 << 62) - 1

NO_REWARD = -1  # what a report says whose outcome has not come
SEAL_BYTES = 32
BLINDING_BYTES = 32
CLAIM_BYTES = 160  # of one claim with its heads, more than enough
MOST_SHOWN = 4  # statements in one validator's value
MOST_STATEMENT = 1 << 10  # bytes of one

VALUE_LIMITS = Limits(size=1 << 16, depth=2, items=16, int_size=1)
RECORD_LIMITS = Limits(size=1 << 22, depth=5, items=1 << 17, int_size=8)


class Claim(NamedTuple):
    """An outcome that came late: what the pull of an earlier round brought."""

    round: int
    reward: int  # scaled
    seal: bytes  # as of Report
    proof: bytes


class _Reported(NamedTuple):
    participant: int
    means: NDArray[np.int64]
    reward: int
    seal: bytes
    proof: bytes
    earlier: tuple[Claim, ...]
    signature: bytes
    blinding: bytes = b""


class Report(_Reported):
    """What a participant says in a round, signed; real numbers are scaled by 2**32.

    Attributes:
        means: [arms], of its own pulls that were paid.
        reward: of this round's pull; NO_REWARD: none has come.
        seal: stands for the arm that was pulled; empty where no environment signs rewards.
        proof: the environment's signature on the reward; empty where there is none.
        earlier: outcomes of earlier rounds, ascending.
        blinding: makes the commitment one; empty where everybody may read the means.
    """

    @cached_property
    def commitment(self) -> bytes:
        """32 bytes that stand for the means; with a secret blinding they do not help to guess them."""
        return digest("reported means", (self.participant, self.means, self.blinding))

    @cached_property
    def body(self) -> bytes:
        """32 bytes that stand for what is said."""
        return report_body(self.commitment, self.reward, self.seal, self.proof, self.earlier)

    @cached_property
    def name(self) -> bytes:
        """32 bytes that stand for all of it."""
        return report_name(self.participant, self.body, self.signature)

    def signed(self, signature: bytes) -> "Report":
        """With this signature; what stands for what is said stays, as no signature is part of it."""
        report = Report(*self[:6], signature, self[7])
        report.__dict__.update(commitment=self.commitment, body=self.body)
        return report

    @property
    def plain(self) -> tuple[Any, ...]:
        """As it stands in a record."""
        return (*self[:5], tuple(map(tuple, self.earlier)), self.signature, self.blinding)

    @staticmethod
    def of(item: object) -> "Report":
        """The report that stands in a record so.

        Raises:
            Malformed: it is none.
        """
        report = Report(*checked(item, (int, np.ndarray, int, bytes, bytes, tuple, bytes, bytes), "report"))
        require_seal(report.seal, report.proof)
        require_blinding(report.blinding)
        if len(report.signature) != SIGNATURE_BYTES:
            raise Malformed(f"signature of {len(report.signature)} bytes: expected {SIGNATURE_BYTES}")
        return report._replace(earlier=claims_of(report.earlier))


def report_body(commitment: bytes, reward: int, seal: bytes, proof: bytes, earlier: tuple[Claim, ...]) -> bytes:
    """See `Report.body`; of the means it needs what stands for them."""
    return digest("report body", (commitment, reward, seal, proof, tuple(map(tuple, earlier))))


def report_name(participant: int, body: bytes, signature: bytes) -> bytes:
    """See `Report.name`."""
    return digest("report name", participant.to_bytes(4, "little") + body + signature)


def require_blinding(blinding: bytes) -> None:
    """32 bytes or none.

    Raises:
        Malformed: anything else.
    """
    if len(blinding) not in (0, BLINDING_BYTES):
        raise Malformed(f"blinding of {len(blinding)} bytes: expected none or {BLINDING_BYTES}")


def claims_of(items: tuple[object, ...]) -> tuple[Claim, ...]:
    """The claims that stand in a report or message so; whether they are due is for the rules.

    Raises:
        Malformed: they are none, or their rounds do not ascend.
    """
    claims, last = tuple(Claim(*checked(item, (int, int, bytes, bytes), "claim")) for item in items), -1
    for claim in claims:
        require_seal(claim.seal, claim.proof)
        if not last < claim.round <= MOST_ROUND:
            raise Malformed("claims: expected rounds in ascending order")
        last = claim.round
    return claims


def require_seal(seal: bytes, proof: bytes) -> None:
    """A seal with a signature, or neither.

    Raises:
        Malformed: anything else.
    """
    if (len(seal), len(proof)) not in ((0, 0), (SEAL_BYTES, SIGNATURE_BYTES)):
        raise Malformed(f"reward with {len(seal)} bytes of a seal and {len(proof)} of a signature")


def report_words(origin: bytes, previous: bytes, round: int, participant: int, body: bytes) -> bytes:
    """What a reporter signs: what it says, in this game, for this round after this block."""
    return digest("round report", (origin, previous, round, participant, body))


class Named(NamedTuple):
    """What a validator says in the agreement."""

    proof: bytes  # of its verifiable random function, 80 bytes; empty where coins are public
    members: NDArray[np.bool_]  # [participants, arms], whom it names
    names: tuple[bytes, ...]  # of the report it holds of each participant, or NO_REPORT
    shown: tuple[bytes, ...]  # statements that should enter with the block
    signature: bytes
    blinding: bytes = b""  # as of Report

    @property
    def commitment(self) -> bytes:
        """32 bytes that stand for whom it names."""
        return digest("named members", (bits_of(self.members), self.blinding))

    @property
    def body(self) -> bytes:
        """32 bytes that stand for what is said besides the proof."""
        return sets_body(self.commitment, b"".join(self.names), self.shown)

    def to_bytes(self) -> bytes:
        """The value that goes through the agreement."""
        said = (self.proof, bits_of(self.members), b"".join(self.names), self.shown, self.signature, self.blinding)
        return encode(said, VALUE_LIMITS)

    @staticmethod
    def from_bytes(value: bytes, participants: int, arms: int, proven: bool) -> "Named":
        """The value with this one encoding.

        Raises:
            Malformed: there is none of this shape.
        """
        return _named_in(value, participants, arms, proven)


@lru_cache(1 << 6)  # a value is read when it is agreed on, when it is counted, and when a block holds it
def _named_in(value: bytes, participants: int, arms: int, proven: bool) -> Named:
    kinds = (bytes, bytes, bytes, tuple, bytes, bytes)
    proof, bits, names, shown, signature, blinding = checked(decode(value, VALUE_LIMITS), kinds, "value")
    require_shown(shown)
    require_blinding(blinding)
    named = sets_of((proof, bits, names, signature), participants, arms, proven)
    named.members.setflags(write=False)
    return named._replace(shown=shown, blinding=blinding)


def require_shown(shown: tuple[Any, ...]) -> None:
    """Statements in a value: few and small.

    Raises:
        Malformed: others.
    """
    if len(shown) > MOST_SHOWN or not all(type(one) is bytes and len(one) <= MOST_STATEMENT for one in shown):
        raise Malformed(f"statements: expected at most {MOST_SHOWN} of at most {MOST_STATEMENT} bytes")


def sets_of(fields: tuple[bytes, bytes, bytes, bytes], participants: int, arms: int, proven: bool) -> Named:
    """What proof, members, names and signature say, as they are encoded in a value.

    Raises:
        Malformed: they are not of this shape.
    """
    expected = (PROOF_BYTES * proven, (participants * arms + 7) // 8, NAME_BYTES * participants, SIGNATURE_BYTES)
    if tuple(map(len, fields)) != expected:
        raise Malformed(f"value of {tuple(map(len, fields))} bytes: expected {expected}")
    proof, bits, names, signature = fields
    flat = np.unpackbits(np.frombuffer(bits, np.uint8)).astype(np.bool_)
    if flat[participants * arms :].any():
        raise Malformed("members beyond the last participant")
    pieces = tuple(names[at : at + NAME_BYTES] for at in range(0, len(names), NAME_BYTES))
    return Named(proof, flat[: participants * arms].reshape(participants, arms), pieces, (), signature)


def named_words(origin: bytes, previous: bytes, round: int, validator: int, named: Named) -> bytes:
    """What a validator signs inside its value; the signature field is not covered."""
    return sets_words(origin, previous, round, validator, named.proof, named.body)


def sets_words(origin: bytes, previous: bytes, round: int, validator: int, proof: bytes, body: bytes) -> bytes:
    """As `named_words`, of digests."""
    return digest("round sets", (origin, previous, round, validator, proof, body))


def sets_body(commitment: bytes, names: bytes, shown: tuple[bytes, ...]) -> bytes:
    """See `Named.body`; of whom it names it needs what stands for that."""
    return digest("sets body", (commitment, names, shown))


def bits_of(members: NDArray[np.bool_]) -> bytes:
    """Whom a set names, as bytes."""
    return np.packbits(members.reshape(-1)).tobytes()


def value_bytes(participants: int, arms: int, edition: int = 2) -> int:
    """Size of the largest value of so many participants and arms, also of one too large to be sent."""
    lengths = (PROOF_BYTES, (participants * arms + 7) // 8, NAME_BYTES * participants, SIGNATURE_BYTES)
    said = tuple(map(bytes, lengths))
    second = (*said, (bytes(MOST_STATEMENT),) * MOST_SHOWN, bytes(BLINDING_BYTES))
    return len(encode(said if edition == 1 else second))


class RoundRecord(NamedTuple):
    """The one record of a block."""

    round: int
    validators: tuple[int, ...]  # ascending, as all lists here
    reports: tuple[Report, ...]  # those that more than half of the counted sets name
    refused: tuple[tuple[int, str], ...]  # the participants without a usable report, and why
    sets: tuple[tuple[int, bytes], ...]  # validator and value, of those that count
    void: tuple[int, ...]  # validators that were silent, proved faulty, or said nonsense
    estimates: NDArray[np.int64]  # [arms], scaled
    paid: NDArray[np.int64]  # [participants], scaled
    before: bytes  # digest of the state before the round, so that a quorum signs it; empty in edition 1
    shown: tuple[bytes, ...]  # statements that enter with this block

    @property
    def blinding(self) -> bytes:
        """32 bytes that only those know who can read the reports of this round; empty where everybody can."""
        secrets = tuple(report.blinding for report in self.reports)
        return digest("blinding of a round", secrets) if any(secrets) else b""

    def holds(self, participant: int) -> bool:
        """Is a report of this participant in it, usable or not?"""
        return self.report_of(participant) is not None

    def report_of(self, participant: int) -> Report | None:
        """The report of this participant that is in it, usable or not."""
        return next((report for report in self.reports if report.participant == participant), None)

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode((*self[:2], tuple(report.plain for report in self.reports), *self[3:]), RECORD_LIMITS)

    @staticmethod
    def from_bytes(data: bytes, participants: int, arms: int) -> "RoundRecord":
        """The record with this encoding; what it says is for the rules to check.

        Raises:
            Malformed: there is none of this shape.
        """
        kinds = (int, tuple, tuple, tuple, tuple, tuple, np.ndarray, np.ndarray, bytes, tuple)
        record = RoundRecord(*checked(decode(data, RECORD_LIMITS), kinds, "record of a round"))
        require_beside(record.before, record.shown, participants)
        return checked_record(record._replace(reports=tuple(map(Report.of, record.reports))), participants, arms)


def checked_record(record: RoundRecord, participants: int, arms: int) -> RoundRecord:
    """The record with its lists as they should be.

    Raises:
        Malformed: a field is of another shape, or a list does not ascend.
    """
    for report in record.reports:
        require_shape(report.means, (arms,), "means")
    for item in record.sets:
        checked(item, (int, bytes), "set")
    require_lists(record, participants)
    require_shape(record.estimates, (arms,), "estimates")
    return record


def require_lists(record: Any, participants: int) -> None:
    """The fields of a record that all its forms have.

    Raises:
        Malformed: one is of another shape, or a list does not ascend.
    """
    if not 0 <= record.round <= MOST_ROUND:
        raise Malformed(f"round {record.round}: expected 0 to {MOST_ROUND}")
    for item in record.refused:
        if checked(item, (int, str), "refused report")[1] not in REASONS:
            raise Malformed(f"reason of a refusal: expected one of {', '.join(REASONS)}")
    for what, found in (
        ("validators", record.validators),
        ("reports", tuple(report.participant for report in record.reports)),
        ("refused", tuple(number for number, _ in record.refused)),
        ("sets", tuple(number for number, _ in record.sets)),
        ("void", record.void),
    ):
        _require_ascending(what, found, participants)
    require_shape(record.paid, (participants,), "paid")


def require_beside(before: bytes, shown: tuple[Any, ...], participants: int) -> None:
    """What a record of edition 2 has beside: the digest of a state, and statements.

    Raises:
        Malformed: others.
    """
    if len(before) != NAME_BYTES:
        raise Malformed(f"state before the round: {len(before)} bytes, expected {NAME_BYTES}")
    if len(shown) > participants or not all(type(one) is bytes and len(one) <= MOST_STATEMENT for one in shown):
        raise Malformed(f"statements: expected at most {participants} of at most {MOST_STATEMENT} bytes")


def checked(item: object, kinds: tuple[type, ...], what: str) -> tuple[Any, ...]:
    """A decoded tuple of exactly these types.

    Raises:
        Malformed: anything else.
    """
    if type(item) is not tuple or tuple(map(type, item)) != kinds:
        raise Malformed(f"{what}: expected {', '.join(kind.__name__ for kind in kinds)}")
    return item


def require_shape(array: NDArray[Any], shape: tuple[int, ...], what: str) -> None:
    """Scaled integers of this shape.

    Raises:
        Malformed: anything else.
    """
    if array.dtype != np.int64 or array.shape != shape:
        raise Malformed(f"{what} of {array.dtype} {array.shape}: expected int64 {shape}")


def _require_ascending(what: str, numbers: tuple[Any, ...], participants: int) -> None:
    last = -1
    for number in numbers:
        if type(number) is not int or not last < number < participants:
            raise Malformed(f"{what}: expected participants' numbers in ascending order, each once")
        last = number
