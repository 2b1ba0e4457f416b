"""Clusters in experiment files: clustered rewards and the stochastic block model."""

from pathlib import Path

import numpy as np
import pytest

import folkmoot as fm
from folkmoot.experiments.plan import plan
from folkmoot.world.means import Uniform, UniformOfClusters

MEANS = [[0.9, 0.1], [0.2, 0.8]]
CLUSTERED = {"type": "clustered", "means": MEANS, "labels": [0, 1, 1, 0]}
BLOCK_MODEL = {"type": "stochastic_block_model", "within": 1, "across": 0.25}


def jobs(rewards=CLUSTERED, network=BLOCK_MODEL):
    document = {"name": "test", "horizon": 50, "rewards": rewards, "network": network, "algorithm": [{"type": "ucb"}]}
    return [cell.job for cell in plan(document, Path(".")).cells]


@pytest.mark.parametrize(
    ("table", "law"),
    [
        ({}, fm.Clustered(MEANS, [0, 1, 1, 0])),
        ({"labels": None, "sizes": [1, 3]}, fm.Clustered(MEANS, [0, 1, 1, 1])),
        ({"law": "gaussian", "deviation": 2}, fm.Clustered(MEANS, [0, 1, 1, 0], law="gaussian", deviation=2.0)),
        ({"law": "beta", "concentration": 4}, fm.Clustered(MEANS, [0, 1, 1, 0], law="beta", concentration=4.0)),
    ],
)
def test_clustered_rewards(table, law):
    table = {key: value for key, value in {**CLUSTERED, **table}.items() if value is not None}
    assert jobs(table)[0].rewards.describe() == law.describe()


def test_drawn_means_of_clusters():
    """The table is the one that as many agents would have, row by row."""
    given = {"law": "uniform", "n_arms": 3, "seed": 5, "low": 0.2, "high": 0.4}
    rewards = {"type": "clustered", "means": {**given, "n_clusters": 2}, "sizes": [1, 2]}
    means = jobs(rewards)[0].rewards.means
    assert means.shape == (3, 3)
    assert (means[1] == means[2]).all()
    np.testing.assert_array_equal(means[:2], Uniform(**given, n_agents=2).table())
    np.testing.assert_array_equal(means[:2], UniformOfClusters(**given, n_clusters=2).table())


def test_half_active_clusters():
    job = jobs({"type": "half_active", "inner": CLUSTERED})[0]
    assert job.rewards.describe() == fm.HalfActive(fm.Clustered(MEANS, [0, 1, 1, 0])).describe()
    assert job.network.labels.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("clusters", "labels"),
    [({}, [0, 1, 1, 0]), ({"labels": [2, 0, 1, 1]}, [2, 0, 1, 1]), ({"sizes": [3, 1]}, [0, 0, 0, 1])],
)
def test_the_network_has_clusters_of_its_own_or_those_of_the_rewards(clusters, labels):
    network = jobs(network={**BLOCK_MODEL, **clusters})[0].network
    assert network.describe() == fm.StochasticBlockModel(labels, 1.0, 0.25).describe()


def test_rewards_without_clusters():
    bernoulli = {"type": "bernoulli", "means": MEANS}
    network = jobs(bernoulli, {**BLOCK_MODEL, "sizes": [1, 1]})[0].network
    assert network.labels.tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"^network: labels: missing; expected labels = \[.*\] or sizes = \[.*\]$"):
        jobs(bernoulli)


def test_a_grid_over_labels_gives_each_its_network():
    rewards = {**CLUSTERED, "labels": {"grid": [[0, 1, 1, 0], [0, 0, 1, 1]]}}
    found = jobs(rewards)
    assert [job.network.labels.tolist() for job in found] == [[0, 1, 1, 0], [0, 0, 1, 1]]
    same = jobs({**CLUSTERED, "means": {"grid": [MEANS, MEANS[::-1]]}})
    assert same[0].network is same[1].network


@pytest.mark.parametrize(
    ("rewards", "network", "message"),
    [
        ({"sizes": [2, 2]}, {}, "rewards: labels and sizes: expected one of them, got both"),
        ({"labels": [0, 0, 0]}, {}, "rewards: labels: cluster 1 is empty: expected agents in all clusters 0 to 1"),
        ({"labels": [0, 2]}, {}, "rewards: label of agent 1 = 2: expected an integer from 0 to 1"),
        ({"labels": [0, 1.0]}, {}, r"rewards.labels\[1\] = 1.0: expected a whole number; write 1"),
        ({"labels": 3}, {}, "rewards.labels = 3: expected a list"),
        ({"means": [[0.5, "x"]]}, {}, r"rewards.means: expected numbers, got 'x' in \[0\]\[1\]"),
        ({"means": [[0.5], [2]]}, {}, "rewards: mean of cluster 1, arm 0 = 2.0: expected a number from 0 to 1"),
        ({"law": "normal"}, {}, "rewards.law = 'normal': allowed are 'bernoulli', 'gaussian' or 'beta'"),
        ({"deviation": 1.0}, {}, "rewards: deviation = 1.0: expected none with law 'bernoulli', only with 'gaussian'"),
        ({"means": {"law": "uniform", "n_agents": 2, "n_arms": 2}}, {}, "rewards.means: field 'n_agents': unknown; .*"),
        ({"mean": MEANS}, {}, "rewards: field 'mean': unknown; did you mean 'means'.*"),
        ({}, {"labels": [0, 1]}, "network: clusters of 2 agents: the rewards are for 4"),
        ({}, {"labels": [0, 0, 2, 2]}, "network: labels: cluster 1 is empty: .*"),
        ({}, {"labels": [0, 0, 1, 1], "sizes": [2, 2]}, "network: labels and sizes: expected one of them, got both"),
        ({}, {"sizes": [4, 0]}, "network: size of cluster 1 = 0: expected an integer of at least 1 and below .*"),
        ({}, {"sizes": []}, "network: sizes: expected at least one cluster, got none"),
        ({}, {"within": 1.5}, "network: within = 1.5: expected a probability from 0 to 1"),
        ({}, {"across": "often"}, "network.across = 'often': expected a number"),
        ({}, {"link_probability": 0.5}, "network: field 'link_probability': unknown; .*"),
    ],
)
def test_errors(rewards, network, message):
    with pytest.raises(ValueError, match=rf"^{message}( \(and \d+ more: [^)]*\))?$"):
        jobs({**CLUSTERED, **rewards}, {**BLOCK_MODEL, **network})


def test_the_network_needs_both_probabilities():
    with pytest.raises(ValueError, match=r"^network: across: missing; expected within and across, or probabilities$"):
        jobs(network={"type": "stochastic_block_model", "within": 0.5})
