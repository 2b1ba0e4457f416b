"""Layered elimination: by hand, against a dumb twin, and what the layers are for: corruption of unknown size."""

from math import floor, log, log2, sqrt

import networkx as nx
import numpy as np
import pytest

import folkmoot as fm
from folkmoot.algorithms.base import Problem
from folkmoot.algorithms.layered_elimination import append, drawn_layer, eliminate
from folkmoot.coins import CHOICE, replicate_coins, uniform
from folkmoot.interface import decision, init, nothing_seen, outbox, publish, select, update

COINS = replicate_coins(1, 0, 0)
LAWS = [fm.Linear([0.2, 0.3, 0.5]), fm.Chebyshev(), fm.LogSumExp(5.0)]
named = pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)


def params(n=1, k=3, horizon=1000, law=None, d=1, sub_gaussian=0.5, **settings):
    facts = {} if law is None else {"n_objectives": d, "scalarisation": law.record(d)}
    problem = Problem(n, k, horizon, None, 1.0, sub_gaussian, **facts)  # it asks nothing about the graph
    return fm.LayeredElimination(**settings).params(problem)


def feed(p, state, layer, arm, rewards):
    """Samples of an arm for one layer of agent 0."""
    for reward in rewards:
        append(p, state, 0, layer, arm, np.array([[reward]]), 0)


def drive(p, rows, reward, rounds):
    """Yields (state, arms) after each round: `rows(t)` are the neighbours, `reward(t, i, arm)` the vector paid."""
    n, state, inbox = p.n_agents, init(p), outbox(p)
    seen = nothing_seen(n, p.n_objectives)
    for t in range(1, rounds + 1):
        for i in range(n):
            seen.arm[i] = select(p, state, i, t, COINS)
            seen.reward[i] = reward(t, i, seen.arm[i])
            publish(p, state, i, t, seen, inbox)
        for i in range(n):
            update(p, state, i, t, seen, inbox, rows(t)[i], COINS)
        yield state, seen.arm


# --- Numbers --------------------------------------------------------------------------------------------


def test_layers_and_width() -> None:
    """log2(N T) layers, so that the top one sees about one pull; the logarithm is a union over d K N T L events."""
    p = params(n=3, k=4, horizon=1000, law=fm.Chebyshev(), d=2)
    assert p.n_layers == 12  # 2**11 < 3000 < 2**12
    assert p.width == pytest.approx(log(4 * 2 * 4 * 3 * 1000 * 12 * 1000))  # delta is 1/T
    assert params(n=4, k=2, horizon=1024).n_layers == 12
    assert params(n=1, k=1, horizon=1).n_layers == 1
    p = params(n=3, k=4, horizon=1000, delta=0.25, n_layers=5)
    assert (p.n_layers, p.width) == (5, pytest.approx(log(4 * 4 * 3 * 1000 * 5 / 0.25)))
    assert params(delta=1e-320).width < 800  # where 1 / delta is too large for a number


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"sub-Gaussian parameter 1; expected at most sqrt\(1/2\)"):
        params(sub_gaussian=1.0)
    with pytest.raises(ValueError, match="LayeredElimination, which keeps a table per layer, would need"):
        params(n=10_000, k=100_000, horizon=100_000)
    for wrong in ({"delta": 0.0}, {"delta": 1.0}, {"n_layers": 0}, {"n_layers": 54}, {"n_layers": 2.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            fm.LayeredElimination(**wrong)


def test_layer_l_is_drawn_with_probability_two_to_the_minus_l() -> None:
    """Counts of 20,000 coins are within 5 standard deviations of a binomial; the first layer has the remainder too."""
    p, draws = params(n_layers=5), 20_000
    counts = np.bincount([drawn_layer(p, uniform(COINS, CHOICE, t, 0, 0)) for t in range(draws)])
    chances = np.array([1 / 2 + 1 / 32, 1 / 4, 1 / 8, 1 / 16, 1 / 32])
    assert len(counts) == 5
    assert (np.abs(counts - draws * chances) < 5 * np.sqrt(draws * chances * (1 - chances))).all()
    assert {drawn_layer(params(n_layers=1), uniform(COINS, CHOICE, t, 0, 0)) for t in range(100)} == {0}


# --- Elimination ----------------------------------------------------------------------------------------


def test_an_arm_is_dropped_from_its_layer_and_all_below_once_its_bounds_are_apart() -> None:
    """Width 0.04 and 4 samples: wd = sqrt(0.04 / 4) + 0.04 / 4 = 0.11, so arms part at a difference above 0.22."""
    p = params(k=4, n_layers=3)._replace(width=0.04)
    state = init(p)
    for arm, mean in ((0, 0.90), (1, 0.67), (2, 0.69)):  # arm 3 has no sample
        feed(p, state, 1, arm, [mean - 0.1, mean + 0.1, mean, mean])
    eliminate(p, state, 0, 1)
    assert state.lowest[0].tolist() == [0, 2, 0, 0]
    assert state.low[0, 1, 0] == pytest.approx(0.79)
    assert state.high[0, 1, 1] == pytest.approx(0.78)
    assert not state.stale.any()


def test_lower_layers_do_not_touch_those_above() -> None:
    p = params(k=2, n_layers=3)._replace(width=0.04)
    state = init(p)
    feed(p, state, 0, 0, [0.0] * 4)
    feed(p, state, 0, 1, [1.0] * 4)
    eliminate(p, state, 0, 0)
    assert state.lowest[0].tolist() == [1, 0]
    feed(p, state, 2, 0, [1.0] * 4)  # the top layer sees it the other way round, and is right for all
    feed(p, state, 2, 1, [0.0] * 4)
    eliminate(p, state, 0, 2)
    assert state.lowest[0].tolist() == [1, 3]
    assert decision(p, state, 0) == 0


def test_an_arm_that_has_left_the_layer_drops_nobody() -> None:
    p = params(k=3, n_layers=2)._replace(width=0.04)
    state = init(p)
    state.lowest[0] = [1, 0, 0]
    for arm, mean in ((0, 1.0), (1, 0.5), (2, 0.4)):
        feed(p, state, 0, arm, [mean] * 4)
    eliminate(p, state, 0, 0)
    assert state.lowest[0].tolist() == [1, 0, 0]


def test_the_least_sampled_arm_of_the_layer_is_pulled_or_one_of_the_lowest_layer_with_arms() -> None:
    p = params(k=4, n_layers=4)
    state = init(p)
    state.layer[0] = 2
    state.samples[0, 2] = [5, 3, 3, 1]
    state.lowest[0] = [0, 1, 2, 3]
    assert select(p, state, 0, 9, COINS) == 1  # arm 3 is not active in this layer; 1 and 2 tie
    state.lowest[0] = [0, 3, 3, 3]
    assert select(p, state, 0, 9, COINS) == 0
    state.lowest[0] = [4, 3, 3, 4]  # this layer is empty and so are those below: the next has arms 1 and 2
    state.samples[0, 2] = [0, 3, 2, 0]
    assert select(p, state, 0, 9, COINS) == 2
    assert decision(p, state, 0) == -1


def test_whatever_the_samples_are_there_is_an_active_arm_and_what_is_decided_stays() -> None:
    """Narrow radii, and rewards that change sides: arms are dropped for bad reasons all the time."""
    p, rng, dropped, decided = params(k=5, n_layers=4)._replace(width=1e-3), np.random.default_rng(3), 0, 0
    for _ in range(40):
        state, settled = init(p), -1
        for t in range(1, 150):
            layer = state.layer[0] = rng.integers(4)
            arm = select(p, state, 0, t, COINS)
            level = max(layer, state.lowest[0].min())
            assert level < 4
            assert state.lowest[0, arm] <= level
            assert settled in (-1, arm)
            feed(p, state, layer, arm, [float(rng.integers(2))])
            eliminate(p, state, 0, layer)
            assert settled in (-1, decision(p, state, 0))
            settled = decision(p, state, 0)
        dropped += (state.lowest[0] > 0).sum()
        decided += settled >= 0
    assert dropped > 100
    assert decided > 20


# --- Agents ---------------------------------------------------------------------------------------------


def twin(n, k, layers, width, law, rows, reward, rounds):
    """The paper's text with lists of samples and a set of active arms per layer: arms pulled [t, n]."""
    samples = [[[[] for _ in range(k)] for _ in range(layers)] for _ in range(n)]
    active, drawn, arms = [[set(range(k)) for _ in range(layers)] for _ in range(n)], [0] * n, []
    for t in range(1, rounds + 1):
        chosen = []
        for i in range(n):
            home = next(x for x in range(layers) if active[i][x] and (x == drawn[i] or not active[i][drawn[i]]))
            chosen.append(min(sorted(active[i][home]), key=lambda a, s=samples[i][drawn[i]]: len(s[a])))
        told = [(drawn[i], chosen[i], reward(t, i, chosen[i])) for i in range(n)]
        for i in range(n):
            for j in [i, *rows(t)[i]]:
                layer, arm, vector = told[j]
                samples[i][layer][arm].append(vector)
            for x in sorted({told[j][0] for j in [i, *rows(t)[i]]}):
                known = [a for a in active[i][x] if samples[i][x][a]]
                radius = {a: sqrt(width / len(samples[i][x][a])) + width / len(samples[i][x][a]) for a in known}
                worth = {a: law(np.mean(samples[i][x][a], axis=0)) for a in known}
                best = max((worth[a] - radius[a] for a in known), default=0.0)
                out = {a for a in known if worth[a] + radius[a] < best}
                for lower in range(x + 1):
                    active[i][lower] -= out
            drawn[i] = floor(-log2(uniform(COINS, CHOICE, t + 1, i, 0)))
            drawn[i] = drawn[i] if drawn[i] < layers else 0
        arms.append(chosen)
    return np.array(arms), active


def test_the_whole_algorithm_with_a_dumb_twin() -> None:
    """Vectors of two, worth their smaller coordinate; links come and go, so that agents know different things."""
    n, k, rounds, rng = 3, 5, 500, np.random.default_rng(2)
    graphs = [nx.gnp_random_graph(n, 0.6, seed=t) for t in range(rounds)]
    near = [[np.array(sorted(graph.neighbors(i)), np.int64) for i in range(n)] for graph in graphs]
    table = np.clip(rng.uniform(size=(k, 2)) + 0.3 * rng.uniform(-1, 1, size=(rounds, n, k, 2)), 0, 1)
    p = params(n, k, rounds, fm.Chebyshev(), 2, n_layers=3)._replace(width=1.0)

    def reward(t, i, arm):
        return table[t - 1, i, arm]

    played = [(state.lowest.copy(), arms.copy()) for state, arms in drive(p, lambda t: near[t - 1], reward, rounds)]
    arms, active = twin(n, k, 3, 1.0, min, lambda t: near[t - 1], reward, rounds)
    assert (np.array([a for _, a in played]) == arms).all()
    sets = [[{a for a in range(k) if played[-1][0][i, a] <= x} for x in range(3)] for i in range(n)]
    assert sets == active
    assert len({len(s) for agent in active for s in agent}) > 2  # some layers have dropped more than others


def test_who_hears_everybody_knows_the_same() -> None:
    """Rewards of 0 and 1 add up exactly in any order, so the tables of all agents are equal."""
    n, k, rounds, rng = 4, 3, 200, np.random.default_rng(5)
    table = (rng.uniform(size=(rounds, n, k)) < [0.2, 0.9, 0.5]).astype(float)
    near = [np.array([j for j in range(n) if j != i], np.int64) for i in range(n)]
    p = params(n, k, rounds)._replace(width=0.5)
    for state, _ in drive(p, lambda t: near, lambda t, i, arm: [table[t - 1, i, arm]], rounds):
        for name in ("samples", "total", "low", "high", "lowest"):
            column = getattr(state, name)
            assert (column == column[0]).all(), name
    assert state.samples[0].sum() == n * rounds
    assert (state.lowest > 0).any()


def test_a_message_is_a_layer_an_arm_and_a_reward() -> None:
    rewards = fm.VectorBernoulli(np.full((3, 3), 0.5), LAWS[0], n_agents=4)
    result = fm.simulate(
        fm.LayeredElimination(), rewards, fm.Static(nx.cycle_graph(4)), horizon=50, engine="interpreted"
    )
    assert result.messages[0] == 50 * 4 * 2
    assert result.bytes[0] == 50 * 4 * 2 * 8 * (2 + 3)


@named
def test_vectors_of_rewards(law) -> None:
    """Interpreted and compiled agree pull for pull; and the arm that the scalarisation prefers is found.

    Worths are apart by 0.6 or more. With 4 layers of 30,000 pulls and width 20.3 (delta = 0.5) two arms part at
    2 wd = 0.6, 365 samples: two or three arms of layer 4 have 1,875 by then, those below more. So by half the horizon
    all layers play the best arm.
    """
    means = [[0.1, 0.2, 0.1], [0.9, 0.9, 0.8], [0.2, 0.1, 0.1]]
    rewards, network = fm.VectorBernoulli(means, law, n_agents=4), fm.Static(nx.complete_graph(4))
    algorithm = fm.LayeredElimination(n_layers=4, delta=0.5)
    short = [fm.simulate(algorithm, rewards, network, horizon=500, engine=e) for e in ("interpreted", "compiled")]
    assert short[0].pulls.tobytes() == short[1].pulls.tobytes()
    assert short[0].team_pulls[0, -1, 1] > 0.45 * 4 * 500  # not a third: layer 1 has dropped arms by then
    long = fm.simulate(algorithm, rewards, network, horizon=15_000, checkpoints=[7_500, 15_000], replicates=2)
    assert (long.team_pulls[:, 1, 1] - long.team_pulls[:, 0, 1] == 4 * 7_500).all()
    assert (long.decisions == 1).all()
    assert (long.decided_at < 7_500).all()


# --- Corruption -----------------------------------------------------------------------------------------

N, T, BUDGET = 10, 10_000, 1_600.0  # pulls of the best of two arms, 0.9 against 0.5, are reported as 0


def suppressed(algorithm):
    """Shares of the best arm in rounds 501 to 2,000 and 9,001 to 10,000, and regret: float64 [replicates] each."""
    result = fm.simulate(
        algorithm,
        fm.Bernoulli([0.5, 0.9], n_agents=N),
        fm.Static(nx.complete_graph(N)),
        horizon=T,
        replicates=10,
        corruption=fm.Suppress(budget=BUDGET),
        checkpoints=[500, 2_000, 9_000, T],
    )
    pulls = result.team_pulls[:, :, 1]
    return (pulls[:, 1] - pulls[:, 0]) / (1_500 * N), (pulls[:, 3] - pulls[:, 2]) / (1_000 * N), result.regret[:, -1]


def test_low_layers_lose_the_best_arm_and_high_ones_bring_it_back() -> None:
    """The width is 25.6, so 0 and 0.5 part after n = 597 samples of each (2 wd(n) = 0.5).

    Layer 1 gets half of the pulls: it has 597 zeros of the best arm when 0.9 * 2 * 597 = 1,075 are spent, by round
    240 or so. Until another layer drops the worse arm, the best one is pulled by the other half alone, every second
    time: a share of 1/4, at most 0.35 with a tenth for chance. Layer 3 sees a quarter of what is spent at most, as
    long as layer 2 has both arms: 400, give or take 4 * 17, less than the 537 that would make it wrong. By round
    9,000 it has some 5,600 samples of each arm, whose means differ by 0.4 - 470 / 5,600 - 0.04 for chance = 0.27,
    more than 2 wd(5,600) = 0.145. So the worse arm has left layers 1 to 3, and is pulled by the rest every second
    time at most: a share of 1/16, and 0.9 is safe for the best arm.

    Told the budget, S1 budgets N-fold: its index of the worse arm, which ties first, is 1 until it has
    10 * 1,600 / 0.5 pulls, at 0.4 each, and regret at least 12,800.
    """
    middle, late, regret = suppressed(fm.LayeredElimination())
    assert (middle < 0.35).all()
    assert (late > 0.9).all()
    assert regret.max() < 12_800 <= suppressed(fm.S1())[2].min()


@pytest.mark.parametrize(
    "algorithm",
    [fm.LayeredElimination(n_layers=1), fm.S1(radius="naive"), fm.GSE()],
    ids=["one layer", "pooled UCB", "GSE"],
)
def test_without_layers_the_best_arm_does_not_come_back(algorithm) -> None:
    """Elimination is for ever; and UCB pulls an arm it believes bad so rarely that the budget outlasts the horizon."""
    _, late, regret = suppressed(algorithm)
    assert (late < 0.01).all()
    assert (regret > 0.95 * 0.4 * N * T).all()


def test_an_adversary_that_sees_the_arm_pays_the_same_for_every_further_layer() -> None:
    """The paper's adversary decides before it knows the arm, and pays twice as much for each further layer.

    Arms pay 0.5 and 0.9, the latter reported as 0. A layer goes wrong at the first n with 2 wd(n) < 0.5 and n samples
    of both. The first does after 2 * 2 n pulls, half of them of the best arm; by then the next has n / 2 of it, and
    from now on every second pull of that arm: after n more it goes wrong too. One that strikes in every round has
    to pay in all of the 4 n, 8 n, 16 n, 32 n pulls until then. Coins move a count of 2 n, some 1,000, by 3 %; 15 % are
    allowed.
    """
    p = params(n=1, k=2, horizon=25_000)
    n = next(m for m in range(1, 10_000) if 2 * (sqrt(p.width / m) + p.width / m) < 0.5)
    nobody, spent, paid = [np.zeros(0, np.int64)], 0.0, []
    for t, (state, arms) in enumerate(drive(p, lambda t: nobody, lambda t, i, arm: [0.5 * (arm == 0)], 25_000), 1):
        spent += 0.9 * (arms[0] == 1)
        if state.lowest[0, 1] > len(paid):
            paid.append((spent, 0.9 * t))
    seeing, blind = np.array(paid[:4]).T
    np.testing.assert_allclose(seeing, 0.9 * n * np.array([2, 3, 4, 5]), rtol=0.15)
    np.testing.assert_allclose(blind, 0.9 * n * np.array([4, 8, 16, 32]), rtol=0.15)
