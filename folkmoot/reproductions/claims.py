"""What a reproduction prints and leaves behind: tables, and claims that hold or do not."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from folkmoot.files import or_say, write_file


class Claims:
    """Collects the tables and claims of one figure, prints them, and writes them into a folder.

    Args:
        name: PAPER/FIGURE.
        out: the folder for the files; created when first needed.
    """

    def __init__(self, name: str, out: Path) -> None:
        self.name, self.out, self.all_hold = name, out, True
        self._console = Console(soft_wrap=True, highlight=False)
        if not self._console.is_terminal:
            self._console = Console(width=140, highlight=False)
        self._claims: list[str] = []
        self._console.rule(name)

    def say(self, text: str) -> None:
        """A sentence between tables."""
        self._console.print(text, markup=False)

    def table(self, title: str, header: Sequence[str], rows: Sequence[Sequence[object]], file: str = "") -> None:
        """Print a table; with a file name also write it there as CSV."""
        shown = Table(title=title, title_justify="left", title_style="bold")
        for number, column in enumerate(header):
            shown.add_column(column, justify="left" if number == 0 else "right")
        for row in rows:
            shown.add_row(*(str(cell) for cell in row))
        self._console.print(shown)
        if file:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([header, *rows])
            self.write(file, text.getvalue().encode())

    def claim(self, statement: str, holds: bool) -> None:
        """Print whether a stated tolerance holds; one that does not makes the reproduction fail."""
        self.all_hold &= bool(holds)
        self._console.print(f"{'holds ' if holds else 'FAILS '} {statement}", markup=False)

    def write(self, file: str, content: bytes) -> Path:
        """Put a file into the folder; it is there whole or not at all.

        Raises:
            ValueError: the folder cannot be written.
        """
        target = self.out / file
        with or_say(f"folder {self.out}"):
            self.out.mkdir(parents=True, exist_ok=True)
            write_file(target, content)
        return target

    def picture(self, file: str, figure: object) -> None:
        """Save a matplotlib figure as PNG."""
        data = io.BytesIO()
        figure.savefig(data, format="png", dpi=110)  # type: ignore[attr-defined]
        self.say(f"picture: {self.write(file, data.getvalue())}")
