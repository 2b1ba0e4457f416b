"""A small consortium with its chain: two-layer nets on eight numbers, four classes, three original parties."""

import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from nacl.signing import SigningKey
from torch import nn

from folkmoot import ledger
from folkmoot.ledger.file import LastBlock, head_of, insert, next_seal, writing
from folkmoot.ledger.place import place_of
from folkmoot.multiparty.chain.entries import entry
from folkmoot.multiparty.chain.local_party import LocalParty
from folkmoot.multiparty.chain.messages import application
from folkmoot.multiparty.chain.miner import Miner
from folkmoot.multiparty.chain.original_party import OriginalParty
from folkmoot.multiparty.chain.standing import configuration
from folkmoot.multiparty.models.architectures import register_architecture
from folkmoot.multiparty.models.torch_model import TorchModel
from folkmoot.multiparty.party import Party
from folkmoot.multiparty.rules.terms import Terms

INPUTS, CLASSES = 8, 4
NAMES = ("ada", "bob", "cyd")
KNOWN = ((0, 1, 2, 3), (0, 1, 2), (1, 2, 3))


def tiny(n_outputs):
    return nn.Sequential(nn.Linear(INPUTS, 5), nn.Tanh(), nn.Linear(5, n_outputs))


register_architecture("tiny", tiny)


def key(n):
    return SigningKey(bytes([n]) * 32)


def public(n):
    return key(n).verify_key.encode()


MINER = 9  # number of the key of the one miner that is no party
# Where all know all classes, those who could contradict a sample are those who made it one: the printed rules.
TERMS = {"delta": 0.3, "sigma": 0.9, "omega": 0.26, "eta": 0.02, "score_gradient": "probability", "rules": "printed"}


def terms(**more):
    return Terms(CLASSES, (INPUTS,), **{**TERMS, **more})


def data(seed, classes, samples=300):
    """Four overlapping clouds: samples [samples, 8] and labels."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(classes, samples)
    x = generator.normal(size=(samples, INPUTS)) + 1.2 * np.eye(INPUTS)[labels]
    return x.astype(np.float32), labels


def trained(seed, classes, samples=300):
    """A net after a few passes over its data."""
    x, labels = data(seed, classes, samples)
    torch.manual_seed(seed)
    module = tiny(len(classes))
    optimiser = torch.optim.Adam(module.parameters(), 0.05)
    given, wanted = torch.from_numpy(x), torch.from_numpy(np.searchsorted(classes, labels))
    for _ in range(30):
        optimiser.zero_grad()
        nn.functional.cross_entropy(module(given), wanted).backward()
        optimiser.step()
    return TorchModel(module, classes, architecture="tiny")


MODELS = [trained(seed, classes) for seed, classes in enumerate(KNOWN)]


torch.manual_seed(0)
RAW = TorchModel(tiny(2), (0, 3), architecture="tiny")  # never trained


def genesis(contents, work_bits=0, **more):
    originals = [entry(n, public(i), m, contents) for i, (n, m) in enumerate(zip(NAMES, MODELS, strict=True))]
    return ledger.Genesis("bema", configuration(terms(**more), originals, [public(MINER)]), work_bits)


def created(path, **more):
    """A ledger file before its first block."""
    return ledger.create(path, genesis(ledger.beside(path), **more))


def party(chain, number, signing=None, samples=300, seed=None):
    """The party of a number, with data of its own."""
    found = chain.state.parties[number]
    x, labels = data(number if seed is None else seed, found.classes, samples)
    own = Party(found.name, chain.state.committee.fleet.model(number), x, labels)
    signing = key(number) if signing is None else signing
    return LocalParty(signing, chain.genesis.hash, number, own, np.random.default_rng(number))


def original(number):
    return OriginalParty(key(number), *data(number, KNOWN[number]))


def asks(chain, n=4, classes=(0, 1), model=None, name="dan"):
    """The application of a newcomer with key number n."""
    model = trained(n, classes) if model is None else model
    return application(key(n), chain.genesis.hash, entry(name, public(n), model, chain.state.contents))


def next_block(book, miner, parties, wanted=2, time=0):
    """One round: all send, the miner makes a block, it is stored."""
    for one in parties:
        for message in one.mine(book.chain.state.committee, wanted):
            miner.receive(message)
    block = miner.block(time, samples=wanted * len(parties))
    miner.follow(book.append(block), [block])
    return block


def made(path, blocks=4, **more):
    """A ledger file with a registration (block 1), a refusal (block 2) and calibration after them."""
    with created(path, **more) as book:
        miner = Miner(key(MINER), book.chain)
        for asked in (asks(book.chain), asks(book.chain, 5, (0, 3), RAW, "eve")):
            block = miner.admission(original(0).assess(book.chain, asked), 1)
            miner.follow(book.append(block), [block])
        parties = [party(book.chain, number) for number in range(3)] + [party(book.chain, 3, key(4), seed=4)]
        for number in range(3, blocks + 1):
            next_block(book, miner, parties, 2, number)
    return path


def copied(path, to):
    """A ledger file and its contents once more."""
    shutil.copy(path, to)
    shutil.copytree(f"{path}.contents", f"{to}.contents")
    return Path(to)


def forced(path, block):
    """Write a block at the end of a ledger file, whatever it says."""
    with closing(writing(place_of(path))) as database:
        head = head_of(database)
        data = block.to_bytes()
        assert insert(database, head, LastBlock(head.height + 1, block.hash, next_seal(head.seal, data)), data)
