"""BEMA: the figures of `folkmoot reproduce bema/...`; README.md says what came of them."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from folkmoot.world.datasets import where

from .errors import e28, e29, e30, e31, e32


def _run(module: str, name: str, *given: Any, mnist: bool = True) -> bool:
    """A function of a module beside this file; PyTorch is not loaded to list what there is."""
    if mnist:
        where("mnist")  # says where to put it if it is not there
    try:
        found: Callable[..., bool] = getattr(import_module(f".{module}", __package__), name)
    except ModuleNotFoundError as missing:
        if missing.name not in ("torch", "safetensors", "sklearn"):
            raise
        raise ValueError(f"bema needs {missing.name}: pip install 'folkmoot[multiparty]'") from None
    return found(*given)


def table1(out: Path, jobs: int, progress: bool) -> bool:
    """Table I: accuracy with 10, 20 and 50 parties and 0 to 50 % bogus messages, BEMA and HMR."""
    return _run("table1", "table1", out, jobs, progress)


def hard(out: Path, jobs: int, progress: bool) -> bool:
    """Where the printed rules hold and where not: with and without a reserved class, two learning rates."""
    return _run("hard", "hard", out, jobs, progress)


def ablation(out: Path, jobs: int, progress: bool) -> bool:
    """What each hardened check is worth, under three ways to lie."""
    return _run("hard", "ablation", out, jobs, progress)


def study(out: Path, jobs: int, progress: bool) -> bool:
    """Gradient of the score or of its logarithm, with and without a reserved class."""
    return _run("hard", "study", out, jobs, progress)


def fig6a(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 6a: accuracy against the iteration, two parties that share all digits evenly."""
    return _run("figure6", "curves", "fig6a", out, jobs, progress)


def fig6b(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 6b: two parties, seven digits each."""
    return _run("figure6", "curves", "fig6b", out, jobs, progress)


def fig6c(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 6c: five parties, four digits each."""
    return _run("figure6", "curves", "fig6c", out, jobs, progress)


def fig6d(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 6d: ten parties, four digits each, three architectures, a public set."""
    return _run("figure6", "curves", "fig6d", out, jobs, progress)


def practice(out: Path, jobs: int, progress: bool) -> bool:
    """What to choose when: mean, vote, stacking, screening, HMR and BEMA on six sets of data, with liars."""
    return _run("practice", "practice", out, jobs, progress, mnist=False)


def hmr(out: Path, jobs: int, progress: bool) -> bool:
    """HMR as published with 2, 3 and 7 parties, and local training alone."""
    return _run("published", "hmr", out, jobs, progress)


FIGURES = {
    "e28": e28,
    "e29": e29,
    "e30": e30,
    "e31": e31,
    "e32": e32,
    "fig6a": fig6a,
    "fig6b": fig6b,
    "fig6c": fig6c,
    "fig6d": fig6d,
    "table1": table1,
    "hard": hard,
    "ablation": ablation,
    "study": study,
    "practice": practice,
    "hmr": hmr,
}
