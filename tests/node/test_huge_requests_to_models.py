"""What applications may hand to a node of a consortium of models: far too much, too deep, too slow, and no numbers."""

import asyncio
import json
import time
import tracemalloc
from types import SimpleNamespace

import pytest

pytest.importorskip("safetensors")

from models_brought import brought_by, charter_of_models, folders_in, party_of
from test_http_door import served, until_it_ends

from folkmoot.machine import NO_FLOOR, Kept, Moment
from folkmoot.node.brought import lend
from folkmoot.node.systems import system_of
from folkmoot.node.web import _body
from folkmoot.node.web_learning import ASK, MOST_BODY, PREDICT, SAMPLES, answer

ROW, X = [0.0] * 6, b'{"x":[[0,0,0,0,0,0]]'
WRONG = {
    "lists in lists": b'{"x":' + b"[" * 4_000 + b"1" + b"]" * 4_000 + b"}",
    "objects in objects": b'{"x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "text": b'{"x":[["1",0,0,0,0,0]]}',
    "null": b'{"x":[[null,0,0,0,0,0]]}',
    "truth": b'{"x":[[true,0,0,0,0,0]]}',
    "nan": b'{"x":[[NaN,0,0,0,0,0]]}',
    "infinite": b'{"x":[[1e999,0,0,0,0,0]],"y":[0]}',
    "beyond float32": b'{"x":[[1e39,0,0,0,0,0]],"y":[0]}',
    "a number of four million digits": b'{"x":[[' + b"9" * 4_000_000 + b",0,0,0,0,0]]}",
    "a sample too many": json.dumps({"x": [ROW] * 257, "y": [0] * 257}).encode(),
    "wide": json.dumps({"x": [[0.0] * 100_000], "y": [0]}).encode(),
    "no sample": b'{"x":[],"y":[]}',
    "nothing": b"",
    "bytes": bytes(range(256)),
    "half a letter": X + b',"predictor":"\\ud800"}',
    "a predictor of four million letters": X + b',"predictor":"' + b"m" * 4_000_000 + b'"}',
    "a field that there is not": X + b',"z":"' + b"a" * 4_000_000 + b'"}',
    "a class of four million letters": X + b',"y":["' + b"a" * 4_000_000 + b'"]}',
    "a class of a million digits": X + b',"y":[' + b"9" * 1_000_000 + b"]}",
    "a class below zero": X + b',"y":[-1]}',
    "a true class": X + b',"y":[true]}',
    "half a class": X + b',"y":[0.5]}',
    "a class beyond 64 bits": X + b',"y":[18446744073709551615]}',
    "a name of four million letters": b'{"what":"expel","reason":"a","party":"' + b"a" * 4_000_000 + b'"}',
    "a reason of four million letters": b'{"what":"expel","party":"site-1","reason":"' + b"a" * 4_000_000 + b'"}',
    "an act of four million letters": b'{"what":"' + b"a" * 4_000_000 + b'"}',
    "samples without end": b'{"what":"exchange","each":' + b"9" * 1_000_000 + b"}",
}


@pytest.fixture(scope="module")
def player(tmp_path_factory):
    """Of a member with all models, between two steps."""
    folders = folders_in(tmp_path_factory.mktemp("folders"), 4)
    charter = charter_of_models(folders, brought_by(folders, [party_of(number) for number in range(4)]))
    for folder in folders[1:]:
        lend(folders[0], (folder.path / "parameters").read_bytes())
    role = system_of(charter).role(0, folders[0].seed(), folder=folders[0].path)
    machine = role.resume({}, Kept(), None, NO_FLOOR)
    machine.step(Moment(1, 0), [], [])

    async def between(work, *given):
        return work(*given)

    return SimpleNamespace(machine=machine, between_steps=between, phase="playing")


@pytest.mark.parametrize("path", [PREDICT, SAMPLES, ASK])
@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_request_is_refused_in_a_sentence_at_once_and_in_little_memory(player, path, what):
    """Before, a name of four million letters was compared with those of the parties: 150 MB, and the round waited."""
    tracemalloc.start()
    began = time.process_time()
    status, said = asyncio.run(answer(path, WRONG[what], player, None))
    took, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert status == 400
    assert len(said["error"]) <= 300
    assert took < 1.0
    assert peak < 32 << 20


def test_a_body_without_end_is_answered_as_soon_as_it_is_too_long_and_ended():
    """In chunks, on `/v1/samples`."""
    seen = []

    async def application(scope, receive, send):
        try:
            await _body(receive, MOST_BODY)
        except ValueError as error:
            seen.append(str(error))
        await send({"type": "http.response.start", "status": 400, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def work():
        async with served(application) as (_, _, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /v1/samples HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            chunk = b"10000\r\n" + b"[" * 65_536 + b"\r\n"
            tracemalloc.start()
            said, sent = await until_it_ends(reader, writer, chunk, 1 << 28)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert said.startswith(b"HTTP/1.1 400") or said == b""
            assert sent < 1 << 28
            assert peak < 32 << 20

    asyncio.run(asyncio.wait_for(work(), 60))
    assert seen == [f"request of more than {MOST_BODY} bytes: no more is taken"]
