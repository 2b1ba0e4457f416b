"""Several folders of results in one report: what they have in common is compared, what differs is said."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from folkmoot.doors import guarded
from folkmoot.errors import brief
from folkmoot.experiments.made import EARLIER
from folkmoot.experiments.outputs import About, make_folder, write
from folkmoot.plurals import plural
from folkmoot.simulation.saved import Saved, load_all

_WORLD = ("rewards", "network", "corruption", "verification", "liars", "presence", "feedback", "horizon", "seed")
_PLAIN = (int, float, str)  # values that a sentence repeats


class Compared(NamedTuple):
    """Several runs in one report.

    Attributes:
        results: by the names that the report gives them.
        folder: where the report is.
        differences: what differs between the runs, in sentences.
    """

    results: dict[str, Saved]
    folder: Path
    differences: list[str]


@guarded
def compare_runs(folders: Sequence[str | Path], out: str | Path | None = None) -> Compared:
    """One report of the results of several folders, as `folkmoot report A B` writes it.

    The folder that is written has the same files as that of a run. Names that occur in several folders get that of
    their folder; in a grid this is a setting of its own, `run`.

    Args:
        folders: those of results, as `folkmoot run` and `Result.save` write them, or their files `result.json`.
        out: where to; None is `results/A-and-B`, after the folders' names.

    Returns:
        The results by name, the folder that was written, and what differs between the runs.

    Raises:
        ValueError: there are none, one is no result or stands there twice, `out` is one of them or cannot be written,
            or the results are of different kinds.
        DamagedFile: (of `folkmoot.errors`) a result is damaged.
    """
    for one in folders:
        if not isinstance(one, str | Path) or not str(one):
            raise ValueError(f"folders: {brief(one)}: expected the name of a folder of results")
    if not folders:
        raise ValueError("folders: expected at least one folder of results, got none")
    return compare([Path(one) for one in folders], None if out is None else Path(out))


def compare(sources: Sequence[Path], folder: Path | None) -> Compared:
    """`compare_runs`, of paths."""
    folders = [one.parent if one.name == "result.json" else one for one in sources]
    if len({one.resolve() for one in folders}) < len(folders):
        raise ValueError("folders: expected different ones")
    found = dict(zip(_labels(folders), map(load_all, folders), strict=True))
    target = folder or Path("results") / _joined(list(found))
    if target.resolve() in {one.resolve() for one in folders}:
        raise ValueError(f"--out = {target}: is one of those that are compared; choose another")
    results, said = together(found), differences(found)
    about = About(" and ".join(found), "\n\n".join(said), {})
    configured = {
        name: r.configured(experiment=about.title, description=about.description) for name, r in results.items()
    }
    make_folder(target)
    write(configured, target, about)
    return Compared(configured, target, said)


def _labels(folders: Sequence[Path]) -> list[str]:
    """The last names of the folders; with those above them where that is not enough."""
    paths = [one.resolve().parts for one in folders]
    least = [3 if EARLIER in path[-2:-1] else 1 for path in paths]  # "earlier/1" says little without its run
    for length in range(1, max(map(len, paths)) + 1):
        labels = ["/".join(path[-max(length, at) :]) for path, at in zip(paths, least, strict=True)]
        if len(set(labels)) == len(labels):
            break
    return labels


def _joined(labels: Sequence[str]) -> str:
    names = [label.replace("/", "-") for label in labels]
    rest = f"-and-{len(names) - 2}-more" if len(names) > 2 else ""
    return f"{'-and-'.join(names[:2])}{rest}"


def together(found: Mapping[str, Mapping[str, Saved]]) -> dict[str, Saved]:
    """The results of several runs by one name each."""
    names = [name for results in found.values() for name in results]
    grid = any("cell" in result.configuration for results in found.values() for result in results.values())
    clash = len(set(names)) < len(names)
    out: dict[str, Saved] = {}
    for run, results in found.items():
        for name, result in results.items():
            new = f"{run}: {name}" if clash else name
            cell = result.configuration.get("cell", {"label": name, "settings": {}})
            settings = {"run": run, **cell["settings"]} if clash else cell["settings"]
            more: dict[str, Any] = {"cell": {"label": cell["label"], "settings": settings}} if grid else {}
            out[new] = replace(result.configured(**more), name=new)  # type: ignore[type-var]
    return out


def differences(found: Mapping[str, Mapping[str, Saved]]) -> list[str]:
    """What differs between runs: their worlds, their numbers of replicates, the versions that made them."""
    said = []
    for key in (*_WORLD, "replicates"):
        values = {run: _values(results, key) for run, results in found.items()}
        if len(set(values.values())) > 1:
            shown = "; ".join(f"{run}: {', '.join(text)}" for run, text in values.items())
            said.append(f"{key} ({shown})" if all(_short(results, key) for results in found.values()) else key)
    out = []
    if said:
        worlds = (
            " Regret of different worlds is not compared."
            if any(not one.startswith("replicates") for one in said)
            else ""
        )
        out.append(f"{plural(len(found), 'run')} in one report. They differ in {'; '.join(said)}.{worlds}")
    versions = {
        run: next(iter(results.values())).provenance.get("folkmoot", "unknown") for run, results in found.items()
    }
    if len(set(versions.values())) > 1:
        out.append(f"They were made by different versions: {'; '.join(f'{r} by {v}' for r, v in versions.items())}.")
    return out


def _values(results: Mapping[str, Saved], key: str) -> tuple[str, ...]:
    """The values that the results of a run have, each once."""
    told = [result.replicates if key == "replicates" else result.configuration.get(key) for result in results.values()]
    return tuple(dict.fromkeys(f"{v:,}" if type(v) is int else str(v) for v in told))


def _short(results: Mapping[str, Saved], key: str) -> bool:
    told = [result.replicates if key == "replicates" else result.configuration.get(key) for result in results.values()]
    return all(isinstance(value, _PLAIN) for value in told) and len(set(map(str, told))) < 4
