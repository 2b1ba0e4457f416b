"""What Table 1 says of the number of clusters; clusters of unequal sizes; and clusters that are wrong."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import linregress

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.report.theory_lines import add_lines
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import Result, student_interval
from folkmoot.theory import (
    across_threshold,
    chebyshev_threshold,
    drfed_ucb_bound,
    link_threshold,
    single_cluster_bound,
    ucb_sbm_bound,
)

from . import settings as s
from .sweeps import Cell, final, play

ALIKE = [0.3, 0.4, 0.5, 0.6, 0.7]  # of all agents, so that the number of clusters is all that varies


def table1(out: Path, jobs: int, progress: bool) -> bool:
    """Table 1: what each theorem asks of links, and regret against the number of clusters alone: linear in C?"""
    claims, horizon = Claims("ucb_sbm/table1", out), s.HORIZON
    rows = []
    for m, c in ((10, 2), (20, 2), (20, 4), (20, 5), (20, 10), (34, 2), (100, 10)):
        period = max(1, c - 1)
        inside = 1.0 - (1.0 - link_threshold(m // c, horizon)) ** (1.0 / period)
        rows.append(
            [
                f"{m}, {c}", f"{link_threshold(m, horizon):.3f}", f"{across_threshold(m, c, horizon):.3f}",
                f"{chebyshev_threshold(c, horizon):.3g}", f"{inside:.3f}",
                f"{across_threshold(m, c, horizon, period=period):.3f}",
            ]
        )  # fmt: skip
    header = ["M, C", "Theorem 1: all links", "3: across", "5: cluster graph", "10: within", "10: across"]
    claims.table(
        f"Least link probabilities, T = {horizon:,}, eps = 0.01, period C - 1", header, rows, "table1-links.csv"
    )
    claims.claim("Theorem 5's alternative never asks for less than 1", all(float(row[3]) > 1.0 for row in rows))
    claims.claim("Theorem 10 asks for less across than Theorem 3", all(float(r[5]) <= float(r[2]) for r in rows))

    def cell(c: float) -> Cell:
        labels, n = s.labels(n_clusters=int(c)), int(c)
        rewards = fm.Clustered([ALIKE] * n, labels)
        algorithms = {
            "UCB-SBM": fm.UCBSBM(clusters=labels, c1=s.COMMON_C1, burn_in=s.BURN_IN),
            "UCB-SBM, defaults": fm.UCBSBM(clusters=labels),
            "UCB-SBM, C1(C)": fm.UCBSBM(clusters=labels, c1="published_clusters"),
        }
        return rewards, s.network(n_clusters=n), dict(algorithms)

    counts = (1, 2, 4, 5, 10, 20)
    found = play(claims, "number of clusters C, all with the same means", counts, cell, jobs, progress)
    slopes = {name: linregress(np.log(counts), np.log(final(results))).slope for name, results in found.items()}
    claims.say("log-log slopes in C: " + ", ".join(f"{name} {slope:.2f}" for name, slope in slopes.items()))
    claims.claim("with one radius regret rises with C", bool((np.diff(final(found["UCB-SBM"])) > 0).all()))
    claims.claim("with the constant that the bound suggests, C1(C), it falls with C", slopes["UCB-SBM, C1(C)"] < 0)
    _bounds(claims, counts, found["UCB-SBM"])
    return claims.all_hold


def _bounds(claims: Claims, counts: Sequence[int], measured: Sequence[Result]) -> None:
    """What the theorems promise for the same instance, with its constants, drawn over what was measured."""
    m, t, gaps = s.N_AGENTS, s.HORIZON, max(ALIKE) - np.array(ALIKE)
    pairs = [student_interval(one.regret[:, -1]) for one in measured]
    ours = [m * ucb_sbm_bound(gaps, m, c, t, s.COMMON_C1, s.BURN_IN) for c in counts]
    every = len(counts)
    lines = {
        "UCB-SBM, Theorems 3 and 5": ours,
        "DrFed-UCB, Theorem 2; UCB-SBM, Theorem 1 (Rule 1)": [
            m * drfed_ucb_bound(gaps, m, t, s.COMMON_C1, s.BURN_IN)
        ] * every,
        "UCB-SBM, Theorem 1 (one cluster)": [m * single_cluster_bound(gaps, m, t, 1.0)],
        "uniform play": [m * t * float(gaps.mean())] * every,
    }  # fmt: skip
    curve = [float(mean) for mean, _ in pairs]
    picture = plot_setting(
        "number of clusters C, all with the same means",
        counts,
        {"UCB-SBM, C1 = 2": (curve, [float(h) for _, h in pairs])},
    )
    claims.picture(
        "table1-bounds.png",
        add_lines(picture, {name: (counts[: len(values)], values) for name, values in lines.items()}),
    )
    claims.table(
        f"What is promised, summed over agents; eps = 0.01, C1 = {s.COMMON_C1:g}",
        ["", *map(str, counts)],
        [["UCB-SBM, measured", *(f"{x:.0f}" for x in curve)]]
        + [[name, *(f"{x:.0f}" for x in values)] for name, values in lines.items()],
        "table1-bounds.csv",
    )
    claims.claim(
        "measured regret is within Theorem 3's bound at every C", all(a <= b for a, b in zip(curve, ours, strict=True))
    )


def clusters(out: Path, jobs: int, progress: bool) -> bool:
    """Clusters of unequal sizes, weighed by size or as the smallest; and clusters with wrong members."""
    claims = Claims("ucb_sbm/clusters", out)
    means = np.random.default_rng(s.SEED).uniform(size=(s.N_AGENTS, s.N_ARMS))[: s.N_CLUSTERS]
    rows, shares = [], {}
    for sizes in ((5, 5, 5, 5), (8, 6, 4, 2), (14, 2, 2, 2)):
        labels = np.repeat(np.arange(s.N_CLUSTERS), sizes)
        world = fm.Clustered(means, labels), fm.StochasticBlockModel(labels, s.WITHIN, s.ACROSS)
        for name, algorithm in (
            ("by size", fm.UCBSBM(c1=s.COMMON_C1)),
            ("as the smallest", fm.UCBSBM(c1=s.COMMON_C1, weights="smallest")),
            ("DrFed-UCB", fm.DrFedUCB(c1=s.COMMON_C1)),
        ):
            rows.append([f"{sizes}", name, *_told(algorithm, world, jobs, progress)])
            shares["unequal", sizes, name] = float(rows[-1][3])
    labels = np.array(s.labels())
    world = fm.Clustered(means, labels), fm.StochasticBlockModel(labels, s.WITHIN, s.ACROSS)
    for wrong in (0, 1, 2, 4):
        told = labels.copy()
        told[:: s.N_AGENTS // max(wrong, 1)][:wrong] = (told[:: s.N_AGENTS // max(wrong, 1)][:wrong] + 1) % s.N_CLUSTERS
        rows.append(
            [f"{wrong} of 20 wrong", "by size", *_told(fm.UCBSBM(clusters=told, c1=s.COMMON_C1), world, jobs, progress)]
        )
        shares["wrong", wrong] = float(rows[-1][3])
    claims.table(
        f"C1 = {s.COMMON_C1:g}, {s.SWEEP_REPLICATES} replicates",
        ["sizes, or wrong labels", "weights", "final regret", "share of best-arm pulls in the last half"],
        rows,
        "clusters.csv",
    )
    claims.claim(
        "weighed by size, the best arm has most pulls of the last half, whatever the sizes",
        all(share > 0.5 for key, share in shares.items() if key[0] == "unequal" and key[2] == "by size"),
    )
    claims.claim("so it has with one wrong label of 20", shares["wrong", 1] > 0.5)
    return claims.all_hold


def _told(
    algorithm: fm.Algorithm, world: tuple[fm.Clustered, fm.StochasticBlockModel], jobs: int, progress: bool
) -> tuple[str, str]:
    """Final regret with its interval, and the share of best-arm pulls in the last half."""
    result = fm.simulate(
        algorithm, *world, horizon=s.HORIZON, replicates=s.SWEEP_REPLICATES, seed=s.SEED,
        checkpoints=[s.HORIZON // 2, s.HORIZON], jobs=jobs, progress=progress,
    )  # fmt: skip
    mean, half = student_interval(result.regret[:, -1])
    late = (result.team_pulls[:, 1] - result.team_pulls[:, 0]).sum(axis=0)
    return f"{float(mean):.0f} ± {float(half):.0f}", f"{late[np.argmin(result.gaps)] / late.sum():.3f}"
