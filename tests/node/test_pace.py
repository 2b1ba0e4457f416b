"""When a stage ends, whoever marks, keeps silent, or marks at the last moment."""

from folkmoot.machine import Moment
from folkmoot.node.pace import Pace


def pace_of(members=4, quorum=3):
    pace = Pace(members, 0, quorum)
    pace.begin(Moment(1, 0), 0.0, 1.0)
    return pace


def test_a_stage_ends_with_the_last_mark():
    pace = pace_of()
    for member in (1, 2):
        pace.mark(member, Moment(1, 0), 0.1)
        assert not pace.is_over(0.1)
    pace.mark(3, Moment(1, 0), 0.2)
    assert pace.is_over(0.2)


def test_a_member_that_is_gone_costs_one_deadline_in_all():
    pace, waited = pace_of(), 0
    for stage in range(10):
        pace.begin(Moment(1, stage), float(stage), 1.0)
        for member in (1, 2):
            pace.mark(member, Moment(1, stage), stage + 0.1)
        if not pace.is_over(stage + 0.1):
            waited += 1
            assert not pace.is_over(stage + 0.99)
            assert pace.is_over(stage + 1.0)
            pace.end(stage + 1.0)
    assert waited == 1
    assert pace.missed == {3: 1}


def test_who_comes_back_in_time_is_waited_for_again():
    pace = pace_of()
    pace.end(1.0)
    assert pace.suspected == {1, 2, 3}
    pace.begin(Moment(1, 1), 1.0, 1.0)
    pace.mark(2, Moment(1, 1), 1.1)
    assert pace.suspected == {1, 3}
    pace.mark(1, Moment(2, 0), 1.1)  # early
    pace.begin(Moment(2, 0), 2.0, 1.0)
    assert pace.suspected == {3}


def test_who_suspects_everybody_does_not_run_through_its_rounds():
    pace = pace_of()
    pace.end(1.0)
    pace.begin(Moment(1, 1), 1.0, 1.0)
    assert not pace.is_over(1.5)
    pace.mark(1, Moment(1, 1), 1.5)
    assert not pace.is_over(1.5)  # two of a quorum of three
    assert pace.is_over(2.0)


def test_a_mark_at_the_last_moment_is_counted():
    pace = pace_of()
    for member, at in ((1, 0.1), (2, 0.1), (3, 0.9)):
        pace.mark(member, Moment(1, 0), at)
    assert pace.stretched == {3: 1}


def test_who_plays_as_long_as_the_charter_says_has_stretched_nothing():
    pace = Pace(4, 0, 3)
    for member, at in ((1, 30.1), (2, 30.1), (3, 30.2)):  # of 32 s, 30 are for applications
        pace.begin(Moment(1, 0), 0.0, 32.0, play=30.0)
        pace.mark(member, Moment(1, 0), at)
    assert pace.stretched == {}
    pace = Pace(4, 0, 3)
    pace.begin(Moment(1, 0), 0.0, 32.0, play=30.0)
    for member, at in ((1, 30.1), (2, 30.1), (3, 31.7)):
        pace.mark(member, Moment(1, 0), at)
    assert pace.stretched == {3: 1}
    assert pace.deadline == 32.0


def test_marks_of_nobody_and_of_far_rounds_are_not_held():
    pace = pace_of()
    for round in range(2, 1_000):
        pace.mark(1, Moment(round, 0), 0.1)
    pace.mark(0, Moment(1, 0), 0.1)
    pace.mark(17, Moment(1, 0), 0.1)
    assert len(pace._ended) == 1
    assert pace._ended[1] == Moment(2, 0)
    assert pace.missing == {2, 3}


def test_a_mark_that_was_lost_is_not_waited_for_once_a_later_one_has_come():
    pace = pace_of()
    pace.mark(1, Moment(1, 0), 0.1)
    pace.mark(2, Moment(1, 0), 0.1)
    assert not pace.is_over(0.5)
    pace.mark(3, Moment(1, 2), 0.5)
    assert pace.is_over(0.5)
    pace.end(0.5)
    pace.begin(Moment(1, 1), 0.5, 1.0)
    assert pace.missing == {1, 2}
    pace.begin(Moment(1, 3), 0.5, 1.0)
    assert pace.missing == {1, 2, 3}


def test_who_is_a_round_ahead_at_the_last_moment_has_stretched_nothing():
    pace = pace_of()
    for member, moment, at in ((1, Moment(1, 0), 0.1), (2, Moment(1, 0), 0.1), (3, Moment(2, 1), 0.9)):
        pace.mark(member, moment, at)
    assert pace.is_over(0.9)
    assert pace.stretched == {}
