"""Accounts of links: no part of an estimate is lost where a message comes through in one direction only."""

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms.accounts import transfer
from folkmoot.algorithms.base import Problem
from folkmoot.coins import replicate_coins
from folkmoot.interface import (
    init,
    late_outbox,
    message_bytes,
    nothing_seen,
    outbox,
    publish,
    publish_late,
    select,
    update,
    update_late,
)

N, K, ROUNDS = 6, 3, 60
COINS = replicate_coins(1, 0, 0)
ALGORITHMS = [fm.GSE(link_probability=0.7), fm.GossipUCB(), fm.GossipUCB(partner="matching"), fm.DistUCB()]
every_rule = pytest.mark.parametrize("algorithm", ALGORITHMS, ids=["GSE", "pair", "matching", "DistUCB"])


def params(algorithm, one_sided, n=N):
    network = fm.Static(nx.complete_graph(n))
    return algorithm.params(Problem(n, K, ROUNDS, network.base, 0.7, 0.5, one_sided=one_sided))


def play(p, hears, rounds=ROUNDS):
    """Yields the state after each round; `hears(t, exchange)` is bool [n, n]: does row i hear column j?"""
    n = p.n_agents
    dice = np.random.default_rng(3)
    state, inbox, late, seen = init(p), outbox(p), late_outbox(p), nothing_seen(n)
    for t in range(1, rounds + 1):
        for i in range(n):
            seen.arm[i] = select(p, state, i, t, COINS)
            seen.reward[i, 0] = dice.uniform() * (i + 1) / n
            publish(p, state, i, t, seen, inbox)
        for i in range(n):
            update(p, state, i, t, seen, inbox, np.flatnonzero(hears(t, 0)[i]), COINS)
        for i in range(n):
            publish_late(p, state, i, t, late)
        for i in range(n):
            update_late(p, state, i, t, late, np.flatnonzero(hears(t, 1)[i]))
        yield t, state


def lossy(loss, n=N, whole=lambda t: False):
    """Each message is lost on its own, in each exchange, but in rounds that are `whole`."""
    table = np.random.default_rng(7).random((ROUNDS + 1, 2, n, n)) >= loss
    return lambda t, exchange: (table[t, exchange] | whole(t)) & ~np.eye(n, dtype=bool)


def owed(state):
    """What the links still owe, [n_arms]: the owner's account less the other end's, summed over links."""
    upper = np.triu(np.ones((N, N), bool), 1)
    return (state.account[upper] - state.account.transpose(1, 0, 2)[upper]).sum(axis=0)


def off(state):
    """By how much the sum of estimates differs from the sum of own means, [n_arms]."""
    return state.gossip.sum(axis=0) - state.mean.sum(axis=0)


@every_rule
def test_estimates_average_to_the_own_means_after_the_next_exchange_that_succeeds(algorithm):
    """30 % of messages are lost, every fifth round none: then both are the same, and before links say what they owe."""
    owing = 0
    for t, state in play(params(algorithm, True), lossy(0.3, whole=lambda t: t % 5 == 0)):
        np.testing.assert_allclose(off(state), owed(state), rtol=0, atol=1e-12)
        owing += np.abs(owed(state)).max() > 1e-6
        if t % 5 == 0 and t > K:
            np.testing.assert_allclose(off(state), 0.0, atol=1e-12)
    assert owing > 5  # or nothing was put to the test


@every_rule
def test_without_accounts_they_do_not(algorithm):
    *_, (_, state) = play(params(algorithm, False), lossy(0.3, whole=lambda t: t == ROUNDS))
    assert np.abs(off(state)).max() > 1e-3
    assert state.account.size == 0


@every_rule
def test_where_all_is_heard_accounts_change_nothing_but_the_last_bits(algorithm):
    *_, (_, plain) = play(params(algorithm, False), lossy(0.0))
    *_, (_, kept) = play(params(algorithm, True), lossy(0.0))
    assert (plain.pulls == kept.pulls).all()
    np.testing.assert_allclose(plain.gossip, kept.gossip, rtol=0, atol=1e-12)
    np.testing.assert_allclose(owed(kept), 0.0, atol=1e-12)


def test_an_owner_that_is_not_heard_again_moves_by_what_the_other_will_have():
    """0 and 1 at 0 and 1, half of the difference moves; 1 hears nothing twice: nothing is moved a second time."""
    p = params(fm.DistUCB(), True, n=2)
    state, box = init(p), late_outbox(p)
    state.gossip[1] = 1.0
    for _ in range(2):
        box.gossip[:], box.account[:] = state.gossip, state.account
        state.gossip[0, 0] += transfer(state, box, 0, 1, 0, 0.5)
    assert state.gossip[:, 0].tolist() == [0.5, 1.0]
    box.gossip[:], box.account[:] = state.gossip, state.account
    state.gossip[1, 0] += transfer(state, box, 1, 0, 0, 0.5)
    assert state.gossip[:, 0].tolist() == [0.5, 0.5]


def test_a_neighbour_needs_one_account_of_a_row():
    p = params(fm.GSE(link_probability=0.7), True)
    row = 8 * K + 8 * N * K + K  # estimates, accounts, arms in play
    assert message_bytes(p, init(p), 0, 1, nothing_seen(N), 5, row) == 5 * (8 * K + 8 * K + K)
    plain = params(fm.GSE(link_probability=0.7), False)
    assert message_bytes(plain, init(plain), 0, 1, nothing_seen(N), 5, 9 * K) == 5 * 9 * K


def test_too_many_pairs_are_refused():
    network = fm.Static(nx.cycle_graph(40_000))
    with pytest.raises(ValueError, match=r"GossipUCB on one-sided links, which keeps an account for every pair, would"):
        fm.GossipUCB().params(Problem(40_000, 5, 100, network.base, None, 0.5, one_sided=True))
