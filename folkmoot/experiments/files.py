"""Finding and reading experiment files: a path, or the name of one that comes with the package."""

import tomllib
from datetime import date, time
from pathlib import Path
from typing import Any

from folkmoot.experiments.problems import choices

_DEEPEST = 100  # tables and lists inside each other
_LONGEST_INTEGER = 1 << 10  # bits; what is in range is for each field to say
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
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # with or without a byte-order mark
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        twice = "; write [[algorithm]], with two brackets, for each algorithm" if "algorithm" in str(error) else ""
        raise ValueError(f"not valid TOML: {error}{twice}") from None
    except RecursionError:
        raise ValueError("not valid TOML: nested too deeply") from None
    except ValueError:  # Python's own, of decimal digits
        raise ValueError("not valid TOML: an integer of thousands of digits") from None
    _check_bounds(document)
    return document


def _check_bounds(document: dict[str, Any]) -> None:
    """Without recursion: tables that are named a.b.c are nested as deeply as their names are long."""
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        level = [inner for value in level for inner in (value.values() if isinstance(value, dict) else value)]
        if any(isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER for value in level):
            raise ValueError(f"an integer of more than {_LONGEST_INTEGER} bits: expected none in an experiment")
        dated = next((value for value in level if isinstance(value, date | time)), None)
        if dated is not None:
            raise ValueError(f"{dated}: a date or time without quotes: expected none in an experiment")
        level = [value for value in level if isinstance(value, dict | list)]
    if level:
        raise ValueError(f"tables and lists nested more than {_DEEPEST} deep: no more is allowed")
