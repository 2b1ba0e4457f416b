"""What the files of a folder were made from, so that a run that finds nothing new to play leaves them as they are.

`made.json` holds a digest of the results and of what is said beside them, and one of each file. A file that is missing,
or is not what was written, has all of them made anew.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np

from folkmoot.json_text import parsed
from folkmoot.simulation.saved import Saved

MADE = "made.json"


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


def note(folder: Path, key: str) -> None:
    """Write down that all files of a folder were made from the results with this key."""
    files = {path.name: _digest(path) for path in sorted(folder.iterdir())}
    (folder / MADE).write_text(json.dumps({"results": key, "files": files}, indent=1) + "\n", encoding="utf-8")


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
