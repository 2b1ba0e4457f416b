"""A frame as it goes over a broker that nobody trusts: its sender signs it, with all it is meant for.

    version       1 byte
    sender        2 bytes: its number in the charter
    session       8 bytes, drawn anew by each process
    number        8 bytes: strictly rising within a session
    receivers     one bit for each member of the charter
    frame         as in frames.py, without its length
    signature     64 bytes, by the sender's identity key, of the digest of the charter and of all before

So a broker can change nothing of it, cannot show it to another member than those it is for, or in another charter, and
cannot show it twice: whoever reads it holds the number of the last one. Frames are not secret.
"""

import struct
from typing import NamedTuple

from folkmoot.agreement.identity import Identity
from folkmoot.encoding import Malformed
from folkmoot.node.charter import Charter
from folkmoot.signatures import SIGNATURE_BYTES, check

SESSION_BYTES = 8
TO_SEVERAL = -1  # a lane
_VERSION = 1
_HEAD = struct.Struct(f"<BH{SESSION_BYTES}sQ")
_PURPOSE = "frame over a broker"


class Envelope(NamedTuple):
    """An envelope whose form is right; whether it is signed is another question.

    Attributes:
        sender, session, number: see the head of the module.
        receivers: a bit for each member.
        body: a frame without its length; at least one byte.
        said: what is signed, but for the digest of the charter.
        signature: of it.
    """

    sender: int
    session: bytes
    number: int
    receivers: int
    body: bytes
    said: bytes
    signature: bytes

    @property
    def lane(self) -> int:
        """Numbers rise by lane: its one receiver, or `TO_SEVERAL`."""
        return lane_of(self.receivers)


def lane_of(receivers: int) -> int:
    """The one receiver, or `TO_SEVERAL`."""
    return TO_SEVERAL if receivers & (receivers - 1) else receivers.bit_length() - 1


class Envelopes:
    """Those of one charter.

    Attributes:
        overhead: bytes beside a frame's own.
    """

    def __init__(self, charter: Charter) -> None:
        self._digest, self._members = charter.identity, charter.n_members
        self._keys = [card.key for card in charter.members]
        self._mask_bytes = (charter.n_members + 7) // 8
        self.overhead = _HEAD.size + self._mask_bytes + SIGNATURE_BYTES

    def sealed(
        self, identity: Identity, sender: int, session: bytes, number: int, receivers: int, body: bytes
    ) -> bytes:
        """What is given to the broker."""
        mask = receivers.to_bytes(self._mask_bytes, "little")
        said = _HEAD.pack(_VERSION, sender, session, number) + mask + body
        return said + identity.sign(_PURPOSE, self._digest + said)

    def opened(self, data: bytes, largest: int) -> Envelope:
        """What these bytes claim to be; `largest`: bytes of the largest frame.

        Raises:
            Malformed: nothing.
        """
        if not self.overhead < len(data) <= self.overhead + largest:
            raise Malformed(f"envelope of {len(data)} bytes: expected a frame of 1 to {largest} bytes in it")
        version, sender, session, number = _HEAD.unpack_from(data)
        said, signature = data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:]
        receivers = int.from_bytes(said[_HEAD.size : _HEAD.size + self._mask_bytes], "little")
        if version != _VERSION or sender >= self._members or not 0 < number < 1 << 63:
            raise Malformed(f"envelope: version {version}, sender {sender}, number {number}: there is no such")
        if not receivers or receivers >> self._members or receivers >> sender & 1:
            raise Malformed("envelope: for nobody, for the sender, or for somebody who is no member")
        return Envelope(sender, session, number, receivers, said[_HEAD.size + self._mask_bytes :], said, signature)

    def is_signed(self, envelope: Envelope) -> bool:
        """Has its sender signed it, for this charter?"""
        said = self._digest + envelope.said
        return check(self._keys[envelope.sender], _PURPOSE, said, envelope.signature)
