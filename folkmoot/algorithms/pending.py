"""Pulls that wait for their outcome: of each its round and arm, on disk until the outcome has entered, or never will.

How it works. An outcome names the round of its pull, so that it finds the arm, whatever order outcomes come in, and
however often. The agent takes in at most one in a round: the one that came first; of those that came in one step, that
of the earliest pull. Who has waited longer than the window is forgotten.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from folkmoot.algorithms.learner import as_reward
from folkmoot.encoding import Malformed, decode, encode
from folkmoot.machine import Delete, Keep, Moment, Outcome, Put

WINDOW = 1_000  # rounds after its pull in which an outcome is still taken
_KEY = "pull."


class Came(NamedTuple):
    """An outcome that came and has not entered."""

    at: Moment
    reward: NDArray[np.float64]  # [n_objectives]
    verified: bool


class Entering(NamedTuple):
    """An outcome that enters in this round, and the arm it is of."""

    arm: int
    reward: NDArray[np.float64]  # [n_objectives]
    verified: bool


class Pending:
    """The pulls of one agent that wait."""

    def __init__(self, n_arms: int, n_objectives: int, window: int, bounded: bool = False) -> None:
        """`window`: rounds after a pull in which its outcome is still taken, at least 1. `bounded`: to [0, 1]?"""
        self._n_arms, self._n_objectives, self._window = n_arms, n_objectives, window
        self._bounded = bounded
        self._pulls: dict[int, tuple[int, Came | None]] = {}  # by round, in increasing order
        self._changed: set[int] = set()

    @property
    def awaited(self) -> dict[int, int]:
        """The arms of the pulls whose outcome has not come, by round."""
        return {round: arm for round, (arm, came) in self._pulls.items() if came is None}

    def awaits(self, round: int) -> bool:
        """Does the pull of this round wait for its outcome?"""
        return round in self._pulls and self._pulls[round][1] is None

    def add(self, round: int, arm: int) -> None:
        """Wait for the outcome of this arm, pulled in this round, which is the latest."""
        self._pulls[round] = (arm, None)
        self._changed.add(round)

    def take(self, outcome: Outcome, at: Moment, now: int) -> str:
        """Note an outcome that came in round `now`; what was wrong with it, or nothing."""
        if outcome.round > now:
            return "outcomes before the pull"
        if outcome.round not in self._pulls:
            return "outcomes repeated" if outcome.round == now else "outcomes too late"
        arm, came = self._pulls[outcome.round]
        if came is not None:
            return "outcomes repeated"
        self._changed.add(outcome.round)
        if (reward := as_reward(outcome.reward, self._n_objectives, self._bounded)) is None:
            del self._pulls[outcome.round]
            one = as_reward(outcome.reward, self._n_objectives) is not None
            return "outcomes out of the range of rewards" if one else "outcomes that never came"
        self._pulls[outcome.round] = (arm, Came(at, reward, outcome.verified))
        return ""

    def enter(self) -> Entering | None:
        """The outcome that enters now; its pull waits no longer."""
        came = [(pull[1].at, round) for round, pull in self._pulls.items() if pull[1] is not None]
        if not came:
            return None
        _, round = min(came)
        self._changed.add(round)
        arm, outcome = self._pulls.pop(round)
        assert outcome is not None
        return Entering(arm, outcome.reward, outcome.verified)

    def forget(self, now: int) -> int:
        """Give up pulls that have waited longer than the window in round `now`; how many. What came stays."""
        old = [round for round in self._pulls if round < now - self._window and self.awaits(round)]
        for round in old:
            del self._pulls[round]
        self._changed.update(old)
        return len(old)

    # --- What is kept ----------------------------------------------------------------------------------------------

    def changes(self) -> list[Keep]:
        """What is to be kept since the last call."""
        out: list[Keep] = []
        for round in sorted(self._changed):
            key = f"{_KEY}{round}"
            out.append(Put(key, self._encoded(round)) if round in self._pulls else Delete(key))
        self._changed.clear()
        return out

    def _encoded(self, round: int) -> bytes:
        arm, came = self._pulls[round]
        return encode((arm, None if came is None else (tuple(came.at), came.reward, came.verified)))

    def load(self, kept: Mapping[str, bytes]) -> None:
        """Put back what was kept.

        Raises:
            Malformed: it is damaged.
        """
        found = {key.removeprefix(_KEY): value for key, value in kept.items() if key.startswith(_KEY)}
        if not all(number.isascii() and number.isdecimal() for number in found):
            raise Malformed(f"pulls {sorted(found)!r:.80}: expected their rounds in what was kept")
        for number in sorted(found, key=int):
            self._pulls[int(number)] = self._decoded(found[number])

    def _decoded(self, data: bytes) -> tuple[int, Came | None]:
        value = decode(data)
        if type(value) is not tuple or len(value) != 2 or type(value[0]) is not int or not 0 <= value[0] < self._n_arms:
            raise Malformed("pull: expected an arm and an outcome in what was kept")
        arm, came = value
        if came is None:
            return arm, None
        if type(came) is not tuple or len(came) != 3 or type(came[0]) is not tuple or type(came[2]) is not bool:
            raise Malformed("pull: expected when its outcome came, a reward and whether it was verified")
        reward = as_reward(came[1], self._n_objectives, self._bounded)
        if reward is None or tuple(map(type, came[0])) != (int, int):
            raise Malformed("pull: expected when its outcome came, a reward and whether it was verified")
        return arm, Came(Moment(*came[0]), reward, came[2])
