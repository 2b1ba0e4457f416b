"""The files of a report on bandits: curves of regret, the final table, the page (of a grid, if it is one)."""

from collections.abc import Mapping

from folkmoot.report import goals
from folkmoot.report.files import Told
from folkmoot.report.tables import check_results, corruption_columns, curves_csv, same_world, summary_csv
from folkmoot.report.words import certificates, remarks, short
from folkmoot.report.worlds import rows_of, worlds_of
from folkmoot.simulation.result import Result


def contents(told: Told) -> dict[str, bytes]:
    """regret.png (150 dpi), regret.svg, summary.csv, curves.csv and report.html.

    Raises:
        ValueError: no results, or something that is not a Result.
    """
    from folkmoot.report.grid import render_grid  # here: what draws is slow to load, and a terminal needs none of it
    from folkmoot.report.html import render
    from folkmoot.report.page import fixed_style, png_bytes, svg_bytes
    from folkmoot.report.plots import figure_of, plot_regret
    from folkmoot.report.sweeps import plot_grid

    results = told.results
    check_results(results)
    grid = any("cell" in result.configuration for result in results.values())
    with fixed_style():
        drawing = plot_grid(rows_of(results)) if grid else figure_of(plot_regret(results))
    page = render_grid(told.title, rows_of(results), told.description, told.notes, drawing) if grid else None
    text = page or render(told.title, results, told.description, told.notes, drawing=drawing)
    return {
        "regret.svg": svg_bytes(drawing),
        "regret.png": png_bytes(drawing, dpi=150),
        "summary.csv": summary_csv(results).encode(),
        "curves.csv": curves_csv(results).encode(),
        "report.html": text.encode(),
    }


def terminal(results: Mapping[str, Result]) -> tuple[list[str], list[list[str]], list[str]]:
    """Final regret; with an adversary, or verified pulls, also what was spent of their budgets and if they suffice."""
    lines, accounts = [], corruption_columns(results)
    for name, result in results.items():
        summary = result.summary()
        interval = f"{short(summary['regret_low'])} to {short(summary['regret_high'])}"
        shown = interval if result.replicates > 1 else "one replicate"
        best = summary["best_arm_share"]
        share = f"{best:.1%}" if best == best else "-"
        spent = [f"{summary[key]:,.0f}" if key == "verified" else short(summary[key]) for key in accounts]
        lines.append([name, short(summary["regret_mean"]), shown, share, f"{summary['messages']:,.0f}", *spent])
    headings = [heading.lower() for heading in accounts.values()]
    header = ["algorithm", "final regret", "95 % interval", "best arm", "messages", *headings]
    return header, lines, [*certificates(results), *remarks(results), *_on_goals(results)]


def _on_goals(results: Mapping[str, Result]) -> list[str]:
    """Of the world, or of each world of a grid."""
    first = next(iter(results.values()))
    if all(same_world(first, result) for result in results.values()):
        return goals.remarks(results)
    if any("cell" in result.configuration for result in results.values()):
        return goals.remarks_of_worlds([world.results for world in worlds_of(rows_of(results))])
    return []
