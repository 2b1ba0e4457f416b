"""A proof that a ciphertext holds 0 or 1, which does not tell which.

The disjunction of two Chaum-Pedersen proofs (Cramer, Damgard and Schoenmakers 1994): "mask and body have the same
logarithm to the bases G and H", or the same of mask and body - G. The prover answers the true one honestly and
simulates the other with a challenge it chose beforehand; the two challenges must add up to a hash (Fiat and Shamir
1986) of everything said and of the context, so that a proof is worth nothing in another place.
"""

import hashlib
from typing import NamedTuple

from folkmoot.comparison import ristretto
from folkmoot.comparison.elgamal import Ciphertext
from folkmoot.comparison.ristretto import GENERATOR, ORDER, SIZE, RandomBytes

_DOMAIN = b"folkmoot private comparison: bit proof, version 1"


class BitProof(NamedTuple):
    """Challenge and response of "it is 0" and of "it is 1": four scalars below ORDER."""

    challenge_zero: int
    response_zero: int
    challenge_one: int
    response_one: int


PROOF_SIZE = len(BitProof._fields) * SIZE


def prove(
    public: bytes, ciphertext: Ciphertext, bit: int, nonce: int, context: bytes, random_bytes: RandomBytes
) -> BitProof:
    """The proof for `ciphertext` = encrypt_bit(public, bit, nonce), valid in `context` only.

    The simulated branch uses the nonce: mask = nonce G, so response G - challenge mask is `hidden` G.
    """
    honest = ristretto.random_scalar(random_bytes)
    hidden = ristretto.random_scalar(random_bytes)
    simulated = ristretto.random_scalar(random_bytes)
    commitments = [b"", b"", b"", b""]
    commitments[2 * bit : 2 * bit + 2] = [ristretto.base(honest), ristretto.multiply(honest, public)]
    shift = ristretto.base(simulated * (1 if bit == 0 else -1))  # body - other G = nonce H + (bit - other) G
    false = [ristretto.base(hidden), ristretto.add(ristretto.multiply(hidden, public), shift)]
    commitments[2 * (1 - bit) : 2 * (1 - bit) + 2] = false
    challenge = (_challenge(public, ciphertext, commitments, context) - simulated) % ORDER
    true_pair = (challenge, (honest + challenge * nonce) % ORDER)
    false_pair = (simulated, (hidden + simulated * nonce) % ORDER)
    return BitProof(*(true_pair + false_pair if bit == 0 else false_pair + true_pair))


def verify(public: bytes, ciphertext: Ciphertext, proof: BitProof, context: bytes) -> bool:
    """Whether the proof holds for this ciphertext, key and context. All elements must be valid."""
    commitments = []
    branches = ((proof.challenge_zero, proof.response_zero), (proof.challenge_one, proof.response_one))
    for value, (challenge, response) in enumerate(branches):
        body = ristretto.subtract(ciphertext.body, GENERATOR) if value else ciphertext.body
        commitments.append(_commitment(GENERATOR, response, ciphertext.mask, challenge))
        commitments.append(_commitment(public, response, body, challenge))
    total = (proof.challenge_zero + proof.challenge_one) % ORDER
    return total == _challenge(public, ciphertext, commitments, context)


def _commitment(point: bytes, response: int, image: bytes, challenge: int) -> bytes:
    """What the prover must have committed to: response * point - challenge * image."""
    product = ristretto.base(response) if point == GENERATOR else ristretto.multiply(response, point)
    return ristretto.subtract(product, ristretto.multiply(challenge, image))


def _challenge(public: bytes, ciphertext: Ciphertext, commitments: list[bytes], context: bytes) -> int:
    """The hash that stands for the verifier's coin; every field has a fixed length but the last."""
    said = b"".join([public, *ciphertext, *commitments])
    return int.from_bytes(hashlib.sha512(_DOMAIN + said + context).digest(), "little") % ORDER
