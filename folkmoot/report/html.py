"""The report of one experiment: a single HTML file that needs no network, no script and no colour.

With script a reader can move in it: see `live`.
"""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from matplotlib.figure import Figure

from folkmoot.errors import brief
from folkmoot.report import goals, requested
from folkmoot.report.arms import best_arm as best_arm
from folkmoot.report.arms import pulls_by_arm
from folkmoot.report.axes import with_light_ticks
from folkmoot.report.graph import held, picture
from folkmoot.report.grid import render_grid as render_grid
from folkmoot.report.live import data, live, regrets
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
    settings,
    table,
)
from folkmoot.report.played import capital, settings_of
from folkmoot.report.plots import figure_of, plot_communication, plot_regret
from folkmoot.report.tables import (
    Difference,
    check_results,
    corruption_columns,
    default_reference,
    difference_matrix,
    final_table,
    is_oracle,
    paired_differences,
    same_world,
)
from folkmoot.report.words import (
    NO_VALUE,
    PERCENT,
    certificates,
    headline,
    interval,
    joined,
    method,
    number,
    oracles,
    percent,
    places_by_error,
    remarks,
    scaled,
)
from folkmoot.report.writing import notes as on_names
from folkmoot.simulation.result import Result

_MATRIX_UP_TO = 6  # algorithms of which all pairs are shown
_TITLES = {"sources": "Digest of the sources", "numpy": "NumPy", "networkx": "NetworkX", "scipy": "SciPy"}
_SHARED = (
    "rewards",
    "network",
    "corruption",
    "verification",
    "liars",
    "presence",
    "feedback",
    "horizon",
    "seed",
    "engine",
)


def render(
    title: str,
    results: Mapping[str, Result],
    description: str = "",
    notes: Sequence[str] = (),
    *,
    reference: str | None = None,
    drawing: Figure | None = None,
) -> str:
    """The report of a comparison as one self-contained HTML document.

    Args:
        title: its heading.
        results: by the names the report uses.
        description: plain text after the answer; an empty line begins a new paragraph.
        notes: plain texts listed near the end.
        reference: whom the others are compared with; by default the first that is no oracle.
        drawing: the figure of regret, if it is drawn already.

    Returns:
        The document. The same results give the same text, with the same version of matplotlib.

    Raises:
        ValueError: no results, something that is not a Result, or an unknown reference.
    """
    check_results(results)
    against = default_reference(results) if reference is None else reference
    if against not in results:
        raise ValueError(f"reference {brief(against)}: unknown; there are {', '.join(map(repr, results))}")
    tables = count(1)
    first = next(iter(results.values()))
    comparable = all(same_world(first, result) for result in results.values())
    told = data({name: regrets(result) for name, result in results.items()}, results)
    told["graph"] = held(results) if comparable else None
    moved = live(told)
    parts = [
        paragraph(headline(results), "answer"),
        paragraph(best_arm(first)) if comparable else "",
        *(paragraph(said, "warning") for said in (goals.remarks(results) if comparable else [])),
        *(paragraph(said, "warning") for said in remarks(results)),
        paragraph(oracles(results)) if comparable else "",
        paragraphs(description),
        section(
            "What was run",
            paragraph(method(results)),
            settings(settings_of(results, comparable)),
            bullets(certificates(results)),
        ),
        section("Regret", *_regret(results, drawing), _final(results, next(tables))),
        moved.section,
        section("The network", picture(told["graph"])) if told["graph"] else "",
        section("Two goals", goals.both_regrets(results, next(tables))) if goals.shown(results, comparable) else "",
        _differences(results, against, tables) if comparable else "",
        *requested.sections(results, tables),
        _communication(results),
        section("Which arms were pulled", pulls_by_arm(results, next(tables))) if comparable else "",
        section("Notes", bullets([*notes, *_caveats(results), *on_names(results)])),
        section("Provenance", *_provenance(results, comparable)),
    ]
    return page(title, parts, moved)


# --- Regret -------------------------------------------------------------------------------------------


def _regret(results: Mapping[str, Result], drawing: Figure | None) -> list[str]:
    with fixed_style():
        plain = drawing or figure_of(plot_regret(results))
        both = figure_of(with_light_ticks(plot_regret(results, log_x=True, log_y=True)))
        spread = figure_of(plot_regret(results, band="sd"))
    banded = _banded(results)
    band = f" Lines are means over replicates, bands their 95{PERCENT} Student intervals." if banded else ""
    finals = "; ".join(f"{row.name} {number(row.regret_mean)}" for row in final_table(results))
    return [
        figure(
            plain,
            f"Figure 1. Cumulative expected regret against the best global arm, summed over agents.{band}",
            f"Regret against the round for each algorithm. At the end: {finals}.",
        ),
        figure(
            both,
            "Figure 2. The same on logarithmic axes, which also show the early rounds. Regret in proportion to the "
            "number of rounds rises with slope 1; logarithmic regret flattens.",
            "The same curves on logarithmic axes.",
        ),
        figure(
            spread,
            "Figure 3. The same with bands of one standard deviation over replicates to either side: how far single "
            "runs lie apart, not how sure the mean is.",
            "The same curves with wider bands.",
        )
        if banded
        else "",
    ]


def _banded(results: Mapping[str, Result]) -> bool:
    return any(result.replicates > 1 for result in results.values())


def _final(results: Mapping[str, Result], n: int) -> str:
    rows = final_table(results)
    halves = [row.regret_high - row.regret_mean for row in rows]
    places = places_by_error([row.regret_mean for row in rows], halves)
    each = places_by_error(
        [row.regret_per_agent_mean for row in rows],
        [row.regret_per_agent_high - row.regret_per_agent_mean for row in rows],
    )
    fair = [row.regret_mean for row in rows if not is_oracle(results[row.name])]
    accounts = corruption_columns(results)
    lines = [
        [
            row.name,
            _bold_if(number(row.regret_mean, places), len(fair) > 1 and row.regret_mean == min(fair)),
            interval(row.regret_low, row.regret_high, places),
            number(row.regret_std, places),
            number(row.regret_per_agent_mean, each),
            percent(row.best_arm_share),
            NO_VALUE if is_oracle(results[row.name]) else scaled(row.messages),
            NO_VALUE if is_oracle(results[row.name]) else scaled(row.bytes, "B"),
            *(number(getattr(row, key), 1 if key == "corruption_spent" else 0) for key in accounts),
            *([] if accounts else [scaled(row.agent_steps_per_second)]),
        ]
        for row in rows
    ]
    header = [
        "Algorithm",
        "Final regret",
        f"95{PERCENT} interval",
        "Std. dev.",
        "Per agent",
        "Best arm pulled",
        "Messages",
        "Data sent",
        *(accounts.values() or ["Agent-steps per second"]),
    ]
    bold = " The lowest, oracles apart, is bold." if len(fair) > 1 else ""
    speed = " Speed is that of one worker and includes compilation where it happened."
    caption = (
        f"Table {n}. At the horizon: mean regret summed over agents, its Student interval and standard deviation over "
        f"replicates, and means of the rest.{bold}{'' if accounts else speed}"
    )
    return table(caption, header, lines)


def _bold_if(text: str, bold: bool) -> str:
    return Bold(text) if bold else text


# --- Paired differences -------------------------------------------------------------------------------


def _differences(results: Mapping[str, Result], against: str, tables: "count[int]") -> str:
    if len(results) < 2:
        return ""
    try:
        pairs = paired_differences(results, against)
        matrix = difference_matrix(results) if 2 < len(results) <= _MATRIX_UP_TO else {}
    except ValueError as error:  # results cut short may have no replicate in common
        return section("Paired differences", paragraph(f"There are none: {error}."))
    places = _places(pairs)
    lines = [
        [
            pair.name,
            number(pair.mean, places),
            interval(pair.low, pair.high, places),
            number(pair.ratio, 2) if pair.ratio < 100 or pair.ratio != pair.ratio else number(pair.ratio),
            {True: "yes", False: "no", None: NO_VALUE}[pair.significant],
            f"{pair.replicates:,}",
        ]
        for pair in pairs
    ]
    header = ["Algorithm", "Paired difference", f"95{PERCENT} interval", "Ratio of means"]
    caption = (
        f"Table {next(tables)}. Final regret minus that of {against}, replicate by replicate in the same world: "
        "negative means less regret. Significant: the interval excludes 0."
    )
    why = (
        "Replicate r has the same links and rewards for all algorithms, so differences are taken within replicates. "
        "Intervals are not adjusted for the number of comparisons."
    )
    one = table(caption, [*header, f"Significant at 95{PERCENT}", "Pairs"], lines)
    return section("Paired differences", paragraph(why), one, _all_pairs(results, matrix, tables))


def _all_pairs(
    results: Mapping[str, Result], matrix: Mapping[tuple[str, str], Difference], tables: "count[int]"
) -> str:
    if not matrix:
        return ""
    places = _places(list(matrix.values()))
    lines = [[a, *(_pair(matrix[a, b], places) if a != b else "" for b in results)] for a in results]
    caption = (
        f"Table {next(tables)}. All pairs: final regret of the row minus that of the column, with the half-width of "
        f"the 95{PERCENT} interval. An asterisk: significant."
    )
    return table(caption, ["Row minus column", *results], lines)


def _places(pairs: Sequence[Difference]) -> int:
    return places_by_error([pair.mean for pair in pairs], [pair.high - pair.mean for pair in pairs])


def _pair(pair: Difference, places: int) -> str:
    half = f" ± {number(pair.high - pair.mean, places)}" if pair.significant is not None else ""
    text = f"{number(pair.mean, places)}{half}"
    return f"{text}*" if pair.significant else text


# --- Communication, arms, notes, provenance -----------------------------------------------------------


def _communication(results: Mapping[str, Result]) -> str:
    nodes = {name: result for name, result in results.items() if not is_oracle(result)}
    if not any(result.bytes.any() for result in nodes.values()):
        said = "None of these algorithms sends anything." if nodes else ""
        return section("Communication", paragraph(said))
    with fixed_style():
        drawing = plot_communication(nodes)
    sent = "; ".join(f"{name} {scaled(float(result.bytes.mean()), 'B')}" for name, result in nodes.items())
    number_of_it = 4 if _banded(results) else 3
    omitted = " Oracles are left out: no network carries what they see." if len(nodes) < len(results) else ""
    caption = (
        f"Figure {number_of_it}. Final regret against the data that the network carried over the horizon, with "
        f"95{PERCENT} intervals; lower left is better.{omitted}"
    )
    return section("Communication", figure(drawing, caption, f"Final regret against data sent. Sent: {sent}."))


def _caveats(results: Mapping[str, Result]) -> list[str]:
    said = []
    if any(result.configuration.get("corruption") for result in results.values()):
        said.append("Regret counts what was paid: the adversary changes what agents see, not what they get.")
    if any(result.configuration.get("rewards", {}).get("n_objectives", 1) > 1 for result in results.values()):
        said.append("Rewards are vectors: regret, gaps and mean rewards are in what the arms' mean vectors are worth.")
    return [*said, _on_intervals(results)]


def _on_intervals(results: Mapping[str, Result]) -> str:
    if max(result.replicates for result in results.values()) > 1:
        return (
            "Replicates repeat the rewards and the links of one given world. Intervals say how sure the mean regret in "
            "this world is, not how regret varies from world to world."
        )
    return "One replicate gives no interval; run several to see how sure the numbers are."


def _provenance(results: Mapping[str, Result], comparable: bool) -> list[str]:
    origins = [dict(result.provenance) for result in results.values()]
    first = next(iter(results.values()))
    rows = [(_TITLES.get(key, capital(key)), str(value)) for key, value in origins[0].items()]
    differing = [name for name, origin in zip(results, origins, strict=True) if origin != origins[0]]
    mixed = f"{joined(differing)}: produced elsewhere; see the full configuration." if differing else ""
    everything: dict[str, Any] = {}
    if comparable:
        everything["shared"] = {key: first.configuration[key] for key in _SHARED if key in first.configuration}
    for name, result in results.items():
        shared = everything.get("shared", {})
        own = {key: value for key, value in result.configuration.items() if shared.get(key, NO_VALUE) != value}
        everything[name] = {**own, **({"provenance": dict(result.provenance)} if name in differing else {})}
    return [settings(rows), paragraph(mixed), collapsed("Full configuration", as_json(everything))]
