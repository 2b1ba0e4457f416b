"""What a judge says of candidate models: counts on its own check set, and nothing else of it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.multiparty.rules.margin import Bools, Floats, Integers, speaking


class Recalled(NamedTuple):
    """How often a model is right about a class."""

    model: int
    label: int
    right: int
    n: int  # check samples of that class


class Counted(NamedTuple):
    """What candidates change for a class: samples that only the models before get right, and only those after."""

    label: int
    lost: int
    won: int
    n: int  # check samples of that class


class Ballot(NamedTuple):
    """What a judge says of all candidates but those of `reverted`, whose models before stay."""

    reverted: tuple[int, ...]  # ascending
    counts: tuple[Counted, ...]  # a row for each class it has check samples of, ascending


class Judging:
    """A judge's work on its check set.

    Args:
        judge: number of the party.
        labels: [samples] of its check set.
        before, after: scores [models, samples, classes] of the models as they are, and with all candidates.
        claims: [models, classes]; candidates know the classes that the models before know.
    """

    def __init__(
        self,
        judge: int,
        labels: Integers,
        before: NDArray[np.floating],
        after: NDArray[np.floating],
        claims: Bools,
    ) -> None:
        self.judge, self.labels, self._claims = judge, labels, claims
        self._before, self._said = _silenced(before, claims)
        self._after, self._then = _silenced(after, claims)
        self._right: Bools | None = None  # by the models before

    def recalls(self, after: bool = False) -> tuple[Recalled, ...]:
        """Of all models but its own, as they are before, or of candidates."""
        scores, said = (self._after, self._then) if after else (self._before, self._said)
        found = []
        for model, known in enumerate(self._claims):
            if model == self.judge:
                continue
            classes = np.flatnonzero(known)
            for label in np.intersect1d(classes, self.labels):
                rows = self.labels == label
                spoke = said[model][rows][:, label]
                answer = classes[scores[model][rows][:, classes].argmax(axis=1)]
                found.append(Recalled(model, int(label), int((spoke & (answer == label)).sum()), int(rows.sum())))
        return tuple(found)

    def ballot(self, reverted: Sequence[int], kept: Bools) -> Ballot:
        """What it counts of the mean of the models that are `kept`, candidates but those `reverted`."""
        if self._right is None:
            self._right = self._correct(self._before, self._said, kept)
        back = np.isin(np.arange(len(kept)), reverted)[:, None, None]
        scores, said = np.where(back, self._before, self._after), np.where(back, self._said, self._then)
        now = self._correct(scores, said, kept)
        counts = []
        for label in np.unique(self.labels):
            was, will = self._right[self.labels == label], now[self.labels == label]
            counts.append(Counted(int(label), int((was & ~will).sum()), int((will & ~was).sum()), len(was)))
        return Ballot(tuple(int(i) for i in reverted), tuple(counts))

    def _correct(self, scores: Floats, said: Bools, kept: Bools) -> Bools:
        """[samples]: does the mean of those kept, where they say anything, name the class?"""
        heard = np.where(said[kept].any(axis=0), (said & kept[:, None, None]).sum(axis=0), said.sum(axis=0))
        trusted = np.where(said[kept].any(axis=0), scores[kept].sum(axis=0), scores.sum(axis=0))
        mean = np.where(heard > 0, trusted / np.maximum(heard, 1), -np.inf)
        found: Bools = (heard > 0).any(axis=1) & (mean.argmax(axis=1) == self.labels)
        return found


def _silenced(scores: NDArray[np.floating], claims: Bools) -> tuple[Floats, Bools]:
    """Scores with zeros where a model says nothing, and where it says something, [models, samples, classes]."""
    said = claims[:, None, :] & speaking(scores, claims)[:, :, None]
    return np.where(said, scores, 0.0).astype(np.float64), said
