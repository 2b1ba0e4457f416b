"""What an application needs: ask a node what to play, and tell it what came of it.

    from folkmoot.node import Client

    with Client("http://127.0.0.1:8200", token) as node:
        decision = node.decide()
        node.outcome(decision.ticket, reward=play(decision.name))

What goes wrong is of three kinds, all of them a `NodeSays`. `Refused`: for good; drop that ticket. `NotNow`: ask again
later, whether the node is down or has nothing to play. `NodeSays` itself: whoever set this up must mend it.
`AsyncClient` has the same methods, to be awaited. It needs nothing but the standard library.

Whoever listens there must first show, on each connection, that it knows the token: one that does not is never sent it.
"""

import asyncio
import hmac
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from http.client import HTTPConnection, HTTPException, HTTPResponse
from math import inf
from secrets import token_hex
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from folkmoot.doors import array, guarded, is_whole, plain, within
from folkmoot.errors import OtherSide, brief
from folkmoot.json_text import parsed
from folkmoot.node.folder import Folder
from folkmoot.node.tickets import Decision
from folkmoot.node.token_proof import ends, query, token_proof

_MOST = 1 << 24  # bytes of an answer
_MOST_PROOF = 1 << 10
# What is asked for -> what has to be said with it, and an example.
NEEDS = {"exchange": {"each": "--each 3"}, "expel": {"party": "--party NAME", "reason": "--reason TEXT"}}
_FIELDS = tuple(field.name for field in fields(Decision))


@dataclass(frozen=True)
class Predicted:
    """What a consortium says of some samples.

    Attributes:
        classes: of each one; -1: no model speaks for it.
        labels: the same by name; None: classes have no names.
        scores: of each one, a number for each class.
        predictor: how the models were put together.
        height: of the chain whose models these were.
    """

    classes: list[int]
    labels: list[str] | None
    scores: list[list[float]]
    predictor: str
    height: int


_PREDICTED = tuple(field.name for field in fields(Predicted))


class NodeSays(OtherSide):
    """The node does not do what it was asked to do; the message says why.

    Of this class itself: a wrong token, a wrong host, something that is no node. It stays so until it is mended.
    """


class Refused(NodeSays):
    """For good: the same ticket with the same reward will never be taken. Drop it, and go on.

    A ticket of a round that counts no more, or of another epoch, or of no round; a reward off the scale.
    """


class NotNow(NodeSays):
    """Not now; the same request may succeed later, and nothing is lost.

    The node cannot be reached, has nothing to play (no round is under way), or its disk is full.
    """


class Client:
    """A connection to a node; one thread at a time.

    Args:
        url: as the node printed it, or as it stands in the file `http` of its data folder.
        token: the content of the file `token` of its data folder, with or without the end of its line.
        timeout: seconds that one answer may take.
        forwarded: is `url` that of a tunnel, a proxy or a forwarded port in front of the node? Then whoever listens
            there can get the token, if it can reach the node.

    Raises:
        ValueError: a URL of another kind, or a token that is not one word.
    """

    @guarded
    def __init__(self, url: str, token: str, timeout: float = 10.0, *, forwarded: bool = False) -> None:
        word = token.strip()
        if not word or not all("!" <= letter <= "~" for letter in word):
            raise ValueError("token: expected the one word in the file `token` of the node's data folder")
        self._url, self._timeout, self._forwarded = url, timeout, forwarded
        self._folder: Folder | None = None
        self._connection = _connection(url, timeout)
        self._token = word.encode()
        self._headers = {"Authorization": f"Bearer {word}", "Content-Type": "application/json"}

    @classmethod
    def of(cls, folder: Folder, timeout: float = 10.0) -> Self:
        """Of the node that runs on a data folder; it follows when the node comes back at another port.

        Raises:
            ValueError: none runs.
        """
        client = cls(folder.url, folder.token, timeout)
        client._folder = folder
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def decide(self, after: int = 0) -> Decision:
        """What to play now; any number of times a round, each with a ticket of its own.

        `after`: a round, such as that of the last decision: wait a few seconds for a later one, if none is under way.
        What is given when none has begun is of the same round once more.

        Raises:
            NotNow: there is nothing to play now, or the node cannot be reached.
            Refused: an `after` that is no round.
            NodeSays: another answer, which does not change by itself.
        """
        answer = self._ask("POST", f"/v1/decide?after={after}" if after else "/v1/decide")
        return Decision(**{name: answer[name] for name in _FIELDS if name in answer})

    def outcome(self, ticket: str, reward: float | None, proof: str = "") -> bool:
        """What came of a decision; None: nothing will. Does it count? It is on the node's disk then.

        False: its ticket or its round has an outcome already. It may be told any number of times: it counts once.
        `proof`: where the charter names who signs rewards, see `folkmoot.node.Environment`.

        Raises:
            Refused: for good, an old or unknown ticket, one of another epoch, or a reward off the scale. Drop it.
            NotNow: the node cannot be reached, or its disk is full. Keep it, and tell it again.
            NodeSays: another answer, which does not change by itself.
        """
        body = {"ticket": ticket, "reward": reward, **({"proof": proof} if proof else {})}
        return bool(self._ask("POST", "/v1/outcome", body, (200, 409))["counts"])

    @guarded
    def predict(self, x: Any, predictor: str = "mean") -> Predicted:
        """What the models of a consortium, as they are, say together of some samples.

        `x`: lists of numbers, or an array [samples, ...], at most 256 samples. `predictor`: how the models are put
        together; "screened" is the mean of those that do well on this member's check set.

        Raises:
            ValueError: `x` is no numbers, or has some that are not finite; nothing is sent.
            NotNow: the node cannot be reached, or models of others are still to be fetched.
            Refused: samples of another shape, or no such predictor.
            NodeSays: another answer, such as that its members have no models.
        """
        answer = self._ask("POST", "/v1/predict", {"x": _rows(x), "predictor": predictor})
        return Predicted(**{name: answer[name] for name in _PREDICTED if name in answer})

    def samples(self, x: Any, y: Any) -> int:
        """Hand in samples of this member's own with their classes; how many are new. They are on its disk then.

        They may be handed in any number of times: each is kept once. Its node looks among them for samples to send.

        Raises:
            ValueError: no finite numbers, or what is no class; nothing is sent.
            NotNow: the node cannot be reached, or its disk is full. Keep them, and tell them again.
            Refused: samples of another shape, or of a class that this member's model does not know.
            NodeSays: another answer.
        """
        return int(self._ask("POST", "/v1/samples", {"x": _rows(x), "y": _classes(y)})["new"])

    @guarded
    def ask(self, what: str, **about: Any) -> str:
        """Ask for an exchange, or for an act of this member (docs/life-of-a-consortium.md); what is under way then.

        `what`: "exchange" (with `each`), "leave", "expel" (with `party` and `reason`), "update" or "rotate".

        Raises:
            ValueError: what is missing, or no text and no whole number; nothing is sent.
            NotNow: the node cannot be reached, or models of others are still to be fetched.
            Refused: it cannot be done, and why.
            NodeSays: another answer, such as that its members have no models.
        """
        for name, value in about.items():
            if not isinstance(value, str) and not is_whole(value):
                raise ValueError(f"{name} = {brief(value)}: expected text or a whole number")
        about = {name: plain(value) for name, value in about.items()}
        for name in NEEDS.get(what, ()):
            if name not in about:
                raise ValueError(f"{name}: missing; {what!r} is asked for with {' and '.join(NEEDS[what])}")
        return str(self._ask("POST", "/v1/ask", {"what": what, **about})["said"])

    def state(self) -> dict[str, Any]:
        """What the node knows: each field is described at /v1/openapi.json, and in docs/write-an-application.md.

        Raises:
            NotNow: the node cannot be reached.
            NodeSays: another answer, which does not change by itself.
        """
        return self._ask("GET", "/v1/state")

    def _ask(self, method: str, path: str, body: Any = None, fine: tuple[int, ...] = (200,)) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        for attempt in (1, 2):  # a connection that was idle may have been closed at the other end
            try:
                if self._connection.sock is None:
                    self._connect()
                self._connection.request(method, path, data, self._headers)
                response: HTTPResponse = self._connection.getresponse()
                return _answer(response.status, _whole(response, _MOST + 1), fine)
            except (OSError, HTTPException) as error:
                self._connection.close()
                if attempt == 2 or isinstance(error, TimeoutError):
                    raise NotNow(f"the node does not answer ({error})") from None
        raise AssertionError

    def _connect(self) -> None:
        """To where its folder says that the node is now; it shows that it is the one.

        Raises:
            NotNow: somebody else is there, and the node of the folder may come back.
            NodeSays: somebody else is there.
            OSError, HTTPException: nobody is there, or the connection ends.
        """
        with suppress(ValueError):  # nowhere: it does not run
            if self._folder is not None and (url := self._folder.url) != self._url:
                self._connection, self._url = _connection(url, self._timeout), url
        try:
            self._prove()
        except NodeSays as error:
            self.close()
            kind = NodeSays if self._folder is None else NotNow  # the node of a folder comes back, perhaps elsewhere
            raise kind(f"{self._url}: {error}") from None

    def _prove(self) -> None:
        """See `token_proof.py`. Nothing else ever opens a connection."""
        nonce = token_hex(16)
        self._connection.connect()
        socket = self._connection.sock
        there = "" if self._forwarded else ends(socket.getsockname(), socket.getpeername())
        self._connection.request("GET", query(nonce))
        response: HTTPResponse = self._connection.getresponse()
        shown = _answer(response.status, _whole(response, _MOST_PROOF), (200,))
        if not self._is_proof(shown.get("forwarded" if self._forwarded else "proof"), nonce, there):
            if self._is_proof(shown.get("forwarded"), nonce, ""):
                raise NodeSays(
                    "somebody between here and the node passes on what it shows; if that is a tunnel or a proxy "
                    "of your own: Client(..., forwarded=True)"
                )
            raise NodeSays("it does not know this token: another node, or the token of another one")
        if self._connection.sock is None:
            raise ConnectionError("it ends a connection after one answer")

    def _is_proof(self, shown: Any, nonce: str, connection: str) -> bool:
        proof = token_proof(self._token, nonce, connection)
        return isinstance(shown, str) and hmac.compare_digest(shown.encode(), proof.encode())


def _rows(x: Any) -> list[list[float]]:
    """Samples as a node takes them: the numbers of each in a row.

    Raises:
        ValueError: no finite numbers, or none at all.
    """
    found = array("x", x, "numbers [samples, ...]")
    if not found.size or found.ndim == 0:
        raise ValueError(f"x of shape {found.shape}: expected numbers [samples, ...]")
    within(found, -inf, inf, lambda *place: f"x[{']['.join(map(str, place))}]")
    rows: list[list[float]] = found.reshape(len(found), -1).tolist()
    return rows


def _classes(y: Any) -> list[int | str]:
    """Classes as a node takes them: numbers, or names.

    Raises:
        ValueError: something else.
    """
    given = y.tolist() if hasattr(y, "tolist") else y
    if not isinstance(given, Iterable) or isinstance(given, str | bytes):
        raise ValueError(f"y = {brief(y)}: expected classes [samples]")
    found = list(given)
    for number, one in enumerate(found):
        if not isinstance(one, str) and not is_whole(one):
            raise ValueError(f"y[{number}] = {brief(one)}: expected the number of a class, or its name")
    return [one if isinstance(one, str) else int(one) for one in found]


def _connection(url: str, timeout: float) -> HTTPConnection:
    try:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError
        connection = HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout)
    except (ValueError, HTTPException):  # `InvalidURL` is one of the latter
        raise ValueError(f"url = {url!r:.80}: expected http://HOST:PORT") from None
    connection.auto_open = 0  # it would open a new one by itself, to whoever listens there by then
    return connection


def _whole(response: HTTPResponse, most: int) -> bytes:
    """So many bytes of an answer, or all of it; a node that is killed ends in the middle, which is no answer."""
    data = response.read(most)
    if len(data) < most and response.length:
        raise ConnectionError("its answer ends in the middle")
    return data


def _answer(status: int, data: bytes, fine: tuple[int, ...]) -> dict[str, Any]:
    try:
        value = parsed(data.decode("utf-8")) if len(data) <= _MOST else None
    except ValueError:
        value = None
    kind = NotNow if status >= 500 else Refused if status == 400 else NodeSays
    if not isinstance(value, dict):
        raise (kind if status >= 500 else NodeSays)(f"status {status}: expected JSON from a node")
    if status in fine:
        return value
    raise kind(str(value.get("error", f"status {status}"))[:300])


class AsyncClient:
    """`Client` with methods to be awaited; each call has a thread of its own pool for its while."""

    @guarded
    def __init__(self, url: str, token: str, timeout: float = 10.0, *, forwarded: bool = False) -> None:
        self._client, self._turn = Client(url, token, timeout, forwarded=forwarded), asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    async def decide(self, after: int = 0) -> Decision:
        """See `Client.decide`."""
        async with self._turn:
            return await asyncio.to_thread(self._client.decide, after)

    async def outcome(self, ticket: str, reward: float | None, proof: str = "") -> bool:
        """See `Client.outcome`."""
        async with self._turn:
            return await asyncio.to_thread(self._client.outcome, ticket, reward, proof)

    async def predict(self, x: Any, predictor: str = "mean") -> Predicted:
        """See `Client.predict`."""
        async with self._turn:
            return await asyncio.to_thread(self._client.predict, x, predictor)

    async def samples(self, x: Any, y: Any) -> int:
        """See `Client.samples`."""
        async with self._turn:
            return await asyncio.to_thread(self._client.samples, x, y)

    async def ask(self, what: str, **about: Any) -> str:
        """See `Client.ask`."""
        async with self._turn:
            return await asyncio.to_thread(self._client.ask, what, **about)

    async def state(self) -> dict[str, Any]:
        """See `Client.state`."""
        async with self._turn:
            return await asyncio.to_thread(self._client.state)
