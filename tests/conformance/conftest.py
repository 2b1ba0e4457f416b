"""The order of these tests: all of an algorithm, one after the other.

What is compiled for an algorithm serves several tests. Workers that share the tests take them in long runs; in the
order of the files two of them came to one algorithm at the same time, and both compiled it.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def in_runs(algorithms: Iterable[str | None]) -> list[int]:
    """The places of the tests in their new order: algorithms as they first come, then tests of none (None)."""
    names = list(algorithms)
    first = {name: names.index(name) for name in names if name is not None}
    return sorted(range(len(names)), key=lambda place: first.get(names[place], len(names)))


def algorithm_of(item: pytest.Item) -> str | None:
    """Of the case with which a test is called."""
    case = getattr(item, "callspec", None) and item.callspec.params.get("case")
    return type(case.algorithm).__name__ if hasattr(case, "algorithm") else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = [place for place, item in enumerate(items) if HERE in item.path.parents]
    here = [items[place] for place in places]
    for place, chosen in zip(places, in_runs(algorithm_of(item) for item in here), strict=True):
        items[place] = here[chosen]
