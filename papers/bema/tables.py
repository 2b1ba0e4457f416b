"""Tables and figures of the BEMA reproduction from the cells they are made of."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from folkmoot.experiments.claims import Claims
from folkmoot.multiparty import LeNet5
from folkmoot.report.plots import look
from folkmoot.simulation.result import student_interval
from folkmoot.world.datasets import load_mnist

from . import settings as s
from .cells import ITERATIONS, Cell, accuracy, play_all

SEEDS = (1, 2, 3)
SHARES = (0.0, 0.1, 0.2, 0.5)
PAPER = {
    ("HMR", "10"): (0.8320, 0.7926, 0.7397, 0.5849),
    ("BEMA", "10"): (0.8401, 0.8372, 0.8134, 0.7692),
    ("HMR", "20"): (0.8178, 0.7631, 0.6959, 0.5281),
    ("BEMA", "20"): (0.8023, 0.7895, 0.7710, 0.7395),
    ("HMR", "50"): (0.7587, 0.6945, 0.6120, 0.4162),
    ("BEMA", "50"): (0.7316, 0.7228, 0.7012, 0.6804),
}
LOST, TIMES = 0.08, 2.0  # BEMA may lose so much from 0 to 50 % bogus, HMR at least so many times that
CURVE = tuple(range(0, ITERATIONS + 1, 5))
Told = dict[Cell, dict[str, Any]]


def _shared(out: Path) -> Path:
    """Where models and finished cells are kept for all figures: results/bema, or the folder that was asked for."""
    return out.parent if out.parent.name == "bema" else out


def _finals(told: Told, **like: object) -> list[float]:
    """Last accuracies of the cells that are like this, in the order of their seeds."""
    found = [(c.seed, accuracy(t)[-1]) for c, t in told.items() if all(getattr(c, k) == v for k, v in like.items())]
    return [value for _, value in sorted(found)]


def _text(values: Sequence[float]) -> str:
    if len(values) < 2:
        return " ".join(f"{value:.4f}" for value in values)
    mean, half = student_interval(np.array(values))
    return f"{float(mean):.4f} ± {float(half):.4f}"


def _pattern(claims: Claims, what: str, bema: Sequence[Sequence[float]], hmr: Sequence[Sequence[float]]) -> None:
    """Table I's: what BEMA and HMR lose from the first to the last share."""
    ours, theirs = (float(np.mean(x[0]) - np.mean(x[-1])) for x in (bema, hmr))
    claims.claim(f"{what}: BEMA loses {100 * ours:.1f} points from 0 to 50 % bogus (at most 8)", ours <= LOST)
    enough = theirs >= TIMES * max(ours, 0.0)
    claims.claim(f"{what}: HMR loses {100 * theirs:.1f} points (at least twice as many)", enough)


def table1(out: Path, jobs: int, progress: bool) -> bool:
    """Table I, all 24 cells, with a reserved class that 1 % of public images have taught."""
    claims = Claims("bema/table1", out)
    cells = [
        Cell(case, method, share, seed, reserved=True, at=(0, ITERATIONS) if share == 0.0 else (ITERATIONS,))
        for case in ("10", "20", "50")
        for seed in SEEDS
        for share in SHARES
        for method in ("BEMA", "HMR")
    ]
    told = play_all(cells, _shared(out), jobs, progress)
    rows = []
    for case in ("10", "20", "50"):
        found = {m: [_finals(told, case=case, method=m, share=share) for share in SHARES] for m in ("BEMA", "HMR")}
        start = [accuracy(told[c])[0] for c in cells if (c.case, c.method, c.share) == (case, "BEMA", 0.0)]
        for method in ("HMR", "BEMA"):
            rows.append([f"{method} {case}, paper", "", *(f"{value:.4f}" for value in PAPER[method, case])])
            before = _text(start) if method == "BEMA" else ""
            rows.append([f"{method} {case}, ours", before, *(_text(values) for values in found[method])])
        _pattern(claims, f"{case} parties", found["BEMA"], found["HMR"])
        clean = float(np.mean(found["BEMA"][0]))
        wanted = PAPER["BEMA", case][0] - 0.03
        claims.claim(f"{case} parties, none lies: BEMA {clean:.4f} (at least {wanted:.4f})", clean >= wanted)
    title = f"Test accuracy after {ITERATIONS} iterations, {len(SEEDS)} seeds, against the share of bogus messages"
    claims.table(title, ["", "before", *(f"{100 * share:g} %" for share in SHARES)], rows, "table1.csv")
    return claims.all_hold


def hard(out: Path, jobs: int, progress: bool) -> bool:
    """Ten parties without a reserved class; then hardened rules with one check less."""
    claims = Claims("bema/hard", out)
    ends = (0, ITERATIONS)
    rules = (("BEMA", "hardened"), ("BEMA", "printed"), ("HMR", "hardened"))
    main = [Cell("10", m, share, seed, r, at=ends if share == 0.0 else ends[1:])
            for seed in SEEDS for share in (0.0, 0.5) for m, r in rules]  # fmt: skip
    base = Cell("10", "BEMA", 0.5, SEEDS[0], at=ends[1:])
    checks = ("duplicate", "foreign", "contradicted")
    less = {"all three": (), **{f"without {c}": (c,) for c in checks}, "none (printed)": checks}
    ways = {
        "messages, y and y- swapped": {},
        "messages, within own classes": {"attack": "swapped within"},
        "half the parties only lie": {"liars": "parties"},
    }
    ablation = {(n, w): replace(base, without=left, **way) for n, left in less.items() for w, way in ways.items()}
    told = play_all(list(dict.fromkeys([*main, *ablation.values()])), _shared(out), jobs, progress)
    rows = []
    for method, rule in rules:
        cells = [c for c in main if (c.method, c.rules) == (method, rule)]
        start = [accuracy(told[c])[0] for c in cells if c.share == 0.0]
        ours = {c: told[c] for c in cells}
        name = method if method == "HMR" else f"BEMA, {rule}"
        rows.append([name, _text(start), *(_text(_finals(ours, share=share)) for share in (0.0, 0.5))])
    claims.table("Ten parties, no reserved class, 3 seeds", ["", "before", "0 %", "50 %"], rows, "hard.csv")
    rows = [[n, *(f"{accuracy(told[ablation[n, w]])[-1]:.4f}" for w in ways)] for n in less]
    claims.table("Accuracy at 50 % bogus with some checks left out, 1 seed", ["checks", *ways], rows, "ablation.csv")
    found = {r: {c: told[c] for c in main if (c.method, c.rules) == ("BEMA", r)} for r in ("hardened", "printed")}
    clean, foul = (float(np.mean(_finals(found["hardened"], share=share))) for share in (0.0, 0.5))
    printed = float(np.mean(_finals(found["printed"], share=0.0)))
    claims.claim(f"hardened: {100 * (clean - foul):.1f} points lost at 50 % bogus (at most 8)", clean - foul <= LOST)
    allowed = 0.01  # 10,000 images, three seeds: twice the standard error of a difference
    statement = f"none lies: hardened {clean:.4f}, printed {printed:.4f} (no worse, within 0.01)"
    claims.claim(statement, clean >= printed - allowed)
    return claims.all_hold


def study(out: Path, jobs: int, progress: bool) -> bool:
    """score_gradient x reserved_class, printed rules, nobody lies."""
    claims = Claims("bema/study", out)
    gradients = (("probability", 0.05), ("probability", 0.01), ("log_probability", 0.01))
    cells = {
        (gradient, eta, reserved): Cell(
            "10", "BEMA", 0.0, SEEDS[0], "printed", reserved=reserved, score_gradient=gradient, eta=eta, at=(0, 50)
        )
        for gradient, eta in gradients
        for reserved in (False, True)
    }
    told = play_all(list(cells.values()), _shared(out), jobs, progress)
    rows = []
    for (gradient, eta, reserved), cell in cells.items():
        krum, best = told[cell]["krum"], told[cell]["max"]
        numbers = [f"{value:.4f}" for value in (krum[0], krum[1], best[0], best[1])]
        rows.append([gradient, f"{eta:g}", "yes" if reserved else "no", *numbers, told[cell]["accepted"]])
    header = ["gradient", "eta", "reserved class", "Krum before", "after", "max before", "after", "samples"]
    claims.table("Ten parties, printed rules, nobody lies, 1 seed", header, rows, "study.csv")
    return claims.all_hold


def _centralised(out: Path, seed: int) -> float:
    """Test accuracy of one LeNet-5 trained on everything, as long as the parties train."""
    kept = out / "models" / f"centralised {seed}.txt"
    if not kept.exists():
        digits = load_mnist()
        holding = s.Holding(LeNet5, tuple(range(10)), np.arange(len(digits.train_labels)))
        (party,) = s.trained(s.Case([holding], np.zeros(0, np.int64)), digits, s.Training(), seed)
        scores = party.model.scores(digits.test_images)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(str(float((scores.argmax(axis=1) == digits.test_labels).mean())))
    return float(kept.read_text())


def _curves(name: str, case: str, title: str, out: Path, jobs: int, progress: bool) -> bool:
    claims = Claims(f"bema/{name}", out)
    # With one or two models that know a class, 0.75 of them is one, and a star that is one model's score moves nothing.
    few = {} if case == "10" else {"alpha": 1.0}
    base = Cell(case, "BEMA", 0.0, SEEDS[0], reserved=case == "10", at=CURVE, test=2000)
    cells = [replace(base, **few), replace(base, method="HMR")]
    told = play_all(cells, _shared(out), jobs, progress)
    best = _centralised(_shared(out), SEEDS[0])
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for number, cell in enumerate(cells):
        style = look(number)
        axes.plot(CURVE, accuracy(told[cell]), color=style.colour, linestyle=style.dashes, marker=style.marker,
                  label=f"{cell.method} ({'Krum' if cell.method == 'BEMA' else 'max'} predictor)")  # fmt: skip
    axes.axhline(best, color="0.4", linestyle=":", label="one LeNet-5 with all data")
    axes.set_xlabel("iteration (at most 200 samples)")
    axes.set_ylabel("accuracy on 2,000 test images")
    axes.set_title(title)
    axes.legend()
    claims.picture(f"{name}.png", figure)
    rows = [[c.method, *(f"{told[c][p][at]:.4f}" for at in (0, -1) for p in ("krum", "max")), told[c]["accepted"]]
            for c in cells]  # fmt: skip
    header = ["", "Krum before", "max before", "Krum after", "max after", "samples"]
    claims.table(f"{title}; one LeNet-5 with all data: {best:.4f}", header, rows, f"{name}.csv")
    return claims.all_hold


fig6a = partial(_curves, "fig6a", "2 even", "Two parties, all digits, half of each")
fig6b = partial(_curves, "fig6b", "2 skewed", "Two parties, seven digits each")
fig6c = partial(_curves, "fig6c", "5 skewed", "Five parties, four digits each")
fig6d = partial(_curves, "fig6d", "10", "Ten parties, four digits each, a reserved class")
