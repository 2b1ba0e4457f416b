"""MNIST: found, checked, read; and what is said where it is not."""

import gzip
import os

import numpy as np
import pytest

from folkmoot.errors import DamagedFile
from folkmoot.world import datasets, mnist

GIVEN = os.environ.get("FOLKMOOT_DATA")  # the tests of this folder run without it


@pytest.fixture
def found(monkeypatch):
    if GIVEN is not None:
        monkeypatch.setenv("FOLKMOOT_DATA", GIVEN)
    try:
        return datasets.where("mnist")
    except ValueError:
        pytest.skip("set FOLKMOOT_DATA to a folder with the four files of MNIST")


def test_the_digits_are_those_of_the_publisher(found):
    digits = mnist.read(found)
    assert digits.train_images.shape == (60_000, 1, 28, 28)
    assert digits.test_images.shape == (10_000, 1, 28, 28)
    assert digits.train_images.dtype == np.float32
    assert (digits.train_images.min(), digits.train_images.max()) == (0.0, 1.0)
    # Numbers of each digit, from the data set's page.
    assert np.bincount(digits.train_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(digits.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    monkeypatch.delenv("FOLKMOOT_DATA", raising=False)
    monkeypatch.setenv("FOLKMOOT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "data" / "mnist"


def test_where_it_is_absent_the_message_says_where_to_put_it(nowhere):
    with pytest.raises(
        ValueError, match="data set mnist: not found; run 'folkmoot data fetch mnist', or put"
    ) as caught:
        datasets.load_mnist()
    assert str(nowhere) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_it_is_no_data_set_for_bandits():
    with pytest.raises(ValueError, match="data set mnist: it has no rewards for bandits"):
        datasets.load("mnist")


@pytest.mark.parametrize(
    "content",
    [b"not gzip", gzip.compress(b"other digits", mtime=0), gzip.compress(b"", mtime=0)[:-4]],
    ids=["not gzip", "other digits", "cut off"],
)
def test_other_files_are_refused_by_name(nowhere, content):
    nowhere.mkdir(parents=True)
    for name in mnist.CONTENTS:
        (nowhere / name).write_bytes(content)
    with pytest.raises(
        DamagedFile, match=r"train-images-idx3-ubyte.gz: (cannot be read as a gzip|its content has)"
    ) as e:
        datasets.load_mnist()
    assert "\n" not in str(e.value)


def test_a_file_that_unpacks_without_end_is_not_read_to_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "_MOST", 1000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"\0" * 10_000_000))
    with pytest.raises(DamagedFile, match="holds more than 1000 bytes"):
        mnist.content(path)
