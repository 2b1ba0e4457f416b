"""The images that are drawn: the same ones for a seed, ten kinds, and neither hopeless nor easy."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from folkmoot.multiparty.games import DATA
from folkmoot.multiparty.games.shapes import SHAPES, Shapes, draw


def _drawn(seed, n=40):
    return draw(np.arange(n) % 10, np.random.default_rng(seed))


def test_the_same_seed_draws_the_same_images():
    assert np.array_equal(_drawn(3), _drawn(3))
    assert not np.array_equal(_drawn(3), _drawn(4))


def test_images_are_as_the_networks_take_them():
    x = _drawn(1)
    assert (x.shape, x.dtype) == ((40, 1, 28, 28), np.float32)
    assert x.min() >= 0.0
    assert x.max() <= 1.0
    assert draw(np.zeros(0, np.int64), np.random.default_rng(1)).shape == (0, 1, 28, 28)


def test_a_data_set_has_as_many_of_each_shape():
    samples = Shapes(train=200, test=50).load(np.random.default_rng(2))
    assert [len(part) for part in samples] == [200, 200, 50, 50]
    assert np.bincount(np.concatenate([samples.y, samples.test_y])).tolist() == [25] * len(SHAPES)
    assert samples.y.dtype == np.int64
    assert DATA["shapes"] is Shapes


def test_they_can_be_told_apart_and_not_by_a_few_pixels():
    samples = Shapes(train=600, test=400).load(np.random.default_rng(5))
    flat = samples.x.reshape(600, -1)
    share = LogisticRegression(C=0.1, max_iter=40, tol=1e-2).fit(flat, samples.y).score(
        samples.test_x.reshape(400, -1), samples.test_y
    )  # fmt: skip
    # 400 samples: five standard errors are 0.125. One in ten is chance; of so many digits of MNIST it tells over 0.8.
    assert 0.35 < share < 0.8


def test_sizes_out_of_range_are_refused():
    with pytest.raises(ValueError, match="train"):
        Shapes(train=5)
