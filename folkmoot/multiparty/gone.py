"""What is left of a party that is gone: its place, so that the others keep their numbers."""

from typing import Literal

import numpy as np

from folkmoot.encoding import Value
from folkmoot.multiparty.models.model import Floats32, Pace
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.rules.terms import Terms


class Gone:
    """In the place of the model of a party that is gone, where nothing else is known of it."""

    kind = "gone"

    def __init__(self, classes: tuple[int, ...]) -> None:
        self.classes = classes

    def scores(self, x: Floats32) -> Floats32:
        """None are given."""
        raise AssertionError("a party that is gone has no scores")

    def step(self, x: Floats32, column: int, sign: int, pace: Pace) -> None:
        """It does not move."""
        raise AssertionError("a party that is gone has no model")

    def settings(self) -> Value:
        """None."""
        return ()

    def to_bytes(self) -> bytes:
        """None."""
        return b""

    def from_bytes(self, data: bytes) -> "Gone":
        """The same."""
        return self


def absent(name: str, classes: tuple[int, ...], kind: Literal["original", "regular"], terms: Terms) -> Party:
    """What is left here of a party that is gone: its place, so that the others keep their numbers."""
    return Party(name, Gone(classes), np.zeros((0, *terms.shape), np.float32), np.zeros(0, np.int64), kind)
