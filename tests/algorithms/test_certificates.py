"""S3 with certificates: the intervals by hand, when it settles, and that no adversary has a say in it."""

from math import ceil, inf, log, sqrt

import networkx as nx
import numpy as np
import pytest
from corrupted import COINS, NAMES, drive, phi_of, problem, simulate, world

import folkmoot as fm
from folkmoot import theory
from folkmoot.algorithms.certificates import best_lower, settle
from folkmoot.interface import decision, init, message_bytes, messages, nothing_seen, select, verify

EVERYBODY = [[1, 2], [0, 2], [0, 1]]
EASY = np.array([[0.1, 0.2], [0.9, 0.9], [0.3, 0.1]])  # arm 1 is better by 0.6 or more, by all scalarisations
BEST = 1


@pytest.mark.parametrize("name", NAMES)
def test_certificate_is_phi_of_the_verified_mean_and_a_radius(name: str) -> None:
    """Eq. 16 after 20 verified pulls, of arms 0, 1, ... in turn; everybody holds the same, and nobody's own alone."""
    rounds, (phi, _) = 7, phi_of(name)
    p = fm.S3Cert(delta=0.1).params(problem(name=name, verification=18))
    rewards = np.random.default_rng(2).uniform(size=(rounds, 3, 5, p.rule.n_objectives))
    *_, (_, state, _, _) = drive(p, [EVERYBODY] * rounds, rewards)
    width = log(2 * p.rule.n_objectives * 5 * 3 * 400 / 0.1)
    for arm in range(5):
        paid = [rewards[v // 3, v % 3, arm] for v in range(18) if v % 5 == arm]
        worth, eps = phi(np.mean(paid, axis=0)), sqrt(width / (2 * len(paid)))
        assert (state.verified[:, arm] == len(paid)).all()
        np.testing.assert_allclose(state.lower[:, arm], worth - eps, rtol=1e-12)
        np.testing.assert_allclose(state.upper[:, arm], worth + eps, rtol=1e-12)
    assert (state.samples.sum(axis=1) == rounds).all()  # the index learns from own samples alone


def test_without_verified_samples_there_is_no_bound_and_no_decision() -> None:
    p = fm.S3Cert().params(problem())
    state = init(p)
    assert (state.lower == -inf).all()
    assert (state.upper == inf).all()
    settle(p, state, 0)
    assert decision(p, state, 0) == -1
    state.lower[0], state.upper[0] = [0.7, 0.1, 0.1, 0.1, -inf], [0.9, 0.2, 0.2, 0.2, inf]  # arm 4 never verified
    settle(p, state, 0)
    assert decision(p, state, 0) == -1
    result = simulate(fm.S3Cert(), "linear", verification=0, corruption=fm.Swap(budget=50))
    assert (result.decisions == -1).all()
    assert (result.decided_at == 0).all()


@pytest.mark.parametrize(("least", "settles"), [(0.6, True), (0.6 + 1e-12, False), (0.5, True)])
def test_it_settles_when_a_lower_end_is_at_least_every_other_upper_end(least: float, settles: bool) -> None:
    p = fm.S3Cert().params(problem(verification=99))
    state = init(p)
    state.lower[1], state.upper[1] = [0.1, 0.6, 0.0, 0.2, 0.1], [0.3, 0.9, 0.2, least, 0.3]
    settle(p, state, 1)
    assert decision(p, state, 1) == (1 if settles else -1)
    state.bound[1] = [1.0, 0.1, 1.0, 1.0, 1.0]
    v = 2 * 3 + 1
    arm = 1 if settles else v % 5
    assert select(p, state, 1, 3, COINS) == arm
    assert verify(p, state, 1, 3, arm, COINS) != settles
    assert verify(p, state, 0, 3, 1, COINS)  # agent 0 has not settled


def test_with_one_arm_it_settles_at_once() -> None:
    one = fm.Bernoulli([0.4], n_agents=2), fm.Static(nx.path_graph(2))
    result = fm.simulate(fm.S3Cert(), *one, horizon=10, verification=20, engine="interpreted", progress=False)
    assert result.decisions.tolist() == [[0, 0]]
    assert result.decided_at.tolist() == [[1, 1]]
    assert result.verified[0] == 0


def test_elimination_takes_in_turn_what_may_be_the_best() -> None:
    """Arm 2 is certified at 0.5 or more: arms 1 and 4 are out, arm 3, at exactly 0.5, is not."""
    p = fm.S3Cert(verify="elimination").params(problem(verification=99))
    state = init(p)
    state.lower[:], state.upper[:] = [0.1, 0.0, 0.5, 0.1, 0.2], [0.8, 0.3, 0.9, 0.5, 0.49]
    assert best_lower(p, state, 0) == 2
    pulled = [select(p, state, i, t, COINS) for t in (1, 2, 3) for i in range(3)]
    assert pulled == [[0, 2, 3][v % 3] for v in range(9)]
    fresh = init(p)
    assert [select(p, fresh, i, t, COINS) for t in (1, 2) for i in range(3)] == [0, 1, 2, 3, 4, 0]


def threshold(name: str, horizon: int, delta: float) -> int:
    """Eq. 18 for the easy means and three agents, rounded up to whole turns of the three arms."""
    gap = np.sort(world(name, 3, EASY).gaps)[1]
    assert gap > 0.59
    d = 1 if name == "scalar" else 2
    return 3 * ceil(theory.verification_needed(gap, 3, d, 3, horizon, delta) / 3)


@pytest.mark.parametrize("verify", ["round_robin", "elimination"])
@pytest.mark.parametrize("name", NAMES)
def test_the_best_arm_is_certified_within_the_threshold_whatever_the_adversary(name: str, verify: str) -> None:
    """Theorem 3: with probability 0.99 or more nu of eq. 18 is enough and nobody is wrong; three replicates, one seed.

    Elimination verifies an arm that is still in play at least as often, so the same holds of it. All hold the same
    certificates: they settle in one round, after which they ask for no more and pull nothing else.
    """
    horizon = 600
    nu = threshold(name, horizon, 0.01)
    assert nu < 3 * horizon
    algorithm, attack = fm.S3Cert(delta=0.01, verify=verify), fm.Swap(budget=3 * horizon)
    result = simulate(
        algorithm, name, horizon, means=EASY, verification=nu, corruption=attack, replicates=3, checkpoints=None
    )
    settled = result.decided_at[:, 0]
    assert (result.decisions == BEST).all()
    assert (result.decided_at == settled[:, None]).all()
    assert (3 * settled <= nu).all()
    assert (result.verified == 3 * settled).all()
    share = 1 / 3 if verify == "round_robin" else 0.0  # of the turns were the best arm's
    assert (3 * horizon - result.team_pulls[:, -1, BEST] <= (1 - share) * 3 * settled + 2).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_pull_is_the_same_for_any_budget_of_the_adversary(name: str) -> None:
    """Theorem 3, with Gamma = N T / 4 and N T: everything before the decision is verified. Plain S3 is not immune."""
    horizon, seen, spent = 600, [], []
    for gamma in (3 * horizon / 4, 3.0 * horizon):
        more = {"verification": threshold(name, horizon, 0.01), "corruption": fm.Swap(budget=gamma), "means": EASY}
        result = simulate(fm.S3Cert(delta=0.01), name, horizon, **more)
        assert (result.decisions == BEST).all()
        seen.append(result)
        spent.append(result.corruption_spent_per_arm.sum())
        plain = simulate(fm.S3(delta=0.01), name, horizon, **more)
        assert plain.regret[0, -1] > 1.5 * result.regret[0, -1]
    assert (seen[0].team_pulls == seen[1].team_pulls).all()
    assert (seen[0].pulls == seen[1].pulls).all()
    assert 0 < spent[0] < spent[1]


def test_with_too_few_verifications_nobody_settles_and_the_budget_is_used_up() -> None:
    """Two intervals of half-width sqrt(lg / (2 * 10)) > 0.8 each cannot be apart, as rewards are at most 1."""
    assert sqrt(log(2 * 2 * 3 * 3 * 400 * 400) / 20) > 0.8
    result = simulate(fm.S3Cert(), "linear", means=EASY, verification=30, corruption=fm.Swap(budget=50))
    assert (result.decisions == -1).all()
    assert result.verified[0] == 30


def test_elimination_settles_sooner_where_one_arm_is_close() -> None:
    """Of six arms four are bad: the two that remain share all verifications from then on, not a third of them."""
    means = np.array([[0.9], [0.45], [0.0], [0.0], [0.0], [0.0]])
    first = [
        simulate(fm.S3Cert(delta=0.5, verify=v), "scalar", means=means, verification=1200).decided_at[0, 0]
        for v in ("round_robin", "elimination")
    ]
    assert 0 < first[1] < 0.7 * first[0]


def test_traffic_is_recommendations_and_verified_samples() -> None:
    """Three agents, three arms, d = 2: epochs end in rounds 3, 9, 21, 45, 93; nu = 10 is used up in round 4."""
    result = simulate(fm.S3Cert(), "linear", 100, means=EASY, verification=10)
    assert result.messages[0] == 5 * 3 * 2 + 10 * 2
    assert result.bytes[0] == 5 * 3 * 2 * 8 + 10 * 2 * (8 + 8 * 2)
    p = fm.S3Cert().params(problem(k=3, verification=10))
    state, seen, sizes = init(p), nothing_seen(3, 2), {}
    for t in (2, 3):
        for verified in (False, True):
            seen.verified[0] = verified
            sent = messages(p, state, 0, t, seen, 2)
            sizes[t, verified] = sent, message_bytes(p, state, 0, t, seen, sent, 999)
    assert sizes == {(2, False): (0, 0), (2, True): (2, 48), (3, False): (2, 16), (3, True): (4, 64)}


@pytest.mark.parametrize("verify", ["round_robin", "elimination"])
def test_over_links_that_fail_agents_differ_and_go_on(verify: str) -> None:
    """Half of the verified samples never arrive: whoever settles does so for the best arm, each in its own time.

    Nobody verifies for an agent left behind: in turn with the others its own turns are always of the same arm.
    """
    links = fm.ErdosRenyi(nx.complete_graph(3), 0.5)
    result = fm.simulate(
        fm.S3Cert(delta=0.5, verify=verify),
        world("linear", 3, EASY),
        links,
        horizon=400,
        verification=1200,
        corruption=fm.Swap(budget=300),
        engine="interpreted",
        progress=False,
    )
    decisions, decided_at = result.decisions[0], result.decided_at[0]
    assert sorted(decisions.tolist()) == ([-1, BEST, BEST] if verify == "round_robin" else [BEST] * 3)
    assert len(set(decided_at.tolist())) > 1
    assert result.verified[0] == np.where(decided_at > 0, decided_at, 400).sum()
