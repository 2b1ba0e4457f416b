"""The log of a sweep: one line of JSON for each finished replicate of any system, only ever appended to.

The file survives a killed process: what is complete counts, a torn last line is cut off. One process
at a time writes it.
"""

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from folkmoot.errors import DamagedFile
from folkmoot.json_text import parsed
from folkmoot.simulation.cells import Playable, Replicate

FORMAT = 2


class LogError(OSError):
    """The log cannot be opened or written, or another process is writing it."""


def _parsed(line: bytes) -> Any:
    """What a line says in JSON. Raises DamagedFile if it is none."""
    try:
        return parsed(line.decode("utf-8"))
    except ValueError as error:  # of the parser, or of UTF-8
        raise DamagedFile(str(error)) from None


def _check(row: Any) -> None:
    """Raise DamagedFile unless this is a row of a replicate, of whatever kind, or an error."""
    what: dict[str, type] = {"cell": str, "name": str}
    what |= {"error": str} if isinstance(row, dict) and "error" in row else {"replicate": int}
    if not isinstance(row, dict) or not set(what) <= set(row) or ("error" in row and set(row) != set(what)):
        raise DamagedFile("expected the fields cell, name, replicate and those of its kind, or cell, name and error")
    for name, kind in what.items():
        if type(row[name]) is not kind:
            raise DamagedFile(f"{name} = {row[name]!r}: expected {kind.__name__}")
    if row.get("replicate", 0) < 0:
        raise DamagedFile(f"replicate = {row['replicate']}: expected at least 0")


class Log:
    """A log open for reading and appending, held by this process alone.

    Args:
        path: the file; it is created if need be, its folder is not.

    Attributes:
        foreign: rows that belong to other settings or to another version of the package; they stay there, unused.

    Raises:
        LogError: it cannot be opened, or another process has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.foreign = 0
        self._lock = self._locked()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            self._lock.close()
            raise LogError(f"log {path}: cannot be written ({error.strerror})") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)
        self._lock.close()

    def _locked(self) -> sqlite3.Connection:
        """An exclusive lock that the operating system drops with the process, however it ends.

        SQLite knows how to lock a file on every platform; nothing is ever written to this empty database.
        """
        beside = self.path.with_name(f"{self.path.name}.lock")
        try:
            os.close(os.open(beside, os.O_RDWR | os.O_CREAT, 0o666))  # SQLite itself would not ask the umask
        except OSError as error:
            raise LogError(f"log {self.path}: cannot be locked ({beside}: {error.strerror})") from None
        try:
            lock = sqlite3.connect(beside, timeout=0.0, isolation_level=None, check_same_thread=False)
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise LogError(f"log {self.path}: another process is writing it; wait for it to end") from None
            raise LogError(f"log {self.path}: cannot be locked ({beside}: {error})") from None
        except sqlite3.DatabaseError as error:
            raise LogError(f"log {self.path}: {beside} is not its lock ({error}); remove that file") from None
        return lock

    def read(self, jobs: Mapping[str, Playable]) -> dict[str, dict[int, Any]]:
        """The finished replicates of these jobs, by key and number. A torn last line is cut off.

        Raises:
            DamagedFile: a line that is not a row of this format, with its number.
        """
        finished: dict[str, dict[int, Any]] = {key: {} for key in jobs}
        self.foreign = 0
        complete = 0
        with open(self.path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    break
                complete += len(line)
                try:
                    row = _parsed(line)
                    if number == 1:
                        self._check_head(row)
                        continue
                    _check(row)
                    if row["cell"] not in jobs:
                        self.foreign += 1
                    elif "error" not in row:
                        own = {name: value for name, value in row.items() if name not in ("cell", "name")}
                        outcome: Replicate = jobs[row["cell"]].decode(own)
                        finished[row["cell"]].setdefault(outcome.replicate, outcome)
                except DamagedFile as error:
                    raise DamagedFile(f"log {self.path}, line {number}: not a row of this log ({error})") from None
        os.ftruncate(self._file, complete)
        os.lseek(self._file, 0, os.SEEK_END)
        if complete == 0:
            self.append([{"format": FORMAT}])
        return finished

    def _check_head(self, row: Any) -> None:
        if not isinstance(row, dict) or set(row) != {"format"}:
            raise DamagedFile("expected the format")
        if row["format"] != FORMAT:
            raise DamagedFile(f"format {row['format']}, this version reads {FORMAT}")

    def append(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write rows at the end and wait until they are on the disk.

        Raises:
            LogError: they cannot be written.
        """
        data = memoryview("".join(f"{json.dumps(row, separators=(',', ':'))}\n" for row in rows).encode("utf-8"))
        try:
            while data:
                data = data[os.write(self._file, data) :]
            os.fsync(self._file)
        except OSError as error:
            raise LogError(f"log {self.path}: cannot be written ({error.strerror})") from None
