"""What sets the cells of a grid apart, as columns: the algorithm, and a column for each value that was swept."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALGORITHM = "algorithm"
_SAME = ("horizon", "n_agents", "n_arms", "seed")  # a column of this name holds the swept value already


def settings_of(result: Any) -> dict[str, Any]:
    """What a result's cell was set to, by name; of what is no cell of a grid nothing."""
    cell = result.configuration.get("cell")
    settings = cell.get("settings") if isinstance(cell, Mapping) else None
    return {str(key): _plain(value) for key, value in settings.items()} if isinstance(settings, Mapping) else {}


def label_of(name: str, result: Any) -> str:
    """The name without the swept values, which have columns of their own; a name that a user chose stays."""
    if name != result.name or not settings_of(result):
        return name
    return str(result.configuration["cell"].get("label", name))


def swept_columns(results: Mapping[str, Any], taken: Collection[str]) -> dict[str, list[Any]]:
    """A column for each swept setting, with a value for each result; None where its cell has no such setting.

    Args:
        results: by name.
        taken: names of the other columns. A setting of such a name gets `swept_` before it.
    """
    found = [settings_of(result) for result in results.values()]
    keys = [key for key in dict.fromkeys(key for one in found for key in one) if key not in taken or key not in _SAME]
    return {f"swept_{key}" if key in taken else key: [one.get(key) for one in found] for key in keys}


def as_array(values: Sequence[Any]) -> NDArray[Any]:
    """A column as an array: int64 or float64 (NaN is none) where all are numbers, else text ("" is none)."""
    some = [value for value in values if value is not None]
    if some and all(type(value) is int for value in values):
        return np.array(values, np.int64)
    if some and all(type(value) in (int, float) for value in some):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array(["" if value is None else str(value) for value in values], str)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else json.dumps(value, default=str)
