"""Games whose numbers only participants see (disclosure "validators"): what stands on the chain, and what beside it.

Participants decide on the records of any game (records.py). On the chain stands the record with commitments in the
place of everything that is said of an arm: the means of reports, whom the sets name, the estimates. A commitment is a
digest of these and of 32 bytes that only participants know, so that it does not help to guess. What is behind the
commitments of a block, its *openings*, is handed on with the block among participants, and nowhere else.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.bc_ucb.records import (
    BLINDING_BYTES,
    NAME_BYTES,
    RECORD_LIMITS,
    VALUE_LIMITS,
    Claim,
    Named,
    Report,
    RoundRecord,
    bits_of,
    checked,
    claims_of,
    report_body,
    report_name,
    require_beside,
    require_lists,
    require_seal,
    require_shape,
    require_shown,
)
from folkmoot.encoding import Limits, Malformed, decode, digest, encode
from folkmoot.ledger.block import LIMITS as BLOCK_LIMITS
from folkmoot.ledger.block import Block
from folkmoot.signatures import SIGNATURE_BYTES

_OPENINGS = Limits(size=1 << 23, depth=3, items=1 << 13, int_size=1)
_CARRIED = Limits(size=BLOCK_LIMITS.size + _OPENINGS.size + 64, depth=1, items=3, int_size=1)

Shape = tuple[int, int]  # participants, arms


class ToldReport(NamedTuple):
    """A report as it stands on the chain."""

    participant: int
    commitment: bytes  # to the means
    reward: int
    seal: bytes
    proof: bytes
    earlier: tuple[Claim, ...]
    signature: bytes

    @property
    def body(self) -> bytes:
        """As of `Report`."""
        return report_body(self.commitment, self.reward, self.seal, self.proof, self.earlier)

    @property
    def name(self) -> bytes:
        """As of `Report`."""
        return report_name(self.participant, self.body, self.signature)


class ToldSet(NamedTuple):
    """What a validator said, as it stands on the chain."""

    proof: bytes
    commitment: bytes  # to whom it names
    names: bytes
    shown: tuple[bytes, ...]
    signature: bytes


class ToldRecord(NamedTuple):
    """The record of a round as it stands on the chain; fields as of `RoundRecord`."""

    round: int
    validators: tuple[int, ...]
    reports: tuple[ToldReport, ...]
    refused: tuple[tuple[int, str], ...]
    sets: tuple[tuple[int, ToldSet], ...]
    void: tuple[int, ...]
    estimates: bytes  # the commitment to them
    paid: NDArray[np.int64]
    before: bytes
    shown: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """The one encoding."""
        reports = tuple((*report[:5], tuple(map(tuple, report.earlier)), report.signature) for report in self.reports)
        sets = tuple((validator, tuple(told)) for validator, told in self.sets)
        return encode((*self[:2], reports, self.refused, sets, *self[5:]), RECORD_LIMITS)

    @staticmethod
    def from_bytes(data: bytes, participants: int) -> "ToldRecord":
        """The record with this encoding; what it says is for the rules to check.

        Raises:
            Malformed: there is none of this shape.
        """
        kinds = (int, tuple, tuple, tuple, tuple, tuple, bytes, np.ndarray, bytes, tuple)
        told = ToldRecord(*checked(decode(data, RECORD_LIMITS), kinds, "record of a round"))
        pairs = tuple(checked(item, (int, tuple), "set") for item in told.sets)
        sets = tuple((validator, _told_set(fields)) for validator, fields in pairs)
        told = told._replace(reports=tuple(map(_told_report, told.reports)), sets=sets)
        if len(told.estimates) != NAME_BYTES:
            raise Malformed(f"commitment to estimates of {len(told.estimates)} bytes: expected {NAME_BYTES}")
        require_beside(told.before, told.shown, participants)
        require_lists(told, participants)
        return told


def _told_report(item: object) -> ToldReport:
    told = ToldReport(*checked(item, (int, bytes, int, bytes, bytes, tuple, bytes), "report"))
    require_seal(told.seal, told.proof)
    if (len(told.commitment), len(told.signature)) != (NAME_BYTES, SIGNATURE_BYTES):
        raise Malformed(f"report: expected a commitment of {NAME_BYTES} bytes and a signature of {SIGNATURE_BYTES}")
    return told._replace(earlier=claims_of(told.earlier))


def _told_set(fields: tuple[Any, ...]) -> ToldSet:
    told = ToldSet(*checked(fields, (bytes, bytes, bytes, tuple, bytes), "set"))
    require_shown(told.shown)
    if (len(told.commitment), len(told.signature)) != (NAME_BYTES, SIGNATURE_BYTES):
        raise Malformed(f"set: expected a commitment of {NAME_BYTES} bytes and a signature of {SIGNATURE_BYTES}")
    return told


def as_told(record: RoundRecord, shape: Shape, proven: bool) -> ToldRecord:
    """What of a participants' record stands on the chain. `proven`: do sets hold proofs of random functions?"""
    reports = tuple(ToldReport(r.participant, r.commitment, *r[2:7]) for r in record.reports)
    sets = tuple((v, _covered(Named.from_bytes(value, *shape, proven))) for v, value in record.sets)
    estimates = digest("validated estimates", (record.estimates, record.blinding))
    beside = record.paid, record.before, record.shown
    return ToldRecord(record.round, record.validators, reports, record.refused, sets, record.void, estimates, *beside)


def _covered(named: Named) -> ToldSet:
    return ToldSet(named.proof, named.commitment, b"".join(named.names), named.shown, named.signature)


def openings(record: RoundRecord, shape: Shape, proven: bool) -> bytes:
    """What is behind the commitments of a participants' record."""
    sets = (Named.from_bytes(value, *shape, proven) for _, value in record.sets)
    reports = tuple((report.means, report.blinding) for report in record.reports)
    return encode((reports, tuple((bits_of(n.members), n.blinding) for n in sets), record.estimates), _OPENINGS)


def opened(data: bytes, behind: bytes, shape: Shape, proven: bool) -> RoundRecord:
    """The participants' record of one on the chain with its openings.

    Raises:
        Malformed: bytes that are none, or openings of something else.
    """
    told = ToldRecord.from_bytes(data, shape[0])
    fields = checked(decode(behind, _OPENINGS), (tuple, tuple, np.ndarray), "openings")
    means, bits, estimates = _pairs(fields[0], np.ndarray), _pairs(fields[1], bytes), fields[2]
    if (len(means), len(bits)) != (len(told.reports), len(told.sets)):
        raise Malformed("openings: expected one for each report and each set")
    for numbers in (*(numbers for numbers, _ in means), estimates):
        require_shape(numbers, shape[1:], "opened numbers")
    reports = tuple(Report(r.participant, pair[0], *r[2:], pair[1]) for r, pair in zip(told.reports, means))
    sets = tuple((v, _value(one, pair)) for (v, one), pair in zip(told.sets, bits))
    beside = told.paid, told.before, told.shown
    record = RoundRecord(told.round, told.validators, reports, told.refused, sets, told.void, estimates, *beside)
    if as_told(record, shape, proven).to_bytes() != data:
        raise Malformed("openings: of other commitments")
    return record


def _pairs(items: tuple[object, ...], kind: type) -> tuple[tuple[Any, bytes], ...]:
    """Numbers or bits, each with its blinding."""
    pairs = tuple(checked(item, (kind, bytes), "opening") for item in items)
    if any(len(blinding) != BLINDING_BYTES for _, blinding in pairs):
        raise Malformed(f"opening: expected {BLINDING_BYTES} secret bytes")
    return tuple((content, blinding) for content, blinding in pairs)


def _value(one: ToldSet, pair: tuple[bytes, bytes]) -> bytes:
    """What a validator has said, if it is of the right shape."""
    try:
        return encode((one.proof, pair[0], one.names, one.shown, one.signature, pair[1]), VALUE_LIMITS)
    except ValueError:
        raise Malformed("openings: of more than a set can hold") from None


@dataclass(frozen=True)
class Opened(Block):
    """A block of such a chain with its openings. Its bytes, hash and signatures are those of the block on the chain."""

    openings: bytes = b""

    def carried(self) -> bytes:
        """The bytes for other participants."""
        return encode((self.to_bytes(), self.openings), _CARRIED)

    @staticmethod
    def received(data: bytes) -> "Opened":
        """The block in bytes of another participant; whether the openings are its own is for the rules to check.

        Raises:
            Malformed: there is none.
        """
        plain, behind = checked(decode(data, _CARRIED), (bytes, bytes), "block with its openings")
        block = Block.from_bytes(plain)
        return Opened(block.header, block.records, block.signatures, behind)
