"""Tables of what is not always there: when agents settled, single agents, what was really paid, coverage of radii."""

from collections.abc import Mapping
from itertools import count

import numpy as np
from numpy.typing import NDArray

from folkmoot.report.page import section, table
from folkmoot.report.words import NO_VALUE, PERCENT, number, percent, places_by_error
from folkmoot.simulation.coverage import Coverage, coverage
from folkmoot.simulation.result import Result, student_interval

_SHOWN = 6  # checkpoints in a table
_ESTIMATES = ("gossip", "mean")  # states that a radius may belong to, the first that is there


def sections(results: Mapping[str, Result], tables: "count[int]") -> list[str]:
    """All of them that there is something to say in."""
    shown = {
        "Single agents": agents,
        "What was really paid": paid,
        "When agents settled": settling,
        "Coverage of radii": radii,
    }
    return [section(heading, function(results, tables)) for heading, function in shown.items()]


def settling(results: Mapping[str, Result], tables: "count[int]") -> str:
    """A table: who has settled on an arm for good, and when; nothing if nobody has."""
    if not any((result.decisions >= 0).any() for result in results.values()):
        return ""
    lines = []
    for name, result in results.items():
        told = result.summary()
        alone = result.decided_at[:, result.staying]
        first = float(alone[alone > 0].mean()) if (alone > 0).any() else float("nan")
        cells = [percent(told["decided_share"]), number(first, 0), percent(told["settled_share"])]
        lines.append(
            [name, *cells, number(told["settled_at"], 0), percent(told["agreed_share"]), number(told["agreed_at"], 0)]
        )
    caption = (
        f"Table {next(tables)}. Agents that settled on an arm for good, and the mean round of that; replicates in "
        "which all did, and the mean round from which they had; and the same for all on one arm. Agents that are not "
        "there in the last round are not waited for."
    )
    header = ["Algorithm", "Agents settled", "in round", "All settled", "from round", "All agreed", "from round"]
    return table(caption, header, lines)


def agents(results: Mapping[str, Result], tables: "count[int]") -> str:
    """A table: the agents with the least, the median and the most regret; nothing without `per_agent`."""
    known = {name: r for name, r in results.items() if r.agent_pulls is not None and r.lost is None}
    if not known:
        return ""
    curves = {name: r.regret_of_agents[:, -1, r.counted].mean(axis=0) for name, r in known.items()}
    own = {
        name: r.own_regret_of_agents[:, -1, r.counted].mean(axis=0) for name, r in known.items() if r.means is not None
    }
    lines = [[name, *_spread(values), *_spread(own.get(name))] for name, values in curves.items()]
    caption = (
        f"Table {next(tables)}. Final regret of single agents, mean over replicates: the agent with the least, the "
        "median, and the one with the most; against the common arm, and against the agent's own best arm."
    )
    header = ["Algorithm", "Least", "Median", "Most", "Least, own", "Median, own", "Most, own"]
    return table(caption, header, lines)


def _spread(values: NDArray[np.float64] | None) -> list[str]:
    if values is None:
        return [NO_VALUE] * 3
    low, middle, high = float(values.min()), float(np.median(values)), float(values.max())
    places = places_by_error([high], [high / 10.0])
    return [number(low, places), number(middle, places), number(high, places)]


def paid(results: Mapping[str, Result], tables: "count[int]") -> str:
    """A table: realised regret beside what was expected; nothing without `realised`."""
    known = {name: result for name, result in results.items() if result.offered is not None}
    if not known:
        return ""
    lines = []
    for name, result in known.items():
        columns = [result.regret[:, -1], *([] if result.means is None else [result.regret_as_paid])]
        values = [student_interval(column) for column in (*columns, result.realised_regret[:, -1])]
        places = places_by_error([float(mean) for mean, _ in values], [float(half) for _, half in values])
        cells = [number(float(mean), places) + _half(float(half), places) for mean, half in values]
        if result.means is None:
            cells.insert(1, NO_VALUE)
        lines.append([name, *cells, percent(_best_in_hindsight(result))])
    caption = (
        f"Table {next(tables)}. Regret; by how much more the common arm would have paid the agents, expected; by how "
        "much more the arm that was best in hindsight would have paid them in the same rounds, realised; with "
        f"half-widths of 95{PERCENT} Student intervals. The first two are one where all agents have the same means; "
        "else who pulls its own best arm may be paid more than the common arm pays. Last, the share of replicates in "
        "which the arm that was best in hindsight is a best one by its mean."
    )
    return table(caption, ["Algorithm", "Regret", "As paid, expected", "Realised", "Hindsight is best arm"], lines)


def _half(half: float, places: int) -> str:
    return "" if np.isnan(half) else f" ± {number(half, places)}"


def _best_in_hindsight(result: Result) -> float:
    arms = result.hindsight_arm[:, -1]
    best = result.best if result.best.ndim == 2 else np.broadcast_to(result.best, (result.replicates, result.n_arms))
    return float(best[np.arange(result.replicates), arms].mean())


def radii(results: Mapping[str, Result], tables: "count[int]") -> str:
    """A table: coverage of the radii at some checkpoints; nothing unless estimates and radii were observed."""
    found = {name: covered for name, result in results.items() if (covered := _covered(result)) is not None}
    if not found:
        return ""
    first = next(iter(found.values())).checkpoints
    alike = all(np.array_equal(covered.checkpoints, first) for covered in found.values())
    steps = np.linspace(0, len(first) - 1, min(_SHOWN, len(first))).round()
    places = sorted({int(place) for place in steps}) if alike else [-1]
    lines = []
    for name, covered in found.items():
        shares = [percent(float(covered.share[:, place].mean()), 2) for place in places]
        lines.append([name, *shares, number(float(covered.largest.max()), 2)])
    rounds = [f"round {int(first[place]):,}" for place in places] if alike else ["at the horizon"]
    caption = (
        f"Table {next(tables)}. Share of estimates within their radius of the truth, over agents, arms and replicates; "
        "and the largest distance in radii at any checkpoint, which is at most 1 if all are covered."
    )
    return table(caption, ["Algorithm", *rounds, "Largest"], lines)


def _covered(result: Result) -> Coverage | None:
    """Gossip estimates are of the common means, own means of the agent's."""
    name = next((name for name in _ESTIMATES if name in result.observed), None)
    if name is None or "radius" not in result.observed or result.means is None:
        return None
    if result.observed["radius"].shape != result.observed[name].shape:
        return None
    return coverage(result, name, of="common" if name == "gossip" else "own")
