"""Which means a replicate plays, where each has its own, and what a result is told of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from folkmoot.coins import replicate_coins, seed_words
from folkmoot.interface import varies
from folkmoot.world.rewards import Rewards

Floats = NDArray[np.float64]


def instance(rewards: Rewards, seed: int, replicate: int) -> Rewards:
    """The rewards of this replicate: a function of the seed and its number, whoever plays it."""
    return rewards.instance(replicate_coins(*seed_words(seed), replicate))


def gaps_and_means(
    rewards: Rewards, seed: int, replicates: Sequence[int], horizon: int
) -> tuple[Floats, Floats | None]:
    """Gaps and means of these replicates, as a result has them: see `folkmoot.Result`."""
    if varies(rewards.record()):
        return rewards.gaps_over(horizon), None
    if not rewards.redraws:
        means = np.ascontiguousarray(rewards.means)  # a row that all share is repeated
        means.setflags(write=False)
        return rewards.gaps, means
    own = [instance(rewards, seed, replicate) for replicate in replicates]
    return np.stack([one.gaps for one in own]), np.stack([one.means for one in own])
