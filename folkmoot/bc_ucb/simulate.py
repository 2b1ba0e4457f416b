"""Replicates of a game on a chain, in one loop or by state machines on a network, as a result."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.bc_ucb import ideal
from folkmoot.bc_ucb.algorithm import BCUCB
from folkmoot.bc_ucb.attacks import Attack
from folkmoot.bc_ucb.contract import NONE, ONE
from folkmoot.bc_ucb.job import ChainJob, make_chain_job
from folkmoot.bc_ucb.result import ChainResult
from folkmoot.bc_ucb.tally import GameTally, blank_tally
from folkmoot.coins import seed_words
from folkmoot.ledger.store import file_name
from folkmoot.simulation.compiled import compiled
from folkmoot.simulation.progress import Progress
from folkmoot.simulation.simulate import kind, whole
from folkmoot.simulation.threads import in_threads
from folkmoot.world.rewards import Rewards

if TYPE_CHECKING:
    from folkmoot.simulation.network import Faults


class Finished(NamedTuple):
    """One replicate."""

    tally: GameTally  # of one replicate
    signatures: int
    messages: int
    bytes: int
    seconds: float


Play = Callable[[int, NDArray[np.int64], NDArray[np.bool_]], Finished | None]


def _by_loop(job: ChainJob, replicate: int, rounds: NDArray[np.int64], stop: NDArray[np.bool_]) -> Finished | None:
    """Played by the loop that takes agreement for granted; None if stopped."""
    tally = blank_tally(1, job.rewards.n_agents, job.rewards.n_arms, len(job.checkpoints))
    records = (job.params, job.terms, job.rewards.record(), job.misbehaviour)
    play: Any = compiled(ideal.play, records) if job.engine == "compiled" else ideal.play
    head, done = (*records, job.malicious, *seed_words(job.seed)), np.zeros(1, np.bool_)
    play(*head, np.zeros(0, np.int64), job.checkpoints, tally, rounds, done, stop)  # compiles, or loads
    begun = perf_counter()
    play(*head, np.array([replicate]), job.checkpoints, tally, rounds, done, stop)
    return Finished(tally, 0, 0, 0, perf_counter() - begun) if done[0] else None


def _ideal(job: ChainJob, given: Mapping[str, object]) -> tuple[Play, dict[str, object]]:
    """How a replicate is played by the loop.

    Raises:
        ValueError: what only the protocol has was given.
    """
    for name, value in given.items():
        if value not in (None, "ideal", "coin"):
            raise ValueError(f"{name}: only with fidelity = 'protocol', this one is 'ideal'")
    return lambda replicate, rounds, stop: _by_loop(job, replicate, rounds, stop), {"fidelity": "ideal"}


def _protocol(
    job: ChainJob, replicates: int, faults: "Faults | None", comparison: str, sortition: str, ledger: str | Path | None
) -> tuple[Play, dict[str, object]]:
    """How a replicate is played by state machines, and what to note in the configuration.

    Raises:
        ValueError: an unknown comparison or sortition, no faults, a ledger that exists or is for several replicates.
    """
    from folkmoot.bc_ucb import protocol
    from folkmoot.simulation.network import Faults

    allowed = {"private_comparison": ("ideal", "pairwise", "mpyc"), "sortition": ("coin", "vrf")}
    for name, given in (("private_comparison", comparison), ("sortition", sortition)):
        if given not in allowed[name]:
            raise ValueError(f"{name} = {given!r}: allowed are {', '.join(map(repr, allowed[name]))}")
    if faults is not None and not isinstance(faults, Faults):
        raise ValueError(f"faults = {kind(faults)}: expected folkmoot.Faults(drop=0.1, ...)")
    if ledger is not None and replicates > 1:
        raise ValueError(f"ledger: holds the chain of one replicate, got replicates = {replicates}")
    if ledger is not None and file_name(ledger).exists():
        raise ValueError(f"ledger {ledger}: exists; choose another file")
    game = protocol.Game(
        params=job.params,
        terms=job.terms,
        rewards=job.rewards.record(),
        attack=job.misbehaviour,
        malicious=job.malicious,
        seed=job.seed,
        checkpoints=job.checkpoints,
        faults=faults,
        private_comparison=comparison,  # type: ignore[arg-type]
        sortition=sortition,  # type: ignore[arg-type]
        ledger_path=ledger,
    )

    def play(replicate: int, rounds: NDArray[np.int64], stop: NDArray[np.bool_]) -> Finished | None:
        def tell(done: int) -> None:
            rounds[0] = done

        begun = perf_counter()
        played = protocol.play(game, replicate, stop, tell)
        if stop[0]:
            return None
        return Finished(played.tally, played.signatures, played.messages, played.bytes, perf_counter() - begun)

    noted = {"fidelity": "protocol", "private_comparison": comparison, "sortition": sortition}
    return play, {**noted, "faults": None if faults is None else faults.model_dump(mode="json")}


def _merged(job: ChainJob, finished: Sequence[Finished], configuration: dict[str, object]) -> ChainResult:
    """Replicates in the order of their numbers, as a result."""
    tally = GameTally(*(np.concatenate(column) for column in zip(*(one.tally for one in finished), strict=True)))
    shape = (len(finished), job.rewards.n_agents)
    estimates = np.where(tally.estimates == NONE, np.nan, tally.estimates / ONE)
    return ChainResult(
        name=job.algorithm.label,
        configuration={**job.configuration(), **configuration, "replicates": list(range(len(finished)))},
        checkpoints=job.checkpoints,
        gaps=job.rewards.gaps,
        team_pulls=tally.paid + tally.unpaid,
        pulls=tally.pulls,
        messages=np.array([one.messages for one in finished], np.int64),
        bytes=np.array([one.bytes for one in finished], np.int64),
        seconds=np.array([one.seconds for one in finished]),
        verified=np.zeros(len(finished), np.int64),
        corruption_spent_per_arm=np.zeros((len(finished), job.rewards.n_arms)),
        decisions=np.full(shape, -1),
        decided_at=np.zeros(shape, np.int64),
        paid=tally.paid,
        entered=tally.entered,
        approved_so_far=tally.approved,
        estimates=estimates,
        trust=tally.units / tally.units.sum(axis=1, keepdims=True),
        validators=tally.validators,
        signatures=np.array([one.signatures for one in finished], np.int64),
    )


def _played(play: Play, replicates: int, jobs: int, tell: Callable[[int], None]) -> list[Finished]:
    """All replicates, in the order of their numbers; on KeyboardInterrupt those that run stop after their round."""
    stop = np.zeros(1, np.bool_)
    rounds = [np.zeros(1, np.int64) for _ in range(replicates)]
    found: dict[int, Finished] = {}

    def task(replicate: int) -> None:
        finished = play(replicate, rounds[replicate], stop)
        if finished is not None:
            found[replicate] = finished

    tasks = (partial(task, replicate) for replicate in range(replicates))
    for _ in in_threads(tasks, jobs, stop, lambda: tell(sum(int(done[0]) for done in rounds))):
        pass
    return [found[replicate] for replicate in sorted(found)]


def simulate_chain(
    algorithm: BCUCB,
    rewards: Rewards,
    *,
    horizon: int,
    malicious: Iterable[int] = (),
    attack: Attack | None = None,
    expected_validators: int | None = None,
    fidelity: Literal["ideal", "protocol"] = "ideal",
    faults: "Faults | None" = None,
    private_comparison: Literal["ideal", "pairwise", "mpyc"] = "ideal",
    sortition: Literal["coin", "vrf"] = "coin",
    ledger: str | Path | None = None,
    replicates: int = 1,
    seed: int = 0,
    checkpoints: Sequence[int] | NDArray[np.int64] | None = None,
    engine: Literal["compiled", "interpreted"] = "compiled",
    jobs: int = 1,
    progress: bool = True,
) -> ChainResult:
    """Let participants of whom some lie play a bandit on a chain.

    Same seed, same result, for any `jobs` or `engine`; on a network without faults where at most the algorithm's
    `faulty` participants lie, also for either fidelity.

    Args:
        algorithm: what an honest participant thinks.
        rewards: what arms pay, from 0 to 1, the same means for all M participants.
        horizon, replicates, seed, checkpoints, engine, jobs, progress: as of `simulate`; more rounds than the burn-in.
        malicious: numbers of the participants that lie, at most a third; agreement and trimming stand `faulty` of them.
        attack: how they lie; None: they only count as malicious.
        expected_validators: M_V, units of trust drawn a round, from 1 to 2 M; None is M.
        fidelity: "ideal": one loop in which signatures cannot be forged and messages arrive; "protocol": every
            participant a state machine on a network, with real signatures, blocks and votes. Protocol only are:
        faults: what that network does; None: nothing bad.
        private_comparison: how pull counts are compared.
        sortition: "coin", a public coin that both fidelities share, or "vrf", verifiable random functions.
        ledger: a file that gets the chain of the one replicate; it must not exist.

    Returns:
        A result with `approved`, `blocks`, `signatures`, validated `estimates` and `trust` beside the rest; its regret
        is that of honest participants.

    Raises:
        ValueError: an argument is out of its range, they do not fit together, or an extra is not installed.
        folkmoot.ledger.NotStored: the ledger cannot be made, or the disk is full; the blocks in it stay valid.
    """
    job = make_chain_job(
        algorithm,
        rewards,
        horizon=horizon,
        malicious=malicious,
        attack=attack,
        expected_validators=expected_validators,
        seed=seed,
        checkpoints=checkpoints,
        engine=engine,
    )
    replicates = whole("replicates", replicates)
    jobs = whole("jobs", jobs)
    if fidelity not in ("ideal", "protocol"):
        raise ValueError(f"fidelity = {fidelity!r}: allowed are 'ideal' and 'protocol'")
    if fidelity == "protocol":
        play, noted = _protocol(job, replicates, faults, private_comparison, sortition, ledger)
    else:
        given = {"faults": faults, "private_comparison": private_comparison, "sortition": sortition, "ledger": ledger}
        play, noted = _ideal(job, given)
    with Progress(progress) as bar:
        finished = _played(play, replicates, jobs, bar.line(algorithm.label, job.horizon * replicates))
    return _merged(job, finished, noted)
