"""Whole files and folders: what is written appears under its name complete, or not at all.

How it works. Everything is written under another name beside its place, and renamed when it is complete. What a crash
leaves behind begins with a dot and ends in `.part`; nothing reads it. New files and folders get the permissions that
the user's umask gives.

All functions raise `OSError` (a full disk, a folder that may not be written). `or_say` makes one line of it.
`read_plain` reads what somebody else may have put where a small file belongs.
"""

import errno
import itertools
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
_BINARY = getattr(os, "O_BINARY", 0)


@contextmanager
def or_say(what: str) -> Iterator[None]:
    """Inside, an `OSError` becomes one line about `what`, such as "folder results".

    Raises:
        ValueError: it cannot be written, and why.
    """
    try:
        yield
    except OSError as error:
        raise ValueError(f"{what}: cannot be written ({error.strerror or error})") from None


def read_plain(path: Path, most: int) -> bytes:
    """At most so many bytes of a plain file, or of one that a link leads to: of a pipe or a device there may be no end.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    handle = os.open(path, os.O_RDONLY | _BINARY | getattr(os, "O_NONBLOCK", 0))  # a pipe would keep us waiting
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no file")
    with open(handle, "rb") as file:
        return file.read(most)


def copy_plain(source: Path, target: Path, most: int) -> None:
    """A plain file of at most so many bytes under a second name, with its permissions.

    Raises:
        OSError: it cannot be read or written, is no file, or is larger.
    """
    content = read_plain(source, most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"{source.name} has more than {most} bytes")
    mode = stat.S_IMODE(source.stat().st_mode)
    handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, mode)
    with open(handle, "wb") as file:
        file.write(content)
    os.chmod(target, mode)


def write_file(path: Path, content: bytes, durable: bool = False) -> None:
    """Write a file; it takes the place of an older one in one step.

    Args:
        path: in a folder that exists.
        content: all of it.
        durable: return when the disk says that it has the bytes and the name.
    """
    part, handle = _unused(path, lambda name: os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, 0o666))
    try:
        with open(handle, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    if durable:
        settle(path.parent)


def new_file(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a new file, which is on the disk when this returns.

    Args:
        path: in a folder that exists.
        content: all of it.
        mode: its permissions, of which the umask takes away.

    Raises:
        FileExistsError: there is one of this name.
    """
    part, handle = _unused(path, lambda name: os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, mode))
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, path)
        except OSError:  # there is one, or it is a disk without second names
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, "it is there already", str(path)) from None
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    settle(path.parent)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, which is called `target` if the block ends without an error, and gone if not.

    There must be nothing of that name yet, or an empty folder. Folders above it are made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh, _ = _unused(target, os.mkdir)
    try:
        yield fresh
        if target.is_dir():
            target.rmdir()
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def move_into(target: Path, files: Sequence[Path]) -> None:
    """Move files of one disk into a new folder, which is there when it has all of them."""
    with new_folder(target) as fresh:
        for path in files:
            os.replace(path, fresh / path.name)


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A folder to fill with files, which replace those of their names in `folder` if the block ends without an error.

    All are there before the first is replaced; each is replaced in one step.
    """
    fresh, _ = _unused(folder / "new", os.mkdir)
    try:
        yield fresh
        for path in sorted(fresh.iterdir()):
            os.replace(path, folder / path.name)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def users_cache() -> Path | None:
    """The folder for what can be made or fetched again: $FOLKMOOT_CACHE, else the operating system's place for it.

    None: it is nowhere, as for a user without a home.
    """
    import platformdirs

    given = os.environ.get("FOLKMOOT_CACHE")
    if given:
        return Path(given)
    try:
        found = platformdirs.user_cache_path("folkmoot")
    except (RuntimeError, KeyError):
        return None
    return found if found.is_absolute() else None  # an older platformdirs names "~" where it is not known


def settle(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where a system can say so."""
    if hasattr(os, "O_DIRECTORY"):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def growing_beside(target: Path) -> Path:
    """The name under which a file grows until `take_place`; what a broken-off process has left there is removed.

    Raises:
        OSError: it cannot be removed.
    """
    beside = target.with_name(f".{target.name}.part")
    for left in target.parent.glob(f"{beside.name}*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    return beside


def take_place(written: Path, target: Path, endings: Sequence[str] = ("",)) -> None:
    """What has grown under another name, complete now, gets its own; an older one of that name goes.

    Args:
        written, target: where it is, and where it is to be, in one folder.
        endings: of the files and folders that belong together, in the order in which they move.

    Raises:
        OSError: one cannot be moved.
    """
    for ending in endings:
        source, place = Path(f"{written}{ending}"), Path(f"{target}{ending}")
        if source.exists():
            if place.is_dir():
                shutil.rmtree(place)
            os.replace(source, place)


def _unused(path: Path, make: Callable[[Path], T]) -> tuple[Path, T]:
    """Make something beside a path under a name that nobody has."""
    for number in itertools.count():
        part = path.with_name(f".{path.name}.{os.getpid()}-{number}.part")
        try:
            return part, make(part)
        except FileExistsError:  # another thread's, or left behind by a process of this number
            continue
    raise AssertionError("counting does not end")
