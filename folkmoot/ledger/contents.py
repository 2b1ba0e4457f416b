"""What a chain refers to and does not hold: byte strings beside it, each named by its digest.

A record holds 32 bytes, the name; whoever replays the chain gets the bytes from a store and believes it nothing:
what does not hash to its name is refused. The contents of the ledger file FILE are in the folder `FILE.contents`.
"""

import os
import stat
from pathlib import Path
from typing import Protocol

from folkmoot.encoding import digest
from folkmoot.errors import require
from folkmoot.files import settle, write_file
from folkmoot.ledger.errors import RefusedRecord
from folkmoot.ledger.place import NotStored, place_of, printable

CONTENTS = "contents"  # the domain of their names
MOST_CONTENT = 1 << 28  # bytes of one
ENDING = ".contents"  # of the folder beside a ledger file


class MissingContent(RefusedRecord):
    """A record names bytes that are not in the store, or cannot be read from it."""


class TamperedContent(RefusedRecord):
    """What the store has under a name does not hash to it, or is no file."""


class Contents(Protocol):
    """A store of byte strings, each of at most 2**28 bytes."""

    def get(self, name: bytes) -> bytes:
        """The bytes with this name.

        Raises:
            MissingContent: there are none.
            TamperedContent: there are others.
        """

    def put(self, data: bytes) -> bytes:
        """Store bytes, if they are not there yet; their name.

        Raises:
            ValueError: too many.
            NotStored: they could not be written.
        """


def name_of(data: bytes) -> bytes:
    """32 bytes: what a chain calls these bytes."""
    require("data", data, bytes)
    return digest(CONTENTS, data)


class MemoryContents:
    """A store that lasts as long as the process."""

    def __init__(self) -> None:
        self._data: dict[bytes, bytes] = {}

    def get(self, name: bytes) -> bytes:
        """See `Contents`."""
        if name not in self._data:
            raise MissingContent(f"content {name.hex()} is missing")
        return _checked(name, self._data[name])

    def put(self, data: bytes) -> bytes:
        """See `Contents`."""
        name = _new_name(data)
        self._data[name] = data
        return name


class Lent:
    """Another store, and on top of it what is needed for a while only: what is put here stays out of the other.

    Args:
        below: read, never written to.
        more: byte strings to begin with.
    """

    def __init__(self, below: Contents, *more: bytes) -> None:
        self._below, self._more = below, MemoryContents()
        self._names = {self._more.put(data) for data in more}

    def get(self, name: bytes) -> bytes:
        """See `Contents`."""
        return self._more.get(name) if name in self._names else self._below.get(name)

    def put(self, data: bytes) -> bytes:
        """See `Contents`; it is there as long as this object."""
        name = self._more.put(data)
        self._names.add(name)
        return name


class FolderContents:
    """A store in a folder: the bytes whose name is abcdef... are in the file `ab/cdef...`, all in hexadecimal.

    Once `put` returns, the bytes are on the disk. Links are not followed below the folder, and nothing is made
    before the first `put`. A write that was cut off leaves a file that ends in `.part`, which is never read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        require("path", path, (str, os.PathLike))
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"FolderContents({str(self.path)!r})"

    def _file(self, name: bytes) -> Path:
        text = name.hex()
        return self.path / text[:2] / text[2:]

    def get(self, name: bytes) -> bytes:
        """See `Contents`."""
        if type(name) is not bytes or len(name) != 32:
            raise MissingContent(f"content {name!r:.80}: names have 32 bytes")
        file = self._file(name)
        try:
            if not stat.S_ISDIR(os.lstat(file.parent).st_mode) or not stat.S_ISREG(os.lstat(file).st_mode):
                raise TamperedContent(f"content {name.hex()} is not an ordinary file in a folder")
            flags = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
            with open(os.open(file, flags), "rb") as opened:
                size = os.fstat(opened.fileno()).st_size
                if size > MOST_CONTENT:
                    raise TamperedContent(f"content {name.hex()} has {size} bytes, at most {MOST_CONTENT} are allowed")
                data = opened.read(MOST_CONTENT + 1)
        except FileNotFoundError:
            raise MissingContent(f"content {name.hex()} is missing{self._why()}") from None
        except OSError as error:
            raise MissingContent(f"content {name.hex()} cannot be read: {error.strerror}") from None
        return _checked(name, data)

    def _why(self) -> str:
        """If there is no folder at all, that is the reason, and most likely it was not moved with its ledger."""
        if self.path.is_dir():
            return ""
        what = "a link that leads nowhere" if self.path.is_symlink() else "no folder"
        return f": {printable(self.path.name)} is {what}"

    def put(self, data: bytes) -> bytes:
        """See `Contents`."""
        name = _new_name(data)
        try:
            self.get(name)
            return name
        except (MissingContent, TamperedContent):
            pass  # to be written, or to be put right
        file = self._file(name)
        try:
            new = not file.parent.exists()
            file.parent.mkdir(parents=True, exist_ok=True)
            if not stat.S_ISDIR(os.lstat(file.parent).st_mode):
                raise NotStored(f"{file.parent}: expected a folder")
            write_file(file, data, durable=True)
            for folder in (self.path, self.path.parent) if new else ():
                settle(folder)
        except NotStored:
            raise
        except OSError as error:
            raise NotStored(f"{file}: content is not stored: {error.strerror}") from None
        return name


class _Nothing:
    """A store without anything, for chains that refer to nothing."""

    def get(self, name: bytes) -> bytes:
        raise MissingContent(f"content {name.hex()} is missing: this chain was begun without a store")

    def put(self, data: bytes) -> bytes:
        raise NotStored("content is not stored: this chain was begun without a store")


NOTHING: Contents = _Nothing()


def beside(path: str | os.PathLike[str]) -> FolderContents:
    """The contents of a ledger file: they are beside the file itself, where a link to it leads."""
    require("path", path, (str, os.PathLike))
    return FolderContents(f"{place_of(Path(path)).real}{ENDING}")


def _new_name(data: bytes) -> bytes:
    if type(data) is not bytes or len(data) > MOST_CONTENT:
        what = f"{len(data)} bytes" if type(data) is bytes else type(data).__name__
        raise ValueError(f"content of {what}: expected at most {MOST_CONTENT} bytes")
    return name_of(data)


def _checked(name: bytes, data: bytes) -> bytes:
    if name_of(data) != name:
        raise TamperedContent(f"content {name.hex()} has been changed: what is stored hashes to {name_of(data).hex()}")
    return data
