"""Figures of regret and communication: means with bands, legible in grey print.

Only matplotlib's object-oriented interface is used: no pyplot, no global state. Colours are those of
Okabe and Ito (2008), which the colour-blind can tell apart; line styles and markers differ as well, so
that curves stay apart in grey.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cbook import normalize_kwargs
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogFormatter, LogLocator, MaxNLocator, NullFormatter, SymmetricalLogLocator
from numpy.typing import NDArray

from folkmoot.doors import guarded
from folkmoot.errors import brief
from folkmoot.report.axes import Chart as Chart
from folkmoot.report.axes import Plot as Plot
from folkmoot.report.legends import figure_of as figure_of
from folkmoot.report.legends import legend as legend
from folkmoot.report.shorter import printable as printable
from folkmoot.report.tables import check_results
from folkmoot.report.writing import write
from folkmoot.simulation.measures import standard_deviation
from folkmoot.simulation.result import Result, student_interval

Floats = NDArray[np.float64]

SPREAD = 20.0  # values further apart than this factor are shown on a logarithmic axis where the choice is ours
SIZE = (7.2, 4.0)  # inches
_MARKS = 8  # markers on a curve
_PLAIN_BELOW = 1e7  # axis numbers are written out up to here
_COLOURS = ("#0072B2", "#D55E00", "#000000", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")
_DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.6)),
    (0, (1.2, 1.2)),
    (0, (7, 1.6, 1.2, 1.6)),
    (0, (3.5, 1.2, 1.2, 1.2, 1.2, 1.2)),
)
_BANDS = {
    "interval": (student_interval, "mean, 95 % interval"),
    "sd": (standard_deviation, "mean ± standard deviation"),
}
_REGRETS = {
    "regret": ("regret", "cumulative expected regret"),
    "own_regret": ("own_regret_so_far", "cumulative expected regret\nagainst own best arms"),
    "realised_regret": ("realised_regret", "realised regret"),
}
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")


class Look(NamedTuple):
    """How one algorithm is drawn, the same in every figure of a report."""

    colour: str
    dashes: Any
    marker: str
    face: str  # of the marker


def look(number: int) -> Look:
    """The look of the algorithm with this place in the comparison; no two of the first 315 are equal."""
    colour = _COLOURS[number % len(_COLOURS)]
    face = "white" if number % 2 else colour
    return Look(colour, _DASHES[number % len(_DASHES)], _MARKERS[number % len(_MARKERS)], face)


@guarded
def plot_regret(
    results: Mapping[str, Result],
    log_x: bool = False,
    per_agent: bool = False,
    ax: Axes | None = None,
    *,
    log_y: bool = False,
    band: Literal["interval", "sd"] = "interval",
    of: Literal["regret", "own_regret", "realised_regret"] = "regret",
    styles: Mapping[str, Mapping[str, Any]] | None = None,
    **line: Any,
) -> Axes:
    """Cumulative expected regret against the round: mean over replicates, and a band around it.

    A result with one replicate is a line without a band. Of more curves than a legend has room for some are named.

    Args:
        results: results by the name the legend gives them.
        log_x: logarithmic rounds, on which logarithmic regret is a straight line.
        per_agent: regret divided by the number of agents.
        ax: axes to draw into; by default those of a new figure, independent of pyplot.
        log_y: logarithmic regret, for curves that differ by orders of magnitude.
        band: "interval" is the 95 % Student interval of the mean: how sure the mean is; it narrows with more
            replicates. "sd" is one standard deviation to either side: how far replicates lie apart; it does not.
        of: "regret" against the common arm; "own_regret", of each agent against its own best arm, of runs with
            `per_agent`; "realised_regret" against the best arm in hindsight, of runs with `realised`.
        styles: for some of the names keywords of `matplotlib.axes.Axes.plot`, such as {"GSE": {"color": "red"}}.
        line: the same for all curves, such as linewidth=1.

    Returns:
        The axes, for titles, limits and lines of one's own. Those of a new figure have `savefig(path)`, which writes
        PDF, PNG, SVG and what else matplotlib writes.

    Raises:
        ValueError: no results, something that is not a Result, another band or regret, one that was not asked for, or
            a style of a name that is not there.
    """
    check_results(results)
    if of not in _REGRETS:
        raise ValueError(f"of = {brief(of)}: allowed are {', '.join(map(repr, _REGRETS))}")
    attribute, label = _REGRETS[of]
    if band not in _BANDS:
        raise ValueError(f"band = {brief(band)}: allowed are {', '.join(map(repr, _BANDS))}")
    for name in styles or {}:
        if name not in results:
            raise ValueError(
                f"styles[{brief(name)}]: there is no such result; there are {', '.join(map(repr, results))}"
            )
    spread, said = _BANDS[band]
    axes: Axes = _new_axes(SIZE) if ax is None else ax
    lines, finals = [], []
    for number, (name, result) in enumerate(results.items()):
        values: Floats = getattr(result, attribute)
        mean, half = spread(values / int(result.counted.sum()) if per_agent else values)
        marks = mark_places(result.checkpoints, log_x, number, len(results))
        own = {**line, **(styles or {}).get(name, {})}
        lines.append(draw_curve(axes, result.checkpoints, mean, half, look(number), printable(name), marks, own=own))
        finals.append(float(mean[-1]))
    rounds = np.concatenate([result.checkpoints for result in results.values()])
    scale_x(axes, rounds, log_x)
    scale_y(axes, finals, log_y)
    axes.set_xlabel("round")
    axes.set_ylabel(label + (" per agent" if per_agent else ",\nsummed over agents"))
    finish(axes)
    banded = any(result.replicates > 1 for result in results.values())
    order = np.argsort(-np.array(finals), kind="stable")
    legend(axes, [lines[n] for n in order], said if banded else None, outside=ax is None)
    return axes


def _new_axes(size: tuple[float, float]) -> Plot:
    return cast(Plot, Chart(figsize=size, layout="constrained").add_subplot(axes_class=Plot))


def plot_communication(results: Mapping[str, Result], *, messages: bool = False, ax: Axes | None = None) -> Figure:
    """Final regret against what the network carried until then: one point with 95 % intervals an algorithm.

    Args:
        results: results by the name the legend gives them.
        messages: count messages instead of megabytes.
        ax: axes to draw into; by default those of a new figure.

    Returns:
        The figure, independent of pyplot.

    Raises:
        ValueError: no results, or something that is not a Result.
    """
    check_results(results)
    own = ax is None
    axes = Chart(figsize=(SIZE[0], 3.4), layout="constrained").subplots() if ax is None else ax
    largest = max(float(result.bytes.mean()) for result in results.values())
    unit, label = (1.0, "messages sent") if messages else (1e6, "megabytes sent")
    if not messages and largest < 1e5:
        unit, label = 1e3, "kilobytes sent"
    points, sent, finals = [], [], []
    for number, (name, result) in enumerate(results.items()):
        x, dx = student_interval((result.messages if messages else result.bytes) / unit)
        y, dy = student_interval(result.regret[:, -1])
        points.append(_draw_point(axes, (float(x), float(dx)), (float(y), float(dy)), look(number), printable(name)))
        sent.append(float(x))
        finals.append(float(y))
    _scale_sent(axes, sent)
    scale_y(axes, finals, apart(finals))
    axes.set_xlabel(f"{label} over the horizon, mean over replicates")
    axes.set_ylabel("final regret,\nsummed over agents")
    finish(axes)
    banded = any(result.replicates > 1 for result in results.values())
    order = np.argsort(-np.array(finals), kind="stable")
    legend(axes, [points[n] for n in order], "mean, 95 % interval" if banded else None, outside=own)
    return figure_of(axes)


def plot_setting(
    label: str,
    values: Sequence[float],
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    regret: str = "final regret,\nsummed over agents",
    most: Mapping[str, Sequence[float]] | None = None,
) -> Figure:
    """Final regret against the one setting that varies.

    Args:
        label: what varies, with its unit.
        values: its values, one a cell of the grid.
        curves: for each algorithm the means and the half-widths of the 95 % intervals (NaN: none), one a cell.
        regret: which regret it is.
        most: for each name the most that is expected, derived: a line, and the means are points of its colour.

    Returns:
        The figure, independent of pyplot.
    """
    axes = Chart(figsize=SIZE, layout="constrained").subplots()
    order = np.argsort(np.array(values, np.float64), kind="stable")
    x = np.array(values, np.float64)[order]
    lines, lasts = [], []
    everything: list[float] = []
    for number, (name, (means, halves)) in enumerate(curves.items()):
        y, dy = np.array(means, np.float64)[order], np.array(halves, np.float64)[order]
        style = look(number)
        dashes = "none" if most else style.dashes
        bars = axes.errorbar(x, y, yerr=np.nan_to_num(dy), **point_style(style), linestyle=dashes, linewidth=1.6)
        if most:
            bound = np.array(most[name], np.float64)[order]
            axes.plot(x, bound, color=style.colour, linestyle=style.dashes, linewidth=1.6, zorder=2)
        bars[0].set_label(printable(name))
        lines.append(bars[0])
        lasts.append(float(y[-1]))
        everything.extend(float(value) for value in y[np.isfinite(y)])
    if apart([float(value) for value in x]):
        axes.set_xscale("log")
    plain_numbers(axes.xaxis, float(x[-1]))
    scale_y(axes, everything, apart(everything))
    write(axes.xaxis.label, printable(label))
    axes.set_ylabel(regret)
    finish(axes)
    # Names in the order of the curves at the right-hand end; a missing last value goes to the bottom.
    ranked = np.argsort(-np.nan_to_num(np.array(lasts), nan=-np.inf), kind="stable")
    measured = any(np.isfinite(np.array(halves, np.float64)).any() for _, halves in curves.values())
    title = "mean, 95 % interval" if measured else None
    title = f"points: {title or 'measured'}\nlines: most on average, derived" if most else title
    legend(axes, [lines[n] for n in ranked], title, outside=True)
    return figure_of(axes)


def apart(values: Sequence[float]) -> bool:
    """Are positive values further apart than the factor at which a logarithmic axis reads better?"""
    return len(values) > 0 and min(values) > 0.0 and max(values) > SPREAD * min(values)


# --- Drawing ------------------------------------------------------------------------------------------


def mark_places(rounds: NDArray[np.int64], log: bool, number: int, total: int) -> list[int]:
    """Checkpoints that carry a marker: evenly along the axis, those of different curves side by side."""
    place = np.log(rounds) if log else rounds.astype(np.float64)
    length = place[-1] - place[0]
    if length == 0.0:
        return [0]
    wanted = place[0] + length * (np.arange(_MARKS) + (number + 0.5) / total) / _MARKS
    return sorted({int(np.abs(place[:-1] - w).argmin()) for w in wanted})  # not at the end, where it would be cut


def draw_curve(
    axes: Axes,
    rounds: NDArray[np.int64],
    mean: Floats,
    half: Floats,
    style: Look,
    label: str,
    marks: list[int],
    most: float = np.inf,
    own: Mapping[str, Any] | None = None,
) -> Any:
    """A line and its band, cut to what its values can be: from 0, unless the mean is below, to `most`; `own` are
    keywords of a user for the line.
    """
    usual: dict[str, Any] = {
        "color": style.colour,
        "linestyle": style.dashes,
        "linewidth": 1.6,
        "marker": style.marker,
        "markevery": marks,
        "markersize": 5.0,
        "markerfacecolor": style.face,
        "markeredgewidth": 1.1,
        "zorder": 3,
        "label": label,
    }
    wanted = normalize_kwargs(dict(own or {}), Line2D)
    if "color" in wanted:
        usual["markerfacecolor"] = wanted["color"] if style.face == style.colour else style.face
    (line,) = axes.plot(rounds, mean, **{**usual, **wanted})
    if np.isfinite(half).all():
        low, high = mean - half, np.minimum(mean + half, most)
        low = low if float(mean.min()) < 0.0 else np.maximum(low, 0.0)
        colour = line.get_color()
        axes.fill_between(rounds, low, high, color=colour, alpha=0.2, linewidth=0.0, zorder=2)
        for edge in (low, high):
            axes.plot(rounds, edge, color=colour, linewidth=0.4, alpha=0.6, zorder=2, label="_band")
    return line


def point_style(style: Look) -> dict[str, Any]:
    return {
        "color": style.colour,
        "marker": style.marker,
        "markersize": 6.5,
        "markerfacecolor": style.face,
        "markeredgewidth": 1.2,
        "capsize": 3.0,
        "elinewidth": 1.2,
        "zorder": 3,
    }


def _draw_point(axes: Axes, x: tuple[float, float], y: tuple[float, float], style: Look, label: str) -> Any:
    bars = axes.errorbar(
        [x[0]], [y[0]], xerr=np.nan_to_num([x[1]]), yerr=np.nan_to_num([y[1]]), linestyle="none", **point_style(style)
    )
    bars[0].set_label(label)
    return bars[0]


def _plain(value: float, place: int | None = None) -> str:
    return f"{value:,.10g}".replace("-", "\N{MINUS SIGN}")


class _PlainBetween(LogFormatter):
    """Numbers between the powers of ten, where matplotlib writes some: as plain as those at the powers."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return _plain(float(f"{x:.6g}")) if super().__call__(x, pos) else ""


def plain_numbers(axis: Any, largest: float) -> None:
    if largest <= _PLAIN_BELOW:
        axis.set_major_formatter(FuncFormatter(cast(Callable[..., str], _plain)))
        if axis.get_scale() == "log":
            axis.set_minor_formatter(_PlainBetween(labelOnlyBase=False))


def scale_x(axes: Axes, rounds: NDArray[np.int64], log: bool) -> None:
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=12))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6))  # more numbers of five digits would touch
    plain_numbers(axes.xaxis, float(rounds.max()))
    if rounds.max() > rounds.min():
        axes.set_xlim(float(rounds.min()) if log else 0.0, float(rounds.max()))


def scale_y(axes: Axes, finals: Sequence[float], log: bool) -> None:
    largest = max(finals, default=0.0)
    if log and largest > 0.0:
        # A curve that starts at 0 enters from below rather than along the edge.
        seen = np.concatenate([np.asarray(line.get_ydata(), np.float64) for line in axes.lines])
        axes.set_yscale("log", nonpositive="mask")
        axes.set_ylim(bottom=float(seen[seen > 0.0].min()) / 1.3)
        plain_numbers(axes.yaxis, largest)
        return
    axes.yaxis.set_major_locator(MaxNLocator(6))
    if min(finals, default=0.0) >= 0.0:
        axes.set_ylim(bottom=0.0, top=None if largest > 0.0 else 1.0)
    plain_numbers(axes.yaxis, largest)


def _scale_sent(axes: Axes, sent: Sequence[float]) -> None:
    """Linear from 0 where that shows the points apart, else logarithmic, with 0 kept on the axis if it occurs."""
    positive = [value for value in sent if value > 0.0]
    if apart(positive) and len(positive) == len(sent):
        axes.set_xscale("log")
    elif apart(positive):
        unit = 10.0 ** np.floor(np.log10(min(positive)))
        axes.set_xscale("symlog", linthresh=unit, linscale=0.6)
        axes.xaxis.set_major_locator(SymmetricalLogLocator(base=10.0, linthresh=unit))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(-0.25 * unit, 2.0 * max(sent))
    else:
        largest = max(sent, default=0.0) or 1.0
        axes.set_xlim(-0.04 * largest, 1.1 * largest)
    plain_numbers(axes.xaxis, max(sent, default=0.0))


def finish(axes: Axes) -> None:
    axes.grid(True, which="major", color="0.88", linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
