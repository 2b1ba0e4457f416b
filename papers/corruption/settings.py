"""The worlds of the corruption reproduction: the paper's sizes, and our choices where it states none.

Source: "Communication-Corruption Coupling and Verification in Cooperative Multi-Objective Bandits" (Shi), section IV:
20 arms, 5 objectives, 5, 10 or 20 agents, 10,000 rounds, 50 instances, independent Bernoulli objectives. Not stated
there: the law of the means, weights, beta, delta, the adversary, the radius, the budgets. Ours were fixed before the
runs of the tables: means uniform on [0, 1], equal weights, beta = 5, delta = 1/T, an adversary that reports pulls of
the best arm as 0 until its budget is gone.
"""

import networkx as nx
import numpy as np
from numpy.typing import NDArray

import folkmoot as fm
from folkmoot.world.scalarisations import Scalarisation, worth

N_ARMS, N_OBJECTIVES, HORIZON, INSTANCES, SEED = 20, 5, 10_000, 50, 2026
TEAMS = (5, 10, 20)
SCALARISATIONS: dict[str, Scalarisation] = {
    "linear": fm.Linear(np.full(N_OBJECTIVES, 1.0 / N_OBJECTIVES)),
    "chebyshev": fm.Chebyshev(),
    "log-sum-exp": fm.LogSumExp(5.0),
}
BUDGETS = (0.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)  # Gamma
GAP = 0.4  # of the instances on which certification is feasible
_HALVINGS = 60


def means(instance: int) -> NDArray[np.float64]:
    """float64 [n_arms, n_objectives], uniform on [0, 1]."""
    return np.random.default_rng([SEED, instance]).uniform(size=(N_ARMS, N_OBJECTIVES))


def rewards(scalarisation: Scalarisation, n_agents: int, instance: int) -> fm.VectorBernoulli:
    """An instance as the paper seems to draw them."""
    return fm.VectorBernoulli(means(instance), scalarisation, n_agents=n_agents)


def with_gap(scalarisation: Scalarisation, n_agents: int, instance: int) -> fm.VectorBernoulli:
    """An instance whose best arm is ahead by GAP: one arm drawn from [0.75, 1], the others scaled down to it."""
    dice = np.random.default_rng([SEED, instance, 1])
    table, best = means(instance), int(dice.integers(N_ARMS))
    table[best] = dice.uniform(0.75, 1.0, N_OBJECTIVES)
    record = scalarisation.record(N_OBJECTIVES)
    others = np.arange(N_ARMS) != best
    wanted, low, high = worth(record, table)[best] - GAP, 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if worth(record, middle * table[others]).max() > wanted:
            high = middle
        else:
            low = middle
    table[others] *= low
    return fm.VectorBernoulli(table, scalarisation, n_agents=n_agents)


def network(n_agents: int) -> fm.Static:
    """Everybody hears everybody, always."""
    return fm.Static(nx.complete_graph(n_agents))


def adversary(budget: float) -> fm.Suppress | None:
    """The adversary of all figures; None without a budget."""
    return fm.Suppress(budget=budget) if budget > 0.0 else None
