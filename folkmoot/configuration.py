"""Configuration classes, from Python and TOML; and what is wrong with a value, in one line that names its field.

How it works: one class per thing. Python calls it; a file names it in `type`, and `of_kind` looks that up in a table
of classes and reads the other keys. What a file cannot say by itself (where its folder is, how many agents there are)
is the *context*, handed in by whoever reads the file. In a file the types of plain values are checked field by field,
so that an error has its place; Python also takes arrays and graphs. What a value means is checked for both alike.
"""

import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, PlainValidator, ValidationError
from pydantic_core import ErrorDetails, core_schema

from folkmoot import own_code
from folkmoot.doors import number_or_word, plain, words_of
from folkmoot.errors import brief
from folkmoot.meant import choices, either, first_of, unknown_field, wanted
from folkmoot.sameness import hashed, same

Place = tuple[str | int, ...]
LEFT_OUT: Any = None  # the value of a field when a file has another one in its place

_SHOWN, _SHOWN_NUMBERS = 60, 8  # in an error: characters of a value, numbers of an array
_EXPECTED = {
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "string_type": "expected text in quotes",
    "bool_type": "expected true or false",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "model_attributes_type": "expected a table",
    "literal_error": "allowed are {expected}",
    "too_short": "expected at least {min_length} of them",
}


def path(place: Sequence[str | int]) -> str:
    """`network.link_probability`, `algorithm[0].delta`; entries of lists count from 0, as agents do."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def shown(value: object) -> str:
    """A value as an error repeats it: on one line, cut when long."""
    text = str(value).lower() if isinstance(value, bool) else " ".join(repr(value).split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _place(error: ErrorDetails, document: Any) -> Place:
    """Where it is in the document: pydantic's place without the tags of unions, which none contains."""
    out: list[str | int] = []
    steps = error["loc"]
    for number, step in enumerate(steps):
        inside = (isinstance(document, Mapping) and step in document) or (
            isinstance(document, list | tuple) and isinstance(step, int) and step < len(document)
        )
        if inside:
            document = document[step]
            out.append(step)
        elif number == len(steps) - 1 and error["type"] == "missing":
            out.append(step)
    return tuple(out)


def _parts(
    error: ErrorDetails, place: Place, allowed: Mapping[Place, Iterable[str]], model: type[BaseModel] | None
) -> tuple[str, str]:
    """What is wrong ("" if that has no name), and what was expected."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    name = path(place)
    if kind == "missing":
        return name, "; ".join(["missing", *wanted(model, error["loc"])])
    if kind == "union_tag_not_found":
        if not isinstance(value, Mapping):
            return f"{name} = {shown(value)}", "expected a table"
        return f"{name}.type", f"missing; allowed are {', '.join(allowed.get(place, ()))}"
    if kind == "union_tag_invalid":
        known = [tag.strip("' ") for tag in context["expected_tags"].split(",")]
        return f"{name}.type = {shown(context['tag'])}", choices(str(context["tag"]), known)
    if kind == "unknown_field":
        return name, error["msg"]
    if kind in _EXPECTED:
        limits = {key: f"{limit:g}" if isinstance(limit, float) else limit for key, limit in context.items()}
        what = _EXPECTED[kind].format(**limits)
        if kind.startswith("int_") and isinstance(value, float) and value.is_integer():
            what += f"; write {int(value)}"
        if kind == "list_type" and place == ("algorithm",) and isinstance(value, Mapping):
            what += "; write [[algorithm]], with two brackets, for each of them"
    else:
        what = error["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    return f"{name} = {shown(value)}" if name and not isinstance(value, Mapping | list) else name, what


class Wrong(ValueError):
    """What is wrong with a table of a file: as lines, once the place of the table is known.

    Args:
        lines: from that place to one line for each thing that is wrong.
    """

    def __init__(self, lines: "Callable[[Place], list[str]]") -> None:
        super().__init__("; ".join(lines(())))
        self.lines = lines


class Later(ValueError):
    """What a file says here can be judged only with a context that is not known, because another table is wrong."""


def lines(
    error: ValidationError, document: Any, prefix: Place = (), allowed: Mapping[Place, Iterable[str]] | None = None,
    model: type[BaseModel] | None = None,
) -> list[str]:  # fmt: skip
    """One line for each thing pydantic found wrong; what a value of several kinds might have been stands in one.

    Args:
        error: what it raised.
        document: the plain values it looked at.
        prefix: where these stand in the file.
        allowed: the values that `type` may have, for each place of a table that needs one.
        model: the class that was to be made, so that of a field that is missing it can be said what is allowed.
    """
    found: dict[tuple[str, int], list[str]] = {}
    every = error.errors(include_url=False)
    places = [one["loc"] for one in every]
    for number, one in enumerate(every):
        if one["type"] == "too_short" and any(inside[: len(one["loc"])] == one["loc"] != inside for inside in places):
            continue  # there were enough, but something is wrong in them
        place = (*prefix, *_place(one, document))
        inner = one.get("ctx", {}).get("error")
        if isinstance(inner, Wrong):
            found["", number] = inner.lines(place)
        elif not isinstance(inner, Later):
            subject, what = _parts(one, place, allowed or {}, model)
            found.setdefault((subject, 0 if subject else number), []).append(what)
    said = [[f"{subject}: {either(whats)}"] if subject else whats for (subject, _), whats in found.items()]
    return [line for some in said for line in some]


class Short:
    """A value that `repr` shows in a few words, however large it is."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        if isinstance(value := self._value, np.ndarray):
            return str(value.tolist()) if value.size <= _SHOWN_NUMBERS else f"{value.dtype}{list(value.shape)}"
        return repr(value) if isinstance(value, Configuration) else shown(value)


class Configuration(BaseModel):
    """What a user writes: validated, immutable, the same from Python and from TOML.

    Two are equal if they are of one class and say the same; arrays are compared by their numbers.

    Attributes:
        says_its_name: does an error begin with the name of the class?

    Raises:
        ValueError: a field that is unknown, missing or out of range, in one line.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, allow_inf_nan=False
    )
    says_its_name: ClassVar[bool] = True
    _numbers_only: ClassVar[frozenset[str]] = frozenset()  # fields for which pydantic takes whatever converts to one
    _listed: ClassVar[Mapping[str, tuple[Any, ...]]] = {}  # fields for which it takes whatever equals one of these

    def __init__(self, /, **given: Any) -> None:
        name = f"{type(self).__name__}: "
        if wrong := unknown_field(given, self.written_names()):
            raise ValueError(f"{name}{wrong}")
        name, given = name if self.says_its_name else "", {field: plain(value, field) for field, value in given.items()}
        for field, value in given.items():
            if field in self._numbers_only and hasattr(value, "__float__") and not isinstance(value, int | float):
                raise ValueError(f"{name}{field} = {brief(value)}: expected a number")
            if field in self._listed and not isinstance(value, str | int | None):
                raise ValueError(f"{name}{field} = {brief(value)}: allowed are {str(self._listed[field])[1:-1]}")
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise ValueError(f"{name}{first_of(lines(error, given, model=type(self)))}") from None

    def __init_subclass__(cls, **options: Any) -> None:
        """A constructor of one's own (for arguments by position) only names the fields: see below."""
        super().__init_subclass__(**options)
        own = cls.__dict__.get("__init__")
        if own is not None:
            own.__pydantic_base_init__ = True

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Refuse a field that a property would hide: its value could never be read."""
        super().__pydantic_init_subclass__(**options)
        for name in cls.model_fields:
            if any(isinstance(vars(base).get(name), property | cached_property) for base in cls.__mro__):
                raise TypeError(
                    f"{cls.__name__}: field {name!r} has the name of a property; call it something else, with "
                    f"Field(alias={name!r})"
                )
        cls._numbers_only = frozenset(
            field.alias or name for name, field in cls.model_fields.items() if number_or_word(field.annotation)
        )
        fields = {field.alias or name: words_of(field.annotation) for name, field in cls.model_fields.items()}
        cls._listed = {name: words for name, words in fields.items() if words}

    @classmethod
    def written_names(cls) -> list[str]:
        """The names of the fields as they are written."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    def _write(self, **given: Any) -> None:
        """For a constructor that takes arguments by position: the fields, named as in a file."""
        Configuration.__init__(self, **given)

    def _settle(self, **values: Any) -> Self:
        """Put checked values in place of the given ones; for validators only, before anyone else has seen this."""
        self.__dict__.update(values)
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy. Changes are checked as everything that is written; what is derived from them is made anew.

        Raises:
            ValueError: as the class itself does.
        """
        if not update:
            return super().model_copy(deep=deep)
        names = zip(type(self).model_fields, self.written_names(), strict=True)
        copy = type(self).__new__(type(self))
        copy._write(**{**{written: getattr(self, name) for name, written in names}, **update})
        return copy

    if not TYPE_CHECKING:  # where a type checker would take it that every attribute may be set

        def __setattr__(self, name: str, value: Any) -> None:
            if not name.startswith("_"):
                raise ValueError(self._never("set", name))
            super().__setattr__(name, value)

        def __delattr__(self, name: str) -> None:
            if not name.startswith("_"):
                raise ValueError(self._never("deleted", name))
            super().__delattr__(name)

    def _never(self, done: str, name: str) -> str:
        field = type(self).model_fields.get(name)
        copy = f"use model_copy(update={{{(field.alias or name if field else name)!r}: ...}})"
        return f"{type(self).__name__}: {name} cannot be {done}: a configuration stays as it is; {copy}"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return False
        return all(same(getattr(self, name), getattr(other, name)) for name in type(self).model_fields)

    def __hash__(self) -> int:
        return hash((type(self), *(hashed(getattr(self, name)) for name in type(self).model_fields)))

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """The fields as they are written, large ones in short."""
        for name, field in type(self).model_fields.items():
            if field.repr:
                yield field.alias or name, Short(getattr(self, name))

    def describe(self) -> dict[str, Any]:
        """The configuration as plain values, for provenance."""
        return {"type": type(self).__name__, **self.model_dump(mode="json")}

    # Validation that does not begin here (from JSON) is to leave this out, as it does BaseModel's own: its errors
    # are pydantic's, for whoever knows the place in the file.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


C = TypeVar("C", bound=Configuration)


class Kinds(MutableMapping[str, type[C]], Generic[C]):
    """A table: the names that files use, and the class of each. Classes of the package are loaded when asked for.

    Args:
        places: each class, or its "module:Class", by name.
        base: "module:Class" of what they all are; with it a file may also name a class of its own, as "module:Class".
    """

    def __init__(self, places: Mapping[str, str | type[C]], base: str | None = None) -> None:
        self._classes: dict[str, str | type[C]] = dict(places)
        self.base = base

    def __getitem__(self, name: str) -> type[C]:
        found = self._classes[name]
        if isinstance(found, str):
            module, _, attribute = found.partition(":")
            found = self._classes[name] = getattr(importlib.import_module(module), attribute)
        return found

    def __setitem__(self, name: str, kind: type[C]) -> None:
        self._classes[name] = kind

    def __delitem__(self, name: str) -> None:
        del self._classes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


def read_table(kind: type[C], fields: Any, context: Any) -> C:
    """A table of a file as a configuration.

    Args:
        kind: its class.
        fields: plain values, as a file has them.
        context: what the file cannot say by itself; not None, which stands for Python.

    Raises:
        Wrong: what is wrong, wherever the table may stand.
    """
    if not isinstance(fields, Mapping):
        raise Wrong(lambda place: [f"{path(place)} = {shown(fields)}: expected a table"])
    if unknown := unknown_field(fields, kind.written_names()):
        raise Wrong(lambda place: [f"{path(place)}: {unknown}"])
    try:  # by way of JSON: TOML, too, has no tuples
        return kind.model_validate_json(json.dumps(fields, default=str), context=context)
    except ValidationError as found:
        error = found
        raise Wrong(lambda place: lines(error, fields, place, model=kind)) from None


def of_kind(kinds: Mapping[str, type[C]], table: Any, context: Any) -> C:
    """A table of a file whose `type` names a class and whose other keys are that class's fields.

    Raises:
        Wrong: see read_table; also when `type` is missing or unknown.
    """
    if not isinstance(table, Mapping):
        raise Wrong(lambda place: [f"{path(place)} = {shown(table)}: expected a table"])
    name = table.get("type")
    if name is None:
        raise Wrong(lambda place: [f"{path(place)}.type: missing; allowed are {', '.join(kinds)}"])
    base = getattr(kinds, "base", None)
    if base is not None and isinstance(name, str) and ":" in name:
        try:
            kind: type[C] = own_code.load(name, base, getattr(context, "folder", None))
        except ValueError as error:
            text = str(error)
            raise Wrong(lambda place: [f"{path(place)}.type = {shown(name)}: {text}"]) from error
    elif isinstance(name, str) and name in kinds:
        kind = kinds[name]
    else:
        is_text = isinstance(name, str)
        known = choices(name, kinds) if is_text else f"expected text in quotes; allowed are {', '.join(kinds)}"
        raise Wrong(lambda place: [f"{path(place)}.type = {shown(name)}: {known}"])
    return read_table(kind, {key: value for key, value in table.items() if key != "type"}, context)


class Plain:
    """Marks a field that in a file has this plain type; from Python the class itself checks what it is given.

    So arrays and graphs are never turned into lists, and what is wrong in a file has its place. The annotated type
    is the one that everybody reads once the class has checked the value, for Python and files alike.
    """

    def __init__(self, in_file: Any) -> None:
        self._in_file = in_file

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        def checked(given: Any, inner: Callable[[Any], Any], info: core_schema.ValidationInfo[Any]) -> Any:
            return given if info.context is None else inner(given)

        return core_schema.with_info_wrap_validator_function(checked, handler.generate_schema(self._in_file))


def part(kinds: Mapping[str, type[C]]) -> PlainValidator:
    """Marks a field that is a configuration itself; a file has a table there, with a `type`."""
    return PlainValidator(lambda given, info: given if info.context is None else of_kind(kinds, given, info.context))
