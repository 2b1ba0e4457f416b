"""Data sets: where they are found."""

from dataclasses import replace

import pytest
from small_movielens import write

from folkmoot.node import fetch
from folkmoot.world import datasets, movielens
from folkmoot.world.datasets import DATASETS, load, where

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
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "os" / name)
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


@pytest.mark.parametrize("function", [load, where])
def test_unknown_names(function):
    with pytest.raises(ValueError, match="data set 'movielense': unknown; allowed are movielens"):
        function("movielense")


def test_a_data_set_that_is_not_shipped(monkeypatch):
    monkeypatch.setitem(DATASETS, "movielens", replace(DATASETS["movielens"], excerpt=None))
    with pytest.raises(ValueError, match="not found; run 'folkmoot data fetch movielens'"):
        where("movielens")


def test_fetching_is_elsewhere_now():
    with pytest.warns(DeprecationWarning, match=r"datasets\.fetch is now folkmoot\.node\.fetch\.fetch"):
        assert datasets.fetch is fetch.fetch
    with pytest.raises(AttributeError, match="no attribute 'fetsch'"):
        _ = datasets.fetsch
