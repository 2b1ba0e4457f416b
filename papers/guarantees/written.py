"""The table as a file, and as docs/guarantees.md shows it."""

import csv
import io
from collections.abc import Iterable, Mapping

from .algorithms import PARTS
from .cells import Cell
from .worlds import WORLDS

Found = Mapping[tuple[str, str, str], Cell | str]  # by part, algorithm and world; a text is why it refuses

_HEADER = ["tastes", "algorithm", "world", "linear", "promised", *Cell._fields, "refuses"]


def in_order() -> list[tuple[str, str, str]]:
    """Part, algorithm and world of every cell."""
    return [(p, n, w) for p, rows in PARTS.items() for w in WORLDS for n, row in rows.items() if w in row.played]


def as_csv(found: Found) -> str:
    """One line a cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for name in in_order():
        cell, promised = found[name], int(name[2] in PARTS[name[0]][name[1]].promised)
        if isinstance(cell, str):
            writer.writerow([*name, "", promised, *("" for _ in Cell._fields), cell])
        else:
            writer.writerow([*name, int(cell.is_linear), promised, *cell[:-1], int(cell.warns), ""])
    return text.getvalue()


def from_csv(lines: Iterable[str]) -> dict[tuple[str, str, str], Cell | str]:
    """What `as_csv` wrote."""
    found: dict[tuple[str, str, str], Cell | str] = {}
    for row in csv.DictReader(lines):
        name = row["tastes"], row["algorithm"], row["world"]
        numbers = [float(row[field]) for field in Cell._fields[:-1]] if not row["refuses"] else []
        found[name] = row["refuses"] or Cell(*numbers, row["warns"] == "1")
    return found


def per_cent(share: float) -> str:
    """Two digits of a share in per cent."""
    value = 100.0 * share
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.995 else f"{value:.2f}"


def shown(found: Found, name: tuple[str, str, str]) -> str:
    """A cell of the page: share ± interval; bold where linear, † where told more, o where nothing is promised."""
    if name not in found:
        return "·"
    cell, row = found[name], PARTS[name[0]][name[1]]
    outside = "" if name[2] in row.promised else " o"
    if name[2] in row.told:
        outside = f"†{outside}"
    if isinstance(cell, str):
        return f"refuses{outside}"
    text = f"{per_cent(cell.share)} ± {per_cent(cell.half)}"
    return (f"**{text} L**" if cell.is_linear else text) + outside


def rows(found: Found, part: str) -> list[list[str]]:
    """The lines of one part of the table."""
    return [[name, *(shown(found, (part, name, world)) for world in WORLDS)] for name in PARTS[part]]


def as_page(found: Found, part: str) -> str:
    """One part of the table as docs/guarantees.md has it."""
    lines = [["algorithm", *WORLDS], ["---", *("---:" for _ in WORLDS)], *rows(found, part)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
