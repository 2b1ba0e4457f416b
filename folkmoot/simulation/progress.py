"""A progress bar on the terminal, and nothing where there is none."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self


class Progress:
    """One line per running job. Silent unless wanted and standard error is a terminal.

    Args:
        wanted: show anything at all.
    """

    def __init__(self, wanted: bool) -> None:
        self._bars: Any = None
        if wanted:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            console = Console(stderr=True)
            if console.is_terminal:
                columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
                self._bars = Progress(*columns, console=console)

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def line(self, name: str, total: int, done: int = 0) -> Callable[[int], None]:
        """A new line; call what is returned with the amount done since the line began."""
        if self._bars is None:
            return lambda amount: None
        task = self._bars.add_task(name, total=total, completed=done)
        return lambda amount: self._bars.update(task, completed=done + amount)
