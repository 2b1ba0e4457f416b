"""Models are screened by what their peers kept back: how badly some may lie, and what each rule is worth."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra `multiparty`")

from made_digits import digits
from made_liars import LIARS, checks_of, lied, trained

from folkmoot.multiparty import predictors as ps
from folkmoot.multiparty.screening import Check, doubts, lower_median, screen


@pytest.fixture(scope="module")
def honest():
    return trained(*digits(), seed=1, train=900, checks=400)


def _right(world, predictor, but=()):
    kept = np.array([i not in but for i in range(10)])
    return float((predictor.predict(world.test[kept], world.claims[kept]) == world.truth).mean())


def test_where_nobody_lies_the_screened_mean_is_as_good_as_the_mean(honest):
    found = screen(checks_of(honest), honest.claims)
    assert _right(honest, found.predictor) >= _right(honest, ps.Mean()) - 0.02
    assert found.after >= found.before


def test_where_nobody_lies_chance_drops_nobody(honest):
    """Whatever the check sets say by chance: no honest model here is two standard errors below its peers."""
    found = screen(checks_of(honest), honest.claims)
    assert found.kept.all()
    assert (found.doubt < 2.0).all()
    few = [c._replace(scores=c.scores[:, ::6], labels=c.labels[::6]) for c in checks_of(honest)]  # one or two a class
    assert screen(few, honest.claims).kept.all()
    assert not screen(few, honest.claims, doubt=-np.inf).kept.all()


@pytest.mark.parametrize("of_four", [1, 2])
def test_one_or_two_of_four_owners_lie_as_badly_as_one_can(honest, of_four):
    """497 test samples: 0.03 is two standard errors of a difference of shares near 0.9 that agree on most samples."""
    liars = LIARS[of_four]
    world = lied(honest, liars)
    found = screen(checks_of(world), world.claims)
    assert not found.kept[list(liars)].any()
    assert (found.recall[list(liars)] < 0.1).all()
    alone = _right(world, ps.Mean(), but=liars)
    assert _right(world, found.predictor) >= alone - 0.03
    assert _right(world, found.predictor) >= max(_right(world, p) for p in (ps.Mean(), ps.Krum())) + 0.05


def test_a_minority_of_lying_judges_decides_nothing(honest):
    """One of four owners lies as a model and as a judge; nobody honest is dropped for it."""
    liars = LIARS[1]
    world = lied(honest, liars)
    found = screen(checks_of(world, liars), world.claims, gain=np.inf)
    assert np.flatnonzero(~found.kept).tolist() == list(liars)


def test_where_original_parties_judge_nobody_else_is_asked(honest):
    """Two of four owners lie as models and as judges; the others are original parties."""
    liars = LIARS[2]
    world = lied(honest, liars)
    trusted = [i for i in range(10) if i not in liars]
    found = screen(checks_of(world, liars, trusted=trusted), world.claims)
    assert not found.kept[list(liars)].any()
    assert _right(world, found.predictor) >= _right(world, ps.Mean(), but=liars) - 0.03


def test_each_rule_alone(honest):
    """The share of the median model's recall does the work where the lie is gross; without both, all stay."""
    liars = LIARS[2]
    world = lied(honest, liars)
    by_recall = screen(checks_of(world), world.claims, gain=np.inf)
    assert np.flatnonzero(~by_recall.kept).tolist() == list(liars)
    assert not screen(checks_of(world), world.claims, floor=0.0).kept[list(liars)].all()
    neither = screen(checks_of(world), world.claims, floor=0.0, gain=np.inf)
    assert neither.kept.all()
    assert neither.before == neither.after


def _check(judge, scores, labels, trusted=False):
    return Check(judge, trusted, np.array(scores, float), np.array(labels))


def test_by_hand():
    """Three models of two classes; 2 is wrong on both. Each judges the others; of two reports the lower counts."""
    right, wrong = [[0.9, 0.1], [0.2, 0.8]], [[0.1, 0.9], [0.8, 0.2]]
    claims = np.ones((3, 2), bool)
    checks = [_check(i, [right, right, wrong], [0, 1]) for i in range(3)]
    found = screen(checks, claims)
    assert found.recall.tolist() == [1.0, 1.0, 0.0]
    assert found.kept.tolist() == [True, True, False]
    assert (found.before, found.after, found.fewest) == (1.0, 1.0, 3)
    assert screen(checks, claims, least=3).kept.all()


TRUE, LIE = [[0.6, 0.4]] * 20 + [[0.2, 0.8]] * 20, [[0.0, 1.0]] * 20 + [[0.2, 0.8]] * 20
LABELS = [0] * 20 + [1] * 20


def test_doubt_is_counted_in_standard_errors():
    """Of 20 samples of class 0 models get 18, 18 and 8; the third is 0.5 below, sqrt((0.09 + 0.24) / 20) = 0.128."""
    rows = [[*[[0.9, 0.1]] * n, *[[0.1, 0.9]] * (20 - n), *TRUE[20:]] for n in (18, 18, 8)]
    told = doubts([_check(i, rows, LABELS) for i in range(2)], np.ones((3, 2), bool))
    assert told[2] == pytest.approx(0.5 / np.sqrt((0.09 + 0.24) / 20))
    assert told[:2].tolist() == [0.0, 0.0]
    assert doubts([_check(0, rows, LABELS)], np.ones((3, 2), bool))[0] == -np.inf  # it does not judge itself


def test_two_that_lie_about_one_class_go_together():
    """Class 0 is lost with one of them as with both: taking one out alone gains nothing."""
    claims = np.ones((4, 2), bool)
    found = screen([_check(i, [TRUE, TRUE, LIE, LIE], LABELS) for i in range(4)], claims)
    assert found.kept.tolist() == [True, True, False, False]
    assert (found.before, found.after) == (0.5, 1.0)
    assert (found.recall[2:] > 0.5 * np.median(found.recall)).all()  # not by the first rule
    assert screen([_check(i, [TRUE, TRUE, LIE, LIE], LABELS) for i in range(4)], claims, doubt=np.inf).kept.all()


def test_who_does_not_speak_is_wrong_and_whom_nobody_judges_stays():
    nan = [[np.nan, 0.5], [np.nan, 0.5]]
    right = [[0.9, 0.1], [0.2, 0.8]]
    claims = np.array([[True, True, False]] * 3 + [[False, False, True]])
    wide = [np.pad(np.array(part, float), ((0, 0), (0, 1))) for part in (right, right, nan)]
    checks = [_check(i, [*wide, np.ones((2, 3)) * 0.1], [0, 1]) for i in range(3)]
    found = screen(checks, claims)
    assert found.recall[:3].tolist() == [1.0, 1.0, 0.0]
    assert np.isnan(found.recall[3])
    assert found.kept.tolist() == [True, True, False, True]
    assert found.fewest == 0  # of the class that only the last one knows


def test_the_lower_median():
    assert lower_median([3.0, 1.0]) == 1.0
    assert lower_median([3.0, 1.0, 2.0]) == 2.0
