"""A consortium as something that is played many times: divide, train, lie, calibrate, measure."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.files import growing_beside, take_place
from folkmoot.ledger.contents import ENDING
from folkmoot.ledger.store import file_name
from folkmoot.multiparty.consortium import Consortium
from folkmoot.multiparty.games.data import Data, Samples
from folkmoot.multiparty.games.division import Division
from folkmoot.multiparty.games.liars import Liars
from folkmoot.multiparty.games.result import ConsortiumResult, check_told
from folkmoot.multiparty.games.training import Training
from folkmoot.multiparty.games.watch import overall, threads_of_torch, watch
from folkmoot.multiparty.one_step_hmr import OneStepHMR
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.together import Together
from folkmoot.simulation.cells import key_of
from folkmoot.simulation.engine import Control
from folkmoot.simulation.rows import check_fields, pack, unpack

DATA, TRAINING, CONSORTIUM = range(3)  # what a generator of a replicate is for
_PLAIN = {"replicate": int, "by_sender": dict, "admitted": list, "refusals": dict, "seconds": float}


class Finished(NamedTuple):
    """One finished replicate."""

    replicate: int
    accuracy: NDArray[np.float64]  # [looks]
    per_class: NDArray[np.float64]  # [looks, classes]
    protection: NDArray[np.int64]  # [classes]
    by_sender: dict[str, dict[str, int]]
    admitted: list[str]  # names, in the order of admission
    refusals: dict[str, str]  # name -> why it was not admitted
    seconds: float


@dataclass(frozen=True)
class ConsortiumGame:
    """A consortium and what it is tried on, checked.

    Attributes:
        data, division: what there is, and who has what.
        models: kinds, taken in turn by the parties.
        terms: the settings of `Consortium` (or of `OneStepHMR`, which knows fewer).
        liars: who lies; None: nobody.
        method: "bema", or "one_step_hmr", BEMA's reading of HMR with a trusted server.
        regular: numbers of the parties that join later; all others are original.
        iterations, samples_per_iteration, searches: see `Together.calibrate`.
        seed: of everything; replicate r depends on (seed, r) only.
        ledger: a file for the chain of the one replicate; it takes its place once it is complete.
        predictor: how the models are put together; None: as `Consortium` or `OneStepHMR` does.

    Raises:
        ValueError: they do not fit together.
    """

    data: Data
    division: Division
    models: tuple[Training, ...]
    terms: dict[str, Any] = field(default_factory=dict)
    liars: Liars | None = None
    method: str = "bema"
    regular: tuple[int, ...] = ()
    iterations: int = 10
    samples_per_iteration: int = 50
    searches: int = 4
    seed: int = 0
    ledger: str | os.PathLike[str] | None = None
    predictor: str | None = None

    def __post_init__(self) -> None:
        n = len(self.division.classes_of(self.data.n_classes))
        if self.liars is not None:
            self.liars.numbers(n)
        for number in self.regular:
            if not 0 <= number < n:
                raise ValueError(f"regular: party {number}: expected numbers from 0 to {n - 1}")
        if len(set(self.regular)) < len(self.regular):
            raise ValueError(f"regular = {list(self.regular)}: one is given twice")
        if len(self.regular) == n:
            raise ValueError("regular: all parties are; a chain begins with at least one original party")
        if self.method == "one_step_hmr" and (self.regular or self.ledger is not None):
            raise ValueError("method = 'one_step_hmr': knows neither regular parties nor a ledger")
        if not self.data.images and any(model.torch for model in self.models):
            raise ValueError("models: these networks take images of 28x28; with these data expected softmax or svm")
        if self.own_process and find_spec("torch") is None:
            raise ValueError("models: this kind needs torch: pip install 'folkmoot[multiparty]'")

    @property
    def label(self) -> str:
        """The method."""
        return "one-step HMR" if self.method == "one_step_hmr" else "BEMA"

    @property
    def rounds(self) -> int:
        """The iterations."""
        return self.iterations

    @property
    def own_process(self) -> bool:
        """PyTorch draws from one generator of the whole process."""
        return any(model.torch for model in self.models)

    def alone(self, workers: int) -> bool:
        """A replicate keeps one worker busy."""
        return False

    def batches(self, replicates: Sequence[int], workers: int) -> list[Sequence[int]]:
        """One by one."""
        return [[replicate] for replicate in replicates]

    def configuration(self) -> dict[str, Any]:
        """As plain values, for provenance and for telling games apart."""
        return {
            "method": self.method,
            "data": self.data.describe(),
            "division": self.division.describe(),
            "classes": [list(classes) for classes in self.division.classes_of(self.data.n_classes)],
            "models": [model.describe() for model in self.models],
            "attack": None if self.liars is None else self.liars.describe(),
            "regular": list(self.regular),
            "terms": dict(self.terms),
            "predictor": self.predictor or (OneStepHMR if self.method == "one_step_hmr" else Consortium).DEFAULT,
            "iterations": self.iterations,
            "samples_per_iteration": self.samples_per_iteration,
            "searches": self.searches,
            "seed": self.seed,
        }

    def key(self) -> str:
        """What a row of the log belongs to."""
        packages = ["numpy", "scikit-learn", *(["torch"] if self.own_process else [])]
        told = {"consortium": self.configuration(), "ledger": self.ledger is not None}
        return key_of(told, (), packages)

    def _generator(self, replicate: int, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, replicate, purpose])

    def _parties(self, samples: Samples, replicate: int) -> list[Party]:
        """Trained, honest or not."""
        dice = self._generator(replicate, TRAINING)
        classes = self.division.classes_of(self.data.n_classes)
        parties = []
        for i, numbers in enumerate(self.division.divide(samples.y, self.data.n_classes, dice)):
            x, y = samples.x[numbers], samples.y[numbers]
            training = self.models[i % len(self.models)]
            model = training.train(x, y, classes[i], int(dice.integers(1 << 31)))
            parties.append(Party(f"party {i}", model, x, y, "regular" if i in self.regular else "original"))
        return parties if self.liars is None else self.liars.corrupted(parties)

    def play(self, replicates: Sequence[int], control: Control, threads: int) -> list[Finished]:
        """Play these in this thread; those finished when `control.stop` was set."""
        before = threads_of_torch(1) if self.own_process else 0
        try:
            found = (self._play(replicate, control) for replicate in replicates)
            return [finished for finished in found if finished is not None]
        finally:
            if self.own_process:
                threads_of_torch(before)

    def _play(self, replicate: int, control: Control) -> Finished | None:
        begun, samples = perf_counter(), self.data.load(self._generator(replicate, DATA))
        parties = self._parties(samples, replicate)
        if control.stop[0]:
            return None
        seed = int(self._generator(replicate, CONSORTIUM).integers(1 << 62))
        settings = {"seed": seed, "n_classes": self.data.n_classes, "predictor": self.predictor, **self.terms}
        written = None if self.ledger is None else self._written()
        if self.method == "one_step_hmr":
            together: Together = OneStepHMR(parties, **settings)
        else:
            together = Consortium(parties, written, keys="derived", **settings)
        x, y, at = samples.test_x, samples.test_y, range(self.iterations + 1)
        seen = watch(together, x, y, at, self.samples_per_iteration, control, self.searches)
        if isinstance(together, Consortium):
            together.close()
        if seen is None:
            return None
        if written is not None and self.ledger is not None:
            take_place(written, file_name(self.ledger), (ENDING, ""))
        per_class = seen.own
        protection = np.array(list(together.protection().values()), np.int64)
        admitted = [party.name for party in together.parties]
        refusals = {r.name: r.reason for r in getattr(together, "registrations", []) if not r.admitted}
        spent = perf_counter() - begun
        accuracy = overall(per_class, y)
        return Finished(replicate, accuracy, per_class, protection, seen.by_sender, admitted, refusals, spent)

    def _written(self) -> Path:
        """The file the chain is written to; what a broken-off game has left there is removed."""
        assert self.ledger is not None
        return growing_beside(file_name(self.ledger))

    def encode(self, outcome: Finished) -> dict[str, Any]:
        """A finished replicate as a row of the log."""
        plain = {name: getattr(outcome, name) for name in _PLAIN if name != "replicate"}
        arrays = {name: pack(getattr(outcome, name)) for name in ("accuracy", "per_class", "protection")}
        return {**plain, **arrays}

    def decode(self, row: Mapping[str, Any]) -> Finished:
        """A row of the log as the replicate that it was. Raises DamagedFile if it is none."""
        check_fields(row, _PLAIN, ("accuracy", "per_class", "protection"))
        check_told(row["by_sender"], row["admitted"], row["refusals"])
        looks, c = self.iterations + 1, self.data.n_classes
        return Finished(
            row["replicate"],
            unpack(row["accuracy"], np.float64, (looks,)),
            unpack(row["per_class"], np.float64, (looks, c)),
            unpack(row["protection"], np.int64, (c,)),
            row["by_sender"],
            row["admitted"],
            row["refusals"],
            row["seconds"],
        )

    def collect(self, outcomes: Sequence[Finished], name: str | None = None) -> ConsortiumResult:
        """Finished replicates, in the order of their numbers, as a result."""
        found = sorted(outcomes, key=lambda one: one.replicate)
        names = [f"party {i}" for i in range(len(self.division.classes_of(self.data.n_classes)))]
        told = [one.by_sender.get(party, {}) for one in found for party in names]
        reasons = ["", *sorted({reason for counts in told for reason in counts} - {""})]
        verdicts = np.array([[counts.get(reason, 0) for reason in reasons] for counts in told], np.int64)
        return ConsortiumResult(
            name=name or self.label,
            configuration={
                **self.configuration(),
                "parties": names,
                "verdicts": ["accepted", *reasons[1:]],
                "refusals": [one.refusals for one in found],
                "replicates": [one.replicate for one in found],
            },
            accuracy=np.stack([one.accuracy for one in found]),
            per_class=np.stack([one.per_class for one in found]),
            verdicts=verdicts.reshape(len(found), len(names), len(reasons)),
            protection=np.stack([one.protection for one in found]),
            admitted=np.array([[party in one.admitted for party in names] for one in found]),
            seconds=np.array([one.seconds for one in found]),
        )
