"""The limit of high corruption, Gamma in proportion to all pulls; and Theorem 3's two regimes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import linregress

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.report.theory_lines import add_lines
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.replicates import Job
from folkmoot.simulation.result import student_interval
from folkmoot.simulation.simulate import make_job
from folkmoot.theory import certified_bound

from . import settings as s
from .runs import play, regrets
from .verification import needed

N_AGENTS, INSTANCES = 5, 10
HORIZONS = (2_000, 4_000, 8_000, 16_000, 32_000)
SHARE = 0.25  # Gamma over N T
BLIND: dict[str, fm.Algorithm] = {
    "S1": fm.S1(),
    "S2": fm.S2(),
    "S3": fm.S3(),
    "S2, naive": fm.S2(radius="naive"),
    "layered elimination": fm.LayeredElimination(),
}
APART = 0.25  # gap of the two mirrored instances: what a pull of the better arm costs to hide
GAMMAS = (1 / 1024, 1 / 256, 1 / 64, 1 / 16, 1 / 4, 1.0)  # over N T


def _job(
    algorithm: fm.Algorithm, rewards: fm.VectorBernoulli, horizon: int, corruption: object, verified: int = 0
) -> Job:
    return make_job(
        algorithm,
        rewards,
        s.network(N_AGENTS),
        horizon=horizon,
        seed=s.SEED,
        checkpoints=[horizon],
        corruption=corruption,  # type: ignore[arg-type]
        verification=verified,
    )


def _mirror(best: int) -> fm.VectorBernoulli:
    means = [[0.5 + APART], [0.5]] if best == 0 else [[0.5], [0.5 + APART]]
    return fm.VectorBernoulli(means, fm.Linear([1.0]), n_agents=N_AGENTS)


def high(out: Path, jobs: int, progress: bool) -> bool:
    """Gamma = N T / 4: without verified pulls regret is linear in T, whoever plays; with certificates it is not."""
    claims = Claims("corruption/high", out)
    _mirrored(claims, jobs, progress)
    _horizons(claims, jobs, progress)
    return claims.all_hold


def _mirrored(claims: Claims, jobs: int, progress: bool) -> None:
    """Two instances that look alike: what is right in one is wrong in the other."""
    horizon, rows = HORIZONS[1], []
    steps = N_AGENTS * horizon
    for name, algorithm in BLIND.items():
        both = []
        for best in (0, 1):
            games = [_job(algorithm, _mirror(best), horizon, fm.Thinning(budget=SHARE * steps))] * INSTANCES
            both.append(regrets(games, play(f"{name}, arm {best} is best", games, jobs, progress)))
        mean, half = student_interval(both[0] + both[1])
        share = float(mean) / (APART * steps)
        rows.append([name, *(f"{float(x.mean()):.0f}" for x in both), f"{float(mean):.0f} ± {float(half):.0f}"])
        claims.claim(
            f"{name}: regret of both together is {share:.3f} of gap N T = {APART * steps:,.0f}",
            abs(float(mean) - APART * steps) <= max(float(half), 0.05 * APART * steps),
        )
    claims.table(
        f"Two arms {APART:g} apart, hidden by thinning, Gamma = N T / 4; regret after {horizon:,} rounds",
        ["", "arm 0 is best", "arm 1 is best", "sum"], rows, "high-mirrored.csv",
    )  # fmt: skip
    claims.say("What agents see has one law in both, so in one of them they lose half of gap N T, whatever they do.")


def _horizons(claims: Claims, jobs: int, progress: bool) -> None:
    linear = s.SCALARISATIONS["linear"]
    contenders = {**BLIND, "S3Cert, ν = 1/2 of the threshold": fm.S3Cert()}
    found: dict[str, list[NDArray[np.float64]]] = {}
    for name, algorithm in contenders.items():
        for horizon in HORIZONS:
            nu = needed(N_AGENTS, horizon) // 2 if "Cert" in name else 0
            steps = N_AGENTS * horizon
            games = [
                _job(algorithm, s.with_gap(linear, N_AGENTS, x), horizon, s.adversary(SHARE * steps), min(nu, steps))
                for x in range(INSTANCES)
            ]
            outcomes = play(f"{name}, T = {horizon:,}", games, jobs, progress)
            found.setdefault(name, []).append(regrets(games, outcomes))
    pairs = {name: [student_interval(x) for x in row] for name, row in found.items()}
    means = {name: [float(m) for m, _ in row] for name, row in pairs.items()}
    slopes = {name: linregress(np.log(HORIZONS[2:]), np.log(row[2:])).slope for name, row in means.items()}
    claims.table(
        f"Regret of {N_AGENTS} agents, gap {s.GAP:g}, linear, Gamma = N T / 4, {INSTANCES} instances",
        ["", *(f"T = {t:,}" for t in HORIZONS), "slope in T from 8,000"],
        [
            [name, *(f"{float(m):.0f} ± {float(h):.0f}" for m, h in row), f"{slopes[name]:.2f}"]
            for name, row in pairs.items()
        ],
        "high.csv",
    )
    curves = {name: (means[name], [float(h) for _, h in row]) for name, row in pairs.items()}
    picture = plot_setting("rounds T; the adversary may alter Γ = N T / 4", HORIZONS, curves)
    picture.axes[0].set_xscale("log")  # so that what grows like T is a straight line
    picture.axes[0].set_xticks(HORIZONS, [f"{t:,}" for t in HORIZONS])
    picture.axes[0].minorticks_off()
    claims.picture("high.png", picture)
    for name in BLIND:
        claims.claim(f"{name}: slope in T {slopes[name]:.2f} (>= 0.9)", slopes[name] >= 0.9)
    cert = slopes["S3Cert, ν = 1/2 of the threshold"]
    claims.claim(f"S3Cert: slope in T {cert:.2f} (<= 0.3): it grows like the verified pulls, like ln T", cert <= 0.3)


def regimes(out: Path, jobs: int, progress: bool) -> bool:
    """Theorem 3's two regimes: with few verified pulls regret grows with Gamma, with enough it does not."""
    claims = Claims("corruption/regimes", out)
    horizon, linear = s.HORIZON, s.SCALARISATIONS["linear"]
    steps, enough = N_AGENTS * horizon, needed(N_AGENTS)
    worlds = [s.with_gap(linear, N_AGENTS, x) for x in range(INSTANCES)]
    budgets = [share * steps for share in GAMMAS]

    def row(algorithm: fm.Algorithm, label: str, verified: int, over: Sequence[float]) -> list[NDArray[np.float64]]:
        games = [[_job(algorithm, w, horizon, s.adversary(b), verified) for w in worlds] for b in over]
        return [
            regrets(g, play(f"{label}, Gamma = {b:g}", g, jobs, progress)) for g, b in zip(games, over, strict=True)
        ]

    clean = float(row(fm.S3(), "S3, nobody lies", 0, [0.0])[0].mean())
    few = enough // 16
    found = {
        f"S3Cert, ν = {few:,}": row(fm.S3Cert(), "few", few, budgets),
        f"S3Cert, ν = {enough:,}": row(fm.S3Cert(), "enough", enough, budgets),
        f"S3, ν = {few:,}": row(fm.S3(), "S3", few, budgets),
    }
    gap = float(np.mean([w.gaps.max() for w in worlds]))
    below = [certified_bound(clean, b, few, enough, gap, steps) for b in budgets]
    # Eq. 19 alone: certified_bound takes the smaller of both, which is (17) while Gamma is small.
    above = certified_bound(clean, float(10 * steps), enough, enough, gap, steps)
    pairs = {name: [student_interval(x) for x in cells] for name, cells in found.items()}
    claims.table(
        f"Regret against Gamma, linear, N = {N_AGENTS}; the theorem asks for {enough:,} verified pulls of {steps:,}",
        ["", *(f"{b:,.0f}" for b in budgets)],
        [
            *([name, *(f"{float(m):.0f} ± {float(h):.0f}" for m, h in cells)] for name, cells in pairs.items()),
            ["Theorem 3 (1), eq. 17, constants 1", *(f"{x:.0f}" for x in below)],
            ["Theorem 3 (2), eq. 19, constants 1", *(f"{above:.0f}" for _ in budgets)],
        ],
        "regimes.csv",
    )
    curves = {name: ([float(m) for m, _ in c], [float(h) for _, h in c]) for name, c in pairs.items()}
    picture = plot_setting(f"budget Γ of the adversary (all pulls: {steps:,})", budgets, curves)
    lines = {
        "Theorem 3 (1), eq. 17, too few verified pulls; constants 1": (budgets, below),
        f"Theorem 3 (2), eq. 19, ν = {enough:,}; constants 1": (budgets, [above] * len(budgets)),
    }
    claims.picture("regimes.png", add_lines(picture, lines))
    low, high_, plain = found.values()
    claims.claim(
        "with too few verified pulls S3Cert is S3 with as many, to the last pull, at every Gamma",
        all(bool((a == b).all()) for a, b in zip(low, plain, strict=True)),
    )
    claims.claim(
        f"and pays for Gamma: {float(low[-1].mean() / low[0].mean()):.1f} times as much at N T as at N T / 1,024",
        float(low[-1].mean()) > 2 * float(low[0].mean()),
    )
    claims.claim(
        "with enough of them regret is the same number at every Gamma, in every instance",
        all(bool((x == high_[0]).all()) for x in high_),
    )
    claims.claim("it is below eq. 19 with constants 1", float(high_[0].mean()) < above)
    means = [float(x.mean()) for x in low]
    claims.say(
        f"Eq. 17 with constants 1 is exceeded: from Gamma = {budgets[0]:.0f} to {budgets[1]:.0f} each unit costs "
        f"{(means[1] - means[0]) / (budgets[1] - budgets[0]):.0f}, about 2 K (E-11c), not 1."
    )
    return claims.all_hold
