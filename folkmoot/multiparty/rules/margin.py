"""Which score a group of models stands behind: Krum's centre, the star around it, and the margins of a sample.

Wang et al., "AI at the Edge: Blockchain-Empowered Secure Multiparty Learning with Heterogeneous Models" (BEMA),
eqs. 3-7, and the margin of Wu et al. 2019 (HMR), its Definition 2. All functions are pure: scores in, numbers out.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

AT_ONCE = 512  # samples: a pass holds a number for every class, two models and each of them
ROUNDING = 1e-6  # by so much a score may be above 1


class Stars(NamedTuple):
    """What the models that claim a class agree on, for each sample and class.

    Attributes:
        value: float [samples, classes], h_a* of eq. 4: mean of the m scores closest to the centre's; -inf where
            nobody claims the class.
        centre: int [samples, classes], the model with the least Krum score (eq. 6); ties: the lowest; -1 for nobody.
        centre_value: float [samples, classes], its score; -inf for nobody.
        spread: float [samples, classes], the largest distance of one of those m scores from the star (eq. 10).
    """

    value: Floats
    centre: Integers
    centre_value: Floats
    spread: Floats


class Margins(NamedTuple):
    """The margin of each sample and what it is between."""

    value: Floats  # rho, [samples]; at most 0: a sample to calibrate with
    wrong: Integers  # y-, [samples]


class Claimants(NamedTuple):
    """Who claims which class, laid out for `stars`; made once by `claimants_of`."""

    members: Integers  # [classes, most]: models in ascending order, then anything
    present: Bools  # [classes, most]: is that a member?
    closest: Integers  # [classes]: m = max(1, floor(alpha |S(c)|)), 0 for nobody


def speaking(scores: NDArray[np.floating], claims: Bools) -> Bools:
    """Does a model speak for a sample, [models, samples]? Only if all its scores of it are numbers from 0 to 1.

    Args:
        scores: [models, samples, classes], whatever models give.
        claims: [models, classes]; what a model says of other classes is not looked at.
    """
    good = (scores >= 0.0) & (scores <= 1.0 + ROUNDING)  # not where it is NaN
    found: Bools = np.asarray((good | ~claims[:, None, :]).all(axis=2))
    return found


def by_speakers(scores: NDArray[np.floating], claims: Bools) -> Iterator[tuple[Integers, NDArray[np.floating], Bools]]:
    """Samples for which the same models speak: their numbers, the scores [models, those, classes], and the claims of
    those models. The silent ones claim nothing, and their scores are 0.
    """
    speaks = speaking(scores, claims)
    if speaks.all():
        yield np.arange(scores.shape[1]), scores, claims
        return
    patterns, which = np.unique(speaks, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        rows = np.flatnonzero(which.ravel() == number)
        yield rows, np.where(pattern[:, None, None], scores[:, rows], 0.0), claims & pattern[:, None]


def claimants_of(claims: Bools, alpha: float, pairs: bool = False) -> Claimants:
    """S(c) and m for every class.

    Args:
        claims: bool [models, classes], does the model know the class?
        alpha: share of S(c) that a star averages, in (0, 1].
        pairs: at least two stand behind a star where two know the class. Else one does up to 1 / alpha of them, and
            that is the one with the lowest number.
    """
    counts = claims.sum(axis=0)
    least = np.minimum(counts, 2) if pairs else 1
    # A product such as 0.7 * 10 may come out just below the integer it is meant to be.
    closest = np.where(counts > 0, np.maximum(least, np.floor(alpha * counts + 1e-9)), 0).astype(np.int64)
    members = np.argsort(~claims.T, axis=1, kind="stable")[:, : max(1, int(counts.max(initial=0)))]
    return Claimants(members, np.take_along_axis(claims.T, members, axis=1), closest)


def stars(scores: NDArray[np.floating], claimants: Claimants, by_value: bool = False) -> Stars:
    """Krum's centre and the star around it for every sample and class (eqs. 4-6).

    The m values closest to a score include that score itself; equal distances count in the order of the models.

    Args:
        scores: [models, samples, classes], finite.
        claimants: see `claimants_of`.
        by_value: equal distances count in the order of the scores, the least first: no number of this depends on the
            order of the models.
    """
    starts = range(0, max(scores.shape[1], 1), AT_ONCE)
    pieces = [_stars(scores[:, i : i + AT_ONCE], claimants, by_value) for i in starts]
    return pieces[0] if len(pieces) == 1 else Stars(*(np.concatenate(part) for part in zip(*pieces, strict=True)))


def _stars(scores: NDArray[np.floating], claimants: Claimants, by_value: bool) -> Stars:
    n_classes, most = claimants.members.shape
    rows, samples = np.arange(n_classes)[:, None, None], np.arange(scores.shape[1])
    values = scores[claimants.members, :, rows[:, 0]].astype(np.float64)  # [classes, most, samples]
    present = claimants.present[:, :, None]
    order = np.arange(most)[:, None]
    if by_value:  # those that are no members stay last
        order = np.argsort(np.where(present, values, np.inf), axis=1, kind="stable")
        values = values[rows, order, samples]
    taken = np.arange(most)[None, :, None] < claimants.closest[:, None, None]
    away = np.abs(values[:, :, None, :] - values[:, None, :, :])  # [classes, j, k, samples]
    away = np.where(present[:, None], away, np.inf)
    krum = np.where(taken[:, None], np.sort(away, axis=2), 0.0).sum(axis=2)
    at = np.where(present, krum, np.inf).argmin(axis=1)  # [classes, samples]
    centre_value = values[rows[:, 0], at, samples]
    from_centre = np.where(present, np.abs(values - centre_value[:, None]), np.inf)
    chosen = values[rows, np.argsort(from_centre, axis=1, kind="stable"), samples]
    m = np.maximum(claimants.closest, 1)[:, None]
    star = np.where(taken, chosen, 0.0).sum(axis=1) / m
    spread = np.where(taken, np.abs(chosen - star[:, None]), 0.0).max(axis=1)
    someone = (claimants.closest > 0)[:, None]
    place = np.broadcast_to(order, values.shape)[rows[:, 0], at, samples]
    centre = claimants.members[rows[:, 0], place]
    return Stars(
        np.where(someone, star, -np.inf).T,
        np.where(someone, centre, -1).T,
        np.where(someone, centre_value, -np.inf).T,
        np.where(someone, spread, 0.0).T,
    )


def secure_margin(found: Stars, labels: Integers) -> Margins:
    """Rho = h_a*(x, y) - h_b*(x, y-), where y- is the wrong class with the largest star (eq. 3).

    Eq. 7 as printed takes the least Krum score over classes too, which is that of a class which all models score 0:
    no sample would ever violate such a margin (`printed_margin`). The mirror of the HMR margin is meant.
    """
    return _between(found.value, labels, found.value)


def printed_margin(scores: NDArray[np.floating], claimants: Claimants, labels: Integers) -> Margins:
    """The margin with y- chosen as eq. 7 prints it: the wrong class with the least Krum score. For comparison only."""
    found = stars(scores, claimants)
    n_classes, most = claimants.members.shape
    values = scores[claimants.members, :, np.arange(n_classes)[:, None]].astype(np.float64)
    away = np.abs(values[:, :, None, :] - values[:, None, :, :])
    away = np.where(claimants.present[:, None, :, None], away, np.inf)
    taken = np.arange(most)[None, None, :, None] < claimants.closest[:, None, None, None]
    krum = np.where(taken, np.sort(away, axis=2), 0.0).sum(axis=2)
    least = np.where(claimants.present[:, :, None], krum, np.inf).min(axis=1).T  # [samples, classes]
    return _between(found.value, labels, -np.where(claimants.closest > 0, least, np.inf))


def max_margin(scores: NDArray[np.floating], claims: Bools, labels: Integers) -> tuple[Margins, Integers, Integers]:
    """The margin of HMR: the largest score of the label against the largest of a wrong class, and the two models.

    Returns:
        The margins, a (the model with the largest score of the label, [samples]) and b (that of y-, [samples]).
    """
    best = np.where(claims[:, None, :], scores.astype(np.float64), -np.inf)
    margins = _between(best.max(axis=0), labels, best.max(axis=0))
    rows = np.arange(len(labels))
    who = best.argmax(axis=0)
    return margins, who[rows, labels], who[rows, margins.wrong]


def _between(values: Floats, labels: Integers, preference: Floats) -> Margins:
    rows = np.arange(len(labels))
    others = preference.copy()
    others[rows, labels] = -np.inf
    wrong = others.argmax(axis=1)
    with np.errstate(invalid="ignore"):
        return Margins(values[rows, labels] - values[rows, wrong], wrong)
