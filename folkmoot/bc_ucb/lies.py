"""What a lie is, in numbers: what a liar reports and to whom, and what it claims; for both drivers, and compiled.

attacks.py says what an attack is made of; the words there are the numbers here.
"""

from typing import NamedTuple

from folkmoot.coins import MALICE, below, uniform
from folkmoot.interface import kernel

_ONE = 1 << 32  # reports are integer multiples of 2**-32
NO_CLAIM = -(1 << 40)  # the true reward is told

HONEST = 0
CONSTANT, RANDOM, SIGN_FLIP, TRIM_WINDOW, PROMOTE, DRIFT, SPLIT_WINDOW = range(1, 8)
EQUIVOCATE, WITHHOLD, ALLIES, FORGE, REPLAY, EVERYBODY, MUTE = range(1, 8)
TO_ALL, TO_MAJORITY, TO_ONE, TO_ALL_BUT_ONE, TO_NONE, TO_HALVES, SENT_LATE = range(7)
NOT_HELD, FIRST, SECOND = range(3)  # which report of a liar somebody holds


class Misbehaviour(NamedTuple):
    """What the kernels need to know of an attack."""

    report: int
    value: int  # scaled; of "constant", and the drift a round of "drift"
    arm: int  # made to look bad by "trim_window" and "split_window", good by "promote"
    pull: int  # the arm always pulled; -1: as an honest participant would
    inflated: bool  # does it claim pull counts that pass every comparison?
    validator: int
    deliver: int
    claim: int  # scaled, NO_CLAIM: the true reward
    signed: bool = False  # does an environment sign rewards, so that no other than the true one is believed?


@kernel
def ranked_honest(reports, malicious, arm, rank, high):
    """The report of an arm that has `rank` honest ones strictly before it, from below or (high) from above."""
    for m in range(len(malicious)):
        if not malicious[m]:
            before = 0
            for j in range(len(malicious)):
                if not malicious[j]:
                    one, other = reports[j, arm], reports[m, arm]
                    earlier = one > other if high else one < other
                    if earlier or (one == other and j < m):
                        before += 1
            if before == rank:
                return reports[m, arm]
    return 0


@kernel
def lie(attack, m, t, own, reports, malicious, faulty, coins):
    """Fill row m of the scaled reports with the lies of malicious participant m in round t.

    Args:
        own: int64 [n_participants, n_arms], the scaled means an honest participant in its place would report.
        reports: int64 [n_participants, n_arms]; those of honest participants are filled in.
        malicious: bool [n_participants].
        faulty: f, how many the honest trim on either side.
    """
    for k in range(reports.shape[1]):
        value = own[m, k]
        if attack.report == CONSTANT:
            value = attack.value
        elif attack.report == RANDOM:
            value = int(uniform(coins, MALICE, t, m, k) * 4294967296.0)
        elif attack.report == SIGN_FLIP:
            value = -value
        elif attack.report == TRIM_WINDOW:
            if faulty == 0:
                value = 0 if k == attack.arm else _ONE
            elif k == attack.arm:
                value = ranked_honest(reports, malicious, k, faulty - 1, False) + 1
            else:
                value = ranked_honest(reports, malicious, k, faulty - 1, True) - 1
        elif attack.report == SPLIT_WINDOW:
            value = _split(attack, m, k, reports, malicious, faulty)
        elif attack.report == PROMOTE:
            value = _ONE if k == attack.arm else 0
        elif attack.report == DRIFT:
            value = _copied(reports, malicious, t, m, k, coins) + attack.value * t
        reports[m, k] = value


@kernel
def _copied(reports, malicious, t, m, arm, coins):
    """The report of an honest participant, the same one in every round."""
    honest = 0
    for j in range(len(malicious)):
        if not malicious[j]:
            honest += 1
    wanted = below(coins, honest, MALICE, 0, m, 1 << 20)
    for j in range(len(malicious)):
        if not malicious[j]:
            if wanted == 0:
                return reports[j, arm]
            wanted -= 1
    return 0


@kernel
def _split(attack, m, arm, reports, malicious, faulty):
    """Of the first liar the most extreme report that is not trimmed while its allies' are; of these, 0 and 1."""
    liars, leads = 0, True
    for j in range(len(malicious)):
        if malicious[j]:
            liars += 1
            if j < m:
                leads = False
    low, rank = arm == attack.arm, faulty - liars  # as the allies are trimmed, and the honest before this rank
    if not leads or rank < 0:
        return 0 if low else _ONE
    return ranked_honest(reports, malicious, arm, rank, not low) + (1 if low else -1)


@kernel
def second_report(attack, m, reports, second):
    """Fill row m of `second` with what a liar tells those from whom it hides its report, row m of `reports`.

    The mirror image. Of "split_window" the first liar is as extreme as its allies, who say the same to all: where it is
    trimmed, an honest report is let in that is trimmed elsewhere.
    """
    for k in range(reports.shape[1]):
        if attack.report == SPLIT_WINDOW:
            second[m, k] = 0 if k == attack.arm else _ONE
        else:
            second[m, k] = _ONE - reports[m, k]


@kernel
def claimed(attack, is_malicious, reward):
    """The reward that is told, scaled, of one that was `reward`."""
    return attack.claim if is_malicious and attack.claim != NO_CLAIM else reward


@kernel
def believed(attack, told, reward):
    """Does a report count that tells this of a reward?"""
    return told == reward or not attack.signed


@kernel
def set_counts(attack):
    """Is the set of a lying validator well-formed, signed, and one only?"""
    return attack.validator == HONEST or attack.validator == ALLIES or attack.validator == EVERYBODY


@kernel
def proposes(attack):
    """Does a liar that has all reports make the block of the round, as an honest validator does?"""
    return attack.deliver == TO_ALL and attack.validator != MUTE


@kernel
def which_report(attack, malicious, validators, n_validators, sender, receiver):
    """NOT_HELD, FIRST or SECOND: the report of `sender` that `receiver` has when validators name.

    Args:
        validators: int64, of the round, ascending, the first so many.
    """
    if not malicious[sender] or attack.deliver == TO_ALL or malicious[receiver]:
        return FIRST
    honest, liars, place, turn = 0, 0, -1, 0
    for v in range(n_validators):
        if malicious[validators[v]]:
            liars += 1
        else:
            if validators[v] == receiver:
                place = honest
            honest += 1
    if place < 0:  # nobody of those asked for it; but who misses it says so
        return FIRST if attack.deliver == TO_HALVES or attack.deliver == TO_ALL_BUT_ONE else NOT_HELD
    for j in range(sender):
        if malicious[j]:
            turn += 1
    if attack.deliver == TO_MAJORITY:
        friends = liars if set_counts(attack) else 0
        told = max((honest + friends) // 2 + 1 - friends, 0)
        return FIRST if (place - turn * told) % honest < told else NOT_HELD
    if attack.deliver == TO_ONE:
        return FIRST if place == turn % honest else NOT_HELD
    if attack.deliver == TO_ALL_BUT_ONE:
        return FIRST if place != turn % honest else NOT_HELD
    if attack.deliver == TO_HALVES:
        return FIRST if 2 * place < honest else SECOND
    return NOT_HELD
