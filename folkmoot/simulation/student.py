"""Quantiles of Student's distribution for whole degrees of freedom.

SciPy has them as well, but to load it takes longer than a small experiment. Here the last bit does not depend on the
version of a library either.
"""

from functools import cache
from math import atan, cos, exp, inf, lgamma, log1p, pi, sin, sqrt
from statistics import NormalDist

_MANY = 1_000  # from so many degrees of freedom on the expansion is exact to 14 digits
_STEPS = 200


@cache
def student_quantile(level: float, df: int) -> float:
    """The number t for which a value of Student's distribution lies in [-t, t] with this probability.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3, 26.7.4 and 26.7.5.

    Args:
        level: from 0 (excluded) to 1 (excluded), such as 0.95.
        df: degrees of freedom, at least 1.

    Raises:
        ValueError: another level, or df below 1.
    """
    if not 0.0 < level < 1.0 or df < 1:
        raise ValueError(f"level = {level:g}, df = {df}: expected a level from 0 to 1, both excluded, and df from 1 on")
    normal = NormalDist().inv_cdf(0.5 + level / 2)
    if df >= _MANY:
        return _expanded(normal, df)
    density = exp(lgamma((df + 1) / 2) - lgamma(df / 2)) / sqrt(df * pi)
    t, last = normal, inf  # the probability is concave in t, and `normal` is too low: Newton's steps only go up
    for _ in range(_STEPS):
        step = (level - _inside(t, df)) / (2.0 * density * exp(-(df + 1) / 2 * log1p(t * t / df)))
        if step <= 0.0 or (step >= last and step < 1e-12 * t):
            break
        t, last = t + step, step
    return t


def _inside(t: float, df: int) -> float:
    """The probability of [-t, t]."""
    angle = atan(t / sqrt(df))
    square = cos(angle) ** 2
    term = cos(angle) if df % 2 else 1.0
    total = 0.0
    for k in range(df // 2):
        total += term
        term *= square * ((2 * k + 2) / (2 * k + 3) if df % 2 else (2 * k + 1) / (2 * k + 2))
    return 2.0 / pi * (angle + sin(angle) * total) if df % 2 else sin(angle) * total


def _expanded(x: float, df: int) -> float:
    """Fisher's expansion around the quantile x of the normal distribution."""
    terms = (
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92_160,
    )
    return float(x + sum(term / df ** (power + 1) for power, term in enumerate(terms)))
