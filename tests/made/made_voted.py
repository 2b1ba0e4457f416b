"""A consortium whose blocks are voted on, each participant a machine of its own, on the network in memory."""

from functools import cache

import numpy as np

from folkmoot import ledger
from folkmoot.coins import replicate_coins
from folkmoot.machine import Moment, Received
from folkmoot.multiparty.chain.entries import entry
from folkmoot.multiparty.chain.original_party import OriginalParty
from folkmoot.multiparty.chain.participant import COMMIT, Role
from folkmoot.multiparty.chain.standing import configuration
from folkmoot.multiparty.chain.voting import Voting
from folkmoot.multiparty.models import blank
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.signatures import SigningKey
from folkmoot.simulation.host import Host
from folkmoot.simulation.network import Address, Network

INPUTS, CLASSES = 6, 3
NAMES, MINERS = ("ada", "bob", "cyd"), (7, 8)  # numbers of keys
TERMS = {"delta": 0.2, "sigma": 0.9, "omega": 0.3, "eta": 0.05, "rules": "printed"}


def key(n):
    return SigningKey(bytes([n + 1]) * 32)


def public(n):
    return key(n).verify_key.encode()


def data(seed, samples=120, classes=range(CLASSES)):
    """Three overlapping clouds: samples [samples, 6] and labels."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(list(classes), samples)
    x = generator.normal(size=(samples, INPUTS)) + 0.9 * np.eye(INPUTS)[labels]
    return x.astype(np.float32), labels


@cache
def model(seed, classes=tuple(range(CLASSES))):
    """Softmax regression that has an idea of the clouds, each seed another; no library has a say in its numbers."""
    found = blank("linear/softmax", classes, (INPUTS, (), ()))
    noise = np.random.default_rng(seed).normal(size=(len(classes), INPUTS))
    found.weights = (np.eye(INPUTS)[list(classes)] + 0.3 * noise).astype(np.float32)
    return found


def started(turns="rounds", miners=MINERS, work_bits=0, voting=True, **terms):
    """The chain before its first block, with a store of its own."""
    contents = ledger.MemoryContents()
    originals = [entry(name, public(i), model(i), contents) for i, name in enumerate(NAMES)]
    told = configuration(
        Terms(CLASSES, (INPUTS,), **{**TERMS, **terms}),
        originals,
        [public(n) for n in miners],
        Voting(turns) if voting else None,
    )
    return ledger.start(ledger.Genesis("bema", told, work_bits), contents)


def party(n, name):
    return Party(name, model(n), *data(n))


def original(n, chain, **more):
    """One of NAMES: it votes, sends samples and looks at newcomers."""
    own = party(n, NAMES[n])
    return Role(bytes([n + 1]) * 32, chain, own, OriginalParty(key(n), own.x, own.y), wanted=2, most=6, **more)


def miner(n, chain):
    return Role(bytes([n + 1]) * 32, chain, wanted=2, most=6)


def newcomer(n, chain, name="dan", classes=(0, 1), given=None):
    """A regular party, or one that wants to be one."""
    own = model(n, classes) if given is None else given
    asks = entry(name, public(n), own, chain.state.contents)
    return Role(bytes([n + 1]) * 32, chain, Party(name, own, *data(n, 120, classes)), asks=asks, wanted=2, most=6)


def roles(more=(), **chain):
    """Three original parties, then the miners in the order of their numbers among the members."""
    by_key = {public(n): n for n in chain.get("miners", MINERS)}
    miners = [miner(by_key[k], started(**chain)) for k in sorted(by_key)]
    return [*(original(n, started(**chain)) for n in range(len(NAMES))), *miners, *(f(started(**chain)) for f in more)]


class Play:
    """Machines on a network in memory.

    Args:
        roles: of the participants 0, 1, ...
        faults: of the network.
        seed: of the faults.
        tampered: what becomes of a message: (moment, sender, receiver, data) to bytes, or None: it is lost.
    """

    def __init__(self, roles, faults=None, seed=0, tampered=lambda moment, sender, receiver, data: data):
        self.hosts = [Host(role) for role in roles]
        self.addresses = [Address(i, 0) for i in range(len(roles))]
        stages = COMMIT + 1
        self.network = Network(self.addresses, faults, replicate_coins(seed, 0, 0), stages, 1)
        self.noticed, self.stages, self.round = [], stages, 0
        self._tampered = tampered

    def play(self, rounds):
        for _ in range(rounds):
            self.round += 1
            for stage in range(self.stages):
                self.stage(Moment(self.round, stage))
        return self

    def stage(self, moment):
        now = moment.round * self.stages + moment.stage
        arrived = self.network.deliver(now)
        sent = []
        for address, host in zip(self.addresses, self.hosts, strict=True):
            if self.network.is_down(now, address):
                if self.network.crashes(now, address):
                    host.restart()
                continue
            expected = host.machine.next
            if moment < expected or (moment != expected and moment.stage != 0):
                continue  # it waits for the next round
            inbox = [Received(sender, data) for sender, data in arrived.get(address, [])]
            effects = host.step(moment, inbox)
            self.noticed += [(address.participant, *notice) for notice in effects.noticed]
            sent += [(address, receiver, data) for receiver, data in effects.send]
        for address, receiver, data in sent:
            self._carry(now, moment, address, receiver, data)

    def _carry(self, now, moment, address, receiver, data):
        for to in range(len(self.hosts)) if receiver is None else [receiver]:
            if to != address.participant:
                told = self._tampered(moment, address.participant, to, data)
                if told is not None:
                    self.network.send(now, address, to, told)

    @property
    def chains(self):
        return [host.machine.chain for host in self.hosts]

    def blocks(self, i):
        kept = self.hosts[i].kept
        return [ledger.Block.from_bytes(kept.block(height)) for height in range(1, kept.height + 1)]
