"""GoSInE: sticky arms, phases, recommendations, as in the authors' synchronous code; and where it goes wrong."""

from math import ceil, log, sqrt

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms import gosine
from folkmoot.algorithms.base import Problem
from folkmoot.coins import CHOICE, below, replicate_coins
from folkmoot.interface import Seen, init, messages, nothing_seen, outbox, publish, select, update
from folkmoot.world.graphs import as_base_graph

COINS = replicate_coins(1, 0, 0)
STALE = -7


def params(n=4, k=10, horizon=1000, **settings):
    return fm.GoSInE(**settings).params(Problem(n, k, horizon, as_base_graph(nx.path_graph(n)), 1.0, 0.5))


def play(p, graphs, rewards):
    """Rounds driven by hand: the state, the arms pulled, what each agent held after each round, messages a round."""
    n = p.n_agents
    state, inbox = init(p), outbox(p)
    seen, arms, held, sent = nothing_seen(n), [], [], []
    for t, graph in enumerate(graphs, 1):
        sent.append(sum(messages(p, state, i, t, seen, graph.degree(i)) for i in range(n)))
        for i in range(n):
            seen.arm[i] = select(p, state, i, t, COINS)
            seen.reward[i, 0] = rewards[t - 1, i, seen.arm[i]]
            publish(p, state, i, t, seen, inbox)
        for i in range(n):
            update(p, state, i, t, seen, inbox, np.array(sorted(graph.neighbors(i)), np.int64), COINS)
        arms.append(seen.arm.copy())
        held.append(state.held.copy())
    return state, np.array(arms), np.array(held), sent


def twin(n, k, alpha, graphs, rewards):
    """The same with lists: arms pulled [t, n], held at the end, and how often a recommendation replaced L."""
    sticky = ceil(k / n)
    held = [[(a * sticky + q) % k for q in range(sticky + 2)] for a in range(n)]
    pulls, total, inserted, arms = np.zeros((n, k)), np.zeros((n, k)), 0, []
    before = pulls.copy()
    for t, graph in enumerate(graphs, 1):
        chosen = []
        for a in range(n):
            safe = np.maximum(pulls[a], 1)
            index = np.where(pulls[a] > 0, total[a] / safe + np.sqrt(alpha * log(t) / safe), np.inf)
            chosen.append(held[a][int(np.argmax(index[held[a]]))])
        for a, arm in enumerate(chosen):
            pulls[a, arm] += 1
            total[a, arm] += rewards[t - 1, a, arm]
        arms.append(chosen)
        if round(t ** (1 / 3)) ** 3 == t:
            recent = pulls - before
            favourite = [held[a][int(np.argmax(recent[a, held[a]]))] for a in range(n)]
            for a in range(n):
                u, last = held[a][-2:]
                held[a][-2:] = [last, u] if recent[a, last] > recent[a, u] else [u, last]
                friends = sorted(graph.neighbors(a))
                if friends:
                    arm = favourite[friends[below(COINS, len(friends), CHOICE, t, a, 0)]]
                    if arm not in held[a]:
                        held[a][-1] = arm
                        inserted += 1
            before = pulls.copy()
    return np.array(arms), held, inserted


def test_the_whole_algorithm_with_a_dumb_twin() -> None:
    """c1 = 0.01 makes agents choosy, so that favourites differ from what others hold."""
    n, k, rounds = 5, 13, 400
    graphs = [nx.gnp_random_graph(n, 0.4, seed=t) for t in range(rounds)]
    rng = np.random.default_rng(4)
    rewards = rng.uniform(size=k) + 0.3 * rng.uniform(size=(rounds, n, k))
    state, arms, _, _ = play(params(n=n, k=k, c1=0.01), graphs, rewards)
    twin_arms, twin_held, inserted = twin(n, k, 0.01, graphs, rewards)
    assert inserted >= 3
    assert (arms == twin_arms).all()
    assert state.held.tolist() == twin_held
    assert state.pulls.sum() == n * rounds


def test_phases_end_at_1_8_27_64() -> None:
    assert gosine.phase_ends(3.0, 64).tolist() == [1, 8, 27, 64, 125]
    assert gosine.phase_ends(1.5, 9).tolist() == [1, 3, 6, 8, 12]  # ceil of 1, 2.83, 5.20, 8, 11.18
    p = params(horizon=100)
    _, _, held, _ = play(p, [nx.complete_graph(4)] * 100, np.random.default_rng(0).uniform(size=(100, 4, 10)))
    changed = [t for t in range(2, 101) if (held[t - 1] != held[t - 2]).any()]
    assert changed
    assert set(changed) <= {8, 27, 64}


@pytest.mark.parametrize(("n", "k"), [(4, 10), (15, 40), (5, 3), (7, 7), (2, 5), (1, 4), (3, 1), (6, 4), (4, 100)])
def test_sticky_sets_cover_all_arms_and_nobody_holds_one_twice(n: int, k: int) -> None:
    """Agent a starts with the arms (a ceil(K/N) + q) mod K, q = 0, ..., ceil(K/N) + 1."""
    p = params(n=n, k=k)
    held, sticky = init(p).held, ceil(k / n)
    for a in range(n):
        assert held[a].tolist() == [(a * sticky + q) % k for q in range(min(sticky + 2, k))]
        assert len(set(held[a])) == len(held[a])
    assert set(held[:, :sticky].ravel()) == set(range(k))


def test_an_agent_never_holds_an_arm_twice_and_keeps_its_sticky_arms() -> None:
    p = params(n=4, k=10, horizon=200, c1=0.01)
    _, _, held, _ = play(p, [nx.complete_graph(4)] * 200, np.random.default_rng(3).uniform(size=(200, 4, 10)))
    assert (held[:, :, :3] == held[0, :, :3]).all()
    assert (np.diff(np.sort(held, axis=2), axis=2) > 0).all()


@pytest.mark.parametrize(("c1", "constant"), [(None, 4.0), (0.1, 0.1)])
def test_index_is_the_mean_plus_root_of_4_ln_t_over_pulls(c1: float | None, constant: float) -> None:
    """Two arms, whose indices are equal but for 1e-9 one way and then the other."""
    p = params(n=1, k=2, c1=c1)
    state = init(p)
    state.pulls[0] = [40, 10]
    state.mean[0] = [0.3 + sqrt(constant * log(51) / 10) - sqrt(constant * log(51) / 40) - 1e-9, 0.3]
    assert select(p, state, 0, 51, COINS) == 1
    state.mean[0, 0] += 2e-9
    assert select(p, state, 0, 51, COINS) == 0


def end_of_phase_2(phase_pulls, favourite, neighbours, held=(0, 1, 2, 3)):
    """Agent 0 of 5 (10 arms: 2 sticky, U, L) in round 8, having pulled slot 0; what it holds afterwards."""
    p = params(n=5, k=10)
    state, box = init(p), outbox(p)
    state.phase[0], state.held[0], state.phase_pulls[0] = 1, held, phase_pulls
    box.favourite[:] = favourite
    seen = nothing_seen(5)
    update(p, state, 0, 8, seen, box, np.array(neighbours, np.int64), COINS)
    assert state.phase_pulls[0].tolist() == [0, 0, 0, 0]
    assert state.phase[0] == 2
    return state.held[0].tolist()


def test_the_more_pulled_of_u_and_l_stays_and_the_recommendation_replaces_the_other() -> None:
    assert end_of_phase_2([1, 1, 3, 2], favourite=7, neighbours=[1, 3]) == [0, 1, 2, 7]
    assert end_of_phase_2([1, 1, 2, 3], favourite=7, neighbours=[1, 3]) == [0, 1, 3, 7]
    assert end_of_phase_2([1, 1, 2, 2], favourite=7, neighbours=[1, 3]) == [0, 1, 2, 7]


@pytest.mark.parametrize("arm", [0, 1, 2, 3])
def test_a_recommendation_held_already_changes_nothing(arm: int) -> None:
    assert set(end_of_phase_2([1, 1, 2, 3], favourite=arm, neighbours=[4])) == {0, 1, 2, 3}


def test_without_a_neighbour_l_stays() -> None:
    assert end_of_phase_2([1, 1, 3, 2], favourite=7, neighbours=[]) == [0, 1, 2, 3]


def test_the_answer_is_the_most_pulled_arm_of_the_phase_with_this_rounds_pull() -> None:
    """Before the end of the phase it is that of the last one, for who was absent then."""
    p = params(n=5, k=10)
    state, box = init(p), outbox(p)
    state.phase[:], state.phase_pulls[0] = 1, [1, 2, 1, 3]
    state.pulls[0, 9] = 1000  # pulls of earlier phases do not count
    box.favourite[:], state.favourite[0] = STALE, 6
    seen = Seen(np.full(5, 1, np.int64), np.zeros((5, 1)), np.zeros(5, np.bool_), np.full(5, 1, np.int64))
    for t in (5, 6, 7):
        publish(p, state, 0, t, seen, box)
        assert box.favourite.tolist() == [6, STALE, STALE, STALE, STALE]
    publish(p, state, 0, 8, seen, box)
    assert box.favourite.tolist() == [1, STALE, STALE, STALE, STALE]  # 3 and 3: the earlier slot


def test_everybody_is_asked_equally_often() -> None:
    """2,900 agents each ask one of 5: each is asked 580 times up to 5 standard deviations, sqrt(580 * 0.8) = 21.5."""
    n = 3000
    p = params(n=n, k=n)
    state, box = init(p), outbox(p)
    box.favourite[:5] = np.arange(5)  # held by none of those who ask
    seen = Seen(np.arange(n), np.zeros((n, 1)), np.zeros(n, np.bool_), np.arange(n))
    for i in range(50, 2950):
        update(p, state, i, 1, seen, box, np.arange(5), COINS)
    asked = np.bincount(state.held[50:2950, 2], minlength=5)
    assert len(asked) == 5
    assert (abs(asked - 580) < 5 * 21.5).all()


def test_one_message_of_one_arm_per_agent_and_phase() -> None:
    """Phases end after rounds 1, 8, 27 and 64: four answers for each of six agents, 8 bytes each."""
    world = fm.Bernoulli(np.linspace(0.9, 0.1, 20), n_agents=6), fm.Static(nx.cycle_graph(6))
    result = fm.simulate(fm.GoSInE(), *world, horizon=124)
    assert (result.messages[0], result.bytes[0]) == (24, 24 * 8)
    assert fm.simulate(fm.GoSInE(), *world, horizon=125).messages[0] == 30
    assert fm.simulate(fm.GoSInE(phase_exponent=2), *world, horizon=99).messages[0] == 9 * 6


def test_who_has_nobody_to_ask_sends_nothing() -> None:
    graph = nx.Graph([(0, 1)])
    graph.add_nodes_from([2, 3])
    _, _, _, sent = play(params(n=4), [graph] * 30, np.random.default_rng(0).uniform(size=(30, 4, 10)))
    assert {t: count for t, count in enumerate(sent, 1) if count} == {1: 2, 8: 2, 27: 2}


def test_regret_is_linear_when_means_differ() -> None:
    """Agent a loves its sticky arm 2a, which the others hate; arm 1 is best on average, by 0.4, but nobody's favourite.

    By its own rewards an agent plays arm 1 about 4 ln 40,000 / 0.2^2 = 1,060 times in all, so at least 90 % of
    4 * 0.4 a round is lost in the second half.
    """
    means = np.full((4, 8), 0.1)
    means[range(4), range(0, 8, 2)] = 0.9
    means[:, 1] = 0.7
    world = fm.Bernoulli(means), fm.Static(nx.complete_graph(4))
    result = fm.simulate(fm.GoSInE(), *world, horizon=40_000, replicates=5, checkpoints=[20_000, 40_000])
    assert (result.regret[:, 1] - result.regret[:, 0] >= 0.9 * 4 * 0.4 * 20_000).all()


def test_regret_is_logarithmic_when_means_agree() -> None:
    """Of the bound alpha ln T sum 1 / gap only ln 2 / ln 20,000 = 0.07 falls into the second half; 0.25 leaves room."""
    means = np.array([0.1, 0.2, 0.3, 0.2, 0.1, 0.9, 0.2, 0.3])
    world = fm.Bernoulli(means, n_agents=4), fm.Static(nx.complete_graph(4))
    result = fm.simulate(fm.GoSInE(), *world, horizon=20_000, replicates=5, checkpoints=[10_000, 20_000])
    assert (result.regret[:, 1] - result.regret[:, 0] <= 0.25 * result.regret[:, 0]).all()


def test_few_arms_each_but_the_best_one_reaches_everybody() -> None:
    """100 arms, 20 agents: nobody starts with more than 7 arms, all end with the best one."""
    means = np.full(100, 0.2)
    means[37] = 0.9
    world = fm.Bernoulli(means, n_agents=20), fm.ErdosRenyi(nx.complete_graph(20), 0.3)
    result = fm.simulate(fm.GoSInE(), *world, horizon=10_000, replicates=3)
    assert (result.pulls.argmax(axis=2) == 37).all()
    assert ((result.pulls > 0).sum(axis=2) < 20).all()


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), "2"])
def test_c1_out_of_range(value: object) -> None:
    with pytest.raises(ValueError, match="c1"):
        fm.GoSInE(c1=value)


@pytest.mark.parametrize("value", [1.0, 0.5, -3.0, 101.0, float("nan"), float("inf"), "3"])
def test_phase_exponent_out_of_range(value: object) -> None:
    with pytest.raises(ValueError, match="phase_exponent"):
        fm.GoSInE(phase_exponent=value)


def test_too_many_phases_for_the_horizon() -> None:
    with pytest.raises(ValueError, match=r"phase_exponent = 1\.01: expected") as error:
        params(horizon=10_000_000, phase_exponent=1.01)
    assert "\n" not in str(error.value)
