"""The report of a grid of experiments: a row for each cell, and a figure when one number varies."""

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any

from folkmoot.report.page import (
    Bold,
    as_json,
    bullets,
    collapsed,
    figure,
    fixed_style,
    page,
    paragraph,
    paragraphs,
    section,
    table,
)
from folkmoot.report.plots import plot_setting
from folkmoot.report.tables import is_oracle
from folkmoot.report.words import (
    NONE,
    PERCENT,
    certificates,
    joined,
    number,
    places_by_error,
    places_for,
    plural,
    remarks,
)
from folkmoot.simulation.result import Result

Row = Mapping[str, Any]


def render_grid(title: str, rows: Sequence[Row], description: str = "", notes: Sequence[str] = ()) -> str:
    """The report of a grid as one self-contained HTML document.

    Args:
        title: its heading.
        rows: one mapping a cell of the grid. A value that is a `Result`, or a mapping with the keys of its
            `summary()`, is an algorithm under its name; any other value is a setting under its name.
        description: plain text; an empty line begins a new paragraph.
        notes: plain texts listed near the end.

    Returns:
        The document.

    Raises:
        ValueError: no rows, or no row with an algorithm.
    """
    if not rows:
        raise ValueError("rows: expected at least one cell of the grid, got none")
    algorithms = list(dict.fromkeys(key for row in rows for key, value in row.items() if _is_outcome(value)))
    keys = list(dict.fromkeys(key for row in rows for key, value in row.items() if not _is_outcome(value)))
    if not algorithms:
        raise ValueError("rows: expected a Result or its summary under the name of an algorithm, found none")
    varied = [key for key in keys if len({repr(row.get(key)) for row in rows}) > 1] or keys
    parts = [
        paragraph(_answer(rows, algorithms), "answer"),
        paragraphs(description),
        section("Regret over the grid", _curve(rows, varied, algorithms), _cells(rows, varied, algorithms)),
        section("Notes", bullets([*notes, *_fixed(rows, keys, varied), *_said(rows)])),
        section("Provenance", *_provenance(rows)),
    ]
    return page(title, parts)


def _is_outcome(value: Any) -> bool:
    return isinstance(value, Result) or (isinstance(value, Mapping) and "regret_mean" in value)


def _regret(row: Row, name: str) -> tuple[float, float]:
    """Mean and half-width of the interval; NaN where there is none."""
    value = row.get(name)
    summary = value.summary() if isinstance(value, Result) else value
    if not isinstance(summary, Mapping) or "regret_mean" not in summary:
        return nan, nan
    mean = float(summary["regret_mean"])
    return mean, float(summary.get("regret_high", nan)) - mean


def _is_oracle(row: Row, name: str) -> bool:
    value = row.get(name)
    return is_oracle(value) if isinstance(value, Result) else name.endswith("(oracle)")


def _lowest(row: Row, algorithms: Sequence[str]) -> list[str]:
    """Those with the least regret in this cell; oracles count only among themselves."""
    fair = [name for name in algorithms if not _is_oracle(row, name)]
    algorithms = fair or algorithms
    means = {name: _regret(row, name)[0] for name in algorithms}
    known = [mean for mean in means.values() if isfinite(mean)]
    return [name for name in algorithms if known and means[name] == min(known)]


def _answer(rows: Sequence[Row], algorithms: Sequence[str]) -> str:
    cells = plural(len(rows), "cell")
    if len(algorithms) == 1:
        means = [mean for mean, _ in (_regret(row, algorithms[0]) for row in rows) if isfinite(mean)]
        places = places_for(means)
        if not means:
            return f"{algorithms[0]} has no result in any of the {cells}."
        span = f"from {number(min(means), places)} to {number(max(means), places)}"
        return f"Over {cells}, the mean final regret of {algorithms[0]} ranges {span}."
    wins = {name: sum(name in _lowest(row, algorithms) for row in rows) for name in algorithms}
    ranked = [name for name in sorted(algorithms, key=lambda name: -wins[name]) if wins[name]]
    if ranked and wins[ranked[0]] == len(rows) > 1 and len(ranked) == 1:
        return f"{ranked[0]} has the lowest mean final regret in all {cells}."
    said = joined([f"{name} in {wins[name]:,}" for name in ranked])
    return f"Lowest mean final regret among {cells}: {said}." if said else f"No result in {cells}."


def _cells(rows: Sequence[Row], varied: Sequence[str], algorithms: Sequence[str]) -> str:
    values = {(n, name): _regret(row, name) for n, row in enumerate(rows) for name in algorithms}
    places = places_by_error([mean for mean, _ in values.values()], [half for _, half in values.values()])
    lines = []
    for n, row in enumerate(rows):
        best = _lowest(row, algorithms) if len(algorithms) > 1 else []
        cells = []
        for name in algorithms:
            mean, half = values[n, name]
            text = number(mean, places) + (f" ± {number(half, places)}" if isfinite(half) else "")
            cells.append(Bold(text) if name in best else text)
        lines.append([*(_shown(row.get(key)) for key in varied), *cells])
    bold = " The lowest of each row, oracles apart, is bold." if len(algorithms) > 1 else ""
    caption = (
        "Table 1. Final regret summed over agents: mean over replicates, with the half-width of its "
        f"95{PERCENT} Student interval.{bold}"
    )
    words = [n for n, key in enumerate(varied) if not all(_is_number(row.get(key)) for row in rows)]
    return table(caption, [*map(readable, varied), *algorithms], lines, left=[0, *words] if varied else [])


def _curve(rows: Sequence[Row], varied: Sequence[str], algorithms: Sequence[str]) -> str:
    if len(varied) != 1 or len(rows) < 2 or not all(_is_number(row.get(varied[0])) for row in rows):
        return ""
    curves = {}
    for name in algorithms:
        pairs = [_regret(row, name) for row in rows]
        curves[name] = ([mean for mean, _ in pairs], [half for _, half in pairs])
    label = readable(varied[0])
    with fixed_style():
        drawing = plot_setting(label, [float(row[varied[0]]) for row in rows], curves)
    caption = f"Figure 1. Final regret against {label}: means over replicates with 95{PERCENT} Student intervals."
    return figure(
        drawing, caption, f"Final regret of {joined(algorithms)} against {label}; the values stand in Table 1."
    )


def readable(key: str) -> str:
    """`network.link_probability` as "link probability (network)"."""
    where, dot, what = str(key).rpartition(".")
    return f"{what.replace('_', ' ')} ({where})" if dot and where and what else str(key).replace("_", " ")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _shown(value: Any) -> str:
    if value is None:
        return NONE
    return f"{value:,.10g}" if isinstance(value, float) else f"{value:,}" if _is_number(value) else str(value)


def _fixed(rows: Sequence[Row], keys: Sequence[str], varied: Sequence[str]) -> list[str]:
    same = [f"{readable(key)} {_shown(rows[0].get(key))}" for key in keys if key not in varied]
    return [f"The same in all cells: {', '.join(same)}."] if same else []


def _said(rows: Sequence[Row]) -> list[str]:
    results = _results(rows)
    return [*certificates(results), *remarks(results)]


def _results(rows: Sequence[Row]) -> dict[str, Result]:
    """Of the cells that hold whole results, these, as "cell 3, GSE"."""
    found = ((n, name, value) for n, row in enumerate(rows, 1) for name, value in row.items())
    return {f"cell {n}, {name}": value for n, name, value in found if isinstance(value, Result)}


def _provenance(rows: Sequence[Row]) -> list[str]:
    """The first result's origin and every configuration."""
    results = _results(rows)
    if not results:
        return []
    origin = ", ".join(f"{key} {value}" for key, value in next(iter(results.values())).provenance.items())
    everything = {name: result.configuration for name, result in results.items()}
    return [paragraph(origin), collapsed("Full configuration", as_json(everything))]
