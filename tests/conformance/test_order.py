"""Tests of one algorithm come one after the other, so that workers seldom compile the same thing at the same time."""

from itertools import groupby
from pathlib import Path

import pytest
from cases import CASES, Case


@pytest.mark.parametrize("case", CASES[:2], ids=[case.name for case in CASES[:2]])
def test_all_of_an_algorithm_stand_together(case: Case, request: pytest.FixtureRequest) -> None:
    names = []
    for item in request.session.items:
        one = getattr(item, "callspec", None) and item.callspec.params.get("case")
        if Path(__file__).parent in item.path.parents and isinstance(one, Case):
            names.append(type(one.algorithm).__name__)
    runs = [name for name, _ in groupby(names)]
    assert type(case.algorithm).__name__ in runs
    assert len(runs) == len(set(runs))
