"""Learning among liars with a chain, without one, and alone: in the world of Zhu and others (2023)."""

from pathlib import Path
from typing import NamedTuple

import networkx as nx
import numpy as np

import folkmoot as fm
from folkmoot.report.plots import plot_regret
from folkmoot.reproductions.claims import Claims

from . import settings as s

N, LIAR, HORIZON, REPLICATES = 10, 9, 10_000, 20
REWARDS = fm.Bernoulli([0.5, 0.45, 0.4, 0.3], n_agents=N)
CHECKPOINTS = np.unique(np.geomspace(100, HORIZON, 31).round().astype(np.int64))
LEAST_HARM = 2.0  # of one liar, where there is no defence, against nobody lying
AS_GOOD = 1.25  # at most so much more regret than alone, under the worst lie


class Lies(NamedTuple):
    """The same lie of an agent and of a participant; both claim the most pulls."""

    law: fm.Lie
    attack: fm.Attack


LIES = {
    "promote the worst arm": Lies(fm.PromotingLie(arm=3), fm.PromoteArm(arm=3, inflated=True)),
    "promote the 2nd arm": Lies(fm.PromotingLie(arm=1), fm.PromoteArm(arm=1, inflated=True)),
    "sign flip": Lies(fm.FlippedLie(), fm.FalseCounts()),
    "random": Lies(fm.RandomLie(), fm.RandomReport(inflated=True)),
}
WITHOUT_A_CHAIN = {
    "Byzantine UCB": fm.ByzantineUCB(faulty=1),
    "Cooperative UCB, no defence": fm.CooperativeUCB(),
    "UCB, alone": fm.UCB(),
}
CHAIN = "BC-UCB, on a chain"


def liars(out: Path, jobs: int, progress: bool) -> bool:
    """One liar of ten: BC-UCB on a chain, Byzantine UCB and Cooperative UCB without one, and UCB alone."""
    claims, worst, rows = Claims("bc_ucb/liars", out), {}, []
    for name in (CHAIN, *WITHOUT_A_CHAIN):
        found = {lie: _play(name, both, jobs, progress) for lie, both in LIES.items()}
        rows.append([name, *(s.shown(result.regret_per_agent[:, -1]) for result in found.values())])
        worst[name] = max(found.values(), key=lambda result: float(result.regret_per_agent[:, -1].mean()))
    setting = f"{N} agents, one lies, f = 1, T = {HORIZON:,}, {REPLICATES} replicates"
    claims.table(f"Regret of an honest agent: {setting}", ["", *LIES], rows, "liars.csv")
    claims.picture("liars.png", plot_regret(worst, per_agent=True))
    fair = fm.simulate(
        fm.CooperativeUCB(), REWARDS, fm.Static(nx.complete_graph(N)), horizon=HORIZON, replicates=REPLICATES,
        seed=s.SEED, jobs=jobs, progress=progress,
    )  # fmt: skip
    final = {name: float(result.regret_per_agent[:, -1].mean()) for name, result in worst.items()}
    honest, alone = float(fair.regret_per_agent[:, -1].mean()), final["UCB, alone"]
    harm = final["Cooperative UCB, no defence"] / honest
    claims.say(f"Cooperative UCB where nobody lies: {s.shown(fair.regret_per_agent[:, -1])}")
    claims.claim(f"without a defence one liar costs {harm:.1f} times (>= {LEAST_HARM:g})", harm >= LEAST_HARM)
    for name in (CHAIN, "Byzantine UCB"):
        ratio = final[name] / alone
        claims.claim(f"{name}, worst lie: {ratio:.2f} times the regret of UCB alone (<= {AS_GOOD:g})", ratio <= AS_GOOD)
    return claims.all_hold


def _play(name: str, lie: Lies, jobs: int, progress: bool) -> fm.Result:
    """The game of one of them under one lie."""
    common = {"horizon": HORIZON, "replicates": REPLICATES, "seed": s.SEED, "checkpoints": CHECKPOINTS}
    if name == CHAIN:
        return fm.simulate_chain(
            fm.BCUCB(faulty=1), REWARDS, malicious=[LIAR], attack=lie.attack, expected_validators=2 * N,
            **common, jobs=jobs, progress=progress,
        )  # fmt: skip
    told = fm.Liars([LIAR], lie.law, counts="most")
    network = fm.Static(nx.complete_graph(N))
    return fm.simulate(WITHOUT_A_CHAIN[name], REWARDS, network, liars=told, **common, jobs=jobs, progress=progress)
