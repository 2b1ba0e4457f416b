"""A node that waits says for what, and until when; what is no reason to worry is none of the troubles."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from consortium import Consortium, charter_of

import folkmoot as fm
from folkmoot.machine import Moment
from folkmoot.node.arrivals import Arrivals
from folkmoot.node.clock import Clock
from folkmoot.node.epoch import Amends
from folkmoot.node.frames import STEP, Frame
from folkmoot.node.terms import moment_of
from folkmoot.node.view import View
from folkmoot.node.waiting import span, waits_for

START = moment_of("2027-01-04T08:00:00Z").timestamp()
PACE = {"start": "2027-01-04T08:00:00Z", "period": 60.0, "play": 1.0, "stage": 1.0}


def waiting(folder, now, connected=(), charter=None, refused=""):
    consortium = Consortium(charter or charter_of(4, **PACE), fm.Bernoulli((0.2, 0.5, 0.8), n_agents=4), folder)
    player = consortium.players[0]
    player.clock, player.phase = Clock(1.0, wall=lambda: now), "waiting"
    for number, one in player.traffic.items():
        one.connected = number in connected
        if refused:
            one.refused[refused] += 1
    return player


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (192, "3 min 12 s"), (3_600, "1 h"), (90_061, "1 day 1 h"), (259_260, "3 days")]
)
def test_a_time_is_said_in_two_units(seconds, said):
    assert span(seconds) == said


def test_before_the_first_round_it_says_when_that_is(tmp_path):
    player = waiting(tmp_path, START - 192, (1, 2))
    assert waits_for(player) == "first round at 08:00:00 UTC, in 3 min 12 s"
    assert View(player).state()["waits_for"] == waits_for(player)
    player.phase = "playing"
    assert waits_for(player) == ""


def test_far_ahead_it_says_the_day_too(tmp_path):
    assert waits_for(waiting(tmp_path, START - 86_400, (1, 2))) == "first round at 2027-01-04 08:00:00 UTC, in 1 day"


def test_without_a_quorum_it_says_who_lacks(tmp_path):
    assert waits_for(waiting(tmp_path, START + 5, (1,))) == (
        "waits for a quorum: 2 of 3 needed are there; not there: site-2, site-3"
    )


def test_once_a_new_epoch_has_begun_it_says_who_is_still_missing(tmp_path):
    before = charter_of(4, **PACE)
    later = replace(before, amends=Amends(before.digest, 2, 3), signatures={})
    player = waiting(tmp_path, START + 240, (1, 2), charter=later)
    assert waits_for(player, before) == "waits for a round that it can join; not there: site-3"
    player.traffic[3].connected = True
    assert waits_for(player, before) == "waits for a round that it can join"


def test_of_many_that_are_missing_some_are_named(tmp_path):
    said = waits_for(waiting(tmp_path, START + 5, charter=charter_of(12, **PACE)))
    assert said.endswith("not there: site-1, site-2, site-3, site-4, site-5, site-6, site-7, site-8 and 3 more")


def test_a_member_that_joins_later_is_in_no_trouble(tmp_path):
    before = charter_of(4, **PACE)
    later = replace(before, amends=Amends(before.digest, 2, 75), signatures={})
    player = waiting(tmp_path, START + 27 * 60 + 1, charter=later, refused="of another charter, 0123")
    view = View(player)
    view.before = before
    assert view.state()["waits_for"] == "Your epoch begins after round 75; the others are in round 28."
    assert view.troubles() == []
    view.before = None  # of which only is known that the others are in it
    assert view.state()["waits_for"].startswith("Your epoch begins after round 75 of the one before it")
    for one in player.traffic.values():
        one.refused.clear()
    assert "Only 1 of 4 members are there; 3 are needed." in view.troubles()  # nobody has said that it is elsewhere


def test_what_comes_before_a_node_has_begun_is_counted_apart():
    arrivals, frame = Arrivals([1]), Frame(STEP, Moment(9, 1), ())
    assert arrivals.take(1, frame, Moment(0, 0)) == "before this node began"
    assert arrivals.take(1, frame, Moment(4, 0)) == "too far ahead"


def test_an_application_is_told_until_when_it_waits():
    from folkmoot.node.web import not_now

    assert not_now(SimpleNamespace(waits_for=lambda: "first round at 08:00:00 UTC, in 3 s")) == (
        "no round is under way: first round at 08:00:00 UTC, in 3 s"
    )
    assert not_now(SimpleNamespace(waits_for=lambda: "")) == "no round is under way"
