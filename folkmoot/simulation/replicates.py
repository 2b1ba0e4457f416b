"""A game of bandits: one algorithm in one world, what it is told, and how its replicates are played."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import cpu_count
from time import perf_counter
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.coins import seed_words
from folkmoot.errors import brief
from folkmoot.interface import Honest, varies
from folkmoot.own_code import versions
from folkmoot.simulation.astray import check_arms
from folkmoot.simulation.cells import key_of, new_control
from folkmoot.simulation.compiled import loop
from folkmoot.simulation.engine import Control, World
from folkmoot.simulation.hindsight import offered
from folkmoot.simulation.instances import gaps_and_means, instance
from folkmoot.simulation.observing import NOTHING, OBSERVED, Wanted, alone, play_observed
from folkmoot.simulation.parts import boxes, message_size, row_bytes
from folkmoot.simulation.result import Result
from folkmoot.simulation.room import bytes_of_tables
from folkmoot.simulation.rows import Finished, decode, encode
from folkmoot.simulation.shares import shared_loop
from folkmoot.simulation.tally import Tally, blank_tally
from folkmoot.world.corruption import Corruption
from folkmoot.world.feedback import Feedback
from folkmoot.world.liars import Liars
from folkmoot.world.networks import Network
from folkmoot.world.own_laws import check_law, payments_named, watched
from folkmoot.world.presence import Presence
from folkmoot.world.rewards import Rewards

_BATCH_STEPS = 20_000_000  # agent-steps a task may have before it is cut into smaller ones
_MANY_AGENTS = 20_000  # from here on threads share the agents of a round rather than the replicates
_DEFAULT_CHECKPOINTS = 200


@dataclass(frozen=True)
class Job:
    """One algorithm in one world: all that a worker needs, and nothing it could share by accident."""

    algorithm: Algorithm
    rewards: Rewards
    network: Network
    checkpoints: NDArray[np.int64]
    seed: int = 0
    engine: str = "compiled"
    corruption: Corruption | None = None
    verification: int = 0
    liars: Liars | None = None
    presence: Presence | None = None
    feedback: Feedback | None = None
    wanted: Wanted = NOTHING
    interpret: bool = False  # whatever `engine` says: the result is the same, and nothing is compiled or loaded

    @property
    def horizon(self) -> int:
        """Number of rounds."""
        return int(self.checkpoints[-1])

    memory = property(bytes_of_tables)

    def problem(self) -> Problem:
        """What the algorithm is told of this world."""
        return Problem(
            n_agents=self.rewards.n_agents,
            n_arms=self.rewards.n_arms,
            horizon=self.horizon,
            graph=self.network.base,
            link_probability=self.network.link_probability,
            sub_gaussian=self.rewards.sub_gaussian,
            labels=getattr(self.network, "labels", None),
            bounded=self.rewards.bounded,
            scalarisation=self.rewards.scalarisation,
            n_objectives=self.rewards.n_objectives,
            corruption=0.0 if self.corruption is None else self.corruption.budget,
            verification=self.verification,
            one_sided=self.network.one_sided,
            absent=self.presence is not None,
            delayed=self.feedback is not None,
            moving=self.rewards.varies,
            replayed=self.rewards.replayed,
        )

    @property
    def rounds(self) -> int:
        """The horizon."""
        return self.horizon

    @property
    def label(self) -> str:
        """The algorithm's."""
        return self.algorithm.label

    @property
    def own_process(self) -> bool:
        """Compiled loops share a process."""
        return False

    def of_replicate(self, replicate: int) -> "Job":
        """The job that this replicate plays: where means are drawn anew for each, with its own."""
        if not self.rewards.redraws:
            return self
        return replace(self, rewards=instance(self.rewards, self.seed, replicate))

    def params(self) -> NamedTuple:
        """The algorithm's record for this world."""
        return self.algorithm.checked_params(self.problem())

    def world(self) -> World:
        """The records of everything the algorithm meets."""
        adversary = Honest(0.0) if self.corruption is None else self.corruption.record(self.rewards, self.horizon)
        world = World(watched(self.rewards), self.network.record(), adversary, self.verification)
        if self.presence is None and self.feedback is None and self.liars is None:
            return world
        # One of them, and all three get their types, so that there is one compilation more and not seven.
        n, d = self.rewards.n_agents, self.rewards.n_objectives
        nobody = Liars.nobody(self.rewards)
        return world._replace(
            presence=(self.presence or Presence()).record(n),
            feedback=(self.feedback or Feedback()).record(n, d, self.horizon),
            liars=nobody[0] if self.liars is None else self.liars.record(self.rewards),
            law=nobody[1] if self.liars is None else self.liars.law.record(self.rewards),
        )

    def configuration(self) -> dict[str, Any]:
        """As plain values, for provenance and for telling jobs apart."""
        against: dict[str, Any] = {}
        if self.corruption is not None:
            against["corruption"] = self.corruption.describe()
        if self.verification:
            against["verification"] = self.verification
        unreliable = {"liars": self.liars, "presence": self.presence, "feedback": self.feedback}
        against |= {name: part.describe() for name, part in unreliable.items() if part is not None}
        parts = self.algorithm, self.rewards, self.network, self.corruption, self.liars
        if own := versions(*parts):
            against["own_code"] = own
        return {
            "algorithm": self.algorithm.describe(),
            "rewards": self.rewards.describe(),
            "network": self.network.describe(),
            **against,
            "horizon": self.horizon,
            "seed": self.seed,
            "engine": self.engine,
            **self.wanted.told(),
        }

    def _remarks(self) -> dict[str, Any]:
        gone = [] if self.presence is None else self.presence.gone(self.rewards.n_agents, self.horizon)
        told = {"remarks": self.algorithm.remarks(self.problem()), "gone": gone}
        return {name: said for name, said in told.items() if said}

    def key(self) -> str:
        """What a row of the log belongs to; every number of the world counts, also where the configuration is short."""
        kind = type(self.algorithm)
        told = {
            "configuration": self.configuration(),
            "checkpoints": self.checkpoints.tolist(),
            "algorithm": [kind.__module__, kind.__qualname__],
        }
        return key_of(told, self.world())

    def alone(self, workers: int) -> bool:
        """With very many agents, threads share those of a round rather than the replicates."""
        many = self.engine == "compiled" and self.rewards.n_agents >= _MANY_AGENTS
        return many and workers > 1 and not self.wanted.observe

    def batches(self, replicates: Sequence[int], workers: int) -> list[Sequence[int]]:
        """Equal shares for the workers, cut further so that finished work is handed over often."""
        steps = self.rewards.n_agents * self.horizon * (1 if self.engine == "compiled" else 1_000)
        size = max(1, min(-(-len(replicates) // workers), _BATCH_STEPS // max(1, steps)))
        return [replicates[first : first + size] for first in range(0, len(replicates), size)]

    def play(self, replicates: Sequence[int], control: Control, threads: int) -> list[Finished]:
        """Play these in this thread, or the agents of a round in so many."""
        return run_batch(self, replicates, min(threads, cpu_count() or 1), control)

    def encode(self, outcome: Finished) -> dict[str, Any]:
        """A finished replicate as a row of the log."""
        return encode(outcome)

    def decode(self, row: Mapping[str, Any]) -> Finished:
        """A row of the log as the replicate that it was. Raises DamagedFile if it is none."""
        liars, absent = () if self.liars is None else self.liars.agents, self.presence is not None
        return decode(row, self.rewards.n_agents, self.rewards.n_arms, self.checkpoints, liars, self._more, absent)

    @cached_property
    def _more(self) -> list[str]:
        """The names of the arrays that a replicate has on request, or because means vary."""
        found = [f"{OBSERVED}{name}" for name in self.wanted.observe]
        found += ["agent_pulls"] if self.wanted.per_agent else []
        found += ["realised", "offered"] if self.wanted.realised else []
        return [*found, *(["lost"] if varies(self.rewards.record()) else [])]

    def collect(self, outcomes: Sequence[Finished], name: str | None = None) -> Result:
        """Finished replicates, in the order of their numbers, as a Result."""
        ordered = sorted(outcomes, key=lambda outcome: outcome.replicate)
        played = {"goal": self.algorithm.pursues, "replicates": [o.replicate for o in ordered]}
        more: dict[str, Any] = {name: np.stack([o.more[name] for o in ordered]) for name in self._more}
        gaps, means = gaps_and_means(self.rewards, self.seed, [o.replicate for o in ordered], self.horizon)
        observed = {name.removeprefix(OBSERVED): more.pop(name) for name in list(more) if name.startswith(OBSERVED)}
        return Result(
            name=name or self.algorithm.label,
            configuration={**self.configuration(), **self._remarks(), **played},
            checkpoints=self.checkpoints,
            gaps=gaps,
            means=means,
            team_pulls=np.stack([o.team_pulls for o in ordered]),
            pulls=np.stack([o.pulls for o in ordered]),
            messages=np.array([o.messages for o in ordered], np.int64),
            bytes=np.array([o.bytes for o in ordered], np.int64),
            seconds=np.array([o.seconds for o in ordered]),
            verified=np.array([o.verified for o in ordered], np.int64),
            corruption_spent_per_arm=np.stack([o.spent for o in ordered]),
            decisions=np.stack([o.decisions for o in ordered]),
            decided_at=np.stack([o.decided_at for o in ordered]),
            observed=observed,
            **more,
        )


def default_checkpoints(horizon: int) -> NDArray[np.int64]:
    """About 200 log-spaced rounds from 1 to the horizon."""
    return np.unique(np.geomspace(1, horizon, _DEFAULT_CHECKPOINTS).round().astype(np.int64))


def check_job(job: Job) -> NamedTuple:
    """The algorithm's record, once everything fits together.

    Raises:
        ValueError: a user's law says what it cannot, agents of rewards and network differ, the horizon is shorter than
            the number of arms, the adversary refuses the rewards, more pulls are to be verified than there are,
            presence or feedback is for other agents, or the algorithm refuses the problem.
    """
    check_law(job.rewards)
    n, m = job.rewards.n_agents, job.network.n_agents
    if n != m:
        raise ValueError(f"rewards are for {n} agents, the network has {m}: expected the same number")
    if job.horizon < job.rewards.n_arms:
        raise ValueError(f"horizon = {job.horizon}: expected at least the number of arms, {job.rewards.n_arms}")
    if job.algorithm.on_chain:
        raise ValueError(f"{job.algorithm.label}: plays on a chain; use folkmoot.simulate_chain")
    if job.algorithm.python_only and job.engine != "interpreted":
        raise ValueError(f"{job.algorithm.label}: cannot be compiled; use engine='interpreted'")
    d = job.rewards.n_objectives
    if d > 1 and not job.algorithm.many_objectives:
        raise ValueError(
            f"{job.algorithm.label}: learns from single rewards, got vectors of {d} "
            "(S1 to S3 and layered elimination take those)"
        )
    seed_words(job.seed)
    if job.corruption is not None:
        job.corruption.record(job.rewards, job.horizon)
    if job.presence is not None:
        job.presence.record(n)
    if job.feedback is not None:
        job.feedback.record(n, d, job.horizon)
    nu, steps = job.verification, n * job.horizon
    if isinstance(nu, bool) or not isinstance(nu, int) or not 0 <= nu <= steps:
        raise ValueError(
            f"verification = {brief(nu)}: expected a number of pulls from 0 to n_agents * horizon = {steps}"
        )
    params = job.params()
    if job.liars is not None:
        job.liars.record(job.rewards)
        job.liars.check(job.algorithm.label, boxes(params))
    return params


@runtime_checkable
class Prepares(Protocol):
    """An algorithm that may first study its replicate's world, as its agents do in the first rounds.

    Coins have coordinates, so those rounds can be played beforehand, by a small algorithm of their own, and again
    as part of the game: what the agents see is the same both times. The game is then played by `prepared`.
    """

    def preparation(self, problem: Problem) -> tuple[NamedTuple, int] | None:
        """The record of the small algorithm, which keeps its state in the record, and how many rounds; None: none."""

    def prepared(self, problem: Problem, studied: Any) -> Algorithm:
        """The algorithm to play with, from that record as the rounds have left it."""


def run_batch(job: Job, replicates: Sequence[int], threads: int = 1, control: Control | None = None) -> list[Finished]:
    """Run these replicates in this thread; those finished when `control.stop` was set."""
    control = control or new_control(len(replicates))
    if _study(job) is None and not job.rewards.redraws:
        return _play(job, replicates, threads, control)
    outcomes: list[Finished] = []
    for x, replicate in enumerate(replicates):
        own = _prepared(job.of_replicate(replicate), replicate, threads, control.stop)
        if own is not None:
            outcomes += _play(own, [replicate], threads, control._replace(done=control.done[x : x + 1]))
    return outcomes


def prepared_job(job: Job, replicate: int) -> Job:
    """The job that this replicate plays: with its own means, and an algorithm that prepares itself as it is by then."""
    own = _prepared(job.of_replicate(replicate), replicate, 1, np.zeros(1, np.bool_))
    assert own is not None
    return own


def _study(job: Job) -> tuple[Prepares, NamedTuple, int] | None:
    """Who prepares itself, by what fresh record, for how many rounds; None if the algorithm need not."""
    if not isinstance(job.algorithm, Prepares):
        return None
    preparation = job.algorithm.preparation(job.problem())
    return None if preparation is None else (job.algorithm, *preparation)


def _prepared(job: Job, replicate: int, threads: int, stop: NDArray[np.bool_]) -> Job | None:
    """The job of this replicate alone; None if stopped before its algorithm was prepared."""
    found = _study(job)
    if found is None:
        return job
    algorithm, study, rounds = found
    control = new_control(1)._replace(stop=stop)
    _rounds(job, study, [replicate], np.array([rounds]), threads, control)
    return replace(job, algorithm=algorithm.prepared(job.problem(), study)) if control.done[0] else None


def _rounds(
    job: Job, params: Any, replicates: Sequence[int], checkpoints: NDArray[np.int64], threads: int, control: Control
) -> tuple[Tally, float]:
    """Let the loop run these replicates, with this algorithm's record: its tally, and seconds without compiling."""
    more = job.wanted.per_agent, job.wanted.realised
    tally = blank_tally(len(replicates), job.rewards.n_agents, job.rewards.n_arms, len(checkpoints), *more)
    world = job.world()
    name, records, law = "interpreted" if job.interpret else job.engine, (params, world), type(job.rewards).__name__
    many = threads > 1 and name == "compiled"
    function = shared_loop(records, min(threads, params.n_agents), law) if many else loop(name, records)
    arguments = (params, world, message_size(params), *seed_words(job.seed))
    function(*arguments, np.zeros(0, np.int64), checkpoints, tally, control)  # compiles, or loads what is compiled
    begun = perf_counter()
    with payments_named(world.rewards, law):
        function(*arguments, np.array(replicates, np.int64), checkpoints, tally, control)
    check_arms(tally, type(job.algorithm).__name__)
    return tally, perf_counter() - begun


def _play(job: Job, replicates: Sequence[int], threads: int, control: Control) -> list[Finished]:
    params = job.params()
    exchanges = sum(row_bytes(box) > 0 for box in boxes(params))
    outcomes: list[Finished] = []
    if job.wanted.observe:
        for x, replicate in enumerate(replicates):
            own = alone(control)
            tally, states, seconds = play_observed(job, job.wanted, replicate, own)
            control.done[x] = own.done[0]
            if own.done[0]:
                outcomes.append(_finished(job, exchanges, replicate, tally, 0, seconds, states))
    else:
        tally, seconds = _rounds(job, params, replicates, job.checkpoints, threads, control)
        seconds /= max(1, int(control.done.sum()))
        for x, replicate in enumerate(replicates):
            if control.done[x]:
                outcomes.append(_finished(job, exchanges, replicate, tally, x, seconds, {}))
    return outcomes


def _finished(
    job: Job,
    exchanges: int,
    replicate: int,
    tally: Tally,
    x: int,
    seconds: float,
    more: dict[str, NDArray[Any]],
) -> Finished:
    """Row x of the tally as a replicate, with what it is asked for; each message is sent in so many exchanges."""
    if "agent_pulls" in job._more:
        more["agent_pulls"] = tally.agent_pulls[x]
    if "realised" in job._more:
        more["realised"], more["offered"] = tally.realised[x], offered(job, replicate)
    if "lost" in job._more:
        more["lost"] = tally.lost[x]
    return Finished(
        replicate,
        tally.pulls[x],
        tally.team_pulls[x],
        int(tally.sent[x]) * exchanges,
        int(tally.bytes[x]),
        seconds,
        int(tally.verified[x]),
        tally.spent[x],
        tally.decisions[x],
        tally.decided_at[x],
        more,
    )
