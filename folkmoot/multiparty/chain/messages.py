"""What parties send: an application for admission, a sample to calibrate with. Bytes of others, read within bounds."""

from typing import NamedTuple

import numpy as np

from folkmoot.encoding import Limits, Malformed, decode, encode
from folkmoot.ledger.contents import name_of
from folkmoot.multiparty.chain.entries import Entry, read_entry, typed
from folkmoot.multiparty.chain.records import LIMITS, SAMPLE_LIMITS, require_claim
from folkmoot.multiparty.chain.signing import APPLICATION, SAMPLE, signature_of
from folkmoot.multiparty.models.model import Floats32
from folkmoot.signatures import SIGNATURE_BYTES, SigningKey, public_key

_MESSAGE = Limits(size=SAMPLE_LIMITS.size + 256, depth=1, items=8, int_size=8)
MOST_MESSAGE = _MESSAGE.size  # bytes of a sample on its way


class Application(NamedTuple):
    """A newcomer asks to be admitted; the parameters of its model are in the contents."""

    party: Entry
    signature: bytes  # by its key: the key is its own, and it wants this

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode((tuple(self.party), self.signature), LIMITS)


class SampleSent(NamedTuple):
    """A sample on its way to the miners."""

    sender: int  # number of the party
    content: bytes  # encoding of float32 [*shape]
    label: int  # y
    wrong: int  # y-
    signature: bytes

    @property
    def name(self) -> bytes:
        """32 bytes: of the content."""
        return name_of(self.content)

    def said(self) -> tuple[int, bytes, int, int]:
        """What the sender signs, the same as SampleNote.said."""
        return (self.sender, self.name, self.label, self.wrong)

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return encode(tuple(self), _MESSAGE)


def application(key: SigningKey, origin: bytes, party: Entry) -> bytes:
    """What a newcomer sends to be admitted to the chain whose genesis has the hash `origin`.

    Raises:
        ValueError: the entry is that of another key.
    """
    if party.key != public_key(key):
        raise ValueError(f"application of {party.name}: its entry has another key than the one it signs with")
    return Application(party, signature_of(key, APPLICATION, origin, tuple(party))).to_bytes()


def read_application(data: bytes) -> Application:
    """The application with this encoding; its signature is for others to check.

    Raises:
        Malformed: there is none.
    """
    party, signature = typed(decode(data, LIMITS), (tuple, bytes), "application")
    if len(signature) != SIGNATURE_BYTES:
        raise Malformed(f"signature of {len(signature)} bytes: expected {SIGNATURE_BYTES}")
    return Application(read_entry(party), signature)


def sample_message(key: SigningKey, origin: bytes, sender: int, x: Floats32, label: int, wrong: int) -> bytes:
    """A signed sample: x (float32 [*shape]) is of class y = label and taken for y- = wrong. Any content can be sent."""
    unsigned = SampleSent(sender, encode(np.ascontiguousarray(x, np.float32)), int(label), int(wrong), b"")
    return unsigned._replace(signature=signature_of(key, SAMPLE, origin, unsigned.said())).to_bytes()


def read_sample(data: bytes) -> SampleSent:
    """The sample message with this encoding; its content and signature are for others to check.

    Raises:
        Malformed: there is none.
    """
    found = SampleSent(*typed(decode(data, _MESSAGE), (int, bytes, int, int, bytes), "sample message"))
    require_claim(found.sender, found.label, found.wrong)
    if len(found.signature) != SIGNATURE_BYTES:
        raise Malformed(f"signature of {len(found.signature)} bytes: expected {SIGNATURE_BYTES}")
    return found
