"""Playing many drawn adversaries, and what came of it."""

import gc
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from time import perf_counter, process_time
from typing import NamedTuple
from unittest.mock import patch

from nacl.signing import SigningKey

from folkmoot import signatures
from folkmoot.agreement.signed_messages import Chained
from folkmoot.signatures import remembering

from .arena import opened, outcome
from .drawing import draw
from .goals import GOALS
from .programs import minimised
from .twins import broken

_CHUNK = 25  # seeds at a time
_REMEMBERED = 1 << 16  # signatures that were made or checked, messages of the agreement that were read


@contextmanager
def sharing():
    """Inside, what all members of all games compute alike is computed once: games of a board begin alike."""
    signed, decode = lru_cache(_REMEMBERED)(_signed), lru_cache(_REMEMBERED)(Chained.decode)
    with (
        remembering(_REMEMBERED),
        patch.object(signatures, "_signed", lambda key, message: signed(bytes(key), message)),
        patch.object(Chained, "decode", staticmethod(decode)),
    ):
        yield


def _signed(seed, message):
    return bytes(SigningKey(seed).sign(message).signature)


class Found(NamedTuple):
    """What a seed reached."""

    seed: int
    goal: str
    detail: str
    seconds: float  # of processor time, since the search began, of this process


class Report(NamedTuple):
    """What a search came to.

    Attributes:
        draws: how many were played.
        tried: in how many a goal's precondition was there.
        found: those that reached one, by seed.
        processor, wall: seconds.
    """

    draws: int
    tried: Counter
    found: list
    processor: float
    wall: float

    def __str__(self):
        reached = Counter(one.goal for one in self.found)
        lines = [f"{self.draws} draws, {self.processor:.0f} s of processor time ({self.wall:.0f} s on the clock)"]
        lines += [f"    {goal:8} tried {self.tried[goal]:6}, reached {reached[goal]:6}" for goal in GOALS]
        return "\n".join(lines)


def play(seed, goals=GOALS):
    """(the goal that the adversary of a seed reached or None, the goals it could have reached)."""
    found = draw(seed)
    return outcome(found, opened(found.board), goals)


def smallest(seed, goals=GOALS):
    """The minimised adversary of a seed that wins, and its goal."""
    found = draw(seed)
    board = opened(found.board)
    win, _ = outcome(found, board, goals)

    def wins(other):
        again, _ = outcome(other, board, goals)
        return again is not None and again.goal == win.goal

    found = minimised(found, wins)
    return found, outcome(found, board, goals)[0]


def _some(seeds, rule, goals, stops, focus):
    """One chunk: played in one process."""
    found, tried, begin, number = [], Counter(), process_time(), 0
    gc.freeze()  # of all that is there already, nothing becomes waste
    with broken(rule), sharing():
        for seed in seeds:
            number += 1
            if focus is not None and draw(seed).focus != focus:
                continue
            win, could = play(seed, goals)
            tried += could
            if win is not None:
                found.append(Found(seed, win.goal, win.detail, process_time() - begin))
                if stops:
                    break
    return number, found, tried, process_time() - begin


def search(first, draws, rule=None, goals=GOALS, jobs=1, stops=False, focus=None):
    """Play the adversaries of `draws` seeds from `first` on, with a rule broken (None: with none).

    The result is the same for any number of processes. `stops`: at the first that wins; those after it do not count.
    `focus`: the others are passed over.
    """
    begin, chunks = (
        perf_counter(),
        [range(s, min(s + _CHUNK, first + draws)) for s in range(first, first + draws, _CHUNK)],
    )
    some = partial(_some, rule=rule, goals=goals, stops=stops, focus=focus)
    played, found, tried, processor = 0, [], Counter(), 0.0
    with ProcessPoolExecutor(jobs) if jobs > 1 else _Here() as pool:
        for number, ones, could, seconds in pool.map(some, chunks):
            found += [one._replace(seconds=processor + one.seconds) for one in ones]
            played, processor = played + number, processor + seconds
            tried += could
            if found and stops:
                pool.shutdown(cancel_futures=True)
                break
    return Report(played, tried, found, processor, perf_counter() - begin)


class _Here:
    """No other process."""

    map = staticmethod(map)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def shutdown(self, cancel_futures=False):
        """Nothing runs."""
