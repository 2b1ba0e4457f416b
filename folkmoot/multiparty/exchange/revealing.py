"""What parties reveal to each other, and which of it the others train on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.multiparty.models.model import Floats32
from folkmoot.multiparty.models.small_numbers import kept_small
from folkmoot.multiparty.rules.margin import Bools, Integers, speaking
from folkmoot.multiparty.rules.sample import Proposal
from folkmoot.multiparty.rules.validation import DUPLICATE, FOREIGN

EXCESS = "excess"  # its sender has revealed as many of this class as it may
UNVOUCHED = "unvouched"  # half or more of the others that know its class name another one
UNKNOWN = -1  # the wrong class of what is revealed: there is none


class Shown(NamedTuple):
    """A sample that a party reveals."""

    sender: int
    x: Floats32  # [*shape]
    label: int

    @property
    def name(self) -> bytes:
        """32 bytes that stand for x: its name among the contents of a chain."""
        return Proposal(self.x, self.label, UNKNOWN).name


def drawn(x: Floats32, y: Integers, each: int, generator: np.random.Generator) -> list[tuple[Floats32, int]]:
    """Up to `each` samples of every class at random."""
    found = []
    for label in np.unique(y):
        for row in generator.permutation(np.flatnonzero(y == label))[:each]:
            found.append((x[row], int(label)))
    return found


@kept_small()
def verdicts(shown: Sequence[Shown], scores: NDArray[np.floating], claims: Bools, kept: Bools, each: int) -> list[str]:
    """Of each sample: empty if it is used, else why it is not.

    Args:
        shown: in the order in which they count.
        scores: [models, samples, classes] of them, by the models as they are.
        claims: [models, classes].
        kept: [models], who is asked.
        each: most samples of a sender and class.
    """
    speaks, seen = speaking(scores, claims), set[bytes]()
    counts = np.zeros(claims.shape, np.int64)
    found = []
    for row, one in enumerate(shown):
        found.append(_verdict(one, row, scores, claims & speaks[:, row][:, None], kept, seen, counts, each))
        if not found[-1]:
            seen.add(one.name)
        if claims[one.sender, one.label]:
            counts[one.sender, one.label] += 1
    return found


def _verdict(
    one: Shown, row: int, scores: NDArray[np.floating], claims: Bools, kept: Bools, seen: set[bytes],
    counts: NDArray[np.int64], each: int,
) -> str:  # fmt: skip
    if not claims[one.sender, one.label]:
        return FOREIGN
    if one.name in seen:
        return DUPLICATE
    if counts[one.sender, one.label] >= each:
        return EXCESS
    return "" if vouched(scores[:, row], claims, kept, one) else UNVOUCHED


def vouched(scores: NDArray[np.floating], claims: Bools, kept: Bools, one: Shown) -> bool:
    """Do more than half of the other models that know its class, and are listened to, name that class?

    Where there is no other one, nobody can say; it is used.

    Args:
        scores: [models, classes] of the sample.
        claims: [models, classes], of those that speak for it.
        kept: [models].
        one: the sample.
    """
    others = claims[:, one.label] & kept
    others[one.sender] = False
    if not others.any():
        return True
    named = np.where(claims, scores, -np.inf).argmax(axis=1) == one.label
    return 2 * int((others & named).sum()) > int(others.sum())
