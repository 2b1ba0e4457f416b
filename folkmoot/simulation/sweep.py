"""Many cells, many replicates, on one machine or a cluster; interrupted at will, resumed where it stopped.

Every finished replicate is a line of an append-only log. A second run reads it and does what is missing;
since a replicate is a coordinate of its coins, the result is the same to the last bit as without the break.
"""

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from folkmoot.errors import OtherSide, brief
from folkmoot.progress import Progress
from folkmoot.simulation.cells import Cell
from folkmoot.simulation.log import Log
from folkmoot.simulation.runner import Done, run
from folkmoot.simulation.saved import Saved

_MOST_LINES = 8  # cells up to which each has a progress line of its own


class Swept(NamedTuple):
    """What a sweep found.

    Attributes:
        results: of the complete cells, by name, in the order of the cells.
        failures: one line for each cell that failed, by name.
        resumed: replicates that were in the log already.
        foreign: rows of the log that belong to other settings or to another version of the package, hence unused.
    """

    results: dict[str, Saved]
    failures: dict[str, str]
    resumed: int
    foreign: int


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError | OtherSide) and text else f"{type(error).__name__}: {text}"


class _Lines:
    """Progress: a line for each cell when they are few, one for all when they are many."""

    def __init__(self, bars: Progress, cells: Sequence[Cell], counts: Sequence[int], replicates: int) -> None:
        totals = [cell.job.rounds * replicates for cell in cells]
        self._done = [cell.job.rounds * count for cell, count in zip(cells, counts, strict=True)]
        self._all: Callable[[int], None] | None = None
        if len(cells) > _MOST_LINES:
            self._all = bars.line(f"{len(cells)} cells", sum(totals))
            self._all(sum(self._done))
        else:
            every = zip(cells, totals, self._done, strict=True)
            self._each = [bars.line(cell.name, total, done) for cell, total, done in every]
        self._now = [0] * len(cells)

    def update(self, x: int, rounds: int) -> None:
        """Cell x has completed so many rounds since the sweep began."""
        self._now[x] = rounds
        if self._all is not None:
            self._all(sum(self._done) + sum(self._now))
        else:
            self._each[x](rounds)


class _Sweep:
    """The cells of a sweep, by the keys of their jobs: cells of one key share their replicates."""

    def __init__(self, cells: Sequence[Cell], replicates: int, log: Log) -> None:
        self.cells, self._replicates, self._log = cells, replicates, log
        self.keys = [cell.job.key() for cell in cells]
        self.finished = log.read({key: cell.job for key, cell in zip(self.keys, cells, strict=True)})
        self.there = [sum(r < replicates for r in self.finished[key]) for key in self.keys]
        self.errors: dict[str, str] = {}  # by key
        first = {key: x for x, key in reversed(list(enumerate(self.keys)))}
        self.playing = [x for x in sorted(first.values()) if self.missing(x)]

    def missing(self, x: int) -> list[int]:
        """The numbers of the replicates of a cell that the log does not hold."""
        return [r for r in range(self._replicates) if r not in self.finished[self.keys[x]]]

    def take(self, x: int, done: Done) -> None:
        """Write down what came of a task of cell x.

        Raises:
            LogError: it cannot be written.
        """
        cell, key = self.cells[x], self.keys[x]
        head = {"cell": key, "name": cell.name}
        rows = [{**head, "replicate": int(o.replicate), **cell.job.encode(o)} for o in done.outcomes]
        if rows:
            self._log.append(rows)
        self.finished[key].update({outcome.replicate: outcome for outcome in done.outcomes})
        if done.error is not None and key not in self.errors:
            if not isinstance(done.error, ValueError | OtherSide | OSError | MemoryError):  # ours: show where
                traceback.print_exception(done.error)
            self.errors[key] = _one_line(done.error)
            self._log.append([{**head, "error": self.errors[key]}])

    def results(self) -> dict[str, Saved]:
        """Of the complete cells."""
        found = {}
        for cell, key in zip(self.cells, self.keys, strict=True):
            if key not in self.errors:
                outcomes = [self.finished[key][r] for r in range(self._replicates)]
                found[cell.name] = _named(cell, cell.job.collect(outcomes, cell.name))
        return found


def _named(cell: Cell, result: Saved) -> Saved:
    """The result, with the settings of its cell in its configuration."""
    if not cell.settings:
        return result
    extra: dict[str, Any] = {"label": cell.label or cell.job.label, "settings": cell.settings}
    return result.configured(cell=extra)


def sweep(
    cells: Sequence[Cell],
    replicates: int,
    log_path: Path,
    workers: int = 1,
    backend: str | None = None,
    progress: bool = True,
    begun: Callable[[int, int], None] | None = None,
) -> Swept:
    """Run every cell's replicates that the log does not hold yet.

    A cell that fails is recorded in the log and in `failures`, and the others go on; it is tried again next
    time. On KeyboardInterrupt all replicates that are finished are in the log.

    Args:
        cells: what to run; cells with equal jobs share their replicates.
        replicates: of each cell, numbered from 0.
        log_path: the log; created if need be, in a folder that exists.
        workers: how many tasks run at a time.
        backend: None for this machine, or "dask" or "ray".
        progress: show on standard error how far it is.
        begun: told, before anything is played, how many replicates the log holds and how many rows it leaves unused:
            `resumed` and `foreign` of `Swept`.

    Raises:
        ValueError: no cells, two of one name, replicates or workers below 1, an unknown or missing backend.
        DamagedFile: the log is damaged; the line is named.
        LogError: the log cannot be written, or another process is writing it.
    """
    names = [cell.name for cell in cells]
    if not names or len(set(names)) < len(names):
        twice = next((name for name in names if names.count(name) > 1), None)
        raise ValueError(f"cells: {twice!r} occurs twice; expected one of each name" if twice else "cells: got none")
    if isinstance(replicates, bool) or not isinstance(replicates, int) or not 1 <= replicates < 2**32:
        raise ValueError(f"replicates = {brief(replicates)}: expected an integer of at least 1 and below 2**32")
    for _ in run([], workers, backend):  # nothing to run: refuses bad workers and backends
        pass
    with Log(log_path) as log:
        found = _Sweep(cells, replicates, log)
        if begun is not None:
            begun(sum(found.there), log.foreign)
        playing = found.playing
        games = [(cells[x].job, found.missing(x)) for x in playing]
        with Progress(progress) as bars:
            lines = _Lines(bars, cells, found.there, replicates)
            for done in run(games, workers, backend, lambda game, rounds: lines.update(playing[game], rounds)):
                found.take(playing[done.game], done)
            for x, cell in enumerate(cells):
                lines.update(x, (replicates - found.there[x]) * cell.job.rounds)
    failures = {cell.name: found.errors[key] for cell, key in zip(cells, found.keys) if key in found.errors}
    return Swept(found.results(), failures, sum(found.there), log.foreign)
