"""The worlds of the UCB-SBM reproduction. The paper's settings are lost; these were fixed before looking at results.

Source: UCB-SBM, multi-agent bandits on stochastic block models (arXiv 2502.08003).
"""

import numpy as np

import folkmoot as fm

N_AGENTS, N_CLUSTERS, N_ARMS, HORIZON = 20, 4, 5, 10_000
WITHIN, ACROSS = 1.0, 0.4  # Theorem 3 asks for across >= 0.369 at these sizes (eps = 0.01)
REPLICATES, SEED = 25, 2502
SWEEP_REPLICATES = 5  # of figures 1b to 1f, Table 1 and the clusters: many cells
BURN_IN = 25 * N_ARMS
COMMON_C1 = 2.0  # UCB1's radius sqrt(2 ln t / n), for every algorithm of a comparison
FLAT = 1.25  # regret may differ by this factor along a sweep of link probabilities; fixed before it was run
PRINTED_REDUCTION = {"DrFed-UCB": 68.79, "GoSInE": 79.80, "Gossip_UCB": 94.14, "Dist_UCB": 94.75}  # per cent, Fig. 1a
CHECKPOINTS = np.arange(HORIZON // 200, HORIZON + 1, HORIZON // 200)  # evenly spaced, for averages over time


def labels(n_agents: int = N_AGENTS, n_clusters: int = N_CLUSTERS) -> list[int]:
    """Balanced clusters, one after the other."""
    return [i * n_clusters // n_agents for i in range(n_agents)]


def rewards(n_agents: int = N_AGENTS, n_clusters: int = N_CLUSTERS) -> fm.Clustered:
    """Bernoulli rewards, cluster means uniform on [0, 1]: the first rows of one fixed table, whatever the sizes."""
    table = np.random.default_rng(SEED).uniform(size=(N_AGENTS, N_ARMS))
    return fm.Clustered(table[:n_clusters], labels(n_agents, n_clusters))


def five(labels: list[int], **settings: object) -> dict[str, fm.Algorithm]:
    """The five algorithms of the figures with one radius; `settings` are those of UCB-SBM."""
    c1 = COMMON_C1
    return {
        "UCB-SBM": fm.UCBSBM(clusters=labels, c1=c1, burn_in=BURN_IN, **settings),
        "DrFed-UCB": fm.DrFedUCB(c1=c1, burn_in=BURN_IN),
        "GoSInE": fm.GoSInE(c1=c1),
        "Gossip_UCB": fm.GossipUCB(c1=c1),
        "Dist_UCB": fm.DistUCB(c1=c1),
    }


def network(
    n_agents: int = N_AGENTS, n_clusters: int = N_CLUSTERS, within: float = WITHIN, across: float = ACROSS
) -> fm.StochasticBlockModel:
    """Links inside clusters with probability `within`, across them with `across`."""
    return fm.StochasticBlockModel(labels(n_agents, n_clusters), within, across)
