"""What many models say together of a sample: one small family of functions of their scores.

Each takes the scores of all models and gives each class one number. `Mean` is what a practitioner would try first, and
the default; `Krum`, `Star` and `Max` are the predictors of the BEMA paper and of its baseline. A model of which a score
is no number from 0 to 1 does not speak for that sample; what others say of it is not touched.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import brief
from folkmoot.multiparty.models.labels import named
from folkmoot.multiparty.models.small_numbers import kept_small
from folkmoot.multiparty.rules.margin import Bools, Floats, Integers, by_speakers, claimants_of, stars

NOBODY = -1  # what is predicted where no model speaks
ALPHA = 0.75  # share of those who know a class behind a star, where no terms say another
_LEAST = 1e-6  # of a score, before its logarithm is taken


@dataclass(frozen=True)
class Predictor(ABC):
    """A joint prediction.

    Scores are [models, samples, classes], claims are bool [models, classes]: does the model know the class? For none of
    the predictors does the order of the models make a difference, but for `Krum` as the paper has it.
    """

    name: ClassVar[str]

    @abstractmethod
    def of_speakers(self, scores: NDArray[np.floating], claims: Bools) -> Floats:
        """A number for each class, float64 [samples, classes], from models that all speak; -inf: nobody claims it."""

    def tolerated(self, counts: Integers) -> Integers:
        """For each class, how many lying models cannot push its score outside of what honest ones give.

        Args:
            counts: [classes], how many models know the class, liars included.
        """
        return np.zeros(len(counts), np.int64)

    def joint(self, scores: NDArray[np.floating], claims: Bools) -> Floats:
        """The same from any scores: those who do not speak for a sample have no part in it."""
        found = np.full(scores.shape[1:], -np.inf)
        for rows, heard, those in by_speakers(scores, claims):
            found[rows] = self.of_speakers(heard, those)
        return found

    def class_scores(self, scores: NDArray[np.floating], claims: Bools) -> NDArray[np.float32]:
        """The score of each class, float32 [samples, classes]; 0 for a class of which nobody speaks."""
        found = self.joint(scores, claims)
        return np.where(np.isfinite(found), found, 0.0).astype(np.float32)

    @kept_small()
    def predict(self, scores: NDArray[np.floating], claims: Bools) -> Integers:
        """The class with the largest score, [samples]; the first of equal ones; -1 where nobody speaks."""
        found = self.joint(scores, claims)
        return np.where(np.isfinite(found).any(axis=1), found.argmax(axis=1), NOBODY)


def _mean(scores: NDArray[np.floating], claims: Bools) -> Floats:
    """Of those who claim a class; added up in the order of their size."""
    said = np.sort(np.where(claims[:, None], scores, 0.0).astype(np.float64), axis=0)
    counts = claims.sum(axis=0)
    return np.where(counts > 0, said.sum(axis=0) / np.maximum(counts, 1), -np.inf)


@dataclass(frozen=True)
class Mean(Predictor):
    """The mean of those who know the class. One liar moves it by at most 1 / |S|, and nothing stops it from that."""

    name: ClassVar[str] = "mean"

    def of_speakers(self, scores: NDArray[np.floating], claims: Bools) -> Floats:
        """See Predictor."""
        return _mean(scores, claims)


@dataclass(frozen=True)
class Median(Predictor):
    """The median of those who know the class; of an even number, the mean of the two in the middle."""

    name: ClassVar[str] = "median"

    def of_speakers(self, scores: NDArray[np.floating], claims: Bools) -> Floats:
        """See Predictor."""
        said = np.sort(np.where(claims[:, None], scores, np.inf).astype(np.float64), axis=0)
        counts = np.maximum(claims.sum(axis=0), 1)
        classes = np.arange(claims.shape[1])
        middle = (said[at, :, classes] for at in ((counts - 1) // 2, counts // 2))
        low, high = (part.T for part in middle)
        return np.where(claims.any(axis=0), (low + high) / 2.0, -np.inf)

    def tolerated(self, counts: Integers) -> Integers:
        """Fewer than half of those who know the class."""
        return np.maximum((counts - 1) // 2, 0)


def of_theorem_2(counts: Integers, closest: Integers) -> Integers:
    """The most liars f of each class for which 2 f < m < |S| - f (BEMA, Theorem 2)."""
    found: Integers = np.maximum(np.minimum((closest - 1) // 2, counts - closest - 1), 0)
    return found


@dataclass(frozen=True)
class _OfAlpha(Predictor):
    alpha: float = ALPHA

    def tolerated(self, counts: Integers) -> Integers:
        """2 f < m < |S| - f (Theorem 2)."""
        return of_theorem_2(counts, np.floor(self.alpha * counts + 1e-9).astype(np.int64))


@dataclass(frozen=True)
class Star(_OfAlpha):
    """The mean of the m scores closest to Krum's centre, m = `alpha` |S|: what Theorem 2 is about.

    Of two who know a class both stand behind it, of three the two that agree best (both pairs alike: the lower).
    """

    name: ClassVar[str] = "star"

    def of_speakers(self, scores: NDArray[np.floating], claims: Bools) -> Floats:
        """See Predictor."""
        return stars(scores, claimants_of(claims, self.alpha, pairs=True), by_value=True).value


@dataclass(frozen=True)
class Krum(_OfAlpha):
    """The score of Krum's centre itself (BEMA, eqs. 13, 14), for reproduction; where two are, the lower-numbered one.

    With two or three who know a class that is always so: the order of the models decides.
    """

    name: ClassVar[str] = "krum"

    def of_speakers(self, scores: NDArray[np.floating], claims: Bools) -> Floats:
        """See Predictor."""
        return stars(scores, claimants_of(claims, self.alpha)).centre_value


@dataclass(frozen=True)
class Max(Predictor):
    """The largest score any model gives (Wu et al. 2019, Definition 1, as BEMA reads it)."""

    name: ClassVar[str] = "max"

    def of_speakers(self, scores: NDArray[np.floating], claims: Bools) -> Floats:
        """See Predictor."""
        found: Floats = np.where(claims[:, None], scores, -np.inf).max(axis=0).astype(np.float64)
        return found


@dataclass(frozen=True)
class Screened(Predictor):
    """The mean of the models that a screening kept (`screening.screen`); a class of which it kept none has that of all.

    Attributes:
        kept: for each model.
    """

    kept: tuple[bool, ...]
    name: ClassVar[str] = "screened"

    def of_speakers(self, scores: NDArray[np.floating], claims: Bools) -> Floats:
        """See Predictor."""
        _as_many(self.name, len(self.kept), len(claims))
        trusted = claims & np.array(self.kept)[:, None]
        return _mean(scores, np.where(trusted.any(axis=0), trusted, claims))


@dataclass(frozen=True)
class Tempered(Predictor):
    """The mean after each model's scores were made as sure as it is right on public samples (`fit_tempered`).

    Attributes:
        temperatures: for each model; above 1 for one that was too sure of itself.
    """

    temperatures: tuple[float, ...]
    name: ClassVar[str] = "tempered"

    def of_speakers(self, scores: NDArray[np.floating], claims: Bools) -> Floats:
        """See Predictor."""
        _as_many(self.name, len(self.temperatures), len(claims))
        ways = zip(scores, claims, self.temperatures, strict=True)
        return _mean(np.stack([_tempered(one, known, t) for one, known, t in ways]), claims)


@dataclass(frozen=True)
class Stacked(Predictor):
    """A softmax regression on the logarithms of all scores, fitted on public samples (`fit_stacked`).

    A model trained on the same samples alone is often as good: try that first.

    Attributes:
        weights: [classes of the samples][models x classes].
        intercepts: [classes of the samples].
        classes: of the samples it was fitted on.
        models: how many there were.
    """

    weights: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]
    classes: tuple[int, ...]
    models: int
    name: ClassVar[str] = "stacked"

    def of_speakers(self, scores: NDArray[np.floating], claims: Bools) -> Floats:
        """See Predictor."""
        _as_many(self.name, self.models, len(claims))
        found = np.full(scores.shape[1:], -np.inf)
        if claims.any():
            sums = np.einsum("sf,cf->sc", _features(scores, claims), np.array(self.weights)) + self.intercepts
            e = np.exp(sums - sums.max(axis=1, keepdims=True))
            found[:, list(self.classes)] = e / e.sum(axis=1, keepdims=True)
        return found


def of_some(predictor: Predictor, models: Sequence[int]) -> Predictor:
    """The predictor for these of its models alone, the others having nothing to say any more.

    Raises:
        ValueError: a stacked one, which has weights for all.
    """
    if isinstance(predictor, Screened):
        return Screened(tuple(predictor.kept[i] for i in models))
    if isinstance(predictor, Tempered):
        return Tempered(tuple(predictor.temperatures[i] for i in models))
    if isinstance(predictor, Stacked) and len(models) < predictor.models:
        raise ValueError(f"predictor {predictor.name}: made for {predictor.models} models, of which "
                         f"{len(models)} are left; make it anew")  # fmt: skip
    return predictor


def _as_many(name: str, fitted: int, given: int) -> None:
    if fitted != given:
        raise ValueError(f"predictor {name}: made for {fitted} models, there are {given}; make it anew")


def _tempered(scores: NDArray[np.floating], known: Bools, temperature: float) -> Floats:
    """Scores [samples, classes] of one model at another temperature; what is left of 1 is its reserved class."""
    own = np.clip(scores[:, known].astype(np.float64), 0.0, 1.0)
    rest = np.maximum(1.0 - own.sum(axis=1, keepdims=True), 0.0)
    both = np.concatenate([own, np.where(rest > _LEAST, rest, 0.0)], axis=1) ** (1.0 / temperature)
    found = np.zeros(scores.shape)
    if known.any():
        found[:, known] = both[:, :-1] / np.maximum(both.sum(axis=1, keepdims=True), _LEAST)
    return found


def _features(scores: NDArray[np.floating], claims: Bools) -> Floats:
    """[samples, models x classes]: 0 where a model says nothing."""
    logs = np.log(np.clip(scores.astype(np.float64), _LEAST, 1.0)) - np.log(_LEAST)
    return np.where(claims[:, None], logs, 0.0).transpose(1, 0, 2).reshape(scores.shape[1], -1)


def fit_tempered(scores: NDArray[np.floating], claims: Bools, labels: Integers) -> Tempered:
    """A temperature for each model: that at which public samples of its classes are likeliest; 1 where there are none.

    Args:
        scores: [models, samples, classes] of these samples.
        claims: [models, classes].
        labels: [samples].
    """
    grid, found = np.geomspace(0.2, 20.0, 41), []
    for rows_of, known in zip(scores, claims, strict=True):
        good = known[labels] & np.isfinite(rows_of[:, known]).all(axis=1)
        rows, wanted = rows_of[good], labels[good]
        at = np.arange(len(rows))
        tried = [np.log(np.maximum(_tempered(rows, known, t)[at, wanted], _LEAST)).sum() for t in grid]
        found.append(float(grid[int(np.argmax(tried))]) if len(rows) else 1.0)
    return Tempered(tuple(found))


def fit_stacked(
    scores: NDArray[np.floating], claims: Bools, labels: Integers, penalty: float = 1.0, names: tuple[str, ...] = ()
) -> Stacked:
    """A stacking fitted on public samples.

    Args:
        scores, claims, labels: see `fit_tempered`.
        penalty: strength of the penalty on weights.
        names: of the classes, for an error; empty: they have none.

    Raises:
        ValueError: samples of one class only, or scikit-learn is not installed.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ModuleNotFoundError:
        raise ValueError("stacking needs sklearn: pip install 'folkmoot[multiparty]'") from None
    classes = tuple(int(label) for label in np.unique(labels))
    if len(classes) < 2:
        raise ValueError(f"stacking: public samples of class {named(classes, names)} alone: expected two or more")
    features = np.zeros((len(labels), claims.size))
    for rows, heard, those in by_speakers(scores, claims):
        features[rows] = _features(heard, those)
    fitted = LogisticRegression(C=1.0 / penalty, max_iter=1000).fit(features, labels)
    weights, intercepts = fitted.coef_, fitted.intercept_
    if len(classes) == 2:  # scikit-learn keeps one row for two classes
        weights, intercepts = np.vstack([-weights, weights]) / 2.0, np.array([-intercepts[0], intercepts[0]]) / 2.0
    rows_told = tuple(tuple(map(float, row)) for row in weights)
    return Stacked(rows_told, tuple(map(float, intercepts)), classes, len(claims))


PLAIN: dict[str, type[Predictor]] = {kind.name: kind for kind in (Mean, Median, Star, Krum, Max)}  # need no fitting
_FITTED = {"tempered": "Consortium.tempered(x, y)", "stacked": "Consortium.stacked(x, y)"}
ALL = PLAIN | {kind.name: kind for kind in (Screened, Tempered, Stacked)}


def by_name(name: object, alpha: float = ALPHA, others: Sequence[str] = ()) -> Predictor:
    """The predictor of this name; `others`: names that are allowed where it is asked for, for the error.

    Raises:
        ValueError: none that needs no fitting is called so.
    """
    if not isinstance(name, str) or name not in PLAIN:
        how = _FITTED.get(name, "") if isinstance(name, str) else ""
        said = f"it is made by {how}; " if how else ""
        raise ValueError(
            f"predictor = {brief(name)}: {said}expected {', '.join(map(repr, (*PLAIN, *others)))}, or a Predictor"
        )
    kind = PLAIN[name]
    return kind(alpha=alpha) if issubclass(kind, _OfAlpha) else kind()


def resolved(predictor: object, alpha: float = ALPHA, others: Sequence[str] = ()) -> Predictor:
    """A predictor as it is, or that of a name.

    Raises:
        ValueError: see `by_name`.
    """
    return predictor if isinstance(predictor, Predictor) else by_name(predictor, alpha, others)
