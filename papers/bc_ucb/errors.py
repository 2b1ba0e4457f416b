"""Steps of the paper's proof and rules that fail, each worked out with the rule as it is printed."""

from math import inf, log, pi
from pathlib import Path

import numpy as np

from folkmoot.reproductions.claims import Claims


def _trimmed(reports: list[float], f: int) -> list[int]:
    """Who is left when the f largest and the f smallest reports are dropped: places in the list."""
    order = np.argsort(reports, kind="stable")
    return sorted(int(i) for i in order[f : len(reports) - f])


def e12(out: Path, jobs: int, progress: bool) -> bool:
    """E-12: with C1 = 2 |H| kappa sigma^2 the terms of the last sum are 1/t, so it grows like ln T."""
    claims = Claims("bc_ucb/e12", out)
    rows = []
    for horizon in (10**2, 10**4, 10**6):
        t = np.arange(1, horizon + 1, dtype=np.float64)
        printed, mended = float((1.0 / t).sum()), float((1.0 / t**2).sum())
        rows.append([f"{horizon:,}", f"{log(horizon):.2f}", f"{printed:.2f}", f"{mended:.4f}"])
        claims.claim(f"T = {horizon:,}: the sum is {printed:.2f}, above the pi^2 / 6 of the proof", printed > pi**2 / 6)
    claims.table(
        "Sum over t of exp(-C1 ln t / (2 |H| kappa sigma^2)); the proof says pi^2 / 6 = 1.6449",
        ["T", "ln T", "C1 = 2 |H| kappa sigma^2", "C1 = 4 |H| kappa sigma^2"],
        rows,
    )
    return claims.all_hold


def e13(out: Path, jobs: int, progress: bool) -> bool:
    """E-13: a report inside the trim window is kept, though more than 2 f participants reported."""
    claims = Claims("bc_ucb/e13", out)
    reports, liar, f = [0.1, 0.3, 0.5, 0.7, 0.9], 2, 1
    kept = _trimmed(reports, f)
    claims.say(f"Reports {reports}, the liar's is {reports[liar]}, f = {f}: kept are {[reports[i] for i in kept]}.")
    claims.claim("|A| = 5 > 2 f, and the liar's report is kept: Lemma 2 says it cannot be", liar in kept)
    return claims.all_hold


def e14(out: Path, jobs: int, progress: bool) -> bool:
    """E-14: weights that sum to one do not make a trimmed mean unbiased when they depend on the reports."""
    claims = Claims("bc_ucb/e14", out)
    runs, dice = 10_000, np.random.default_rng(0)
    means = []
    for _ in range(runs):
        reports = [*dice.random(2), -inf]
        means.append(reports[_trimmed(reports, 1)[0]])
    mean = float(np.mean(means))
    # The smaller of two uniform values has mean 1/3 and variance 1/18: five standard errors.
    claims.say(f"Two honest reports, uniform on [0, 1] (mean 1/2), and one of minus infinity; f = 1: {mean:.3f}")
    claims.claim("the trimmed mean is on average 1/3, not 1/2", abs(mean - 1 / 3) < 5 * (1 / 18 / runs) ** 0.5)
    return claims.all_hold


def e15(out: Path, jobs: int, progress: bool) -> bool:
    """E-15: the union bound on lost blocks, read in the wrong direction, and T l^-T <= l^(1 - T) for l < T."""
    claims = Claims("bc_ucb/e15", out)
    rows = []
    for forgery, horizon in ((2.0, 10), (2.0, 20), (5.0, 10), (20.0, 20)):
        union, printed = horizon * forgery**-horizon, forgery ** (1.0 - horizon)
        rows.append([f"{forgery:g}", horizon, f"{union:.3g}", f"{printed:.3g}", "yes" if printed >= union else "no"])
        claims.claim(
            f"l = {forgery:g}, T = {horizon}: the last step holds only from l = T on",
            (printed >= union) == (forgery >= horizon),
        )
    claims.table(
        "P(a block is forged in T rounds) is at most T l^-T; the theorem has l^(1 - T)",
        ["l", "T", "T l^-T", "l^(1 - T)", "step holds"],
        rows,
    )
    return claims.all_hold


def e25(out: Path, jobs: int, progress: bool) -> bool:
    """E-25: Algorithm 1 unites the validators' sets, so one liar among them puts anybody back in."""
    claims = Claims("bc_ucb/e25", out)
    reports, f, validators = [0.1, 0.3, 0.5, 0.7, 9.0], 1, 4
    honest = set(_trimmed(reports, f))
    sets = [honest] * (validators - 1) + [set(range(len(reports)))]
    union = set().union(*sets)
    majority = {i for i in range(len(reports)) if sum(i in named for named in sets) * 2 > validators}
    claims.table(
        f"Reports {reports}, f = {f}; three honest validators and one that names everybody",
        ["combination", "who is in", "estimate"],
        [
            [name, sorted(chosen), f"{np.mean([reports[i] for i in chosen]):.2f}"]
            for name, chosen in (("union (Algorithm 1, line 50)", union), ("majority", majority))
        ],
    )
    claims.claim("united, the report that all honest validators trimmed is in", 4 in union - honest)
    claims.claim("by majority it is not", majority == honest)
    return claims.all_hold


def e26(out: Path, jobs: int, progress: bool) -> bool:
    """E-26: the product of exponentials of rewards that is a participant's trust leaves floating point."""
    claims = Claims("bc_ucb/e26", out)
    weight, rounds, reward = 1.0, 0, 0.5
    while weight < inf:
        with np.errstate(over="ignore"):
            weight = float(np.multiply(weight, np.exp(reward)))
        rounds += 1
    claims.say(f"w = w exp(r) with rewards of {reward}: no number of 64 bits after {rounds:,} rounds.")
    claims.claim("that is within 1,500 rounds", rounds < 1_500)
    return claims.all_hold
