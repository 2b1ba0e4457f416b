"""A party: a name, a model, and its own data, which it looks through for samples worth sending."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from folkmoot.multiparty.models.model import Model
from folkmoot.multiparty.rules.margin import Integers, Margins
from folkmoot.multiparty.rules.sample import Proposal, View

ORIGINAL, REGULAR = "original", "regular"
LEAST_AT_ONCE, MOST_AT_ONCE = 16, 256  # samples a party scores in one go while it mines
LOOKS = 4  # samples looked at in one search for each that is wanted: most searches find little, and that is soon known
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}")


@dataclass(frozen=True)
class Party:
    """One that takes part.

    Attributes:
        name: 1 to 64 letters, digits, spaces, _, . and -.
        model: trained by the party on its own data.
        x: the party's own samples, [samples, *shape]; kept as float32. They leave the party only one by one, as
            calibration samples (then everybody sees them).
        y: their labels, [samples], of the model's classes.
        kind: "original" begins the chain and is trusted to approve others; "regular" is not trusted.
        key: 32 bytes, the seed of its signing key; made from the name and the consortium's seed if None, which will
            do where all parties are played by one program.

    Raises:
        ValueError: a name, kind or key of another form; samples that are not finite or as many as labels; a label the
            model does not claim.
    """

    name: str
    model: Model
    x: NDArray[np.floating]
    y: NDArray[np.integer]
    kind: Literal["original", "regular"] = "original"
    key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if type(self.name) is not str or not _NAME.fullmatch(self.name):
            raise ValueError(f"name = {self.name!r:.80}: expected 1 to 64 letters, digits, spaces, _, . and -")
        if self.kind not in (ORIGINAL, REGULAR):
            raise ValueError(f"party {self.name}: kind = {self.kind!r:.40}: expected 'original' or 'regular'")
        if not isinstance(self.model, Model):
            raise ValueError(f"party {self.name}: model of type {type(self.model).__name__}: expected a TorchModel, "
                             "a SklearnModel or a class with the members of folkmoot.multiparty.Model")  # fmt: skip
        if self.key is not None and (type(self.key) is not bytes or len(self.key) != 32):
            raise ValueError(f"party {self.name}: key: expected 32 bytes")
        x, y = np.asarray(self.x), np.asarray(self.y)
        if x.ndim < 2 or x.dtype.kind not in "fiub" or y.shape != x.shape[:1] or y.dtype.kind not in "iu":
            raise ValueError(
                f"party {self.name}: x of shape {x.shape} and y of shape {y.shape}, {y.dtype}: expected numbers "
                "[samples, ...] and integers [samples]"
            )
        if not np.isfinite(x).all():
            raise ValueError(f"party {self.name}: x has numbers that are not finite")
        foreign = sorted(set(np.unique(y).tolist()) - set(self.model.classes))
        if foreign:
            raise ValueError(f"party {self.name}: labels {foreign[:5]} in y: its model has {list(self.model.classes)}")
        object.__setattr__(self, "x", np.ascontiguousarray(x, np.float32))
        object.__setattr__(self, "y", np.ascontiguousarray(y, np.int64))

    def mine(self, view: View, wanted: int, generator: np.random.Generator) -> list[Proposal]:
        """Up to `wanted` own samples with a margin of at most 0, looked for in a random order; none that is spent."""
        found: list[Proposal] = []
        spent = view.spent
        for chosen, margins in self.looked_through(view, wanted, generator):
            for row in np.flatnonzero(margins.value <= 0.0):
                proposal = Proposal(self.x[chosen[row]], int(self.y[chosen[row]]), int(margins.wrong[row]))
                if not (spent and proposal.name in spent):
                    found.append(proposal)
            if len(found) >= wanted:
                break
        return found[:wanted]

    def looked_through(
        self, view: View, wanted: int, generator: np.random.Generator
    ) -> Iterator[tuple[Integers, Margins]]:
        """Own samples, at most 4 for each wanted, in a random order, some at a time: their numbers and margins."""
        order = generator.permutation(len(self.x))[: LOOKS * wanted]
        at_once = min(max(4 * wanted, LEAST_AT_ONCE), MOST_AT_ONCE)
        for start in range(0, len(order), at_once):
            chosen = order[start : start + at_once]
            yield chosen, view.margins(self.x[chosen], self.y[chosen].astype(np.int64))
