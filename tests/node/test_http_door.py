"""Hostile HTTP: what whoever connects to a node may take of it, without a token, and what applications may still do."""

import asyncio
from contextlib import asynccontextmanager, nullcontext, suppress

import pytest
import timeless

from folkmoot.node import http_door
from folkmoot.node.http_door import BESIDE, BUSY, FULL, SLOW, HttpDoor, through

ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@asynccontextmanager
async def served(application=None):
    """A server behind a door: (door, what it has told, port)."""
    import uvicorn

    async def echo(scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        said = b"%d" % len(body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
        await send({"type": "http.response.body", "body": said})

    told = []
    door = HttpDoor(told.append)
    config = uvicorn.Config(
        application or echo, log_config=None, lifespan="off", access_log=False, ws="none", port=0, http=through(door)
    )
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield door, told, server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    server.force_exit = True
    await serving


def run(work):
    asyncio.run(asyncio.wait_for(work(), 600))


async def until_it_ends(reader, writer, chunk, most):
    """Send until the other side ends it; what it said, and how much it took."""
    sent = 0
    with suppress(ConnectionError):
        while sent < most and not reader.at_eof():
            writer.write(chunk)
            sent += len(chunk)
            await asyncio.wait_for(writer.drain(), 240)
            await asyncio.sleep(0)
    said = b""
    with suppress(ConnectionError):
        said = await asyncio.wait_for(reader.read(), 240)
    writer.transport.abort()
    return said, sent


@pytest.mark.parametrize(
    ("begins", "chunk"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ", b"a" * 4096),
        (b"GET /", b"a" * 4096),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"a: b\r\n" * 500),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 500),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x" * 4096),
    ],
    ids=["one header", "address", "many headers", "trailers", "extension of a chunk"],
)
def test_a_request_without_end_is_ended(begins, chunk):
    async def work():
        async with served() as (door, told, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begins)
            said, sent = await until_it_ends(reader, writer, chunk, 64 << 20)
            assert sent < 8 << 20  # what lies in the buffers of the system, and no more
            assert said == b"" or b" 431 " in said
            assert door.refused[BESIDE] == 1
            assert told == [BESIDE]

    run(work)


def test_bodies_and_many_requests_of_one_connection_are_no_flood():
    async def work():
        async with served() as (door, _, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for size in (0, 10, 1 << 20):
                writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
                assert b"%d" % size in (await reader.readuntil(b"\r\n\r\n")) + await reader.readexactly(len(str(size)))
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            writer.writelines([b"10000\r\n" + b"x" * 65536 + b"\r\n"] * 16 + [b"0\r\n\r\n"])
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(7) == b"1048576"
            for _ in range(300):  # much more than what one of them may have
                writer.write(ASK)
                await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(1)
            assert not door.refused
            writer.transport.abort()

    run(work)


def test_half_a_request_and_silence_are_ended(monkeypatch):
    monkeypatch.setattr(http_door, "REQUEST_SECONDS", 0.3)

    async def work():
        async with served() as (door, told, port):
            for half in (b"", b"GET / HTT", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(half)
                with suppress(ConnectionError):
                    await asyncio.wait_for(reader.read(), 240)
                writer.transport.abort()
            assert door.refused[SLOW] == 3
            assert told == [SLOW]  # once in a while

    run(work)


def test_who_says_nothing_makes_room_and_who_asks_keeps_its_place(monkeypatch):
    monkeypatch.setattr(http_door, "MOST_CONNECTIONS", 6)

    async def work():
        async with served() as (door, _, port):
            asking = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
            for reader, writer in asking:
                writer.write(ASK)
                await reader.readuntil(b"\r\n\r\n0")
            silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
            for reader, writer in asking:
                writer.write(ASK)
                await asyncio.wait_for(reader.readuntil(b"\r\n\r\n0"), 240)
            new, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(ASK)
            await asyncio.wait_for(new.readuntil(b"\r\n\r\n0"), 240)
            assert door.refused[FULL] >= 38
            assert len(door._silent) + len(door._strangers) <= 6
            for _, one in [*silent, *asking, (new, writer)]:
                one.transport.abort()
            while door._silent or door._strangers:
                await asyncio.sleep(0.01)

    run(work)


def test_requests_without_a_token_have_their_turn_so_many_a_second(monkeypatch):
    monkeypatch.setattr(http_door, "_WAITS", 0.2)

    async def work():
        told = []
        door = HttpDoor(told.append)
        loop = asyncio.get_running_loop()
        began = loop.time()
        turns = await asyncio.gather(*(door.turn() for _ in range(200)))
        assert loop.time() - began >= 0.15
        assert 50 <= sum(turns) <= 50 + 0.2 * http_door.OPEN_A_SECOND + 2
        assert door.refused[BUSY] == 200 - sum(turns)
        assert told == [BUSY]

    timeless.run(work())


def test_strangers_keep_no_place_from_an_application(monkeypatch):
    """Before, who had asked anything held its place: half a body each, and nobody with the token was let in."""
    monkeypatch.setattr(http_door, "MOST_CONNECTIONS", 6)

    async def work():
        async with served() as (door, _, port):
            door.knows = lambda headers: (b"authorization", b"Bearer it") in headers
            known = b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer it\r\n\r\n"
            first = await asyncio.open_connection("127.0.0.1", port)
            for reader, writer in (first,):
                writer.write(known)
                await reader.readuntil(b"\r\n\r\n0")
            strangers = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
            for _, writer in strangers:
                writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx")
            while len(door._strangers) < 5:
                await asyncio.sleep(0.01)
            second = await asyncio.open_connection("127.0.0.1", port)
            for reader, writer in (first, second):
                writer.write(known)
                await asyncio.wait_for(reader.readuntil(b"\r\n\r\n0"), 240)
            assert len(door._strangers) == 4
            for _, writer in (*strangers, first, second):
                writer.transport.abort()

    run(work)
