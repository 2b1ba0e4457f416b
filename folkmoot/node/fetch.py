"""Data sets fetched into the user's cache, checked before they are there. `world.datasets` says where they are read."""

import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

from folkmoot.files import new_folder, or_say
from folkmoot.world.datasets import cached, entry, wrong_file


def fetch(name: str) -> Path:
    """Download a data set into the user's cache, check it, and return its folder.

    The folder appears whole or not at all. What is there already and right is not downloaded again.

    Raises:
        ValueError: no such data set, no connection, a wrong checksum, a cache that cannot be written, or
            other files in its place.
    """
    entry(name)
    target = cached(name)
    if target.is_dir() and any(target.iterdir()):
        wrong = wrong_file(name, target)
        if wrong is not None:
            raise ValueError(f"data set {name}: {target} holds other files ({wrong}); remove that folder to fetch anew")
        return target
    with or_say(f"data set {name}: {target}"), new_folder(target) as fresh:
        if entry(name).inside is None:
            _download_files(name, fresh)
        else:
            with TemporaryDirectory(prefix="folkmoot-") as elsewhere:
                _unpack(name, _download(name, Path(elsewhere)), fresh)
        _check_fresh(name, fresh)
    return target


def _by_hand(name: str) -> str:
    return f"put {' and '.join(entry(name).files)} of it into {cached(name)} by hand"


def _download(name: str, folder: Path) -> Path:
    """The archive, unchecked (its publisher states no SHA-256): what is in it is checked."""
    return _retrieved(name, entry(name).url, folder, "archive.zip")


def _download_files(name: str, folder: Path) -> None:
    for file in entry(name).files:
        _retrieved(name, f"{entry(name).url}/{file}", folder, file)


def _retrieved(name: str, url: str, folder: Path, file: str) -> Path:
    import pooch  # type: ignore[import-untyped]

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # else it advises to note the checksum of the archive
    try:
        return Path(pooch.retrieve(url, known_hash=None, fname=file, path=folder))
    except (OSError, ValueError) as error:  # every error of requests is an OSError
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        raise ValueError(f"data set {name}: {url} cannot be downloaded ({reason}); {_by_hand(name)}") from None
    finally:
        logger.setLevel(level)


def _unpack(name: str, archive: Path, folder: Path) -> None:
    known, found = entry(name), dict[str, bytes]()
    try:
        with zipfile.ZipFile(archive) as members:
            there = set(members.namelist())
            for file in (*known.files, *known.extras):
                if f"{known.inside}/{file}" in there:
                    found[file] = members.read(f"{known.inside}/{file}")
    except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"data set {name}: {known.url} is no zip archive to unpack ({error}); {_by_hand(name)}"
        ) from None
    for file, content in found.items():
        (folder / file).write_bytes(content)


def _check_fresh(name: str, folder: Path) -> None:
    wrong = wrong_file(name, folder)
    if wrong is not None:
        raise ValueError(
            f"data set {name}: {entry(name).url}: {wrong}; nothing was kept. Its publisher says that the data set may "
            f"change over time: if you trust the new one, {_by_hand(name)}"
        )
