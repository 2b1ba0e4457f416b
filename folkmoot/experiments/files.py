"""Finding and reading experiment files: a path, or the name of one that comes with the package."""

import tomllib
from pathlib import Path
from typing import Any

from folkmoot.experiments.problems import choices

_BUILTIN = Path(__file__).resolve().parent / "builtin"


def builtin_names() -> list[str]:
    """The experiments that come with the package."""
    return sorted(path.stem for path in _BUILTIN.glob("*.toml"))


def find(given: str) -> Path:
    """The file an experiment is read from.

    Args:
        given: a path (it ends in .toml, exists or has a folder in it), or the name of a built-in experiment.

    Raises:
        ValueError: neither.
    """
    path = Path(given)
    if given in builtin_names():
        return _BUILTIN / f"{given}.toml"
    if path.suffix == ".toml" or len(path.parts) > 1 or path.exists():
        return path
    raise ValueError(f"experiment {given!r}: {choices(given, builtin_names())}, or a FILE.toml")


def read(path: Path) -> dict[str, Any]:
    """A TOML file as plain values.

    Raises:
        ValueError: it cannot be read, or is not TOML; the line and column stand in the message.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not valid TOML: {error}") from None
    except RecursionError:
        raise ValueError("not valid TOML: nested too deeply") from None
