"""What the adversary of Theorem 2's proof really spends."""

from pathlib import Path

import numpy as np

import folkmoot as fm
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval
from folkmoot.simulation.simulate import make_job

from . import settings as s
from .runs import play

BUDGET = 2_000.0  # Gamma
TEAMS = (2, 5, 10, 20, 40)


def spending(out: Path, jobs: int, progress: bool) -> bool:
    """Theorem 2: what the lower bound's adversary spends, against the Gamma / 8 that its proof claims."""
    claims = Claims("corruption/spending", out)
    rows, shares = [], []
    for n in TEAMS:
        steps = n * s.HORIZON
        gap = min(1.0 / 8.0, n * BUDGET / (8.0 * steps))
        rewards = fm.VectorBernoulli([[0.5 + gap], [0.5]], fm.Linear([1.0]), n_agents=n)
        job = make_job(
            fm.S1(radius="naive"),
            rewards,
            s.network(n),
            horizon=s.HORIZON,
            seed=s.SEED,
            checkpoints=[s.HORIZON],
            corruption=fm.Thinning(budget=float(steps)),
        )
        outcomes = play(f"N = {n}", [job] * s.INSTANCES, jobs, progress)
        spent = np.array([float(o.spent.sum()) for o in outcomes]) / BUDGET
        mean, half = student_interval(spent)
        inside = float((spent <= 1.0).mean())
        rows.append(
            [n, f"{gap:g}", "0.125", f"{n / 8:g}", f"{float(mean):.3f} ± {float(half):.3f}", f"{100 * inside:.0f} %"]
        )
        shares.append(float(mean))
    claims.table(
        f"Spent / Gamma over {s.INSTANCES} runs, Gamma = {BUDGET:g}, two arms, gap N Gamma / (8 H), H = N T",
        ["N", "gap", "claimed at most", "gap * H / Gamma", "measured", "runs within Gamma (claimed 87.5 %)"],
        rows,
        "spending.csv",
    )
    growth = [share / n for share, n in zip(shares, TEAMS, strict=True)]
    claims.claim(
        f"the spending grows like N: spent / (N Gamma) is {min(growth):.3f} to {max(growth):.3f}, "
        "about 1/16 (half of the pulls go to the better arm)",
        0.04 <= min(growth) <= max(growth) <= 0.09,
    )
    claims.claim("for N = 20 and more the adversary exceeds its budget", min(shares[-2:]) > 1.0)
    return claims.all_hold
