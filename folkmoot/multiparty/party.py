"""A party: a name, a model, and its own data, which it looks through for samples worth sending."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from folkmoot.doors import array
from folkmoot.errors import brief
from folkmoot.multiparty.exchange.ballots import Ballot, Recalled
from folkmoot.multiparty.exchange.retraining import Retraining
from folkmoot.multiparty.exchange.revealing import drawn
from folkmoot.multiparty.models.labels import named, numbered
from folkmoot.multiparty.models.model import Floats32, Model
from folkmoot.multiparty.rules.margin import Integers, Margins
from folkmoot.multiparty.rules.sample import Proposal, View
from folkmoot.plurals import plural

ORIGINAL, REGULAR = "original", "regular"
LEAST_AT_ONCE, MOST_AT_ONCE = 16, 256  # samples a party scores in one go while it mines
LOOKS = 4  # samples looked at in one search for each that is wanted: most searches find little, and that is soon known
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}")


def as_numbers(x: Any, what: str) -> NDArray[Any]:
    """An array as it is; of lists, one.

    Raises:
        ValueError: a masked array, or what is no number.
    """
    plain = isinstance(x, np.ndarray) and not isinstance(x, np.ma.MaskedArray) and x.dtype.kind in "fiub"
    return x if plain else array(what, x, "numbers [samples, ...]")


def as_float32(x: NDArray[Any], what: str) -> Floats32:
    """Samples as models take them.

    Raises:
        ValueError: numbers that are not finite, or are not as float32.
    """
    if not np.isfinite(x).all():
        holes = "; for a value that is missing put a number that all agree on, see EstimatorModel(..., missing=-1.0)"
        raise ValueError(f"{what} has numbers that are not finite{holes if np.isnan(x).any() else ''}")
    with np.errstate(over="ignore"):
        found = np.ascontiguousarray(x, np.float32)
    if not np.isfinite(found).all():
        most = float(np.abs(np.asarray(x, np.float64)).max())
        raise ValueError(f"{what} has a number of size {most:g}: float32, which models take, ends at 3.4e+38")
    return found


def _bytes(x: Floats32) -> bytes:
    """The same for samples of the same numbers: there is a 0 below zero, too."""
    return (x + np.float32(0.0)).tobytes()


@dataclass(frozen=True)
class Party:
    """A party of a consortium: its name, its model, and its own samples.

    Attributes:
        name: 1 to 64 letters, digits, spaces, _, . and -.
        model: trained by the party on its own data.
        x: the party's own samples, [samples, *shape]; kept as float32. They leave the party only one by one, as
            calibration samples (then everybody sees them).
        y: their labels, [samples], of the model's classes; names, if the model was made with `labels`. Kept as the
            numbers of the classes: your names stay in your own array.
        kind: "original" begins the chain and is trusted to approve others; "regular" is not trusted.
        key: 32 secret bytes, the seed of its signing key, such as `key_file("mine.key")`; if None, see `Consortium`.
        check: samples [samples, *shape] that the model was not trained on, and their labels: by them the party judges
            the others' models (`screening`). They are never sent, not even if they are among `x` as well.

    Raises:
        ValueError: a name, kind or key of another form; samples that are not finite or as many as labels; a label the
            model does not claim.
    """

    name: str
    model: Model
    x: NDArray[np.floating] = field(repr=False)
    y: NDArray[np.integer] = field(repr=False)
    kind: Literal["original", "regular"] = "original"
    key: bytes | None = field(default=None, repr=False)
    check: tuple[NDArray[np.floating], NDArray[Any]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if type(self.name) is not str or not _NAME.fullmatch(self.name):
            raise ValueError(f"name = {brief(self.name)}: expected 1 to 64 letters, digits, spaces, _, . and -")
        if type(self.kind) is not str or self.kind not in (ORIGINAL, REGULAR):
            raise ValueError(f"party {self.name}: kind = {brief(self.kind)}: expected 'original' or 'regular'")
        if not isinstance(self.model, Model):
            raise ValueError(f"party {self.name}: model of type {type(self.model).__name__}: expected a TorchModel, "
                             "a SklearnModel, an EstimatorModel or a class with the members of Model")  # fmt: skip
        if self.key is not None and (type(self.key) is not bytes or len(self.key) != 32):
            raise ValueError(f"party {self.name}: key: expected 32 bytes")
        x, y = self._samples(self.x, self.y, "")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)
        if self.check is not None:
            if type(self.check) is not tuple or len(self.check) != 2:
                raise ValueError(f"party {self.name}: check = {brief(self.check)}: expected samples and labels (x, y)")
            kept_back = self._samples(*self.check, "check: ")
            if kept_back[0].shape[1:] != x.shape[1:]:
                shape, own = kept_back[0].shape[1:], x.shape[1:]
                raise ValueError(f"party {self.name}: check: samples of shape {shape}: expected that of x, {own}")
            object.__setattr__(self, "check", kept_back)

    def __repr__(self) -> str:
        """On a line: samples are counted, the model is named by its kind, and the key is left out."""
        classes = named(self.model.classes, getattr(self.model, "labels", ()))
        told = f"{self.model.kind}, knows {classes}; {plural(len(self.x), 'sample')} of shape {list(self.x.shape[1:])}"
        kept_back = "" if self.check is None else f" and {plural(len(self.check[1]), 'check sample')}"
        return f"{type(self).__name__}({self.name!r}, {self.kind}, {told}{kept_back})"

    def _samples(self, x: NDArray[Any], y: NDArray[Any], where: str) -> tuple[Floats32, Integers]:
        """Samples and labels as they are kept."""
        names = getattr(self.model, "labels", ())
        x = as_numbers(x, f"party {self.name}: {where}x")
        y = numbered(y, names, f"party {self.name}: {where}y")
        if x.ndim < 2 or x.dtype.kind not in "fiub" or y.shape != x.shape[:1] or y.dtype.kind not in "iu":
            raise ValueError(
                f"party {self.name}: {where}x of shape {x.shape} and y of shape {y.shape}, {y.dtype}: expected numbers "
                "[samples, ...] and integers [samples]"
            )
        x = as_float32(x, f"party {self.name}: {where}x")
        foreign = sorted(set(np.unique(y).tolist()) - set(self.model.classes))
        if foreign:
            what = f"labels {named(foreign[:5], names)} in {where}y"
            raise ValueError(f"party {self.name}: {what}: its model knows {named(self.model.classes, names)}")
        return x, np.ascontiguousarray(y, np.int64)

    def mine(self, view: View, wanted: int, generator: np.random.Generator) -> list[Proposal]:
        """Up to `wanted` own samples with a margin of at most 0, looked for in a random order; none that is spent."""
        found: list[Proposal] = []
        spent, held = view.spent, self._held_back()
        for chosen, margins in self.looked_through(view, wanted, generator):
            for row in np.flatnonzero(margins.value <= 0.0):
                proposal = Proposal(self.x[chosen[row]], int(self.y[chosen[row]]), int(margins.wrong[row]))
                if not (spent and proposal.name in spent) and (not held or _bytes(proposal.x) not in held):
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

    def reveal(self, view: View, each: int, generator: np.random.Generator) -> list[tuple[Floats32, int]]:
        """Own samples with their labels for everybody to see: up to `each` of every class, at random."""
        x, y, held = self.x, np.asarray(self.y, np.int64), self._held_back()
        free = [_bytes(one) not in held for one in x] if held else []
        return drawn(x, y, each, generator) if all(free) else drawn(x[free], y[free], each, generator)

    def _held_back(self) -> set[bytes]:
        """What is never sent, also where it is among `x`: the check set."""
        return set() if self.check is None else {_bytes(one) for one in np.asarray(self.check[0], np.float32)}

    def retrained(
        self, model: Model, foreign: Floats32, how: Retraining, generator: np.random.Generator
    ) -> Model | None:
        """A candidate for the place of its model, trained on its own samples and on those of others.

        In an exchange its samples `x` and `y` hold also what others revealed of the classes its model knows. Override
        it for a kind of model that `Retraining` cannot train.

        Args:
            model: its model as it now is; it stays as it is.
            foreign: samples of classes the model does not know, [samples, *shape].
            how: see there.
            generator: of all choices at random.

        Returns:
            None: its model stays.
        """
        from folkmoot.multiparty.exchange.training import further  # here: it knows all kinds of models

        return further(how, model, self.x, np.searchsorted(model.classes, self.y), foreign, generator)

    def recalled(self, rows: tuple[Recalled, ...]) -> tuple[Recalled, ...]:
        """What it says, as a judge, of what it counted of the models as they are."""
        return rows

    def voted(self, ballot: Ballot) -> Ballot | None:
        """What it says, as a judge, of what it counted of candidates; None: nothing, which counts as a no."""
        return ballot
