"""A file of SQLite: what was written is on the disk, all of it or nothing, and only its owner may read it.

The connection is used by one thread at a time.
"""

import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from folkmoot.errors import DamagedFile


class Full(OSError):
    """The disk takes no more: nothing of this step is kept, and nothing that depends on it may leave."""


class Database(ABC):
    """One such file.

    Attributes:
        undone: how often something was not kept, with what it had joined.

    Raises:
        DamagedFile: the file is damaged, or none of this kind.
        Full: it cannot be made or read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.undone = 0
        try:
            with suppress(FileExistsError):  # what else SQLite puts beside it has the same mode
                if str(path) != ":memory:":
                    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            with self._reading():
                self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
                for pragma in ("journal_mode = WAL", "synchronous = FULL", "trusted_schema = OFF"):
                    self._db.execute(f"PRAGMA {pragma}")
                self._open()
            if str(path) != ":memory:":
                with suppress(PermissionError):  # of another owner, who sees to it
                    os.chmod(path, 0o600)
        except OSError as error:
            raise Full(f"{path}: cannot be opened ({error})") from None

    @abstractmethod
    def _open(self) -> None:
        """Make the tables of a file that is new, or look at what is there.

        Raises:
            DamagedFile: it is of another kind.
        """

    @property
    def _is_new(self) -> bool:
        """Has nothing been made in it?"""
        return not self._kind and not self._db.execute("SELECT 1 FROM sqlite_schema").fetchall()

    @property
    def _kind(self) -> int:
        """What the header of the file says of whose it is; 0: nothing."""
        ((kind,),) = self._db.execute("PRAGMA application_id")
        return int(kind)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise Full(f"{self._path}: {error}") from None
        except sqlite3.DatabaseError as error:
            raise DamagedFile(f"{self._path}: {error}") from None

    @contextmanager
    def _writing(self, *, joins: bool = False, later: bool = False) -> Iterator[sqlite3.Connection]:
        """All of it or nothing.

        `later`: it need not be on the disk before the next writing. `joins`: what is left of such is part of it.
        """
        with self._reading():
            if not joins:
                self.flush()
            if not self.waits:
                self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                if not later:
                    self._db.execute("COMMIT")
            except BaseException:
                self.undone += 1
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @property
    def waits(self) -> bool:
        """Is there something that is not on the disk yet?"""
        return self._db.in_transaction

    def flush(self) -> None:
        """All that was written is on the disk when this returns.

        Raises:
            Full: the disk takes it not.
        """
        with self._reading():
            if self.waits:
                try:
                    self._db.execute("COMMIT")
                except BaseException:
                    self.undone += 1
                    raise

    def copy_to(self, path: Path) -> None:
        """A copy of all of it as it is now, also while the node runs.

        Raises:
            Full: it cannot be written.
        """
        with self._reading():
            self.flush()
            other = sqlite3.connect(path)
            try:
                self._db.backup(other)
                other.execute("PRAGMA journal_mode = DELETE")
            finally:
                other.close()
        os.chmod(path, 0o600)

    def close(self) -> None:
        """Let go of the file; what waits is written, if it can be."""
        with suppress(OSError, DamagedFile, sqlite3.ProgrammingError):
            self.flush()
        self._db.close()
