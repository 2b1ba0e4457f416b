"""Certificates of recommendations: the filter by hand, what it sends, and that it is off by default."""

from math import inf

import numpy as np
import pytest
from corrupted import problem, simulate

import folkmoot as fm
from folkmoot.algorithms.certificates import drop_beaten
from folkmoot.interface import init, outbox, possible

EASY = np.array([[0.1, 0.2], [0.9, 0.9], [0.3, 0.1]])
BEST = 1


def after_filter(active, lower, upper, heard):
    """Arms left to agent 0; `heard` has what neighbours 1, 2, ... recommend: arm, and its interval or None."""
    p = fm.S3Cert(filtering=True).params(problem(n=1 + len(heard), verification=99))
    state, box = init(p), outbox(p)
    state.active[0] = active
    state.lower[0], state.upper[0] = lower, upper
    for j, (arm, interval) in enumerate(heard, start=1):
        box.favourite[j], box.certified[j] = arm, interval is not None
        if interval is not None:
            box.lower[j], box.upper[j] = interval
    drop_beaten(p, state, 0, box, np.arange(1, 1 + len(heard)))
    return np.flatnonzero(state.active[0]).tolist()


OPEN = [-inf] * 5, [inf] * 5  # no certificate of one's own


@pytest.mark.parametrize(
    ("active", "own", "heard", "left"),
    [
        ([1, 1, 1, 0, 0], OPEN, [(1, None), (2, None)], [0, 1, 2]),  # nothing is known against anybody
        ([1, 1, 1, 0, 0], OPEN, [(1, (0.5, 0.7)), (2, (0.1, 0.4))], [0, 1]),  # arm 2 ends below 0.5
        ([1, 1, 1, 0, 0], OPEN, [(1, (0.5, 0.7)), (2, (0.1, 0.5))], [0, 1, 2]),  # at 0.5: it may be as good
        ([1, 0, 1, 0, 0], ([0.6, 0.1, 0.1, 0, 0], [0.8, 0.2, 0.3, 1, 1]), [(2, None)], [0]),  # own certificates count
        ([0, 1, 0, 0, 0], ([0.1, 0.1, 0, 0.6, 0], [0.2, 0.2, 1, 0.8, 1]), [(1, None)], [3]),  # none is left: the best
        ([0, 1, 0, 0, 0], ([0, 0, 0, 0, 0], [1, 0.5, 1, 1, 1]), [(4, (0.6, 0.7))], [4]),  # by a certificate heard
    ],
)
def test_the_filter_by_hand(active, own, heard, left) -> None:
    assert after_filter(active, *own, heard) == left


def test_an_interval_whose_ends_are_swapped_or_no_numbers_is_refused() -> None:
    p = fm.S3Cert(filtering=True).params(problem(verification=9))
    for ends, allowed in (((0.2, 0.4), True), ((0.4, 0.2), False), ((np.nan, 0.4), False), ((0.4, np.nan), False)):
        box = outbox(p)
        box.lower[1], box.upper[1] = ends
        assert possible(box, p, 1, 5) == allowed


def test_a_recommendation_with_its_certificate_is_three_numbers() -> None:
    """Three agents, three arms: epochs end in rounds 3, 9, 21, 45, 93; ten verified samples, d = 2."""
    sent = [
        simulate(fm.S3Cert(filtering=f), "linear", 100, means=EASY, verification=10).bytes[0] for f in (False, True)
    ]
    assert sent == [5 * 3 * 2 * 8 + 10 * 2 * 24, 5 * 3 * 2 * 24 + 10 * 2 * 24]


def test_below_the_threshold_it_saves_the_team_from_arms_that_are_proven_bad() -> None:
    """Two arms are close and two are not; nobody can commit, yet the bad ones are out, whatever the adversary does."""
    means = np.array([[0.9], [0.8], [0.1], [0.1]])
    more = {"verification": 400, "corruption": fm.Swap(budget=3 * 600), "means": means}
    plain, filtered = (
        simulate(fm.S3Cert(radius="naive", delta=0.1, filtering=f), "scalar", 600, **more) for f in (False, True)
    )
    assert (plain.decisions == -1).all()
    assert (filtered.decisions == -1).all()
    bad = [int(r.team_pulls[0, -1, 2:].sum() - r.team_pulls[0, 299, 2:].sum()) for r in (plain, filtered)]
    assert bad[1] == 0 < bad[0]
    assert filtered.regret[0, -1] < plain.regret[0, -1]


def test_without_a_verified_pull_it_is_s3() -> None:
    """The always valid track of Theorem 3 (1): with nothing proven, nothing is dropped."""
    attack = fm.Suppress(budget=100)
    plain, filtered = (simulate(a, "linear", corruption=attack) for a in (fm.S3(), fm.S3Cert(filtering=True)))
    assert (plain.pulls == filtered.pulls).all()
