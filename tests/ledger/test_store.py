"""A ledger file: what goes in comes out, reading changes nothing, and what is not a ledger is refused in one line."""

import hashlib
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from made_ledgers import genesis, made, signed

import folkmoot as fm
from folkmoot import ledger
from folkmoot.ledger import file as files
from folkmoot.ledger import rules


@pytest.fixture
def path(tmp_path):
    return tmp_path / "notes.ledger"


def state_of(folder):
    return {
        name.name: (name.stat().st_mtime_ns, hashlib.sha256(name.read_bytes()).digest()) for name in folder.iterdir()
    }


def changed(path, *statements):
    """Change the database behind the ledger's back."""
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(*statement) if isinstance(statement, tuple) else database.execute(statement)


def test_what_goes_in_comes_out(path):
    chain, blocks = ledger.start(genesis()), []
    with ledger.create(path, genesis()) as book:
        assert book.chain == chain
        for n in range(5):
            blocks.append(signed(chain, (b"note %d" % n, b"more")))
            chain = book.append(blocks[-1])
            assert book.chain == chain
        assert book.height == 5
    again = fm.ledger.open(path)
    assert again.verify() == ledger.Verification(5, chain.tip)
    assert again.verify().ok
    assert again.genesis == genesis()
    assert again.chain == chain
    assert again.chain.state.notes == 10
    assert list(again.blocks()) == blocks
    assert list(again.blocks(2, 4)) == blocks[1:4]
    assert list(again.blocks(4)) == blocks[3:]
    assert list(again.blocks(-3, 1)) == blocks[:1]
    assert list(again.blocks(5, 9)) == blocks[4:]
    assert list(again.blocks(6)) == list(again.blocks(2**70)) == list(again.blocks(3, 2)) == []


def test_appending_goes_on_after_opening_again(path):
    made(path, 3)
    for height in (4, 5):
        with ledger.open(str(path)) as book:
            assert book.append(signed(book.chain, keys=1)).height == height
    assert ledger.open(path).verify().blocks == 5


def test_an_empty_chain(path):
    book = ledger.create(path, genesis())
    assert book.verify() == ledger.Verification(0, genesis().hash)
    assert list(book.blocks()) == []
    assert book.height == 0


def test_an_invalid_block_is_not_written(path):
    made(path, 2)
    before = state_of(path.parent)
    book = ledger.open(path)
    with pytest.raises(ledger.InvalidBlock, match="the next block is 3"):
        book.append(signed(ledger.start(genesis(1, 1)), keys=1))
    assert state_of(path.parent) == before
    assert book.append(signed(book.chain, keys=1)).height == 3


def test_reading_changes_neither_the_file_nor_its_folder(path):
    made(path, 20)
    before = state_of(path.parent)
    assert list(before) == [path.name]
    book = ledger.open(path)
    assert book.verify().ok
    assert len(list(book.blocks())) == book.chain.height == book.height == 20
    assert book.genesis.kind == "notes"
    assert state_of(path.parent) == before


def test_a_reader_sees_what_a_writer_beside_it_stores(path):
    writer = ledger.open(made(path, 3))
    reader = ledger.open(path)
    assert reader.verify().blocks == 3
    for height in (4, 5):
        writer.append(signed(writer.chain, keys=1))
        file = path.read_bytes()
        assert reader.verify().blocks == reader.height == height
        assert [block.header.height for block in reader.blocks(3)] == list(range(3, height + 1))
        assert path.read_bytes() == file
    writer.close()
    assert reader.verify().blocks == 5


def test_a_writer_that_begins_while_a_file_is_read_is_no_damage(path, monkeypatch):
    """A file nobody writes to is read without locks. If that changes meanwhile, a fault found is looked at again."""
    made(path, 3)
    looked = []

    def torn(database, contents, progress=None):
        looked.append(database)
        if len(looked) == 1:
            writer.append(signed(writer.chain, keys=1))
            raise ledger.DamagedLedger(2, "half of an old page and half of a new one")
        return replay(database, contents, progress)

    writer = ledger.open(path)
    assert writer.chain.height == 3
    replay = sys.modules["folkmoot.ledger.store"].replay
    monkeypatch.setattr("folkmoot.ledger.store.replay", torn)
    assert ledger.open(path).verify() == ledger.Verification(4, writer.chain.tip)
    assert len(looked) == 2


def test_of_two_writers_one_is_told(path):
    made(path, 2)
    first, second = ledger.open(path), ledger.open(path)
    theirs, ours = signed(first.chain, [b"theirs"], 1), signed(second.chain, [b"ours"], 1)
    first.append(theirs)
    with pytest.raises(ledger.NotStored, match="block 3 is not stored: another writer has appended meanwhile"):
        second.append(ours)
    assert second.chain.tip == theirs.hash
    assert second.append(signed(second.chain, keys=1)).height == 4
    assert ledger.open(path).verify().blocks == 4


def test_a_locked_file_is_said(path, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE", 0.05)
    book = ledger.open(made(path, 2))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ledger.NotStored, match="block 3 is not stored: database is locked; the 2 before it are"):
            book.append(signed(book.chain, keys=1))
        other.execute("ROLLBACK")
    assert book.append(signed(book.chain, keys=1)).height == 3


def test_a_commit_waits_for_the_disk(path):
    """Measured by nothing here: the settings that SQLite documents as durable are in force while appending."""
    with ledger.create(path, genesis(1)) as book:
        book.append(signed(book.chain, keys=1))
        assert book._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert book._writer.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_new_ledger_takes_no_others_place(path):
    path.write_bytes(b"precious")
    with pytest.raises(ValueError, match="there is a file already"):
        ledger.create(path, genesis())
    assert path.read_bytes() == b"precious"


def test_a_ledger_that_cannot_be_created_leaves_nothing(path):
    with pytest.raises(ledger.NotStored, match="cannot be created: No such file or directory"):
        ledger.create(path / "deeper", genesis())
    with pytest.raises(ValueError, match="each key once"):
        ledger.create(path, ledger.Genesis("notes", ((b"k" * 32,) * 2, 1)))
    assert list(path.parent.iterdir()) == []


def test_a_name_with_characters_that_mean_something_in_addresses(tmp_path):
    path = made(tmp_path / "a b?mode=memory&#%41.ledger", 2)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert ledger.open(path).verify().blocks == 2


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("a note\n" * 500, encoding="utf-8")


def other_database(path):
    changed(path, "CREATE TABLE blocks (height INTEGER PRIMARY KEY, data BLOB, seal BLOB)")


def other_program(path):
    made(path, 1)
    changed(path, "PRAGMA application_id = 7")


def another_version(path):
    made(path, 1)
    changed(path, "PRAGMA user_version = 2")


def table_added(path):
    made(path, 1)
    changed(path, "CREATE TABLE more (x)")


def trigger_added(path):
    made(path, 1)
    changed(path, "CREATE TRIGGER t AFTER INSERT ON blocks BEGIN DELETE FROM blocks WHERE height = 1; END")


def view_instead(path):
    made(path, 1)
    changed(path, "ALTER TABLE blocks RENAME TO real", "CREATE VIEW blocks AS SELECT * FROM real")


def column_added(path):
    made(path, 1)
    changed(path, "ALTER TABLE blocks ADD COLUMN x")


def cut_short(path):
    made(path, 50)
    path.write_bytes(path.read_bytes()[:3000])


FOREIGN = {
    empty: "not a ledger file",
    text: "not a ledger file: file is not a database",
    other_database: "not a ledger file",
    other_program: "not a ledger file",
    another_version: "a ledger file of version 2, only version 1 is understood",
    table_added: "its tables are not those of version 1",
    trigger_added: "its tables are not those of version 1",
    view_instead: "its tables are not those of version 1",
    column_added: "its tables are not those of version 1",
    cut_short: "not a ledger file: database disk image is malformed",
    Path.mkdir: "expected a file",
    lambda path: None: "no such file",
}


@pytest.mark.parametrize("make", FOREIGN, ids=lambda make: make.__name__)
def test_what_is_not_a_ledger_is_refused_in_one_line_and_left_alone(path, make):
    make(path)
    before = state_of(path.parent) if path.is_file() else None
    with pytest.raises(ledger.UnreadableLedger, match=FOREIGN[make]) as caught:
        ledger.open(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert before is None or state_of(path.parent) == before


def test_a_ledger_that_was_exchanged_is_not_written_to(path):
    """Opened, read, and then another file stands at its name."""
    book = ledger.open(made(path, 1))
    block = signed(book.chain, keys=1)
    trigger = "CREATE TRIGGER t AFTER INSERT ON blocks BEGIN DELETE FROM blocks; END"
    changed(path, trigger)
    with pytest.raises(ledger.UnreadableLedger):
        book.append(block)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="for the superuser nothing is forbidden")
def test_a_file_that_may_not_be_read(path):
    made(path, 1).chmod(0)
    with pytest.raises(ledger.UnreadableLedger, match=r"cannot be opened|not a ledger"):
        ledger.open(path)


def test_an_unknown_kind_is_no_damage(path, monkeypatch):
    made(path, 1)
    monkeypatch.delitem(rules.KINDS, "notes")
    book = ledger.open(path)
    assert book.genesis.kind == "notes"
    assert book.height == 1
    with pytest.raises(ledger.UnknownRules, match="kind = 'notes': rules are known for"):
        book.verify()


def test_a_row_longer_than_a_block_can_be_is_not_read(path):
    made(path, 2)
    changed(path, ("UPDATE blocks SET data = zeroblob(?) WHERE height = 2", (files.MOST_ROW + 1,)))
    book = ledger.open(path)
    verdict = book.verify()
    assert verdict.bad == 2
    assert "too big" in verdict.reason
    with pytest.raises(ledger.DamagedLedger, match="block 2: the file is damaged"):
        list(book.blocks())


def test_damaged_rows_are_named_when_read_without_verifying(path):
    made(path, 3)
    changed(path, "UPDATE blocks SET data = x'ff' WHERE height IN (0, 2)", "DELETE FROM blocks WHERE height = 3")
    book = ledger.open(path)
    with pytest.raises(ledger.DamagedLedger, match=r"block 0 \(the genesis\): Malformed: byte 1: unknown tag 255"):
        _ = book.genesis
    read = book.blocks()
    assert next(read).header.height == 1
    with pytest.raises(ledger.DamagedLedger, match="block 2: Malformed"):
        next(read)
    changed(path, "DELETE FROM blocks WHERE height = 2", "DELETE FROM head")
    with pytest.raises(ledger.DamagedLedger, match="head row is missing"):
        _ = book.height
    changed(path, "DELETE FROM blocks WHERE height = 0")
    with pytest.raises(ledger.DamagedLedger, match="genesis"):
        _ = book.genesis


def test_nothing_is_appended_to_a_damaged_ledger(path):
    block = signed(ledger.open(made(path, 3)).chain, keys=1)
    changed(path, "UPDATE blocks SET data = data || x'00' WHERE height = 2")
    before = path.read_bytes()
    with pytest.raises(ledger.DamagedLedger, match="block 2: stored as something else than bytes"):
        ledger.open(path).append(block)
    assert path.read_bytes() == before


def test_what_a_file_says_cannot_steer_a_terminal(path):
    """SQLite quotes text that is not UTF-8 in its errors."""
    made(path, 2)
    changed(path, "UPDATE blocks SET data = CAST(x'1b5b324aff' AS TEXT) WHERE height = 1")
    reasons = [ledger.open(path).verify().reason]
    changed(path, "UPDATE head SET tip = CAST(x'1b5b324aff' AS TEXT)", "DELETE FROM blocks WHERE height = 1")
    with pytest.raises(ledger.DamagedLedger) as caught:
        _ = ledger.open(path).height
    assert all(reason.isprintable() for reason in [*reasons, str(caught.value)])


class Rude:
    """Rules that repeat what a record says."""

    def genesis(self, configuration, contents):
        return None

    def signers(self, state, records):
        return ledger.Signers(frozenset(), 0)

    def step(self, state, header, records):
        if records:
            raise ledger.RefusedRecord(f"record says {records[0].decode()}\nand more")


RUDE = Rude()


def test_what_a_record_says_cannot_steer_a_terminal(path, monkeypatch):
    monkeypatch.setitem(rules.KINDS, "rude", f"{__name__}:RUDE")
    with ledger.create(path, ledger.Genesis("rude", None)) as book:
        book.append(ledger.propose(book.chain, []))
        bad = ledger.propose(book.chain, [b"\x1b[2J"])
        changed(path, ("INSERT INTO blocks VALUES (2, ?, x'00')", (bad.to_bytes(),)))
    assert ledger.open(path).verify()[:4] == (1, b"", 2, "RefusedRecord: record says ?[2J and more")


def test_progress_is_reported(path):
    made(path, 200)
    seen = []
    assert ledger.open(path).verify(seen.append).ok
    assert seen == sorted(seen)
    assert len(seen) >= 3
    assert seen[-1] <= 200


def test_a_name_that_has_moved_works_and_warns():
    with pytest.warns(DeprecationWarning, match=r"folkmoot\.ledger\.Verdict is now folkmoot\.ledger\.Verification"):
        assert ledger.Verdict is ledger.Verification
