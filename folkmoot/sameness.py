"""When two values of a configuration are the same: arrays by their numbers, whatever holds them by its entries."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def same(one: Any, other: Any) -> bool:
    """Are two values of a field equal? Arrays by their numbers."""
    if one is other:
        return True
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return type(one) is type(other) and bool(np.array_equal(one, other))
    if isinstance(one, tuple | list) and type(one) is type(other):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other))
    return bool(one == other)


def hashed(value: Any) -> int:
    """A hash that is the same for values that are."""
    if isinstance(value, np.ndarray):
        return hash((value.shape, value.tobytes()))
    if isinstance(value, Mapping):
        return hash(frozenset((key, hashed(entry)) for key, entry in value.items()))
    return hash(tuple(hashed(entry) for entry in value)) if isinstance(value, tuple | list) else hash(value)
