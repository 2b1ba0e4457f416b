"""Calibrating a consortium while it is watched: accuracy after each iteration, what became of whose samples."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.multiparty.models.model import Floats32
from folkmoot.multiparty.predictors import Krum, Max
from folkmoot.multiparty.rules.margin import Integers
from folkmoot.multiparty.together import Together
from folkmoot.simulation.engine import Control


class Watched(NamedTuple):
    """What was seen, at each of the iterations at which it was looked at.

    Attributes:
        own, krum, maximum: float64 [looks, classes], share of the test samples of a class that these predictors get
            right: the consortium's own, and those of the paper.
        by_sender: name of a party -> "" for samples that moved models, or the reason of a refusal -> how many.
    """

    own: NDArray[np.float64]
    krum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    by_sender: dict[str, dict[str, int]]


def watch(
    together: Together, x: Floats32, y: Integers, at: Sequence[int], samples: int, control: Control, searches: int = 4
) -> Watched | None:
    """Calibrate until the last of these iterations; None if told to stop before.

    Args:
        together: fresh.
        x, y: test samples [samples, *shape] and labels [samples].
        at: iterations after which predictions are looked at, increasing; 0 is before the first.
        samples, searches: of an iteration, see `Together.calibrate`.
        control: told each iteration.
    """
    seen: list[list[NDArray[np.float64]]] = []
    by_sender: dict[str, dict[str, int]] = {}
    for iteration in range(max(at) + 1):
        if control.stop[0]:
            return None
        if iteration in at:
            scores, claims = together.group.fleet.scores(x), together.group.fleet.claims
            asked = (together.predictor, Krum(together.terms.alpha), Max())
            n_classes = together.terms.n_classes
            shares = {one: _by_class(one.predict(scores, claims) == y, y, n_classes) for one in dict.fromkeys(asked)}
            seen.append([shares[one] for one in asked])
        if iteration < max(at):
            for sender, told in together.calibrate(1, samples, progress=False, searches=searches).by_sender.items():
                mine = by_sender.setdefault(sender, {})
                for reason, count in told.items():
                    mine[reason] = mine.get(reason, 0) + count
            control.rounds[0] += 1
    own, krum, maximum = (np.array(looks) for looks in zip(*seen, strict=True))
    return Watched(own, krum, maximum, by_sender)


def _by_class(right: NDArray[np.bool_], y: Integers, n_classes: int) -> NDArray[np.float64]:
    """Float64 [classes]; NaN for a class without samples."""
    there = np.bincount(y, minlength=n_classes)
    found = np.bincount(y, right, minlength=n_classes)
    return np.asarray(np.divide(found, there, out=np.full(n_classes, np.nan), where=there > 0))


def overall(by_class: NDArray[np.float64], y: Integers) -> NDArray[np.float64]:
    """Float64 [looks]: share of all samples, from the shares [looks, classes] of those of each class."""
    there = np.bincount(y, minlength=by_class.shape[1]).astype(np.float64)
    return np.asarray(np.rint(np.nan_to_num(by_class) * there).sum(axis=1) / there.sum())


def threads_of_torch(wanted: int) -> int:
    """Set how many threads PyTorch computes with, so that sums are the same everywhere; how many it was."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(wanted)
    return int(before)
