"""What strangers and members may take of a node: places, bytes, frames, words; whatever they send, it does not grow."""

import asyncio
import contextlib
import os
import socket
import time

import pytest
from consortium import seeds_of
from test_tls import Ends, run, stranger

from folkmoot.machine import Moment
from folkmoot.node import tls
from folkmoot.node.arrivals import MOST_BYTES, MOST_FRAMES, Arrivals
from folkmoot.node.bounds import AT_ONCE, FRAMES_A_SECOND, Budget
from folkmoot.node.frames import BYE, PING, STEP, Frame
from folkmoot.node.tls_contexts import contexts

AT = Moment(5, 0)


def port_of(ends, number):
    return int(ends.charter.members[number].address.rpartition(":")[2])


@pytest.mark.parametrize("size", [10, 100_000])
def test_what_waits_of_one_member_is_bounded_whatever_stages_it_speaks_of(size):
    arrivals, part = Arrivals([1, 2]), bytes(size)
    for round in (5, 6):
        for stage in range(1_000):
            arrivals.take(1, Frame(STEP, Moment(round, stage), (part,)), AT)
    held = [held[1] for held in arrivals._frames.values() if 1 in held]
    assert len(held) <= MOST_FRAMES
    assert sum(len(part) for parts in held for part in parts) <= MOST_BYTES
    assert len(arrivals._frames) <= MOST_FRAMES
    assert arrivals.take(2, Frame(STEP, Moment(5, 1), (part,)), AT) == ""  # of another one


def test_one_frame_is_held_however_long_it_is_and_there_is_room_again_when_stages_are_over():
    arrivals, whole = Arrivals([1]), bytes(MOST_BYTES + 1)
    assert arrivals.take(1, Frame(STEP, Moment(5, 1), (whole,)), AT) == ""
    assert arrivals.take(1, Frame(STEP, Moment(5, 2), (whole,)), AT) == "too much that is early"
    arrivals.inbox(Moment(5, 1), type("Stage", (), {"shares": None, "messages": 0, "bytes": 0, "late": ()})(), str)
    assert arrivals.take(1, Frame(STEP, Moment(5, 2), (whole,)), AT) == ""


def test_a_budget_is_of_bytes_and_of_frames():
    small, large = Budget(1e6, 0.0), Budget(1e6, 0.0)
    waited = sum(small.spend(10, 1, 0.0) > 0 for _ in range(3 * FRAMES_A_SECOND))
    assert waited > 0.9 * FRAMES_A_SECOND
    assert large.spend(3_000_000, 1, 0.0) > 0.9
    assert Budget(1e6, 0.0).spend(70_000, 16_000, 0.0) == 0.0  # the burst
    assert sum(Budget(1e6, 0.0).spend(0, 16_000 * n, 0.0) > 0 for n in (1, 10)) == 1


def test_what_waits_for_a_member_is_bounded_in_bytes():
    async def work():
        ends = Ends(2)
        for number in range(300):
            ends.lines[0].send(1, Frame(STEP, Moment(1, number), (bytes(100_000),)))
        assert sum(map(len, ends.lines[0]._queues[1])) <= 1 << 22
        assert ends.lines[0].traffic[1].dropped > 200

    run(work())


async def ended(reader, seconds=240.0):
    """Does the connection end by itself?"""
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(65_536):
                pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def test_who_says_nothing_takes_few_places_and_members_find_each_other_all_the_same(monkeypatch):
    monkeypatch.setattr(tls, "GREETING_SECONDS", 600.0)  # nobody gives a place back

    async def work():
        ends = Ends(2)
        await ends.start(0)
        silent = [await asyncio.open_connection("127.0.0.1", port_of(ends, 0)) for _ in range(60)]
        gone = [asyncio.create_task(ended(reader)) for reader, _ in silent]
        await ends.until(lambda: sum(one.done() for one in gone) >= 60 - AT_ONCE)
        assert ends.lines[0].strangers["too many connections"] == 60 - AT_ONCE
        await ends.start(1)
        await ends.until(lambda: ends.lines[0].connected and ends.lines[1].connected)
        assert sum(one.done() for one in gone) == 60 - AT_ONCE
        for one in gone:
            one.cancel()
        for _, writer in silent:
            writer.close()
        await ends.stop()

    run(work())


def is_there(ends, writer):
    """Has it been let in?"""
    own = writer.get_extra_info("sockname")
    return any(link.writer.get_extra_info("peername") == own for link in ends.lines[0]._links[1])


def test_a_member_has_two_connections_and_no_more():
    async def work():
        ends = Ends(2)
        await ends.start(0)
        context, greeting = contexts(ends.charter, 1, seeds_of(2)[1])[1], ends.hellos[1].frame(AT).to_bytes()
        opened = []
        for _ in range(12):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port_of(ends, 0), ssl=context, server_hostname=""
            )
            writer.write(greeting)
            opened.append((reader, writer))
            await ends.until(lambda writer=writer: is_there(ends, writer))
            await asyncio.sleep(0.05)  # a place is held for a while
        await ends.until(lambda: len(ends.lines[0]._links[1]) == 2)
        gone = await asyncio.gather(*(ended(reader) for reader, _ in opened[:-2]))
        assert all(gone)
        for _, writer in opened:
            writer.transport.abort()
        await ends.stop()

    run(work())


def test_many_small_frames_of_a_member_are_slowed_down_over_all_its_connections():
    async def work():
        ends, came = Ends(2, largest=1_000_000, budget=1e8), []
        await ends.lines[0].start(lambda sender, frame: came.append(frame.kind), lambda: (AT, ends.hellos[0]))
        context, greeting = contexts(ends.charter, 1, seeds_of(2)[1])[1], ends.hellos[1].frame(AT).to_bytes()
        flood, began = Frame(PING, AT, (bytes(8),)).to_bytes() * 200, time.monotonic()

        async def send():
            _, writer = await asyncio.open_connection("127.0.0.1", port_of(ends, 0), ssl=context, server_hostname="")
            writer.write(greeting)
            for _ in range(1_000):
                writer.write(flood)
                await writer.drain()

        sending = [asyncio.create_task(send()) for _ in range(2)]
        await ends.until(lambda: ends.lines[0].traffic[1].refused["slowed down"] > 0)
        await asyncio.sleep(2.0)
        assert len(came) <= FRAMES_A_SECOND * (2.0 + time.monotonic() - began) * 1.1 + 2
        for one in sending:
            one.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        await ends.stop()

    run(work())


def connections_at(port):
    """Files of this process that are connections somebody made to this port of it."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(name))) as one:
                listens = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if one.family == socket.AF_INET and one.getsockname()[1] == port and not listens:
                    found.append(name)
    return found


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are counted in /proc")
def test_a_stranger_leaves_no_file_and_is_held_in_no_list(tmp_path):
    async def work():
        ends = Ends(2)
        await ends.start(0)
        line, port, context = ends.lines[0], port_of(ends, 0), stranger(bytes([77]) * 32)
        with socket.create_connection(("127.0.0.1", port)):
            await ends.until(lambda: connections_at(port))  # else nothing could be seen here
        for number in range(30):
            opened = socket.create_connection(("127.0.0.1", port))
            opened.setblocking(False)
            if number % 3 == 0:
                opened.close()
            elif number % 3 == 1:
                await asyncio.get_running_loop().sock_sendall(opened, os.urandom(4_000))
                await asyncio.sleep(0.01)
                opened.close()
            else:
                try:
                    reader, writer = await asyncio.open_connection(sock=opened, ssl=context, server_hostname="")
                    assert await ended(reader)
                    writer.transport.abort()
                except OSError:
                    opened.close()
        await ends.until(lambda: not line._door._inside and not connections_at(port))
        assert len(line._tasks) <= 4  # it listens, dials, writes, and looks for dead connections
        assert sum(line.strangers.values()) >= 10
        assert ends.came[0] == []
        await ends.stop()

    run(work())


def test_frames_of_no_end_after_a_greeting_of_another_charter_are_not_read():
    async def work():
        ends = Ends(2)
        await ends.start(0)
        context = contexts(ends.charter, 1, seeds_of(2)[1])[1]
        greeting = ends.hellos[1]._replace(charter=bytes(32)).frame(AT).to_bytes()
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(ends, 0), ssl=context, server_hostname="")
        writer.write(greeting + Frame(8, AT, (b"",)).to_bytes() * 500)
        assert await ended(reader)
        await ends.until(lambda: not ends.lines[0]._door._inside)
        assert len(ends.came[0]) <= 3
        assert {frame.kind for _, frame in ends.came[0]} <= {8, BYE}
        writer.transport.abort()
        await ends.stop()

    run(work())
