"""Table I of the BEMA paper: 3 numbers of parties x 4 shares of bogus messages x 2 methods."""

from pathlib import Path

import numpy as np

from folkmoot.reproductions.claims import Claims

from .cells import ITERATIONS, PUBLISHED, RATE, REMINDED, play_all
from .gathered import SEEDS, Told, accuracies, cell, loss, pattern, shared, text, total

CASES = ("10", "20", "50")
SHARES = (0.0, 0.1, 0.2, 0.5)
EXTREMES = (SHARES[0], SHARES[-1])  # of HMR as published: it takes long
REUSED = {PUBLISHED: (CASES, SEEDS), REMINDED: (CASES, SEEDS[:1])}  # which of them, and with which seeds
PAPER = {
    ("HMR", "10"): (0.8320, 0.7926, 0.7397, 0.5849),
    ("BEMA", "10"): (0.8401, 0.8372, 0.8134, 0.7692),
    ("HMR", "20"): (0.8178, 0.7631, 0.6959, 0.5281),
    ("BEMA", "20"): (0.8023, 0.7895, 0.7710, 0.7395),
    ("HMR", "50"): (0.7587, 0.6945, 0.6120, 0.4162),
    ("BEMA", "50"): (0.7316, 0.7228, 0.7012, 0.6804),
}
BELOW = 0.03  # how far BEMA without a lie may be below the paper's


def table1(out: Path, jobs: int, progress: bool) -> bool:
    """All 24 cells with hardened rules, and the printed rules for ten parties; with a reserved class."""
    claims = Claims("bema/table1", out)
    kinds = [(case, method, "hardened") for case in CASES for method in ("HMR", "BEMA")]
    kinds.insert(2, ("10", "BEMA", "printed"))
    cells = [
        cell(case, method, share, seed, rules, reserved=True)
        for case, method, rules in kinds
        for seed in SEEDS
        for share in SHARES
    ]
    reused = [
        cell(case, method, share, seed, reserved=True)
        for method, (cases, seeds) in REUSED.items()
        for case in cases
        for seed in seeds
        for share in EXTREMES
    ]
    told = play_all([*cells, *reused], shared(out), jobs, progress)
    rows, used, lost = [], [], {}
    for case, method, rules in kinds:
        mine = [c for c in cells if (c.case, c.method, c.rules) == (case, method, rules)]
        found = {share: {c: told[c] for c in mine if c.share == share} for share in SHARES}
        name = f"{method} {case}" + (", printed rules" if rules == "printed" else "")
        if rules == "hardened":
            rows.append([f"{name}, paper", "", *(f"{value:.4f}" for value in PAPER[method, case])])
        after = [accuracies(found[share]) for share in SHARES]
        rows.append([f"{name}, ours", text(accuracies(found[0.0], at=0)), *map(text, after)])
        if method == "HMR":
            krum = [[t["krum"][-1] for t in found[share].values()] for share in SHARES]
            rows.append([f"{name}, Krum predictor", "", *map(text, krum)])
        moved, refused = ([total(found[share], what) for share in SHARES] for what in ("accepted", "refused"))
        counts = [f"{a:,.0f} of {a + r:,.0f}" for a, r in zip(moved, refused, strict=True)]
        seconds = float(np.median([t["seconds"] for share in SHARES for t in found[share].values()]))
        used.append([name, *counts, f"{seconds:.0f}"])
        lost[case, method, rules] = loss(after[0], after[-1])
        if (method, rules) == ("BEMA", "hardened"):
            clean, wanted = float(np.mean(after[0])), PAPER[method, case][0] - BELOW
            claims.claim(f"{name}, nobody lies: {clean:.4f} (at least {wanted:.4f})", clean >= wanted)
    told = {c: told[c] for c in reused}
    rows += [_reused(told, method, case) for method, (cases, _) in REUSED.items() for case in cases]
    title = f"Test accuracy after {ITERATIONS} iterations against bogus messages; eta {RATE:g}, {len(SEEDS)} seeds"
    header = [f"{100 * share:g} %" for share in SHARES]
    claims.table(title, ["", "before", *header], rows, "table1.csv")
    several = [
        row for method, (cases, _) in REUSED.items() for case in cases for row in _by_predictor(told, method, case)
    ]
    title = f"{PUBLISHED}: 105 samples, by several predictors"
    claims.table(title, ["", "before", header[0], header[-1]], several, "table1-published.csv")
    claims.table("Samples that moved models, of those judged; processor seconds of a cell (median)",
                 ["", *header, "seconds"], used, "table1-samples.csv")  # fmt: skip
    for case, method, rules in kinds:
        if method == "BEMA":
            which = f"{case} parties, {rules} rules"
            pattern(claims, which, lost[case, method, rules], lost[case, "HMR", "hardened"])
    return claims.all_hold


def _reused(told: Told, method: str, case: str) -> list[str]:
    """The row of HMR as published, 105 samples, by its own predictor."""
    (_, before, clean, foul), *_ = _by_predictor(told, method, case)
    return [f"{_named(method, case)}, ours", before, clean, "", "", foul]


def _by_predictor(told: Told, method: str, case: str) -> list[list[str]]:
    """Rows of HMR as published: before, after, and after that with bogus messages."""
    mine = [(c.share, t) for c, t in told.items() if (c.method, c.case) == (method, case)]
    clean, foul = ([t for share, t in mine if share == wanted] for wanted in EXTREMES)
    return [
        [
            f"{_named(method, case)}, {name}",
            *(text([t[key][at] for t in group]) for group, at in ((clean, 0), (clean, -1), (foul, -1))),
        ]
        for key, name in {"max": "the surest model", "mean": "the mean", "krum": "Krum predictor"}.items()
    ]


def _named(method: str, case: str) -> str:
    (first, *more) = REUSED[method][1]
    return f"{method} {case}" if more else f"{method} {case}, seed {first}"
