"""Corruption: how often a lie counts, and the regret that is promised.

Source: Shi, "Communication-Corruption Coupling and Verification in Cooperative Multi-Objective Bandits". Equation
numbers are that paper's. Its universal constant c is not given; it is 1 here unless a caller says otherwise.
"""

from collections.abc import Mapping
from math import log1p, sqrt
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from folkmoot.doors import array, guarded
from folkmoot.errors import brief
from folkmoot.theory.checks import sample_width


class EffectiveCorruption(NamedTuple):
    """Definition 1, of one run."""

    multiplicity: NDArray[np.int64]  # [n_pulls], rho: in how many estimators the pull's outcome stands (eq. 6)
    total: float  # Gamma_eff (eq. 7)
    of_arm: NDArray[np.float64]  # [n_arms], Gamma_eff,k (eq. 8)


class ArmCorruption(NamedTuple):
    """Definition 1, of a run in which every pull of an arm is in equally many estimators."""

    multiplicity: NDArray[np.int64]  # [n_arms], rho of each pull of the arm (eq. 6); 0 without a pull
    total: float  # Gamma_eff (eq. 7)
    of_arm: NDArray[np.float64]  # [n_arms], Gamma_eff,k (eq. 8)


class CorruptedRun(Protocol):
    """What `effective_corruption_of_run` reads of a result."""

    @property
    def observed(self) -> dict[str, NDArray[Any]]: ...
    @property
    def team_pulls(self) -> NDArray[np.int64]: ...
    @property
    def corruption_spent_per_arm(self) -> NDArray[np.float64]: ...


@guarded
def multiplicity(sharing: Literal["S1", "S2", "S3"], n_agents: int) -> int:
    """Lemma 1: N where every agent keeps every sample (S1), 1 for one shared table (S2) and for own samples (S3).

    Raises:
        ValueError: an unknown way of sharing, or fewer than one agent.
    """
    if sharing not in ("S1", "S2", "S3") or n_agents < 1:
        raise ValueError(f"sharing = {sharing!r}, n_agents = {n_agents}: expected 'S1', 'S2' or 'S3', and at least 1")
    return n_agents if sharing == "S1" else 1


@guarded
def effective_corruption(held: ArrayLike, size: ArrayLike, arm: ArrayLike, n_arms: int) -> EffectiveCorruption:
    """Definition 1 from what happened: unverified pulls in any order, of all agents and rounds.

    Args:
        held: bool [n_estimators, n_pulls], whether the estimator has the pull's outcome at the end of the run.
        size: [n_pulls], |C|_inf, what the adversary changed in the outcome.
        arm: int [n_pulls].
        n_arms: K.

    Returns:
        Multiplicities, and the corruption that all estimators together have taken in, in all and of each arm. A pull
        that two estimators hold counts twice, although each estimator is off by it only once (E-7).

    Raises:
        ValueError: shapes that do not fit, a size below 0, an arm out of range.
    """
    in_estimator = array("held", held, "true and false [estimators, pulls]", "flag")
    change, which = array("size", size, "numbers [pulls]"), array("arm", arm, "whole numbers [pulls]", "whole")
    if in_estimator.ndim != 2 or change.shape != in_estimator.shape[1:] or which.shape != change.shape:
        raise ValueError(
            f"held {in_estimator.shape}, size {change.shape}, arm {which.shape}: "
            "expected [estimators, pulls], [pulls], [pulls]"
        )
    if not (np.isfinite(change) & (change >= 0.0)).all() or not ((which >= 0) & (which < n_arms)).all():
        raise ValueError(f"expected sizes of at least 0 and arms from 0 to {n_arms - 1}")
    rho = in_estimator.sum(axis=0).astype(np.int64)
    of_arm = np.zeros(n_arms)
    np.add.at(of_arm, which, rho * change)
    return EffectiveCorruption(rho, float((rho * change).sum()), of_arm)


@guarded
def effective_corruption_of_run(
    result: CorruptedRun, replicate: int = 0, count: Literal["agents", "distinct"] = "agents"
) -> ArmCorruption:
    """Definition 1 from what a run of S1, S2, S3 or S3Cert left behind, simulated with observe=("samples", "total").

    An agent whose estimate of an arm has m samples, of H pulls of the team, has the share m / H of them; the shares of
    all estimators add up to rho. That is exact where all pulls of an arm are shared alike, as when every message
    arrives.

    Args:
        result: of `folkmoot.simulate`.
        replicate: which one.
        count: what is an estimator. "agents": each agent's, the reading of Lemma 1 for S1. "distinct": agents whose
            samples and sums are the same in every bit have one estimator together, its reading for S2. By either, S1
            and S2 have the same multiplicity where every message arrives (E-7).

    Returns:
        Multiplicity of the pulls of each arm, and the effective corruption, in all and of each arm.

    Raises:
        ValueError: "samples" or "total" was not observed, another count, or pulls of an arm that are in different
            numbers of estimators: then Definition 1 needs each pull (`effective_corruption`).
    """
    if not isinstance(getattr(result, "observed", None), Mapping):
        raise ValueError(f"result = {brief(result)}: expected a result of folkmoot.simulate")
    if not 0 <= replicate < len(result.observed.get("samples", [0])):
        raise ValueError(f"replicate = {replicate}: expected one from 0 on that was played")
    missing = [name for name in ("samples", "total") if name not in result.observed]
    if missing:
        raise ValueError(f"result: expected one simulated with observe = ('samples', 'total'), lacks {missing}")
    if count not in ("agents", "distinct"):
        raise ValueError(f"count = {brief(count)}: allowed are 'agents' and 'distinct'")
    samples, total = (np.asarray(result.observed[name])[replicate, -1] for name in ("samples", "total"))
    if count == "distinct":
        rows = np.concatenate([samples, total.reshape(len(total), -1)], axis=1)
        samples = samples[np.unique(rows, axis=0, return_index=True)[1]]
    pulls = np.asarray(result.team_pulls)[replicate, -1]
    held = samples.sum(axis=0)
    rho = held // np.maximum(pulls, 1)
    uneven = np.flatnonzero(rho * pulls != held)
    if len(uneven):
        k = int(uneven[0])
        raise ValueError(
            f"arm {k}: {int(held[k])} samples of {int(pulls[k])} pulls: some are in more estimators than others; "
            "effective_corruption counts pull by pull"
        )
    of_arm = rho * np.asarray(result.corruption_spent_per_arm)[replicate]
    return ArmCorruption(rho.astype(np.int64), float(of_arm.sum()), of_arm)


@guarded
def corrupted_bound(
    effective: float,
    n_arms: int,
    n_objectives: int,
    n_agents: int,
    horizon: int,
    delta: float | None = None,
    lipschitz: float = 1.0,
    c: float = 1.0,
) -> float:
    """Theorem 1 (eq. 11), as printed: c L ( sqrt(K N T ln(2 d K N T / delta)) + Gamma_eff ln(1 + N T) ).

    Where samples are shared it stands, but for the second term's ln(1 + N T), which should be 1 + ln(N T); for S3 its
    first term is sqrt(N) too small, and an agent that knows only Gamma pays K times the second (E-11).

    Args:
        effective: Gamma_eff: Gamma times `multiplicity`, or what `effective_corruption` found.
        n_arms: K.
        n_objectives: d.
        n_agents: N.
        horizon: T, rounds.
        delta: failure probability; None is 1/T.
        lipschitz: L of the scalarisation in the sup norm.
        c: the universal constant.

    Returns:
        Regret of the team.

    Raises:
        ValueError: an argument out of range.
    """
    width, pulls = sample_width(n_arms, n_objectives, n_agents, horizon, delta), n_agents * horizon
    if not effective >= 0.0:
        raise ValueError(f"effective = {brief(effective)}: expected at least 0")
    return c * lipschitz * (sqrt(n_arms * pulls * width) + effective * log1p(pulls))


@guarded
def certified_bound(
    clean: float, budget: float, verifications: float, needed: float, gap_max: float, pulls: int, lipschitz: float = 1.0
) -> float:
    """Theorem 3's two regimes: eq. 17 below the verifications that are needed, then the smaller of eqs. 17 and 19.

    (17) L clean + L Gamma. (19) nu Delta_max + min(L clean, N T Delta_max), whatever Gamma is. Constants and logarithms
    are left out, as in the paper. Eq. 19 needs verified pulls that come first (E-10).

    Args:
        clean: regret of the same protocol when nobody lies.
        budget: Gamma.
        verifications: nu.
        needed: what `verification_needed` says.
        gap_max: the largest gap.
        pulls: N T.
        lipschitz: L.

    Returns:
        Regret of the team.

    Raises:
        ValueError: a number below 0.
    """
    if min(clean, budget, verifications, needed, gap_max, pulls, lipschitz) < 0:
        raise ValueError("certified_bound: expected numbers of at least 0")
    robust = lipschitz * (clean + budget)
    if verifications < needed:
        return robust
    return min(robust, verifications * gap_max + min(lipschitz * clean, pulls * gap_max))
