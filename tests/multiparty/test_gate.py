"""The gate by hand: counts in, decision out; and what becomes of samples that are revealed."""

import numpy as np
import pytest

from folkmoot.multiparty.chain.exchange_reading import _shown as _line
from folkmoot.multiparty.chain.exchanged import ShownNote
from folkmoot.multiparty.exchange import gate
from folkmoot.multiparty.exchange.ballots import Ballot, Counted, Judging, Recalled
from folkmoot.multiparty.exchange.bench import sound_ballot, sound_recalls
from folkmoot.multiparty.exchange.gate import Judge, decide, listened, look
from folkmoot.multiparty.exchange.revealing import Shown, verdicts

JUDGES = tuple(Judge(i, True, ((0, 20), (1, 20))) for i in range(4))
CLAIMS = np.ones((4, 2), bool)


def _ballots(*changes, reverted=()):
    """Each judge's (lost, won), the same for both classes."""
    rows = [tuple(Counted(c, lost, won, 20) for c in (0, 1)) for lost, won in changes]
    return {i: Ballot(reverted, row) for i, row in enumerate(rows)}


def _asked(table):
    return lambda reverted: _ballots(*table[reverted], reverted=reverted)


GOOD, BAD = [(0, 2)] * 4, [(6, 0)] * 4


def test_what_helps_is_accepted():
    table = {(): GOOD, (0,): GOOD, (1,): GOOD}
    found = decide(_asked(table), [0, 1], JUDGES, CLAIMS)
    assert (found.accepted, found.reverted, found.objected) == (True, (), ())
    assert found.gain == pytest.approx(0.1)


@pytest.mark.parametrize(("lost", "won", "objects"), [(1, 0, False), (2, 0, False), (4, 0, False), (5, 0, True),
                                                      (6, 0, True), (9, 2, True), (6, 2, False)])  # fmt: skip
def test_a_loss_beyond_chance_is_objected_to(lost, won, objects):
    """lost - won > max(1, 2 sqrt(lost + won)): of none won, from 5 on."""
    assert gate.objects(lost, won) == objects


def test_a_class_with_more_than_half_against_stops_it():
    two, three = [(6, 0), (6, 0), (0, 9), (0, 9)], [(6, 0)] * 3 + [(0, 9)]
    assert look(_ballots(*two), JUDGES, [0, 1]).objected == ()
    assert look(_ballots(*three), JUDGES, [0, 1]).objected == (0, 1)


def test_of_two_gains_the_lower_counts_so_half_cannot_applaud():
    assert look(_ballots((0, 0), (0, 0), (0, 20), (0, 20)), JUDGES, [0]).gain == 0.0


def test_the_judge_in_the_middle_counts_with_the_mean_of_its_classes():
    """Class by class the lower of the middle two is 0; three of four judges gain 0.1 in one of two classes."""
    won = [(0, 2), (0, 2), (0, 0), (2, 0)]
    ballots = {i: Ballot((), tuple(Counted(c, 0, n, 20) for c, n in enumerate(one))) for i, one in enumerate(won)}
    assert look(ballots, JUDGES, [0, 1]).gain == pytest.approx(0.05)
    ballots[0] = ballots[1] = ballots[2]  # now one of four gains
    assert look(ballots, JUDGES, [0, 1]).gain == 0.0


def test_a_gain_counts_only_up_to_a_tenth():
    assert look(_ballots(*[(0, 20)] * 4), JUDGES, [0]).gain == gate.CLIP


def test_what_brings_nothing_is_refused():
    found = decide(_asked({(): [(0, 0)] * 4, (0,): [(0, 0)] * 4, (1,): [(0, 0)] * 4}), [0, 1], JUDGES, CLAIMS)
    assert not found.accepted
    assert "expected 0.50%" in str(found)


def test_a_bad_candidate_is_taken_back_alone():
    table = {(): BAD, (0,): BAD, (1,): GOOD, (2,): BAD, (0, 1): GOOD, (1, 2): GOOD}
    found = decide(_asked(table), [0, 1, 2], JUDGES, CLAIMS)
    assert (found.accepted, found.reverted) == (True, (1,))


def test_chance_takes_no_candidate_back():
    """A rise by less than half a point is none."""
    slightly = [(0, 2), (0, 2), (0, 2), (0, 3)]
    assert decide(_asked({(): GOOD, (0,): slightly, (1,): GOOD}), [0, 1], JUDGES, CLAIMS).reverted == ()


def test_silence_is_a_no():
    ballots = _ballots(*GOOD)
    for judge in (1, 2, 3):
        del ballots[judge]
    found = look(ballots, JUDGES, [0, 1])
    assert found.objected == (0, 1)
    assert found.gain == -gate.CLIP


def test_original_parties_alone_are_asked_where_they_have_samples():
    judges = (Judge(0, True, ((0, 20),)), *(Judge(i, False, ((0, 20), (1, 20))) for i in (1, 2, 3)))
    ballots = _ballots((0, 2), (6, 0), (6, 0), (6, 0))
    assert look(ballots, judges, [0]).objected == ()
    assert look(ballots, judges, [1]).objected == (1,)


def test_a_class_that_nobody_judges_is_not_touched():
    found = decide(_asked({(): GOOD}), [0], JUDGES, np.ones((4, 3), bool))
    assert (found.accepted, found.unjudged) == (False, (2,))
    assert "nobody has check samples of the classes 2" in str(found)


def test_ballots_that_no_check_set_gives_are_none():
    judge = JUDGES[0]
    good = Ballot((), (Counted(0, 1, 2, 20), Counted(1, 0, 0, 20)))
    assert sound_ballot(good, judge)
    for bad in (good.counts[:1], (Counted(0, 1, 2, 21), good.counts[1]), (Counted(0, 11, 10, 20), good.counts[1]),
                (Counted(0, -1, 2, 20), good.counts[1])):  # fmt: skip
        assert not sound_ballot(good._replace(counts=bad), judge)


def test_recalls_are_of_all_other_models_and_of_ones_check_set():
    rows = tuple(Recalled(m, c, 20, 20) for m in (1, 2, 3) for c in (0, 1))
    assert sound_recalls(rows, JUDGES[0], CLAIMS)
    assert not sound_recalls(rows[1:], JUDGES[0], CLAIMS)
    assert not sound_recalls((rows[0]._replace(right=21), *rows[1:]), JUDGES[0], CLAIMS)


def test_models_that_are_mostly_wrong_are_not_listened_to_and_one_slanderer_changes_nothing():
    def report(judge, right):
        return tuple(Recalled(m, c, right[m], 20) for m in range(4) for c in (0, 1) if m != judge)

    honest = {i: report(i, [20, 18, 19, 2]) for i in range(3)}
    kept = listened(honest | {3: report(3, [0, 0, 0, 20])}, JUDGES, CLAIMS)
    assert kept.tolist() == [True, True, True, False]


def test_a_candidate_that_is_right_much_less_often_is_taken_back_whatever_the_ballots_say():
    before = {i: tuple(Recalled(m, c, 18, 20) for m in range(4) for c in (0, 1) if m != i) for i in range(4)}
    after = {i: tuple(r._replace(right=3) if r.model == 2 else r for r in rows) for i, rows in before.items()}
    assert gate.suspects(before, after, JUDGES, CLAIMS, [0, 1, 2, 3]) == (2,)
    table = {(2,): GOOD, (0, 2): GOOD, (1, 2): GOOD}
    assert decide(_asked(table), [0, 1, 2], JUDGES, CLAIMS, (2,)).reverted == (2,)
    assert not decide(_asked(table), [2], JUDGES, CLAIMS, (2,)).accepted


def test_a_judge_counts_what_the_mean_gains_and_loses():
    """Two models of two classes, three samples; the second model's candidate gets sample 1 right and sample 2 wrong."""
    before = np.array([[[0.6, 0.4], [0.6, 0.4], [0.4, 0.6]]] * 2)
    after = before.copy()
    after[1] = [[0.6, 0.4], [0.1, 0.9], [0.9, 0.1]]
    judging = Judging(0, np.array([0, 1, 1]), before, after, np.ones((2, 2), bool))
    kept = np.ones(2, bool)
    assert judging.ballot((), kept).counts == (Counted(0, 0, 0, 1), Counted(1, 1, 1, 2))
    assert judging.ballot((1,), kept).counts == (Counted(0, 0, 0, 1), Counted(1, 0, 0, 2))
    assert judging.recalls() == (Recalled(1, 0, 1, 1), Recalled(1, 1, 1, 2))


def _shown(sender, number, label):
    return Shown(sender, np.full(2, number, np.float32), label)


def test_what_becomes_of_revealed_samples():
    """Models 0 to 2 know classes 0 and 1, model 3 class 2 alone; all scores say class 0, and of class 2 class 2."""
    claims = np.array([[1, 1, 0], [1, 1, 0], [1, 1, 0], [0, 0, 1]], bool)
    shown = [_shown(0, 1, 0), _shown(0, 1, 0), _shown(0, 2, 0), _shown(0, 3, 0), _shown(0, 4, 2), _shown(1, 5, 1),
             _shown(3, 6, 2)]  # fmt: skip
    scores = np.tile(np.array([0.9, 0.1, 0.0]), (4, len(shown), 1))
    scores[3] = [0.0, 0.0, 1.0]
    found = verdicts(shown, scores, claims, np.ones(4, bool), 3)
    assert found == ["", "duplicate", "", "excess", "foreign", "unvouched", ""]
    assert verdicts(shown[5:6], scores[:, 5:6], claims, np.array([1, 1, 0, 1], bool), 3) == ["unvouched"]
    scores[0, 5] = scores[2, 5] = [0.1, 0.9, 0.0]
    assert verdicts(shown[5:6], scores[:, 5:6], claims, np.ones(4, bool), 3) == [""]


def test_the_ledger_shown_says_that_unvouched_is_no_blame():
    name = "abc".__getitem__
    note = ShownNote(0, bytes(32), 1, -1, b"", "unvouched")
    assert _line(note, name, name).line == (
        "a: a sample of b: not used, unvouched (the models of others name another class; that is no blame)"
    )
    assert _line(note, name, name).values["verdict"] == "unvouched"
    assert _line(note._replace(verdict="excess"), name, name).line == "a: a sample of b: not used, excess"
    assert _line(note._replace(verdict=""), name, name).line == "a: a sample of b: used"
