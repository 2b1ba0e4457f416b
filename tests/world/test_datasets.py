"""Data sets: where they are found, and fetching them without a network."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pooch
import pytest

from folkmoot.world import datasets, movielens
from folkmoot.world.datasets import DATASETS, fetch, load, where

from .small_movielens import MOVIES, RATINGS, write

# --- Where ------------------------------------------------------------------------------------------------


def test_the_order_of_the_places(no_data, tmp_path, monkeypatch):
    given = tmp_path / "given"
    given.mkdir()
    assert where("movielens") == movielens.EXCERPT
    cached = write(no_data / "data" / "movielens")
    assert where("movielens") == cached
    monkeypatch.setenv("FOLKMOOT_DATA", str(given))
    assert where("movielens") == cached
    write(given)
    assert where("movielens") == given
    write(given / "movielens")
    assert where("movielens") == given / "movielens"


def test_the_cache_is_the_operating_systems_when_not_told(tmp_path, monkeypatch):
    monkeypatch.delenv("FOLKMOOT_CACHE")
    monkeypatch.setattr(datasets, "user_cache_path", lambda name: tmp_path / "os" / name)
    write(tmp_path / "os" / "folkmoot" / "data" / "movielens")
    assert where("movielens") == tmp_path / "os" / "folkmoot" / "data" / "movielens"


@pytest.mark.parametrize("missing", ["ratings.csv", "movies.csv"])
def test_half_a_data_set_is_an_error(small, missing):
    (small / missing).unlink()
    with pytest.raises(ValueError, match=f"{missing} is missing"):
        load("movielens")


def test_folkmoot_data_must_be_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOLKMOOT_DATA", str(tmp_path / "none"))
    with pytest.raises(ValueError, match=r"FOLKMOOT_DATA = .*none': expected a folder"):
        load("movielens")


def test_other_sizes_need_the_full_data(no_data):
    with pytest.raises(ValueError, match="users = 30, genres = 5: the package ships users = 20, genres = 5") as error:
        load("movielens", users=30)
    assert "folkmoot data fetch movielens" in str(error.value)
    assert str(no_data / "data" / "movielens") in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("function", [load, where, fetch])
def test_unknown_names(function):
    with pytest.raises(ValueError, match="data set 'movielense': unknown; allowed are movielens"):
        function("movielense")


def test_a_data_set_that_is_not_shipped(monkeypatch):
    monkeypatch.setitem(DATASETS, "movielens", replace(DATASETS["movielens"], excerpt=None))
    with pytest.raises(ValueError, match="not found; run 'folkmoot data fetch movielens'"):
        where("movielens")


# --- Fetching -----------------------------------------------------------------------------------------------


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
