"""The connection to a NATS server, through nats-py (extra `nats`).

How it works. Each connection is a new client of the library, which neither buffers for a server that is away nor comes
back by itself: that is done here, with a wait that grows from a twentieth of a second to five. The server is not
trusted: what waits here is bounded both ways, and a server that announces a larger message than it may send is left.
What it needs to let us in, beside the address in the charter, is a token in the variable FOLKMOOT_BROKER_TOKEN.
"""

import asyncio
import os
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from folkmoot.node.meeting import Take
from folkmoot.node.transport import TOO_LARGE

if TYPE_CHECKING:
    from nats.aio.client import Client

TOKEN = "FOLKMOOT_BROKER_TOKEN"
_BACKOFF = (0.05, 5.0)  # seconds before the next try: at first, at most
_MESSAGES, _BYTES = 1 << 14, 1 << 26  # that wait to be sent, at most
_IN_MESSAGES, _IN_BYTES = 1 << 14, 1 << 26  # that wait to be looked at, at most, of a subject
_CONTROL_BYTES = 1 << 16  # of the server's own words
_PING_SECONDS = 3
_SECONDS = 5.0  # for a handshake, and for a farewell


def needs_extra() -> None:
    """Say which extra to install if it is missing.

    Raises:
        ValueError: it is.
    """
    try:
        import nats
    except ModuleNotFoundError:
        raise ValueError("transport = 'nats' needs nats-py: pip install 'folkmoot[nats]'") from None
    _ = nats


class NATS:
    """See `folkmoot.node.meeting.Wire`.

    Attributes:
        largest: bytes of the largest message that is read.
        refused: what was not sent or not taken, by reason.
    """

    def __init__(self, url: str, largest: int = 0) -> None:
        needs_extra()
        self._url, self.largest = url, largest
        self.refused: Counter[str] = Counter()
        self._takes: dict[str, Take] = {}
        self._subscribed: dict[str, Any] = {}
        self._queue: deque[tuple[str, bytes]] = deque()
        self._waiting = 0  # bytes in the queue
        self._ready = asyncio.Event()
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._others: set[asyncio.Task[Any]] = set()

    def listen(self, subject: str, take: Take) -> None:
        """See `Wire`."""
        self._takes[subject] = take
        if self._client is not None:
            self._spawn(self._subscribe(self._client, subject))

    def forget(self, subject: str) -> None:
        """See `Wire`."""
        self._takes.pop(subject, None)
        subscribed = self._subscribed.pop(subject, None)
        if subscribed is not None and self._client is not None:
            self._spawn(subscribed.unsubscribe())

    def publish(self, subject: str, data: bytes) -> bool:
        """See `Wire`: the oldest is dropped for the newest."""
        client = self._client
        if client is None or len(data) > client.max_payload:
            self.refused["no broker" if client is None else TOO_LARGE] += 1
            return False
        self._queue.append((subject, data))
        self._waiting += len(data)
        while len(self._queue) > _MESSAGES or self._waiting > _BYTES:
            self._waiting -= len(self._queue.popleft()[1])
            self.refused["too slow a broker"] += 1
        self._ready.set()
        return True

    async def start(self, changed: Callable[[bool], None]) -> None:
        """See `Wire`: it does not wait until the server is there."""
        self._task = asyncio.get_running_loop().create_task(self._run(changed))

    async def stop(self) -> None:
        """See `Wire`: what waits has a moment to leave."""
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                while self._queue and self._client is not None:
                    await asyncio.sleep(0.01)
        tasks = [task for task in (self._task, *self._others) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None

    def _spawn(self, work: Awaitable[Any]) -> None:
        async def quiet() -> None:
            with suppress(Exception):  # of a connection that is ending
                await work

        task = asyncio.get_running_loop().create_task(quiet())
        self._others.add(task)
        task.add_done_callback(self._others.discard)

    async def _run(self, changed: Callable[[bool], None]) -> None:
        """Connections, one after the other."""
        wait = _BACKOFF[0]
        while True:
            ended = asyncio.Event()
            client = await self._connected(ended)
            if client is not None:
                wait = _BACKOFF[0]
                self._client = client
                changed(True)
                try:
                    await self._write(client, ended)
                finally:
                    self._client = None
                    self._queue.clear()
                    self._waiting = 0
                    self._subscribed.clear()
                    await _closed(client)
                    changed(False)
            await asyncio.sleep(wait * (0.5 + random.random()))
            wait = min(2 * wait, _BACKOFF[1])

    async def _connected(self, ended: asyncio.Event) -> "Client | None":
        """A connection that listens to all that is listened to; None: the server is away, or has another mind."""
        from nats.aio.client import Client

        async def failed(error: Exception) -> None:
            self.refused[type(error).__name__] += 1

        async def over() -> None:
            ended.set()

        client = Client()
        _guard(client, self.largest + _CONTROL_BYTES)
        try:
            async with asyncio.timeout(_SECONDS):
                await client.connect(
                    [self._url], allow_reconnect=False, error_cb=failed, disconnected_cb=over, closed_cb=over,
                    ping_interval=_PING_SECONDS, token=os.environ.get(TOKEN) or None, name="folkmoot",
                )  # fmt: skip
                for subject in list(self._takes):
                    await self._subscribe(client, subject)
                await client.flush()
        except Exception as error:  # the library has errors of many kinds
            self.refused[type(error).__name__] += 1
            await _closed(client)
            return None
        return client

    async def _subscribe(self, client: "Client", subject: str) -> None:
        take = self._takes[subject]

        async def came(message: Any) -> None:
            take(message.data)

        self._subscribed[subject] = await client.subscribe(
            subject, cb=came, pending_msgs_limit=_IN_MESSAGES, pending_bytes_limit=_IN_BYTES
        )

    async def _write(self, client: "Client", ended: asyncio.Event) -> None:
        """Send what waits, until the connection ends."""
        ending = asyncio.get_running_loop().create_task(ended.wait())
        ending.add_done_callback(lambda _: self._ready.set())
        try:
            while not ended.is_set():
                await self._ready.wait()
                self._ready.clear()
                while self._queue and not ended.is_set():
                    subject, data = self._queue.popleft()
                    self._waiting -= len(data)
                    try:
                        await client.publish(subject, data)
                    except Exception as error:  # the connection is ending, or this one message is not taken
                        self.refused[type(error).__name__] += 1
                        if not client.is_connected:
                            return
        finally:
            ending.cancel()


def _guard(client: "Client", most: int) -> None:
    """Bound what the library holds of a message that has not come to its end.

    Its own parser takes as much as the server announces.
    """
    from nats.errors import ProtocolError
    from nats.protocol.parser import Parser

    class Bounded(Parser):
        async def parse(self, data: bytes = b"") -> None:
            await super().parse(data)
            if self.needed > most or len(self.buf) > most + _CONTROL_BYTES:
                self.reset()
                raise ProtocolError(f"nats: a message of more than {most} bytes")

    client._ps = Bounded(client)


async def _closed(client: "Client") -> None:
    with suppress(Exception):
        async with asyncio.timeout(_SECONDS):
            await client.close()
