"""The folder of an experiment: running into it, writing its files, building its report anew."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from folkmoot.experiments import made
from folkmoot.experiments.plan import Plan
from folkmoot.files import or_say, replacing
from folkmoot.simulation.cells import Cell
from folkmoot.simulation.replicates import Job
from folkmoot.simulation.saved import Saved, load_all, write_arrays
from folkmoot.simulation.sweep import Swept, sweep

LOG = "log.jsonl"
_TINY, _FEW = 5_000, 20  # rounds of an agent in all; agents
REPORT = "report.html"


class About(NamedTuple):
    """What a report says beside the results; kept in `result.json` with each of them."""

    title: str
    description: str
    failures: dict[str, str]


def make_folder(folder: Path) -> None:
    """Create the folder if need be, and see that files can be written there.

    Raises:
        ValueError: it cannot be.
    """
    with or_say(f"folder {folder}"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise ValueError(f"folder {folder}: is a file; expected a folder") from None
        with tempfile.TemporaryFile(dir=folder):
            pass


def run(
    plan: Plan,
    folder: Path,
    jobs: int,
    progress: bool = True,
    begun: Callable[[int, int], None] | None = None,
    aside: Callable[[Path], None] = lambda where: None,
) -> Swept:
    """Run what the folder's log does not hold yet, and write the files of all complete cells; `begun` as in `sweep`.

    Files that are there already, made from the same results, stay as they are. Those of other settings are moved into
    a folder of their own first, of which `aside` is told.

    Raises:
        ValueError: the folder or its log cannot be read or written, or jobs is below 1.
    """
    make_folder(folder)
    cells = _tiny([_placed(cell, folder) for cell in plan.cells], plan.replicates)
    swept = sweep(cells, plan.replicates, folder / LOG, workers=jobs, progress=progress, begun=begun)
    if swept.results:
        about = About(plan.name, plan.description, swept.failures)
        results = {name: _with(about, result) for name, result in swept.results.items()}
        if not made.is_made(folder, made.key_of(results, about)):
            with or_say(f"folder {folder}"):
                where = made.set_aside(folder, made.settings_of(results))
            if where is not None:
                aside(where)
            write(results, folder, about)
    return swept


def _placed(cell: Cell, folder: Path) -> Cell:
    """The cell, with its ledger, if it writes one, in the folder."""
    job: Any = cell.job
    name = getattr(job, "ledger", None)
    return cell if name is None else cell._replace(job=replace(job, ledger=folder / name))


def _tiny(cells: list[Cell], replicates: int) -> list[Cell]:
    """The cells; if all of them are bandits and short, to be played by the interpreter.

    To load a compiled loop takes half a second, and to compile one 5 to 25: the interpreter plays `_TINY` rounds of an
    agent in that half second. Only with classes of the package, so that what cannot be compiled is noticed early.
    """
    jobs = [cell.job for cell in cells if isinstance(cell.job, Job) and "own_code" not in cell.job.configuration()]
    steps = replicates * sum(job.rewards.n_agents * job.horizon for job in jobs)
    if len(jobs) < len(cells) or steps > _TINY or max(job.rewards.n_agents for job in jobs) > _FEW:
        return cells
    return [cell._replace(job=replace(job, interpret=True)) for cell, job in zip(cells, jobs, strict=True)]


def _with(about: About, result: Saved) -> Saved:
    extra: dict[str, object] = {"experiment": about.title, "description": about.description}
    if about.failures:
        extra["failed"] = about.failures
    return result.configured(**extra)


def rebuild(folder: Path) -> dict[str, Saved]:
    """Build the tables, figures and report anew from `result.json` and `curves.npz`.

    Raises:
        ValueError: there is no result, or the folder cannot be written.
    """
    results = load_all(folder)
    if not results:
        raise ValueError(f"folder {folder}: no result in its result.json")
    kept = next(iter(results.values())).configuration
    about = About(str(kept.get("experiment", folder.name)), str(kept.get("description", "")), kept.get("failed", {}))
    make_folder(folder)
    write(results, folder, about, arrays=False)
    return results


def write(results: Mapping[str, Saved], folder: Path, about: About, arrays: bool = True) -> None:
    """Write all files beside the folder's log; each is replaced as a whole.

    Raises:
        ValueError: the folder cannot be written.
    """
    from folkmoot.report.files import write_files  # here: drawing is slow to import, and the runs come first
    from folkmoot.report.loading import without_help

    notes = [f"Failed, hence not shown: {name}: {error}." for name, error in about.failures.items()]
    with or_say(f"folder {folder}"), replacing(folder) as fresh:
        if arrays:
            write_arrays(results, fresh)
        with without_help():
            write_files(fresh, about.title, results, about.description, notes)
        if arrays:
            made.note(fresh, made.key_of(results, about), made.settings_of(results))
