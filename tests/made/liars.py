"""Games with liars that follow a script."""

from typing import Any

import numpy as np

from folkmoot.bc_ucb.algorithm import Params
from folkmoot.bc_ucb.attacks import ATTACKS
from folkmoot.bc_ucb.contract import ONE, Terms
from folkmoot.bc_ucb.protocol import Game
from folkmoot.bc_ucb.scripted import SELECTIVE, LiarsTable, Script, mute, silent_towards_some
from folkmoot.world.rewards import Bernoulli

__all__ = ["BURN_IN", "SELECTIVE", "LiarsTable", "liars_game", "mute", "played", "silent_towards_some"]

BURN_IN = 20


def liars_game(m: int, seed: int, rounds: int, burn_in: int = BURN_IN, liars: int | None = None, **fields: Any) -> Game:
    """`m` participants, the last (m - 1) // 3 of whom (or so many) lie; 2 `m` validators are expected."""
    rewards, faulty = Bernoulli((0.3, 0.8), n_agents=m), (m - 1) // 3
    params = Params(m, 2, burn_in, 2.0, 1500, 1000, faulty, True, True)
    terms = Terms(m, 2, faulty, 2 * m, 0, 0, ONE // 10, int(np.log(2) * ONE))
    malicious = np.arange(m) >= m - (faulty if liars is None else liars)
    attack = ATTACKS["attack"]().record(rewards)
    points = np.array([burn_in + rounds])
    return Game(params, terms, rewards.record(), attack, malicious, seed, points, **fields)


def played(game: Game, script: Script, replicate: int = 0) -> LiarsTable:
    """The table after the game."""
    with LiarsTable(game, script, replicate) as table:
        return table.play()
