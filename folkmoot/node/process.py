"""A node as a process: its folder, its player, what it serves, and how it ends.

It ends by itself after the last round, at a signal, or when it can keep nothing more. Exit status: 0 all rounds are
played, or it was told to stop; 1 it stopped because it could not go on; 2 what it was given makes no sense.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import folkmoot
from folkmoot.errors import OtherSide
from folkmoot.node.charter import Charter
from folkmoot.node.clock import Clock
from folkmoot.node.database import Full
from folkmoot.node.ending import Ending, last_blocks
from folkmoot.node.epoch import NOTHING
from folkmoot.node.epochs import begin, current, later, lineage, place
from folkmoot.node.folder import CHARTER, LOG, Folder
from folkmoot.node.http_door import HttpDoor, through
from folkmoot.node.journal import Journal
from folkmoot.node.lock import Lock
from folkmoot.node.member import Address
from folkmoot.node.mischief import Meddled, Mischief, lying
from folkmoot.node.play import Player
from folkmoot.node.resuming import take_over
from folkmoot.node.shared import Shared
from folkmoot.node.store import FILE, Store
from folkmoot.node.systems import system_of
from folkmoot.node.transport import Tail, no_tail
from folkmoot.node.view import OUT_OF_STEP, View
from folkmoot.node.web import Web

ANY_PORT = Address("127.0.0.1", 0)
_LINGER = 3.0  # seconds after the last round in which others may still ask
_SAYS_SECONDS = 0.6  # in which pages that are open are told that it has stopped
_LOOK_SECONDS = 1.0  # between two looks for amendments


class Node:
    """A node.

    Attributes:
        player, view: see their modules.
        url: where applications and operators find it.
    """

    def __init__(
        self, folder: Folder, seed: bytes, *, http: Address = ANY_PORT, listen: str = "",
        for_people: bool = True, stay: bool = False, mischief: Path | None = None, shared: Shared | None = None,
    ) -> None:  # fmt: skip
        """Read all that lies in the folder, and nothing of the network yet.

        Args:
            folder, seed: whose node.
            http: where applications and the page are served; port 0: any that is free.
            listen: HOST:PORT instead of the address in the charter.
            for_people: say on standard output what happens?
            stay: go on serving after the last round?
            mischief: a file that says what it does wrong; see mischief.py.
            shared: what it has together with other nodes of this process.

        Raises:
            ValueError: what is in the folder makes no sense, or another process works on it.
            OtherSide: it is damaged.
        """
        self._folder, self._seed, self._stay, self._listen = folder, seed, stay, listen
        self._mischief = None if mischief is None else Mischief(mischief)
        token = folder.token  # before anything is opened
        self._lock, self._shared = Lock(folder.path), shared or Shared()
        self._thread = self._shared.thread()
        try:
            charter, before = _first(folder, self._lineage())
            self.journal = Journal(folder.path / LOG, for_people)
            self._sit(charter, before)
        except BaseException:
            self._lock.close()
            raise
        self._socket = _listening(http)
        self.url = "http://{}:{}".format(*self._socket.getsockname()[:2])
        self.door = HttpDoor(lambda reason: self.journal.write("request refused", reason=reason))
        self._web = Web(self.player, self.view, token, self._measures, self.door)
        self._began = time.monotonic()

    def _sit(self, charter: Charter, before: Charter | None = None) -> None:
        """A player for the epoch of this charter; `before`: see `Ending`."""
        folder, seed, told, shared, charters = self._folder, self._seed, self._mischief, self._shared, self._lineage()
        me, system = charter.number(folder.card.key), shared.system(charter)
        tail: Tail = no_tail
        if charter.opening is not None:
            earlier = charters[charter.epoch - 2]
            tail = last_blocks(place(folder, earlier.epoch) / FILE, earlier, charter.opening)
        transport = shared.transport(charter, me, seed, self._listen, tail)
        path = place(folder, charter.epoch) / FILE
        self._store = Store(path if before is None else Path(":memory:"))
        take_over(self._store, path, charter, folder.card.key)
        clock = None
        if told is not None:
            transport = Meddled(transport, [card.name for card in charter.members], told, charter.terms.stage)
            clock = Clock(charter.terms.stage, wall=told.wall)
        if told is not None and told.attack:
            role = lying(system, charter, me, seed, told.attack, folder.path)
        else:
            role = system.role(me, seed, folder=folder.path)
        ending = Ending(charter, system, later(charters, charter), before)
        self.player = Player(
            charter, me, seed, system, self._store, transport, clock=clock, version=folkmoot.__version__,
            tell=self._told, role=role, ending=ending, thread=self._thread,
        )  # fmt: skip
        self.view = View(self.player)
        self.view.before = charters[charter.epoch - 2] if charter.epoch > 1 else None
        self.view.begin(self._store.tally())

    def _lineage(self) -> list[Charter]:
        return lineage(self._folder, self._shared.charter(self._folder))

    async def _play(self) -> None:
        """Epoch after epoch."""
        while True:
            await self.player.run()
            charter, follows = self.player.charter, self.player.ending.next
            if follows is None:
                if not self._stay:
                    return
                self.journal.write("done", rounds=charter.terms.rounds)
                while not self.player.ending.later:
                    await asyncio.sleep(_LOOK_SECONDS)
            await self.player.stop()
            self._store.close()
            if follows is not None:
                charter = self._followed(charter, follows)
            self._sit(charter)
            self._web.show(self.player, self.view)

    def _followed(self, charter: Charter, follows: Charter) -> Charter:
        """An epoch is over: the next one of which this node is a member.

        Raises:
            Left: of none.
        """
        key = self._folder.card.key
        opening = follows.opening or NOTHING
        about = {"epoch": follows.epoch, "height": opening.height, "hash": opening.hash.hex()}
        self.journal.write("epoch", charter=follows.digest.hex()[:16], **about)
        if key not in {card.key for card in follows.members}:
            raise Left(f"no member any more, from epoch {follows.epoch} on")
        begin(self._folder, follows, charter, self.player.me)
        return follows

    async def _watch(self) -> None:
        """Who comes and goes, and amendments that are put into the folder while the node runs."""
        refused, there = "", frozenset[str]()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            there = self._note_who_is_there(there)
            ending, charter = self.player.ending, self.player.charter
            if not (place(self._folder, charter.epoch + len(ending.later) + 1) / CHARTER).exists():
                continue
            try:
                found = later(await asyncio.to_thread(self._lineage), charter)
            except (ValueError, OtherSide) as error:
                if str(error) != refused:
                    refused = str(error)
                    self.journal.write("amendment refused", because=refused)
                continue
            if self.player.ending is ending and len(found) > len(ending.later):
                for one in found[len(ending.later) :]:
                    after = one.amends.after if one.amends else 0
                    self.journal.write("amendment", charter=one.digest.hex()[:16], epoch=one.epoch, after=after)
                ending.later = found

    def _note_who_is_there(self, before: frozenset[str]) -> frozenset[str]:
        """Names of members that are connected; who has come or gone is written down."""
        traffic, members = self.player.traffic, self.player.charter.members
        there = frozenset(members[number].name for number, one in traffic.items() if one.connected)
        for name in sorted(there ^ before):
            self.journal.write("connected" if name in there else "away", member=name)
        return there

    def _told(self, event: str, about: Mapping[str, Any]) -> None:
        if event == "round":
            round, arm, height = about["round"], about["arm"], self.player.height
            late = {earlier: self.view.scaled(found) for earlier, found in about["late"].items() if found is not None}
            reward = None if about["reward"] is None else self.view.scaled(about["reward"])
            self.view.after_round(round, arm, reward, about["heard"], height, about["tally"], late)
            for earlier, found in late.items():
                self.journal.write("late", round=earlier, reward=found)
            names = [self.player.charter.members[number].name for number in sorted(about["heard"])]
            played = self.player.charter.terms.arms[arm] if arm >= 0 else None
            self.journal.write("round", round=round, arm=played, reward=reward, heard=names)
            self.journal.end_round()
        elif event == "noticed":
            member, reason = about["member"], about["reason"]
            name = self.player.charter.members[member].name if member >= 0 else "somebody"
            if reason in OUT_OF_STEP:
                self.journal.notice("refused", name, reason)
            else:
                self.journal.notice("fault", name, reason, about["proof"])
        elif event == "block":
            self.journal.write("block", height=about["height"])
        self._web.changed()

    def _measures(self) -> bytes:
        from folkmoot.node.metrics import metrics

        return metrics(self.view.state(), time.monotonic() - self._began)

    async def run(self, stopping: asyncio.Event) -> int:
        """Play, and serve, until it is done or told to stop; the exit status."""
        import uvicorn

        for chatty in ("uvicorn.error", "asyncio"):  # of each bad request, of each connection that is cut off
            logging.getLogger(chatty).setLevel(logging.ERROR)
        config = uvicorn.Config(
            self._web, log_config=None, lifespan="off", access_log=False, ws="none", timeout_graceful_shutdown=1,
            server_header=False, proxy_headers=False, http=through(self.door),
        )  # fmt: skip
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[self._socket]))
        self._folder.says_where(self.url)
        self.journal.write("started", page=self.url, address=self.player.charter.members[self.player.me].address)
        playing, told = asyncio.create_task(self._play()), asyncio.create_task(stopping.wait())
        watching = asyncio.create_task(self._watch())
        status = 0
        try:
            await asyncio.wait([playing, told], return_when=asyncio.FIRST_COMPLETED)
            if playing.done():
                status = self._ended(playing)
                stays = _SAYS_SECONDS if status else None if self._stay else _LINGER
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), stays)
        finally:
            for task in (playing, told, watching):
                task.cancel()
            await asyncio.gather(playing, told, watching, return_exceptions=True)
            await self.player.stop()
            self._web.end()
            server.should_exit = True
            await serving
            with contextlib.suppress(ValueError):
                self._folder.says_where("")
            self._store.close()
            self.journal.close()
            self._lock.close()
        return status

    def close(self) -> None:
        """Let go of all that was opened, where it does not run."""
        self._socket.close()
        self._store.close()
        self.journal.close()
        self._lock.close()

    def _ended(self, playing: "asyncio.Task[None]") -> int:
        error = playing.exception()
        if error is None:
            self.journal.write("done", rounds=self.player.charter.terms.rounds)
            return 0
        if isinstance(error, Left):
            self.view.stopped_by = str(error)
            self.journal.write("left", because=str(error))
            return 0
        if isinstance(error, Full | OSError):
            self.view.stopped_by = f"{error}. Nothing has left that is not on the disk. Mend it, and start it again"
            self._web.changed()
            self.journal.write("stopped", because=str(error))
            print(f"folkmoot: {self._folder.path}: stopped: {error}", file=sys.stderr, flush=True)
            return 1
        raise error


def _listening(there: Address) -> socket.socket:
    """For applications and the page.

    Raises:
        OSError: somebody else does there, or it is no address of this host.
    """
    try:
        return socket.create_server((there.host, there.port))
    except OSError as error:
        raise OSError(f"{there.host}:{there.port}: {error.strerror}") from None


class Left(OtherSide):
    """The key of this node is no member's any more."""


def _first(folder: Folder, charters: list[Charter]) -> tuple[Charter, Charter | None]:
    """The charter to begin with, and the one before if its epoch began with something that is not known here yet.

    Raises:
        ValueError, OtherSide: what is in the folder makes no sense, or its key is no member's.
    """
    key, charter = folder.card.key, current(charters)
    if key in {card.key for card in charter.members}:
        return charter, None
    for before, joined in pairwise(charters):
        if joined.epoch > charter.epoch and key in {card.key for card in joined.members}:
            if system_of(before).has_ledger:
                return joined, before
            opened = replace(joined, opening=NOTHING)
            begin(folder, opened, before, None)
            return opened, None
    charter.number(key)  # which says it
    raise AssertionError


class _Server:
    """Uvicorn's, without its hand on the signals of the process."""

    def __new__(cls, config: Any) -> Any:
        import uvicorn

        class Quiet(uvicorn.Server):
            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield

        return Quiet(config)


def run_loop(work: Coroutine[Any, Any, int]) -> int:
    """Run it in an event loop: that of uvloop, which takes less processor time, where there is one."""
    try:
        from uvloop import new_event_loop
    except ImportError:  # as on Windows
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)


def told_to_stop() -> asyncio.Event:
    """Set at the first signal that asks this process to end."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


def end_with_input() -> None:
    """From now on this process is told to stop as soon as its standard input ends: when whoever started it is gone."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def run(path: Path, *, passphrase: str = "", **more: Any) -> int:
    """Run the node on a data folder until it ends; the exit status. For the rest see `Node`.

    Raises:
        ValueError, OtherSide: what is in the folder makes no sense.
    """
    folder = Folder(path)

    async def main() -> int:
        return await Node(folder, folder.seed(passphrase), **more).run(told_to_stop())

    try:
        return run_loop(main())
    except OSError as error:  # a full disk, an address that is taken: it may be better later
        print(f"folkmoot: {path}: stopped: {error}", file=sys.stderr, flush=True)
        return 1
