"""Entries of a log as values: numbers, times and names, taken exactly as they are written or not at all.

A number of CSV is written with the digits 0 to 9, a sign, a point and an exponent; nothing else is one, also where
Python would take it (`1_000`, digits of other scripts). Times are compared as they stand: whole numbers of any size,
dates to the nanosecond. Numbers, dates, and dates with a time zone are three kinds, which no log mixes.
"""

import re
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from folkmoot import doors

_NUMBER = re.compile(r"[+-]?(\d{1,400}\.?\d{0,400}|\.\d{1,400})([eE][+-]?\d{1,9})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,400}", re.ASCII)
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
NUMBER, DATE, ZONED = "a number", "a date without a time zone", "a date with a time zone"


class Time(NamedTuple):
    """When something was logged."""

    kind: str  # NUMBER, DATE or ZONED
    at: int | float  # the number; of a date nanoseconds since 1970, UTC if it has a time zone


def number(value: Any, texts: bool) -> float | None:
    """An entry as a number; None if it is none, is not finite, or is an integer that 64 bits cannot hold exactly.

    Args:
        value: the entry.
        texts: are all entries texts, as in CSV? Else a text is no number.
    """
    found = _written(value) if isinstance(value, str) and texts else value
    converted = doors.number(found)
    return converted if np.isfinite(converted) else None


def _written(text: str) -> int | float | None:
    """The number that a text is."""
    stripped = text.strip(" \t")
    if _INTEGER.fullmatch(stripped):
        return int(stripped)
    return float(stripped) if _NUMBER.fullmatch(stripped) else None


def time(value: Any) -> Time | None:
    """An entry as a time: a number, or a date; None if it is neither."""
    if isinstance(value, str):
        found = _written(value)
        return _dated(value) if found is None else _counted(found)
    if hasattr(value, "isoformat"):  # a date of Python or of pandas
        return _dated(value.isoformat())
    return _counted(value)


def _counted(value: Any) -> Time | None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    plain = int(value) if isinstance(value, int | np.integer) else float(value)
    return None if isinstance(plain, float) and not np.isfinite(plain) else Time(NUMBER, plain)


def _dated(text: str) -> Time | None:
    """A date in ISO 8601, perhaps with a time of the day and a time zone."""
    found = _DATE.fullmatch(text.strip(" \t"))
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = np.datetime64(f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}", "s")
    except ValueError:  # in no calendar
        return None
    seconds = int(moment.astype(np.int64))
    if zone is not None and zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        if hours > 23 or minutes > 59:
            return None
        seconds -= (3_600 * hours + 60 * minutes) * (-1 if zone[0] == "-" else 1)
    return Time(DATE if zone is None else ZONED, seconds * 1_000_000_000 + int((fraction or "").ljust(9, "0")))


def name(value: Any) -> str | None:
    """An entry as the name of an agent or an arm: a text that is not empty, or a whole number; None: neither."""
    if isinstance(value, str):
        return value.strip() or None
    if not doors.is_whole(value):
        return None
    return str(int(value))


def in_order(names: set[str], what: str) -> list[str]:
    """The names, by number if all are whole numbers, else by text.

    Raises:
        ValueError: one number is written in two ways, such as 1 and 01.
    """
    if not all(found.isascii() and found.isdecimal() for found in names):
        return sorted(names)
    ordered = sorted(names, key=lambda found: (len(found.lstrip("0")), found.lstrip("0"), found))
    for one, other in pairwise(ordered):
        if one.lstrip("0") == other.lstrip("0"):
            raise ValueError(f"{what} {one!r} and {what} {other!r}: one number in two ways; expected one of them")
    return ordered
