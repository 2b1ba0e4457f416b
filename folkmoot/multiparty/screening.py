"""Which models are worth listening to: each is looked at by the other parties that know its classes, on samples that
they kept back.

Every judge reports shares of its own check samples that come out right; of the reports on a class the lower median
counts, so that no minority of judges decides. A model is dropped if it is right less than half as often as the median
model. Then only models in *doubt* may go: those that are worse than their peers by more than the size of the check sets
explains. They go as long as the mean of the rest gets better by more than half a point. So where nobody lies, chance on
small check sets drops nobody.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.multiparty.predictors import Screened
from folkmoot.multiparty.rules.margin import Bools, Floats, Integers, speaking

FLOOR, GAIN, LEAST = 0.5, 0.005, 2
DOUBT = 2.0  # standard errors below its peers, from which on a model is in doubt
FEW = 10  # check samples of a class, below which a screening is unreliable


class Check(NamedTuple):
    """What a judge looks at.

    Attributes:
        judge: number of the party (and of its model, on which it is not asked).
        trusted: is it an original party? Where those have samples of a class, nobody else is asked about it.
        scores: [models, samples, classes] of its check samples.
        labels: [samples], of its model's classes.
    """

    judge: int
    trusted: bool
    scores: NDArray[np.floating]
    labels: Integers


class Screening(NamedTuple):
    """What a screening found.

    Attributes:
        kept: bool [models].
        recall: float [models], mean over a model's classes of the lower median of the judges' reports; NaN: no judge.
        before, after: the class-averaged accuracy on the check samples of the mean of all models, and of those kept.
        fewest: the least number of check samples that any class was judged by; 0: one by none.
        doubt: float [models], by how many standard errors a model is worse than its peers, see `doubts`.
        names: of the parties, in the order of the models; empty where they are not known.
    """

    kept: Bools
    recall: Floats
    before: float
    after: float
    fewest: int
    doubt: Floats
    names: tuple[str, ...] = ()

    @property
    def left_out(self) -> tuple[str, ...] | tuple[int, ...]:
        """The parties whose models are left out: their names, or the numbers of the models without names."""
        numbers = tuple(map(int, np.flatnonzero(~self.kept)))
        return tuple(self.names[number] for number in numbers) if self.names else numbers

    def __repr__(self) -> str:
        """With the names of the parties."""
        names = self.names or range(len(self.kept))
        by_name = (
            f"{what}={dict(zip(names, np.round(given, 3).tolist(), strict=True))}"
            for what, given in (("recall", self.recall), ("doubt", self.doubt))
        )
        told = f"left_out={self.left_out}, before={self.before:.3f}, after={self.after:.3f}, fewest={self.fewest}"
        return f"Screening({told}, {', '.join(by_name)})"

    @property
    def predictor(self) -> Screened:
        """The mean of those kept."""
        return Screened(tuple(bool(one) for one in self.kept))


def screen(
    checks: Sequence[Check],
    claims: Bools,
    *,
    floor: float = FLOOR,
    gain: float = GAIN,
    least: int = LEAST,
    doubt: float = DOUBT,
) -> Screening:
    """Drop models that the judges find wanting.

    Args:
        checks: of each judge; two of the same judge are not expected.
        claims: [models, classes].
        floor: share of the median model's recall below which a model is dropped; 0: no model is for that.
        gain: by how much the accuracy must rise for another model to be dropped; infinite: no model is for that.
        least: so many models that know a class are kept.
        doubt: standard errors below its peers from which on a model may be dropped for the gain; minus infinity: any.

    Returns:
        Which models were kept, and what was measured.
    """
    recall = np.array([_recall(checks, claims, model) for model in range(len(claims))])
    jury = _Jury(checks, claims)
    before = jury.accuracy(np.ones(len(claims), np.bool_))
    stays, found = above_bar(recall, claims, floor, least), doubts(checks, claims)
    search = _Search(jury, claims, found > doubt, gain, least)
    kept, now = search.fewer(stays)
    if np.isfinite(gain):
        other, then = search.more(search.without_doubt(stays, found), stays)
        if then > now + gain:
            kept, now = other, then
    return Screening(kept, recall, before, now, jury.fewest, found)


class _Search:
    """For models in doubt without which the mean of the rest is better.

    It begins with all of them and takes out, and with none of them and takes back in: of several that lie together, no
    single one need make a difference.
    """

    def __init__(self, jury: "_Jury", claims: Bools, doubted: Bools, gain: float, least: int) -> None:
        self._jury, self._claims, self._doubted, self._gain, self._least = jury, claims, doubted, gain, least

    def fewer(self, kept: Bools) -> tuple[Bools, float]:
        """Some of these models, and what the judges say of their mean."""
        kept, now = kept.copy(), self._jury.accuracy(kept)
        while True:
            ways = {}
            for model in np.flatnonzero(kept & self._doubted):
                if _spared(self._claims, kept, int(model), self._least):
                    ways[int(model)] = self._jury.accuracy(kept & (np.arange(len(kept)) != model))
            best = max(ways, key=lambda model: ways[model], default=None)
            if best is None or not ways[best] > now + self._gain:
                return kept, now
            kept[best], now = False, ways[best]

    def without_doubt(self, kept: Bools, doubt: Floats) -> Bools:
        """These models but those in doubt, the worst first, as far as they are not needed."""
        left = kept.copy()
        for model in np.argsort(-doubt, kind="stable"):
            if left[model] and self._doubted[model] and _spared(self._claims, left, int(model), self._least):
                left[model] = False
        return left

    def more(self, kept: Bools, of: Bools) -> tuple[Bools, float]:
        """These models and some more of others, and what the judges say of their mean."""
        kept, now = kept.copy(), self._jury.accuracy(kept)
        while True:
            outside = np.flatnonzero(of & ~kept)
            ways = {int(model): self._jury.accuracy(kept | (np.arange(len(kept)) == model)) for model in outside}
            best = max(ways, key=lambda model: ways[model], default=None)
            if best is None or not ways[best] > now + self._gain:
                return kept, now
            kept[best], now = True, ways[best]


def above_bar(recall: Floats, claims: Bools, floor: float = FLOOR, least: int = LEAST) -> Bools:
    """Which models are right at least `floor` times as often as the median model, or are needed, [models].

    Args:
        recall: [models]; NaN: nobody judges it, and it stays.
        claims, floor, least: see `screen`.
    """
    kept = np.ones(len(claims), np.bool_)
    if not np.isnan(recall).all():
        bar = floor * float(np.nanmedian(recall))
        for model in np.argsort(recall, kind="stable"):  # NaN is last
            if recall[model] < bar and _spared(claims, kept, int(model), least):
                kept[model] = False
    return kept


def _spared(claims: Bools, kept: Bools, model: int, least: int) -> bool:
    """Are enough models left in every class without this one?"""
    left = (claims & kept[:, None]).sum(axis=0) - claims[model]
    return bool((left[claims[model]] >= least).all())


def lower_median(values: Sequence[float]) -> float:
    """The one in the middle, or the lower of two."""
    return sorted(values)[(len(values) - 1) // 2]


def _asked(checks: Sequence[Check], label: int, but: int | None = None) -> list[Check]:
    """Who has check samples of a class: the trusted ones if there are any."""
    found = [check for check in checks if check.judge != but and bool((check.labels == label).any())]
    return [check for check in found if check.trusted] or found


def _recall(checks: Sequence[Check], claims: Bools, model: int) -> float:
    known = np.flatnonzero(claims[model])
    found = []
    for label in known:
        reports = []
        for check in _asked(checks, int(label), but=model):
            own = check.scores[model][check.labels == label]  # [samples, classes]
            speaks = speaking(own[None], claims[model : model + 1])[0]
            answer = known[np.where(speaks[:, None], own[:, known], 0.0).argmax(axis=1)]
            reports.append(float((speaks & (answer == label)).mean()))
        if reports:
            found.append(lower_median(reports))
    return float(np.mean(found)) if found else float("nan")


def doubts(checks: Sequence[Check], claims: Bools) -> Floats:
    """By how many standard errors each model is worse than its peers, float [models]; minus infinity: nobody says.

    A judge compares, class by class, the share that a model gets right of its check samples with the upper median share
    of the other models that know the class; the difference is divided by its standard error. Of the judges of a class
    the lower median counts. A model has the largest of these of its classes, or their sum divided by the square root of
    their number, whichever is more. If all models were equally good, that would be above 2 for one in a hundred.
    """
    shares = [_shares(check, claims) for check in checks]
    found = np.full(len(claims), -np.inf)
    for model, known in enumerate(claims):
        told = []
        for label in np.flatnonzero(known):
            peers = np.flatnonzero(claims[:, label] & (np.arange(len(claims)) != model))
            asked = {check.judge for check in _asked(checks, int(label), but=model)}
            reports = [
                _errors_below(right[model, label], np.sort(right[peers, label]), int(n[label]))
                for check, (right, n) in zip(checks, shares, strict=True)
                if check.judge in asked and len(peers)
            ]
            if reports:
                told.append(lower_median(reports))
        if told:
            found[model] = max(max(told), math.fsum(told) / math.sqrt(len(told)))
    return found


def _shares(check: Check, claims: Bools) -> tuple[Floats, Integers]:
    """Of a judge's check samples of each class, what each model gets right [models, classes]; how many there are."""
    counts = np.bincount(check.labels, minlength=claims.shape[1])
    said = claims[:, None, :] & speaking(check.scores, claims)[:, :, None]
    answer = np.where(said, check.scores, -1.0).argmax(axis=2)
    right = (answer == check.labels) & said.any(axis=2)
    sums = np.stack([right[:, check.labels == label].sum(axis=1) for label in range(claims.shape[1])], axis=1)
    return sums / np.maximum(counts, 1), counts


def _errors_below(own: float, peers: Floats, n: int) -> float:
    """Of shares of the same n samples; each has the variance of at least half a sample."""
    other = float(peers[len(peers) // 2])
    variance = sum(max(share * (1.0 - share), 0.5 / n) / n for share in (own, other))
    return (other - own) / math.sqrt(variance)


class _Jury:
    """What the judges say of the mean of some models."""

    def __init__(self, checks: Sequence[Check], claims: Bools) -> None:
        self._samples: list[tuple[Floats, Bools, Integers]] = []  # scores with zeros, who says what, labels
        self._asked: list[list[tuple[int, Integers]]] = []  # for each class: number in _samples, rows of that class
        numbers = {}
        for check in checks:
            numbers[check.judge] = len(self._samples)
            said = claims[:, None, :] & speaking(check.scores, claims)[:, :, None]
            self._samples.append((np.where(said, check.scores, 0.0).astype(np.float64), said, check.labels))
        for label in range(claims.shape[1]):
            asked = [(numbers[c.judge], np.flatnonzero(c.labels == label)) for c in _asked(checks, label)]
            self._asked.append(asked)
        self.fewest = min(
            (sum(len(rows) for _, rows in asked) for asked, known in zip(self._asked, claims.T) if known.any()),
            default=0,
        )

    def accuracy(self, kept: Bools) -> float:
        """Mean over classes of the lower median, over the judges, of the share that the mean of these gets right."""
        right = [self._right(scores, said, labels, kept) for scores, said, labels in self._samples]
        found = [
            lower_median([float(right[number][rows].mean()) for number, rows in asked])
            for asked in self._asked
            if asked
        ]
        return float(np.mean(found)) if found else float("nan")

    def _right(self, scores: Floats, said: Bools, labels: Integers, kept: Bools) -> Bools:
        counts = said[kept].sum(axis=0)
        mean = np.where(counts > 0, scores[kept].sum(axis=0) / np.maximum(counts, 1), -np.inf)
        found: Bools = counts.any(axis=1) & (mean.argmax(axis=1) == labels)
        return found
