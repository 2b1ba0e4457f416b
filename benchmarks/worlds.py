"""The games that are measured."""

import numpy as np

from folkmoot.algorithms.gse import GSE
from folkmoot.algorithms.ucb import UCB
from folkmoot.simulation.replicates import Job
from folkmoot.simulation.simulate import make_job
from folkmoot.world.graphs import BaseGraph, complete, grid
from folkmoot.world.networks import ErdosRenyi, Static
from folkmoot.world.rewards import Bernoulli

LINK_PROBABILITY = 0.9


def _means(n_arms: int) -> Bernoulli:
    return Bernoulli(np.linspace(0.1, 0.9, n_arms), n_agents=1)


def lone_ucb(n_arms: int = 10, horizon: int = 10_000) -> Job:
    """One agent, Bernoulli means evenly spaced from 0.1 to 0.9."""
    return make_job(UCB(), _means(n_arms), Static(complete(1)), horizon=horizon)


def team_gse(n_agents: int = 16, n_arms: int = 5, horizon: int = 10_000) -> Job:
    """A complete graph whose links are up with probability 0.9; all agents share the means above."""
    rewards = Bernoulli(np.linspace(0.1, 0.9, n_arms), n_agents=n_agents)
    return make_job(GSE(), rewards, ErdosRenyi(complete(n_agents), LINK_PROBABILITY), horizon=horizon)


def grid_gse(side: int, horizon: int, n_arms: int = 10) -> Job:
    """A square grid; its algebraic connectivity is 2 - 2 cos(pi / side), so nobody need compute it."""
    graph: BaseGraph = grid(side * side)
    algorithm = GSE(algebraic_connectivity=float(2.0 - 2.0 * np.cos(np.pi / side)))
    rewards = Bernoulli(np.linspace(0.1, 0.9, n_arms), n_agents=side * side)
    return make_job(algorithm, rewards, ErdosRenyi(graph, LINK_PROBABILITY), horizon=horizon)


def agent_steps(job: Job, replicates: int) -> int:
    """How often an agent pulls an arm."""
    return job.rewards.n_agents * job.horizon * replicates
