"""What the files of a folder were made from, so that a run that finds nothing new to play leaves them as they are.

`made.json` holds a digest of the results and of what is said beside them, one of each file, and one of the settings of
each result. A file that is missing, or is not what was written, has all of them made anew. Files that were made with
other settings are not written over: they move into a folder of their own, `earlier/1` and so on.
"""

import itertools
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np

from folkmoot.files import move_into
from folkmoot.json_text import parsed
from folkmoot.simulation.saved import Saved

MADE, EARLIER = "made.json", "earlier"
_NO_SETTINGS = ("replicates", "experiment", "description", "failed")  # of a configuration


def key_of(results: Mapping[str, Saved], about: object) -> str:
    """SHA-256 of all that the results hold, in this order, and of what is said beside them."""
    digest = sha256(repr(about).encode())
    for name, result in results.items():
        told = [name, result.KIND, result.configuration, result.provenance]
        digest.update(json.dumps(told, default=str, sort_keys=True).encode())
        arrays = {array: getattr(result, array) for array in result.ARRAYS}
        for group in result.GROUPS:
            arrays |= {f"{group}.{array}": values for array, values in getattr(result, group).items()}
        for array, values in arrays.items():
            if values is not None:
                digest.update(f"{array} {values.dtype} {values.shape}".encode())
                digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def settings_of(results: Mapping[str, Saved]) -> dict[str, str]:
    """What each result was played with, by its name, as a digest: more replicates of it are still the same."""
    told = {
        name: [result.KIND, {key: value for key, value in result.configuration.items() if key not in _NO_SETTINGS}]
        for name, result in results.items()
    }
    return {
        name: sha256(json.dumps(one, default=str, sort_keys=True).encode()).hexdigest()[:32]
        for name, one in told.items()
    }


def note(folder: Path, key: str, settings: Mapping[str, str]) -> None:
    """Write down that all files of a folder were made from the results with this key and these settings."""
    files = {path.name: _digest(path) for path in sorted(folder.iterdir())}
    told = {"results": key, "files": files, "settings": dict(settings)}
    (folder / MADE).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def set_aside(folder: Path, settings: Mapping[str, str]) -> Path | None:
    """Move what was made with settings that are not among these into a folder of its own, and say where it is.

    Raises:
        OSError: it cannot be moved.
    """
    try:
        told = parsed((folder / MADE).read_text(encoding="utf-8"))
        files = [name for name in told["files"] if (folder / name).is_file() and Path(name).name == name]
        if all(settings.get(name) == digest for name, digest in told["settings"].items()):
            return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):  # damaged, or of before
        return None
    earlier = folder / EARLIER
    target = next(place for number in itertools.count(1) if not (place := earlier / str(number)).exists())
    move_into(target, [folder / name for name in [*files, MADE]])
    return target


def is_made(folder: Path, key: str) -> bool:
    """Are all files there, as they were made from the results with this key?"""
    try:
        told = parsed((folder / MADE).read_text(encoding="utf-8"))
        return bool(
            told["results"] == key and all(_digest(folder / name) == digest for name, digest in told["files"].items())
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):  # damaged: made anew
        return False


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
