"""Figures 1a and 1b: UCB-SBM against the published baselines."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import folkmoot as fm
from folkmoot.algorithms.drfed_ucb import recalled_c1
from folkmoot.report.plots import plot_regret
from folkmoot.reproductions.claims import Claims
from folkmoot.simulation.result import Result, student_interval
from folkmoot.world.graphs import named_graph
from folkmoot.world.networks import Network

from . import settings as s


def contenders(c1: float | None, labels: list[int]) -> dict[str, fm.Algorithm]:
    """The five algorithms: one common C1, or (None) every baseline with its published constants.

    UCB-SBM then has DrFed-UCB's recalled constant for the same number of agents, C1(M): the radius is the same
    formula in both papers. C1(C), which the paper's bound would suggest, is listed beside it (E-19).
    """
    own = recalled_c1(len(labels), 0.5) if c1 is None else c1
    burn_in = s.BURN_IN
    found: dict[str, fm.Algorithm] = {
        "UCB-SBM": fm.UCBSBM(clusters=labels, c1=own, burn_in=burn_in),
        "DrFed-UCB": fm.DrFedUCB(c1=own, burn_in=burn_in),
        "GoSInE": fm.GoSInE(c1=c1),
        "Gossip_UCB": fm.GossipUCB(c1=c1),
        "Dist_UCB": fm.DistUCB(c1=c1),
    }
    if c1 is None:
        found["UCB-SBM, C1(C)"] = fm.UCBSBM(clusters=labels, burn_in=burn_in)
    return found


def time_average(result: Result) -> NDArray[np.float64]:
    """float64 [replicates]: cumulative regret averaged over evenly spaced rounds."""
    return np.asarray(result.regret.mean(axis=1))


def _reduction(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[str, bool]:
    """By how many per cent ours is lower, and whether the paired difference is positive at 95 %."""
    difference, half = student_interval(theirs - ours)
    return f"{100 * float(difference) / float(theirs.mean()):.1f} %", bool(difference - half > 0)


def _part(
    claims: Claims, title: str, rewards: fm.Clustered, network: Network, c1: float | None, jobs: int, progress: bool
) -> Mapping[str, Result]:
    labels = [int(x) for x in rewards.labels]
    results = {
        name: fm.simulate(
            algorithm, rewards, network, horizon=s.HORIZON, replicates=s.REPLICATES, seed=s.SEED,
            checkpoints=s.CHECKPOINTS, jobs=jobs, progress=progress,
        )
        for name, algorithm in contenders(c1, labels).items()
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
        f"{claims.name.rpartition('/')[2]}-{'published' if c1 is None else 'common'}.csv",
    )
    five = [name for name in results if name != "UCB-SBM, C1(C)"]
    for what, measure in (("final", lambda r: r.regret[:, -1]), ("time-averaged", time_average)):
        lowest = min(five, key=lambda name: float(measure(results[name]).mean()))
        significant = judged["DrFed-UCB", measure(ours).tobytes()]
        claims.claim(f"{what} regret: UCB-SBM is the lowest of the five (found: {lowest})", lowest == "UCB-SBM")
        claims.claim(f"{what} regret: lower than DrFed-UCB's, paired, at 95 %", significant)
    return results


def fig1a(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1a: five algorithms, 20 agents in 4 clusters; published constants, then one common radius."""
    claims = Claims("ucb_sbm/fig1a", out)
    claims.say(
        f"{s.N_AGENTS} agents, {s.N_CLUSTERS} clusters, {s.N_ARMS} arms, within {s.WITHIN:g}, across {s.ACROSS:g}, "
        f"{s.HORIZON:,} rounds, {s.REPLICATES} replicates, burn-in {s.BURN_IN}; regret summed over agents."
    )
    for c1, title in ((None, "Published constants"), (s.COMMON_C1, f"One radius, C1 = {s.COMMON_C1:g}")):
        results = _part(claims, title, s.rewards(), s.network(), c1, jobs, progress)
        claims.picture(f"fig1a-{'published' if c1 is None else 'common'}.png", plot_regret(results))
    return claims.all_hold


def fig1b(out: Path, jobs: int, progress: bool) -> bool:
    """Figure 1b: the Karate Club; its friendships with p = 0.9, and a block model fitted to them; C1 = 2."""
    from folkmoot.world.block_model import karate_block_model
    from folkmoot.world.clusters import karate_labels

    claims = Claims("ucb_sbm/fig1b", out)
    table = np.random.default_rng(s.SEED).uniform(size=(2, s.N_ARMS))
    rewards = fm.Clustered(table, karate_labels())
    friends = fm.ErdosRenyi(named_graph("karate", 34), 0.9)
    for title, network in (("Friendships, p = 0.9", friends), ("Fitted block model", karate_block_model())):
        results = _part(claims, title, rewards, network, s.COMMON_C1, jobs, progress)
        claims.picture(f"fig1b-{'friends' if network is friends else 'fitted'}.png", plot_regret(results))
    return claims.all_hold
