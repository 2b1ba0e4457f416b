"""Where a ledger is: the file behind a name, and whether it is still the file it was.

What was stored last and what a chain refers to is found by the name of the file. So a link is followed to its end
before anything is opened, and what is said names both ends. A file with a second name of its own (a hard link) is
refused: a writer that uses that name keeps what it stored last beside it, where nobody looks who uses this one.
"""

import errno
import os
import stat
from pathlib import Path, PurePath
from typing import NamedTuple
from urllib.parse import quote

from folkmoot.errors import DamagedFile

MOST_PATH = 500  # bytes; SQLite takes 504
MOST_NAME = 255 - len(".contents")  # bytes; what lies beside has a longer name
WAL = "-wal"  # the ending of the second file, SQLite's write-ahead log


class UnreadableLedger(DamagedFile):
    """Not a ledger file that this library reads."""


class NotStored(OSError):
    """A block that could not be written; what was stored before is as it was."""


class Place(NamedTuple):
    """The name that was given, the file behind it, both absolute, and what it is called in messages."""

    given: Path
    real: Path
    name: str


class Identity(NamedTuple):
    """Two files are the same if these are."""

    device: int
    number: int


def printable(text: object) -> str:
    """In one line, as a terminal may be given it, whatever a name is made of."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def plain(text: object) -> str:
    """One line that a terminal may be given, whatever a file or another party put into the text."""
    return printable(" ".join(str(text).split()))[:300] or type(text).__name__


def place_of(path: Path) -> Place:
    """The file behind a name; where a link leads nowhere, the end that it names."""
    given = path.absolute()
    real = Path(os.path.realpath(given))
    linked = os.path.islink(given) and not os.path.islink(real)  # one in a circle leads to no file that has a name
    return Place(given, real, f"{printable(path)} (a link to {printable(real)})" if linked else printable(path))


def check_file(place: Place) -> None:
    """Is there an ordinary file, and only one name to it?

    Raises:
        UnreadableLedger: no, and what there is.
    """
    name = place.name
    if len(os.fsencode(place.real)) > MOST_PATH:
        raise UnreadableLedger(f"{name}: a path of more than {MOST_PATH} bytes, which SQLite does not open")
    try:
        status = os.stat(place.given)
    except OSError as error:
        if os.path.islink(place.given):
            why = "in a circle" if error.errno == errno.ELOOP else "to no file that can be opened"
            raise UnreadableLedger(f"{name}: a link that leads {why}: {error.strerror}") from None
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise UnreadableLedger(f"{name}: no such file") from None
        raise UnreadableLedger(f"{name}: cannot be opened: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableLedger(f"{name}: expected a file")
    if status.st_nlink > 1:
        raise UnreadableLedger(
            f"{name}: has {status.st_nlink} names (hard links), and a writer that uses another one keeps its last "
            "blocks beside that: copy the file, with what lies beside it"
        )
    try:
        if not stat.S_ISREG(os.lstat(f"{place.real}{WAL}").st_mode):
            raise UnreadableLedger(f"{name}: beside it, {printable(place.real.name)}{WAL} is not an ordinary file")
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UnreadableLedger(f"{name}: what lies beside it cannot be seen: {error.strerror}") from None


def check_new(path: Path) -> None:
    """May a new ledger have this name?

    Raises:
        ValueError: it is too long.
    """
    whole, name = len(os.fsencode(path.absolute())), len(os.fsencode(path.name))
    if name > MOST_NAME or whole > MOST_PATH:
        raise ValueError(
            f"ledger = {str(path)!r:.80}: a name of {name} bytes in a path of {whole}: "
            f"at most {MOST_NAME} and {MOST_PATH} are allowed"
        )


def identity(path: str | os.PathLike[str]) -> Identity | None:
    """Of the file that has this name now, links followed; None: there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return Identity(status.st_dev, status.st_ino)


def written_to(path: Path) -> bool:
    """Is somebody writing, or was a writer cut off? Then what was stored last is in a second file beside."""
    try:
        return os.path.getsize(f"{path}{WAL}") > 0
    except OSError:
        return False


def stamp(path: Path) -> tuple[int, ...]:
    """Changes when the file does."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, written_to(path)


def address(path: PurePath, mode: str) -> str:
    """As SQLite's URI, whose parts mean something else: every byte but letters, digits, "/", ":" and "." is escaped.

    A path of Windows with a server in it has no host in the URI, but four strokes at its beginning.
    """
    text = path.as_posix()
    start = "file:///" if path.drive and not text.startswith("//") else "file://"
    return f"{start}{quote(os.fsencode(text) if isinstance(path, Path) else text, safe='/:')}?{mode}"
