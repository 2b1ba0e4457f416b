"""Results made up for the tests of reports, quick and with known means."""

import numpy as np

from folkmoot.simulation.result import Result

CHECKPOINTS = np.array([1, 3, 10, 30, 100, 300, 1_000], np.int64)
GAPS = np.array([0.0, 0.25, 0.5])
AGENTS = 4


def make(
    name="A", wrong=0.2, replicates=5, seed=0, kind="UCB", sent=1_000_000, first=0, arm_names=None, noise=0.05, **more
):
    """A result in which about a share `wrong` of the pulls goes to each of the two arms that are not best."""
    dice = np.random.default_rng([seed, int(1000 * wrong)])
    shares = np.clip(wrong + noise * dice.uniform(-1, 1, (replicates, 1, 2)), 0, 0.5)
    bad = np.floor(AGENTS * CHECKPOINTS[None, :, None] * shares).astype(np.int64)
    team = np.concatenate([AGENTS * CHECKPOINTS[None, :, None] - bad.sum(axis=2, keepdims=True), bad], axis=2)
    pulls = np.zeros((replicates, AGENTS, 3), np.int64)
    pulls[:, 0] = team[:, -1]
    rewards = {"type": "Replay", "n_agents": AGENTS, "n_arms": 3, "dataset": "films"}
    if arm_names:
        rewards["arm_names"] = arm_names
    return Result(
        name=name,
        configuration={
            "algorithm": {"type": kind, "exploration": 2.0},
            "rewards": rewards,
            "network": {"type": "ErdosRenyi", "n_agents": AGENTS, "edges": 6, "link_probability": 0.5},
            "horizon": 1_000,
            "seed": 0,
            "engine": "compiled",
            "replicates": list(range(first, first + replicates)),
        },
        checkpoints=CHECKPOINTS,
        gaps=GAPS,
        team_pulls=team,
        pulls=pulls,
        messages=np.full(replicates, sent // 10) + np.arange(replicates) * (sent > 0),
        bytes=np.full(replicates, sent) + np.arange(replicates) * (sent > 0),
        seconds=np.full(replicates, 0.5),
        verified=np.zeros(replicates, np.int64),
        corruption_spent_per_arm=np.zeros((replicates, 3)),
        decisions=np.full((replicates, AGENTS), -1),
        decided_at=np.zeros((replicates, AGENTS), np.int64),
        **more,
        provenance={"folkmoot": "0.0", "sources": "abc", "platform": "some machine"},
    )
