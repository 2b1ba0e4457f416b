"""Theorems 2 and 3 and Lemma 1 of the BEMA paper, on random and on hostile scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.multiparty.rules import margin as mg

ROUNDING = 1e-12


@st.composite
def crowds(draw, most=9):
    """Honest scores, lies, and m with 2 f < m < K, the lies at places that hurt: beside, at and beyond the honest."""
    f = draw(st.integers(0, 3))
    m = draw(st.integers(2 * f + 1, 2 * f + 3))
    k = draw(st.integers(m + 1, max(m + 1, most)))
    unit = st.floats(0, 1) | st.sampled_from([0.0, 0.25, 0.5, 1.0])
    honest = draw(st.lists(unit, min_size=k, max_size=k))
    lies = []
    for _ in range(f):
        near, by = draw(st.sampled_from(honest)), draw(st.sampled_from([0.0, 1e-9, 1e-3, 0.1, -1e-9, -1e-3, -0.1]))
        lies.append(draw(unit | st.just(min(max(near + by, 0.0), 1.0))))
    order = draw(st.permutations(range(k + f)))
    values = np.array(honest + lies)[np.array(order)]
    return values, m, f, min(honest), max(honest)


def _star(values, m):
    alpha = m / len(values)
    group = mg.claimants_of(np.ones((len(values), 1), bool), alpha)
    assert group.closest.tolist() == [m]
    found = mg.stars(values[:, None, None], group)
    return float(found.value[0, 0]), float(found.centre_value[0, 0])


@settings(max_examples=2000, deadline=None)
@given(crowds())
def test_theorem_2_and_lemma_1(crowd):
    """Eq. 16: min - f/m (max - min) <= h_a* <= max + f/m (max - min), 2 f < m < K; the centre is within the honest."""
    values, m, f, low, high = crowd
    star, centre = _star(values, m)
    slack = f / m * (high - low) + ROUNDING
    assert low - slack <= star <= high + slack
    assert low - ROUNDING <= centre <= high + ROUNDING


@settings(max_examples=500, deadline=None)
@given(crowds(), crowds())
def test_theorem_3(right, wrong):
    """Eq. 20: the margin lies between the bounds of the two stars."""
    (ours, m, f, low, high), (theirs, m_w, f_w, low_w, high_w) = right, wrong
    rho = _star(ours, m)[0] - _star(theirs, m_w)[0]
    slack = f / m * (high - low) + f_w / m_w * (high_w - low_w) + ROUNDING
    assert low - high_w - slack <= rho <= high - low_w + slack


def test_theorem_2_is_not_strict():
    """Printed with <: where all honest models agree, the star is the bound itself."""
    assert _star(np.full(4, 0.5), 3)[0] == 0.5


def test_half_of_m_lying_takes_the_centre():
    """2 f = m: two liars side by side below the honest are the centre, with honest scores that do not agree."""
    honest = np.array([0.5, 0.75, 1.0, 0.25, 0.0 + 0.9])
    star, centre = _star(np.concatenate([[0.0, 0.0], honest]), 2)
    assert centre == 0.0 < honest.min()
    assert star == 0.0
    # and leaves the bound where the honest are close together
    honest = np.array([0.50, 0.52, 0.54])
    assert _star(np.concatenate([[0.0, 0.0], honest]), 2)[0] < 0.5 - 1.0 * 0.04


def test_a_liar_can_move_the_star_outside_of_the_honest_scores():
    """What the bound allows does happen: the star is below every honest score by up to f/m of their range."""
    star, centre = _star(np.array([0.0, 0.4, 0.75, 0.75, 1.0]), 3)
    assert centre >= 0.4
    star, _ = _star(np.array([0.3, 0.5, 0.5, 0.9, 0.9]), 3)
    assert star == pytest.approx((0.3 + 0.5 + 0.5) / 3)
    assert 0.5 - 0.4 / 3 <= star < 0.5
