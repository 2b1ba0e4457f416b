"""The doors through which numbers and arrays from outside come in: looked at first, converted after.

Whatever a caller hands over is of the kind that is wanted, or is refused by name. Nothing becomes a number on the way:
no truth value, no text, no date, no real part of a complex number, no data behind a mask. An integer that 64 bits
cannot hold exactly is refused too. What is allowed beyond that (a range, a shape) the caller of these functions says.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Literal, TypeGuard

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import brief

Kind = Literal["number", "whole", "flag"]

_TYPES: dict[str, Any] = {"number": np.float64, "whole": np.int64, "flag": np.bool_}
_DTYPES = {"number": "fiu", "whole": "iu", "flag": "b"}
_PLAIN: dict[str, set[type]] = {"number": {int, float}, "whole": {int}, "flag": {bool}}
_CALLED = {
    "b": "true and false", "i": "whole numbers", "u": "whole numbers", "f": "numbers", "c": "complex numbers",
    "S": "bytes", "U": "text", "T": "text", "M": "dates", "m": "times", "V": "records",
}  # fmt: skip
_EXACT = 1 << 53  # integers up to here are numbers of 64 bits
_DEEPEST = 16  # lists inside each other


def number(value: object) -> float:
    """The value as a float; NaN, which is in no range, for what is no number."""
    if not is_whole(value) and not isinstance(value, float | np.floating):
        return float("nan")
    return float(value) if _fits(value, "number") else float("nan")


def is_whole(value: object) -> TypeGuard[int | np.integer]:
    """Is it an integer, of Python or NumPy? A truth value is none, nor is a span of time, which NumPy takes for one."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64)


def whole(name: str, value: object, low: int = 1, high: int = (1 << 32) - 1) -> int:
    """The value as an integer.

    Raises:
        ValueError: not a whole number from `low` to `high`.
    """
    if not is_whole(value) or not low <= value <= high:
        above = "below 2**32" if high == (1 << 32) - 1 else f"at most {high}"
        raise ValueError(f"{name} = {brief(value)}: expected an integer of at least {low} and {above}")
    return int(value)


def flag(name: str, value: object) -> bool:
    """The value as a bool.

    Raises:
        ValueError: neither true nor false.
    """
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} = {brief(value)}: expected true or false")
    return bool(value)


def array(name: str, given: Any, expected: str, kind: Kind = "number") -> NDArray[Any]:
    """A new array of what is given: lists of lists, or whatever NumPy takes for an array.

    Args:
        name: of what it is, for the error.
        given: looked at entry by entry, so that nothing is converted that is not of the kind.
        expected: what is allowed, for the error, such as "numbers [n_agents]".
        kind: "number" gives float64, "whole" int64, "flag" bool. NaN and infinite numbers pass; see `within`.

    Raises:
        ValueError: an entry of another kind, a masked array, or rows of different lengths.
    """
    wrong = _wrong(given, kind, ())
    if wrong is None:
        try:
            # one memory layout, one compilation
            return np.array(_plain(given), _TYPES[kind], order="C")
        except (TypeError, ValueError, OverflowError):
            wrong = ": not of one shape"
    raise ValueError(f"{name}{wrong}: expected {expected}")


def one_or_row(name: str, given: Any, expected: str) -> float | tuple[float, ...]:
    """One finite number, or a row of them as a list, a tuple or an array.

    Args:
        name, expected: see `array`.
        given: looked at as there.

    Raises:
        ValueError: neither, or a row without entries.
    """
    values = array(name, given, expected)
    if values.ndim > 1 or values.size == 0:
        raise ValueError(f"{name} of shape {values.shape}: expected {expected}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} = {brief(given)}: expected {expected}")
    return float(values) if values.ndim == 0 else tuple(values.tolist())


def within(
    values: NDArray[Any], low: float, high: float, entry: Callable[..., str], *, above: bool = False, said: str = ""
) -> None:
    """See that all entries lie in [low, high], or in (low, high] with `above`, and that none is NaN.

    Args:
        values: of numbers.
        low, high: infinite for any finite number.
        entry: the name of an entry, from its place: one number for each axis.
        said: what is allowed, for the error, in place of the range.

    Raises:
        ValueError: the first entry that does not.
    """
    wrong = ~((values > low if above else values >= low) & (values <= high) & np.isfinite(values))
    if wrong.any():
        place = tuple(int(x) for x in np.argwhere(wrong)[0])
        allowed = said or ("a finite number" if np.isinf(high) else f"a number from {low:g} to {high:g}")
        raise ValueError(f"{entry(*place)} = {values[place]}: expected {allowed}")


def _plain(given: Any) -> Any:
    """Arrays of Python's own objects as lists; they have been looked at."""
    return given.tolist() if isinstance(given, np.ndarray) and given.dtype == np.object_ else given


def _wrong(given: Any, kind: Kind, place: tuple[int, ...]) -> str | None:
    """The first thing inside that is not of the kind, as an error says it: " = 'a'", "[0][1] = True"; None: nothing."""
    where = "".join(f"[{step}]" for step in place)
    if isinstance(given, np.ma.MaskedArray):
        return f"{where}: a masked array"
    if isinstance(given, str | bytes | bytearray | date | timedelta) or given is None:
        return f"{where} = {brief(given)}"
    if isinstance(given, Sequence):
        return _wrong_inside(given, kind, place)
    found = given if isinstance(given, np.ndarray) else _as_array(given)
    if found is None:
        return f"{where} = {brief(given)}"
    if isinstance(found, np.ma.MaskedArray):
        return f"{where}: a masked array"
    if found.dtype == np.object_ and found.ndim > 0:
        return _wrong_inside(found.tolist(), kind, place)
    if found.dtype.kind not in _DTYPES[kind]:
        shown = f" = {brief(given)}" if found.ndim == 0 else f": {_CALLED.get(found.dtype.kind, 'objects')}"
        return f"{where}{shown}"
    if not _all_fit(found, kind):
        return f"{where}: numbers that 64 bits cannot hold exactly"
    return None


def _wrong_inside(given: Sequence[Any], kind: Kind, place: tuple[int, ...]) -> str | None:
    types = set(map(type, given))
    if types <= _PLAIN[kind]:
        if int in types:
            for n, entry in enumerate(given):
                if type(entry) is int and not _fits(entry, kind):
                    where = "".join(f"[{step}]" for step in (*place, n))
                    return f"{where} = {brief(entry)}, which 64 bits cannot hold exactly"
        return None
    if len(place) >= _DEEPEST:
        return ": too many lists inside each other"
    for n, entry in enumerate(given):
        wrong = _wrong(entry, kind, (*place, n))
        if wrong is not None:
            return wrong
    return None


def _as_array(given: Any) -> NDArray[Any] | None:
    """What NumPy, a data frame or a tensor makes of it without looking at single entries; None if it is no array."""
    if isinstance(given, bool | int | float | complex):
        fits = not isinstance(given, int) or -(1 << 63) <= given < 1 << 63
        return np.array(given) if fits else None
    if not (isinstance(given, np.generic) or hasattr(given, "__array__")):
        return None
    try:
        found: NDArray[Any] = np.asanyarray(given)
        return found
    except Exception:  # whatever a foreign class raises: it gives no array
        return None


def _fits(value: Any, kind: Kind) -> bool:
    """Is a number the same after it is converted?"""
    if kind == "whole":
        return bool(-(1 << 63) <= value < 1 << 63)
    if isinstance(value, int | np.integer):
        value = int(value)
        return bool(-_EXACT <= value <= _EXACT or (abs(value) < 1 << 1023 and int(float(value)) == value))
    return bool(value != value or float(value) == value)


def _all_fit(found: NDArray[Any], kind: Kind) -> bool:
    if kind == "whole":
        return found.dtype != np.uint64 or not bool((found > np.uint64((1 << 63) - 1)).any())
    if kind == "number" and (found.dtype.itemsize > 8 or found.dtype.kind in "iu"):
        if found.dtype.kind in "iu" and found.dtype.itemsize <= 4:
            return True
        large = found[np.abs(found.astype(np.float64)) >= _EXACT] if found.dtype.kind in "iu" else found.ravel()
        return all(_fits(entry, kind) for entry in large.ravel())
    return True
