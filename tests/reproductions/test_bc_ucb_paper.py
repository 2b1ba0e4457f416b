"""What the BC-UCB reproduction derives, and what an observer of blocks finds out, by hand or in small."""

from pathlib import Path

import pytest

from folkmoot.reproductions.papers import perform

PAPERS = Path(__file__).parents[2] / "papers"


def call(module, function, *arguments):
    return perform(PAPERS, "bc_ucb", module, function, *arguments)


def test_blocks_show_every_pull_and_count_to_whoever_reads_numbers():
    """A mean that moves tells the arm and, by how far it moves, the count; one at 0 or 1 need not move, here twice."""
    assert call("observer", "found_out", 32, False, 45, 4, 3) == (1.0, 1.0)
    assert call("observer", "found_out", 32, False, 45, 4, 1)[0] == 174 / 176


def test_a_coarse_grid_hides_pulls_from_who_reads_numbers_and_not_from_who_knows_the_rule():
    """At 2**-4 most pulls change no reported mean; but what is pulled follows from counts and public numbers."""
    numbers, rule = (call("observer", "found_out", 4, knows, 120, 4, 3) for knows in (False, True))
    assert numbers[0] < 0.8
    assert rule[0] > 0.9


def test_what_liars_stop_at_most():
    """P(honest drawn <= liars drawn), liars with twice the trust, by the product of two binomial laws beforehand."""
    found = [call("worst", "most_lost", liars, expected, 2.0) for liars, expected in ((2, 10), (3, 10), (3, 20))]
    assert found == pytest.approx([0.05373, 0.27603, 0.03770], abs=1e-5)


def test_split_views_shift_more_than_extreme_reports():
    """-1.352 twice, -0.757, -0.353 and 0 of seven normals, by their tables; without the split, once."""
    twice = (2 * 1.3522 + 0.7574 + 0.3527) / 5
    assert call("derived", "split_shift", 10, 3, 3) == pytest.approx(twice, abs=1e-3)
    assert call("derived", "shift", 10, 3, 3, True) == pytest.approx((1.3522 + 0.7574 + 0.3527) / 4, abs=1e-3)
