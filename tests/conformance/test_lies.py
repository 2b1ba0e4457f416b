"""Every algorithm's messages can be lied in: what is said is heard, in its own row alone, and it is possible."""

from typing import Any

import numpy as np
import pytest
from cases import CASES, Case
from test_agents import job_of

from folkmoot.interface import IMPLEMENTATIONS, claim, late_outbox, outbox, possible, said, say

ROUND, AGENT = 37, 2
BOXES = [
    (case, exchange, f"{case.name}, {('first', 'second')[exchange]} exchange") for case in CASES for exchange in (0, 1)
]


def box_of(case: Case, exchange: int) -> tuple[Any, Any]:
    params = job_of(case, "complete, p = .7").params()
    return params, (outbox(params), late_outbox(params))[exchange]


TALK = [
    (case, exchange, name) for case, exchange, name in BOXES if sum(c.nbytes for c in box_of(case, exchange)[1]) > 0
]
every_message = pytest.mark.parametrize(("case", "exchange"), [t[:2] for t in TALK], ids=[t[2] for t in TALK])


@every_message
def test_it_says_how_to_lie_in_it(case: Case, exchange: int) -> None:
    _, box = box_of(case, exchange)
    assert {(type(box), "say"), (type(box), "said")} <= IMPLEMENTATIONS.keys()


@every_message
@pytest.mark.parametrize("most", [False, True], ids=["own counts", "most counts"])
def test_what_is_said_is_heard_and_possible(case: Case, exchange: int, most: bool) -> None:
    """Estimates to the last bits, recommendations and arms in play by the best; other rows stay as they are."""
    params, box = box_of(case, exchange)
    for column in box:
        column[:] = 1
    before = [column.copy() for column in box]
    words = np.array([0.25, 0.75, 0.0, 0.5])
    if most:
        claim(box, params, AGENT, ROUND)
    say(box, params, AGENT, words)
    told = np.full(4, np.nan)
    said(box, params, AGENT, told)
    fields = set(box._fields)
    if fields & {"gossip", "mean", "total", "reported", "heard_mean", "row", "sum"}:
        np.testing.assert_allclose(told, words)
    elif fields & {"favourite", "active"}:
        assert told.tolist() == [0.0, 1.0, 0.0, 0.0]
    elif "reward" in fields:
        assert told[box.arm[AGENT]] == words[box.arm[AGENT]]
    else:
        assert fields == {"largest"}, "no other message has no estimates"
    assert possible(box, params, AGENT, ROUND)
    for was, now in zip(before, box, strict=True):
        assert (np.delete(was, AGENT, axis=0) == np.delete(now, AGENT, axis=0)).all()


@every_message
def test_the_most_counts_are_the_most_that_are_possible(case: Case, exchange: int) -> None:
    """One more would be found out."""
    params, box = box_of(case, exchange)
    for column in box:
        column[:] = 1
    claim(box, params, AGENT, ROUND)
    changed = [column for column in box if (column[AGENT] == ROUND).any()]
    assert possible(box, params, AGENT, ROUND)
    if any(column.dtype.kind == "i" for column in changed):
        assert not possible(box, params, AGENT, ROUND - 1)
