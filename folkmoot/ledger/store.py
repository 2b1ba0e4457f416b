"""A chain in a file: created once, appended to, verified by anyone from the file and the contents beside it."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from folkmoot.encoding import Malformed
from folkmoot.ledger.block import MOST_HEIGHT, Block
from folkmoot.ledger.chain import Chain, Genesis, apply_block, begin
from folkmoot.ledger.contents import FolderContents, beside
from folkmoot.ledger.file import (
    LastBlock,
    NotStored,
    create_tables,
    head_of,
    insert,
    next_height,
    next_seal,
    plain,
    reading,
    row_of,
    stamp,
    writing,
    written_to,
)
from folkmoot.ledger.replay import DamagedLedger, Verification, replay
from folkmoot.ledger.rules import UnknownRules


class Ledger:
    """A ledger file. Reading never changes it; the first `append` opens it for writing.

    Attributes:
        path: where it is.
        contents: what its records name, in the folder beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.contents: FolderContents = beside(path)
        self._now: tuple[Chain, LastBlock] | None = None
        self._writer: sqlite3.Connection | None = None

    @property
    def height(self) -> int:
        """Blocks after the genesis, by the head row.

        Raises:
            DamagedLedger, UnreadableLedger: see `verify`, `open_ledger`.
        """
        with reading(self.path) as database:
            try:
                head = head_of(database)
            except sqlite3.Error as error:
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
                raise DamagedLedger(0, f"Malformed: {error}") from None
        raise DamagedLedger(0, "missing")

    @property
    def chain(self) -> Chain:
        """The chain after the last block; the first time, every block is verified.

        Raises:
            DamagedLedger: a block does not follow.
            UnreadableLedger, UnknownRules: see `open_ledger`, `folkmoot.ledger.rules`.
        """
        return self._current()[0]

    def _current(self) -> tuple[Chain, LastBlock]:
        if self._now is None:
            self._now = self._replay(None)
        return self._now

    def _replay(self, progress: Callable[[int], None] | None) -> tuple[Chain, LastBlock]:
        while True:
            locked, before = written_to(self.path), stamp(self.path)
            try:
                with reading(self.path) as database:
                    return replay(database, self.contents, progress)
            except UnknownRules as error:
                raise UnknownRules(f"{self.path}: {error}") from None
            except DamagedLedger:
                if locked or stamp(self.path) == before:
                    raise
                # A writer began in between, on a file that was read as one that nobody writes to: once more.

    def verify(self, progress: Callable[[int], None] | None = None) -> Verification:
        """Every block from the genesis on, signatures included, from nothing but the file and the contents beside it.

        `progress` is called now and then with the number of blocks done.

        Raises:
            UnreadableLedger, UnknownRules: see `open_ledger`, `folkmoot.ledger.rules`.
        """
        try:
            chain, _ = self._replay(progress)
        except DamagedLedger as error:
            return Verification(max(error.height - 1, 0), b"", error.height, error.reason)
        return Verification(chain.height, chain.tip)

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
                raise DamagedLedger(height, f"Malformed: {error}") from None
            height += 1

    def _stored(self, first: int, last: int | None) -> Iterator[bytes]:
        with reading(self.path) as database:
            height = first
            try:
                while (last is None or height <= last) and (row := row_of(database, height)) is not None:
                    if row[0] is None:
                        raise DamagedLedger(height, "stored as something else than bytes")
                    yield row[0]
                    height += 1
                if last is None or height <= last:
                    later = next_height(database, height)
                    if later is not None:
                        raise DamagedLedger(height, f"missing, the next one is block {later}")
            except sqlite3.Error as error:
                raise DamagedLedger(height, f"the file is damaged: {error}") from None

    def append(self, block: Block) -> Chain:
        """Check a block, store it, and return the chain after it: once this returns, the block is on the disk.

        Raises:
            InvalidBlock: the block does not follow; nothing is written.
            NotStored: it could not be written (a full disk, another writer); nothing else is lost.
            DamagedLedger, UnreadableLedger, UnknownRules: see `chain`.
        """
        chain, head = self._current()
        after = apply_block(chain, block)
        data = block.to_bytes()
        new = LastBlock(after.height, after.tip, next_seal(head.seal, data))
        try:
            if self._writer is None:
                self._writer = writing(self.path)
            moved = not insert(self._writer, head, new, data)
        except sqlite3.Error as error:
            self.close()
            what = f"{self.path}: block {after.height} is not stored: {plain(error)}; the {chain.height} before it are"
            raise NotStored(what) from None
        if moved:
            self._now = None
            raise NotStored(f"{self.path}: block {after.height} is not stored: another writer has appended meanwhile")
        self._now = after, new
        return after

    def close(self) -> None:
        """Let go of the file. Reading and appending open it again."""
        if self._writer is not None:
            self._writer.close()  # rolls back what is not committed
            self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def file_name(path: object) -> Path:
    """The path as one, unchanged.

    Raises:
        ValueError: not a path, or none that a file can have.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str) or text in ("", ".", "..") or "\0" in text:
        raise ValueError(f"ledger = {path!r:.80}: expected the name of a file")
    return Path(text)


def open_ledger(path: str | os.PathLike[str]) -> Ledger:
    """The ledger in a file (as `folkmoot.ledger.open`); nothing is verified yet.

    Raises:
        UnreadableLedger: no such file, not a ledger file, or one of another version.
        ValueError: not the name of a file.
    """
    ledger = Ledger(file_name(path))
    with reading(ledger.path):
        return ledger


def create(path: str | os.PathLike[str], genesis: Genesis) -> Ledger:
    """A new ledger file that holds a genesis; what the genesis names is in the folder beside it already.

    Raises:
        ValueError: not the name of a file, there is such a file already, or the rules refuse the genesis.
        NotStored: it cannot be written.
        MissingContent, TamperedContent: what the genesis names is not there.
    """
    where = file_name(path)
    first = begin(genesis, beside(where))
    create_tables(where, genesis.to_bytes(), first.tip)
    return Ledger(where)
