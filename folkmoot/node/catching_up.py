"""Blocks from outside the stages: how a member that is behind gets what it lacks, and what it shows to others.

How it works. A member that begins, that finds the others in a later round, or that lacks a block at the end of a round
asks all who are connected, each for another *range* of blocks (`WANT`). An answer (`GIVEN`) holds as many of them as
fit into its bounds, and says how many blocks its sender has. Ranges are handed to the machine in order, which looks at
each block as if it came from a stranger; what it takes in is stored in one transaction. So a member that is killed goes
on where it was.

Nobody is believed. A range that does not follow is thrown away, whoever sent it is asked for nothing more, and the next
one is asked. So it is with who keeps us waiting, or says that it has blocks and shows none. What others say of their
heights is taken for true where more of them say it than may lie. Beyond that, who has shown blocks in this run is
waited for, but once: who then does not show what it said that it has is believed no more without others. What nobody
asked for is refused.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

from folkmoot.encoding import Limits, Malformed, decode, encode
from folkmoot.node.charter import Charter
from folkmoot.node.frames import GIVEN, WANT, Frame
from folkmoot.node.store import Store
from folkmoot.node.system import System
from folkmoot.node.transport import Transport

RANGE = 64  # blocks that are asked for at once
MOST_BYTES = 1 << 18  # of the blocks in an answer, unless the first one alone is larger
_BYTES_A_SECOND = 1 << 22  # that are shown to one member for long
_AHEAD = 8  # ranges that are asked for beyond the last block, or one for each member if that is more
_PATIENCE = 10.0  # seconds in which an answer must come
_HURRY = 1.0  # seconds after which another one is asked as well for what is needed next
_LIMITS = Limits(size=64, depth=1, items=3, int_size=8)

Append: TypeAlias = Callable[[tuple[bytes, ...]], Awaitable[int]]  # takes blocks in; the height after that
OffLoop: TypeAlias = Callable[..., Awaitable[Any]]


class Wanted(NamedTuple):
    """Heights of blocks: the first and the last one."""

    first: int
    last: int


class Given(NamedTuple):
    """An answer.

    Attributes:
        first: height of the first block in it, also where there is none.
        height: of the last block that its sender has.
        blocks: one after another.
    """

    first: int
    height: int
    blocks: tuple[bytes, ...]


def want(first: int, last: int) -> Frame:
    """A request."""
    return Frame(WANT, parts=(encode((first, last), _LIMITS),))


def wanted(frame: Frame) -> Wanted:
    """What is asked for.

    Raises:
        Malformed: nothing that can be.
    """
    found = Wanted(*_two(frame))
    if len(frame.parts) != 1 or not 1 <= found.first <= found.last < found.first + RANGE:
        raise Malformed("want: expected a range of blocks")
    return found


def given(frame: Frame) -> Given:
    """What is answered.

    Raises:
        Malformed: it is no answer, or larger than one may be.
    """
    blocks = frame.parts[1:]
    if len(blocks) > RANGE or (len(blocks) > 1 and sum(map(len, blocks)) > MOST_BYTES):
        raise Malformed("given: more than an answer may hold")
    return Given(*_two(frame), blocks)


def _two(frame: Frame) -> tuple[int, int]:
    try:
        value = decode(frame.parts[0], _LIMITS) if frame.parts else None
    except Malformed:
        raise Malformed("want or given: malformed") from None  # one reason of our own words
    if type(value) is not tuple or tuple(map(type, value)) != (int, int) or not 0 <= min(value) <= max(value) < 1 << 62:
        raise Malformed("want or given: expected two numbers")
    return value[0], value[1]


class Showing:
    """What a member shows to others of its blocks: one answer at a time to each, within a budget of bytes a second."""

    def __init__(self, store: Store, transport: Transport, off_loop: OffLoop) -> None:
        self._store, self._transport, self._off_loop = store, transport, off_loop
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._next: dict[int, float] = {}  # when the next answer may leave

    def asked(self, sender: int, frame: Frame) -> None:
        """Somebody wants blocks.

        Raises:
            Malformed: no request, or one more while another is answered.
        """
        asked = wanted(frame)
        if sender in self._tasks:
            raise Malformed("want: the one before is not answered yet")
        task = self._tasks[sender] = asyncio.get_running_loop().create_task(self._answer(sender, asked))
        task.add_done_callback(lambda _: self._tasks.pop(sender))

    async def _answer(self, sender: int, asked: Wanted) -> None:
        await asyncio.sleep(max(0.0, self._next.get(sender, 0.0) - time.monotonic()))
        height, blocks = await self._off_loop(self._read, asked)
        said = encode((asked.first, height), _LIMITS)
        self._next[sender] = time.monotonic() + sum(map(len, blocks)) / _BYTES_A_SECOND
        self._transport.send(sender, Frame(GIVEN, parts=(said, *blocks)))

    def _read(self, asked: Wanted) -> tuple[int, tuple[bytes, ...]]:
        height, found, room = self._store.height, list[bytes](), MOST_BYTES
        try:
            for number in range(asked.first, min(asked.last, height) + 1):
                block = self._store.block(number)
                room -= len(block)
                if found and room < 0:
                    break
                found.append(block)
        except IndexError:  # not kept here; others have it
            pass
        return height, tuple(found)

    async def stop(self) -> None:
        """Answer nobody any more."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Asked(NamedTuple):
    wanted: Wanted
    since: float


class CatchingUp:
    """How a member that is behind gets blocks.

    Attributes:
        liars: who has given a block that does not follow: asked for nothing any more.
        doubted: who did not show blocks that it said it has: asked, and never waited for alone.
    """

    def __init__(self, transport: Transport, faults: int, height: Callable[[], int], append: Append) -> None:
        """`height`: of the own last block."""
        self._transport, self._faults, self._height, self._append = transport, faults, height, append
        self.liars: set[int] = set()
        self.doubted: set[int] = set()
        self._asked: dict[int, _Asked] = {}  # who has not answered
        self._got: dict[int, tuple[int, tuple[bytes, ...]]] = {}  # by first height: who gave them, and blocks
        self._said: dict[int, int] = {}  # heights, as told in this run
        self._failed: set[int] = set()  # asked for nothing more in this run
        self._shown: set[int] = set()  # whose blocks were taken in, in this run
        self._woken = asyncio.Event()

    def answered(self, sender: int, frame: Frame) -> None:
        """An answer has come.

        Raises:
            Malformed: it is none, or nobody asked for it.
        """
        asked = self._asked.get(sender)
        if asked is None:
            raise Malformed("given: nobody asked for it")
        try:
            told = given(frame)
            most = asked.wanted.last - asked.wanted.first + 1
            if told.first != asked.wanted.first or len(told.blocks) > most:
                raise Malformed("given: something else was asked for")
        except Malformed:
            self._failed.add(sender)
            raise
        finally:
            del self._asked[sender]
            self._woken.set()
        self._said[sender] = told.height
        if told.blocks:
            self._got.setdefault(told.first, (sender, told.blocks))
        elif told.height >= told.first:
            self._fails(sender, told.first, told.height)  # it says that it has them, and shows none

    def _fails(self, number: int, first: int, said: int) -> None:
        """It has not shown the block of this height, and has said that it has so many."""
        self._failed.add(number)
        if said >= first:
            self.doubted.add(number)

    async def run(self) -> bool:
        """Take in what others have until nobody who must be believed has more; is there a block more than before?"""
        began = self._height()
        self._said, self._failed, self._got, self._shown = {}, set(), {}, set()
        try:
            while True:
                await self._take()
                if self._is_done():
                    break
                self._ask()
                if not self._asked:
                    break
                await self._wait()
        finally:
            self._asked, self._got = {}, {}
        return self._height() > began

    def _is_done(self) -> bool:
        """Does nobody have more who must be believed, or has shown some in this run?"""
        peers = self._peers()
        said = sorted(self._said.values(), reverse=True)
        certain = said[self._faults] if len(said) > self._faults else 0
        most = max((self._said[number] for number in peers if number in self._shown - self.doubted), default=0)
        unheard = sum(number not in self._said for number in peers)
        return bool(said) and unheard <= self._faults and max(certain, most) <= self._height()

    def _peers(self) -> list[int]:
        return sorted(self._transport.connected - self.liars - self._failed)

    def _next(self) -> tuple[int, tuple[bytes, ...]] | None:
        return self._got.get(self._height() + 1)

    async def _take(self) -> None:
        """Hand in what follows, range by range."""
        while (found := self._next()) is not None:
            sender, blocks = found
            height = self._height()
            del self._got[height + 1]
            self._ask()
            if await self._append(blocks) < height + len(blocks):
                self.liars.add(sender)
                self._got = {first: one for first, one in self._got.items() if one[0] != sender}
            self._shown.add(sender)
        self._got = {first: one for first, one in self._got.items() if first > self._height()}

    def _ask(self) -> None:
        """Each who is idle for the first range that nobody is asked for, or for the next one if it does not come."""
        now = time.monotonic()
        for number, asked in [*self._asked.items()]:
            if number not in self._transport.connected:
                del self._asked[number]
                self._failed.add(number)
            elif now - asked.since > _PATIENCE:
                del self._asked[number]
                self._fails(number, asked.wanted.first, self._said.get(number, 0))
        peers = self._peers()
        furthest = self._height() + RANGE * max(_AHEAD, len(peers))
        for number in peers:
            if number not in self._asked:
                first = self._open(now)
                if first <= min(furthest, self._said.get(number, first)):
                    wish = Wanted(first, first + RANGE - 1)
                    self._asked[number] = _Asked(wish, now)
                    self._transport.send(number, want(*wish))

    def _open(self, now: float) -> int:
        """The first block that is neither here nor asked for."""
        first = self._height() + 1
        got = {start: start + len(blocks) for start, (_, blocks) in self._got.items()}
        while True:
            asked = [one for one in self._asked.values() if one.wanted.first <= first <= one.wanted.last]
            if any(now - one.since < _HURRY for one in asked) or (asked and first > self._height() + 1):
                first = max(one.wanted.last for one in asked) + 1
            elif first in got:
                first = got[first]
            else:
                return first

    async def _wait(self) -> None:
        """Until an answer has come, or somebody else is to be asked."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_HURRY / 2):
                await self._woken.wait()
        self._woken.clear()


class Exchange:
    """Both sides of it, for one player; nothing without a chain, or where machines ask for blocks themselves."""

    def __init__(
        self, charter: Charter, system: System, store: Store, transport: Transport, off_loop: OffLoop, append: Append
    ) -> None:
        self._transport, self._has_chain = transport, system.has_ledger and not system.asks_in_rounds
        self._showing = Showing(store, transport, off_loop)
        self.catching_up = CatchingUp(transport, charter.terms.faults, lambda: store.height, append)

    async def catch_up(self) -> bool:
        """See `CatchingUp.run`."""
        return self._has_chain and await self.catching_up.run()

    def arrived(self, sender: int, frame: Frame) -> None:
        """A frame of kind WANT or GIVEN; what is refused is counted."""
        try:
            if frame.kind == WANT:
                self._showing.asked(sender, frame)
            else:
                self.catching_up.answered(sender, frame)
        except Malformed as error:
            self._transport.traffic[sender].refused[str(error)] += 1

    async def stop(self) -> None:
        """Answer nobody any more."""
        await self._showing.stop()
