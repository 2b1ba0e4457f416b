"""Data sets: where they are found, how they are checked, how they become rewards. `folkmoot.node.fetch` fetches them.

A data set is looked for in this order:

1. in the folder $FOLKMOOT_DATA: its subfolder of that name, then the folder itself;
2. in the user's cache ($FOLKMOOT_CACHE, else the operating system's place for it), below data/;
3. in the package, which ships an excerpt that is enough for the default options.

What is found first counts: if it is incomplete or corrupt that is an error, and nothing further is tried.

    python -m folkmoot.world.datasets FOLDER    writes the MovieLens excerpt anew from the full data in FOLDER
"""

import hashlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from folkmoot.doors import is_whole
from folkmoot.errors import DamagedFile, brief
from folkmoot.files import users_cache, write_file
from folkmoot.registry import moved
from folkmoot.world import mnist
from folkmoot.world import movielens as ml
from folkmoot.world.replay import Replay


@dataclass(frozen=True)
class Dataset:
    """What is known of a data set.

    Attributes:
        url: the zip archive it is published in, or a folder on the web with its files.
        inside: folder of that archive which holds the files; None: there is no archive.
        files: SHA-256 of each file that is needed.
        extras: files to keep beside them if the archive has them, such as the licence.
        build: makes the rewards; its keyword arguments are the options. None: it is not one for bandits.
        checksum: SHA-256 of a file as it is meant here, for example of what it holds unpacked.
        excerpt: file in the package that serves the default options, or None.
    """

    url: str
    inside: str | None
    files: Mapping[str, str]
    extras: tuple[str, ...] = ()
    build: Callable[..., Replay] | None = None
    excerpt: Path | None = None
    checksum: Callable[[Path], str] = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()


def movielens(users: int = 20, genres: int = 5) -> Replay:
    """MovieLens (ml-latest-small): the most active users as agents, the most rated genres as arms.

    A pull draws one of the user's own ratings in the genre, scaled to [0, 1]; `folkmoot.world.movielens`
    says exactly how users, genres and rewards are chosen. Without the full data, users=20 and genres=5
    are served from the excerpt in the package, with the same rewards to the last bit. The data are for
    research; their terms of use are in `folkmoot/world/data/movielens-LICENCE.txt`.

    Args:
        users: number of agents, at least 1.
        genres: number of arms, at least 1.

    Returns:
        Rewards with `dataset` "movielens" and the genres as `arm_names`.

    Raises:
        ValueError: an argument out of range, data that are not found or incomplete, or a chosen user who
            never rated a movie of a chosen genre.
        DamagedFile: a file that is not as it should be.
    """
    for name, value in (("users", users), ("genres", genres)):
        if not is_whole(value) or value < 1:
            raise ValueError(f"{name} = {brief(value)}: expected an integer of at least 1")
    folder = _find("movielens")
    if folder is not None:
        return ml.replay(ml.select(folder, int(users), int(genres)))
    if (users, genres) == ml.EXCERPT_SHAPE:
        return ml.replay(ml.shipped())
    ours = "users = {}, genres = {}".format(*ml.EXCERPT_SHAPE)
    raise ValueError(
        f"movielens with users = {users}, genres = {genres}: the package ships {ours} only; {_how_to_get('movielens')}"
    )


DATASETS: dict[str, Dataset] = {
    "movielens": Dataset(
        url="https://files.grouplens.org/datasets/movielens/ml-latest-small.zip",
        inside="ml-latest-small",
        files={
            ml.RATINGS: "80da8b3393dae325bbba5a31f291a6ba55d8d4f4396de3c456f2c1635b1b70e8",
            ml.MOVIES: "c47b783f23eb304413307e1bb05335e427737da20ec8d3c0e96335567dd5f3dc",
        },
        extras=("README.txt",),
        build=movielens,
        excerpt=ml.EXCERPT,
    ),
    "mnist": Dataset(
        url="https://ossci-datasets.s3.amazonaws.com/mnist",
        inside=None,
        files=mnist.CONTENTS,
        checksum=mnist.checksum,
    ),
}


def load_mnist() -> mnist.Digits:
    """MNIST, from where `where("mnist")` finds it.

    Raises:
        ValueError: it is not found (the message says where to put it) or incomplete.
        DamagedFile: a file of it is not the one we know.
    """
    return mnist.read(where("mnist"))


def entry(name: str) -> Dataset:
    """What is known of a data set.

    Raises:
        ValueError: no such data set.
    """
    if name not in DATASETS:
        raise ValueError(f"data set {brief(name)}: unknown; allowed are {', '.join(DATASETS)}")
    return DATASETS[name]


def cached(name: str) -> Path:
    """Where a fetched data set is kept, whether it is there or not.

    Raises:
        ValueError: the user has no home.
    """
    found = users_cache()
    if found is None:
        raise ValueError("data sets: this user has no home; set FOLKMOOT_CACHE to a folder for them")
    return found / "data" / name


def _how_to_get(name: str) -> str:
    files = " and ".join(entry(name).files)
    place = "the folder that FOLKMOOT_DATA names" if users_cache() is None else cached(name)
    return f"run 'folkmoot data fetch {name}', or put {files} of {entry(name).url} into {place}"


def _find(name: str) -> Path | None:
    """The first folder with a file of the data set, or None.

    Raises:
        ValueError: $FOLKMOOT_DATA is no folder, or only some of the files are there.
    """
    places = [] if users_cache() is None else [cached(name)]
    given = os.environ.get("FOLKMOOT_DATA")
    if given:
        if not Path(given).is_dir():
            raise ValueError(f"FOLKMOOT_DATA = {brief(given)}: expected a folder")
        places = [Path(given) / name, Path(given), *places]
    files = entry(name).files
    for folder in places:
        try:
            missing = [file for file in files if not (folder / file).exists()]
        except OSError as error:
            raise ValueError(f"data set {name}: {folder} cannot be read ({error.strerror})") from None
        if not missing:
            return folder
        if len(missing) < len(files):
            raise ValueError(f"{folder}: {' and '.join(missing)} is missing; expected {' and '.join(files)}")
    return None


def where(name: str) -> Path:
    """The folder a data set is read from; if it is found nowhere, the excerpt in the package.

    Raises:
        ValueError: no such data set, an incomplete one, or none found and none shipped.
    """
    found = _find(name) or entry(name).excerpt
    if found is None:
        raise ValueError(f"data set {name}: not found; {_how_to_get(name)}")
    return found


def load(name: str, **options: Any) -> Replay:
    """The rewards made from a data set.

    Args:
        name: one of DATASETS.
        options: keyword arguments of its function, such as users=20, genres=5 for movielens.

    Raises:
        ValueError: no such data set or option.
        ValueError, DamagedFile: see that function.
    """
    with_rewards = [known for known, entry in DATASETS.items() if entry.build is not None]
    if name not in DATASETS:
        raise ValueError(f"data set {brief(name)}: unknown; allowed are {', '.join(with_rewards)}")
    build = DATASETS[name].build
    if build is None:
        raise ValueError(f"data set {name}: it has no rewards for bandits")
    allowed = list(inspect.signature(build).parameters)
    for option in options:
        if option not in allowed:
            raise ValueError(f"data set {name}: option {brief(option)}: unknown; allowed are {', '.join(allowed)}")
    return build(**options)


def wrong_file(name: str, folder: Path) -> str | None:
    """The first file that is not the one we know, with both checksums; None if all are right."""
    for file, expected in entry(name).files.items():
        if not (folder / file).is_file():
            return f"{file} is missing"
        try:
            got = entry(name).checksum(folder / file)
        except (OSError, DamagedFile, ValueError) as error:
            return str(error)
        if got != expected:
            return f"{file} has sha256 {got}, expected {expected}"
    return None


def __getattr__(name: str) -> object:
    return moved(__name__, name)


def main(arguments: list[str]) -> None:
    """Write the MovieLens excerpt of the package anew: the one argument is the folder of the full data.

    Raises:
        SystemExit: other arguments, or data that are missing or corrupt.
    """
    if len(arguments) != 1:
        sys.exit("usage: python -m folkmoot.world.datasets FOLDER")
    try:
        text = ml.excerpt(Path(arguments[0]))
    except (ValueError, DamagedFile) as problem:
        sys.exit(f"error: {problem}")
    write_file(ml.EXCERPT, text.encode())
    print(f"written: {ml.EXCERPT}")


if __name__ == "__main__":
    main(sys.argv[1:])
