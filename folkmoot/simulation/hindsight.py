"""What each arm would have paid, had all agents always pulled it: coins have coordinates, so it can be looked up."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from folkmoot.coins import replicate_coins, seed_words
from folkmoot.interface import draw_presence, here, lies, objectives, pay, scene, set_scene
from folkmoot.simulation.compiled import compiled
from folkmoot.simulation.parts import Played
from folkmoot.world.own_laws import payments_named


def offered(job: Played, replicate: int) -> NDArray[np.float64]:
    """float64 [checkpoints, n_arms]: what each arm would have paid so far, summed over honest agents that were there.

    It pays every arm to every agent in every round.
    """
    world, checkpoints = job.world(), job.checkpoints
    paid = np.zeros((len(checkpoints), job.rewards.n_arms))
    records = (world.rewards, world.presence, world.liars)
    function: Any = play_hindsight
    if job.engine == "compiled":
        function = compiled(play_hindsight, hindsight_rounds, records)
    words = seed_words(job.seed)
    with payments_named(world.rewards, type(job.rewards).__name__):
        function(*records, *words, replicate, job.rewards.n_agents, checkpoints, paid)
    return paid


def play_hindsight(
    rewards: Any,
    presence: Any,
    liars: Any,
    seed_low: int,
    seed_high: int,
    replicate: int,
    n_agents: int,
    checkpoints: NDArray[np.int64],
    paid: NDArray[np.float64],
) -> None:
    """One replicate: fills `paid`."""
    reward, present = np.zeros((n_agents, objectives(rewards)), np.float64), np.ones(n_agents, np.bool_)
    coins, nature = replicate_coins(seed_low, seed_high, replicate), scene(rewards)
    hindsight_rounds(rewards, presence, liars, coins, nature, present, reward, checkpoints, paid)


def hindsight_rounds(
    rewards: Any,
    presence: Any,
    liars: Any,
    coins: Any,
    nature: Any,
    present: NDArray[np.bool_],
    reward: NDArray[np.float64],
    checkpoints: NDArray[np.int64],
    paid: NDArray[np.float64],
) -> None:
    """All rounds of it. Allocates nothing."""
    c = 0
    for t in range(1, checkpoints[-1] + 1):
        draw_presence(presence, t, coins, present)
        set_scene(rewards, t, coins, nature)
        for i in range(len(present)):
            if here(presence, present, i) and not lies(liars, i):
                for k in range(paid.shape[1]):
                    pay(rewards, nature, i, k, t, coins, reward)
                    paid[c, k] += reward[i, 0]
        if t == checkpoints[c]:
            c += 1
            if c < len(checkpoints):
                for k in range(paid.shape[1]):
                    paid[c, k] = paid[c - 1, k]
