"""The store of a node: a step is there whole or not at all, and an outcome that was acknowledged is there."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from folkmoot.errors import DamagedFile
from folkmoot.machine import Append, Delete, Kept, Moment, Outcome, Put, Skip
from folkmoot.node.database import Full
from folkmoot.node.store import Row, Store

STEPS = [
    (Moment(1, 0), [Put("a", b"1"), Append(1, b"block 1")]),
    (Moment(1, 1), [Put("a", lambda: b"2"), Put("b", b"3"), Append(2, b"block 2")]),
    (Moment(3, 0), [Delete("b"), Delete("never there"), Skip(7), Append(8, b"block 8")]),
]


def test_it_keeps_what_the_reference_keeps(tmp_path):
    kept, store = Kept(), Store(tmp_path / "s.sqlite")
    for moment, items in STEPS:
        kept.store(moment, items)
        store.store(moment, items)
        for one in (store, again := Store(tmp_path / "s.sqlite")):
            assert (one.values, one.height, one.position) == (kept.values, kept.height, kept.position)
        again.close()
    assert store.block(8) == b"block 8"
    with pytest.raises(IndexError):
        store.block(2)


@pytest.mark.parametrize(
    ("moment", "items"),
    [
        (Moment(1, 0), []),
        (Moment(0, 5), []),
        (Moment(2, 0), [Put("c", b""), Append(3, b"")]),
        (Moment(2, 0), [Put("c", b""), Append(2, b""), Append(2, b"")]),
        (Moment(2, 0), [Put("c", b""), Skip(1)]),
    ],
)
def test_what_is_out_of_order_is_refused_and_nothing_of_it_kept(tmp_path, moment, items):
    store = Store(tmp_path / "s.sqlite")
    store.store(Moment(1, 0), [Append(1, b"")])
    with pytest.raises(ValueError, match=r"moment|block"):
        store.store(moment, items)
    assert (store.values, store.height, store.position) == ({}, 1, Moment(1, 0))


def test_an_outcome_enters_once_and_its_round_is_closed_then(tmp_path):
    store = Store(tmp_path / "s.sqlite")
    store.store(Moment(1, 0), [], pull=2)
    assert store.take([("1.a.1", 1, 0.5), ("1.a.2", 1, 1.0), ("1.a.3", 1, None), ("1.a.1", 1, 0.1)]) == [
        "taken", "taken", "taken", "twice",
    ]  # fmt: skip
    (waiting,) = store.waiting()
    assert waiting.outcome == Outcome(1, 0.75)
    store.store(Moment(1, 1), [], entered=[waiting])
    assert store.waiting() == []
    assert store.take([("1.a.4", 1, 0.5), ("1.a.1", 1, 0.5)]) == ["closed", "twice"]
    assert store.tally()[2] == (1, 1, 0.75, 0.5625)
    assert store.reward(1) == 0.75
    store.forget(2)
    assert store.reward(1) is None
    assert store.tally()[2].pulls == 1


def test_only_the_word_that_nothing_will_come_is_an_outcome_too(tmp_path):
    store = Store(tmp_path / "s.sqlite")
    store.store(Moment(1, 0), [], pull=0)
    store.take([("1.a.1", 1, None)])
    assert store.waiting()[0].outcome == Outcome(1, None)


def test_an_arm_that_is_pulled_again_after_a_crash_counts_once(tmp_path):
    store = Store(tmp_path / "s.sqlite")
    store.store(Moment(1, 0), [], pull=1)
    store.store(Moment(1, 1), [], pull=1)
    assert store.tally()[1].pulls == 1


@pytest.mark.parametrize("content", [b"", b"no database at all, but longer than a header of one" * 30])
def test_a_file_of_something_else_is_named(tmp_path, content):
    path = tmp_path / "s.sqlite"
    path.write_bytes(content)
    if not content:  # SQLite takes it for a new one
        assert Store(path).height == 0
        return
    with pytest.raises(DamagedFile, match=r"s\.sqlite"):
        Store(path)


def test_a_database_of_somebody_else_is_left_alone(tmp_path):
    path = tmp_path / "s.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    with pytest.raises(DamagedFile, match="not the store of a node"):
        Store(path)


def test_a_full_disk_keeps_nothing_of_a_step(tmp_path):
    store = Store(tmp_path / "s.sqlite")
    store.store(Moment(1, 0), [Put("a", b"1")])
    store._db.execute(f"PRAGMA max_page_count = {store._db.execute('PRAGMA page_count').fetchone()[0] + 1}")
    with pytest.raises(Full, match="full"):
        store.store(Moment(1, 1), [Put("a", b"2"), Put("large", bytes(1 << 20))])
    with pytest.raises(Full, match="full"):
        store.take([(f"{number}", 1, 0.5) for number in range(100_000)])
    assert (store.values, store.position) == ({"a": b"1"}, Moment(1, 0))
    store._db.execute("PRAGMA max_page_count = 1000000")
    store.store(Moment(1, 1), [Put("a", b"2")])
    assert store.values == {"a": b"2"}


def on_disk(path):
    other = Store(path)
    try:
        return other.position, other.values, [one.outcome.round for one in other.waiting()]
    finally:
        other.close()


def test_a_step_of_which_nothing_leaves_is_written_with_what_comes_next(tmp_path):
    path = tmp_path / "s.sqlite"
    store = Store(path)
    store.store(Moment(1, 1), [Put("a", b"1")])
    for number, write in enumerate(
        [
            lambda: store.store(Moment(3, 0), [Put("b", b"3")]),
            lambda: store.take([("1.a.1", 1, 0.5)]),
            store.flush,
            lambda: store.copy_to(tmp_path / "copy.sqlite"),
            store.close,
        ]
    ):
        before, moment, value = on_disk(path), Moment(2 + 2 * number, 2), b"%d" % number
        store.store(moment, [Put("a", value)], later=True)
        assert store.waits
        assert (store.position, store.values["a"]) == (moment, value)  # whoever asks here is told all
        assert on_disk(path) == before  # a process that is killed comes back to here
        write()
        after, values, _ = on_disk(path)
        assert after == store.position if write != store.close else after == moment
        assert values["a"] == value
    assert on_disk(tmp_path / "copy.sqlite")[1]["a"] == b"3"


def test_an_outcome_that_is_not_taken_takes_no_step_with_it(tmp_path):
    store = Store(tmp_path / "s.sqlite")
    store.store(Moment(1, 0), [Put("a", b"1")])
    store._db.execute(f"PRAGMA max_page_count = {store._db.execute('PRAGMA page_count').fetchone()[0] + 1}")
    store.store(Moment(1, 1), [Put("a", b"2")], later=True)
    with pytest.raises(Full, match="full"):
        store.take([(f"{number}", 1, 0.5) for number in range(100_000)])
    assert on_disk(tmp_path / "s.sqlite")[:2] == (Moment(1, 1), {"a": b"2"})


_WRITER = """
import sys
from pathlib import Path
from folkmoot.machine import Moment, Put, Append
from folkmoot.node.store import Store
store = Store(Path(sys.argv[1]))
for round in range(1, 100_000):
    store.store(Moment(round, 0), [Put(f"{key}", b"%d" % round) for key in range(20)] + [Append(round, b"%d" % round)])
    print(round, flush=True)
"""


def test_killed_at_any_instant_it_is_at_the_end_of_a_step(tmp_path):
    for attempt in range(6):
        path = tmp_path / f"{attempt}.sqlite"
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(5 + 17 * attempt):
            told = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        told = int((writer.communicate()[0].split() or [told])[-1])
        store = Store(path)
        assert set(store.values.values()) == {b"%d" % store.position.round}
        assert store.height == store.position.round
        assert store.position.round in (told, told + 1)
        store.close()


def test_rounds_of_a_log_are_those_that_were_asked_for_however_far_away(tmp_path):
    store = Store(tmp_path / "one.sqlite")
    for round in (1, 2):
        store.store(Moment(round, 0), [], logged=Row(round, round, b"", b""))
    far = 10**30
    asked = ((1, None), (1, 0), (2, far), (far, None), (-far, 1), (1, -far))
    assert [[row.round for row in store.entries(*ends)] for ends in asked] == [[1, 2], [], [2], [], [1], []]
    store.close()
