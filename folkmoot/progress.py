"""How far a run is: a bar on a terminal, one line that changes in a notebook, and now and then a line elsewhere.

Where standard error is a file or a pipe, the first line comes after ten seconds and each later one after twice the
time, five minutes at most: short runs say nothing, and long ones are seen to live.
"""

import sys
import threading
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Any, Self

_FIRST, _LONGEST = 10.0, 300.0  # seconds until the first line, and between two at most
_IN_A_NOTEBOOK = 1.0  # seconds between changes of the line
_LOOK = 1.0  # seconds between looks at the clock


class Progress:
    """How far the running jobs are, on standard error. Silent unless wanted.

    Args:
        wanted: show anything at all.
    """

    def __init__(self, wanted: bool) -> None:
        self._bars: Any = None
        self._words: _Words | None = None
        if wanted:
            from rich.console import Console

            console = Console(stderr=True)
            if console.is_terminal:
                self._bars = _bars(console)
            else:
                self._words = _Words()

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        if self._words is not None:
            self._words.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()
        if self._words is not None:
            self._words.end()

    def line(self, name: str, total: int, done: int = 0) -> Callable[[int], None]:
        """A new line; call what is returned with the amount done since the line began."""
        if self._words is not None:
            return self._words.line(total, done)
        if self._bars is None:
            return lambda amount: None
        task = self._bars.add_task(name, total=total, completed=done)
        return lambda amount: self._bars.update(task, completed=done + amount)


def _bars(console: Any) -> Any:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console)


class _Words:
    """All lines together, in words."""

    def __init__(self) -> None:
        self._notebook = type(sys.stderr).__module__.startswith("ipykernel")
        self._begun = monotonic()
        self._next = self._begun + (_IN_A_NOTEBOOK if self._notebook else _FIRST)
        self._totals: list[int] = []
        self._there: list[int] = []  # before this run
        self._done: list[int] = []  # by this run
        self._open = False  # a line of a notebook that will be written over
        self._ended, self._turn = threading.Event(), threading.Lock()
        self._looking: threading.Thread | None = None

    def begin(self) -> None:
        """Look at the clock now and then, whether or not anything gets on: compiling may take minutes."""

        def look() -> None:
            while not self._ended.wait(_LOOK):
                self._say_if_it_is_time()

        self._looking = threading.Thread(target=look, name="folkmoot-progress", daemon=True)
        self._looking.start()

    def line(self, total: int, there: int) -> Callable[[int], None]:
        """A part of the whole, of which so much was there before."""
        number = len(self._totals)
        self._totals.append(total)
        self._there.append(there)
        self._done.append(0)

        def update(amount: int) -> None:
            self._done[number] = amount
            self._say_if_it_is_time()

        return update

    def _say_if_it_is_time(self) -> None:
        with self._turn:
            now = monotonic()
            if now >= self._next and self._totals and not self._ended.is_set():
                self._say(now)

    def _say(self, now: float) -> None:
        self._next = now + (_IN_A_NOTEBOOK if self._notebook else min(now - self._begun, _LONGEST))
        text = self._text(now - self._begun)
        print(f"\r{text}  " if self._notebook else f"{text}\n", end="", file=sys.stderr, flush=True)
        self._open = self._notebook

    def _text(self, seconds: float) -> str:
        total, there, done = sum(self._totals), sum(self._there), sum(self._done)
        share = (there + done) / max(total, 1)
        known = done > 0 and 100 * done >= total  # before, most of the time went into compiling
        left = f", about {_time(seconds * (total - there - done) / done)} to go" if known else ""
        return f"folkmoot: {share:.0%} after {_time(seconds)}{left}"

    def end(self) -> None:
        """Say nothing more, and close the line of a notebook."""
        self._ended.set()
        if self._looking is not None:
            self._looking.join(_LOOK)
        if self._open:
            print(file=sys.stderr, flush=True)


def _time(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"
