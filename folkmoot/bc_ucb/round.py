"""The rules of a round of BC-UCB, each written once; source: BC-UCB, Algorithms 1 and 2.

How a round goes, whoever plays it:

    burn-in     the arm is given, its reward is paid and learnt from at once, nothing is agreed
    select      `algorithm.choose`
    report      `admit`: which reports count, and what a report is paid
    pass on     `is_missed`, `is_remembered` (of folkmoot.agreement): do messages get lost?
    screen      `suffices` (of folkmoot.comparison) for each count, `hear`, then `named`: whom a validator names
    agree       of each set that counts, `strike_out` those it may not speak for
    settle      `enter_round`: validated estimates and approval; an approved round enters the accounts
    learn       `is_paid`, then `learn`

Two drivers put them in order: `ideal` for all participants in one loop, and a participant with the ledger kind's rules
for itself. What differs between them is how values become agreed: taken for granted in the loop, by signed messages
among participants. The arithmetic of estimates, trust and levels is the contract's, which an EVM chain runs as well.
"""

from folkmoot.bc_ucb.contract import MOST_REPORT, ONE, book, validated
from folkmoot.interface import inlined, kernel


@inlined
def in_burn_in(params, t):
    """Is round t = 1, 2, ... one of those in which every arm is pulled in turn?"""
    return t <= params.burn_in


@inlined
def arm_in_turn(params, t):
    """The arm of a round of the burn-in, the same for everybody."""
    return (t - 1) % params.n_arms


@inlined
def is_paid(params, t, reported):
    """Is a pull of round t paid, and therefore learnt from?

    Args:
        reported: does an approved block of the round hold the participant's report? Out of range is enough: that the
            report was refused says nothing of the pull.
    """
    return in_burn_in(params, t) or reported


@inlined
def learn(state, i, arm, reward):
    """Enter a pull that was paid."""
    state.pulls[i, arm] += 1
    state.mean[i, arm] += (reward - state.mean[i, arm]) / state.pulls[i, arm]


@inlined
def payable(reward):
    """Can a reward be one? Rewards lie in [0, 1]; scaled."""
    return 0 <= reward <= ONE


@inlined
def usable(terms, reports, m):
    """Can participant m's report count: means in range, and on the grid of the terms, on every arm?

    Args:
        terms: of the contract.
        reports: int64 [participants, arms], scaled.
    """
    below = (1 << (32 - terms.resolution)) - 1  # bits of what is finer than the grid
    for i in range(reports.shape[1]):
        if not -MOST_REPORT <= reports[m, i] <= MOST_REPORT:  # abs() of the least integer is negative
            return False
        if reports[m, i] & below != 0:
            return False
    return True


@inlined
def admit(terms, entry, m, honest):
    """Take participant m's report: is it `present` with one that counts? The means of others become zeros.

    Args:
        terms: of the contract.
        entry: written; the report is in it.
        honest: bool, can what it says of rewards be, and is it signed as it must be?
    """
    entry.silent[m] = False
    entry.present[m] = honest and usable(terms, entry.reports, m)
    if not entry.present[m]:
        for i in range(entry.reports.shape[1]):
            entry.reports[m, i] = 0


@kernel
def hear(params, present, without_block, heard):
    """Whom a validator hears: who passed the comparison, or all who reported, so that screening never stops a game.

    Screening serves precision; what keeps liars out is trimming, which more than 2 f reports stand. So all are heard
    where screening leaves no more. They also are after a round without a block: liars that show themselves to one
    validator alone could otherwise keep apart, round after round, whom the validators hear.

    Args:
        present: bool [participants], whose reports count.
        without_block: bool, had the round before no block? The first after the burn-in has none before it.
        heard: bool [participants], of these who passed the comparison; written.
    """
    count = 0
    for m in range(params.n_agents):
        if heard[m]:
            count += 1
    if params.gives_way and (without_block or count <= 2 * params.faulty):
        for m in range(params.n_agents):
            heard[m] = present[m]


@kernel
def named(params, heard, reports, sets, row):
    """Fill row `row` of `sets` (bool [sets, participants, arms]) with those whom a validator names.

    Of those heard, the `faulty` largest and smallest reports of each arm are dropped (ties to the lower number); nobody
    is named unless more than twice as many were heard.

    Args:
        heard: bool [participants], as `hear` leaves it.
        reports: int64 [participants, arms], scaled.
    """
    n, count = params.n_agents, 0
    for m in range(n):
        for i in range(params.n_arms):
            sets[row, m, i] = False
        if heard[m]:
            count += 1
    if count <= 2 * params.faulty:
        return
    cut = params.faulty if params.trimming else 0
    for m in range(n):
        if heard[m]:
            for i in range(params.n_arms):
                own, before = reports[m, i], 0
                for j in range(m):
                    if heard[j] and reports[j, i] <= own:
                        before += 1
                for j in range(m + 1, n):
                    if heard[j] and reports[j, i] < own:
                        before += 1
                sets[row, m, i] = cut <= before < count - cut


@kernel
def strike_out(sets, row, spoken_for):
    """Drop from row `row` of the sets those that it does not speak for.

    A set speaks for the reports it was made of, as far as they count. Else who tells two validators two things could
    pass with one and enter with the other.

    Args:
        sets: bool [sets, participants, arms], written.
        spoken_for: bool [participants], whose report in the record is present and the one that the set was made of.
    """
    for m in range(sets.shape[1]):
        if not spoken_for[m]:
            for i in range(sets.shape[2]):
                sets[row, m, i] = False


@kernel
def enter_round(terms, accounts, sets, n_sets, entry, elapsed, estimates, members):
    """Fill `estimates` and `members` from the agreed sets, and enter an approved round into the accounts; is it one?

    Args:
        terms, accounts: the contract; the accounts are written.
        sets: bool [n_sets, participants, arms].
        entry: as `admit` leaves it.
        elapsed: rounds since the last block.
        estimates: int64 [arms], scaled, written.
        members: bool [participants, arms], the validated sets, written.
    """
    approved = validated(terms, sets, n_sets, entry.reports, estimates, members)
    if approved:
        book(terms, accounts, entry, elapsed, estimates)
    return approved
