"""Where the printed rules of BEMA hold and where they do not, and what each hardened check is worth."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot.reproductions.claims import Claims

from .cells import RATE, play_all
from .gathered import LOST, SEEDS, accuracies, cell, loss, shared, text

DEFAULT = 0.01  # eta of the library
METHODS = (("BEMA", "hardened"), ("BEMA", "printed"), ("HMR", "hardened"))
ALLOWED = 0.01  # 10,000 images, three seeds: twice the standard error of a difference
PAPERS = "y and y- swapped"  # the paper's way to lie; three seeds, of the others the first
CHECKS = ("duplicate", "foreign", "contradicted")


def hard(out: Path, jobs: int, progress: bool) -> bool:
    """Ten parties, without and with a reserved class, at two learning rates: what half bogus messages do."""
    claims = Claims("bema/hard", out)
    worlds = [(False, DEFAULT), (True, DEFAULT), (True, RATE)]
    cells = {
        (world, which): [
            cell("10", which[0], share, seed, which[1], reserved=world[0], eta=world[1])
            for seed in SEEDS
            for share in (0.0, 0.5)
        ]
        for world in worlds
        for which in METHODS
    }
    told = play_all([c for group in cells.values() for c in group], shared(out), jobs, progress)
    rows, found = [], {}
    for ((reserved, eta), (method, rules)), group in cells.items():
        mine = {c: told[c] for c in group}
        before, clean, foul = accuracies(mine, 0, share=0.0), accuracies(mine, share=0.0), accuracies(mine, share=0.5)
        found[reserved, eta, method, rules] = clean, foul
        name = method if method == "HMR" else f"BEMA, {rules}"
        lost = f"{100 * loss(clean, foul):.1f}"
        rows.append(["yes" if reserved else "no", f"{eta:g}", name, text(before), text(clean), text(foul), lost])
    header = ["reserved class", "eta", "", "before", "0 %", "50 %", "points lost"]
    claims.table(f"Ten parties, {len(SEEDS)} seeds, after 50 iterations", header, rows, "hard.csv")
    for reserved, eta in worlds:
        where = f"{'a' if reserved else 'no'} reserved class, eta {eta:g}"
        clean, foul = found[reserved, eta, "BEMA", "hardened"]
        lost = loss(clean, foul)
        claims.claim(f"{where}: hardened loses {100 * lost:.1f} points at 50 % bogus (at most 8)", lost <= LOST)
        ours, printed = (float(np.mean(found[reserved, eta, "BEMA", r][0])) for r in ("hardened", "printed"))
        statement = f"{where}, nobody lies: hardened {ours:.4f}, printed {printed:.4f} (no worse, within {ALLOWED})"
        claims.claim(statement, ours >= printed - ALLOWED)
    return claims.all_hold


def ablation(out: Path, jobs: int, progress: bool) -> bool:
    """Ten parties, no reserved class, half of the messages bogus: hardened rules with some checks left out."""
    claims = Claims("bema/ablation", out)
    less: dict[str, dict[str, Any]] = {
        "all three": {},
        **{f"without {check}": {"without": (check,)} for check in CHECKS},
        "none (printed)": {"rules": "printed"},
    }
    ways: dict[str, dict[str, Any]] = {
        PAPERS: {},
        "within own classes": {"attack": "swapped within"},
        "half the parties only lie": {"liars": "parties"},
    }
    cells = {
        (name, way): [
            replace(cell("10", "BEMA", 0.5, seed, eta=DEFAULT), **less[name], **ways[way])
            for seed in (SEEDS if way == PAPERS else SEEDS[:1])
        ]
        for name in less
        for way in ways
    }
    told = play_all([c for group in cells.values() for c in group], shared(out), jobs, progress)
    rows = []
    for name in less:
        groups = [{c: told[c] for c in cells[name, way]} for way in ways]
        moved = [np.mean([t["accepted"] for t in group.values()]) for group in groups]
        rows.append([name, *(f"{text(accuracies(g))} ({m:,.0f})" for g, m in zip(groups, moved, strict=True))])
    title = f"Accuracy at 50 % bogus, {len(SEEDS)} seeds or one; in brackets how many samples moved models"
    claims.table(title, ["checks", *ways], rows, "ablation.csv")
    worst = min(float(np.mean(accuracies({c: told[c] for c in cells["all three", way]}))) for way in ways)
    printed = float(np.mean(accuracies({c: told[c] for c in cells["none (printed)", PAPERS]})))
    claims.claim(
        f"all three: at least {worst:.4f} under each attack, printed {printed:.4f} under the paper's", worst > printed
    )
    return claims.all_hold


def study(out: Path, jobs: int, progress: bool) -> bool:
    """score_gradient x reserved_class, printed rules, nobody lies."""
    claims = Claims("bema/study", out)
    cells = {
        (gradient, reserved): [
            cell("10", "BEMA", 0.0, seed, "printed", reserved=reserved, score_gradient=gradient, eta=DEFAULT)
            for seed in SEEDS
        ]
        for gradient in ("probability", "log_probability")
        for reserved in (False, True)
    }
    told = play_all([c for group in cells.values() for c in group], shared(out), jobs, progress)
    rows = []
    for (gradient, reserved), group in cells.items():
        numbers = [text([told[c][by][at] for c in group]) for by in ("krum", "max") for at in (0, -1)]
        moved = np.mean([told[c]["accepted"] for c in group])
        rows.append([gradient, "yes" if reserved else "no", *numbers, f"{moved:,.0f}"])
    header = ["gradient", "reserved class", "Krum before", "after", "max before", "after", "samples"]
    title = f"Ten parties, printed rules, nobody lies, eta {DEFAULT:g}, {len(SEEDS)} seeds"
    claims.table(title, header, rows, "study.csv")
    return claims.all_hold
