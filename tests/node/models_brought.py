"""A consortium of models for tests of nodes: softmax regressions on clouds; no library has a say in their numbers."""

import numpy as np
from consortium import Consortium, seeds_of

from folkmoot.node.brought import bring
from folkmoot.node.charter import propose
from folkmoot.node.folder import Folder
from folkmoot.node.store import FILE, Store
from folkmoot.node.systems import system_of
from folkmoot.node.terms import Terms

INPUTS, CLASSES = 6, 4
RULES = {"delta": 0.2, "sigma": 0.9, "eta": 0.05}


def clouds(seed, samples, classes):
    """Overlapping clouds: samples [samples, 6] and labels."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(list(classes), samples)
    x = generator.normal(size=(samples, INPUTS)) + 1.5 * np.eye(INPUTS)[labels]
    return x.astype(np.float32), labels


def party_of(number):
    """Member number `number` knows three of four classes."""
    from folkmoot.multiparty.models import blank
    from folkmoot.multiparty.party import Party

    classes = sorted((number + k) % CLASSES for k in range(3))
    model = blank("linear/softmax", tuple(classes), (INPUTS, (), ()))
    noise = np.random.default_rng(number).normal(size=(len(classes), INPUTS))
    model.weights = (np.eye(INPUTS)[classes] + 0.4 * noise).astype(np.float32)
    x, y = clouds(100 + number, 150, classes)
    return Party(f"site-{number}", model, x, y, check=clouds(200 + number, 40, classes))


def brought_by(folders, parties):
    """What the terms of a charter have for these models."""
    return [bring(folder, party) for folder, party in zip(folders, parties, strict=True)]


def folders_in(path, members, port=9000):
    """Data folders without a charter."""
    made = []
    for number, seed in enumerate(seeds_of(members)):
        where = f"127.0.0.1:{port + number}"
        made.append(Folder.make(path / f"site-{number}", f"site-{number}", where, seed=seed))
    return made


def charter_of_models(folders, tables, *, rounds=12, wanted=3, most=8, seed=7, join=True, **more):
    """A charter that all have signed; if they `join`, in each folder."""
    n = len(folders)
    settings = {
        "classes": CLASSES, "shape": [INPUTS], "models": tables, "wanted": wanted, "most": most, "rules": RULES,
        **more.pop("settings", {}),
    }  # fmt: skip
    given = {
        "name": "a test", "system": "bema", "rounds": rounds, "start": "2026-01-01T00:00:00Z", "period": 0.0,
        "play": 0.0, "stage": 5.0, "faults": (n - 1) // 3, "settings": settings, "seed": seed, **more,
    }  # fmt: skip
    charter = propose(Terms(**given), [folder.card for folder in folders])
    for folder in folders:
        charter = charter.signed(folder.seed())
    for folder in folders if join else ():
        folder.join(charter)
    return charter


class Learners(Consortium):
    """Players with data folders; nobody plays an arm."""

    def __init__(self, charter, folders, lies=None):
        self.folders, self.lies = folders, lies or {}
        super().__init__(charter, _NoRewards(), None)

    async def application(self, player):
        """Nobody asks what to play."""

    def player(self, me):
        folder = self.folders[me]
        system = system_of(self.charter)
        role = system.role(me, folder.seed(), folder=folder.path, lies=self.lies.get(me))
        return self.playing(me, system, Store(folder.path / FILE), role=role)


class _NoRewards:
    def record(self):
        return None


def blocks_of(kept):
    """Of a store, without the signatures, of which any quorum does."""
    from folkmoot.ledger.block import Block

    blocks = [Block.from_bytes(kept.block(height)) for height in range(1, kept.height + 1)]
    return [(block.header, block.records) for block in blocks]
