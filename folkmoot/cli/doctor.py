"""`folkmoot doctor`: what a bug report needs, and what is wrong with the machine. `folkmoot licences`.

Nothing here fails: what cannot be told is a line of its own, and the exit status is 0.
"""

import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated, Any

import typer

from folkmoot.cli.terminal import print_table

_SETTINGS = (
    "FOLKMOOT_CACHE", "FOLKMOOT_DATA", "NUMBA_NUM_THREADS", "NUMBA_DISABLE_JIT", "OMP_NUM_THREADS", "PYTHONIOENCODING",
)  # fmt: skip
_NEEDED_BYTES = 200 * 2**20  # compiled code and results of a first day
_FEW_FILES = 256  # open at once; a node of a large consortium needs more
_SHOWN = 60

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")]


def doctor(as_json: AsJson = False) -> int:
    """Say what a bug report needs (versions, cache, threads, data, extras), and what is wrong with the machine."""
    told, wrong = examined()
    if as_json:
        print(json.dumps({**told, "wrong": wrong}, indent=2, allow_nan=False))
        return 0
    rows = [
        [part if n == 0 else "", name, value] for part in told for n, (name, value) in enumerate(told[part].items())
    ]
    print_table(["", "", ""], rows)
    print("\nnothing is wrong with this machine" if not wrong else "\nwrong:")
    for line in wrong:
        print(f"- {line}")
    return 0


def licences(as_json: AsJson = False) -> int:
    """List the licence of every package that Folkmoot and its installed extras need, as its metadata has it."""
    found = [{"package": name, **of_package(one)} for name, one in sorted(needed().items())]
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        print_table(["package", "version", "licence"], [list(row.values()) for row in found])
    return 0


def examined() -> tuple[dict[str, dict[str, str]], list[str]]:
    """What there is to tell, by part and name, and a line for everything that is wrong."""
    told: dict[str, dict[str, str]] = {}
    wrong: list[str] = []
    parts: dict[str, Callable[[list[str]], dict[str, str]]] = {
        "versions": _versions, "extras": _extras, "cache": _cache, "threads": _threads, "data": _data,
        "machine": _machine, "settings": _settings,
    }  # fmt: skip
    for name, tell in parts.items():
        try:
            told[name] = tell(wrong)
        except Exception as error:
            told[name] = {}
            wrong.append(f"{name}: cannot be told ({type(error).__name__}: {' '.join(str(error).split())[:_SHOWN]})")
    return told, wrong


# --- Parts --------------------------------------------------------------------------------------------------------


def _versions(wrong: list[str]) -> dict[str, str]:
    from folkmoot.simulation.saved import provenance

    for _, wanted in _requirements(""):
        said = _unmet(wanted)
        wrong += [said] if said else []
    return {**provenance(("llvmlite", "pydantic", "matplotlib")), "implementation": platform.python_implementation()}


def _extras(wrong: list[str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for extra, wanted in _requirements(None):
        if extra:
            lacking = _unmet(wanted)
            found.setdefault(extra, []).extend([wanted.name] if lacking else [])
    return {extra: f"not installed: {', '.join(names)}" if names else "installed" for extra, names in found.items()}


def _cache(wrong: list[str]) -> dict[str, str]:
    from folkmoot.simulation.compiled import cache_folder

    folder = cache_folder()
    if folder is None:
        wrong.append("cache: no folder for compiled code, so every start compiles anew; set FOLKMOOT_CACHE to one")
        return {"compiled code": "nowhere"}
    files = [path for path in folder.iterdir() if path.suffix == ".nbc"]
    size = sum(path.stat().st_size for path in files) / 2**20
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        wrong.append(f"cache: {folder} cannot be written, so what is not there yet is compiled anew at every start")
    if free < _NEEDED_BYTES:
        wrong.append(f"cache: {free / 2**20:.0f} MiB are free beside {folder}; expected {_NEEDED_BYTES // 2**20} MiB")
    return {"compiled code": str(folder), "kept": f"{len(files)} loops, {size:.0f} MiB"}


def _threads(wrong: list[str]) -> dict[str, str]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = {"processors": str(os.cpu_count() or "unknown"), "usable": str(usable)}
    given = os.environ.get("NUMBA_NUM_THREADS", "")
    if given.isdecimal() and int(given) > usable:
        wrong.append(f"NUMBA_NUM_THREADS = {given}: more than the {usable} processors that may be used")
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        wrong.append("NUMBA_DISABLE_JIT is set: nothing is compiled, and simulations take hundreds of times longer")
    return found


def _data(wrong: list[str]) -> dict[str, str]:
    from folkmoot.world import datasets

    given = os.environ.get("FOLKMOOT_DATA")
    if given and not Path(given).is_dir():
        wrong.append(f"FOLKMOOT_DATA = {given}: no such folder")
    found = {}
    for name in datasets.DATASETS:
        try:
            found[name] = str(datasets.where(name))
        except Exception:
            found[name] = "not here: folkmoot data fetch " + name
    return found


def _machine(wrong: list[str]) -> dict[str, str]:
    found = {"text": f"{sys.stdout.encoding}, file names {sys.getfilesystemencoding()}"}
    if (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
        wrong.append(f"text is printed as {sys.stdout.encoding}: names in other scripts are shown as codes")
    memory = Path("/proc/meminfo")
    if memory.exists():
        sizes = dict(re.findall(r"^(\w+): +(\d+) kB$", memory.read_text(encoding="ascii"), re.MULTILINE))
        found["memory"] = f"{int(sizes['MemAvailable']) / 2**20:.1f} of {int(sizes['MemTotal']) / 2**20:.1f} GiB free"
    try:
        import resource
    except ImportError:  # not on Windows
        return found
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    found["open files"] = "unlimited" if files == resource.RLIM_INFINITY else str(files)
    if 0 <= files < _FEW_FILES:
        wrong.append(f"open files: at most {files}; expected {_FEW_FILES} for a node (ulimit -n)")
    return found


def _settings(wrong: list[str]) -> dict[str, str]:
    return {name: os.environ[name] for name in _SETTINGS if name in os.environ}


# --- Packages -----------------------------------------------------------------------------------------------------


def _requirements(extra: str | None, name: str = "folkmoot") -> Iterator[tuple[str, Any]]:
    """What a distribution needs on this machine, by extra; the core's is "". `extra`: only of this one; None: all."""
    from packaging.requirements import Requirement

    try:
        found = distribution(name)
    except PackageNotFoundError:
        return
    extras = ["", *(found.metadata.get_all("Provides-Extra") or [])] if extra is None else [extra]
    for text in found.requires or []:
        wanted = Requirement(text)
        for one in extras:
            core = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
            if (not one and core) or (one and not core and wanted.marker and wanted.marker.evaluate({"extra": one})):
                yield one, wanted


def _unmet(wanted: Any) -> str:
    """What is wrong with an installed package, as a line; "" if nothing."""
    try:
        there = distribution(wanted.name).version
    except PackageNotFoundError:
        return f"{wanted.name} is not installed; expected {wanted}"
    fits = wanted.specifier.contains(there, prereleases=True)
    return "" if fits else f"{wanted.name} {there}: expected {wanted.name}{wanted.specifier}"


def needed() -> dict[str, Distribution]:
    """The installed packages that Folkmoot and its extras need, and what these need, by name."""
    found: dict[str, Distribution] = {}
    left = [("folkmoot", extra) for extra in ("", *_named_extras())]
    seen = set(left)
    while left:
        name, extra = left.pop()
        for _, wanted in _requirements(extra, name):
            try:
                found[re.sub(r"[-_.]+", "-", wanted.name).lower()] = distribution(wanted.name)
            except PackageNotFoundError:
                continue
            more = {(wanted.name, one) for one in ("", *wanted.extras)} - seen
            seen |= more
            left += sorted(more)
    return found


def _named_extras() -> list[str]:
    try:
        return distribution("folkmoot").metadata.get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return []


def of_package(one: Distribution) -> dict[str, str]:
    """Version and licence: an SPDX expression, else what its classifiers say, else the first line of its text."""
    metadata: Any = one.metadata  # a message of e-mail, whose `get` its type leaves out
    classified = [
        line.split(" :: ")[-1] for line in metadata.get_all("Classifier") or [] if line.startswith("License :: ")
    ]
    text = (metadata.get("License") or "").strip().splitlines()
    said = metadata.get("License-Expression") or ", ".join(classified) or (text[0][:_SHOWN] if text else "")
    return {"version": one.version, "licence": said or "unknown: its metadata do not say"}
