"""Messages that only their receiver can read: the only place that encrypts them.

Each member has a third key pair (X25519), from the same seed as its others, and registers the public key with its
identity key. Contents are encrypted by XSalsa20-Poly1305; libsodium computes both.
Two members share a secret by these keys, as in NaCl's box. Here it is not used as it is: the key of a channel is the
digest of that secret with the chain's origin, the sender and the receiver. So what was sealed for one chain, from one
member to another, opens nowhere else: not in another game, not at a third member, and not sent back to its sender.

The nonce is a digest of a second such key and the content. It repeats only if the same content is sealed for the same
receiver again; then the bytes are the same, and all that an eavesdropper learns is that something was said twice. No
chance and no counter is needed, so nothing is lost in a crash, and a run is repeated exactly by its seeds.

A driver must tell kinds of messages apart by their first bytes before it lets them through. So many of these as the
members agree on stand in front once more, readable; who opens the rest compares.

What it does not do. Lengths are seen, and who speaks to whom. Whoever learns a seed later can read what it recorded
before (there is no forward secrecy). The receiver can tell anybody what it read. That a message is sealed proves to
its receiver who sent it, and to nobody else; what must be shown to others is signed inside.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha512
from typing import NamedTuple

from nacl.bindings import (
    crypto_box_beforenm,
    crypto_scalarmult_base,
    crypto_secretbox,
    crypto_secretbox_open,
)
from nacl.exceptions import CryptoError

from folkmoot.agreement.identity import Signs
from folkmoot.agreement.signed_messages import Rejected
from folkmoot.encoding import digest
from folkmoot.signatures import KEY_BYTES, SEED_BYTES, check, in_domain

NONCE_BYTES, TAG_BYTES = 24, 16
SEAL_BYTES = NONCE_BYTES + TAG_BYTES  # what sealing adds to a content
_SEED, _KEY = "channel seed", "channel key"  # purposes: of the derivation, of the signature
_ANY_SECRET = bytes([1]) * KEY_BYTES


class ChannelKey(NamedTuple):
    """The key by which others seal messages for a member, as it goes on the chain."""

    key: bytes  # 32 bytes
    signature: bytes  # 64 bytes, by the identity key


def _secret(seed: bytes) -> bytes:
    if not isinstance(seed, bytes) or len(seed) != SEED_BYTES:
        raise ValueError(f"seed of type {type(seed).__name__}: expected {SEED_BYTES} bytes")
    return sha512(in_domain(_SEED, seed)).digest()[:KEY_BYTES]


def channel_key(seed: bytes, identity: Signs) -> ChannelKey:
    """What others need to seal messages for the holder of this seed; `identity` is made of the same.

    Raises:
        ValueError: the seed is not 32 bytes.
    """
    key = bytes(crypto_scalarmult_base(_secret(seed)))
    return ChannelKey(key, identity.sign(_KEY, key))


def check_channel_key(public_key: bytes, registered: object) -> bool:
    """Did the holder of `public_key` register this key, and can messages be sealed with it? False for any nonsense."""
    if not isinstance(registered, tuple) or len(registered) != len(ChannelKey._fields):
        return False
    key, signature = registered
    if not isinstance(key, bytes) or len(key) != KEY_BYTES or not check(public_key, _KEY, key, signature):
        return False
    try:
        crypto_box_beforenm(key, _ANY_SECRET)
    except (CryptoError, RuntimeError):  # a point of small order: the secret would be known to everybody
        return False
    return True


class Channels:
    """A member's ends of the channels from and to the others.

    Attributes:
        added: bytes that sealing adds to a content.

    Raises:
        ValueError: the seed is not 32 bytes.
    """

    def __init__(self, seed: bytes, me: int, keys: Sequence[bytes], origin: bytes, shown: int = 0) -> None:
        """
        Args:
            keys: of all members, of which `check_channel_key` held.
            origin: stands for the chain, 32 bytes.
            shown: first bytes of every content that anybody may read.
        """
        self._secret, self._me, self._keys, self._origin, self._shown = _secret(seed), me, tuple(keys), origin, shown
        self._pairs: dict[tuple[int, int], tuple[bytes, bytes]] = {}
        self.added = shown + SEAL_BYTES

    def addressed(self, messages: Iterable[tuple[int | None, bytes]]) -> list[tuple[int | None, bytes]]:
        """Messages, each sealed for its receiver, or for every other member if it is for all."""
        everybody = range(len(self._keys))
        each = ((to, content) for whom, content in messages for to in (everybody if whom is None else (whom,)))
        return [(to, self.seal(to, content)) for to, content in each if to != self._me]

    def seal(self, receiver: int, content: bytes) -> bytes:
        """What only this other member can open: the bytes shown, nonce, ciphertext and tag.

        Raises:
            ValueError: there is no such other member.
        """
        if receiver == self._me or not 0 <= receiver < len(self._keys):
            raise ValueError(f"receiver = {receiver}: expected another member, from 0 to {len(self._keys) - 1}")
        key, for_nonces = self._pair(self._me, receiver)
        nonce = digest("channel nonce", for_nonces + content)[:NONCE_BYTES]
        return content[: self._shown] + nonce + bytes(crypto_secretbox(content, nonce, key))

    def open(self, sender: int, sealed: bytes, most: int) -> bytes:
        """What this other member has sealed for this one; a content of `most` bytes is allowed.

        Raises:
            Rejected: anything else.
        """
        if sender == self._me or not 0 <= sender < len(self._keys) or type(sealed) is not bytes:
            raise Rejected("not sealed")
        if not self.added <= len(sealed) <= most + self.added:
            raise Rejected("size of what is sealed")
        shown, nonce = sealed[: self._shown], sealed[self._shown : self.added - TAG_BYTES]
        key, for_nonces = self._pair(sender, self._me)
        try:
            content = bytes(crypto_secretbox_open(sealed[self.added - TAG_BYTES :], nonce, key))
        except CryptoError:
            raise Rejected("not sealed") from None
        if content[: self._shown] != shown or digest("channel nonce", for_nonces + content)[:NONCE_BYTES] != nonce:
            raise Rejected("not sealed")  # not as `seal` makes it: a content has one sealing
        return content

    def _pair(self, sender: int, receiver: int) -> tuple[bytes, bytes]:
        """Two keys of the channel from one to the other, of whom this member is one: for contents, and for nonces."""
        found = self._pairs.get((sender, receiver))
        if found is None:
            other = self._keys[sender if receiver == self._me else receiver]
            about = crypto_box_beforenm(other, self._secret), self._origin, sender, receiver
            found = self._pairs[sender, receiver] = digest("channel", about), digest("channel nonces", about)
        return found
