"""The charter of a consortium: its terms and its members, in one TOML file that is the same for all of them.

How it works. Whoever proposes it draws a salt, so that two runs with the same members and terms are two. The digest of
all of it but the signatures is what every member signs; a node runs with nothing less. All that follows (the genesis of
a chain, public coins, what is signed in a round) is bound to that digest.

An amendment is a charter too. It names the one before it, and is signed by its own rules: see amendment.py.
"""

import base64
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from folkmoot.agreement.identity import Identity, Registration
from folkmoot.agreement.sealed import ChannelKey
from folkmoot.configuration import Wrong, read_table
from folkmoot.encoding import Malformed, Value, digest
from folkmoot.errors import OtherSide, brief
from folkmoot.files import or_say, read_plain, write_file
from folkmoot.meant import first_of
from folkmoot.node.epoch import MOST_EPOCHS, Amends, Opening, identity_of
from folkmoot.node.member import Card
from folkmoot.node.terms import Terms
from folkmoot.signatures import check

FORMAT, AMENDING = "folkmoot charter 1", "folkmoot amendment 1"
LEAST_MEMBERS, MOST_MEMBERS = 2, 512
SALT_BYTES = 32
MOST_BYTES = 1 << 22  # of a file
_PURPOSE = "charter"
_IS_KEY = re.compile(r"[0-9a-f]{64}")


class BadCharter(OtherSide):
    """A charter that is damaged, makes no sense, or that not everybody has signed."""


@dataclass(frozen=True)
class Charter:
    """What all members have signed, or are asked to.

    Attributes:
        terms: see `Terms`.
        members: in the order of their numbers.
        salt: 32 random bytes.
        signatures: by the names of the members who have signed; of an amendment, by their keys in hex.
        amends: the charter before; None: it is the first.
        opening: where the chain before has ended, as soon as that is known; None: it is not, or there is none before.
    """

    terms: Terms
    members: tuple[Card, ...]
    salt: bytes
    signatures: Mapping[str, bytes] = field(default_factory=dict)
    amends: Amends | None = None
    opening: Opening | None = None

    @cached_property
    def digest(self) -> bytes:
        """Of all that is signed: 32 bytes."""
        members = tuple((card.words, card.signature) for card in self.members)
        said = (_plain(self.terms.model_dump(mode="json")), members, self.salt)
        if self.amends is None:
            return digest("charter", (FORMAT, *said))
        return digest("charter", (AMENDING, *said, tuple(self.amends)))

    @cached_property
    def identity(self) -> bytes:
        """What all of its epoch is bound to: its digest, and where the chain before has ended; 32 bytes."""
        return identity_of(self.digest, self.opening)

    @property
    def epoch(self) -> int:
        """The number of the epoch it begins, from 1 on."""
        return 1 if self.amends is None else self.amends.epoch

    @property
    def n_members(self) -> int:
        """How many members there are."""
        return len(self.members)

    @property
    def quorum(self) -> int:
        """How many members are a quorum: any two of them share one that does not lie."""
        return (self.n_members + self.terms.faults) // 2 + 1

    @property
    def signers(self) -> int:
        """How many members must sign a block, where there is a chain: more than two thirds, whatever `faults` is."""
        return 2 * self.n_members // 3 + 1

    def number(self, key: bytes) -> int:
        """The number of the member with this identity key.

        Raises:
            ValueError: it is none.
        """
        for number, card in enumerate(self.members):
            if card.key == key:
                return number
        raise ValueError(f"key {key.hex()[:16]}: no member of {self.terms.name!r}")

    def signed(self, seed: bytes) -> "Charter":
        """With the signature of the member of this seed; an amendment is signed by members of the charter before too.

        Raises:
            ValueError: it is no member.
            BadCharter: the charter makes no sense.
        """
        self.check()
        identity = Identity(seed)
        key = identity.public_key
        name = self.members[self.number(key)].name if self.amends is None else key.hex()
        return replace(self, signatures={**self.signatures, name: identity.sign(_PURPOSE, self.digest)})

    def merged(self, others: Iterable["Charter"]) -> "Charter":
        """With the signatures of other copies.

        Raises:
            BadCharter: another charter.
        """
        signatures = dict(self.signatures)
        for other in others:
            if other.digest != self.digest:
                raise BadCharter(f"charter {other.digest.hex()[:16]}: another one than {self.digest.hex()[:16]}")
            signatures |= other.signatures
        return replace(self, signatures=signatures)

    @property
    def unsigned(self) -> list[str]:
        """Members whose signature is not there; all of them must sign, but for an amendment."""
        return [card.name for card in self.members if card.name not in self.signatures]

    def check(self) -> None:
        """Does it make sense, and is each signature that is there its member's?

        Raises:
            BadCharter: no; it says why.
        """
        n = self.n_members
        if not LEAST_MEMBERS <= n <= MOST_MEMBERS:
            raise BadCharter(f"{n} members: expected {LEAST_MEMBERS} to {MOST_MEMBERS}")
        if self.terms.faults > (n - 1) // 3:
            raise BadCharter(f"faults = {self.terms.faults}: expected at most (members - 1) // 3 = {(n - 1) // 3}")
        if len(self.salt) != SALT_BYTES:
            raise BadCharter(f"salt of {len(self.salt)} bytes: expected {SALT_BYTES}")
        for what in ("name", "key", "address"):
            values = [getattr(card, what) for card in self.members]
            if len(set(values)) < n:
                raise BadCharter(f"members: two have the same {what}")
        for card in self.members:
            try:
                card.check()
            except Malformed as error:
                raise BadCharter(str(error)) from None
        self._check_signatures()

    def _check_signatures(self) -> None:
        said = self.digest
        if self.amends is None:
            keys = {card.name: card.key for card in self.members}
        else:
            if not 2 <= self.amends.epoch <= MOST_EPOCHS or self.amends.after < 1 or len(self.amends.before) != 32:
                raise BadCharter(f"amendment: {tuple(self.amends)[1:]}: no such epoch or round")
            keys = {name: bytes.fromhex(name) for name in self.signatures if _IS_KEY.fullmatch(name)}
        if len(self.signatures) > 2 * MOST_MEMBERS:
            raise BadCharter(f"{len(self.signatures)} signatures: expected at most {2 * MOST_MEMBERS}")
        for name, signature in self.signatures.items():
            if name not in keys or not check(keys[name], _PURPOSE, said, signature):
                raise BadCharter(f"signature of {brief(name)}: not that of this member for this charter")

    def check_signed(self) -> None:
        """Have all members signed it, the first of its consortium, and does it make sense?

        Raises:
            BadCharter: no; it says who has not, or why.
        """
        self.check()
        if self.amends is not None:
            raise BadCharter(f"charter {self.terms.name!r}: amends another one; expected the first of its consortium")
        if self.unsigned:
            raise BadCharter(f"charter {self.terms.name!r}: not signed by {', '.join(self.unsigned)}")


def propose(terms: Terms, cards: Sequence[Card]) -> Charter:
    """A charter that nobody has signed yet.

    Raises:
        BadCharter: these members and terms make none.
    """
    charter = Charter(terms, tuple(cards), os.urandom(SALT_BYTES))
    charter.check()
    return charter


def _plain(value: Any) -> Value:
    """A value of a TOML file as one that has an encoding; the order of keys does not matter."""
    if isinstance(value, Mapping):
        return tuple((str(key), _plain(value[key])) for key in sorted(value))
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    return value


# --- Files -----------------------------------------------------------------------------------------------------------


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str) or len(text) > MOST_BYTES:
        raise ValueError(f"{brief(text)}: expected bytes in base64")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError(f"{brief(text)}: expected bytes in base64") from None


def card_table(card: Card) -> dict[str, str]:
    """A card as a table of a TOML file."""
    return {
        "name": card.name,
        "address": card.address,
        "key": _text(card.key),
        "vrf": _text(b"".join(card.registration)),
        "channel": _text(b"".join(card.channel)),
        "certificate": _text(card.certificate),
        "signature": _text(card.signature),
    }


def card_of(table: Any) -> Card:
    """The card in a table.

    Raises:
        BadCharter: it is none, or its member has not signed it.
    """
    names = ("name", "address", "key", "vrf", "channel", "certificate", "signature")
    try:
        if not isinstance(table, Mapping) or set(table) != set(names):
            raise ValueError(f"expected a table with {', '.join(names)}")
        if not all(isinstance(table[name], str) for name in names[:2]):
            raise ValueError("name, address: expected text")
        key, vrf, channel, shown, signature = (_bytes(table[name]) for name in names[2:])
        registration = Registration(vrf[:32], vrf[32:96], vrf[96:])
        card = Card(
            table["name"], table["address"], key, registration, ChannelKey(channel[:32], channel[32:]), shown, signature
        )
        card.check()
    except (ValueError, Malformed) as error:
        raise BadCharter(f"member: {brief(str(error))[1:-1]}") from None
    return card


def write_table(path: Path, table: Mapping[str, Any]) -> None:
    """A TOML file.

    Raises:
        ValueError: it cannot be written.
    """
    import tomli_w

    with or_say(f"file {path}"):
        write_file(path, tomli_w.dumps(table).encode(), durable=True)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file that somebody else may have made.

    Raises:
        ValueError: it cannot be read.
        BadCharter: it is too large, or no TOML.
    """
    try:
        data = read_plain(path, MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"file {path}: cannot be read ({error.strerror})") from None
    if len(data) > MOST_BYTES:
        raise BadCharter(f"file {path}: more than {MOST_BYTES} bytes")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadCharter(f"file {path}: not valid TOML ({brief(str(error))})") from None


def write_charter(path: Path, charter: Charter) -> None:
    """The file of a charter.

    Raises:
        ValueError: it cannot be written.
    """
    terms = {name: value for name, value in charter.terms.model_dump(mode="json").items() if value is not None}
    settings = terms.pop("settings")
    signatures = {name: _text(signature) for name, signature in sorted(charter.signatures.items())}
    table: dict[str, Any] = {"format": FORMAT, "salt": charter.salt.hex(), "terms": {**terms, "settings": settings}}
    if charter.amends is not None:
        before, epoch, after = charter.amends
        table |= {"format": AMENDING, "amends": {"before": before.hex(), "epoch": epoch, "after": after}}
    write_table(path, {**table, "members": [card_table(card) for card in charter.members], "signatures": signatures})


def terms_of(table: Any) -> Terms:
    """The terms in a table.

    Raises:
        ValueError: what is wrong first, and where there is more.
    """
    try:
        return read_table(Terms, table, "a charter")
    except Wrong as wrong:
        raise ValueError(first_of(wrong.lines(("terms",)))) from None


def read_charter(path: Path) -> Charter:
    """The charter in a file, checked but for who has not signed it yet.

    Raises:
        ValueError: it cannot be read.
        BadCharter: what is wrong with it.
    """
    document = read_toml(path)
    kind = document.get("format")
    if kind not in (FORMAT, AMENDING):
        raise BadCharter(f"{path}: not a charter, or of another version than {FORMAT!r} or {AMENDING!r}")
    parts = {"format", "salt", "terms", "members", "signatures", *(("amends",) if kind == AMENDING else ())}
    unknown = set(document) - parts
    members, signatures = document.get("members", []), document.get("signatures", {})
    if unknown or not isinstance(members, list) or not isinstance(signatures, dict):
        raise BadCharter(f"{path}: expected {', '.join(sorted(parts))}, and nothing else")
    try:
        salt = bytes.fromhex(str(document.get("salt", "")))
        terms = terms_of(document.get("terms"))
        signed = {name: _bytes(signature) for name, signature in signatures.items()}
        amends = _amends(document.get("amends")) if kind == AMENDING else None
    except ValueError as error:
        raise BadCharter(f"{path}: {error}") from None
    charter = Charter(terms, tuple(map(card_of, members)), salt, signed, amends)
    charter.check()
    return charter


def _amends(table: Any) -> Amends:
    names = Amends._fields
    if not isinstance(table, Mapping) or set(table) != set(names):
        raise ValueError(f"amends: expected a table with {', '.join(names)}")
    if type(table["before"]) is not str or not type(table["epoch"]) is type(table["after"]) is int:
        raise ValueError("amends: expected a digest and two numbers")
    return Amends(bytes.fromhex(table["before"]), table["epoch"], table["after"])
