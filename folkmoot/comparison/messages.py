"""The two messages of a private comparison, and their strict decoding.

offer (validator to everybody): key and, for each arm, one ciphertext and one bit proof for each bit of the threshold.
answer (participant to that validator): for each arm as many blinded ciphertexts, a digest of the offer it answers
and a checksum. Both have one possible length for given arms and bits. The checksum finds accidents, not attackers:
whoever changes an answer can make it fit again, so callers sign both messages.
"""

from enum import StrEnum
from typing import Any, NamedTuple

from folkmoot.comparison import ristretto
from folkmoot.comparison.bit_proof import PROOF_SIZE, BitProof
from folkmoot.comparison.elgamal import Ciphertext
from folkmoot.comparison.ristretto import ORDER, SIZE
from folkmoot.comparison.session import Session
from folkmoot.encoding import Malformed, decode, digest, encode
from folkmoot.errors import OtherSide

OFFER, ANSWER = "folkmoot comparison offer 1", "folkmoot comparison answer 1"
_CIPHERTEXT_SIZE = 2 * SIZE
_BIT_SIZE = _CIPHERTEXT_SIZE + PROOF_SIZE


class Reason(StrEnum):
    """Why a message of another party was refused."""

    LENGTH = "wrong length"
    ENCODING = "not a canonical encoding"
    FORM = "not a message of this kind"
    SESSION = "made for another session, validator, number of arms or of bits"
    PARTICIPANT = "made by another participant"
    OFFER = "answers another offer"
    CHECKSUM = "checksum does not match"
    ELEMENT = "not an element of the group, or the identity"
    SCALAR = "scalar not below the group's order"
    PROOF = "bit proof does not hold"
    ZEROS = "more than one term of an arm is zero"
    SECOND = "a second, different message in one session"


class RefusedComparison(OtherSide):
    """A message of another party that was refused; nothing was computed from it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"comparison refused: {reason}")
        self.reason = reason


class OfferContent(NamedTuple):
    """A decoded offer: key, and per arm and bit (least significant first) ciphertext and proof."""

    public: bytes
    arms: tuple[tuple[tuple[Ciphertext, BitProof], ...], ...]


def bit_context(about: Session, arm: int, position: int) -> bytes:
    """Where a bit proof is valid: this session, this arm, this bit."""
    return encode((*about, arm, position))


def encode_offer(about: Session, offer: OfferContent) -> bytes:
    """The bytes of an offer."""
    arms = tuple(b"".join(_bit_bytes(*bit) for bit in arm) for arm in offer.arms)
    return encode((OFFER, *about, offer.public, arms))


def decode_offer(about: Session, data: bytes) -> OfferContent:
    """The offer in these bytes of another party; its proofs are not verified yet.

    Raises:
        RefusedComparison: with the reason, before any group operation but the check of elements.
    """
    value = _decode(data, _blank_offer(about))
    if value[1:5] != about:
        raise RefusedComparison(Reason.SESSION)
    arms = tuple(tuple(_read_bit(piece) for piece in _pieces(arm, _BIT_SIZE)) for arm in value[6])
    return OfferContent(_element(value[5]), arms)


def encode_answer(about: Session, participant: bytes, offer: bytes, arms: list[list[Ciphertext]]) -> bytes:
    """The bytes of an answer to the offer with these bytes."""
    bodies = tuple(b"".join(part for ciphertext in arm for part in ciphertext) for arm in arms)
    said = (ANSWER, about.name, participant, _name_of(offer), bodies)
    return encode((*said, _checksum(said)))


def decode_answer(about: Session, participant: bytes, offer: bytes, data: bytes) -> list[list[Ciphertext]]:
    """The ciphertexts, per arm, in these bytes of a participant, who must have answered this offer.

    Raises:
        RefusedComparison: with the reason, before any group operation but the check of elements.
    """
    value = _decode(data, _blank_answer(about, participant))
    if value[5] != _checksum(value[:5]):
        raise RefusedComparison(Reason.CHECKSUM)
    if value[1] != about.name:
        raise RefusedComparison(Reason.SESSION)
    if value[2] != participant:
        raise RefusedComparison(Reason.PARTICIPANT)
    if value[3] != _name_of(offer):
        raise RefusedComparison(Reason.OFFER)
    return [[_read_ciphertext(piece) for piece in _pieces(arm, _CIPHERTEXT_SIZE)] for arm in value[4]]


def offer_bytes(about: Session) -> int:
    """Of every offer of this session."""
    return len(encode(_blank_offer(about)))


def answer_bytes(about: Session, participant: bytes) -> int:
    """Of every answer of this participant in this session."""
    return len(encode(_blank_answer(about, participant)))


def _blank_offer(about: Session) -> tuple[Any, ...]:
    return (OFFER, *about, bytes(SIZE), (bytes(about.count_bits * _BIT_SIZE),) * about.n_arms)


def _blank_answer(about: Session, participant: bytes) -> tuple[Any, ...]:
    bodies = (bytes(about.count_bits * _CIPHERTEXT_SIZE),) * about.n_arms
    return (ANSWER, about.name, participant, bytes(32), bodies, bytes(32))


def _decode(data: bytes, blank: tuple[Any, ...]) -> tuple[Any, ...]:
    """The value in `data`, which must have the kind, the types and all the lengths of `blank`."""
    if not isinstance(data, bytes) or len(data) != len(encode(blank)):
        raise RefusedComparison(Reason.LENGTH)
    try:
        value: tuple[Any, ...] = decode(data)
    except Malformed as fault:
        raise RefusedComparison(Reason.ENCODING) from fault
    if not _same_form(value, blank) or value[0] != blank[0]:
        raise RefusedComparison(Reason.FORM)
    return value


def _same_form(value: Any, blank: Any) -> bool:
    """Whether both are built alike: the same types, tuples of as many items, byte strings of the same length."""
    if type(value) is not type(blank):
        return False
    if isinstance(value, tuple):
        return len(value) == len(blank) and all(_same_form(a, b) for a, b in zip(value, blank))
    return not isinstance(value, bytes) or len(value) == len(blank)


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


def _element(data: bytes) -> bytes:
    if not ristretto.is_element(data):
        raise RefusedComparison(Reason.ELEMENT)
    return data


def _read_ciphertext(data: bytes) -> Ciphertext:
    return Ciphertext(_element(data[:SIZE]), _element(data[SIZE:]))


def _read_bit(data: bytes) -> tuple[Ciphertext, BitProof]:
    scalars = [int.from_bytes(piece, "little") for piece in _pieces(data[_CIPHERTEXT_SIZE:], SIZE)]
    if max(scalars) >= ORDER:
        raise RefusedComparison(Reason.SCALAR)
    return _read_ciphertext(data[:_CIPHERTEXT_SIZE]), BitProof(*scalars)


def _bit_bytes(ciphertext: Ciphertext, proof: BitProof) -> bytes:
    return b"".join(ciphertext) + b"".join(ristretto.scalar_bytes(scalar) for scalar in proof)


def _checksum(said: tuple[Any, ...]) -> bytes:
    return digest("comparison/checksum", said)


def _name_of(offer: bytes) -> bytes:
    return digest("comparison/offer", offer)
