"""An event loop in which waiting takes no time, and working next to none: for members in one program.

Its clock all but stands still while anything is to be done, here or in a thread. When all wait, it goes on to the time
for which the first one waits. So it is the same for a slow machine, a busy one, and one that is stopped for a minute:
what has come in time there, comes in time here. A limit is one of this clock, too. What looks at a clock by itself is
to be made inside `run`, or gets `TIME`.
"""

import asyncio
import contextlib
import importlib
import selectors
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from unittest.mock import patch

BEGINS = datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp()
_READERS = ("catching_up", "meeting", "mischief", "play", "view")  # modules of nodes that read a clock
_A_TURN = 2e-5  # seconds that a turn of the loop takes, or who is never idle would never be waited for
_LOOK_SECONDS = 0.05  # between two looks whether a thread has ended; it wakes the loop itself


class Clockwork:
    """In the place of the module `time`."""

    perf_counter = staticmethod(time.perf_counter)

    def __init__(self):
        self.passed = 1_000.0  # as of a machine that has been up for a while

    def monotonic(self):
        return self.passed

    def time(self):
        return BEGINS + self.passed

    def after(self, seconds):
        """A time of a charter: so long from now."""
        return datetime.fromtimestamp(self.time() + seconds, UTC).isoformat()


TIME = Clockwork()


class _Waits(selectors.DefaultSelector):
    """What the loop sleeps in."""

    def __init__(self, working):
        super().__init__()
        self._working = working

    def select(self, timeout=None):
        TIME.passed += _A_TURN
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if any(not work.done() for work in list(self._working)):
            return super().select(_LOOK_SECONDS)
        if ready := super().select(0):  # what a thread has just said
            return ready
        if timeout is None:
            raise RuntimeError("all wait, and for nothing")
        TIME.passed += max(0.0, timeout - _A_TURN)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, working):
        self._given = working
        super().__init__(_Waits(working))

    def time(self):
        return TIME.monotonic()

    def run_in_executor(self, *args):
        found = super().run_in_executor(*args)
        self._given.add(found)
        found.add_done_callback(self._given.discard)
        return found

    async def shutdown_default_executor(self, timeout=None):
        """Without a limit: ours would be over before its threads have had a turn."""
        if self._default_executor is not None:
            self._default_executor.shutdown()


@contextlib.contextmanager
def _timeless():
    """What threads work at; in the meantime nodes look at our clock."""
    working, submit = set(), ThreadPoolExecutor.submit

    def submitted(pool, *args, **more):
        found: Future = submit(pool, *args, **more)
        working.add(found)
        found.add_done_callback(working.discard)
        return found

    with contextlib.ExitStack() as stack:
        for name in _READERS:
            stack.enter_context(patch.object(importlib.import_module(f"folkmoot.node.{name}"), "time", TIME))
        stack.enter_context(patch.object(ThreadPoolExecutor, "submit", submitted))
        yield working


def run(work, seconds=1_000.0):
    """What `asyncio.run` does; the limit is one of our clock."""
    with _timeless() as working, asyncio.Runner(loop_factory=lambda: _Loop(working)) as runner:
        return runner.run(asyncio.wait_for(work, seconds))
