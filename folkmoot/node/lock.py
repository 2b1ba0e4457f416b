"""One process on one data folder: a second one is refused while the first one runs.

The lock is the operating system's, on an open file. It is gone with the process, however that ends, so a lock that was
left behind does not exist.
"""

import fcntl
import os
from pathlib import Path

LOCK = "lock"


class InUse(ValueError):
    """Another process works on this folder."""


class Lock:
    """Held from the moment it is made until it is closed.

    Raises:
        InUse: another process holds it.
        OSError: the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip()
            os.close(self._file)
            by = f" by process {holder}" if holder.isdigit() else ""
            raise InUse(f"{folder}: is in use{by}; two processes on one folder would sign two things") from None
        os.truncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode("ascii"), 0)

    def close(self) -> None:
        """Let go."""
        os.close(self._file)
