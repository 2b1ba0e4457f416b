"""The search finds each rule that is broken on purpose, and no adversary that wins against the rules as they are."""

from dataclasses import replace

import pytest

from .arena import opened, outcome
from .drawing import draw
from .programs import Away, Draw, Rule, minimised
from .search import search, sharing, smallest
from .twins import RULES, broken

DRAWS = 100
ALWAYS = tuple(range(1, 9))

# An adversary that finds each rule wanting when it is broken: the first of its focus, from 0 on.
FOUND = {
    "salt": 74,
    "sortition": 16,
    "bytes": 140,
    "evidence": 132,
    "exclusion": 182,
    "evidence unchecked": 1287,
    "pushing": 39,
    "heights": 19,
    "turns": 19,
    "answers": 8152,
    "confirmations": 322,
    "lock": 126,
    "precommit": 33,
    "quorum": 10,
    "vote signatures": 112,
    "value signatures": 250,
    "relay rounds": 868,
    "trimming": 18,
    "strike out": 109,
    "gives way": 237,
    "claims": 23,
    "environment": 93,
    "claimed once": 23,
    "silence": 3,
}


def test_drawn_adversaries_reach_no_goal():
    report = search(0, DRAWS)
    assert [(one.seed, one.goal, one.detail) for one in report.found] == []
    assert report.draws == DRAWS
    for goal in ("stop", "split", "range", "money", "trust", "lot", "pin", "replay", "frame", "memory", "crash"):
        assert report.tried[goal] > 0, goal


def test_every_rule_that_can_be_broken_has_its_adversary():
    assert set(FOUND) == set(RULES)


@pytest.mark.parametrize("rule", FOUND)
def test_a_broken_rule_is_found(rule):
    with broken(rule), sharing():
        found = draw(FOUND[rule])
        win, _ = outcome(found, opened(found.board))
    assert win is not None
    assert win.goal in RULES[rule].goals


# Programs that won before their rule was there, by the rule that stops them now.
ATTACKS = {
    "reports to different halves stop no block": ("pushing", Draw(
        1, "attack", 6, (1, 4), 1,
        (Rule(1, "report", "withhold", (0, 3, 6), ALWAYS), Rule(4, "report", "withhold", (0, 2, 5), ALWAYS),
         Rule(1, "proposal", "withhold", (0, 2, 3, 5, 6), ALWAYS),
         Rule(4, "proposal", "withhold", (0, 2, 3, 5, 6), ALWAYS)),
    )),
    "an unsigned vote of a far height redirects no request": ("heights", Draw(
        1, "attack", 3, (3,), 3,
        (Rule(3, "prevote", "say", (0,), ALWAYS, "unsigned, a far height", stages=tuple(range(1, 12))),
         Rule(3, "blocks", "withhold", (0,), ALWAYS)),
        Away(0, 1, 2),
    )),
    "a mute lowest confirmer pins nobody": ("turns", Draw(
        1, "attack", 3, (0,), 3, (Rule(0, "blocks", "withhold", (1,), ALWAYS),), Away(1, 1, 2),
    )),
    "blocks that nobody asked for are no answer": ("answers", Draw(
        1, "attack", 0, (2,), 4,
        (Rule(2, "confirmation", "late", (0, 1, 3), ALWAYS), Rule(2, "blocks", "withhold", (1,), ALWAYS)),
        Away(1, 1, 2, crash=True, stage=9),
    )),
    "an old confirmation in another's name stops no block": ("confirmations", Draw(
        1, "attack", 3, (3,), 3,
        (Rule(3, "old", "say", (0, 1, 2), (2, 3), "confirmations of the last block, for the next", stages=(8,)),),
    )),
    "blocks of an earlier game are nobody's": ("salt", Draw(
        1, "attack", 3, (3,), 2, (Rule(3, "blocks", "say", (0, 1, 2), ALWAYS, "of an earlier game", stages=(1,)),),
    )),
    "a reward that the pull did not bring is not paid": ("environment", Draw(
        1, "attack", 3, (3,), 3, (Rule(3, "report", "other", (0, 1, 2), ALWAYS, "claims 1"),),
    )),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack(attack):
    rule, found = ATTACKS[attack]
    with sharing():
        assert outcome(found, opened(found.board))[0] is None
    with broken(rule), sharing():
        win, _ = outcome(found, opened(found.board))
    assert win is not None
    assert win.goal in RULES[rule].goals


def test_the_same_seed_is_the_same_game_for_any_number_of_processes():
    one, two = (search(0, 30, "sortition", jobs=jobs) for jobs in (1, 2))
    assert [found[:3] for found in one.found] == [found[:3] for found in two.found] != []
    assert one.tried == two.tried
    assert draw(7) == draw(7) != replace(draw(8), seed=7)


def test_a_program_that_wins_is_made_small_and_still_wins():
    with broken("environment"), sharing():
        attack = ATTACKS["a reward that the pull did not bring is not paid"][1]
        idle = Rule(3, "want", "twice", (0, 1), (1, 2))
        large = replace(attack, rules=(idle, *attack.rules, idle), liars_first=True)
        board = opened(large.board)
        small = minimised(large, lambda other: outcome(other, board)[0] is not None)
        assert outcome(small, board)[0].goal == "money"
    ((rule,), plain) = small.rules, small.liars_first
    assert (rule.kind, rule.way, len(rule.rounds), plain) == ("report", "claims 1", 1, False)
    assert "instead of report: claims 1" in str(small)


def test_the_smallest_program_of_a_seed_is_printed():
    with broken("sortition"), sharing():
        found, win = smallest(FOUND["sortition"])
    assert win.goal == "lot"
    assert len(found.rules) == 1
