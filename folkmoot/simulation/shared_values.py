"""Long values that several results share stand once in a file: each place that has one says which.

How it works. A value is a mapping or a list somewhere in a configuration, and its text in JSON is what is compared.
Where a long one occurs more than once, `{"shared": n}` stands in its place, and the n-th of a list beside the results
is the value. A grid of many cells repeats tables of means and lists of links otherwise. A value there may refer to
those before it. A mapping that looks like a reference and is none stands there inside a list.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from folkmoot.errors import DamagedFile

_LONG = 200  # characters of JSON; what is shorter is easier to read in its place
_KEY = "shared"


def taken_out(told: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[Any]]:
    """Configurations with references, and the values that these are to.

    Args:
        told: configurations as plain values.
    """
    plain = json.loads(json.dumps(list(told)))
    texts: dict[int, str] = {}
    counts: Counter[str] = Counter()
    for one in plain:
        for value in one.values():
            _count(value, texts, counts)
    numbers: dict[str, int] = {}
    values: list[Any] = []

    def written(value: Any, floor: int = 1) -> Any:
        text = texts.get(id(value), "")
        looks = isinstance(value, dict) and set(value) == {_KEY}  # a value that could be taken for a reference
        if not looks and not (len(text) > _LONG and counts[text] > floor):
            return _inside(value, floor)
        if text not in numbers:
            inner = value if looks else _inside(value, counts[text])  # what it has in common with other values
            numbers[text] = len(values)
            values.append([value] if looks else inner)
        return {_KEY: numbers[text]}

    def _inside(value: Any, floor: int) -> Any:
        return {key: written(inner, floor) for key, inner in value.items()} if isinstance(value, dict) else value

    return [{key: written(value) for key, value in one.items()} for one in plain], values


def _count(value: Any, texts: dict[int, str], counts: "Counter[str]") -> None:
    """The texts of a value and of all in it, of lists as a whole."""
    if isinstance(value, dict | list):
        text = texts[id(value)] = json.dumps(value, sort_keys=True)
        counts[text] += 1
        for inner in value.values() if isinstance(value, dict) else ():
            _count(inner, texts, counts)


def put_back(value: Any, values: Sequence[Any]) -> Any:
    """The value with what its references are to.

    Raises:
        DamagedFile: a reference to nothing.
    """
    if not isinstance(value, dict):
        return value
    if set(value) == {_KEY}:
        n = value[_KEY]
        if type(n) is not int or not 0 <= n < len(values):
            raise DamagedFile(f"shared value {n!r}: there are {len(values)}")
        value = values[n]
        looks = isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and set(value[0]) == {_KEY}
        return value[0] if looks else put_back(value, values[:n])  # a shared value refers to those before it
    return {key: put_back(inner, values) for key, inner in value.items()}
