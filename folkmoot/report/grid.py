"""The report of a grid of experiments: a row for each combination of values, and figures.

Regrets are compared within a world only; `worlds` says what that is, and what a cell is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from math import isfinite

from matplotlib.figure import Figure

from folkmoot.report import goals, requested
from folkmoot.report.arms import best_arm
from folkmoot.report.graph import held, picture
from folkmoot.report.live import data, live, regrets
from folkmoot.report.page import (
    Bold,
    bullets,
    collapsed,
    figure,
    fixed_style,
    page,
    paragraph,
    paragraphs,
    section,
    settings,
    table,
)
from folkmoot.report.panels import PANELS, plot_worlds
from folkmoot.report.played import algorithm_in_words, capital, world_of
from folkmoot.report.plots import plot_setting
from folkmoot.report.shared import configurations, same_or_each
from folkmoot.report.sweeps import ALGORITHMS, are_many, main_settings, plot_sweep
from folkmoot.report.words import PERCENT, certificates, headline, joined, number, places_by_error, places_for, plural
from folkmoot.report.worlds import (
    Cell,
    Row,
    World,
    contest,
    is_close,
    is_number,
    is_outcome,
    keys_of,
    lowest,
    readable,
    regret_of,
    shown,
    size_of,
    varied_in,
    worlds_of,
)
from folkmoot.report.writing import notes as on_names
from folkmoot.simulation.result import Result

_MOST_DIFFERENT = 4  # lines on one thing in different worlds
_MOST_WARNINGS = 4  # of the algorithms; all stand in the full configuration


def render_grid(
    title: str,
    rows: Sequence[Row],
    description: str = "",
    notes: Sequence[str] = (),
    drawing: Figure | None = None,
) -> str:
    """The report of a grid as one self-contained HTML document.

    Args:
        title: its heading.
        rows: one mapping for each combination of values. A value that is a `Result`, or a mapping with the keys of its
            `summary()`, is an algorithm under its name; any other value is a setting under its name.
        description: plain text; an empty line begins a new paragraph.
        notes: plain texts listed near the end.
        drawing: what `plot_grid` draws of these rows, if it is drawn already.

    Returns:
        The document.

    Raises:
        ValueError: no rows, or no row with an algorithm.
    """
    if not rows:
        raise ValueError("rows: expected at least one combination of values, got none")
    algorithms = list(dict.fromkeys(key for row in rows for key, value in row.items() if is_outcome(value)))
    if not algorithms:
        raise ValueError("rows: expected a Result or its summary under the name of an algorithm, found none")
    keys = keys_of(rows)
    varied = varied_in(rows, keys) or keys
    worlds, tables = worlds_of(rows), count(1)
    results = {cell.name: cell.value for cell in _cells(worlds) if isinstance(cell.value, Result)}
    known, many = [world.results for world in worlds if world.results], are_many(worlds)
    told = data({name: regrets(result) for name, result in results.items()}, results) if results else None
    graph = held(results)
    moved = live({**told, "graph": graph}) if told else None
    parts = [
        paragraph(answer(worlds), "answer"),
        paragraph(_best(known)),
        *(paragraph(said, "warning") for said in [*goals.remarks_of_worlds(known), *_warnings(results)]),
        paragraphs(description),
        section("What was run", settings(_played(worlds))) if results else "",
        section(
            "Regret over the grid",
            _all_in_one(rows, drawing) if many else _curve(rows, varied, algorithms),
            _final(rows, varied, algorithms, worlds, next(tables)),
            "" if many else _panels(worlds, 1 + _has_curve(rows, varied), drawing),
        ),
        moved.section if moved else "",
        section("The network", picture(graph)) if graph else "",
        section("Two goals", _two_goals(known, results, tables)),
        *(requested.sections(results, tables) if results else []),
        section("Notes", bullets([*notes, *_fixed(rows, keys, varied), *certificates(results), *on_names(algorithms)])),
        section("Provenance", *_provenance(results)),
    ]
    return page(title, parts, moved)


def _cells(worlds: Sequence[World]) -> list[Cell]:
    """In the order of the grid."""
    return sorted((cell for world in worlds for cell in world.cells.values()), key=lambda cell: cell.row)


# --- What is said first ---------------------------------------------------------------------------------


def answer(worlds: Sequence[World]) -> str:
    """The answer in a sentence or two: which algorithm has the least regret in how many worlds."""
    contests = [world for world in worlds if len(contest(world)) > 1]
    if len(worlds) == 1 and len(worlds[0].results) == len(worlds[0].cells):
        return headline(worlds[0].results)
    if not contests:
        return _ranges([cell for cell in _cells(worlds) if isfinite(regret_of(cell.value)[0])])
    wins: dict[str, int] = {}
    for name in (name for world in contests for name in lowest(world)):
        wins[name] = wins.get(name, 0) + 1
    ranked = sorted(wins, key=lambda name: -wins[name])
    where = plural(len(contests), "world")
    if wins[ranked[0]] == len(contests) > 1 and len(ranked) == 1:
        said = f"{ranked[0]} has the lowest mean final regret in each of {where}"
    else:
        said = f"Lowest mean final regret in {where}: {joined([f'{name} in {wins[name]:,}' for name in ranked])}"
    close = sum(map(is_close, contests))
    tail = f"; in {close:,} of them the next lowest cannot be told apart from it" if close else ""
    alone = len(worlds) - len(contests)
    rest = f" {plural(alone, 'more world')} had no two algorithms to compare." if alone else ""
    return f"{said}{tail}.{rest}"


def _ranges(cells: Sequence[Cell]) -> str:
    """Where no two cells may be compared: how far regrets of different worlds lie apart."""
    if not cells:
        return "No cell has a result."
    if len(cells) == 1:
        return f"{cells[0].name} has a mean final regret of {number(regret_of(cells[0].value)[0])}."
    sizes = {size_of(cell.value) for cell in cells}
    share = len(sizes) > 1 and all(agents and rounds for agents, rounds in sizes)
    each = [regret_of(cell.value)[0] / (_pulls(cell) if share else 1) for cell in cells]
    least, most = each.index(min(each)), each.index(max(each))
    what = "mean regret a pull" if share else "mean final regret"
    places = places_for([each[least], each[most]])
    said = f"from {number(each[least], places)} ({cells[least].name}) to {number(each[most], places)}"
    said = f"{said} ({cells[most].name})" if each[least] < each[most] else f"{number(each[least], places)} in all"
    return f"Every cell has a world of its own. There the {what} is {said}."


def _pulls(cell: Cell) -> int:
    agents, rounds = size_of(cell.value)
    return agents * rounds


def _best(worlds: Sequence[Mapping[str, Result]]) -> str:
    """The best arm, where it is the same in all worlds."""
    said = {best_arm(next(iter(world.values()))) for world in worlds}
    return said.pop() if len(said) == 1 else ""


def _warnings(results: Mapping[str, Result]) -> list[str]:
    """What algorithms say of their worlds, each sentence once, with the cells that say it unless all do."""
    found: dict[str, list[str]] = {}
    for name, result in results.items():
        for said in result.configuration.get("remarks", []):
            found.setdefault(str(said), []).append(name)
    lines = [
        said if len(names) == len(results) else f"{said} ({_some(names)})"
        for said, names in list(found.items())[:_MOST_WARNINGS]
    ]
    left = len(found) - len(lines)
    return [*lines, *([f"{plural(left, 'more warning')}; the full configuration at the end has all."] if left else [])]


def _some(names: Sequence[str]) -> str:
    return "; ".join(names) if len(names) < 4 else f"{names[0]}; and {len(names) - 1:,} more cells"


def _played(worlds: Sequence[World]) -> list[tuple[str, str]]:
    """The worlds, once where all are the same; then each algorithm with all its parameters."""
    told = {world.title or f"world {n}": world_of(world.results) for n, world in enumerate(worlds, 1) if world.results}
    algorithms: dict[str, dict[str, None]] = {}
    for cell in _cells(worlds):
        if isinstance(cell.value, Result):
            algorithms.setdefault(cell.algorithm, {})[algorithm_in_words(cell.value)] = None
    return [*_fewer(same_or_each(told)), *((name, "; ".join(said)) for name, said in algorithms.items())]


def _fewer(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Rows of which no more than a few say what one thing is in different worlds: "Network: p 0.1"."""
    out: list[tuple[str, str]] = []
    counts = Counter(title.partition(":")[0] for title, _ in rows)
    seen: Counter[str] = Counter()
    for title, value in rows:
        what = title.partition(":")[0]
        seen[what] += 1
        if counts[what] <= _MOST_DIFFERENT + 1 or seen[what] <= _MOST_DIFFERENT:
            out.append((title, value))
        elif seen[what] == counts[what]:
            left = counts[what] - _MOST_DIFFERENT
            out.append((f"{what}: {left} more", "See the full configuration at the end."))
    return out


# --- Regret -------------------------------------------------------------------------------------------


def _final(
    rows: Sequence[Row], varied: Sequence[str], algorithms: Sequence[str], worlds: Sequence[World], n: int
) -> str:
    values = {(n, name): regret_of(row.get(name)) for n, row in enumerate(rows) for name in algorithms}
    places = places_by_error([mean for mean, _ in values.values()], [half for _, half in values.values()])
    best = {
        (world.cells[name].row, world.cells[name].algorithm)
        for world in worlds
        if len(contest(world)) > 1
        for name in lowest(world)
    }
    lines = []
    for row_number, row in enumerate(rows):
        cells = []
        for name in algorithms:
            mean, half = values[row_number, name]
            text = number(mean, places) + (f" ± {number(half, places)}" if isfinite(half) else "")
            cells.append(Bold(text) if (row_number, name) in best else text)
        lines.append([*(shown(row.get(key)) for key in varied), *cells])
    bold = " The lowest of each world, oracles apart, is bold." if best else ""
    caption = (
        f"Table {n}. Final regret summed over agents: mean over replicates, with the half-width of its "
        f"95{PERCENT} Student interval.{bold}"
    )
    words = [n for n, key in enumerate(varied) if not all(is_number(row.get(key)) for row in rows)]
    return table(caption, [*map(_heading, varied), *algorithms], lines, left=[0, *words] if varied else [])


def _heading(key: str) -> str:
    return capital(readable(key))


def _has_curve(rows: Sequence[Row], varied: Sequence[str]) -> bool:
    return len(varied) == 1 and len(rows) > 1 and all(is_number(row.get(varied[0])) for row in rows)


def _curve(rows: Sequence[Row], varied: Sequence[str], algorithms: Sequence[str]) -> str:
    if not _has_curve(rows, varied):
        return ""
    curves = {}
    for name in algorithms:
        pairs = [regret_of(row.get(name)) for row in rows]
        curves[name] = ([mean for mean, _ in pairs], [half for _, half in pairs])
    label = readable(varied[0])
    with fixed_style():
        drawing = plot_setting(label, [float(row[varied[0]]) for row in rows], curves)
    caption = f"Figure 1. Final regret against {label}: means over replicates with 95{PERCENT} Student intervals."
    return figure(
        drawing, caption, f"Final regret of {joined(algorithms)} against {label}; the values stand in Table 1."
    )


def _all_in_one(rows: Sequence[Row], drawing: Figure | None) -> str:
    if drawing is None:
        with fixed_style():
            drawing = plot_sweep(rows)
    main = main_settings(rows)
    settings = joined([readable(key) for key in dict.fromkeys(main.values()) if key])
    several = len({key for row in rows for key in row if not is_outcome(row[key])}) > len(set(main.values()) - {""})
    others = " Cells that differ in other settings have the same colour." if several else ""
    of_all = f" The first {ALGORITHMS} of {len(main)} algorithms have a panel." if len(main) > ALGORITHMS else ""
    caption = (
        f"Figure 1. Above, final regret summed over agents against {settings}: means over replicates with "
        f"95{PERCENT} Student intervals. Below, regret against the round, a curve for each cell, coloured by "
        f"{settings}.{others}{of_all}"
    )
    return figure(drawing, caption, f"Final regret against {settings}; the values stand in Table 1.")


def _panels(worlds: Sequence[World], n: int, drawing: Figure | None) -> str:
    known = [world for world in worlds if len(world.results) == len(world.cells)]
    if not known:
        return ""
    if drawing is None or len(known) < len(worlds):
        with fixed_style():
            drawing = plot_worlds(known)
    of_all = f" The first {PANELS} of {len(known):,} worlds." if len(known) > PANELS else ""
    caption = (
        f"Figure {n}. Cumulative expected regret summed over agents, a panel for each world: means over replicates "
        f"with 95{PERCENT} Student bands.{of_all}"
    )
    return figure(drawing, caption, "Regret against the round, a panel for each world; final values stand in Table 1.")


def _two_goals(worlds: Sequence[Mapping[str, Result]], results: Mapping[str, Result], tables: "count[int]") -> str:
    differ = [world for world in worlds if goals.shown(world)]
    told = {id(result) for world in differ for result in world.values()}
    cells = {name: result for name, result in results.items() if id(result) in told}
    return goals.both_regrets(cells, next(tables)) if cells else ""


# --- Notes, provenance ----------------------------------------------------------------------------------


def _fixed(rows: Sequence[Row], keys: Sequence[str], varied: Sequence[str]) -> list[str]:
    same = [f"{readable(key)} {shown(rows[0].get(key))}" for key in keys if key not in varied]
    return [f"The same in all cells: {', '.join(same)}."] if same else []


def _provenance(results: Mapping[str, Result]) -> list[str]:
    """The first result's origin and every configuration."""
    if not results:
        return []
    origin = ", ".join(f"{key} {value}" for key, value in next(iter(results.values())).provenance.items())
    return [paragraph(origin), collapsed("Full configuration", configurations(results))]
