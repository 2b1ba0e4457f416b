"""Names as figures and lists can bear them: without control characters, and not too long."""

from collections.abc import Sequence
from unicodedata import category

LONGEST = 60  # characters of a name in a figure


def printable(name: str) -> str:
    """A name for a figure: control characters, which no font and no XML has, replaced."""
    return "".join(c if c.isprintable() or category(c) == "Zs" else "\ufffd" for c in name)


def shortened(names: Sequence[str], most: int = LONGEST) -> list[str]:
    """Names of at most so many characters, cut in the middle; different ones stay different.

    Names that would become the same end in a number: "a long na... of a cell (2)".
    """
    out: list[str] = []
    taken: dict[str, str] = {}
    for name in names:
        short = _cut(printable(name), most)
        number = 1
        while taken.setdefault(short, name) != name:
            number += 1
            tail = f" ({number})"
            short = _cut(printable(name), most - len(tail)) + tail
        out.append(short)
    return out


def _cut(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    head = (most - 1) * 2 // 3
    return f"{name[:head]}\N{HORIZONTAL ELLIPSIS}{name[len(name) - (most - 1 - head) :]}"
