"""Pure functions computed once for many: a driver that plays many members in one program hands all of them a `Shared`.

Everybody decodes the same messages and looks at the same blocks, so most of what a member computes another one has
computed just before. A pure function holds no memory for that; it is given a `Call`, by which it calls what is dear.
(Signatures have `folkmoot.signatures.remembering`.)
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")

SMALL = 1 << 11  # bytes of a message that many get, so that to decode it once is worth while


class Call(Protocol):
    """How to call a pure function: `call(function, *arguments)` is its value."""

    def __call__(self, function: Callable[..., Result], /, *arguments: Any) -> Result:
        """The value of the function at these arguments."""


class Latest:
    """The value that was computed last, given again to whoever asks for it by the same name: it may hold much."""

    def __init__(self) -> None:
        self._name: object = None
        self._value: Any = None

    def __call__(self, name: tuple[Any, ...], compute: Callable[[], Result]) -> Result:
        """The value of `compute`, a pure function of what `name` stands for."""
        if name != self._name:
            self._value, self._name = compute(), name
        value: Result = self._value
        return value


def anew(name: tuple[Any, ...], compute: Callable[[], Result]) -> Result:
    """As `Latest`, with nothing remembered."""
    return compute()


def directly(function: Callable[..., Result], /, *arguments: Any) -> Result:
    """Computed anew each time."""
    return function(*arguments)


class Shared:
    """A `Call` that remembers the last `most` values of each function by their arguments, which must be hashable."""

    def __init__(self, most: int = 1 << 11) -> None:
        self._most = most
        self._remembering: dict[Callable[..., Any], Callable[..., Any]] = {}

    def __call__(self, function: Callable[..., Result], /, *arguments: Any) -> Result:
        value: Result = (self._remembering.get(function) or self.of(function))(*arguments)
        return value

    def of(self, function: Callable[..., Result]) -> Callable[..., Result]:
        """The function with its memory, for who calls it many times."""
        remembering = self._remembering.get(function)
        if remembering is None:
            remembering = self._remembering[function] = lru_cache(maxsize=self._most)(function)
        return remembering


def of(call: Call, function: Callable[..., Result]) -> Callable[..., Result]:
    """The function as `call` calls it."""
    return call.of(function) if isinstance(call, Shared) else partial(call, function)
