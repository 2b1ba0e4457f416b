"""Legends: names in the order of the curves, literal, as many as there is room for."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from folkmoot.report.shorter import shortened
from folkmoot.report.writing import write

_LINES = 24  # in a legend: with more a figure would lose its shape
_ENTRY_HEIGHT = 0.26  # inches of a legend entry of one line
NAME_WIDTH = 26  # characters of a name before its legend entry breaks


def legend(axes: Axes, handles: list[Any], title: str | None, outside: bool) -> None:
    """Names in the order of the curves; written as they are, neither as mathematics nor skipped.

    Of more curves than there is room for some are named, from the highest to the lowest, and the title says how many.
    """
    where: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)} if outside else {"loc": "best"}
    names = [broken(name) for name in shortened([str(handle.get_label()) for handle in handles])]
    total = len(handles)
    if sum(name.count("\n") + 1 for name in names) > _LINES:
        most = max(1, int(_LINES / max(name.count("\n") + 1 for name in names)))
        chosen = [round(n) for n in np.linspace(0, total - 1, min(most, total))]
        handles, names = [handles[n] for n in chosen], [names[n] for n in chosen]
        title = f"{title + '; ' if title else ''}{len(names)} of {total} named"
    box = axes.legend(
        handles, [str(n) for n in range(len(handles))], title=title, frameon=not outside, handlelength=3.2,
        alignment="left", labelspacing=0.7, **where,
    )  # fmt: skip
    for text, name in zip(box.get_texts(), names, strict=True):
        write(text, name)
    if outside:  # the figure is ours: make room for all names
        lines = sum(name.count("\n") + 1 for name in names) + (1 if title else 0)
        figure = figure_of(axes)
        figure.set_figheight(max(figure.get_figheight(), 0.4 + _ENTRY_HEIGHT * lines))


def broken(name: str, width: int = NAME_WIDTH) -> str:
    """A name in lines of at most so many characters."""
    from textwrap import fill

    return fill(name, width)


def figure_of(axes: Axes) -> Figure:
    """The whole figure that axes are in."""
    figure = axes.figure
    return figure if isinstance(figure, Figure) else figure.figure
