"""What the measured curves should be, worked out without simulation.

*The pace of exploration.* All honest participants pull by the same validated estimates, which are means over several
of them and hence nearly exact. Where estimate_i + sqrt(C1 ln t / n_i) is largest is pulled next, so all these indices
stay level: n_i = (w_i / (level - mu_i))^2 with w_i = sqrt(C1 ln t) and sum n_i = t. Liars that shift an estimate by b_i
standard errors sigma_i / sqrt(n_i) only change the width: w_i = sqrt(C1 ln t) + b_i sigma_i.

*The shift.* Honest reports of an arm that all have pulled n times are about normal with standard error sigma / sqrt(n);
the lowest f and the highest f of all reports are dropped. What liars achieve is then a mean of order statistics.
"""

from math import exp, lgamma, log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import linregress, norm

_HALVINGS = 100


def order_statistic(rank: int, n: int) -> float:
    """The expected (rank + 1)-th smallest of n standard normals."""
    ways = lgamma(n + 1) - lgamma(rank + 1) - lgamma(n - rank)

    def weighted(x: float) -> float:
        return float(x * exp(ways + rank * norm.logcdf(x) + (n - 1 - rank) * norm.logsf(x) + norm.logpdf(x)))

    return float(quad(weighted, -9.0, 9.0)[0])


def shift(n: int, liars: int, faulty: int, extreme: bool) -> float:
    """Standard errors by which liars lower the trimmed mean of n reports.

    Inside the window they report what the lowest honest one reports that is not dropped but for them; extreme liars
    report less than anybody, and are dropped in the place of honest ones.
    """
    low = [order_statistic(rank, n - liars) for rank in range(n - liars)]
    lies = [-10.0 if extreme else low[faulty - 1]] * liars
    kept = sorted([*low, *lies])[faulty : n - faulty]
    return -sum(kept) / len(kept)


def split_shift(n: int, liars: int, faulty: int) -> float:
    """As `shift`, where liars split what validators see, all are drawn, and the liars' sets name everybody.

    The first liar reports just what is not trimmed while its allies' extremes are: as much as the honest report of rank
    `faulty - liars` from below. Half of the honest hear that, the other half an extreme of it as well, and keep this
    honest report instead. Either half and the liars are a majority: both get in, beside those that all keep.
    """
    low = [order_statistic(rank, n - liars) for rank in range(n - liars)]
    first = faulty - liars
    kept = [low[first], *low[first : n - liars - faulty]]
    return -sum(kept) / len(kept)


def pulls(
    means: NDArray[np.float64], c1: float, rounds: NDArray[np.int64], shifted: float = 0.0
) -> NDArray[np.float64]:
    """float64 [rounds, arms]: a participant's pulls when the best arm's estimate is low and all others' are high.

    Args:
        means: of the arms, the best first.
        c1: C1.
        rounds: t.
        shifted: by so many standard errors of one participant's mean.
    """
    errors = np.sqrt(means * (1.0 - means)) * shifted
    errors[0] *= -1.0
    gaps, rows = means[0] - means, []
    for t in rounds:
        width = sqrt(c1 * log(t)) + errors
        low, high = 0.0, 1e3
        for _ in range(_HALVINGS):
            above = (low + high) / 2.0  # the level, above the best mean
            if ((width / (above + gaps)) ** 2).sum() > t:
                low = above
            else:
                high = above
        rows.append((width / (high + gaps)) ** 2)
    return np.array(rows)


def regret(
    means: NDArray[np.float64], c1: float, rounds: NDArray[np.int64], honest: int, shifted: float = 0.0
) -> NDArray[np.float64]:
    """float64 [rounds]: of so many honest participants together."""
    return np.asarray(honest * (pulls(means, c1, rounds, shifted) @ (means[0] - means)))


def line(rounds: NDArray[np.int64], values: NDArray[np.float64]) -> tuple[float, float]:
    """Slope in log t and R^2 of the least-squares line."""
    found = linregress(np.log(rounds), values)
    return float(found.slope), float(found.rvalue**2)


def chance_of_no_majority(trust: NDArray[np.float64], liars: int, expected: int) -> float:
    """That among the validators drawn in a round the honest are no more than the liars.

    Args:
        trust: float64 [replicates, participants], shares.
        liars: how many there are, the last ones.
        expected: units of trust drawn a round.
    """
    chances = []
    for row in 1.0 - np.exp(-expected * trust):
        counts = {True: np.ones(1), False: np.ones(1)}  # of liars, of honest ones: the law of how many are drawn
        for number, drawn in enumerate(row):
            side = number >= len(row) - liars
            counts[side] = np.convolve(counts[side], [1.0 - drawn, drawn])
        at_least = counts[True][::-1].cumsum()[::-1]
        chances.append(sum(p * at_least[h] for h, p in enumerate(counts[False]) if h < len(at_least)))
    return float(np.mean(chances))
