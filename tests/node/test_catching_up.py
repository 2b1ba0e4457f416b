"""Blocks from outside the stages: from several, verified, resumable, whatever one of those who are asked answers."""

import asyncio

import pytest
from consortium import Consortium, charter_of
from timeless import run

import folkmoot as fm
from folkmoot.node import catching_up
from folkmoot.node.catching_up import want
from folkmoot.node.frames import GIVEN, STEP, WANT, Frame

REWARDS = fm.Bernoulli((0.3, 0.5, 0.7), n_agents=4)
SETTINGS = {"algorithm": {"burn_in": 3}}
ROUNDS = 16
A_WHILE = 1.0  # in which all that is asked of them has been answered


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A game of four that is over."""
    folder = tmp_path_factory.mktemp("played")
    consortium = Consortium(charter_of(4, rounds=ROUNDS, system="bc_ucb", settings=SETTINGS), REWARDS, folder)
    consortium.play()
    height = consortium.players[0].height
    assert height >= 10
    for player in consortium.players:
        player._store.close()
    return consortium.charter, folder, height


class Table:
    """Three who have all blocks, and one, number 3, whose store is empty; nobody plays."""

    def __init__(self, played, folder, monkeypatch, size=2):
        monkeypatch.setattr(catching_up, "RANGE", size)
        monkeypatch.setattr(catching_up, "_HURRY", 0.1)
        charter, self.there, self.height = played
        for me in range(3):
            (folder / f"{me}.sqlite").write_bytes((self.there / f"{me}.sqlite").read_bytes())
        self.consortium = Consortium(charter, REWARDS, folder)
        self.players = self.consortium.players
        self.asked = []  # (who was asked, the first height)
        self.consortium.board.lets_through = self.lets_through

    def lets_through(self, sender, receiver, frame):
        if frame.kind == WANT:
            self.asked.append((receiver, catching_up.wanted(frame).first))
        return True

    def meddle(self, number, answer):
        """What this one answers goes through a function."""
        line = self.players[number]._transport
        send = line.send
        line.send = lambda to, frame: send(to, answer(frame) if frame.kind == GIVEN else frame)

    async def begin(self):
        for player in self.players:
            await player._transport.start(player._arrived, player._greeting)
        await self.late.between_steps(self.late._resume)

    async def end(self):
        for player in self.players:
            await player.stop()
            player._store.close()

    @property
    def late(self):
        return self.players[3]

    def run(self, work=None):
        async def game():
            await self.begin()
            try:
                await (work() if work else self.late._exchange.catch_up())
                self.blocks = [self.late.block(height) for height in range(1, self.late.height + 1)]
            finally:
                await self.end()

        run(game())

    def blocks_of(self, store):
        return [store.block(height) for height in range(1, self.height + 1)]


def test_an_empty_store_gets_every_block_from_several(played, tmp_path, monkeypatch):
    table = Table(played, tmp_path, monkeypatch)
    table.run()
    assert len(table.blocks) == table.height
    assert {number for number, _ in table.asked} == {0, 1, 2}
    store = table.consortium.player(0)._store
    assert table.blocks[: table.height - 1] == table.blocks_of(store)[: table.height - 1]
    store.close()


def test_small_answers_are_followed_by_more_questions(played, tmp_path, monkeypatch):
    monkeypatch.setattr(catching_up, "MOST_BYTES", 1)
    table = Table(played, tmp_path, monkeypatch, size=4)
    table.run()
    assert len(table.blocks) == table.height
    assert {first for _, first in table.asked} >= set(range(1, table.height + 1))


def flipped(frame):
    return frame._replace(parts=(frame.parts[0], *(data[:-1] + bytes([data[-1] ^ 1]) for data in frame.parts[1:])))


def junk(frame):
    return frame._replace(parts=(frame.parts[0], *(b"junk" for _ in frame.parts[1:])))


@pytest.mark.parametrize("answer", [flipped, junk])
def test_who_gives_what_does_not_follow_is_dropped_for_the_next(played, tmp_path, monkeypatch, answer):
    table = Table(played, tmp_path, monkeypatch)
    table.meddle(0, answer)
    table.run()
    assert len(table.blocks) == table.height
    assert table.late._exchange.catching_up.liars == {0}
    assert sum(number == 0 for number, _ in table.asked) <= 2


def another(frame):
    return want(1, 1)._replace(kind=GIVEN)


def boast(frame):
    said = catching_up.encode((catching_up.given(frame).first, 10**9))
    return frame._replace(parts=(said,))


def silence(frame):
    return Frame(STEP)


@pytest.mark.parametrize("answer", [another, boast, silence])
def test_who_answers_something_else_or_nothing_holds_nobody_up(played, tmp_path, monkeypatch, answer):
    table = Table(played, tmp_path, monkeypatch)
    table.meddle(1, answer)
    table.run()
    assert len(table.blocks) == table.height
    assert table.late._exchange.catching_up.liars == set()


def test_attack_of_one_that_boasts_once_it_has_shown_blocks_is_waited_for_once(played, tmp_path, monkeypatch):
    """It shows what it has, says that it has 2^61 blocks more, and is silent when it is asked for those."""
    monkeypatch.setattr(catching_up, "_PATIENCE", 2.0)
    table, claimed = Table(played, tmp_path, monkeypatch), 1 << 61
    catching, waits, claims = table.late._exchange.catching_up, [], []

    def answer(frame):
        told = catching_up.given(frame)
        return (
            frame._replace(parts=(catching_up.encode((told.first, claimed)), *told.blocks)) if told.blocks else silent
        )

    silent = Frame(STEP)
    table.meddle(0, answer)

    def shows(held):
        """The others have so many blocks by now."""

        def read(showing, asked):
            height, blocks = original(showing, asked)
            return min(held, height), blocks[: max(0, held + 1 - asked.first)]

        monkeypatch.setattr(catching_up.Showing, "_read", read)

    async def waited():
        waits.append(table.late.height >= claims[-1] and set(catching._asked) == {0})  # for it alone
        await wait()

    original, wait, catching._wait = catching_up.Showing._read, catching._wait, waited

    async def work():
        for held in (4, 8, table.height):
            shows(held)
            claims.append(held)
            waits.clear()
            await table.late._exchange.catch_up()
            await asyncio.sleep(A_WHILE)
            assert table.late.height == held
            assert any(waits) == (held == 4)

    table.run(work)
    assert catching.liars == set()
    assert 0 in catching.doubted


def test_who_is_not_behind_asks_each_once(played, tmp_path, monkeypatch):
    table = Table(played, tmp_path, monkeypatch)

    async def work():
        assert await table.late._exchange.catch_up()
        await asyncio.sleep(A_WHILE)
        table.asked.clear()
        assert not await table.late._exchange.catch_up()

    table.run(work)
    assert sorted(number for number, _ in table.asked) == [0, 1, 2]


def test_after_a_restart_it_goes_on_where_it_was(played, tmp_path, monkeypatch):
    table = Table(played, tmp_path, monkeypatch)

    async def work():
        running = asyncio.create_task(table.late._exchange.catch_up())
        while table.late.height < 4:
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await table.late.stop()
        table.late._store.close()
        await asyncio.sleep(A_WHILE)
        table.asked.clear()
        table.players[3] = table.consortium.player(3)
        await table.late._transport.start(table.late._arrived, table.late._greeting)
        assert 4 <= table.late.height < table.height
        at = table.late.height
        await table.late.between_steps(table.late._resume)
        await table.late._exchange.catch_up()
        assert min(first for _, first in table.asked) == at + 1

    table.run(work)
    assert len(table.blocks) == table.height


def test_what_nobody_asked_for_is_refused(played, tmp_path, monkeypatch):
    table = Table(played, tmp_path, monkeypatch)

    async def work():
        await table.late._exchange.catch_up()
        await asyncio.sleep(A_WHILE)
        table.late.traffic[0].refused.clear()  # an answer may have come when all was there
        block = table.players[0].block(1)
        said = catching_up.encode((1, table.height))
        table.late._arrived(0, Frame(GIVEN, parts=(said, block)))
        table.players[0]._arrived(3, want(1, 2))
        table.players[0]._arrived(3, want(3, 4))  # while the one before is answered
        table.players[0]._arrived(3, Frame(WANT, parts=(b"",)))
        table.players[0]._arrived(3, Frame(WANT, parts=(catching_up.encode((1, 10**6)),)))

    table.run(work)
    assert sum(table.late.traffic[0].refused.values()) == 1
    assert sorted(table.players[0].traffic[3].refused.values()) == [1, 1, 1]


def test_who_begins_late_has_all_blocks_before_it_says_a_word(tmp_path):
    """The fourth begins when the others hold blocks: it plays with them, and its ledger is whole."""
    charter = charter_of(4, rounds=100_000, system="bc_ucb", settings=SETTINGS, stage=0.5)
    consortium = Consortium(charter, REWARDS, tmp_path)
    players, first = consortium.players, []

    def lets_through(sender, receiver, frame):
        if sender == 3 and frame.kind == STEP and not first:
            first.append(players[3].height)
        return True

    async def game():
        consortium.board.lets_through = lets_through
        tasks = []
        for me in range(4):
            tasks += [asyncio.create_task(players[me].run()), asyncio.create_task(consortium.application(players[me]))]
            while me == 2 and players[0].height < 8:
                await asyncio.sleep(0.01)
        while not (first and 3 in players[0].took_part):
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for player in players:
            await player.stop()

    run(game())
    assert first[0] >= 8
    assert all(players[3].block(height) for height in range(1, players[3].height + 1))
    for player in players:
        player._store.close()
