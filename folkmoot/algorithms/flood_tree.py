"""FloodSE with `aggregate="tree"`: agent 0 adds up what comes in along a tree; for very many agents.

How it works. Agent 0, the root, alone compares arms. It floods the point g that it collects, and its set of arms. Who
hears of g for the first time takes the neighbour it heard it from as its parent, for this g. It tells the parent how
many agents it has heard from below, itself included, and the sum of their rows; what it says later holds all that it
said before, so a lost message costs time and nothing else. With N agents in its sum the root has the exact average.

The proof is that of the table (docs/decisions/0031-flood-se.md, section 6). A message has one number an arm, whatever
N is. It is slower where links are rare, for a row must come in along one path, and without agent 0 nothing is decided.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.algorithms.base import Problem
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
from folkmoot.algorithms.flood_size import is_silent
from folkmoot.algorithms.words import best_of
from folkmoot.interface import implements, kernel

ROOT = 0
FIRST_WAIT = 64  # rounds


class Params(NamedTuple):
    """Numbers the kernels need."""

    n_agents: int  # N
    n_arms: int  # K
    counts: np.ndarray  # int64 [points]  n_e
    thresholds: np.ndarray  # float64 [missing + 1, points]  eps
    missing: int  # m
    degree: np.ndarray  # int64 [n_agents] in the base graph
    slots: int  # most neighbours that an agent has
    start: np.ndarray  # int64 [n_agents + 1] of rows in `neighbours`; of one row if all are neighbours of all
    neighbours: np.ndarray  # int32, in the base graph


class State(NamedTuple):
    """What an agent remembers."""

    made: np.ndarray  # int64 [n_agents, n_arms]  own pulls
    outcomes: np.ndarray  # int64 [n_agents, n_arms]  own outcomes that came
    total: np.ndarray  # float64 [n_agents, n_arms]  their sum
    passed: np.ndarray  # int64 [n_agents, n_arms]  points of the grid passed
    snapshot: np.ndarray  # float64 [n_agents, points, n_arms]  mean of the first n_e outcomes
    active: np.ndarray  # bool [n_agents, n_arms]  S_i
    point: np.ndarray  # int64 [n_agents]  g_i, the point that is being collected
    parent: np.ndarray  # int64 [n_agents]  from whom it first heard of this point; -1: nobody
    begun: np.ndarray  # int64 [n_agents]  the round in which the root began it (root only)
    ready: np.ndarray  # int64 [n_agents]  the round since which enough agents are in the sum; 0: not yet (root only)
    judged: np.ndarray  # int64 [n_agents]  agents in the sum when arms were last compared (root only)
    wait: np.ndarray  # int64 [n_agents]  rounds after which it tries another tree (root only)
    below: np.ndarray  # int64 [n_agents, slots]  agents in the sum of each neighbour whose parent this agent is
    below_sum: np.ndarray  # float64 [n_agents, slots, n_arms]
    included: np.ndarray  # int64 [n_agents]  agents in the own sum
    sum: np.ndarray  # float64 [n_agents, n_arms]  of their rows
    met: np.ndarray  # bool [n_agents, slots]  neighbours met while both were settled
    n_met: np.ndarray  # int64 [n_agents]


class Message(NamedTuple):
    """What an agent knew at the start of the round; only the parent needs the sum."""

    point: np.ndarray  # int64 [n_agents]
    parent: np.ndarray  # int64 [n_agents]
    active: np.ndarray  # bool [n_agents, n_arms]
    included: np.ndarray  # int64 [n_agents]
    sum: np.ndarray  # float64 [n_agents, n_arms]


def make(problem: Problem, counts: NDArray[np.int64], thresholds: NDArray[np.float64]) -> Params:
    """The record for this problem.

    Raises:
        ValueError: it would take too much memory.
    """
    n, k, graph = problem.n_agents, problem.n_arms, problem.graph
    start: Any = getattr(graph, "start", None)
    slots = int(graph.degree.max()) if start is not None else n
    needed = n * (8.0 * (len(counts) + 8.0) * k + slots * (8.0 * k + 9.0))
    problem.require_memory(needed, "FloodSE's tree, which keeps means at all sample counts and a sum a neighbour,")
    if start is None:
        start, row = np.zeros(1, np.int64), np.arange(n, dtype=np.int32)
    else:
        row = graph.neighbours
    return Params(n, k, counts, thresholds, len(thresholds) - 1, graph.degree, slots, start, row)


@implements(Params)
def init(params):
    n, k, slots = params.n_agents, params.n_arms, params.slots
    return State(
        np.zeros((n, k), np.int64), np.zeros((n, k), np.int64), np.zeros((n, k), np.float64),
        np.zeros((n, k), np.int64), np.zeros((n, len(params.counts), k), np.float64), np.ones((n, k), np.bool_),
        np.zeros(n, np.int64), np.full(n, -1, np.int64), np.ones(n, np.int64), np.zeros(n, np.int64),
        np.zeros(n, np.int64), np.full(n, FIRST_WAIT, np.int64),
        np.zeros((n, slots), np.int64), np.zeros((n, slots, k), np.float64),
        np.zeros(n, np.int64), np.zeros((n, k), np.float64), np.zeros((n, slots), np.bool_), np.zeros(n, np.int64),
    )  # fmt: skip


@implements(Params)
def outbox(params):
    n, k = params.n_agents, params.n_arms
    return Message(
        np.zeros(n, np.int64), np.full(n, -1, np.int64), np.ones((n, k), np.bool_),
        np.zeros(n, np.int64), np.zeros((n, k), np.float64),
    )  # fmt: skip


@implements(Message)
def possible(message, params, j, t):
    in_range = 0 <= message.point[j] <= len(params.counts) and -1 <= message.parent[j] < params.n_agents
    if not (in_range and 0 <= message.included[j] <= params.n_agents):
        return False
    return any(message.active[j, k] for k in range(params.n_arms))


@implements(Message)
def said(message, params, i, values):
    """The mean of those in its sum; 0 while there is nobody."""
    for k in range(params.n_arms):
        values[k] = message.sum[i, k] / max(message.included[i], 1)


@implements(Message)
def say(message, params, i, values):
    """All in its sum have these means; in play are the arms with the largest."""
    best = best_of(values)
    message.included[i] = max(message.included[i], 1)
    for k in range(params.n_arms):
        message.sum[i, k] = values[k] * message.included[i]
        message.active[i, k] = values[k] == values[best]


@implements(Params)
def select(params, state, i, t, coins):
    return least_pulled(params, state, i)


@implements(Params)
def decision(params, state, i):
    return only_arm(state.active, i, params.n_arms)


@implements(Params)
def publish(params, state, i, t, seen, outbox):
    outbox.point[i] = state.point[i]
    outbox.parent[i] = state.parent[i]
    outbox.included[i] = state.included[i]
    for k in range(params.n_arms):
        outbox.active[i, k] = state.active[i, k]
        outbox.sum[i, k] = state.sum[i, k]


@implements(Params)
def messages(params, state, i, t, seen, n_neighbours):
    """None, once every neighbour of the base graph was met while both were settled."""
    return 0 if is_silent(params, state, i) else n_neighbours


@implements(Params)
def message_bytes(params, state, i, t, seen, n_messages, row_bytes):
    """Point, parent, one bit an arm, and how many are in the sum; and the sum, which only the parent is sent."""
    size = n_messages * (12 + (params.n_arms + 7) // 8)
    return size + 8 * params.n_arms * (n_messages > 0 and state.parent[i] >= 0 and state.included[i] > 0)


@implements(Params)
def update(params, state, i, t, seen, inbox, neighbours, coins):
    """Own outcome; sets; the point; what came from below; at the root, who goes."""
    note_outcome(params, state, i, seen)
    if is_single(state.active, i, params.n_arms):
        meet_settled(params, state, i, inbox, neighbours)
        return
    hear_sets(params, state, i, inbox, neighbours)
    if is_single(state.active, i, params.n_arms):
        return
    if i != ROOT:
        adopt(params, state, i, inbox, neighbours)
    add_up(params, state, i, inbox, neighbours)
    if i == ROOT:
        compare(params, state, i, t)


@kernel
def slot_of(params, i, j, slot):
    """Where neighbour j stands in the own row, from this slot on; neighbours are asked for in increasing order."""
    if len(params.start) == 1:
        return j
    while slot < params.slots - 1 and params.neighbours[params.start[i] + slot] != j:
        slot += 1
    return slot


@kernel
def meet_settled(params, state, i, inbox, neighbours):
    """Note the neighbours that are settled too."""
    if state.n_met[i] == params.degree[i]:
        return
    slot = 0
    for j in neighbours:
        slot = slot_of(params, i, j, slot)
        if not state.met[i, slot] and is_single(inbox.active, j, params.n_arms):
            state.met[i, slot] = True
            state.n_met[i] += 1


@kernel
def adopt(params, state, i, inbox, neighbours):
    """A neighbour collects a later point: so does agent i, and this neighbour is its parent for that point."""
    for j in neighbours:
        if inbox.point[j] > state.point[i] or (state.parent[i] < 0 and (j == ROOT or inbox.parent[j] >= 0)):
            begin(params, state, i, inbox.point[j], j)


@kernel
def begin(params, state, i, point, parent):
    """Collect this point from now on."""
    state.point[i], state.parent[i] = point, parent
    state.judged[i] = state.ready[i] = state.included[i] = 0
    for slot in range(params.slots):
        state.below[i, slot] = 0


@kernel
def add_up(params, state, i, inbox, neighbours):
    """The own row, once all arms in play have n_g outcomes, and the latest sum of each neighbour below."""
    slot = 0
    for j in neighbours:
        slot = slot_of(params, i, j, slot)
        if inbox.parent[j] == i and inbox.point[j] == state.point[i]:
            state.below[i, slot] = inbox.included[j]
            for k in range(params.n_arms):
                state.below_sum[i, slot, k] = inbox.sum[j, k]
    own = reached(params, state, i) > state.point[i]
    state.included[i] = own
    for k in range(params.n_arms):
        state.sum[i, k] = state.snapshot[i, state.point[i], k] if own else 0.0
    for slot in range(params.slots):
        if state.below[i, slot] > 0:
            state.included[i] += state.below[i, slot]
            for k in range(params.n_arms):
                state.sum[i, k] += state.below_sum[i, slot, k]


@kernel
def compare(params, state, i, t):
    """The root, with enough agents in its sum, drops what is surely worse: eq. (2).

    Agents may be cut off when one between them and the root has gone: where some may be missing, the root tries another
    point, hence another tree, after a wait that doubles each time. Beyond the grid there is no threshold.
    """
    if state.point[i] >= len(params.counts):
        return
    included = state.included[i]
    if not params.n_agents - params.missing <= included <= params.n_agents:
        if params.missing > 0 and t - state.begun[i] > state.wait[i]:
            state.wait[i] *= 2
            state.begun[i] = t
            begin(params, state, i, next_point(params, state, i), -1)
        return
    if state.ready[i] == 0:
        state.ready[i] = t
    if included > state.judged[i]:
        state.judged[i] = included
        threshold, best = params.thresholds[params.n_agents - included, state.point[i]], -np.inf
        for k in range(params.n_arms):
            if state.active[i, k]:
                best = max(best, state.sum[i, k])
        for k in range(params.n_arms):
            if state.active[i, k] and (best - state.sum[i, k]) / params.n_agents > threshold:
                state.active[i, k] = False
    if included == params.n_agents or not is_patient(state, i, t):
        state.begun[i] = t
        begin(params, state, i, next_point(params, state, i), -1)
