"""Links that one side only notices: who hears whom, how often, and that both engines agree.

Bound, fixed before any draw: how often a message crosses is binomial(T, q) with q = p (1 - loss). With D directions
each count lies between the quantiles 1e-6 / (2 D) and 1 - 1e-6 / (2 D), so a right generator fails with probability
1e-6.
"""

import networkx as nx
import numpy as np
import pytest
from scipy import stats

import folkmoot as fm
from folkmoot.coins import LINK, block
from folkmoot.simulation.agents import Agents
from folkmoot.simulation.simulate import make_job
from folkmoot.world.graphs import named_graph

from .test_networks import COINS, adjacency, compiled, play

ROUNDS, FAILURE = 20_000, 1e-6
KARATE = fm.ErdosRenyi(nx.karate_club_graph(), 0.4)
NETWORKS = {
    "static": fm.OneSided(fm.Static(nx.petersen_graph()), 0.3),
    "erdos_renyi": fm.OneSided(KARATE, 0.5),
    "of each receiver": fm.OneSided(KARATE, np.linspace(0, 1, 34)),
    "of pairs": fm.OneSided(KARATE, {(0, 1): 1.0, (33, 8): 0.5, (2, 1): 0.25}),
    "recorded": fm.OneSided(fm.Recorded([[(0, 1), (2, 1)], [], [(3, 0), (2, 3)]]), 0.5),
    "block model": fm.OneSided(fm.StochasticBlockModel([0, 1, 0, 1, 1], 0.9, 0.1), 0.4),
    "one agent": fm.OneSided(fm.Static(nx.empty_graph(1)), 0.4),
}


@pytest.mark.parametrize("name", ["erdos_renyi", "of each receiver", "of pairs"])  # one compilation
def test_interpreted_is_compiled(name):
    network = NETWORKS[name]
    assert (play(network.record(), 3, 12, COINS) == compiled(network.record(), 3, 12, COINS)).all()


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_what_is_heard_is_what_was_linked_less_the_losses(network):
    """A dumb twin, direction by direction: the network inside plays as it does alone."""
    alone = play(network.network.record(), 3, 12, COINS)
    heard = play(network.record(), 3, 12, COINS)
    for r in range(12):
        for i, j in zip(*np.nonzero(alone[r])):
            loss = network.loss
            if isinstance(loss, dict):
                loss = loss.get((int(j), int(i)), 0.0)
            elif isinstance(loss, np.ndarray):
                loss = loss[i]
            word = block(COINS, LINK + 256, 3 + r, int(i), int(j) // 4)[j % 4]
            assert heard[r, i, j] == (word >= loss * 2**32)
        assert (heard[r] <= alone[r]).all()


def test_without_loss_it_is_the_network_and_with_all_lost_there_is_none():
    assert (play(fm.OneSided(KARATE, 0).record(), 1, 9, COINS) == play(KARATE.record(), 1, 9, COINS)).all()
    assert not play(fm.OneSided(KARATE, 1).record(), 1, 9, COINS).any()


def test_directions_are_lost_on_their_own():
    """How often each direction is up, and that the two directions of a link that is up are independent."""
    base = named_graph("cycle", 6)
    table = compiled(fm.OneSided(fm.ErdosRenyi(base, 0.8), 0.3).record(), 1, ROUNDS, COINS)
    there = adjacency(base).astype(bool)
    tail = FAILURE / (2 * there.sum())
    law = stats.binom(ROUNDS, 0.8 * 0.7)
    counts = table.sum(axis=0, dtype=int)
    assert law.ppf(tail) <= counts[there].min()
    assert counts[there].max() <= law.isf(tail)
    both = stats.binom(ROUNDS, 0.8 * 0.7 * 0.7)
    together = (table & table.transpose(0, 2, 1)).sum(axis=0, dtype=int)[there]
    assert both.ppf(tail) <= together.min()
    assert together.max() <= both.isf(tail)
    assert (table != table.transpose(0, 2, 1)).any()


def test_what_algorithms_are_told():
    assert not KARATE.one_sided
    assert fm.OneSided(KARATE, 0.5).one_sided
    assert fm.OneSided(KARATE, 0.5).link_probability == 0.4 * 0.5
    assert fm.OneSided(KARATE, np.full(34, 0.5)).link_probability == 0.4 * 0.5
    assert fm.OneSided(KARATE, 1).link_probability is None
    assert fm.OneSided(KARATE, np.linspace(0, 1, 34)).link_probability is None
    assert fm.OneSided(KARATE, {(0, 1): 0.1}).link_probability is None
    model = fm.OneSided(fm.StochasticBlockModel([0, 1, 0], 0.9, 0.1), 0.4)
    assert model.labels.tolist() == [0, 1, 0]
    assert model.base.n_agents == 3


def test_agents_one_by_one_hear_the_same():
    world = fm.Bernoulli([0.2, 0.5, 0.8], 6), fm.OneSided(fm.Static(nx.cycle_graph(6)), 0.4)
    agents = Agents(make_job(fm.CooperativeUCB(), *world, horizon=80, seed=3))
    agents.play(80)
    result = fm.simulate(fm.CooperativeUCB(), *world, horizon=80, seed=3)
    assert (agents.pulls == result.pulls[0]).all()
    assert result.messages[0] < 0.7 * 80 * 12  # those that arrive


def test_it_is_told_in_plain_values():
    told = fm.OneSided(fm.Static(nx.path_graph(3)), {(2, 1): 0.5, (0, 1): 0.25}).describe()
    assert told["loss"] == [[0, 1, 0.25], [2, 1, 0.5]]
    assert (told["type"], told["n_agents"], told["network"]["type"]) == ("OneSided", 3, "Static")
    assert fm.OneSided(fm.Static(nx.path_graph(3)), [0, 0.5, 1]).describe()["loss"] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fm.OneSided(nx.path_graph(3), 0.1), "network = Graph: expected a network such as"),
        (lambda: fm.OneSided(fm.OneSided(KARATE, 0.1), 0.1), "network = OneSided: expected one whose links both"),
        *[
            (lambda p=p: fm.OneSided(KARATE, p), "loss = .*: expected a probability from 0 to 1")
            for p in (-0.1, 1.1, float("nan"), "often", None, True)
        ],
        (lambda: fm.OneSided(KARATE, [0.1, 0.2]), r"loss of shape \(2,\): expected \[n_agents\] = \(34,\)"),
        (lambda: fm.OneSided(KARATE, [0.1] * 33 + [2]), r"loss of receiver 33 = 2\.0: expected a probability"),
        (
            lambda: fm.OneSided(KARATE, ["x"] * 34),
            r"loss\[0\] = 'x': expected a probability from 0 to 1, one for each agent",
        ),
        (lambda: fm.OneSided(KARATE, {(0, 1): 1.5}), r"loss of \(0, 1\) = 1\.5: expected a probability from 0 to 1"),
        (lambda: fm.OneSided(KARATE, {(0, 33): 0.5}), r"loss: pair \(0, 33\): the base graph has no such edge"),
        (lambda: fm.OneSided(KARATE, {(0, 34): 0.5}), r"loss: pair \(0, 34\): expected two different agents"),
        (lambda: fm.OneSided(KARATE, {(3, 3): 0.5}), r"loss: pair \(3, 3\): expected two different agents"),
        (lambda: fm.OneSided(KARATE, {0: 0.5}), "loss: key 0: expected a pair of agents such as"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
