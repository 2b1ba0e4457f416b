"""How a system's messages are bytes: a number for each type, fields by their names, strict decoding within bounds."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from folkmoot.encoding import Limits, Malformed, decode, encode

Shape: TypeAlias = tuple[int, ...]  # of a system: its members, and what else bounds a field


class Field(NamedTuple):
    """What a field of this name holds, in every message that has one."""

    type: type
    fits: Callable[[Any, Shape], bool]  # is a value of this type in range?


class Forms:
    """The messages of one system, each with one encoding: (number of its type, field, field, ...).

    Args:
        kinds: type of a message (a NamedTuple) by its number.
        fields: by their names.
        whole: what must hold for several fields of a message together; returns what is wrong, or None.
        limits: of any message.
    """

    def __init__(
        self,
        kinds: Mapping[int, type[Any]],
        fields: Mapping[str, Field],
        whole: Callable[[Any], str | None],
        limits: Limits,
    ) -> None:
        self._kinds, self._whole, self.limits = dict(kinds), whole, limits
        self._numbers = {kind: number for number, kind in kinds.items()}
        self._fields = {kind: tuple(fields[name] for name in kind._fields) for kind in kinds.values()}
        self._types = {kind: tuple(field.type for field in of) for kind, of in self._fields.items()}

    def to_bytes(self, message: Any) -> bytes:
        """The one encoding of a message."""
        return encode((self._numbers[type(message)], *message), self.limits)

    def from_bytes(self, data: bytes, shape: Shape) -> Any:
        """The message with this encoding; its form is right and its numbers are in range, no more is known.

        Raises:
            Malformed: there is none.
        """
        value = decode(data, self.limits)
        if type(value) is not tuple or not value or type(value[0]) is not int or value[0] not in self._kinds:
            raise Malformed("message of no known kind")
        kind, found = self._kinds[value[0]], value[1:]
        if tuple(map(type, found)) != self._types[kind]:
            raise Malformed(f"{kind.__name__}: expected {', '.join(kind._fields)}")
        for name, field, content in zip(kind._fields, self._fields[kind], found):
            if not field.fits(content, shape):
                raise Malformed(f"{kind.__name__}: {name} out of range")
        message = kind(*found)
        wrong = self._whole(message)
        if wrong is not None:
            raise Malformed(f"{kind.__name__}: {wrong}")
        return message
