"""Parties that lie, as wrappers around honest ones: their messages (type II) or their models (type I).

The system knows nothing of this file. A wrapped party is used wherever a party is.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace

import numpy as np

from folkmoot.doors import guarded
from folkmoot.errors import brief
from folkmoot.multiparty.models.labels import numbered
from folkmoot.multiparty.models.model import checked_classes
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.rules.margin import Margins
from folkmoot.multiparty.rules.sample import Proposal, View


@dataclass(frozen=True, repr=False)
class _Liar(Party, ABC):
    """A party of whose messages a share is bogus."""

    share: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.share, bool) or not isinstance(self.share, int | float) or not 0.0 <= self.share <= 1.0:
            raise ValueError(f"party {self.name}: share = {brief(self.share)}: expected a number from 0 to 1")

    def mine(self, view: View, wanted: int, generator: np.random.Generator) -> list[Proposal]:
        """A random choice of honest and bogus messages."""
        bogus = int(generator.binomial(wanted, self.share))
        honest = super().mine(view, wanted - bogus, generator)
        if len(honest) < wanted - bogus:  # little is left to find: the share stays as it is meant
            bogus = round(bogus * len(honest) / (wanted - bogus))
        found = [*self.lies(view, bogus, generator), *honest]
        return [found[i] for i in generator.permutation(len(found))]

    @abstractmethod
    def lies(self, view: View, wanted: int, generator: np.random.Generator) -> list[Proposal]:
        """Bogus messages, at most `wanted`."""


class _FalseLabels(_Liar):
    """A party that lies about own samples, one by one."""

    def lies(self, view: View, wanted: int, generator: np.random.Generator) -> list[Proposal]:
        """Bogus messages."""
        found: list[Proposal] = []
        for chosen, margins in self.looked_through(view, wanted, generator):
            lies = (self.lie(int(i), margins, row, generator) for row, i in enumerate(chosen))
            found += [lie for lie in lies if lie is not None]
            if len(found) >= wanted:
                break
        return found[:wanted]

    @abstractmethod
    def lie(self, i: int, margins: Margins, row: int, generator: np.random.Generator) -> Proposal | None:
        """What is sent for sample `i`, whose margin stands in `row`; None: nothing."""


class SwappedLabels(_FalseLabels):
    """Type II (eq. 1): for a sample the models are right about, (x, y-, y) is sent, to unlearn it."""

    def lie(self, i: int, margins: Margins, row: int, generator: np.random.Generator) -> Proposal | None:
        """The label and the wrong class change places."""
        if margins.value[row] <= 0.0:
            return None
        return Proposal(self.x[i], int(margins.wrong[row]), int(self.y[i]))


class SwappedWithin(_FalseLabels):
    """Type II by one who knows the hardened rules: the false label is another of the liar's own classes."""

    def lie(self, i: int, margins: Margins, row: int, generator: np.random.Generator) -> Proposal | None:
        """As `SwappedLabels` where y- is one's own; else a class of one's own, at random."""
        others = [label for label in self.model.classes if label != self.y[i]]
        if margins.value[row] <= 0.0 or not others:
            return None
        wrong = int(margins.wrong[row])
        label = wrong if wrong in others else int(generator.choice(others))
        return Proposal(self.x[i], label, int(self.y[i]))


class RandomLabels(_FalseLabels):
    """Samples with a label drawn at random from the liar's classes, and the true one as the wrong one."""

    def lie(self, i: int, margins: Margins, row: int, generator: np.random.Generator) -> Proposal | None:
        """Any sample will do."""
        others = [label for label in self.model.classes if label != self.y[i]]
        return Proposal(self.x[i], int(generator.choice(others)), int(self.y[i])) if others else None


class PoisonedSamples(_Liar):
    """Noise instead of samples, sent as the liar's first class, against the class the models take it for."""

    def lies(self, view: View, wanted: int, generator: np.random.Generator) -> list[Proposal]:
        """Uniform noise of the shape of the liar's samples."""
        if wanted == 0:
            return []
        noise = generator.random((wanted, *self.x.shape[1:]), np.float32)
        label = np.full(wanted, self.model.classes[0], np.int64)
        margins = view.margins(noise, label)
        return [Proposal(noise[i], int(label[i]), int(margins.wrong[i])) for i in range(wanted)]


class Duplicates(_Liar):
    """One good sample, sent again and again."""

    def lies(self, view: View, wanted: int, generator: np.random.Generator) -> list[Proposal]:
        """The first that an honest search finds."""
        return Party.mine(self, view, wanted, generator)[:1] * wanted


@guarded
def lying(party: Party, attack: type[_Liar], share: float = 1.0) -> Party:
    """The party, with a share of its messages bogus.

    Args:
        party: honest.
        attack: SwappedLabels, SwappedWithin, RandomLabels, PoisonedSamples or Duplicates.
        share: probability with which a message is a lie.

    Raises:
        ValueError: a share outside [0, 1].
    """
    if not isinstance(attack, type) or not issubclass(attack, _Liar) or attack is _Liar:
        raise ValueError(f"attack = {brief(attack)}: expected such as SwappedLabels")
    told = {field.name: getattr(party, field.name) for field in fields(Party)}
    return attack(**told, share=share)


@guarded
def claiming(party: Party, classes: tuple[int, ...]) -> Party:
    """Type I: the party's model, offered as one of other classes (as many as it has), with its data relabelled.

    Raises:
        ValueError: another number of classes.
    """
    model = party.model
    classes = checked_classes(list(numbered(list(classes), getattr(model, "labels", ()), "classes")))
    if len(classes) != len(model.classes):
        raise ValueError(f"classes = {brief(list(classes))}: expected {len(model.classes)}, as the model has")
    false = model.from_bytes(model.to_bytes())
    false.classes = classes  # type: ignore[misc]
    table = np.zeros(max(model.classes) + 1, np.int64)
    table[list(model.classes)] = false.classes
    check = None if party.check is None else (party.check[0], table[party.check[1]])
    return replace(party, model=false, y=table[party.y], check=check)
