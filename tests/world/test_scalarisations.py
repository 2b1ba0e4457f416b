"""Scalarisations: their definitions, what the paper asks of every one of them, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jitted import jit
from scipy.special import logsumexp

import folkmoot as fm
from folkmoot import interface
from folkmoot.world.scalarisations import Scalarisation, worth

NUMBERS = st.floats(-3.0, 3.0)
# Values of at most 3 (log-sum-exp: 3 + log(6) / 0.1 < 21) computed with a few dozen roundings of 2**-53 each.
ROUNDING = 1e-12


@st.composite
def weights(draw, n):
    parts = np.array(draw(st.lists(st.integers(0, 20), min_size=n, max_size=n).filter(any)), np.float64)
    return parts / parts.sum()


@st.composite
def scalarised(draw, more=0):
    """A scalarisation's record and `1 + more` vectors of its length."""
    d = draw(st.integers(1, 6))
    law = draw(
        st.one_of(
            st.builds(fm.Linear, weights(d)), st.just(fm.Chebyshev()), st.builds(fm.LogSumExp, st.floats(0.1, 50.0))
        )
    )
    vectors = draw(st.lists(st.lists(NUMBERS, min_size=d, max_size=d), min_size=1 + more, max_size=1 + more))
    return law.record(d), np.array(vectors)


# --- What each is -----------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 6).flatmap(lambda d: st.tuples(weights(d), st.lists(NUMBERS, min_size=d, max_size=d))))
def test_linear_is_a_scalar_product(pair):
    w, x = pair
    assert worth(fm.Linear(w).record(len(w)), np.array([x]))[0] == pytest.approx(np.dot(w, x), abs=ROUNDING)


@settings(deadline=None, max_examples=60)
@given(st.lists(NUMBERS, min_size=1, max_size=6))
def test_chebyshev_is_the_smallest(x):
    assert worth(fm.Chebyshev().record(len(x)), np.array([x]))[0] == min(x)


@settings(deadline=None, max_examples=60)
@given(st.lists(NUMBERS, min_size=1, max_size=6), st.floats(0.1, 50.0))
def test_log_sum_exp_is_scipys(x, beta):
    expected = logsumexp(beta * np.array(x)) / beta
    assert worth(fm.LogSumExp(beta).record(len(x)), np.array([x]))[0] == pytest.approx(expected, abs=1e-10)


def test_log_sum_exp_does_not_overflow():
    """exp(1e6) does."""
    record = fm.LogSumExp(1e6).record(3)
    assert worth(record, np.array([[1.0, 0.2, 1.0]]))[0] == pytest.approx(1.0 + np.log(2.0) / 1e6, abs=1e-15)


def test_log_sum_exp_may_exceed_one_by_at_most_its_shift():
    """Equal objectives reach the upper end, log(d) / beta; one that dwarfs the others nearly the lower, 0."""
    record = fm.LogSumExp(5.0).record(4)
    flat, steep = worth(record, np.array([[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]]))
    assert flat == pytest.approx(1.0 + np.log(4.0) / 5.0)
    assert 1.0 < steep < 1.0 + 3.0 * np.exp(-5.0) / 5.0


def test_one_objective_is_worth_itself():
    """With d = 1 all three are the identity, as is the scalarisation of scalar rewards."""
    values = np.array([[0.3], [0.7]])
    for record in (fm.Linear([1.0]).record(1), fm.Chebyshev().record(1), fm.LogSumExp(3.0).record(1)):
        np.testing.assert_allclose(worth(record, values), [0.3, 0.7], rtol=1e-15)
    assert worth(interface.Scalar(1), values).tolist() == [0.3, 0.7]


# --- What is asked of every one ---------------------------------------------------------------------------


@settings(deadline=None, max_examples=200)
@given(scalarised(more=1))
def test_nondecreasing_in_every_coordinate(pair):
    record, (x, y) = pair
    low, high = worth(record, np.array([np.minimum(x, y), np.maximum(x, y)]))
    assert low <= high + ROUNDING


@settings(deadline=None, max_examples=200)
@given(scalarised(more=1))
def test_one_lipschitz_in_the_largest_change(pair):
    record, (x, y) = pair
    one, other = worth(record, np.array([x, y]))
    assert abs(one - other) <= np.abs(x - y).max() + ROUNDING


@jit
def compiled(record, values, row):
    return interface.scalarise(record, values, row)


@pytest.mark.parametrize("law", [fm.Linear([0.2, 0.3, 0.5]), fm.Chebyshev(), fm.LogSumExp(5.0)])
def test_compiled_is_interpreted_to_the_last_bit(law):
    values = np.random.default_rng(4).uniform(size=(50, 3))
    record = law.record(3)
    assert [compiled(record, values, row) for row in range(50)] == worth(record, values).tolist()


def test_only_the_row_asked_for_is_read():
    values = np.array([[np.nan, np.nan], [0.25, 0.75], [np.nan, np.nan]])
    for law in (fm.Linear([0.5, 0.5]), fm.Chebyshev(), fm.LogSumExp()):
        assert np.isfinite(interface.scalarise(law.record(2), values, 1))


def test_descriptions_say_all_there_is_to_say():
    assert fm.Linear([0.25, 0.75]).describe() == {"type": "Linear", "weights": [0.25, 0.75]}
    assert fm.Chebyshev().describe() == {"type": "Chebyshev"}
    assert fm.LogSumExp(2).describe() == {"type": "LogSumExp", "beta": 2.0}


# --- Refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given_weights",
    [[], [0.5, 0.4], [1.5, -0.5], [0.5, 0.5 + 2e-9], [np.nan, 1.0], [np.inf, 0.0], [[0.5, 0.5]], 1.0],
)
def test_weights_off_the_simplex(given_weights):
    with pytest.raises(ValueError, match=r"^weights = .*: expected numbers of at least 0 with sum 1$") as caught:
        fm.Linear(given_weights)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given_weights", [["much", 0.5], [[0.5], 0.5], {"a": 1.0}, None])
def test_weights_that_are_no_numbers(given_weights):
    with pytest.raises(ValueError, match=r"^weights.*: expected a list of numbers$") as caught:
        fm.Linear(given_weights)
    assert "\n" not in str(caught.value)


def test_thirds_lie_on_the_simplex():
    assert fm.Linear([1 / 3] * 3).weights.sum() == pytest.approx(1.0)
    assert fm.Linear([0.1] * 10).record(10).weights.shape == (10,)


def test_weights_of_another_length():
    with pytest.raises(ValueError, match=r"^3 weights: expected 2, one for each objective$"):
        fm.Linear([0.2, 0.3, 0.5]).record(2)


def test_weights_are_not_changed_from_outside():
    given_weights = np.array([0.5, 0.5])
    law = fm.Linear(given_weights)
    given_weights[0] = 9.0
    assert law.weights.tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match="read-only"):
        law.weights[0] = 9.0


@pytest.mark.parametrize("beta", [0.0, -1.0, np.nan, np.inf, 1.1e6, True, "5", None])
def test_beta_out_of_range(beta):
    with pytest.raises(ValueError, match=r"^beta = .*: expected a number above 0 and at most 1e6$"):
        fm.LogSumExp(beta)


def test_one_that_has_no_record_says_so():
    with pytest.raises(TypeError, match=r"^Mine does not define record\(\)$"):
        type("Mine", (Scalarisation,), {})().record(2)
