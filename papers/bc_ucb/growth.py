"""How regret grows under every attack, and what the liars' share adds."""

from pathlib import Path

import folkmoot as fm
from folkmoot.report.plots import plot_regret, plot_setting
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval
from folkmoot.theory import bc_ucb_bound

from . import settings as s
from .derived import chance_of_no_majority, line

LEAST_FIT = 0.95  # R^2 of a line in log T
TOLERANCE, SELDOM = 0.2, 0.001  # of the share of blocks lost, measured against derived; not looked at below
COST = 0.01
SHOWN = ("random", "sign flip", "trim window", "drift", "congestion")
MANY, MANY_LIARS, MANY_ROUNDS, MANY_REPLICATES = 100, 33, 10_000, 5


def _fit(result: fm.ChainResult, cost: float = 0.0) -> tuple[float, float]:
    """Slope of mean regret in log T, from 10^3 to 10^5, and R^2."""
    hidden = cost * int(result.configuration["honest"]) * result.entered
    return line(result.checkpoints, (result.regret + hidden).mean(axis=0))


def growth(out: Path, jobs: int, progress: bool) -> bool:
    """Regret of honest participants with 20 % liars, under every attack: a line in log T?"""
    claims, rows, pictured = Claims("bc_ucb/growth", out), [], {}
    attacks = {"none: they play fair": fm.Attack(), **s.REPORT_ATTACKS, **s.VALIDATOR_ATTACKS}
    for name, attack in attacks.items():
        result = s.play(fm.BCUCB(), 2, attack, jobs, progress)
        slope, fit = _fit(result)
        cells = [s.shown(result.regret[:, -1]), f"{slope:.0f}", f"{fit:.4f}", *_blocks(result)]
        rows.append([name, *cells, f"{_fit(result, COST)[1]:.2f}"])
        if name in SHOWN:
            pictured[name] = result
        if name in s.REPORT_ATTACKS:
            claims.claim(f"{name}: regret is a line in log T from 10^3 to 10^5, R^2 = {fit:.4f}", fit > LEAST_FIT)
    heads = ["attack", "regret", "slope in log T", "R^2", "blocks lost", "a lie entered", f"R^2 with c = {COST:g}"]
    setting = f"8 honest participants, 2 liars, T = {s.HORIZON:,}, {s.REPLICATES} replicates"
    claims.table(f"Regret of {setting}, M_V = {2 * s.M}", heads, rows, "growth.csv")
    claims.picture("growth.png", plot_regret(pictured, log_x=True))
    _lost(claims, jobs, progress)
    return claims.all_hold


def _blocks(result: fm.ChainResult) -> list[str]:
    """Percent of blocks that were lost, and of the others with a lie inside."""
    summary = result.summary()
    return [f"{100 - 100 * summary['approved_share']:.3f} %", f"{100 * summary['entered_share']:.2f} %"]


def _lost(claims: Claims, jobs: int, progress: bool) -> None:
    """How often liars are half of the validators and more: with the default M_V = M, and with three of them."""
    rows, pictured = [], {}
    for name, liars, expected in (
        ("congestion", 2, 2 * s.M),
        ("congestion", 2, s.M),
        ("congestion", 3, 2 * s.M),
        ("congestion", 3, s.M),
        ("allies only", 2, s.M),
    ):
        attack = {**s.REPORT_ATTACKS, **s.VALIDATOR_ATTACKS}[name]
        result = s.play(fm.BCUCB(), liars, attack, jobs, progress, expected=expected)
        setting = f"{name} by {liars}, M_V = {expected}"
        pictured[setting] = result
        bad = float(1.0 - ((result.approved - result.entered[:, -1]) / result.blocks).mean())
        derived = chance_of_no_majority(result.trust, liars, expected)
        cells = [s.shown(result.regret_per_agent[:, -1]), f"{_fit(result)[1]:.3f}", *_blocks(result)]
        rows.append([setting, *cells, f"{100 * bad:.3f} %", f"{100 * derived:.3f} %"])
        if bad > SELDOM:
            text = f"{setting}: {100 * bad:.2f} % of blocks lost or lied in, {100 * derived:.2f} % derived"
            claims.claim(text, abs(bad - derived) <= TOLERANCE * derived)
    heads = ["attack", "regret of one", "R^2", "blocks lost", "a lie entered", "either", "derived"]
    claims.table("Liars as half of the validators", heads, rows, "growth-lost.csv")
    claims.picture("growth-lost.png", plot_regret(pictured, log_x=True, per_agent=True, log_y=True))


def shares(out: Path, jobs: int, progress: bool) -> bool:
    """Regret of an honest participant with 0 to 30 % liars, beside the theorem's bound with the C1 used and its own."""
    claims, rows, curves = Claims("bc_ucb/shares", out), [], {}
    own = fm.BCUCB(c1="theory")
    nobody = {name: s.play(a, 0, fm.Attack(), jobs, progress) for name, a in (("2", fm.BCUCB()), ("own", own))}
    games = [(name, fm.BCUCB(), attack) for name, attack in s.REPORT_ATTACKS.items()]
    games.append(("trim window, the theorem's C1", own, fm.TrimWindow()))
    bounds = {c1: [_bound(c1, liars) for liars in s.LIARS] for c1 in (2.0, theorem_c1())}
    for name, algorithm, attack in games:
        first = nobody["own" if algorithm is own else "2"]
        results = [first, *(s.play(algorithm, liars, attack, jobs, progress) for liars in s.LIARS if liars)]
        values = [result.regret_per_agent[:, -1] for result in results]
        rows.append([name, *(s.shown(value, 1) for value in values)])
        pairs = [student_interval(value) for value in values]
        c1 = theorem_c1() if algorithm is own else 2.0
        below = all(float(mean + half) < bound for (mean, half), bound in zip(pairs, bounds[c1], strict=True))
        claims.claim(f"{name}: regret is below the bound with C1 = {c1:g}, for 0 to 3 liars", below)
        if algorithm is not own and name in ("constant 1", "random", "sign flip", "trim window", "congestion"):
            curves[name] = ([float(m) for m, _ in pairs], [float(h) for _, h in pairs])
    rows += [[f"the bound with C1 = {c1:g}", *(f"{bound:,.1f}" for bound in values)] for c1, values in bounds.items()]
    setting = f"{s.M} participants, T = {s.HORIZON:,}, {s.REPLICATES} replicates"
    heads = ["", *(f"{100 * liars // s.M} % liars" for liars in s.LIARS)]
    claims.table(f"Regret of one honest participant of {setting}", heads, rows, "shares.csv")
    label = f"percent of {s.M} participants that lie"
    picture = plot_setting(label, [100 * n / s.M for n in s.LIARS], curves, "final regret of one\nhonest participant")
    claims.picture("shares.png", picture)
    _third(claims, jobs, progress)
    return claims.all_hold


def _third(claims: Claims, jobs: int, progress: bool) -> None:
    """33 % liars, which f = (M - 1) // 3 allows from 100 participants on."""
    rewards, rows, bound = fm.Bernoulli(s.MEANS, n_agents=MANY), [], _bound(2.0, MANY_LIARS, MANY, MANY_ROUNDS)
    for name, attack in {"none": fm.Attack(), **s.REPORT_ATTACKS}.items():
        liars = 0 if name == "none" else MANY_LIARS
        result = s.play(
            fm.BCUCB(), liars, attack, jobs, progress,
            rewards=rewards, checkpoints=[MANY_ROUNDS], replicates=MANY_REPLICATES,
        )  # fmt: skip
        mean, half = student_interval(result.regret_per_agent[:, -1])
        rows.append([name, s.shown(result.regret_per_agent[:, -1], 1), *_blocks(result)])
        claims.claim(f"{name}, {liars} of {MANY}: regret is below the bound", float(mean + half) < bound)
    setting = f"{MANY_LIARS} liars of {MANY}, T = {MANY_ROUNDS:,}, {MANY_REPLICATES} replicates"
    title = f"Regret of one honest participant, {setting}; the bound is {bound:,.1f}"
    claims.table(title, ["attack", "regret", "blocks lost", "a lie entered"], rows, "shares-third.csv")


def theorem_c1() -> float:
    """4 M kappa sigma^2, with the library's kappa."""
    return 4.0 * s.M * fm.BCUCB().kappa * 0.25


def _bound(c1: float, liars: int, participants: int = s.M, horizon: int = s.HORIZON) -> float:
    """Theorem 1, for one of the honest; the burn-in's term is for all together."""
    honest = participants - liars
    return bc_ucb_bound(s.GAPS, honest, horizon, c1, burn_in=5 * s.K) / honest
