"""Threads that play one replicate together (see folkmoot.simulation.turns).

They wait for each other at locks of Python, which compiled code can take and let go as well: no thread needs the
interpreter for it, none is kept busy by waiting, and a copy of the process (fork) can begin threads of its own.
"""

import ctypes
import time
from collections.abc import Callable
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.interface import implements, kernel
from folkmoot.simulation import turns  # noqa: F401  declares what is implemented here

# As `ctypes.pythonapi`, but without the interpreter's own lock: others go on while one waits.
_PYTHON = ctypes.CDLL(ctypes.pythonapi._name, handle=ctypes.pythonapi._handle)
TAKE, LET_GO = "PyThread_acquire_lock", "PyThread_release_lock"  # of Python's stable binary interface
_allocate, _free = _PYTHON.PyThread_allocate_lock, _PYTHON.PyThread_free_lock
_take, _let_go = _PYTHON[TAKE], _PYTHON[LET_GO]
_allocate.restype, _free.restype, _let_go.restype = ctypes.c_void_p, None, None
_free.argtypes, _take.argtypes, _let_go.argtypes = [ctypes.c_void_p], [ctypes.c_void_p, ctypes.c_int], [ctypes.c_void_p]
_POLL_SECONDS = 0.001
_TILES = 16  # a thread, of what all agents do once


class Crew(NamedTuple):
    """A thread and those with which it plays."""

    over: NDArray[np.bool_]  # [1], shared by all, written by the leader
    number: int
    size: int
    tile: int  # agents
    next: NDArray[np.int64]  # [1], shared: the first agent of the next tile
    came: NDArray[np.int64]  # [size], locks: let go by a thread that has come; the leader's is for `next`
    go: NDArray[np.int64]  # [size], locks: let go by the leader
    astray: NDArray[np.int64]  # [size, 3], shared: a row of a tally for each thread
    at: NDArray[np.int64]  # [size, 2]: how often each has gathered, and the first agent of its tile since; -1: no tile


def take(lock: int) -> int:
    """Wait until this lock is let go, and take it; the compiler has its own way (`folkmoot.simulation.compiled`)."""
    return int(_take(int(lock), 1))


def let_go(lock: int) -> None:
    """Let somebody take this lock."""
    _let_go(int(lock))


@implements(Crew)
def leads(crew: Crew) -> bool:
    return crew.number == 0


@implements(Crew)
def gather(crew: Crew) -> bool:
    crew.at[crew.number, 0] += 1
    crew.at[crew.number, 1] = -1
    if crew.number > 0:
        let_go(crew.came[crew.number])
        take(crew.go[crew.number])
        return False
    for number in range(1, crew.size):
        take(crew.came[number])
    crew.next[0] = 0
    return True


@implements(Crew)
def release(crew: Crew) -> None:
    for number in range(1, crew.size):
        let_go(crew.go[number])


@kernel
def next_tile(crew: Crew) -> int:
    """The first agent of a tile that is this thread's from now on."""
    take(crew.came[0])
    first = crew.next[0]
    crew.next[0] = first + crew.tile
    let_go(crew.came[0])
    crew.at[crew.number, 1] = first
    return int(first)


@implements(Crew)
def each(crew: Crew, n_agents: int, body: Any, arguments: Any) -> None:
    low = next_tile(crew)
    while low < n_agents:
        body(low, min(low + crew.tile, n_agents), *arguments)
        low = next_tile(crew)


@implements(Crew)
def strayed(crew: Crew, astray: NDArray[np.int64]) -> bool:
    threads = 0
    for number in range(crew.size):
        threads += crew.astray[number, 0] > 0
    return threads > 0


def together(play: Callable[[Crew], object], size: int, n_agents: int) -> NDArray[np.int64]:
    """Let so many threads play, this one as their leader; rows of choices that are no arm, of each thread.

    Raises:
        Whatever a thread raises, when all have ended; of several what one thread would have met first. Tiles are taken
        in their order, and each is played up to its first error: so this is the same for any number of threads.
    """
    locks = [_allocate() for _ in range(2 * size)]
    for lock in locks[1:]:
        take(lock)
    came, go = np.array(locks, np.uint64).astype(np.int64).reshape(2, size)
    over, tile, astray = np.zeros(1, np.bool_), max(1, n_agents // (size * _TILES)), np.zeros((size, 3), np.int64)
    at = np.zeros((size, 2), np.int64)
    first = Crew(over, 0, size, tile, np.zeros(1, np.int64), came, go, astray, at)
    ended, errors, threads = [False] + [True] * (size - 1), dict[int, BaseException](), list[Thread]()

    def begin() -> None:
        for number in range(1, size):
            thread = Thread(target=one, args=(number,), name=f"folkmoot {number}")
            ended[number] = False
            try:
                thread.start()
            except BaseException:  # the system has no more of them
                ended[number] = True
                raise
            threads.append(thread)

    def one(number: int) -> None:
        try:
            if number == 0:
                begin()
            play(first._replace(number=number))
        except BaseException as error:  # raised below; the others must not wait for ever
            errors[number] = error
            if number == 0:
                over[0] = True
            else:
                astray[number, 0] = 1  # the leader says that it is over: all must see it in the same round
        ended[number] = True
        while number in errors and not all(ended):
            for lock in go[1:].tolist() if number == 0 else [int(came[number])]:
                _take(lock, 0)  # if it is free, so that what is let go is never free
                let_go(lock)
            time.sleep(_POLL_SECONDS)

    one(0)
    for thread in threads:
        thread.join()
    for lock in locks:
        _free(lock)
    for number in sorted(errors, key=lambda number: (*at[number].tolist(), number)):
        raise errors[number]
    return astray
