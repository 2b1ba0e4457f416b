"""Curves of regret in the worlds of a grid: a panel for each world, one look for each algorithm in all of them."""

from collections.abc import Sequence
from math import ceil
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from folkmoot.report.plots import (
    Chart,
    Look,
    draw_curve,
    figure_of,
    finish,
    look,
    mark_places,
    plot_regret,
    printable,
    scale_x,
    scale_y,
)
from folkmoot.report.shorter import shortened
from folkmoot.report.worlds import World, size_of
from folkmoot.report.writing import write
from folkmoot.simulation.result import student_interval

PANELS = 12  # at most
_COLUMNS = 3
_WIDTH, _HEIGHT = 2.5, 2.1  # inches of a panel
_NAME = 26  # characters of a title or a name before it breaks
_TITLE = 100  # characters of a title
_ENTRY = 0.24  # inches of a line of the legend


def plot_worlds(worlds: Sequence[World]) -> Figure:
    """Cumulative expected regret against the round: means over replicates with their 95 % Student bands.

    One world is one chart as of a single run. Of more than `PANELS` worlds the first are drawn. Panels share the axis
    of regret where all worlds have as many agents and rounds: only then do their regrets compare.

    Args:
        worlds: those of the grid; worlds without whole results are left out.

    Returns:
        The figure, independent of pyplot.

    Raises:
        ValueError: no world has a result.
    """
    known = [world for world in worlds if world.results]
    if not known:
        raise ValueError("worlds: expected at least one with a result")
    if len(known) == 1:
        return figure_of(plot_regret(known[0].results))
    drawn = known[:PANELS]
    names = list(dict.fromkeys(name for world in drawn for name in world.results))
    sizes = {size_of(result) for world in drawn for result in world.results.values()}
    columns = min(_COLUMNS, len(drawn))
    lines = ceil(len(drawn) / columns)
    figure = Chart(
        figsize=(columns * _WIDTH + 2.6, max(lines * _HEIGHT + 0.4, _legend_height(names))), layout="constrained"
    )
    panels = figure.subplots(lines, columns, squeeze=False, sharey=len(sizes) == 1)
    handles: dict[str, Any] = {}
    finals: list[float] = []
    for axes, world in zip(panels.flat, drawn, strict=False):
        own = _draw(axes, world, names, handles)
        finals += own
        if len(sizes) > 1:
            scale_y(axes, own, False)
    for axes in list(panels.flat)[len(drawn) :]:
        axes.set_visible(False)
    if len(sizes) == 1:
        scale_y(panels.flat[0], finals, False)
    figure.supxlabel("round", fontsize="medium")
    figure.supylabel("regret, summed over agents", fontsize="medium")
    _legend(figure, handles, any(r.replicates > 1 for world in drawn for r in world.results.values()))
    return figure


def _draw(axes: Axes, world: World, names: Sequence[str], handles: dict[str, Any]) -> list[float]:
    """The curves of one world; their ends."""
    finals = []
    for name, result in world.results.items():
        number = names.index(name)
        style: Look = look(number)
        mean, half = student_interval(result.regret)
        marks = mark_places(result.checkpoints, False, number, len(names))[::2]
        line = draw_curve(axes, result.checkpoints, mean, half, style, printable(name), marks)
        handles.setdefault(name, line)
        finals.append(float(mean[-1]))
    scale_x(axes, np.concatenate([result.checkpoints for result in world.results.values()]), False)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.set_title(" ", fontsize="small")
    write(axes.title, fill(shortened([world.title], _TITLE)[0], _NAME + 8))
    axes.tick_params(labelsize="small")
    finish(axes)
    return finals


def _legend(figure: Figure, handles: dict[str, Any], banded: bool) -> None:
    numbers = [str(n) for n in range(len(handles))]
    box = figure.legend(
        list(handles.values()),
        numbers,
        title="mean, 95 % band" if banded else None,
        loc="outside right upper",
        frameon=False,
        handlelength=3.2,
        alignment="left",
        labelspacing=0.7,
    )
    for text, name in zip(box.get_texts(), shortened(list(handles)), strict=True):
        write(text, fill(name, _NAME))


def _legend_height(names: Sequence[str]) -> float:
    return 0.6 + _ENTRY * sum(max(1, len(fill(name, _NAME).splitlines())) + 0.4 for name in shortened(names))
