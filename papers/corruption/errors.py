"""Formulas of the paper that fail as they are printed, each worked out or played."""

from math import exp, log
from pathlib import Path

import networkx as nx
import numpy as np

import folkmoot as fm
from folkmoot.reproductions.claims import Claims


def e9(out: Path, jobs: int, progress: bool) -> bool:
    """E-9: S sums unverified rewards only, H counts all pulls: the printed mean is low by the verified share."""
    claims = Claims("corruption/e9", out)
    pulls, mean, dice = 10_000, 0.6, np.random.default_rng(0)
    rows, worst = [], 0.0
    for share in (0.0, 0.5, 1.0):
        reward, verified = dice.random(pulls) < mean, dice.random(pulls) < share
        unverified_sum, verified_sum = float(reward[~verified].sum()), float(reward[verified].sum())
        printed, mended = unverified_sum / pulls, (unverified_sum + verified_sum) / pulls
        rows.append([f"{share:.0%}", f"{printed:.3f}", f"{mended:.3f}"])
        worst = max(worst, abs(mended - mean))
    claims.table(f"An arm of mean {mean}, nobody lies", ["verified", "S / H (printed)", "(S + S_ver) / H"], rows)
    claims.claim("with everything verified the printed mean is 0", float(rows[-1][1]) == 0.0)
    # Five standard errors of a mean of 10,000 rewards.
    claims.claim("the sum of both is right", worst < 5 * (mean * (1 - mean) / pulls) ** 0.5)
    return claims.all_hold


def e10(out: Path, jobs: int, progress: bool) -> bool:
    """E-10: until it commits, the team plays recommendations made from corrupted data, not from clean ones."""
    claims = Claims("corruption/e10", out)
    n_agents, horizon = 5, 4_000
    rewards = fm.VectorBernoulli([[0.9], [0.5], [0.5], [0.5]], fm.Linear([1.0]), n_agents=n_agents)
    network = fm.Static(nx.complete_graph(n_agents))
    regret = []
    for budget in (0.0, n_agents * horizon / 4):
        result = fm.simulate(
            fm.S3(radius="naive"), rewards, network, horizon=horizon, replicates=5, jobs=jobs, progress=progress,
            checkpoints=[horizon], corruption=fm.Suppress(budget=budget),
        )  # fmt: skip
        regret.append(float(result.regret[:, -1].mean()))
    claims.table(
        "Recommendations alone, before anybody has a certificate: regret of the team",
        ["budget 0 (what (19) counts)", "budget N T / 4"],
        [[f"{one:.0f}" for one in regret]],
    )
    claims.claim(
        "the part before the commitment is not that of the clean case: 10 times as much", regret[1] > 10 * regret[0]
    )
    claims.say("Verified pulls that come first repair it: then that part is no more than nu pulls (corruption/fig3).")
    return claims.all_hold


def e11(out: Path, jobs: int, progress: bool) -> bool:
    """E-11: a harmonic sum above its bound; own samples cost sqrt(N) more; a knowable budget K times more."""
    claims = Claims("corruption/e11", out)
    harmonic = {m: float((1.0 / np.arange(1, m + 1)).sum()) for m in (1, 10, 1000)}
    claims.table(
        "(a) eq. 42: the sum of 1/r up to m is at most ln(1 + m)",
        ["m", "sum", "ln(1 + m)", "1 + ln m"],
        [[m, f"{total:.3f}", f"{log(1 + m):.3f}", f"{1 + log(m):.3f}"] for m, total in harmonic.items()],
    )
    claims.claim(
        "(a) it is not, for any m; it is at most 1 + ln m",
        all(log(1 + m) < h <= 1 + log(m) for m, h in harmonic.items()),
    )
    arms, rounds = 20, 10_000
    rows = []
    for n in (5, 10, 20):
        each = float((1.0 / np.sqrt(np.arange(1, rounds // arms + 1))).sum())
        pooled = float((1.0 / np.sqrt(np.arange(1, n * rounds // arms + 1))).sum())
        rows.append([n, f"{arms * pooled:.0f}", f"{n * arms * each:.0f}", f"{n * each / pooled:.2f}", f"{n**0.5:.2f}"])
        claims.claim(f"(b) N = {n}: own samples cost sqrt(N) times as much", abs(n * each / pooled / n**0.5 - 1) < 0.05)
    claims.table(
        f"(b) Sum of 1/sqrt(samples) over all pulls, {arms} arms played equally, T = {rounds:,}: eq. 41 for S3",
        ["N", "samples shared", "samples of one's own", "ratio", "sqrt(N)"],
        rows,
    )
    claims.say(
        "(c) An agent knows Gamma, not its share of each arm: K radii with Gamma each sum to K Gamma ln, not Gamma ln."
    )
    return claims.all_hold


def e23(out: Path, jobs: int, progress: bool) -> bool:
    """E-23: log-sum-exp as printed leaves [0, 1]: at equal objectives it is ln(d) / beta too high."""
    claims = Claims("corruption/e23", out)
    rows = []
    for d, beta in ((2, 1.0), (5, 5.0), (5, 50.0)):
        top = log(d * exp(beta)) / beta
        rows.append([d, f"{beta:g}", f"{top:.3f}"])
        claims.claim(f"d = {d}, beta = {beta:g}: phi(1, ..., 1) = {top:.3f}, above 1", top > 1.0)
    claims.table("The value of the best possible arm", ["d", "beta", "phi(1, ..., 1)"], rows)
    claims.say("Regret is a difference, so it does not change; a bound that takes phi in [0, 1] does.")
    return claims.all_hold


def e24(out: Path, jobs: int, progress: bool) -> bool:
    """E-24: eq. 49 takes the infimum over adversaries, among whom is the one that does nothing."""
    claims = Claims("corruption/e24", out)
    n_agents, horizon = 10, 2_000
    steps = n_agents * horizon
    rewards = fm.VectorBernoulli([[0.75], [0.5]], fm.Linear([1.0]), n_agents=n_agents)
    network = fm.Static(nx.complete_graph(n_agents))
    rows, idle = [], []
    for budget in (0.0, 0.02 * steps, 0.1 * steps):
        regret = []
        for attack in (fm.Thinning(budget=0.0), fm.Thinning(budget=budget)):
            result = fm.simulate(
                fm.S1(radius="naive"), rewards, network, horizon=horizon, replicates=5, jobs=jobs, progress=progress,
                checkpoints=[horizon], corruption=attack,
            )  # fmt: skip
            regret.append(float(result.regret[:, -1].mean()))
        idle.append(regret[0])
        rows.append([f"{budget:g}", f"{regret[0]:.0f}", f"{regret[1]:.0f}"])
    claims.table("Regret of the team under S1", ["Gamma", "adversary that spends nothing", "thinning"], rows)
    claims.claim("the least over adversaries within Gamma does not grow with Gamma", len(set(idle)) == 1)
    claims.say("The proof is about the largest: for every protocol there are an instance and an adversary.")
    return claims.all_hold
