"""Comparing pull counts without saying them, inside a round: one interface, with and without messages.

A validator makes an offer at the start of a round, participants answer, the validator reads the answers. Where a
trusted machine compares ("ideal", and "mpyc" in one process) there is nothing to send.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from folkmoot.comparison.functionality import compare_ideal
from folkmoot.comparison.joint import compare_mpyc
from folkmoot.comparison.messages import RefusedComparison, answer_bytes, offer_bytes
from folkmoot.comparison.pairwise import PairwiseParticipant, PairwiseValidator
from folkmoot.comparison.ristretto import RandomBytes
from folkmoot.comparison.session import session
from folkmoot.encoding import digest

Counts = Sequence[int]


class Comparison(Protocol):
    """One participant's part in the comparisons of a game."""

    def sizes(self, arms: int) -> tuple[int, int]:
        """Bytes of every offer and of every answer; (0, 0): none are sent.

        Raises:
            ValueError: so many arms cannot be compared.
        """

    def begin(self, previous: bytes, round: int, counts: Counts, told: Counts) -> None:
        """The own counts [arms] of this round, and those told to others: the same, if one is honest."""

    def offer(self, key: bytes) -> bytes:
        """As a validator with this key: what to send everybody; empty if nothing is needed."""

    def answer(self, validator: bytes, offer: bytes) -> bytes:
        """The answer to the offer of a validator with this key; empty: it is refused."""

    def passed(self, answers: dict[int, bytes]) -> NDArray[np.bool_]:
        """As a validator: who has pulled every arm often enough; bool [participants]."""


class TrustedMachine:
    """A trusted machine that everybody tells its counts, and that forgets all but the bits.

    `how` is "ideal" or "mpyc" (the same by secure integers, of a committee of one).
    """

    def __init__(self, participants: int, kappa: Fraction, count_bits: int, how: str = "ideal") -> None:
        self._kappa, self._bits, self._how = kappa, count_bits, how
        self._told: list[tuple[int, list[int]] | None] = [None] * participants

    def tell(self, participant: int, round: int, counts: Counts) -> None:
        """A participant's counts of this round."""
        most = (1 << self._bits) - 1
        self._told[participant] = round, [min(count, most) for count in counts]

    def ask(self, round: int, counts: Counts) -> NDArray[np.bool_]:
        """The participants whose count exceeds a validator's `counts` on every arm, as far as they told."""
        told = {m: said[1] for m, said in enumerate(self._told) if said is not None and said[0] == round}
        found: NDArray[np.bool_] = np.zeros(len(self._told), np.bool_)
        most, others = (1 << self._bits) - 1, list(told.values())
        own = [min(count, most) for count in counts]
        if self._how == "mpyc":
            bits = compare_mpyc(others, own, self._kappa, self._bits)
        else:
            bits = compare_ideal(others, own, self._kappa)
        found[list(told)] = [all(passed) for passed in bits]
        return found


class Trusting:
    """A participant of a game with such a machine."""

    def __init__(self, machine: TrustedMachine, participant: int) -> None:
        self._machine, self._me, self._round = machine, participant, -1
        self._counts: Counts = ()

    def sizes(self, arms: int) -> tuple[int, int]:
        return 0, 0

    def begin(self, previous: bytes, round: int, counts: Counts, told: Counts) -> None:
        self._round, self._counts = round, counts
        self._machine.tell(self._me, round, told)

    def offer(self, key: bytes) -> bytes:
        return b""

    def answer(self, validator: bytes, offer: bytes) -> bytes:
        return b""

    def passed(self, answers: dict[int, bytes]) -> NDArray[np.bool_]:
        return self._machine.ask(self._round, self._counts)


class Pairwise:
    """A participant of a game with encrypted comparisons between two."""

    def __init__(self, participant: int, keys: Sequence[bytes], kappa: Fraction, count_bits: int, random: RandomBytes):
        self._me, self._keys, self._kappa, self._bits, self._random = participant, keys, kappa, count_bits, random
        self._name, self._counts, self._told = b"", [0], [0]
        self._asking: PairwiseValidator | None = None
        self._asked: dict[bytes, PairwiseParticipant] = {}

    def sizes(self, arms: int) -> tuple[int, int]:
        me = self._keys[self._me]
        about = session(bytes(32), me, arms, self._bits)  # all names and keys are as long
        return offer_bytes(about), answer_bytes(about, me)

    def begin(self, previous: bytes, round: int, counts: Counts, told: Counts) -> None:
        most = (1 << self._bits) - 1
        self._name = digest("round comparison name", (previous, round))
        self._counts = [min(count, most) for count in counts]
        self._told = [min(count, most) for count in told]
        self._asking, self._asked = None, {}

    def offer(self, key: bytes) -> bytes:
        about = session(self._name, key, len(self._counts), self._bits)
        self._asking = PairwiseValidator(about, self._counts, self._kappa, self._random)
        return self._asking.offer

    def answer(self, validator: bytes, offer: bytes) -> bytes:
        if validator not in self._asked:
            about = session(self._name, validator, len(self._counts), self._bits)
            me = self._keys[self._me]
            self._asked[validator] = PairwiseParticipant(about, me, self._told, self._random)
        try:
            return self._asked[validator].answer(offer)
        except RefusedComparison:
            return b""

    def passed(self, answers: dict[int, bytes]) -> NDArray[np.bool_]:
        found = np.zeros(len(self._keys), np.bool_)
        if self._asking is None:
            return found
        found[self._me] = compare_ideal([self._told], self._counts, self._kappa)[0] == [True] * len(self._counts)
        for participant, answer in answers.items():
            try:
                found[participant] = all(self._asking.receive(self._keys[participant], answer))
            except RefusedComparison:
                continue
        return found


Comparing = Callable[[RandomBytes], Comparison]  # a participant's part, given its dice
