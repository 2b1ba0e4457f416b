"""The compiled loop, cached on disk so that the second process starts at once.

Numba's cache looks only at the file of the outermost function, so an edited helper elsewhere would go
unnoticed. The cache directory is therefore named after a digest of every source file of the package.
An algorithm defined outside the package is compiled anew in each process, never cached.

Numba is loaded here and nowhere else, when something is first compiled: it costs a quarter of a second and half of the
memory of a small process, and an agent that runs on its own never needs it. What kernels exist stands in the
record that `folkmoot.interface` keeps; `compiler` hands it over, and what is defined later as it comes.
"""

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from folkmoot.errors import brief
from folkmoot.files import users_cache
from folkmoot.interface import Recorded, implementation, tell
from folkmoot.own_code import is_ours
from folkmoot.simulation import crew, engine
from folkmoot.simulation.uncompiled import named

PACKAGE = Path(__file__).resolve().parent.parent
_KEEP_SECONDS = 30 * 86_400  # compiled code of older sources is removed after so long
# Compiled code alone calls kernels. They need no way in from Python or C, which would take a quarter of the compiling.
_CALLED_BY_COMPILED: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_NAMES: dict[str, type] = {}  # the record types that have been told apart
_TEACHING = threading.RLock()  # threads that run replicates ask for their loops at the same time


def compiler() -> Any:
    """Numba, told of every kernel, generic function and record type there is and of those still to come."""
    with _TEACHING:
        return _taught()


@cache
def _taught() -> Any:
    import numba

    tell(_teach)
    _teach_locks()
    return numba


def _await_compiling() -> None:
    """Before the process is copied: a copy has one thread only, and would wait for ever for another that compiles."""
    _TEACHING.acquire()
    if _taught.cache_info().currsize:
        _taught().core.compiler_lock.global_compiler_lock.acquire()


def _let_compile() -> None:
    """After it, in both."""
    if _taught.cache_info().currsize:
        _taught().core.compiler_lock.global_compiler_lock.release()
    _TEACHING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_await_compiling, after_in_parent=_let_compile, after_in_child=_let_compile)


def _teach_locks() -> None:
    from numba import extending, types

    numba: Any = extending
    kinds: Any = types
    named = kinds.ExternalFunction  # the linker finds the name in this process, also for code from the disk
    wait = named(crew.TAKE, kinds.int32(kinds.intp, kinds.int32))
    give = named(crew.LET_GO, kinds.void(kinds.intp))
    numba.overload(crew.take, jit_options=_CALLED_BY_COMPILED)(lambda lock: lambda lock: wait(lock, 1))
    numba.overload(crew.let_go, jit_options=_CALLED_BY_COMPILED)(lambda lock: lambda lock: give(lock))


def _teach(recorded: Recorded) -> None:
    from numba.extending import overload, register_jitable

    if recorded.what == "kernel":
        register_jitable(**_CALLED_BY_COMPILED)(recorded.subject)
    elif recorded.what == "inlined":
        # Merged by LLVM. Never `inline=`: numba's own inlining of these loops gave wrong results (docs/decisions/0002).
        register_jitable(forceinline=True, **_CALLED_BY_COMPILED)(recorded.subject)
    elif recorded.what == "record":
        _name_apart(recorded.subject)
    else:
        name = recorded.subject.__name__
        merged: Any = {"forceinline": True, **_CALLED_BY_COMPILED}

        @overload(recorded.subject, strict=False, jit_options=merged)
        def pick(*args: Any) -> Callable[..., Any]:
            return implementation(args[0].instance_class, name)


def _name_apart(record: type) -> None:
    """Give a record type a `__name__` of its own, once.

    Numba's dispatcher tells record types apart by `__name__` and field types alone: with two algorithms
    whose `Params` happen to have the same fields it would run the one for the other.
    """
    if _NAMES.get(record.__name__) is record:
        return
    name = f"{record.__module__}.{record.__qualname__}".replace(".", "_")
    while name in _NAMES:  # defined again under the same name, as notebooks do
        name += "_"
    record.__name__ = name
    _NAMES[name] = record


@cache
def source_digest() -> str:
    """SHA-256 (16 hex digits) of the package's Python sources, names and contents."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path | None:
    """Where compiled code of these sources is kept (below $FOLKMOOT_CACHE if set); None if there is no such folder."""
    cache = users_cache()
    if cache is None:
        return None
    root = cache / "kernels"
    folder = root / source_digest()
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
            _remove_old(root, folder)
    except OSError:
        return None
    return folder


def _remove_old(root: Path, folder: Path) -> None:
    for old in root.iterdir():
        if old != folder and old.is_dir() and time.time() - old.stat().st_mtime > _KEEP_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _compiled(text: Callable[..., Any], folder: Path | None, options: dict[str, Any]) -> Callable[..., Any]:
    dispatcher: Callable[..., Any] = compiler().njit(**options)(text)
    if hasattr(dispatcher, "py_func"):  # not where numba is told to compile nothing
        from folkmoot.simulation.kept_code import keep
        from folkmoot.simulation.merged_code import in_one_piece

        in_one_piece(dispatcher)
        if folder is not None:
            keep(dispatcher, folder)
    return dispatcher


@cache
def _dispatcher(text: Callable[..., Any], rounds: Callable[..., Any] | None, persistent: bool) -> Callable[..., Any]:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    outer: Any = text
    if rounds is not None:
        # Without reference counting (_nrt) the rounds take two thirds of the time: see docs/decisions/0002.
        inner = compiler().njit(_nrt=False, **options, **_CALLED_BY_COMPILED)(rounds)
        names = {**outer.__globals__, rounds.__name__: inner}
        outer = FunctionType(outer.__code__, names, outer.__name__, outer.__defaults__)
        outer.__module__, outer.__qualname__ = text.__module__, text.__qualname__
    return _compiled(outer, cache_folder() if persistent else None, options)


def _explained(function: Callable[..., Any], records: tuple[object, ...]) -> Callable[..., Any]:
    """The function; where one of a user's cannot be compiled, the error names it in one line."""
    if all(is_ours(record) for record in records):
        return function
    return lambda *arguments: named(lambda: function(*arguments), records)


def compiled(
    text: Callable[..., Any], rounds: Callable[..., Any] | None, records: tuple[object, ...]
) -> Callable[..., Any]:
    """A function of the package compiled for these records, and kept on disk where none of them is a user's.

    Args:
        text: allocates, and calls `rounds`.
        rounds: the rounds of one replicate; allocates nothing. None: the text calls none.
        records: those of the loop.

    Raises:
        Uncompiled: when it is called: a function of a user's cannot be compiled.
    """
    return _explained(_dispatcher(text, rounds, all(is_ours(record) for record in records)), records)


def loop(name: str, records: tuple[object, ...]) -> Callable[..., Any]:
    """The function to run: `engine.play` itself for "interpreted", its compilation for "compiled".

    Args:
        name: "compiled" or "interpreted".
        records: those of the algorithm and the world.

    Raises:
        ValueError: another name.
        Uncompiled: when it is called: a function of a user's cannot be compiled.
    """
    if name == "interpreted":
        return engine.play
    if name == "compiled":
        return compiled(engine.play, engine.rounds, records)
    raise ValueError(f"engine = {brief(name)}: allowed are 'compiled' and 'interpreted'")
