"""How a party trains its own model further, on its own samples and on what others revealed as "none of mine"."""

from dataclasses import dataclass

import numpy as np

from folkmoot.errors import brief
from folkmoot.multiparty.models.model import Floats32
from folkmoot.multiparty.rules.margin import Integers


@dataclass(frozen=True)
class Retraining:
    """Some steps of Adam on the cross-entropy, with an output for "none of mine".

    Attributes:
        steps: how many; 0: none, candidates are the models as they are.
        own: samples of one's own classes in a step, drawn with replacement: own ones, and those that others revealed.
        foreign: revealed samples of classes one does not know, in a step; none where there are none.
        rate: learning rate; None: 5e-4 for networks, 1e-3 for those of fewer than 10,000 parameters; for linear models
            0.35 divided by the sum of the sizes of a sample's inputs, its mean over one's samples.
        head: only the last layer of a network moves.

    Raises:
        ValueError: a number out of range.
    """

    steps: int = 200
    own: int = 40
    foreign: int = 24
    rate: float | None = None
    head: bool = False

    def __post_init__(self) -> None:
        for name, least, most in (("steps", 0, 1 << 20), ("own", 1, 1 << 16), ("foreign", 0, 1 << 16)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{name} = {brief(value)}: expected an integer from {least} to {most}")
        if type(self.head) is not bool:
            raise ValueError(f"head = {brief(self.head)}: expected true or false")
        if self.rate is not None and not (type(self.rate) is float and 0.0 < self.rate <= 1.0):
            raise ValueError(f"rate = {brief(self.rate)}: expected a number (float) above 0 and at most 1, or None")

    def batch(
        self, x: Floats32, columns: Integers, foreign: Floats32, reserved: int, generator: np.random.Generator
    ) -> tuple[Floats32, Integers]:
        """Samples and the outputs that are right for them; `reserved`: number of that for none of mine."""
        chosen = generator.integers(len(x), size=self.own)
        if not len(foreign) or not self.foreign:
            return x[chosen], columns[chosen]
        others = generator.integers(len(foreign), size=self.foreign)
        both = np.concatenate([x[chosen], foreign[others]])
        return both, np.concatenate([columns[chosen], np.full(self.foreign, reserved)])
