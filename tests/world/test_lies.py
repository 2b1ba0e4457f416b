"""Laws of lies: what each of them makes of the truth, in the range of the rewards; and what is refused."""

import numpy as np
import pytest

import folkmoot as fm
from folkmoot.coins import LIE, replicate_coins, uniform
from folkmoot.interface import lie
from folkmoot.world.lies import LIES, scale

COINS = replicate_coins(5, 0, 0)
REWARDS = fm.Bernoulli([0.3, 0.9, 0.6], n_agents=4)
NORMAL = fm.Gaussian([-2.0, 3.0, 1.0], 1.0, n_agents=4)
TRUTH = [0.3, 0.9, 0.6]


def told(law, t=10, side=0, truth=TRUTH, rewards=REWARDS, i=1):
    values = np.array(truth)
    lie(law.record(rewards), i, t, side, values, COINS)
    return values.tolist()


def test_constant_says_the_same_always():
    for t in (1, 500):
        for side in (0, 1):
            assert told(fm.ConstantLie(values=(0.4, 0.5, 0.3)), t, side) == [0.4, 0.5, 0.3]
    assert told(fm.ConstantLie(values=0.7)) == [0.7, 0.7, 0.7]


def test_sign_flip_is_the_mirror_image_in_the_range():
    assert told(fm.FlippedLie()) == pytest.approx([0.7, 0.1, 0.4])
    assert told(fm.FlippedLie(), rewards=NORMAL, truth=[-2.0, 3.0, 1.0]) == [3.0, -2.0, 0.0]


def test_promotion_says_that_one_arm_is_all():
    assert told(fm.PromotingLie()) == [1.0, 0.0, 0.0]  # arm 0 is the worst
    assert told(fm.PromotingLie(arm="second")) == [0.0, 0.0, 1.0]
    assert told(fm.PromotingLie(arm=1), rewards=NORMAL) == [-2.0, 3.0, -2.0]


def test_random_is_uniform_by_round_and_arm():
    said = told(fm.RandomLie(), t=10)
    assert said == [uniform(COINS, LIE, 10, 1, k) for k in range(3)]
    assert said != told(fm.RandomLie(), t=11)
    assert said != told(fm.RandomLie(), t=10, i=2)
    many = np.array([told(fm.RandomLie(), t=t) for t in range(1, 2_001)])
    assert abs(many.mean() - 0.5) < 5 / np.sqrt(12 * 6_000)  # five standard deviations of a mean of 6,000 uniforms


def test_drift_moves_with_the_rounds_until_the_end_of_the_range():
    assert told(fm.DriftingLie(rate=-0.01), t=10) == pytest.approx([0.2, 0.8, 0.5])
    assert told(fm.DriftingLie(rate=-0.01), t=40) == pytest.approx([0.0, 0.5, 0.2])
    assert told(fm.DriftingLie(rate=0.01), t=80) == [1.0, 1.0, 1.0]


def test_split_says_different_things_to_the_two_sides():
    law = fm.SplitLie(even=2, odd="worst")
    assert told(law, side=0) == [0.0, 0.0, 1.0]
    assert told(law, side=1) == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("rewards", [REWARDS, NORMAL], ids=["bounded", "Gaussian"])
@pytest.mark.parametrize("name", LIES)
def test_no_lie_leaves_the_range(name, rewards):
    low, high = scale(rewards)
    law = LIES[name]()
    for t in (1, 10_000):
        for truth in ([-1e9, 1e9, 0.0], [low, high, low]):
            said = told(law, t, truth=truth, rewards=rewards)
            assert low <= min(said) <= max(said) <= high


def test_what_does_not_fit_is_refused_in_one_line():
    with pytest.raises(ValueError, match=r"^ConstantLie: values = 1.5: expected numbers from 0 to 1$"):
        fm.ConstantLie(values=1.5).record(REWARDS)
    with pytest.raises(ValueError, match=r"^ConstantLie: 2 values: expected one, or one for each of 3 arms$"):
        fm.ConstantLie(values=(0.1, 0.2)).record(REWARDS)
    with pytest.raises(ValueError, match=r"^PromotingLie: arm = 3: expected an arm from 0 to 2"):
        fm.PromotingLie(arm=3).record(REWARDS)
    with pytest.raises(ValueError, match=r"^SplitLie: odd = 7: expected an arm from 0 to 2"):
        fm.SplitLie(odd=7).record(REWARDS)
    with pytest.raises(ValueError, match=r"^DriftingLie: rate = 2: expected at most 1$"):
        fm.DriftingLie(rate=2)


@pytest.mark.parametrize("values", [[0.4, 0.5, 0.3], np.array([0.4, 0.5, 0.3]), (0.4, 0.5, 0.3)])
def test_values_may_be_a_list_or_an_array(values):
    law = fm.ConstantLie(values=values)
    assert told(law) == [0.4, 0.5, 0.3]
    assert law == fm.ConstantLie(values=(0.4, 0.5, 0.3))
    assert hash(law) == hash(fm.ConstantLie(values=(0.4, 0.5, 0.3)))


@pytest.mark.parametrize(
    "values", [[0.4, True], ["a"], "a", None, [], [[0.5]], [0.5, float("nan")], float("inf"), True, np.zeros((2, 2))]
)
def test_values_that_are_no_numbers_are_refused_in_one_line(values):
    with pytest.raises(ValueError, match=r"^ConstantLie: values.*: expected a finite number, or one for each arm") as e:
        fm.ConstantLie(values=values)
    assert "\n" not in str(e.value)
