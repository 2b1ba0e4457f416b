"""What the compiler says of a user's function that it cannot compile, in one line that names function and line.

Numba's errors tell the whole way down from our loop, in a hundred lines or more; the reason stands at the deepest
place. The full text stays the cause of the error, for whoever wants it.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from folkmoot.interface import IMPLEMENTATIONS

T = TypeVar("T")
_PACKAGE = Path(__file__).resolve().parent.parent
_AT = re.compile(r'File "(?P<path>[^"\n]+)", line (?P<line>\d+):\s*\n(?:\s*@[^\n]*\n)*\s*def (?P<name>\w+)')
_RECORD = re.compile(r"argument \d+: Cannot determine Numba type of <class '(?:\w+\.)*(\w+)'>")
_REASONS = re.compile(
    r"^\s*((?:Unknown attribute|Cannot unify|NameError:|Untyped global name|Use of unsupported|"
    r"Unsupported|NumbaTypeError: (?!Failed)|NumbaValueError: (?!Failed)|non-precise type|Cannot determine|"
    r"Variable|Invalid use of|Only accept returning|Unknown) ?[^\n]*)$",
    re.MULTILINE,
)
_SHOWN = 160  # characters of the compiler's reason


class Uncompiled(ValueError):
    """A function of the user's cannot be compiled."""


def named(run: Callable[[], T], records: tuple[Any, ...]) -> T:
    """Run what compiles a loop for these records.

    Raises:
        Uncompiled: functions of a user cannot be compiled; one line.
    """
    try:
        return run()
    except Exception as error:
        if not type(error).__module__.startswith("numba.") and not _in_the_compiler(error):
            raise
        text = _told(str(error), type(error).__name__, [type(record) for record in _all(records)])
        if text is None:
            raise
        raise Uncompiled(text) from error


def _in_the_compiler(error: BaseException) -> bool:
    """Does a bare AssertionError or the like come from numba?"""
    trace, last = error.__traceback__, ""
    while trace is not None:
        last, trace = trace.tb_frame.f_globals.get("__name__", ""), trace.tb_next
    return last.startswith("numba.")


def _all(record: Any) -> list[Any]:
    """The records and those inside them."""
    if not isinstance(record, tuple):
        return []
    return [record, *(inner for field in record for inner in _all(field))]


def _told(text: str, kind: str, records: list[type]) -> str | None:
    """One line; None if nothing in it is a user's: then the fault is ours."""
    own = {
        name: function
        for (record, name), function in IMPLEMENTATIONS.items()
        if record in records and not function.__module__.startswith("folkmoot.")
    }
    if not own:
        return None
    advice = "engine='interpreted' runs it as plain Python"
    if record := _RECORD.search(text):
        return f"record {record[1]} cannot be compiled: expected numbers, arrays or records of these in its fields"
    reason = _REASONS.findall(text)
    first = " ".join((reason[0] if reason else _first(text) or kind).split())
    for prefix in ("NumbaTypeError: ", "NumbaValueError: "):
        first = first.removeprefix(prefix)
    short = first if len(first) <= _SHOWN else f"{first[: _SHOWN - 3]}..."
    return f"{_where(text, own)} cannot be compiled: {short}; {advice}"


def _first(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _where(text: str, own: dict[str, Any]) -> str:
    """`select (my_module.py, line 12)`: the deepest place that is a user's, or else the function that was asked for."""
    for found in _AT.finditer(text):
        path = Path(found["path"]).resolve()
        if _is_theirs(path):
            return f"{found['name']} ({path.name}, line {found['line']})"
    asked = [name for name in re.findall(r"Function\(<function (\w+) at", text) if name in own]
    names = asked[-1:] or list(own)
    code = own[names[0]].__code__
    file = Path(code.co_filename).name
    if len(names) == 1:
        return f"{names[0]} ({file}, line {code.co_firstlineno})"
    return f"one of {', '.join(names)} ({file})"


def _is_theirs(path: Path) -> bool:
    return _PACKAGE not in path.parents and not {"site-packages", "dist-packages"}.intersection(path.parts)
