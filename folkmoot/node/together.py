"""Outcomes that come while the disk is busy with others: written together, one wait for the disk for all of them."""

import asyncio
from collections.abc import Sequence

from folkmoot.node.play import Player
from folkmoot.node.store import ToldOutcome


class Together:
    """Outcomes for one player: a ticket that it has checked is never handed to that of another epoch."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._waiting: list[tuple[Sequence[ToldOutcome], asyncio.Future[list[str]]]] = []
        self._task: asyncio.Task[None] | None = None

    async def take(self, outcomes: Sequence[ToldOutcome]) -> list[str]:
        """What became of each; on disk when this returns. Raises what `Player.take` raises."""
        future: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._waiting.append((outcomes, future))
        if self._task is None:
            self._task = asyncio.create_task(self._write())
        return await future

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    said = await self._player.take([one for outcomes, _ in batch for one in outcomes])
                except Exception as error:
                    for _, future in batch:
                        if not future.done():
                            future.set_exception(error)
                    continue
                words = iter(said)
                for outcomes, future in batch:
                    of_these = [next(words) for _ in outcomes]
                    if not future.done():  # who waited may have gone
                        future.set_result(of_these)
        finally:
            self._task = None
