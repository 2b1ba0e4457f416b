"""A grid of many cells in one figure: final values against what was swept, and all curves, coloured by it.

How it works. Each algorithm has a *main* setting, of which the grid has most values; numbers come before words. Above
stand final values against it, a panel for each main setting. Below stands a panel for each algorithm, with a curve for
each of its cells. The colour of a curve is its value, as the bar beside the panels says. It gets lighter with the
value, so that it can be read in grey. The shape of the figure does not depend on how many cells there are.
"""

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from folkmoot.report.legends import legend
from folkmoot.report.panels import PANELS, plot_worlds
from folkmoot.report.plots import Chart, apart, finish, look, plain_numbers, point_style, scale_x, scale_y
from folkmoot.report.shorter import shortened
from folkmoot.report.worlds import Row, World, is_number, is_outcome, keys_of, readable, shown, varied_in, worlds_of
from folkmoot.report.writing import write, write_ticks
from folkmoot.simulation.result import student_interval
from folkmoot.simulation.swept import settings_of

Floats = NDArray[np.float64]
ALGORITHMS = 9  # panels of curves, at most
_COLUMNS = 3
_TICKS = 12  # words on an axis
MANY = 16  # curves in one chart, up to which each has a look and a name of its own
_LINES = 12  # values on a line, up to which each has a mark with its interval; more have a band
_WORD = 18  # characters of a word on an axis


class Measure(NamedTuple):
    """What is drawn of each result.

    Attributes:
        values: of a result the rounds [c] and the values [replicates, c].
        curve: label of the vertical axis of curves.
        final: the same of final values.
        step: label of the horizontal axis of curves.
    """

    values: Callable[[Any], tuple[NDArray[np.int64], Floats]]
    curve: str
    final: str
    step: str = "round"


REGRET = Measure(
    lambda result: (result.checkpoints, result.regret),
    "regret, summed over agents",
    "final regret,\nsummed over agents",
)


class _Cell(NamedTuple):
    value: Any  # of the main setting
    steps: NDArray[np.int64]
    mean: Floats
    half: Floats


def are_many(worlds: Sequence[World]) -> bool:
    """Are there more worlds than panels, or more cells in a world than can be told apart, and all whole results?"""
    whole = all(len(world.results) == len(world.cells) for world in worlds)
    return whole and (len(worlds) > PANELS or max((len(world.cells) for world in worlds), default=0) > MANY)


def are_many_games(results: Mapping[str, Any]) -> bool:
    """The same of games, each a cell of a grid."""
    return len(results) > MANY and all(map(settings_of, results.values()))


def plot_grid(rows: Sequence[Row]) -> Figure:
    """Regret over a grid: a panel for each world, or of many cells `plot_sweep`."""
    worlds = worlds_of(rows)
    return plot_sweep(rows) if are_many(worlds) else plot_worlds(worlds)


def main_settings(rows: Sequence[Row]) -> dict[str, str]:
    """For each algorithm the setting with most values; "" where it has but one cell."""
    names = dict.fromkeys(key for row in rows for key, value in row.items() if is_outcome(value))
    out = {}
    for name in names:
        own = [row for row in rows if name in row]
        keys = varied_in(own, keys_of(own))
        counts = {key: len({repr(row.get(key)) for row in own}) for key in keys}
        numeric = {key: all(is_number(row.get(key)) for row in own) for key in keys}
        out[name] = max(keys, key=lambda key: (numeric[key] and counts[key] > 2, counts[key]), default="")
    return out


def plot_sweep(rows: Sequence[Row], measure: Measure = REGRET) -> Figure:
    """Final values against the main settings, and below them the curves of each algorithm, coloured by these.

    Args:
        rows: a mapping for each combination of values: these, and results under the names of their algorithms.
        measure: what is drawn.

    Returns:
        The figure, independent of pyplot.

    Raises:
        ValueError: no row has a result.
    """
    main = main_settings(rows)
    if not main:
        raise ValueError("rows: expected at least one with a result")
    cells = {name: [_cell(row, name, key, measure) for row in rows if name in row] for name, key in main.items()}
    drawn = list(main)[:ALGORITHMS]
    columns = min(_COLUMNS, len(drawn))
    lines = ceil(len(drawn) / columns)
    figure = Chart(figsize=(9.6, 3.4 + 2.7 * lines), layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=(3.4, 2.7 * lines))
    top, bottom = halves
    _finals(top, cells, main, measure)
    _curves(bottom, {name: cells[name] for name in drawn}, main, (lines, columns), measure)
    return figure


def _cell(row: Row, name: str, key: str, measure: Measure) -> _Cell:
    steps, values = measure.values(row[name])
    mean, half = student_interval(values)
    return _Cell(row.get(key), np.asarray(steps), mean, half)


def _places(values: Sequence[Any]) -> tuple[Floats, list[str]]:
    """Where values stand on an axis, and the words of the axis if it is none of numbers."""
    if all(is_number(value) for value in values):
        return np.array(values, np.float64), []
    words = list(dict.fromkeys(shown(value) for value in values))
    return np.array([words.index(shown(value)) for value in values], np.float64), words


# --- Final values ---------------------------------------------------------------------------------------


def _finals(figure: SubFigure, cells: Mapping[str, list[_Cell]], main: Mapping[str, str], measure: Measure) -> None:
    keys = list(dict.fromkeys(key for key in main.values() if key)) or [""]
    panels = figure.subplots(1, min(len(keys), _COLUMNS), squeeze=False, sharey=True)
    handles: list[Any] = []
    everything: list[float] = []
    for axes, key in zip(panels.flat, keys, strict=False):
        own = {name: found for name, found in cells.items() if main[name] in (key, "")}
        places, words = _places([cell.value for name, found in own.items() if main[name] for cell in found])
        start = 0
        for name, found in own.items():
            number = list(main).index(name)
            means, halves = (np.array([float(getattr(c, what)[-1]) for c in found]) for what in ("mean", "half"))
            everything += means.tolist()
            if main[name]:
                line = _line(axes, places[start : start + len(found)], means, halves, number)
                start += len(found)
            else:
                line = axes.axhline(float(means[0]), color=look(number).colour, linestyle=look(number).dashes)
            line.set_label(name)
            handles += [line] if name not in [str(handle.get_label()) for handle in handles] else []
        _words(axes, words)
        if not words and places.size and apart(places.tolist()):
            axes.set_xscale("log")
        if not words and places.size:
            plain_numbers(axes.xaxis, float(places.max()))
        write(axes.xaxis.label, readable(key))
        finish(axes)
    scale_y(panels.flat[0], everything, apart(everything))
    panels.flat[0].set_ylabel(measure.final)
    measured = any(np.isfinite(cell.half).all() for found in cells.values() for cell in found)
    legend(panels.flat[len(list(panels.flat)) - 1], handles, "mean, 95 % interval" if measured else None, outside=True)


def _line(axes: Axes, x: Floats, y: Floats, dy: Floats, number: int) -> Any:
    """A line where each place has one value, else points; intervals as bars or, of many, as a band."""
    style, order = look(number), np.argsort(x, kind="stable")
    x, y, dy = x[order], y[order], np.nan_to_num(dy[order])
    once = len(np.unique(x)) == len(x)
    if once and len(x) > _LINES:
        axes.fill_between(x, y - dy, y + dy, color=style.colour, alpha=0.2, linewidth=0.0, zorder=2)
        (line,) = axes.plot(
            x, y, color=style.colour, linestyle=style.dashes, linewidth=1.6, marker=style.marker, markersize=5.0,
            markerfacecolor=style.face, markevery=max(1, len(x) // 8), zorder=3,
        )  # fmt: skip
        return line
    bars = axes.errorbar(x, y, yerr=dy, **point_style(style), linestyle=style.dashes if once else "none", linewidth=1.6)
    return bars[0]


def _words(axes: Axes, words: Sequence[str]) -> None:
    if words:
        step = ceil(len(words) / _TICKS)
        write_ticks(axes.xaxis, range(0, len(words), step), shortened(words, _WORD)[::step])
        for label in axes.get_xticklabels():
            label.set(rotation=30, horizontalalignment="right")


# --- Curves ---------------------------------------------------------------------------------------------


def _curves(
    figure: SubFigure,
    cells: Mapping[str, list[_Cell]],
    main: Mapping[str, str],
    shape: tuple[int, int],
    measure: Measure,
) -> None:
    panels = figure.subplots(*shape, squeeze=False, sharey=True)
    map_ = LinearSegmentedColormap.from_list("swept", ["#2a0a4a", "#31688e", "#35b779", "#d8c81c"])
    groups: dict[str, list[str]] = {}
    for name in cells:
        groups.setdefault(main[name], []).append(name)
    finals = [float(cell.mean[-1]) for found in cells.values() for cell in found]
    order = [name for names in groups.values() for name in names]
    where = dict(zip(order, panels.flat, strict=False))
    for key, names in groups.items():
        places, words = _places([cell.value for name in names for cell in cells[name]])
        log = not words and apart(places.tolist())
        norm = (LogNorm if log else Normalize)(float(places.min()), float(places.max()))
        start = 0
        for name in names:
            found = cells[name]
            _bundle(where[name], found, places[start : start + len(found)], map_, norm)
            start += len(found)
            write(where[name].title, shortened([name], 34)[0])
        if key:
            _bar(figure, [where[name] for name in names], key, words, ScalarMappable(norm, map_))
    for axes in list(panels.flat)[len(order) :]:
        axes.set_visible(False)
    scale_y(panels.flat[0], finals, False)
    figure.supxlabel(measure.step, fontsize="medium")
    figure.supylabel(measure.curve, fontsize="medium")


def _bundle(axes: Axes, cells: Sequence[_Cell], places: Floats, map_: Any, norm: Any) -> None:
    curves = [np.column_stack([cell.steps, cell.mean]) for cell in cells]
    axes.add_collection(LineCollection(curves, array=places, cmap=map_, norm=norm, linewidths=1.1))
    axes.autoscale_view()
    scale_x(axes, np.concatenate([cell.steps for cell in cells]), False)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(labelsize="small")
    axes.title.set_fontsize("small")
    finish(axes)


def _bar(figure: SubFigure, axes: list[Axes], key: str, words: Sequence[str], colours: ScalarMappable) -> None:
    bar = figure.colorbar(colours, ax=axes, pad=0.02, aspect=30)
    write(bar.ax.yaxis.label, readable(key))
    bar.ax.tick_params(labelsize="small")
    if words:
        step = ceil(len(words) / _TICKS)
        write_ticks(bar.ax.yaxis, range(0, len(words), step), shortened(words, _WORD)[::step])
    elif isinstance(colours.norm, LogNorm):
        plain_numbers(bar.ax.yaxis, float(colours.norm.vmax or 1.0))
