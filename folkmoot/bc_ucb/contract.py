"""The contract of BC-UCB: from the agreed sets to validated estimates, approval, trust and pull levels.

A deterministic state machine in scaled integers, so that every machine computes the same: real numbers are integer
multiples of 2**-32, rounded once, when they are reported. Source: BC-UCB, Algorithms 1 and 2. The functions are
written on single rows and tables of 64-bit integers, for the interpreter and the compiler alike; no product
leaves 63 bits as long as the limits of `Terms` hold.
"""

from math import floor, isfinite
from typing import NamedTuple

import numpy as np

from folkmoot.coins import SORTITION, block
from folkmoot.errors import brief
from folkmoot.interface import kernel

ONE = 1 << 32  # the scaled integer of 1.0
MOST_REPORT = 4 * ONE  # reports beyond +-4 are refused: approval must be able to see what exceeds 2
APPROVAL_BOUND = 2 * ONE  # an estimate above it disapproves the block (rewards lie in [0, 1])
UNITS = 1 << 20  # trust units of all participants together, about
MOST_PARTICIPANTS = 512
MOST_ARMS = 4_096
LEAST_RESOLUTION, MOST_RESOLUTION = 4, 32  # bits
MOST_WINDOW = 62  # rounds; a set of them fits into 64 bits

NO_ESTIMATE = -(1 << 40)  # an estimate that is not there
MAJORITY, UNION = 0, 1  # how agreed sets are combined
DISTANCE, REWARD = 0, 1  # what trust follows

_UNIT_BITS = 30  # fixed point of exponentials: 1.0 is 2**30
_FULL = 1 << _UNIT_BITS
_NOTHING_LEFT = 22 * ONE  # exp(-22) < 2**-30
# floor(2**30 exp(-2**(j - 32))) for j = 0, 1, ...
_POWERS = np.array(
    [
        1073741823, 1073741823, 1073741823, 1073741822, 1073741820, 1073741816, 1073741808, 1073741792,
        1073741760, 1073741696, 1073741568, 1073741312, 1073740800, 1073739776, 1073737728, 1073733632,
        1073725440, 1073709056, 1073676289, 1073610759, 1073479711, 1073217663, 1072693759, 1071646718,
        1069555701, 1065385898, 1057094999, 1040706261, 1008687095, 947573833, 836230973, 651257336,
        395007542, 145315153, 19666267, 360200, 120,
    ],
    np.int64,
)  # fmt: skip


class Terms(NamedTuple):
    """What all participants have agreed on beforehand; fields with a default were not there in the first edition."""

    n_participants: int  # M
    n_arms: int  # K
    faulty: int  # f, reporters that may lie
    expected_validators: int  # M_V
    combination: int  # MAJORITY or UNION
    trust: int  # DISTANCE or REWARD
    delta: int  # scaled; what trust gains in a block at distance 0
    span: int  # scaled; the log of the largest ratio of two trust weights
    silence: int = ONE  # scaled; what trust loses, beside what all gain, in a block in which nothing of one is
    resolution: int = 32  # bits; reported means are multiples of 2**-resolution
    window: int = 0  # rounds after which an outcome can still be claimed
    cost: int = 0  # scaled; c, for each block with a malicious participant in a validated set


class Accounts(NamedTuple):
    """What the contract remembers from block to block: everything is on the chain."""

    estimates: np.ndarray  # int64 [n_arms]  scaled, of the last approved block; NO_ESTIMATE before the first
    exponent: np.ndarray  # int64 [n_participants]  scaled, log of the trust weight w, the largest being 1
    units: np.ndarray  # int64 [n_participants]  the trust weights as whole numbers
    reports: np.ndarray  # int64 [n_participants, n_arms]  scaled, of the last approved block
    reported: np.ndarray  # bool [n_participants]  has it reported in an approved block?
    changes: np.ndarray  # int64 [n_participants, n_arms]  approved blocks in which its report of the arm changed
    levels: np.ndarray  # int64 [n_arms]  N_i, the (faulty + 1)-th largest of these
    earned: np.ndarray  # int64 [n_participants]  scaled, V: all that was paid so far
    costs: np.ndarray  # int64 [n_participants]  scaled, what was charged for estimates of malicious participants
    waiting: np.ndarray  # int64 [n_participants]  bit j: the outcome of its pull j rounds before the last block is due


class Entry(NamedTuple):
    """What a round says of the participants, one row each, once it is known which reports count."""

    reports: np.ndarray  # int64 [n_participants, n_arms]  scaled
    present: np.ndarray  # bool  whose report counts
    silent: np.ndarray  # bool  of whom there is nothing; that costs less than a report that is refused
    paid: np.ndarray  # int64  scaled rewards, those of earlier rounds that are claimed now among them
    awaits: np.ndarray  # bool  who says that no outcome has come
    claimed: np.ndarray  # int64  bits as of Accounts.waiting: of the rounds whose outcomes are claimed now


@kernel
def open_accounts(terms):
    """The accounts before the first block."""
    m, k = terms.n_participants, terms.n_arms
    return Accounts(
        np.full(k, NO_ESTIMATE, np.int64),
        np.zeros(m, np.int64),
        np.full(m, UNITS // m, np.int64),
        np.zeros((m, k), np.int64),
        np.zeros(m, np.bool_),
        np.zeros((m, k), np.int64),
        np.zeros(k, np.int64),
        np.zeros(m, np.int64),
        np.zeros(m, np.int64),
        np.zeros(m, np.int64),
    )


@kernel
def blank_entry(terms):
    """That of a round in which nobody has said anything."""
    m, k = terms.n_participants, terms.n_arms
    return Entry(
        np.zeros((m, k), np.int64),
        np.zeros(m, np.bool_),
        np.ones(m, np.bool_),
        np.zeros(m, np.int64),
        np.zeros(m, np.bool_),
        np.zeros(m, np.int64),
    )


def scaled(value: float) -> int:
    """The nearest multiple of 2**-32, as an integer; halves go up.

    Raises:
        ValueError: no number, not finite, or beyond +-4.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating):
        raise ValueError(f"report = {brief(value)}: expected a finite number")
    if not isinstance(value, int) and not isfinite(value):
        raise ValueError(f"report = {brief(value)}: expected a finite number")
    if isinstance(value, int) and abs(value) > MOST_REPORT // ONE:
        shown = value if value.bit_length() <= 128 else f"an integer of {value.bit_length()} bits"
        raise ValueError(f"report = {shown}: expected a number from {-MOST_REPORT // ONE} to {MOST_REPORT // ONE}")
    if abs(value) > MOST_REPORT / ONE:
        raise ValueError(f"report = {value!r}: expected a number from {-MOST_REPORT // ONE} to {MOST_REPORT // ONE}")
    return int(rounded(float(value)))


@kernel
def rounded(value):
    """As `scaled`, for a number that is known to be in range."""
    whole = floor(value * 4294967296.0)
    return int(whole) + (1 if value * 4294967296.0 - whole >= 0.5 else 0)


@kernel
def on_grid(value, resolution):
    """The multiple of 2**-resolution nearest to a scaled number; halves go up."""
    coarse = 32 - resolution
    return ((value + ((1 << coarse) >> 1)) >> coarse) << coarse  # shifts round down, as whole divisions do


@kernel
def shrunk(x):
    """floor-wise 2**30 exp(-x / 2**32) for a scaled x >= 0, by one multiplication for each bit set in x."""
    if x >= _NOTHING_LEFT:
        return 0
    result = _FULL
    for j in range(len(_POWERS)):
        if (x >> j) & 1:
            result = (result * _POWERS[j]) >> _UNIT_BITS
    return result


@kernel
def unlucky(own_units, total_units, expected_validators):
    """2**30 times the chance that none of a participant's units is drawn: (1 - p)**units, p = expected / total.

    By the first two terms of units * -log(1 - p); the rest is at most
    units p**3 / (3 (1 - p)) of it, 4e-5 at the most and below 2**-30 for M_V up to 91.
    """
    first = (own_units * expected_validators * ONE) // total_units
    second = (first * expected_validators) // (2 * total_units)
    return shrunk(first + second)


@kernel
def drawn_by_coin(coins, round, participant, own_units, total_units, expected_validators):
    """Is a participant a validator of the round? A public coin of 30 bits stands for its verifiable random function."""
    word, _, _, _ = block(coins, SORTITION, round, participant, 0)
    return (word >> 2) >= unlucky(own_units, total_units, expected_validators)


@kernel
def combined(terms, sets, n_sets, arm, participant):
    """Is the participant in the validated set of the arm, by the agreed sets (bool [n_sets, participants, arms])?"""
    named = 0
    for v in range(n_sets):
        if sets[v, participant, arm]:
            named += 1
    return named > 0 if terms.combination == UNION else 2 * named > n_sets


@kernel
def validated(terms, sets, n_sets, reports, estimates, members):
    """Fill `members` (bool [participants, arms]) and `estimates` (scaled, [arms]); is the block approved?

    An estimate is the mean of the reports of the members, rounded down; approved is a block in which every arm has
    a member and no estimate exceeds 2. Sets must name nobody who is absent: whose report would be stale.
    """
    approved = True
    for i in range(terms.n_arms):
        total, size = 0, 0
        for m in range(terms.n_participants):
            members[m, i] = combined(terms, sets, n_sets, i, m)
            if members[m, i]:
                total += reports[m, i]
                size += 1
        estimates[i] = total // size if size > 0 else NO_ESTIMATE
        if size == 0 or estimates[i] > APPROVAL_BOUND:
            approved = False
    return approved


@kernel
def distance(terms, reports, estimates, m):
    """The largest difference, over arms, between a participant's report and the validated estimate; scaled."""
    largest = 0
    for i in range(terms.n_arms):
        largest = max(largest, abs(reports[m, i] - estimates[i]))
    return largest


@kernel
def due(waiting, elapsed):
    """The bits of waiting outcomes as they stand so many rounds after the last block."""
    return waiting << elapsed if elapsed <= MOST_WINDOW else 0


@kernel
def book(terms, accounts, entry, elapsed, estimates):
    """Enter an approved block into the accounts.

    Args:
        terms, accounts: the contract; the accounts are written.
        entry: what the round says of the participants. Whose report is refused counts as one unit of distance away.
        elapsed: rounds since the last block.
        estimates: int64 [arms], scaled, validated.
    """
    in_window = (1 << terms.window) - 1
    for i in range(terms.n_arms):
        accounts.estimates[i] = estimates[i]
    for m in range(terms.n_participants):
        if terms.trust == REWARD:
            accounts.exponent[m] += entry.paid[m]
        elif entry.present[m]:
            accounts.exponent[m] += terms.delta - distance(terms, entry.reports, estimates, m)
        else:
            accounts.exponent[m] += terms.delta - (terms.silence if entry.silent[m] else ONE)
        if entry.present[m]:
            for i in range(terms.n_arms):
                if accounts.reported[m] and accounts.reports[m, i] != entry.reports[m, i]:
                    accounts.changes[m, i] += 1
                accounts.reports[m, i] = entry.reports[m, i]
            accounts.reported[m] = True
        accounts.earned[m] += entry.paid[m]
        left = due(accounts.waiting[m] & ~entry.claimed[m], elapsed)
        accounts.waiting[m] = (left | (1 if entry.awaits[m] else 0)) & in_window
    for i in range(terms.n_arms):
        accounts.levels[i] = ranked(accounts.changes, i, terms.faulty)
    clip(accounts.exponent, terms.span)
    quantise(accounts.exponent, accounts.units)


@kernel
def charge(accounts, malicious, amount):
    """Book what estimates of malicious participants (bool) have cost: each honest one pays the amount, each malicious
    one is paid it.
    """
    for m in range(len(malicious)):
        accounts.costs[m] += -amount if malicious[m] else amount


@kernel
def clip(exponent, span):
    """No trust weight falls further behind the largest than the span allows; the largest becomes 1.

    Without it one participant soon holds all units, and it need not be an honest one.
    """
    top = exponent[0]
    for m in range(1, len(exponent)):
        top = max(top, exponent[m])
    for m in range(len(exponent)):
        exponent[m] = max(exponent[m] - top, -span)


@kernel
def ranked(changes, arm, rank):
    """The (rank + 1)-th largest entry of a column: rank others may be lies."""
    for m in range(len(changes)):
        above = 0
        for j in range(len(changes)):
            if changes[j, arm] > changes[m, arm] or (changes[j, arm] == changes[m, arm] and j < m):
                above += 1
                if above > rank:
                    break
        if above == rank:
            return changes[m, arm]
    return 0


@kernel
def quantise(exponent, units):
    """Trust as whole units, about UNITS in all and at least one each, from exponents of at most 0."""
    total = 0
    for m in range(len(exponent)):
        units[m] = shrunk(-exponent[m])
        total += units[m]
    for m in range(len(exponent)):
        units[m] = max(1, (units[m] * UNITS) // total)
