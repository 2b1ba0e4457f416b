"""What one would write without the library: plain Python, and NumPy vectorised over replicates.

They play the same games with their own random numbers, so their pulls agree in law, not in value.
"""

import random
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from folkmoot.simulation.replicates import Job


def python_ucb(job: Job, replicates: int) -> list[list[int]]:
    """The lone UCB of one agent as a Python programmer writes it: lists, `random.random()`, no records.

    Returns:
        Pulls of each arm, a row a replicate.
    """
    means = job.rewards.means[0].tolist()
    table = []
    for replicate in range(replicates):
        random.seed(replicate)
        draw = random.random
        pulls, mean = [0] * len(means), [0.0] * len(means)
        for t in range(1, job.horizon + 1):
            if t <= len(means):
                arm = t - 1
            else:
                width = 2.0 * log(t)
                index = [m + sqrt(width / n) for m, n in zip(mean, pulls, strict=True)]
                arm = index.index(max(index))
            reward = 1.0 if draw() < means[arm] else 0.0
            pulls[arm] += 1
            mean[arm] += (reward - mean[arm]) / pulls[arm]
        table.append(pulls)
    return table


def numpy_ucb(job: Job, replicates: int) -> NDArray[np.int64]:
    """The lone UCB of one agent, all replicates of a round at once; pulls, int64 [replicates, n_arms]."""
    means, rng = job.rewards.means[0], np.random.default_rng(job.seed)
    rows = np.arange(replicates)
    pulls = np.zeros((replicates, len(means)), np.int64)
    mean = np.zeros((replicates, len(means)))
    for t in range(1, job.horizon + 1):
        if t <= len(means):
            arm = np.full(replicates, t - 1)
        else:
            arm = np.argmax(mean + np.sqrt(2.0 * np.log(t) / pulls), axis=1)
        reward = rng.random(replicates) < means[arm]
        pulls[rows, arm] += 1
        mean[rows, arm] += (reward - mean[rows, arm]) / pulls[rows, arm]
    return pulls


def numpy_gse(job: Job, replicates: int, link_probability: float) -> NDArray[np.int64]:
    """GSE on the complete graph with the published radius; pulls, int64 [replicates, n_agents, n_arms]."""
    n, arms, horizon = job.rewards.n_agents, job.rewards.n_arms, job.horizon
    rng, means, p = np.random.default_rng(job.seed), job.rewards.means, link_probability
    shape = (replicates, n, arms)
    row, agent = np.ogrid[:replicates, :n]
    pulls, mean, gossip = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape)
    active, tau, wait = np.ones(shape, bool), np.log(horizon) / p, arms * np.log(horizon) / p
    for _ in range(horizon):
        upper = np.triu(rng.random((replicates, n, n)) < p, 1)
        links = upper | upper.transpose(0, 2, 1)
        arm = np.argmin(np.where(active, pulls, horizon + 1), axis=2)
        before = mean[row, agent, arm]
        pulls[row, agent, arm] += 1
        reward = rng.random((replicates, n)) < means[agent, arm]
        step = (reward - before) / pulls[row, agent, arm]
        mean[row, agent, arm] += step
        gossip += (links.astype(np.float64) @ gossip - links.sum(axis=2)[:, :, None] * gossip) / n
        gossip[row, agent, arm] += step
        m = np.maximum(pulls - wait, 1.0)
        radius = np.sqrt(np.log(horizon) / (n * m)) + (tau + np.sqrt(n)) / (n * m)
        best = np.where(active, gossip - radius, -np.inf).max(axis=2, keepdims=True)
        own = active & (gossip + radius >= best)
        refused = links.astype(np.float32) @ (~own).astype(np.float32) > 0.5
        active = own & ~refused
        empty = ~active.any(axis=2)
        active[empty] = own[empty]
    return pulls
