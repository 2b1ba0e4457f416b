"""Many jobs, many replicates, on one machine or a cluster; interrupted at will, resumed where it stopped.

Every finished replicate is a line of an append-only log. A second run reads it and does what is missing;
since a replicate is a coordinate of its coins, the result is the same to the last bit as without the break.
"""

import hashlib
import inspect
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from folkmoot.simulation.log import Log, LogError, encode
from folkmoot.simulation.progress import Progress
from folkmoot.simulation.replicates import Job, Outcome, run
from folkmoot.simulation.result import Result, provenance
from folkmoot.simulation.simulate import collect

_MOST_LINES = 8  # cells up to which each has a progress line of its own


class Cell(NamedTuple):
    """One algorithm in one world, by name.

    Attributes:
        name: what reports call it; no two cells share it.
        job: what to run.
        settings: what sets it apart in a grid, as plain values by name.
        label: what reports call the algorithm where the settings stand beside it; None is the class's own.
    """

    name: str
    job: Job
    settings: dict[str, Any] = {}  # noqa: RUF012
    label: str | None = None


class Swept(NamedTuple):
    """What a sweep found.

    Attributes:
        results: of the complete cells, by name, in the order of the cells.
        failures: one line for each cell that failed, by name.
        resumed: replicates that were in the log already.
        foreign: rows of the log that belong to other settings or to another version of the package, hence unused.
    """

    results: dict[str, Result]
    failures: dict[str, str]
    resumed: int
    foreign: int


def _digest_record(digest: Any, record: Any) -> None:
    """Feed every number of a record; arrays by their bytes, so that long tables count in full."""
    if isinstance(record, np.ndarray):
        digest.update(f"{record.dtype.str}{record.shape}".encode())
        digest.update(np.ascontiguousarray(record).tobytes())
    elif isinstance(record, tuple):
        digest.update(f"{type(record).__name__}{len(record)}".encode())
        for value in record:
            _digest_record(digest, value)
    else:
        digest.update(repr(record).encode())


def _foreign_source(kind: type) -> str:
    """The text of the module of an algorithm that is not the package's, as far as it can be found."""
    module = sys.modules.get(kind.__module__)
    try:
        return inspect.getsource(module if module is not None and hasattr(module, "__file__") else kind)
    except (OSError, TypeError):
        return ""


def key(job: Job) -> str:
    """What a row of the log belongs to: SHA-256 of all that decides a replicate's outcome beside its number.

    That is the configuration, every number of the reward law and the network, the checkpoints, and the code:
    versions of folkmoot and numba and the digest of folkmoot's sources. After an upgrade, or an edit of the
    sources, a log's old rows are therefore left alone and their replicates run anew.
    """
    versions = provenance()
    kind = type(job.algorithm)
    head = {
        "configuration": job.configuration(),
        "checkpoints": job.checkpoints.tolist(),
        "code": [versions[name] for name in ("folkmoot", "numba", "sources")],
        "algorithm": [kind.__module__, kind.__qualname__],
    }
    if not kind.__module__.startswith("folkmoot."):
        head["algorithm"].append(_foreign_source(kind))
    digest = hashlib.sha256(json.dumps(head, sort_keys=True, separators=(",", ":")).encode("utf-8"))
    _digest_record(digest, job.world())
    return digest.hexdigest()


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}: {text}"


class _Lines:
    """Progress: a line for each cell when they are few, one for all when they are many."""

    def __init__(self, bars: Progress, cells: Sequence[Cell], counts: Sequence[int], replicates: int) -> None:
        totals = [cell.job.horizon * replicates for cell in cells]
        self._done = [cell.job.horizon * count for cell, count in zip(cells, counts, strict=True)]
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


def _run_cell(
    cell: Cell,
    name: str,
    missing: Sequence[int],
    log: Log,
    settings: tuple[int, str | None],
    tell: Callable[[int], None],
) -> tuple[list[Outcome], str | None]:
    """Run the missing replicates into the log; what came of them, and what went wrong if anything did."""
    found: list[Outcome] = []
    try:
        for finished in run(cell.job, missing, *settings, tell):
            log.append([encode(name, cell.name, outcome) for outcome in finished])
            found += finished
    except LogError:
        raise
    except Exception as error:
        if not isinstance(error, ValueError | MemoryError):  # ours, not the user's: show where
            traceback.print_exc()
        text = _one_line(error)
        log.append([{"cell": name, "name": cell.name, "error": text}])
        return found, text
    tell(len(missing) * cell.job.horizon)
    return found, None


def sweep(
    cells: Sequence[Cell],
    replicates: int,
    log_path: Path,
    workers: int = 1,
    backend: str | None = None,
    progress: bool = True,
) -> Swept:
    """Run every cell's replicates that the log does not hold yet.

    A cell that fails is recorded in the log and in `failures`, and the others go on; it is tried again next
    time. On KeyboardInterrupt all replicates that are finished are in the log.

    Args:
        cells: what to run; cells with equal jobs share their replicates.
        replicates: of each cell, numbered from 0.
        log_path: the log; created if need be, in a folder that exists.
        workers: replicates that run in parallel.
        backend: None for threads of this process, or "dask" or "ray".
        progress: show progress when standard error is a terminal.

    Raises:
        ValueError: no cells, two of one name, replicates or workers below 1, an unknown or missing backend.
        LogError: the log is corrupt, cannot be written, or another process is writing it.
    """
    names = [cell.name for cell in cells]
    if not names or len(set(names)) < len(names):
        twice = next((name for name in names if names.count(name) > 1), None)
        raise ValueError(f"cells: {twice!r} occurs twice; expected one of each name" if twice else "cells: got none")
    if isinstance(replicates, bool) or not isinstance(replicates, int) or not 1 <= replicates < 2**32:
        raise ValueError(f"replicates = {replicates!r}: expected an integer of at least 1 and below 2**32")
    for _ in run(cells[0].job, [], workers, backend):  # nothing to run: refuses bad workers and backends
        pass
    keys = [key(cell.job) for cell in cells]
    failures: dict[str, str] = {}
    with Log(log_path) as log, Progress(progress) as bars:
        finished = log.read({name: cell.job for name, cell in zip(keys, cells, strict=True)})
        wanted = [{r for r in finished[name] if r < replicates} for name in keys]
        lines = _Lines(bars, cells, [len(there) for there in wanted], replicates)
        for x, (cell, name) in enumerate(zip(cells, keys, strict=True)):
            missing = [r for r in range(replicates) if r not in finished[name]]
            if missing:
                outcomes, error = _run_cell(cell, name, missing, log, (workers, backend), partial(lines.update, x))
                finished[name].update({outcome.replicate: outcome for outcome in outcomes})
                if error is not None:
                    failures[cell.name] = error
        resumed, foreign = sum(map(len, wanted)), log.foreign
    results = {}
    for cell, name in zip(cells, keys, strict=True):
        if cell.name not in failures:
            result = collect(cell.job, [finished[name][r] for r in range(replicates)], cell.name)
            label = cell.label or cell.job.algorithm.label
            extra = {"cell": {"label": label, "settings": cell.settings}} if cell.settings else {}
            results[cell.name] = replace(result, configuration={**result.configuration, **extra})
    return Swept(results, failures, resumed, foreign)
