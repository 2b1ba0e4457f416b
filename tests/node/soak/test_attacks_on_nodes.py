"""Every attack of the library, and adversaries of the search, as processes among nodes: a game of seven for each.

    make soak                                                                        all of them, after the kills
    python -m pytest -m soak -s tests/node/soak/test_attacks_on_nodes.py -k seed-017          one of them again
    python -m pytest -m soak -s -n 2 tests/node/soak/test_attacks_on_nodes.py                 two games at a time

No test here looks at how long something took.
"""

import os
import time

import pytest
from arena_of_nodes import Game
from seen import note

from folkmoot.bc_ucb.attacks import ATTACKS

pytestmark = pytest.mark.soak
ROUNDS = int(os.environ.get("FOLKMOOT_SOAK_ROUNDS", "24"))  # of a game, after its burn-in
SEEDS = range(int(os.environ.get("FOLKMOOT_SOAK_ADVERSARIES", "50")))
LIBRARY = [name for name in ATTACKS if name != "attack"]
LEAST_SHARE = 0.95


def name_of(seed):
    return f"seed-{seed:03}"


def judged(tmp_path, name, **liars):
    began = time.monotonic()
    with Game(tmp_path, ROUNDS, **liars) as game:
        result = game.play(1_800)
    about = result._asdict() | {"what": name, "seconds": round(time.monotonic() - began)}
    note(**about)
    again = f"{result.program}\nagain: python -m pytest -m soak -s tests/node/soak/test_attacks_on_nodes.py -k {name}"
    assert result.verdicts == [], again
    assert result.calm_blocks >= LEAST_SHARE * result.calm, f"lost {result.lost}: {again}"


@pytest.mark.parametrize("attack", LIBRARY)
def test_an_attack_of_the_library_splits_and_stops_nothing(tmp_path, attack):
    judged(tmp_path, attack, attack=attack)


@pytest.mark.parametrize("seed", SEEDS, ids=name_of)
def test_an_adversary_of_the_search_splits_and_stops_nothing(tmp_path, seed):
    judged(tmp_path, name_of(seed), seed=seed)


def test_what_is_looked_at_here_can_be_seen(tmp_path):
    """Nodes that do not pass on what others lack are stopped by reports to bare majorities."""
    with Game(tmp_path, 10, attack="bare_majority", broken="pushing") as game:
        result = game.play(1_800)
    note(**result._asdict(), what="bare_majority, nothing is passed on")
    assert result.blocks < LEAST_SHARE * result.rounds
