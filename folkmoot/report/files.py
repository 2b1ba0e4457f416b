"""A report as files: figures, table and page, each whole or not there at all; for results of every kind."""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

from folkmoot.errors import brief
from folkmoot.files import or_say, write_file
from folkmoot.simulation.saved import Saved


class Told(NamedTuple):
    """Results and what a report says beside them.

    Attributes:
        title: heading of the report.
        results: of one kind, by the names that figures, table and report use.
        description: plain text after the answer; an empty line begins a new paragraph.
        notes: plain texts listed near the end.
    """

    title: str
    results: Mapping[str, Any]
    description: str = ""
    notes: Sequence[str] = ()


class Report(Protocol):
    """What the module of a kind of results has."""

    def contents(self, told: Told) -> dict[str, bytes]:
        """The files of a report by name; `report.html` and `summary.csv` are among them.

        Raises:
            ValueError: no results, or one of another kind.
        """

    def terminal(self, results: Mapping[str, Any]) -> tuple[list[str], list[list[str]], list[str]]:
        """A small table for the terminal: its header, its rows, and sentences below it."""


_REPORTS = {"bandit": "bandits", "chain": "chains", "consortium": "consortia"}


def report_of(results: Mapping[str, Saved]) -> Report:
    """The module that reports results of this kind.

    Raises:
        ValueError: no results, something else, several kinds, or one of which there is no report.
    """
    if not isinstance(results, Mapping) or not results:
        raise ValueError("results: expected at least one, by name")
    for name, result in results.items():
        if not isinstance(result, Saved):
            raise ValueError(f"results[{brief(name)}] = {type(result).__name__}: expected a Result under a name")
    kinds = {result.KIND for result in results.values()}
    if len(kinds) > 1 or not kinds <= set(_REPORTS):
        raise ValueError(f"results of kind {', '.join(sorted(kinds))}: expected one of {', '.join(_REPORTS)}")
    return cast(Report, importlib.import_module(f"folkmoot.report.{_REPORTS[kinds.pop()]}"))


def write_files(
    folder: str | Path, title: str, results: Mapping[str, Saved], description: str = "", notes: Sequence[str] = ()
) -> None:
    """Write the figures, summary.csv and report.html of results into an existing folder.

    All are made before the first is written; each replaces an older one of its name in one step. The same
    results give the same bytes, with the same version of matplotlib.

    Args:
        folder: where to.
        title, results, description, notes: see `Told`.

    Raises:
        ValueError: no results, something that is not a Result, or the folder does not exist or cannot be written.
    """
    report, target = report_of(results), Path(folder)
    if not target.is_dir():
        raise ValueError(f"folder {target}: expected an existing folder")
    for name, content in report.contents(Told(title, results, description, notes)).items():
        with or_say(f"file {target / name}"):
            write_file(target / name, content)
