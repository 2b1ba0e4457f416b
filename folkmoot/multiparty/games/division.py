"""Who has which classes, and which samples of them."""

from abc import abstractmethod

import numpy as np
from pydantic import Field

from folkmoot.configuration import Configuration
from folkmoot.multiparty.rules.margin import Integers

MOST_PARTIES = 1_000


class Division(Configuration):
    """A division of samples among parties; no sample is given twice.

    Attributes:
        samples: of each party, at most; None: as many as there are.
    """

    samples: int | None = Field(None, ge=10)

    @abstractmethod
    def classes_of(self, n_classes: int) -> list[tuple[int, ...]]:
        """The classes of each party, in order.

        Raises:
            ValueError: a class that is not there.
        """

    def divide(self, y: Integers, n_classes: int, generator: np.random.Generator) -> list[Integers]:
        """The numbers of the samples of each party: of each class an equal share for all who have it.

        Raises:
            ValueError: a party that would have no sample of one of its classes.
        """
        owners = self.classes_of(n_classes)
        parts: list[list[Integers]] = [[] for _ in owners]
        for c in range(n_classes):
            holders = [i for i, classes in enumerate(owners) if c in classes]
            shares = np.array_split(generator.permutation(np.flatnonzero(y == c)), max(len(holders), 1))
            for i, share in zip(holders, shares):
                if self.samples is not None:
                    share = share[: -(-self.samples // len(owners[i]))]
                if len(share) < 2:
                    raise ValueError(f"division: party {i + 1} would have {len(share)} samples of class {c}: too few")
                parts[i].append(share)
        return [generator.permutation(np.concatenate(part))[: self.samples] for part in parts]


class Consecutive(Division):
    """Party i of n has some classes in a row, from class i on, and round to the first.

    Attributes:
        parties: how many.
        classes: of each.
    """

    parties: int = Field(ge=1, le=MOST_PARTIES)
    classes: int = Field(ge=2)

    def classes_of(self, n_classes: int) -> list[tuple[int, ...]]:
        """See Division."""
        if self.classes > n_classes:
            raise ValueError(f"division: classes = {self.classes}: expected at most {n_classes}")
        return [tuple(sorted((i + k) % n_classes for k in range(self.classes))) for i in range(self.parties)]


class Listed(Division):
    """Parties with the classes that are listed.

    Attributes:
        classes: a list for each party.
    """

    classes: tuple[tuple[int, ...], ...] = Field(min_length=1, max_length=MOST_PARTIES)

    def classes_of(self, n_classes: int) -> list[tuple[int, ...]]:
        """See Division."""
        for i, classes in enumerate(self.classes):
            if len(classes) < 2 or len(set(classes)) < len(classes) or not all(0 <= c < n_classes for c in classes):
                what = f"expected two or more different ones from 0 to {n_classes - 1}"
                raise ValueError(f"division: classes[{i}] = {list(classes)}: {what}")
        return [tuple(sorted(classes)) for classes in self.classes]
