"""The command `folkmoot completion`: what a shell needs to complete commands and options, by typer's own means."""

import importlib
import os
from typing import Annotated, Any

import typer

_PROGRAM, _ASKED = "folkmoot", "_FOLKMOOT_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")


def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> int:
    """Print the completion for a shell: eval "$(folkmoot completion bash)"; fish: folkmoot completion fish | source."""
    if shell not in _SHELLS:
        raise ValueError(f"completion {shell!r}: allowed are {', '.join(_SHELLS)}")
    print(_typers().get_completion_script(prog_name=_PROGRAM, complete_var=_ASKED, shell=shell))
    return 0


def prepare() -> None:
    """Where a shell asks what may come next, let typer answer."""
    if _ASKED in os.environ:
        _typers().completion_init()


def _typers() -> Any:
    """The module whose names typer's own options use; it says of none of them whether it is public."""
    return importlib.import_module("typer.completion")


def kinds(incomplete: str) -> list[str]:
    """What `folkmoot list` lists."""
    from folkmoot.experiments import listed

    return [name for name in listed.kinds() if name.startswith(incomplete)]


def experiments(incomplete: str) -> list[str]:
    """The built-in experiments; the shell itself completes files."""
    from folkmoot.experiments.files import builtin_names

    return [name for name in builtin_names() if name.startswith(incomplete)]
