"""What parties say to come to an exchange: sheets of the one that has called for it, and the others' answers.

A sheet says what is wanted now, and all that it takes to answer: so who was away, or is new to it, can answer too.
Both are signed, and name the last block: they count for this one exchange. The records in them are those of the block
that is to come of it (see exchanged.py), each signed by whose it is.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from folkmoot.encoding import Limits, Malformed, Value, decode, digest, encode
from folkmoot.ledger.block import LIMITS as BLOCKS
from folkmoot.multiparty.chain.entries import MOST_PARTIES, NAME_BYTES, typed
from folkmoot.multiparty.chain.exchanged import ExchangeBlock, Gate, read_exchange
from folkmoot.multiparty.exchange.exchanging import EXCHANGE, MOST_EACH
from folkmoot.signatures import SIGNATURE_BYTES

CHECKS, REVEAL, TRAIN, VOTE = PHASES = range(4)
MOST_SETS = 1 << 7  # of candidates taken back, asked about at once
_ITEMS = 1 << 13
_LIMITS = Limits(size=BLOCKS.size, depth=3, items=_ITEMS, int_size=8)


class Sheet(NamedTuple):
    """What is wanted.

    Attributes:
        number: of the party that has called for the exchange.
        previous: hash of the last block.
        phase: CHECKS: what parties commit to; REVEAL: samples, and how often the models are right; TRAIN: candidates;
            VOTE: how often candidates are right, and ballots.
        each: samples of a class that a party may reveal.
        records: as far as they are there: what was shown, candidates, recalls of the models as they are.
        asked: who is taken back; for VOTE.
        signature: of the party.
    """

    number: int
    previous: bytes
    phase: int
    each: int
    records: tuple[bytes, ...]
    asked: tuple[tuple[int, ...], ...]
    signature: bytes

    def said(self) -> Value:
        """What the party signs."""
        return tuple(self[:-1])

    @property
    def digest(self) -> bytes:
        """32 bytes that stand for it."""
        return digest("multiparty/sheet", self.said())


class Answer(NamedTuple):
    """What a party says to a sheet.

    Attributes:
        number: of the party.
        about: digest of the sheet.
        records: of its own; none: it has nothing to say.
        contents: that the records name: samples, or the parameters of a candidate.
        signature: of the party, on all but the contents.
    """

    number: int
    about: bytes
    records: tuple[bytes, ...]
    contents: tuple[bytes, ...]
    signature: bytes

    def said(self) -> Value:
        """What the party signs."""
        return tuple(self[:3])


def to_bytes(told: Sheet | Answer) -> bytes:
    """The one encoding.

    Raises:
        ValueError: more than a message can hold.
    """
    return encode((type(told).__name__, *told), _LIMITS)


def read_told(data: bytes) -> Sheet | Answer:
    """The sheet or answer with this encoding; records and signatures are for others to check.

    Raises:
        Malformed: there is none.
    """
    value = decode(data, _LIMITS)
    tag = value[0] if type(value) is tuple and value else None
    if tag == Sheet.__name__:
        sheet = Sheet(*typed(value, (str, int, bytes, int, int, tuple, tuple, bytes), "sheet")[1:])
        _require(0 <= sheet.number < MOST_PARTIES and len(sheet.previous) == NAME_BYTES, "sheet")
        _require(sheet.phase in PHASES and 0 <= sheet.each <= MOST_EACH, "sheet: phase or number of samples")
        _all_bytes(sheet.records)
        _require(len(sheet.asked) <= MOST_SETS, "sheet: too much is asked")
        for numbers in sheet.asked:
            good = type(numbers) is tuple and all(type(n) is int and 0 <= n < MOST_PARTIES for n in numbers)
            _require(good and list(numbers) == sorted(set(numbers)), "sheet: numbers of parties")
        _require(len(set(sheet.asked)) == len(sheet.asked) and len(sheet.signature) == SIGNATURE_BYTES, "sheet")
        return sheet
    if tag == Answer.__name__:
        answer = Answer(*typed(value, (str, int, bytes, tuple, tuple, bytes), "answer")[1:])
        _require(0 <= answer.number < MOST_PARTIES and len(answer.about) == NAME_BYTES, "answer")
        _all_bytes(answer.records)
        _all_bytes(answer.contents)
        _require(len(answer.signature) == SIGNATURE_BYTES, "answer: signature")
        return answer
    raise Malformed(f"message of {tag!r:.40}: expected a sheet or an answer")


def read_records(each: int, records: Sequence[bytes]) -> ExchangeBlock:
    """Records of an exchange that is under way, in the order in which a block has them.

    Raises:
        Malformed: something else.
    """
    return read_exchange([Gate(EXCHANGE, each, False, (), 0.0).to_bytes(), *records])


def _require(good: bool, what: str) -> None:
    if not good:
        raise Malformed(f"{what}: not of its form")


def _all_bytes(values: tuple[Any, ...]) -> None:
    _require(all(type(one) is bytes for one in values), "records and contents")
