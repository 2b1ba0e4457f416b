"""A ledger file: an SQLite database of two tables, and how it is opened without trusting it or changing it.

`blocks` holds one row for each height, the genesis at 0: the bytes, and a seal, a running digest of all bytes up to
there. `head` holds one row: height, hash and seal of the last block. What is in the file is another party's: the
schema must be ours to the letter, no function in it is run, and no row may be longer than a block can be.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from folkmoot.encoding import LIMITS, digest
from folkmoot.ledger import block
from folkmoot.ledger.place import (
    WAL,
    NotStored,
    Place,
    UnreadableLedger,
    address,
    check_file,
    check_new,
    plain,
    stamp,
    written_to,
)

APPLICATION = 0x464D4C47  # "FMLG", SQLite's application_id
FORMAT = 1  # SQLite's user_version
MOST_ROW = max(block.LIMITS.size, LIMITS.size) + 4096  # bytes
PATIENCE = 10.0  # seconds to wait for another writer
# What a damaged file makes Python's sqlite3 raise. It decodes messages that quote the file, hence UnicodeError.
FAULTS = (sqlite3.Error, sqlite3.Warning, UnicodeError)
_NO_ACCESS = (sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
_TRIES = 5

_SCHEMA = {
    "blocks": "CREATE TABLE blocks (height INTEGER PRIMARY KEY, data BLOB NOT NULL, seal BLOB NOT NULL)",
    "head": "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 0), height INTEGER NOT NULL, "
    "tip BLOB NOT NULL, seal BLOB NOT NULL)",
}


def _blob(column: str) -> str:
    return f"CASE WHEN typeof({column}) = 'blob' THEN {column} END"


_ROW = f"SELECT {_blob('data')}, {_blob('seal')} FROM blocks WHERE height = ?"


class LastBlock(NamedTuple):
    """What the file says of its last block."""

    height: int
    tip: bytes
    seal: bytes


def next_seal(seal: bytes, data: bytes) -> bytes:
    """The seal of a row: its bytes and the seal of the row before (before the genesis: none)."""
    return digest("ledger/seal", seal + data)


@contextmanager
def reading(place: Place) -> Iterator[sqlite3.Connection]:
    """One consistent view of the file, which stays as it is, and so does its folder when nobody writes.

    With a second file beside it, SQLite makes a third. Where it cannot, in a folder that is read only, both are copied.

    Raises:
        UnreadableLedger: no file, no access, another kind of file, another version, or damage on the way in.
    """
    check_file(place)
    beside = written_to(place.real)
    with ExitStack() as until:
        try:
            database = _viewed(place.real, "mode=ro" if beside else "mode=ro&immutable=1", place.name)
        except FAULTS as error:
            if not beside or getattr(error, "sqlite_errorcode", 0) & 0xFF not in _NO_ACCESS:
                raise UnreadableLedger(f"{place.name}: not a ledger file: {plain(error)}") from None
            database = _copied(place, until)
        until.callback(database.close)
        yield database


def _viewed(path: Path, mode: str, name: str) -> sqlite3.Connection:
    """Connected, with a read transaction begun on a file whose tables are ours."""
    database = _connect(path, mode)
    try:
        database.execute("PRAGMA query_only = ON")
        database.execute("BEGIN")
        check_schema(database, name)
    except BaseException:
        database.close()
        raise
    return database


def _copied(place: Place, until: ExitStack) -> sqlite3.Connection:
    """A view of a copy, for SQLite reads a write-ahead log only where it may make a file."""
    name, wal = place.name, Path(f"{place.real}{WAL}")
    try:
        twin = Path(until.enter_context(TemporaryDirectory())) / "copy"
        for _ in range(_TRIES):
            before = stamp(place.real), stamp(wal)
            shutil.copyfile(place.real, twin)
            shutil.copyfile(wal, f"{twin}{WAL}")
            if (stamp(place.real), stamp(wal)) == before:
                return _viewed(twin, "mode=ro", name)
    except FAULTS as error:
        raise UnreadableLedger(f"{name}: not a ledger file: {plain(error)}") from None
    except OSError as error:
        why = error.strerror or plain(error)
        raise UnreadableLedger(f"{name}: SQLite cannot read it where it is, and it cannot be copied: {why}") from None
    raise UnreadableLedger(f"{name}: SQLite cannot read it where it is, and it is written to while it is copied")


def writing(place: Place) -> sqlite3.Connection:
    """A connection that appends: write-ahead log, and a commit returns when the disk says it has it.

    Any thread may use it, one at a time.

    Raises:
        sqlite3.Error: the file cannot be written.
        UnreadableLedger: it is not a ledger file.
    """
    check_file(place)
    database = _connect(place.real, "mode=rw")
    try:
        check_schema(database, place.name)
        durable(database)
    except BaseException:
        database.close()
        raise
    return database


def durable(database: sqlite3.Connection) -> None:
    """Set what makes an acknowledged block survive a crash.

    Raises:
        sqlite3.Error: the file system has no write-ahead log.
    """
    (mode,) = database.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise sqlite3.OperationalError("no write-ahead log on this file system")
    database.execute("PRAGMA synchronous = FULL")


def _text(data: bytes) -> str:
    """Text in a file is compared or shown, never trusted: what is not UTF-8 is no error of its own."""
    return data.decode("utf-8", "replace")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = address(path, mode)
    database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=PATIENCE, check_same_thread=False)
    database.text_factory = _text
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_ROW)
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")
    return database


def check_schema(database: sqlite3.Connection, name: str) -> None:
    """Is this one of our files, of our version?

    Raises:
        UnreadableLedger: no.
        sqlite3.Error: the file is damaged.
    """
    if database.execute("PRAGMA application_id").fetchone() != (APPLICATION,):
        raise UnreadableLedger(f"{name}: not a ledger file")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != FORMAT:
        raise UnreadableLedger(f"{name}: a ledger file of version {version}, only version {FORMAT} is understood")
    found = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name LIMIT 9").fetchall()
    if found != [("table", name, name, text) for name, text in sorted(_SCHEMA.items())]:
        raise UnreadableLedger(f"{name}: not a ledger file: its tables are not those of version {FORMAT}")


def create_tables(place: Place, genesis: bytes, tip: bytes) -> None:
    """Write a new file that holds a genesis and nothing else; who may read it is for the user's umask to say.

    Raises:
        ValueError: there is a file already, or none can have this name.
        NotStored: the file cannot be written; none is left behind.
    """
    path = place.given
    check_new(path)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        if os.path.islink(path) and not os.path.exists(path):
            text = f"{place.name}: a link that leads nowhere, a new ledger needs a name of its own"
            raise ValueError(text) from None
        raise ValueError(f"{place.name}: there is a file already, a new ledger needs a name of its own") from None
    except OSError as error:
        raise NotStored(f"{place.name}: cannot be created: {error.strerror}") from None
    seal = next_seal(b"", genesis)
    try:
        with closing(_connect(path, "mode=rw")) as database:
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN IMMEDIATE")
            for text in _SCHEMA.values():
                database.execute(text)
            database.execute("INSERT INTO blocks VALUES (0, ?, ?)", (genesis, seal))
            database.execute("INSERT INTO head VALUES (0, 0, ?, ?)", (tip, seal))
            database.execute(f"PRAGMA application_id = {APPLICATION}")
            database.execute(f"PRAGMA user_version = {FORMAT}")
            database.execute("COMMIT")
            durable(database)
    except FAULTS as error:
        _remove(path)
        raise NotStored(f"{place.name}: cannot be created: {plain(error)}") from None
    except BaseException:
        _remove(path)
        raise


def _remove(path: Path) -> None:
    for ending in ("", "-journal", WAL, "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)


def head_of(database: sqlite3.Connection) -> LastBlock | None:
    """The head row, if there is exactly one and its columns are of the right types.

    Raises:
        sqlite3.Error: the file is damaged.
    """
    rows = database.execute(f"SELECT height, {_blob('tip')}, {_blob('seal')} FROM head LIMIT 2").fetchall()
    if len(rows) != 1 or list(map(type, rows[0])) != [int, bytes, bytes]:
        return None
    return LastBlock(*rows[0])


def row_of(database: sqlite3.Connection, height: int) -> tuple[bytes | None, bytes | None] | None:
    """The data and the seal stored for a height, None for what is not bytes; None if there is no such row.

    One query for each row: an error is then the error of that row, where a cursor over many looks ahead.

    Raises:
        sqlite3.Error: the file is damaged.
    """
    found: tuple[bytes | None, bytes | None] | None = database.execute(_ROW, (height,)).fetchone()
    return found


def next_height(database: sqlite3.Connection, height: int) -> int | None:
    """The lowest height from this one on for which there is a row.

    Raises:
        sqlite3.Error: the file is damaged.
    """
    (found,) = database.execute("SELECT min(height) FROM blocks WHERE height >= ?", (height,)).fetchone()
    return None if found is None else int(found)


def insert(database: sqlite3.Connection, before: LastBlock, after: LastBlock, data: bytes) -> bool:
    """Add a row and move the head, in one transaction; False and nothing done if the head is not `before`.

    Raises:
        sqlite3.Error: not stored.
    """
    database.execute("BEGIN IMMEDIATE")
    if head_of(database) != before:
        database.execute("ROLLBACK")
        return False
    database.execute("INSERT INTO blocks VALUES (?, ?, ?)", (after.height, data, after.seal))
    database.execute("UPDATE head SET height = ?, tip = ?, seal = ?", after)
    database.execute("COMMIT")
    return True
