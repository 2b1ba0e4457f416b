"""DrFed-UCB's recalled constant as a radius: how often an average of agents' means leaves it."""

from math import log, sqrt
from pathlib import Path

import numpy as np

from folkmoot.reproductions.claims import Claims

FIRST, LAST, RUNS, N_ARMS = 25, 2_000, 100, 5  # pulls after the burn-in and at the end; all arms pulled alike


def constant(out: Path, jobs: int, progress: bool) -> bool:
    """The recalled C1 is no variance proxy from 14 agents on, yet as a radius it is wide enough up to 49."""
    claims = Claims("gse/constant", out)
    sigma, dice = 0.5, np.random.default_rng(0)
    pulls = np.arange(1, LAST + 1)
    rows, worst = [], {}
    for n in (5, 16, 34, 49, 100, 400):
        c1 = 96.0 * sigma**2 * (n + 2) / n**3
        left, most = 0, 0.0
        for _ in range(RUNS):
            # A sum of n Bernoulli(1/2) rewards a pull: what n agents bring together.
            mean = np.cumsum(dice.binomial(n, 0.5, LAST)) / (n * pulls)
            share = np.abs(mean - 0.5)[FIRST - 1 :] / np.sqrt(c1 * np.log(N_ARMS * pulls) / pulls)[FIRST - 1 :]
            left, most = left + int((share > 1.0).sum()), max(most, float(share.max()))
        deviations = sqrt(c1 * n * log(10_000)) / sigma
        worst[n] = left
        rows.append([n, f"{c1 / (8 * sigma**2):.4f}", f"{1 / n:.4f}", f"{deviations:.2f}", f"{left:,}", f"{most:.2f}"])
    checks = RUNS * (LAST - FIRST + 1)
    claims.table(
        f"Radius sqrt(C1 ln t / n), exact averages, counts alike; {checks:,} looks at an average for each size",
        [
            "agents",
            "proxy C1 / (8 sigma^2)",
            "least variance 1 / M",
            "deviations at t = 10^4",
            "outside",
            "most, in radii",
        ],
        rows,
    )
    claims.claim(
        "from 14 agents on C1 / 8 is below the variance of the average", all(12 * (n + 2) / n**2 < 1 for n in (14, 16))
    )
    claims.claim("16 agents: C1 / sigma^2 = 0.42 a radius that is never left", worst[16] == 0)
    claims.claim("up to 49 agents it is never left", max(worst[n] for n in (5, 16, 34, 49)) == 0)
    claims.claim("with 400 agents it is", worst[400] > 0)
    claims.say(
        "This is about the constant alone: estimates of agents that seldom meet are further off than an average."
    )
    return claims.all_hold
