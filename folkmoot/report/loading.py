"""Matplotlib as a command loads it: without its texts of help.

When matplotlib defines a class it writes a table of all properties into the help of that class and of others. That is
a quarter of the time it takes to load, and a command that draws and ends shows nobody any help.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without_help() -> Iterator[None]:
    """What is loaded of matplotlib within this has no tables of properties in its help; pictures are the same.

    For programs that end without showing help: what is loaded once stays so. Where matplotlib is loaded already, it
    keeps its help.
    """
    if "matplotlib.artist" in sys.modules:
        yield
        return
    import matplotlib.artist

    artist: Any = matplotlib.artist
    written = artist.kwdoc
    artist.kwdoc = lambda _: ""
    try:
        yield
    finally:
        artist.kwdoc = written
