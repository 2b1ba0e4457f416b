"""Repetitions taken in turn (A B C A B C ...), so that a busy moment of the machine touches all alike.

The clock is the processor time of this process, which other programs that share the machine do not
stretch; everything measured runs in one thread, so on an idle machine it is the time on the wall.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time

Contender = tuple[str, Callable[[], object], int]  # name, what to run, agent-steps of one run


@dataclass(frozen=True)
class Row:
    """One contender: nanoseconds per agent-step in each repetition."""

    name: str
    times: tuple[float, ...]

    @property
    def median(self) -> float:
        """Nanoseconds per agent-step."""
        return median(self.times)

    def ratio(self, other: "Row") -> float:
        """How many times the other's cost this is: median over repetitions of the ratio within one."""
        return median(a / b for a, b in zip(self.times, other.times, strict=True))


def interleave(contenders: Sequence[Contender], repetitions: int) -> list[Row]:
    """Time all contenders in turn; whoever calls has compiled them."""
    times: list[list[float]] = [[] for _ in contenders]
    for _ in range(repetitions):
        for column, (_, function, steps) in zip(times, contenders, strict=True):
            begun = process_time()
            function()
            column.append((process_time() - begun) / steps * 1e9)
    return [Row(name, tuple(column)) for (name, _, _), column in zip(contenders, times, strict=True)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    widths = [max(len(line[x]) for line in [head, *rows]) for x in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = [c.rjust(w) if x else c.ljust(w) for x, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return f"| {' | '.join(padded)} |"

    rule = "|" + "|".join("-" * (w + 2) if x == 0 else "-" * (w + 1) + ":" for x, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *map(line, rows)])
