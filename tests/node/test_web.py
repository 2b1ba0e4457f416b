"""What a node answers over HTTP: applications with a token, the page to this host, hostile requests in one line."""

import asyncio
import contextlib
import hmac
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest
from cluster import Cluster
from test_node_processes import pays

from folkmoot.node.client import AsyncClient, Client, NotNow, Refused
from folkmoot.node.openapi import description
from folkmoot.node.web import MOST_WATCHERS


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("web"), 2, pays=pays, play=0.3, high=2.0, window=62, quick=True) as cluster:
        cluster.until(lambda: min(cluster.rounds()) >= 2)
        yield cluster


@pytest.fixture
def client(cluster):
    with Client.of(cluster.members[0].folder, timeout=240) as client:
        yield client


def asked(cluster, method, path, body=b"", headers=None):
    """Status, headers and text of an answer to a request that no client of ours would make."""
    host = cluster.members[0].folder.url.removeprefix("http://")
    connection = HTTPConnection(host, timeout=240)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    found = response.status, dict(response.getheaders()), response.read().decode()
    connection.close()
    return found


def token(cluster):
    return {"Authorization": f"Bearer {cluster.members[0].folder.token}"}


def decided(client, **what):
    """A decision; a node of a busy machine may have to wait for a round that it can join."""
    for _ in range(1_000):
        try:
            return client.decide(**what)
        except NotNow:
            time.sleep(0.1)
    return pytest.fail("no round is under way")


def in_time(said):
    """Something that is said of a ticket while its round counts: a busy machine may take too long over it."""
    for _ in range(1_000):
        try:
            return said()
        except Refused as error:
            if "its outcome counts for" not in str(error):
                raise
    return pytest.fail("no round counts for long enough")


def test_decide_outcome_and_state(cluster, client):
    def twice():
        decision = decided(client)
        assert decision.name == f"arm {decision.arm}"
        return client.outcome(decision.ticket, 0.25), client.outcome(decision.ticket, 0.25)

    for _ in range(200):  # that of this round may have been told to the others already
        first, second = in_time(twice)
        assert not second  # one outcome a ticket
        if first:
            break
        time.sleep(0.02)
    else:
        pytest.fail("no outcome is taken")
    state = client.state()
    assert (state["member"], state["system"], len(state["arms"]), len(state["members"])) == ("site-0", "bandit", 3, 2)
    cluster.until(lambda: client.state()["present"] == ["site-0", "site-1"])


def test_decide_waits_for_a_later_round(client):
    decision = decided(client)
    later = decided(client, after=decision.round)
    while later.round == decision.round:  # it waits a few seconds, not for ever
        later = decided(client, after=decision.round)
    assert later.round > decision.round


def test_a_query_of_another_form_is_refused_in_a_sentence(cluster):
    for query in ("after=", "after=-1", "after=1&after=2", "before=1", "after=" + 30 * "1"):
        status, _, text = asked(cluster, "POST", f"/v1/decide?{query}", headers=token(cluster))
        assert (status, json.loads(text)) == (400, {"error": "query: expected after=ROUND, or nothing"})


def test_a_round_to_wait_for_is_not_looked_for_in_a_body_and_passed_over(cluster):
    for body in (b'{"after": 3}', b"after=3", b"[]", b'{"after": 3' + 100_000 * b" " + b"}"):
        status, _, text = asked(cluster, "POST", "/v1/decide", body, token(cluster))
        assert (status, json.loads(text)) == (
            400,
            {"error": "body: expected none; what to wait for is a query, ?after=ROUND"},
        )
    for body in (b"{}", b" {}\n", b"null"):
        assert asked(cluster, "POST", "/v1/decide", body, token(cluster))[0] in (200, 503)


def test_rewards_are_shown_on_the_scale_of_the_charter(cluster):
    """The scale is 0 to 2, and the largest reward that is paid is 1: half of the scale."""

    def shown():
        return {one["reward"] for one in cluster.members[1].state()["history"]}

    cluster.until(lambda: 1.0 in shown())
    assert cluster.members[1].state()["scale"] == [0.0, 2.0]
    log = (cluster.members[1].folder.path / "log.jsonl").read_text().splitlines()
    rounds = [event for event in map(json.loads, log) if event["event"] == "round"]
    assert 1.0 in {event["reward"] for event in rounds}
    assert {event["arm"] for event in rounds} <= {"arm 0", "arm 1", "arm 2"}


def test_the_same_awaited(cluster):
    async def work():
        folder = cluster.members[1].folder
        async with AsyncClient(folder.url, folder.token, timeout=240) as client:
            decisions = await asyncio.gather(*(client.decide() for _ in range(5)))
            assert len({decision.ticket for decision in decisions}) == 5
            with contextlib.suppress(Refused):  # on a busy machine its round may count no more
                await client.outcome(decisions[0].ticket, None)
            assert (await client.state())["member"] == "site-1"

    asyncio.run(work())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[]x", "malformed"),
        (b'{"ticket": "1.a.1"}', "reward"),
        (b'{"ticket": 1, "reward": 1}', "ticket"),
        (b'{"ticket": "1.a.1", "reward": 1, "more": 2}', "more"),
        (
            b'{"ticket": "1.a.1", "reward": NaN}',
            "NaN is no number in JSON; expected a number from 0 to 2, or null",
        ),
        (b'[{"ticket": "1.a.1", "reward": -Infinity}]', "reward: -Infinity is no number in JSON"),
        (b'{"ticket": "1.a.1", "reward": NaN', "malformed"),
        (b'{"ticket": "1.a.1", "reward": 1e999}', "range"),
        (b'{"ticket": "1.a.1", "reward": "1"}', "reward"),
        (b'{"ticket": "1.a.1", "reward": true}', "reward"),
        (b'{"ticket": "9999999.a.1", "reward": 1}', "ticket"),
        (b'{"ticket": "1.bogus.1.0", "reward": 1}', "no such ticket was given"),
        (b'{"ticket": "1.bogus.1.0", "reward": 1' + b"0" * 400 + b"}", "ticket"),
        (b'{"ticket": "\xff", "reward": 1}', ""),
        (b"[" * 60_000, ""),
        (b" " * 70_000, "more than"),
    ],
)
def test_what_is_no_outcome_is_refused_in_one_sentence(cluster, body, words):
    status, _, text = asked(cluster, "POST", "/v1/outcome", body, token(cluster))
    assert status == 400
    error = json.loads(text)["error"]
    assert words in error
    assert "\n" not in error
    assert len(error) < 300


@pytest.mark.parametrize("path", ["/v1/state", "/v1/decide", "/v1/outcome"])
@pytest.mark.parametrize("wrong", [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer wrong"}])
def test_without_the_token_an_application_learns_nothing(cluster, path, wrong):
    status, _, text = asked(cluster, "POST", path, b"{}", wrong)
    assert status == 401
    assert "token" in json.loads(text)["error"]


def test_a_page_of_somebody_else_cannot_read_this_one(cluster):
    """A name that somebody else lets point to this host, as in DNS rebinding."""
    for path in ("/", "/events", "/v1/state", "/metrics"):
        status, headers, _ = asked(cluster, "GET", path, headers={"Host": "evil.example", **token(cluster)})
        assert status == 421
        assert "access-control-allow-origin" not in {name.lower() for name in headers}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("localhost:80", 200), ("[::1]", 200), ("[::1]:8", 200),
        ("node", 421), ("node:99", 421), ("[node]:8", 421), ("localhost]", 421), ("127.0.0.1:8:9", 421), ("", 421),
    ],
)  # fmt: skip
def test_only_names_of_this_host_are_answered(cluster, host, status):
    assert asked(cluster, "GET", "/healthz", headers={"Host": host})[0] == status


def test_page_and_metrics_are_made_once_for_all_who_ask_at_a_time(cluster):
    with ThreadPoolExecutor(30) as together:
        for path in ("/", "/metrics"):
            began = time.monotonic()
            found = [one[2] for one in together.map(lambda _, path=path: asked(cluster, "GET", path), range(30))]
            assert len(set(found)) < 2 + (time.monotonic() - began) / 0.25  # a moment is a quarter of a second


@pytest.mark.parametrize(
    "path",
    [
        "/page/" + "a" * 5_000 + ".css",
        "/page/../web.py",
        "/page/..%2fweb.py",
        "/page/page.html",
        "/page/README.md",
        "/nothing",
    ],
)
def test_only_files_of_the_page_are_served(cluster, path):
    assert asked(cluster, "GET", path)[0] == 404


def test_the_page_loads_nothing_from_elsewhere(cluster):
    status, headers, text = asked(cluster, "GET", "/")
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "http://" not in text.replace("http://www.w3.org", "")
    for name in ("style.css", "page.js", "uplot.js", "uplot.css"):
        assert asked(cluster, "GET", f"/page/{name}")[0] == 200


def test_metrics_and_health(cluster):
    cluster.until(lambda: 'folkmoot_member_present{member="site-1"} 1.0' in asked(cluster, "GET", "/metrics")[2])
    _, _, text = asked(cluster, "GET", "/metrics")
    for line in (
        'folkmoot_phase{phase="playing"} 1.0', 'folkmoot_member_present{member="site-1"}',
        'folkmoot_arm_pulls_total{arm="arm 2"}', 'folkmoot_member_sent_bytes_total{member="site-1"}',
        "process_resident_memory_bytes",
    ):  # fmt: skip
        assert line in text
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE folkmoot_")}
    page = (Path(__file__).resolve().parents[2] / "docs" / "run-a-consortium.md").read_text(encoding="utf-8")
    assert told == set(re.findall(r"^\| `(folkmoot_\w+)", page, re.MULTILINE))  # all of them, and no other
    status, _, text = asked(cluster, "GET", "/healthz")
    assert (status, json.loads(text)["phase"]) == (200, "playing")


def test_the_description_names_every_path_and_status(cluster):
    assert json.loads(asked(cluster, "GET", "/v1/openapi.json")[2]) == description()
    for path, operations in description()["paths"].items():
        for method in operations:
            assert asked(cluster, method.upper(), path, b"{}", token(cluster))[0] != 404
            assert asked(cluster, "PUT", path, b"{}", token(cluster))[0] == 405


def conforms(value, schema, where="state"):
    """Is a value what its description says, with nothing undescribed in it?"""
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    allowed = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    types = tuple(one for kind in allowed for one in ((int, float) if kind == "number" else (kinds[kind],)))
    assert isinstance(value, types), f"{where} = {value!r}: expected {allowed}"
    assert value in schema.get("enum", [value]), where
    if isinstance(value, list):
        for one in value:
            conforms(one, schema["items"], f"{where}[]")
    elif isinstance(value, dict) and "properties" in schema:
        assert set(schema.get("required", ())) <= set(value) <= set(schema["properties"]), where
        for name, one in value.items():
            conforms(one, schema["properties"][name], f"{where}.{name}")
    elif isinstance(value, dict):
        assert "additionalProperties" in schema or schema["type"] == ["object", "null"], f"{where}: not described"


def test_the_description_has_every_field_of_a_decision_and_of_the_state(client):
    paths = description()["paths"]

    def schema(path, method):
        return paths[path][method]["responses"]["200"]["content"]["application/json"]["schema"]

    conforms(client.state(), schema("/v1/state", "get"))
    assert "agreed" in schema("/v1/state", "get")["properties"]["arms"]["items"]["properties"]
    conforms(vars(decided(client)), schema("/v1/decide", "post"), "decision")
    assert set(vars(decided(client))) == set(schema("/v1/decide", "post")["required"])


def test_a_ticket_that_counts_no_more_is_refused_for_good(client):
    for reward in (float("nan"), float("inf"), 7):
        with pytest.raises(Refused, match="reward"):
            in_time(lambda reward=reward: client.outcome(decided(client).ticket, reward))
    with pytest.raises(Refused, match="another epoch"):
        client.outcome("900.2-abc.1.0", 0.5)


def test_many_requests_at_once_do_not_stop_the_rounds(cluster):
    before, enough, counts = cluster.members[0].state()["round"], threading.Event(), [0] * 4

    def hammer(number):
        with Client.of(cluster.members[0].folder, timeout=240) as client:
            while not enough.is_set():
                in_time(lambda: client.outcome(decided(client).ticket, 0.5))
                counts[number] += 1

    threads = [threading.Thread(target=hammer, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        cluster.until(lambda: min(counts) >= 50 and cluster.members[0].state()["round"] > before + 5)
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def test_a_node_that_is_not_there_is_said_so():
    with Client("http://127.0.0.1:9", "token", timeout=2) as client, pytest.raises(NotNow, match="does not answer"):
        client.decide()
    for url in ("https://127.0.0.1:9", "127.0.0.1:9", "http://", "http://a/b"):
        with pytest.raises(ValueError, match=r"^url = "):
            Client(url, "token")


def test_pages_that_are_open_are_bounded_and_told_the_same(cluster):
    port = int(cluster.members[1].folder.url.rpartition(":")[2])
    streams = []
    try:
        for _ in range(MOST_WATCHERS + 1):
            streams.append(socket.create_connection(("127.0.0.1", port), timeout=240))
            streams[-1].sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            is_there = len(streams) <= MOST_WATCHERS
            assert streams[-1].recv(12) == (b"HTTP/1.1 200" if is_there else b"HTTP/1.1 503")
        streams.pop(0).close()

        def one_more():
            with socket.create_connection(("127.0.0.1", port), timeout=240) as stream:
                stream.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return stream.recv(12) == b"HTTP/1.1 200"

        cluster.until(one_more)
    finally:
        for stream in streams:
            stream.close()


def test_nothing_is_said_on_standard_error_of_what_strangers_ask(cluster):
    """The last test of this cluster: all that was asked before is looked at, too."""
    port = int(cluster.members[0].folder.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=240) as stream:
        stream.sendall(b"no request\r\n\r\n")
        assert stream.recv(12) == b"HTTP/1.1 400"
    output = (cluster.members[0].folder.path / "output").read_text()
    for word in ("Traceback", "Invalid HTTP", "Error"):
        assert word not in output


def test_the_node_shows_that_it_knows_its_token_to_whoever_asks_with_a_number(cluster):
    """By the rule that is written down, computed here anew; another connection gets another proof."""
    nonce, token = "0123456789abcdef" * 2, cluster.members[0].folder.token
    port = int(cluster.members[0].folder.url.rsplit(":", 1)[1])

    def digest(words):
        return hmac.new(token.encode(), words.encode(), "sha256").hexdigest()

    for _ in range(2):
        connection = HTTPConnection("127.0.0.1", port, timeout=240)
        connection.connect()
        own = connection.sock.getsockname()[1]
        connection.request("GET", f"/proof?nonce={nonce}")
        response = connection.getresponse()
        assert response.status == 200
        assert json.loads(response.read()) == {
            "proof": digest(f"folkmoot node {nonce} 127.0.0.1 {own} 127.0.0.1 {port}"),
            "forwarded": digest(f"folkmoot node {nonce}"),
        }
        connection.close()
    for wrong in ("", "?nonce=", f"?nonce={nonce}0", f"?nonce={nonce.upper()}", f"?nonce={nonce}&more=1"):
        assert asked(cluster, "GET", f"/proof{wrong}")[0] == 400


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/samples"])
def test_where_there_are_no_models_nothing_is_predicted(cluster, path):
    status, _, text = asked(cluster, "POST", path, b"{}", token(cluster))
    said = "members of this consortium have no models: expected /v1/decide"
    assert (status, json.loads(text)) == (409, {"error": said})
