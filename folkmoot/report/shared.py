"""What the reports on games on a chain and on consortia have in common: settings that differ, provenance, CSV."""

import re
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from folkmoot.report.page import as_json, collapsed, settings
from folkmoot.report.tables import rows_csv
from folkmoot.report.words import NO_VALUE, interval, number, percent
from folkmoot.report.worlds import readable
from folkmoot.simulation.result import student_interval
from folkmoot.simulation.saved import Saved
from folkmoot.simulation.shared_values import taken_out

_NAMED = 3  # games of a group that all say the same
Rows = list[tuple[str, str]]
_TOO_FEW = 2  # replicates: Student's factor is then 12.7, and an interval as wide as chance makes it
_SETTING = re.compile(r"([a-z][a-z_.]*) = ([a-z_]+(?=,|$))?")  # `key = word`, or the key alone before another value
_FAIR = re.compile(r"attack = attack(?=$|, [a-z_.]+ = )")  # the attack without any field: liars that play fair
T = TypeVar("T")


def in_words(results: Mapping[str, T]) -> dict[str, T]:
    """Results by the names of their cells as people write them: "attack sign flip" for "attack = sign_flip".

    Names that would become the same stay as they are.
    """
    names = [_SETTING.sub(_words, _FAIR.sub("no attack", name)) for name in results]
    return dict(zip(names if len(set(names)) == len(results) else results, results.values(), strict=True))


def _words(found: re.Match[str]) -> str:
    return f"{readable(found[1])} {(found[2] or '').replace('_', ' ')}"


def summaries_csv(results: Mapping[str, Saved]) -> str:
    """The summary of each result as a line, in full precision, empty where undefined; see `rows_csv` on grids."""
    return rows_csv(results, [{**result.summary(), "name": name} for name, result in results.items()])


def same_or_each(told: Mapping[str, Rows]) -> Rows:
    """Rows of names and values of each result: once where all say the same, else for each group that does."""
    titles = dict.fromkeys(title for rows in told.values() for title, _ in rows)
    out: Rows = []
    for title in titles:
        found = {name: dict(rows).get(title, NO_VALUE) for name, rows in told.items()}
        if len(set(found.values())) == 1:
            out.append((title, next(iter(found.values()))))
        else:
            names: dict[str, list[str]] = {}
            for name, value in found.items():
                names.setdefault(value, []).append(name)
            own = f"{title.lower()} "  # "Rules: printed", not "Rules: rules printed"
            for value, group in names.items():
                out.append((f"{title}: {_some([name.removeprefix(own) for name in group])}", value))
    return out


def _some(names: list[str]) -> str:
    left = len(names) - _NAMED
    return "; ".join(names) if left <= 1 else f"{'; '.join(names[:_NAMED])} and {left} more"


def fields(told: Mapping[str, Any], skipped: Sequence[str] = ("type",)) -> str:
    """The fields of a configuration that have a value: `c1 2, kappa 1.5`."""
    chosen = [(key, value) for key, value in told.items() if key not in skipped and value is not None]
    return ", ".join(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in chosen)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def provenance(results: Mapping[str, Saved]) -> list[str]:
    """Versions and platform, and all configurations, to unfold."""
    first = next(iter(results.values()))
    rows = [(key[:1].upper() + key[1:], str(value)) for key, value in first.provenance.items()]
    return [settings(rows), collapsed("Full configuration", configurations(results))]


def configurations(results: Mapping[str, Saved]) -> str:
    """All configurations as JSON; long values that several share stand once, at the end."""
    told, values = taken_out([result.configuration for result in results.values()])
    return as_json({**dict(zip(results, told, strict=True)), **({"shared": values} if values else {})})


def on_intervals(results: Mapping[str, Saved], what: str) -> str:
    """A note on what an interval says; `what` is what replicates repeat."""
    if max(result.replicates for result in results.values()) > 1:
        return f"Intervals are 95 % Student intervals over replicates. A replicate repeats {what}."
    return "One replicate gives no interval; run several to see how sure the numbers are."


def mean_and_interval(values: NDArray[Any], places: int) -> list[str]:
    """The mean over replicates and its interval, as two cells."""
    mean, half = (float(x) for x in student_interval(np.asarray(values, np.float64)))
    return [number(mean, places), interval(mean - half, mean + half, places)]


def percent_and_interval(values: NDArray[Any], decimals: int = 1, least: float = 0.0) -> str:
    """The mean over replicates of shares from `least` to 1, with its interval if there is one.

    That is the half-width; where the interval leaves what a share can be, its two ends, cut to it.
    """
    mean, half = (float(x) for x in student_interval(np.asarray(values, np.float64)))
    if isnan(half):
        return percent(mean, decimals)
    if least <= mean - half and mean + half <= 1.0:
        return f"{percent(mean, decimals)} ± {number(100.0 * half, decimals)}"
    low, high = max(least, mean - half), min(1.0, mean + half)
    return f"{percent(mean, decimals)} ({interval(100.0 * low, 100.0 * high, decimals)})"


def few_replicates(results: Mapping[str, Saved]) -> list[str]:
    """A sentence on intervals of two replicates, if there are any."""
    if all(result.replicates != _TOO_FEW for result in results.values()):
        return []
    return [f"An interval of {_TOO_FEW} replicates says little about how sure a number is; run several more."]
