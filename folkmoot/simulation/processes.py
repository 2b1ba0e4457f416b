"""Tasks in processes of this machine, with the same line to them as to threads: they are told to stop, and tell how
far they are, through memory that is shared.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

_shared: dict[str, Any] = {}  # in a worker: what `_begin` was handed


def _begin(stop: Any, rounds: Any) -> None:
    """In a new worker: interrupts are the parent's, and a worker does not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _shared.update(stop=np.frombuffer(stop, np.bool_), rounds=np.frombuffer(rounds, np.int64))
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def line(number: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """In a worker: where the task of this number says how many rounds are done, and where it is told to stop."""
    return _shared["rounds"][number : number + 1], _shared["stop"]


class Processes:
    """Workers that start anew, so that they hold nothing of this process.

    Attributes:
        stop: bool [1], shared.
        rounds: int64 [tasks], shared.
    """

    def __init__(self, workers: int, tasks: int) -> None:
        context = multiprocessing.get_context("spawn")
        stop, rounds = context.RawArray("b", 1), context.RawArray("q", max(tasks, 1))
        self.stop: NDArray[np.bool_] = np.frombuffer(stop, np.bool_)
        self.rounds: NDArray[np.int64] = np.frombuffer(rounds, np.int64)
        self._pool = ProcessPoolExecutor(workers, context, _begin, (stop, rounds))

    @contextmanager
    def submitting(self, calls: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]]) -> Iterator[list[Future[Any]]]:
        """The calls under way, each a function of a module and what it is given; all have ended afterwards."""
        with self._pool as pool:
            yield [pool.submit(function, *given) for function, given in calls]
