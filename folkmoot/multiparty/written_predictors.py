"""Predictors as plain values, for files and for the chain; and what somebody else wrote, read strictly."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, fields
from math import isfinite
from typing import Any

from folkmoot.errors import DamagedFile, brief
from folkmoot.multiparty.predictors import ALL, Predictor
from folkmoot.multiparty.rules.terms import MOST_CLASSES


def told(predictor: Predictor) -> dict[str, Any]:
    """As plain values, for a file."""
    return {"name": predictor.name, **asdict(predictor)}


def from_told(values: Any) -> Predictor:
    """The predictor of which `told` wrote this.

    Raises:
        DamagedFile: it wrote nothing such.
    """
    try:
        return _read(values)
    except ValueError as error:
        raise DamagedFile(f"predictor: {error}") from None


def _read(values: Any) -> Predictor:
    name = values.get("name") if isinstance(values, Mapping) else None
    if type(name) is not str or name not in ALL:
        raise ValueError(f"name = {brief(name)}: expected one of {', '.join(ALL)}")
    kind, given = ALL[name], {field: _tuples(value) for field, value in values.items() if field != "name"}
    known = {field.name: field.default is MISSING for field in fields(kind)}
    wrong = [field for field in given if field not in known]
    if wrong:
        raise ValueError(f"{brief(wrong[0])}: unknown; expected {', '.join(known) or 'nothing'} of {name!r}")
    missing = [field for field, needed in known.items() if needed and field not in given]
    if missing:
        raise ValueError(f"{missing[0]}: missing")
    for field, value in given.items():
        good, expected = _ALLOWED[field]
        if not good(value):
            raise ValueError(f"{field} = {brief(value)}: expected {expected}")
    if "weights" in given:
        rows = {len(given["weights"]), len(given["intercepts"]), len(given["classes"])}
        if len(rows) > 1 or len({len(row) for row in given["weights"]}) != 1:
            raise ValueError("weights, intercepts and classes: expected as many rows, of one length")
    return kind(**given)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def _all(value: Any, good: Callable[[Any], bool]) -> bool:
    return type(value) is tuple and all(map(good, value))


def _number(value: Any) -> bool:
    """Is it a finite number? An integer that no float holds is none."""
    return (type(value) is float and isfinite(value)) or (type(value) is int and abs(value) < 1 << 1023)


def _class(value: Any) -> bool:
    return type(value) is int and 0 <= value < MOST_CLASSES


_ALLOWED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "alpha": (lambda value: _number(value) and 0.0 < value <= 1.0, "a number above 0 and at most 1"),
    "kept": (lambda value: _all(value, lambda one: type(one) is bool), "a list of true and false"),
    "temperatures": (lambda value: _all(value, lambda one: _number(one) and one > 0), "a list of numbers above 0"),
    "weights": (lambda value: _all(value, lambda row: _all(row, _number)), "rows of finite numbers"),
    "intercepts": (lambda value: _all(value, _number), "a list of finite numbers"),
    "classes": (lambda value: _all(value, _class), f"a list of classes, integers from 0 to {MOST_CLASSES - 1}"),
    "models": (_class, f"an integer from 0 to {MOST_CLASSES - 1}"),
}
