"""Frames over real sockets: who is let in, what a stranger costs, and what a flood does."""

import asyncio
import os
import ssl
import tempfile
import time
from pathlib import Path

import pytest
from cluster import free_ports
from consortium import charter_of, seeds_of
from ends import Transports

from folkmoot.machine import Moment
from folkmoot.node import tls
from folkmoot.node.certificate import certificate
from folkmoot.node.frames import HELLO, STEP, Frame
from folkmoot.node.tls import TLS
from folkmoot.node.tls_contexts import contexts, show


class Ends(Transports):
    """The transports of a charter's members, and what has come to each."""

    def __init__(self, members=2, largest=10_000, budget=1e6):
        super().__init__(charter_of(members, port=free_ports(members)[0]))
        self.lines = [TLS(self.charter, me, seed, largest, budget) for me, seed in enumerate(seeds_of(members))]


def run(work):
    asyncio.run(asyncio.wait_for(work, 600))


def test_members_find_each_other_greet_and_keep_the_order_of_frames():
    async def work():
        ends = Ends(3)
        await ends.start()
        await ends.until(lambda: all(len(line.connected) == 2 for line in ends.lines))
        for number in range(200):
            ends.lines[0].send(1, Frame(STEP, Moment(1, 0), (b"%d" % number,)))
            await asyncio.sleep(0)
        await ends.until(lambda: sum(frame.kind == STEP for _, frame in ends.came[1]) == 200)
        found = [frame.parts[0] for sender, frame in ends.came[1] if frame.kind == STEP]
        assert found == [b"%d" % number for number in range(200)]
        assert {sender for sender, frame in ends.came[1] if frame.kind == HELLO} == {0, 2}
        assert ends.lines[1].traffic[0].version == "v0"
        await ends.stop()

    run(work())


def test_a_member_that_comes_back_is_found_again():
    async def work():
        ends = Ends(2)
        await ends.start()
        await ends.until(lambda: ends.lines[0].connected and ends.lines[1].connected)
        await ends.lines[1].stop()
        await ends.until(lambda: not ends.lines[0].connected)
        ends.lines[0].send(1, Frame(STEP, Moment(1, 0), (b"lost",)))
        ends.lines[1] = TLS(ends.charter, 1, seeds_of(2)[1], 10_000, 1e6)
        await ends.start(1)
        await ends.until(lambda: ends.lines[0].connected and ends.lines[1].connected)
        ends.lines[0].send(1, Frame(STEP, Moment(2, 0)))
        await ends.until(lambda: any(frame.moment == Moment(2, 0) for _, frame in ends.came[1]))
        await ends.stop()

    run(work())


async def two_that_dial_at_once(monkeypatch):
    """With two connections, and little patience."""
    monkeypatch.setattr(tls, "_IDLE_SECONDS", 0.6)
    monkeypatch.setattr(TLS, "_dial", lambda line, number: asyncio.sleep(60))
    ends = Ends(2)
    await ends.start()
    for line, other in zip(ends.lines, (1, 0), strict=True):
        line._spawn(line._reach(other))
    await ends.until(lambda: all(len(line._links[other]) == 2 for line, other in zip(ends.lines, (1, 0), strict=True)))
    return ends


def ports_of(link):
    """Of a connection: the same on both sides."""
    return {link.writer.get_extra_info(end)[1] for end in ("sockname", "peername")}


def test_a_connection_that_one_member_speaks_by_and_the_other_does_not_is_not_dead(monkeypatch):
    """Both dial at once, and each speaks by the one on which it hears nothing: nobody is silent."""

    async def work():
        ends = await two_that_dial_at_once(monkeypatch)
        zero, one = ends.lines
        if ports_of(zero._links[1][-1]) == ports_of(one._links[0][-1]):
            zero._links[1].reverse()
        spoken_by = zero._links[1][-1], one._links[0][-1]
        for number in range(40):
            zero.send(1, Frame(STEP, Moment(1, 0), (b"%d" % number,)))
            one.send(0, Frame(STEP, Moment(1, 0), (b"%d" % number,)))
            await asyncio.sleep(0.05)
        assert (zero._links[1][-1], one._links[0][-1]) == spoken_by
        for came in ends.came:
            assert [int(frame.parts[0]) for _, frame in came if frame.kind == STEP] == list(range(40))
        await ends.stop()

    run(work())


def test_of_two_connections_the_one_that_nobody_speaks_by_ends_and_a_silent_member_is_given_up(monkeypatch):
    async def work():
        ends = await two_that_dial_at_once(monkeypatch)
        zero, one = ends.lines
        if ports_of(zero._links[1][-1]) != ports_of(one._links[0][-1]):
            zero._links[1].reverse()
        spoken_by = zero._links[1][-1], one._links[0][-1]
        for _ in range(4_000):  # looks that come late are passed over, so it may take a while
            zero.send(1, Frame(STEP, Moment(1, 0)))
            one.send(0, Frame(STEP, Moment(1, 0)))
            await asyncio.sleep(0.05)
            if len(zero._links[1]) == len(one._links[0]) == 1:
                break
        assert (zero._links[1], one._links[0]) == ([spoken_by[0]], [spoken_by[1]])
        await ends.until(lambda: spoken_by[0] not in zero._links[1])  # nobody says anything
        await ends.stop()

    run(work())


async def knock(port, context, say=b""):
    """A stranger's try: what it reads before the end."""
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="" if context else None
        )
        writer.write(say)
        return await asyncio.wait_for(reader.read(1_000), 240)
    except (OSError, ssl.SSLError):
        return b""


def stranger(seed):
    """The context of somebody who trusts everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    show(context, certificate(seed, "stranger"), seed)
    return context


def test_a_stranger_is_refused_in_the_handshake_and_leaves_nothing(tmp_path):
    async def work():
        ends = Ends(2)
        await ends.start(0)
        port = int(ends.charter.members[0].address.rpartition(":")[2])
        hello = ends.hellos[1].frame(Moment(1, 0)).to_bytes()
        for context in (stranger(bytes([77]) * 32), None):
            assert await knock(port, context, hello) == b""
        assert ends.came[0] == []
        assert ends.lines[0].connected == frozenset()
        await ends.stop()

    run(work())


def test_a_member_of_another_charter_is_refused_by_name():
    async def work():
        ends = Ends(2)
        await ends.start(0)
        ends.hellos[1] = ends.hellos[1]._replace(charter=bytes(32))
        await ends.start(1)
        await ends.until(lambda: ends.lines[0].traffic[1].refused)
        (reason,) = ends.lines[0].traffic[1].refused
        assert reason == f"of another charter, {'0' * 16}"
        assert ends.came[0] == []
        await ends.stop()

    run(work())


def test_a_member_that_speaks_no_common_version_is_refused():
    async def work():
        ends = Ends(2)
        ends.hellos[1] = ends.hellos[1]._replace(oldest=7, newest=9)
        await ends.start()
        await ends.until(lambda: ends.lines[0].traffic[1].refused)
        assert "speaks versions 7 to 9" in next(iter(ends.lines[0].traffic[1].refused))
        await ends.stop()

    run(work())


@pytest.mark.parametrize(
    "garbage", [b"\xff" * 40, b"GET / HTTP/1.1\r\n\r\n" * 9, (1 << 30).to_bytes(4, "little"), bytes(600)]
)
def test_garbage_of_a_member_ends_its_connection_and_nothing_else(garbage):
    async def work():
        ends = Ends(2)
        await ends.start(0)
        port = int(ends.charter.members[0].address.rpartition(":")[2])
        context = contexts(ends.charter, 1, seeds_of(2)[1])[1]
        first = await knock(port, context, garbage)
        assert b"folkmoot" not in first
        greeting = ends.hellos[1].frame(Moment(1, 0)).to_bytes()
        await knock(port, context, greeting + garbage)
        assert all(frame.kind == HELLO for _, frame in ends.came[0])
        await ends.start(1)
        await ends.until(lambda: ends.lines[0].connected)
        await ends.stop()

    run(work())


def test_a_flood_of_a_member_is_slowed_down():
    async def work():
        ends = Ends(2, largest=4_000, budget=100_000)
        await ends.start()
        await ends.until(lambda: ends.lines[0].connected and ends.lines[1].connected)
        frame, began = Frame(STEP, Moment(1, 0), (bytes(3_000),)), time.monotonic()
        there, here = ends.lines[1].traffic[0], ends.lines[0].traffic[1]
        while time.monotonic() - began < 2.0 or not there.dropped or not here.refused["slowed down"]:
            ends.lines[1].send(0, frame)
            await asyncio.sleep(0)
        taken = here.received
        assert taken < 100_000 * (2.0 + time.monotonic() - began + 2.0)  # the burst, the time, and what one read adds
        await ends.stop()

    run(work())


@pytest.mark.parametrize(
    "memory",
    [
        pytest.param(
            True, marks=pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="no memory that has a name")
        ),
        False,
    ],
)
def test_no_key_lies_in_the_clear_in_a_file_at_any_time(tmp_path, monkeypatch, memory):
    """Also not for an instant: a process can be killed between any two steps."""
    read, load = [], ssl.SSLContext.load_cert_chain

    def looked_at(context, certfile, *args, **more):
        read.append((str(certfile), Path(certfile).read_bytes(), list(tmp_path.iterdir())))
        load(context, certfile, *args, **more)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", looked_at)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if not memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    contexts(charter_of(2), 0, seeds_of(2)[0])
    assert len(read) == 2
    for name, pair, files in read:
        if memory:
            assert name.startswith("/proc/self/fd/")
            assert not files
        else:
            assert b"BEGIN ENCRYPTED PRIVATE KEY" in pair
            assert b"BEGIN PRIVATE KEY" not in pair
    assert not list(tmp_path.iterdir())
