"""Where things that are found by name live, so that a low room of the house need not know a high one.

A file names a kind of ledger or of result, never a module. The room that reads the file asks here; `folkmoot/__init__`,
which may know everybody, says at import what there is, as "module:attribute". A program of one's own enters its kinds
the same way: `folkmoot.ledger.KINDS["mine"] = "my_module:RULES"`.
"""

import importlib
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
