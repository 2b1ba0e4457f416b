"""The world of the BC-UCB reproduction: the paper proves a theorem and shows no experiment, so all of it is ours.

Ten participants, of whom f = 3 may lie ((M - 1) // 3, the most they stand), five arms, Bernoulli rewards with means
from 0.9 down to 0.3, C1 = 2, burn-in of 5 rounds an arm, 95 % Student intervals over 10 replicates.
"""

import numpy as np

import folkmoot as fm

M, K, HORIZON, REPLICATES, SEED = 10, 5, 100_000, 10, 2025
MEANS = np.linspace(0.9, 0.3, K)
CHECKPOINTS = np.unique(np.geomspace(1_000, HORIZON, 41).round().astype(np.int64))
REWARDS = fm.Bernoulli(MEANS, n_agents=M)
LIARS = {0: (), 1: (9,), 2: (8, 9), 3: (7, 8, 9)}
REPORT_ATTACKS: dict[str, fm.Attack] = {
    "constant 1": fm.ConstantReport(),
    "random": fm.RandomReport(),
    "sign flip": fm.SignFlip(),
    "promote the 2nd arm": fm.PromoteArm(arm=1),
    "trim window": fm.TrimWindow(),
    "drift": fm.Drift(),
    "false counts": fm.FalseCounts(),
    "congestion": fm.Congest(pull=4),
}
VALIDATOR_ATTACKS: dict[str, fm.Attack] = {
    "equivocation": fm.Equivocate(),
    "withholding": fm.Withhold(),
    "allies only": fm.AlliesOnly(),
    "forgery": fm.Forge(),
    "replay": fm.ReplayOld(),
}


def play(algorithm: fm.BCUCB, liars: int, attack: fm.Attack, jobs: int, progress: bool, **more) -> fm.ChainResult:
    """The game of all figures."""
    settings = {"horizon": HORIZON, "checkpoints": CHECKPOINTS, "replicates": REPLICATES, **more}
    return fm.simulate_chain(
        algorithm, REWARDS, malicious=LIARS[liars], attack=attack, seed=SEED, jobs=jobs, progress=progress, **settings
    )
