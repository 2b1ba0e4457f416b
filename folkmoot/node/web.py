"""What a node answers over HTTP, on this host alone: applications, the operator's page, metrics.

How it works. The two requests that come thousands of times a second (`/v1/decide`, `/v1/outcome`) are answered before
any routing. Outcomes that come at the same time are written to the disk together. Everything under `/v1` needs the
token from the data folder. The page and what it shows can only be read, and only names of this host are answered to, so
that a page of somebody else in the same browser cannot read it.
"""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from folkmoot.node import web_learning
from folkmoot.node.database import Full
from folkmoot.node.folder import TOKEN_LENGTH
from folkmoot.node.http_door import HttpDoor
from folkmoot.node.off_loop import Stopped
from folkmoot.node.play import Player
from folkmoot.node.proofs import proof_of
from folkmoot.node.tickets import NoRound
from folkmoot.node.together import Together
from folkmoot.node.token_proof import PATH, ends, nonce_in, token_proof
from folkmoot.node.view import View

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_BODY = 1 << 16  # bytes of a request
MOST_WATCHERS = 16  # pages that are open
_BODIES = 2  # large ones, at once
WAIT_SECONDS = 5.0  # that a request waits for a later round, at most
_PAGE_SECONDS = 0.25  # between two times that the page is told anew
_HOSTS = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")
_INSTEAD = f"expected {web_learning.PREDICT} or {web_learning.SAMPLES}"
_CHOOSING = ("/v1/decide", "/v1/outcome")
_MOST_EMPTY = 64  # bytes of a body that says nothing
_AFTER = re.compile(rb"after=([0-9]{1,12})")
_UNWELL = ("starting", "stopped")  # phases; in all others a new start would help nothing
_ASSETS = Path(__file__).resolve().parent / "page"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class _Outcome(msgspec.Struct, forbid_unknown_fields=True):
    ticket: str
    reward: float | int | None
    proof: str = ""


class Web:
    """The application that a server of ASGI runs.

    Attributes:
        changed: set whenever something has changed that the page shows.
    """

    def __init__(
        self, player: Player, view: View, token: str, metrics: Callable[[], bytes], door: HttpDoor | None = None
    ) -> None:
        """`door`: for who shows no token; left out: one that tells nobody."""
        self._player, self._view, self._token, self._metrics = player, view, token.encode(), metrics
        self._outcomes = msgspec.json.Decoder(_Outcome | list[_Outcome])
        self._together = Together(player)
        self._watchers: set[asyncio.Event] = set()
        self._shown, self._shown_at, self._is_old = b"", 0.0, True
        self._ends = False
        self._door = door or HttpDoor(lambda reason: None)
        self._door.knows = lambda headers: self._knows(dict(headers))
        self._made: dict[str, tuple[float, bytes]] = {}
        self._at_once = asyncio.Semaphore(_BODIES)
        routes = [
            Route("/v1/state", self._state), Route("/v1/openapi.json", self._openapi), Route("/healthz", self._health),
            Route("/metrics", self._measured), Route("/", self._page), Route("/events", self._events),
            Route("/favicon.ico", self._icon), Route("/page/{name}", self._asset), Route(PATH, self._proof),
        ]  # fmt: skip
        self._rest = Starlette(routes=routes)

    def show(self, player: Player, view: View) -> None:
        """From now on this player answers: another epoch has begun."""
        before, self._player, self._view = self._player, player, view
        self._together = Together(player)
        before.tickets.end()
        self.changed()

    def end(self) -> None:
        """Nothing more comes: pages that are open, and applications that wait for a round, are let go."""
        self._ends = True
        self._player.tickets.end()
        self.changed()

    def changed(self) -> None:
        """Tell the pages that are open."""
        self._is_old = True
        for watcher in self._watchers:
            watcher.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        path = scope["path"]
        host = headers.get(b"host", b"").decode("latin-1")
        inside = path.startswith("/v1/")
        known = inside and self._knows(headers)
        if not known and not await self._door.turn():
            await _answer(send, 503, {"error": "too many requests without a token"})
        elif _HOSTS.fullmatch(host) is None:
            await _answer(send, 421, {"error": f"host = {host[:80]!r}: this node answers on its own host alone"})
        elif inside and not known and path != "/v1/openapi.json":
            await _answer(
                send, 401, {"error": "token: expected 'Authorization: Bearer' and what stands in the file `token`"}
            )
        else:
            try:
                await self._answered(path, scope, receive, send)
            except Stopped as error:  # before anything was answered
                await _answer(send, 503, {"error": str(error), "phase": self._view.phase})

    async def _answered(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if path in web_learning.PATHS:
            await self._learning(path, scope, receive, send)
        elif path in _CHOOSING and scope["method"] == "POST" and self._player.system.learns:
            await _answer(
                send, 409, {"counts": False, "error": f"members of this consortium choose no arms: {_INSTEAD}"}
            )
        elif path == "/v1/decide":
            await self._decide(scope, receive, send)
        elif path == "/v1/outcome":
            await self._take(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    def _knows(self, headers: dict[bytes, bytes]) -> bool:
        shown = headers.get(b"authorization", b"")
        return len(self._token) >= TOKEN_LENGTH and hmac.compare_digest(shown, b"Bearer " + self._token)

    # --- Applications ------------------------------------------------------------------------------------------------

    async def _decide(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _answer(send, 405, {"error": "expected POST"})
            return
        after = _AFTER.fullmatch(scope["query_string"])
        if scope["query_string"] and after is None:
            await _answer(send, 400, {"error": "query: expected after=ROUND, or nothing"})
            return
        if not await _is_empty(receive):
            await _answer(send, 400, {"error": "body: expected none; what to wait for is a query, ?after=ROUND"})
            return
        if after is not None:
            await self._player.tickets.opened(int(after[1]), WAIT_SECONDS)
        try:
            decision = self._player.tickets.decide()
        except NoRound:
            await _answer(send, 503, {"error": not_now(self._view), "phase": self._player.phase})
            return
        await _answer(send, 200, vars(decision))

    async def _take(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _answer(send, 405, {"error": "expected POST"})
            return
        body = b""
        try:
            body = await _body(receive)
            given = self._outcomes.decode(body)
            many = given if isinstance(given, list) else [given]
            take, together = self._player.tickets.outcome, self._together  # of one and the same player
            entries = [take(one.ticket, one.reward, proof_of(one.proof)) for one in many]
        except (msgspec.MsgspecError, ValueError) as error:
            terms, word = self._player.charter.terms, web_learning.no_number(body)
            allowed = f"expected a number from {terms.low:g} to {terms.high:g}, or null"
            said = f"reward: {word} is no number in JSON; {allowed}" if word else str(error)
            await _answer(send, 400, {"error": said})
            return
        try:
            found = await together.take(entries)
        except Full as error:
            await _answer(send, 507, {"error": f"not kept: {error}"})
            return
        words = [_OUTCOMES[word] for word in found]
        if isinstance(given, list):
            await _answer(send, 200, {"outcomes": words})
        else:
            await _answer(send, 200 if found[0] == "taken" else 409, words[0])

    async def _learning(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _answer(send, 405, {"error": "expected POST"})
        elif not self._player.system.learns:
            await _answer(send, 409, {"error": "members of this consortium have no models: expected /v1/decide"})
        else:
            async with self._at_once:
                try:
                    body = await _body(receive, web_learning.MOST_BODY)
                except ValueError as error:
                    await _answer(send, 400, {"error": str(error)})
                    return
                status, said = await web_learning.answer(path, body, self._player, self._view)
            await _answer(send, status, said)

    async def _state(self, request: Request) -> Response:
        return _json(self._view.state())

    async def _openapi(self, request: Request) -> Response:
        from folkmoot.node.openapi import description

        return JSONResponse(description())

    async def _proof(self, request: Request) -> Response:
        """See `token_proof.py`."""
        nonce = nonce_in(request.scope["query_string"])
        if nonce is None:
            return JSONResponse({"error": "query: expected nonce= and 32 hexadecimal digits"}, 400)
        client, node = request.scope.get("client"), request.scope.get("server")
        there = {"proof": token_proof(self._token, nonce, ends(client, node))} if client and node else {}
        return JSONResponse({**there, "forwarded": token_proof(self._token, nonce)})

    # --- Operators ---------------------------------------------------------------------------------------------------

    async def _health(self, request: Request) -> Response:
        phase = self._view.phase
        return JSONResponse({"phase": phase, "troubles": self._view.troubles()}, 503 if phase in _UNWELL else 200)

    async def _measured(self, request: Request) -> Response:
        return Response(self._lately("metrics", self._metrics), media_type="text/plain; version=0.0.4")

    async def _page(self, request: Request) -> Response:
        from folkmoot.node.page.render import page

        made = self._lately("page", lambda: page(self._view.state()).encode())
        return _guarded(Response(made, media_type="text/html"))

    def _lately(self, what: str, make: Callable[[], bytes]) -> bytes:
        """What was made of it a moment ago, or made anew: many may ask."""
        now = asyncio.get_running_loop().time()
        if what not in self._made or now - self._made[what][0] >= _PAGE_SECONDS:
            self._made[what] = now, make()
        return self._made[what][1]

    async def _icon(self, request: Request) -> Response:
        return Response((_ASSETS / "icon.svg").read_bytes(), media_type="image/svg+xml")

    async def _asset(self, request: Request) -> Response:
        found = {file.name: file for file in _ASSETS.iterdir() if file.suffix in _KINDS}
        file = found.get(request.path_params["name"])
        if file is None:
            return PlainTextResponse("no such file", 404)
        return _guarded(Response(file.read_bytes(), media_type=_KINDS[file.suffix]))

    async def _events(self, request: Request) -> Response:
        """What the page shows, again whenever it has changed, at most four times a second."""
        if len(self._watchers) >= MOST_WATCHERS:
            return PlainTextResponse(f"{MOST_WATCHERS} pages are open; no more are told what changes", 503)
        watcher = asyncio.Event()
        self._watchers.add(watcher)

        async def parts() -> AsyncIterator[bytes]:
            while not self._ends:
                yield await self._rendered()
                await asyncio.sleep(_PAGE_SECONDS)
                with suppress(TimeoutError):  # clocks and traffic change without a word
                    async with asyncio.timeout(2):
                        await watcher.wait()
                watcher.clear()

        return _Stream(parts(), lambda: self._watchers.discard(watcher))

    async def _rendered(self) -> bytes:
        """What all pages that are open are told: it is made once for all of them, and a moment old at most."""
        now = asyncio.get_running_loop().time
        while self._is_old and (wait := self._shown_at + _PAGE_SECONDS - now()) > 0:
            await asyncio.sleep(wait)
        if self._is_old or now() - self._shown_at >= _PAGE_SECONDS:
            self._is_old, self._shown_at = False, now()
            self._shown = b"data: " + msgspec.json.encode(self._view.state()) + b"\n\n"
        return self._shown


class _Stream(StreamingResponse):
    """Events; `over` is called when they have ended, also if they never began."""

    def __init__(self, parts: AsyncIterator[bytes], over: Callable[[], None]) -> None:
        super().__init__(parts, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._over = over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._over()


_OUTCOMES = {
    "taken": {"counts": True},
    "twice": {"counts": False, "error": "this ticket has an outcome already; the first one stays"},
    "closed": {"counts": False, "error": "what its round brought has been told to the others already"},
    "second": {
        "counts": False,
        "error": "its round has its signed outcome already; the first one stays",
    },
    "unsigned": {
        "counts": False,
        "error": "proof: expected the environment's signature of this reward and arm",
    },
    "signed": {"counts": False, "error": "proof: the charter names no environment that signs rewards; expected none"},
}


def not_now(view: View) -> str:
    """Why there is nothing to play, and until when."""
    waits = view.waits_for()
    return f"no round is under way: {waits}" if waits else "no round is under way"


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _guarded(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


async def _body(receive: Receive, most: int = MOST_BODY) -> bytes:
    """The body of a request.

    Raises:
        ValueError: more than a request may have.
    """
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most:
            raise ValueError(f"request of more than {most} bytes: no more is taken")
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


async def _is_empty(receive: Receive) -> bool:
    """Does a request without a body say nothing there? An empty object, as some clients send it, says nothing."""
    try:
        return (await _body(receive, _MOST_EMPTY)).strip() in (b"", b"{}", b"null")
    except ValueError:
        return False


async def _answer(send: Send, status: int, value: Any) -> None:
    body = msgspec.json.encode(value)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
