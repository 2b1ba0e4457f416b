"""The worst that a search over all combinations of an attack's fields found: blocks lost, estimates moved, money."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import folkmoot as fm
from folkmoot.bc_ucb.contract import ONE
from folkmoot.bc_ucb.settled import settled_rounds
from folkmoot.report.plots import plot_setting
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval

from . import settings as s
from .derived import chance_of_no_majority, split_shift
from .influence import lowered

ROUNDS = np.array([10_000, 20_000])  # the second half is looked at: trust has settled
RATIOS = (1.0, 1.5, 2.0, 3.0, 4.0)  # of two trust weights, at most
WORST = {
    "congestion": fm.Congest(pull=4),
    "window, worst pull": fm.Attack(report="trim_window", pull=4),
    "window, mute": fm.Attack(report="trim_window", validator="mute"),
    "window, bare majorities": fm.Attack(report="trim_window", deliver="majority"),
    "truth, mute": fm.Mute(),
}
SURE = 4.0  # standard errors between measured and derived
PULLS, MANY = 200, 1_000
MONEY_ROUNDS = 60


def worst(out: Path, jobs: int, progress: bool) -> bool:
    """Blocks lost beside what can be lost at most; estimates moved by split views; what false claims are paid."""
    claims = Claims("bc_ucb/worst", out)
    _lost(claims, jobs, progress)
    _moved(claims, jobs, progress)
    _paid(claims, progress)
    return claims.all_hold


def most_lost(liars: int, expected: int, ratio: float) -> float:
    """The share of blocks that is lost at most, on average: liars have all the trust they can, the honest the least."""
    trust = np.array([1.0] * (s.M - liars) + [ratio] * liars)
    return chance_of_no_majority((trust / trust.sum())[None], liars, expected)


def _share(result: fm.ChainResult) -> np.ndarray:
    """Float64 [replicates]: of the rounds of the second half, those without a block."""
    rounds = float(ROUNDS[1] - ROUNDS[0])
    return np.asarray(1.0 - (result.approved_so_far[:, 1] - result.approved_so_far[:, 0]) / rounds)


def _lost(claims: Claims, jobs: int, progress: bool) -> None:
    rows, rounds = [], int(ROUNDS[1] - ROUNDS[0]) * s.REPLICATES
    curves: dict[str, tuple[list[float], list[float]]] = {}
    bounds: dict[str, list[float]] = {}
    for liars in (2, 3):
        for expected in (s.M, 2 * s.M):
            most = most_lost(liars, expected, 2.0)
            slack = SURE * np.sqrt(most * (1.0 - most) / rounds)
            for name, attack in WORST.items():
                result = s.play(fm.BCUCB(), liars, attack, jobs, progress, checkpoints=ROUNDS, expected=expected)
                lost, trust = _share(result), float(result.trust[:, -liars:].sum(axis=1).mean())
                rows.append(
                    [f"{name}, {liars} liars, M_V = {expected}", s.shown(100 * lost, 2), f"{100 * most:.2f}",
                     f"{100 * trust:.1f} %", s.shown(result.regret_per_agent[:, -1])]
                )  # fmt: skip
                bound = f"at most {100 * most:.2f} on average"
                text = f"{name} by {liars}, M_V = {expected}: {100 * lost.mean():.2f} % lost, {bound}"
                claims.claim(text, float(lost.mean()) <= most + slack)
            for ratio in RATIOS:
                game = fm.BCUCB(trust_ratio=ratio)
                attack = WORST["window, mute"]
                result = s.play(game, liars, attack, jobs, progress, checkpoints=ROUNDS, expected=expected)
                mean, half = student_interval(100 * _share(result))
                name = f"{liars} liars, M_V = {expected}"
                measured = curves.setdefault(name, ([], []))
                measured[0].append(float(mean))
                measured[1].append(float(half))
                bounds.setdefault(name, []).append(100 * most_lost(liars, expected, ratio))
    heads = ["attack", "% lost", "most on average", "liars' trust", "regret of one, T = 20,000"]
    title = f"Rounds {ROUNDS[0]:,} to {ROUNDS[1]:,} without a block, 10 participants, {s.REPLICATES} replicates"
    claims.table(title, heads, rows, "worst-lost.csv")
    label = "largest ratio of two trust weights"
    drawing = plot_setting(label, RATIOS, curves, "% of blocks lost,\nwindow and mute", bounds)
    claims.picture("worst-lost.png", drawing)


def _moved(claims: Claims, jobs: int, progress: bool) -> None:
    attacks = {
        "extreme": fm.PromoteArm(arm=1),
        "extreme, split views": fm.Attack(report="promote", arm=1, deliver="halves", validator="everybody"),
        "one inside the window, split views": fm.SplitViews(arm=0),
    }
    rows, off = [], 0.0
    for name, attack in attacks.items():
        for liars in (2, 3):
            cells = [lowered(PULLS, liars, attack, jobs, progress, MANY, expected) for expected in (s.M, 2 * s.M)]
            derived = split_shift(s.M, liars, 3) if attack.report == "split_window" else None
            shown = "" if derived is None else f"{derived:.3f}"
            rows.append([f"{name}, {liars} lying", *(s.shown(cell, 3) for cell in cells), shown])
            if derived is not None:
                off = max(off, float(cells[1].mean()) - derived)
    title = f"Standard errors by which the better arm is lowered and the other raised, {PULLS} pulls, {MANY:,} runs"
    claims.table(title, ["", "M_V = 10", "M_V = 20", "all drawn, derived"], rows, "worst-moved.csv")
    claims.claim(f"split views move an estimate by at most {off:+.3f} more than derived (<= 0.05)", off <= 0.05)


def _paid(claims: Claims, progress: bool) -> None:
    """Row by row: who pulls the worst arm and claims 1, with and without an environment that signs rewards."""
    rows = []
    for signed in (False, True):
        with TemporaryDirectory() as folder:
            file = Path(folder) / "game.ledger"
            fm.simulate_chain(
                fm.BCUCB(gives_way=False), fm.Bernoulli(s.MEANS, n_agents=4), horizon=5 * s.K + MONEY_ROUNDS,
                malicious=[3],
                attack=fm.FalseClaim(pull=4), expected_validators=8, fidelity="protocol", environment=signed,
                ledger=file, seed=s.SEED, progress=progress,
            )  # fmt: skip
            _, rounds = settled_rounds(fm.ledger.open(file))
            paid = np.sum([one.paid for one in rounds], axis=0) / ONE
        who = "an environment signs rewards" if signed else "rewards are claims"
        rows.append([who, f"{paid[3]:.0f}", f"{paid[:3].min():.0f} to {paid[:3].max():.0f}"])
        if signed:
            claims.claim("with an environment the liar is paid less than any other", bool(paid[3] < paid[:3].min()))
        else:
            claims.claim("without one it is paid more than any other", bool(paid[3] > paid[:3].max()))
    title = f"Paid in {MONEY_ROUNDS} rounds: the liar always pulls the arm with mean 0.3 and claims 1"
    claims.table(title, ["", "the liar", "the three honest"], rows, "worst-paid.csv")
