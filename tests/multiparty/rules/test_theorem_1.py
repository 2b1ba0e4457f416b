"""Theorem 1, restated: what one step does to one score; and where the margin need not follow.

Printed is: if scores are convex in the parameters, a sample raises the margin by at least 2 eta / m times the least
squared gradient. For impairing, convexity bounds the fall from above (E-28), and other models may stand behind a star
after the step (E-29). What holds needs no convexity. Let the gradient of h have the Lipschitz constant beta, let g be
its gradient, and s = eta min(1, G / |g|). Then a step of length s along g raises h by s |g|^2 (1 -+ beta s / 2), and a
step against it lowers h by as much. So a margin rises by at least 1 / m times the sum of these bounds, as long as the
same models stand behind both stars and none is moved twice.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("safetensors", reason="needs the extra `multiparty`")

from folkmoot.multiparty.models.linear_model import blank
from folkmoot.multiparty.models.model import Pace
from folkmoot.multiparty.rules import margin as mg

INPUTS, CLASSES = 3, (0, 1, 2)
ROUNDING = 2e-6  # weights and scores are float32


def made(seed, scale):
    model = blank("linear/softmax", CLASSES, (INPUTS, (), ()))
    generator = np.random.default_rng(seed)
    model.weights = (scale * generator.normal(size=(len(CLASSES), INPUTS))).astype(np.float32)
    return model, generator.random((1, INPUTS), np.float32)


def score(model, x, column):
    return float(model.scores(x)[0, column])


def norm(model, x, column):
    """|g| of a softmax by its weights and intercepts."""
    p = model.scores(x)[0].astype(np.float64)
    towards = p[column] * ((np.arange(len(p)) == column) - p)
    return float(np.sqrt((towards @ towards) * (1.0 + (x.astype(np.float64) ** 2).sum())))


def bounds(model, x, column, eta, cap):
    """The least and the most that a step of a score along or against its gradient changes it by.

    A softmax's Hessian by its logits has a norm of at most 0.8: h |e - p|^2 <= 8/27, h max(diag p - p p^T) <= 1/2.
    """
    g, beta = norm(model, x, column), 0.8 * (1.0 + float((x.astype(np.float64) ** 2).sum()))
    s = eta * min(1.0, cap / max(g, 1e-30))
    return s * g * g * (1.0 - beta * s / 2.0), s * g * g * (1.0 + beta * s / 2.0)


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    scale=st.sampled_from([0.1, 1.0, 5.0]),
    column=st.integers(0, 2),
    sign=st.sampled_from([1, -1]),
    eta=st.sampled_from([0.01, 0.1, 0.5]),
    cap=st.sampled_from([0.05, 1.0]),
)
def test_a_step_changes_a_score_by_what_theorem_1_restated_says(seed, scale, column, sign, eta, cap):
    model, x = made(seed, scale)
    least, most = bounds(model, x, column, eta, cap)
    before = score(model, x, column)
    model.step(x, column, sign, Pace(eta, cap, False))
    changed = sign * (score(model, x, column) - before)
    assert least - ROUNDING <= changed <= most + ROUNDING


def test_the_bound_is_not_idle():
    """Without the term of beta it fails: a large step overshoots."""
    model, x = made(1, 1.0)
    g, before = norm(model, x, 0), score(model, x, 0)
    model.step(x, 0, 1, Pace(50.0, 1.0, False))
    assert score(model, x, 0) - before < 50.0 * g * g


def test_of_a_convex_score_the_printed_bound_of_impairing_is_the_wrong_way_round():
    """E-28: h = theta^2, eta = 0.5, theta = 1 falls by 1, and at least 2 is printed."""
    theta, eta = 1.0, 0.5
    fallen = theta**2 - (theta - eta * 2 * theta) ** 2
    assert fallen == 1.0 < eta * (2 * theta) ** 2 == 2.0


def star(values, m):
    group = mg.claimants_of(np.ones((len(values), 1), bool), m / len(values))
    assert group.closest.tolist() == [m]
    return float(mg.stars(np.array(values)[:, None, None], group).value[0, 0])


def test_a_star_may_fall_though_every_model_below_it_rises():
    """E-29: another pair is the closest then."""
    assert star([0.597, 0.605, 0.620], 2) < star([0.500, 0.600, 0.620], 2)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=7), st.floats(0, 0.2))
def test_where_all_stand_behind_it_a_star_rises_with_them(values, by):
    """alpha = 1: the same models are averaged before and after."""
    raised = [min(1.0, value + by) for value in values]
    assert star(raised, len(values)) >= star(values, len(values)) - 1e-12
