"""Where liars choose who gets which of their reports, in the compiled loop: who holds what when validators name.

`now` is the loop's scratch space (ideal.py), `now.apart` what is kept here. After the agreement honest validators hold
every report that one of them names; so a report is in the record if more than half of the sets were made of it.
"""

from typing import NamedTuple

import numpy as np

from folkmoot.agreement.links import is_missed, is_remembered
from folkmoot.bc_ucb.contract import Entry, blank_entry, rounded
from folkmoot.bc_ucb.lies import (
    FIRST,
    HONEST,
    NOT_HELD,
    SECOND,
    believed,
    claimed,
    second_report,
    set_counts,
    which_report,
)
from folkmoot.bc_ucb.naming import name_all, name_lies
from folkmoot.bc_ucb.round import admit, payable, strike_out
from folkmoot.interface import kernel

BOTH = 3  # of a liar: who has heard two reports of it names none


class Apart(NamedTuple):
    """What is kept, and scratch space."""

    told: np.ndarray  # int64 [participants] which report of whom the record holds, be it one that counts or not
    two: np.ndarray  # bool [participants] do its two reports differ?
    second: Entry  # as of the round's, with second reports of liars
    holds: np.ndarray  # int64 [participants, participants] which report a participant (row) has, of whom
    last: np.ndarray  # int64 [participants, participants] the round in which a participant (row) last heard whom
    lost: np.ndarray  # int64 [participants] the last round in which it missed somebody
    present: np.ndarray  # bool [participants] whose reports count, as one validator has them
    reports: np.ndarray  # int64 [participants, arms] these
    names: np.ndarray  # int64 [participants, participants] for each set, which report of whom it was made of
    speaks: np.ndarray  # bool [participants] for whom a set speaks


@kernel
def blank_apart(terms):
    """Space for the participants and arms of these terms."""
    m, k = terms.n_participants, terms.n_arms
    return Apart(
        np.zeros(m, np.int64), np.zeros(m, np.bool_), blank_entry(terms),
        np.zeros((m, m), np.int64), np.zeros((m, m), np.int64), np.zeros(m, np.int64), np.zeros(m, np.bool_),
        np.zeros((m, k), np.int64), np.zeros((m, m), np.int64), np.zeros(m, np.bool_),
    )  # fmt: skip


@kernel
def begin_apart(params, apart):
    """A game begins: in the first round of reports everybody is expected, and nothing has been lost."""
    for h in range(params.n_agents):
        apart.lost[h] = -(1 << 40)
        for m in range(params.n_agents):
            apart.last[h, m] = params.burn_in


@kernel
def report_twice(terms, attack, malicious, now):
    """Liars' second reports; their first ones are in `now.entry` already."""
    for m in range(len(malicious)):
        now.apart.told[m] = FIRST
        if malicious[m]:
            second_report(attack, m, now.entry.reports, now.apart.second.reports)
            now.apart.two[m] = False
            for i in range(now.entry.reports.shape[1]):
                if now.entry.reports[m, i] != now.apart.second.reports[m, i]:
                    now.apart.two[m] = True
            reward = rounded(now.reward[m, 0])
            told = claimed(attack, True, reward)
            admit(terms, now.apart.second, m, payable(told) and believed(attack, told, reward))


@kernel
def screen_apart(params, state, attack, malicious, t, now, n_validators):
    """As `screen`; and `now.entry` becomes that of the record, `told` says which they are."""
    deliver(attack, malicious, t, now, n_validators)
    n_sets = 0
    for v in range(n_validators):
        h = now.validators[v]
        if malicious[h] and not set_counts(attack):
            continue
        hold(malicious, t, now, h, n_sets)
        if malicious[h] and attack.validator != HONEST:
            name_lies(params, attack, malicious, now, n_sets)
        else:
            name_all(params, state, attack, malicious, now, now.apart.present, now.apart.reports, h, n_sets)
        n_sets += 1
    for m in range(params.n_agents):
        if malicious[m]:
            settle_report(now, n_sets, m)
    for row in range(n_sets):
        for m in range(params.n_agents):
            now.apart.speaks[m] = now.entry.present[m] and now.apart.names[row, m] == now.apart.told[m]
        strike_out(now.sets, row, now.apart.speaks)
    return n_sets


@kernel
def deliver(attack, malicious, t, now, n_validators):
    """Who has which report in time, and who notices that one is missing."""
    apart = now.apart
    for h in range(len(malicious)):
        for m in range(len(malicious)):
            has = which_report(attack, malicious, now.validators, n_validators, m, h)
            apart.holds[h, m] = FIRST if has == SECOND and not apart.two[m] else has
            if has != NOT_HELD:
                apart.last[h, m] = t
            if is_missed(t, apart.last[h, m]):
                apart.lost[h] = t


@kernel
def hold(malicious, t, now, h, row):
    """Of whom validator h has which report when it names, after others have passed theirs on; liars pass on nothing."""
    apart = now.apart
    for m in range(len(malicious)):
        has = apart.holds[h, m]
        for other in range(len(malicious)):
            passed = apart.holds[other, m]
            passes = passed != NOT_HELD and not malicious[other] and is_remembered(t, apart.lost[other])
            if passes and not malicious[h]:
                has = passed if has in (NOT_HELD, passed) else BOTH
        if has == BOTH:
            has = NOT_HELD
        apart.names[row, m] = has
        apart.present[m] = (has == FIRST and now.entry.present[m]) or (has == SECOND and apart.second.present[m])
        for i in range(now.entry.reports.shape[1]):
            apart.reports[m, i] = apart.second.reports[m, i] if has == SECOND else now.entry.reports[m, i]


@kernel
def settle_report(now, n_sets, m):
    """Which of its reports, if any, is liar m's in the record?"""
    first, second, apart = 0, 0, now.apart
    for row in range(n_sets):
        if apart.names[row, m] == FIRST:
            first += 1
        elif apart.names[row, m] == SECOND:
            second += 1
    apart.told[m] = FIRST if 2 * first > n_sets else SECOND if 2 * second > n_sets else NOT_HELD
    if apart.told[m] == FIRST:
        return
    now.entry.present[m] = apart.told[m] == SECOND and apart.second.present[m]
    if apart.told[m] == NOT_HELD:
        now.entry.paid[m] = 0
        now.entry.silent[m] = first == 0 or second == 0
    for i in range(now.entry.reports.shape[1]):
        now.entry.reports[m, i] = apart.second.reports[m, i] if apart.told[m] == SECOND else 0
