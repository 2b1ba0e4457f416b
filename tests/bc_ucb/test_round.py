"""Each rule of a round by hand; and broken once: the loop and the participants both show it, and alike."""

import subprocess
import sys

import numpy as np
import pytest
from small_game import BURN_IN, by_the_loop, different, small_game

from folkmoot.bc_ucb import round as a_round
from folkmoot.bc_ucb import rules as ledger_rules
from folkmoot.bc_ucb import tally as a_tally
from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.contract import MOST_REPORT, ONE
from folkmoot.bc_ucb.protocol import play
from folkmoot.comparison import functionality

LEAST = -(1 << 63)


@pytest.mark.parametrize(
    ("mean", "reward", "expected", "paid"),
    [
        (0, 0, True, 0),
        (MOST_REPORT, ONE, True, ONE),
        (-MOST_REPORT, 7, True, 7),
        (MOST_REPORT + 1, 7, False, 7),
        (LEAST, 7, False, 7),
        (0, ONE + 1, False, 0),
        (0, -1, False, 0),
    ],
)
def test_which_reports_count_and_what_they_are_paid(mean, reward, expected, paid):
    reports, present, found = np.array([[1, 1], [0, mean]]), np.zeros(2, np.bool_), np.zeros(2, np.int64)
    a_round.admit(reports, 1, reward, present, found)
    assert present.tolist() == [False, expected]
    assert found.tolist() == [0, paid]
    assert reports.tolist() == [[1, 1], [0, mean if expected else 0]]


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


def _admit_unpaid(reports, m, reward, present, paid):
    present[m], paid[m] = a_round.usable(reports, m, reward), 0
    reports[m] *= present[m]


def _enter_backwards(terms, accounts, sets, n_sets, reports, present, paid, estimates, members):
    from folkmoot.bc_ucb.contract import book, validated

    approved = validated(terms, sets, n_sets, reports, estimates, members)
    if approved:
        book(terms, accounts, reports, np.zeros_like(present), estimates, paid)
    return approved


BROKEN = {
    "in_burn_in": (a_round, lambda params, t: t <= params.burn_in + 2, {}),
    "arm_in_turn": (a_round, lambda params, t: 0 if t < 4 else (t - 1) % params.n_arms, {}),
    "is_paid": (a_round, lambda params, t, reported: t <= params.burn_in, {}),
    "learn": (a_round, _learn_nothing, {}),
    "payable": (a_round, lambda reward: reward == 0, {}),
    "usable": (a_round, lambda reports, m, reward: m != 2, {}),
    "admit": (a_round, _admit_unpaid, {"trust": 1}),
    "named": (a_round, _name_only_the_first, {}),
    "strike_out": (
        a_round,
        lambda sets, row, spoken_for: None,
        {"attack": "allies_only", "more": {"report": "constant", "value": 7.9}, "combination": 1},
    ),
    "enter_round": (a_round, _enter_backwards, {}),
    "suffices": (functionality, lambda numerator, denominator, count, own: count > own, {}),
    "count_pulls": (a_tally, lambda tally, r, c, arms, malicious, paid: None, {}),
    "has_entered": (a_tally, lambda malicious, members: True, {}),
    "count_block": (a_tally, lambda tally, r, c, malicious, members: None, {}),
    "close_checkpoint": (a_tally, lambda tally, r, c, estimates: c + 1, {}),
    "close_game": (a_tally, lambda tally, r, n_validators, units: None, {}),
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
    outcomes = getattr(ledger_rules, "_OUTCOMES", {})
    outcomes.clear()
    _replaced(monkeypatch, home, case, broken)
    loop, participants = by_the_loop(game, 3), play(game, 3).tally
    outcomes.clear()
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
