"""Three agents that share samples: the smallest game in which a driver can do something wrong."""

import networkx as nx

import folkmoot as fm
from folkmoot.algorithms.role import role
from folkmoot.coins import replicate_coins

ARMS, HORIZON = 3, 100


def role_of(i, algorithm=None, seed=5, n_agents=3, **settings):
    network = fm.Static(nx.complete_graph(n_agents))
    problem = fm.Problem.on(network, n_arms=ARMS, horizon=HORIZON)
    return role(algorithm or fm.S2(radius="naive"), problem, i, replicate_coins(seed, 0, 0), **settings)


def paid(t, i, arm):
    """What a pull pays: the second arm is best, and every pull can be told from the others."""
    return (0.2, 0.6, 0.4)[arm] + (t % 7) / 100 + i / 1_000


def own(agent):
    """The row of the agent, in bytes."""
    return dict(agent.learner.rows())
