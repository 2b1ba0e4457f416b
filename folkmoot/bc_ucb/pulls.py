"""A participant's own pulls: what it has learnt from those that were paid, and those that wait for it."""

from collections.abc import Mapping
from functools import partial
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from folkmoot.bc_ucb.algorithm import Params, State
from folkmoot.bc_ucb.records import checked
from folkmoot.bc_ucb.round import is_paid, learn
from folkmoot.encoding import Limits, Malformed, decode, encode
from folkmoot.interface import init
from folkmoot.machine import Delete, Keep, Put

_PULL, _LEARNT = "pull/", "learnt"
_LARGEST = 2.0**30  # of a reward: scaled, it and a mean of such rewards fit into 64 bits
_LIMITS = Limits(size=1 << 20, depth=1, items=4, int_size=8)


class Pull(NamedTuple):
    """An arm that was pulled, and what it brought; None: that has not come yet."""

    arm: int
    reward: float | None


def _read_round(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and str(int(text)) == text):
        raise Malformed(f"pull of round {text!r:.40}: expected a number")
    return int(text)


def _read_pull(data: bytes, arms: int) -> Pull:
    value = decode(data, _LIMITS)
    if type(value) is not tuple or tuple(map(type, value)) not in ((int, float), (int, type(None))):
        raise Malformed("pull: expected an arm and a reward, or None")
    if not 0 <= value[0] < arms:
        raise Malformed(f"pull of arm {value[0]}: expected 0 to {arms - 1}")
    return Pull(*value)


class Pulls:
    """What a participant has pulled. Each method that changes it gives what is to be kept.

    Attributes:
        learnt: pulls that were paid; of the tables of `State` only the participant's own row is used.
        pending: pulls of rounds that are not yet paid, by round.
    """

    def __init__(self, index: int, params: Params, kept: Mapping[str, bytes]) -> None:
        """`kept`: by an earlier one.

        Raises:
            Malformed: bytes that are not what is kept here.
        """
        self._index, self._params = index, params
        self.learnt: State = init(params)
        self.pending: dict[int, Pull] = {}
        if _LEARNT in kept:
            pulls, mean = checked(decode(kept[_LEARNT], _LIMITS), (np.ndarray, np.ndarray), _LEARNT)
            for told, row in ((pulls, self.learnt.pulls[index]), (mean, self.learnt.mean[index])):
                if told.dtype != row.dtype or told.shape != row.shape:
                    raise Malformed(f"{_LEARNT}: {told.dtype} {told.shape}, expected {row.dtype} {row.shape}")
                row[:] = told
        for key, data in kept.items():
            if key.startswith(_PULL):
                self.pending[_read_round(key.removeprefix(_PULL))] = _read_pull(data, params.n_arms)

    def pull(self, round: int, arm: int) -> list[Keep]:
        """An arm is about to be pulled."""
        return [self._pending(round, Pull(arm, None))]

    def outcome(self, round: int, reward: float | None) -> list[Keep]:
        """What a pull brought; None: nothing ever. One that is paid, forgotten or told already changes nothing.

        It is learnt from at once in the burn-in, else once it is paid.
        """
        pull = self.pending.get(round)
        if pull is None or pull.reward is not None:
            return []
        if reward is None or not isfinite(reward):
            return [self._forget(round)]
        if is_paid(self._params, round, False):
            return [self._forget(round), self._learn(pull.arm, reward)]
        return [self._pending(round, pull._replace(reward=reward))]

    def settle(self, round: int, reported: bool) -> list[Keep]:
        """A block of this round is final: does it hold the own report? No pull up to this round waits any longer."""
        pull = self.pending.get(round)
        kept: list[Keep] = [self._forget(earlier) for earlier in [*self.pending] if earlier <= round]
        if is_paid(self._params, round, reported) and pull is not None and pull.reward is not None:
            kept.append(self._learn(pull.arm, pull.reward))
        return kept

    def _pending(self, round: int, pull: Pull) -> Put:
        self.pending[round] = pull
        return Put(f"{_PULL}{round}", partial(encode, tuple(pull)))

    def _forget(self, round: int) -> Delete:
        del self.pending[round]
        return Delete(f"{_PULL}{round}")

    def _learn(self, arm: int, reward: float) -> Put:
        learn(self.learnt, self._index, arm, reward)
        rows = self.learnt.pulls[self._index].copy(), self.learnt.mean[self._index].copy()
        return Put(_LEARNT, partial(encode, rows))


def number(reward: Any) -> float | None:
    """The reward of an outcome; anything but one number of at most 2**30 is as if none had come."""
    if isinstance(reward, tuple):
        reward = reward[0] if len(reward) == 1 else None
    is_number = isinstance(reward, int | float | np.integer | np.floating) and not isinstance(reward, bool)
    return float(reward) if is_number and abs(reward) <= _LARGEST else None
