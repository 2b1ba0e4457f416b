"""The JSON-RPC client against a server that says whatever a test wants, bytes for bytes."""

import itertools
import json
import socket
import threading
from contextlib import closing, suppress
from types import SimpleNamespace

import pytest

from folkmoot.node import json_rpc
from folkmoot.node.json_rpc import EvmClient, NodeError, result_of


def replying(body, status="200 OK", headers=""):
    """A complete HTTP reply."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data


class Server:
    """Answers each connection with the next of its replies; a reply may be a function of the connection."""

    def __init__(self):
        self.replies, self.requests = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            with connection:
                request = b""
                while b"\r\n\r\n" not in request or not complete(request):
                    piece = connection.recv(1 << 16)
                    if not piece:
                        return  # the test is over
                    request += piece
                self.requests.append(request)
                reply = self.replies.pop(0)
                with suppress(OSError):  # the client may have seen enough
                    reply(connection) if callable(reply) else connection.sendall(reply)

    def close(self):
        with closing(socket.create_connection(self.listener.getsockname())):
            pass
        self.thread.join()
        self.listener.close()


def complete(request):
    head, _, body = request.partition(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return len(body) >= int(length.split(b":")[1])


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


def good(result, number=1):
    return {"jsonrpc": "2.0", "id": number, "result": result}


def test_a_method_and_its_result(server):
    client = EvmClient(server.url)
    server.replies = [replying(good({"a": [1, None]})), replying(good("0x5", 2))]
    assert client("eth_call", [{"to": "0x"}, "latest"]) == {"a": [1, None]}
    assert client("eth_chainId", ()) == "0x5"
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.requests]
    assert bodies == [
        {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": "0x"}, "latest"]},
        {"jsonrpc": "2.0", "id": 2, "method": "eth_chainId", "params": []},
    ]
    assert b"content-type: application/json" in server.requests[0].lower()


def test_an_error_of_the_node_is_told_in_one_line(server):
    error = {"code": 3, "message": "execution reverted:\nnot the operator\x1b[31m" + "x" * 1_000}
    server.replies = [replying({"jsonrpc": "2.0", "id": 1, "error": error})]
    with pytest.raises(NodeError) as caught:
        EvmClient(server.url)("eth_sendTransaction", [])
    line = str(caught.value)
    assert line.startswith("eth_sendTransaction: the node refuses: execution reverted: not the operator")
    assert line.endswith("x (code 3)")
    assert line.isprintable()
    assert len(line) < 300


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 1_000_000, "not JSON: more than 64 lists and objects inside each other"),
        (b'"\\"' + b'{"a":' * 200_000, "not JSON"),
        (b'["\\\\", ' + b"[" * 65, "more than 64"),
        (b'{"jsonrpc": "2.0", "id": 1, "result": NaN}', "NaN is not a number of JSON"),
        (b'{"jsonrpc": "2.0", "id": 1, "result": -Infinity}', "not JSON"),
        (b'{"jsonrpc": "2.0", "id": 1, "result": 1, "result": 2}', "occurs twice"),
        (b'{"jsonrpc": "2.0", "id": 1, "result": ' + b"9" * 10_000 + b"}", "not JSON"),
        (b'{"jsonrpc": "2.0", "id": 1, "result": 1} 2', "not JSON"),
        ([good(1)], "not JSON-RPC 2.0"),
        (7, "not JSON-RPC 2.0"),
        ({"id": 1, "result": 1}, "not JSON-RPC 2.0"),
        ({"jsonrpc": "1.0", "id": 1, "result": 1}, "not JSON-RPC 2.0"),
        ({"jsonrpc": "2.0", "id": 1}, "either a result or an error"),
        ({"jsonrpc": "2.0", "id": 1, "result": 1, "error": None}, "either a result or an error"),
        (good(1, 2), "another request"),
        (good(1, "1"), "another request"),
        (good(1, True), "another request"),
        (good(1, None), "another request"),
        ({"jsonrpc": "2.0", "id": 1, "error": "no"}, "an error without code or message"),
        ({"jsonrpc": "2.0", "id": 1, "error": {"code": "3", "message": "no"}}, "an error without code or message"),
        ({"jsonrpc": "2.0", "id": 1, "error": {"code": 3, "message": ["no"]}}, "an error without code or message"),
    ],
)
def test_what_is_no_reply_is_refused(body, why):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(NodeError, match=f"^eth_call: .*{why}"):
        result_of(data, 1, "eth_call")


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "302 Found", "307 Temporary Redirect"])
def test_another_status_is_an_error_and_nobody_else_is_asked(server, status):
    server.replies = [replying(good(1), status, f"Location: {server.url}/elsewhere\r\n"), replying(good(1))]
    with pytest.raises(NodeError, match=f"eth_call: HTTP status {status[:3]}"):
        EvmClient(server.url)("eth_call", [])
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_not_http_is_refused(server, reply):
    server.replies = [reply]
    with pytest.raises(NodeError, match="eth_call: "):
        EvmClient(server.url)("eth_call", [])


def test_an_endless_answer_is_cut_off(server):
    def endless(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b" " * (1 << 16))

    server.replies = [endless]
    with pytest.raises(NodeError, match=f"more than {json_rpc.MOST_REPLY} bytes"):
        EvmClient(server.url)("eth_call", [])


def test_an_answer_that_drips_is_not_waited_for(server, monkeypatch):
    """Every piece is in time, all of them are not: the client looks at its clock, here a false one, after each."""
    seen = threading.Event()

    def dripping(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not seen.wait(0.01):
            connection.sendall(b" ")

    server.replies = [dripping]
    monkeypatch.setattr(json_rpc, "time", SimpleNamespace(monotonic=itertools.count(0, 25).__next__))
    with pytest.raises(NodeError, match="not complete after 60 seconds"):
        EvmClient(server.url, timeout=60)("eth_call", [])
    seen.set()


def test_silence_is_not_waited_for(server):
    seen = threading.Event()
    server.replies = [lambda connection: seen.wait(60)]
    with pytest.raises(NodeError, match="eth_call: no answer: "):
        EvmClient(server.url, timeout=0.1)("eth_call", [])
    seen.set()


def test_nobody_there(server):
    with socket.socket() as held:  # nobody else can listen there, and it does not
        held.bind(("127.0.0.1", 0))
        with pytest.raises(NodeError, match="eth_call: no answer: "):
            EvmClient(f"http://127.0.0.1:{held.getsockname()[1]}")("eth_call", [])


def test_brackets_in_words_are_not_counted():
    words = "[" * 100 + '"' + "{" * 100 + "\\"
    assert result_of(json.dumps(good([words, words])).encode(), 1, "eth_call") == [words, words]
    deep = json.dumps(good(json.loads("[" * 63 + "]" * 63))).encode()
    assert result_of(deep, 1, "eth_call")


@pytest.mark.parametrize(
    "url", ["", "localhost:8545", "file:///etc/hosts", "ftp://host/", "http://", "http://ada:secret@host/", "data:,{}"]
)
def test_another_kind_of_url_is_refused(url):
    with pytest.raises(ValueError, match="expected http://host:port or https://host"):
        EvmClient(url)


@pytest.mark.parametrize("times", [{"timeout": 0}, {"timeout": float("inf")}, {"pace": -1}, {"pace": float("nan")}])
def test_times_that_are_not_positive_are_refused(times):
    with pytest.raises(ValueError, match="expected positive numbers of seconds"):
        EvmClient("http://localhost:8545", **times)


def test_a_pause_is_as_long_as_it_should_be(monkeypatch):
    slept = []
    monkeypatch.setattr(json_rpc, "time", SimpleNamespace(sleep=slept.append))
    EvmClient("http://localhost:8545", pace=0.25).pause()
    assert slept == [0.25]
