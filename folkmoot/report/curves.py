"""Figures of shares: curves against steps, and values of groups side by side; means with 95 % Student intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from folkmoot.report.plots import (
    SIZE,
    Chart,
    draw_curve,
    figure_of,
    finish,
    legend,
    look,
    mark_places,
    point_style,
    printable,
    scale_x,
)
from folkmoot.report.writing import write_ticks
from folkmoot.simulation.result import student_interval

Floats = NDArray[np.float64]
_WIDTH = 0.7  # of a group, shared by its values
_MARGIN = 0.05  # of the range of values, left free above and below them


def plot_shares(steps: NDArray[np.int64], curves: Mapping[str, Floats], x_label: str, y_label: str) -> Figure:
    """Shares [replicates, steps] against the step, in percent: means with bands; the axis is cut to what is there."""
    axes = Chart(figsize=SIZE, layout="constrained").subplots()
    lines, ends, low, high = [], [], 1.0, 0.0
    for number, (name, values) in enumerate(curves.items()):
        mean, half = student_interval(values)
        marks = mark_places(steps, False, number, len(curves))
        lines.append(draw_curve(axes, steps, mean, half, look(number), printable(name), marks, 1.0))
        ends.append(float(mean[-1]))
        low, high = min(low, float((mean - np.nan_to_num(half)).min())), max(high, float((mean + half).max()))
    scale_x(axes, steps, False)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    room = _MARGIN * max(high - low, 0.02) if np.isfinite(high) else 0.01
    axes.set_ylim(max(0.0, low - room), min(1.0, (high if np.isfinite(high) else 1.0) + room))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    finish(axes)
    banded = any(len(values) > 1 for values in curves.values())
    order = np.argsort(-np.array(ends), kind="stable")
    legend(axes, [lines[n] for n in order], "mean, 95 % band" if banded else None, outside=True)
    return figure_of(axes)


def plot_groups(groups: Sequence[str], values: Mapping[str, Floats], x_label: str, y_label: str) -> Figure:
    """Shares [replicates, groups], in percent: a place for each group, in it a mark with its interval for each name."""
    axes = Chart(figsize=SIZE, layout="constrained").subplots()
    handles: list[Any] = []
    places, least = np.arange(len(groups), dtype=np.float64), 1.0
    for number, (name, shares) in enumerate(values.items()):
        mean, half = student_interval(shares)
        wide = np.nan_to_num(half)
        ends = np.maximum(0.0, [np.minimum(wide, mean), np.minimum(wide, 1.0 - mean)])  # no share is beyond 0 or 1
        least = min(least, float((mean - ends[0]).min()))
        offset = _WIDTH * ((number + 0.5) / len(values) - 0.5)
        bars = axes.errorbar(places + offset, mean, yerr=ends, linestyle="none", **point_style(look(number)))
        bars[0].set_label(printable(name))
        bars[0].set_clip_on(False)  # a mark at 0 or 1 is whole
        handles.append(bars[0])
    for edge in places[:-1] + 0.5:
        axes.axvline(edge, color="0.9", linewidth=0.6, zorder=0)
    turned = max(map(len, groups)) * len(groups) > 70
    write_ticks(axes.xaxis, places.tolist(), groups)
    for text in axes.get_xticklabels():
        text.set(rotation=60 if turned else 0, horizontalalignment="right" if turned else "center")
    axes.set_xlim(-0.5, len(groups) - 0.5)
    axes.set_ylim(np.floor(10.0 * least - 0.2) / 10.0 if least > 0.5 else 0.0, 1.02)  # no room for what nobody has
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    finish(axes)
    axes.grid(False, axis="x")
    banded = any(len(shares) > 1 for shares in values.values())
    legend(axes, handles, "mean, 95 % interval" if banded else None, outside=True)
    return figure_of(axes)
