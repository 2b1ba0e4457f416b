"""Figure 3: what verified observations restore when half and more of what agents see is poisoned."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval
from folkmoot.simulation.simulate import make_job
from folkmoot.theory import verification_needed

from . import settings as s
from .runs import play, regrets

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)  # of the verifications that the theorem asks for
RIGHT = 49  # of 50 instances
PENALTY = 5.0  # at least so many times the regret without certificates


def needed(n_agents: int, horizon: int = s.HORIZON) -> int:
    """The theorem's threshold for these instances, c = 8."""
    return int(np.ceil(verification_needed(s.GAP, s.N_ARMS, s.N_OBJECTIVES, n_agents, horizon)))


def _runs(
    algorithm: fm.Algorithm, scalarisation: str, n: int, nu: int, share: float, workers: int, progress: bool
) -> tuple[NDArray[np.float64], int]:
    """Final regrets, and in how many instances all agents committed to the best arm."""
    network = s.network(n)
    jobs = [
        make_job(
            algorithm,
            s.with_gap(s.SCALARISATIONS[scalarisation], n, x),
            network,
            horizon=s.HORIZON,
            seed=s.SEED,
            checkpoints=[s.HORIZON],
            corruption=s.adversary(share * n * s.HORIZON),
            verification=nu,
        )
        for x in range(s.INSTANCES)
    ]
    outcomes = play(f"{scalarisation}, {algorithm.label}, N = {n}, nu = {nu}", jobs, workers, progress)
    right = sum(bool((o.decisions == job.rewards.best_arm).all()) for job, o in zip(jobs, outcomes, strict=True))
    return regrets(jobs, outcomes), right


def fig3(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 3: regret of S3 with and without certificates against the verified pulls, at budgets NT/4 and NT."""
    claims = Claims("corruption/fig3", out)
    for scalarisation in s.SCALARISATIONS:
        for n in s.TEAMS:
            _one(claims, scalarisation, n, jobs, progress)
    return claims.all_hold


def _one(claims: Claims, scalarisation: str, n: int, jobs: int, progress: bool) -> None:
    threshold = needed(n)
    contenders: dict[str, tuple[fm.Algorithm, float]] = {
        "S3, budget NT/4": (fm.S3(), 0.25),
        "S3Cert, budget NT/4": (fm.S3Cert(), 0.25),
        "S3Cert, budget NT": (fm.S3Cert(), 1.0),
        "S3Cert by elimination, budget NT/4": (fm.S3Cert(verify="elimination"), 0.25),
    }
    counts = [int(np.ceil(share * threshold)) for share in SHARES]
    found = {
        name: [_runs(algorithm, scalarisation, n, nu, share, jobs, progress) for nu in counts]
        for name, (algorithm, share) in contenders.items()
    }
    rows, curves = [], {}
    for name, cells in found.items():
        pairs = [student_interval(values) for values, _ in cells]
        rows.append([name, *(f"{float(m):.0f} ± {float(h):.0f}" for m, h in pairs)])
        rows.append(["  committed to the best arm, of 50", *(right if "Cert" in name else "" for _, right in cells)])
        curves[name] = ([float(m) for m, _ in pairs], [float(h) for _, h in pairs])
    title = f"{scalarisation}, N = {n}: final regret; the theorem asks for {threshold:,} verifications at gap {s.GAP:g}"
    header = ["verifications", *(f"{nu:,}" for nu in counts)]
    claims.table(title, header, rows, f"fig3-{scalarisation}-{n}.csv")
    label = f"verified pulls of {n * s.HORIZON:,} (dotted: the threshold)"
    picture = plot_setting(label, counts, curves)
    picture.axes[0].axvline(threshold, color="0.5", linestyle=":", linewidth=1.2, zorder=0)
    claims.picture(f"fig3-{scalarisation}-{n}.png", picture)
    plain, quarter, full = (found[name][-1] for name in list(contenders)[:3])
    where = f"{scalarisation}, N = {n}, at the threshold"
    claims.claim(f"{where}: S3Cert commits to the best arm in {quarter[1]} of 50 (>= {RIGHT})", quarter[1] >= RIGHT)
    mean, half = student_interval(quarter[0] - full[0])
    claims.claim(
        f"{where}: S3Cert's regret at budget NT/4 minus that at NT is {float(mean):.1f} ± {float(half):.1f}",
        abs(float(mean)) <= float(half) + 1e-9,
    )
    times = float(plain[0].mean() / quarter[0].mean())
    claims.claim(f"{where}: plain S3 has {times:.1f} times S3Cert's regret (>= {PENALTY:g})", times >= PENALTY)
