"""FloodSE: successive elimination on exact tables of means that are flooded through any network.

Ours; rule, proof and what it costs are docs/decisions/0031-flood-se.md, whose equation numbers are used here.

How it works. Nobody averages by gossip. Each agent notes the mean of its first n_1, n_2, ... outcomes of each arm.
All collect the same point n_g: a row of means from everybody, passed on as it is until every agent has all N rows.
The average of the rows is then exact, whichever way they came, and a Hoeffding threshold is all that is left to doubt:
no link probability, no eigenvalue, no diameter, and no union over agents or rounds.

`aggregate="table"` is this file, with liars in flood_robust.py; `aggregate="tree"`, for very many agents, is
flood_tree.py.
"""

from typing import ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from folkmoot.algorithms import flood_robust, flood_tree
from folkmoot.algorithms.base import Algorithm, Problem
from folkmoot.algorithms.flood_common import (
    hear_sets,
    is_patient,
    is_single,
    least_pulled,
    next_point,
    note_outcome,
    only_arm,
    reached,
)
from folkmoot.algorithms.flood_size import full_bytes, head_bytes, is_silent, one_row_bytes, rows_lacking, tell_row
from folkmoot.algorithms.flood_threshold import Claim, sample_counts, thresholds, too_few
from folkmoot.algorithms.words import best_of
from folkmoot.interface import implements, kernel


class FloodSE(Algorithm):
    """Pull the least pulled arm in play, flood tables of means, drop arms that are surely worse on average over all.

    Attributes:
        delta: probability that the best arm is ever dropped, by anybody, in the whole run; None is 1/T. Of several best
            arms it is that of any one fixed beforehand.
        beta: ratio of the sample counts at which arms are compared.
        aggregate: "table", every agent holds every row; "tree", agent 0 adds up sums that come in along a tree.
            From about 500 agents on a table takes too much memory and traffic.
        missing: m, decide without the rows of up to m agents, which may be gone. Arms whose gap is below 2 m / N may
            then stay in play for ever, with r rows missing at least those below r / (N - r).
        faulty: f, so many agents may lie about their means ("table" only). It cannot tell gaps below (2 f + 2 m) / N,
            and where f do lie those below (4 f + 2 m) / N: such arms may stay in play for ever. Liars may also withhold
            rows, so `missing` should be at least f. There is no bound on its regret.
        anytime: a threshold that knows no horizon; needs `delta`.
    """

    label: ClassVar[str] = "FloodSE"
    for_good: ClassVar[bool] = True
    delta: float | None = Field(None, gt=0, lt=1)
    beta: float = Field(1.1, gt=1, le=10)
    aggregate: Literal["table", "tree"] = "table"
    missing: int = Field(0, ge=0)
    faulty: int = Field(0, ge=0)
    anytime: bool = False

    @model_validator(mode="after")
    def _settings_fit_together(self) -> Self:
        if self.anytime and self.delta is None:
            raise ValueError("anytime = true: delta = 1/T needs a horizon; give delta a number")
        if self.faulty and self.aggregate == "tree":
            raise ValueError(f"faulty = {self.faulty}: whom a tree adds up cannot be checked; use a table")
        return self

    def remarks(self, problem: Problem) -> list[str]:
        return [*super().remarks(problem), *too_few(self.missing, self.faulty, problem.n_agents)]

    def params(self, problem: Problem) -> "Params | flood_tree.Params":
        n, k = problem.n_agents, problem.n_arms
        self._check(problem)
        counts = sample_counts(self.beta, problem.horizon)
        claim = Claim(
            n, k, problem.sub_gaussian, self.delta or 1.0 / problem.horizon, self.missing, self.faulty, self.anytime
        )
        if self.aggregate == "tree":
            return flood_tree.make(problem, counts, thresholds(claim, counts))
        needed = n * (n * (18.0 * k + 4.0) + 8.0 * len(counts) * k)
        problem.require_memory(needed, "FloodSE, which keeps a table of all agents' means at each of them,")
        return Params(
            n, k, counts, thresholds(claim, counts), self.missing, self.faulty, problem.graph.degree,
            problem.bounded, problem.one_sided,
        )  # fmt: skip

    def _check(self, problem: Problem) -> None:
        n = problem.n_agents
        if n > 1 and not problem.graph.is_connected:
            raise ValueError("base graph: FloodSE expects a connected one, this one falls apart")
        told = f"FloodSE missing = {self.missing}, faulty = {self.faulty}"
        if self.missing + 2 * self.faulty >= n and self.missing + self.faulty:
            raise ValueError(f"{told}: expected missing + 2 faulty below the number of agents, {n}")
        if self.missing + self.faulty and not problem.bounded:
            raise ValueError(f"{told}: needs rewards in [0, 1], for else the means of those unheard could be anything")


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # N
    n_arms: int  # K
    counts: np.ndarray  # int64 [points]  n_e
    thresholds: np.ndarray  # float64 [missing + 1, points]  eps
    missing: int  # m
    faulty: int  # f
    degree: np.ndarray  # int64 [n_agents] in the base graph
    bounded: bool  # rewards in [0, 1]?
    one_sided: bool  # may a link be noticed by one side only?


class State(NamedTuple):
    """What an agent remembers. Of the last two arrays there are rows with liars only."""

    made: np.ndarray  # int64 [n_agents, n_arms]  own pulls
    outcomes: np.ndarray  # int64 [n_agents, n_arms]  own outcomes that came
    total: np.ndarray  # float64 [n_agents, n_arms]  their sum
    passed: np.ndarray  # int64 [n_agents, n_arms]  points of the grid passed
    snapshot: np.ndarray  # float64 [n_agents, points, n_arms]  mean of the first n_e outcomes
    active: np.ndarray  # bool [n_agents, n_arms]  S_i
    point: np.ndarray  # int64 [n_agents]  g_i, the point that is being collected
    begun: np.ndarray  # int64 [n_agents]  the round in which that was begun, by anybody heard of
    ready: np.ndarray  # int64 [n_agents]  the round since which enough rows are here; 0: not yet
    judged: np.ndarray  # int64 [n_agents]  rows used when arms were last compared at this point
    have: np.ndarray  # bool [n_agents, n_agents]  whose rows are here
    row: np.ndarray  # float64 [n_agents, n_agents, n_arms]  the table
    valid: np.ndarray  # bool [n_agents, n_agents, n_arms]  does the row speak of this arm?
    held: np.ndarray  # int64 [n_agents]  rows here
    usable: np.ndarray  # bool [n_agents, n_agents]  rows that speak of all arms in play
    estimate: np.ndarray  # float64 [n_agents, n_arms]  average of rows, when last compared
    met: np.ndarray  # bool [n_agents, n_agents]  neighbours met while both were settled
    n_met: np.ndarray  # int64 [n_agents]
    awake: np.ndarray  # bool [n_agents]  has it learnt anything yet?
    dropped: np.ndarray  # bool [n_agents, n_agents or 0, n_arms]  which arms everybody says it has dropped
    asked: np.ndarray  # int64 [n_agents, n_agents or 0]  the point that everybody says it collects
    largest: np.ndarray  # float64 [n_agents, faulty]  scratch


class Message(NamedTuple):
    """What an agent knew at the start of the round. Of the table only the rows that the other end lacks are counted."""

    point: np.ndarray  # int64 [n_agents]
    begun: np.ndarray  # int64 [n_agents]
    active: np.ndarray  # bool [n_agents, n_arms]
    have: np.ndarray  # bool [n_agents, n_agents]
    row: np.ndarray  # float64 [n_agents, n_agents, n_arms]
    valid: np.ndarray  # bool [n_agents, n_agents, n_arms]
    dropped: np.ndarray  # bool [n_agents, n_agents or 0, n_arms]
    asked: np.ndarray  # int64 [n_agents, n_agents or 0]


@implements(Params)
def init(params):
    n, k, points = params.n_agents, params.n_arms, len(params.counts)
    liars = n if params.faulty > 0 else 0
    return State(
        np.zeros((n, k), np.int64), np.zeros((n, k), np.int64), np.zeros((n, k), np.float64),
        np.zeros((n, k), np.int64), np.zeros((n, points, k), np.float64), np.ones((n, k), np.bool_),
        np.zeros(n, np.int64), np.ones(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64),
        np.zeros((n, n), np.bool_), np.zeros((n, n, k), np.float64), np.zeros((n, n, k), np.bool_),
        np.zeros(n, np.int64), np.zeros((n, n), np.bool_), np.zeros((n, k), np.float64),
        np.zeros((n, n), np.bool_), np.zeros(n, np.int64), np.zeros(n, np.bool_),
        np.zeros((n, liars, k), np.bool_), np.zeros((n, liars), np.int64), np.zeros((n, params.faulty), np.float64),
    )  # fmt: skip


@implements(Params)
def outbox(params):
    n, k = params.n_agents, params.n_arms
    liars = n if params.faulty > 0 else 0
    return Message(
        np.zeros(n, np.int64), np.zeros(n, np.int64), np.ones((n, k), np.bool_), np.zeros((n, n), np.bool_),
        np.zeros((n, n, k), np.float64), np.zeros((n, n, k), np.bool_),
        np.zeros((n, liars, k), np.bool_), np.zeros((n, liars), np.int64),
    )  # fmt: skip


@implements(Message)
def possible(message, params, j, t):
    """Values out of [0, 1] are no reason to refuse a message: they are clipped when taken."""
    if not (0 <= message.point[j] <= len(params.counts) and 0 <= message.begun[j] <= t):
        return False
    for r in range(message.asked.shape[1]):
        if not 0 <= message.asked[j, r] <= len(params.counts):
            return False
    return any(message.active[j, k] for k in range(params.n_arms))


@implements(Message)
def said(message, params, i, values):
    """Its own means."""
    for k in range(params.n_arms):
        values[k] = message.row[i, i, k]


@implements(Message)
def say(message, params, i, values):
    """Its own row has these means; in play are the arms with the largest, and all others it has dropped."""
    best = best_of(values)
    message.have[i, i] = True
    for k in range(params.n_arms):
        message.row[i, i, k] = values[k]
        message.valid[i, i, k] = True
        message.active[i, k] = values[k] == values[best]
        if params.faulty > 0:
            message.dropped[i, i, k] = values[k] != values[best]


@implements(Params)
def select(params, state, i, t, coins):
    return least_pulled(params, state, i)


@implements(Params)
def decision(params, state, i):
    return only_arm(state.active, i, params.n_arms)


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    """The table is copied row by row as it grows: others' rows stay as they are until the point changes.

    Who is settled has none that anybody needs, for its set says it all, except where sets are not believed.
    """
    same = state.awake[i] and outbox.point[i] == state.point[i]
    outbox.point[i] = state.point[i]
    outbox.begun[i] = state.begun[i]
    for k in range(params.n_arms):
        outbox.active[i, k] = state.active[i, k]
    tell_row(params, state, i, i, outbox)
    if params.faulty == 0 and is_single(state.active, i, params.n_arms):
        return
    for r in range(params.n_agents):
        if r != i and not (same and state.have[i, r] == outbox.have[i, r]):
            tell_row(params, state, i, r, outbox)
    if params.faulty > 0:
        flood_robust.tell(params, state, i, outbox)


@implements(Params)
def messages(params, state, i, t, seen, n_neighbours):
    """None, once every neighbour of the base graph was met while both were settled."""
    return 0 if is_silent(params, state, i) else n_neighbours


@implements(Params)
def message_bytes(params, state, i, t, seen, n_messages, row_bytes):
    """As if every neighbour lacked every row; `traffic` is told which they lack."""
    return full_bytes(params, state, i, n_messages)


@implements(Params)
def traffic(params, state, i, t, seen, neighbours, inbox, row_bytes, n_messages):
    """Heads to all; rows to those who lack them, which a neighbour's head says, so not where links are one-sided."""
    if params.one_sided:
        return full_bytes(params, state, i, n_messages)
    rows = rows_lacking(params, state, i, neighbours, inbox) if n_messages > 0 else 0
    return n_messages * head_bytes(params, state, i) + rows * one_row_bytes(params, state, i)


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """Own outcome; sets; the point; rows; and, with enough of them, who goes."""
    state.awake[i] = True
    note_outcome(params, state, i, seen)
    if is_single(state.active, i, params.n_arms):
        meet_settled(params, state, i, inbox, neighbours)
        if params.faulty == 0:
            return
    if is_silent(params, state, i):
        return
    if params.faulty == 0:
        hear_sets(params, state, i, inbox, neighbours)
        if is_single(state.active, i, params.n_arms):
            clear(params, state, i)
            return
        adopt(params, state, i, inbox, neighbours)
    else:
        flood_robust.hear(params, state, i, inbox, neighbours)
        wanted = flood_robust.wanted_point(params, state, i)
        if wanted > state.point[i]:
            begin(params, state, i, wanted, t)
    take_rows(params, state, i, inbox, neighbours)
    add_own_row(params, state, i)
    compare(params, state, i, t)


@kernel
def meet_settled(params, state, i, inbox, neighbours):
    """Note the neighbours that are settled too."""
    if state.n_met[i] == params.degree[i]:
        return
    for j in neighbours:
        if not state.met[i, j] and is_single(inbox.active, j, params.n_arms):
            state.met[i, j] = True
            state.n_met[i] += 1


@kernel
def clear(params, state, i):
    """An empty table."""
    for r in range(params.n_agents):
        state.have[i, r] = False
    state.held[i] = state.judged[i] = state.ready[i] = 0


@kernel
def begin(params, state, i, point, t):
    """Collect this point from now on."""
    state.point[i], state.begun[i] = point, t
    clear(params, state, i)


@kernel
def adopt(params, state, i, inbox, neighbours):
    """A neighbour collects a later point: so does agent i."""
    for j in neighbours:
        if inbox.point[j] > state.point[i]:
            begin(params, state, i, inbox.point[j], inbox.begun[j])


@kernel
def take_rows(params, state, i, inbox, neighbours):
    """Rows of the same point that agent i lacks, of arms that the neighbour has in play; its own it knows itself."""
    for j in neighbours:
        if state.held[i] < params.n_agents and inbox.point[j] == state.point[i]:
            state.begun[i] = min(state.begun[i], inbox.begun[j])
            for r in range(params.n_agents):
                if inbox.have[j, r] and not state.have[i, r] and r != i:
                    for k in range(params.n_arms):
                        value = inbox.row[j, r, k]
                        state.row[i, r, k] = min(1.0, max(0.0, value)) if params.bounded else value
                        state.valid[i, r, k] = inbox.valid[j, r, k] and (inbox.active[j, k] or params.faulty > 0)
                    state.have[i, r] = True
                    state.held[i] += 1


@kernel
def add_own_row(params, state, i):
    """Once all arms in play have n_g outcomes."""
    g = state.point[i]
    if not state.have[i, i] and reached(params, state, i) > g:
        for k in range(params.n_arms):
            state.valid[i, i, k] = state.passed[i, k] > g
            state.row[i, i, k] = state.snapshot[i, g, k] if state.passed[i, k] > g else 0.0
        state.have[i, i] = True
        state.held[i] += 1


@kernel
def compare(params, state, i, t):
    """With enough rows, of a point of the grid, drop what is surely worse; go on when no more rows are waited for."""
    if state.held[i] < params.n_agents - params.missing or state.point[i] >= len(params.counts):
        return
    n_usable = 0
    for r in range(params.n_agents):
        state.usable[i, r] = speaks_of_all(params, state, i, r)
        n_usable += state.usable[i, r]
    if n_usable < params.n_agents - params.missing:
        return
    if state.ready[i] == 0:
        state.ready[i] = t
    if n_usable > state.judged[i]:
        state.judged[i] = n_usable
        threshold = params.thresholds[params.n_agents - n_usable, state.point[i]]
        if params.faulty == 0:
            drop(params, state, i, threshold)
        else:
            flood_robust.drop(params, state, i, threshold)
    if n_usable == params.n_agents or not is_patient(state, i, t):
        begin(params, state, i, next_point(params, state, i), t)


@kernel
def speaks_of_all(params, state, i, r):
    """Is row r here, and of all arms that agent i has in play?"""
    lacking = 0
    for k in range(params.n_arms):
        lacking += state.active[i, k] and not state.valid[i, r, k]
    return state.have[i, r] and lacking == 0


@kernel
def drop(params, state, i, threshold):
    """Eq. (2): an arm goes if the sum of all usable rows, over N, favours the best of them by more than this."""
    best = -np.inf
    for k in range(params.n_arms):
        if state.active[i, k]:
            total = 0.0
            for r in range(params.n_agents):
                if state.usable[i, r]:
                    total += state.row[i, r, k]
            state.estimate[i, k] = total / params.n_agents
            best = max(best, state.estimate[i, k])
    for k in range(params.n_arms):
        if state.active[i, k] and best - state.estimate[i, k] > threshold:
            state.active[i, k] = False
