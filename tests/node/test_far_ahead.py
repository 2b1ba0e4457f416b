"""A member that speaks of rounds that are not there yet moves nobody: by a single frame, or with a wrong clock."""

import asyncio

import pytest
from consortium import Consortium, charter_of, until
from timeless import TIME, run

import folkmoot as fm
from folkmoot.machine import Moment
from folkmoot.node import pings
from folkmoot.node.arrivals import Arrivals
from folkmoot.node.clock import Clock
from folkmoot.node.frames import STEP, Frame
from folkmoot.node.view import View

REWARDS = {members: fm.Bernoulli((0.3, 0.5, 0.7), n_agents=members) for members in (2, 3)}


@pytest.mark.parametrize("members", [2, 3])
@pytest.mark.parametrize("claim", [(1 << 62) - 1, 24])
def test_one_frame_of_one_member_ends_the_run_of_nobody(members, claim, tmp_path):
    """Nobody is to lie, and one does once: of a round that cannot be, or of the last one."""
    consortium = Consortium(charter_of(members, rounds=24), REWARDS[members], tmp_path)
    victim, liar = consortium.players[0], consortium.players[1]
    lied = []

    def tell(event, about):
        if event == "round" and about["round"] == 6:
            lied.append(about)
            liar._transport.send(0, Frame(STEP, Moment(claim, 0)))

    liar._tell = tell
    consortium.play()
    assert lied
    assert (consortium.arms[1:] >= 0).all()
    assert victim.counts["rounds abandoned"] == 0
    words = " ".join(View(victim).troubles())
    if claim > 24:
        assert "site-1" in words
    else:
        assert victim.traffic[1].refused["too far ahead"] == 1


def test_what_a_member_says_of_a_far_round_is_forgotten_when_it_does_not_go_on_from_there():
    arrivals = Arrivals([0])
    arrivals.take(0, Frame(STEP, Moment(4, 0)), Moment(4, 0))
    arrivals.take(0, Frame(STEP, Moment(995, 0)), Moment(4, 0))
    assert arrivals.is_passed(Moment(4, 0), 0, 1_000, [0]) == 0
    arrivals.take(0, Frame(STEP, Moment(995, 1)), Moment(4, 0))
    assert arrivals.is_passed(Moment(4, 0), 0, 1_000, [0]) == 995
    assert arrivals.is_passed(Moment(4, 0), 0, 994, [0]) == 0  # it cannot be that round yet
    assert arrivals.is_passed(Moment(4, 0), 0, 1_000, []) == 0  # it is gone
    arrivals.take(0, Frame(STEP, Moment(4, 1)), Moment(4, 0))
    assert arrivals.is_passed(Moment(4, 0), 0, 1_000, [0]) == 0


def test_a_clock_that_jumps_forgets_what_it_heard_of_others():
    wall, steady = [100.0], [5.0]
    clock = Clock(1.0, wall=lambda: wall[0], steady=lambda: steady[0])
    clock.answer(1, 99.99, 100.0, 100.01)
    assert clock.heard == {1}
    wall[0], steady[0] = 110.1, 15.0  # put right by a tenth of a second while ten went by
    assert clock.look() == 0
    assert clock.heard == {1}
    wall[0] += 3600.0
    clock.now()
    assert clock.jumps == 1
    assert clock.heard == set()
    assert clock.offsets == {}


def test_a_clock_an_hour_ahead_plays_nothing_ends_nothing_and_plays_once_it_is_right(tmp_path, monkeypatch):
    """Its time is beyond the last round. The others play on meanwhile; then it does, too."""
    monkeypatch.setattr(pings, "PING_SECONDS", 0.2)
    start = TIME.after(2)
    charter = charter_of(3, rounds=500, start=start, period=3.3, play=0.2, stage=0.3)
    consortium, wrong = Consortium(charter, REWARDS[3], tmp_path), [3600.0]
    players, late, said = consortium.players, consortium.players[2], []
    ahead = Clock(charter.terms.stage, wall=lambda: TIME.time() + wrong[0], steady=TIME.monotonic)
    late.clock = late._times._clock = late._pings._clock = ahead
    consortium.board.lets_through = lambda sender, receiver, frame: (
        (said.append((sender, frame.moment.round)) if frame.kind == STEP else None) or True
    )

    async def game():
        tasks = [asyncio.create_task(player.run()) for player in players]
        tasks += [asyncio.create_task(consortium.application(player)) for player in players]
        await until(lambda: late.phase == "following")
        await until(lambda: min(player.moment.round for player in players[:2]) >= 2)
        assert late.phase == "following"
        assert 2 not in {sender for sender, _ in said}
        wrong[0] = 0.0
        await until(lambda: all(2 in player.took_part for player in players[:2]))
        wrong[0] = 3600.0  # it jumps while it plays
        await until(lambda: late.phase == "following")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for player in players:
            await player.stop()

    run(game())
    assert max(round for _, round in said) < 400
