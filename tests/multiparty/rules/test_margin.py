"""Centres, stars and margins against a dumb twin that follows eqs. 3-7 word by word."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.multiparty.models.fleet import Fleet
from folkmoot.multiparty.predictors import Krum, Max, Mean, Median, Star
from folkmoot.multiparty.rules import margin as mg


def _twin(values, m):
    """Star, centre and spread of the scores of one sample and class; `values` is a list of (model, score)."""

    def krum(h):
        return sum(sorted(abs(k - h) for _, k in values)[:m])

    sums = [krum(h) for _, h in values]
    centre, h = next(pair for pair, s in zip(values, sums, strict=True) if s == min(sums))
    near = sorted(range(len(values)), key=lambda j: (abs(values[j][1] - h), j))[:m]
    star = sum(values[j][1] for j in near) / m
    return star, centre, max(abs(values[j][1] - star) for j in near)


@st.composite
def games(draw):
    n, c, b = draw(st.integers(1, 7)), draw(st.integers(2, 5)), draw(st.integers(1, 3))
    grid = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5, 0.75, 1.0]) | st.floats(0, 1, width=32)
    scores = np.array(draw(st.lists(grid, min_size=n * b * c, max_size=n * b * c)), np.float32).reshape(n, b, c)
    claims = np.array(draw(st.lists(st.booleans(), min_size=n * c, max_size=n * c))).reshape(n, c)
    return np.where(claims[:, None], scores, 0), claims, draw(st.sampled_from([0.1, 0.5, 0.7, 0.75, 1.0]))


@settings(max_examples=300, deadline=None)
@given(games())
def test_stars_are_those_of_the_equations(game):
    scores, claims, alpha = game
    found = mg.stars(scores, mg.claimants_of(claims, alpha))
    for c in range(claims.shape[1]):
        who = np.flatnonzero(claims[:, c])
        for b in range(scores.shape[1]):
            if len(who) == 0:
                assert found.value[b, c] == -np.inf
                assert found.centre[b, c] == -1
                continue
            m = max(1, int(alpha * len(who) + 1e-9))
            star, centre, spread = _twin([(int(i), float(scores[i, b, c])) for i in who], m)
            assert found.value[b, c] == pytest.approx(star, abs=1e-12)
            assert found.centre[b, c] == centre
            assert found.centre_value[b, c] == scores[centre, b, c]
            assert found.spread[b, c] == pytest.approx(spread, abs=1e-12)


def test_m_is_the_floor_of_a_share_whatever_binary_fractions_do():
    claims = np.ones((10, 2), bool)
    assert mg.claimants_of(claims, 0.7).closest.tolist() == [7, 7]  # 0.7 * 10 = 7.000000000000001 or 6.999999999999999
    assert mg.claimants_of(claims[:3], 0.1).closest.tolist() == [1, 1]  # never below one
    assert mg.claimants_of(claims[:9], 1 / 3).closest.tolist() == [3, 3]


def test_many_samples_are_taken_in_pieces_with_the_same_result():
    rng = np.random.default_rng(3)
    scores, claims = rng.random((5, mg.AT_ONCE + 7, 4), np.float32), np.ones((5, 4), bool)
    group = mg.claimants_of(claims, 0.6)
    whole, last = mg.stars(scores, group), mg.stars(scores[:, -3:], group)
    for part, tail in zip(whole, last, strict=True):
        assert len(part) == mg.AT_ONCE + 7
        assert (part[-3:] == tail).all()


def test_the_secure_margin_is_against_the_wrong_class_with_the_largest_star():
    scores = np.array([[[0.5, 0.2, 0.9]], [[0.6, 0.1, 0.8]], [[0.4, 0.3, 0.1]]], np.float64)
    found = mg.stars(scores, mg.claimants_of(np.ones((3, 3), bool), 0.67))
    margins = mg.secure_margin(found, np.array([0]))
    assert margins.wrong.tolist() == [2]
    assert margins.value[0] == pytest.approx(0.55 - 0.85)  # centres 0 and 0: stars (0.5 + 0.6) / 2, (0.9 + 0.8) / 2


def test_the_printed_choice_of_y_minus_mines_nothing():
    """Eq. 7 as printed: least Krum score over classes too. That class is one all score near 0, so rho is never <= 0."""
    pytest.importorskip("safetensors", reason="needs the extra `multiparty`")
    pytest.importorskip("sklearn", reason="needs the extra `multiparty`")
    from made_digits import digits, linear_models, skewed

    fleet = Fleet(linear_models(skewed()), 10)
    x, labels = digits()
    scores, group = fleet.scores(x[1200:]), mg.claimants_of(fleet.claims, 0.75)
    meant = mg.secure_margin(mg.stars(scores, group), labels[1200:]).value
    printed = mg.printed_margin(scores, group, labels[1200:]).value
    print((meant <= 0).sum(), (printed <= 0).sum(), len(x) - 1200)
    assert (meant <= 0).sum() >= 50
    assert (printed <= 0).sum() == 0


def test_the_margin_of_hmr_is_between_the_two_surest_models():
    """Definition 2: a has the largest score of y, (b, y-) the largest of a wrong class."""
    scores = np.array([[[0.5, 0.2, 0.3]], [[0.6, 0.7, 0.1]], [[0.0, 0.0, 1.0]]])
    claims = np.array([[True, True, True], [True, True, True], [True, True, False]])
    margins, a, b = mg.max_margin(scores, claims, np.array([0]))
    assert (a.tolist(), b.tolist(), margins.wrong.tolist()) == ([1], [1], [1])
    assert margins.value[0] == pytest.approx(0.6 - 0.7)


def test_predictors():
    """Eqs. 13, 14: centres speak. Definition 1: the surest model speaks, and one liar is enough to be it."""
    scores = np.array([[[0.9, 0.1]], [[0.8, 0.2]], [[0.85, 0.15]], [[0.0, 1.0]]])
    claims = np.ones((4, 2), bool)
    assert Krum(0.75).predict(scores, claims).tolist() == [0]
    assert Max().predict(scores, claims).tolist() == [1]
    assert Max().predict(scores, claims & (np.arange(4) < 3)[:, None]).tolist() == [0]


def test_a_class_nobody_claims_is_never_predicted_nor_the_wrong_one():
    scores = np.zeros((2, 1, 3))
    claims = np.array([[True, False, True], [True, False, True]])
    group = mg.claimants_of(claims, 1.0)
    assert mg.secure_margin(mg.stars(scores, group), np.array([0])).wrong.tolist() == [2]
    for kind in (Mean, Median, Star, Krum, Max):
        assert kind().predict(scores, claims).tolist() == [0]
