"""Outcomes for which a round waits: written with the step that is handed them, one wait for the disk in place of two.

How it works. The outcome is in a transaction that is open, and the round goes on. If its step comes at once, it is
part of the same transaction; if not, the transaction is ended without it after a moment. Either way the application is
told that its outcome is taken when the disk has it, and not if that was undone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from folkmoot.node import proofs
from folkmoot.node.database import Full
from folkmoot.node.store import Store, ToldOutcome
from folkmoot.node.tickets import Tickets

_SECONDS = 0.005  # in which the step is to come


class Joining:
    """Takes outcomes in.

    Attributes:
        waits: does a round that follows at once wait for an outcome?
        open: is there an outcome that its step may still join?
    """

    def __init__(self, store: Store, between_steps: Callable[..., Awaitable[list[str]]]) -> None:
        """`between_steps`: calls what uses the store."""
        self._store, self._between_steps = store, between_steps
        self.waits, self.open = False, 0
        self._stepped = asyncio.Event()

    def stepped(self) -> None:
        """A step was stored."""
        self._stepped.set()
        self._stepped = asyncio.Event()

    async def take(self, proves: proofs.Proves | None, outcomes: Sequence[ToldOutcome], tickets: Tickets) -> list[str]:
        """What became of outcomes; on disk when this returns. See `proofs.take`.

        Raises:
            Full: the disk takes them not.
        """
        later, undone = self.waits, self._store.undone
        said = await self._between_steps(proofs.take, self._store, proves, outcomes, later)
        stepped = self._stepped
        if any(one[1] == tickets.round and word == "taken" for one, word in zip(outcomes, said)):
            tickets.came.set()
        if not later:
            return said
        self.open += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS):
                    await stepped.wait()
        finally:
            self.open -= 1
        if self._store.waits:
            await self._between_steps(self._store.flush)
        if self._store.undone > undone:
            raise Full("an outcome was not kept")
        return said
