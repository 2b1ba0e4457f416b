"""What sharing, corruption and verification cost: the theorems of Shi, term by term.

Source: "Communication-Corruption Coupling and Verification in Cooperative Multi-Objective Bandits". Equation numbers
are that paper's; its universal constants are not given there, and are 1 here unless a caller says otherwise.
"""

from math import inf, sqrt

from folkmoot.doors import guarded
from folkmoot.errors import brief
from folkmoot.theory.checks import checked_scale, sample_width


def _certificate_constant(
    n_arms: int, n_objectives: int, n_agents: int, horizon: int, delta: float | None, lipschitz: float, c: float
) -> float:
    """Verifications times the squared gap: c K L^2 log(2 d K N T / delta)."""
    width = sample_width(n_arms, n_objectives, n_agents, horizon, delta)
    for name, factor in (("lipschitz", lipschitz), ("c", c)):
        checked_scale(name, factor)
    return c * n_arms * lipschitz**2 * width


@guarded
def verification_needed(
    gap_min: float,
    n_arms: int,
    n_objectives: int,
    n_agents: int,
    horizon: int,
    delta: float | None = None,
    lipschitz: float = 1.0,
    c: float = 8.0,
) -> float:
    """Theorem 3 (eq. 18): verified pulls of the team that are enough to prove the best arm the best.

    nu >= c K L^2 log(2 d K N T / delta) / gap_min^2. With c = 8 an arm verified nu / K times has a certificate of
    half-width gap_min / 4, as the proof asks; nu is meant as a multiple of K. There are only N T pulls: above that, no
    budget is enough.

    Args:
        gap_min: the smallest gap to the best arm, above 0.
        n_arms: K.
        n_objectives: d.
        n_agents: N.
        horizon: T, rounds.
        delta: failure probability; None is 1/T.
        lipschitz: L of the scalarisation in the sup norm.
        c: the constant.

    Returns:
        nu, in pulls.

    Raises:
        ValueError: an argument out of range.
    """
    gap_min = checked_scale("gap_min", gap_min)
    return _certificate_constant(n_arms, n_objectives, n_agents, horizon, delta, lipschitz, c) / gap_min**2


@guarded
def gap_certifiable(
    verifications: float,
    n_arms: int,
    n_objectives: int,
    n_agents: int,
    horizon: int,
    delta: float | None = None,
    lipschitz: float = 1.0,
    c: float = 8.0,
) -> float:
    """The reverse of `verification_needed`: the smallest gap for which so many verified pulls are enough.

    Args:
        verifications: nu, above 0; more than N T pulls there are not.
        n_arms: K.
        n_objectives: d.
        n_agents: N.
        horizon: T, rounds.
        delta: failure probability; None is 1/T.
        lipschitz: L of the scalarisation in the sup norm.
        c: the constant.

    Returns:
        The gap.

    Raises:
        ValueError: an argument out of range.
    """
    if not 0.0 < verifications < inf:
        raise ValueError(f"verifications = {brief(verifications)}: expected a number above 0")
    return sqrt(_certificate_constant(n_arms, n_objectives, n_agents, horizon, delta, lipschitz, c) / verifications)
