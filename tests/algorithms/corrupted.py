"""What the tests of S1, S2, S3 and S3Cert share: worlds, problems, and a driver that verifies and corrupts."""

import networkx as nx
import numpy as np

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.coins import replicate_coins
from folkmoot.interface import Scalar, init, nothing_seen, outbox, oversee, publish, select, update, verify

COINS = replicate_coins(1, 0, 0)
MEANS = np.array([[0.2, 0.3], [0.5, 0.4], [0.7, 0.8], [0.6, 0.3], [0.1, 0.9]])  # arm 2 is the best by all of these
SCALARISATIONS = {
    "linear": fm.Linear([0.7, 0.3]),
    "chebyshev": fm.Chebyshev(),
    "log-sum-exp": fm.LogSumExp(3.0),
}
NAMES = ("scalar", *SCALARISATIONS)


def world(name, n, means=MEANS):
    """Bernoulli rewards for n agents, of the first objective or of all."""
    if name == "scalar":
        return fm.Bernoulli(means[:, 0], n_agents=n)
    return fm.VectorBernoulli(means, SCALARISATIONS[name], n_agents=n)


def phi_of(name):
    """The scalarisation by that name as a function of vectors, and its record for two objectives."""
    record = Scalar(1) if name == "scalar" else SCALARISATIONS[name].record(2)
    return {
        "scalar": lambda x: x[0],
        "linear": lambda x: 0.7 * x[0] + 0.3 * x[1],
        "chebyshev": min,
        "log-sum-exp": lambda x: np.log(np.exp(3 * np.asarray(x)).sum()) / 3,
    }[name], record


def problem(n=3, k=5, horizon=400, name="linear", **more):
    """What `simulate` would tell an algorithm; the network plays no part in it."""
    d = 1 if name == "scalar" else 2
    return Problem(n, k, horizon, None, 1.0, 0.5, n_objectives=d, scalarisation=phi_of(name)[1], **more)


def simulate(algorithm, name, horizon=400, n=3, means=MEANS, **more):
    """Every round a checkpoint, everybody in touch with everybody, by the interpreter."""
    network = fm.Static(nx.complete_graph(n))
    more = {"engine": "interpreted", "checkpoints": range(1, horizon + 1), "progress": False, **more}
    return fm.simulate(algorithm, world(name, n, means), network, horizon=horizon, **more)


def drive(p, rows, rewards, spent=None):
    """Rounds by hand, without an adversary: yields (t, state, seen, message).

    `rows[t - 1][i]` are agent i's neighbours in round t, rewards[t - 1, i, arm] is what it would be paid, and
    spent[t - 1, arm] what oracles are told.
    """
    n = p.n_agents
    state, box, seen = init(p), outbox(p), nothing_seen(n, p.rule.n_objectives)
    for t in range(1, len(rows) + 1):
        for i in range(n):
            seen.arm[i] = select(p, state, i, t, COINS)
            seen.verified[i] = verify(p, state, i, t, seen.arm[i], COINS)
            seen.reward[i] = rewards[t - 1, i, seen.arm[i]]
        for i in range(n):
            publish(p, state, i, t, seen, box)
        if spent is not None:
            oversee(p, state, t, seen, spent[t - 1])
        for i in range(n):
            update(p, state, i, t, seen, box, np.array(rows[t - 1][i], np.int64), COINS)
        yield t, state, seen, box


def random_rows(n, rounds, probability, seed):
    """Neighbours in every round of a random graph with links of this probability."""
    graphs = [nx.gnp_random_graph(n, probability, seed=seed + t) for t in range(rounds)]
    return [[sorted(graph.neighbors(i)) for i in range(n)] for graph in graphs]
