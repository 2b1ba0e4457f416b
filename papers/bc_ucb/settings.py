"""The world of the BC-UCB reproduction: the paper proves a theorem and shows no experiment, so all of it is ours.

Ten participants, of whom f = 3 may lie ((M - 1) // 3, the most they stand), five arms, Bernoulli rewards with means
from 0.9 down to 0.3, C1 = 2, burn-in of 5 rounds an arm, 95 % Student intervals over 10 replicates. 20 units of trust
are drawn a round (M_V = 2 M, the most that can be asked for), so that 8.5 of the ten are validators: with the library's
default, M_V = M, one block in seventy is lost to two congesting liars, as `growth` shows.
"""

from collections.abc import Sequence

import numpy as np

import folkmoot as fm
from folkmoot.simulation.result import student_interval

M, K, HORIZON, REPLICATES, SEED = 10, 5, 100_000, 10, 2025
MEANS = np.linspace(0.9, 0.3, K)
GAPS = MEANS[0] - MEANS
CHECKPOINTS = np.unique(np.geomspace(1_000, HORIZON, 41).round().astype(np.int64))
REWARDS = fm.Bernoulli(MEANS, n_agents=M)
LIARS = (0, 1, 2, 3)  # how many; they are the last ones
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


def play(
    algorithm: fm.BCUCB,
    liars: int,
    attack: fm.Attack,
    jobs: int,
    progress: bool,
    *,
    rewards: fm.Bernoulli = REWARDS,
    checkpoints: Sequence[int] | np.ndarray = CHECKPOINTS,
    replicates: int = REPLICATES,
    expected: int | None = None,
) -> fm.ChainResult:
    """The game of all figures; the horizon is the last checkpoint, M_V twice the number of participants; as printed."""
    m = rewards.n_agents
    return fm.simulate_chain(
        algorithm.model_copy(update={"gives_way": False}),
        rewards,
        horizon=int(checkpoints[-1]),
        malicious=range(m - liars, m),
        attack=attack,
        expected_validators=expected or 2 * m,
        replicates=replicates,
        seed=SEED,
        checkpoints=checkpoints,
        jobs=jobs,
        progress=progress,
    )


def shown(values: np.ndarray, digits: int = 0) -> str:
    """Mean and half-width of the 95 % interval over replicates."""
    mean, half = student_interval(values)
    return f"{float(mean):.{digits}f} ± {float(half):.{digits}f}"
