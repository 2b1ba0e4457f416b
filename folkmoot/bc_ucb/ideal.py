"""BC-UCB in one loop: the chain's guarantees are taken for granted, everything else is the real thing.

Signatures cannot be forged and messages arrive, so signed agreement is what it achieves: every validator ends with
the same vector of sets, and one that equivocates, withholds, forges or replays counts as having named nobody. After it
honest validators hold every report that one of them names; who got which report of a liar before it is played.
The arithmetic of the contract and the thoughts of the participants are the functions the protocol uses.
"""

from typing import NamedTuple

import numpy as np

from folkmoot.bc_ucb.algorithm import choose
from folkmoot.bc_ucb.apart import Apart, begin_apart, blank_apart, report_twice, screen_apart
from folkmoot.bc_ucb.contract import ONE, Entry, blank_entry, drawn_by_coin, on_grid, open_accounts, rounded
from folkmoot.bc_ucb.convicted import (
    Convicted,
    begin_convicted,
    blank_convicted,
    convict,
    trimming,
    weigh,
)
from folkmoot.bc_ucb.lies import HONEST, NOT_HELD, TO_ALL, believed, claimed, lie, proposes
from folkmoot.bc_ucb.naming import screen
from folkmoot.bc_ucb.round import admit, enter_round, in_burn_in, is_paid, learn, payable
from folkmoot.bc_ucb.tally import close_checkpoint, close_game, count_block, count_pulls
from folkmoot.coins import replicate_coins
from folkmoot.interface import init, inlined, kernel, pay, scene, set_scene


class Scratch(NamedTuple):
    """What a round is worked out in."""

    arms: np.ndarray  # int64 [participants]
    reward: np.ndarray  # float64 [participants, 1]
    validators: np.ndarray  # int64 [participants] their numbers, the first so many
    own: np.ndarray  # int64 [participants, arms] scaled means
    entry: Entry  # of the contract
    heard: np.ndarray  # bool [participants]
    without_block: np.ndarray  # bool [1] had the round before none, the burn-in being over?
    sets: np.ndarray  # bool [participants, participants, arms]
    members: np.ndarray  # bool [participants, arms]
    estimates: np.ndarray  # int64 [arms]
    earned: np.ndarray  # bool [participants] whose pull is paid
    known: np.ndarray  # float64 [arms] estimates as participants use them
    convicted: Convicted  # liars that are proven
    apart: Apart  # what there is beside, where liars choose who gets their reports


@kernel
def blank_scratch(terms):
    """Scratch space for the participants and arms of these terms."""
    m, k = terms.n_participants, terms.n_arms
    return Scratch(
        np.zeros(m, np.int64), np.zeros((m, 1)), np.zeros(m, np.int64), np.zeros((m, k), np.int64), blank_entry(terms),
        np.zeros(m, np.bool_), np.zeros(1, np.bool_), np.zeros((m, m, k), np.bool_), np.zeros((m, k), np.bool_),
        np.zeros(k, np.int64), np.zeros(m, np.bool_), np.zeros(k), blank_convicted(m), blank_apart(terms),
    )  # fmt: skip


@inlined
def sortition(terms, weights, coins, t, validators):
    """Fill in the numbers of the validators, drawn by these units of trust; how many there are."""
    total, found = 0, 0
    for m in range(terms.n_participants):
        total += weights[m]
    for m in range(terms.n_participants):
        if weights[m] > 0 and drawn_by_coin(coins, t, m, weights[m], total, terms.expected_validators):
            validators[found] = m
            found += 1
    return found


@inlined
def pull(params, state, rewards, nature, accounts, attack, malicious, known, t, coins, now):
    """Everybody selects an arm and draws its reward."""
    set_scene(rewards, t, coins, nature)
    for m in range(params.n_agents):
        arm = choose(params, state, now.known, known, accounts.levels, m, t, coins)
        if malicious[m] and attack.pull >= 0:
            arm = attack.pull
        now.arms[m] = arm
        pay(rewards, nature, m, arm, t, coins, now.reward)


@inlined
def report(params, terms, state, attack, malicious, t, coins, now):
    """Everybody sends its means and its reward; liars, too, know the grid."""
    reports = now.entry.reports
    for m in range(params.n_agents):
        for i in range(params.n_arms):
            now.own[m, i] = on_grid(rounded(state.mean[m, i]), terms.resolution)
            reports[m, i] = now.own[m, i]
    for m in range(params.n_agents):
        if malicious[m] and attack.report != HONEST:
            lie(attack, m, t, now.own, reports, malicious, params.faulty, coins)
            for i in range(params.n_arms):
                reports[m, i] = on_grid(reports[m, i], terms.resolution)
    if attack.deliver != TO_ALL:
        report_twice(terms, attack, malicious, now)
    for m in range(params.n_agents):
        reward = rounded(now.reward[m, 0])
        told = claimed(attack, malicious[m], reward)
        honest = payable(told) and believed(attack, told, reward) and not now.convicted.excluded[m]
        now.entry.paid[m] = told if honest else 0
        admit(terms, now.entry, m, honest)


@kernel
def outvoted(malicious, validators, n_validators):
    """Are the honest too few among the validators to carry a block that liars do not propose?"""
    honest = 0
    for v in range(n_validators):
        if not malicious[validators[v]]:
            honest += 1
    return 2 * honest <= n_validators


@inlined
def decide(params, terms, state, accounts, attack, malicious, t, coins, n_validators, now):
    """Reports, screening, agreement and contract: is there an approved block?"""
    report(params, terms, state, attack, malicious, t, coins, now)
    if attack.deliver == TO_ALL:
        n_sets = screen(trimming(params, now.convicted), state, attack, malicious, now, n_validators)
    else:
        n_sets = screen_apart(params, state, attack, malicious, t, now, n_validators)
    if not proposes(attack) and outvoted(malicious, now.validators, n_validators):
        return False
    elapsed = 1  # outcomes come in time here: no claim waits for any number of rounds
    if not enter_round(terms, accounts, now.sets, n_sets, now.entry, elapsed, now.estimates, now.members):
        return False
    for i in range(params.n_arms):
        now.known[i] = now.estimates[i] / ONE
    return True


def play(
    params, terms, rewards, attack, malicious, excludes, seed_low, seed_high, replicates, checkpoints, tally,
    completed, done, stop,
):  # fmt: skip
    """Run the given replicates one after the other, filling one row of the tally for each.

    Args:
        params, terms, rewards, attack: records of the participants, the contract, the reward law, the attack.
        malicious: bool [participants].
        excludes: is a proven liar no member any more?
        seed_low, seed_high: the words of the seed.
        replicates: int64, the numbers of the replicates (coordinates of their coins).
        checkpoints: int64, increasing rounds at which to record; the last is the horizon.
        tally: written.
        completed: int64 [1], rounds of this call; written.
        done: bool [replicates], complete; written.
        stop: bool [1], set from outside: give up after this round.
    """
    now, nature = blank_scratch(terms), scene(rewards)
    for r in range(len(replicates)):
        coins = replicate_coins(seed_low, seed_high, replicates[r])
        state, accounts = init(params), open_accounts(terms)
        begin_apart(params, now.apart)
        begin_convicted(attack, malicious, now.convicted)
        rounds(
            params, terms, rewards, attack, malicious, excludes, coins, state, accounts, nature, now, checkpoints, r,
            tally, completed, done, stop,
        )  # fmt: skip


def rounds(
    params, terms, rewards, attack, malicious, excludes, coins, state, accounts, nature, now, checkpoints, r,
    tally, completed, done, stop,
):  # fmt: skip
    """All rounds of one replicate: row r of the tally. Allocates nothing, so compiled it counts no references."""
    c, known, drawn = 0, False, 0
    now.without_block[0] = False
    for t in range(1, checkpoints[-1] + 1):
        if stop[0]:
            return
        pull(params, state, rewards, nature, accounts, attack, malicious, known, t, coins, now)
        approved, n_validators = False, 0
        if not in_burn_in(params, t):
            weigh(accounts.units, now.convicted)
            n_validators = sortition(terms, now.convicted.weights, coins, t, now.validators)
            drawn += n_validators
            approved = decide(params, terms, state, accounts, attack, malicious, t, coins, n_validators, now)
            if approved:
                known = True
                count_block(tally, r, c, malicious, now.members)
        now.without_block[0] = not approved and not in_burn_in(params, t)
        conclude(params, state, attack, malicious, t, approved, now, tally, r, c)
        convict(attack, malicious, now.validators, n_validators, approved, excludes, now.convicted)
        completed[0] += 1
        if t == checkpoints[c]:
            c = close_checkpoint(tally, r, c, accounts.estimates)
    close_game(tally, r, drawn, accounts.units, now.convicted.proven)
    done[r] = True


@inlined
def conclude(params, state, attack, malicious, t, approved, now, tally, r, c):
    """Pulls are counted, and learnt from if they are paid; nothing of an honest participant is lost on the way."""
    paid = is_paid(params, t, approved)
    for m in range(params.n_agents):
        now.earned[m] = paid if not now.convicted.excluded[m] else in_burn_in(params, t)
        if attack.deliver != TO_ALL:
            now.earned[m] = is_paid(params, t, approved and now.apart.told[m] != NOT_HELD)
        if now.earned[m]:
            learn(state, m, now.arms[m], now.reward[m, 0])
    count_pulls(tally, r, c, now.arms, malicious, now.earned)
