"""Pure functions computed once for many: a driver that plays many members in one program hands all of them a `Shared`.

Everybody decodes the same messages and looks at the same blocks, so most of what a member computes another one has
computed just before. A pure function holds no memory for that; it is given a `Call`, by which it calls what is dear.
(Signatures have `folkmoot.signatures.remembering`.)
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")

_UNKNOWN: Any = object()
_MOST_BY_FIRST = 4  # functions with other arguments of which is remembered what they give, such as of the last rounds
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


class ByFirst:
    """A pure function of which all arguments but the first stay, for who asks it thousands of times.

    Attributes:
        known: values by the first argument; who finds none there calls `learn`. When it is full all is forgotten: to
            keep the order in which they were asked for would cost more than to compute some anew.
    """

    __slots__ = ("_function", "_most", "_rest", "known")

    def __init__(self, function: Callable[..., Any], rest: tuple[Any, ...], most: int) -> None:
        """`most`: values that are remembered."""
        self._function, self._rest, self._most = function, rest, most
        self.known: dict[Any, Any] = {}

    def learn(self, first: Any) -> Any:
        """The value at this argument, which must be hashable."""
        value = self._function(first, *self._rest)
        if len(self.known) >= self._most:
            self.known.clear()
        if self._most > 0:
            self.known[first] = value
        return value


class Shared:
    """A `Call` that remembers `most` values of each function by their arguments, which must be hashable."""

    def __init__(self, most: int = 1 << 11) -> None:
        self._most = most
        self._known: dict[Callable[..., Any], dict[tuple[Any, ...], Any]] = {}
        self._by_first: dict[tuple[Any, ...], ByFirst] = {}

    def __call__(self, function: Callable[..., Result], /, *arguments: Any) -> Result:
        known = self._known.get(function)
        if known is None:
            known = self._known[function] = {}
        value: Result = known.get(arguments, _UNKNOWN)
        if value is _UNKNOWN:
            value = function(*arguments)
            if len(known) >= self._most:
                known.clear()
            known[arguments] = value
        return value

    def by_first(self, function: Callable[..., Any], rest: tuple[Any, ...]) -> ByFirst:
        """The function with its memory, for who calls it thousands of times with the same other arguments."""
        found = self._by_first.get((function, rest))
        if found is None:
            if len(self._by_first) >= _MOST_BY_FIRST:
                self._by_first.clear()
            found = self._by_first[function, rest] = ByFirst(function, rest, self._most)
        return found


def by_first(call: Call, function: Callable[..., Any], *rest: Any) -> ByFirst:
    """The function at these other arguments as `call` calls it."""
    return call.by_first(function, rest) if isinstance(call, Shared) else ByFirst(function, rest, 0)
