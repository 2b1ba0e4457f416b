"""A participant's own pulls: what it has learnt from those that were paid, and those that wait for it.

The life of a pull after the burn-in: it is chosen, its outcome comes or does not, the round's report says so. A block
of the round that holds the report with its reward pays it. If the report said that none had come, the contract waits
for the outcome, which may be claimed in the reports of the next rounds: a block with the claim pays it. Then it is
learnt from. Whatever can no longer be paid is forgotten.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from folkmoot.bc_ucb.algorithm import Params, State
from folkmoot.bc_ucb.contract import rounded
from folkmoot.bc_ucb.earnings import PROOF_BYTES, claimable, is_signed, seal_of
from folkmoot.bc_ucb.records import NO_REWARD, SEAL_BYTES, Claim, checked
from folkmoot.bc_ucb.round import in_burn_in, is_paid, learn
from folkmoot.bc_ucb.state import State as OnChain
from folkmoot.encoding import Limits, Malformed, decode, encode
from folkmoot.interface import init
from folkmoot.machine import Delete, Keep, Outcome, Put

_PULL = "pull/"
LEARNT = "learnt"  # the key of own pulls that were paid: how many of each arm, and their means
_LIMITS = Limits(size=1 << 20, depth=1, items=4, int_size=8)


class Pull(NamedTuple):
    """An arm that was pulled, and what it brought; None: that has not come yet."""

    arm: int
    reward: float | None
    proof: bytes = b""  # blinding and the environment's signature, or nothing

    def claim(self, round: int) -> Claim:
        """Its outcome, to be told to others."""
        if self.reward is None:
            return Claim(round, NO_REWARD, b"", b"")
        if not self.proof:
            return Claim(round, rounded(self.reward), b"", b"")
        blinding, signature = self.proof[:SEAL_BYTES], self.proof[SEAL_BYTES:]
        return Claim(round, rounded(self.reward), seal_of(self.arm, blinding), signature)


def _read_round(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and str(int(text)) == text):
        raise Malformed(f"pull of round {text!r:.40}: expected a number")
    return int(text)


def _read_pull(data: bytes, arms: int) -> Pull:
    value = decode(data, _LIMITS)
    if type(value) is not tuple or tuple(map(type, value)) not in ((int, float, bytes), (int, type(None), bytes)):
        raise Malformed("pull: expected an arm, a reward or None, and what proves it")
    if not 0 <= value[0] < arms:
        raise Malformed(f"pull of arm {value[0]}: expected 0 to {arms - 1}")
    if len(value[2]) not in (0, PROOF_BYTES):
        raise Malformed(f"pull with a proof of {len(value[2])} bytes: expected none or {PROOF_BYTES}")
    return Pull(*value)


def _number(reward: Any) -> float | None:
    """The reward of an outcome; None: it is not one number from 0 to 1."""
    if isinstance(reward, tuple):
        reward = reward[0] if len(reward) == 1 else None
    is_number = isinstance(reward, int | float | np.integer | np.floating) and not isinstance(reward, bool)
    return float(reward) if is_number and 0 <= reward <= 1 else None


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
        if LEARNT in kept:
            pulls, mean = checked(decode(kept[LEARNT], _LIMITS), (np.ndarray, np.ndarray), LEARNT)
            for told, row in ((pulls, self.learnt.pulls[index]), (mean, self.learnt.mean[index])):
                if told.dtype != row.dtype or told.shape != row.shape:
                    raise Malformed(f"{LEARNT}: {told.dtype} {told.shape}, expected {row.dtype} {row.shape}")
                row[:] = told
        for key, data in kept.items():
            if key.startswith(_PULL):
                self.pending[_read_round(key.removeprefix(_PULL))] = _read_pull(data, params.n_arms)

    def pull(self, round: int, arm: int) -> list[Keep]:
        """An arm is about to be pulled."""
        return [self._pending(round, Pull(arm, None))]

    def outcome(self, state: OnChain, outcome: Outcome) -> list[Keep] | None:
        """What a pull brought; no reward: nothing ever. One that is paid, forgotten or told already changes nothing.

        It is learnt from at once in the burn-in, else once it is paid. None: what cannot be, or is not signed by the
        environment of this chain though there is one, is as if nothing had come.
        """
        round, pull = outcome.round, self.pending.get(outcome.round)
        if pull is None or pull.reward is not None:
            return []
        if outcome.reward is None:
            return [self._forget(round)]
        reward, proof = _number(outcome.reward), outcome.proof if state.configuration.environment else b""
        if reward is None or len(proof) not in (0, PROOF_BYTES):
            return None
        told = pull._replace(reward=reward, proof=proof)
        if not is_signed(state.configuration, state.origin, self._index, told.claim(round)):
            return None
        if in_burn_in(self._params, round):
            return [self._forget(round), self._learn(pull.arm, reward)]
        return [self._pending(round, told)]

    def told(self, round: int) -> Claim:
        """What to report of this round's pull."""
        pull = self.pending.get(round)
        return Claim(round, NO_REWARD, b"", b"") if pull is None else pull.claim(round)

    def claims(self, state: OnChain, round: int) -> tuple[Claim, ...]:
        """Outcomes of earlier rounds that came late, to be claimed in a report of this one after this block."""
        late = [earlier for earlier, pull in self.pending.items() if earlier < round and pull.reward is not None]
        return tuple(
            self.pending[earlier].claim(earlier)
            for earlier in sorted(late)
            if claimable(state, self._index, round, earlier)
        )

    def settle(self, state: OnChain) -> list[Keep]:
        """A block is final, after which the chain is in this state: what it pays is learnt from.

        Pulls up to its round wait no longer unless their outcomes can still be claimed, or are learnt from whenever
        they come, as in the burn-in.
        """
        record, window = state.last, state.configuration.terms.window
        assert record is not None
        own, kept = record.report_of(self._index), list[Keep]()
        rounds = [] if own is None else [claim.round for claim in own.earlier]
        if is_paid(self._params, record.round, own is not None and own.reward != NO_REWARD):
            rounds.append(record.round)
        paid = [pull for round in rounds if (pull := self.pending.get(round)) is not None]
        for earlier in [*self.pending]:
            waits = claimable(state, self._index, record.round + 1, earlier)
            waits = waits or (in_burn_in(self._params, earlier) and record.round - earlier < window)
            if earlier <= record.round and (earlier in rounds or not waits):
                kept.append(self._forget(earlier))
        for pull in paid:
            if pull.reward is not None:
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
        return Put(LEARNT, partial(encode, rows))
