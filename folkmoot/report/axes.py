"""Figures and axes of matplotlib that a notebook shows without pyplot."""

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
