"""What chains of edition 1 say, which version 0.1.0 made: they are read and verified, and no game makes them any more.

A report of edition 1 says means and a reward and nothing else; no signature names the game it is for; the question
of the verifiable random functions is the hash of the block before, which whoever speaks last can choose among many.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from folkmoot.bc_ucb import records
from folkmoot.bc_ucb.records import (
    RECORD_LIMITS,
    Named,
    Report,
    RoundRecord,
    checked,
    checked_record,
    sets_of,
)
from folkmoot.encoding import Limits, Malformed, decode, digest
from folkmoot.signatures import SIGNATURE_BYTES

_VALUE = Limits(size=1 << 16, depth=1, items=8, int_size=1)


class Words(NamedTuple):
    """How the words of a chain are read, by its edition.

    Attributes:
        name: of a report.
        report: what a reporter signs: (origin, previous, round, report) -> words.
        sets: what a validator signs: (origin, previous, round, validator, named) -> words.
        value: what a validator says: (bytes, participants, arms, proven) -> Named.
        record: of a block: (bytes, participants, arms) -> RoundRecord.
    """

    name: Callable[[Report], bytes]
    report: Callable[[bytes, bytes, int, Report], bytes]
    sets: Callable[[bytes, bytes, int, int, Named], bytes]
    value: Callable[[bytes, int, int, bool], Named]
    record: Callable[[bytes, int, int], RoundRecord]


def words_of(edition: int) -> Words:
    """Those of a chain of this edition."""
    return _FIRST if edition == 1 else _SECOND


def question(previous: bytes, round: int) -> bytes:
    """What the verifiable random functions are asked in a round after this block."""
    return digest("sortition", (previous, round))


def _name(report: Report) -> bytes:
    return digest("round report name", (*report[:3], report.signature))


def _report_words(origin: bytes, previous: bytes, round: int, report: Report) -> bytes:
    return digest("round report", (previous, round, *report[:3]))


def _named_words(origin: bytes, previous: bytes, round: int, validator: int, named: Named) -> bytes:
    bits = np.packbits(named.members.reshape(-1)).tobytes()
    return digest("round sets", (previous, round, validator, named.proof, bits, b"".join(named.names)))


def _value(value: bytes, participants: int, arms: int, proven: bool) -> Named:
    fields: Any = checked(decode(value, _VALUE), (bytes, bytes, bytes, bytes), "value of a validator")
    return sets_of(fields, participants, arms, proven)


def _record(data: bytes, participants: int, arms: int) -> RoundRecord:
    kinds = (int, tuple, tuple, tuple, tuple, tuple, np.ndarray, np.ndarray)
    fields = checked(decode(data, RECORD_LIMITS), kinds, "record of a round")
    record = RoundRecord._make((*fields, b"", ()))
    return checked_record(record._replace(reports=tuple(map(_report, record.reports))), participants, arms)


def _report(item: object) -> Report:
    participant, means, reward, signature = checked(item, (int, np.ndarray, int, bytes), "report")
    if len(signature) != SIGNATURE_BYTES:
        raise Malformed(f"signature of {len(signature)} bytes: expected {SIGNATURE_BYTES}")
    return Report(participant, means, reward, b"", b"", (), signature)


def _second_report_words(origin: bytes, previous: bytes, round: int, report: Report) -> bytes:
    return records.report_words(origin, previous, round, report.participant, report.body)


_FIRST = Words(_name, _report_words, _named_words, _value, _record)
_SECOND = Words(
    lambda report: report.name, _second_report_words, records.named_words, Named.from_bytes, RoundRecord.from_bytes
)
