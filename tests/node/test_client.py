"""The client of an application: what is refused for good, what is not now, and what whoever set it up must mend."""

import asyncio
import json
import re
import socket
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import numpy as np
import pytest

from folkmoot.cli import main
from folkmoot.node import AsyncClient, Client, NodeSays, NotNow, Refused
from folkmoot.node.folder import HTTP, Folder
from folkmoot.node.token_proof import ends, nonce_in, query, token_proof


class Stub(BaseHTTPRequestHandler):
    """A node that answers all alike, once it has shown that it knows its token."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.tokens.append(self.headers["Authorization"])
        nonce = nonce_in(urlsplit(self.path).query.encode())
        self.say(*self.server.proves(nonce) if self.server.proves else self.proof(nonce))

    def proof(self, nonce):
        here = ends(self.client_address, self.connection.getsockname())
        known = self.server.token
        return 200, {"proof": token_proof(known, nonce, here), "forwarded": token_proof(known, nonce)}

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.tokens.append(self.headers["Authorization"])
        self.say(*self.server.says)

    def say(self, status, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def node(status=200, body=None, token=b"token", proves=None, port=0):
    server = ThreadingHTTPServer(("127.0.0.1", port), Stub)
    server.daemon_threads = True
    server.says, server.tokens, server.token, server.proves = (status, body or {}), [], token, proves
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


def url(server):
    return f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "ticket = 'x': no such ticket was given"}, Refused),
        (503, {"error": "no round is under way"}, NotNow),
        (507, {"error": "not kept: the disk is full"}, NotNow),
        (500, b"Internal Server Error", NotNow),
        (401, {"error": "token: expected another"}, NodeSays),
        (421, {"error": "host: this node answers on its own host alone"}, NodeSays),
        (200, b"<html>something else</html>", NodeSays),
    ],
)
def test_what_a_node_says_is_of_one_kind(status, body, kind):
    server = node(status, body)
    with Client(url(server), "token", timeout=120) as client, pytest.raises(NodeSays) as caught:
        client.outcome("1.a.1", 0.5)
    server.shutdown()
    server.server_close()
    assert type(caught.value) is kind


def test_no_answer_is_not_now():
    with Client("http://127.0.0.1:9", "token", timeout=2) as client, pytest.raises(NotNow, match="does not answer"):
        client.decide()


def test_the_client_of_a_folder_follows_its_node_to_another_port(tmp_path):
    folder = Folder.make(tmp_path / "a", "a", "127.0.0.1:9")
    answer = {"arm": 1, "name": "b", "round": 3, "ticket": "3.2-a.1", "epoch": 2}
    token = folder.token.encode()
    first = node(200, answer, token)
    folder.says_where(url(first))
    with Client.of(folder, timeout=120) as client:
        decision = client.decide()
        assert (decision.epoch, decision.round, decision.ticket) == (2, 3, "3.2-a.1")
        first.shutdown()
        first.server_close()
        client.close()
        (folder.path / HTTP).unlink()
        with pytest.raises(NotNow):
            client.decide()
        second = node(200, answer, token)
        folder.says_where(url(second))
        assert client.decide() == decision
        second.shutdown()
        second.server_close()


def test_fields_of_a_later_version_do_not_stop_an_application():
    server = node(200, {"arm": 1, "name": "b", "round": 3, "ticket": "3.a.1", "epoch": 1, "more": 7})
    with Client(url(server), "token") as client:
        assert client.decide().round == 3
    server.shutdown()
    server.server_close()


def test_a_token_read_with_the_end_of_its_line_is_the_token():
    server = node(200, {"arm": 0, "name": "a", "round": 1, "ticket": "1.a.1", "epoch": 1}, b"secret")
    with Client(url(server), "secret\n") as client:
        client.decide()
    server.shutdown()
    server.server_close()
    assert server.tokens == [None, "Bearer secret"]
    for wrong in ("", "\n", "two\nlines", "é", "a b"):
        with pytest.raises(ValueError, match=r"^token: expected the one word in the file `token`") as caught:
            Client("http://127.0.0.1:9", wrong)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "proves",
    [
        lambda nonce: (200, {"proof": token_proof(b"another", nonce)}),
        lambda nonce: (200, {"proof": token_proof(b"token", "0" * 32)}),  # heard before
        lambda nonce: (200, {"proof": None}),
        lambda nonce: (200, {}),
        lambda nonce: (200, b"<html>something else</html>"),
        lambda nonce: (200, b"x" * 100_000),
        lambda nonce: (404, {"error": "no such page"}),
        lambda nonce: (302, {}),
        lambda nonce: (503, b""),
    ],
)
def test_who_does_not_know_the_token_is_never_sent_it(tmp_path, proves):
    """A node was killed, and somebody else listens at its port."""
    server = node(200, {"arm": 0, "name": "a", "round": 1, "ticket": "1.a.1", "epoch": 1}, proves=proves)
    folder = Folder.make(tmp_path / "a", "a", "127.0.0.1:9")
    folder.says_where(url(server))
    with Client(url(server), "token") as client, pytest.raises(NodeSays, match=f"^{url(server)}: "):
        client.decide()
    with Client.of(folder) as client, pytest.raises(NotNow, match=f"^{url(server)}: "):
        client.outcome("1.a.1", 0.5)
    assert set(server.tokens) == {None}
    server.shutdown()
    server.server_close()


def test_it_is_asked_again_whenever_a_connection_is_made():
    server = node(200, {"arm": 0, "name": "a", "round": 1, "ticket": "1.a.1", "epoch": 1})
    with Client(url(server), "token") as client:
        client.decide()
        client.decide()
        client.close()
        server.proves = lambda nonce: (200, {"proof": token_proof(b"another", nonce)})
        with pytest.raises(NodeSays, match="does not know this token"):
            client.decide()
    assert server.tokens == [None, "Bearer token", "Bearer token", None]
    server.shutdown()
    server.server_close()


DECISION = {"arm": 0, "name": "a", "round": 1, "ticket": "1.a.1", "epoch": 1}


def passed_on(port, nonce):
    """What the node at this port shows."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", query(nonce))
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


def ask(kind, url, **more):
    """A decision by one of the two clients."""
    if kind is Client:
        with Client(url, "token", **more) as client:
            return client.decide()

    async def work():
        async with AsyncClient(url, "token", **more) as client:
            return await client.decide()

    return asyncio.run(work())


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_attack_of_a_proof_that_is_passed_on_from_the_node_at_its_new_port(kind):
    real = node(200, DECISION)
    impostor = node(200, DECISION, proves=lambda nonce: passed_on(real.server_port, nonce))
    with pytest.raises(NodeSays, match=r"passes on what it shows; .*forwarded=True"):
        ask(kind, url(impostor))
    assert set(impostor.tokens) == {None}
    assert ask(kind, url(impostor), forwarded=True).round == 1  # a tunnel that whoever set this up trusts
    assert ask(kind, url(real)).round == 1
    for server in (real, impostor):
        server.shutdown()
        server.server_close()


def test_attack_of_a_proof_that_is_passed_on_from_the_node_that_is_back_at_the_same_port():
    """Who listened there keeps a connection, gives the port back, and asks the node that takes it."""
    listening, heard = socket.create_server(("127.0.0.1", 0)), []
    port, servers = listening.getsockname()[1], []

    def impostor():
        connection, _ = listening.accept()
        asked = connection.recv(4096)
        listening.close()
        servers.append(node(200, DECISION, port=port))
        _, shown = passed_on(port, nonce_in(asked.split(b"?")[1].split()[0]))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(shown) + shown)
        heard.append(connection.recv(4096))
        connection.close()

    thread = threading.Thread(target=impostor, daemon=True)
    thread.start()
    with (
        Client(f"http://127.0.0.1:{port}", "token") as client,
        pytest.raises(NodeSays, match="passes on what it shows"),
    ):
        client.decide()
    thread.join(120)
    assert heard == [b""]
    assert client.decide().round == 1  # of the node itself
    client.close()
    servers[0].shutdown()
    servers[0].server_close()


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_attack_of_an_answer_that_closes_the_connection_it_proves(kind):
    """Who listens there by the next request has shown nothing."""
    listening, heard = socket.create_server(("127.0.0.1", 0)), []
    port = listening.getsockname()[1]

    def ending():
        while True:
            try:
                connection, client = listening.accept()
            except OSError:
                return
            asked = connection.recv(4096)
            heard.append(asked)
            if b"/proof" in asked:
                nonce = nonce_in(asked.split(b"?")[1].split()[0])
                proof = token_proof(b"token", nonce, ends(client, connection.getsockname()))
                body = json.dumps({"proof": proof}).encode()
                head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
                connection.sendall(head + body)
            connection.close()

    threading.Thread(target=ending, daemon=True).start()
    with pytest.raises(NotNow, match="does not answer"):
        ask(kind, f"http://127.0.0.1:{port}", timeout=120)
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    assert not any(b"Bearer" in asked for asked in heard)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_node_that_is_killed_in_the_middle_of_an_answer_is_not_there_now(kind):
    listening = socket.create_server(("127.0.0.1", 0))

    def killed():
        while True:
            try:
                connection, client = listening.accept()
            except OSError:
                return
            nonce = nonce_in(connection.recv(4096).split(b"?")[1].split()[0])
            body = json.dumps({"proof": token_proof(b"token", nonce, ends(client, connection.getsockname()))}).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{")
            connection.close()

    threading.Thread(target=killed, daemon=True).start()
    with pytest.raises(NotNow, match=r"does not answer \(its answer ends in the middle"):
        ask(kind, f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=120)
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


@pytest.mark.parametrize(
    "text", ["", "http://127.0.0.1", "http://127.0.0.1:99999", "http://a b:80", "http://\x00:80", "x"]
)
def test_a_damaged_file_that_says_where_the_node_is_is_named_in_a_line(tmp_path, text, capsys):
    folder = Folder.make(tmp_path / "a", "a", "127.0.0.1:9")
    (folder.path / HTTP).write_text(text)
    assert main(["node", "status", str(folder.path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"folkmoot: error: file {folder.path / HTTP}: expected http://HOST:PORT")
    assert said.count("\n") == 1


NAN = float("nan")


@pytest.fixture
def silent(monkeypatch):
    """A client that must not send anything."""
    client = Client("http://127.0.0.1:9", "token")
    monkeypatch.setattr(client, "_ask", lambda *given: pytest.fail(f"sent: {given}"))
    return client


@pytest.mark.parametrize(
    ("method", "given", "said"),
    [
        ("predict", ([[0.0, NAN]],), "x[0][1] = nan: expected a finite number"),
        ("predict", (np.array([[[0.0], [np.inf]]]),), "x[0][1][0] = inf: expected a finite number"),
        ("predict", ("x",), "x = 'x': expected numbers [samples, ...]"),
        ("predict", ([["a"]],), "x[0][0] = 'a': expected numbers [samples, ...]"),
        ("predict", ([[0.0], [0.0, 1.0]],), "x: not of one shape: expected numbers [samples, ...]"),
        ("predict", (3,), "x of shape (): expected numbers [samples, ...]"),
        ("predict", ([],), "x of shape (0,): expected numbers [samples, ...]"),
        ("predict", ([[0.0]], 3), "predictor = 3: expected text"),
        ("samples", ([[NAN]], [1]), "x[0][0] = nan: expected a finite number"),
        ("samples", ([[0.0]], [NAN]), "y[0] = nan: expected the number of a class, or its name"),
        ("samples", ([[0.0]], [True]), "y[0] = True: expected the number of a class, or its name"),
        ("samples", ([[0.0]], np.array([1.0])), "y[0] = 1.0: expected the number of a class, or its name"),
        ("samples", ([[0.0]], "flu"), "y = 'flu': expected classes [samples]"),
        ("samples", ([[0.0]], 3), "y = 3: expected classes [samples]"),
        ("ask", (3,), "what = 3: expected text"),
        ("ask", ("exchange",), "each: missing; 'exchange' is asked for with each"),
        ("ask", ("expel",), "party: missing; 'expel' is asked for with party and reason"),
    ],
)
def test_what_is_no_argument_is_refused_before_anything_is_sent(silent, method, given, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        getattr(silent, method)(*given)


def test_what_is_asked_about_is_text_or_a_whole_number(silent):
    with pytest.raises(ValueError, match=r"^each = nan: expected text or a whole number$"):
        silent.ask("exchange", each=NAN)


def test_samples_are_sent_as_rows_with_numbers_or_names(monkeypatch):
    client, sent = Client("http://127.0.0.1:9", "token"), []
    monkeypatch.setattr(client, "_ask", lambda method, path, body: sent.append(body) or {"new": 2, "said": ""})
    client.samples(np.arange(8, dtype=np.float32).reshape(2, 2, 2), np.array([1, 2]))
    client.samples([[1, 2], [3, 4]], ["flu", np.int16(2)])
    client.ask("exchange", each=np.int64(3))
    assert json.loads(json.dumps(sent)) == [
        {"x": [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]], "y": [1, 2]},
        {"x": [[1.0, 2.0], [3.0, 4.0]], "y": ["flu", 2]},
        {"what": "exchange", "each": 3},
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["exchange"], "--each: missing; expected such as: folkmoot node ask {} exchange --each 3"),
        (["expel", "--party", "b"], "--reason: missing; expected such as: folkmoot node ask {} expel --party NAME"),
        (["expel", "--reason", "b"], "--party: missing; expected such as: folkmoot node ask {} expel --party NAME"),
    ],
)
def test_what_is_missing_is_said_in_one_line(tmp_path, capsys, words, said):
    folder = Folder.make(tmp_path / "a", "a", "127.0.0.1:9")
    assert main(["node", "ask", str(folder.path), *words]) == 2
    printed = capsys.readouterr().err
    assert said.format(folder.path) in printed
    assert printed.count("\n") == 1
