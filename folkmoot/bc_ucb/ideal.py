"""BC-UCB in one loop: the chain's guarantees are taken for granted, everything else is the real thing.

Signatures cannot be forged and messages arrive, so signed agreement is what it achieves: every validator ends with
the same vector of sets, and one that equivocates, withholds, forges or replays counts as having named nobody.
The arithmetic of the contract and the thoughts of the participants are the functions the protocol uses.
"""

from typing import NamedTuple

import numpy as np

from folkmoot.bc_ucb.algorithm import choose
from folkmoot.bc_ucb.attacks import ALLIES, HONEST, lie
from folkmoot.bc_ucb.contract import ONE, Entry, blank_entry, drawn_by_coin, on_grid, open_accounts, rounded
from folkmoot.bc_ucb.round import admit, enter_round, in_burn_in, is_paid, learn, named, payable, strike_out
from folkmoot.bc_ucb.tally import close_checkpoint, close_game, count_block, count_pulls
from folkmoot.coins import replicate_coins
from folkmoot.comparison.functionality import suffices
from folkmoot.interface import init, inlined, kernel, pay, scene, set_scene


class Scratch(NamedTuple):
    """What a round is worked out in."""

    arms: np.ndarray  # int64 [participants]
    reward: np.ndarray  # float64 [participants, 1]
    validators: np.ndarray  # int64 [participants] their numbers, the first so many
    own: np.ndarray  # int64 [participants, arms] scaled means
    entry: Entry  # of the contract
    heard: np.ndarray  # bool [participants]
    sets: np.ndarray  # bool [participants, participants, arms]
    members: np.ndarray  # bool [participants, arms]
    estimates: np.ndarray  # int64 [arms]
    earned: np.ndarray  # bool [participants] whose pull is paid
    known: np.ndarray  # float64 [arms] estimates as participants use them


@kernel
def blank_scratch(terms):
    """Scratch space for the participants and arms of these terms."""
    m, k = terms.n_participants, terms.n_arms
    return Scratch(
        np.zeros(m, np.int64), np.zeros((m, 1)), np.zeros(m, np.int64), np.zeros((m, k), np.int64), blank_entry(terms),
        np.zeros(m, np.bool_), np.zeros((m, m, k), np.bool_), np.zeros((m, k), np.bool_), np.zeros(k, np.int64),
        np.zeros(m, np.bool_), np.zeros(k),
    )  # fmt: skip


@inlined
def sortition(terms, accounts, coins, t, validators):
    """Fill in the numbers of the validators; how many there are."""
    total, found = 0, 0
    for m in range(terms.n_participants):
        total += accounts.units[m]
    for m in range(terms.n_participants):
        if drawn_by_coin(coins, t, m, accounts.units[m], total, terms.expected_validators):
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
    for m in range(params.n_agents):
        reward = rounded(now.reward[m, 0])
        now.entry.paid[m] = reward if payable(reward) else 0
        admit(terms, now.entry, m, payable(reward))


@inlined
def alike(state, one, other):
    """Have two participants pulled every arm equally often?"""
    different = 0
    for i in range(state.pulls.shape[1]):
        if state.pulls[one, i] != state.pulls[other, i]:
            different += 1
    return different == 0


@inlined
def name_all(params, state, attack, malicious, now, h, row):
    """Row `row` of the sets: whom validator h names for each arm, having compared pull counts."""
    for m in range(params.n_agents):
        heard = now.entry.present[m]
        if params.screening and not (malicious[m] and attack.inflated):
            for i in range(params.n_arms):
                if not suffices(params.kappa, params.kappa_parts, state.pulls[m, i], state.pulls[h, i]):
                    heard = False
        now.heard[m] = heard
    named(params, now.heard, now.entry.reports, now.sets, row)


@inlined
def screen(params, state, attack, malicious, now, n_validators):
    """The validators' sets, as signed agreement makes them known to all; how many there are.

    A validator that equivocates, withholds, forges or replays is known to have named nobody, and does not count.
    Validators with the same pull counts name the same sets: they are worked out once.
    """
    n_sets, model, model_row = 0, -1, 0
    for v in range(n_validators):
        h = now.validators[v]
        lying = malicious[h] and attack.validator != HONEST
        if lying and attack.validator != ALLIES:
            continue
        if lying:
            for m in range(params.n_agents):
                for i in range(params.n_arms):
                    now.sets[n_sets, m, i] = malicious[m]
            strike_out(now.sets, n_sets, now.entry.present)
        elif model >= 0 and alike(state, model, h):
            for m in range(params.n_agents):
                for i in range(params.n_arms):
                    now.sets[n_sets, m, i] = now.sets[model_row, m, i]
        else:
            name_all(params, state, attack, malicious, now, h, n_sets)
            model, model_row = h, n_sets
        n_sets += 1
    return n_sets


@inlined
def decide(params, terms, state, accounts, attack, malicious, t, coins, n_validators, now):
    """Reports, screening, agreement and contract: is there an approved block?"""
    report(params, terms, state, attack, malicious, t, coins, now)
    n_sets = screen(params, state, attack, malicious, now, n_validators)
    elapsed = 1  # outcomes come in time here: no claim waits for any number of rounds
    if not enter_round(terms, accounts, now.sets, n_sets, now.entry, elapsed, now.estimates, now.members):
        return False
    for i in range(params.n_arms):
        now.known[i] = now.estimates[i] / ONE
    return True


def play(
    params, terms, rewards, attack, malicious, seed_low, seed_high, replicates, checkpoints, tally, rounds, done, stop
):
    """Run the given replicates one after the other, filling one row of the tally for each.

    Args:
        params, terms, rewards, attack: records of the participants, the contract, the reward law, the attack.
        malicious: bool [participants].
        seed_low, seed_high: the words of the seed.
        replicates: int64, the numbers of the replicates (coordinates of their coins).
        checkpoints: int64, increasing rounds at which to record; the last is the horizon.
        tally: written.
        rounds: int64 [1], rounds completed by this call; written.
        done: bool [replicates], complete; written.
        stop: bool [1], set from outside: give up after this round.
    """
    now, nature = blank_scratch(terms), scene(rewards)
    for r in range(len(replicates)):
        coins = replicate_coins(seed_low, seed_high, replicates[r])
        state, accounts = init(params), open_accounts(terms)
        c, known, drawn = 0, False, 0
        for t in range(1, checkpoints[-1] + 1):
            if stop[0]:
                return
            pull(params, state, rewards, nature, accounts, attack, malicious, known, t, coins, now)
            approved = False
            if not in_burn_in(params, t):
                n_validators = sortition(terms, accounts, coins, t, now.validators)
                drawn += n_validators
                approved = decide(params, terms, state, accounts, attack, malicious, t, coins, n_validators, now)
                if approved:
                    known = True
                    count_block(tally, r, c, malicious, now.members)
            conclude(params, state, malicious, t, approved, now, tally, r, c)
            rounds[0] += 1
            if t == checkpoints[c]:
                c = close_checkpoint(tally, r, c, accounts.estimates)
        close_game(tally, r, drawn, accounts.units)
        done[r] = True


@inlined
def conclude(params, state, malicious, t, approved, now, tally, r, c):
    """Pulls are counted, and learnt from if they are paid; nothing is lost on the way: a block holds every report."""
    paid = is_paid(params, t, approved)
    for m in range(params.n_agents):
        now.earned[m] = paid
        if paid:
            learn(state, m, now.arms[m], now.reward[m, 0])
    count_pulls(tally, r, c, now.arms, malicious, now.earned)
