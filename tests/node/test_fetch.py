"""Fetching data sets, without a network."""

import gzip
import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pooch
import pytest
from small_movielens import MOVIES, RATINGS, write

from folkmoot.node.fetch import fetch
from folkmoot.world import mnist, movielens
from folkmoot.world.datasets import DATASETS, load, where


@pytest.fixture(autouse=True)
def no_data(tmp_path, monkeypatch):
    """Nothing to be found but the excerpt; returns the folder of the cache."""
    monkeypatch.delenv("FOLKMOOT_DATA", raising=False)
    monkeypatch.setenv("FOLKMOOT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    """A download that gives the small data set in a zip archive; returns what may be changed."""
    files = {
        "ml-latest-small/ratings.csv": RATINGS,
        "ml-latest-small/movies.csv": MOVIES,
        "ml-latest-small/README.txt": "!",
    }
    sums = {
        n: hashlib.sha256(files[f"ml-latest-small/{n}"].encode()).hexdigest() for n in ("ratings.csv", "movies.csv")
    }
    monkeypatch.setitem(DATASETS, "movielens", replace(DATASETS["movielens"], files=sums))
    calls = []

    def retrieve(url, known_hash, fname, path):
        calls.append(url)
        with zipfile.ZipFile(Path(path) / fname, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return str(Path(path) / fname)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    return files, calls


def test_fetch(publisher, no_data):
    _, calls = publisher
    folder = fetch("movielens")
    assert folder == no_data / "data" / "movielens" == where("movielens")
    assert {f.name for f in folder.iterdir()} == {"ratings.csv", "movies.csv", "README.txt"}
    assert load("movielens", users=2, genres=2).n_agents == 2
    assert fetch("movielens") == folder
    assert calls == ["https://files.grouplens.org/datasets/movielens/ml-latest-small.zip"]
    assert [f.name for f in folder.parent.iterdir()] == ["movielens"]


def nothing_is_left(cache):
    return not any((cache / "data").iterdir())


@pytest.mark.parametrize("name", ["ratings.csv", "movies.csv"])
def test_a_wrong_checksum_is_refused_and_nothing_kept(publisher, no_data, name):
    files, _ = publisher
    expected = DATASETS["movielens"].files[name]
    files[f"ml-latest-small/{name}"] += "\n"
    with pytest.raises(ValueError, match=f"{name} has sha256 [0-9a-f]{{64}}, expected {expected}") as error:
        fetch("movielens")
    assert "may change over time" in str(error.value)
    assert str(no_data / "data" / "movielens") in str(error.value)
    assert "\n" not in str(error.value)
    assert nothing_is_left(no_data)
    assert where("movielens") == movielens.EXCERPT


def test_an_archive_without_the_file(publisher, no_data):
    files, _ = publisher
    del files["ml-latest-small/movies.csv"]
    with pytest.raises(ValueError, match=r"movies.csv is missing"):
        fetch("movielens")
    assert nothing_is_left(no_data)


def test_a_download_that_is_no_archive(no_data, monkeypatch):
    def retrieve(url, known_hash, fname, path):
        (Path(path) / fname).write_text("<html>please log in</html>")
        return str(Path(path) / fname)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(ValueError, match="is no zip archive to unpack"):
        fetch("movielens")
    assert nothing_is_left(no_data)


@pytest.mark.parametrize("problem", [ConnectionError("no route\nto host"), ValueError("wrong"), TimeoutError()])
def test_no_network_says_where_to_put_the_files(no_data, monkeypatch, problem):
    def retrieve(*_, **__):
        raise problem

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(ValueError, match="cannot be downloaded") as error:
        fetch("movielens")
    assert f"put ratings.csv and movies.csv of it into {no_data / 'data' / 'movielens'} by hand" in str(error.value)
    assert type(problem).__name__ in str(error.value)
    assert "\n" not in str(error.value)
    assert nothing_is_left(no_data)


def test_files_put_there_by_hand_are_never_overwritten(publisher, no_data):
    folder = write(no_data / "data" / "movielens", RATINGS.replace("0.5", "1.0"))
    with pytest.raises(ValueError, match=r"holds other files .* remove that folder"):
        fetch("movielens")
    assert "1.0" in (folder / "ratings.csv").read_text()
    assert publisher[1] == []


def test_a_cache_that_cannot_be_written(no_data):
    no_data.write_text("a file where the folder should be")
    with pytest.raises(ValueError, match="cannot be written"):
        fetch("movielens")


def test_an_unknown_name():
    with pytest.raises(ValueError, match="data set 'movielense': unknown; allowed are movielens"):
        fetch("movielense")


def test_fetch_takes_the_four_files_and_keeps_none_when_one_is_wrong(no_data, monkeypatch):
    calls = []

    def retrieve(url, known_hash, fname, path):
        calls.append(url)
        (Path(path) / fname).write_bytes(gzip.compress(b"other digits"))
        return str(Path(path) / fname)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte.gz has sha256 [0-9a-f]{64}, expected ba891046"):
        fetch("mnist")
    assert [url.rpartition("/")[2] for url in calls] == list(mnist.CONTENTS)
    assert nothing_is_left(no_data)
