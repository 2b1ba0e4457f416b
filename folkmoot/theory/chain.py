"""What BC-UCB's theorem promises."""

from math import log, pi

from folkmoot.doors import guarded
from folkmoot.theory.checks import Gaps, checked_gaps


@guarded
def bc_ucb_bound(
    gaps: Gaps,
    n_honest: int,
    horizon: int,
    c1: float,
    burn_in: int,
    cost: float = 0.0,
    forgery: float = 2.0,
) -> float:
    """Theorem 1 of BC-UCB, as printed: what it promises for the regret of all honest participants together.

    (c + 1) L + sum over honest m and suboptimal k of Delta_k (4 C1 ln T / Delta_k^2 + pi^2 / 3) + |H| K l^(1 - T). Its
    proof needs C1 >= 4 |H| kappa sigma^2 (it asks for half of that: the terms then sum to ln T, not to pi^2 / 6).

    Args:
        gaps: Delta_k of all arms; those of 0 are the best arm's.
        n_honest: |H|, at least 1.
        horizon: T, rounds, at least 2.
        c1: C1, above 0.
        burn_in: L, rounds.
        cost: c.
        forgery: l, above 1: a signature is forged with probability l^-T.

    Returns:
        Regret, summed over honest participants.

    Raises:
        ValueError: an argument out of range.
    """
    delta = checked_gaps(gaps)
    if n_honest < 1 or horizon < 2 or burn_in < 0:
        raise ValueError(f"n_honest = {n_honest}, horizon = {horizon}, burn_in = {burn_in}: expected >= 1, >= 2, >= 0")
    if not c1 > 0.0 or not cost >= 0.0 or not forgery > 1.0:
        raise ValueError(f"c1 = {c1}, cost = {cost}, forgery = {forgery}: expected > 0, >= 0, > 1")
    away = delta[delta > 0.0]
    learning = float((4.0 * c1 * log(horizon) / away + away * pi**2 / 3.0).sum())
    return float((cost + 1.0) * burn_in + n_honest * learning + n_honest * len(delta) * forgery ** (1.0 - horizon))
