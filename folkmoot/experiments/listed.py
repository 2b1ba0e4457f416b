"""What `folkmoot list` shows, kept in a file: a hundred classes need not be loaded to be named.

How it works. `python -m folkmoot.experiments.catalogue` writes the file from the classes themselves, and a test holds
the two to be equal. A program that has loaded the tables may have added a class of its own: there the tables are asked.
"""

import json
import sys
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("listed.json")


def kinds() -> tuple[str, ...]:
    """What there are lists of."""
    return tuple(_kept())


def entries(kind: str) -> list[tuple[str, str]]:
    """Names and descriptions of one of `kinds`."""
    if "folkmoot.configuration" in sys.modules:  # every table comes with it
        from folkmoot.experiments.catalogue import catalogue

        return catalogue(kind)
    return [(name, text) for name, text in _kept()[kind]]


@cache
def _kept() -> dict[str, list[list[str]]]:
    kept: dict[str, list[list[str]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return kept
