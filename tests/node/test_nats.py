"""Over a real nats-server: it is killed and started again; many members in one process; servers that lie."""

import asyncio
import time

import pytest
from consortium import charter_of, seeds_of, until
from hosts import SERVER, Hosts, Server

pytest.importorskip("nats", reason="nats-py is not installed (extra `nats`)")

from folkmoot.machine import Moment
from folkmoot.node.broker import Post
from folkmoot.node.frames import HELLO, PROTOCOLS, STEP, Frame, Hello
from folkmoot.node.nats import NATS

needs_server = pytest.mark.skipif(SERVER is None, reason="nats-server is not installed (Debian: apt install it)")


def run(work, seconds=600):
    asyncio.run(asyncio.wait_for(work, seconds))


@needs_server
def test_lines_come_back_by_themselves_when_the_server_does():
    async def work():
        charter, seeds = charter_of(4), seeds_of(4)
        with Server() as server:
            wires = [NATS(server.url, 100_000) for _ in range(2)]
            posts = [Post(wire) for wire in wires]
            lines = [posts[me // 2].line(charter, me, seeds[me], 50_000, 1e7, beat=0.5) for me in range(4)]
            came = [[] for _ in lines]
            for me, line in enumerate(lines):
                hello = Hello(*PROTOCOLS, charter.digest, "v", 0.0, me)
                await line.start(
                    lambda sender, frame, me=me: came[me].append((sender, frame)),
                    lambda hello=hello: (Moment(1, 0), hello),
                )
            everybody = lambda: all(len(line.connected) == 3 for line in lines)  # noqa: E731
            for number in range(1, 3):
                await until(everybody, 240.0)
                frame = Frame(STEP, Moment(number, 0), (bytes(30_000),))
                for other in (1, 2, 3):
                    lines[0].send(other, frame)
                lines[3].send(0, Frame(STEP, Moment(number, 1)))
                await until(lambda n=number: all(steps(came[me]) >= n for me in range(4)), 240.0)
                if number == 1:
                    server.kill()
                    await until(lambda: not any(line.connected for line in lines), 240.0)
                    lines[0].send(1, Frame(STEP, Moment(7, 0)))
                    server.start()
            assert all(frame.moment.round < 7 for _, frame in came[1])
            assert {sender for sender, frame in came[0] if frame.kind == HELLO} == {1, 2, 3}
            for line in lines:
                await line.stop()

    run(work())


def steps(came):
    return sum(frame.kind == STEP for _, frame in came)


@needs_server
def test_members_in_two_processes_play_on_after_the_server_was_killed(tmp_path):
    def pays(member, round, arm):
        return (0.2, 0.5, 0.8)[arm]

    with Server() as server:
        hosts = Hosts(tmp_path, 6, 2, server.url, pays=pays, stage=2.0)
        try:
            hosts.start()
            hosts.plays()
            hosts.until(lambda: all(hosts.state(n).get("round", 0) >= 10 for n in range(6)))
            server.kill()
            hosts.until(lambda: "Only 1 of 6" in " ".join(hosts.state(0).get("troubles", ())))
            at = max(hosts.state(n)["round"] for n in range(6))
            server.start()
            hosts.until(lambda: all(hosts.state(n).get("round", 0) >= at + 10 for n in range(6)))
            hosts.until(lambda: all(len(hosts.state(n).get("present", ())) == 6 for n in range(6)))
            assert {hosts.state(n)["best"] for n in range(6)} == {2}
            assert hosts.stop() == [0, 0]
            assert min(hosts.rounds_stored()) >= at + 10  # all that was shown is on the disk of each
        finally:
            hosts.end()


@pytest.mark.parametrize("says", [b"MSG folkmoot.x 1 999999999\r\n", b"MSG folkmoot.x 1 99999", b"\x00" * 500_000])
def test_a_server_that_announces_more_than_it_may_send_is_left(says):
    """What it sends after that is not held, and it is asked again later."""

    async def work():
        knocked = []

        async def server(reader, writer):
            knocked.append(time.monotonic())
            writer.write(b'INFO {"server_id":"x","max_payload":1048576}\r\n')
            pinged = 0
            while pinged < 2:
                pinged += (await reader.readline()).strip() == b"PING"
                writer.write(b"PONG\r\n") if pinged else None
            writer.write(says)
            for _ in range(400):
                writer.write(bytes(100_000))
                try:
                    await writer.drain()
                except OSError:
                    return

        there = await asyncio.start_server(server, "127.0.0.1", 0)
        wire = NATS("nats://{}:{}".format(*there.sockets[0].getsockname()[:2]), 10_000)
        changes, taken = [], []
        wire.listen("folkmoot.x", taken.append)
        await wire.start(changes.append)
        await until(lambda: changes[:3] == [True, False, True], 240.0)
        assert taken == []
        await wire.stop()
        there.close()

    run(work())
