"""A calibration sample: as its sender proposes it, and as the rules take it."""

from typing import NamedTuple, Protocol

import numpy as np

from folkmoot.encoding import encode
from folkmoot.ledger.contents import name_of
from folkmoot.multiparty.models.model import Floats32
from folkmoot.multiparty.rules.margin import Integers, Margins


class Sample(NamedTuple):
    """A calibration sample as the rules take it, parsed and within bounds."""

    x: Floats32  # [1, *shape], finite
    label: int  # y
    wrong: int  # y-
    sender: int  # number of the party that sent it
    name: bytes  # 32 bytes that stand for x


class Proposal(NamedTuple):
    """A calibration sample (x, y, y-) as its sender gives it."""

    x: Floats32  # [*shape]
    label: int
    wrong: int

    @property
    def name(self) -> bytes:
        """32 bytes that stand for x: its name among the contents of a chain."""
        return name_of(encode(np.ascontiguousarray(self.x, np.float32)))

    def of(self, sender: int) -> Sample:
        """As the rules take it, of the party with this number."""
        return Sample(self.x[None], self.label, self.wrong, sender, self.name)


class View(Protocol):
    """What a party sees of all models: the margin of samples of its own, and what was used."""

    @property
    def spent(self) -> frozenset[bytes]:
        """Names of samples that the rules take no more."""

    def margins(self, x: Floats32, labels: Integers) -> Margins:
        """The margins of samples [samples, *shape] with these labels."""
