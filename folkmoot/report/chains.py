"""The report on games on a chain: regret of the honest, blocks approved and lost, who was heard, who is trusted."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from folkmoot.bc_ucb.result import ChainResult
from folkmoot.report.chain_settings import liars, rows
from folkmoot.report.curves import plot_groups
from folkmoot.report.files import Told
from folkmoot.report.live import Curve, data, live
from folkmoot.report.page import (
    Bold,
    bullets,
    figure,
    fixed_style,
    page,
    paragraph,
    paragraphs,
    png_bytes,
    section,
    settings,
    svg_bytes,
    table,
)
from folkmoot.report.plots import figure_of, plot_regret
from folkmoot.report.shared import (
    few_replicates,
    in_words,
    mean_and_interval,
    on_intervals,
    percent_and_interval,
    provenance,
    same_or_each,
    summaries_csv,
)
from folkmoot.report.sweeps import Measure, are_many_games, plot_sweep
from folkmoot.report.words import NO_VALUE, PERCENT, joined, number, percent, places_by_error, plural, scaled, short
from folkmoot.report.worlds import rows_of
from folkmoot.report.writing import notes as on_names
from folkmoot.simulation.result import student_interval

_HONEST = Measure(
    lambda result: (result.checkpoints, result.regret), "regret, summed over the honest", "final regret of all honest"
)
_PARTICIPANTS_SHOWN = 24  # one by one; of more, liars and the honest together
_GAMES_SHOWN = 6  # in the figure of participants
_FINE = 0.01  # shares of lost blocks below which decimals are shown


def contents(told: Told) -> dict[str, bytes]:
    """regret.png (150 dpi), regret.svg, summary.csv and report.html."""
    results: Mapping[str, ChainResult] = told.results
    with fixed_style():
        drawing = _regret_of_the_honest(in_words(results))
    return {
        "regret.svg": svg_bytes(drawing),
        "regret.png": png_bytes(drawing, dpi=150),
        "summary.csv": summaries_csv(results).encode(),
        "report.html": render(told, drawing).encode(),
    }


def terminal(results: Mapping[str, ChainResult]) -> tuple[list[str], list[list[str]], list[str]]:
    """Regret of the honest, blocks approved, and how many of these hold a lie."""
    lines = []
    for name, result in results.items():
        told = result.summary()
        interval = f"{short(told['regret_low'])} to {short(told['regret_high'])}"
        shown = interval if result.replicates > 1 else "one replicate"
        shares = [f"{told['approved_share']:.2%}", f"{told['entered_share']:.2%}"]
        lines.append([name, short(told["regret_mean"]), shown, *shares])
    header = ["game", "regret of the honest", "95 % interval", "blocks approved", "with a lie"]
    return header, lines, few_replicates(results)


def render(told: Told, drawing: Figure | None = None) -> str:
    """The page, self-contained; `drawing` is its first figure, if it is drawn already."""
    results: Mapping[str, ChainResult] = in_words(told.results)
    label = "regret, summed over the honest"
    curves = {name: [Curve(label, result.checkpoints, result.regret)] for name, result in results.items()}
    moved = live(data(curves, results))
    parts = [
        paragraph(answer(results), "answer"),
        paragraphs(told.description),
        section("What was played", settings(same_or_each({name: rows(r) for name, r in results.items()}))),
        section("Regret of the honest", *_regret(results, drawing)),
        moved.section,
        section("Blocks", _blocks(results)),
        section("Who was heard and who is trusted", *_participants(results)),
        section("Notes", bullets([*told.notes, *_notes(results), *on_names(results)])),
        section("Provenance", *provenance(results)),
    ]
    return page(told.title, parts, moved)


def answer(results: Mapping[str, ChainResult]) -> str:
    """What it came to, in a sentence or two."""
    costs = {name: float(result.regret_per_agent[:, -1].mean()) for name, result in results.items()}
    approved = {name: result.summary()["approved_share"] for name, result in results.items()}
    first = next(iter(results.values()))
    rounds = f"after {plural(first.horizon, 'round')}"
    if len(results) == 1:
        mean, half = (float(x) for x in student_interval(first.regret_per_agent[:, -1]))
        places = places_by_error([mean], [half])
        sure = f" ± {number(half, places)}" if np.isfinite(half) else ""
        return (
            f"Regret of an honest participant {rounds}: {number(mean, places)}{sure}. "
            f"{percent(approved[first.name] if first.name in approved else next(iter(approved.values())), 2)} of the "
            "rounds after the burn-in became approved blocks."
        )
    least, most = min(costs, key=lambda n: costs[n]), max(costs, key=lambda n: costs[n])
    low, high = min(approved.values()), max(approved.values())
    if percent(low, 2) == percent(high, 2):
        blocks = percent(low, 2)
    else:
        blocks = f"{percent(low, 2)} to {percent(high, 2)}"
    return (
        f"Regret of an honest participant {rounds}: from {number(costs[least])} ({least}) to {number(costs[most])} "
        f"({most}). {blocks} of the rounds after the burn-in became approved blocks."
    )


def _regret_of_the_honest(results: Mapping[str, ChainResult]) -> Figure:
    if are_many_games(results):
        return plot_sweep(rows_of(results), _HONEST)
    axes = plot_regret(results)
    axes.set_ylabel("cumulative expected regret,\nsummed over honest participants")
    return figure_of(axes)


def _regret(results: Mapping[str, ChainResult], drawing: Figure | None = None) -> list[str]:
    if drawing is None:
        with fixed_style():
            drawing = _regret_of_the_honest(results)
    banded = any(result.replicates > 1 for result in results.values())
    band = f" Lines are means over replicates, bands their 95{PERCENT} Student intervals." if banded else ""
    costs = {float(result.configuration["algorithm"]["cost"]) for result in results.values()} - {0.0}
    cost = f", and a block with a lie c = {joined([f'{c:g}' for c in sorted(costs)])} more" if costs else ""
    caption = (
        "Figure 1. Cumulative expected regret of all honest participants. A round costs a participant the best mean "
        f"minus the mean of its arm, or all of the best mean where it was not paid{cost}.{band}"
    )
    pairs = [student_interval(result.regret[:, -1]) for result in results.values()]
    places = places_by_error([float(mean) for mean, _ in pairs], [float(half) for _, half in pairs])
    lines = [
        [
            name,
            *mean_and_interval(result.regret[:, -1], places),
            number(float(result.regret_per_agent[:, -1].mean()), places + 1),
            percent(_best_arm_share(result)),
        ]
        for name, result in results.items()
    ]
    header = ["Game", "Final regret", f"95{PERCENT} interval", "Of one honest", "Best arm pulled"]
    below = "Table 1. At the horizon, of honest participants: means over replicates."
    return [figure(drawing, caption, "Regret of the honest against the round."), table(below, header, lines)]


def _best_arm_share(result: ChainResult) -> float:
    """Of the pulls of the honest."""
    last = result.team_pulls[:, -1]
    return float(last[:, result.best].sum() / last.sum())


def _blocks(results: Mapping[str, ChainResult]) -> str:
    lines = []
    for name, result in results.items():
        told = result.summary()
        approved, blocks = float(result.approved.mean()), int(result.blocks[0])
        lost = 1.0 - told["approved_share"]
        lines.append(
            [
                name,
                number(approved, 0 if approved == round(approved) else 1),
                number(blocks - approved, 0 if approved == round(approved) else 1),
                percent(lost, 2 if 0.0 < lost < _FINE else 1),
                percent(told["entered_share"]),
                number(told["validators_per_round"], 1),
                *([scaled(float(result.messages.mean()))] if result.messages.any() else []),
            ]
        )
    header = ["Game", "Approved", "Lost", "Lost share", "With a lie", "Validators a round"]
    header += ["Messages"] if any(result.messages.any() for result in results.values()) else []
    lines = [line + [NO_VALUE] * (len(header) - len(line)) for line in lines]
    caption = (
        "Table 2. Rounds after the burn-in: how many became approved blocks and how many were lost, for which nobody "
        "was paid; the share of approved blocks whose average a malicious estimate has entered. Means over replicates."
    )
    return table(caption, header, lines)


def _participants(results: Mapping[str, ChainResult]) -> list[str]:
    known = {name: result for name, result in results.items() if result.included_share is not None}
    sizes = {result.n_agents for result in known.values()}
    parts = []
    if known and len(sizes) == 1 and max(sizes) <= _PARTICIPANTS_SHOWN:
        shown = dict(list(known.items())[:_GAMES_SHOWN])
        everywhere = set.intersection(*(set(liars(result)) for result in shown.values()))
        names = [f"{m}\nlies" if m in everywhere else str(m) for m in range(max(sizes))]
        with fixed_style():
            drawing = plot_groups(
                names,
                {name: np.asarray(result.included_share) for name, result in shown.items()},
                "participant",
                "share of blocks and arms\nin which it was heard",
            )
        left = "" if len(shown) == len(known) else f" The first {_GAMES_SHOWN} games are shown."
        caption = (
            "Figure 2. Who was screened out: over all approved blocks and arms, how often a participant's report was "
            f"in the validated set. Trimming drops the largest and smallest reports, so the "
            f"honest too are below 100 %.{left}"
        )
        parts.append(figure(drawing, caption, "How often each participant was heard; the values stand in Table 3."))
    return [*parts, _heard(results)]


def _heard(results: Mapping[str, ChainResult]) -> str:
    lines: list[Sequence[str]] = []
    for name, result in results.items():
        wrong = liars(result)
        honest = [m for m in range(result.n_agents) if m not in wrong]
        for title, group in (("honest", honest), ("lying", wrong)):
            if group:
                heard: Any = result.included_share
                said = NO_VALUE if heard is None else percent_and_interval(heard[:, group].mean(axis=1))
                span = NO_VALUE if heard is None else _span(heard[:, group].mean(axis=0))
                trust = percent_and_interval(result.trust[:, group].sum(axis=1))
                label = f"{name}: {title}" if len(results) > 1 else title
                fair = percent(len(group) / result.n_agents)
                lines.append([Bold(label) if title == "lying" else label, str(len(group)), said, span, trust, fair])
    header = ["Participants", "Number", "Heard", "One by one", "Share of trust", "If all alike"]
    caption = (
        f"Table 3. How often reports were in the validated set (mean of a group and 95{PERCENT} interval, cut to "
        "what a share can be; range over its participants), and the share of trust units at the end, of which "
        "those excluded have none, beside that of as many participants if all were trusted alike."
    )
    return table(caption, header, lines)


def _span(values: Any) -> str:
    low, high = percent(float(values.min())), percent(float(values.max()))
    return low if low == high else f"{low} to {high}"


def _notes(results: Mapping[str, ChainResult]) -> list[str]:
    said = [on_intervals(results, "rewards, coins and lies of one given game"), *few_replicates(results)]
    if any(result.included is None for result in results.values()):
        said.append("Who was heard is not known of results that version 0.1.0 has written.")
    return said
