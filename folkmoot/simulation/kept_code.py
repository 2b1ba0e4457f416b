"""Compiled code on disk: what numba would keep, one file for each signature, and never in the way.

Numba keeps a function's machine code itself, but trusts what it finds: a file that was cut ends every later run, and
a folder that can only be read is not used. It also numbers the files of a function in an index: of two processes that
compile at the same time one may give its file the number of the other, and code of another signature is run. Here a
file is named after its signature, holds it, and ends with the SHA-256 of what stands before. What is damaged, or was
written by somebody who is neither this user nor root, is compiled anew; what cannot be written is not kept. Either is
said once. A folder that can only be read, as one that was filled in an image, is read.
"""

import hashlib
import os
import warnings
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.serialize import dumps, loads

from folkmoot.errors import DamagedFile
from folkmoot.files import write_file

_DIGEST_BYTES = 32
_said: set[str] = set()


def keep(dispatcher: Any, folder: Path) -> None:
    """Let numba keep in this folder what it compiles of a function, and look there first."""
    dispatcher._cache = _Kept(dispatcher.py_func, folder)


class _Damaged(DamagedFile):
    """A file is not what was written."""


class _Place(_CacheLocator):
    """Where the files are. The folder is named after the sources, so that no time stamp is needed."""

    def __init__(self, function: Any, folder: Path) -> None:
        self._py_file, self._folder = function.__code__.co_filename, folder

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return f"{numba.__version__} {llvmlite.__version__}"

    def get_disambiguator(self) -> str:
        return ""

    def ensure_cache_path(self) -> None:
        """It was made by who asked for it; a failed write says what is wrong with it."""


class _Result(CompileResultCacheImpl):
    def __init__(self, function: Any, folder: Path) -> None:
        self._lineno = function.__code__.co_firstlineno
        self._locator = _Place(function, folder)
        self._filename_base = self.get_filename_base(f"{function.__module__}.{function.__qualname__}", "")


class _Files:
    """The code of a function for each signature: numba's key, of types, machine and text."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name

    def _path(self, key: Any) -> Path:
        told = repr((numba.__version__, llvmlite.__version__, key))
        return self._folder / f"{self._name}-{hashlib.sha256(told.encode()).hexdigest()[:32]}.nbc"

    def load(self, key: Any) -> Any:
        """The code of a signature; None: it is not kept. In numba's own format, and of this user or root alone."""
        try:
            kept, data = loads(_checked(self._path(key)))
        except FileNotFoundError:
            return None
        return data if kept == key else None

    def save(self, key: Any, data: Any) -> None:
        """Keep it in the place of what was there."""
        body = dumps((key, data))
        write_file(self._path(key), body + hashlib.sha256(body).digest())


class _Kept(FunctionCache):
    def __init__(self, function: Any, folder: Path) -> None:
        self._name, self._py_func, self._cache_path = repr(function), function, str(folder)
        self._impl = _Result(function, folder)
        self._cache_file: Any = _Files(folder, self._impl.filename_base)
        self.enable()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """None: nothing that can be used is kept."""
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:
            _say("cannot be read", Path(self._cache_path), error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep it, if it can be kept."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _say("cannot be written", Path(self._cache_path), error)


def _checked(path: Path) -> bytes:
    """What was written to a file.

    Raises:
        OSError: it cannot be read.
        _Damaged: it is something else, or somebody else wrote it.
    """
    with path.open("rb") as file:
        if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid not in (0, os.getuid()):
            raise _Damaged("another user wrote it")
        content = file.read()
    body, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        raise _Damaged("it is damaged")
    return body


def _say(what: str, path: Path, error: Exception) -> None:
    if what not in _said:
        _said.add(what)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        warnings.warn(f"compiled code in {path} {what}, and is compiled anew: {reason}", stacklevel=2)
