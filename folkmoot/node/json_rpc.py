"""A client of a node that speaks JSON-RPC 2.0 over HTTP, such as a node of an EVM chain."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, NoReturn
from urllib.parse import urlsplit

from folkmoot.errors import OtherSide
from folkmoot.json_text import parsed

MOST_REPLY = 1 << 20  # bytes
_PIECE = 1 << 16
_SHOWN = 200  # characters of the other side's words in an error of ours


class NodeError(OtherSide):
    """A node that does not answer, refuses the request, or answers something else than JSON-RPC."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Whoever is asked answers; the status is then an error."""


class EvmClient:
    """Ask a node: `client(method, params)` returns the result it gives.

    Args:
        url: http:// or https://, with neither name nor password in it.
        timeout: seconds that one answer may take in all.
        pace: seconds that `pause` waits.

    Raises:
        ValueError: another kind of URL, times that are not positive.
    """

    def __init__(self, url: str, timeout: float = 30.0, pace: float = 0.5) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError(f"url = {url!r:.{_SHOWN}}: expected http://host:port or https://host, without a password")
        if not 0 < timeout < float("inf") or not 0 < pace < float("inf"):
            raise ValueError(f"timeout = {timeout!r}, pace = {pace!r}: expected positive numbers of seconds")
        self.url, self.timeout, self.pace = url, timeout, pace
        self._asked = 0
        self._opener = urllib.request.build_opener(_NoRedirects)

    def __call__(self, method: str, params: Sequence[Any]) -> Any:
        """The result of a method: what JSON makes of it, for the caller to check.

        Raises:
            NodeError: no answer in time, an answer beyond `MOST_REPLY` bytes, not JSON-RPC, or the node's error.
        """
        self._asked += 1
        body = {"jsonrpc": "2.0", "id": self._asked, "method": method, "params": list(params)}
        request = urllib.request.Request(
            self.url, json.dumps(body, allow_nan=False).encode(), {"Content-Type": "application/json"}
        )
        try:
            data = self._fetch(request)
        except urllib.error.HTTPError as error:
            error.close()
            raise NodeError(f"{method}: HTTP status {error.code}") from None
        except (OSError, HTTPException) as error:
            raise NodeError(f"{method}: no answer: {error}") from None
        return result_of(data, self._asked, method)

    def pause(self) -> None:
        """Wait a little before asking again."""
        time.sleep(self.pace)

    def _fetch(self, request: urllib.request.Request) -> bytes:
        latest = time.monotonic() + self.timeout
        data = b""
        with self._opener.open(request, timeout=self.timeout) as response:
            while piece := response.read1(_PIECE):
                data += piece
                if len(data) > MOST_REPLY:
                    raise OSError(f"more than {MOST_REPLY} bytes")
                if time.monotonic() > latest:
                    raise OSError(f"not complete after {self.timeout} seconds")
        return data


def result_of(data: bytes, number: int, method: str) -> Any:
    """The result in a JSON-RPC reply to request `number`.

    Raises:
        NodeError: there is none, see `EvmClient`.
    """
    try:
        text = data.decode("utf-8")
        reply = parsed(text, parse_constant=_refuse, object_pairs_hook=_once)
    except ValueError as error:
        raise NodeError(f"{method}: the answer is not JSON: {error!s:.{_SHOWN}}") from None
    if type(reply) is not dict or reply.get("jsonrpc") != "2.0":
        raise NodeError(f"{method}: the answer is not JSON-RPC 2.0")
    if "error" in reply and "result" not in reply:
        raise NodeError(f"{method}: {_words(reply['error'])}")
    if type(reply.get("id")) is not int or reply["id"] != number:
        raise NodeError(f"{method}: the answer is to another request")
    if "result" not in reply or "error" in reply:
        raise NodeError(f"{method}: expected either a result or an error")
    return reply["result"]


def _words(error: Any) -> str:
    if type(error) is not dict or type(error.get("code")) is not int or type(error.get("message")) is not str:
        return "an error without code or message"
    message: str = error["message"]
    shown = "".join(c if c.isprintable() else " " for c in message[:_SHOWN])
    return f"the node refuses: {shown} (code {error['code']})"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name that occurs twice")
    return found
