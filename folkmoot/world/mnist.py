"""MNIST: 70,000 handwritten digits in four files of the IDX format, gzip-compressed (LeCun, Cortes and Burges 1998)."""

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import DamagedFile

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
# SHA-256 of what is inside the gzip files, which are compressed differently here and there.
CONTENTS = {
    TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_MOST = 60_000 * 28 * 28 + 16  # bytes of the largest file


class Digits(NamedTuple):
    """Images, float32 [samples, 1, 28, 28] in [0, 1], and labels, int64 [samples]."""

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]


def content(path: Path) -> bytes:
    """What a gzip file holds.

    Raises:
        ValueError: it cannot be read.
        DamagedFile: it is no such file, or holds more than any file of the data set.
    """
    try:
        with gzip.open(path) as file:
            data = file.read(_MOST + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DamagedFile(f"{path}: cannot be read as a gzip file ({' '.join(str(error).split())[:120]})") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > _MOST:
        raise DamagedFile(f"{path}: holds more than {_MOST} bytes; not a file of MNIST")
    return data


def checksum(path: Path) -> str:
    """SHA-256 of what a gzip file holds.

    Raises:
        ValueError, DamagedFile: see `content`.
    """
    return hashlib.sha256(content(path)).hexdigest()


def read(folder: Path) -> Digits:
    """The data set from a folder with its four files.

    Raises:
        ValueError: a file that cannot be read.
        DamagedFile: a file that is not the one we know.
    """
    arrays = {}
    for name, expected in CONTENTS.items():
        data = content(folder / name)
        got = hashlib.sha256(data).hexdigest()
        if got != expected:
            raise DamagedFile(f"{folder / name}: its content has sha256 {got}, expected {expected}")
        axes = data[3]
        shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(axes)]
        arrays[name] = np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)
    images = {name: arrays[name][:, None].astype(np.float32) / np.float32(255) for name in (TRAIN_IMAGES, TEST_IMAGES)}
    labels = {name: arrays[name].astype(np.int64) for name in (TRAIN_LABELS, TEST_LABELS)}
    return Digits(images[TRAIN_IMAGES], labels[TRAIN_LABELS], images[TEST_IMAGES], labels[TEST_LABELS])
