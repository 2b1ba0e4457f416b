"""A game on a chain as something that is played many times: its key, how a replicate is played, what is collected."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from folkmoot.bc_ucb import ideal
from folkmoot.bc_ucb.contract import NO_ESTIMATE, ONE, REWARD
from folkmoot.bc_ucb.job import ChainJob
from folkmoot.bc_ucb.result import ChainResult
from folkmoot.bc_ucb.tally import GameTally, blank_tally
from folkmoot.coins import seed_words
from folkmoot.comparison.session import MOST_ARMS
from folkmoot.errors import brief, kind
from folkmoot.files import growing_beside, take_place
from folkmoot.ledger.store import file_name
from folkmoot.simulation.cells import key_of
from folkmoot.simulation.compiled import compiled
from folkmoot.simulation.engine import Control
from folkmoot.simulation.rows import check_fields, pack, unpack

if TYPE_CHECKING:
    from folkmoot.simulation.network import Faults

_ALLOWED = {
    "fidelity": ("ideal", "protocol"),
    "private_comparison": ("ideal", "pairwise", "mpyc"),
    "sortition": ("coin", "vrf"),
    "disclosure": ("open", "validators"),
    "evidence": ("note", "exclude"),
}
_COUNTS = {"replicate": int, "signatures": int, "messages": int, "bytes": int, "seconds": float}


class Finished(NamedTuple):
    """One finished replicate."""

    replicate: int
    tally: GameTally  # with one row
    signatures: int
    messages: int
    bytes: int
    seconds: float


@dataclass(frozen=True)
class ChainGame:
    """A checked game and how it is played.

    Attributes:
        job: who plays, for what, how long.
        fidelity, faults, private_comparison, sortition, ledger, disclosure, evidence, environment: of `simulate_chain`.
        anew: may the ledger be there already? It is then written beside it, and takes its place once it is complete.

    Raises:
        ValueError: a value that is not allowed, or what only the protocol has beside fidelity "ideal".
    """

    job: ChainJob
    fidelity: str = "ideal"
    faults: "Faults | None" = None
    private_comparison: str = "ideal"
    sortition: str = "coin"
    ledger: str | os.PathLike[str] | None = None
    anew: bool = False
    disclosure: str = "open"
    evidence: str = "note"
    environment: bool = False

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            value = getattr(self, name)
            joined = " and " if name == "fidelity" else ", "
            if not isinstance(value, str) or value not in allowed:
                raise ValueError(f"{name} = {brief(value)}: allowed are {joined.join(map(repr, allowed))}")
        if type(self.environment) is not bool:
            raise ValueError(f"environment = {brief(self.environment)}: expected True or False")
        if self.job.terms.trust == REWARD and not self.environment:
            raise ValueError("trust = 'reward': needs environment = True; without it rewards are only claims")
        arms, how = self.job.terms.n_arms, self.private_comparison
        if how != "ideal" and arms > MOST_ARMS:
            raise ValueError(f"private_comparison = {how!r}: at most {MOST_ARMS} arms are compared, these are {arms}")
        if self.fidelity == "ideal":
            for name in ("faults", "private_comparison", "sortition", "disclosure", "ledger"):
                if getattr(self, name) not in (None, "ideal", "coin", "open"):
                    raise ValueError(f"{name}: only with fidelity = 'protocol', this one is 'ideal'")
            if self.evidence == "exclude" and self.job.attack.deliver != "all":
                how = f"with an attack that delivers to {self.job.attack.deliver!r}"
                raise ValueError(f"evidence = 'exclude' {how} needs fidelity = 'protocol', this one is 'ideal'")
            return
        from folkmoot.simulation.network import Faults

        if self.faults is not None and not isinstance(self.faults, Faults):
            raise ValueError(f"faults = {kind(self.faults)}: expected folkmoot.Faults(drop=0.1, ...)")
        if self.ledger is not None and file_name(self.ledger).exists() and not self.anew:
            raise ValueError(f"ledger {self.ledger}: exists; choose another file")

    @property
    def label(self) -> str:
        """The algorithm's."""
        return self.job.algorithm.label

    @property
    def rounds(self) -> int:
        """The horizon."""
        return self.job.horizon

    @property
    def own_process(self) -> bool:
        """Participants share a process."""
        return False

    def alone(self, workers: int) -> bool:
        """A replicate keeps one worker busy."""
        return False

    def batches(self, replicates: Sequence[int], workers: int) -> list[Sequence[int]]:
        """One by one."""
        return [[replicate] for replicate in replicates]

    def configuration(self) -> dict[str, Any]:
        """As plain values, for provenance and for telling games apart."""
        how: dict[str, Any] = {"fidelity": self.fidelity, "environment": self.environment}
        if self.fidelity == "protocol":
            faults = None if self.faults is None else self.faults.model_dump(mode="json")
            how |= {"private_comparison": self.private_comparison, "sortition": self.sortition, "faults": faults}
            if self.disclosure != "open":  # results of before have no such key
                how["disclosure"] = self.disclosure
        if self.evidence != "note":
            how["evidence"] = self.evidence
        return {**self.job.configuration(), **how}

    def key(self) -> str:
        """What a row of the log belongs to."""
        job = self.job
        told = {
            "chain": self.configuration(),
            "checkpoints": job.checkpoints.tolist(),
            "ledger": self.ledger is not None,
        }
        return key_of(told, (job.params, job.terms, job.rewards.record(), job.misbehaviour, job.malicious))

    def play(self, replicates: Sequence[int], control: Control, threads: int) -> list[Finished]:
        """Play these in this thread; those finished when `control.stop` was set."""
        play = self._by_loop if self.fidelity == "ideal" else self._by_machines
        found = (play(replicate, control) for replicate in replicates)
        return [finished for finished in found if finished is not None]

    def _by_loop(self, replicate: int, control: Control) -> Finished | None:
        """Played by the loop that takes agreement for granted; None if stopped."""
        job = self.job
        tally = blank_tally(1, job.rewards.n_agents, job.rewards.n_arms, len(job.checkpoints))
        attack = job.misbehaviour._replace(signed=self.environment)
        records = (job.params, job.terms, job.rewards.record(), attack)
        play: Any = compiled(ideal.play, ideal.rounds, records) if job.engine == "compiled" else ideal.play
        excludes = self.evidence == "exclude"
        head, done = (*records, job.malicious, excludes, *seed_words(job.seed)), np.zeros(1, np.bool_)
        tail = (tally, control.rounds, done, control.stop)
        play(*head, np.zeros(0, np.int64), job.checkpoints, *tail)  # compiles, or loads
        begun = perf_counter()
        play(*head, np.array([replicate]), job.checkpoints, *tail)
        return Finished(replicate, tally, 0, 0, 0, perf_counter() - begun) if done[0] else None

    def _by_machines(self, replicate: int, control: Control) -> Finished | None:
        """Played by state machines on a network; None if stopped."""
        from folkmoot.bc_ucb import protocol

        job, written = self.job, self._written()
        game = protocol.Game(
            params=job.params,
            terms=job.terms,
            rewards=job.rewards.record(),
            attack=job.misbehaviour,
            malicious=job.malicious,
            seed=job.seed,
            checkpoints=job.checkpoints,
            faults=self.faults,
            private_comparison=self.private_comparison,  # type: ignore[arg-type]
            sortition=self.sortition,  # type: ignore[arg-type]
            disclosure=self.disclosure,  # type: ignore[arg-type]
            evidence=self.evidence,  # type: ignore[arg-type]
            ledger_path=written,
            environment=self.environment,
        )
        before = int(control.rounds[0])

        def tell(done: int) -> None:
            control.rounds[0] = before + done

        begun = perf_counter()
        played = protocol.play(game, replicate, control.stop, tell)
        seconds = perf_counter() - begun
        if control.stop[0]:
            return None
        if written is not None and self.ledger is not None and self.anew:
            take_place(Path(written), Path(self.ledger))
        return Finished(replicate, played.tally, played.signatures, played.messages, played.bytes, seconds)

    def _written(self) -> str | os.PathLike[str] | None:
        """The file a replicate's blocks are appended to; what a broken-off game has left there is removed."""
        if self.ledger is None or not self.anew:
            return self.ledger
        return growing_beside(file_name(self.ledger))

    def encode(self, outcome: Finished) -> dict[str, Any]:
        """A finished replicate as a row of the log."""
        counts = {name: getattr(outcome, name) for name in _COUNTS if name != "replicate"}
        return {**counts, **{name: pack(array) for name, array in outcome.tally._asdict().items()}}

    def decode(self, row: Mapping[str, Any]) -> Finished:
        """A row of the log as the replicate that it was. Raises DamagedFile if it is none."""
        blank = blank_tally(1, self.job.rewards.n_agents, self.job.rewards.n_arms, len(self.job.checkpoints))
        check_fields(row, _COUNTS, blank._fields)
        tally = GameTally(*(unpack(row[n], array.dtype, array.shape) for n, array in blank._asdict().items()))
        return Finished(row["replicate"], tally, row["signatures"], row["messages"], row["bytes"], row["seconds"])

    def collect(self, outcomes: Sequence[Finished], name: str | None = None) -> ChainResult:
        """Finished replicates, in the order of their numbers, as a result."""
        job, found = self.job, sorted(outcomes, key=lambda one: one.replicate)
        tally = GameTally(*(np.concatenate(column) for column in zip(*(one.tally for one in found), strict=True)))
        shape = (len(found), job.rewards.n_agents)
        units = np.where(tally.proven == 1, 0, tally.units) if self.evidence == "exclude" else tally.units
        return ChainResult(
            name=name or self.label,
            configuration={**self.configuration(), "replicates": [one.replicate for one in found]},
            checkpoints=job.checkpoints,
            gaps=job.rewards.gaps,
            team_pulls=tally.paid + tally.unpaid,
            pulls=tally.pulls,
            messages=np.array([one.messages for one in found], np.int64),
            bytes=np.array([one.bytes for one in found], np.int64),
            seconds=np.array([one.seconds for one in found]),
            verified=np.zeros(len(found), np.int64),
            corruption_spent_per_arm=np.zeros((len(found), job.rewards.n_arms)),
            decisions=np.full(shape, -1),
            decided_at=np.zeros(shape, np.int64),
            paid=tally.paid,
            entered=tally.entered,
            approved_so_far=tally.approved,
            estimates=np.where(tally.estimates == NO_ESTIMATE, np.nan, tally.estimates / ONE),
            trust=units / units.sum(axis=1, keepdims=True),
            validators=tally.validators,
            signatures=np.array([one.signatures for one in found], np.int64),
            included=tally.included,
            proven=tally.proven,
        )
