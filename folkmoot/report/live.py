"""What a reader can move in: the data of a report as JSON, and the script that draws them.

How it works. The pictures of a report need no script. Where there is one, a section is added in which curves can be
read, chosen and enlarged. The script is a part of the page, and the policy of the page names its digest: no other runs.
Data are JSON in which no character can end the element they stand in.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.report.page import Live
from folkmoot.report.worlds import readable, shown
from folkmoot.simulation.result import Result, student_interval
from folkmoot.simulation.swept import settings_of

Floats = NDArray[np.float64]
_HERE = Path(__file__).resolve().parent
_UPLOT = _HERE.parent / "node" / "page"  # a library of curves that lies in the package for the operator's page
_CELLS = 400  # curves that can be chosen from, at most
_NUMBERS = 40_000  # of curves in a page, about
_EACH = 40  # cells whose agents can be looked at, at most
_AGENTS = 64  # curves of single agents, at most
_HOW = (
    "Curves can be read and chosen here. Drag over the chart to enlarge a part, double-click for the whole. With the "
    "keyboard: arrows move the cursor, + and - enlarge, 0 shows the whole. Everything stays in this file."
)


class Curve(NamedTuple):
    """A quantity over the steps of a game.

    Attributes:
        label: what it is.
        steps: int64 [c].
        values: float64 [replicates, c].
    """

    label: str
    steps: NDArray[np.int64]
    values: Floats


def regrets(result: Result) -> list[Curve]:
    """What is known of a result of bandits at every checkpoint."""
    found = [("regret, summed over agents", result.regret), ("regret per agent", result.regret_per_agent)]
    if result.agent_pulls is not None and result.means is not None:
        found.append(("regret against own best arms", result.own_regret_so_far))
    if result.realised is not None:
        found.append(("realised regret", result.realised_regret))
    return [Curve(label, result.checkpoints, values) for label, values in found]


def data(curves: Mapping[str, Sequence[Curve]], results: Mapping[str, Any], step: str = "round") -> dict[str, Any]:
    """The data of a report: curves of each result by name, and what sets its cell apart.

    Args:
        curves: of each result its quantities; the first stands first.
        results: the results of these names.
        step: what the horizontal axis counts.
    """
    chosen = dict(list(curves.items())[:_CELLS])
    what = list(dict.fromkeys(curve.label for found in chosen.values() for curve in found))
    points = int(np.clip(_NUMBERS / (2 * len(what) * len(chosen)), 24, 240))
    axes: list[list[int]] = []
    settings = {name: settings_of(results[name]) for name in chosen}
    keys = list(dict.fromkeys(key for told in settings.values() for key in told))
    keys = [key for key in keys if len({repr(told.get(key)) for told in settings.values()}) > 1]
    places = _places([settings[name].get(keys[0]) for name in chosen] if keys else [None] * len(chosen))
    cells = []
    for (name, found), at in zip(chosen.items(), places, strict=True):
        kept = _kept(len(found[0].steps), points)
        axis = found[0].steps[kept].tolist()
        axes += [] if axis in axes else [axis]
        told = {curve.label: student_interval(curve.values[:, kept]) for curve in found}
        y = [plain(told[label][0]) if label in told else None for label in what]
        half = [_half(told[label][1]) if label in told else None for label in what]
        values = [None if settings[name].get(key) is None else shown(settings[name][key]) for key in keys]
        cells.append({"name": name, "x": axes.index(axis), "y": y, "half": half, "set": values, "at": at})
    each = [one for n, name in enumerate(list(chosen)[:_EACH]) if (one := _each(n, results[name], points))]
    return {
        "step": step,
        "what": what,
        "keys": [readable(key) for key in keys],
        "x": axes,
        "cells": cells,
        "each": each,
    }


def _kept(count: int, points: int) -> NDArray[np.int64]:
    """Places of the checkpoints that are kept; the first and the last are."""
    return np.unique(np.linspace(0, count - 1, min(count, points)).round().astype(np.int64))


def _places(values: Sequence[Any]) -> list[float | None]:
    """From 0 to 1, in the order of the values; None where there is none."""
    known = [value for value in values if value is not None]
    numeric = all(isinstance(value, int | float) for value in known)
    order: list[Any] = sorted(set(known)) if numeric else list(dict.fromkeys(map(repr, known)))
    last = max(1, len(order) - 1)
    return [None if v is None else round(order.index(v if numeric else repr(v)) / last, 4) for v in values]


def _half(half: Floats) -> list[Any] | None:
    return plain(half) if np.isfinite(half).any() else None


def _each(cell: int, result: Any, points: int) -> dict[str, Any] | None:
    """Regret of each agent: over the rounds where it was kept, else at the horizon."""
    if not isinstance(result, Result) or result.KIND != "bandit" or result.lost is not None:
        return None
    if result.agent_pulls is not None and result.n_agents <= _AGENTS:
        kept = _kept(len(result.checkpoints), min(points, 60))
        curves = result.regret_of_agents[:, kept].mean(axis=0).T
        return {"cell": cell, "x": result.checkpoints[kept].tolist(), "y": [[plain(curve) for curve in curves]]}
    gaps = result.gaps if result.gaps.ndim == 1 else result.gaps[:, None]
    return {"cell": cell, "x": None, "y": [plain((result.pulls * gaps).sum(axis=2).mean(axis=0))]}


def plain(values: Any) -> Any:
    """Numbers as JSON can have them, in five digits: NaN and infinity are null."""
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if isinstance(values, list):
        return [plain(value) for value in values]
    if isinstance(values, float):
        if not isfinite(values):
            return None
        rounded = float(f"{values:.5g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
    return values


# --- As a part of a page ------------------------------------------------------------------------------------


@cache
def _script() -> str:
    """The library as it is, and ours without what only its readers need."""
    own = (line.strip() for line in (_HERE / "live.js").read_text(encoding="utf-8").splitlines())
    library = (_UPLOT / "uplot.js").read_text(encoding="utf-8").replace("https://", "")  # no address in a report
    return "\n".join([library, *(one for one in own if one[:2] != "//")])


def live(told: Mapping[str, Any]) -> Live:
    """The section, its data and its script."""
    digest = base64.b64encode(sha256(_script().encode()).digest()).decode()
    style = "\n".join(path.read_text(encoding="utf-8") for path in (_UPLOT / "uplot.css", _HERE / "live.css"))
    licence = " ".join((_UPLOT / "uplot-license.txt").read_text(encoding="utf-8").split())
    name = "Curves against the " + escape(str(told["step"]))
    section = "\n".join([
        '<section id="live" hidden>',
        "<h2>Explore the curves</h2>",
        f"<p>{escape(_HOW)}</p>",
        '<div id="tools"></div>',
        f'<div id="chart" tabindex="0" role="img" aria-label="{name}; the final values stand in Table 1."></div>',
        '<p id="now" role="status"></p>',
        '<div id="curves"></div>',
        "</section>",
    ])  # fmt: skip
    script = f'<script type="application/json" id="data">{as_data(told)}</script>\n<!-- uPlot: {escape(licence)} -->\n'
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return Live(policy, style, section, f"{script}<script>{_script()}</script>")


def as_data(told: Any) -> str:
    """JSON that can stand in an element of a page whatever the names in it are."""
    text = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
