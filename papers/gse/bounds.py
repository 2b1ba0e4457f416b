"""Theorem 5.3, Corollary 5.4 and FloodSE's Theorem 2, drawn over what was measured in figures 1c and 1d."""

from pathlib import Path

import networkx as nx
import numpy as np
from numpy.typing import NDArray

import folkmoot as fm
from folkmoot.report.plots import plot_setting
from folkmoot.report.theory_lines import add_lines
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import student_interval
from folkmoot.theory import flood_rounds, flood_se_bound, gse_bound, gse_bound_on, gse_lower_bound, gse_regret
from folkmoot.world.graphs import as_base_graph

from . import settings as s

CHANCES = (0.1, 0.3, 0.5, 0.7, 0.9)
Pairs = dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64]]]]  # means and half-widths, one a probability


def bounds(out: Path, jobs: int, progress: bool) -> bool:
    """Figures 1c and 1d with theory: Theorem 5.3, Corollary 5.4, the published radius, and FloodSE's Theorem 2."""
    claims = Claims("gse/bounds", out)
    for name, short, graph in (("complete", "complete", nx.complete_graph(16)), ("grid", "grid 4 x 4", s.grid())):
        show(claims, name, short, graph, _play(graph, jobs, progress))
    lower = gse_lower_bound(s.half_active().gaps, s.HORIZON, sigma=0.5)
    claims.say(f"Theorem 5.9, for large T and Gaussian rewards: {lower:.0f} of all agents together.")
    claims.say(
        "Theorem 5.3 and Corollary 5.4 give orders; constants are 1 here. The radius and FloodSE's have constants."
    )
    return claims.all_hold


def _play(graph: "nx.Graph[int]", jobs: int, progress: bool) -> Pairs:
    contenders: dict[str, fm.Algorithm] = {"GSE": fm.GSE(), "FloodSE": fm.FloodSE()}
    return {
        label: [
            student_interval(
                fm.simulate(
                    algorithm, s.half_active(), fm.ErdosRenyi(graph, p), horizon=s.HORIZON, replicates=s.REPLICATES,
                    checkpoints=[s.HORIZON], jobs=jobs, progress=progress,
                ).regret_per_agent[:, -1]
            )
            for p in CHANCES
        ]
        for label, algorithm in contenders.items()
    }  # fmt: skip


def show(claims: Claims, name: str, short: str, graph: "nx.Graph[int]", pairs: Pairs) -> None:
    """Table, picture and claims of one base graph."""
    base, n, t = as_base_graph(graph), s.N_AGENTS, s.HORIZON
    gaps, lam = s.half_active().gaps, base.algebraic_connectivity
    corollary = "complete" if name == "complete" else "grid"
    lines = {
        "GSE, Theorem 5.3 (order)": [gse_bound(gaps, n, p, lam, t).total / n for p in CHANCES],
        f"GSE, Corollary 5.4, {name} (order)": [gse_bound_on(corollary, gaps, n, p, t).total / n for p in CHANCES],
        "GSE, published radius (Lemma 5.2)": [gse_regret(gaps, n, p, lam, t) / n for p in CHANCES],
        "FloodSE, Theorem 2 (ours)": [
            flood_se_bound(gaps, n, t, flood_rounds(n, base.diameter, p, t, 1.0 / t)) / n for p in CHANCES
        ],
        "uniform play": [t * float(gaps.mean())] * len(CHANCES),
    }
    if np.allclose(lines["GSE, Theorem 5.3 (order)"], lines[f"GSE, Corollary 5.4, {name} (order)"]):
        del lines["GSE, Theorem 5.3 (order)"]
        lines = {
            "GSE, Theorem 5.3 and Corollary 5.4 (order)": lines.pop(f"GSE, Corollary 5.4, {name} (order)"),
            **lines,
        }
    claims.table(
        f"{short}: regret an agent after {t:,} rounds, {s.REPLICATES} runs; orders with constants 1",
        ["", *(f"p = {p:g}" for p in CHANCES)],
        [
            *([label, *(f"{float(m):.0f} ± {float(h):.0f}" for m, h in row)] for label, row in pairs.items()),
            *([label, *(f"{x:.0f}" for x in values)] for label, values in lines.items()),
        ],
        f"bounds-{name}.csv",
    )
    curves = {label: ([float(m) for m, _ in row], [float(h) for _, h in row]) for label, row in pairs.items()}
    picture = plot_setting(f"link probability p, {short}, 16 agents", CHANCES, curves, regret="final regret an agent")
    claims.picture(
        f"bounds-{name}.png", add_lines(picture, {label: (CHANCES, values) for label, values in lines.items()})
    )
    gse, flood = (np.array(curves[label][0]) for label in pairs)
    radius, ours = np.array(lines["GSE, published radius (Lemma 5.2)"]), np.array(lines["FloodSE, Theorem 2 (ours)"])
    claims.claim(f"{short}: GSE's regret is within what its radius allows, at every p", bool((gse <= radius).all()))
    claims.claim(f"{short}: FloodSE's is within its bound, at every p", bool((flood <= ours).all()))
