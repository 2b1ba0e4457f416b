"""The papers' experiments: `papers/PAPER/reproduce.py`, found and loaded by path.

Such a file defines `FIGURES`, a dictionary of functions by the name of a figure or claim:

    FIGURES[name](out: Path, jobs: int, progress: bool) -> bool

Each runs its experiment, writes into the folder `out`, prints the paper's numbers beside ours, and returns
whether all stated tolerances hold. The first line of its docstring is its description. It may import files
beside it with `from . import ...`.
"""

import csv
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from folkmoot.meant import choices

Figure = Callable[[Path, int, bool], bool]
COSTS = "costs.csv"
_PREFIX = "folkmoot_papers_"  # of the names under which papers are loaded
_PACKAGE = Path(__file__).resolve().parent.parent


def papers_folder() -> Path:
    """In an installed package its `_papers`, in a source checkout `papers` beside the package.

    Raises:
        ValueError: neither is there.
    """
    for folder in (_PACKAGE / "_papers", _PACKAGE.parent / "papers"):
        if folder.is_dir():
            return folder
    raise ValueError("papers: not part of this installation; use a source checkout or a wheel of folkmoot")


def papers(folder: Path) -> list[str]:
    """The papers that have a reproduce.py."""
    return sorted(path.parent.name for path in folder.glob("*/reproduce.py"))


def figures(folder: Path, paper: str) -> dict[str, Figure]:
    """What can be reproduced of a paper, by name.

    Raises:
        ValueError: no such paper, one that needs a module which is not installed, or a reproduce.py without FIGURES.
    """
    if paper not in papers(folder):
        raise ValueError(f"paper {paper!r}: {choices(paper, papers(folder))}")
    module = _loaded(folder, paper)
    found = getattr(module, "FIGURES", None)
    if not isinstance(found, dict):
        raise ValueError(f"{folder / paper / 'reproduce.py'}: expected a dictionary FIGURES")
    return found


def _loaded(folder: Path, paper: str) -> ModuleType:
    home, name = folder / paper, _PREFIX + paper
    spec = importlib.util.spec_from_file_location(name, home / "reproduce.py", submodule_search_locations=[str(home)])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        raise ValueError(f"paper {paper!r}: cannot be loaded ({error})") from None
    return module


def perform(folder: Path, paper: str, module: str, function: str, *given: Any) -> Any:
    """Call a function of a module beside a reproduce.py in a process that need not have loaded the paper yet.

    Pickle names a function by its module, and a new process does not know those of papers: send this one there, with
    plain values.
    """
    if _PREFIX + paper not in sys.modules:
        _loaded(folder, paper)
    return getattr(importlib.import_module(f"{_PREFIX}{paper}.{module}"), function)(*given)


def figure(folder: Path, given: str) -> Figure:
    """The function that PAPER/FIGURE names.

    Raises:
        ValueError: there is none.
    """
    paper, slash, name = given.partition("/")
    if not slash:
        names = ", ".join(f"{paper}/{name}" for name in figures(folder, paper))
        raise ValueError(f"{given!r}: expected PAPER/FIGURE; allowed are {names}")
    known = figures(folder, paper)
    if name not in known:
        raise ValueError(f"figure {given!r}: {choices(name, known)}")
    return known[name]


class Cost(NamedTuple):
    """What a figure asks for.

    Attributes:
        time: of one processor, in words; "unknown" where nobody has measured it.
        needs: data and extras, in words.
    """

    time: str
    needs: str


def costs(folder: Path) -> dict[str, Cost]:
    """What each figure asks for, by PAPER/FIGURE: `costs.csv` beside the papers."""
    path = folder / COSTS
    if not path.is_file():
        return {}
    with open(path, newline="", encoding="utf-8") as file:
        return {row["figure"]: Cost(row["time"] or "unknown", row["needs"]) for row in csv.DictReader(file)}


def catalogue(folder: Path) -> list[tuple[str, str, str, str]]:
    """PAPER/FIGURE, its time, what it needs, and one line on it, for all there are."""
    lines: list[tuple[str, str, str, str]] = []
    known_costs, unknown = costs(folder), Cost("unknown", "")
    for paper in papers(folder):
        try:
            known = figures(folder, paper)
        except ValueError as error:  # the others are still there
            lines.append((paper, "", "", str(error)))
            continue
        for name, function in known.items():
            cost = known_costs.get(f"{paper}/{name}", unknown)
            text = (inspect.getdoc(function) or "").partition("\n")[0]
            lines.append((f"{paper}/{name}", cost.time, cost.needs, text))
    return lines
