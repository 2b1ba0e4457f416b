"""How far a liar inside the trim window gets, and from which gap on regret is a line in log T all the same."""

from pathlib import Path

import numpy as np

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval

from . import settings as s
from .derived import line, regret, shift

FAULTY = 3
TWO = np.array([0.7, 0.4])
PULLS, MANY = (50, 200, 800), 1_000  # of each arm before the one block that is looked at; replicates
TOLERANCE = 0.05  # standard errors, at the largest number of pulls: reports are nearly normal there
GAPS = (0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3)
OTHERS = (0.45, 0.375, 0.3)
LEAST_FIT, FIT_TOLERANCE, REGRET_TOLERANCE = 0.95, 0.01, 0.08


def influence(out: Path, jobs: int, progress: bool) -> bool:
    """What lies inside the trim window shift, and the gap from which on regret is a line in log T."""
    claims = Claims("bc_ucb/influence", out)
    _shifts(claims, jobs, progress)
    _scan(claims, jobs, progress)
    return claims.all_hold


def _shifts(claims: Claims, jobs: int, progress: bool) -> None:
    """The first validated estimate after a burn-in in which all have pulled both arms equally often."""
    attacks = {"inside the window": fm.TrimWindow(), "extreme": fm.PromoteArm(arm=1)}
    rows, worst = [], 0.0
    for name, attack in attacks.items():
        for liars in (1, 2, 3):
            derived = shift(s.M, liars, FAULTY, name == "extreme")
            cells = [lowered(n, liars, attack, jobs, progress) for n in PULLS]
            rows.append([f"{name}, {liars} lying", *(s.shown(cell, 3) for cell in cells), f"{derived:.3f}"])
            worst = max(worst, abs(float(cells[-1].mean()) - derived))
    claims.table(
        f"Standard errors by which the better arm's estimate is lowered and the other's raised, {MANY:,} runs",
        ["", *(f"{n} pulls" for n in PULLS), "derived"],
        rows,
        "influence-shift.csv",
    )
    text = f"at {PULLS[-1]} pulls measured and derived shifts differ by at most {worst:.3f} (<= {TOLERANCE:g})"
    claims.claim(text, worst <= TOLERANCE)


def lowered(
    n: int, liars: int, attack: fm.Attack, jobs: int, progress: bool, runs: int = MANY, expected: int | None = None
) -> np.ndarray:
    """float64 [replicates]: mean of both arms' shifts, in units of sigma / sqrt(n)."""
    result = s.play(
        fm.BCUCB(burn_in=2 * n), liars, attack, jobs, progress,
        rewards=fm.Bernoulli(TWO, n_agents=s.M), checkpoints=[2 * n + 1], replicates=runs,
        expected=expected,
    )  # fmt: skip
    found = (result.estimates[:, 0] - TWO) / np.sqrt(TWO * (1.0 - TWO) / n)
    found = found[np.isfinite(found).all(axis=1)]  # where the first block was lost there is no estimate
    return np.asarray((found[:, 1] - found[:, 0]) / 2.0)


def _scan(claims: Claims, jobs: int, progress: bool) -> None:
    """Regret and R^2 against the gap between best and second arm, with the liars fair and inside the window."""
    attacks = {"fair": (fm.Attack(), 0.0), "trim window": (fm.TrimWindow(), shift(s.M, 2, FAULTY, False))}
    rows, curves = [], {f"{name}, {kind}": ([], []) for name in attacks for kind in ("measured", "derived")}
    off, away = 0.0, 0.0
    for gap in GAPS:
        means, cells = np.array([0.9, 0.9 - gap, *OTHERS]), []
        for name, (attack, shifted) in attacks.items():
            result = s.play(fm.BCUCB(), 2, attack, jobs, progress, rewards=fm.Bernoulli(means, n_agents=s.M))
            values, expected = result.regret, regret(means, 2.0, s.CHECKPOINTS, 8, shifted)
            fits = line(s.CHECKPOINTS, values.mean(axis=0))[1], line(s.CHECKPOINTS, expected)[1]
            cells += [s.shown(values[:, -1]), f"{expected[-1]:.0f}", f"{fits[0]:.3f}", f"{fits[1]:.3f}"]
            off = max(off, abs(fits[0] - fits[1]))
            away = max(away, abs(float(values[:, -1].mean()) / float(expected[-1]) - 1.0))
            mean, half = student_interval(values[:, -1])
            _append(curves[f"{name}, measured"], float(mean), float(half))
            _append(curves[f"{name}, derived"], float(expected[-1]), float("nan"))
            if gap >= 0.05:
                claims.claim(f"gap {gap:g}, {name}: R^2 = {fits[0]:.3f} (> {LEAST_FIT:g})", fits[0] > LEAST_FIT)
        rows.append([f"{gap:g}", *cells])
    heads = [f"{name}: {what}" for name in attacks for what in ("regret", "derived", "R^2", "derived")]
    claims.table("Against the gap of the second arm; 2 liars", ["gap", *heads], rows, "influence-gap.csv")
    claims.claim(f"measured and derived R^2 differ by at most {off:.3f} (<= {FIT_TOLERANCE:g})", off <= FIT_TOLERANCE)
    text = f"measured and derived regret differ by at most {100 * away:.1f} % (<= {100 * REGRET_TOLERANCE:g} %)"
    claims.claim(text, away <= REGRET_TOLERANCE)
    limits = {name: _limit(shifted) for name, (_, shifted) in attacks.items()}
    told = ", ".join(f"{limit:.4f} ({name})" for name, limit in limits.items())
    claims.say(f"derived: R^2 passes {LEAST_FIT:g} at a gap of {told}")
    claims.picture("influence-gap.png", plot_setting("gap between best and second arm", GAPS, curves))


def _append(curve: tuple[list[float], list[float]], mean: float, half: float) -> None:
    curve[0].append(mean)
    curve[1].append(half)


def _limit(shifted: float) -> float:
    """The gap at which R^2 is just enough, by the derived curves."""
    low, high = 0.01, 0.15
    for _ in range(20):
        gap = (low + high) / 2.0
        means = np.array([0.9, 0.9 - gap, *OTHERS])
        if line(s.CHECKPOINTS, regret(means, 2.0, s.CHECKPOINTS, 8, shifted))[1] > LEAST_FIT:
            high = gap
        else:
            low = gap
    return high
