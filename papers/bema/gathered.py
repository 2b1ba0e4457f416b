"""What cells of the BEMA reproduction said, put together over seeds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval

from .cells import ITERATIONS, TRAINED, Cell, accuracy

SEEDS = (1, 2, 3)
CURVE = tuple(range(0, ITERATIONS + 1, 5))  # iterations after which figure 6 is measured
LOOKS = (0, ITERATIONS // 5, ITERATIONS // 2, ITERATIONS)  # at HMR as published: its budget is spread evenly
LOST, TIMES = 0.08, 2.0  # BEMA may lose so much from 0 to 50 % bogus, HMR at least so many times that
Told = dict[Cell, dict[str, Any]]


def cell(case: str, method: str, share: float, seed: int, rules: str = "hardened", **what: Any) -> Cell:
    """A cell measured where some table or figure looks at it, so that it is played once for all of them."""
    in_figure_6 = what.get("reserved", False) == (case == "10") and case not in ("20", "50")
    curve = LOOKS if method in TRAINED else CURVE
    clean = curve if in_figure_6 else (0, ITERATIONS)
    return Cell(case, method, share, seed, rules, at=clean if share == 0.0 else (ITERATIONS,), **what)


def shared(out: Path) -> Path:
    """Where models and finished cells are kept for all figures: results/bema, or the folder that was asked for."""
    return out.parent if out.parent.name == "bema" else out


def accuracies(told: Told, at: int = -1, **like: object) -> list[float]:
    """Of the cells that are like this, in the order of their seeds; `at` counts in the iterations they look at."""
    found = [(c.seed, accuracy(t)[at]) for c, t in told.items() if all(getattr(c, k) == v for k, v in like.items())]
    return [value for _, value in sorted(found)]


def total(told: Told, what: str) -> float:
    """Mean over these cells of the number of samples "accepted" or "refused"."""
    return float(np.mean([t[what] if what == "accepted" else sum(t[what].values()) for t in told.values()]))


def text(values: Sequence[float]) -> str:
    """Mean and 95 % Student interval."""
    if len(values) < 2:
        return " ".join(f"{value:.4f}" for value in values)
    mean, half = student_interval(np.array(values))
    return f"{float(mean):.4f} ± {float(half):.4f}"


def loss(clean: Sequence[float], foul: Sequence[float]) -> float:
    """What is lost, in accuracy."""
    return float(np.mean(clean) - np.mean(foul))


def pattern(claims: Claims, what: str, ours: float, theirs: float) -> None:
    """Table I's: what BEMA and HMR lose from no bogus messages to one half."""
    claims.claim(f"{what}: BEMA loses {100 * ours:.1f} points from 0 to 50 % bogus (at most 8)", ours <= LOST)
    enough = theirs >= TIMES * max(ours, 0.0)
    claims.claim(f"{what}: HMR loses {100 * theirs:.1f} points (at least twice as many)", enough)
