"""What the loop of the simulator writes down."""

from typing import NamedTuple

import numpy as np


class Tally(NamedTuple):
    """What the loop writes down: counts, hence exact in any order of evaluation, and the adversary's account.

    Arrays with an axis "c or 0" are written where that axis is not empty.
    """

    pulls: np.ndarray  # int64 [replicates, n_agents, n_arms] at the horizon
    team_pulls: np.ndarray  # int64 [replicates, checkpoints, n_arms] summed over agents
    sent: np.ndarray  # int64 [replicates] messages of one exchange
    bytes: np.ndarray  # int64 [replicates] of all exchanges
    verified: np.ndarray  # int64 [replicates] pulls
    spent: np.ndarray  # float64 [replicates, n_arms] by the adversary
    decisions: np.ndarray  # int64 [replicates, n_agents] arms settled on for good; -1 is none
    decided_at: np.ndarray  # int64 [replicates, n_agents] the round of that; 0 is never
    lost: np.ndarray  # float64 [replicates, checkpoints] regret summed over agents, where means vary; else 0
    agent_pulls: np.ndarray  # int64 [replicates, c or 0, n_agents, n_arms]
    realised: np.ndarray  # float64 [replicates, c or 0, n_agents] rewards of the agent's pulls so far, as nature paid
    astray: np.ndarray  # int64 [replicates, 3]  round, agent and arm of a choice that is no arm; round 0: none


def blank_tally(
    replicates: int, n_agents: int, n_arms: int, checkpoints: int, per_agent: bool = False, realised: bool = False
) -> Tally:
    """A tally before the first round."""
    r, n, k = replicates, n_agents, n_arms
    count = np.int64
    return Tally(
        np.zeros((r, n, k), count), np.zeros((r, checkpoints, k), count), np.zeros(r, count), np.zeros(r, count),
        np.zeros(r, count), np.zeros((r, k)), np.full((r, n), -1, count), np.zeros((r, n), count),
        np.zeros((r, checkpoints)), np.zeros((r, checkpoints if per_agent else 0, n, k), count),
        np.zeros((r, checkpoints if realised else 0, n)), np.zeros((r, 3), count),
    )  # fmt: skip
