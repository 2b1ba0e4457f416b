"""Who reads only blocks: how much of what each participant pulled does it find out?

A block shows a participant's means, on the grid of the terms, and the reward of its pull. The means of the next block
differ in the arm that was pulled: the new mean is the old one plus (reward - old mean) / count. From the burn-in, whose
counts are known, the observer keeps count. Two observers:

*reads numbers* takes the arm that explains the next means; where several do, the one that was pulled most.
*knows the rule* works out what a participant with these counts pulls by the public estimates and levels, as it does
itself, and asks the numbers only where the rule leaves it to chance (an arm that lags is pulled at random).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import folkmoot as fm
from folkmoot.bc_ucb import ideal
from folkmoot.bc_ucb.algorithm import choose
from folkmoot.bc_ucb.contract import ONE, on_grid, open_accounts
from folkmoot.bc_ucb.job import ChainJob, make_chain_job
from folkmoot.bc_ucb.round import in_burn_in
from folkmoot.coins import replicate_coins, seed_words
from folkmoot.interface import init, scene


class Seen(NamedTuple):
    """Of one block what anyone reads, and what nobody is told."""

    round: int
    means: NDArray[np.int64]  # [participants, arms], scaled
    rewards: NDArray[np.int64]  # [participants], scaled
    estimates: NDArray[np.float64]  # [arms], before the block
    known: bool  # were there any?
    levels: NDArray[np.int64]  # [arms], before the block
    arms: NDArray[np.int64]  # [participants], the truth


def blocks(job: ChainJob, replicate: int) -> Iterator[Seen]:
    """The blocks of a game in which nobody lies and every round has one."""
    params, terms, law, attack = job.params, job.terms, job.rewards.record(), job.misbehaviour
    coins = replicate_coins(*seed_words(job.seed), replicate)
    state, accounts, now, nature = init(params), open_accounts(terms), ideal.blank_scratch(terms), scene(law)
    honest, known = job.malicious, False
    for t in range(1, job.horizon + 1):
        before = now.known.copy(), known, accounts.levels.copy()
        ideal.pull(params, state, law, nature, accounts, attack, honest, known, t, coins, now)
        approved = False
        if not in_burn_in(params, t):
            drawn = ideal.sortition(terms, accounts.units, coins, t, now.validators)
            approved = ideal.decide(params, terms, state, accounts, attack, honest, t, coins, drawn, now)
            known = known or approved
        if approved:
            yield Seen(t, now.entry.reports.copy(), now.entry.paid.copy(), *before, now.arms.copy())
        if approved or in_burn_in(params, t):
            for m in range(params.n_agents):
                ideal.learn(state, m, now.arms[m], now.reward[m, 0])


class Observer:
    """Keeps count of one participant's pulls.

    Attributes:
        pulls: int64 [arms], as it believes.
        right, said: how many arms it has told, and how many of them were the ones.
    """

    def __init__(self, job: ChainJob, participant: int, knows_the_rule: bool) -> None:
        self._job, self._m, self._rule = job, participant, knows_the_rule
        k = job.rewards.n_arms
        self.pulls = np.bincount(np.arange(job.params.burn_in) % k, minlength=k)
        self._sums: NDArray[np.int64] | None = None  # of rewards, by arm; whole numbers, as rewards are 0 or 1
        self._state = init(job.params)
        self.right = self.said = 0

    def look(self, block: Seen, after: Seen) -> None:
        """Which arm was pulled in the round of a block, by it and the next one?"""
        old, new = block.means[self._m] / ONE, after.means[self._m]
        if self._sums is None:
            self._sums = np.round(old * self.pulls).astype(np.int64)
        reward = round(int(block.rewards[self._m]) / ONE)
        fits = [a for a in range(len(old)) if self._explains(a, reward, block.means[self._m], new)]
        changed = np.flatnonzero(block.means[self._m] != new)
        fits = fits or changed.tolist() or list(range(len(old)))
        arm = self._by_the_rule(block, fits) if self._rule else max(fits, key=lambda a: int(self.pulls[a]))
        self.said += 1
        self.right += arm == block.arms[self._m]
        self.pulls[arm] += 1
        self._sums[arm] += reward

    def _explains(self, arm: int, reward: int, old: NDArray[np.int64], new: NDArray[np.int64]) -> bool:
        """Would a pull of this arm have made these means of those?"""
        assert self._sums is not None
        mean = (self._sums[arm] + reward) / (self.pulls[arm] + 1)
        told = on_grid(round(float(mean) * ONE), self._job.terms.resolution)
        slack = 4 if self._job.terms.resolution > 28 else 0  # a mean is kept up to date in floating point
        others = np.delete(old == new, arm).all()
        return bool(others and abs(int(told) - int(new[arm])) <= slack)

    def _by_the_rule(self, block: Seen, fits: list[int]) -> int:
        params, m = self._job.params, self._m
        self._state.pulls[m] = self.pulls
        self._state.mean[m] = 0.0 if self._sums is None else self._sums / self.pulls
        behind = self.pulls <= block.levels - params.n_arms
        if behind.any():
            likely = [a for a in fits if behind[a]]
            return max(likely or fits, key=lambda a: int(self.pulls[a]))
        nobodys = replicate_coins(0, 0, 0)  # never asked: no arm lags
        return int(choose(params, self._state, block.estimates, block.known, block.levels, m, block.round, nobodys))


def found_out(resolution: int, knows_the_rule: bool, rounds: int, participants: int, seed: int) -> tuple[float, float]:
    """Of all pulls after the burn-in the share that an observer tells right; of all counts at the end, too."""
    rewards = fm.Bernoulli(np.linspace(0.9, 0.3, 5), n_agents=participants)
    job = make_chain_job(
        fm.BCUCB(resolution=resolution), rewards, horizon=25 + rounds, expected_validators=2 * participants, seed=seed
    )
    watchers = [Observer(job, m, knows_the_rule) for m in range(participants)]
    truth = np.array([watcher.pulls for watcher in watchers])
    last: Seen | None = None
    for block in blocks(job, 0):
        if last is not None:
            for m, watcher in enumerate(watchers):
                watcher.look(last, block)
                truth[m, last.arms[m]] += 1
        last = block
    told = sum(watcher.right for watcher in watchers) / sum(watcher.said for watcher in watchers)
    return float(told), float((np.array([watcher.pulls for watcher in watchers]) == truth).mean())
