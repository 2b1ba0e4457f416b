"""Machines of a consortium with four classes, of which each party knows two or three; see made_voted.py."""

from functools import partial

import numpy as np
from made_voted import Play

from folkmoot import ledger
from folkmoot.machine import Effects, Moment
from folkmoot.multiparty.chain.entries import entry
from folkmoot.multiparty.chain.exchanging import Exchanging
from folkmoot.multiparty.chain.participant import Role
from folkmoot.multiparty.chain.records import read_head
from folkmoot.multiparty.chain.standing import configuration
from folkmoot.multiparty.chain.voting import Voting
from folkmoot.multiparty.models import blank
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.rules.terms import Terms
from folkmoot.signatures import SigningKey, public_key

INPUTS, CLASSES, MEMBERS, SEED = 6, 4, 4, 5
TERMS = {"edition": 2, "refusals": 8, "approvals": 1}
AGREED = Exchanging(each=3, most=2, seed=SEED, patience=3)


def clouds(seed, samples, classes):
    generator = np.random.default_rng(seed)
    labels = generator.choice(list(classes), samples)
    x = generator.normal(size=(samples, INPUTS)) + 2.5 * np.eye(INPUTS)[labels]
    return x.astype(np.float32), labels


def party(number, seed=None):
    """It knows two or three of four classes, and is sure of them wherever it looks."""
    classes = sorted((number + k) % CLASSES for k in range(2 + number % 2))
    model = blank("linear/softmax", tuple(classes), (INPUTS, (), ()))
    model.weights = np.eye(INPUTS)[classes].astype(np.float32)
    model.weights += 0.8 * np.random.default_rng(number).normal(size=model.weights.shape).astype(np.float32)
    key = bytes([number + 1]) * 32
    return Party(f"p{number}", model, *clouds(number, 80, classes), key=key, check=clouds(50 + number, 60, classes))


def played(parties, agreed=AGREED, guests=(), miners=(), wanted=0, terms=None, **more):
    """Machines of these parties, each with a store of its own; then of those who only make blocks, and of guests."""
    roles, settings = [], Terms(CLASSES, (INPUTS,), **{**TERMS, **(terms or {})})
    secrets = sorted(miners, key=lambda secret: public_key(SigningKey(secret)))
    for one in (*parties, *secrets, *guests):
        contents, known = ledger.MemoryContents(), isinstance(one, Party)
        entries = [entry(p.name, public(p), p.model, contents) for p in parties]
        told = configuration(settings, entries, [public_key(SigningKey(secret)) for secret in secrets], Voting())
        asks = entry(one.name, public(one), one.model, contents) if one in guests else None
        data, chain = one if known else None, ledger.start(ledger.Genesis("bema", told), contents)
        own = partial(Role, one.key if known else one, chain, data if wanted else None, wanted=wanted, most=8)
        roles.append(own(asks=asks, party=lambda data=data: data, exchanging=agreed))
    return Play(roles, **more)


def public(one):
    """Of a party."""
    return public_key(SigningKey(one.key))


def machine(play, number):
    return play.hosts[number].machine


def whats(play, number=0):
    return [read_head(block.records[0]).what for block in play.blocks(number)]


def models(chain):
    fleet = chain.state.committee.fleet
    return [fleet.hash(number) for number in range(len(fleet))]


def call(play, number=0, each=3):
    """A member calls for an exchange."""
    effects = Effects()
    machine(play, number).convening.call(each, effects)
    play.hosts[number].kept.store(Moment(play.round, 6)._replace(stage=99), effects.keep)


def until(play, height, number=0, most=16):
    """Play until there are so many blocks; what they are."""
    while machine(play, number).chain.height < height and play.round < most:
        play.play(1)
    return whats(play, number)
