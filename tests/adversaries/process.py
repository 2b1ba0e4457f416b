"""The liars of a game of nodes, all of them in one process: to the others they are nodes, over TLS as these.

    python -m tests.adversaries.process PLAN

PLAN is a JSON file: `members`, the data folders of all; and `attack`, one of the library, and `liars`; or `seed`, a
draw of the search, whose program begins anew when it is over, until the game ends. (`seed` is null otherwise.)

Each liar is a `Player`, as in a node, with another machine. It acts last in each stage: it waits until the honest have
been heard, and so has read what they have just said. What one liar hears, all know. An adversary that speaks of an
earlier game knows all that was said in one with the same keys, which is played here before the game begins.
"""

import asyncio
import json
import sys
import threading
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from folkmoot.agreement.identity import Identity
from folkmoot.bc_ucb.attackers import Attacker, AttackerRole
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.bc_ucb.contract import ONE
from folkmoot.bc_ucb.messages import ReportSent
from folkmoot.bc_ucb.records import NO_REWARD
from folkmoot.bc_ucb.stages import REPORTING
from folkmoot.machine import NO_FLOOR, Outcome
from folkmoot.node.charter import propose
from folkmoot.node.folder import Folder
from folkmoot.node.frames import STEP
from folkmoot.node.play import Player
from folkmoot.node.process import told_to_stop
from folkmoot.node.shared import Shared
from folkmoot.node.store import FILE, Store
from folkmoot.node.systems import system_of
from folkmoot.world.rewards import Bernoulli

from .arena import Past
from .boards import BOARDS, BURN_IN, MEANS, NODES
from .coalition import Coalition
from .drawing import draw
from .programs import Draw

WAITS = 1.5  # seconds for the honest, in a stage, at most


def pays(member, round, arm):
    """What a pull brings: the same for all tries."""
    return float(((member * 7_919 + round * 104_729 + arm * 1_299_709) % 1_000) / 1_000 < MEANS[arm])


def drawn(seed):
    """The adversary of a seed, for a game of nodes."""
    return draw(seed, NODES)


def program(seed):
    """The same, its rounds again and again."""
    found = drawn(seed)

    def again(rule):
        rounds = tuple(n + 1 for n in range(1_000) if n % found.rounds + 1 in rule.rounds)
        return rule._replace(rounds=rounds)

    return replace(found, rules=tuple(again(rule) for rule in found.rules))


class Opened(NamedTuple):
    """What liars know of a game of nodes; see `boards.Opened`."""

    board: object
    identities: list
    seeds: list
    keys: tuple
    past: object = None


class _Before:
    """An honest game of the same members under another charter, in memory; see `boards.Opened`."""

    past_tips, lots, honest_bytes = frozenset(), {}, 1 << 40

    def __init__(self, charter, seeds, board):
        earlier = propose(charter.terms.model_copy(update={"name": "an earlier game"}), charter.members)
        self._system, self._seeds, self.board = system_of(earlier), seeds, board
        facts = self._system.facts
        self.first, self.terms = facts.first, facts.terms
        self.identities, self.keys = [Identity(seed) for seed in seeds], tuple(card.key for card in charter.members)

    def fresh_roles(self):
        return [self._system.role(number, seed) for number, seed in enumerate(self._seeds)]

    def outcomes(self, round, arms):
        return [None if arm is None else Outcome(round, pays(m, round, arm)) for m, arm in enumerate(arms)]


class Field:
    """A game of nodes as its liars see it: what `Coalition` and `Liar` ask of an arena.

    Attributes:
        opened, draw, hosts, now, said, earned: see `Arena`; hosts of the liars alone.
        coalition: all liars.
        lock: one liar acts at a time.
    """

    def __init__(self, opened, draw):
        self.opened, self.draw = opened, draw
        self.members = range(opened.board.members)
        self.honest = [m for m in self.members if m not in draw.liars]
        self.hosts, self.now, self.said, self.earned = {}, None, [], {}
        self.lock, self._ears, self._heard = threading.Lock(), threading.Condition(), {}
        self._awaited = set(self.honest)
        self.coalition = Coalition(self, draw.rules)

    def hear(self, sender, frame):
        """A liar gets what an honest one has said in a stage."""
        if sender not in self.honest:
            return
        with self._ears:
            said = self._heard.setdefault(frame.moment, defaultdict(dict))[sender]
            said.update(dict.fromkeys(frame.parts))
            self._awaited.add(sender)
            for moment in [moment for moment in self._heard if moment.round < frame.moment.round - 2]:
                del self._heard[moment]
            self._ears.notify_all()

    def wait(self, moment):
        """What the honest have said in this stage: (sender, None, message) of each."""
        with self._ears:
            all_are_there = self._ears.wait_for(lambda: self._awaited <= set(self._heard.get(moment, ())), WAITS)
            heard = self._heard.get(moment, {})
            if not all_are_there:
                self._awaited &= set(heard)  # the others are waited for again when they speak again
            return [(m, None, data) for m in sorted(heard) for data in heard[m]]

    def learn(self, liar, said):
        """What the honest have earned, as they report it."""
        for message in (liar.read(data) for _, _, data in said):
            if isinstance(message, ReportSent) and message.reward != NO_REWARD and message.sender in self.honest:
                self.earned[message.round, message.sender] = 0, Outcome(message.round, message.reward / ONE)


class Mouth:
    """The machine of a liar: what leaves is what the program makes of it."""

    def __init__(self, inner, me, field):
        self.inner, self._me, self._field = inner, me, field
        self.stages, self._held, self._pulled = inner.stages, defaultdict(list), {}

    @property
    def next(self):
        return self.inner.next

    def kind_of(self, data):
        return self.inner.kind_of(data)

    def step(self, moment, inbox, outcomes, blocks=()):
        field, speaks = self._field, moment.stage >= REPORTING
        said = field.wait(moment) if speaks else []
        with field.lock:
            field.now, field.said = moment, said
            for outcome in outcomes:
                field.earned[outcome.round, self._me] = self._pulled.get(outcome.round, 0), outcome
            if isinstance(self.inner, Attacker):
                self.inner.overhear(data for _, _, data in said)
            effects = self.inner.step(moment, inbox, outcomes, blocks)
            if effects.pull is not None:
                self._pulled[moment.round] = effects.pull
            if speaks and field.draw.rules:
                field.learn(field.coalition.liars[self._me], said)
                effects.send = self._spoken(moment, effects)
        return effects

    def _spoken(self, moment, effects):
        time = moment.round * (len(self.stages) - REPORTING) + moment.stage
        for delay, to, word in self._field.coalition.words(self._me, effects):
            self._held[time + delay - 1].append((to, word))
        due = [past for past in sorted(self._held) if past <= time]
        return [item for past in due for item in self._held.pop(past)]


class LyingRole(NamedTuple):
    """Who a liar is."""

    inner: object
    me: int
    field: Field

    def resume(self, kept, chain, chance, floor=NO_FLOOR):
        machine = self.inner.resume(kept, chain, chance, floor)
        self.field.hosts[self.me] = SimpleNamespace(machine=machine, kept=chain)
        return Mouth(machine, self.me, self.field)


class Ears:
    """A transport whose receiver tells its accomplices what it hears."""

    def __init__(self, inner, field):
        self._inner, self._field = inner, field

    def __getattr__(self, name):
        return getattr(self._inner, name)

    async def start(self, arrived, greeting):
        def all_hear(sender, frame):
            if frame.kind == STEP:
                self._field.hear(sender, frame)
            arrived(sender, frame)

        await self._inner.start(all_hear, greeting)


def _draw(plan):
    if plan["seed"] is not None:
        return program(plan["seed"])
    return Draw(0, "attack", NODES[0], tuple(plan["liars"]), 1, ())


def _field(plan, charter, seeds):
    found, keys = _draw(plan), tuple(card.key for card in charter.members)
    opened = Opened(BOARDS[found.board], [Identity(seed) for seed in seeds], seeds, keys)
    if "earlier game" in str(found):
        opened = opened._replace(past=_cycled(Past(_Before(charter, seeds, opened.board)), found.rounds))
    return Field(opened, found)


class _Words(dict):
    """By moment; what was said in the first rounds after the burn-in, for all that follow."""

    rounds = 1

    def get(self, moment, default=None):
        round = BURN_IN + 1 + (moment.round - BURN_IN - 1) % self.rounds
        return super().get(moment._replace(round=round), default)


def _cycled(past, rounds):
    past.words = _Words(past.words)
    past.words.rounds = rounds
    return past


def _role(plan, system, me, seed, field):
    if not plan["attack"]:
        return LyingRole(system.role(me, seed), me, field)
    n, k = len(field.members), len(MEANS)
    attack = ATTACKS[plan["attack"]]().record(Bernoulli(np.tile(MEANS, (n, 1))))
    allies = np.array([m in field.draw.liars for m in field.members])
    assert k == len(system.facts.first.state.accounts.estimates)

    def attacker(*about, **more):
        return AttackerRole(*about, attack=attack, allies=allies, **more)

    return LyingRole(system.role(me, seed, attacker), me, field)


async def _application(player):
    """One request a round, answered at once."""
    last, tickets = 0, player.tickets
    while player.phase != "done":
        if tickets.arm >= 0 and tickets.round > last:
            decision, last = tickets.decide(), tickets.round
            await player.take([tickets.outcome(decision.ticket, pays(player.me, decision.round, decision.arm))])
        await asyncio.sleep(0.005)


async def play(plan):
    """A whole game, until it is told to stop."""
    folders = [Folder(Path(path)) for path in plan["members"]]
    charter, seeds = folders[0].charter(), [folder.seed() for folder in folders]
    system, shared, field = system_of(charter), Shared(), _field(plan, charter, seeds)
    players, stopping = [], told_to_stop()
    for me in field.draw.liars:
        transport = Ears(shared.transport(charter, me, seeds[me], ""), field)
        store, role = Store(folders[me].path / FILE), _role(plan, system, me, seeds[me], field)
        players.append(Player(charter, me, seeds[me], system, store, transport, role=role))
    tasks = [asyncio.create_task(work) for one in players for work in (one.run(), _application(one))]
    ends = asyncio.create_task(stopping.wait())
    for folder in (folders[me] for me in field.draw.liars):
        folder.says_where("http://127.0.0.1:1")  # it is up
    pending = {*tasks, ends}
    while not ends.done():
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for player in players:
        await player.stop()


if __name__ == "__main__":
    asyncio.run(play(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
