"""One sequence of bytes for one value, and digests of it that never mix two purposes.

A value is None, a bool, an int, a float, bytes, a str, a tuple of values, or a NumPy array; exactly these
types, no subclasses. Its encoding is one byte that names the type, then:

    None 0, False 1, True 2     nothing
    int 3                       length, two's complement, little-endian, at least one byte and as few as will do
    float 4                     8 bytes, IEEE 754 binary64, little-endian
    bytes 5, str 6              length, content (UTF-8 for str)
    tuple 7                     number of items, the items
    array 8                     dtype (one byte), number of axes (one byte), the axes, items in C order, little-endian

Lengths, numbers of items and axes are 4 bytes, little-endian. A float is its bits: -0.0 and 0.0 are two values
with two encodings, infinities are allowed, and NaN, which has no single sequence of bits, is refused, in arrays
too. Text is its code points: there is no Unicode normalisation. `decode` reads bytes of another party.
"""

import hashlib
import struct
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from folkmoot.errors import OtherSide, brief

if TYPE_CHECKING:
    from hashlib import _Hash

Value: TypeAlias = Any  # None, bool, int, float, bytes, str, tuple of values, or NumPy array

NONE, FALSE, TRUE, INT, FLOAT, BYTES, STR, TUPLE, ARRAY = range(9)
MOST_AXES = 8
DTYPES = tuple(np.dtype(name) for name in ("|b1", "|u1", "<u2", "<u4", "<u8", "|i1", "<i2", "<i4", "<i8", "<f4", "<f8"))
_DTYPE_CODE = {dtype: code for code, dtype in enumerate(DTYPES)}
_LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<BI")
_FLOAT = struct.Struct("<d")
_HEAD_BYTES = _HEAD.size
_ONE_BYTE = _HEAD.pack(INT, 1)  # the head of a small integer
_SMALL = tuple(_ONE_BYTE + bytes([value]) for value in range(128))  # small integers, which most are, by themselves
_SHORT = tuple(_HEAD.pack(BYTES, length) for length in range(129))  # heads of keys, hashes, signatures, made once
_LARGE = 1 << 62  # integers below it take at most 8 bytes
_INTEGER = tuple(_HEAD.pack(INT, length) for length in range(9))  # their heads
_WORDS: dict[str, bytes] = {}  # short texts that were encoded, for they are few and come again
_MOST_WORDS, _LONGEST_WORD = 256, 32
sha256 = hashlib.sha256


class Malformed(OtherSide):
    """Bytes that are not the encoding of a value, or of more than the limits allow."""


class Limits(NamedTuple):
    """What one value may cost; `encode` and `decode` keep the same limits."""

    size: int = 1 << 24  # bytes of the whole encoding
    depth: int = 16  # tuples inside each other
    items: int = 1 << 16  # values in all: each tuple and whatever is in it; an array is one
    int_size: int = 1 << 10  # bytes of one integer


LIMITS = Limits()


def encode(value: Value, limits: Limits = LIMITS) -> bytes:
    """The encoding of a value.

    Raises:
        ValueError: a type that has no encoding, NaN, or a value beyond the limits.
    """
    pieces: list[bytes] = []  # one for each value
    if type(value) is tuple and limits.depth > 0 and len(value) < limits.items:
        pieces.append(_HEAD.pack(TUPLE, len(value)))
        _write_items(value, pieces, limits, limits.depth - 1)
    else:
        _write(value, pieces, limits, limits.depth)
    data = b"".join(pieces)
    if len(data) > limits.size:
        raise ValueError(f"value of {len(data)} bytes when encoded: at most {limits.size} are allowed")
    return data


def _write(value: Value, pieces: list[bytes], limits: Limits, depth: int) -> None:
    kind = type(value)
    if len(pieces) >= limits.items:
        raise ValueError(f"value of more than {limits.items} items: no more are allowed")
    if kind is bytes:
        pieces.append(_head(BYTES, len(value), limits) + value)
    elif kind is int:
        size = (value if value >= 0 else ~value).bit_length() // 8 + 1
        if size > limits.int_size:
            raise ValueError(f"integer of {size} bytes: at most {limits.int_size} are allowed")
        pieces.append(_head(INT, size, limits) + value.to_bytes(size, "little", signed=True))
    elif kind is tuple:
        if depth == 0:
            raise ValueError(f"tuples nested more than {limits.depth} deep: no more is allowed")
        pieces.append(_head(TUPLE, len(value), limits))
        _write_items(value, pieces, limits, depth - 1)
    elif kind is str:
        try:
            content = value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(f"text with a lone surrogate at {error.start}: expected Unicode text") from None
        pieces.append(_head(STR, len(content), limits) + content)
        if len(content) <= _LONGEST_WORD and len(_WORDS) < _MOST_WORDS:
            _WORDS[value] = pieces[-1]
    elif kind is float:
        if value != value:
            raise ValueError("nan: expected a number or an infinity")
        pieces.append(bytes([FLOAT]) + _FLOAT.pack(value))
    elif kind is bool:
        pieces.append(bytes([TRUE if value else FALSE]))
    elif value is None:
        pieces.append(bytes([NONE]))
    elif kind is np.ndarray:
        pieces.append(_array(value, limits))
    else:
        raise ValueError(f"{kind.__name__}: expected None, bool, int, float, bytes, str, tuple or numpy array")


def _write_items(items: tuple[Value, ...], pieces: list[bytes], limits: Limits, depth: int) -> None:
    """As `_write` of each; bytes, integers, words and tuples, which most items are, take no call of that."""
    size, _, most, int_size = limits
    small, large = 128 if int_size > 0 else 0, _LARGE if int_size >= 8 else 0
    for item in items:
        kind = type(item)
        if len(pieces) >= most:
            _write(item, pieces, limits, depth)
        elif kind is bytes and (length := len(item)) <= size:
            pieces.append((_SHORT[length] if length < 129 else _HEAD.pack(BYTES, length)) + item)
        elif kind is int and 0 <= item < small:
            pieces.append(_SMALL[item])
        elif kind is int and 0 <= item < large:
            length = item.bit_length() // 8 + 1
            pieces.append(_INTEGER[length] + item.to_bytes(length, "little"))
        elif kind is str and (word := _WORDS.get(item)) is not None and len(word) <= size:
            pieces.append(word)
        elif kind is tuple and depth > 0 and (length := len(item)) <= size:
            pieces.append(_HEAD.pack(TUPLE, length))
            _write_items(item, pieces, limits, depth - 1)
        else:
            _write(item, pieces, limits, depth)


def _head(tag: int, length: int, limits: Limits) -> bytes:
    if length > limits.size:
        raise ValueError(f"value of length {length}: at most {limits.size} bytes are allowed when encoded")
    return _HEAD.pack(tag, length)


def _array(value: np.ndarray[Any, Any], limits: Limits) -> bytes:
    plain, dtype = value.dtype.kind in "biuf", value.dtype  # there are dtypes that do not even have a byte order
    code = _DTYPE_CODE.get(dtype) if plain else None
    if code is None and plain:
        dtype = dtype.newbyteorder("<")
        code = _DTYPE_CODE.get(dtype)
    if code is None:
        raise ValueError(f"array of {value.dtype!s:.80}: expected one of {', '.join(map(str, DTYPES))}")
    if value.ndim > MOST_AXES:
        raise ValueError(f"array of {value.ndim} axes: at most {MOST_AXES} are allowed")
    if (value.nbytes if value.size else _cost(value.shape, dtype)) > limits.size:
        raise ValueError(f"array of shape {value.shape}: at most {limits.size} bytes are allowed")
    if dtype.kind == "f" and np.isnan(value).any():
        raise ValueError("array that holds nan: expected numbers or infinities")
    if dtype.kind == "b":
        value = value.view(np.uint8) != 0  # memory seen as truth values may hold other bytes than 0 and 1
    axes = b"".join(map(_LENGTH.pack, value.shape))
    return bytes([ARRAY, code, value.ndim]) + axes + value.astype(dtype, copy=False).tobytes()


def _cost(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """Bytes of an array; an axis of length 0 counts as 1, so that the other axes stay bounded too."""
    return prod(max(axis, 1) for axis in shape) * dtype.itemsize


def decode(data: bytes, limits: Limits = LIMITS) -> Value:
    """The one value whose encoding is `data`; arrays come back read-only.

    Raises:
        Malformed: anything else. Nothing is allocated before its length is known to be there.
    """
    if type(data) is not bytes:
        raise Malformed(f"{type(data).__name__}: expected bytes")
    if len(data) > limits.size:
        raise Malformed(f"{len(data)} bytes: at most {limits.size} are allowed")
    reader = _Reader(data, limits)
    value = reader.value(limits.depth)
    if reader.at != len(data):
        raise Malformed(f"byte {reader.at}: {len(data) - reader.at} bytes follow the value")
    return value


def integer_in(content: bytes) -> int:
    """The integer with this content, of at least one byte.

    Raises:
        Malformed: fewer bytes would do.
    """
    if len(content) > 1 and content[-1] == (0xFF if content[-2] & 0x80 else 0):
        raise Malformed("integer longer than it must be")
    return int.from_bytes(content, "little", signed=True)


def as_array(content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """The array with this content, which is as long as dtype and shape say; read-only.

    Raises:
        Malformed: truth values that are none, or NaN.
    """
    if dtype.kind == "b" and content.strip(b"\x00\x01"):
        raise Malformed("array of truth values that are neither 0 nor 1")
    array: np.ndarray[Any, Any] = np.frombuffer(content, dtype).reshape(shape)
    if dtype.kind == "f" and np.isnan(array).any():
        raise Malformed("array that holds nan")
    return array


class _Reader:
    """A place in the data, moving forward."""

    __slots__ = ("at", "data", "items", "limits")

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.at = 0
        self.items = 1
        self.limits = limits

    def wrong(self, what: str) -> Malformed:
        return Malformed(f"byte {self.at}: {what}")

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise self.wrong(f"{size} bytes expected, {len(self.data) - self.at} left")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def length(self) -> int:
        if self.at + 4 > len(self.data):
            raise self.wrong("the data end in a length")
        length: int = _LENGTH.unpack_from(self.data, self.at)[0]
        self.at += 4
        return length

    def content(self) -> bytes:
        """A length and so many bytes: what most values are, therefore in one step."""
        start = self.at + 4
        if start > len(self.data):
            raise self.wrong("the data end in a length")
        end = start + _LENGTH.unpack_from(self.data, self.at)[0]
        if end > len(self.data):
            raise self.wrong(f"{end - start} bytes expected, {len(self.data) - start} left")
        self.at = end
        return self.data[start:end]

    def value(self, depth: int) -> Value:
        if self.at >= len(self.data):
            raise self.wrong("the data end before a value")
        tag = self.data[self.at]
        self.at += 1
        if tag == BYTES:
            return self.content()
        if tag == TUPLE:
            return self.tuple(depth)
        if tag == INT:
            return self.integer()
        if tag == STR:
            try:
                return self.content().decode("utf-8")
            except UnicodeDecodeError:
                raise self.wrong("text that is not UTF-8") from None
        if tag == FLOAT:
            number: float = _FLOAT.unpack(self.take(8))[0]
            if number != number:
                raise self.wrong("nan")
            return number
        if tag == ARRAY:
            return self.array()
        if tag <= TRUE:
            return (None, False, True)[tag]
        raise self.wrong(f"unknown tag {tag}")

    def integer(self) -> int:
        size = self.length()
        if not 1 <= size <= self.limits.int_size:
            raise self.wrong(f"integer of {size} bytes, from 1 to {self.limits.int_size} are allowed")
        content = self.take(size)
        try:
            return integer_in(content)
        except Malformed as error:
            raise self.wrong(str(error)) from None

    def tuple(self, depth: int) -> tuple[Value, ...]:
        if depth == 0:
            raise self.wrong(f"tuples nested more than {self.limits.depth} deep")
        count = self.length()
        if count > len(self.data) - self.at:  # an item is at least one byte
            raise self.wrong(f"{count} items in {len(self.data) - self.at} bytes")
        self.items += count
        if self.items > self.limits.items:
            raise self.wrong(f"more than {self.limits.items} values")
        return tuple(self.several(count, depth - 1))

    def several(self, count: int, depth: int) -> list[Value]:
        """As `value`, so often; bytes and small integers, which most items are, take no call."""
        data, end, at, small = self.data, len(self.data), self.at, self.limits.int_size > 0
        items: list[Value] = []
        for _ in range(count):
            start = at + _HEAD_BYTES
            if start < end:
                tag, length = _HEAD.unpack_from(data, at)
                if tag == BYTES and start + length <= end:
                    at = start + length
                    items.append(data[start:at])
                    continue
                if tag == INT and length == 1 and small:
                    byte = data[start]
                    at = start + 1
                    items.append(byte if byte < 128 else byte - 256)
                    continue
            self.at = at
            items.append(self.value(depth))
            at = self.at
        self.at = at
        return items

    def array(self) -> np.ndarray[Any, Any]:
        code, axes = self.take(2)
        if code >= len(DTYPES):
            raise self.wrong(f"unknown dtype {code}")
        if axes > MOST_AXES:
            raise self.wrong(f"array of {axes} axes, at most {MOST_AXES} are allowed")
        dtype = DTYPES[code]
        shape = tuple([self.length() for _ in range(axes)])
        if _cost(shape, dtype) > self.limits.size:
            raise self.wrong("array larger than allowed")
        content = self.take(prod(shape) * dtype.itemsize)
        try:
            return as_array(content, dtype, shape)
        except Malformed as error:
            raise self.wrong(str(error)) from None


def digest(domain: str, value: Value) -> bytes:
    """SHA-256 of SHA-256 of (domain, value): 32 bytes.

    Bytes are hashed as they are, any other value by its encoding; a domain is for one of the two, never for both.
    Two domains never give the same digest.

    Raises:
        ValueError: no such domain (see `hasher`), or a value that has no encoding.
    """
    if type(domain) is not str:
        raise ValueError(f"domain = {brief(domain)}: expected text")
    state = _start(domain).copy()
    state.update(value if type(value) is bytes else encode(value))
    return sha256(state.digest()).digest()


def hasher(domain: str) -> "_Hash":
    """The inner SHA-256 of a domain, to be fed with the content: its first block is used up already.

    That block is SHA-256(domain) twice, the tagged hashes of BIP 340 (Wuille, Nick, Ruffing 2020).

    Raises:
        ValueError: the domain is not printable ASCII, or not 1 to 64 characters long.
    """
    return _start(domain).copy()


@lru_cache(maxsize=64)
def _start(domain: str) -> "_Hash":
    if type(domain) is not str or not 1 <= len(domain) <= 64 or not domain.isascii() or not domain.isprintable():
        raise ValueError(f"domain = {domain!r:.80}: expected 1 to 64 printable ASCII characters")
    tag = sha256(b"folkmoot/" + domain.encode("ascii")).digest()
    return sha256(tag + tag)
