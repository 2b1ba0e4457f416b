"""Frames over TLS 1.3, between members who know each other's keys.

How it works. Every node listens and dials all others; one connection between two members is enough, whichever side
made it, so a member behind a firewall that lets nothing in can take part. Both sides show a certificate that is signed
by its own identity key; trusted are those in the charter, nothing else, and after the handshake the key must be that of
the member expected. A stranger fails in the handshake: it costs that, and is held in no list.

The first frame on a connection is a greeting: versions of this protocol, and the charter. Until it has come, no frame
above 512 bytes is read, and five seconds are all there is. To a member that speaks of another charter it is said with
what the own epoch began, if an amendment began it, and the connection is closed.

What waits to be sent to a peer is bounded: the oldest frame is dropped for the newest. What comes is read frame by
frame into memory of at most one frame, and not faster than a budget allows: a member that floods is slowed down, and
the others are not. A member has two connections at most, one for each side that makes one; a third ends the oldest.
"""

import asyncio
import contextlib
import random
import socket
import time
from collections import deque
from collections.abc import Callable, Coroutine

from folkmoot.encoding import Malformed
from folkmoot.errors import OtherSide
from folkmoot.machine import Moment
from folkmoot.node import frames
from folkmoot.node.bounds import Budget, Door
from folkmoot.node.charter import Charter
from folkmoot.node.epoch import opening_frame
from folkmoot.node.frames import BLOCKS, BYE, HELLO_BYTES, LENGTH, OPENING, Frame, Hello, from_bytes, hello_of, spoken
from folkmoot.node.member import address
from folkmoot.node.sockets import listen, set_options
from folkmoot.node.tls_contexts import contexts
from folkmoot.node.transport import Arrived, Reasons, Tail, Traffic, no_tail

GREETING_SECONDS = 5.0
_QUEUE_FRAMES, _QUEUE_BYTES = 256, 1 << 22  # that wait for one peer; of bytes, or one frame alone
_LINKS = 2  # of one peer
_BACKOFF = (0.05, 5.0)  # seconds before the next try: at first, at most
_CLOSING_SECONDS = 1.0  # in which a peer is to agree that a connection ends
_AWAY_SECONDS = 0.01  # after a connection that finds no place, before the next one is looked at
_AFTER_END = 3  # frames that one in another epoch may still say
_MOST_TAIL = 1 << 20  # bytes of blocks that one in a later epoch shows
_IDLE_SECONDS = 30.0  # without a frame, after which a connection is thought dead


class TurnedAway(OtherSide):
    """A peer that is not who it should be, or that speaks of something else."""


class OtherEpoch(TurnedAway):
    """A member that speaks of another charter: it may be in another epoch of the same consortium."""


class _Link:
    """A connection after its greeting; `seen`: when a frame has last come by it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.seen = reader, writer, time.monotonic()

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.writer.transport.abort()


class TLS:
    """See the head of the module.

    Attributes:
        traffic: of each other member.
        strangers: connections of nobody we know, by reason.
    """

    def __init__(
        self, charter: Charter, me: int, seed: bytes, largest: int, budget: float, listen: str = "",
        tail: Tail = no_tail,
    ) -> None:  # fmt: skip
        """Say who it is.

        Args:
            charter, me, seed: whose node.
            largest: bytes of the largest frame that is read.
            budget: bytes a second that one peer may send for long.
            listen: HOST:PORT to listen at; empty: the address in the charter.
            tail: the last blocks of the epoch before, for a member that is still there.
        """
        self._tail = tail
        self._charter, self._me, self._largest, self._budget = charter, me, largest, max(budget, 4.0 * largest)
        self._server_context, self._client_context = contexts(charter, me, seed)
        self._where = address(listen or charter.members[me].address)
        self._numbers = {card.certificate: number for number, card in enumerate(charter.members)}
        others = [number for number in range(charter.n_members) if number != me]
        self.traffic = {number: Traffic() for number in others}
        self.strangers = Reasons()
        self._links: dict[int, list[_Link]] = {number: [] for number in others}
        self._queues: dict[int, deque[bytes]] = {number: deque() for number in others}
        self._waiting = dict.fromkeys(others, 0)  # bytes in each queue
        self._budgets = {number: Budget(self._budget, time.monotonic()) for number in others}
        self._ready = {number: asyncio.Event() for number in others}
        self._tasks: set[asyncio.Task[None]] = set()
        self._door = Door()
        self._last: tuple[Frame | None, bytes] = (None, b"")  # frame that was sent, and its bytes
        self._listening: list[socket.socket] = []

    @property
    def settles(self) -> float:
        """See `Transport`."""
        return 0.05

    @property
    def connected(self) -> frozenset[int]:
        """See `Transport`."""
        return frozenset(number for number, links in self._links.items() if links)

    async def start(self, arrived: Arrived, greeting: Callable[[], tuple[Moment, Hello]]) -> None:
        """See `Transport`.

        Raises:
            OSError: it cannot listen there.
        """
        self._arrived, self._greeting = arrived, greeting
        self._listening = await listen(self._where.host, self._where.port)
        for listening in self._listening:
            self._spawn(self._accept(listening))
        for number in self.traffic:
            self._spawn(self._dial(number))
            self._spawn(self._write(number))
        self._spawn(self._close_dead())

    async def stop(self) -> None:
        """See `Transport`."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=1.0)
        while self._listening:
            self._listening.pop().close()
        for links in self._links.values():
            for link in links:
                link.close()

    def send(self, to: int, frame: Frame) -> None:
        """See `Transport`: at once if nothing waits for this peer."""
        queue, links = self._queues[to], self._links[to]
        if frame is not self._last[0]:  # the same goes to all
            self._last = frame, frame.to_bytes()
        data = self._last[1]
        if links and not queue and not links[-1].writer.transport.get_write_buffer_size():
            with contextlib.suppress(OSError, RuntimeError):
                links[-1].writer.write(data)
                self.traffic[to].sent += len(data)
            return
        self._waiting[to] += len(data)
        while queue and (len(queue) >= _QUEUE_FRAMES or self._waiting[to] > _QUEUE_BYTES):
            self._waiting[to] -= len(queue.popleft())
            self.traffic[to].dropped += 1
        queue.append(data)
        self._ready[to].set()

    def _taken(self, number: int) -> bytes:
        """All that waits for a peer, which does not wait any more."""
        data = b"".join(self._queues[number])
        self._queues[number].clear()
        self._waiting[number] = 0
        return data

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        """Tasks need somebody who holds on to them."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- Connections -------------------------------------------------------------------------------------------------

    async def _accept(self, listening: socket.socket) -> None:
        """Let in who comes, as far as there are places."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, where = await loop.sock_accept(listening)
            except OSError:  # no file is left, for example
                await asyncio.sleep(_BACKOFF[0])
                continue
            host = str(where[0])
            if self._door.enter(host):
                self._spawn(self._let_in(accepted, host))
                await asyncio.sleep(0)
            else:
                self.strangers["too many connections"] += 1
                accepted.close()
                await asyncio.sleep(_AWAY_SECONDS)

    async def _let_in(self, accepted: socket.socket, host: str) -> None:
        loop, began, number = asyncio.get_running_loop(), time.monotonic(), None
        reader = asyncio.StreamReader(limit=1 << 16, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, accepted, ssl=self._server_context,
                ssl_handshake_timeout=GREETING_SECONDS, ssl_shutdown_timeout=_CLOSING_SECONDS,
            )  # fmt: skip
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            number = await self._greet(reader, writer, None)
        except OSError:
            self.strangers["no handshake"] += 1
        finally:
            self._door.leave(host, time.monotonic() - began)
        if number is not None:
            await self._read(number, _Link(reader, writer))

    async def _dial(self, number: int) -> None:
        wait = _BACKOFF[0]
        while True:
            if not self._links[number] and await self._reach(number):
                wait = _BACKOFF[0]
            await asyncio.sleep(wait * (0.5 + random.random()))
            wait = min(2 * wait, _BACKOFF[1])

    async def _reach(self, number: int) -> bool:
        """Make a connection and take frames from it until it ends; was there one?"""
        there, made = address(self._charter.members[number].address), False
        with contextlib.suppress(Exception):  # whatever an address leads to, it is tried again
            opened = asyncio.open_connection(
                there.host, there.port, ssl=self._client_context, server_hostname="",
                ssl_handshake_timeout=GREETING_SECONDS, ssl_shutdown_timeout=_CLOSING_SECONDS, limit=1 << 16,
            )  # fmt: skip
            async with asyncio.timeout(GREETING_SECONDS + 1):
                reader, writer = await opened
            made = await self._greet(reader, writer, number) is not None
            if made:
                await self._read(number, _Link(reader, writer))
        return made

    async def _greet(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, expected: int | None
    ) -> int | None:
        """Who is at the other end; None: nobody to talk to, and the connection is closed."""
        number = said = None
        try:
            number = self._who(writer, expected)
            moment, hello = self._greeting()
            writer.write(hello.frame(moment).to_bytes())
            async with asyncio.timeout(GREETING_SECONDS):
                frame = from_bytes(await self._body(reader, HELLO_BYTES))
            said = hello_of(frame)
            self._check(said)
        except (TurnedAway, Malformed) as error:
            reason = str(error)
            self._refuse(number, reason)
            with contextlib.suppress(Exception):
                if isinstance(error, OtherEpoch) and self._charter.opening is not None and said is not None:
                    writer.write(opening_frame(self._charter.digest, self._charter.opening).to_bytes())
                    if blocks := self._tail(said):
                        writer.write(Frame(BLOCKS, parts=blocks).to_bytes())
                writer.write(Frame(BYE, parts=(reason.encode()[:200],)).to_bytes())
                async with asyncio.timeout(1):
                    await writer.drain()
            if isinstance(error, OtherEpoch):
                await self._hear_out(reader, number)
            writer.close()
            return None
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            self._refuse(number, "no greeting")
            writer.transport.abort()
            return None
        set_options(writer, _IDLE_SECONDS)
        self.traffic[number].version = said.version
        self._arrived(number, frame)
        return number

    async def _hear_out(self, reader: asyncio.StreamReader, number: int | None) -> None:
        """What a member in another epoch says of it before it closes."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError, Malformed):
            async with asyncio.timeout(GREETING_SECONDS):
                for _ in range(_AFTER_END):
                    frame = from_bytes(await self._body(reader, max(self._largest, _MOST_TAIL)))
                    if frame.kind not in (OPENING, BLOCKS) or number is None:
                        return
                    self._arrived(number, frame)

    def _who(self, writer: asyncio.StreamWriter, expected: int | None) -> int:
        number = self._numbers.get(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        if number is None:
            raise TurnedAway("no member")
        if number == self._me or expected not in (None, number):
            raise TurnedAway("another member than expected")
        return number

    def _check(self, said: Hello) -> None:
        if said.charter != self._charter.identity:
            raise OtherEpoch(f"of another charter, {said.charter.hex()[:16]}")
        if spoken(frames.PROTOCOLS, (said.oldest, said.newest)) is None:
            raise TurnedAway(f"speaks versions {said.oldest} to {said.newest}, we {frames.PROTOCOLS}")

    def _refuse(self, number: int | None, reason: str) -> None:
        if number is None or number not in self.traffic:
            self.strangers[reason] += 1
        else:
            self.traffic[number].refused[reason] += 1

    # --- Frames ------------------------------------------------------------------------------------------------------

    async def _body(self, reader: asyncio.StreamReader, largest: int) -> bytes:
        (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
        if length > largest:
            raise Malformed(f"frame of {length} bytes: expected at most {largest}")
        return await reader.readexactly(length)

    async def _read(self, number: int, link: _Link) -> None:
        """Take frames in until the connection ends."""
        links, traffic, budget = self._links[number], self.traffic[number], self._budgets[number]
        links.append(link)
        for old in links[:-_LINKS]:
            old.close()
        traffic.connected = True
        self._ready[number].set()
        try:
            while True:
                body = await self._body(link.reader, self._largest)
                link.seen = time.monotonic()
                traffic.received += len(body) + LENGTH.size
                traffic.frames += 1
                frame = from_bytes(body)
                self._arrived(number, frame)
                if wait := budget.spend(len(body), len(frame.parts), link.seen):
                    traffic.refused["slowed down"] += 1
                    await asyncio.sleep(wait)
        except Malformed as error:
            traffic.refused[str(error)[:60]] += 1
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            links.remove(link)
            traffic.connected = bool(links)
            link.close()

    async def _close_dead(self) -> None:
        """End connections by which nothing has come for long.

        Two members that dial each other at once have two, and each may speak by the one on which it hears nothing: such
        a one stays. Looks that come late are passed over: what has come meanwhile is still to be read.
        """
        looked = time.monotonic()
        while True:
            await asyncio.sleep(_IDLE_SECONDS / 4)
            before, looked = looked, time.monotonic()
            if looked - before > _IDLE_SECONDS / 2:
                continue
            for links in self._links.values():
                idle = [link for link in links if looked - link.seen > _IDLE_SECONDS]
                for link in idle:
                    if len(idle) == len(links) or link is not links[-1]:
                        link.close()

    async def _write(self, number: int) -> None:
        """Send what waits, over the newest connection there is; what comes while there is none is lost."""
        queue, ready = self._queues[number], self._ready[number]
        links, traffic = self._links[number], self.traffic[number]
        while True:
            await ready.wait()
            ready.clear()
            while queue:
                if not links:
                    traffic.dropped += len(queue)
                    self._taken(number)
                    break
                link, data = links[-1], self._taken(number)
                try:
                    link.writer.write(data)
                    await link.writer.drain()
                    traffic.sent += len(data)
                except (OSError, RuntimeError):
                    link.close()
