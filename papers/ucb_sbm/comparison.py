"""Figures 1a and 1b: UCB-SBM against the published baselines."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import folkmoot as fm
from folkmoot.algorithms.clustering import adjusted_rand_index
from folkmoot.report.plots import plot_regret
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.replicates import prepared_job
from folkmoot.simulation.result import Result, student_interval
from folkmoot.simulation.simulate import make_job
from folkmoot.theory import drfed_ucb_bound, ucb_sbm_bound
from folkmoot.world.graphs import named_graph
from folkmoot.world.networks import Network

from . import settings as s

BESIDE = "UCB-SBM, "  # rows that begin so are variants, not contenders


def contenders(c1: float | None, labels: list[int]) -> dict[str, fm.Algorithm]:
    """The five algorithms: one common C1, or (None) each under its defaults, and UCB-SBM with published constants too.

    C1(M) is DrFed-UCB's recalled constant for the same number of agents, the formula of the radius being the same;
    C1(C) is what the paper's bound suggests (E-19).
    """
    if c1 is not None:
        return s.five(labels)
    return {
        "UCB-SBM": fm.UCBSBM(clusters=labels),
        "DrFed-UCB": fm.DrFedUCB(),
        "GoSInE": fm.GoSInE(),
        "Gossip_UCB": fm.GossipUCB(),
        "Dist_UCB": fm.DistUCB(),
        "UCB-SBM, C1(M)": fm.UCBSBM(clusters=labels, c1="published_agents"),
        "UCB-SBM, C1(C)": fm.UCBSBM(clusters=labels, c1="published_clusters"),
    }


def time_average(result: Result) -> NDArray[np.float64]:
    """float64 [replicates]: cumulative regret averaged over evenly spaced rounds."""
    return np.asarray(result.regret.mean(axis=1))


def _reduction(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[str, bool]:
    """By how many per cent ours is lower, and whether the paired difference is positive at 95 %."""
    difference, half = student_interval(theirs - ours)
    return f"{100 * float(difference) / float(theirs.mean()):.1f} %", bool(difference - half > 0)


def _part(
    claims: Claims,
    title: str,
    rewards: fm.Clustered,
    network: Network,
    algorithms: dict[str, fm.Algorithm],
    jobs: int,
    progress: bool,
    file: str,
    replicates: int = s.REPLICATES,
) -> Mapping[str, Result]:
    results = {
        name: fm.simulate(
            algorithm, rewards, network, horizon=s.HORIZON, replicates=replicates, seed=s.SEED,
            checkpoints=s.CHECKPOINTS, jobs=jobs, progress=progress,
        )
        for name, algorithm in algorithms.items()
    }  # fmt: skip
    ours, rows, judged = results["UCB-SBM"], [], {}
    for name, result in results.items():
        row = [name]
        for measure in (lambda r: r.regret[:, -1], time_average):
            mean, half = student_interval(measure(result))
            text, judged[name, measure(ours).tobytes()] = _reduction(measure(ours), measure(result))
            row += [f"{float(mean):.0f} ± {float(half):.0f}", "" if name == "UCB-SBM" else text]
        printed = s.PRINTED_REDUCTION.get(name)
        rows.append([*row, f"{printed} %" if printed else ""])
    claims.table(
        title,
        ["algorithm", "final regret", "UCB-SBM lower by", "time average", "UCB-SBM lower by", "paper"],
        rows,
        file,
    )
    five = [name for name in results if not name.startswith(BESIDE)]
    for what, measure in (("final", lambda r: r.regret[:, -1]), ("time-averaged", time_average)):
        lowest = min(five, key=lambda name: float(measure(results[name]).mean()))
        significant = judged["DrFed-UCB", measure(ours).tobytes()]
        claims.claim(f"{what} regret: UCB-SBM is the lowest of the five (found: {lowest})", lowest == "UCB-SBM")
        claims.claim(f"{what} regret: lower than DrFed-UCB's, paired, at 95 %", significant)
    return results


def fig1a(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1a: five algorithms, 20 agents in 4 clusters; each under its defaults, then one common radius."""
    claims = Claims("ucb_sbm/fig1a", out)
    claims.say(
        f"{s.N_AGENTS} agents, {s.N_CLUSTERS} clusters, {s.N_ARMS} arms, within {s.WITHIN:g}, across {s.ACROSS:g}, "
        f"{s.HORIZON:,} rounds, {s.REPLICATES} replicates, burn-in {s.BURN_IN}; regret summed over agents."
    )
    for c1, title, name in (
        (None, "Defaults", "defaults"),
        (s.COMMON_C1, f"One radius, C1 = {s.COMMON_C1:g}", "common"),
    ):
        file = f"fig1a-{name}"
        results = _part(
            claims, title, s.rewards(), s.network(), contenders(c1, s.labels()), jobs, progress, f"{file}.csv"
        )
        claims.picture(f"{file}.png", plot_regret(results))
    gaps, m = s.rewards().gaps, s.N_AGENTS
    rule_2 = m * ucb_sbm_bound(gaps, m, s.N_CLUSTERS, s.HORIZON, s.COMMON_C1, s.BURN_IN)
    rule_1 = m * drfed_ucb_bound(gaps, m, s.HORIZON, s.COMMON_C1, s.BURN_IN)
    claims.say(
        f"For these means (least gap {gaps[gaps > 0].min():.4f}) Theorem 3 promises at most {rule_2:,.0f}, Theorem 1 "
        f"(Rule 1) {rule_1:,.0f}; uniform play has {m * s.HORIZON * gaps.mean():,.0f}. So neither says anything here; "
        "table1 draws them where they do."
    )
    return claims.all_hold


def fig1b(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1b: the Karate Club, told its sides or finding them; its friendships, and a block model; C1 = 2."""
    from folkmoot.world.block_model import karate_block_model
    from folkmoot.world.clusters import karate_labels

    claims, sides = Claims("ucb_sbm/fig1b", out), karate_labels()
    table = np.random.default_rng(s.SEED).uniform(size=(2, s.N_ARMS))
    rewards, labels = fm.Clustered(table, sides), [int(x) for x in sides]
    friends = fm.ErdosRenyi(named_graph("karate", 34), 0.9)
    for title, network, name in (
        ("Friendships, p = 0.9", friends, "friends"),
        ("Fitted block model", karate_block_model(), "fitted"),
    ):
        found = fm.UCBSBM(clusters="detect", n_clusters=2, c1=s.COMMON_C1, burn_in=s.BURN_IN)
        hop = fm.UCBSBM(clusters=labels, c1=s.COMMON_C1, burn_in=s.BURN_IN, relay=network is not friends)
        variant = "UCB-SBM, tables one hop" if network is friends else "UCB-SBM, tables passed on"
        algorithms = {**s.five(labels), "UCB-SBM, sides found": found, variant: hop}
        results = _part(
            claims, title, rewards, network, algorithms, jobs, progress, f"fig1b-{name}.csv", s.SWEEP_REPLICATES
        )
        claims.picture(f"fig1b-{name}.png", plot_regret(results))
        finds = [_agreement(found, rewards, network, replicate, labels) for replicate in range(s.SWEEP_REPLICATES)]
        claims.say(f"sides found: adjusted Rand index {min(finds):.2f} at least, {np.mean(finds):.2f} on average")
        told, sought = (float(results[one].regret[:, -1].mean()) for one in ("UCB-SBM", "UCB-SBM, sides found"))
        claims.claim("who finds the sides has at most 1.5 times the regret of who is told", sought <= 1.5 * told)
    return claims.all_hold


def _agreement(
    algorithm: fm.Algorithm, rewards: fm.Clustered, network: Network, replicate: int, labels: list[int]
) -> float:
    """How far the clusters found in this replicate agree with these labels: adjusted Rand index."""
    job = make_job(algorithm, rewards, network, horizon=s.HORIZON, seed=s.SEED)
    return adjusted_rand_index(labels, prepared_job(job, replicate).algorithm.clusters)  # type: ignore[attr-defined]
