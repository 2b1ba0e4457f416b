"""Figure 1 and the slope of Appendix D."""

from collections.abc import Mapping
from pathlib import Path

import networkx as nx
import numpy as np
from scipy.stats import linregress

import folkmoot as fm
from folkmoot.report.plots import plot_regret, plot_setting
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.measures import standard_deviation
from folkmoot.simulation.result import Result, student_interval
from folkmoot.world.networks import Network
from folkmoot.world.rewards import Rewards

from . import settings as s

COMMON_C1 = 2.0  # the radius sqrt(2 ln t / n) of UCB1, for every UCB of a comparison


def fig1a(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1a: GSE against DrFed-UCB, 16 agents with uniformly drawn means, complete graph, p = 0.9."""
    network = fm.ErdosRenyi(nx.complete_graph(s.N_AGENTS), 0.9)
    return _comparison("fig1a", s.heterogeneous(), network, out, jobs, progress)


def fig1b(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1b: GSE against DrFed-UCB, 20 MovieLens users and 5 genres, complete graph, p = 0.9."""
    from folkmoot.world.datasets import load

    rewards = load("movielens")
    return _comparison("fig1b", rewards, fm.ErdosRenyi(nx.complete_graph(rewards.n_agents), 0.9), out, jobs, progress)


def _comparison(name: str, rewards: Rewards, network: Network, out: Path, jobs: int, progress: bool) -> bool:
    claims = Claims(f"gse/{name}", out)
    contenders: Mapping[str, fm.Algorithm] = {
        "GSE": fm.GSE(),
        "DrFed-UCB, C1 = 2": fm.DrFedUCB(c1=COMMON_C1),
        "DrFed-UCB, C1 = 0.5": fm.DrFedUCB(c1=0.5),
        "DrFed-UCB, C1 recalled": fm.DrFedUCB(),
        "Central UCB, C1 = 2 (oracle)": fm.CentralUCB(exploration=COMMON_C1),
        "UCB (alone), C1 = 2": fm.UCB(exploration=COMMON_C1),
    }
    results: dict[str, Result] = {
        label: fm.simulate(
            a, rewards, network, horizon=s.HORIZON, replicates=s.REPLICATES, jobs=jobs, progress=progress
        )
        for label, a in contenders.items()
    }
    rows = []
    for label, result in results.items():
        mean, half = student_interval(result.regret[:, -1])
        middle = int(np.searchsorted(result.checkpoints, s.HORIZON // 2))
        growth = 1.0 - float(result.regret[:, middle].mean()) / float(mean)
        difference, width = student_interval(result.regret[:, -1] - results["GSE"].regret[:, -1])
        rows.append(
            [
                label,
                f"{float(mean):.0f} ± {float(half):.0f}",
                f"{float(standard_deviation(result.regret[:, -1])[1]):.0f}",
                "" if label == "GSE" else f"{float(difference):+.0f} ± {float(width):.0f}",
                f"{100 * growth:.0f} %",
                f"{100 * result.summary()['best_arm_share']:.1f} %",
                f"{result.summary()['bytes'] / 1e6:.0f}",
            ]
        )
    claims.table(
        f"Regret summed over {rewards.n_agents} agents after {s.HORIZON:,} rounds, {s.REPLICATES} replicates",
        ["algorithm", "regret", "deviation", "minus GSE's, paired", "of it in the 2nd half", "best arm", "MB sent"],
        rows,
        f"{name}.csv",
    )
    claims.picture(f"{name}.png", plot_regret(results, band="sd"))  # what the paper shades
    shown = {"GSE": results["GSE"], "other": results["DrFed-UCB, C1 = 2"]}
    difference, width = student_interval(shown["other"].regret[:, -1] - shown["GSE"].regret[:, -1])
    claims.claim(
        "the paper's order, GSE below DrFed-UCB, at the common C1 = 2 (paired, 95 %)", float(difference - width) > 0
    )
    claims.say("The paper prints no number here and its DrFed-UCB constant is lost; with smaller C1 the table decides.")
    return claims.all_hold


def fig1cd(out: Path, jobs: int, progress: bool) -> bool:
    """Figures 1c, 1d: GSE's regret against p on the complete graph, the 4 x 4 grid and Petersen's graph."""
    claims = Claims("gse/fig1cd", out)
    graphs = {
        "complete, N = 16": nx.complete_graph(16),
        "grid 4 x 4, N = 16": s.grid(),
        "Petersen, N = 10": nx.petersen_graph(),
    }
    chances = (0.1, 0.3, 0.5, 0.7, 0.9)
    rows, means, widths = [], {}, {}
    for label, graph in graphs.items():
        n = graph.number_of_nodes()
        found = [
            student_interval(
                fm.simulate(
                    fm.GSE(), s.half_active(n), fm.ErdosRenyi(graph, p),
                    horizon=s.HORIZON, replicates=s.REPLICATES, jobs=jobs, progress=progress,
                ).regret_per_agent[:, -1]
            )
            for p in chances
        ]  # fmt: skip
        means[label] = np.array([float(mean) for mean, _ in found])
        widths[label] = np.array([float(half) for _, half in found])
        rows.append([label, *(f"{float(mean):.1f} ± {float(half):.1f}" for mean, half in found)])
    claims.table(
        f"Regret per agent after {s.HORIZON:,} rounds, half-active losses, {s.REPLICATES} replicates",
        ["base graph", *(f"p = {p:g}" for p in chances)], rows, "fig1cd.csv",
    )  # fmt: skip
    claims.picture(
        "fig1cd.png",
        plot_setting(
            "link probability p", chances, {k: (means[k], widths[k]) for k in means}, regret="final regret per agent"
        ),
    )
    for label, values in means.items():
        saturated = bool(values[0] > 0.9 * values.max() and values[1] > 0.99 * values[0])
        falls = bool((np.diff(values) <= widths[label][:-1] + widths[label][1:]).all())
        claims.claim(
            f"{label}: regret does not rise with p{' (nothing is dropped at small p)' if saturated else ''}",
            falls,
        )
    lowest = all((means["complete, N = 16"] <= means[other]).all() for other in means)
    claims.claim("the complete graph has the lowest regret at every p", lowest)
    return claims.all_hold


def link_slope(out: Path, jobs: int, progress: bool) -> bool:
    """Appendix D: the log-log slope of regret in 1/p, with four readings of the links that really are up."""
    claims = Claims("gse/link_slope", out)
    chances = np.array([0.1, 0.2, 0.3, 0.5, 0.7, 0.9])
    readings = {"p": chances, "1 - p": 1.0 - chances, "1": np.ones(6), "0.1": np.full(6, 0.1)}
    rows = []
    for label, real in readings.items():
        regrets = np.array(
            [
                fm.simulate(
                    fm.GSE(link_probability=float(p)), s.half_active(), fm.ErdosRenyi(nx.complete_graph(16), float(q)),
                    horizon=s.HORIZON, replicates=s.REPLICATES, jobs=jobs, progress=progress,
                ).regret_per_agent[:, -1].mean()
                for p, q in zip(chances, real, strict=True)
            ]
        )  # fmt: skip
        fit = linregress(np.log(1.0 / chances), np.log(regrets))
        rows.append([label, *(f"{x:.1f}" for x in regrets), f"{fit.slope:.3f}", f"{fit.rvalue**2:.4f}"])
        if label == "p":
            claims_hold = 0.78 <= fit.slope <= 0.87 and fit.rvalue**2 >= 0.99
    claims.table(
        "Regret per agent against the p given to the radius (complete graph, N = 16, K = 5)",
        ["links up with", *(f"p = {p:g}" for p in chances), "slope", "R²"], rows, "link_slope.csv",
    )  # fmt: skip
    claims.claim(
        "slope 0.78 to 0.87 and R² at least 0.99 when links are up with p (measured before: 0.82 to 0.83, 0.997)",
        claims_hold,
    )
    claims.say(
        "All four give nearly the same line: it comes from L* = K ln T / p in the radius, not from the network (E-5)."
    )
    return claims.all_hold
