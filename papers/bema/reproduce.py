"""BEMA: the figures of `folkmoot reproduce bema/...`; README.md says what came of them."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path


def _run(name: str, out: Path, jobs: int, progress: bool) -> bool:
    """The function of that name; PyTorch is not loaded to list what there is."""
    try:
        found: Callable[[Path, int, bool], bool] = getattr(import_module(".tables", __package__), name)
    except ModuleNotFoundError as missing:
        if missing.name not in ("torch", "safetensors", "sklearn"):
            raise
        raise ValueError(f"bema/{name} needs {missing.name}: pip install 'folkmoot[multiparty]'") from None
    return found(out, jobs, progress)


def table1(out: Path, jobs: int, progress: bool) -> bool:
    """Table I: accuracy with 10, 20 and 50 parties and 0 to 50 % bogus messages, BEMA and HMR."""
    return _run("table1", out, jobs, progress)


def hard(out: Path, jobs: int, progress: bool) -> bool:
    """Ten parties without a reserved class, where the printed rules fail; what each check is worth."""
    return _run("hard", out, jobs, progress)


def study(out: Path, jobs: int, progress: bool) -> bool:
    """Gradient of the score or of its logarithm, with and without a reserved class."""
    return _run("study", out, jobs, progress)


def fig6a(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 6a: accuracy against the iteration, two parties that share all digits evenly."""
    return _run("fig6a", out, jobs, progress)


def fig6b(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 6b: two parties, seven digits each."""
    return _run("fig6b", out, jobs, progress)


def fig6c(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 6c: five parties, four digits each."""
    return _run("fig6c", out, jobs, progress)


def fig6d(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 6d: ten parties, four digits each, three architectures, a public set."""
    return _run("fig6d", out, jobs, progress)


FIGURES = {
    "fig6a": fig6a,
    "fig6b": fig6b,
    "fig6c": fig6c,
    "fig6d": fig6d,
    "table1": table1,
    "hard": hard,
    "study": study,
}
