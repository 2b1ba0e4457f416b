"""What the commands share: a path that is given, a table that is printed."""

from collections.abc import Sequence
from pathlib import Path

import typer


def path(given: str) -> Path:
    """A path; an empty text, which Python takes for the folder one is in, is none."""
    if not given:
        raise typer.BadParameter("'': expected the name of a file or folder")
    return Path(given)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], words: bool = False) -> None:
    """A table as wide as it must be; plain text where there is no terminal.

    Args:
        header, rows: words; an empty header is not shown.
        words: all columns begin at the left, not only the first and those without a title.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=1_000)
    table = Table(box=None, pad_edge=False, show_header=any(header))
    for number, title in enumerate(header):
        table.add_column(title, justify="left" if words or number == 0 or not title else "right", overflow="fold")
    for row in rows:
        table.add_row(*(word.replace("[", "\\[") for word in row))
    console.print(table)
