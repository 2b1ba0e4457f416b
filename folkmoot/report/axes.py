"""Figures and axes of matplotlib that a notebook shows without pyplot."""

import io
from collections.abc import Mapping
from typing import Any, cast

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.markers import TICKDOWN, TICKLEFT
from matplotlib.ticker import NullLocator

from folkmoot.report.legends import figure_of


class Chart(Figure):
    """A matplotlib figure that a notebook shows without pyplot."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


class Plot(Axes):
    """Axes of matplotlib that fill a figure of their own; a notebook shows it without pyplot."""

    def savefig(self, *where: Any, **options: Any) -> None:
        """Write the figure that these axes are in, as `Figure.savefig` does."""
        figure_of(self).savefig(*where, **options)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


def with_light_ticks(axes: Axes) -> Axes:
    """The small ticks of logarithmic axes as one line of marks, where they have no numbers.

    It looks the same and halves the time of a drawing: matplotlib makes five things of each tick. Only for axes that
    are drawn as they are: the marks stay where they are put.

    Returns:
        The same axes.
    """
    sides = ((axes.xaxis, "xtick", TICKDOWN), (axes.yaxis, "ytick", TICKLEFT))
    for axis, name, mark in sides:
        low, high = axis.get_view_interval()
        places = [float(value) for value in axis.get_minorticklocs() if low <= value <= high]
        if axis.get_scale() != "log" or any(axis.get_minor_formatter().format_ticks(places)):
            continue
        axis.set_minor_locator(NullLocator())
        usual, edge = cast(Mapping[str, Any], rcParams), [0.0] * len(places)
        across = axis is axes.xaxis
        axes.plot(
            places if across else edge,
            edge if across else places,
            transform=axes.get_xaxis_transform() if across else axes.get_yaxis_transform(),
            linestyle="none",
            marker=mark,
            markersize=usual[f"{name}.minor.size"],
            markeredgewidth=usual[f"{name}.minor.width"],
            color=usual[f"{name}.color"],
            clip_on=False,
            scalex=False,
            scaley=False,
            label="_ticks",
        )
    return axes
