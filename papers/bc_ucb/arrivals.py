"""Which messages must arrive for a round to have a block: the shares of `progress` without any machine.

*Liars, nothing lost.* A round has a block exactly if more than half of its drawn validators are honest. Each one is
drawn with probability 1 - exp(-M_V w), w its share of the trust.

*Losses, no liars.* A model of arrivals: every message is lost with probability p, and what is said once more or passed
on has another chance. There are no signatures, blocks or numbers in it, only who has heard whom; what a lost round
leaves behind for the next one, a lock, is left out, and that two sets of the same reports may be trimmed otherwise.
"""

from math import comb, exp

import numpy as np
from numpy.typing import NDArray

Heard = NDArray[np.bool_]  # [receivers, senders]


def fair(m: int, liars: int, expected: int, ratio: float = 1.0) -> float:
    """The probability that more than half of the drawn are honest; a liar has `ratio` times the trust of others."""
    total = m - liars + ratio * liars
    honest, lying = (1.0 - exp(-expected * weight / total) for weight in (1.0, ratio))
    return sum(
        _binomial(m - liars, honest, h) * _binomial(liars, lying, k)
        for h in range(m - liars + 1)
        for k in range(liars + 1)
        if h > k
    )


def _binomial(n: int, p: float, k: int) -> float:
    return comb(n, k) * p**k * (1.0 - p) ** (n - k)


class Rounds:
    """Rounds of `m` honest participants that lose each message with probability p.

    Attributes:
        drawn: the validators of the round.
        here: who has all blocks when the round begins; who has not asks two others in time to vote, and cannot report.
    """

    def __init__(self, m: int, faulty: int, expected: int, p: float, dice: np.random.Generator) -> None:
        self.m, self.faulty, self.p, self.dice = m, faulty, p, dice
        self.quorum, self._chance = 2 * m // 3 + 1, 1.0 - exp(-expected / m)
        self.drawn, self.here = np.zeros(m, np.bool_), np.ones(m, np.bool_)

    def sent(self, times: int = 1) -> Heard:
        """What everybody sends to everybody, so many times at once: who hears whom."""
        heard = self.dice.random((self.m, self.m)) >= self.p**times
        np.fill_diagonal(heard, True)
        return heard

    def passed(self, known: Heard, by: NDArray[np.bool_] | None = None) -> Heard:
        """What is known after all (or those of `by`) have passed on once what they know."""
        heard = self.sent() & (True if by is None else by)
        return known | ((heard.astype(np.int64) @ known.astype(np.int64)) > 0)

    def block(self) -> bool:
        """The next round: does it give one by the time of the reports after it?"""
        self.drawn = self.dice.random(self.m) < self._chance
        final = self._final()
        self.here = final if final.any() else np.ones(self.m, np.bool_)
        return bool(final.any())

    def _final(self) -> NDArray[np.bool_]:
        """Who has the round's block when the next one begins."""
        choices = self._proposals()
        if choices is None:
            return np.zeros(self.m, np.bool_)
        candidate, body = choices
        prevotes = self._voted(candidate)
        first = prevotes.sum(axis=1) >= self.quorum  # who precommits at once, and who a stage later
        later = self.passed(prevotes).sum(axis=1) >= self.quorum
        first &= body
        later &= body & ~first
        early = self.sent() & first
        decided = early.sum(axis=1) >= self.quorum
        known = self.passed(early) | (self.sent() & later)
        confirmed = known.sum(axis=1) >= self.quorum
        signed = (self.sent(2) & decided) | (self.sent() & confirmed & ~decided)
        final: NDArray[np.bool_] = (signed.sum(axis=1) >= self.quorum) & body
        unheard = ~signed.T & final[None, :]  # whom a member that is done has not heard gets the block from it
        return final | ((self.sent() & unheard).any(axis=1) if final.any() else False)

    def _voted(self, voters: NDArray[np.bool_]) -> Heard:
        return self.sent() & voters

    def _proposals(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
        """Who prevotes for the block that most validators propose, and who has it; None: nobody proposes."""
        m, drawn = self.m, self.drawn
        named = (self.passed(self.sent() & self.here) & self.here).sum(axis=1) > 2 * self.faulty
        speaking = drawn & named & self.here
        values = self.sent(2) & speaking
        fresh = values
        for _ in range(self.faulty):  # each value is relayed once by each validator, when it has come
            heard = self.sent() & drawn & self.here
            told = (heard.astype(np.int64) @ fresh.astype(np.int64)) > 0
            fresh = told & ~values
            values |= told
        rows = [tuple(values[i]) if drawn[i] and self.here[i] and values[i].any() else () for i in range(m)]
        most = max((row for row in rows if row), key=rows.count, default=None)
        if most is None:
            return None
        proposers = np.array([row == most for row in rows])
        shown = self.sent() & proposers
        body = shown.any(axis=1)
        supported = self.passed(shown).sum(axis=1)
        caught = self.here | (self.dice.random(m) < 1.0 - (1.0 - (1.0 - self.p) ** 2) ** 2)
        body &= caught
        return (2 * supported > drawn.sum()) & body, body


def with_losses(m: int, p: float, rounds: int, seed: int) -> float:
    """The share of rounds that have a block, of so many; M_V = 2 M, nobody lies."""
    played = Rounds(m, (m - 1) // 3, 2 * m, p, np.random.default_rng(seed))
    return float(np.mean([played.block() for _ in range(rounds)]))
