"""A ledger file: an SQLite database of two tables, and how it is opened without trusting it or changing it.

`blocks` holds one row for each height, the genesis at 0: the bytes, and a seal, a running digest of all bytes up to
there. `head` holds one row: height, hash and seal of the last block. What is in the file is another party's: the
schema must be ours to the letter, no function in it is run, and no row may be longer than a block can be.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from folkmoot.encoding import LIMITS, digest
from folkmoot.errors import DamagedFile
from folkmoot.ledger import block

APPLICATION = 0x464D4C47  # "FMLG", SQLite's application_id
FORMAT = 1  # SQLite's user_version
MOST_ROW = max(block.LIMITS.size, LIMITS.size) + 4096  # bytes
PATIENCE = 10.0  # seconds to wait for another writer

_SCHEMA = {
    "blocks": "CREATE TABLE blocks (height INTEGER PRIMARY KEY, data BLOB NOT NULL, seal BLOB NOT NULL)",
    "head": "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 0), height INTEGER NOT NULL, "
    "tip BLOB NOT NULL, seal BLOB NOT NULL)",
}


def _blob(column: str) -> str:
    return f"CASE WHEN typeof({column}) = 'blob' THEN {column} END"


_ROW = f"SELECT {_blob('data')}, {_blob('seal')} FROM blocks WHERE height = ?"


class UnreadableLedger(DamagedFile):
    """Not a ledger file that this library reads."""


class NotStored(OSError):
    """A block that could not be written; what was stored before is as it was."""


class LastBlock(NamedTuple):
    """What the file says of its last block."""

    height: int
    tip: bytes
    seal: bytes


def next_seal(seal: bytes, data: bytes) -> bytes:
    """The seal of a row: its bytes and the seal of the row before (before the genesis: none)."""
    return digest("ledger/seal", seal + data)


def plain(text: object) -> str:
    """One line that a terminal may be given, whatever a file or another party put into the text."""
    line = " ".join(str(text).split())
    return "".join(c if c.isprintable() else "?" for c in line)[:300] or type(text).__name__


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """One consistent view of the file, which stays as it is, and so does its folder when nobody writes.

    Raises:
        UnreadableLedger: no file, no access, another kind of file, another version, or damage on the way in.
    """
    try:
        if not path.exists():
            raise UnreadableLedger(f"{path}: no such file")
        if not path.is_file():
            raise UnreadableLedger(f"{path}: expected a file")
    except OSError as error:
        raise UnreadableLedger(f"{path}: cannot be opened: {error.strerror}") from None
    mode = "mode=ro" if written_to(path) else "mode=ro&immutable=1"
    try:
        database = _connect(path, mode)
    except sqlite3.Error as error:
        raise UnreadableLedger(f"{path}: cannot be opened: {plain(error)}") from None
    with closing(database):
        try:
            database.execute("PRAGMA query_only = ON")
            database.execute("BEGIN")
            check_schema(database, path)
        except sqlite3.Error as error:
            raise UnreadableLedger(f"{path}: not a ledger file: {plain(error)}") from None
        yield database


def written_to(path: Path) -> bool:
    """Is somebody writing, or was a writer cut off? Then what was stored last is in a second file beside."""
    try:
        return os.path.getsize(f"{path}-wal") > 0
    except OSError:
        return False


def stamp(path: Path) -> tuple[int, ...]:
    """Changes when the file does."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns, written_to(path)


def writing(path: Path) -> sqlite3.Connection:
    """A connection that appends: write-ahead log, and a commit returns when the disk says it has it.

    Raises:
        sqlite3.Error: the file cannot be written.
        UnreadableLedger: it is not a ledger file.
    """
    database = _connect(path, "mode=rw")
    try:
        check_schema(database, path)
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


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?{mode}"
    database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=PATIENCE)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_ROW)
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")
    return database


def check_schema(database: sqlite3.Connection, path: Path) -> None:
    """Is this one of our files, of our version?

    Raises:
        UnreadableLedger: no.
        sqlite3.Error: the file is damaged.
    """
    if database.execute("PRAGMA application_id").fetchone() != (APPLICATION,):
        raise UnreadableLedger(f"{path}: not a ledger file")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != FORMAT:
        raise UnreadableLedger(f"{path}: a ledger file of version {version}, only version {FORMAT} is understood")
    found = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name LIMIT 9").fetchall()
    if found != [("table", name, name, text) for name, text in sorted(_SCHEMA.items())]:
        raise UnreadableLedger(f"{path}: not a ledger file: its tables are not those of version {FORMAT}")


def create_tables(path: Path, genesis: bytes, tip: bytes) -> None:
    """Write a new file that holds a genesis and nothing else.

    Raises:
        ValueError: there is a file already.
        NotStored: the file cannot be written; none is left behind.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except FileExistsError:
        raise ValueError(f"{path}: there is a file already, a new ledger needs a name of its own") from None
    except OSError as error:
        raise NotStored(f"{path}: cannot be created: {error.strerror}") from None
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
    except sqlite3.Error as error:
        for ending in ("", "-journal", "-wal", "-shm"):
            Path(f"{path}{ending}").unlink(missing_ok=True)
        raise NotStored(f"{path}: cannot be created: {plain(error)}") from None


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
