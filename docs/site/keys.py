"""Every type of an experiment file with its keys, defaults and meaning, read from the classes themselves.

A page says where a table goes with the comment `<!-- keys: algorithms -->`.
"""

import inspect
import json
import re
from typing import Any

from pydantic.fields import FieldInfo

from folkmoot.configuration import Configuration
from folkmoot.experiments.catalogue import TABLES

_MARK = re.compile(r"<!-- keys: (\w+) -->")
_ENTRY = re.compile(r"^    (\w+(?:, \w+)*): (.*)$")
_FOR_SEVERAL = {  # what docstrings leave to others
    "n_classes": "how many classes the data has",
    "epochs": "passes over the party's samples",
    "batch": "samples in a step of training",
    "rate": "learning rate of Adam",
    "columns": "with `file`: the names of the file's columns, `{ agent = ..., arm = ..., reward = ... }`",
    "scale": "with `file`: the two rewards of the file that become 0 and 1",
    "missing": "with `file`: the reward of an agent and arm that the file does not have",
}


def described(kind: type) -> dict[str, str]:
    """What the docstrings of a class and its bases say of each argument or attribute; the nearest class wins."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        entry: list[str] = []
        for line in inspect.cleandoc(base.__dict__.get("__doc__") or "").splitlines():
            if start := _ENTRY.match(line):
                entry = start[1].split(", ")
                found.update(dict.fromkeys(entry, start[2].strip()))
            elif entry and line.startswith("        "):
                found.update({name: f"{found[name]} {line.strip()}" for name in entry})
            else:
                entry = []
    return found


def default(field: FieldInfo, language: str = "toml") -> str:
    """A default as it is written in TOML or in Python; "needed" if there is none."""
    if field.is_required():
        return "needed"
    value: Any = field.get_default(call_default_factory=True)
    if value is None:
        return "None" if language == "python" else "none"
    if isinstance(value, Configuration):
        return f"{type(value).__name__}()"
    if language == "python":
        return repr(value)
    return json.dumps(value, default=repr)


def rows(kind: type[Configuration]) -> list[tuple[str, str, str]]:
    """Key, default and meaning of each field; no meaning: an empty text."""
    said = described(kind)
    out = []
    for name, field in kind.model_fields.items():
        key = field.alias or name
        what = said.get(key) or _FOR_SEVERAL.get(key, "")
        out.append((key, default(field), what))
    return out


def table(kind: type[Configuration]) -> str:
    """The rows as Markdown."""
    lines = ["| key | default | what |", "|---|---|---|"]
    for key, value, what in rows(kind):
        shown = value if value in {"needed", "none"} else f"`{value}`"
        lines.append(f"| `{key}` | {shown} | {_cell(what)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Signs that Markdown would read as its own, outside of code."""
    parts = re.split(r"(`+[^`]+`+)", text)
    plain = [part if n % 2 else re.sub(r"([*_\[\]<])", r"\\\1", part) for n, part in enumerate(parts)]
    return "".join(plain).replace("|", "\\|")


def section(group: str) -> str:
    """All types of a group."""
    out = []
    for name, kind in TABLES[group].items():
        first = inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]
        out += [f"### `{name}`", _cell(first)]
        out.append(table(kind) if kind.model_fields else "It has no keys but `type`.")
    return "\n\n".join(out)


def filled(page: str) -> str:
    """A page with its tables."""
    return _MARK.sub(lambda mark: section(mark[1]), page)
