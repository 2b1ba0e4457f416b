"""Ed25519 signatures (RFC 8032, as libsodium checks them): the only place that makes one or checks one.

What is signed always begins with words of its own, so that a signature given for one purpose is worth nothing for
another. There are four forms, and none is the beginning of another:

    for a domain    b"folkmoot/1/", length of the domain (one byte), the domain, the payload
    on a header     b"folkmoot/block-signature/", hash of the header (32 bytes)
    on a chain      b"folkmoot/multiparty-signature/", digest of purpose, chain and what is said (32 bytes)
    in X.509        the words of a certificate in DER, which begin with the byte 0x30

A party meets some signatures twice, such as a report when it comes and when a block holds it: see `Remembered`. A
driver that plays many participants in one program lets them share their checks: see `remembering`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from functools import lru_cache
from typing import TypeAlias

from nacl.bindings import crypto_sign, crypto_sign_open
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

__all__ = [
    "KEY_BYTES",
    "MAX_DOMAIN",
    "SEED_BYTES",
    "SIGNATURE_BYTES",
    "Remembered",
    "SigningKey",
    "check",
    "check_certificate",
    "check_header",
    "check_said",
    "first_bad",
    "in_domain",
    "public_key",
    "remembering",
    "sign",
    "sign_certificate",
    "sign_header",
    "sign_said",
]

SEED_BYTES, KEY_BYTES, SIGNATURE_BYTES = 32, 32, 64
MAX_DOMAIN = 64  # characters
FOR_DOMAIN, ON_HEADER, ON_CHAIN = b"folkmoot/1/", b"folkmoot/block-signature/", b"folkmoot/multiparty-signature/"

Check: TypeAlias = Callable[[bytes, bytes, bytes], bool]  # of public key, what is signed, signature


def public_key(key: SigningKey) -> bytes:
    """32 bytes."""
    return bytes(key.verify_key.encode())


def in_domain(domain: str, payload: bytes) -> bytes:
    """What is signed of a payload for the purpose `domain`: no two (domain, payload) give the same bytes.

    Raises:
        ValueError: the domain is not 1 to 64 printable ASCII characters, or the payload is not bytes.
    """
    prefix = _prefix(domain) if isinstance(domain, str) else b""
    if not prefix:
        raise ValueError(f"domain = {domain!r:.80}: expected 1 to {MAX_DOMAIN} printable ASCII characters")
    if not isinstance(payload, bytes):
        raise ValueError(f"payload of type {type(payload).__name__}: expected bytes")
    return prefix + payload


@lru_cache(maxsize=64)
def _prefix(domain: str) -> bytes:
    """What all that is signed for a domain begins with; empty: it is none."""
    if not domain.isascii() or not domain.isprintable() or not 1 <= len(domain) <= MAX_DOMAIN:
        return b""
    return FOR_DOMAIN + bytes([len(domain)]) + domain.encode("ascii")


def sign(key: SigningKey, domain: str, payload: bytes) -> bytes:
    """The signature (64 bytes) of a payload for the purpose `domain`.

    Raises:
        ValueError: see `in_domain`.
    """
    return _signed(key, in_domain(domain, payload))


def check(key: bytes, domain: str, payload: bytes, signature: bytes) -> bool:
    """Is this the signature of `payload` by a public key for the purpose `domain`? False for any nonsense."""
    prefix = _prefix(domain) if isinstance(domain, str) else b""
    return bool(prefix) and isinstance(payload, bytes) and _is_signed(key, prefix + payload, signature)


def sign_header(key: SigningKey, hash: bytes) -> bytes:
    """The signature (64 bytes) on the header of a block with this hash."""
    return _signed(key, ON_HEADER + hash)


def check_header(key: bytes, hash: bytes, signature: bytes) -> bool:
    """Is this the signature of a public key on the header with this hash? False for any nonsense."""
    return _is_signed(key, ON_HEADER + hash, signature)


def first_bad(hash: bytes, signatures: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The first of these public keys whose signature is not on the header with this hash; None: all are."""
    words = ON_HEADER + hash
    return next((key for key, signature in signatures if not _is_signed(key, words, signature)), None)


def sign_said(key: SigningKey, said: bytes) -> bytes:
    """The signature (64 bytes) on what is said on a chain; `said` is the digest of purpose, chain and words."""
    return _signed(key, ON_CHAIN + said)


def check_said(key: bytes, said: bytes, signature: bytes) -> bool:
    """Is this the signature of a public key on what is said on a chain? False for any nonsense."""
    return _is_signed(key, ON_CHAIN + said, signature)


def sign_certificate(key: SigningKey, words: bytes) -> bytes:
    """The signature (64 bytes) on the words of an X.509 certificate (DER, a sequence)."""
    assert words[:1] == b"0"
    return _signed(key, words)


def check_certificate(key: bytes, words: bytes, signature: bytes) -> bool:
    """Is this the signature of a public key on the words of a certificate? False for any nonsense."""
    return words[:1] == b"0" and _is_signed(key, words, signature)


def _signed(key: SigningKey, message: bytes) -> bytes:
    signed: bytes = crypto_sign(message, key._signing_key)  # what SigningKey.sign takes its two parts from
    return signed[:SIGNATURE_BYTES]


def _is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    if not isinstance(signature, bytes) or len(signature) != SIGNATURE_BYTES:
        return False
    if not isinstance(key, bytes) or len(key) != KEY_BYTES:
        return False
    return _shared.get()(key, message, signature)


def _holds(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        crypto_sign_open(signature + message, key)
    except BadSignatureError:
        return False
    return True


_shared: ContextVar[Check] = ContextVar("how signatures are checked", default=_holds)


@contextmanager
def remembering(most: int = 1 << 15) -> Iterator[None]:
    """Inside, a check is computed once, and its answer given to all who ask: `most` answers are kept.

    For a driver that plays many participants in one program, all of whom look at the same signatures. Whoever checks
    alone gains nothing by it. Answers do not change, only the time they take.
    """
    before = _shared.set(lru_cache(maxsize=most)(_holds))
    try:
        yield
    finally:
        _shared.reset(before)


class Remembered:
    """The last checks of one party: inside `with`, each is computed once, unless a driver shares checks among many.

    It holds keys, words and signatures themselves, no digests of them. What was false stays false.
    """

    def __init__(self, most: int) -> None:
        """`most`: answers that are kept."""
        self._check: Check = lru_cache(maxsize=most)(_holds)
        self._before: Token[Check] | None = None

    def __enter__(self) -> None:
        if _shared.get() is _holds:
            self._before = _shared.set(self._check)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            _shared.reset(self._before)
            self._before = None
