"""What tests of data sets share: no data but those a test puts there."""

import pytest
from small_movielens import write


@pytest.fixture(autouse=True)
def no_data(tmp_path, monkeypatch):
    """Nothing to be found but the excerpt; returns the folder of the cache."""
    monkeypatch.delenv("FOLKMOOT_DATA", raising=False)
    monkeypatch.setenv("FOLKMOOT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def small(tmp_path, monkeypatch):
    """$FOLKMOOT_DATA with a small data set; returns its folder."""
    monkeypatch.setenv("FOLKMOOT_DATA", str(tmp_path / "given"))
    return write(tmp_path / "given" / "movielens")
