"""What consortia came to: accuracy against the iteration, whose samples became what, who is protected."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import DamagedFile
from folkmoot.simulation.result import student_interval
from folkmoot.simulation.saved import Saved, provenance


@dataclass(frozen=True, eq=False, repr=False)
class ConsortiumResult(Saved):
    """One consortium over several replicates, each with another division, training and game.

    Attributes:
        name: what a legend calls it.
        configuration: everything that was chosen, as plain values; `parties` and `verdicts` name the axes below.
        accuracy: float64 [replicates, 1 + iterations], share of the test samples that are told right; the first is
            before calibration.
        per_class: float64 [replicates, 1 + iterations, classes], the same of the samples of a class.
        verdicts: int64 [replicates, parties, verdicts], what became of the samples that a party sent.
        protection: int64 [replicates, classes], how many lying models the predictor tolerates at the end.
        admitted: bool [replicates, parties].
        seconds: float64 [replicates], wall time with training and measuring.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = ("accuracy", "per_class", "verdicts", "protection", "admitted", "seconds")
    FORMS: ClassVar[Mapping[str, str]] = {
        "accuracy": "float64 [r, i] from 0",
        "per_class": "float64 [r, i, k], may be NaN",
        "verdicts": "int64 [r, p, v] from 0",
        "protection": "int64 [r, k]",
        "admitted": "bool [r, p]",
        "seconds": "float64 [r] from 0",
    }
    KIND: ClassVar[str] = "consortium"

    name: str
    configuration: dict[str, Any]
    accuracy: NDArray[np.float64]
    per_class: NDArray[np.float64]
    verdicts: NDArray[np.int64]
    protection: NDArray[np.int64]
    admitted: NDArray[np.bool_]
    seconds: NDArray[np.float64]
    provenance: dict[str, str] = field(default_factory=lambda: provenance(("scikit-learn",)))

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return len(self.accuracy)

    @property
    def iterations(self) -> int:
        """Of the calibration."""
        return int(self.accuracy.shape[1]) - 1

    @property
    def accepted(self) -> NDArray[np.int64]:
        """int64 [replicates]: samples that moved models."""
        return np.asarray(self.verdicts[:, :, 0].sum(axis=1))

    @property
    def refused(self) -> NDArray[np.int64]:
        """int64 [replicates]: samples that did not."""
        return np.asarray(self.verdicts[:, :, 1:].sum(axis=(1, 2)))

    def summary(self) -> dict[str, Any]:
        """Accuracy before and after (mean, 95 % Student interval), samples, least protection of a class, speed."""
        before, after = self.accuracy[:, 0], self.accuracy[:, -1]
        mean, half = (float(value) for value in student_interval(after))
        gain, gain_half = (float(value) for value in student_interval(after - before))
        return {
            "name": self.name,
            "parties": int(self.verdicts.shape[1]),
            "classes": int(self.per_class.shape[2]),
            "iterations": self.iterations,
            "replicates": self.replicates,
            "accuracy_before_mean": float(before.mean()),
            "accuracy_mean": mean,
            "accuracy_low": mean - half,
            "accuracy_high": mean + half,
            "gain_mean": gain,
            "gain_low": gain - gain_half,
            "gain_high": gain + gain_half,
            "accepted": float(self.accepted.mean()),
            "refused": float(self.refused.mean()),
            "least_protection": int(self.protection.min()),
            "wall_seconds": float(self.seconds.sum()),
        }


def check_told(by_sender: Any, admitted: Any, refusals: Any) -> None:
    """See that these are what a row says of senders and newcomers.

    Raises:
        DamagedFile: they are not.
    """
    for name, counts in by_sender.items():
        if not isinstance(counts, dict) or not all(type(n) is int and 0 <= n < 1 << 63 for n in counts.values()):
            raise DamagedFile(f"by_sender: {name}: expected how many samples for each verdict")
    if not all(isinstance(name, str) for name in (*admitted, *refusals.values())):
        raise DamagedFile("admitted, refusals: expected names and reasons")
