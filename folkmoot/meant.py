"""What is not known or missing: which name was meant, and what is allowed."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel

_LONGEST, _NAMED = 60, 4  # in an error: characters of a field's place, other fields
MOST_COMPARED = 200  # letters: to compare a text of millions takes seconds
_OTHER_WORDS = {  # what others call it
    "ring": ["cycle"], "adversaries": ["corruptions"], "adversary": ["corruption"], "p": ["link_probability", "loss"],
    "c1": ["exploration"], "c": ["exploration", "c1"], "exploration": ["c1"], "rounds": ["horizon"], "t": ["horizon"],
    "runs": ["replicates"], "repetitions": ["replicates"], "graph": ["base", "network"],
    "topology": ["base", "network"],
    "erdosrenyi": ["erdos_renyi"], "er": ["erdos_renyi"], "sbm": ["stochastic_block_model"], "sigma": ["deviation"],
    "arms": ["rewards", "means"], "algorithms": ["algorithm"], "normal": ["gaussian"], "n": ["n_agents"],
}  # fmt: skip


def choices(given: str, allowed: Iterable[str]) -> str:
    """The sentence after an unknown name: the nearest known one, and all of them."""
    names = list(allowed)
    near = _nearest(given, names)
    hint = f"did you mean {near!r}? " if near else ""
    return f"unknown; {hint}allowed are {', '.join(names)}"


def _nearest(given: str, names: Sequence[str]) -> str | None:
    """The name that was meant: another word for it, or a similar one, in whatever case; of a long text none is."""
    if len(given) > MOST_COMPARED:
        return None
    plain = given.lower().replace("-", "_").replace(" ", "_")
    other = next((name for name in _OTHER_WORDS.get(plain, ()) if name in names), None)
    if other is not None:
        return other
    lower = {name.lower(): name for name in names} | {name.lower().replace("_", ""): name for name in names}
    near = get_close_matches(plain, lower, n=1)
    return lower[near[0]] if near else None


def unknown_field(given: Iterable[str], allowed: Iterable[str]) -> str | None:
    """What to say about the first field that is not allowed; None if all are."""
    names = list(allowed)
    for name in given:
        if name not in names:
            return f"field {name!r}: {choices(name, names)}"
    return None


def either(whats: Sequence[str]) -> str:
    """`expected a number, or 'estimate'`."""
    return ", or ".join([whats[0], *(w.removeprefix("expected ").removeprefix("allowed are ") for w in whats[1:])])


def first_of(problems: Sequence[str]) -> str:
    """The first problem, how many more there are, and in which fields."""
    if len(problems) == 1:
        return problems[0]
    fields = list(dict.fromkeys(problem.partition(": ")[0].partition(" = ")[0] for problem in problems[1:]))
    named = [field if len(field) <= _LONGEST else f"{field[: _LONGEST - 3]}..." for field in fields[:_NAMED]]
    return f"{problems[0]} (and {len(problems) - 1} more: {', '.join([*named, *['...'][: len(fields) - len(named)]])})"


def wanted(model: type[BaseModel] | None, place: Sequence[str | int]) -> list[str]:
    """What is allowed at a place below a configuration of this class; nothing, if that cannot be told from its type."""
    hint: Any = model
    rules: tuple[Any, ...] = ()
    for step in place:
        if isinstance(step, int):
            hint = next(iter(get_args(hint)), None)
            continue
        fields = hint.model_fields if isinstance(hint, type) and issubclass(hint, BaseModel) else {}
        found = next((one for name, one in fields.items() if step in (name, one.alias)), None)
        if found is None:
            return []
        hint, rules = found.annotation, tuple(found.metadata)
    return _allowed(hint, rules)


def _allowed(hint: Any, rules: tuple[Any, ...]) -> list[str]:
    """What a type and its limits allow, as a sentence, or nothing."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _allowed(parts[0], (*rules, *parts[1:]))
    if origin is Literal:
        return [f"allowed are {', '.join(repr(one) for one in parts)}"]
    if origin in (Union, UnionType):
        said = [word for part in parts if part is not type(None) for word in _allowed(part, rules)]
        return [either(said)] if said else []
    if hint is str:
        return [_said_by(rules) or "expected text in quotes"]
    if hint in (int, float):
        return [f"expected a {'whole ' if hint is int else ''}number{_range(rules)}"]
    if hint is bool:
        return ["expected true or false"]
    kind = origin or hint
    if not isinstance(kind, type):
        return []
    if issubclass(kind, tuple | list):
        return ["expected a list"]
    return ["expected a table"] if issubclass(kind, Mapping | BaseModel) else []


def _said_by(rules: Iterable[Any]) -> str:
    """What the check of a text says of one that is empty; nothing, if it takes it."""
    for rule in rules:
        if isinstance(rule, AfterValidator):
            try:
                rule.func("")  # type: ignore[call-arg]
            except ValueError as error:
                return str(error)
    return ""


def _range(rules: Iterable[Any]) -> str:
    """` of at least 0 and at most 5`, as far as there are limits."""
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    limits = [(word, getattr(rule, name, None)) for name, word in words.items() for rule in rules]
    said = [f"{word} {limit:.10g}" for word, limit in limits if limit is not None]
    return f", {' and '.join(said)}" if said else ""
