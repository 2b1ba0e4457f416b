"""Where things that are found by name live, so that a low room of the house need not know a high one.

A file names a kind of ledger or of result, never a module. The room that reads the file asks here; `folkmoot/__init__`,
which may know everybody, says at import what there is, as "module:attribute". A program of one's own enters its kinds
the same way: `folkmoot.ledger.KINDS["mine"] = "my_module:RULES"`.
"""

import importlib
import warnings
from typing import Any

LEDGERS = "kinds of ledgers"  # name -> rules, see ledger.rules
RESULTS = "kinds of results"  # name -> class, see simulation.result
MOVED = "names that have moved"  # old dotted name -> where it is now
_TABLES: dict[str, dict[str, str]] = {LEDGERS: {}, RESULTS: {}, MOVED: {}}


def places(table: str) -> dict[str, str]:
    """The table itself: "module:attribute" by name."""
    return _TABLES[table]


def thing(place: str) -> Any:
    """What is at "module:attribute"; the module is imported now.

    Raises:
        ImportError, AttributeError: there is nothing.
    """
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)


def moved(module: str, name: str) -> Any:
    """What a module had under a name before it moved: for the `__getattr__` of the module, with a warning.

    Raises:
        AttributeError: nothing of that name has moved from there.
    """
    place = _TABLES[MOVED].get(f"{module}.{name}")
    if place is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    warnings.warn(f"{module}.{name} is now {place.replace(':', '.')}", DeprecationWarning, stacklevel=3)
    return thing(place)
