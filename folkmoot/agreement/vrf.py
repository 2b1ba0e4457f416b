"""A verifiable random function: ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381, section 5.5).

The holder of a secret key maps any input alpha to 64 bytes that nobody else can predict, and to a proof of
80 bytes by which everybody sees that no other output was possible. All arithmetic is libsodium's.

Stricter than the RFC: public keys and the proof's point Gamma must lie in the prime-order subgroup. The output
of a proof is the same under both rules; docs/decisions/0014-verifiable-random-function.md says why and what it costs.
"""

from functools import lru_cache
from hashlib import sha512

from nacl import exceptions
from nacl.bindings import (
    crypto_core_ed25519_add,
    crypto_core_ed25519_is_valid_point,
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_core_ed25519_sub,
    crypto_scalarmult_ed25519_base_noclamp,
    crypto_scalarmult_ed25519_noclamp,
)

from folkmoot.errors import OtherSide

KEY_BYTES, PROOF_BYTES = 32, 80

_SUITE = b"\x03"  # suite_string of ECVRF-EDWARDS25519-SHA512-TAI
_ENCODE, _CHALLENGE, _OUTPUT, _END = b"\x01", b"\x02", b"\x03", b"\x00"  # domain separators, sections 5.4 and 5.2
_P = 2**255 - 19  # the field of the curve
_Q = 2**252 + 27742317777372353535851937790883648493  # the order of the base point
_IDENTITY = (1).to_bytes(32, "little")
_C_BYTES = 16


class InvalidProof(OtherSide):
    """Proof or public key from another party that proves nothing."""


def public_key(secret_key: bytes) -> bytes:
    """The public key (32 bytes) of a secret key (32 bytes, an Ed25519 seed; RFC 8032, section 5.1.5).

    Raises:
        ValueError: the secret key is not 32 bytes.
    """
    return _expanded(secret_key)[2]


def valid_key(key: bytes) -> bool:
    """Is this a public key: 32 bytes, a canonical point of the prime-order subgroup, not the identity?"""
    return isinstance(key, bytes) and len(key) == KEY_BYTES and _is_point(key)


_is_point = lru_cache(1 << 10)(crypto_core_ed25519_is_valid_point)  # keys are few, and come again in every round


def prove(secret_key: bytes, alpha: bytes) -> bytes:
    """The proof (80 bytes) for input `alpha` (section 5.1).

    Raises:
        ValueError: the secret key is not 32 bytes, or alpha is not bytes.
    """
    scalar, prefix, key = _expanded(secret_key)
    point = _encode_to_curve(key, alpha)
    gamma = crypto_scalarmult_ed25519_noclamp(scalar, point)
    nonce = crypto_core_ed25519_scalar_reduce(sha512(prefix + point).digest())  # section 5.4.2.2
    u = crypto_scalarmult_ed25519_base_noclamp(nonce)
    v = crypto_scalarmult_ed25519_noclamp(nonce, point)
    c = _challenge(key, point, gamma, u, v)
    s = crypto_core_ed25519_scalar_add(nonce, crypto_core_ed25519_scalar_mul(_scalar(c), scalar))
    return gamma + c + s


def verify(public_key: bytes, alpha: bytes, proof: bytes) -> bytes:
    """The output (64 bytes) that a valid proof for `alpha` under `public_key` gives (section 5.3).

    Raises:
        InvalidProof: wrong proof or public key, whatever their type and content.
        ValueError: alpha is not bytes.
    """
    gamma, c, s = _decoded(proof)
    if not valid_key(public_key):
        raise InvalidProof(f"public_key = {_shown(public_key)}: expected a point of the prime-order subgroup")
    point = _encode_to_curve(public_key, alpha)
    try:  # libsodium refuses a zero scalar and a point outside the prime-order subgroup
        c_key, c_gamma = (crypto_scalarmult_ed25519_noclamp(_scalar(c), p) for p in (public_key, gamma))
        s_base = crypto_scalarmult_ed25519_base_noclamp(s)
        s_point = crypto_scalarmult_ed25519_noclamp(s, point)
    except exceptions.RuntimeError:
        raise InvalidProof(f"proof = {_shown(proof)}: its point or scalars are outside the group") from None
    u = crypto_core_ed25519_sub(s_base, c_key)
    v = crypto_core_ed25519_sub(s_point, c_gamma)
    if c != _challenge(public_key, point, gamma, u, v):
        raise InvalidProof(f"proof = {_shown(proof)}: not a proof for this input and key")
    return _hash_of(gamma)


def output(proof: bytes) -> bytes:
    """The output (64 bytes) of one's own or an already verified proof (section 5.2).

    Raises:
        InvalidProof: these bytes cannot be a proof. That it proves anything is not checked: see `verify`.
    """
    gamma = _decoded(proof)[0]
    if not valid_key(gamma):
        raise InvalidProof(f"proof = {_shown(proof)}: its point is outside the prime-order subgroup")
    return _hash_of(gamma)


def _expanded(secret_key: bytes) -> tuple[bytes, bytes, bytes]:
    """Secret scalar, nonce prefix and public key."""
    if not isinstance(secret_key, bytes) or len(secret_key) != KEY_BYTES:
        raise ValueError(f"secret_key of type {type(secret_key).__name__}: expected {KEY_BYTES} bytes")
    expanded = sha512(secret_key).digest()
    scalar = bytes([expanded[0] & 248]) + expanded[1:31] + bytes([expanded[31] & 127 | 64])
    return scalar, expanded[32:], crypto_scalarmult_ed25519_base_noclamp(scalar)


def _encode_to_curve(salt: bytes, alpha: bytes) -> bytes:
    """Try and increment (section 5.4.1.1): the first counter whose hash is a point, times the cofactor."""
    if not isinstance(alpha, bytes):
        raise ValueError(f"alpha of type {type(alpha).__name__}: expected bytes")
    head = sha512(_SUITE + _ENCODE + salt + alpha)
    for counter in range(256):
        attempt = head.copy()
        attempt.update(bytes([counter]) + _END)
        candidate = attempt.digest()[:32]
        if int.from_bytes(candidate, "little") & (2**255 - 1) >= _P:
            continue
        try:
            point = _times_cofactor(candidate)
        except exceptions.RuntimeError:  # no point has this y
            continue
        if point != _IDENTITY:
            return point
    raise ValueError(f"alpha = {_shown(alpha)}: no counter up to 255 gives a point")  # 1 input in 2**256


def _times_cofactor(point: bytes) -> bytes:
    """Eight times a point of the curve, any subgroup: three doublings."""
    for _ in range(3):
        point = crypto_core_ed25519_add(point, point)
    return point


def _challenge(*points: bytes) -> bytes:
    """The 16 bytes c of five points (section 5.4.3)."""
    return sha512(_SUITE + _CHALLENGE + b"".join(points) + _END).digest()[:_C_BYTES]


def _hash_of(gamma: bytes) -> bytes:
    return sha512(_SUITE + _OUTPUT + _times_cofactor(gamma) + _END).digest()


def _scalar(c: bytes) -> bytes:
    return c + bytes(32 - _C_BYTES)


def _decoded(proof: bytes) -> tuple[bytes, bytes, bytes]:
    """Gamma, c and s of a proof (section 5.4.4); that Gamma is a point is left to its user."""
    if not isinstance(proof, bytes) or len(proof) != PROOF_BYTES:
        raise InvalidProof(f"proof = {_shown(proof)}: expected {PROOF_BYTES} bytes")
    gamma, c, s = proof[:32], proof[32 : 32 + _C_BYTES], proof[32 + _C_BYTES :]
    if int.from_bytes(s, "little") >= _Q:
        raise InvalidProof(f"proof = {_shown(proof)}: its scalar s is not below the group's order")
    return gamma, c, s


def _shown(data: object) -> str:
    """At most 40 characters of hostile data, for a message of one line."""
    text = data[:16].hex() + "..." * (len(data) > 16) if isinstance(data, bytes) else type(data).__name__
    return f"{text} ({len(data)} bytes)" if isinstance(data, bytes) else f"an object of type {text}"
