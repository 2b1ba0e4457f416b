"""What a block of the game holds: signed reports, the validators' sets as they were agreed on, and what follows.

A block must come out the same at every honest validator, so nothing enters it that was not agreed on byte by byte: a
validator's value names each report it holds by a digest that covers the signature too (one who signs the same words
twice, with two signatures, has said two things), and the value carries the validator's own signature inside.
"""

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
REASONS = (RANGE, CLAIM, DISPUTED, MISSING)
MOST_ROUND = (1 << 62) - 1

_VALUE = Limits(size=1 << 16, depth=1, items=8, int_size=1)
_RECORD = Limits(size=1 << 22, depth=3, items=1 << 13, int_size=8)


class Report(NamedTuple):
    """What a participant says in a round, signed; real numbers are scaled by 2**32."""

    participant: int
    means: NDArray[np.int64]  # [arms]
    reward: int  # claimed, of this round's pull
    signature: bytes

    @property
    def name(self) -> bytes:
        """32 bytes that stand for all of it."""
        return digest("round report name", tuple(self))


def report_words(previous: bytes, round: int, participant: int, means: NDArray[np.int64], reward: int) -> bytes:
    """What a reporter signs: its numbers, for this round after this block."""
    return digest("round report", (previous, round, participant, means, reward))


class Named(NamedTuple):
    """What a validator says in the agreement."""

    proof: bytes  # of its verifiable random function, 80 bytes; empty where coins are public
    members: NDArray[np.bool_]  # [participants, arms], whom it names
    names: tuple[bytes, ...]  # of the report it holds of each participant, or NO_REPORT
    signature: bytes

    def to_bytes(self) -> bytes:
        """The value that goes through the agreement."""
        return encode((self.proof, _bits(self.members), b"".join(self.names), self.signature), _VALUE)

    @staticmethod
    def from_bytes(value: bytes, participants: int, arms: int, proven: bool) -> "Named":
        """The value with this one encoding.

        Raises:
            Malformed: there is none of this shape.
        """
        fields = decode(value, _VALUE)
        if type(fields) is not tuple or tuple(map(type, fields)) != (bytes, bytes, bytes, bytes):
            raise Malformed("value that is not proof, members, names and signature")
        expected = (PROOF_BYTES * proven, (participants * arms + 7) // 8, NAME_BYTES * participants, SIGNATURE_BYTES)
        if tuple(map(len, fields)) != expected:
            raise Malformed(f"value of {tuple(map(len, fields))} bytes: expected {expected}")
        proof, bits, names, signature = fields
        flat = np.unpackbits(np.frombuffer(bits, np.uint8)).astype(np.bool_)
        if flat[participants * arms :].any():
            raise Malformed("members beyond the last participant")
        pieces = tuple(names[at : at + NAME_BYTES] for at in range(0, len(names), NAME_BYTES))
        return Named(proof, flat[: participants * arms].reshape(participants, arms), pieces, signature)


def named_words(previous: bytes, round: int, validator: int, named: Named) -> bytes:
    """What a validator signs inside its value; the signature field is not covered."""
    said = (named.proof, _bits(named.members), b"".join(named.names))
    return digest("round sets", (previous, round, validator, *said))


def _bits(members: NDArray[np.bool_]) -> bytes:
    return np.packbits(members.reshape(-1)).tobytes()


def value_bytes(participants: int, arms: int) -> int:
    """Size of the largest value of so many participants and arms, also of one too large to be sent."""
    lengths = (PROOF_BYTES, (participants * arms + 7) // 8, NAME_BYTES * participants, SIGNATURE_BYTES)
    return len(encode(tuple(map(bytes, lengths))))


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

    def holds(self, participant: int) -> bool:
        """Is a report of this participant in it, usable or not?"""
        return any(report.participant == participant for report in self.reports)

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode((*self[:2], tuple(map(tuple, self.reports)), *self[3:]), _RECORD)

    @staticmethod
    def from_bytes(data: bytes, participants: int, arms: int) -> "RoundRecord":
        """The record with this encoding; what it says is for the rules to check.

        Raises:
            Malformed: there is none of this shape.
        """
        fields = decode(data, _RECORD)
        kinds = (int, tuple, tuple, tuple, tuple, tuple, np.ndarray, np.ndarray)
        if type(fields) is not tuple or tuple(map(type, fields)) != kinds:
            raise Malformed("record that is not the eight fields of a round")
        record = RoundRecord(*fields)
        if not 0 <= record.round <= MOST_ROUND:
            raise Malformed(f"round {record.round}: expected 0 to {MOST_ROUND}")
        reports = tuple(Report(*checked(item, (int, np.ndarray, int, bytes), "report")) for item in record.reports)
        for report in reports:
            require_shape(report.means, (arms,), "means")
            if len(report.signature) != SIGNATURE_BYTES:
                raise Malformed(f"signature of {len(report.signature)} bytes: expected {SIGNATURE_BYTES}")
        refused = tuple(checked(item, (int, str), "refused report") for item in record.refused)
        if any(reason not in REASONS for _, reason in refused):
            raise Malformed(f"reason of a refusal: expected one of {', '.join(REASONS)}")
        sets = tuple(checked(item, (int, bytes), "set") for item in record.sets)
        for what, found in (
            ("validators", record.validators),
            ("reports", tuple(report.participant for report in reports)),
            ("refused", tuple(number for number, _ in refused)),
            ("sets", tuple(number for number, _ in sets)),
            ("void", record.void),
        ):
            _require_ascending(what, found, participants)
        require_shape(record.estimates, (arms,), "estimates")
        require_shape(record.paid, (participants,), "paid")
        return record._replace(reports=reports, refused=refused, sets=sets)


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
