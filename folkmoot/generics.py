"""Generic functions: one name, and an implementation for each type of its first argument.

Nothing here needs the compiler: the decorators leave functions as they are and only record what each of them is.
`folkmoot.simulation.compiled` hands the record to numba when a compiled loop is first asked for.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

# After `& PLACE` an index below 2**31 is what it was, and a compiler sees that it does not count from the end, which
# otherwise costs as much as some additions.
PLACE = 2**31 - 1


class Recorded(NamedTuple):
    """A function that a compiler is to know, or a type of records that it is to tell apart from others."""

    what: Literal["kernel", "inlined", "generic", "record"]
    subject: Any  # the function, or the type


GENERICS: dict[str, Callable[..., Any]] = {}
IMPLEMENTATIONS: dict[tuple[type, str], Callable[..., Any]] = {}
_RECORDED: list[Recorded] = []
_COMPILERS: list[Callable[[Recorded], None]] = []


def tell(compiler: Callable[[Recorded], None]) -> None:
    """Tell this compiler of everything recorded so far, and from now on of what is recorded later."""
    for recorded in _RECORDED:
        compiler(recorded)
    _COMPILERS.append(compiler)


def _record(what: Literal["kernel", "inlined", "generic", "record"], subject: Any) -> None:
    _RECORDED.append(Recorded(what, subject))
    for compiler in _COMPILERS:
        compiler(_RECORDED[-1])


def kernel(function: F) -> F:
    """Mark a helper that kernels call: ordinary Python, compiled when a compiled function calls it."""
    _record("kernel", function)
    return function


def inlined(function: F) -> F:
    """Mark a kernel that is merged into its caller: for small functions of many arguments (docs/decisions/0002)."""
    _record("inlined", function)
    return function


def implementation(record: type, name: str) -> Callable[..., Any]:
    """The function registered for this record type, or the generic's own body as the default."""
    return IMPLEMENTATIONS.get((record, name), GENERICS[name])


def generic(default: F) -> F:
    """Make a function generic in the type of its first argument; its own body is the default."""
    name = default.__name__
    GENERICS[name] = default

    @wraps(default)
    def call(*args: Any) -> Any:
        return implementation(type(args[0]), name)(*args)

    _record("generic", call)
    return call  # type: ignore[return-value]


def implements(record: type) -> Callable[[F], F]:
    """Register a function as the implementation, for one record type, of the generic it is named after.

    Raises:
        TypeError: there is no such generic, or its arguments differ.
        ValueError: the pair is registered already (compiled code would go stale).
    """

    def register(function: F) -> F:
        name = function.__name__
        if name not in GENERICS:
            raise TypeError(f"{name}: no such interface function; there are {', '.join(GENERICS)}")
        expected = list(inspect.signature(GENERICS[name]).parameters)
        if list(inspect.signature(function).parameters) != expected:
            raise TypeError(f"{name} must take ({', '.join(expected)})")
        if (record, name) in IMPLEMENTATIONS:
            raise ValueError(
                f"{name} is already defined for {record.__qualname__}: define the record type again "
                "first (in a notebook, run its cell again), so that no compiled code goes stale"
            )
        _record("record", record)
        IMPLEMENTATIONS[record, name] = function
        return function

    return register
