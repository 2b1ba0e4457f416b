"""Signatures for one purpose on one chain: given for a sample, it is worth nothing for an approval or elsewhere."""

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from folkmoot.encoding import Value, digest

APPLICATION, APPROVAL, REFUSAL, SAMPLE = "application", "approval", "refusal", "sample"  # purposes
KEY_BYTES, SIGNATURE_BYTES = 32, 64
_PREFIX = b"folkmoot/multiparty-signature/"


def words(purpose: str, origin: bytes, said: Value) -> bytes:
    """What is signed: a prefix and the digest of the chain and what is said, in a domain of the purpose.

    Args:
        purpose: one of the four above.
        origin: hash of the genesis.
        said: anything that has an encoding.
    """
    return _PREFIX + digest(f"multiparty/{purpose}", (origin, said))


def signature_of(key: SigningKey, purpose: str, origin: bytes, said: Value) -> bytes:
    """64 bytes (Ed25519)."""
    return key.sign(words(purpose, origin, said)).signature


def is_signed(key: bytes, purpose: str, origin: bytes, said: Value, signature: bytes) -> bool:
    """Is this the signature of a public key (32 bytes) on what is said? False for anything else."""
    if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(signature + words(purpose, origin, said), key)
    except (BadSignatureError, ValueError):
        return False
    return True
