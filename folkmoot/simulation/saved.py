"""Results as files: what they have in common, whatever system they are of; save them, load them."""

import json
import platform
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from folkmoot.doors import guarded
from folkmoot.errors import DamagedFile, brief
from folkmoot.files import new_folder, or_say
from folkmoot.json_text import parsed
from folkmoot.registry import RESULTS, places, thing
from folkmoot.simulation import stored_arrays
from folkmoot.simulation.shared_values import put_back, taken_out

FORMAT = 4
_UNSHARED = 3  # the format of a file without shared values
_READS = (2, _UNSHARED, FORMAT)  # format 2 has no digest
_LATER_FIELDS = ("digest", "shared")  # of format 3, of format 4
RESULT_KINDS = places(RESULTS)


def provenance(packages: Sequence[str] = ()) -> dict[str, str]:
    """Versions and platform under which a result is produced.

    Args:
        packages: more distributions whose version is to be told.
    """
    from folkmoot.simulation.compiled import source_digest

    names = dict.fromkeys(("numpy", "numba", "networkx", "scipy", *packages))
    return {
        "folkmoot": _version("folkmoot"),
        "sources": source_digest(),
        "python": platform.python_version(),
        **{name: _version(name) for name in names},
        "platform": platform.platform(),
        "processor": platform.machine(),
    }


@cache
def _version(name: str) -> str:
    """Of a distribution when it is first asked for: to read its metadata again takes longer than a short run."""
    try:
        return version(name)
    except PackageNotFoundError:  # copied to where it is, or bundled: the digest of the sources says more
        return "unknown"


class Saved(ABC):
    """A result of any system.

    Attributes:
        ARRAYS: names of the attributes that are arrays; all of them are kept.
        LATER: those of them that results of version 0.1.0 do not have, or that are there on request; else None.
        FORMS: of each array its type and shape, and of each group those of its arrays: see `stored_arrays.check`.
        GROUPS: names of the attributes that are dictionaries of arrays; all of them are kept.
        CURVES: names of derived arrays that are written beside them for other programs.
        KIND: what `result.json` calls this class, see `registry.RESULTS`.
        name: what a legend calls it.
        configuration: what was played, as plain values.
        provenance: versions and platform.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = ()
    LATER: ClassVar[tuple[str, ...]] = ()
    FORMS: ClassVar[Mapping[str, str]] = {}
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

    def __repr__(self) -> str:
        """In short: a configuration may have many thousand numbers."""
        return f"{type(self).__name__}({brief(self.name)}, replicates={self.replicates})"

    def check(self) -> None:
        """See that the arrays have the types and shapes of FORMS.

        Raises:
            DamagedFile: one has not.
        """
        arrays = {name: getattr(self, name) for name in self.ARRAYS if getattr(self, name) is not None}
        stored_arrays.check(arrays, self.FORMS)
        for group in self.GROUPS:
            for name, array in getattr(self, group).items():
                form = {name: self.FORMS[group]} if group in self.FORMS else {}
                stored_arrays.check({**arrays, name: array}, {**self.FORMS, **form})

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
    played, values = taken_out([r.configuration for r in results.values()])
    head = [
        {"name": r.name, "kind": r.KIND, "configuration": one, "summary": r.summary()}
        for one, r in zip(played, results.values(), strict=True)
    ]
    first = next(iter(results.values()))
    named = [(f"{n}.{a}", getattr(r, a)) for n, r in enumerate(results.values()) for a in (*r.ARRAYS, *r.CURVES)]
    named += [
        (f"{n}.{group}.{a}", array)
        for n, r in enumerate(results.values())
        for group in r.GROUPS
        for a, array in getattr(r, group).items()
    ]
    np.savez_compressed(folder / "curves.npz", **{name: array for name, array in named if array is not None})
    shared = {"shared": values} if values else {}
    told: dict[str, Any] = {
        "format": FORMAT if values else _UNSHARED,
        "provenance": first.provenance,
        "results": head,
        **shared,
    }
    told = _without_nan(told)
    told = {**told, "digest": _digest(told, (folder / "curves.npz").read_bytes())}
    (folder / "result.json").write_text(json.dumps(told, indent=1, allow_nan=False), encoding="utf-8")


def _without_nan(value: Any) -> Any:
    """The value, None where a number is not finite: JSON has no such numbers."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _digest(told: Mapping[str, Any], arrays: bytes) -> str:
    """SHA-256 of all that `result.json` says, however it is laid out, and of the bytes of `curves.npz`."""
    text = json.dumps(json.loads(json.dumps(told)), sort_keys=True, separators=(",", ":"))
    return sha256(text.encode() + b"\0" + arrays).hexdigest()


def save(results: Mapping[str, Saved], folder: str | Path) -> Path:
    """Write several results into one new folder; it is there whole or not at all.

    Raises:
        ValueError: the folder exists and is not empty, or cannot be written.
    """
    if not isinstance(folder, str | Path) or not str(folder):
        raise ValueError(f"folder = {brief(folder)}: expected the name of a folder")
    target = Path(folder)
    with or_say(f"folder {target}"):
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ValueError(f"folder {target}: exists and is not empty; choose another")
        with new_folder(target) as fresh:
            write_arrays(results, fresh)
    return target


def _class_of(kind: str) -> type[Saved]:
    """The class of a saved result, imported only when there is one.

    Raises:
        KeyError: no such kind.
    """
    found: type[Saved] = thing(RESULT_KINDS[kind])
    return found


def _loaded(entry: Any, origin: dict[str, str], arrays: Mapping[str, Any], n: int) -> Saved:
    """The n-th result of a file.

    Raises:
        DamagedFile: it is none.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise DamagedFile(f"result {n}: expected one with a name")
    name, configuration = entry["name"], entry.get("configuration")
    if not isinstance(configuration, dict) or entry.get("kind") not in list(RESULT_KINDS):
        raise DamagedFile(f"result {name!r}: expected a kind and a configuration")
    kind: Any = _class_of(entry["kind"])
    missing = [a for a in kind.ARRAYS if a not in kind.LATER and f"{n}.{a}" not in arrays]
    if missing:
        raise DamagedFile(f"result {name!r}: {n}.{missing[0]} is missing in curves.npz")
    own: dict[str, Any] = {a: arrays[f"{n}.{a}"] for a in kind.ARRAYS if f"{n}.{a}" in arrays}
    for group in kind.GROUPS:
        head = f"{n}.{group}."
        own[group] = {found.removeprefix(head): arrays[found] for found in arrays if found.startswith(head)}
    made: Saved = kind(name=name, configuration=configuration, provenance=origin, **own)
    try:
        made.check()
    except DamagedFile as error:
        raise DamagedFile(f"result {name!r}: {error}") from None
    return made


def _told(source: Path) -> tuple[dict[str, Any], bytes]:
    """What `result.json` says, and the bytes of `curves.npz`.

    Raises:
        FileNotFoundError: one is not there.
        DamagedFile: they are not what was written.
    """
    try:
        told = parsed((source / "result.json").read_text(encoding="utf-8"))
    except ValueError as error:  # no UTF-8, no JSON, or a number without end
        raise DamagedFile(f"result.json: {brief(str(error))}") from None
    if not isinstance(told, dict) or type(told.get("format")) is not int:
        raise DamagedFile("result.json: expected a format")
    if told["format"] not in _READS:
        raise DamagedFile(f"format {told['format']}, this version reads {_READS[0]} to {FORMAT}")
    fields = {"format", "provenance", "results", *_LATER_FIELDS[: told["format"] - _READS[0]]}
    lists = ["results", *(["shared"] if told["format"] == FORMAT else [])]
    if set(told) != fields or not isinstance(told["provenance"], dict) or not _are_lists(told, lists):
        raise DamagedFile(f"result.json: expected the fields {', '.join(sorted(fields))}")
    content = (source / "curves.npz").read_bytes()
    if told["format"] > _READS[0] and told.pop("digest") != _digest(told, content):
        raise DamagedFile("result.json and curves.npz are not what was written: their digest is another")
    for entry in told["results"] if told["format"] == FORMAT else ():
        if isinstance(entry, dict) and "configuration" in entry:
            entry["configuration"] = put_back(entry["configuration"], told["shared"])
    return told, content


def _are_lists(told: Mapping[str, Any], names: Sequence[str]) -> bool:
    return all(isinstance(told[name], list) for name in names)


def load_all(folder: str | Path) -> dict[str, Saved]:
    """All results of a folder, by name.

    Raises:
        ValueError: no result there.
        DamagedFile: not one that this version reads, or one that is not what was written.
    """
    if not isinstance(folder, str | Path):
        raise ValueError(f"folder = {brief(folder)}: expected the name of a folder")
    source = Path(folder)
    try:
        told, content = _told(source)
        arrays = stored_arrays.read_arrays(content)
        found = [_loaded(entry, told["provenance"], arrays, n) for n, entry in enumerate(told["results"])]
    except FileNotFoundError as error:
        raise ValueError(f"folder {source}: no result there ({Path(error.filename).name} is missing)") from None
    except OSError as error:
        raise DamagedFile(f"folder {source}: not a readable result ({error.strerror or error})") from None
    except DamagedFile as error:
        raise DamagedFile(f"folder {source}: not a readable result ({error})") from None
    by_name = {result.name: result for result in found}
    if len(by_name) < len(found):
        raise DamagedFile(f"folder {source}: not a readable result (expected results of different names)")
    return by_name


@guarded
def load(folder: str | Path) -> "Saved | dict[str, Saved]":
    """The result saved in a folder; a dictionary by name when it holds several.

    Raises:
        ValueError: no result there.
        DamagedFile: not one that this version reads, or one that is not what was written.
    """
    results = load_all(folder)
    return next(iter(results.values())) if len(results) == 1 else results
