"""How a system's messages are bytes: a number for each type, fields by their names, strict decoding within bounds."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from folkmoot.encoding import Limits, Malformed, decode, encode
from folkmoot.layouts import Layout, layout_of

Shape: TypeAlias = tuple[int, ...]  # of a system: its members, and what else bounds a field


class Field(NamedTuple):
    """What a field of this name holds, in every message that has one."""

    type: type
    fits: Callable[[Any, Shape], bool]  # is a value of this type in range?
    most: int = 0  # bytes of its encoding, at most; 0: that is for each system to say
    by_form: bool = False  # do types and lengths alone say whether a value fits, whatever the shape?


HEAD = 5  # bytes of a type and a length in the encoding of a value
START = HEAD + HEAD + 1  # first bytes of a message: of the tuple, and the number of a message's type
_MOST_LAYOUTS = 1 << 7  # of messages that were read, remembered
_LONGEST_LEARNT = 1 << 16  # bytes of one


class _Seen(NamedTuple):
    """How a message lay that was read, and what its form does not say of the next one that lies so."""

    layout: Layout
    kind: type[Any]
    looks: tuple[tuple[int, str, Callable[[Any, Shape], bool]], ...]  # place, name of the field, does its content fit?


class Forms:
    """The messages of one system, each with one encoding: (number of its type, field, field, ...).

    The name of a kind of message is that of its type in small letters: of `ReportSent` it is "report sent".

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
        self._names = {kind: _words(kind.__name__) for kind in kinds.values()}
        starts = {encode((n, *([None] * len(kind._fields))))[:START]: kind for n, kind in kinds.items()}
        self._starts = {start: self._names[kind] for start, kind in starts.items()}
        self._types = {kind: tuple(field.type for field in of) for kind, of in self._fields.items()}
        self._seen: dict[tuple[int, bytes], _Seen] = {}  # by the length of a message and its first bytes

    @property
    def names(self) -> frozenset[str]:
        """Of all kinds of messages."""
        return frozenset(self._names.values())

    def name(self, kind: type[Any]) -> str:
        """Of a kind of message."""
        return self._names[kind]

    def kind_of(self, data: bytes) -> str:
        """The name of the kind these bytes begin like; empty: no kind's. No more than that is looked at."""
        return self._starts.get(data[:START], "") if type(data) is bytes else ""

    def largest(self, kind: type[Any], sizes: Mapping[str, int]) -> int:
        """Bytes of the largest message of a kind.

        `sizes`: bytes of the content of those of its fields whose own form does not bound them, by their names.
        """
        fields = zip(kind._fields, self._fields[kind])
        size = sum(HEAD + sizes[name] if name in sizes else _bounded(name, field) for name, field in fields)
        return min(START + size, self.limits.size)

    def to_bytes(self, message: Any) -> bytes:
        """The one encoding of a message."""
        return encode((self._numbers[type(message)], *message), self.limits)

    def from_bytes(self, data: bytes, shape: Shape) -> Any:
        """The message with this encoding; its form is right and its numbers are in range, no more is known.

        Raises:
            Malformed: there is none.
        """
        if type(data) is bytes and (seen := self._seen.get((len(data), data[:START]))) is not None:
            value = seen.layout.read(data)
            if value is not None:
                return self._looked_at(seen, value, shape)
        value = decode(data, self.limits)
        if type(value) is not tuple or not value or type(value[0]) is not int or value[0] not in self._kinds:
            raise Malformed("message of no known kind")
        kind, found = self._kinds[value[0]], value[1:]
        if tuple(map(type, found)) != self._types[kind]:
            raise Malformed(f"{kind.__name__}: expected {', '.join(kind._fields)}")
        for name, field, content in zip(kind._fields, self._fields[kind], found):
            if not field.fits(content, shape):
                raise Malformed(f"{kind.__name__}: {name} out of range")
        message = self._whole_message(kind, found)
        if len(data) <= _LONGEST_LEARNT and (layout := layout_of(value)) is not None:
            self._learn(data, layout, kind)
        return message

    def _looked_at(self, seen: _Seen, value: tuple[Any, ...], shape: Shape) -> Any:
        for place, name, fits in seen.looks:
            if not fits(value[place], shape):
                raise Malformed(f"{seen.kind.__name__}: {name} out of range")
        return self._whole_message(seen.kind, value[1:])

    def _whole_message(self, kind: type[Any], fields: tuple[Any, ...]) -> Any:
        message = kind(*fields)
        wrong = self._whole(message)
        if wrong is not None:
            raise Malformed(f"{kind.__name__}: {wrong}")
        return message

    def _learn(self, data: bytes, layout: Layout, kind: type[Any]) -> None:
        """The next message that lies so need not be decoded item by item."""
        if len(self._seen) >= _MOST_LAYOUTS:
            self._seen.clear()  # somebody sends all lengths there are
        fields = enumerate(zip(kind._fields, self._fields[kind]), 1)
        looks = tuple((place, name, field.fits) for place, (name, field) in fields if not field.by_form)
        self._seen[len(data), data[:START]] = _Seen(layout, kind, looks)


def _words(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _bounded(name: str, field: Field) -> int:
    if field.most == 0:
        raise ValueError(f"{name}: nothing says how large it may be")
    return field.most
