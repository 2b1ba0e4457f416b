"""Adversaries: what each reports, what it is charged, and that no budget is ever exceeded."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jitted import jit

import folkmoot as fm
from folkmoot import interface
from folkmoot.coins import CORRUPTION, bernoulli, replicate_coins
from folkmoot.interface import Reported, implements, nothing_seen
from folkmoot.simulation import engine
from folkmoot.world.corruption import CORRUPTIONS, Corruption, arm_number
from folkmoot.world.scalarisations import worth

COINS = replicate_coins(3, 0, 0)
SPENDING = ("front_loaded", "spread", "adaptive")
each_spending = pytest.mark.parametrize("spending", SPENDING)
each_d = pytest.mark.parametrize("d", [1, 5])


class Driven(NamedTuple):
    """What came of a game."""

    reported: np.ndarray  # float64 [rounds, n_agents, n_objectives]
    spent: np.ndarray  # float64 [n_arms]
    left: float
    public: Reported


def drive(corruption, rewards, arms, clean, verified=None, coins=COINS, interfere=engine.interfere):
    """The loop's own turn of the adversary, on given pulls int [rounds, n_agents] and clean rewards."""
    rounds, n, d = clean.shape
    adversary = corruption.record(rewards, rounds)
    seen, k = nothing_seen(n, d), rewards.n_arms
    public, spent = Reported(np.zeros(k, np.int64), np.zeros((k, d))), np.zeros((1, k))
    reported, left = np.empty_like(clean), interface.budget(adversary)
    for t in range(rounds):
        seen.arm[:], seen.reward[:], seen.verified[:] = arms[t], clean[t], False if verified is None else verified[t]
        left = interfere(adversary, t + 1, coins, seen, np.zeros(d), public, left, spent, 0)
        reported[t] = seen.reward
    return Driven(reported, spent[0], left, public)


# --- By hand ----------------------------------------------------------------------------------------------
#
# Two agents, six rounds, twelve pulls p1 to p12. Arm 0 always pays 0.75, arm 1 pays 0.5, arm 2 pays 0.25; with five
# objectives that is the first and the only one of weight, and the largest change to 0, to 1 or to 1 - r, hence
# every cost and every comparison, is the same.

PULLS = np.array([[0, 1], [2, 0], [0, 0], [2, 2], [0, 1], [1, 0]])
PAY = {
    1: np.array([[0.75], [0.5], [0.25]]),
    5: np.array([[0.75, 0.5, 0.5, 0.75, 0.5], [0.5] * 5, [0.25, 0.5, 0.25, 0.5, 0.5]]),
}


def of_hand(d):
    """The reward law, which only tells the adversary the means."""
    return fm.VectorBernoulli(PAY[d], fm.Linear([1.0, 0.0, 0.0, 0.0, 0.0][:d]), n_agents=2)


def check_by_hand(corruption, d, acts, act, cost):
    """The pulls numbered in `acts`, and no others, are reported as `act` of what was paid, at this cost each."""
    clean = PAY[d][PULLS]
    expected, spent = clean.copy(), np.zeros(3)
    for pull in acts:
        t, i = divmod(pull - 1, 2)
        expected[t, i] = act(clean[t, i])
        spent[PULLS[t, i]] += cost
    found = drive(corruption, of_hand(d), PULLS, clean)
    np.testing.assert_array_equal(found.reported, expected)
    assert found.spent.tolist() == spent.tolist()
    assert found.left == corruption.budget - cost * len(acts)


@each_d
@pytest.mark.parametrize(
    ("spending", "acts"),
    [
        ("front_loaded", [1, 4]),  # 0.75 twice; a third time, 0.5 is left
        ("spread", [5, 9]),  # t / 3 may be spent: 0.75 from round 3 on, 1.5 from round 5 on
        ("adaptive", [1, 6]),  # arm 0's mean: none; 0, 0.375 (below arm 1's 0.5); then level with it at 0.5
    ],
)
def test_suppress(d, spending, acts):
    check_by_hand(fm.Suppress(budget=2, spending=spending), d, acts, np.zeros_like, 0.75)


@each_d
@pytest.mark.parametrize(
    ("spending", "acts"),
    [
        ("front_loaded", [3, 7]),
        ("spread", [7]),  # round 4 allows 1.33
        ("adaptive", [3, 8]),  # none was reported; then arm 2 leads with 1; with 0.625 it is behind arm 0's 0.75
    ],
)
def test_promote(d, spending, acts):
    check_by_hand(fm.Promote(budget=2, spending=spending), d, acts, np.ones_like, 0.75)


@each_d
@pytest.mark.parametrize(
    ("spending", "low", "high"),
    [
        ("front_loaded", [1, 4, 5], [3]),
        ("spread", [5, 12], [3, 7]),  # 0.58 t may be spent, and is by 3, 5, 7 and, in the last round, 12
        ("adaptive", [1, 9], [3]),  # at p9 arm 0 has 0.5625, the others 0.5
    ],
)
def test_swap(d, spending, low, high):
    corruption, acts = fm.Swap(budget=3.5, spending=spending), sorted([*low, *high])
    clean = PAY[d][PULLS]
    expected = clean.copy()
    for pull in acts:
        expected[divmod(pull - 1, 2)] = 0.0 if pull in low else 1.0
    found = drive(corruption, of_hand(d), PULLS, clean)
    np.testing.assert_array_equal(found.reported, expected)
    assert found.spent.tolist() == [0.75 * len(low), 0.0, 0.75 * len(high)]


@each_d
@pytest.mark.parametrize(("spending", "acts"), [("front_loaded", [1, 4]), ("spread", [5, 9]), ("adaptive", [1, 6])])
def test_thinning(d, spending, acts):
    """One that keeps nothing is Suppress; one that keeps all does nothing; in between, a coin named by the pull."""
    check_by_hand(fm.Thinning(budget=2, spending=spending, keep=0), d, acts, np.zeros_like, 0.75)
    check_by_hand(fm.Thinning(budget=2, spending=spending, keep=1), d, [], np.zeros_like, 0.75)
    dropped = [2 * t + i + 1 for t, i in np.argwhere(PULLS == 0) if not bernoulli(COINS, 0.4, CORRUPTION, t + 1, i, 0)]
    assert 0 < len(dropped) < 6
    if spending != "adaptive":  # with so much it takes all that the coins say
        check_by_hand(fm.Thinning(budget=99, spending=spending, keep=0.4), d, dropped, np.zeros_like, 0.75)


@each_d
@pytest.mark.parametrize(
    ("spending", "acts"),
    [
        ("front_loaded", [1, 3, 4, 5]),
        ("spread", [3, 5, 9, 12]),  # t / 3: 0.5 in round 2, 1 in round 3, 1.5 in round 5, 2 in round 6
        ("adaptive", [1, 3, 7, 8]),  # arm 0 is behind arm 2's 0.75 from p3 on, and arm 2 stays ahead when flipped
    ],
)
def test_flip_random(d, spending, acts):
    """A flip of 0.5 is none and costs nothing."""
    check_by_hand(fm.FlipRandom(budget=2, spending=spending, rate=1), d, acts, lambda paid: 1.0 - paid, 0.5)
    check_by_hand(fm.FlipRandom(budget=2, spending=spending, rate=0), d, [], lambda paid: paid, 0.5)


def test_flip_random_goes_by_the_coin_of_the_pull():
    arms, clean = np.zeros((2_000, 2), int), np.ones((2_000, 2, 1))
    found = drive(fm.FlipRandom(budget=1e9, rate=0.3), fm.Bernoulli([1.0], n_agents=2), arms, clean)
    chosen = [[bernoulli(COINS, 0.3, CORRUPTION, t, i, 0) for i in range(2)] for t in range(1, 2_001)]
    assert (found.reported[:, :, 0] == 1.0 - np.array(chosen)).all()
    # 4,000 coins of standard deviation sqrt(0.3 * 0.7): five standard errors of the share
    assert abs(np.mean(chosen) - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 4_000)


def test_thinning_goes_by_the_coin_of_the_pull():
    arms, clean = np.zeros((500, 2), int), np.ones((500, 2, 1))
    found = drive(fm.Thinning(budget=1e9, keep=0.3), fm.Bernoulli([1.0], n_agents=2), arms, clean)
    kept = [[bernoulli(COINS, 0.3, CORRUPTION, t, i, 0) for i in range(2)] for t in range(1, 501)]
    assert (found.reported[:, :, 0] == np.array(kept)).all()


def test_there_is_a_test_named_after_every_adversary():
    assert all(f"test_{name}" in globals() for name in CORRUPTIONS)


# --- Budgets ----------------------------------------------------------------------------------------------

ROUNDING = 1e-12  # relative: sums of at most 60 charges, each exact to 2**-53


@st.composite
def games(draw):
    """An adversary of any type, and a small game with rewards from [0, 1]: mostly extremes, some in between."""
    n, k, d = draw(st.integers(1, 3)), draw(st.integers(2, 4)), draw(st.sampled_from([1, 2, 5]))
    rounds, dice = draw(st.integers(1, 20)), np.random.default_rng(draw(st.integers(0, 2**32)))
    law = draw(st.sampled_from([fm.Linear(np.full(d, 1.0 / d)), fm.Chebyshev(), fm.LogSumExp(5.0)]))
    rewards = fm.VectorBernoulli(dice.uniform(size=(k, d)), law, n_agents=n)
    corruption = draw(st.sampled_from(sorted(CORRUPTIONS.values(), key=lambda c: c.__name__)))(
        budget=draw(st.one_of(st.floats(0.0, 30.0), st.integers(0, 30))), spending=draw(st.sampled_from(SPENDING))
    )
    arms, verified = dice.integers(0, k, (rounds, n)), dice.uniform(size=(rounds, n)) < draw(st.sampled_from([0, 0.3]))
    clean = dice.uniform(size=(rounds, n, d))
    clean = np.where(dice.uniform(size=clean.shape) < 0.5, clean, clean.round())
    return corruption, rewards, arms, clean, verified, replicate_coins(draw(st.integers(0, 2**32 - 1)), 0, 0)


@settings(deadline=None, max_examples=300)
@given(games())
def test_no_adversary_exceeds_its_budget(game):
    """And each pays for all it does: the charge of a pull is the largest change of a coordinate."""
    corruption, rewards, arms, clean, verified, coins = game
    found = drive(corruption, rewards, arms, clean, verified, coins)
    charges = np.abs(found.reported - clean).max(axis=2)
    per_arm = [charges[arms == k].sum() for k in range(rewards.n_arms)]
    np.testing.assert_allclose(found.spent, per_arm, rtol=ROUNDING, atol=ROUNDING)
    assert charges.sum() <= corruption.budget * (1 + ROUNDING)
    assert found.left >= 0.0
    assert found.left == pytest.approx(corruption.budget - charges.sum(), abs=ROUNDING * max(1.0, corruption.budget))
    assert not charges[verified].any()
    assert ((found.reported >= 0.0) & (found.reported <= 1.0)).all()
    if corruption.spending == "spread":
        rounds = np.arange(1, len(clean) + 1)
        allowed = corruption.budget * rounds / len(clean)
        assert (charges.sum(axis=1).cumsum() <= allowed * (1 + ROUNDING) + ROUNDING).all()


@settings(deadline=None, max_examples=300)
@given(games())
def test_spending_adaptively_is_only_for_what_the_reports_do_not_show(game):
    """Every act is on an arm with no report, or on a target that leads, or on a decoy that does not."""
    corruption, rewards, arms, clean, verified, coins = game
    corruption = corruption.model_copy(update={"spending": "adaptive"})
    found = drive(corruption, rewards, arms, clean, verified, coins)
    decoy = arm_number("decoy", corruption.decoy, rewards) if hasattr(corruption, "decoy") else None
    reports: dict[int, list[np.ndarray]] = {}
    for t, i in np.ndindex(arms.shape):
        arm = int(arms[t, i])
        if (found.reported[t, i] != clean[t, i]).any() and arm in reports:
            worths = {k: worth(rewards.scalarisation, np.mean(v, axis=0)[None])[0] for k, v in reports.items()}
            ahead = max(w for k, w in worths.items() if k != arm) - worths[arm] if len(worths) > 1 else -1.0
            assert ahead > -1e-9 if arm == decoy else ahead < 1e-9  # running means, up to their rounding
        reports.setdefault(arm, []).append(found.reported[t, i])


@settings(deadline=None, max_examples=100)
@given(games())
def test_everybody_knows_the_reports_of_all_pulls_verified_ones_included(game):
    corruption, rewards, arms, clean, verified, coins = game
    found = drive(corruption, rewards, arms, clean, verified, coins)
    for k in range(rewards.n_arms):
        assert found.public.pulls[k] == (arms == k).sum()
        if (arms == k).any():
            np.testing.assert_allclose(found.public.mean[k], found.reported[arms == k].mean(axis=0), atol=1e-12)


@each_spending
@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_compiled_is_interpreted(kind, spending):
    """To the last bit, on rewards of all sizes."""
    dice = np.random.default_rng(6)
    rewards = fm.VectorBernoulli(dice.uniform(size=(3, 2)), fm.LogSumExp(5.0), n_agents=4)
    arms, clean = dice.integers(0, 3, (60, 4)), dice.uniform(size=(60, 4, 2))
    corruption = CORRUPTIONS[kind](budget=20.0, spending=spending)
    slow = drive(corruption, rewards, arms, clean)
    fast = drive(corruption, rewards, arms, clean, interfere=compiled_interfere)
    assert slow.spent.sum() > 0.5
    assert slow.reported.tobytes() == fast.reported.tobytes()
    assert slow.spent.tobytes() == fast.spent.tobytes()
    assert slow.left == fast.left


@jit
def compiled_interfere(adversary, t, coins, seen, clean, public, left, spent, r):
    return engine.interfere(adversary, t, coins, seen, clean, public, left, spent, r)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_an_adversary_writes_to_the_row_of_its_pull_only(kind):
    """Else it could change a reward that was charged for already."""
    dice = np.random.default_rng(9)
    rewards = fm.VectorBernoulli(dice.uniform(size=(3, 2)), fm.Chebyshev(), n_agents=5)
    adversary = CORRUPTIONS[kind](budget=99.0).record(rewards, 10)
    public = Reported(np.zeros(3, np.int64), np.zeros((3, 2)))
    for i in range(5):
        for arm in range(3):
            seen = nothing_seen(5, 2)
            seen.arm[:], seen.reward[:] = arm, dice.uniform(0.1, 0.4, (5, 2))
            before = seen.reward.copy()
            interface.corrupt(adversary, i, 1, seen, 99.0, public, COINS)
            others = np.arange(5) != i
            assert (seen.reward[others] == before[others]).all()
            assert (seen.arm == arm).all()
            assert not seen.verified.any()


# --- Thinning's probability -------------------------------------------------------------------------------

VECTORS = np.array([[0.9, 0.8, 0.7], [0.5, 0.6, 0.4], [0.2, 0.3, 0.6]])
each_law = pytest.mark.parametrize("law", [fm.Linear([0.5, 0.3, 0.2]), fm.Chebyshev(), fm.LogSumExp(5.0)])


@each_law
def test_thinning_makes_the_best_arm_worth_as_much_as_the_second(law):
    rewards = fm.VectorBernoulli(VECTORS, law, n_agents=2)
    theta = np.sort(rewards.means[0])
    q = fm.Thinning(budget=1.0).record(rewards, 10).keep
    assert 0.0 < q < 1.0
    assert worth(rewards.scalarisation, q * VECTORS[[0]])[0] == pytest.approx(theta[-2], abs=1e-12)


def test_thinning_of_scalar_rewards_keeps_the_ratio_of_the_means():
    """All agents together: 0.6 and 0.45 on average."""
    rewards = fm.Bernoulli([[0.8, 0.3, 0.1], [0.4, 0.6, 0.1]])
    assert fm.Thinning(budget=1.0).record(rewards, 10).keep == pytest.approx(0.45 / 0.6, abs=1e-12)


@each_law
def test_what_thinning_reports_has_the_thinned_mean(law):
    """Every reward is kept with probability q or reported as 0: each coordinate is Bernoulli(q mu).

    4,000 independent pulls; five standard errors.
    """
    rewards = fm.VectorBernoulli(VECTORS, law, n_agents=2)
    corruption = fm.Thinning(budget=1e9)
    q = corruption.record(rewards, 2_000).keep
    clean = (np.random.default_rng(1).uniform(size=(2_000, 2, 3)) < VECTORS[0]).astype(float)
    found = drive(corruption, rewards, np.zeros((2_000, 2), int), clean)
    p = q * VECTORS[0]
    error = 5.0 * np.sqrt(p * (1.0 - p) / 4_000)
    assert (np.abs(found.reported.mean(axis=(0, 1)) - p) < error).all()


def test_thinning_leaves_alone_an_arm_that_is_worse_anyway():
    rewards = fm.VectorBernoulli(VECTORS, fm.Chebyshev(), n_agents=1)
    assert fm.Thinning(budget=1.0, target="worst").record(rewards, 10).keep == 1.0


def test_thinning_by_a_given_probability():
    assert fm.Thinning(budget=1.0, keep=0.25).record(fm.Bernoulli([[0.5]]), 10).keep == 0.25


# --- Arms by rank -----------------------------------------------------------------------------------------


def test_arms_are_ranked_by_their_means_over_all_agents_the_first_of_equals_first():
    rewards = fm.Bernoulli([[0.2, 0.9, 0.5, 0.5], [0.4, 0.7, 0.5, 0.5]])
    assert [arm_number("arm", arm, rewards) for arm in ("best", "second", "worst", 3)] == [1, 2, 0, 3]


def test_ranks_of_vectors_are_those_of_their_worth():
    rewards = fm.VectorBernoulli([[0.9, 0.1], [0.4, 0.4]], fm.Chebyshev(), n_agents=1)
    assert arm_number("arm", "best", rewards) == 1
    assert fm.Suppress(budget=1.0).record(rewards, 10).target == 1


# --- Adversaries of the user's own ------------------------------------------------------------------------


class Own(NamedTuple):
    """Reports `value` at every pull, whatever that costs."""

    total: float
    value: float


@implements(Own)
def budget(adversary):
    return adversary.total


@implements(Own)
def corrupt(adversary, i, t, seen, left, reported, coins):
    for j in range(seen.reward.shape[1]):
        seen.reward[i, j] = adversary.value


class Stubborn(Corruption):
    """Reports one value until its budget is gone, and then still."""

    value: str  # a configuration takes no number that is not finite

    def record(self, rewards, horizon):
        return Own(self.budget, float(self.value))


@pytest.mark.parametrize("interfere", [engine.interfere, compiled_interfere], ids=["interpreted", "compiled"])
def test_one_that_overspends_is_stopped(interfere):
    """Three pulls at 0.5 each are more than 1.25."""
    clean = np.full((3, 1, 1), 0.5)
    enough, rewards = fm.Bernoulli([[0.5]]), np.zeros((3, 1), int)
    assert drive(Stubborn(budget=1.5, value="1.0"), enough, rewards, clean, interfere=interfere).left == 0.0
    with pytest.raises(AssertionError, match="an adversary spent more than its budget"):
        drive(Stubborn(budget=1.25, value="1.0"), enough, rewards, clean, interfere=interfere)


@pytest.mark.parametrize("interfere", [engine.interfere, compiled_interfere], ids=["interpreted", "compiled"])
@pytest.mark.parametrize(
    ("value", "reported", "cost"),
    [
        (7.0, 1.0, 0.75),
        (-3.0, 0.0, 0.5),
        (np.inf, 1.0, 0.75),
        (-np.inf, 0.0, 0.5),
        (np.nan, None, 0.0),
        (0.5, 0.5, 0.25),
    ],
)
def test_what_it_writes_is_clipped_and_what_is_no_number_ignored(interfere, value, reported, cost):
    """The charge is that of the clipped value; the pull pays 0.25 and 0.5."""
    clean = np.array([[[0.25, 0.5]]])
    rewards = fm.VectorBernoulli([[0.25, 0.5]], fm.Chebyshev(), n_agents=1)
    found = drive(Stubborn(budget=5.0, value=str(value)), rewards, np.zeros((1, 1), int), clean, interfere=interfere)
    assert found.reported[0, 0].tolist() == ([0.25, 0.5] if reported is None else [reported] * 2)
    assert found.spent.tolist() == [cost]
    assert np.isfinite(found.public.mean).all()


# --- Refusals ---------------------------------------------------------------------------------------------

TWO, ONE = fm.Bernoulli([[0.9, 0.1]]), fm.Bernoulli([[0.9]])


@pytest.mark.parametrize("kind", CORRUPTIONS)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"budget": -1}, "budget = -1: expected at least 0"),
        ({"budget": float("nan")}, "budget = nan: expected a finite number"),
        ({"budget": float("inf")}, "budget = inf: expected a finite number"),
        ({"budget": "much"}, "budget = 'much': expected a number"),
        ({"budget": True}, "budget = true: expected a number"),
        ({}, "budget: missing; expected a number, at least 0"),
        ({"budget": 1, "spending": "fast"}, "spending = 'fast': allowed are 'front_loaded', 'spread' or 'adaptive'"),
        ({"budget": 1, "budgett": 2}, "field 'budgett': unknown; did you mean 'budget'? allowed are budget, "),
    ],
)
def test_bad_fields_are_refused_in_one_line(kind, given, message):
    with pytest.raises(ValueError, match=r"^[^\n]+\Z") as caught:
        CORRUPTIONS[kind](**given)
    assert str(caught.value).startswith(f"{CORRUPTIONS[kind].__name__}: {message}")


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (fm.Suppress, {"target": "bset"}, "target = 'bset': expected a whole number, or 'best', 'second' or 'worst'"),
        (fm.Promote, {"decoy": 1.0}, "decoy = 1.0: expected a whole number; write 1, or 'best', 'second' or 'worst'"),
        (fm.Thinning, {"keep": 1.5}, "keep = 1.5: expected at most 1"),
        (fm.FlipRandom, {"rate": -0.1}, "rate = -0.1: expected at least 0"),
        (fm.Suppress, {"target": -1}, "target = -1: expected at least 0, or 'best', 'second' or 'worst'"),
    ],
)
def test_bad_fields_of_one_adversary(kind, given, message):
    with pytest.raises(ValueError, match=r"^[^\n]+\Z") as caught:
        kind(budget=1, **given)
    assert str(caught.value) == f"{kind.__name__}: {message}"


@pytest.mark.parametrize(
    ("corruption", "rewards", "message"),
    [
        (fm.Suppress(budget=1, target=2), TWO, "target = 2: expected an arm from 0 to 1, or 'best', 'second', 'worst'"),
        (fm.Promote(budget=1, decoy=7), TWO, "decoy = 7: expected an arm from 0 to 1, or 'best', 'second', 'worst'"),
        (fm.Thinning(budget=1, target=7), TWO, "target = 7: expected an arm from 0 to 1, or 'best', "),
        (fm.Suppress(budget=1, target="second"), ONE, "target = 'second': there is only one arm; expected 'best' or 0"),
        (fm.Swap(budget=1, decoy="best"), TWO, "decoy = 'best': is the target, arm 0; expected another arm"),
        (fm.Swap(budget=1, target=1, decoy=1), TWO, "decoy = 1: is the target, arm 1; expected another arm"),
        (fm.Swap(budget=1), ONE, "decoy = 'worst': is the target, arm 0; expected another arm"),
        (fm.Thinning(budget=1), ONE, "keep = None: there is no other arm to look like; expected a number from 0 to 1"),
        *(
            (kind(budget=1), fm.Gaussian([[0.5, 0.1]]), "expected rewards from 0 to 1; these may lie outside")
            for kind in CORRUPTIONS.values()
        ),
    ],
)
def test_what_does_not_fit_the_rewards(corruption, rewards, message):
    with pytest.raises(ValueError, match=r"^[^\n]+\Z") as caught:
        corruption.record(rewards, 10)
    assert str(caught.value).startswith(f"{type(corruption).__name__}: {message}")


def test_the_description_is_the_configuration():
    said = fm.Swap(budget=3, spending="spread").describe()
    assert said == {"type": "Swap", "budget": 3.0, "spending": "spread", "target": "best", "decoy": "worst"}


def test_one_that_has_no_record_says_so():
    with pytest.raises(TypeError, match=r"^Corruption does not define record\(\)$"):
        Corruption(budget=1).record(TWO, 10)
