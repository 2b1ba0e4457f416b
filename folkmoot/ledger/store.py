"""A chain in a file: created once, appended to, verified by anyone from the file and the contents beside it."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from folkmoot.encoding import Malformed
from folkmoot.errors import brief, require
from folkmoot.ledger.around import fault_around
from folkmoot.ledger.block import MOST_HEIGHT, Block
from folkmoot.ledger.chain import Chain, Genesis, apply_block, begin
from folkmoot.ledger.contents import FolderContents, beside
from folkmoot.ledger.file import (
    FAULTS,
    LastBlock,
    create_tables,
    head_of,
    insert,
    next_height,
    next_seal,
    reading,
    row_of,
    writing,
)
from folkmoot.ledger.place import (
    WAL,
    Identity,
    NotStored,
    UnreadableLedger,
    identity,
    place_of,
    plain,
    stamp,
    written_to,
)
from folkmoot.ledger.replay import DamagedLedger, Verification, replay
from folkmoot.ledger.rules import UnknownRules, remarks

_Names: TypeAlias = tuple[int, Identity | None, Identity | None]  # process, ledger, write-ahead log
_INHERITED: list[sqlite3.Connection] = []  # by fork; never closed


class Ledger:
    """A ledger file. Reading never changes it; the first `append` opens it for writing.

    Threads may share it.

    Attributes:
        path: where it is, as it was given.
        name: what it is called in messages: the path, and where it leads if it is a link.
        contents: what its records name, in the folder beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._place = place_of(path)
        self.name = self._place.name
        self.contents: FolderContents = beside(self._place.real)
        self._now: tuple[Chain, LastBlock] | None = None
        self._seen: Identity | None = None  # the file that `_now` is of
        self._writer: sqlite3.Connection | None = None
        self._held: _Names = (0, None, None)  # by the writer
        self._lock = threading.RLock()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A view of the file; an error says which file it is, and what SQLite complains of is damage."""
        try:
            with reading(self._place) as database:
                yield database
        except UnknownRules as error:
            raise UnknownRules(f"{self.name}: {error}") from None
        except DamagedLedger as error:
            raise DamagedLedger(error.height, error.reason, self.name) from None

    @property
    def height(self) -> int:
        """Blocks after the genesis, by the head row.

        Raises:
            DamagedLedger, UnreadableLedger: see `verify`, `open_ledger`.
        """
        with self._reading() as database:
            try:
                head = head_of(database)
            except FAULTS as error:
                raise DamagedLedger(0, f"the file is damaged: {error}") from None
            if head is None or head.height < 0:
                raise DamagedLedger(0, "the head row is missing or not readable")
            return head.height

    @property
    def genesis(self) -> Genesis:
        """What the chain began with, as stored.

        Raises:
            DamagedLedger, UnreadableLedger: see `verify`, `open_ledger`.
        """
        for data in self._stored(0, 0):
            try:
                return Genesis.from_bytes(data)
            except Malformed as error:
                raise DamagedLedger(0, f"Malformed: {error}", self.name) from None
        raise DamagedLedger(0, "missing", self.name)

    @property
    def chain(self) -> Chain:
        """The chain after the last block; the first time, every block is verified.

        Raises:
            DamagedLedger: a block does not follow.
            UnreadableLedger, UnknownRules: see `open_ledger`, `folkmoot.ledger.rules`.
        """
        with self._lock:
            return self._current()[0]

    def _current(self) -> tuple[Chain, LastBlock]:
        if self._now is None:
            self._seen = identity(self._place.real)
            self._now = self._replay(None)
        return self._now

    def _replay(self, progress: Callable[[int], None] | None) -> tuple[Chain, LastBlock]:
        real = self._place.real
        while True:
            locked, before = written_to(real), stamp(real)
            try:
                with self._reading() as database:
                    chain, head = replay(database, self.contents, progress)
                    self._look_around(database, chain.height)
                    return chain, head
            except DamagedLedger:
                if locked or stamp(real) == before:
                    raise
                # A writer began in between, on a file that was read as one that nobody writes to: once more.

    def _look_around(self, database: sqlite3.Connection, height: int) -> None:
        try:
            fault = fault_around(database, self._place)
        except FAULTS as error:
            fault = plain(error)
        except OSError as error:
            raise UnreadableLedger(f"{self.name}: cannot be read: {error.strerror}") from None
        if fault is not None:
            raise DamagedLedger(height, f"the file around it is damaged: {fault}")

    def verify(self, progress: Callable[[int], None] | None = None) -> Verification:
        """Every block from the genesis on, signatures included, from nothing but the file and the contents beside it.

        `progress` is called now and then with the number of blocks done, and at the end, however it ends.

        Raises:
            UnreadableLedger, UnknownRules: see `open_ledger`, `folkmoot.ledger.rules`.
        """
        try:
            chain, _ = self._replay(progress)
        except DamagedLedger as error:
            return Verification(max(error.height - 1, 0), b"", error.height, error.reason)
        told = remarks(chain.genesis.kind, chain.genesis.configuration, True)
        return Verification(chain.height, chain.tip, remarks=told)

    def blocks(self, first: int = 1, last: int | None = None) -> Iterator[Block]:
        """The blocks of heights `first` to `last` (None: to the end), as stored; only `verify` says if they follow.

        Raises:
            DamagedLedger: bytes that are no block.
            UnreadableLedger: see `open_ledger`.
        """
        height = min(max(first, 1), MOST_HEIGHT)
        for data in self._stored(height, last):
            try:
                yield Block.from_bytes(data)
            except Malformed as error:
                raise DamagedLedger(height, f"Malformed: {error}", self.name) from None
            height += 1

    def _stored(self, first: int, last: int | None) -> Iterator[bytes]:
        with self._reading() as database:
            height = first
            while (data := _stored_row(database, height, last)) is not None:
                yield data
                height += 1

    def append(self, block: Block) -> Chain:
        """Check a block, store it, and return the chain after it: once this returns, the block is on the disk.

        Raises:
            InvalidBlock: the block does not follow; nothing is written.
            NotStored: it could not be written (a full disk, another writer, a file that was moved, removed or
                replaced); nothing else is lost.
            DamagedLedger, UnreadableLedger, UnknownRules: see `chain`.
        """
        with self._lock:
            chain, head = self._current()
            after = apply_block(chain, block)
            data = block.to_bytes()
            new = LastBlock(after.height, after.tip, next_seal(head.seal, data))
            self._store(head, new, data)
            self._now = after, new
            return after

    def _store(self, before: LastBlock, after: LastBlock, data: bytes) -> None:
        what = f"{self.name}: block {after.height} is not stored"
        try:
            if self._writer is None:
                self._writer = writing(self._place)
                self._held = self._names()
            self._check_names(what)
            stored = insert(self._writer, before, after, data)
            self._check_names(what)
        except FAULTS as error:
            self.close()
            raise NotStored(f"{what}: {plain(error)}; the {before.height} before it are") from None
        except BaseException:  # such as an interruption by the user: what is begun is taken back
            self.close()
            raise
        if not stored:
            self._now = None
            raise NotStored(f"{what}: another writer has appended meanwhile")

    def _names(self) -> _Names:
        """Whose connection this is, and which files have the names of the ledger and of its write-ahead log now."""
        return os.getpid(), identity(self._place.given), identity(f"{self._place.real}{WAL}")

    def _check_names(self, what: str) -> None:
        """A block that went into a file without a name would be gone.

        Raises:
            NotStored: the names are other files' now.
        """
        now = self._names()
        if now[0] != self._held[0]:
            raise NotStored(f"{what}: its file was opened before this process was forked; open the ledger anew")
        if now != self._held or now[1] != self._seen:
            self._now = None
            which = "it" if now[1] != self._seen else f"the file beside it that ends in {WAL}"
            raise NotStored(f"{what}: {which} was moved, removed or replaced since it was opened")

    def close(self) -> None:
        """Let go of the file. Reading and appending open it again."""
        with self._lock:
            if self._writer is not None and self._held[0] == os.getpid():
                self._writer.close()  # rolls back what is not committed
            elif self._writer is not None:
                _INHERITED.append(self._writer)  # to close it would meddle with the process that opened it
            self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _stored_row(database: sqlite3.Connection, height: int, last: int | None) -> bytes | None:
    """The bytes of a block that is wanted; None: there are no more.

    Raises:
        DamagedLedger: they are no bytes, or there are some further on.
    """
    try:
        if last is not None and height > last:
            return None
        row = row_of(database, height)
        if row is not None and row[0] is None:
            raise DamagedLedger(height, "stored as something else than bytes")
        if row is not None:
            return row[0]
        later = next_height(database, height)
    except FAULTS as error:
        raise DamagedLedger(height, f"the file is damaged: {error}") from None
    if later is not None:
        raise DamagedLedger(height, f"missing, the next one is block {later}")
    return None


def file_name(path: object) -> Path:
    """The path as one, unchanged.

    Raises:
        ValueError: not a path, or none that a file can have.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str) or text in ("", ".", "..") or "\0" in text:
        raise ValueError(f"ledger = {brief(path)}: expected the name of a file")
    return Path(text)


def open_ledger(path: str | os.PathLike[str]) -> Ledger:
    """The ledger in a file (as `folkmoot.ledger.open`); nothing is verified yet.

    Raises:
        UnreadableLedger: no such file, not a ledger file, or one of another version.
        ValueError: not the name of a file.
    """
    ledger = Ledger(file_name(path))
    with reading(ledger._place):
        return ledger


def create(path: str | os.PathLike[str], genesis: Genesis) -> Ledger:
    """A new ledger file that holds a genesis; what the genesis names is in the folder beside it already.

    Raises:
        ValueError: not the name of a file, there is such a file already, or the rules refuse the genesis.
        NotStored: it cannot be written.
        MissingContent, TamperedContent: what the genesis names is not there.
    """
    where = file_name(path)
    require("genesis", genesis, Genesis)
    first = begin(genesis, beside(where))
    create_tables(place_of(where), genesis.to_bytes(), first.tip)
    return Ledger(where)
