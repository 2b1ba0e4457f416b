"""Headers and blocks: what they hold, their bytes, their hash and their signatures.

The hash of a block is that of its header, and the header covers the records by their Merkle root. Signatures
are Ed25519 (RFC 8032, as libsodium checks it) on a prefix and the hash; they are not part of the hash.
A header or block that exists is within the bounds below and has exactly one encoding.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self, TypeAlias

from folkmoot.encoding import Limits, Malformed, Value, decode, digest, encode
from folkmoot.errors import brief, require
from folkmoot.ledger import merkle, work
from folkmoot.signatures import KEY_BYTES, SIGNATURE_BYTES, SigningKey, check_header, public_key, sign_header

VERSION = 1
MOST_HEIGHT = (1 << 63) - 1
MOST_RECORDS = 1 << 15
MOST_RECORD_BYTES = 1 << 22  # of all records of a block together
MOST_SIGNATURES = 1 << 10
HEADER = "header"  # the domain of the hash

# Heads of tuples, records and signatures are at most 10 bytes each; a header is below 1,000.
LIMITS = Limits(
    size=MOST_RECORD_BYTES + 10 * MOST_RECORDS + 120 * MOST_SIGNATURES + 1000,
    depth=3,
    items=MOST_RECORDS + 3 * MOST_SIGNATURES + 11,  # the block, its three parts, the seven fields
    int_size=8,
)
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,31}")

Signature: TypeAlias = tuple[bytes, bytes]  # public key, 32 bytes; signature, 64 bytes


def checked_kind(kind: object) -> str:
    """The name of a kind of chain, unchanged.

    Raises:
        ValueError: not 1 to 32 of a-z, 0-9, _ and -, beginning with a letter.
    """
    if type(kind) is not str or not _KIND.fullmatch(kind):
        raise ValueError(f"kind = {kind!r:.80}: expected 1 to 32 of a-z, 0-9, _ and -, beginning with a letter")
    return kind


def checked_integer(name: str, value: object, most: int) -> int:
    """An integer from 0 to `most`, unchanged.

    Raises:
        ValueError: anything else.
    """
    if type(value) is not int or not 0 <= value <= most:
        shown = "an integer out of range" if type(value) is int and value.bit_length() > 128 else f"{value!r:.80}"
        raise ValueError(f"{name} = {shown}: expected an integer from 0 to {most}")
    return value


@dataclass(frozen=True)
class Header:
    """What a block's hash covers.

    Raises:
        ValueError: a field of the wrong type, length or range.
    """

    version: int
    kind: str
    height: int  # of the first block after the genesis: 1
    previous: bytes  # hash of the block before, or of the genesis
    records_root: bytes  # Merkle root of the records
    work_bits: int  # leading zero bits the hash is to have
    nonce: int  # free, for the proof of work

    def __post_init__(self) -> None:
        checked_kind(self.kind)
        checked_integer("version", self.version, 0xFFFF)
        checked_integer("height", self.height, MOST_HEIGHT)
        checked_integer("work_bits", self.work_bits, work.MOST_BITS)
        checked_integer("nonce", self.nonce, work.MOST_COUNTER)
        for name, value in (("previous", self.previous), ("records_root", self.records_root)):
            if type(value) is not bytes or len(value) != 32:
                raise ValueError(f"{name} = {value!r:.80}: expected 32 bytes")

    def fields(self) -> tuple[Value, ...]:
        """As they are encoded; the nonce is the last 8 bytes."""
        start = (self.version, self.kind, self.height, self.previous, self.records_root, self.work_bits)
        return (*start, work.counter_bytes(self.nonce))

    @cached_property
    def hash(self) -> bytes:
        """32 bytes: the digest of the encoded header."""
        return digest(HEADER, encode(self.fields()))


@dataclass(frozen=True)
class Block:
    """A header, the records it covers, and signatures on its hash in ascending order of their keys.

    Raises:
        ValueError: a field of the wrong type, length or range, or signatures out of order.
    """

    header: Header
    records: tuple[bytes, ...] = ()
    signatures: tuple[Signature, ...] = ()

    def __post_init__(self) -> None:
        _check_records(self.records)
        _check_signatures(self.signatures)

    @property
    def hash(self) -> bytes:
        """32 bytes: the hash of the header."""
        return self.header.hash

    @cached_property
    def root(self) -> bytes:
        """32 bytes: the Merkle root of the records, which the header is to hold."""
        return merkle.root(self.records)

    def bearing(self, signatures: tuple[Signature, ...]) -> Self:
        """The same block with these signatures, in ascending order of their keys.

        Raises:
            ValueError: see `Block`.
        """
        block = replace(self, signatures=signatures)
        block.__dict__.update({name: self.__dict__[name] for name in ("root",) if name in self.__dict__})
        return block

    def to_bytes(self) -> bytes:
        """The one encoding of the block: (fields of the header, records, signatures)."""
        return encode((self.header.fields(), self.records, self.signatures), LIMITS)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Block":
        """The block with this encoding; whether it follows on a chain is for `apply_block` to say.

        Raises:
            Malformed: there is none.
        """
        value = decode(data, LIMITS)
        if type(value) is not tuple or list(map(type, value)) != [tuple, tuple, tuple]:
            raise Malformed("block that is not a header, records and signatures")
        fields, records, signatures = value
        if len(fields) != 7 or type(fields[6]) is not bytes or len(fields[6]) != 8:
            raise Malformed("header that is not seven fields, the last of 8 bytes")
        version, kind, height, previous, root, bits, nonce = fields
        try:
            header = Header(version, kind, height, previous, root, bits, int.from_bytes(nonce, "little"))
            return cls(header, records, signatures)
        except ValueError as error:
            raise Malformed(str(error)) from None

    def signed(self, *keys: SigningKey) -> "Block":
        """The same block with the signatures of these keys added."""
        named = dict(self.signatures) | dict(sign(self.header, key) for key in keys)
        return self.bearing(tuple(sorted(named.items())))


def _check_records(records: object) -> None:
    if type(records) is not tuple or not all(type(record) is bytes for record in records):
        raise ValueError("records: expected a tuple of bytes")
    if len(records) > MOST_RECORDS:
        raise ValueError(f"records: {len(records)} given, at most {MOST_RECORDS} are allowed")
    size = sum(map(len, records))
    if size > MOST_RECORD_BYTES:
        raise ValueError(f"records: {size} bytes given, at most {MOST_RECORD_BYTES} are allowed")


def _check_signatures(signatures: object) -> None:
    if type(signatures) is not tuple:
        raise ValueError("signatures: expected a tuple of (public key, signature)")
    if len(signatures) > MOST_SIGNATURES:
        raise ValueError(f"signatures: {len(signatures)} given, at most {MOST_SIGNATURES} are allowed")
    last = b""
    for pair in signatures:
        if type(pair) is not tuple or len(pair) != 2 or not type(pair[0]) is type(pair[1]) is bytes:
            raise ValueError("signatures: expected a tuple of (public key, signature)")
        key, signature = pair
        if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
            raise ValueError(f"signature of {len(signature)} bytes, key of {len(key)}: expected 64 and 32")
        if key <= last:
            raise ValueError("signatures: expected ascending order of their keys, each key once")
        last = key


def sign(header: Header, key: SigningKey) -> Signature:
    """The public key and its signature on the header."""
    require("header", header, Header)
    require("key", key, SigningKey)
    return public_key(key), sign_header(key, header.hash)


def is_signed(header: Header, signature: Signature) -> bool:
    """Is this a signature of its key on this header?"""
    require("header", header, Header)
    if type(signature) is not tuple or len(signature) != 2:
        raise ValueError(f"signature = {brief(signature)}: expected a pair of a public key and a signature")
    key, given = signature
    return check_header(key, header.hash, given)


def draft(kind: str, height: int, previous: bytes, records: tuple[bytes, ...], work_bits: int = 0) -> Block:
    """A block without work or signatures over these records.

    Raises:
        ValueError: see `Header` and `Block`.
    """
    _check_records(records)
    return Block(Header(VERSION, kind, height, previous, merkle.root(records), work_bits, 0), records)


def next_fields(kind: str, height: int, previous: bytes, root: bytes, work_bits: int) -> tuple[Value, ...]:
    """As of `Header`, of a block without work."""
    return (VERSION, kind, height, previous, root, work_bits, work.counter_bytes(0))


def mined(block: Block, counters: range, stop: Callable[[], bool] = lambda: False) -> Block | None:
    """The block with the first nonce of `counters` that does the work its header promises, unsigned.

    Raises:
        ValueError: counters not from 0 to 2**64 - 1.
    """
    require("block", block, Block)
    require("counters", counters, range)
    header = block.header
    prefix = encode(header.fields())[:-8]
    nonce = work.search(HEADER, prefix, header.work_bits, counters, stop)
    return None if nonce is None else Block(replace(header, nonce=nonce), block.records)
