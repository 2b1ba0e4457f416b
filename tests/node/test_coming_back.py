"""Members come back when there is no quorum without them: nobody runs ahead of those it waits for."""

import asyncio

import pytest
from consortium import Consortium, charter_of, until
from timeless import run

import folkmoot as fm
from folkmoot.machine import Moment
from folkmoot.node.arrivals import Arrivals

SYSTEMS = {
    "bandit": {},
    "bc_ucb": {"settings": {"disclosure": "open", "algorithm": {"burn_in": 3}}},
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_two_of_four_end_and_come_back_and_all_play_the_same_rounds_again(system, tmp_path):
    """Two are no quorum, so they go from deadline to deadline. Who comes back joins them, and does not pass them."""
    charter = charter_of(4, rounds=100_000, system=system, stage=0.1, play=0.1, **SYSTEMS[system])
    consortium = Consortium(charter, fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), tmp_path)
    players, heard = consortium.players, {}

    def play(me):
        player = players[me]

        def tell(event, about):
            if event == "round":
                heard[me, about["round"]] = about["heard"]

        player._tell = tell
        return [asyncio.create_task(player.run()), asyncio.create_task(consortium.application(player))]

    async def end(me, tasks):
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await players[me].stop()
        players[me]._store.close()

    def together(after):
        """Rounds in which each of the four heard the three others."""
        rounds = {round for _, round in heard if round > after}
        return [r for r in rounds if all(len(heard.get((me, r), ())) == 3 for me in range(4))]

    async def game():
        tasks = {me: play(me) for me in range(4)}
        await until(lambda: len(together(0)) >= 5)
        for me in (1, 3):
            await end(me, tasks[me])
        at = players[0].moment.round
        await until(lambda: min(players[0].moment.round, players[2].moment.round) > at + 1)
        for me in (1, 3):
            players[me] = consortium.player(me)
            tasks[me] = play(me)
        await until(lambda: len(together(at)) >= 5)
        for me in range(4):
            await end(me, tasks[me])

    run(game())


def test_who_has_heard_the_others_begin_is_part_of_the_first_round(tmp_path):
    """All are connected, but one is slow to begin: the others have begun the first round, and it does not skip it."""
    charter = charter_of(4, rounds=8, stage=20.0)
    consortium = Consortium(charter, fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4), tmp_path)
    slow = consortium.players[3]
    gathered = slow._gathered

    async def late():
        await gathered()
        while slow.arrivals.furthest[0].round < 1 or slow.arrivals.furthest[1].round < 1:
            await asyncio.sleep(0.01)

    slow._gathered = late
    consortium.play()
    assert (consortium.arms[1:] >= 0).all()


def test_who_was_not_there_when_the_others_began_is_late():
    arrivals = Arrivals([0, 1, 2])
    for number in (0, 1):
        arrivals.greeted(number, Moment(1, 0))
        arrivals.speaks(number, Moment(1, 0))
    assert arrivals.is_passed(Moment(0, 0), 1, 8, [0, 1, 2]) == 1
    again = Arrivals([0, 1, 2])
    for number in (0, 1, 2):
        again.greeted(number, Moment(0, 0))
        again.speaks(number, Moment(1, 0))
        again.greeted(number, Moment(1, 0))  # it connects again: what counts is the first time
    assert again.is_passed(Moment(0, 0), 1, 8, [0, 1, 2]) == 0
    for number in (0, 1, 2):
        again.greeted(number, Moment(2, 0))
        again.speaks(number, Moment(2, 1))
    assert again.is_passed(Moment(0, 0), 1, 8, [0, 1, 2]) == 2
