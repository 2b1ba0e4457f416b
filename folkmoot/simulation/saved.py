"""Results as files: what they have in common, whatever system they are of; save them, load them."""

import json
import platform
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from folkmoot.errors import DamagedFile
from folkmoot.files import new_folder, or_say
from folkmoot.json_text import parsed
from folkmoot.registry import RESULTS, places, thing

FORMAT = 2
RESULT_KINDS = places(RESULTS)


def provenance(packages: Sequence[str] = ()) -> dict[str, str]:
    """Versions and platform under which a result is produced.

    Args:
        packages: more distributions whose version is to be told.
    """
    from folkmoot.simulation.compiled import source_digest

    names = dict.fromkeys(("numpy", "numba", "networkx", "scipy", *packages))
    return {
        "folkmoot": version("folkmoot"),
        "sources": source_digest(),
        "python": platform.python_version(),
        **{name: version(name) for name in names},
        "platform": platform.platform(),
        "processor": platform.machine(),
    }


class Saved(ABC):
    """A result of any system.

    Attributes:
        ARRAYS: names of the attributes that are arrays; all of them are kept.
        LATER: those of them that results of version 0.1.0 do not have, or that are there on request; else None.
        GROUPS: names of the attributes that are dictionaries of arrays; all of them are kept.
        CURVES: names of derived arrays that are written beside them for other programs.
        KIND: what `result.json` calls this class, see `registry.RESULTS`.
        name: what a legend calls it.
        configuration: what was played, as plain values.
        provenance: versions and platform.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = ()
    LATER: ClassVar[tuple[str, ...]] = ()
    GROUPS: ClassVar[tuple[str, ...]] = ()
    CURVES: ClassVar[tuple[str, ...]] = ()
    KIND: ClassVar[str]

    name: str
    configuration: dict[str, Any]
    provenance: dict[str, str]

    @property
    @abstractmethod
    def replicates(self) -> int:
        """Number of replicates."""

    def configured(self, **more: Any) -> Self:
        """The same result with more said in its configuration."""
        return replace(self, configuration={**self.configuration, **more})  # type: ignore[type-var]

    @abstractmethod
    def summary(self) -> dict[str, Any]:
        """What it came to, in plain numbers by name."""

    def save(self, folder: str | Path) -> Path:
        """Write `result.json` and `curves.npz` into a folder, which appears whole or not at all.

        Raises:
            ValueError: the folder exists and is not empty, or cannot be written.
        """
        return save({self.name: self}, folder)


def write_arrays(results: Mapping[str, Saved], folder: Path) -> None:
    """Put `result.json` and `curves.npz` for these results into an existing folder."""
    head = [
        {"name": r.name, "kind": r.KIND, "configuration": r.configuration, "summary": r.summary()}
        for r in results.values()
    ]
    first = next(iter(results.values()))
    text = json.dumps({"format": FORMAT, "provenance": first.provenance, "results": head}, indent=1, allow_nan=True)
    (folder / "result.json").write_text(text, encoding="utf-8")
    named = [(f"{n}.{a}", getattr(r, a)) for n, r in enumerate(results.values()) for a in (*r.ARRAYS, *r.CURVES)]
    named += [
        (f"{n}.{group}.{a}", array)
        for n, r in enumerate(results.values())
        for group in r.GROUPS
        for a, array in getattr(r, group).items()
    ]
    np.savez_compressed(folder / "curves.npz", **{name: array for name, array in named if array is not None})


def save(results: Mapping[str, Saved], folder: str | Path) -> Path:
    """Write several results into one new folder; it is there whole or not at all.

    Raises:
        ValueError: the folder exists and is not empty, or cannot be written.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(f"folder {target}: exists and is not empty; choose another")
    with or_say(f"folder {target}"), new_folder(target) as fresh:
        write_arrays(results, fresh)
    return target


def _class_of(kind: str) -> type[Saved]:
    """The class of a saved result, imported only when there is one.

    Raises:
        KeyError: no such kind.
    """
    found: type[Saved] = thing(RESULT_KINDS[kind])
    return found


def _loaded(kind: Any, entry: dict[str, Any], origin: dict[str, str], arrays: Any, n: int) -> Saved:
    """The n-th result of a file.

    Raises:
        KeyError: an array is missing that version 0.1.0 had.
        DamagedFile: one that is no array.
    """
    wanted = [a for a in kind.ARRAYS if a not in kind.LATER or f"{n}.{a}" in arrays]
    try:
        own: dict[str, Any] = {a: arrays[f"{n}.{a}"] for a in wanted}
        for group in kind.GROUPS:
            head = f"{n}.{group}."
            own[group] = {name.removeprefix(head): arrays[name] for name in arrays if name.startswith(head)}
    except ValueError as error:  # of NumPy, which reads them now
        raise DamagedFile(f"result {entry['name']}: not readable arrays ({error})") from None
    found: Saved = kind(name=entry["name"], configuration=entry["configuration"], provenance=origin, **own)
    return found


def load_all(folder: str | Path) -> dict[str, Saved]:
    """All results of a folder, by name.

    Raises:
        ValueError: no result there.
        DamagedFile: not one that this version reads.
    """
    source = Path(folder)
    try:
        head = parsed((source / "result.json").read_text(encoding="utf-8"))
        if head["format"] != FORMAT:
            raise DamagedFile(f"folder {source}: format {head['format']}, this version reads {FORMAT}")
        if not zipfile.is_zipfile(source / "curves.npz"):
            (source / "curves.npz").stat()
            raise DamagedFile(f"folder {source}: not a readable result (curves.npz is no zip file)")
        with np.load(source / "curves.npz", allow_pickle=False) as arrays:
            return {
                entry["name"]: _loaded(_class_of(entry["kind"]), entry, head["provenance"], arrays, n)
                for n, entry in enumerate(head["results"])
            }
    except (EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DamagedFile(f"folder {source}: not a readable result (curves.npz: {error})") from None
    except FileNotFoundError as error:
        raise ValueError(f"folder {source}: no result there ({Path(error.filename).name} is missing)") from None
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise DamagedFile(f"folder {source}: not a readable result ({error})") from None


def load(folder: str | Path) -> "Saved | dict[str, Saved]":
    """The result saved in a folder; a dictionary by name when it holds several.

    Raises:
        ValueError: no result there.
        DamagedFile: not one that this version reads.
    """
    results = load_all(folder)
    return next(iter(results.values())) if len(results) == 1 else results
