"""S3: epochs, the arms an agent may play, what it recommends and to whom, and what it learns from."""

from math import log, sqrt

import networkx as nx
import numpy as np
import pytest
from corrupted import COINS, NAMES, drive, phi_of, problem, random_rows, simulate

import folkmoot as fm
from folkmoot.algorithms.recommending import ends_epoch
from folkmoot.interface import init, nothing_seen, outbox, publish, select, update


def test_epochs_have_k_2_k_4_k_rounds() -> None:
    for k in (1, 3, 20):
        p = fm.S3().params(problem(k=k))
        state, box, seen, ends = init(p), outbox(p), nothing_seen(p.n_agents, 2), []
        for t in range(1, 16 * k):
            ends += [t] if ends_epoch(state, 0, t) else []
            update(p, state, 0, t, seen, box, np.zeros(0, np.int64), COINS)
        assert ends == [k, 3 * k, 7 * k, 15 * k]
        assert np.diff([0, *ends]).tolist() == [k, 2 * k, 4 * k, 8 * k]


@pytest.mark.parametrize(
    ("n", "k", "own"),
    [
        (2, 5, [[0, 2, 4], [1, 3]]),
        (5, 3, [[0], [1], [2], [0], [1]]),
        (3, 3, [[0], [1], [2]]),
        (1, 4, [[0, 1, 2, 3]]),
        (4, 1, [[0]] * 4),
    ],
)
def test_arm_k_belongs_to_agent_k_mod_n(n: int, k: int, own: list[list[int]]) -> None:
    """With fewer arms than agents, arm i mod K is agent i's; either way every arm is somebody's."""
    active = init(fm.S3().params(problem(n=n, k=k))).active
    assert [np.flatnonzero(row).tolist() for row in active] == own
    assert active.any(axis=0).all()


def test_the_end_of_an_epoch_by_hand() -> None:
    """Three agents, five arms. In round 5 agent 0 hears agent 2, agent 1 both others and agent 2 nobody.

    Plays of the epoch, this round's included: agent 0 three of arm 3; agent 1 two of arms 1 and 4, hence 1; agent 2
    all of arm 2, its own.
    """
    p = fm.S3().params(problem())
    state, box, seen = init(p), outbox(p), nothing_seen(3, 2)
    state.plays[:] = [[2, 0, 0, 2, 0], [0, 2, 0, 0, 1], [0, 0, 4, 0, 0]]
    seen.arm[:] = [3, 4, 2]
    for i in range(3):
        publish(p, state, i, 5, seen, box)
    assert box.favourite.tolist() == [3, 1, 2]
    for i, heard in enumerate(([2], [0, 2], [])):
        update(p, state, i, 5, seen, box, np.array(heard, np.int64), COINS)
    assert [np.flatnonzero(row).tolist() for row in state.active] == [[0, 2, 3], [1, 2, 3, 4], [2]]
    assert (state.plays == 0).all()
    assert state.samples.tolist() == [[0, 0, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0]]


def test_it_plays_the_best_of_its_active_arms_only() -> None:
    p = fm.S3().params(problem())
    state = init(p)
    state.bound[0] = [0.2, np.inf, 0.9, 0.7, np.inf]  # arms 0 and 3 are agent 0's
    assert select(p, state, 0, 1, COINS) == 3
    state.bound[0, 0] = 0.7
    assert select(p, state, 0, 1, COINS) == 0
    state.bound[0, 3] = np.inf
    assert select(p, state, 0, 1, COINS) == 3


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_algorithm_with_a_dumb_twin(name: str) -> None:
    """On graphs that change, with 50 verified pulls, which count as plays, and an oracle to tell G_k."""
    n, k, rounds, rng = 3, 5, 200, np.random.default_rng(8)
    p = fm.S3(radius="oracle", delta=0.5).params(problem(name=name, horizon=rounds, verification=50))
    d, phi = p.rule.n_objectives, phi_of(name)[0]
    rows = random_rows(n, rounds, 0.5, 7)
    rewards = rng.uniform(size=(k, d)) * rng.uniform(size=(rounds, n, k, d))
    spent = np.cumsum(rng.uniform(size=(rounds, k)) < 0.02, axis=0).astype(float)
    width = log(2 * d * k * n * rounds / 0.5)

    own = [{a for a in range(k) if a % n == i} for i in range(n)]
    active, samples = [set(x) for x in own], [[[] for _ in range(k)] for _ in range(n)]
    plays, end, length, outsiders = np.zeros((n, k), int), k, k, 0

    def index(i, a, t):
        m = len(samples[i][a])
        if m == 0:
            return np.inf
        known = spent[t - 2, a]  # as of the round before; t > 1, since there is a sample
        return phi(np.minimum(1, np.mean(samples[i][a], axis=0) + sqrt(width / (2 * m)) + known / m))

    for t, _, seen, _ in drive(p, rows, rewards, spent):
        for i in range(n):
            v = (t - 1) * n + i
            arm = v % k if v < 50 else max(sorted(active[i]), key=lambda a, i=i: round(index(i, a, t), 12))
            assert (arm, v < 50) == (seen.arm[i], seen.verified[i])
        for i in range(n):
            samples[i][seen.arm[i]].append(seen.reward[i].copy())
            plays[i, seen.arm[i]] += 1
        if t == end:
            said = [int(np.argmax(plays[i])) for i in range(n)]
            active = [own[i] | {said[i]} | {said[j] for j in rows[t - 1][i]} for i in range(n)]
            outsiders += sum(len(active[i] - own[i]) for i in range(n))
            plays[:], length = 0, 2 * length
            end += length
    assert end == 315
    assert outsiders >= 5


@pytest.mark.parametrize(("n", "horizon", "epochs"), [(3, 400, 6), (4, 155, 5), (4, 154, 4), (1, 400, 0)])
def test_traffic_is_one_arm_to_each_neighbour_at_the_end_of_an_epoch(n: int, horizon: int, epochs: int) -> None:
    """Five arms: epochs end in rounds 5, 15, 35, 75, 155, 315."""
    result = simulate(fm.S3(), "linear", horizon=horizon, n=n, verification=20)
    assert result.messages[0] == epochs * n * (n - 1)
    assert result.bytes[0] == 8 * result.messages[0]


def test_a_verified_sample_stays_with_its_owner() -> None:
    """Agent i's v-th pull is arm (3 v + i) mod 5: after 5 rounds each has one sample of every arm, not three."""
    p = fm.S3().params(problem(verification=15))
    rewards = np.random.default_rng(0).uniform(size=(5, 3, 5, 2))
    *_, (_, state, _, _) = drive(p, [[[1, 2], [0, 2], [0, 1]]] * 5, rewards)
    assert (state.samples == 1).all()
    for i in range(3):
        for t in range(5):
            arm = (3 * t + i) % 5
            assert (state.total[i, arm] == rewards[t, i, arm]).all()


def test_what_nobody_recommends_is_not_played() -> None:
    """Without links an agent plays its own arms for ever: 0 and 3, 1 and 4, 2."""
    world = fm.Bernoulli(np.linspace(0.1, 0.9, 5), n_agents=3), fm.Static(nx.empty_graph(3))
    pulls = fm.simulate(fm.S3(), *world, horizon=300, engine="interpreted", progress=False).pulls[0]
    assert [np.flatnonzero(row).tolist() for row in pulls] == [[0, 3], [1, 4], [2]]
