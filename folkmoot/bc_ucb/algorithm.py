"""BC-UCB: a participant in a bandit on a chain, among others of whom some lie.

Source: BC-UCB, Algorithms 1 to 3. What a participant thinks: which arm it pulls, and what it remembers. What it does
with the others stands in round.py; the two drivers (all participants in one compiled loop, or each a state machine on
a network) call these same functions.
"""

from math import inf, log, sqrt
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.bc_ucb.round import arm_in_turn, in_burn_in
from folkmoot.coins import CHOICE, below
from folkmoot.interface import implements, kernel

_MOST_KAPPA = 2.0
_KAPPA_PARTS = 1_000  # kappa counts in thousandths: comparisons are in whole numbers


class BCUCB(Algorithm):
    """UCB on validated estimates, with screening, trimming and trust.

    Attributes:
        faulty: f, how many reporters may lie; None is the most that M participants tolerate, (M - 1) // 3.
        c1: C1 in the index estimate + sqrt(C1 ln t / n). The theorem asks for 4 |H| kappa sigma^2, which is huge in
            practice (its own 2 |H| kappa sigma^2 is too small by half: E-12); "theory" takes that with |H| = M, since
            nobody knows how many are honest, and a larger |H| asks for a larger C1.
        kappa: a participant is heard on all arms or none, when kappa times its count exceeds the validator's own on
            every arm; between 1 and 2, in thousandths.
        burn_in: L, rounds in which arm t mod K is pulled, unscreened; None is 5 for each arm.
        combination: how the agreed sets become the validated one: "majority", or "union" as Algorithm 1 prints it,
            with which a single malicious validator puts anyone in.
        trust: what a participant's weight follows: "distance" of its reports from the estimates (Algorithm 2), or
            the "reward" it received (the text).
        delta: what trust gains in a block at distance 0, in units of reward.
        trust_ratio: the largest ratio of two trust weights. The printed weights are products without end: one
            participant soon has them all, and need not be honest (docs/decisions/0016).
        cost: c, what honest participants pay, unawares, in a block whose average a malicious estimate has entered.
        resolution: reported means are multiples of 2**-resolution, from 4 to 32. Two reports in a row tell which arm
            was pulled, and how often. A coarser grid stops only an observer that looks at numbers alone, not one that
            knows the rule and works out what is pulled (docs/private-comparison.md).
        window: rounds after which the outcome of a pull can still be claimed, at most 62. In `simulate_chain` outcomes
            come at once; late ones are for programs that drive participants themselves.
        screening: compare pull counts at all?
        gives_way: hear all who reported where screening would leave at most 2 f of them, or the round before had no
            block? False is version 0.1.0, where one liar can stop a game for ever (docs/decisions/0025).
        trimming: drop the faulty largest and smallest reports of an arm?
    """

    label: ClassVar[str] = "BC-UCB"
    on_chain: ClassVar[bool] = True
    faulty: int | None = Field(None, ge=0, le=512)
    c1: float | Literal["theory"] = 2.0
    kappa: float = Field(1.5, gt=1, lt=_MOST_KAPPA)
    burn_in: int | None = Field(None, ge=1)
    combination: Literal["majority", "union"] = "majority"
    trust: Literal["distance", "reward"] = "distance"
    delta: float = Field(0.1, ge=0, le=1)
    trust_ratio: float = Field(2.0, ge=1, le=1e6)
    cost: float = Field(0.0, ge=0, le=1)
    resolution: int = Field(32, ge=4, le=32)
    window: int = Field(8, ge=0, le=62)
    screening: bool = True
    gives_way: bool = True
    trimming: bool = True

    def params(self, problem: Problem) -> "Params":
        """The participant's numbers.

        Raises:
            ValueError: f too large for M, rewards outside [0, 1], a burn-in that leaves an arm out, C1 not above 0.
        """
        m, k = problem.n_agents, problem.n_arms
        most = (m - 1) // 3
        faulty = most if self.faulty is None else self.faulty
        if faulty > most:
            raise ValueError(f"faulty = {faulty}: expected at most (M - 1) // 3 = {most} of {m} participants")
        if not problem.bounded:
            raise ValueError("BC-UCB: expected rewards from 0 to 1; these may lie outside")
        burn_in = 5 * k if self.burn_in is None else self.burn_in
        if burn_in < k:
            raise ValueError(f"burn_in = {burn_in}: expected at least the number of arms, {k}")
        kappa = round(self.kappa * _KAPPA_PARTS)
        theory = 4.0 * m * self.kappa * problem.sub_gaussian**2
        c1 = theory if isinstance(self.c1, str) else self.c1
        if not 0.0 < c1 <= 1e9:
            raise ValueError(f"c1 = {c1}: expected a number above 0 and at most 1e9")
        return Params(m, k, burn_in, c1, kappa, _KAPPA_PARTS, faulty, self.screening, self.trimming, self.gives_way)


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # M
    n_arms: int  # K
    burn_in: int  # L
    c1: float  # C_1
    kappa: int  # numerator of kappa
    kappa_parts: int  # its denominator
    faulty: int  # f
    screening: bool
    trimming: bool
    gives_way: bool = True  # does screening, where it would stop the game?


class State(NamedTuple):
    """What a participant remembers of its own pulls; all else is on the chain."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]  n_{m,i}, in approved rounds
    mean: np.ndarray  # float64 [n_agents, n_arms]  of the rewards of these


@implements(Params)
def init(params):
    shape = (params.n_agents, params.n_arms)
    return State(np.zeros(shape, np.int64), np.zeros(shape, np.float64))


@kernel
def choose(params, state, estimates, known, levels, i, t, coins):
    """The arm participant i pulls in round t = 1, 2, ...

    Args:
        estimates: float64 [n_arms], the validated estimates on the chain.
        known: bool, are there any? Its own means serve until then.
        levels: int64 [n_arms], N_i: how often others are known to have pulled the arms.
    """
    if in_burn_in(params, t):
        return arm_in_turn(params, t)
    behind = 0
    for k in range(params.n_arms):
        if state.pulls[i, k] == 0:
            return k
        if state.pulls[i, k] <= levels[k] - params.n_arms:
            behind += 1
    if behind > 0:
        wanted = below(coins, behind, CHOICE, t, i, 0)
        for k in range(params.n_arms):
            if state.pulls[i, k] <= levels[k] - params.n_arms:
                if wanted == 0:
                    return k
                wanted -= 1
    best, bound = 0, -inf
    width = params.c1 * log(t)
    for k in range(params.n_arms):
        estimate = estimates[k] if known else state.mean[i, k]
        index = estimate + sqrt(width / state.pulls[i, k])
        if index > bound:
            best, bound = k, index
    return best
