# ruff: noqa: F811  one generic function has an implementation per record type
"""Gossip Successive Elimination: agents with different means, links that come and go.

Source: "Distributed Multi-Agent Bandits Over Erdos-Renyi Random Networks" (arXiv 2510.22811). Equation
numbers are that paper's. Its constants were lost in the stored text; "published" here means those of the
authors' code (docs/decisions/0003-gse-constants.md). They are not sound on every network: E-22, `gse.remarks`,
docs/decisions/0039-gse-radius.md. FloodSE is.
"""

from math import inf, log, sqrt
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field, field_validator

from folkmoot.algorithms.accounts import bytes_with_accounts, publish_accounts, slots, transfer
from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.algorithms.flood_common import only_arm
from folkmoot.algorithms.outcomes import made, note_pull
from folkmoot.algorithms.rows import average, intersect
from folkmoot.algorithms.words import best_of, read_row, write_row
from folkmoot.interface import implements, kernel


class GSE(Algorithm):
    """Pull the least pulled arm still in play, gossip estimates, drop arms that are surely worse.

    Attributes:
        link_probability: p used in the radius; None takes the network's, "estimate" has each agent measure it
            in a burn-in (Appendix C). It need not be the true one.
        algebraic_connectivity: lambda, second smallest Laplacian eigenvalue of the base graph; None computes it.
        radius: "published", that of the authors' code. It is not sound where gossip is slow; `remarks` says where.
        delta: failure probability of the estimate of p; None is 1/T.
    """

    label: ClassVar[str] = "GSE"
    for_good: ClassVar[bool] = True
    link_probability: Annotated[float, Field(gt=0, le=1)] | Literal["estimate"] | None = None
    algebraic_connectivity: float | None = Field(None, gt=0)
    radius: Literal["published"] = "published"
    delta: float | None = Field(None, gt=0, lt=1)

    @field_validator("radius", mode="before")
    @classmethod
    def _radius_is_known(cls, value: Any) -> Any:
        if value == "proven":
            raise ValueError("had no proof and is gone (docs/decisions/0039-gse-radius.md); FloodSE has one")
        return value

    def remarks(self, problem: Problem) -> list[str]:
        """Where gossip is slower than the radius takes it to be: K L* must be tau* or more, that is K^2 lambda >= N."""
        n, k = problem.n_agents, problem.n_arms
        connectivity = float(self.algebraic_connectivity or problem.graph.algebraic_connectivity)
        if n == 1 or k * k * connectivity >= n:
            return super().remarks(problem)
        return [
            *super().remarks(problem),
            f"GSE: its published radius is not sound here and may drop the best arm: gossip over {n:,} agents with "
            f"algebraic connectivity {connectivity:.3g} is slower than {k} arms' L* pulls (K^2 lambda = "
            f"{k * k * connectivity:.3g}, below N = {n:,}). FloodSE is sound on every network.",
        ]

    def params(self, problem: Problem) -> "Params":
        graph, n = problem.graph, problem.n_agents
        p = problem.link_probability if self.link_probability is None else self.link_probability
        if p is None:
            raise ValueError(
                "GSE link_probability = None: the network has no constant one; give a number or 'estimate'"
            )
        if p == "estimate":
            p = 0.0
        if n > 1 and not graph.is_connected:
            raise ValueError("base graph: GSE expects a connected one, this one falls apart")
        if not problem.bounded:
            raise ValueError("rewards: GSE expects them in [0, 1], these may lie outside (FloodSE takes them)")
        return Params(
            n_agents=n,
            n_arms=problem.n_arms,
            horizon=problem.horizon,
            link_probability=float(p),
            connectivity=float(self.algebraic_connectivity or graph.algebraic_connectivity or 1.0),
            degree=graph.degree,
            delta=self.delta or 1.0 / problem.horizon,
            slots=slots(problem, "GSE"),
        )


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # N
    n_arms: int  # K
    horizon: int  # T
    link_probability: float  # p; 0 means that each agent estimates it
    connectivity: float  # lambda_{N-1}(Lap G)
    degree: np.ndarray  # int64 [n_agents] in the base graph
    delta: float
    slots: int  # accounts an agent keeps: N if links may be one-sided, else 0


class State(NamedTuple):
    """What an agent remembers."""

    pulls: np.ndarray  # int64 [n_agents, n_arms]  T_{i,k}
    mean: np.ndarray  # float64 [n_agents, n_arms]  own observations
    gossip: np.ndarray  # float64 [n_agents, n_arms]  z_{i,k}, estimate of the mean over all agents
    radius: np.ndarray  # float64 [n_agents, n_arms]  c_{i,k}
    active: np.ndarray  # bool [n_agents, n_arms]  S_i
    link: np.ndarray  # float64 [n_agents]  p in use; 0 while it is being estimated
    met: np.ndarray  # int64 [n_agents]  links seen up so far while estimating
    waiting: np.ndarray  # int64 [n_agents, n_arms or 0]  pulls without an outcome
    account: np.ndarray  # float64 [n_agents, slots, n_arms]  see folkmoot.algorithms.accounts


class Message(NamedTuple):
    """First exchange: estimates."""

    gossip: np.ndarray  # float64 [n_agents, n_arms]
    account: np.ndarray  # float64 [n_agents, slots, n_arms]


class LateMessage(NamedTuple):
    """Second exchange: arms still in play after everybody's elimination."""

    active: np.ndarray  # bool [n_agents, n_arms]


@implements(Params)
def init(params):
    return fresh(params, params.n_arms)


@implements(Params)
def init_at_once(params):
    return fresh(params, 0)


@kernel
def fresh(params, waiting):
    """The state before the first round, with so many columns for pulls that wait."""
    shape = (params.n_agents, params.n_arms)
    state = State(
        np.zeros(shape, np.int64),
        np.zeros(shape, np.float64),
        np.zeros(shape, np.float64),
        np.zeros(shape, np.float64),
        np.ones(shape, np.bool_),
        np.full(params.n_agents, params.link_probability),
        np.zeros(params.n_agents, np.int64),
        np.zeros((params.n_agents, waiting), np.int64),
        np.zeros((params.n_agents, params.slots, params.n_arms), np.float64),
    )
    if params.link_probability > 0.0:
        start = radius(params, 0, params.link_probability)
        for i in range(params.n_agents):
            for k in range(params.n_arms):
                state.radius[i, k] = start
    return state


@implements(Params)
def outbox(params):
    n, k = params.n_agents, params.n_arms
    return Message(np.zeros((n, k), np.float64), np.zeros((n, params.slots, k), np.float64))


@implements(Params)
def late_outbox(params):
    return LateMessage(np.zeros((params.n_agents, params.n_arms), np.bool_))


@implements(Message)
def said(message, params, i, values):
    read_row(message.gossip, i, values)


@implements(Message)
def say(message, params, i, values):
    write_row(message.gossip, i, values)


@implements(LateMessage)
def said(message, params, i, values):
    """1 for an arm in play, 0 for one that is out."""
    for k in range(params.n_arms):
        values[k] = 1.0 if message.active[i, k] else 0.0


@implements(LateMessage)
def say(message, params, i, values):
    """In play are the arms with the largest value."""
    best = best_of(values)
    for k in range(params.n_arms):
        message.active[i, k] = values[k] == values[best]


@kernel
def minimum_pulls(params, p):
    """L* (eq. 6): pulls before an arm's radius starts to shrink; K ln T / p."""
    return params.n_arms * log(params.horizon) / p


@kernel
def mixing_time(params, p):
    """tau* (eq. 6): rounds until gossip has mixed; N ln T / (p lambda).

    On the complete graph lambda = N, which gives the refined ln T / p of Corollary 5.4.
    """
    rate = params.n_agents / (p * params.connectivity)
    return rate * log(params.horizon)


@kernel
def radius(params, pulls, p):
    """c_{i,k} (eq. 5): a statistical part and a consensus part, after `pulls` pulls with link probability p.

    The consensus part is divided by N, as in the code; a derivation has no such N (E-22).
    """
    n, tau = params.n_agents, mixing_time(params, p)
    m = max(pulls - minimum_pulls(params, p), 1.0)
    return sqrt(log(params.horizon) / (n * m)) + (tau + sqrt(n)) / (n * m)


@implements(Params)
def select(params, state, i, t, coins):
    """The least pulled arm in play; ties to the lowest index."""
    best, least = 0, params.horizon + 1
    for k in range(params.n_arms):
        if state.active[i, k] and state.pulls[i, k] < least:  # what waits adds to it
            pulls = made(state, i, k)
            if pulls < least:
                best, least = k, pulls
    return best


@implements(Params)
def decision(params, state, i):
    """The last arm in play."""
    return only_arm(state.active, i, params.n_arms)


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    for k in range(params.n_arms):
        outbox.gossip[i, k] = state.gossip[i, k]
    publish_accounts(params, state, i, outbox)


@implements(Params)
def message_bytes(params, state, i, t, seen, n_messages, row_bytes):
    return bytes_with_accounts(params, params.slots, n_messages, row_bytes)


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """Own mean, gossip, elimination (eqs. 4 and 7). Without an outcome, the gossip and what follows from it."""
    arm = seen.arm[i]
    note_pull(state, seen, i)
    gossip(params, state, i, inbox, neighbours)
    if arm >= 0:
        before = state.mean[i, arm]
        state.pulls[i, arm] += 1
        state.mean[i, arm] += (seen.reward[i, 0] - before) / state.pulls[i, arm]
        state.gossip[i, arm] += state.mean[i, arm] - before
    if state.link[i] == 0.0:
        estimate_link(params, state, i, t, len(neighbours))
        return
    if arm >= 0:
        state.radius[i, arm] = radius(params, state.pulls[i, arm], state.link[i])
    eliminate(params, state, i)


@kernel
def gossip(params, state, i, inbox, neighbours):
    """Eq. 4 with W = I - Lap/N (eq. 3), on old estimates; where links may be one-sided, by their accounts."""
    if params.slots > 0:
        for k in range(params.n_arms):
            for j in neighbours:
                state.gossip[i, k] += transfer(state, inbox, i, j, k, 1.0 / params.n_agents)
        return
    average(state.gossip, i, inbox.gossip, neighbours, params.n_arms, params.n_agents)


@kernel
def eliminate(params, state, i):
    """Eq. 7: an arm leaves when its upper end lies below another's lower end."""
    best = -inf
    for k in range(params.n_arms):
        if state.active[i, k]:
            best = max(best, state.gossip[i, k] - state.radius[i, k])
    for k in range(params.n_arms):
        if state.gossip[i, k] + state.radius[i, k] < best:
            state.active[i, k] = False


@kernel
def estimate_link(params, state, i, t, degree):
    """Appendix C: watch the own links until the estimate is within a third of itself, then use its lower end.

    The stopping rule is ours, consistent with the text: on the good event p/2 <= estimate <= p, and the
    burn-in ends by t = 8 ln(4 N T^2 / delta) / (degree p^2).
    """
    state.met[i] += degree
    trials = max(params.degree[i], 1) * float(t)
    share = state.met[i] / trials
    doubt = sqrt(log(4.0 * params.n_agents * float(params.horizon) ** 2 / params.delta) / (2.0 * trials))
    if params.n_agents == 1:
        share, doubt = 1.0, 0.0
    if 3.0 * doubt <= share:
        state.link[i] = share - doubt
        for k in range(params.n_arms):
            state.radius[i, k] = radius(params, state.pulls[i, k], state.link[i])


@implements(Params)
def publish_late(params, state, i, t, outbox):
    for k in range(params.n_arms):
        outbox.active[i, k] = state.active[i, k]


@implements(Params)
def update_late(params, state, i, t, inbox, neighbours):
    """Eq. 8: keep what all active neighbours keep too. Never empty (our guard): then keep the own set."""
    if state.link[i] == 0.0:
        return
    if intersect(state.active, i, inbox.active, neighbours, params.n_arms) == 0:
        for k in range(params.n_arms):
            state.active[i, k] = inbox.active[i, k]
