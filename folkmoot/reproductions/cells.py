"""Cells of a paper: functions beside its reproduce.py, played by the one runner and kept in one log.

How it works: a cell is named by plain values, so that it can be sent to a process that has never loaded the paper.
What it said is a row of the log `cells.jsonl`; its key holds the values, the version of the library and the text of
the paper's files, so that a row is used again only where the same would be played again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from folkmoot.reproductions.papers import perform
from folkmoot.simulation.cells import Cell, key_of
from folkmoot.simulation.engine import Control
from folkmoot.simulation.rows import check_fields
from folkmoot.simulation.sweep import sweep

LOG = "cells.jsonl"


class Said(NamedTuple):
    """What a cell said."""

    replicate: int
    told: dict[str, Any]  # plain values
    seconds: float


@dataclass(frozen=True)
class PaperCell:
    """A function of a paper and what it is given: `function(fields, cache)`, which returns plain values.

    Attributes:
        home: the folder of the paper.
        module, function: beside its reproduce.py.
        fields: plain values by name.
        cache: a folder for what else the function keeps.
        packages: distributions whose version matters.
    """

    home: Path
    module: str
    function: str
    fields: dict[str, Any]
    cache: Path
    packages: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The function, and its values."""
        return f"{self.home.name}/{self.function} {json.dumps(self.fields)}"

    @property
    def rounds(self) -> int:
        """A cell is one step."""
        return 1

    @property
    def own_process(self) -> bool:
        """What a paper's function does with the process is not known."""
        return True

    def alone(self, workers: int) -> bool:
        """A cell keeps one worker busy."""
        return False

    def batches(self, replicates: Sequence[int], workers: int) -> list[Sequence[int]]:
        """There is one."""
        return [replicates]

    def key(self) -> str:
        """What a row of the log belongs to."""
        text = {path.name: path.read_text(encoding="utf-8") for path in sorted(self.home.glob("*.py"))}
        what = [self.home.name, self.module, self.function]
        return key_of({"paper": what, "fields": self.fields, "text": text}, (), ("numpy", *self.packages))

    def play(self, replicates: Sequence[int], control: Control, threads: int) -> list[Said]:
        """Call the function; it is not stopped half-way."""
        out = []
        for replicate in replicates:
            if not control.stop[0]:
                begun = perf_counter()
                place = (self.home.parent, self.home.name, self.module, self.function)
                told = perform(*place, self.fields, self.cache)
                control.rounds[0] += 1
                out.append(Said(replicate, told, perf_counter() - begun))
        return out

    def encode(self, outcome: Said) -> dict[str, Any]:
        """What it said as a row of the log."""
        return {"told": outcome.told, "seconds": outcome.seconds}

    def decode(self, row: Mapping[str, Any]) -> Said:
        """A row of the log as what was said. Raises DamagedFile if it is none."""
        check_fields(row, {"replicate": int, "told": dict, "seconds": float})
        return Said(row["replicate"], row["told"], row["seconds"])

    def collect(self, outcomes: Sequence[Said], name: str | None = None) -> dict[str, Any]:
        """What the one replicate said, as the log would give it back."""
        found: dict[str, Any] = json.loads(json.dumps(outcomes[0].told))
        return found


def play_all(cells: Sequence[PaperCell], cache: Path, jobs: int, progress: bool) -> list[dict[str, Any]]:
    """What these cells say, each played in one process unless the log in the folder holds it.

    Raises:
        ValueError: one of them failed; those that are finished are kept.
    """
    cache.mkdir(parents=True, exist_ok=True)
    named = [Cell(cell.label, cell) for cell in cells]
    swept = sweep(named, 1, cache / LOG, jobs, progress=progress)
    for name, error in swept.failures.items():
        raise ValueError(f"{name}: {error}")
    results: Mapping[str, Any] = swept.results
    return [results[cell.name] for cell in named]
