"""Rows put together over neighbours, against the plainest loops: the same bits, interpreted and compiled."""

import numpy as np
import pytest
from jitted import jit

from folkmoot.algorithms import rows

ARMS = [1, 2, 3, 4, 5, 7, 8, 9, 12, 31, 32, 33, 100]
DEGREES = [0, 1, 3, 4, 5, 9]


@jit
def average(own, i, heard, neighbours, n_arms, divisor):
    rows.average(own, i, heard, neighbours, n_arms, divisor)


@jit
def intersect(own, i, heard, neighbours, n_arms):
    return rows.intersect(own, i, heard, neighbours, n_arms)


@jit
def raise_to(own, i, heard, neighbours, n_arms):
    rows.raise_to(own, i, heard, neighbours, n_arms)


def world(n_arms, degree, kind):
    """Rows of eleven agents, told as they are, and neighbours of agent 5."""
    rng = np.random.default_rng(n_arms * 100 + degree)
    if kind is bool:
        own = rng.random((11, n_arms)) < 0.9
    elif kind is float:
        own = rng.normal(size=(11, n_arms)) * 10.0 ** rng.integers(-8, 8, (11, n_arms))
    else:
        own = rng.integers(0, 1_000, (11, n_arms))
    others = np.delete(np.arange(11), 5)
    return own.copy(), own, np.sort(rng.choice(others, degree, replace=False)).astype(np.int32)


@pytest.mark.parametrize("n_arms", ARMS)
@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize("function", [rows.average, average], ids=["interpreted", "compiled"])
def test_an_average_adds_in_the_order_of_the_neighbours(function, n_arms, degree):
    own, heard, neighbours = world(n_arms, degree, float)
    expected = heard.copy()
    for k in range(n_arms):
        total = 0.0
        for j in neighbours:
            total += heard[j, k]
        expected[5, k] = heard[5, k] + (total - degree * heard[5, k]) / 11
    function(own, 5, heard, neighbours, n_arms, 11)
    assert own.tobytes() == expected.tobytes()


@pytest.mark.parametrize("n_arms", ARMS)
@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize("function", [rows.intersect, intersect], ids=["interpreted", "compiled"])
def test_an_intersection_keeps_what_all_have_and_counts_it(function, n_arms, degree):
    own, heard, neighbours = world(n_arms, degree, bool)
    expected = own.copy()
    expected[5] &= heard[neighbours].all(axis=0)
    assert function(own, 5, heard, neighbours, n_arms) == expected[5].sum()
    assert (own == expected).all()


@pytest.mark.parametrize("kind", [int, float])
@pytest.mark.parametrize("n_arms", ARMS)
@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize("function", [rows.raise_to, raise_to], ids=["interpreted", "compiled"])
def test_what_is_raised_is_the_largest_of_all(function, n_arms, degree, kind):
    own, heard, neighbours = world(n_arms, degree, kind)
    expected = own.copy()
    expected[5] = np.maximum(own[5], heard[neighbours].max(axis=0, initial=-(10**18)))
    function(own, 5, heard, neighbours, n_arms)
    assert (own == expected).all()
