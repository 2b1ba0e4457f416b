"""Playing many drawn lies, and what came of it."""

from time import process_time
from typing import NamedTuple

from .board import board
from .drawing import corrupted, draw
from .goals import GOALS, outcome
from .twins import broken


class Found(NamedTuple):
    """What the lies of a seed reached."""

    seed: int
    goal: str
    detail: str


def play(seed, goals=GOALS):
    """The goal that the lies of a seed reach, or None."""
    lies = draw(seed)
    world = board(lies.world, lies.classes)
    return outcome(world, lies, corrupted(world, lies), goals)


def search(first, draws, rule=None, goals=GOALS, stops=False):
    """Play the lies of `draws` seeds from `first` on: (what was found, how many were played, seconds)."""
    found, begun, played = [], process_time(), 0
    with broken(rule):
        for seed in range(first, first + draws):
            win, played = play(seed, goals), played + 1
            if win is not None:
                found.append(Found(seed, win.goal, win.detail))
                if stops:
                    break
    return found, played, process_time() - begun
