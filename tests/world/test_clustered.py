"""Clustered rewards: the means and the coins of the law they are made of."""

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.world.clustered import Clustered
from folkmoot.world.half_active import HalfActive
from folkmoot.world.rewards import Bernoulli, Beta, Gaussian

from .test_rewards import COINS, draw, sample

MEANS = np.array([[0.9, 0.2, 0.5], [0.1, 0.8, 0.5]])
LABELS = [1, 0, 0, 1, 1]
LAWS = {
    "bernoulli": (Clustered(MEANS, LABELS), Bernoulli(MEANS[LABELS])),
    "gaussian": (Clustered(MEANS, LABELS, law="gaussian", deviation=0.3), Gaussian(MEANS[LABELS], 0.3)),
    "gaussian, default": (Clustered(MEANS, LABELS, law="gaussian"), Gaussian(MEANS[LABELS])),
    "beta": (Clustered(MEANS, LABELS, law="beta", concentration=4.0), Beta(MEANS[LABELS], 4.0)),
    "beta, default": (Clustered(MEANS, LABELS, law="beta"), Beta(MEANS[LABELS])),
}
every_law = pytest.mark.parametrize(("ours", "inner"), LAWS.values(), ids=LAWS)


@every_law
def test_agents_have_the_means_of_their_cluster(ours, inner):
    assert (ours.means == MEANS[LABELS]).all()
    assert ours.means[0].tolist() == [0.1, 0.8, 0.5]
    assert (ours.n_agents, ours.n_arms) == (5, 3)
    assert (ours.cluster_means == MEANS).all()
    assert ours.labels.tolist() == LABELS
    assert ours.gaps == pytest.approx(inner.gaps)
    assert ours.sub_gaussian == inner.sub_gaussian
    assert ours.bounded == inner.bounded


@every_law
def test_rewards_are_those_of_the_law(ours, inner):
    for i in range(5):
        for k in range(3):
            assert (sample(ours, i, k, 100) == sample(inner, i, k, 100)).all()
            assert (draw(ours.record(), 5, i, k, 10, COINS) == draw(inner.record(), 5, i, k, 10, COINS)).all()


def test_gaps_weigh_clusters_by_their_sizes():
    """Over all agents the arms have means (2 * 0.9 + 3 * 0.1) / 5, (2 * 0.2 + 3 * 0.8) / 5 and 0.5."""
    assert Clustered(MEANS, LABELS).gaps == pytest.approx([0.14, 0.0, 0.06])
    assert Clustered(MEANS, LABELS).best_arm == 1


def test_half_active_clusters():
    law = HalfActive(LAWS["gaussian"][0])
    assert law.sub_gaussian == HalfActive(LAWS["gaussian"][1]).sub_gaussian > 0.3
    assert law.sub_gaussian == pytest.approx(np.hypot(0.3, 0.45))
    assert not law.bounded
    assert law.labels.tolist() == LABELS
    assert HalfActive(LAWS["bernoulli"][0]).sub_gaussian == 0.5
    assert (sample(law, 1, 0, 100) == sample(HalfActive(LAWS["gaussian"][1]), 1, 0, 100)).all()


def test_it_plays():
    world = fm.Clustered(MEANS, LABELS), fm.Static(nx.complete_graph(5))
    ours = fm.simulate(fm.UCB(), *world, horizon=200, seed=3, progress=False)
    same = fm.simulate(fm.UCB(), fm.Bernoulli(MEANS[LABELS]), world[1], horizon=200, seed=3, progress=False)
    assert (ours.pulls == same.pulls).all()
    assert (ours.regret == same.regret).all()


def test_descriptions_are_plain():
    assert LAWS["gaussian"][0].describe() == {
        "type": "Clustered",
        "law": "gaussian",
        "n_agents": 5,
        "n_arms": 3,
        "deviation": 0.3,
        "cluster_means": MEANS.tolist(),
        "cluster_sizes": [2, 3],
        "labels": LABELS,
    }
    assert LAWS["beta, default"][0].describe()["concentration"] == 10.0
    many = Clustered(np.full((1, 5_000), 0.5), [0] * 3_000).describe()
    assert set(many) == {"type", "law", "n_agents", "n_arms", "cluster_sizes", "labels_digest"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Clustered(MEANS, [0, 1, 2]), "label of agent 2 = 2: expected an integer from 0 to 1"),
        (lambda: Clustered(MEANS, [0, -1]), "label of agent 1 = -1: expected an integer from 0 to 1"),
        (lambda: Clustered(MEANS, [0, 0.5]), "label of agent 1 = 0.5: expected an integer from 0 to 1"),
        (lambda: Clustered(MEANS, [0, 0]), "cluster 1 is empty"),
        (lambda: Clustered([[0.5]] * 4, [3, 1, 0]), "cluster 2 is empty: expected agents in all clusters 0 to 3"),
        (lambda: Clustered(MEANS, []), "labels: expected at least one agent, got none"),
        (lambda: Clustered([0.5, 0.5], [0, 0]), r"shape \(2,\): expected \[n_clusters, n_arms\]$"),
        (lambda: Clustered([[0.5], [0.1, 0.2]], [0, 1]), r"\[n_clusters, n_arms\], all rows of one length"),
        (lambda: Clustered([[0.5], [1.5]], [0, 1]), "mean of cluster 1, arm 0 = 1.5: expected a number from 0 to 1"),
        (lambda: Clustered([[0.0]], [0], law="beta"), "cluster 0, arm 0 = 0.0: expected a number from 0.001 to 0.999"),
        (
            lambda: Clustered([[np.inf]], [0], law="gaussian"),
            r"cluster 0, arm 0 = inf: expected a number from -1e\+100 to 1e\+100",
        ),
        (lambda: Clustered(MEANS, LABELS, law="poisson"), "law = 'poisson': allowed are bernoulli, gaussian, beta"),
        (lambda: Clustered(MEANS, LABELS, law=["beta"]), "law = .*: allowed are"),
        (lambda: Clustered(MEANS, LABELS, deviation=0.1), "deviation = 0.1: expected none with law 'bernoulli'"),
        (
            lambda: Clustered(MEANS, LABELS, law="gaussian", concentration=3.0),
            "concentration = 3.0: expected none with law 'gaussian', only with 'beta'",
        ),
        (lambda: Clustered(MEANS, LABELS, law="gaussian", deviation=-1.0), "deviation = -1.0: expected"),
        (lambda: Clustered(MEANS, LABELS, law="beta", concentration=0.5), "concentration = 0.5: expected"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
