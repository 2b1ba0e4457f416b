"""The table of practice, what to choose when: six sets of data, models of several kinds, liars."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from folkmoot.report.plots import look
from folkmoot.reproductions import cells as reproductions
from folkmoot.reproductions.cells import PaperCell
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval
from folkmoot.world.datasets import where

from .gathered import SEEDS, shared
from .practice_play import BUDGET
from .practice_worlds import ADAPTING, BOGUS, CLEAN, CONTROL, EXCHANGED, FEWER, LYING, SETTINGS

COLUMNS = (CLEAN, *BOGUS, *ADAPTING, *LYING)
ROWS = (
    "best single model",
    "a model of the public pool alone",
    "stacking on the public pool",
    "vote",
    "mean",
    "screened mean",
    "mean of the honest models",
    "local training alone, surest model",
    "local training alone, mean",
    "HMR as published",
    "HMR, the mean of its models",
    "BEMA, printed",
    "BEMA, the mean of its models",
    EXCHANGED,
    FEWER,
    CONTROL,
)
DRAWN = ("mean", "screened mean", EXCHANGED, "stacking on the public pool", "HMR as published", "BEMA, printed")
NEAR, BELOW_HONEST = 0.01, 0.015  # what our default may lose to the plain mean, and to honest models alone
GAIN, BEHIND, LOST = 0.03, 0.01, 0.01  # of an exchange, to the mean, to HMR or its control, and to no exchange
Told = dict[str, list[dict[str, Any]]]  # set of data -> what was said, a seed after the other


def practice(out: Path, jobs: int, progress: bool) -> bool:
    """What to choose when: six sets of data, mixed models, the mean, votes, stacking, screening, HMR, BEMA, liars."""
    claims = Claims("bema/practice", out)
    names = list(SETTINGS)
    try:
        where("mnist")
    except ValueError as missing:
        names.remove("mnist")
        claims.say(f"MNIST is left out: {missing}")
    return report(claims, played(names, SEEDS, BUDGET, shared(out), jobs, progress))


def played(names: Sequence[str], seeds: Sequence[int], budget: int, cache: Path, jobs: int, progress: bool) -> Told:
    """What was said of these sets of data; what is in the log is not played again."""
    found: Told = {name: [] for name in names}
    for seed in seeds:
        which = [{"data": name, "seed": seed} for name in names]
        plain = _all_of(
            "practice_play", "play_world", [one | {"budget": budget} for one in which], cache, jobs, progress
        )
        traded = _all_of("practice_exchange", "play_exchange", which, cache, jobs, progress)
        for name, one, other in zip(names, plain, traded, strict=True):
            both = {what: one[what] | other[what] for what in ("rows", "revealed")}
            found[name].append(one | both | {"seconds": one["seconds"] + other["seconds"]})
    return found


def _all_of(
    module: str, function: str, fields: Sequence[dict[str, Any]], cache: Path, jobs: int, progress: bool
) -> list[dict[str, Any]]:
    home, packages = Path(__file__).resolve().parent, ("torch", "scikit-learn")
    cells = [PaperCell(home, module, function, one, cache, packages) for one in fields]
    return reproductions.play_all(cells, cache, jobs, progress)


def report(claims: Claims, told: Told) -> bool:
    """Tables, claims, and the picture."""
    rows = []
    for name, group in told.items():
        mine = [
            [SETTINGS[name].title, row, str(len(values(group, row, CLEAN))), _revealed(group, row), *_cells(group, row)]
            for row in ROWS
        ]
        header = ["", "samples revealed", *COLUMNS]
        claims.table(f"{SETTINGS[name].title}: {_what(group)}", header, [[line[1], *line[3:]] for line in mine])
        rows += mine
    claims.write("practice.csv", _csv(["data", "", "seeds", "samples revealed", *COLUMNS], rows))
    _by_seed(claims, told)
    _timing(claims, told)
    for name, group in told.items():
        _claim(claims, name, group)
    _picture(claims, told)
    return claims.all_hold


def _by_seed(claims: Claims, told: Told) -> None:
    """What an exchange gains, and what liars that look first take of it, seed by seed: a table and a picture."""
    group_of = {name: group for name, group in told.items() if len(SETTINGS[name].classes) == 10}
    columns, rows, drawn = (CLEAN, *ADAPTING), [], []
    for name, group in group_of.items():
        for seed, one in enumerate(group, 1):
            for row in ("mean", "screened mean", CONTROL, EXCHANGED):
                found = [one["rows"].get(row, {}).get(column) for column in columns]
                rows.append([SETTINGS[name].title, str(seed), row, *("" if v is None else f"{v:.3f}" for v in found)])
                if row == EXCHANGED and found[0] is not None:
                    drawn.append((f"{name} {seed}", one["rows"]["mean"][CLEAN], found))
    claims.table("Liars that look first", ["data", "seed", "", *columns], rows, "practice-seeds.csv")
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    axes = figure.subplots()
    for number, column in enumerate(columns):
        points = [np.nan if found[number] is None else 100 * (found[number] - mean) for _, mean, found in drawn]
        style = look(number)
        axes.plot(np.arange(len(drawn)) + 0.12 * (number - 1), points, color=style.colour, marker=style.marker,
                  linestyle="none", label="nobody lies" if column == CLEAN else column)  # fmt: skip
    axes.axhline(0.0, color="0.3", linewidth=0.8)
    axes.axhline(100 * GAIN, color="0.3", linewidth=0.8, linestyle=":")
    axes.set_xticks(range(len(drawn)), [name for name, _, _ in drawn], rotation=30, ha="right")
    axes.set_ylabel("points above the mean")
    figure.legend(loc="outside upper center", ncols=3, fontsize="small")
    claims.picture("practice-liars.png", figure)


def values(group: Sequence[dict[str, Any]], row: str, column: str) -> list[float]:
    """Accuracies, a seed after the other; none where it was not played."""
    found = [one["rows"].get(row, {}).get(column) for one in group]
    return [value for value in found if value is not None]


def _text(group: Sequence[dict[str, Any]], row: str, column: str) -> str:
    found = values(group, row, column)
    if not found:
        return ""
    if len(found) < 2:
        return f"{found[0]:.3f}"
    mean, half = student_interval(np.array(found))
    return f"{float(mean):.3f} ± {float(half):.3f}"


def _cells(group: Sequence[dict[str, Any]], row: str) -> list[str]:
    """Of a row; where nothing is sent a bogus message makes no difference, and its cell is empty."""
    return [_text(group, row, column) for column in COLUMNS]


def _revealed(group: Sequence[dict[str, Any]], row: str) -> str:
    """Samples that others see where nobody lies, mean over the seeds."""
    if row in (EXCHANGED, FEWER):
        which = f"{row} {CLEAN}"
    elif row.startswith(("HMR", "BEMA")):
        which = f"{row.split()[0].strip(',')} {CLEAN}"
    else:
        which = "pool" if "pool" in row else ""
    found = [one["revealed"][which] for one in group if which in one["revealed"]]
    return (f"{np.mean(found):.0f}" if found else "") if which else "0"


def _what(group: Sequence[dict[str, Any]]) -> str:
    first = group[0]
    own, check = (float(np.mean([n for one in group for n in one[what]])) for what in ("own", "check"))
    kinds = ", ".join(dict.fromkeys(first["kinds"]))
    seeds = "one seed" if len(group) == 1 else f"{len(group)} seeds"
    return f"{seeds}, {len(first['kinds'])} parties ({kinds}), {own:.0f} samples each, {check:.0f} more kept back"


def _timing(claims: Claims, told: Told) -> None:
    spent = {name: float(np.mean([one["seconds"] for one in group])) for name, group in told.items()}
    claims.say("seconds of processor time of a cell: " + ", ".join(f"{name} {s:.0f}" for name, s in spent.items()))


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    return "".join(
        ",".join(f'"{cell}"' if "," in cell else cell for cell in row) + "\n" for row in [header, *rows]
    ).encode()


def _claim(claims: Claims, name: str, group: Sequence[dict[str, Any]]) -> None:
    """What the library's default must not lose."""
    title = SETTINGS[name].title
    ours, mean = (float(np.mean(values(group, row, CLEAN))) for row in ("screened mean", "mean"))
    claims.claim(
        f"{title}, nobody lies: screened mean {ours:.3f}, mean {mean:.3f} (at most {NEAR} less)", ours >= mean - NEAR
    )
    if SETTINGS[name].images:
        for column in LYING[:2]:
            ours, honest = (
                float(np.mean(values(group, row, column))) for row in ("screened mean", "mean of the honest models")
            )
            statement = f"{title}, {column}: screened mean {ours:.3f}, honest models alone {honest:.3f}"
            claims.claim(f"{statement} (at most {BELOW_HONEST} less)", ours >= honest - BELOW_HONEST)
    if len(SETTINGS[name].classes) == 10:
        _claim_of_exchange(claims, title, group)


def _claim_of_exchange(claims: Claims, title: str, group: Sequence[dict[str, Any]]) -> None:
    """What 200 revealed samples must bring, beside the obvious alternatives; on the seeds that have all of them."""
    for ours, mean in _together(group, (EXCHANGED, CLEAN), ("mean", CLEAN)):
        statement = f"{title}: exchange {ours:.3f}, mean {mean:.3f} (at least {GAIN} more)"
        claims.claim(statement, ours >= mean + GAIN)
    others = ("HMR as published", CLEAN), ("local training alone, mean", CLEAN)
    for ours, hmr, alone in _together(group, (EXCHANGED, CLEAN), *others):
        statement = f"{title}: exchange {ours:.3f}, HMR as published {hmr:.3f}, local training {alone:.3f}"
        claims.claim(f"{statement} (at most {BEHIND} below the better)", ours >= max(hmr, alone) - BEHIND)
    for column in ADAPTING:
        for ours, before in _together(group, (EXCHANGED, column), ("screened mean", CLEAN)):
            statement = f"{title}, {column}: exchange {ours:.3f}, no exchange {before:.3f} (at most {LOST} less)"
            claims.claim(statement, ours >= before - LOST)


def _together(group: Sequence[dict[str, Any]], *cells: tuple[str, str]) -> list[list[float]]:
    """The means of these cells over the seeds on which all were played; empty if there is none."""
    all_of = [[one["rows"].get(row, {}).get(column) for row, column in cells] for one in group]
    played_all = [one for one in all_of if None not in one]
    return [[float(value) for value in np.mean(played_all, axis=0)]] if played_all else []


def _picture(claims: Claims, told: Told) -> None:
    figure = Figure(figsize=(9.6, 5.4), layout="constrained")
    panels = figure.subplots(2, 3, sharey=True).ravel()
    for panel, (name, group) in zip(panels, told.items()):
        for number, row in enumerate(DRAWN):
            style, found = look(number), [values(group, row, column) for column in (CLEAN, *LYING)]
            at = np.arange(len(found)) + 0.08 * (number - 2)
            mean = [float(np.mean(one)) if one else np.nan for one in found]
            ends = [(m - min(one, default=m), max(one, default=m) - m) for m, one in zip(mean, found, strict=True)]
            panel.errorbar(at, mean, np.abs(np.transpose(ends)), color=style.colour, marker=style.marker,
                           linestyle=style.dashes, markersize=4, linewidth=1, capsize=2, label=row)  # fmt: skip
        panel.set_title(SETTINGS[name].title, fontsize="medium")
        panel.set_xticks(range(4), ["none", "1 of 4", "2 of 4", "3 of 4"])
        panel.set_ylim(-0.02, 1.02)
    for panel in panels[len(told) :]:
        panel.set_visible(False)
    figure.supylabel("accuracy: mean, lowest and highest seed")
    figure.supxlabel("owners of a class whose models lie as badly as they can")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, fontsize="small")
    claims.picture("practice.png", figure)
