"""Drawn inputs to every public name and every key of an experiment file.

Each call below is legal. A draw puts something else in the place of one argument: a result, or one clear line, is what
must come of it. What no argument of its kind may be (a date for a number, a list for a name) must be refused.
"""

import inspect
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from folkmoot.errors import OtherSide, brief

from .damages import Damage, drawn, inside, is_refused, kind_of

ALLOWED = (ValueError, OtherSide, OSError, MemoryError, ImportError)
SLOWEST = 120  # seconds, of one call; also of a machine that is busy with something else
LONGEST, LONGEST_NAME = 2_000, 8_000  # characters of an error; of one that names a file


class Also(NamedTuple):
    """A legal value where other kinds are allowed as well; `only`: instead of what the value is.

    Of a list, "gaps" says that an entry of it may be None.
    """

    value: Any
    kinds: str
    only: bool = False


class Heavy(NamedTuple):
    """A legal number that says how much work there is: none is drawn that would be granted and take an hour."""

    value: Any


class Call(NamedTuple):
    """A legal call.

    Attributes:
        function: what is called.
        given: arguments by name.
        slow: the call takes long, so that only what must be refused is drawn.
        only: it takes nothing but names of its own by position.
    """

    function: Callable[..., Any]
    given: dict[str, Any]
    slow: bool = False
    positional: bool = False


class Drawn(NamedTuple):
    """What came of a draw that must not."""

    name: str
    argument: str
    damage: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}({self.argument} = {self.damage}): {self.what}"


def optional(function: Any) -> set[str]:
    """Arguments whose default is None."""
    fields = getattr(function, "model_fields", None)
    if fields is not None:
        return {f.alias or k for k, f in fields.items() if not f.is_required() and f.default is None}
    try:
        found = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return set()
    return {name for name, one in found.items() if one.default is None}


def said(call: Callable[[], Any]) -> str:
    """What is wrong with how a call ended; empty: nothing; "taken" if it was not refused."""
    try:
        with _time_limit(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call()
    except ALLOWED as error:
        text = str(error)
        longest = LONGEST if isinstance(error, ValueError) else LONGEST_NAME
        if not isinstance(error, OSError) and (not text.strip() or "\n" in text or len(text) > longest):
            return f"{type(error).__name__} that is no line: {text[:200]!r}"
        return ""
    except Exception as error:  # whatever it is, it must not be
        return f"{type(error).__name__}: {str(error)[:200]}"
    return "taken"


@contextmanager
def _time_limit() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return

    def late(number: int, frame: Any) -> None:
        raise RuntimeError(f"more than {SLOWEST} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SLOWEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def bare(value: Any) -> Any:
    """The legal value itself."""
    return value.value if isinstance(value, Also | Heavy) else value


def kinds_of(value: Any, optional: bool) -> set[str]:
    """What is allowed in a place."""
    hidden = bare(value) is None or (isinstance(value, Also) and value.only)
    kinds = set() if hidden else {kind_of(bare(value))}
    kinds |= set(value.kinds.split()) if isinstance(value, Also) else set()
    return kinds | ({"none"} if optional or bare(value) is None else set())


def plays(call: Call, given: dict[str, Any]) -> Callable[[], Any]:
    """The call with these arguments."""
    if call.positional:
        return lambda: call.function(*given.values())
    return lambda: call.function(**given)


def draw(name: str, call: Call, generator: np.random.Generator) -> Drawn | None:
    """One draw; None if all is well with it."""
    argument = list(call.given)[int(generator.integers(len(call.given)))]
    legal = call.given[argument]
    kinds = kinds_of(legal, argument in optional(call.function))
    found = inside(generator, bare(legal), kinds) if "array" in kinds and generator.random() < 0.4 else None
    if found is None:
        damage: Damage = drawn(generator, isinstance(legal, Heavy))
        refused = is_refused(damage.tag, kinds)
    else:
        damage, refused = found
    if call.slow and not refused:
        return None
    given = {key: bare(value) for key, value in call.given.items()} | {argument: damage.value}
    what = said(plays(call, given))
    if what == "taken":
        what = f"taken in silence, as {sorted(kinds)}" if refused else ""
    return Drawn(name, argument, f"{damage.tag}, {brief(damage.value):.60}", what) if what else None
