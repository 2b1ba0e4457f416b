"""What liars do in an exchange, drawn from a seed."""

from typing import NamedTuple

import numpy as np

from folkmoot.multiparty import exchange_liar
from folkmoot.multiparty.adaptive import CANDIDATES, RECALLS, SHOWS, VOTES

SPREAD = ((0, 3, 6), (1, 4, 7), (2, 5, 9), (0, 4, 7))  # at most one of three owners of a class, or two of four
WAYS = {"shows": SHOWS, "votes": VOTES, "recalls": RECALLS, "candidate": CANDIDATES}


class Lies(NamedTuple):
    """Which parties lie, and how; `each`: samples of a class that are revealed, `world`: seed of the board."""

    seed: int
    world: int
    classes: int
    liars: tuple
    ways: dict
    each: int

    def __str__(self):
        ways = ", ".join(f"{name} {way}" for name, way in self.ways.items() if way != "honest")
        who = f"parties {list(self.liars)} of 10 with {self.classes} classes each"
        return f"world {self.world}, {who}, {self.each} samples a class: {ways or 'nothing'}"


def draw(seed):
    """The lies of a seed: each way is a lie with probability one half."""
    dice = np.random.default_rng([seed, 54, 1])
    ways = {name: str(dice.choice(known[1:])) if dice.random() < 0.5 else "honest" for name, known in WAYS.items()}
    if dice.random() < 0.3:  # one way alone, and one liar
        only = str(dice.choice(list(WAYS)))
        ways = {name: str(dice.choice(known[1:])) if name == only else "honest" for name, known in WAYS.items()}
    if all(way == "honest" for way in ways.values()):
        ways["shows"] = str(dice.choice(SHOWS[1:]))
    liars = SPREAD[int(dice.integers(len(SPREAD)))][: int(dice.integers(1, 4))]
    if ways["votes"] == "silent":  # all judges of a class, who do nothing else
        liars, ways = (0, 1, 2), dict.fromkeys(WAYS, "honest") | {"votes": "silent"}
    return Lies(seed, int(dice.integers(2)), 3, liars, ways, int(dice.integers(1, 6)))  # fmt: skip


def corrupted(board, lies):
    """The parties of a board, some lying."""
    trigger = np.zeros(board.x.shape[1:], np.float32)
    trigger[0] = 1.0  # a corner that no digit reaches
    return [
        exchange_liar(party, allies=lies.liars, pool=board.pools[i], trigger=trigger, **lies.ways)
        if i in lies.liars
        else party
        for i, party in enumerate(board.parties)
    ]
