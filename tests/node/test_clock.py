"""The clock of a node: it follows most of the others, within a bound, and says when it must not play."""

import asyncio

from consortium import Consortium, charter_of, until
from timeless import TIME, run

import folkmoot as fm
from folkmoot.bc_ucb.records import RoundRecord
from folkmoot.node import pings
from folkmoot.node.clock import Clock
from folkmoot.node.frames import STEP
from folkmoot.node.systems import system_of
from folkmoot.node.view import View


def clock_of(offsets, stage=0.2):
    clock = Clock(stage, wall=lambda: 100.0, steady=lambda: 0.0)
    for peer, offset in offsets.items():
        clock.answer(peer, 99.99, 100.0 + offset, 100.01)
    return clock


def test_a_clock_that_is_right_stays():
    clock = clock_of({1: 0.001, 2: -0.001, 3: 0.0})
    assert abs(clock.now() - 100.0) < 0.001
    assert not clock.is_off
    assert not clock.warns


def test_fewer_than_half_do_not_move_it():
    assert clock_of({1: 1e6, 2: 0.0, 3: 0.01}).now() < 100.02


def test_a_small_error_is_followed_and_a_large_one_is_not_played_with():
    assert abs(clock_of({1: 0.06, 2: 0.06, 3: 0.06}).now() - 100.06) < 1e-9
    assert clock_of({1: 0.06, 2: 0.06, 3: 0.06}).warns
    assert not clock_of({1: 0.06, 2: 0.06, 3: 0.06}).is_off
    off = clock_of({1: 5.0, 2: 5.0, 3: 5.0})
    assert off.is_off
    assert abs(off.now() - 100.1) < 1e-9


def test_a_peer_whose_clock_is_wrong_is_named():
    assert clock_of({1: 5.0, 2: 0.0, 3: 0.01}).wrong().keys() == {1}


def test_of_a_peers_answers_the_quickest_counts():
    clock = clock_of({})
    clock.answer(1, 90.0, 100.0, 100.0)  # ten seconds on the way: it says little
    clock.answer(1, 99.99, 100.2, 100.01)
    assert abs(clock.offsets[1] - 0.2) < 1e-9
    clock.forget(1)
    assert clock.offsets == {}


def test_a_member_whose_clock_is_wrong_follows_the_chain_in_silence_and_plays_again_once_it_is_mended(
    tmp_path, monkeypatch
):
    """Its ledger grows with those of the others; all pages name it; then its reports are in blocks again."""
    monkeypatch.setattr(pings, "PING_SECONDS", 0.2)
    start = TIME.after(2)
    settings = {"disclosure": "open", "algorithm": {"burn_in": 3}}
    pace = {"start": start, "period": 3.3, "play": 0.2, "stage": 0.3}
    charter = charter_of(4, rounds=100_000, system="bc_ucb", settings=settings, **pace)
    consortium, wrong = Consortium(charter, fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), tmp_path), [0.0]
    players, late = consortium.players, consortium.players[3]
    late.clock._wall = lambda: TIME.time() + wrong[0]
    said, heard = [], {}

    def note(sender, receiver, frame):
        if sender == 3 and frame.kind == STEP and late.phase == "following":
            said.append(frame.moment)
        return True

    consortium.board.lets_through = note

    async def game():
        tasks = [asyncio.create_task(player.run()) for player in players]
        tasks += [asyncio.create_task(consortium.application(player)) for player in players]
        await until(lambda: min(player.height for player in players) >= 1)
        wrong[0] = 5.0
        await until(lambda: late.phase == "following")
        for player in players[:3]:
            await until(lambda player=player: any("site-3" in w and "clock" in w for w in View(player).troubles()))
        assert any("off by +5.0 s" in words for words in View(late).troubles())
        heard["off"] = late.height
        await until(lambda: late.height >= heard["off"] + 3)
        assert late.phase == "following"
        wrong[0] = 0.0
        await until(lambda: late.phase == "playing")
        heard["mended"] = late.height
        await until(lambda: 3 in reporters(charter, late, heard["mended"]))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for player in players:
            await player.stop()

    run(game())
    assert said == []


def reporters(charter, player, after):
    """Whose reports are in the blocks after this height."""
    system, found = system_of(charter), set()
    for height in range(after + 1, player.height + 1):
        record = RoundRecord.from_bytes(system.received(player.block(height)).records[0], 4, 3)
        found |= {report.participant for report in record.reports}
    return found
