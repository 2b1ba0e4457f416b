"""The log of a sweep: one line of JSON for each finished replicate, only ever appended to.

The file survives a killed process: what is complete counts, a torn last line is cut off. One process
at a time writes it.
"""

import base64
import binascii
import json
import os
import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from folkmoot.simulation.replicates import Job, Outcome

FORMAT = 2
_ROW = {"cell", "name", "replicate", "team_pulls", "pulls", "messages", "bytes", "seconds"}
_ROW |= {"verified", "spent", "decisions", "decided_at"}
_ERROR = {"cell", "name", "error"}


class LogError(ValueError):
    """The log cannot be read or written, or another process is writing it."""


def encode(key: str, name: str, outcome: Outcome) -> dict[str, Any]:
    """A finished replicate as a row; the pulls are little-endian 64-bit integers, deflated, in base 64."""
    packed = zlib.compress(np.ascontiguousarray(outcome.pulls, "<i8").tobytes())
    return {
        "cell": key,
        "name": name,
        "replicate": int(outcome.replicate),
        "team_pulls": outcome.team_pulls.tolist(),
        "pulls": base64.b64encode(packed).decode("ascii"),
        "messages": int(outcome.messages),
        "bytes": int(outcome.bytes),
        "seconds": float(outcome.seconds),
        "verified": int(outcome.verified),
        "spent": [float(x) for x in outcome.spent],
        "decisions": outcome.decisions.tolist(),
        "decided_at": outcome.decided_at.tolist(),
    }


def decode(row: dict[str, Any], job: Job) -> Outcome:
    """A row as the replicate of this job that it was.

    Raises:
        ValueError: it is not one; also when its counts do not add up.
    """
    n, k = job.rewards.n_agents, job.rewards.n_arms
    try:
        data = zlib.decompress(base64.b64decode(row["pulls"], validate=True))
        pulls = np.frombuffer(data, "<i8").astype(np.int64).reshape(n, k)
        team = np.array(row["team_pulls"])
        spent = np.array(row["spent"], np.float64)
        decisions, decided_at = np.array(row["decisions"]), np.array(row["decided_at"])
    except (TypeError, ValueError, binascii.Error, zlib.error) as error:
        raise ValueError(f"unreadable numbers: {error}") from None
    if team.shape != (len(job.checkpoints), k) or team.dtype != np.int64:
        raise ValueError("team_pulls: expected whole numbers [checkpoints, n_arms]")
    if (team.sum(axis=1) != n * job.checkpoints).any() or (pulls.sum(axis=0) != team[-1]).any():
        raise ValueError("the pulls do not add up")
    if spent.shape != (k,) or not (spent >= 0.0).all():
        raise ValueError("spent: expected numbers of at least 0 [n_arms]")
    for name, value, low, high in (("decisions", decisions, -1, k - 1), ("decided_at", decided_at, 0, job.horizon)):
        if value.shape != (n,) or value.dtype != np.int64 or (value < low).any() or (value > high).any():
            raise ValueError(f"{name}: expected whole numbers [n_agents] from {low} to {high}")
    counts = (row["messages"], row["bytes"], row["seconds"], row["verified"])
    return Outcome(row["replicate"], pulls, team, *counts, spent, decisions, decided_at)


def _check(row: Any) -> None:
    """Raise ValueError unless this is a row of a replicate or an error."""
    if not isinstance(row, dict) or set(row) not in (_ROW, _ERROR):
        raise ValueError(f"expected the fields {', '.join(sorted(_ROW))}")
    kinds = {"cell": str, "name": str, "replicate": int, "messages": int, "bytes": int, "seconds": float, "error": str}
    kinds |= {"verified": int}
    for name, kind in kinds.items():
        if name in row and type(row[name]) is not kind:
            raise ValueError(f"{name} = {row[name]!r}: expected {kind.__name__}")
    if row.get("replicate", 0) < 0:
        raise ValueError(f"replicate = {row['replicate']}: expected at least 0")


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
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
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
            lock = sqlite3.connect(beside, timeout=0.0, isolation_level=None, check_same_thread=False)
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise LogError(f"log {self.path}: another process is writing it; wait for it to end") from None
            raise LogError(f"log {self.path}: cannot be locked ({beside}: {error})") from None
        except sqlite3.DatabaseError as error:
            raise LogError(f"log {self.path}: {beside} is not its lock ({error}); remove that file") from None
        return lock

    def read(self, jobs: dict[str, Job]) -> dict[str, dict[int, Outcome]]:
        """The finished replicates of these jobs, by key and number. A torn last line is cut off.

        Raises:
            LogError: a line that is not a row of this format, with its number.
        """
        finished: dict[str, dict[int, Outcome]] = {key: {} for key in jobs}
        self.foreign = 0
        complete = 0
        with open(self.path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    break
                complete += len(line)
                try:
                    row = json.loads(line.decode("utf-8"))
                    if number == 1:
                        self._check_head(row)
                        continue
                    _check(row)
                    if row["cell"] not in jobs:
                        self.foreign += 1
                    elif "error" not in row:
                        outcome = decode(row, jobs[row["cell"]])
                        finished[row["cell"]].setdefault(outcome.replicate, outcome)
                except ValueError as error:
                    raise LogError(f"log {self.path}, line {number}: not a row of this log ({error})") from None
        os.ftruncate(self._file, complete)
        os.lseek(self._file, 0, os.SEEK_END)
        if complete == 0:
            self.append([{"format": FORMAT}])
        return finished

    def _check_head(self, row: Any) -> None:
        if not isinstance(row, dict) or set(row) != {"format"}:
            raise ValueError("expected the format")
        if row["format"] != FORMAT:
            raise ValueError(f"format {row['format']}, this version reads {FORMAT}")

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
