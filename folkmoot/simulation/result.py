"""What a simulation of bandits found: regret, pulls, messages, provenance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import DamagedFile
from folkmoot.simulation.interchange import LongTable
from folkmoot.simulation.measures import added, agreed, known, settled, weighted
from folkmoot.simulation.measures import student_interval as student_interval
from folkmoot.simulation.saved import Saved, provenance
from folkmoot.ties import TIE, behind

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Result(Saved):
    """The outcome of one algorithm in one world over several replicates.

    It knows two regrets, of two goals. *Common*: each pull is held against the arm that is best on average over all
    agents (`regret`). *Own*: it is held against the arm that is best for the agent that pulls (`own_regret`). Where
    all agents have the same means the two are one; where tastes differ, small regret of one goal is large regret of
    the other.

    Attributes:
        name: what a legend calls it.
        configuration: algorithm, rewards, network, horizon, seed, engine as plain values.
        provenance: versions and platform.
        checkpoints: int64 [c], rounds completed; the last is the horizon.
        gaps: float64 [n_arms], how far each arm's mean over all agents is below the best one's; [replicates, n_arms]
            where each replicate has means of its own. Where means change from round to round: averaged over rounds.
        team_pulls: int64 [replicates, c, n_arms], pulls so far summed over agents, over honest ones if some lie.
        pulls: int64 [replicates, n_agents, n_arms] at the horizon.
        messages, bytes: int64 [replicates], what the network carried.
        seconds: float64 [replicates], wall time of the loop.
        verified: int64 [replicates], verified pulls.
        corruption_spent_per_arm: float64 [replicates, n_arms], what the adversary has spent: the sum, over pulls of
            the arm, of the largest change of a coordinate.
        decisions: int64 [replicates, n_agents], the arm an agent has settled on for good; -1 is none.
        decided_at: int64 [replicates, n_agents], the round of that; 0 is never.
        means: float64 [n_agents, n_arms], or [replicates, n_agents, n_arms], the expected rewards; None where they
            change from round to round, and in results of version 0.1.0.
        lost: float64 [replicates, c], the regret where means change from round to round; else None.
        agent_pulls: int64 [replicates, c, n_agents, n_arms], pulls so far, with `per_agent`; else None.
        realised: float64 [replicates, c, n_agents], what the agents' pulls have paid so far, before any adversary's
            changes, with `realised`; else None.
        offered: float64 [replicates, c, n_arms], what each arm would have paid so far if all agents (the honest, if
            some lie) had always pulled it, in the rounds they were there, by the same coins, with `realised`.
        observed: for each name in `observe` the states of the agents, [replicates, c, n_agents, ...].
    """

    ARRAYS: ClassVar[tuple[str, ...]] = (
        "checkpoints", "gaps", "team_pulls", "pulls", "messages", "bytes", "seconds",
        "verified", "corruption_spent_per_arm", "decisions", "decided_at", "means", "lost", "agent_pulls",
        "realised", "offered",
    )  # fmt: skip
    FORMS: ClassVar[Mapping[str, str]] = {
        "checkpoints": "int64 [c] from 1",
        "pulls": "int64 [r, n, k] from 0",
        "team_pulls": "int64 [r, c, k] from 0",
        "gaps": "float64 [k] or [r, k] from 0",
        **dict.fromkeys(("messages", "bytes", "verified"), "int64 [r] from 0"),
        "seconds": "float64 [r] from 0",
        "corruption_spent_per_arm": "float64 [r, k] from 0",
        "decisions": "int64 [r, n] from -1",
        "decided_at": "int64 [r, n] from 0",
        "means": "float64 [n, k] or [r, n, k]",
        "lost": "float64 [r, c]",
        "agent_pulls": "int64 [r, c, n, k] from 0",
        "realised": "float64 [r, c, n]",
        "offered": "float64 [r, c, k]",
        "observed": "any [r, c, n, ...], may be NaN",
    }
    LATER: ClassVar[tuple[str, ...]] = ("means", "lost", "agent_pulls", "realised", "offered")
    GROUPS: ClassVar[tuple[str, ...]] = ("observed",)
    CURVES: ClassVar[tuple[str, ...]] = ("regret",)
    KIND: ClassVar[str] = "bandit"

    name: str
    configuration: dict[str, Any]
    checkpoints: Counts
    gaps: Floats
    team_pulls: Counts
    pulls: Counts
    messages: Counts
    bytes: Counts
    seconds: Floats
    verified: Counts
    corruption_spent_per_arm: Floats
    decisions: Counts
    decided_at: Counts
    means: Floats | None = None
    lost: Floats | None = None
    agent_pulls: Counts | None = None
    realised: Floats | None = None
    offered: Floats | None = None
    observed: dict[str, NDArray[Any]] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=provenance)

    def check(self) -> None:
        super().check()
        if (np.diff(self.checkpoints) <= 0).any():
            raise DamagedFile("checkpoints: expected increasing rounds")
        if (self.decisions >= self.n_arms).any() or (self.decided_at > self.horizon).any():
            raise DamagedFile("decisions: expected arms, and rounds up to the horizon")
        liars = self.configuration.get("liars", {})
        agents = liars.get("agents", []) if isinstance(liars, dict) else None
        if not isinstance(agents, list) or not all(type(i) is int and 0 <= i < self.n_agents for i in agents):
            raise DamagedFile("liars: expected their numbers")

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
    def counted(self) -> NDArray[np.bool_]:
        """Does an agent's regret count? That of liars does not; bool [n_agents]."""
        counted = np.ones(self.n_agents, np.bool_)
        counted[list(self.configuration.get("liars", {}).get("agents", ()))] = False
        return counted

    @property
    def staying(self) -> NDArray[np.bool_]:
        """Is an agent waited for when all are to settle? Neither liars are, nor who is not there in the last round by
        `Presence(absences=...)` or `Presence(recorded=...)`; bool [n_agents].
        """
        staying = self.counted
        staying[list(self.configuration.get("gone", ()))] = False
        return staying

    # --- The common goal: the arm that is best on average over all agents ---------------------------------

    @property
    def regret(self) -> Floats:
        """float64 [replicates, c]: cumulative expected regret against the best global arm, summed over agents."""
        if self.lost is not None:
            return self.lost
        return weighted(self.team_pulls, self.gaps if self.gaps.ndim == 1 else self.gaps[:, None])

    @property
    def regret_per_agent(self) -> Floats:
        """float64 [replicates, c]: `regret` divided by the number of agents, of honest ones if some lie."""
        return self.regret / int(self.counted.sum())

    @property
    def regret_of_agents(self) -> Floats:
        """float64 [replicates, c, n_agents]: cumulative expected regret of each agent against the best global arm.

        Raises:
            ValueError: it was not asked for, or means change from round to round.
        """
        pulls = known(self.name, "agent_pulls", self.agent_pulls)
        known(self.name, "constant_means", None if self.lost is not None else True)
        return weighted(pulls, self.gaps if self.gaps.ndim == 1 else self.gaps[:, None, None])

    @property
    def best(self) -> NDArray[np.bool_]:
        """bool, of the shape of `gaps`: is the arm a best one? Arms within 1e-12 of the best are.

        Where means move no gap need be 0: best is the smallest gap, averaged over rounds.
        """
        least: Floats = self.gaps.min(axis=-1, keepdims=True)
        best: NDArray[np.bool_] = self.gaps - least <= TIE
        return best

    # --- The own goal: each agent's own best arm ------------------------------------------------------------

    @property
    def own_gaps(self) -> Floats:
        """float64, of the shape of `means`: how far each arm is below the agent's own best one.

        Raises:
            ValueError: the means are not known.
        """
        return behind(known(self.name, "means", self.means))

    @property
    def own_regret(self) -> Floats:
        """float64 [replicates]: expected regret of each agent against its own best arm, summed over agents, at the
        horizon.

        Raises:
            ValueError: the means are not known.
        """
        return added(weighted(self.pulls, self.own_gaps)[:, self.counted], axis=1)

    @property
    def own_regret_of_agents(self) -> Floats:
        """float64 [replicates, c, n_agents]: cumulative expected regret of each agent against its own best arm.

        Raises:
            ValueError: it was not asked for, or the means are not known.
        """
        pulls, gaps = known(self.name, "agent_pulls", self.agent_pulls), self.own_gaps
        return weighted(pulls, gaps if gaps.ndim == 2 else gaps[:, None])

    @property
    def own_regret_so_far(self) -> Floats:
        """float64 [replicates, c]: `own_regret` at every checkpoint.

        Raises:
            ValueError: see `own_regret_of_agents`.
        """
        return added(self.own_regret_of_agents[:, :, self.counted], axis=2)

    @property
    def own_reward(self) -> Floats:
        """float64 [replicates]: expected reward of a pull, for the agent that pulls, averaged over all pulls; NaN
        where nobody was ever there.

        Raises:
            ValueError: the means are not known.
        """
        paid = added(weighted(self.pulls, known(self.name, "means", self.means))[:, self.counted], axis=1)
        made = self.pulls[:, self.counted].sum(axis=(1, 2))
        return np.where(made > 0, paid / np.maximum(made, 1), np.nan)

    # --- What was really paid ----------------------------------------------------------------------------------

    @property
    def regret_as_paid(self) -> Floats:
        """float64 [replicates]: by how much more the common arm would pay the agents than their pulls pay them, both
        expected, at the horizon. Where all agents have the same means it is `regret`.

        Raises:
            ValueError: the means are not known.
        """
        means, arm = known(self.name, "means", self.means), np.argmin(self.gaps, axis=-1)
        common = np.take_along_axis(means, np.reshape(arm, (*np.shape(arm), 1, 1)), axis=-1)
        return added(weighted(self.pulls, common - means)[:, self.counted], axis=1)

    @property
    def hindsight_arm(self) -> Counts:
        """int64 [replicates, c]: the arm that would have paid all agents together most so far; the first of equals.

        Raises:
            ValueError: it was not asked for.
        """
        return np.asarray(np.argmin(behind(known(self.name, "offered", self.offered)), axis=2))

    @property
    def realised_regret(self) -> Floats:
        """float64 [replicates, c]: by how much more the best arm in hindsight would have paid than was paid.

        On average it is above `regret_as_paid`, for the best arm in hindsight has had luck. Where agents differ it can
        be far below `regret`: who pulls its own best arm is paid more than the common arm would have paid.

        Raises:
            ValueError: it was not asked for.
        """
        best = known(self.name, "offered", self.offered).max(axis=2)
        paid = known(self.name, "realised", self.realised)[:, :, self.counted]
        return np.asarray(best - added(paid, axis=2))

    # --- Settling -------------------------------------------------------------------------------------------

    @property
    def settled_at(self) -> Counts:
        """int64 [replicates]: the first round after which all of `staying` have settled on an arm; 0 is never."""
        return settled(self.decided_at[:, self.staying])

    @property
    def agreed_at(self) -> Counts:
        """int64 [replicates]: the first round from which all of `staying` have settled on one arm; 0 is never."""
        return agreed(self.decisions[:, self.staying], self.decided_at[:, self.staying])

    # --- As a table -----------------------------------------------------------------------------------------

    def table(self, by: Literal["team", "agent", "arm", "observed"] = "team") -> LongTable:
        """A long table, a dictionary of columns that every library of data frames reads: see `folkmoot.to_frame`.

        Raises:
            ValueError: see there.
        """
        from folkmoot.simulation.frames import table

        return table(self, by)

    def to_frame(
        self,
        kind: Literal["dict", "pandas", "polars"] | None = None,
        by: Literal["team", "agent", "arm", "observed"] = "team",
    ) -> Any:
        """A long table with the columns algorithm, replicate, round, what, value: see `folkmoot.to_frame`.

        Raises:
            ValueError: see there.
        """
        from folkmoot.simulation.frames import to_frame

        return to_frame(self, kind, by)

    # --- In short -------------------------------------------------------------------------------------------

    @property
    def corruption_spent(self) -> Floats:
        """float64 [replicates]: what the adversary has spent in all."""
        return added(self.corruption_spent_per_arm, axis=1)

    def summary(self) -> dict[str, Any]:
        """Final regrets (mean, std, 95 % Student interval), share of best-arm pulls, when agents settled, traffic,
        corruption, speed. NaN stands for what is not known.
        """
        final = self.regret[:, -1]
        mean, half = student_interval(final)
        pulls = self.pulls[:, self.counted].sum(axis=1)
        best = pulls * self.best  # [replicates, n_arms]
        moving = self.lost is not None  # then the best arm is another from round to round
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
            "regret_per_agent_mean": float(mean) / int(self.counted.sum()),
            "best_arm_pulls": float("nan") if moving else float(best.sum(axis=1).mean()),
            "best_arm_share": float("nan") if moving or not pulls.any() else float(best.sum() / pulls.sum()),
            **self._own_summary(),
            "messages": float(self.messages.mean()),
            "bytes": float(self.bytes.mean()),
            "verified": float(self.verified.mean()),
            "corruption_spent": float(self.corruption_spent.mean()),
            "decided_share": _mean_of(self.decisions[:, self.staying] >= 0),
            "settled_share": float((self.settled_at > 0).mean()),
            "settled_at": _mean_of(self.settled_at[self.settled_at > 0]),
            "agreed_share": float((self.agreed_at > 0).mean()),
            "agreed_at": _mean_of(self.agreed_at[self.agreed_at > 0]),
            "wall_seconds": seconds,
            "agent_steps_per_second": steps / seconds if seconds > 0 else float("inf"),
        }

    def _own_summary(self) -> dict[str, float]:
        """What `summary` says of the agents' own goal."""
        names = ("own_regret_mean", "own_regret_low", "own_regret_high", "own_reward_mean")
        if self.means is None:
            return dict.fromkeys(names, float("nan"))
        mean, half = student_interval(self.own_regret)
        values = (mean, mean - half, mean + half, self.own_reward.mean())
        return dict(zip(names, map(float, values), strict=True))


def _mean_of(values: NDArray[Any]) -> float:
    return float(values.mean()) if values.size else float("nan")
