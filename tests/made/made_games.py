"""Results of games on a chain and of consortia, made up for the tests of reports."""

import numpy as np
from made_results import CHECKPOINTS, make

from folkmoot.bc_ucb.result import ChainResult
from folkmoot.multiparty.games.result import ConsortiumResult

TOLD = {"verdicts": ["accepted", "margin", "spread"], "parties": [f"p{i}" for i in range(5)]}


def chain(name="game"):
    """A game of four participants on a chain, two replicates."""
    made, c = make(replicates=2), len(CHECKPOINTS)
    fields = {name: getattr(made, name) for name in made.ARRAYS}
    told = made.configuration | {
        "burn_in": 10,
        "best_mean": 0.5,
        "honest": 4,
        "algorithm": {"type": "BCUCB", "cost": 0.0},
    }
    rows = {name: np.zeros((2, c), np.int64) for name in ("entered", "approved_so_far")}
    ones = {name: np.ones(2, np.int64) for name in ("validators", "signatures")}
    own = {"paid": made.team_pulls, "estimates": np.zeros((2, c, 3)), "trust": np.full((2, 4), 0.25)}
    return ChainResult(name=name, configuration=told, **fields, **rows, **ones, **own)


def consortium(name="models"):
    """Five parties, four classes, two iterations, two replicates."""
    return ConsortiumResult(
        name, TOLD, np.full((2, 3), 0.5), np.full((2, 3, 4), 0.5), np.ones((2, 5, 3), np.int64),
        np.ones((2, 4), np.int64), np.ones((2, 5), np.bool_), np.ones(2),
    )  # fmt: skip
