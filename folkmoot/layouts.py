"""Bytes that lie as those of an earlier value did, taken apart in one step.

Messages of a kind differ in what they say, seldom in the lengths of it. The encoding of a value (encoding.py) is a row
of heads, which say types and lengths, with contents between them. A `Layout` knows the heads of one value and where its
contents lie. Other bytes with the same heads are read in one step; all others are left to `decode`.
"""

import struct
from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import numpy as np

from folkmoot.encoding import ARRAY, BYTES, DTYPES, FLOAT, INT, STR, TUPLE, Malformed, Value, as_array, integer_in

_HEAD = struct.Struct("<BI")
_LENGTH = struct.Struct("<I")
_MOST = 128  # values in one that is learnt


class Layout:
    """How the bytes of a tuple lie."""

    __slots__ = ("_heads", "_is_flat", "_looks", "_places", "_struct")

    def __init__(self, value: tuple[Value, ...]) -> None:
        """`value`: as `decode` gave it; see `layout_of`."""
        self._heads: tuple[bytes, ...] = ()
        self._looks: tuple[tuple[int, Callable[[Any], Value]], ...] = ()  # contents that are not there as they are
        form, head, places = ["<"], _HEAD.pack(TUPLE, len(value)), list[int | slice]()
        for item in value:
            if type(item) is not tuple:
                places.append(self._add(item, head, form))
                head = b""
                continue
            head += _HEAD.pack(TUPLE, len(item))
            first = len(self._heads)
            for inner in item:
                self._add(inner, head, form)
                head = b""
            places.append(slice(first, len(self._heads)))
        if head:
            self._heads += (head,)
            form.append(f"{len(head)}s")
        self._places, self._struct = tuple(places), struct.Struct("".join(form))
        self._is_flat = places == list(range(len(places)))  # no tuple stands in it

    def _add(self, item: Value, before: bytes, form: list[str]) -> int:
        head, content, look = _piece(item)
        place = len(self._heads)
        self._heads += (before + head,)
        form.append(f"{len(before + head)}s{content}")
        if look is not None:
            self._looks += ((place, look),)
        return place

    def read(self, data: bytes) -> tuple[Value, ...] | None:
        """The value with this encoding, if it lies so; None: that is not known."""
        if len(data) != self._struct.size:
            return None
        pieces = self._struct.unpack(data)
        if pieces[::2] != self._heads:
            return None
        contents = pieces[1::2]
        if self._looks:
            found = list(contents)
            try:
                for place, look in self._looks:
                    found[place] = look(found[place])
            except (Malformed, UnicodeDecodeError):
                return None
            contents = tuple(found)
        return contents if self._is_flat else tuple([contents[place] for place in self._places])


def layout_of(value: Value) -> Layout | None:
    """The layout of a value that `decode` gave; None: it is no tuple of a few values, or of flat tuples of them."""
    if type(value) is not tuple:
        return None
    items = [inner for item in value for inner in (item if type(item) is tuple else (item,))]
    known = (bytes, int, str, float, np.ndarray)
    return Layout(value) if 0 < len(items) <= _MOST and all(type(item) in known for item in items) else None


def _piece(item: Value) -> tuple[bytes, str, Callable[[Any], Value] | None]:
    """Its head, its content's form, and how to look at that; None: it is there as it is."""
    if type(item) is bytes:
        return _HEAD.pack(BYTES, len(item)), f"{len(item)}s", None
    if type(item) is int:
        size = (item if item >= 0 else ~item).bit_length() // 8 + 1
        return _HEAD.pack(INT, size), "b" if size == 1 else f"{size}s", None if size == 1 else integer_in
    if type(item) is str:
        size = len(item.encode("utf-8"))
        return _HEAD.pack(STR, size), f"{size}s", _text
    if type(item) is float:
        return bytes([FLOAT]), "d", _number
    axes = b"".join(map(_LENGTH.pack, item.shape))
    head = bytes([ARRAY, DTYPES.index(item.dtype), item.ndim]) + axes
    return head, f"{prod(item.shape) * item.dtype.itemsize}s", partial(as_array, dtype=item.dtype, shape=item.shape)


def _text(content: bytes) -> str:
    return content.decode("utf-8")


def _number(number: float) -> float:
    if number != number:
        raise Malformed("nan")
    return number
