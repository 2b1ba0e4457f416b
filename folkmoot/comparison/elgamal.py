"""Exponential ElGamal over ristretto255: encrypted integers that can be added without the key.

With generator G, secret key s and public key H = s G, the integer m is encrypted as (t G, t H + m G) for a random
scalar t (ElGamal 1985, message in the exponent; Cramer, Gennaro and Schoenmakers 1997). Whoever has s learns m G:
enough to see whether m is zero, not enough to read a large m. Secure against eavesdroppers if the decisional
Diffie-Hellman problem is hard in the group.
"""

from typing import NamedTuple

from folkmoot.comparison import ristretto
from folkmoot.comparison.ristretto import GENERATOR, IDENTITY, RandomBytes


class Ciphertext(NamedTuple):
    """One encrypted integer: mask = t G and body = t H + m G, two group elements of 32 bytes."""

    mask: bytes
    body: bytes


ZERO = Ciphertext(IDENTITY, IDENTITY)  # the integer 0, masked by nothing
_ZERO_OR_ONE = (IDENTITY, GENERATOR)


class KeyPair(NamedTuple):
    """A secret scalar and the element it stands for, public = secret * G."""

    secret: int
    public: bytes


def key_pair(random_bytes: RandomBytes) -> KeyPair:
    """A fresh key pair."""
    secret = ristretto.random_scalar(random_bytes)
    return KeyPair(secret, ristretto.base(secret))


def encrypt_bit(public: bytes, bit: int, nonce: int) -> Ciphertext:
    """The bit encrypted under `public` with the random scalar `nonce`, which must never be used again."""
    return Ciphertext(ristretto.base(nonce), ristretto.add(ristretto.multiply(nonce, public), _ZERO_OR_ONE[bit]))


def add(a: Ciphertext, b: Ciphertext) -> Ciphertext:
    """An encryption of the sum."""
    return Ciphertext(ristretto.add(a.mask, b.mask), ristretto.add(a.body, b.body))


def add_bit(a: Ciphertext, bit: int) -> Ciphertext:
    """An encryption of the integer plus a bit that is known; the same work for either bit."""
    return Ciphertext(a.mask, ristretto.add(a.body, _ZERO_OR_ONE[bit]))


def one_minus(a: Ciphertext) -> Ciphertext:
    """An encryption of one minus the integer."""
    return Ciphertext(ristretto.subtract(IDENTITY, a.mask), ristretto.subtract(GENERATOR, a.body))


def multiply(a: Ciphertext, scalar: int) -> Ciphertext:
    """An encryption of the integer times `scalar`; a random factor hides every integer but zero."""
    return Ciphertext(ristretto.multiply(scalar, a.mask), ristretto.multiply(scalar, a.body))


def rerandomise(a: Ciphertext, public: bytes, random_bytes: RandomBytes) -> Ciphertext:
    """The same integer under a fresh mask, unlinkable to `a` even for the owner of the key."""
    nonce = ristretto.random_scalar(random_bytes)
    return add(a, Ciphertext(ristretto.base(nonce), ristretto.multiply(nonce, public)))


def is_zero(a: Ciphertext, secret: int) -> bool:
    """Whether the encrypted integer is zero."""
    return a.body == ristretto.multiply(secret, a.mask)
