"""Blocks: one encoding each, strict and bounded; hash and signatures cover what they should."""

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_ledgers import KEYS, PUBLIC

from folkmoot.encoding import Malformed, digest, encode
from folkmoot.ledger import block as blocks
from folkmoot.ledger.block import Block, Header, draft, is_signed, mined, sign

ZERO = bytes(32)
HEADER = Header(1, "notes", 3, ZERO, b"r" * 32, 4, 9)
BLOCK = Block(HEADER, (b"one", b""), ((b"a" * 32, b"s" * 64), (b"b" * 32, b"s" * 64)))

hashes = st.binary(min_size=32, max_size=32)
headers = st.builds(
    Header,
    st.integers(0, 2**16 - 1),
    st.from_regex(r"[a-z][a-z0-9_-]{0,31}", fullmatch=True),
    st.integers(0, 2**63 - 1),
    hashes,
    hashes,
    st.integers(0, 64),
    st.integers(0, 2**64 - 1),
)
signatures = st.dictionaries(hashes, st.binary(min_size=64, max_size=64), max_size=4).map(
    lambda named: tuple(sorted(named.items()))
)
any_block = st.builds(Block, headers, st.lists(st.binary(max_size=50), max_size=5).map(tuple), signatures)


@given(any_block)
def test_round_trip(block):
    assert Block.from_bytes(block.to_bytes()) == block


def one_encoding_or_malformed(data):
    try:
        block = Block.from_bytes(data)
    except Malformed:
        return
    assert block.to_bytes() == data


@given(any_block, st.data())
def test_damaged_bytes_are_another_block_or_malformed(block, data):
    changed = bytearray(block.to_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.sampled_from([0, 1, 255]))
    one_encoding_or_malformed(bytes(changed))


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_a_block_or_malformed(data):
    one_encoding_or_malformed(data)


def test_the_bytes_and_the_hash_are_these():
    """Pinned: a change here is another format."""
    fields = (1, "notes", 3, ZERO, b"r" * 32, 4, b"\x09" + bytes(7))
    assert BLOCK.to_bytes() == encode((fields, BLOCK.records, BLOCK.signatures))
    assert BLOCK.hash == HEADER.hash == digest("header", encode(fields))
    assert BLOCK.hash.hex() == "7919ff9ffc536e01b6e4a1c5715e8d3f2e949911723ce9131a7cc746f7d69553"


F = HEADER.fields()
MALFORMED = {
    "not a tuple": (b"block", "not a header, records and signatures"),
    "two parts": ((F, ()), "not a header, records and signatures"),
    "records in a text": ((F, "", ()), "not a header, records and signatures"),
    "six fields": ((F[:6], (), ()), "not seven fields"),
    "nonce of 7 bytes": (((*F[:6], bytes(7)), (), ()), "not seven fields"),
    "nonce as a number": (((*F[:6], 9), (), ()), "not seven fields"),
    "version as truth": (((True, *F[1:]), (), ()), "version = True"),
    "version too large": (((2**16, *F[1:]), (), ()), "version = 65536"),
    "negative height": (((*F[:2], -1, *F[3:]), (), ()), "height = -1"),
    "height of 2**63": (((*F[:2], 2**63, *F[3:]), (), ()), "integer of 9 bytes"),
    "height as a float": (((*F[:2], 3.0, *F[3:]), (), ()), "height = 3.0"),
    "kind with a capital": (((1, "Notes", *F[2:]), (), ()), "kind = 'Notes'"),
    "kind with an end of line": (((1, "notes\n", *F[2:]), (), ()), "kind = "),
    "kind as bytes": (((1, b"notes", *F[2:]), (), ()), "kind = b'notes'"),
    "empty kind": (((1, "", *F[2:]), (), ()), "kind = ''"),
    "long kind": (((1, "n" * 33, *F[2:]), (), ()), "kind = 'nnn"),
    "previous of 31 bytes": (((*F[:3], bytes(31), *F[4:]), (), ()), "previous = .* expected 32 bytes"),
    "root of 33 bytes": (((*F[:4], bytes(33), *F[5:]), (), ()), "records_root = .* expected 32 bytes"),
    "65 bits": (((*F[:5], 65, F[6]), (), ()), "work_bits = 65"),
    "record that is text": ((F, ("x",), ()), "tuple of bytes"),
    "record in a tuple": ((F, ((b"x",),), ()), "tuple of bytes"),
    "signature without a key": ((F, (), ((b"s" * 64,),)), "tuple of \\(public key, signature\\)"),
    "signature that is bytes": ((F, (), (b"s" * 96,)), "tuple of \\(public key, signature\\)"),
    "key as text": ((F, (), (("k" * 32, b"s" * 64),)), "tuple of \\(public key, signature\\)"),
    "short signature": ((F, (), ((b"k" * 32, b"s" * 63),)), "signature of 63 bytes"),
    "short key": ((F, (), ((b"k" * 31, b"s" * 64),)), "key of 31"),
    "one key twice": ((F, (), ((b"k" * 32, b"s" * 64),) * 2), "each key once"),
    "keys out of order": ((F, (), ((b"l" * 32, b"s" * 64), (b"k" * 32, b"s" * 64))), "ascending order"),
    "an array": ((F, (), ((b"k" * 32, 1.5),)), "tuple of \\(public key, signature\\)"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name):
    value, reason = MALFORMED[name]
    with pytest.raises(Malformed, match=reason) as caught:
        Block.from_bytes(encode(value))
    assert "\n" not in str(caught.value)


def test_the_largest_block_goes_through_and_a_larger_one_does_not():
    """The bounds of the dataclass are within those of the decoder, whichever bound is reached."""
    most = blocks.MOST_RECORDS
    keys = tuple((n.to_bytes(32, "big"), bytes(64)) for n in range(blocks.MOST_SIGNATURES))
    many = (bytes(blocks.MOST_RECORD_BYTES - most + 1),) + (b"x",) * (most - 1)
    largest = Block(replace(HEADER, height=2**63 - 1, kind="n" * 32, nonce=2**64 - 1), many, keys)
    assert Block.from_bytes(largest.to_bytes()) == largest
    with pytest.raises(ValueError, match="records: 4194305 bytes given"):
        replace(largest, records=(*many[:-1], b"xx"))
    with pytest.raises(ValueError, match="records: 32769 given"):
        replace(largest, records=(b"",) * (most + 1))
    with pytest.raises(ValueError, match="signatures: 1025 given"):
        replace(largest, signatures=(*keys, (b"\xff" * 32, bytes(64))))


def test_the_bounds_hold_for_bytes_of_another_party():
    with pytest.raises(Malformed, match="records: 4194305 bytes"):
        Block.from_bytes(encode((F, (bytes(blocks.MOST_RECORD_BYTES + 1),), ())))
    with pytest.raises(Malformed, match="bytes: at most"):
        Block.from_bytes(bytes(blocks.LIMITS.size + 1))


@given(headers, headers)
def test_the_hash_covers_the_header(a, b):
    assert (a.hash == b.hash) == (a == b)


@pytest.mark.parametrize("field", ["version", "height", "work_bits", "nonce"])
def test_the_hash_covers_each_number(field):
    assert replace(HEADER, **{field: getattr(HEADER, field) + 1}).hash != HEADER.hash


def test_records_and_signatures_are_not_in_the_hash():
    assert Block(HEADER).hash == BLOCK.hash


def test_a_block_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        BLOCK.records = ()


def test_a_signature_is_on_this_header_by_this_key():
    signature = sign(HEADER, KEYS[0])
    assert signature[0] == PUBLIC[0]
    assert is_signed(HEADER, signature)
    assert not is_signed(replace(HEADER, nonce=10), signature)
    assert not is_signed(HEADER, (PUBLIC[1], signature[1]))
    for bit in range(0, 512, 7):
        flipped = bytearray(signature[1])
        flipped[bit // 8] ^= 1 << bit % 8
        assert not is_signed(HEADER, (PUBLIC[0], bytes(flipped)))


def test_what_is_signed_is_the_prefix_and_the_hash():
    """A signature on the bare hash, or under another prefix, is none on the block."""
    key, right = sign(HEADER, KEYS[0])
    assert KEYS[0].sign(b"folkmoot/block-signature/" + HEADER.hash).signature == right
    assert not is_signed(HEADER, (key, KEYS[0].sign(HEADER.hash).signature))


def test_a_signature_has_one_form():
    """S + L is the same number modulo the order of the group: RFC 8032 demands S below L, and so does libsodium."""
    key, signature = sign(HEADER, KEYS[0])
    order = 2**252 + 27742317777372353535851937790883648493
    shifted = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert not is_signed(HEADER, (key, signature[:32] + shifted))


def test_a_key_of_small_order_signs_nothing():
    """With the neutral element as key, R the same and S = 0, the equation of Ed25519 holds for every message."""
    neutral = b"\x01" + bytes(31)
    assert not is_signed(HEADER, (neutral, neutral + bytes(32)))


def test_signed_adds_in_order():
    once = draft("notes", 1, ZERO, (b"x",)).signed(KEYS[2])
    both = once.signed(KEYS[0], KEYS[2])
    assert [key for key, _ in both.signatures] == [PUBLIC[0], PUBLIC[2]]
    assert once.signatures[0] in both.signatures


def test_mining_finds_the_nonce_and_drops_signatures():
    block = draft("notes", 1, ZERO, (b"x",), work_bits=8).signed(KEYS[0])
    done = mined(block, range(10**5))
    assert done.hash[0] == 0
    assert done.records == block.records
    assert done.signatures == ()
    assert mined(block, range(done.header.nonce)) is None
    assert mined(block, range(10**5), lambda: True) is None
