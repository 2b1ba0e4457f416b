"""Coverage of radii: counted by hand, and of GSE's radius in a small world."""

from dataclasses import replace

import numpy as np
import pytest
from made_results import make

import folkmoot as fm

MEANS = np.array([[0.75, 0.5, 0.25], [0.75, 0.5, 0.25], [0.5, 0.75, 0.25], [0.5, 0.25, 0.75]])
COMMON = MEANS.mean(axis=0)


def observed(gossip, radius, **more):
    made = make(replicates=2, means=MEANS)
    shape = (2, 7, 4, 3)
    states = {"gossip": np.broadcast_to(gossip, shape).copy(), "radius": np.broadcast_to(radius, shape).copy()}
    return replace(made, observed=states, **more)


def test_every_agent_and_arm_counts():
    result = observed(COMMON, 0.25)
    result.observed["gossip"][1, 3, 2, 0] += 0.5
    result.observed["gossip"][1, 3, 1, 1] -= 0.25  # exactly at the end: covered
    found = fm.coverage(result)
    assert (found.checkpoints == result.checkpoints).all()
    expected = np.ones((2, 7))
    expected[1, 3] = 11 / 12
    assert found.share == pytest.approx(expected)
    assert found.largest[1, 3] == pytest.approx(2.0)
    assert found.largest.sum() == pytest.approx(2.0)
    assert (found.finite == 1.0).all()


def test_an_infinite_radius_covers_and_one_of_0_only_the_truth():
    result = observed(COMMON + 0.5, np.inf)
    result.observed["radius"][0, 0] = 0.0
    result.observed["gossip"][0, 0, :, 1:] = COMMON[1:]
    found = fm.coverage(result)
    assert found.share[0, 0] == pytest.approx(8 / 12)
    assert found.largest[0, 0] == np.inf
    assert (found.share[1] == 1.0).all()
    assert (found.largest[1] == 0.0).all()
    assert (found.finite[1] == 0.0).all()


def test_own_means_and_means_of_each_replicate():
    result = observed(MEANS, 0.01)
    assert (fm.coverage(result, of="own").share == 1.0).all()
    assert (fm.coverage(result).share < 1.0).all()
    drawn = replace(result, means=np.stack([MEANS, MEANS + 0.125]), gaps=np.zeros((2, 3)))
    assert fm.coverage(drawn, of="own").share.tolist() == [[1.0] * 7, [0.0] * 7]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"estimate": "mean"},
            r"^'mean': not observed; simulate with observe=\('mean', \.\.\.\). Observed are: gossip, ",
        ),
        ({"of": "all"}, r"^of = 'all': allowed are 'common' and 'own'$"),
    ],
)
def test_what_was_not_observed_is_refused(more, said):
    with pytest.raises(ValueError, match=said):
        fm.coverage(observed(COMMON, 0.25), **more)
    with pytest.raises(ValueError, match="has the shape"):
        fm.coverage(replace(observed(COMMON, 0.25), observed={"gossip": np.zeros((2, 7, 4)), "radius": np.zeros(1)}))
    with pytest.raises(ValueError, match="has no means"):
        fm.coverage(replace(observed(COMMON, 0.25), means=None))
