"""What a simulation of bandits found: regret, pulls, messages, provenance."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from folkmoot.simulation.saved import Saved, provenance


def student_interval(values: NDArray[np.float64], level: float = 0.95) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and half-width of Student's interval over the first axis; the half-width is NaN for one value."""
    from scipy.stats import t as student

    n = len(values)
    mean = values.mean(axis=0)
    if n < 2:
        return mean, np.full_like(mean, np.nan)
    factor = student.ppf(0.5 + level / 2, n - 1) / n**0.5
    return mean, factor * values.std(axis=0, ddof=1)


@dataclass(frozen=True, eq=False)
class Result(Saved):
    """The outcome of one algorithm in one world over several replicates.

    Attributes:
        name: what a legend calls it.
        configuration: algorithm, rewards, network, horizon, seed, engine as plain values.
        provenance: versions and platform.
        checkpoints: int64 [c], rounds completed; the last is the horizon.
        gaps: float64 [n_arms], how far each arm's mean over all agents is below the best one's.
        team_pulls: int64 [replicates, c, n_arms], pulls so far summed over agents.
        pulls: int64 [replicates, n_agents, n_arms] at the horizon.
        messages, bytes: int64 [replicates], what the network carried.
        seconds: float64 [replicates], wall time of the loop.
        verified: int64 [replicates], verified pulls.
        corruption_spent_per_arm: float64 [replicates, n_arms], what the adversary has spent: the sum, over pulls of
            the arm, of the largest change of a coordinate.
        decisions: int64 [replicates, n_agents], the arm an agent has settled on for good; -1 is none.
        decided_at: int64 [replicates, n_agents], the round of that; 0 is never.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = (
        "checkpoints", "gaps", "team_pulls", "pulls", "messages", "bytes", "seconds",
        "verified", "corruption_spent_per_arm", "decisions", "decided_at",
    )  # fmt: skip
    CURVES: ClassVar[tuple[str, ...]] = ("regret",)
    KIND: ClassVar[str] = "bandit"

    name: str
    configuration: dict[str, Any]
    checkpoints: NDArray[np.int64]
    gaps: NDArray[np.float64]
    team_pulls: NDArray[np.int64]
    pulls: NDArray[np.int64]
    messages: NDArray[np.int64]
    bytes: NDArray[np.int64]
    seconds: NDArray[np.float64]
    verified: NDArray[np.int64]
    corruption_spent_per_arm: NDArray[np.float64]
    decisions: NDArray[np.int64]
    decided_at: NDArray[np.int64]
    provenance: dict[str, str] = field(default_factory=provenance)

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return len(self.pulls)

    @property
    def n_agents(self) -> int:
        """Number of agents."""
        return int(self.pulls.shape[1])

    @property
    def n_arms(self) -> int:
        """Number of arms."""
        return int(self.pulls.shape[2])

    @property
    def horizon(self) -> int:
        """Number of rounds."""
        return int(self.checkpoints[-1])

    @property
    def regret(self) -> NDArray[np.float64]:
        """float64 [replicates, c]: cumulative expected regret against the best global arm, summed over agents."""
        total = np.zeros(self.team_pulls.shape[:2])
        for k in range(self.n_arms):  # in the order of the arms, so that the last bit never depends on a library
            total += self.team_pulls[:, :, k] * self.gaps[k]
        return total

    @property
    def regret_per_agent(self) -> NDArray[np.float64]:
        """float64 [replicates, c]: `regret` divided by the number of agents."""
        return self.regret / self.n_agents

    @property
    def corruption_spent(self) -> NDArray[np.float64]:
        """float64 [replicates]: what the adversary has spent in all."""
        total = np.zeros(self.replicates)
        for k in range(self.n_arms):
            total += self.corruption_spent_per_arm[:, k]
        return total

    def summary(self) -> dict[str, Any]:
        """Final regret (mean, std, 95 % Student interval), share of best-arm pulls, traffic, corruption, speed."""
        final = self.regret[:, -1]
        mean, half = student_interval(final)
        best = self.gaps == 0.0
        steps = self.n_agents * self.horizon * self.replicates
        seconds = float(self.seconds.sum())
        return {
            "name": self.name,
            "n_agents": self.n_agents,
            "n_arms": self.n_arms,
            "horizon": self.horizon,
            "replicates": self.replicates,
            "regret_mean": float(mean),
            "regret_std": float(final.std(ddof=1)) if self.replicates > 1 else float("nan"),
            "regret_low": float(mean - half),
            "regret_high": float(mean + half),
            "regret_per_agent_mean": float(mean) / self.n_agents,
            "best_arm_pulls": float(self.pulls[:, :, best].sum(axis=(1, 2)).mean()),
            "best_arm_share": float(self.pulls[:, :, best].sum() / steps),
            "messages": float(self.messages.mean()),
            "bytes": float(self.bytes.mean()),
            "verified": float(self.verified.mean()),
            "corruption_spent": float(self.corruption_spent.mean()),
            "decided_share": float((self.decisions >= 0).mean()),
            "wall_seconds": seconds,
            "agent_steps_per_second": steps / seconds if seconds > 0 else float("inf"),
        }
