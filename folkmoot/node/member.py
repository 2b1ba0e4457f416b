"""A member as others know it: its card, which it signs, with its name, its address and its public keys."""

import re
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

from folkmoot.agreement.identity import Identity, Registration, check_registration
from folkmoot.agreement.sealed import ChannelKey, channel_key, check_channel_key
from folkmoot.encoding import Malformed, encode
from folkmoot.errors import brief
from folkmoot.node.certificate import certificate, is_certificate
from folkmoot.signatures import check

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PURPOSE = "member card"


class Address(NamedTuple):
    """Where a member listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(text: str) -> Address:
    """HOST:PORT, or [IPv6]:PORT.

    Raises:
        ValueError: something else.
    """
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""
    wrong = not _is_host(host) or not port.isascii() or not port.isdigit() or not 1 <= int(port[:6] or 0) <= 65_535
    if wrong:
        raise ValueError(f"address = {brief(text)}: expected HOST:PORT with a port from 1 to 65535")
    return Address(host, int(port))


def _is_host(text: str) -> bool:
    """An address, or a name whose parts have 1 to 63 letters: others cannot be asked for, by rule."""
    if ":" in text:
        try:
            IPv6Address(text)
        except AddressValueError:
            return False
        return "%" not in text
    parts = text.split(".")
    return len(text) <= 253 and all(re.fullmatch(r"[A-Za-z0-9_-]{1,63}", part) for part in parts)


def checked_name(text: str) -> str:
    """The name of a member.

    Raises:
        ValueError: not 1 to 32 small letters, digits and hyphens, the first of them no hyphen.
    """
    if not _NAME.fullmatch(text):
        raise ValueError(f"name = {brief(text)}: expected 1 to 32 small letters, digits and hyphens")
    return text


class Card(NamedTuple):
    """What a member tells all others before the first round.

    Attributes:
        name: by which people know it.
        address: HOST:PORT at which others reach it.
        key: its identity, an Ed25519 public key, 32 bytes.
        registration: of the key of its verifiable random function.
        channel: the key by which others seal messages for it.
        certificate: by which it is known in TLS, DER.
        signature: of all this, by the identity key.
    """

    name: str
    address: str
    key: bytes
    registration: Registration
    channel: ChannelKey
    certificate: bytes
    signature: bytes

    @property
    def words(self) -> bytes:
        """What is signed."""
        said = (self.name, self.address, self.key, tuple(self.registration), tuple(self.channel), self.certificate)
        return encode(said)

    @classmethod
    def of(cls, seed: bytes, name: str, where: str) -> "Card":
        """The card of the holder of this seed.

        Raises:
            ValueError: a name or an address that is none.
        """
        identity = Identity(seed)
        checked_name(name), address(where)
        shown = certificate(seed, name)
        blank = cls(name, where, identity.public_key, identity.registration(), channel_key(seed, identity), shown, b"")
        return blank._replace(signature=identity.sign(_PURPOSE, blank.words))

    def check(self) -> None:
        """Is it what the holder of its key has signed, and are all keys that one's?

        Raises:
            Malformed: no; it says what is wrong.
        """
        try:
            checked_name(self.name), address(self.address)
        except ValueError as error:
            raise Malformed(f"member: {error}") from None
        if not check(self.key, _PURPOSE, self.words, self.signature):
            raise Malformed(f"member {self.name}: its key has not signed this card")
        if not check_registration(self.key, self.registration) or not check_channel_key(self.key, self.channel):
            raise Malformed(f"member {self.name}: a key of its card is not its own")
        if not is_certificate(self.certificate, self.key, self.name):
            raise Malformed(f"member {self.name}: its certificate is not that of its name and key")
