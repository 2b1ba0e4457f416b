"""Who signs: Ed25519 identities (RFC 8032), signatures bound to a purpose, and a signer that never equivocates.

What is signed is never the bare payload but (a fixed prefix, the purpose or *domain*, the payload), so that a
signature given for one purpose is worth nothing for another. Each identity has a second key pair for the verifiable
random function; the identity key signs it, and a proof of possession keeps anyone from registering another's key.
"""

from collections.abc import Callable
from hashlib import sha256, sha512
from typing import NamedTuple, Protocol

from folkmoot.agreement import vrf
from folkmoot.signatures import SEED_BYTES, SigningKey, check, in_domain, public_key, sign

MAX_SLOT = 2**63 - 1

_VRF_SEED, _VRF_KEY, _VRF_POSSESSION = "vrf seed", "vrf key", "vrf possession"


class WouldEquivocate(ValueError):
    """Signing this would give two values for one slot, or a value for a slot that is no longer remembered."""


class Signs(Protocol):
    """Whatever signs in the name of a public key."""

    @property
    def public_key(self) -> bytes: ...

    def sign(self, domain: str, payload: bytes) -> bytes: ...


class Registration(NamedTuple):
    """The key of a participant's verifiable random function, as it goes on the chain.

    It must be there before the seed of the first round it is used in is known; else keys can be tried until one wins.
    """

    vrf_key: bytes  # 32 bytes
    signature: bytes  # 64 bytes, by the identity key
    possession: bytes  # 80 bytes, a proof by the VRF key itself for the identity key


class Identity:
    """An Ed25519 key pair and a VRF key pair, both from one seed of 32 secret bytes.

    Raises:
        ValueError: the seed is not 32 bytes.
    """

    def __init__(self, seed: bytes) -> None:
        if not isinstance(seed, bytes) or len(seed) != SEED_BYTES:
            raise ValueError(f"seed of type {type(seed).__name__}: expected {SEED_BYTES} bytes")
        self._key = SigningKey(seed)
        self.public_key = public_key(self._key)
        self._vrf_secret = sha512(in_domain(_VRF_SEED, seed)).digest()[: vrf.KEY_BYTES]
        self.vrf_key = vrf.public_key(self._vrf_secret)

    def __repr__(self) -> str:
        return f"Identity({self.public_key.hex()[:16]}...)"

    def sign(self, domain: str, payload: bytes) -> bytes:
        """The signature (64 bytes) of `payload` for the purpose `domain`.

        Raises:
            ValueError: the domain is not 1 to 64 printable ASCII characters, or the payload is not bytes.
        """
        return sign(self._key, domain, payload)

    def prove(self, alpha: bytes) -> bytes:
        """The proof (80 bytes) of this identity's verifiable random function at `alpha`."""
        return vrf.prove(self._vrf_secret, alpha)

    def registration(self) -> Registration:
        """What others need to accept this identity's VRF key."""
        possession = self.prove(in_domain(_VRF_POSSESSION, self.public_key))
        return Registration(self.vrf_key, self.sign(_VRF_KEY, self.vrf_key), possession)


def check_registration(public_key: bytes, registration: Registration) -> bool:
    """Did the holder of `public_key` register this VRF key, and does the same party hold it?"""
    if not isinstance(registration, tuple) or len(registration) != len(Registration._fields):
        return False
    vrf_key, signature, possession = registration
    if not vrf.valid_key(vrf_key) or not check(public_key, _VRF_KEY, vrf_key, signature):
        return False
    try:
        vrf.verify(vrf_key, in_domain(_VRF_POSSESSION, public_key), possession)
    except vrf.InvalidProof:
        return False
    return True


class Signer:
    """Signs at most one value a slot for one purpose, also after a crash.

    Slots are integers that only rise, such as the round. `persist(slot, digest)` must have stored both durably
    when it returns; it is called before a signature leaves. After a restart, `last` is what it stored last.

    Raises:
        ValueError: `last` is not (a slot, 32 bytes), or the domain is not allowed.
    """

    def __init__(
        self,
        identity: Identity,
        domain: str,
        persist: Callable[[int, bytes], object],
        last: tuple[int, bytes] | None = None,
    ) -> None:
        self._words = in_domain(domain, b"")  # what all that is signed begins with
        if last is not None:
            slot, digest = last
            _require_slot(slot)
            if not isinstance(digest, bytes) or len(digest) != sha256().digest_size:
                raise ValueError(f"last = {last!r}: expected (slot, 32 bytes)")
        self._identity, self._domain, self._persist = identity, domain, persist
        self._slot, self._digest = (-1, b"") if last is None else last  # the last one that was signed for

    @property
    def public_key(self) -> bytes:
        return self._identity.public_key

    def sign(self, slot: int, payload: bytes) -> bytes:
        """The signature of `payload` (which must name the slot itself, say by the round) for the signer's purpose.

        Raises:
            WouldEquivocate: another payload was signed for this slot, or a later slot was signed already.
            ValueError: the slot is not an integer from 0 to 2**63 - 1, or the payload is not bytes.
        """
        _require_slot(slot)
        if not isinstance(payload, bytes):
            raise ValueError(f"payload of type {type(payload).__name__}: expected bytes")
        digest = sha256(self._words + payload).digest()
        if slot < self._slot:
            raise WouldEquivocate(f"slot = {slot}: slot {self._slot} was signed already")
        if slot == self._slot and digest != self._digest:
            raise WouldEquivocate(f"slot = {slot}: another value was signed for it")
        if slot > self._slot:
            self._persist(slot, digest)
            self._slot, self._digest = slot, digest
        return self._identity.sign(self._domain, payload)

    def at(self, slot: int) -> Signs:
        """The identity with its signatures for the signer's purpose going through `sign(slot, ...)`."""
        _require_slot(slot)
        return _AtSlot(self, self._identity, self._domain, slot)


class _AtSlot:
    """A guarded identity: see `Signer.at`."""

    def __init__(self, signer: Signer, identity: Identity, domain: str, slot: int) -> None:
        self._signer, self._identity, self._domain, self._slot = signer, identity, domain, slot

    @property
    def public_key(self) -> bytes:
        return self._identity.public_key

    def sign(self, domain: str, payload: bytes) -> bytes:
        if domain == self._domain:
            return self._signer.sign(self._slot, payload)
        return self._identity.sign(domain, payload)


def _require_slot(slot: int) -> None:
    if isinstance(slot, bool) or not isinstance(slot, int) or not 0 <= slot <= MAX_SLOT:
        raise ValueError(f"slot = {slot!r:.80}: expected an integer from 0 to 2**63 - 1")
