"""A node that is told to stop while others wait for it, or that begins another epoch: it ends, and all are answered."""

import asyncio
import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest
from cluster import Cluster
from consortium import Consortium, charter_of
from test_node_processes import pays

import folkmoot as fm
from folkmoot.machine import Moment
from folkmoot.node.client import Client, NotNow
from folkmoot.node.off_loop import StepThread, Stopped
from folkmoot.node.view import View
from folkmoot.node.web import Web

TOKEN = "t" * 32


async def answered(web, path, body):
    """Status and text of an answer to a request of an application."""
    sent, scope = [], {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": [
        (b"host", b"localhost"), (b"authorization", b"Bearer " + TOKEN.encode())]}  # fmt: skip

    async def receive():
        return {"type": "http.request", "body": json.dumps(body).encode()}

    async def send(message):
        sent.append(message)

    await web(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


class InTheFirstRound:
    """Players in their first round, and what each answers over HTTP."""

    def __init__(self, folder, thread=None):
        self.folder = folder
        self.consortium = Consortium(charter_of(2), fm.Bernoulli((0.3, 0.5, 0.7), n_agents=2), folder)
        for number, player in enumerate(self.consortium.players):
            if thread is not None:
                player._thread = StepThread(thread)
            player._store.store(Moment(1, 0), [], number)
            player.tickets.open(1, number)
        self.player, self.other = self.consortium.players
        self.web = Web(self.player, View(self.player), TOKEN, bytes)

    def told(self, ticket=""):
        """A request that tells the outcome of this ticket, or of a new one, under way."""
        body = {"ticket": ticket or self.player.tickets.decide().ticket, "reward": 0.5}
        return asyncio.ensure_future(answered(self.web, "/v1/outcome", body))

    def on_disk(self, number=0):
        with sqlite3.connect(self.folder / f"{number}.sqlite") as other:
            return other.execute("SELECT count(*) FROM outcome").fetchone()[0]


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_outcomes_that_come_while_it_stops_are_on_disk_or_refused(tmp_path, shared, waits):
    """One at each turn of the loop, before, while and after it stops: 200 says that it is there, 503 that it is not."""

    async def played():
        thread = ThreadPoolExecutor(1) if shared else None
        its = InTheFirstRound(tmp_path, thread)
        its.player._joining.waits = waits
        asked = [its.told()]
        await asyncio.sleep(0)
        stopping = asyncio.ensure_future(its.player.stop())
        while not stopping.done():
            asked.append(its.told())
            await asyncio.sleep(0.0001)
        its.player._store.close()
        asked += [its.told() for _ in range(3)]
        said = await asyncio.gather(*asked)
        assert {status for status, _ in said} == {200, 503}
        assert next(text["error"] for status, text in said if status == 503).startswith("this node stops")
        assert said[0][0] == 200, "who came before it was told to stop is answered"
        assert its.on_disk() == sum(status == 200 for status, _ in said)
        with pytest.raises(Stopped):
            await its.player.take([])

    asyncio.run(played())


def test_an_outcome_of_one_epoch_is_never_written_to_the_store_of_the_next(tmp_path):
    async def played():
        its = InTheFirstRound(tmp_path)
        first, left = its.told(), its.player.tickets.decide().ticket
        await asyncio.sleep(0)  # it is checked, and not yet written
        second = its.told()
        await asyncio.sleep(0)
        its.web.show(its.other, View(its.other))
        assert [status for status, _ in await asyncio.gather(first, second)] == [200, 200]
        assert (its.on_disk(0), its.on_disk(1)) == (2, 0)
        assert (await its.told(left))[0] == 400
        for player in its.consortium.players:
            await player.stop()

    asyncio.run(played())


def test_who_is_let_in_may_ask_on_while_it_stops_and_nobody_after():
    async def played():
        for thread in (None, ThreadPoolExecutor(1)):
            steps, goes_on = StepThread(thread), asyncio.Event()

            async def inside(steps=steps, goes_on=goes_on):
                with steps.let_in():
                    await goes_on.wait()
                    return await steps.run(lambda: 5)

            one = asyncio.ensure_future(inside())
            await asyncio.sleep(0)
            stopping = [asyncio.ensure_future(steps.stop()) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(Stopped), steps.let_in():
                pass
            assert await steps.run(lambda: 6) == 6
            goes_on.set()
            assert await one == 5
            await asyncio.gather(*stopping)
            with pytest.raises(Stopped):
                await steps.run(lambda: 7)

    asyncio.run(played())


def test_a_node_that_is_told_to_stop_lets_go_of_who_waits(tmp_path):
    with Cluster(tmp_path, 2, pays=pays, quick=True) as cluster:
        cluster.until(lambda: min(cluster.rounds()) >= 1)
        member, said, asks = cluster.members[0], [], threading.Event()

        def wait():
            with Client.of(member.folder, timeout=240) as client:
                while not said:
                    try:
                        asks.set()
                        client.decide(after=10**9)
                    except NotNow as error:
                        said.append(str(error))

        threads = [threading.Thread(target=wait) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert asks.wait(240)
        page = HTTPConnection(member.folder.url.removeprefix("http://"), timeout=240)
        page.request("GET", "/events")
        assert page.getresponse().read(5) == b"data:"
        before = member.words()
        assert member.stop() == 0
        for thread in threads:
            thread.join(240)
        after = member.words().removeprefix(before)
        assert "Traceback" not in after, after
        assert "Cancel" not in after, after
        assert said
        page.close()
