"""What a theorem says, drawn into a figure of what was measured."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from folkmoot.report.plots import apart, legend, plain_numbers, printable

_GREYS = ("0.15", "0.5")
_DASHES = ((0, (6, 2)), (0, (1, 1.5)), (0, (8, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)), "-")


def add_lines(figure: Figure, lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Draw lines of a theory into a figure of `plot_regret` or `plot_setting`: thin, grey; one value alone is a cross.

    The vertical axis becomes logarithmic where they lie far from what was measured.

    Args:
        figure: the figure; its legend is written anew.
        lines: for each name in the legend, which gives the theorem's number, the values on both axes.

    Returns:
        The same figure.

    Raises:
        ValueError: no lines.
    """
    if not lines:
        raise ValueError("lines: expected at least one")
    axes = figure.axes[0]
    box = axes.get_legend()
    title = box.get_title().get_text() if box is not None else ""
    measured = [line for line in axes.lines if not str(line.get_label()).startswith("_")]
    measured.sort(key=lambda line: -float(np.asarray(line.get_ydata(), np.float64)[-1]))
    drawn = []
    for number, (name, (x, y)) in enumerate(lines.items()):
        grey, dashes, marker = _GREYS[number % 2], _DASHES[number % 5], "x" if len(x) == 1 else ""
        drawn += axes.plot(
            x, y, color=grey, linestyle=dashes, marker=marker, linewidth=1.2, zorder=1, label=printable(name)
        )
    seen = np.concatenate([np.asarray(line.get_ydata(), np.float64) for line in (*measured, *drawn)])
    positive = [float(value) for value in seen[np.isfinite(seen) & (seen > 0.0)]]
    if apart([float(np.asarray(line.get_ydata(), np.float64)[-1]) for line in (*measured, *drawn)]):
        axes.set_yscale("log", nonpositive="mask")
        axes.set_ylim(bottom=min(positive) / 1.3, top=max(positive) * 1.3)
    else:
        axes.set_ylim(top=max(positive) * 1.05)
    plain_numbers(axes.yaxis, max(positive))
    legend(axes, [*measured, *drawn], f"{title}\nthin: what is promised" if title else None, outside=True)
    return figure
