"""Transports of the members of a charter in one program, and what has come to each: over sockets, or over a broker."""

import asyncio

from consortium import until

from folkmoot.machine import Moment
from folkmoot.node.frames import PROTOCOLS, Hello


class Transports:
    """Who inherits makes `lines`, one transport a member. `patience`: seconds that a test waits for something."""

    patience = 120.0

    def __init__(self, charter):
        self.charter, members = charter, range(charter.n_members)
        self.came = [[] for _ in members]
        self.hellos = [Hello(*PROTOCOLS, charter.digest, f"v{me}", 0.0, me) for me in members]

    async def start(self, *who):
        for me in who or range(len(self.lines)):
            came = self.came[me]
            await self.lines[me].start(
                lambda sender, frame, came=came: came.append((sender, frame)),
                lambda me=me: (Moment(me, 0), self.hellos[me]),
            )

    async def until(self, fulfilled, seconds=None):
        await until(fulfilled, self.patience if seconds is None else seconds)

    async def stop(self):
        await asyncio.gather(*(line.stop() for line in self.lines))
