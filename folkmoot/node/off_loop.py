"""Work in a thread beside the event loop, with less ado than `run_in_executor`: a step of a round is short."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def off_loop(thread: ThreadPoolExecutor, work: Callable[..., T], *args: Any) -> T:
    """What the work gives, or raises. Whoever is cancelled while it waits does not stop it."""
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

    thread.submit(run)
    return await done
