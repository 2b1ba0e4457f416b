"""Configuration classes, from Python and TOML; and what is wrong with a value, in one line that names its field."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

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
    "tuple_type": "expected a list",
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


def _parts(error: ErrorDetails, place: Place, allowed: Mapping[Place, Iterable[str]]) -> tuple[str, str]:
    """What is wrong ("" if that has no name), and what was expected."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    name = path(place)
    if kind == "missing":
        return name, "missing"
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
    else:
        what = error["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    return f"{name} = {shown(value)}" if name and not isinstance(value, Mapping | list) else name, what


def lines(
    error: ValidationError, document: Any, prefix: Place = (), allowed: Mapping[Place, Iterable[str]] | None = None
) -> list[str]:
    """One line for each thing pydantic found wrong; what a value of several kinds might have been stands in one.

    Args:
        error: what it raised.
        document: the plain values it looked at.
        prefix: where these stand in the file.
        allowed: the values that `type` may have, for each place of a table that needs one.
    """
    found: dict[tuple[str, int], list[str]] = {}
    for number, one in enumerate(error.errors(include_url=False)):
        subject, what = _parts(one, (*prefix, *_place(one, document)), allowed or {})
        found.setdefault((subject, 0 if subject else number), []).append(what)
    return [f"{subject}: {_either(whats)}" if subject else whats[0] for (subject, _), whats in found.items()]


def _either(whats: Sequence[str]) -> str:
    """`expected a number, or 'estimate'`."""
    return ", or ".join([whats[0], *(w.removeprefix("expected ").removeprefix("allowed are ") for w in whats[1:])])


def first_of(problems: Sequence[str]) -> str:
    """The first problem, and how many more there are."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return problems[0] + more


class Configuration(BaseModel):
    """What a user writes: validated, immutable, the same from Python and from TOML.

    Raises:
        ValueError: a field that is unknown, missing or out of range, in one line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)

    def __init__(self, /, **given: Any) -> None:
        name = type(self).__name__
        wrong = unknown_field(given, type(self).model_fields)
        if wrong is not None:
            raise ValueError(f"{name}: {wrong}")
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise ValueError(f"{name}: {first_of(lines(error, given))}") from None

    def describe(self) -> dict[str, Any]:
        """The configuration as plain values, for provenance."""
        return {"type": type(self).__name__, **self.model_dump(mode="json")}

    # Validation that does not begin here (from JSON) is to leave this out, as it does BaseModel's own: its errors
    # are pydantic's, for whoever knows the place in the file.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]
