"""Our GSE pulls, round by round, what the code of the paper's authors pulled on the same rewards and links.

`gse_code.json` holds what their code pulled; `README.md` beside it says how these numbers were made. Rewards and links
are drawn anew here, with the same generators and seeds.
"""

import json
from hashlib import sha256
from pathlib import Path
from random import Random

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.coins import replicate_coins
from folkmoot.interface import (
    init,
    late_outbox,
    nothing_seen,
    outbox,
    publish,
    publish_late,
    select,
    update,
    update_late,
)
from folkmoot.world.graphs import as_base_graph

RUNS = json.loads((Path(__file__).parent / "gse_code.json").read_text())
N_ARMS = 5
GRAPHS = {
    "complete": nx.complete_graph,
    "grid": lambda n: nx.grid_graph([4, 4]),
    "petersen": lambda n: nx.petersen_graph(),
}


def rewards_of(run):
    """Losses as their environment draws them, in numpy's generator, as rewards: uint8 [horizon, n_agents, n_arms]."""
    rng, horizon, n = np.random.default_rng(run["seed"]), run["horizon"], run["n_agents"]
    loss = np.stack([rng.binomial(1, mean, size=(horizon, n)) for mean in np.linspace(0, 1, N_ARMS)], axis=2)
    for t in range(horizon):
        loss[t, rng.choice(n, size=n - n // 2, replace=False)] = 0
    return (1 - loss).astype(np.uint8)


def links_of(run, graph):
    """For each round the neighbours of every agent: an edge is *removed* with probability p (E-1)."""
    number = {node: i for i, node in enumerate(graph)}
    dice, edges = Random(run["seed"]), [(number[a], number[b]) for a, b in graph.edges]
    while True:
        rows = [[] for _ in number]
        for a, b in edges:
            if dice.random() >= run["p"]:
                rows[a].append(b)
                rows[b].append(a)
        yield [np.array(sorted(row), np.int64) for row in rows]


def pulled(run, rewards, p_of_radius=None):
    """What our GSE pulls, uint8 [rounds, n_agents], told what the authors' code takes for p and for lambda."""
    n, graph = run["n_agents"], GRAPHS[run["network"]](run["n_agents"])
    # Their tau* is ln T / p on the complete graph and N ln T / p elsewhere: N ln T / (p lambda) with lambda = N and 1.
    rule = fm.GSE(
        link_probability=p_of_radius or run["p"],
        algebraic_connectivity=float(n) if run["network"] == "complete" else 1.0,
    )
    base = as_base_graph(nx.convert_node_labels_to_integers(graph))
    p = rule.params(fm.Problem(n, N_ARMS, run["horizon"], base, run["p"], 0.5))
    state, inbox, late, coins = init(p), outbox(p), late_outbox(p), replicate_coins(0, 0, 0)
    seen, arms = nothing_seen(n), np.zeros((run["rounds"], n), np.uint8)
    for t, rows in zip(range(1, run["rounds"] + 1), links_of(run, graph), strict=False):
        for i in range(n):
            seen.arm[i] = select(p, state, i, t, coins)
            seen.reward[i, 0] = rewards[t - 1, i, seen.arm[i]]
            publish(p, state, i, t, seen, inbox)
        for i in range(n):
            update(p, state, i, t, seen, inbox, rows[i], coins)
        for i in range(n):
            publish_late(p, state, i, t, late)
        for i in range(n):
            update_late(p, state, i, t, late, rows[i])
        arms[t - 1] = seen.arm
    return arms


def as_recorded(run, arms):
    counts = [[int((arms[:, i] == k).sum()) for k in range(N_ARMS)] for i in range(run["n_agents"])]
    return counts == run["pulls"] and sha256(arms.tobytes()).hexdigest() == run["pulls_sha256"]


@pytest.mark.parametrize("run", RUNS, ids=[run["name"] for run in RUNS])
def test_every_pull_is_that_of_the_authors_code(run) -> None:
    rewards = rewards_of(run)
    assert sha256(rewards.tobytes()).hexdigest() == run["rewards_sha256"], "numpy draws other rewards than it did"
    arms = pulled(run, rewards)
    assert as_recorded(run, arms)
    assert (arms[-1] == 0).all()  # the recording goes on until all agents have settled


def test_another_radius_pulls_something_else() -> None:
    run = {**RUNS[0], "rounds": 500}
    whole = pulled(RUNS[0], rewards_of(run), p_of_radius=0.89)
    assert not as_recorded(RUNS[0], whole)
