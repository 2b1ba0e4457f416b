"""What whoever asks a node over HTTP may take of it: connections, bytes beside a body, time, answers without a token.

How it works. Any user of the host can connect. When all places are taken, a connection that has not asked anything yet
makes room for a new one; else the oldest of those that have shown no token does, so strangers keep no place from an
application. A request is whole in a while, or its connection ends; what of
it is not body (its line, its headers, what stands between and behind chunks) is at most so long. Requests that need no
token have their turn one after the other, so many a second: a page that is asked for in a loop does not keep the node
from its rounds.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

MOST_CONNECTIONS = 256
MOST_BESIDE = 1 << 14  # bytes of a request that are not body
REQUEST_SECONDS = 30.0  # for the whole of a request
OPEN_A_SECOND = 50.0  # answers to who shows no token
_BURST = 50  # of these at once
_WAITS = 5.0  # seconds that one waits for its turn, at most
_SAYS_EVERY = 60.0  # seconds between two lines of one reason

Headers = Iterable[tuple[bytes, bytes]]

FULL, BESIDE = "too many connections", "too long beside its body"
SLOW, BUSY = "not whole in time", "too many without a token"


class HttpDoor:
    """The door of one node.

    Attributes:
        refused: requests and connections that were turned away, by reason.
        knows: do these headers of a request show the token?
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell`: called with a reason, when it is the first of its kind for a while."""
        self.refused: Counter[str] = Counter()
        self._tell, self._told = tell, dict[str, float]()
        self._silent: dict[Any, None] = {}  # connections that have asked nothing yet, the oldest first
        self._strangers: dict[Any, None] = {}  # that have asked and shown no token, the oldest first
        self._known: set[Any] = set()
        self.knows: Callable[[Headers], bool] = lambda headers: False
        self._free = 0.0

    def enter(self, connection: Any) -> bool:
        """Is there a place for it?"""
        if len(self._silent) + len(self._strangers) + len(self._known) >= MOST_CONNECTIONS:
            self.refuse(FULL)
            oldest = next(iter(self._silent or self._strangers), None)
            if oldest is None:
                return False
            self.leave(oldest)
            oldest.transport.abort()
        self._silent[connection] = None
        return True

    def asks(self, connection: Any, headers: Headers) -> None:
        """It has asked something."""
        if connection in self._known or (connection not in self._silent and connection not in self._strangers):
            return
        self.leave(connection)
        if self.knows(headers):
            self._known.add(connection)
        else:
            self._strangers[connection] = None

    def leave(self, connection: Any) -> None:
        """It has ended."""
        self._silent.pop(connection, None)
        self._strangers.pop(connection, None)
        self._known.discard(connection)

    async def turn(self) -> bool:
        """Wait for the turn of a request without a token; False: too many wait already."""
        now = asyncio.get_running_loop().time()
        mine = max(self._free, now - _BURST / OPEN_A_SECOND) + 1 / OPEN_A_SECOND
        if mine - now > _WAITS:
            self.refuse(BUSY)
            return False
        self._free = mine
        if mine > now:
            await asyncio.sleep(mine - now)
        return True

    def refuse(self, reason: str) -> None:
        """Count it, and say it if it has not been said for a while."""
        self.refused[reason] += 1
        now = asyncio.get_running_loop().time()
        if now - self._told.get(reason, -_SAYS_EVERY) >= _SAYS_EVERY:
            self._told[reason] = now
            self._tell(reason)


def through(door: HttpDoor) -> Any:
    """Uvicorn's protocol for a connection, with what the door allows."""
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Bounded(HttpToolsProtocol):
        _beside, _due = 0, None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._due = self.loop.call_later(REQUEST_SECONDS, self._late)
            if not door.enter(self):
                self._turn_away(b"503 Service Unavailable")

        def connection_lost(self, exc: Exception | None) -> None:
            door.leave(self)
            self._whole()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():
                return
            if self._due is None:
                self._due = self.loop.call_later(REQUEST_SECONDS, self._late)
            self._beside += len(data)
            super().data_received(data)
            if self._beside > MOST_BESIDE:
                door.refuse(BESIDE)
                self._turn_away(b"431 Request Header Fields Too Large")

        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            door.asks(self, self.headers)

        def on_body(self, body: bytes) -> None:
            self._beside -= len(body)
            super().on_body(body)

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._beside = 0
            self._whole()

        def _whole(self) -> None:
            if self._due is not None:
                self._due.cancel()
                self._due = None

        def _late(self) -> None:
            self._due = None
            door.refuse(SLOW)
            self.transport.abort()

        def _turn_away(self, status: bytes) -> None:
            if not self.transport.is_closing():
                self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                self.transport.close()

    return Bounded
