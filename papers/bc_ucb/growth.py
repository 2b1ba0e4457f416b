"""How regret grows under every attack, with how many liars, and beside what the theorem promises."""

from pathlib import Path

import numpy as np
from scipy.stats import linregress

import folkmoot as fm
from folkmoot.experiments.claims import Claims
from folkmoot.report.plots import plot_regret
from folkmoot.simulation.result import student_interval
from folkmoot.theory import bc_ucb_bound

from . import settings as s

LEAST_FIT = 0.95  # R^2 of a line in log T


def _text(result: fm.ChainResult) -> str:
    mean, half = student_interval(result.regret[:, -1])
    return f"{float(mean):.0f} ± {float(half):.0f}"


def _fit(result: fm.ChainResult) -> tuple[float, float]:
    """Slope of mean regret in log T, from 10^3 to 10^5, and R^2."""
    line = linregress(np.log(result.checkpoints), result.regret.mean(axis=0))
    return float(line.slope), float(line.rvalue**2)


def growth(out: Path, jobs: int, progress: bool) -> bool:
    """Regret of honest participants with 20 % liars, under every attack: a line in log T?"""
    claims, rows, shown = Claims("bc_ucb/growth", out), [], {}
    attacks = {"none": fm.Attack(), **s.REPORT_ATTACKS, **s.VALIDATOR_ATTACKS}
    for name, attack in attacks.items():
        result = s.play(fm.BCUCB(), 2, attack, jobs, progress)
        slope, fit = _fit(result)
        summary = result.summary()
        rows.append(
            [
                name,
                _text(result),
                f"{slope:.0f}",
                f"{fit:.3f}",
                f"{100 * summary['approved_share']:.2f} %",
                f"{100 * summary['entered_share']:.1f} %",
            ]
        )
        if name in ("none", "promote the 2nd arm", "trim window", "random", "allies only"):
            shown[name] = result
        if name in s.REPORT_ATTACKS:
            claims.claim(f"{name}: regret is a line in log T from 10^3 to 10^5, R^2 = {fit:.3f}", fit > LEAST_FIT)
    claims.table(
        f"Regret of 8 honest participants, 2 liars, T = {s.HORIZON:,}, {s.REPLICATES} replicates",
        ["attack", "regret", "slope in log T", "R^2", "approved", "blocks a lie entered"],
        rows,
        "growth.csv",
    )
    claims.picture("growth.png", plot_regret(shown, log_x=True))
    return claims.all_hold


def shares(out: Path, jobs: int, progress: bool) -> bool:
    """Regret with 0 to 30 % liars, and the theorem's bound with the C1 used and with its own."""
    claims, rows = Claims("bc_ucb/shares", out), []
    attacks = {"promote the 2nd arm": s.REPORT_ATTACKS["promote the 2nd arm"], "trim window": fm.TrimWindow()}
    for name, attack in attacks.items():
        cells = [_text(s.play(fm.BCUCB(), liars, attack, jobs, progress)) for liars in s.LIARS]
        rows.append([f"{name}, C1 = 2", *cells])
    own = fm.BCUCB(c1="theory")
    cells = [_text(s.play(own, liars, fm.TrimWindow(), jobs, progress)) for liars in s.LIARS]
    rows.append(["trim window, the theorem's C1 (21, with f = 3)", *cells])
    gaps = s.MEANS[0] - s.MEANS
    for c1 in (2.0, 21.0):
        bounds = [bc_ucb_bound(gaps, s.M - liars, s.HORIZON, c1, burn_in=5 * s.K) for liars in s.LIARS]
        rows.append([f"the bound with C1 = {c1:g}", *(f"{bound:,.0f}" for bound in bounds)])
    claims.table(
        f"Regret of the honest of {s.M} participants, T = {s.HORIZON:,}, against the number of liars",
        ["", *(f"{liars} liars" for liars in s.LIARS)],
        rows,
        "shares.csv",
    )
    return claims.all_hold


def defences(out: Path, jobs: int, progress: bool) -> bool:
    """The same without screening, without trimming, without both; and participants alone."""
    claims, rows, worst = Claims("bc_ucb/defences", out), [], 0.0
    ways = {
        "BC-UCB": fm.BCUCB(),
        "without screening (a trimmed mean)": fm.BCUCB(screening=False),
        "without trimming": fm.BCUCB(trimming=False),
        "without both (a plain mean)": fm.BCUCB(screening=False, trimming=False),
    }
    found: dict[str, dict[str, fm.ChainResult]] = {
        name: {way: s.play(a, 2, attack, jobs, progress) for way, a in ways.items()}
        for name, attack in s.REPORT_ATTACKS.items()
    }
    for name, results in found.items():
        rows.append([name, *(_text(result) for result in results.values())])
        guarded, bare = results["BC-UCB"].regret[:, -1], results["without both (a plain mean)"].regret[:, -1]
        worst = max(worst, float(bare.mean() / guarded.mean()))
    alone = fm.simulate(
        fm.UCB(), s.REWARDS, _nobody(), horizon=s.HORIZON, replicates=s.REPLICATES, seed=s.SEED, jobs=jobs,
        progress=progress,
    )  # fmt: skip
    mean, half = student_interval(alone.regret[:, -1] * 0.8)
    claims.table(
        f"Regret of 8 honest participants, 2 liars; alone with UCB1 they have {float(mean):.0f} ± {float(half):.0f}",
        ["attack", *ways],
        rows,
        "defences.csv",
    )
    claims.claim(f"without screening and trimming regret is up to {worst:.1f} times as large (>= 2)", worst >= 2.0)
    return claims.all_hold


def _nobody() -> fm.Static:
    import networkx as nx

    return fm.Static(nx.empty_graph(s.M))
