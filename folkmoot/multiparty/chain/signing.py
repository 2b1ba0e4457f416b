"""Signatures for one purpose on one chain: given for a sample, it is worth nothing for an approval or elsewhere."""

from folkmoot.encoding import Value, digest
from folkmoot.signatures import SigningKey, check_said, sign_said

APPLICATION, APPROVAL, REFUSAL, SAMPLE = "application", "approval", "refusal", "sample"  # purposes
LEAVING, EXPULSION, CHANGE, REVIEW, ROTATION, PREDICTION = (
    "leaving", "expulsion", "change", "review", "rotation", "prediction",
)  # fmt: skip
CHECKS, SHOWN, CANDIDATE, RECALLS, BALLOT = "checks", "shown", "candidate", "recalls", "ballot"  # of an exchange
SHEET, ANSWER = "sheet", "answer"  # on the way to one


def _digest(purpose: str, origin: bytes, said: Value) -> bytes:
    """32 bytes: the chain and what is said, in a domain of the purpose."""
    return digest(f"multiparty/{purpose}", (origin, said))


def signature_of(key: SigningKey, purpose: str, origin: bytes, said: Value) -> bytes:
    """64 bytes (Ed25519).

    Args:
        key: of whoever says it.
        purpose: one of those above.
        origin: hash of the genesis.
        said: anything that has an encoding.
    """
    return sign_said(key, _digest(purpose, origin, said))


def is_signed(key: bytes, purpose: str, origin: bytes, said: Value, signature: bytes) -> bool:
    """Is this the signature of a public key (32 bytes) on what is said? False for anything else."""
    return check_said(key, _digest(purpose, origin, said), signature)
