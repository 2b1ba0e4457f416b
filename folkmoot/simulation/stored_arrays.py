"""The arrays of a saved result: read without trust, and held against the types and shapes that its class names."""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import DamagedFile

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_TYPES = {"int64": np.int64, "float64": np.float64, "bool": np.bool_}
_PLAIN = "biuf"  # kinds of types that a state of an agent may have
_FORM = re.compile(r"(int64|float64|bool|any) \[([^]]*)\](?: or \[([^]]*)\])?(?: from (-?\d+))?(, may be NaN)?")


def read_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a file of NumPy's `savez`, by name.

    Raises:
        DamagedFile: it is none, or damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return {name.removesuffix(".npy"): _array(file.read(name)) for name in file.namelist()}
    except (
        zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, NotImplementedError, RuntimeError, OverflowError,
        ValueError, TypeError, SyntaxError, AttributeError, IndexError, MemoryError,
    ) as error:  # fmt: skip  # whatever damage makes of the libraries that read it
        raise DamagedFile(f"curves.npz: {' '.join(str(error).split())[:200] or type(error).__name__}") from None


def _array(data: bytes) -> NDArray[Any]:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"an array of version {version}")
    shape, in_columns, dtype = _HEADERS[version](stream)
    if dtype.kind not in _PLAIN:
        raise ValueError(f"an array of {dtype}; expected numbers, or true and false")
    if prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(f"an array of {dtype} {list(shape)} in {len(data) - stream.tell()} bytes")
    flat = np.frombuffer(data, dtype, offset=stream.tell()).copy()
    return flat.reshape(shape, order="F" if in_columns else "C")


def check(arrays: Mapping[str, NDArray[Any]], forms: Mapping[str, str]) -> None:
    """See that arrays have their forms.

    Args:
        arrays: those of one result, by name.
        forms: of each a line such as "int64 [r, n, k] from 0" or "float64 [k] or [r, k]". A letter is the same size
            wherever it stands and at least 1, another word such as "1" that size; "..." are any axes, "any" any type.
            Numbers must be finite, unless the line ends in ", may be NaN".

    Raises:
        DamagedFile: one has not.
    """
    sizes: dict[str, int] = {}
    for name, form in forms.items():
        if name in arrays:
            found = _FORM.fullmatch(form)
            assert found is not None, f"{name}: {form!r} is no form"
            kind, one, other, low, loose = found.groups()
            shapes = [one] if other is None else [one, other]
            array = arrays[name]
            if (kind != "any" and array.dtype != _TYPES[kind]) or not any(_fits(array, s, sizes) for s in shapes):
                raise DamagedFile(f"{name}: {array.dtype} {list(array.shape)}: expected {form}, with {sizes}")
            if low is not None and (array < int(low)).any():
                raise DamagedFile(f"{name}: {array.min()}: expected numbers of at least {low}")
            if loose is None and array.dtype.kind == "f" and not np.isfinite(array).all():
                raise DamagedFile(f"{name}: expected finite numbers")


def _fits(array: NDArray[Any], axes: str, sizes: dict[str, int]) -> bool:
    """Has it these axes? Letters that are new take the sizes it has."""
    words = [word for word in axes.split(", ") if word]
    if words[-1:] == ["..."]:
        words = words[:-1]
        if array.ndim < len(words):
            return False
    elif array.ndim != len(words):
        return False
    own = dict(sizes)
    for word, size in zip(words, array.shape):
        wanted = int(word) if word.isdigit() else own.setdefault(word, max(size, 1))
        if wanted != size:
            return False
    sizes.update(own)
    return True
