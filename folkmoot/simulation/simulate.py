"""One call for one algorithm in one world."""

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from folkmoot.algorithms.base import Algorithm, require_algorithm
from folkmoot.doors import array, flag, plain, whole
from folkmoot.errors import brief, kind
from folkmoot.progress import Progress
from folkmoot.simulation.observing import checked
from folkmoot.simulation.replicates import Job, check_job, default_checkpoints
from folkmoot.simulation.result import Result
from folkmoot.simulation.rows import Finished
from folkmoot.simulation.runner import run_one
from folkmoot.world.corruption import Corruption
from folkmoot.world.feedback import Feedback
from folkmoot.world.liars import Liars
from folkmoot.world.networks import Network
from folkmoot.world.presence import Presence
from folkmoot.world.rewards import Rewards


def checked_checkpoints(checkpoints: Sequence[int] | NDArray[np.int64] | None, horizon: int) -> NDArray[np.int64]:
    """The rounds at which to record; None: about 200, log-spaced.

    Raises:
        ValueError: not increasing whole numbers from 1 on that end at the horizon.
    """
    if checkpoints is None:
        return default_checkpoints(horizon)
    allowed = f"increasing rounds from 1 on that end at the horizon {horizon}"
    rounds: NDArray[np.int64] = array("checkpoints", checkpoints, allowed, "whole").ravel()
    if len(rounds) == 0 or rounds[0] < 1 or rounds[-1] != horizon or (np.diff(rounds) <= 0).any():
        raise ValueError(f"checkpoints = {brief(checkpoints)}: expected {allowed}")
    return rounds


def require_rewards(rewards: object) -> None:
    """Refuse what is no reward law with a ValueError."""
    if not isinstance(rewards, Rewards):
        raise ValueError(f"rewards = {kind(rewards)}: expected a reward law such as folkmoot.Bernoulli(means)")


def make_job(
    algorithm: Algorithm,
    rewards: Rewards,
    network: Network,
    *,
    horizon: int,
    seed: int = 0,
    checkpoints: Sequence[int] | NDArray[np.int64] | None = None,
    engine: str = "compiled",
    corruption: Corruption | None = None,
    verification: int | None = None,
    liars: Liars | None = None,
    presence: Presence | None = None,
    feedback: Feedback | None = None,
    observe: Sequence[str] = (),
    per_agent: bool = False,
    realised: bool = False,
) -> Job:
    """A checked job.

    Raises:
        ValueError: see `simulate`.
    """
    require_algorithm(algorithm)
    require_rewards(rewards)
    if not isinstance(network, Network):
        raise ValueError(f"network = {kind(network)}: expected a network such as folkmoot.Static(graph)")
    if corruption is not None and not isinstance(corruption, Corruption):
        raise ValueError(
            f"corruption = {kind(corruption)}: expected an adversary such as folkmoot.Suppress(budget=100)"
        )
    if liars is not None and not isinstance(liars, Liars):
        raise ValueError(f"liars = {kind(liars)}: expected such as folkmoot.Liars([3, 7], 'promote')")
    if presence is not None and not isinstance(presence, Presence):
        raise ValueError(f"presence = {kind(presence)}: expected one such as folkmoot.Presence(probability=0.9)")
    if feedback is not None and not isinstance(feedback, Feedback):
        raise ValueError(f"feedback = {kind(feedback)}: expected one such as folkmoot.Feedback(delay=10)")
    if not isinstance(engine, str) or engine not in ("compiled", "interpreted"):
        raise ValueError(f"engine = {brief(engine)}: allowed are 'compiled' and 'interpreted'")
    horizon = whole("horizon", horizon)
    rounds = checked_checkpoints(checkpoints, horizon)
    nu = 0 if verification is None else plain(verification, "verification")
    job = Job(
        algorithm, rewards, network, rounds, plain(seed, "seed"), engine, corruption, nu, liars, presence, feedback
    )
    params = check_job(job)
    if realised and rewards.consumed:
        raise ValueError("realised = true: a log that is used up event by event cannot say what other arms paid")
    return replace(
        job, wanted=checked(job.problem(), params, algorithm.label, len(rounds), observe, per_agent, realised)
    )


def simulate(
    algorithm: Algorithm,
    rewards: Rewards,
    network: Network,
    *,
    horizon: int,
    replicates: int = 1,
    seed: int = 0,
    checkpoints: Sequence[int] | NDArray[np.int64] | None = None,
    corruption: Corruption | None = None,
    verification: int | None = None,
    liars: Liars | None = None,
    presence: Presence | None = None,
    feedback: Feedback | None = None,
    observe: Sequence[str] = (),
    per_agent: bool = False,
    realised: bool = False,
    engine: str = "compiled",
    jobs: int = 1,
    progress: bool = True,
    backend: str | None = None,
) -> Result:
    """Let every agent of a network play a bandit, and account for its regret.

    Same seed, same result, for any `jobs`, `backend` or `engine`.

    Args:
        algorithm: what an agent thinks, such as `GSE()`.
        rewards: what arms pay, for n agents.
        network: who can talk to whom, for the same n agents.
        horizon: rounds, at least the number of arms.
        replicates: independent repetitions; replicate r depends on (seed, r) only.
        seed: integer in [0, 2**64).
        checkpoints: rounds at which regret is recorded, increasing, the last the horizon; None: 200, log-spaced.
        corruption: an adversary with a budget that alters what agents see, such as `Suppress(budget=100)`; None: none.
        verification: how many pulls of all agents together may be verified, that is seen as they are; at most
            n_agents * horizon. Only algorithms that ask for it (S1, S2, S3, S3Cert) use it.
        liars: agents whose messages are not true, such as `Liars([3, 7], "promote")`; None: nobody lies. Regret is then
            that of the honest agents.
        presence: who is there in a round, such as `Presence(probability=0.9)`; who is absent does nothing then.
        feedback: when outcomes come, such as `Feedback(delay=10, loss=0.1)`; None: each in the round of its pull.
        observe: names of states of the agents, such as ("gossip", "radius"), to be kept at every checkpoint, in
            `result.observed`. Which there are, the fields of the algorithm's State, an unknown name tells.
        per_agent: keep pulls of each agent at every checkpoint, for `result.regret_of_agents`.
        realised: keep what was really paid, and what each arm would have paid, for `result.realised_regret` and
            `result.hindsight_arm`. That pays every arm to every agent in every round, so it takes longer.
        engine: "compiled", or "interpreted" for reading and debugging (GSE with 16 agents: 377 times slower).
        jobs: workers; replicates run in parallel, or the agents of a round when they are many.
        progress: show on standard error how far it is: a bar on a terminal, a line that changes in a notebook, a line
            now and then elsewhere.
        backend: "dask" or "ray" to run on that cluster.

    Returns:
        The result; `result.regret` is float64 [replicates, checkpoints], summed over agents.

    Raises:
        ValueError: an argument is out of its range, or they do not fit together.
    """
    job = make_job(
        algorithm, rewards, network, horizon=horizon, seed=seed, checkpoints=checkpoints, engine=engine,
        corruption=corruption, verification=verification, liars=liars, presence=presence, feedback=feedback,
        observe=observe, per_agent=per_agent, realised=realised,
    )  # fmt: skip
    replicates, progress = whole("replicates", replicates), flag("progress", progress)
    for remark in algorithm.remarks(job.problem()):
        warnings.warn(remark, stacklevel=2)
    return job.collect(_played(job, replicates, jobs, backend, progress))


def _played(job: Job, replicates: int, jobs: int, backend: str | None, progress: bool) -> list[Finished]:
    """All replicates, as they were finished."""
    outcomes: list[Finished] = []
    with Progress(progress) as bar:
        line = bar.line(job.label, job.rounds * replicates)
        for finished in run_one(job, range(replicates), jobs, backend, line):
            outcomes.extend(finished)
    return outcomes
