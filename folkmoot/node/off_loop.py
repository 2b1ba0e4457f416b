"""The one thread that runs the steps of a node, and whatever else uses its store, one after the other.

It is asked from the event loop with less ado than `run_in_executor`: a step of a round is short. When its player stops,
nobody new is let in, who was let in before gets what was asked for, and only then is the thread let go.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Stopped(OSError):
    """The player was told to stop, or its epoch is over: it takes nothing any more."""

    def __init__(self) -> None:
        super().__init__("this node stops, or begins another epoch; nothing of this is kept")


class StepThread:
    """See the head of the module."""

    def __init__(self, thread: ThreadPoolExecutor | None = None) -> None:
        """`thread`: one that others use too, and that stays; left out: one of its own."""
        self._is_own, self._thread = thread is None, thread or ThreadPoolExecutor(1, thread_name_prefix="step")
        self._ends, self._is_closed, self._inside = False, False, 0
        self._left = asyncio.Event()

    @contextmanager
    def let_in(self) -> Iterator[None]:
        """Inside, it may be asked as often as it takes, also while its player stops.

        Raises:
            Stopped: too late.
        """
        if self._ends:
            raise Stopped
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._left.set()

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """What the work gives, or raises. Whoever is cancelled while it waits does not stop it.

        Raises:
            Stopped: the thread was let go.
        """
        if self._is_closed:
            raise Stopped
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def tell(value: Any, error: BaseException | None) -> None:
            if not done.done():  # nobody waits any more
                if error is None:
                    done.set_result(value)
                else:
                    done.set_exception(error)

        def run() -> None:
            value, error = None, None
            try:
                value = work(*args)
            except BaseException as caught:
                error = caught
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(tell, value, error)

        self._thread.submit(run)
        return await done

    async def stop(self) -> None:
        """Let go of the thread, as soon as all that was asked for is done. May be called again."""
        self._ends = True
        while self._inside:
            self._left.clear()
            await self._left.wait()
        self._is_closed = True
        if self._is_own:
            await asyncio.get_running_loop().run_in_executor(None, self._thread.shutdown)
        else:
            await asyncio.wrap_future(self._thread.submit(int))  # what was asked for before is done then
