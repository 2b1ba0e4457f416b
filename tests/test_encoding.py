"""One encoding for one value; hostile bytes raise Malformed and nothing else; domains never mix."""

import random
import struct
import tracemalloc
from collections import namedtuple
from enum import IntEnum

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sha256_by_hand import sha256 as sha256_by_hand

from folkmoot.encoding import DTYPES, LIMITS, Limits, Malformed, decode, digest, encode, hasher, sha256

arrays = hnp.arrays(
    st.sampled_from(DTYPES),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
    elements=None,
).filter(lambda a: a.dtype.kind != "f" or not np.isnan(a).any())
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**200), 2**200),
    st.integers(-300, 300),
    st.floats(allow_nan=False),
    st.binary(max_size=40),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    arrays,
)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=5).map(tuple), max_leaves=12)


def same(a, b):
    """Equal in type, bits and everything."""
    if type(a) is not type(b):
        return False
    if type(a) is tuple:
        return len(a) == len(b) and all(map(same, a, b))
    if type(a) is np.ndarray:
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if type(a) is float:
        return struct.pack("<d", a) == struct.pack("<d", b)
    return a == b


@given(values)
def test_round_trip(value):
    assert same(decode(encode(value)), value)


@given(values, values)
def test_two_values_have_two_encodings(a, b):
    assert (encode(a) == encode(b)) == same(a, b)


def canonical_or_malformed(data):
    """What decode may do with any bytes; True if they are an encoding."""
    try:
        value = decode(data)
    except Malformed:
        return False
    assert encode(value) == data
    return True


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_an_encoding_or_malformed(data):
    canonical_or_malformed(data)


def test_a_hundred_thousand_random_byte_strings():
    """Plain random ones, ones that begin like values, and damaged encodings."""
    dice = random.Random(1)
    good = [encode(v) for v in (None, 5, -3.5, b"abc", "text", (1, (2, b"x"), "y"), 2**70, np.arange(6).reshape(2, 3))]
    good += [encode((1, True, np.array([0.5, -0.0]), ("a", (b"", ()))))]
    found = 0
    for n in range(100_000):
        if n % 4 == 0:
            data = dice.randbytes(dice.randrange(40))
        elif n % 4 == 1:
            data = bytes(dice.choice((0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)) for _ in range(dice.randrange(30)))
        else:
            changed = bytearray(dice.choice(good))
            for _ in range(dice.randrange(1, 4)):
                changed[dice.randrange(len(changed))] = dice.choice((0, 1, 255, dice.randrange(256)))
            data = bytes(changed[: dice.choice((len(changed), dice.randrange(len(changed))))])
        found += canonical_or_malformed(data)
    assert 1_000 < found < 99_000  # both ways out were taken many times


def length(n):
    return struct.pack("<I", n)


MALFORMED = {
    "nothing": (b"", "end before a value"),
    "unknown tag": (b"\x09", "unknown tag 9"),
    "high tag": (b"\xff", "unknown tag 255"),
    "trailing byte": (encode(1) + b"\x00", "1 bytes follow the value"),
    "two values": (encode(1) + encode(2), "follow the value"),
    "half a length": (b"\x05\x01\x00", "end in a length"),
    "length beyond the end": (b"\x05" + length(4) + b"abc", "4 bytes expected, 3 left"),
    "longest length": (b"\x05" + length(2**32 - 1), "4294967295 bytes expected"),
    "empty int": (b"\x03" + length(0), "integer of 0 bytes"),
    "zero in two bytes": (b"\x03" + length(2) + b"\x00\x00", "longer than it must be"),
    "127 in two bytes": (b"\x03" + length(2) + b"\x7f\x00", "longer than it must be"),
    "-1 in two bytes": (b"\x03" + length(2) + b"\xff\xff", "longer than it must be"),
    "-128 in two bytes": (b"\x03" + length(2) + b"\x80\xff", "longer than it must be"),
    "huge int": (b"\x03" + length(1025) + b"\x01" * 1025, "integer of 1025 bytes"),
    "half a float": (b"\x04\x00\x00", "8 bytes expected"),
    "nan": (b"\x04" + struct.pack("<d", float("nan")), "nan"),
    "signalling nan": (b"\x04" + bytes.fromhex("010000000000f07f"), "nan"),
    "not UTF-8": (b"\x06" + length(1) + b"\xff", "not UTF-8"),
    "overlong UTF-8": (b"\x06" + length(2) + b"\xc0\x80", "not UTF-8"),
    "surrogate in UTF-8": (b"\x06" + length(3) + b"\xed\xa0\x80", "not UTF-8"),
    "tuple of too many": (b"\x07" + length(3) + b"\x00\x00", "3 items in 2 bytes"),
    "tuple of four thousand million": (b"\x07" + length(2**32 - 1) + b"\x00" * 50, "items in 50 bytes"),
    "deep": ((b"\x07" + length(1)) * 17 + b"\x00", "nested more than 16 deep"),
    "very deep": ((b"\x07" + length(1)) * 100_000 + b"\x00", "nested more than 16 deep"),
    "unknown dtype": (bytes([8, 11, 0]), "unknown dtype 11"),
    "nine axes": (bytes([8, 1, 9]) + length(1) * 9 + b"\x00", "array of 9 axes"),
    "array cut short": (bytes([8, 4, 1]) + length(2) + bytes(15), "16 bytes expected, 15 left"),
    "array of 2**64 bytes": (bytes([8, 1, 2]) + length(2**32 - 1) * 2, "larger than allowed"),
    "empty array with a huge axis": (bytes([8, 1, 3]) + length(2**32 - 1) * 2 + length(0), "larger than allowed"),
    "truth value 2": (bytes([8, 0, 1]) + length(2) + b"\x01\x02", "neither 0 nor 1"),
    "array with nan": (bytes([8, 10, 1]) + length(1) + struct.pack("<d", float("nan")), "nan"),
    "array with nan of 4 bytes": (bytes([8, 9, 1]) + length(1) + struct.pack("<f", float("nan")), "nan"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name):
    data, reason = MALFORMED[name]
    with pytest.raises(Malformed, match=reason) as caught:
        decode(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [None, "text", bytearray(b"\x00"), 7])
def test_only_bytes_are_decoded(given):
    with pytest.raises(Malformed, match="expected bytes"):
        decode(given)


@pytest.mark.parametrize("name", [name for name in MALFORMED if "million" in name or "huge" in name or "2**64" in name])
def test_a_length_that_lies_costs_no_memory(name):
    tracemalloc.start()
    try:
        with pytest.raises(Malformed):
            decode(MALFORMED[name][0])
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


class Number(IntEnum):
    ONE = 1


Pair = namedtuple("Pair", "a b")

UNENCODABLE = {
    "list": ([1], "list: expected"),
    "dict": ({}, "dict: expected"),
    "bytearray": (bytearray(b"x"), "bytearray: expected"),
    "enum": (Number.ONE, "Number: expected"),
    "named tuple": (Pair(1, 2), "Pair: expected"),
    "numpy number": (np.float64(1), "float64: expected"),
    "numpy truth value": (np.bool_(True), "expected None"),
    "complex": (1j, "complex: expected"),
    "inside a tuple": ((1, ("x", [2])), "list: expected"),
    "nan": (float("nan"), "nan"),
    "array with nan": (np.array([1.0, np.nan]), "nan"),
    "array of objects": (np.array([None]), "array of object"),
    "array of text": (np.array(["x"]), "array of <U1"),
    "array of complex": (np.array([1j]), "array of complex128"),
    "array of records": (np.zeros(2, [("x", "<i4")]), "expected one of"),
    "array of times": (np.zeros(2, "M8[s]"), "expected one of"),
    "array of spans of time": (np.zeros(2, "m8[D]"), "expected one of"),
    "array of bytes": (np.zeros(2, "S3"), "expected one of"),
    "array of nothing": (np.zeros(2, "V0"), "expected one of"),
    "array of text of any length": (np.array(["x"], getattr(np.dtypes, "StringDType", object)()), "expected one of"),
    "array of long floats": (np.zeros(2, np.longdouble), "array of float|expected"),
    "array of short floats": (np.zeros(2, np.float16), "array of float16"),
    "array of many records": (np.zeros(2, [(f"field\n{n}", "<i4") for n in range(500)]), "expected one of"),
    "array of pairs": (np.zeros(2, [("x", "<i4", (2,))]), "expected one of"),
    "matrix": (np.matrix([[1]]), "matrix: expected"),
    "array of records by name": (np.rec.array([(1, 2.0)]), "recarray: expected"),
    "masked array": (np.ma.array([1]), "MaskedArray: expected"),
    "nine axes": (np.zeros((1,) * 9), "array of 9 axes"),
    "lone surrogate": ("a\ud800", "lone surrogate at 1"),
    "huge int": (1 << 8192, "integer of 1025 bytes"),
    "huge negative int": (-(1 << 8192), "integer of 1025 bytes"),
}


@pytest.mark.parametrize("name", UNENCODABLE)
def test_unencodable(name):
    value, reason = UNENCODABLE[name]
    with pytest.raises(ValueError, match=reason) as caught:
        encode(value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def nested(depth):
    value = ()
    for _ in range(depth - 1):
        value = (value,)
    return value


# Just within a limit: encodes and decodes. Just beyond: neither.
EDGES = [
    (Limits(depth=3), nested(3), nested(4)),
    (Limits(depth=0), 1, ()),
    (Limits(items=4), (1, (2,)), (1, (2, 3))),
    (Limits(size=15), b"0123456789", b"0123456789a"),
    (Limits(size=15), ("abcde",), ("abcdef",)),
    (Limits(int_size=2), 2**15 - 1, 2**15),
    (Limits(int_size=2), -(2**15), -(2**15) - 1),
    (Limits(size=64), np.zeros(7), np.zeros(8)),
    (Limits(size=64), np.zeros((0, 8)), np.zeros((0, 9))),
]


@pytest.mark.parametrize(("limits", "within", "beyond"), EDGES)
def test_limits_are_those_of_both_directions(limits, within, beyond):
    assert same(decode(encode(within, limits), limits), within)
    with pytest.raises(ValueError, match="allowed"):
        encode(beyond, limits)
    with pytest.raises(Malformed):
        decode(encode(beyond), limits)


def test_the_bytes_are_these():
    """Pinned: a change here is another format, and every hash of every chain changes with it."""
    value = (None, False, True, 0, -1, 128, 1.5, b"\x01", "é", np.array([[1, 2]], np.uint16), ())
    assert encode(value).hex() == (
        "070b000000" + "00" + "01" + "02" + "030100000000" + "0301000000ff" + "03020000008000"
        "04000000000000f83f" + "050100000001" + "0602000000c3a9" + "080202010000000200000001000200" + "0700000000"
    )
    assert digest("test", value).hex() == digest("test", encode(value)).hex()


def test_minus_zero_is_a_value_of_its_own():
    assert encode(-0.0) != encode(0.0)
    assert same(decode(encode(-0.0)), -0.0)
    assert encode(np.array([-0.0])) != encode(np.array([0.0]))


def test_truth_values_have_one_encoding_whatever_bytes_they_are_made_of():
    """NumPy lets memory be seen as truth values, and takes every byte but 0 for true."""
    plain = np.array([[True, False, True], [True, True, False]])
    raw = np.array([[2, 0, 1], [255, 128, 0]], np.uint8)
    for seen in (raw.view(bool), np.asfortranarray(raw).view(bool), np.repeat(raw, 2, axis=1).view(bool)[:, ::2]):
        assert encode(seen) == encode(plain)
        assert same(decode(encode(seen)), plain)
    assert encode(np.array(7, np.uint8).view(bool)) == encode(np.array(True))
    assert raw.tolist() == [[2, 0, 1], [255, 128, 0]]


def test_arrays_that_look_alike_are_encoded_alike():
    plain = np.arange(6, dtype="<i8")
    expected = encode(plain)
    for dtype in (np.longlong, np.dtype("<i8", metadata={"from": "elsewhere"}), ">i8", "=i8"):
        assert encode(plain.astype(dtype)) == expected
    unaligned = np.frombuffer(b"x" + plain.tobytes(), np.uint8)[1:].view("<i8")
    assert encode(unaligned) == encode(plain[::-1][::-1]) == expected
    assert encode(np.broadcast_to(np.float32(2), (3, 2))) == encode(np.full((3, 2), 2, np.float32))
    assert encode(np.array(3)) != encode(np.array([3]))
    assert same(decode(encode(np.zeros((0, 3), ">u2"))), np.zeros((0, 3), "<u2"))


def test_layout_and_byte_order_of_an_array_do_not_matter():
    plain = np.arange(12, dtype="<i8").reshape(3, 4)
    expected = encode(plain)
    assert encode(np.asfortranarray(plain)) == expected
    assert encode(plain.astype(">i8")) == expected
    assert encode(np.repeat(plain, 2, axis=1)[:, ::2]) == expected


def test_a_decoded_array_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        decode(encode(np.zeros(3)))[0] = 1


# FIPS 180-4 examples and CAVP short messages.
NIST = {
    b"": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    b"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": (
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    bytes.fromhex("d3"): "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1",
    bytes.fromhex("bd"): "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b",
    bytes.fromhex("c98c8e55"): "7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504",
}


@pytest.mark.parametrize("message", NIST)
def test_nist_vectors(message):
    assert sha256(message).hexdigest() == NIST[message]
    assert sha256_by_hand(message).hex() == NIST[message]


def test_nist_million():
    expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    assert sha256(b"a" * 1_000_000).hexdigest() == expected


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=64), st.binary(max_size=150))
def test_a_digest_is_the_double_tagged_hash_by_hand(domain, content):
    tag = sha256_by_hand(b"folkmoot/" + domain.encode())
    assert digest(domain, content) == sha256_by_hand(sha256_by_hand(tag + tag + content))


@given(values)
def test_a_value_is_hashed_by_its_encoding(value):
    expected = value if type(value) is bytes else encode(value)
    assert digest("test", value) == digest("test", expected)


def test_domains_do_not_mix():
    assert digest("a", b"b") != digest("ab", b"")
    assert digest("a", b"") != digest("b", b"")
    state = hasher("a")
    state.update(b"x")
    assert digest("a", b"") == sha256(hasher("a").digest()).digest()  # feeding a copy changed no other


@pytest.mark.parametrize("domain", ["", "x" * 65, "é", "a\n", b"a", 7])
def test_a_domain_is_short_printable_ascii(domain):
    with pytest.raises(ValueError, match="domain = "):
        digest(domain, b"")


def test_default_limits_let_through_a_large_array():
    assert decode(encode(np.zeros(LIMITS.size // 8 - 8))).size == LIMITS.size // 8 - 8
