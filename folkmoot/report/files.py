"""A report as files: figures, table and page, each whole or not there at all."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from folkmoot.report.html import render
from folkmoot.report.page import fixed_style, png_bytes, svg_bytes
from folkmoot.report.plots import plot_regret
from folkmoot.report.tables import check_results, summary_csv
from folkmoot.simulation.result import Result


def write_files(
    folder: str | Path, title: str, results: Mapping[str, Result], description: str = "", notes: Sequence[str] = ()
) -> None:
    """Write regret.png (150 dpi), regret.svg, summary.csv and report.html into an existing folder.

    All four are made before the first is written; each replaces an older one of its name in one step. The same
    results give the same bytes, with the same version of matplotlib.

    Args:
        folder: where to.
        title: heading of the report.
        results: by the names that figures, table and report use.
        description: plain text after the answer; an empty line begins a new paragraph.
        notes: plain texts listed near the end.

    Raises:
        ValueError: no results, something that is not a Result, or the folder does not exist or cannot be written.
    """
    check_results(results)
    target = Path(folder)
    if not target.is_dir():
        raise ValueError(f"folder {target}: expected an existing folder")
    with fixed_style():
        drawing = plot_regret(results)
    contents = {
        "regret.png": png_bytes(drawing, dpi=150),
        "regret.svg": svg_bytes(drawing),
        "summary.csv": summary_csv(results).encode(),
        "report.html": render(title, results, description, notes).encode(),
    }
    for name, content in contents.items():
        write_whole(target / name, content)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it, then rename it.

    Raises:
        ValueError: it cannot be written.
    """
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise ValueError(f"file {path}: cannot be written ({error.strerror})") from None
    finally:
        Path(temporary).unlink(missing_ok=True) if temporary else None
