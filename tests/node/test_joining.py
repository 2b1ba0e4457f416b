"""An outcome for which a round waits: on the disk before its application is told, with the step that is handed it."""

import asyncio
import sqlite3

import pytest

from folkmoot.machine import Append, Moment, Put
from folkmoot.node.database import Full
from folkmoot.node.joining import Joining
from folkmoot.node.store import FILE, Store
from folkmoot.node.tickets import Tickets


class Round:
    """A store with a round under way, whose outcome comes."""

    def __init__(self, folder):
        self.path = folder / FILE
        self.store = Store(self.path)
        self.store.store(Moment(1, 0), [], 0)
        self.commits = 0
        self.store._db.set_trace_callback(self._count)
        self.tickets = Tickets(("a", "b"), 0.0, 1.0, 8)
        self.joining = Joining(self.store, self._directly)

    def _count(self, statement):
        self.commits += statement == "COMMIT"

    async def _directly(self, work, *args):
        return work(*args)

    def take(self, waits=True):
        self.tickets.open(1, 0)
        self.joining.waits = waits
        return asyncio.ensure_future(self.joining.take(None, [("1.a.1", 1, 0.5)], self.tickets))

    def step(self, keep):
        self.store.store(Moment(1, 1), keep, None, self.store.waiting())
        self.joining.stepped()

    @property
    def on_disk(self):
        with sqlite3.connect(self.path) as other:
            return other.execute("SELECT entered FROM outcome").fetchall()


def test_it_is_written_with_the_step_that_is_handed_it(tmp_path):
    async def played():
        a_round = Round(tmp_path)
        taken = a_round.take()
        await a_round.tickets.came.wait()
        assert a_round.on_disk == []
        assert not taken.done()
        a_round.step([Put("a", b"1")])
        assert await taken == ["taken"]
        assert (a_round.on_disk, a_round.commits) == ([(1,)], 1)

    asyncio.run(played())


@pytest.mark.parametrize("waits", [True, False])
def test_without_a_step_it_is_on_the_disk_when_its_application_is_told(tmp_path, waits):
    async def played():
        a_round = Round(tmp_path)
        assert await a_round.take(waits) == ["taken"]
        assert (a_round.on_disk, a_round.commits) == ([(0,)], 1)

    asyncio.run(played())


def test_nobody_is_told_that_it_is_taken_if_what_it_was_written_with_is_undone(tmp_path):
    async def played():
        a_round = Round(tmp_path)
        taken = a_round.take()
        await a_round.tickets.came.wait()
        with pytest.raises(ValueError, match="height 7"):
            a_round.step([Append(7, b"")])
        with pytest.raises(Full):
            await taken
        assert a_round.on_disk == []

    asyncio.run(played())
