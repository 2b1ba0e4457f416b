"""What is wrong with an experiment file, in one line that names the field."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

Place = tuple[str | int, ...]

_SHOWN = 60  # characters of a wrong value that an error repeats
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
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "model_attributes_type": "expected a table",
    "literal_error": "allowed are {expected}",
    "too_short": "expected at least {min_length} of them",
}


def choices(given: str, allowed: Iterable[str]) -> str:
    """The sentence after an unknown name: the nearest known one, and all of them."""
    names = list(allowed)
    near = get_close_matches(given, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown; {hint}allowed are {', '.join(names)}"


def unknown_field(given: Iterable[str], allowed: Iterable[str]) -> str | None:
    """What to say about the first field that is not allowed; None if all are."""
    names = list(allowed)
    for name in given:
        if name not in names:
            return f"field {name!r}: {choices(name, names)}"
    return None


class Section(BaseModel):
    """A table of an experiment file: strict, immutable, no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _only_known_fields(cls, given: Any) -> Any:
        text = unknown_field(given, cls.model_fields) if isinstance(given, dict) else None
        if text is not None:
            raise PydanticCustomError("unknown_field", "{text}", {"text": text})
        return given


def path(place: Sequence[str | int]) -> str:
    """`network.link_probability`, `algorithm[0].delta`; entries of lists count from 0, as agents do."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def shown(value: object) -> str:
    """A value as an error repeats it, cut when long."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _place(error: ErrorDetails, document: Any) -> Place:
    """Where it is in the file: pydantic's place without the tags of unions, which no file contains."""
    out: list[str | int] = []
    steps = error["loc"]
    for number, step in enumerate(steps):
        inside = (isinstance(document, Mapping) and step in document) or (
            isinstance(document, list) and isinstance(step, int) and step < len(document)
        )
        if inside:
            document = document[step]
            out.append(step)
        elif number == len(steps) - 1 and error["type"] == "missing":
            out.append(step)
    return tuple(out)


def _line(error: ErrorDetails, place: Place, allowed: Mapping[Place, Iterable[str]]) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    name = path(place)
    if kind == "missing":
        return f"{name}: missing"
    if kind == "union_tag_not_found":
        table = isinstance(value, Mapping)
        missing = f"{name}.type: missing; allowed are {', '.join(allowed.get(place, ()))}"
        return missing if table else f"{name} = {shown(value)}: expected a table"
    if kind == "union_tag_invalid":
        known = [tag.strip("' ") for tag in context["expected_tags"].split(",")]
        return f"{name}.type = {shown(context['tag'])}: {choices(str(context['tag']), known)}"
    if kind == "unknown_field":
        return f"{name}: {error['msg']}" if name else error["msg"]
    if kind in _EXPECTED:
        what = _EXPECTED[kind].format(**context)
    else:
        what = error["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    if not name:
        return what
    return f"{name}: {what}" if isinstance(value, Mapping | list) else f"{name} = {shown(value)}: {what}"


def lines(
    error: ValidationError, document: Any, prefix: Place = (), allowed: Mapping[Place, Iterable[str]] | None = None
) -> list[str]:
    """One line for each thing pydantic found wrong.

    Args:
        error: what it raised.
        document: the plain values it looked at.
        prefix: where these stand in the file.
        allowed: the values that `type` may have, for each place of a table that needs one.
    """
    found = error.errors(include_url=False)
    return [_line(one, (*prefix, *_place(one, document)), allowed or {}) for one in found]


def first_of(problems: Sequence[str]) -> str:
    """The first problem, and how many more there are."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return problems[0] + more
