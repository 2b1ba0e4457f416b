"""Certificates of recommendations (section III-F) beside the one certificate that all commit to (Theorem 3)."""

from pathlib import Path

import numpy as np

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval
from folkmoot.simulation.simulate import make_job

from . import settings as s
from .runs import play, regrets
from .verification import needed

N_AGENTS, INSTANCES = 5, 15
SHARES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)  # of the verifications that the theorem asks for
CONTENDERS: dict[str, fm.Algorithm] = {
    "S3": fm.S3(),
    "commit only": fm.S3Cert(),
    "filter and commit": fm.S3Cert(filtering=True),
    "commit only, by elimination": fm.S3Cert(verify="elimination"),
    "filter and commit, by elimination": fm.S3Cert(verify="elimination", filtering=True),
}


def filtering(out: Path, jobs: int, progress: bool) -> bool:
    """III-F: recommendations filtered by their certificates help below the threshold, where nobody can commit."""
    claims, name = Claims("corruption/filtering", out), "chebyshev"
    steps, threshold = N_AGENTS * s.HORIZON, needed(N_AGENTS)
    counts = [int(np.ceil(share * threshold)) for share in SHARES]
    worlds = [s.with_gap(s.SCALARISATIONS[name], N_AGENTS, x) for x in range(INSTANCES)]
    found, committed = {}, {}
    for label, algorithm in CONTENDERS.items():
        cells, right = [], []
        for nu in counts:
            games = [
                make_job(
                    algorithm, world, s.network(N_AGENTS), horizon=s.HORIZON, seed=s.SEED, checkpoints=[s.HORIZON],
                    corruption=s.adversary(steps / 4), verification=nu,
                )
                for world in worlds
            ]  # fmt: skip
            outcomes = play(f"{label}, nu = {nu:,}", games, jobs, progress)
            cells.append(regrets(games, outcomes))
            right.append(sum(bool((o.decisions == w.best_arm).all()) for o, w in zip(outcomes, worlds, strict=True)))
        found[label], committed[label] = cells, right
    pairs = {label: [student_interval(x) for x in cells] for label, cells in found.items()}
    rows: list[list[object]] = []
    for label, cells in pairs.items():
        rows.append([label, *(f"{float(m):.0f} ± {float(h):.0f}" for m, h in cells)])
        if label != "S3":
            rows.append([f"  committed to the best arm, of {INSTANCES}", *committed[label]])
    claims.table(
        f"{name}, N = {N_AGENTS}, Gamma = N T / 4; the theorem asks for {threshold:,} verified pulls of {steps:,}",
        ["verified pulls", *(f"{nu:,}" for nu in counts)], rows, "filtering.csv",
    )  # fmt: skip
    curves = {label: ([float(m) for m, _ in c], [float(h) for _, h in c]) for label, c in pairs.items()}
    picture = plot_setting(f"verified pulls ν of {steps:,}; dotted: the theorem's threshold", counts, curves)
    picture.axes[0].axvline(threshold, color="0.5", linestyle=":", linewidth=1.2, zorder=0)
    claims.picture("filtering.png", picture)
    for by in ("", ", by elimination"):
        plain, filtered = found[f"commit only{by}"], found[f"filter and commit{by}"]
        worst = max(float((f - p).mean()) for f, p in zip(filtered, plain, strict=True))
        share = min(float(f.mean() / p.mean()) for f, p in zip(filtered, plain, strict=True))
        claims.claim(f"filtering{by} is never worse on average, at any nu (worst: {worst:+.0f})", worst <= 0.0)
        claims.claim(
            f"filtering{by} has {share:.2f} times the regret of committing only, at best (<= .8)", share <= 0.8
        )
    last = [
        float(found[f"{what} and commit" if what == "filter" else "commit only"][-1].mean()) for what in ("filter", "")
    ]
    claims.claim("at the threshold both are the same: all commit before an epoch's filter counts", last[0] == last[1])
    return claims.all_hold
