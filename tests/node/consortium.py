"""A consortium in one program, for tests: players, their stores, and applications that pay what the simulator pays."""

import asyncio
import math
import time

import numpy as np
from timeless import TIME, run

from folkmoot.interface import pay, scene, set_scene
from folkmoot.node import epochs
from folkmoot.node.charter import propose
from folkmoot.node.clock import Clock
from folkmoot.node.ending import Ending
from folkmoot.node.folder import Folder
from folkmoot.node.in_memory import Switchboard
from folkmoot.node.member import Card
from folkmoot.node.mischief import lying
from folkmoot.node.play import Player
from folkmoot.node.store import FILE, Store
from folkmoot.node.system import coins_of
from folkmoot.node.systems import system_of
from folkmoot.node.terms import Terms

A_MOMENT = 0.001  # in which an application looks again


async def until(fulfilled, seconds=math.inf):
    """Wait, in an event loop, until this is so."""
    end = time.monotonic() + seconds
    while not fulfilled():
        assert time.monotonic() < end, "it does not happen"
        await asyncio.sleep(0.01)


def seeds_of(members):
    return [bytes([number + 1]) * 32 for number in range(members)]


def charter_of(members, *, arms=3, rounds=30, system="bandit", settings=None, port=9000, seeds=None, **more):
    """A charter that all have signed."""
    given = {
        "name": "a test",
        "system": system,
        "arms": tuple(f"arm {number}" for number in range(arms)),
        "rounds": rounds,
        "start": "2026-01-01T00:00:00Z",
        "period": 0.0,
        "play": 5.0,
        "stage": 5.0,
        "faults": (members - 1) // 3,
        "settings": settings or {},
        **more,
    }
    seeds = seeds or seeds_of(members)
    cards = [Card.of(seed, f"site-{number}", f"127.0.0.1:{port + number}") for number, seed in enumerate(seeds)]
    charter = propose(Terms(**given), cards)
    for seed in seeds:
        charter = charter.signed(seed)
    return charter


class Consortium:
    """Players on a switchboard. `rewards`: a reward law of the simulator, which pays as it does there."""

    def __init__(self, charter, rewards, folder, seeds=None):
        self.charter, self.rewards, self.folder = charter, rewards, folder
        self.seeds = seeds or seeds_of(charter.n_members)
        self.board = Switchboard(charter.n_members)
        self.arms = np.full((charter.terms.rounds + 1, charter.n_members), -1)
        self.coins, self.record = coins_of(charter), rewards.record()
        self.players = [self.player(me) for me in range(charter.n_members)]

    def player(self, me):
        store = Store(self.folder / f"{me}.sqlite")
        return self.playing(me, system_of(self.charter), store)

    def playing(self, me, system, store, **more):
        """A player by the clock of these tests, see timeless.py."""
        clock = Clock(self.charter.terms.stage, wall=TIME.time, steady=TIME.monotonic)
        return Player(self.charter, me, self.seeds[me], system, store, self.board.line(me), clock=clock, **more)

    def pays(self, me, round, arm):
        nature, reward = scene(self.record), np.zeros((self.charter.n_members, 1))
        set_scene(self.record, round, self.coins, nature)
        pay(self.record, nature, me, arm, round, self.coins, reward)
        return float(reward[me, 0])

    async def application(self, player):
        """One request a round, answered at once."""
        last = 0
        while player.phase != "done":
            tickets = player.tickets
            if tickets.arm >= 0 and tickets.round > last:
                decision, last = tickets.decide(), tickets.round
                self.arms[decision.round, player.me] = decision.arm
                reward = self.pays(player.me, decision.round, decision.arm)
                assert await player.take([tickets.outcome(decision.ticket, reward)]) == ["taken"]
            await asyncio.sleep(A_MOMENT)

    def play(self):
        """All rounds."""
        run(self._play())

    async def _play(self):
        applications = [asyncio.create_task(self.application(player)) for player in self.players]
        try:
            await asyncio.gather(*(player.run() for player in self.players))
        finally:
            for task in applications:
                task.cancel()
            await asyncio.gather(*applications, return_exceptions=True)
            for player in self.players:
                await player.stop()


class InFolders(Consortium):
    """Each member with a data folder."""

    def __init__(self, charter, rewards, folders, seeds, later=()):
        self.folders, self.later = folders, later
        super().__init__(charter, rewards, None, seeds)

    def player(self, me):
        store = Store(epochs.place(self.folders[me], self.charter.epoch) / FILE)
        system = system_of(self.charter)
        return self.playing(me, system, store, ending=Ending(self.charter, system, self.later))


def folders_of(path, seeds, charter):
    folders = []
    for number, seed in enumerate(seeds):
        folder = Folder.make(path / f"n{number}", f"site-{number}", f"127.0.0.1:{9000 + number}", seed=seed)
        folder.join(charter)
        folders.append(folder)
    return folders


def exclude(consortium, number):
    """A member that tells two stories, which ends its membership."""
    consortium.board = Switchboard(consortium.charter.n_members)
    consortium.players = []
    for me in range(consortium.charter.n_members):
        player = consortium.player(me)
        if me == number:
            player._role = lying(player.system, consortium.charter, me, consortium.seeds[me], "equivocate")
        consortium.players.append(player)
