"""The doors through which numbers and arrays from outside come in: looked at first, converted after.

Whatever a caller hands over is of the kind that is wanted, or is refused by name. Nothing becomes a number on the way:
no truth value, no text, no date, no real part of a complex number, no data behind a mask. An integer that 64 bits
cannot hold exactly is refused too. What is allowed beyond that (a range, a shape) the caller of these functions says.
"""

import inspect
import os
import types
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import wraps
from typing import Annotated, Any, Literal, TypeGuard, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import brief

F = TypeVar("F", bound=Callable[..., Any])
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


def plain(value: Any, name: str = "value") -> Any:
    """A scalar of NumPy as Python's own number or truth value, also inside dictionaries; all else as it is.

    Raises:
        ValueError: a date or a span of time, which passes for a number elsewhere; with the name.
    """
    if isinstance(value, dict):
        return {key: plain(inner, f"{name}.{key}") for key, inner in value.items()}
    if isinstance(value, np.timedelta64 | np.datetime64):
        raise ValueError(f"{name} = {brief(value)}: a date or a span of time is no number")
    if isinstance(value, np.bool_) or is_whole(value) or (isinstance(value, np.floating) and value.itemsize <= 8):
        return value.item() if isinstance(value, np.generic) else value
    return value


def whole(name: str, value: object, low: int = 1, high: int = (1 << 32) - 1) -> int:
    """The value as an integer.

    Raises:
        ValueError: not a whole number from `low` to `high`.
    """
    found = int(value) if is_whole(value) else low - 1  # converted before it is compared
    if not low <= found <= high:
        above = "below 2**32" if high == (1 << 32) - 1 else f"at most {high}"
        raise ValueError(f"{name} = {brief(value)}: expected an integer of at least {low} and {above}")
    return found


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


def guarded_but(*own: str) -> Callable[[F], F]:
    """As `guarded`, but the function looks at the arguments of these names itself, and says more of them."""
    return lambda function: guarded(function, own)


def guarded(function: F, own: Collection[str] = ()) -> F:
    """Have every argument looked at by what its annotation says, before the function is called.

    Numbers of NumPy become Python's own. Arrays, and what an annotation does not tell, the function looks at itself.
    For what is called by users now and then: a call takes some microseconds longer.

    Raises:
        ValueError: (the function) an argument of another kind, a number that is not finite, or a text that is none of
            those allowed.
    """
    signature = inspect.signature(function)
    hints = {name: _resolved(one.annotation, function) for name, one in signature.parameters.items()}

    @wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        try:
            bound = signature.bind(*args, **named)
        except TypeError:
            return function(*args, **named)  # Python says what is wrong, and of which function
        for name, value in bound.arguments.items():
            kind = signature.parameters[name].kind
            if name not in own and kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL):
                bound.arguments[name] = _fitting(name, value, hints[name])
        return function(*bound.args, **bound.kwargs)

    return call  # type: ignore[return-value]


def _resolved(annotation: Any, function: Any) -> Any:
    """An annotation in quotes as what it names; anything, where that is not loaded."""
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    try:
        written = types.SimpleNamespace(__annotations__={"it": annotation})
        return get_type_hints(written, function.__globals__)["it"]
    except (NameError, AttributeError, TypeError):
        return Any


def _fitting(name: str, value: Any, hint: Any) -> Any:
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for option in options:
        fits, found = _fits_hint(value, option)
        if fits:
            return found
    literal = [option for option in options if get_origin(option) is Literal]
    if literal and len(literal) + (type(None) in options) == len(options):
        allowed = [repr(one) for option in literal for one in get_args(option)]
        raise ValueError(
            f"{name} = {brief(value)}: allowed are {(' and ' if len(allowed) == 2 else ', ').join(allowed)}"
        )
    words = dict.fromkeys(_hint_said(option) for option in options)
    raise ValueError(f"{name} = {brief(value)}: expected {' or '.join(words)}")


def _fits_hint(value: Any, hint: Any) -> tuple[bool, Any]:
    """Is a value of this kind? And the value, as Python's own number where it is one."""
    origin = get_origin(hint) or hint
    if hint is Any:
        return True, value
    if hint is None or hint is type(None):
        return value is None, value
    if hint is bool:
        return isinstance(value, bool | np.bool_), bool(value) if isinstance(value, np.bool_) else value
    if hint is int:
        integer = int(value) if is_whole(value) else 1 << 64  # converted before it is compared
        fits = -(1 << 63) <= integer < 1 << 64
        return fits, integer if fits else value
    if hint is float:
        found = number(value)
        return bool(np.isfinite(found)), found
    if origin is Literal:
        return isinstance(value, str | int) and value in get_args(hint), value
    if hint is str or hint is bytes:
        return type(value) is hint or (hint is str and isinstance(value, str)), value
    if origin is os.PathLike:
        return isinstance(value, os.PathLike), value
    if origin in (Mapping, dict):
        return isinstance(value, Mapping), value
    if origin is Callable:
        return callable(value), value
    if origin in (Sequence, Iterable, list, tuple):
        plain_text = isinstance(value, str | bytes | bytearray)
        return isinstance(value, Iterable) and not plain_text and getattr(value, "shape", (1,)) != (), value
    if isinstance(hint, type) and get_origin(hint) is None and not getattr(hint, "_is_protocol", False):
        return isinstance(value, hint), value
    return True, value


def _hint_said(hint: Any) -> str:
    origin = get_origin(hint) or hint
    named = {
        None: "None", type(None): "None", bool: "true or false", int: "an integer of 64 bits", float: "a finite number",
        str: "text", bytes: "bytes", os.PathLike: "a path", Mapping: "a dictionary", dict: "a dictionary",
        Callable: "a function", Sequence: "a list", Iterable: "a list", list: "a list", tuple: "a tuple",
    }  # fmt: skip
    if origin is Literal:
        return " or ".join(map(repr, get_args(hint)))
    return named.get(origin) or f"a {getattr(hint, '__name__', hint)}"


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


def words_of(annotation: Any) -> tuple[Any, ...]:
    """The values that an annotation allows if it lists them, with None where that is one; empty: it does not."""
    options = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    if not all(option is type(None) or get_origin(option) is Literal for option in options):
        return ()
    return tuple(one for option in options for one in (get_args(option) or (None,)))


def number_or_word(annotation: Any) -> bool:
    """May it be a number, and nothing but numbers, words and None?"""
    annotation = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    options = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    simple = (float, int, str, bool, type(None))
    options = tuple(get_args(option)[0] if get_origin(option) is Annotated else option for option in options)
    return float in options and all(option in simple or get_origin(option) is Literal for option in options)
