"""The rounds of one node: steps of its machine, by the duties at the head of `folkmoot/machine.py`.

How it works. Everything here runs in one event loop, but for the steps themselves: each runs in the one thread that
also writes to the disk, and what it says is kept is on the disk before this loop hears of it. A round is

    stage 0     the arm is chosen, and applications play it: `play` seconds, or in an eager charter until the first
                outcome has come
    the others  what was said in the stage before is handed in; what the machine says is sent, one frame for each
                member, which is also the mark that the stage is over here

A stage ends by the rules in `pace.py`. Where time is told by the charter, a round begins when its time has come, also
if the one before is not over. Where it is not (`period = 0`) a round follows the one before, and who comes late joins
the round after that of the others.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

from folkmoot.machine import Chance, Effects, Floor, Machine, Moment, Received, Resumes
from folkmoot.node import frames
from folkmoot.node.arrivals import TWO_STORIES, Arrivals
from folkmoot.node.catching_up import Exchange
from folkmoot.node.charter import Charter
from folkmoot.node.clock import Clock
from folkmoot.node.ending import Ending, received
from folkmoot.node.frames import BLOCKS, GIVEN, HELLO, OPENING, PING, PONG, STEP, WANT, Frame, Hello
from folkmoot.node.joining import Joining
from folkmoot.node.off_loop import StepThread
from folkmoot.node.pace import Pace
from folkmoot.node.pings import Pings
from folkmoot.node.resuming import resumed
from folkmoot.node.signed_log import SignedLog
from folkmoot.node.store import Earned, Store, ToldOutcome
from folkmoot.node.system import System
from folkmoot.node.tickets import Tickets, key_in
from folkmoot.node.timetable import Timetable
from folkmoot.node.transport import Traffic, Transport, speak

T = TypeVar("T")
_CLOCKS_SECONDS = 5.0  # in which a quorum that is there says what time it is
_LAST_SECONDS = 30.0  # without a new block of an epoch that is over, after which the next one begins
_ROUNDS_OF_OUTCOMES = 128  # before the window, for which outcomes stay on disk

Tell: TypeAlias = Callable[[str, Mapping[str, Any]], None]


class Player:
    """The rounds of one member.

    Attributes:
        moment: the stage under way.
        machine: as it runs now.
        pace, arrivals, tickets, clock: see their modules.
        noticed: faults of others, by member and reason.
        counts: of the machine, and of what was refused.
        phase: "starting", "waiting" for a quorum or a start, "playing", "following" with a wrong clock, "done".
        took_part: who was heard in the last round that ended.
        ending: when the epoch of its charter ends, and what comes after it.
    """

    def __init__(
        self,
        charter: Charter,
        me: int,
        seed: bytes,
        system: System,
        store: Store,
        transport: Transport,
        *,
        clock: Clock | None = None,
        chance: Chance = os.urandom,
        version: str = "",
        tell: Tell = lambda event, about: None,
        role: Resumes | None = None,
        ending: Ending | None = None,
        thread: ThreadPoolExecutor | None = None,
    ) -> None:
        """Bring together what a member needs.

        `tell` is called with what happens, in the event loop. `role`: another one than the system's (mischief).
        `thread`: for steps, an executor with one thread, which others may use too; left out: one of its own.
        """
        self.charter, self.me, self.system, self._store, self._transport = charter, me, system, store, transport
        self._role, self._chance, self._version, self._tell = role or system.role(me, seed), chance, version, tell
        terms = charter.terms
        self.clock = clock or Clock(terms.stage)
        self.pace = Pace(charter.n_members, me, charter.quorum)
        self._times = Timetable(terms, self.clock, charter.quorum, charter.n_members)
        self._others = [number for number in range(charter.n_members) if number != me]
        self.arrivals = Arrivals(self._others)
        self.tickets = Tickets(terms.arms, terms.low, terms.high, terms.window, charter.epoch, key_in(store))
        self.tickets.round = 0 if store.position is None else store.position.round  # late outcomes come at any time
        self.ending = ending or Ending(charter, system)
        self.noticed: dict[int, Counter[str]] = {number: Counter() for number in (-1, *self._others)}
        self.counts: Counter[str] = Counter()
        self.moment, self.phase = Moment(0, 0), "starting"
        self.took_part: frozenset[int] = frozenset()
        self.heights: dict[int, int] = {}
        self._heard: set[int] = set()
        self._earned = Earned()
        self._shown: tuple[bytes, ...] = ()  # blocks, by one that is in a later epoch
        self._exchange = Exchange(charter, system, store, transport, self.between_steps, self._append)
        self._is_behind = True  # as far as is known: who begins does not know
        self._log = None if system.has_ledger else SignedLog(charter, seed, store)
        self._thread = StepThread(thread)
        self._woken, self._joining = asyncio.Event(), Joining(store, self.between_steps)
        self._pings = Pings(self.clock, self._others, transport)
        self.machine: Machine

    @property
    def traffic(self) -> dict[int, Traffic]:
        """Of each other member."""
        return self._transport.traffic

    @property
    def height(self) -> int:
        """Of the last block."""
        return self._store.height

    def block(self, height: int) -> bytes:
        """A block of the own ledger.

        Raises:
            IndexError: there is none of this height.
        """
        return self._store.block(height)

    def seen(self) -> Mapping[str, Any]:
        """See `System.seen`."""
        return self.system.seen(self.machine)

    # --- From beginning to end ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """All rounds of the epoch: those of the charter, or up to where an amendment ends it.

        Raises:
            Full: the disk takes no more; nothing that depends on it has left.
            OSError: it cannot listen at its address.
        """
        await self._transport.start(self._arrived, self._greeting)
        pinging = asyncio.create_task(self._pings.ask(lambda: self.moment))
        try:
            begun = max(self._store.position.round if self._store.position else 0, self._times.round - 1)
            while self.ending.joins and not await self._is_over(0):
                await self._wake(1.0)
            if not self.ending.joins and not await self._is_over(begun + 1):
                await self._gathered()
                await self.between_steps(self._resume)
                await self._rounds()
                await self._last_blocks()
            await self.between_steps(self._store.flush)
            self.phase = "done"
        finally:
            pinging.cancel()
            self.tickets.close()
            await asyncio.gather(pinging, return_exceptions=True)

    async def stop(self) -> None:
        """Let go of the network and of the thread; a step under way ends first, and who was let in is answered."""
        await self._exchange.stop()
        await self._transport.stop()
        await self._thread.stop()

    async def between_steps(self, work: Callable[..., T], *args: Any) -> T:
        """What this gives, run by the thread of the steps; see `StepThread.run`."""
        return await self._thread.run(work, *args)

    async def take(self, outcomes: Sequence[ToldOutcome]) -> list[str]:
        """Outcomes of an application: on disk when this returns. See `proofs.take`; `Stopped`: none is kept."""
        with self._thread.let_in():
            return await self._joining.take(self.system.proves(self.me), outcomes, self.tickets)

    async def _gathered(self) -> None:
        """A quorum is connected: alone nobody knows which round it is."""
        self.phase = "waiting"
        while len(self._transport.connected) + 1 < self.charter.quorum and self.ending.told is None:
            await self._wake(0.2)
        await asyncio.sleep(self._transport.settles)
        until = time.monotonic() + _CLOCKS_SECONDS
        while not self._times.knows_clocks and time.monotonic() < until and self.ending.told is None:
            await self._wake(0.2)

    def _resume(self) -> None:
        height = max(sorted(self.heights.values(), reverse=True)[self.charter.terms.faults :], default=0)
        there = Floor(self._passed(self.moment), height if self.system.has_ledger else -1)
        self.machine = resumed(self._role, self._store, self._chance, there)

    async def _rounds(self) -> None:
        terms = self.charter.terms
        while True:
            if self._is_behind:
                await self._exchange.catch_up()
            round = max(await self._round_of_others(), self._unplayed)
            if await self._is_over(round) or (round > terms.rounds and not self.ending.plays_on(round)):
                return
            if not terms.period or await self._begins(round):
                await self._round(round)

    @property
    def _unplayed(self) -> int:
        """The first round that the machine has not begun."""
        return self.machine.next.round + (self.machine.next.stage > 0)

    async def _is_over(self, round: int) -> bool:
        looks = self.ending.joins or bool(self.ending.later)
        return looks and await self.between_steps(self.ending.is_over, self._store, round)

    async def _last_blocks(self) -> None:
        """Those of the end of the epoch that others show; if nobody does, it goes on without them after a while."""
        until = time.monotonic() + _LAST_SECONDS
        while self._store.height < self.ending.height and time.monotonic() < until:
            shown, self._shown, height = self._shown, (), self._store.height
            if (shown and await self._append(shown) > height) or await self._exchange.catch_up():
                until = time.monotonic() + _LAST_SECONDS
            await self._wake(0.5)

    async def _append(self, shown: Sequence[bytes]) -> int:
        """Take blocks in that came outside the stages, by a step of a round that is not played; the height then."""
        if blocks := await self.between_steps(received, self.system, shown):
            await self._step(Moment(self._unplayed, 0), [], blocks)
        return self._store.height

    async def _round_of_others(self) -> int:
        """The first round that one can still join."""
        terms, before = self.charter.terms, self.moment
        if terms.period:
            while self._times.is_unsure and self.ending.told is None:
                self.phase = "following"
                self.tickets.close()
                await self._exchange.catch_up()
                await self._wake(1.0)
            return self._times.round
        there = self._passed(self.moment)
        if not there or (there <= self.moment.round + 1 and self.moment.round > 0):
            return 0
        await self._exchange.catch_up()
        if not (there := self._passed(self.moment)):
            return 0
        joined = min(there + 2, max(there + 1, terms.rounds))  # not the next one: its first frames may be lost already
        self.moment = Moment(joined - 1, 0)  # from now on what comes for it is held
        await self._until_others_end(joined - 1)
        if self._passed(before) < there:  # they did not go on from there
            self.moment, joined = before, 0
        return joined

    async def _until_others_end(self, round: int) -> None:
        """Wait until more members than may lie are about to end a round, or so long as a few rounds take at most.

        Without a quorum they are slow: who began the next one at once would pass them, and they would then pass it.
        """
        terms, stages = self.charter.terms, self.system.stages_in(round) or len(self.machine.stages)
        last = Moment(round, max(stages - 2, 0))  # nothing may be said in the very last one
        ends = time.monotonic() + 3 * (terms.play + (stages + 1) * terms.stage)
        while not self.arrivals.is_reached(last, terms.faults) and (left := ends - time.monotonic()) > 0:
            await self._wake(left)

    async def _begins(self, round: int) -> bool:
        """Wait for the time of a round; False: the clock was put right, and it may be another one."""
        self.phase = "waiting" if round == 1 else self.phase
        while (left := self._times.left(round)) > 0:
            await self._wake(min(left, 1.0))
            if self._times.is_unsure:
                return False
        return True

    # --- A round -----------------------------------------------------------------------------------------------------

    async def _round(self, round: int) -> None:
        terms, self.phase = self.charter.terms, "playing"
        stages = self.system.stages_in(round) or len(self.machine.stages)
        ended, self._heard = self.moment, set()
        for number in range(stages):
            moment = Moment(round, number)
            self.moment, play = moment, terms.play if number == 0 else 0.0
            self.pace.begin(moment, time.monotonic(), play + terms.stage, play)
            effects, ended = await self._step(moment, self._inbox(ended, number)), moment
            if number == 0:
                await self._played(round, effects)
            if not self.system.silent(self.machine, number):
                speak(self._transport, moment, effects.send)
                await self._over()
            self.pace.end(time.monotonic())
            if self._passed(Moment(round + 1, 0)):  # left behind
                self.counts["rounds abandoned"] += 1
                break
        self.took_part = frozenset(self._heard)
        about = {"round": round, "arm": self.tickets.arm, "heard": self.took_part}
        self._tell("round", about | self._earned._asdict())
        if round % _ROUNDS_OF_OUTCOMES == 0:
            await self.between_steps(self._store.forget, round - terms.window - _ROUNDS_OF_OUTCOMES)

    def _inbox(self, ended: Moment, stage: int) -> list[Received]:
        inbox, refused = self.arrivals.inbox(ended, self.machine.stages[stage], self.machine.kind_of)
        self.counts.update({f"refused: {reason}": count for reason, count in refused.items()})
        return inbox

    async def _step(self, moment: Moment, inbox: list[Received], blocks: Sequence[Any] = ()) -> Effects:
        """One step, stored (duty 1); then what it noticed is counted, and told."""
        self._joining.waits = False
        effects = await self.between_steps(self._stepped, moment, inbox, blocks)
        self._joining.stepped()
        self._is_behind = bool(effects.behind)
        for notice in effects.noticed:
            self.noticed[notice.sender if notice.sender in self.noticed else -1][notice.reason] += 1
            self._tell("noticed", {"member": notice.sender, "reason": notice.reason, "proof": bool(notice.evidence)})
        self.counts.update(effects.counts)
        if effects.committed:
            self._tell("block", {"height": self._store.height, "final": effects.committed[-1]})
        return effects

    def _stepped(self, moment: Moment, inbox: list[Received], blocks: Sequence[Any]) -> Effects:
        entering = self._store.waiting() if moment.stage <= 1 else []  # those of this round at stage 1
        effects = self.machine.step(moment, inbox, [waiting.outcome for waiting in entering], blocks)
        entry = None if self._log is None else self._log.entry(moment, inbox, entering, effects)
        goes_on = not self.charter.terms.period and self.system.silent(self.machine, moment.stage)  # the next is near
        self._store.store(moment, effects.keep, None if blocks else effects.pull, entering, entry, later=goes_on)
        if moment.stage <= 1:  # no outcome enters later in a round
            self._earned = self._store.earned(moment.round, entering, self._earned if moment.stage else Earned())
        return effects

    async def _played(self, round: int, effects: Effects) -> None:
        """Applications play the arm of this round."""
        terms = self.charter.terms
        if effects.pull is None:  # where nobody plays, it takes as long: else rounds without a period would race
            await asyncio.sleep(terms.play if self.system.learns and not terms.period else 0)
            return
        self.tickets.open(round, effects.pull)
        self._tell("arm", {"round": round, "arm": effects.pull})
        if terms.period:
            await asyncio.sleep(self._times.left_to_play(round))
        else:
            self._joining.waits = True
            try:
                async with asyncio.timeout(terms.play):
                    await self.tickets.came.wait()
            except TimeoutError:
                self.counts["rounds without an outcome in time"] += 1

    async def _over(self) -> None:
        """Until the stage under way is over, or this member is left behind."""
        while not self.pace.is_over(now := time.monotonic()) and not self._passed(Moment(self.moment.round + 1, 0)):
            await self._wake(self.pace.deadline - now)

    def _passed(self, at: Moment) -> int:
        plays_on = self.ending.plays_on(self.charter.terms.rounds + 1)
        return self._times.passed(self.arrivals, at, self._transport.connected, plays_on)

    async def _wake(self, seconds: float) -> None:
        """Until something has come, or so long; or no time at all, where a step is still to be written."""
        if self._store.waits and not self._joining.open:
            await self.between_steps(self._store.flush)
            return
        self._woken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    # --- What comes in -----------------------------------------------------------------------------------------------

    def _greeting(self) -> tuple[Moment, Hello]:
        about = self.charter.identity, self._version, self.clock.wall(), self._store.height
        return self.moment, Hello(frames.PROTOCOLS[0], frames.PROTOCOLS[1], *about)

    def _arrived(self, sender: int, frame: Frame) -> None:
        if frame.moment.round > self._times.most:
            self.noticed[sender]["impossible round"] += 1
            return
        if frame.kind == STEP:
            if reason := self.arrivals.take(sender, frame, self.moment):
                kind = self.noticed[sender] if reason == TWO_STORIES else self._transport.traffic[sender].refused
                kind[reason] += 1
            else:
                self._heard.add(sender)
                self.pace.mark(sender, frame.moment, time.monotonic())
        elif frame.kind == HELLO:
            self.heights[sender] = frames.hello_of(frame).height
            self._transport.traffic[sender].meets()
            self.arrivals.greeted(sender, frame.moment)
            asyncio.get_running_loop().call_soon(self._pings.met, sender, self.moment)
        elif frame.kind in (PING, PONG):
            self.arrivals.speaks(sender, frame.moment)
            self._pings.arrived(sender, frame, self.moment)
        elif frame.kind == OPENING:
            self.ending.hear(sender, frame)
        elif frame.kind == BLOCKS and self.ending.later:  # else they are of no use
            self._shown = frame.parts
        elif frame.kind in (WANT, GIVEN):
            self._exchange.arrived(sender, frame)
        ends = self.pace.at != self.moment or self.pace.is_over(time.monotonic())
        if frame.kind != STEP or ends or frame.moment.round > self.moment.round + 1:
            self._woken.set()  # not for each mark of a stage that goes on
