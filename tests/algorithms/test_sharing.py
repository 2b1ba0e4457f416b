"""S1 and S2: their index by hand, what they pool, what they send, and that only the radius tells them apart."""

from math import log, sqrt

import networkx as nx
import numpy as np
import pytest
from corrupted import COINS, NAMES, drive, phi_of, problem, random_rows, simulate, world

import folkmoot as fm
from folkmoot.algorithms.robust_index import refresh
from folkmoot.interface import init, nothing_seen, outbox, oversee, publish, select, verify
from folkmoot.world.corruption import Corruption

ALL = (fm.S1, fm.S2, fm.S3, fm.S3Cert)
ADVERSARIES = (fm.Suppress(budget=40), fm.Promote(budget=40), fm.Swap(budget=40), fm.FlipRandom(budget=40))


def same(one: fm.Result, other: fm.Result) -> None:
    """Pull for pull: team pulls in every round, and every agent's in all."""
    assert (one.team_pulls == other.team_pulls).all()
    assert (one.pulls == other.pulls).all()


# --- The index ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("name", NAMES)
def test_index_is_phi_of_the_upper_corner(kind, name: str) -> None:
    """Eqs. 9 and 10 with 40 samples, G = 3: sqrt(lg / 80) + 3 / 40 above the means, cut off at 1."""
    phi, _ = phi_of(name)
    p = kind(delta=0.1).params(problem(name=name))
    d = p.rule.n_objectives
    state, mean = init(p), np.array([0.05, 0.8])[:d]
    state.samples[1, 2], state.total[1, 2], state.corruption[1, 2] = 40, 40 * mean, 3.0
    refresh(p, state, 1, 2)
    radius = sqrt(log(2 * d * 5 * 3 * 400 / 0.1) / 80) + 3 / 40
    assert 0.05 + radius < 1 < 0.8 + radius
    assert state.bound[1, 2] == pytest.approx(phi(np.minimum(1, mean + radius)), rel=1e-12)
    assert np.isinf(np.delete(state.bound, [7])).all()  # the others are unpulled


@pytest.mark.parametrize("kind", ALL)
def test_the_aware_radius_budgets_n_fold_for_s1_alone(kind) -> None:
    copies = 3 if kind is fm.S1 else 1
    told = problem(corruption=7.0)
    assert kind().params(told).rule.corruption == 7.0 * copies
    assert kind(budget=2.5).params(told).rule.corruption == 2.5 * copies
    assert kind(radius="naive").params(told).rule.corruption == 0.0
    assert kind(radius="oracle").params(told).rule.corruption == 0.0
    assert (init(kind().params(told)).corruption == 7.0 * copies).all()


@pytest.mark.parametrize("kind", ALL)
def test_delta_is_one_over_the_horizon_unless_given(kind) -> None:
    assert kind().params(problem(horizon=400)).rule.width == pytest.approx(log(2 * 2 * 5 * 3 * 400 * 400))
    assert kind(delta=0.2).params(problem(horizon=400)).rule.width == pytest.approx(log(2 * 2 * 5 * 3 * 400 / 0.2))


@pytest.mark.parametrize("kind", ALL)
def test_an_oracle_is_told_what_was_spent_and_computes_every_index_anew(kind) -> None:
    """Also where an agent has no new samples: arm 1 of agent 0, of which 5 were spent."""
    p = kind(radius="oracle").params(problem())
    state, spent = init(p), np.array([0.0, 5.0, 0.0, 0.5, 0.0])
    for i in range(3):
        state.samples[i, :4], state.total[i, :4] = 100 + i, 20.0
        for k in range(4):
            refresh(p, state, i, k)
    before = state.bound.copy()
    oversee(p, state, 9, nothing_seen(3, 2), spent)
    assert (state.corruption == spent).all()
    assert (state.bound[:, [0, 2, 4]] == before[:, [0, 2, 4]]).all()
    for i in range(3):  # equal coordinates, so linear phi adds the change of the radius
        assert state.bound[i, 1] - before[i, 1] == pytest.approx(5.0 / (100 + i))
        assert state.bound[i, 3] - before[i, 3] == pytest.approx(0.5 / (100 + i))
    aware = kind().params(problem(corruption=1.0))
    state = init(aware)
    oversee(aware, state, 9, nothing_seen(3, 2), spent)
    assert (state.corruption == aware.rule.corruption).all()


@pytest.mark.parametrize("kind", [fm.S1, fm.S2])
def test_unpulled_arms_come_first_and_ties_go_to_the_lowest(kind) -> None:
    p = kind().params(problem())
    state = init(p)
    assert select(p, state, 0, 1, COINS) == 0
    state.bound[0] = [0.9, np.inf, 0.3, np.inf, 0.9]
    assert select(p, state, 0, 1, COINS) == 1
    state.bound[0] = [0.3, 0.5, 0.9, 0.9, 0.2]
    assert select(p, state, 0, 1, COINS) == 2


@pytest.mark.parametrize("kind", [fm.S1, fm.S2, fm.S3])
def test_the_v_th_verification_pulls_arm_v_mod_k(kind) -> None:
    """Three agents, five arms, nu = 7: two rounds of all and the first agent's third."""
    p = kind().params(problem(verification=7))
    state, asked = init(p), []
    state.bound[:] = [0.1, 0.1, 0.1, 0.1, 0.9]
    for t in range(1, 5):
        for i in range(3):
            arm = select(p, state, i, t, COINS)
            asked.append((arm, verify(p, state, i, t, arm, COINS)))
    assert asked[:7] == [(v % 5, True) for v in range(7)]
    assert not any(verified for _, verified in asked[7:])


# --- What is pooled and what is sent ------------------------------------------------------------------------------


def test_s1_pools_what_it_hears_and_s2_what_it_last_heard() -> None:
    """On graphs that change: S1 has lost the samples of the rounds in which a link was down, S2 has not."""
    n, k, rounds, rng = 4, 5, 40, np.random.default_rng(3)
    rows, rewards = random_rows(n, rounds, 0.4, 0), rng.uniform(size=(rounds, n, k, 2))
    for kind in (fm.S1, fm.S2):
        p = kind(delta=0.9).params(problem(n=n, verification=30))
        pool = [[[] for _ in range(k)] for _ in range(n)]  # S1: samples of each arm
        tables = [[(np.zeros(k), np.zeros((k, 2))) for _ in range(n)] for _ in range(n)]  # S2: [holder][of]
        count, total = np.zeros((n, k)), np.zeros((n, k, 2))
        for t, state, seen, _ in drive(p, rows, rewards):
            for i in range(n):
                count[i, seen.arm[i]] += 1
                total[i, seen.arm[i]] += seen.reward[i]
            for i in range(n):
                for j in [i, *rows[t - 1][i]]:
                    pool[i][seen.arm[j]].append(seen.reward[j].copy())
                    tables[i][j] = count[j].copy(), total[j].copy()
            for i in range(n):
                if kind is fm.S1:
                    samples, sums = [len(x) for x in pool[i]], [np.sum(x, axis=0) if x else [0, 0] for x in pool[i]]
                else:
                    samples, sums = sum(table[0] for table in tables[i]), sum(table[1] for table in tables[i])
                assert (state.samples[i] == samples).all()
                np.testing.assert_allclose(state.total[i], sums, rtol=1e-12, atol=1e-12)
                for arm in range(k):
                    if samples[arm] > 0:
                        bound = state.bound[i, arm]
                        refresh(p, state, i, arm)
                        assert bound == state.bound[i, arm], "an index is stale"
        lost = n * n * rounds - state.samples.sum()
        assert lost > 100 if kind is fm.S1 else lost < 100


@pytest.mark.parametrize("name", NAMES)
def test_s2_has_the_right_means_when_everything_is_verified(name: str) -> None:
    """The paper's S sums unverified rewards only, while H counts all pulls: S / H would be 0 (E-9)."""
    n, k, rounds = 3, 5, 50
    p = fm.S2(radius="naive").params(problem(name=name, verification=n * rounds))
    d = p.rule.n_objectives
    rewards = np.random.default_rng(1).uniform(size=(rounds, n, k, d))
    heard = [[[j for j in range(n) if j != i] for i in range(n)]] * rounds
    *_, (_, state, _, message) = drive(p, heard, rewards)
    assert (message.reported == 0.0).all()
    assert (message.verified == message.pulls).all()
    for arm in range(k):  # the v-th verification is agent v mod n's in round v // n + 1
        paid = np.mean([rewards[v // n, v % n, arm] for v in range(n * rounds) if v % k == arm], axis=0)
        for i in range(n):
            np.testing.assert_allclose(state.total[i, arm] / state.samples[i, arm], paid, rtol=1e-12)


def test_messages_hold_what_the_paper_sends_this_round_included() -> None:
    p1, p2 = (kind().params(problem(verification=2)) for kind in (fm.S1, fm.S2))
    seen = nothing_seen(3, 2)
    seen.arm[:], seen.reward[:], seen.verified[:2] = [4, 0, 4], [[1, 0], [0.5, 0.25], [0, 1]], True
    box = outbox(p1)
    for i in range(3):
        publish(p1, init(p1), i, 1, seen, box)
    assert box.arm.tolist() == [4, 0, 4]
    assert box.reward.tolist() == [[1, 0], [0.5, 0.25], [0, 1]]
    assert box.verified.tolist() == [1, 1, 0]
    state, box = init(p2), outbox(p2)
    state.pulls[2, 4], state.reported[2, 4], state.verified[2, 4], state.clean[2, 4] = 6, [2.0, 3.0], 1, [1.0, 0.5]
    state.pulls[1, 0], state.reported[1, 0], state.verified[1, 0], state.clean[1, 0] = 6, [2.0, 3.0], 1, [1.0, 0.5]
    for i in range(3):
        publish(p2, state, i, 1, seen, box)
    assert [box.pulls[2, 4], *box.reported[2, 4], box.verified[2, 4], *box.clean[2, 4]] == [7, 2, 4, 1, 1, 0.5]
    assert [box.pulls[1, 0], *box.reported[1, 0], box.verified[1, 0], *box.clean[1, 0]] == [7, 2, 3, 2, 1.5, 0.75]
    assert (box.pulls.sum(), state.pulls.sum()) == (15, 12)  # publishing does not learn


@pytest.mark.parametrize(("name", "d"), [("scalar", 1), ("linear", 2)])
def test_a_sample_is_d_plus_2_numbers_and_statistics_are_k_times_2_d_plus_2(name: str, d: int) -> None:
    for kind, numbers in ((fm.S1, d + 2), (fm.S2, 5 * (2 * d + 2))):
        result = simulate(kind(), name, horizon=20, verification=11)
        assert result.messages[0] == 20 * 3 * 2
        assert result.bytes[0] == 20 * 3 * 2 * 8 * numbers


# --- S1 against S2 (docs/decisions/0010) --------------------------------------------------------------------------


@pytest.mark.parametrize("adversary", ADVERSARIES, ids=lambda adversary: adversary.label)
@pytest.mark.parametrize("name", NAMES)
def test_naive_s1_and_naive_s2_pull_the_same_arms(name: str, adversary: Corruption) -> None:
    more = {"corruption": adversary, "verification": 37, "seed": 2}
    one, other = (simulate(kind(radius="naive", delta=0.5), name, **more) for kind in (fm.S1, fm.S2))
    same(one, other)
    assert (one.corruption_spent_per_arm == other.corruption_spent_per_arm).all()
    assert one.corruption_spent_per_arm.sum() >= 5
    assert one.verified[0] == other.verified[0] == 37


@pytest.mark.parametrize("name", NAMES)
def test_aware_s1_is_aware_s2_with_n_times_the_budget(name: str) -> None:
    """And not S2 with the same budget: with that S2 loses less."""
    more = {"corruption": fm.Swap(budget=6), "verification": 30, "horizon": 600}
    one = simulate(fm.S1(delta=0.5), name, **more)
    same(one, simulate(fm.S2(budget=3 * 6.0, delta=0.5), name, **more))
    lean = simulate(fm.S2(delta=0.5), name, **more)
    assert (one.team_pulls != lean.team_pulls).any()
    assert one.regret[0, -1] > lean.regret[0, -1]


@pytest.mark.parametrize("name", NAMES)
def test_with_the_oracle_radius_too_they_pull_the_same_arms(name: str) -> None:
    more = {"corruption": fm.Swap(budget=6), "verification": 30}
    one, other = (simulate(kind(radius="oracle", delta=0.5), name, **more) for kind in (fm.S1, fm.S2))
    same(one, other)
    assert (one.team_pulls != simulate(fm.S1(radius="naive", delta=0.5), name, **more).team_pulls).any()


def test_without_an_adversary_all_three_radii_are_the_same() -> None:
    for kind in ALL:
        naive, aware, oracle = (simulate(kind(radius=radius), "linear") for radius in ("naive", "aware", "oracle"))
        same(naive, aware)
        same(naive, oracle)


@pytest.mark.parametrize("algorithm", [fm.S2(delta=0.5), fm.S3Cert(delta=0.5)], ids=lambda a: a.label)
def test_both_engines_agree_on_vectors_under_attack(algorithm: fm.Algorithm) -> None:
    """The one test here that compiles; S1 and S3 consist of the same kernels."""
    place = world("log-sum-exp", 3), fm.ErdosRenyi(nx.complete_graph(3), 0.7)
    more = {"horizon": 500, "replicates": 2, "corruption": fm.Swap(budget=9), "verification": 1200, "progress": False}
    slow, fast = (fm.simulate(algorithm, *place, engine=engine, **more) for engine in ("interpreted", "compiled"))
    for field in ("pulls", "team_pulls", "messages", "bytes", "verified", "decisions", "decided_at"):
        assert getattr(slow, field).tobytes() == getattr(fast, field).tobytes(), field


# --- The lower bound's adversary (docs/decisions/0011) ------------------------------------------------------------


def test_thinning_spends_the_gap_at_every_pull_of_the_better_arm() -> None:
    """Theorem 2 sets gap = N Gamma / (8 N T) and says that this costs Gamma / 8 on average; it costs N Gamma / 8 times
    the share of pulls of the better arm (E-8). With N = 30 and half the pulls that is 1.9 Gamma, far above the budget.

    What M pulls cost is binomial (M, gap), here to within five standard deviations.
    """
    n, horizon, gamma = 30, 60, 16.0
    gap = n * gamma / (8 * n * horizon)
    place = fm.Bernoulli([0.5 + gap, 0.5], n_agents=n), fm.Static(nx.complete_graph(n))
    result = fm.simulate(
        fm.S1(radius="naive"),
        *place,
        horizon=horizon,
        replicates=4,
        corruption=fm.Thinning(budget=n * horizon),
        engine="interpreted",
        progress=False,
    )
    pulls, spent = result.pulls[:, :, 0].sum(axis=1), result.corruption_spent_per_arm[:, 0]
    assert (np.abs(spent - gap * pulls) < 5 * np.sqrt(pulls * gap * (1 - gap))).all()
    assert (pulls > 0.3 * n * horizon).all()
    assert (spent > gamma).all()


# --- Errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("settings", "more", "says"),
    [
        ({}, {"bounded": False}, "expected rewards from 0 to 1"),
        ({"radius": "naive", "budget": 3.0}, {}, "budget = 3.0: only radius = 'aware'"),
        ({"radius": "oracle", "budget": 3.0}, {}, "this one is 'oracle'"),
    ],
)
def test_errors_name_the_algorithm_and_the_value(kind, settings, more, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        kind(**settings).params(problem(**more))
    assert str(error.value).startswith(kind.__name__)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    "settings",
    [{"radius": "brave"}, {"budget": -1.0}, {"budget": float("inf")}, {"budget": float("nan")}, {"delta": 0.0}],
    ids=str,
)
def test_a_configuration_out_of_range_is_refused(kind, settings) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        kind(**settings)


def test_gaussian_rewards_are_refused_before_anything_runs() -> None:
    with pytest.raises(ValueError, match="S2: expected rewards from 0 to 1"):
        fm.simulate(fm.S2(), fm.Gaussian(np.array([0.1, 0.2]), 1.0, n_agents=2), fm.Static(nx.path_graph(2)), horizon=9)


def test_s2_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="n_agents = 100000: S2, which keeps the last statistics of every pair"):
        fm.S2().params(problem(n=100_000))
    fm.S1().params(problem(n=100_000))
