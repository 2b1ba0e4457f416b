"""The certificate a member shows in TLS: its identity key, signed by itself (X.509, RFC 5280; Ed25519, RFC 8410).

Name and key decide every byte of it, so it is never parsed: whoever looks at one makes the words anew and compares.
It is dated from 2000 to 9999: a wrong clock must not look like a wrong key. Nothing in it is believed but the key.
"""

from folkmoot.signatures import SIGNATURE_BYTES, SigningKey, check_certificate, public_key, sign_certificate

_SEQUENCE, _SET, _NUMBER, _BITS, _BYTES, _OBJECT, _TEXT = 0x30, 0x31, 0x02, 0x03, 0x04, 0x06, 0x0C
_UTC_TIME, _TIME, _VERSION = 0x17, 0x18, 0xA0


def _der(tag: int, *parts: bytes) -> bytes:
    """A value of this kind, in the one form that DER allows."""
    content = b"".join(parts)
    size = len(content)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big") if size >= 0x80 else b""
    return bytes([tag, 0x80 | len(length) if length else size]) + length + content


_ED25519 = _der(_SEQUENCE, _der(_OBJECT, bytes([43, 101, 112])))  # 1.3.101.112
_COMMON_NAME = _der(_OBJECT, bytes([85, 4, 3]))  # 2.5.4.3
_DATES = _der(_SEQUENCE, _der(_UTC_TIME, b"000101000000Z"), _der(_TIME, b"99991231000000Z"))
_HEAD = _der(_VERSION, _der(_NUMBER, b"\x02")) + _der(_NUMBER, b"\x01") + _ED25519  # of version 3, number 1


def _bits(content: bytes) -> bytes:
    return _der(_BITS, b"\0", content)


def _words(key: bytes, name: str) -> bytes:
    """What is signed: the owner, who is also the issuer, the dates, the key."""
    owner = _der(_SEQUENCE, _der(_SET, _der(_SEQUENCE, _COMMON_NAME, _der(_TEXT, name.encode()))))
    return _der(_SEQUENCE, _HEAD, owner, _DATES, owner, _der(_SEQUENCE, _ED25519, _bits(key)))


def _signed(words: bytes, signature: bytes) -> bytes:
    return _der(_SEQUENCE, words, _ED25519, _bits(signature))


def certificate(seed: bytes, name: str) -> bytes:
    """The certificate (DER) of the member of this name and seed."""
    key = SigningKey(seed)
    words = _words(public_key(key), name)
    return _signed(words, sign_certificate(key, words))


def is_certificate(data: bytes, key: bytes, name: str) -> bool:
    """Is this the certificate of the member of this name and public key (32 bytes)? False for any nonsense."""
    words, signature = _words(key, name), data[-SIGNATURE_BYTES:]
    return data == _signed(words, signature) and check_certificate(key, words, signature)


def secret_key(seed: bytes) -> bytes:
    """The secret key of a certificate (PKCS #8, DER), in the clear."""
    return _der(_SEQUENCE, _der(_NUMBER, b"\0"), _ED25519, _der(_BYTES, _der(_BYTES, seed)))


def sealed_key(seed: bytes, password: bytes) -> bytes:
    """The secret key of a certificate (PEM), sealed."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(password)
    )
