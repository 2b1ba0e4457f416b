"""Every command with its arguments and options, read from the command line itself.

A page says where the list goes with the comment `<!-- commands -->`.
"""

import re
from collections.abc import Iterator
from typing import Any

import typer

from folkmoot.cli import app

_MARK = "<!-- commands -->"


def commands() -> Iterator[tuple[str, Any]]:
    """Each command by its whole name, in the order of the help."""

    def below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        else:
            for word, one in inner.items():
                if not one.hidden:
                    yield from below(f"{name} {word}", one)

    yield from below("folkmoot", typer.main.get_command(app))


def _called(parameter: Any) -> str:
    """`FILE.toml`, or `--jobs N`."""
    shown = parameter.metavar or parameter.name.upper()
    if parameter.param_type_name == "argument":
        return str(shown)
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {shown}"


def parameters(command: Any) -> list[tuple[str, str]]:
    """How each is written, and what it does."""
    return [
        (_called(one), one.help or "")
        for one in command.params
        if one.name != "help" and not getattr(one, "hidden", False)
    ]


def _cell(text: str) -> str:
    return re.sub(r"([*_\[\]<|])", r"\\\1", " ".join(text.split()))


def section(name: str, command: Any) -> str:
    """A command as Markdown."""
    told = [
        f"```text\n{part[1:].strip()}\n```" if part.startswith("\b") else _cell(part)
        for part in (command.help or "").split("\n\n")
    ]
    rows = [
        f"| `{called.replace(chr(124), chr(92) + chr(124))}` | {_cell(what)} |" for called, what in parameters(command)
    ]
    table = ["", "| | |", "|---|---|", *rows] if rows else []
    return "\n".join([f"## `{name}`", "", "\n\n".join(told), *table])


def filled(page: str) -> str:
    """A page with the list."""
    if _MARK not in page:
        return page
    return page.replace(_MARK, "\n\n".join(section(name, command) for name, command in commands()))
