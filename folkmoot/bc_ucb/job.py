"""A game on a chain, checked before it is played."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.algorithms.base import Problem
from folkmoot.bc_ucb.algorithm import BCUCB, Params
from folkmoot.bc_ucb.attacks import Attack
from folkmoot.bc_ucb.contract import (
    DISTANCE,
    MAJORITY,
    MOST_ARMS,
    MOST_PARTICIPANTS,
    ONE,
    REWARD,
    UNION,
    Terms,
    scaled,
)
from folkmoot.bc_ucb.lies import Misbehaviour
from folkmoot.coins import seed_words
from folkmoot.doors import is_whole, whole
from folkmoot.errors import brief, kind
from folkmoot.own_code import versions
from folkmoot.simulation.simulate import checked_checkpoints, require_rewards
from folkmoot.world.rewards import Rewards


@dataclass(frozen=True)
class ChainJob:
    """A game on a chain, checked."""

    algorithm: BCUCB
    rewards: Rewards
    malicious: NDArray[np.bool_]
    attack: Attack
    expected_validators: int
    checkpoints: NDArray[np.int64]
    seed: int
    engine: str

    @property
    def horizon(self) -> int:
        """Number of rounds."""
        return int(self.checkpoints[-1])

    @cached_property
    def params(self) -> Params:
        """What participants know."""
        m, k = self.rewards.n_agents, self.rewards.n_arms
        problem = Problem(
            m, k, self.horizon, None, None, self.rewards.sub_gaussian,
            bounded=self.rewards.bounded, n_objectives=self.rewards.n_objectives,
        )  # fmt: skip
        return self.algorithm.params(problem)

    @cached_property
    def terms(self) -> Terms:
        """What the contract knows."""
        chosen = self.algorithm
        return Terms(
            self.rewards.n_agents,
            self.rewards.n_arms,
            self.params.faulty,
            self.expected_validators,
            MAJORITY if chosen.combination == "majority" else UNION,
            DISTANCE if chosen.trust == "distance" else REWARD,
            scaled(chosen.delta),
            int(log(chosen.trust_ratio) * ONE),
            scaled(chosen.delta),  # silence is worth as much as it costs: who was not heard has not shown anything
            chosen.resolution,
            chosen.window,
            scaled(chosen.cost),
        )

    @cached_property
    def misbehaviour(self) -> Misbehaviour:
        """The attack, in this world."""
        return self.attack.record(self.rewards)

    def configuration(self) -> dict[str, Any]:
        """As plain values, for provenance."""
        own = versions(self.algorithm, self.rewards, self.attack)
        return {
            "algorithm": self.algorithm.describe(),
            "rewards": self.rewards.describe(),
            "malicious": np.flatnonzero(self.malicious).tolist(),
            "attack": self.attack.describe(),
            "expected_validators": self.expected_validators,
            "horizon": self.horizon,
            "seed": self.seed,
            "engine": self.engine,
            "burn_in": self.params.burn_in,
            "best_mean": float(self.rewards.means[0].max()),
            "honest": int((~self.malicious).sum()),
            **({"own_code": own} if own else {}),
        }


def _participants(malicious: Iterable[int], n: int) -> NDArray[np.bool_]:
    """Bool [n]: which are malicious.

    Raises:
        ValueError: a number out of range or given twice, or more than a third of them.
    """
    marks = np.zeros(n, np.bool_)
    try:
        numbers = list(malicious)
    except TypeError:
        raise ValueError(f"malicious = {brief(malicious)}: expected numbers of participants, such as [0, 3]") from None
    for m in numbers:
        if not is_whole(m) or not 0 <= m < n:
            raise ValueError(f"malicious: {brief(m)}: expected numbers of participants from 0 to {n - 1}")
        if marks[m]:
            raise ValueError(f"malicious: {m} is given twice")
        marks[m] = True
    if 3 * len(numbers) > n:
        raise ValueError(f"malicious: {len(numbers)} of {n} participants: expected at most a third, {n // 3}")
    return marks


def make_chain_job(
    algorithm: BCUCB,
    rewards: Rewards,
    *,
    horizon: int,
    malicious: Iterable[int] = (),
    attack: Attack | None = None,
    expected_validators: int | None = None,
    seed: int = 0,
    checkpoints: Sequence[int] | NDArray[np.int64] | None = None,
    engine: str = "compiled",
) -> ChainJob:
    """A checked game.

    Raises:
        ValueError: see `simulate_chain`.
    """
    if not isinstance(algorithm, BCUCB):
        raise ValueError(f"algorithm = {kind(algorithm)}: on a chain expected folkmoot.BCUCB(...)")
    require_rewards(rewards)
    if rewards.redraws or rewards.varies:
        raise ValueError("rewards: expected means that are the same for all replicates and rounds of a game on a chain")
    if not (rewards.means == rewards.means[0]).all():
        raise ValueError("rewards: expected the same means for all participants; BC-UCB averages over them")
    if rewards.n_agents > MOST_PARTICIPANTS or rewards.n_arms > MOST_ARMS:
        sizes = f"{rewards.n_agents} participants, {rewards.n_arms} arms"
        raise ValueError(f"rewards: {sizes}: expected at most {MOST_PARTICIPANTS} and {MOST_ARMS}")
    if attack is not None and not isinstance(attack, Attack):
        raise ValueError(f"attack = {kind(attack)}: expected an attack such as folkmoot.SignFlip()")
    if not isinstance(engine, str) or engine not in ("compiled", "interpreted"):
        raise ValueError(f"engine = {brief(engine)}: allowed are 'compiled' and 'interpreted'")
    horizon = whole("horizon", horizon)
    marks = _participants(malicious, rewards.n_agents)
    expected, most = rewards.n_agents if expected_validators is None else expected_validators, 2 * rewards.n_agents
    if not is_whole(expected) or not 1 <= expected <= most:
        raise ValueError(f"expected_validators = {brief(expected)}: expected a whole number from 1 to {most}")
    rounds = checked_checkpoints(checkpoints, horizon)
    seed_words(seed)
    job = ChainJob(algorithm, rewards, marks, attack or Attack(), int(expected), rounds, seed, engine)
    if horizon <= job.params.burn_in:
        raise ValueError(f"horizon = {horizon}: expected more rounds than the burn-in, {job.params.burn_in}")
    _ = job.misbehaviour
    return job
