"""Tasks under way, handed over as they finish, that stop together."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_POLL_SECONDS = 0.05
T = TypeVar("T")


def in_threads(
    tasks: Iterable[Callable[[], T]], workers: int, stop: NDArray[np.bool_], poll: Callable[[], object]
) -> Iterator[T]:
    """What the tasks return, in the order in which they finish; run in threads of this process.

    Args:
        tasks: they look at `stop` now and then.
        workers: how many run at a time.
        stop, poll: see `as_they_finish`.
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="folkmoot") as pool:
        yield from as_they_finish([pool.submit(task) for task in tasks], stop, poll)


def as_they_finish(
    futures: Iterable[Future[T]], stop: NDArray[np.bool_], poll: Callable[[], object], wait_for_running: bool = True
) -> Iterator[T]:
    """What the futures come to, as they finish; those found finished together in the order in which they were given.

    On KeyboardInterrupt the tasks are told to stop, and what they still return is handed over before the interrupt
    goes on; tasks that had not begun never do.

    Args:
        futures: of tasks under way.
        stop: bool [1], set when the tasks are to end; they share it.
        poll: called now and then from this thread.
        wait_for_running: after an interrupt, wait for tasks under way, which stop; where they are on other machines
            nothing tells them to, and they are given up.
    """
    waiting = dict.fromkeys(futures)  # not handed over yet
    try:
        while waiting:
            finished = wait(waiting, _POLL_SECONDS, FIRST_COMPLETED).done
            poll()
            for future in [future for future in waiting if future in finished]:
                del waiting[future]
                yield future.result()
    except KeyboardInterrupt:
        stop[0] = True
        for future in waiting:
            if future.done() or (not future.cancel() and wait_for_running):
                yield future.result()
        raise
    finally:
        stop[0] = True
        for future in waiting:
            future.cancel()
