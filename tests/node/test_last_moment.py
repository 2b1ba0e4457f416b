"""Members that hold up others, or come with something else: the page says who and what."""

import asyncio
import json

from consortium import Consortium, charter_of
from timeless import TIME, run

import folkmoot as fm
from folkmoot.node.metrics import metrics
from folkmoot.node.mischief import Meddled, Mischief
from folkmoot.node.view import View

STAGE = 3.0


def test_who_marks_at_the_last_moment_to_one_victim_is_counted_and_named_there_and_rounds_go_on(tmp_path):
    file = tmp_path / "mischief.json"
    file.write_text(json.dumps({"late": {"site-0": 0.9}}))
    charter = charter_of(4, rounds=100_000, stage=STAGE, play=0.3)
    consortium = Consortium(charter, fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), tmp_path)
    victim, liar = consortium.players[0], consortium.players[3]
    rounds = {player.me: [] for player in consortium.players}
    for player in consortium.players:
        player._tell = lambda event, about, me=player.me: event == "round" and rounds[me].append(about["round"])
    found = {}

    async def work():
        liar._transport = Meddled(liar._transport, [card.name for card in charter.members], Mischief(file), STAGE)
        tasks = [asyncio.create_task(player.run()) for player in consortium.players]
        tasks += [asyncio.create_task(consortium.application(player)) for player in consortium.players]
        while 3 not in victim.pace.stretchers:
            await asyncio.sleep(0.02)
        view = View(victim)
        found["troubles"], found["state"], at = view.troubles(), view.state(), min(map(len, rounds.values()))
        while min(map(len, rounds.values())) < at + 2:  # it holds them up, and does not stop them
            await asyncio.sleep(0.02)
        file.write_text(json.dumps({}))
        while victim.pace.stretchers:
            await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for player in consortium.players:
            await player.stop()

    run(work())
    assert any(words.startswith("Marks at the last moment") and "site-3" in words for words in found["troubles"])
    times = found["state"]["members"][3]["stretched"]
    assert times >= 3
    assert (
        f'folkmoot_member_stretched_stages_total{{member="site-3"}} {float(times)}'
        in metrics(found["state"], 1.0).decode()
    )
    for played in rounds.values():
        assert len(played) > 2 / 3 * (played[-1] - played[0])


def test_who_plays_for_as_long_as_all_do_is_not_named(tmp_path):
    """In a round with a period all play until the same moment; here `play` is far longer than a stage."""
    charter = charter_of(4, rounds=3, start=TIME.after(2), period=2.0, play=0.9, stage=0.1)
    consortium = Consortium(charter, fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), tmp_path)
    begun = {}
    for player in consortium.players:
        begins = player.pace.begin
        player.pace.begin = lambda moment, now, seconds, play, begins=begins, me=player.me: (
            begun.setdefault(me, []).append((moment.stage, seconds - play)),
            begins(moment, now, seconds, play),
        )
    consortium.play()
    assert set(begun) == {0, 1, 2, 3}
    for said in begun.values():
        assert {stage for stage, _ in said} >= {0, 1}
        assert all(abs(left - 0.1) < 1e-9 for _, left in said)


def test_a_member_that_comes_with_another_charter_is_named_with_it(tmp_path):
    consortium = Consortium(charter_of(4), fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), tmp_path)
    player = consortium.players[0]
    traffic = player.traffic[2]
    traffic.connected = False
    traffic.refused["of another charter, 0123456789abcdef"] += 1
    view = View(player)
    assert any("another charter" in words and "site-2" in words for words in view.troubles())
    assert view.members()[2]["refused"] == {"of another charter, 0123456789abcdef": 1}
    traffic.connected = True
    assert not any("another charter" in words for words in view.troubles())


def test_a_member_that_came_back_is_not_under_another_charter(tmp_path):
    consortium = Consortium(charter_of(4), fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), tmp_path)
    player, other = consortium.players[0], consortium.players[2]
    traffic = player.traffic[2]
    traffic.refused["of another charter, 0123456789abcdef"] += 1
    assert any("another charter" in words for words in View(player).troubles())

    async def comes():
        player._arrived(2, other._greeting()[1].frame(other.moment))

    asyncio.run(comes())
    assert not traffic.connected  # it is gone again
    assert not any("another charter" in words for words in View(player).troubles())
    assert any(words.startswith("Cannot be reached") and "site-2" in words for words in View(player).troubles())
    traffic.refused["of another charter, 0123456789abcdef"] += 1
    view = View(player)
    assert any("another charter" in words for words in view.troubles())
    count, at = view._came[2]
    view._came[2] = count, at - 61  # a minute later: it may have ended
    assert not any("another charter" in words for words in view.troubles())
    assert any(words.startswith("Cannot be reached") and "site-2" in words for words in view.troubles())
