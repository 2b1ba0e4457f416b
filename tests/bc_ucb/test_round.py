"""Each rule of a round by hand; and broken once: the loop and the participants both show it, and alike."""

import subprocess
import sys

import numpy as np
import pytest
from small_game import BURN_IN, by_the_loop, different, small_game

from folkmoot.agreement import links
from folkmoot.bc_ucb import round as a_round
from folkmoot.bc_ucb import tally as a_tally
from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.contract import MOST_REPORT, ONE, Terms, blank_entry
from folkmoot.bc_ucb.protocol import play
from folkmoot.comparison import functionality

LEAST = -(1 << 63)


@pytest.mark.parametrize(
    ("mean", "honest", "expected"),
    [
        (0, True, True),
        (MOST_REPORT, True, True),
        (-MOST_REPORT, True, True),
        (-(ONE >> 4), True, True),
        (ONE >> 5, True, False),  # off the grid of four bits
        (MOST_REPORT + (ONE >> 4), True, False),
        (LEAST, True, False),
        (0, False, False),
    ],
)
def test_which_reports_count(mean, honest, expected):
    terms = Terms(2, 2, 0, 2, 0, 0, 0, ONE, resolution=4)
    entry = blank_entry(terms)
    entry.reports[:] = [[1, 1], [0, mean]]
    a_round.admit(terms, entry, 1, honest)
    assert entry.present.tolist() == [False, expected]
    assert entry.silent.tolist() == [True, False]
    assert entry.reports.tolist() == [[1, 1], [0, mean if expected else 0]]


@pytest.mark.parametrize(("reward", "can_be"), [(0, True), (ONE, True), (ONE + 1, False), (-1, False), (LEAST, False)])
def test_which_rewards_can_be(reward, can_be):
    assert a_round.payable(reward) is can_be


def test_whom_a_validator_names():
    """Of 3, 1, 2, 2, 9 with one to drop on either side: neither 1 nor 9; of two heard, nobody."""
    reports = np.array([[3, 0], [1, 0], [2, 0], [2, 0], [9, 0]])
    params, sets = Params(5, 2, BURN_IN, 2.0, 1500, 1000, 1, True, True), np.ones((2, 5, 2), np.bool_)
    a_round.named(params, np.ones(5, np.bool_), reports, sets, 1)
    assert sets[1, :, 0].tolist() == [True, False, True, True, False]
    assert sets[1, :, 1].tolist() == [False, True, True, True, False]  # ties go to the lower number
    assert sets[0].all()
    a_round.named(params, np.array([True, True, False, False, False]), reports, sets, 0)
    assert not sets[0].any()


@pytest.mark.parametrize(
    ("present", "without_block", "passed", "expected"),
    [
        ([1, 1, 1, 1, 0], False, [1, 1, 1, 0, 0], [1, 1, 1, 0, 0]),  # more than 2 f: screening decides
        ([1, 1, 1, 1, 0], False, [1, 1, 0, 0, 0], [1, 1, 1, 1, 0]),
        ([1, 1, 1, 1, 0], True, [1, 1, 1, 0, 0], [1, 1, 1, 1, 0]),
        ([1, 1, 0, 0, 0], True, [1, 0, 0, 0, 0], [1, 1, 0, 0, 0]),  # nobody is heard who did not report
    ],
)
def test_screening_that_would_stop_the_game_hears_all_who_reported(present, without_block, passed, expected):
    params, heard = Params(5, 2, BURN_IN, 2.0, 1500, 1000, 1, True, True), np.array(passed, np.bool_)
    a_round.hear(params, np.array(present, np.bool_), without_block, heard)
    assert heard.tolist() == [bool(one) for one in expected]
    heard[:] = passed
    a_round.hear(params._replace(gives_way=False), np.array(present, np.bool_), without_block, heard)
    assert heard.tolist() == [bool(one) for one in passed]  # as in version 0.1.0


def test_a_set_speaks_for_its_reports_only():
    sets = np.ones((2, 3, 2), np.bool_)
    a_round.strike_out(sets, 1, np.array([True, False, True]))
    assert sets[0].all()
    assert sets[1].all(axis=1).tolist() == [True, False, True]


def test_burn_in_is_paid_at_once_and_later_rounds_with_their_report():
    params = Params(4, 3, 6, 2.0, 1500, 1000, 1, True, True)
    assert [a_round.arm_in_turn(params, t) for t in range(1, 7)] == [0, 1, 2, 0, 1, 2]
    assert a_round.is_paid(params, 6, False)
    assert not a_round.is_paid(params, 7, False)
    assert a_round.is_paid(params, 7, True)


# --- Broken once ---------------------------------------------------------------------------------------------------


def _learn_nothing(state, i, arm, reward):
    state.pulls[i, arm] += 1


def _name_only_the_first(params, heard, reports, sets, row):
    sets[row] = False
    sets[row, 0] = heard[0]


def _hear_three(params, present, without_block, heard):
    heard[3:] = False


def _admit_unpaid(terms, entry, m, honest):
    entry.silent[m], entry.present[m], entry.paid[m] = False, honest and a_round.usable(terms, entry.reports, m), 0
    entry.reports[m] *= entry.present[m]


def _enter_backwards(terms, accounts, sets, n_sets, entry, elapsed, estimates, members):
    from folkmoot.bc_ucb.contract import book, validated

    approved = validated(terms, sets, n_sets, entry.reports, estimates, members)
    if approved:
        book(terms, accounts, entry._replace(present=np.zeros_like(entry.present)), elapsed, estimates)
    return approved


SPREAD = {"m": 7, "validators": 14, "seed": 5, "more": {"report": "sign_flip"}}
BROKEN = {
    "in_burn_in": (a_round, lambda params, t: t <= params.burn_in + 2, {}),
    "arm_in_turn": (a_round, lambda params, t: 0 if t < 4 else (t - 1) % params.n_arms, {}),
    "is_paid": (a_round, lambda params, t, reported: t <= params.burn_in, {}),
    "learn": (a_round, _learn_nothing, {}),
    "is_missed": (links, lambda t, last: False, {"attack": "bare_majority", **SPREAD}),
    "is_remembered": (links, lambda t, lost: False, {"attack": "bare_majority", **SPREAD}),
    "payable": (a_round, lambda reward: reward == 0, {}),
    "usable": (a_round, lambda terms, reports, m: m != 2, {}),
    "admit": (a_round, _admit_unpaid, {"trust": 1}),
    "named": (a_round, _name_only_the_first, {}),
    "hear": (a_round, _hear_three, {}),
    "strike_out": (
        a_round,
        lambda sets, row, spoken_for: None,
        {"attack": "allies_only", "more": {"report": "constant", "value": 7.9}, "combination": 1},
    ),
    "enter_round": (a_round, _enter_backwards, {}),
    "suffices": (functionality, lambda numerator, denominator, count, own: True, {"attack": "congest"}),
    "count_pulls": (a_tally, lambda tally, r, c, arms, malicious, paid: None, {}),
    "has_entered": (a_tally, lambda malicious, members: True, {}),
    "count_block": (a_tally, lambda tally, r, c, malicious, members: None, {}),
    "close_checkpoint": (a_tally, lambda tally, r, c, estimates: c + 1, {}),
    "close_game": (a_tally, lambda tally, r, n_validators, units, proven: None, {}),
}


def _replaced(monkeypatch, home, name, broken):
    """Wherever the package has this function under its name, it now has the broken one."""
    right = getattr(home, name)
    for module in [m for key, m in sys.modules.items() if key.startswith("folkmoot.")]:
        if getattr(module, name, None) is right:
            monkeypatch.setattr(module, name, broken)


@pytest.mark.parametrize("case", BROKEN)
def test_a_rule_broken_once_is_broken_for_the_loop_and_for_participants(monkeypatch, case):
    home, broken, settings = BROKEN[case]
    game = small_game(**{"attack": "attack", "seed": 3, **settings})
    before = by_the_loop(game, 3)
    assert different(before, play(game, 3).tally) == []
    _replaced(monkeypatch, home, case, broken)
    loop, participants = by_the_loop(game, 3), play(game, 3).tally
    assert different(before, loop) != []
    assert different(before, participants) != []
    assert different(loop, participants) == []


AT_WORK = """
import sys
sys.path.insert(0, {folder!r})
from small_game import small_game
from folkmoot.bc_ucb.protocol import play
assert play(small_game("sign_flip"), 1).tally.approved[0, -1] > 0
assert "numba" not in sys.modules and "llvmlite" not in sys.modules
"""


def test_participants_at_work_need_no_compiler(request):
    text = AT_WORK.format(folder=str(request.path.parent))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
