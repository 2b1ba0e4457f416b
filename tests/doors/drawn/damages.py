"""What is handed over in the place of a legal value, and which kinds of value must refuse it."""

import datetime
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Tenfold(int):
    """An integer that says it is ten times as large once it is converted."""

    def __int__(self) -> int:
        return 10 * super().__int__()

    def __float__(self) -> float:
        return 10.0 * super().__int__()

    def __index__(self) -> int:
        return 10 * super().__int__()


class Pretender:
    """It converts to whatever is wanted."""

    def __float__(self) -> float:
        return 0.5

    def __int__(self) -> int:
        return 1

    __index__ = __int__

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return "pretender\nof two lines"

    def __repr__(self) -> str:
        return "pretender\nof two lines"


class Damage(NamedTuple):
    """A value that is drawn, and what it is."""

    tag: str
    value: Any


NUMBERS = "number", "array"
SCALARS = "whole", "number"


def _ring() -> list[Any]:
    ring: list[Any] = []
    ring.append(ring)
    return ring


# By tag: how a value is drawn, and the kinds that may take it; every other kind must refuse it.
DRAWN: dict[str, tuple[Callable[[np.random.Generator], Any], tuple[str, ...]]] = {
    "none": (lambda g: None, ("none",)),
    "flag": (lambda g: bool(g.integers(2)), ("flag",)),
    "flag of numpy": (lambda g: np.bool_(g.integers(2)), ("flag",)),
    "text": (lambda g: "no-such-thing", ("text", "path")),
    "empty text": (lambda g: "", ("text", "path", "array", "items")),
    "number as text": (lambda g: str(g.integers(9)), ("text", "path")),
    "text with a null": (lambda g: "a\0b", ("text", "path")),
    "lone surrogate": (lambda g: "\ud800", ("text", "path")),
    "long text": (lambda g: "x" * 1_500, ("text", "path")),
    "bytes": (lambda g: bytes(g.integers(0, 256, g.integers(0, 40), np.uint8)), ("bytes",)),
    "changeable bytes": (lambda g: bytearray(b"12"), ("bytes",)),
    "complex": (lambda g: complex(g.integers(3), 0), ()),
    "complex of numpy": (lambda g: np.complex128(0.5), ()),
    "decimal": (lambda g: Decimal(int(g.integers(3))), ()),
    "fraction": (lambda g: Fraction(int(g.integers(3)), 2), ()),
    "date": (lambda g: datetime.date(2024, 1, 1), ()),
    "time": (lambda g: datetime.timedelta(seconds=1), ()),
    "date of numpy": (lambda g: np.datetime64("2024-01-01"), ()),
    "time of numpy": (lambda g: np.timedelta64(int(g.integers(3)), "s"), ()),
    "not a number": (lambda g: math.nan, ("nan",)),
    "not a number of numpy": (lambda g: np.float32("nan"), ("nan",)),
    "infinite": (lambda g: math.inf if g.integers(2) else -math.inf, ("infinite",)),
    "half": (lambda g: float(g.integers(-3, 4)) + 0.5, ("number", "array")),
    "whole float": (lambda g: float(g.integers(-3, 4)), ("number", "array")),
    "small": (lambda g: int(g.integers(-3, 5)), (*SCALARS, "array")),
    "small of numpy": (lambda g: np.int16(g.integers(-3, 5)), (*SCALARS, "array")),
    "unsigned": (lambda g: np.uint8(g.integers(0, 5)), (*SCALARS, "array")),
    "float of numpy": (lambda g: np.float64(g.random()), NUMBERS),
    "more digits": (lambda g: np.longdouble(1) / 3, ("digits",)),
    "large": (lambda g: int(g.integers(10**6, 10**15)), (*SCALARS, "array")),
    "huge": (lambda g: int(10 ** int(g.integers(40, 500))) * (1 if g.integers(2) else -1), (*SCALARS, "array")),
    "large float": (lambda g: 10.0 ** float(g.uniform(20, 308)), NUMBERS),
    "tiny float": (lambda g: 10.0 ** float(g.uniform(-320, -20)), NUMBERS),
    "ten times": (lambda g: Tenfold(g.integers(1, 4)), (*SCALARS, "array")),
    "zero dimensions": (lambda g: np.array(int(g.integers(0, 4))), (*SCALARS, "array")),
    "one entry": (lambda g: np.array([0.5]), ("array",)),
    "empty list": (lambda g: [], ("array", "items")),
    "empty row": (lambda g: [[]], ("array", "items")),
    "list": (lambda g: g.random(int(g.integers(1, 4))).tolist(), ("array",)),
    "whole numbers": (lambda g: g.integers(0, 5, int(g.integers(1, 4))), ("array",)),
    "table": (lambda g: g.random((2, 3)), ("array",)),
    "four axes": (lambda g: g.random((1, 2, 1, 2)), ("array",)),
    "ragged": (lambda g: [[0.5], [0.5, 0.25]], ()),
    "masked": (lambda g: np.ma.array([0.2, 0.8], mask=[False, True]), ()),
    "objects": (lambda g: np.array([0.5, None], object), ()),
    "array of texts": (lambda g: np.array(["0.1", "0.2"]), ("items",)),
    "array of bytes": (lambda g: np.array([b"0.1"]), ()),
    "array of flags": (lambda g: np.array([True, False]), ("flags",)),
    "array of complex": (lambda g: np.array([0.1 + 0j]), ()),
    "array of dates": (lambda g: np.array(["2024-01-01"], "datetime64[D]"), ()),
    "not numbers": (lambda g: np.array([0.5, math.nan]), ()),
    "infinite numbers": (lambda g: [0.5, math.inf], ()),
    "unsigned in disorder": (lambda g: np.array([30, 20, 50], np.uint64), ("array",)),
    "records": (lambda g: np.array([(1, 2)], "i4,i4"), ()),
    "a list in itself": (lambda g: _ring(), ()),
    "texts": (lambda g: ["a", "b"], ("items",)),
    "dictionary": (lambda g: {"a": 1}, ("dictionary",)),
    "empty dictionary": (lambda g: {}, ("dictionary", "items", "array")),
    "set": (lambda g: {1, 2}, ("items",)),
    "generator": (lambda g: (x for x in (1, 2)), ("items",)),
    "range": (lambda g: range(int(g.integers(0, 4))), ("array", "items")),
    "path": (lambda g: Path("no-such-file"), ("path",)),
    "function": (lambda g: lambda *given: None, ("function",)),
    "class": (lambda g: int, ("function",)),
    "object": (lambda g: object(), ()),
    "pretender": (lambda g: Pretender(), ()),
    "error": (lambda g: ValueError("x"), ()),
}
_HEAVY = {"large", "large float"}  # as a length of anything, it would be granted


def kind_of(value: Any) -> str:
    """What a legal value is."""
    for kind, types in (
        ("flag", bool), ("whole", int), ("number", float), ("word", str), ("bytes", bytes), ("path", Path),
    ):  # fmt: skip
        if isinstance(value, types):
            return kind
    if isinstance(value, np.ndarray):
        return "array"
    if isinstance(value, list | tuple) and _numbers(value):
        return "array"
    if isinstance(value, type) or (callable(value) and hasattr(value, "__code__")):
        return "function"
    return "object"


def _numbers(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return len(value) > 0 and all(map(_numbers, value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def drawn(generator: np.random.Generator, heavy: bool = False) -> Damage:
    """Any of them."""
    tags = [tag for tag in DRAWN if not heavy or tag not in _HEAVY]
    tag = tags[int(generator.integers(len(tags)))]
    return Damage(tag, DRAWN[tag][0](generator))


def is_refused(tag: str, kinds: set[str]) -> bool:
    """Must a value of this tag be refused where these kinds are allowed?"""
    return not kinds.intersection(DRAWN[tag][1])


def inside(generator: np.random.Generator, legal: Any, kinds: set[str]) -> tuple[Damage, bool] | None:
    """A list of numbers in which one entry is another thing, and whether it must be refused; None: it is no list."""
    rows = legal.tolist() if isinstance(legal, np.ndarray) else legal
    if not isinstance(rows, list | tuple) or not rows or not _numbers(rows):
        return None
    damage = drawn(generator)

    def put(level: Any) -> Any:
        at = int(generator.integers(len(level)))
        entry = put(level[at]) if isinstance(level[at], list | tuple) and level[at] else damage.value
        return type(level)([*level[:at], entry, *level[at + 1 :]])

    allowed = {"number", "array", *kinds - {"none"}, *({"none"} if "gaps" in kinds else ())}
    refused = is_refused(damage.tag, allowed) and damage.tag not in {"empty text"}
    return Damage(f"an entry that is {damage.tag}", put(rows)), refused
