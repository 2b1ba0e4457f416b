"""The search finds each rule that is broken on purpose, and no lie that wins against the rules as they are."""

import pytest

from .drawing import draw
from .search import play, search
from .twins import RULES, broken

DRAWS = 4

# Lies that find each rule wanting when it is broken: the first from 0 on.
FOUND = {
    "gate": 0,
    "objection and gain": 0,
    "reverting": 53,
    "candidates that are wrong": 46,
    "the lower median": 1821,
    "silence is a no": 91,
    "ballots are of the check set": 6,
    "foreign labels": 6,
    "excess": 18,
    "duplicates": 54,
    "vouching": 10,
}


def test_drawn_lies_reach_no_goal():
    found, played, _ = search(0, DRAWS)
    assert found == []
    assert played == DRAWS


def test_every_rule_that_can_be_broken_has_its_lie():
    assert set(FOUND) == set(RULES)


@pytest.mark.parametrize("rule", FOUND)
def test_a_broken_rule_is_found(rule):
    with broken(rule):
        win = play(FOUND[rule], RULES[rule].goals)
    assert win is not None
    assert win.goal in RULES[rule].goals


def test_the_same_seed_is_the_same_lies():
    assert draw(7) == draw(7) != draw(8)
    assert "of 10 with 3 classes each" in str(draw(7))
