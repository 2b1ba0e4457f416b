"""The index of the protocols S1, S2, S3 and S3Cert: optimism about vectors of rewards, some of them corrupted.

Source: "Communication-Corruption Coupling and Verification in Cooperative Multi-Objective Bandits" (Shi). Equation
numbers are that paper's.
"""

from math import inf, log, sqrt
from typing import ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.errors import brief
from folkmoot.interface import kernel, scalarise

STALE = -inf  # an index to be computed anew; no index is that low


class Rule(NamedTuple):
    """The index, and when to verify: the same for all protocols."""

    n_objectives: int  # d
    scalarisation: NamedTuple  # phi
    width: float  # log(2 d K N T / delta)
    corruption: float  # G, budgeted for every arm; 0 for the oracle, who is told what was spent
    oracle: bool
    verifications: int  # nu, of the whole team


class Sharing(Algorithm):
    """What the protocols S1, S2, S3 and S3Cert share. Rewards lie in [0, 1] in every coordinate.

    Attributes:
        radius: what it allows for corruption. "aware": the budget, N-fold for S1; "naive": nothing; "oracle": what the
            adversary has really spent on the arm so far, which no real agent can know.
        budget: what the aware radius budgets for, at least 0: the sum over pulls of the largest change of a coordinate;
            None is what the problem says an adversary may spend.
        delta: failure probability of all radii together; None is 1/T.
    """

    many_objectives: ClassVar[bool] = True
    radius: Literal["aware", "oracle", "naive"] = "aware"
    budget: float | None = Field(None, ge=0, allow_inf_nan=False)
    delta: float | None = Field(None, gt=0, lt=1)

    @model_validator(mode="after")
    def _a_budget_has_its_radius(self) -> Self:
        if self.budget is not None and self.radius != "aware":
            raise ValueError(
                f"budget = {brief(self.budget)}: only radius = 'aware' has a budget, this one is {brief(self.radius)}"
            )
        return self

    @property
    def is_oracle(self) -> bool:
        """Is the radius what was really spent?"""
        return self.radius == "oracle"

    def _rule(self, problem: Problem, copies: int = 1) -> Rule:
        """The index of this configuration; `copies` multiplies an aware radius's budget.

        Raises:
            ValueError: rewards that may leave [0, 1].
        """
        name = type(self).__name__
        if not problem.bounded:
            raise ValueError(f"{name}: expected rewards from 0 to 1; these may lie outside")
        budget = problem.corruption if self.budget is None else self.budget
        d, steps = problem.n_objectives, problem.n_agents * problem.horizon
        return Rule(
            n_objectives=d,
            scalarisation=problem.scalarisation,
            width=log(2 * d * problem.n_arms * steps) - log(self.delta or 1.0 / problem.horizon),
            corruption=copies * budget if self.radius == "aware" else 0.0,
            oracle=self.radius == "oracle",
            verifications=problem.verification,
        )


# Kernels on the five arrays that the state of every protocol has: samples, total, corruption, bound and corner.


@kernel
def turn(params, i, t):
    """The number, from 0, of the verification that is agent i's in round t, if the budget is that large."""
    return (t - 1) * params.n_agents + i


@kernel
def append(state, i, arm, rewards, row):
    """One more sample of the arm, `rewards[row, :]`, in agent i's estimate; its index is stale then."""
    state.samples[i, arm] += 1
    for j in range(rewards.shape[1]):
        state.total[i, arm, j] += rewards[row, j]
    state.bound[i, arm] = STALE


@kernel
def refresh(params, state, i, arm):
    """Eqs. 9 and 10: phi at the upper corner of the confidence box; unpulled arms keep an index of +inf."""
    m = state.samples[i, arm]
    if m == 0:
        return
    radius = sqrt(params.rule.width / (2.0 * m)) + state.corruption[i, arm] / m
    for j in range(params.rule.n_objectives):
        state.corner[i, j] = min(1.0, max(0.0, state.total[i, arm, j] / m + radius))
    state.bound[i, arm] = scalarise(params.rule.scalarisation, state.corner, i)


@kernel
def refresh_stale(params, state, i):
    """The index does not depend on the round: compute those that have new samples."""
    for k in range(params.n_arms):
        if state.bound[i, k] == STALE:
            refresh(params, state, i, k)


@kernel
def reveal(params, state, spent):
    """Tell every agent of an oracle what was spent on each arm (eq. 8 with every sample counted once)."""
    if not params.rule.oracle:
        return
    for i in range(params.n_agents):
        for k in range(params.n_arms):
            if state.corruption[i, k] != spent[k]:
                state.corruption[i, k] = spent[k]
                refresh(params, state, i, k)
