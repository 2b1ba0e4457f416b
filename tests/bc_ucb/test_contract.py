"""The contract of BC-UCB: by hand, and against a twin in unbounded integers, compiled and not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jitted import jit
from plain_contract import Plain, arrays, plain_round, rounds_of, same, terms_of

from folkmoot.bc_ucb import contract
from folkmoot.bc_ucb.contract import DISTANCE, MAJORITY, MOST_REPORT, NO_ESTIMATE, ONE, REWARD, UNION, UNITS, Terms


def terms(m=4, k=2, faulty=1, combination=MAJORITY, trust=DISTANCE, delta=0, span=2 * ONE):
    return Terms(m, k, faulty, m, combination, trust, delta, span)


def one_round(of, accounts, entry, sets, n_sets, elapsed, estimates, members):
    """What a driver does with the contract in a round."""
    approved = contract.validated(of, sets, n_sets, entry.reports, estimates, members)
    if approved:
        contract.book(of, accounts, entry, elapsed, estimates)
    return approved


compiled_round = jit(one_round)


def played(of, accounts, a_round, play=one_round):
    """Play one round (or its reports, who is present, sets and rewards): approved, estimates, members."""
    if isinstance(a_round, tuple):
        reports, present, sets, paid = a_round
        a_round = plain_round(of, reports, sets, present=present, paid=paid)
    estimates = np.zeros(of.n_arms, np.int64)
    members = np.zeros((of.n_participants, of.n_arms), np.bool_)
    approved = play(of, accounts, *arrays(of, a_round), estimates, members)
    return bool(approved), estimates.tolist(), members.tolist()


def booked(of, reports, estimates=None, accounts=None, elapsed=1, **told):
    """Accounts after an approved block with these estimates (the first participant's reports unless told)."""
    accounts = contract.open_accounts(of) if accounts is None else accounts
    entry = arrays(of, plain_round(of, reports, [], **told))[0]
    contract.book(of, accounts, entry, elapsed, np.array(reports[0] if estimates is None else estimates))
    return accounts


# --- validated sets and estimates ------------------------------------------------------------------------------------


def test_estimates_by_hand():
    reports = [[10, -1], [21, -2], [9_999, -4], [7, 7]]
    sets = [[[1, 1], [1, 1], [0, 1], [0, 0]]]
    approved, estimates, members = played(
        terms(), contract.open_accounts(terms()), (reports, [True] * 4, sets, [0] * 4)
    )
    assert approved
    assert estimates == [15, -3]  # 31 / 2 and -7 / 3, both down
    assert members == [[True, True], [True, True], [False, True], [False, False]]


def named_by(counts, combination):
    """Who is in the validated set of an arm, when participant m is named by counts[m] of 4 sets?"""
    of = terms(len(counts), 1, combination=combination)
    sets = [[[v < count] for count in counts] for v in range(4)]
    _, _, members = played(of, contract.open_accounts(of), ([[0]] * len(counts), [True] * len(counts), sets, [0] * 5))
    return [row[0] for row in members]


def test_a_majority_is_more_than_half_of_the_agreed_sets():
    assert named_by([0, 1, 2, 3, 4], MAJORITY) == [False, False, False, True, True]


def test_a_union_is_whoever_is_named_at_all():
    assert named_by([0, 1, 2, 3, 4], UNION) == [False, True, True, True, True]


@pytest.mark.parametrize(("combination", "back"), [(MAJORITY, False), (UNION, True)])
def test_one_malicious_validator_reinserts_everyone_under_union(combination, back):
    """Three honest validators trim participant 0; a fourth names everybody. Under the union the trimming is undone."""
    of = terms(5, 2, combination=combination)
    reports = [[4 * ONE, -4 * ONE], *[[ONE // 2, ONE // 4]] * 4]
    trimmed, everybody = [[0, 0], [1, 1], [1, 1], [1, 1], [0, 0]], [[1, 1]] * 5
    accounts = contract.open_accounts(of)
    _, estimates, members = played(of, accounts, (reports, [True] * 5, [*[trimmed] * 3, everybody], [0] * 5))
    assert members[0] == [back, back]
    moved = [(4 * ONE + 4 * (ONE // 2)) // 5, (-4 * ONE + 4 * (ONE // 4)) // 5]
    assert estimates == (moved if back else [ONE // 2, ONE // 4])


@pytest.mark.parametrize(("value", "approved"), [(2 * ONE, True), (2 * ONE + 1, False), (-MOST_REPORT, True)])
def test_an_estimate_above_two_disapproves_the_block(value, approved):
    of = terms()
    accounts, fresh = contract.open_accounts(of), contract.open_accounts(of)
    found, estimates, _ = played(of, accounts, ([[0, value]] * 4, [True] * 4, [[[1, 1]] * 4], [ONE] * 4))
    assert found is approved
    assert estimates == [0, value]
    if not approved:
        assert all((a == b).all() for a, b in zip(accounts, fresh))


@pytest.mark.parametrize("combination", [MAJORITY, UNION])
@pytest.mark.parametrize("sets", [[], [[[0, 0]] * 4], [[[1, 0]] * 4], [[[0, 0]] * 4] * 2])
def test_an_arm_without_a_member_disapproves_the_block(combination, sets):
    of = terms(combination=combination)
    approved, estimates, _ = played(of, contract.open_accounts(of), ([[1, 1]] * 4, [True] * 4, sets, [0] * 4))
    assert not approved
    assert estimates[1] == NO_ESTIMATE


@settings(max_examples=50, deadline=None)
@given(st.data(), terms_of())
def test_the_order_of_the_agreed_sets_does_not_matter(data, of):
    (a_round,) = data.draw(rounds_of(of, 1))
    other = {**a_round, "sets": data.draw(st.permutations(a_round["sets"]))}
    one, two = contract.open_accounts(of), contract.open_accounts(of)
    assert played(of, one, a_round) == played(of, two, other)
    assert all((a == b).all() for a, b in zip(one, two))


@settings(max_examples=50, deadline=None)
@given(st.data(), terms_of())
def test_the_numbers_of_the_participants_do_not_matter(data, of):
    """Renumbering the participants renumbers their accounts and leaves estimates and levels alone."""
    order = data.draw(st.permutations(range(of.n_participants)))
    one, two = contract.open_accounts(of), contract.open_accounts(of)
    for a_round in data.draw(rounds_of(of, 3)):
        by_participant = {name: told for name, told in a_round.items() if name not in ("sets", "elapsed")}
        moved = {name: [told[m] for m in order] for name, told in by_participant.items()}
        moved = {**a_round, **moved, "sets": [[named[m] for m in order] for named in a_round["sets"]]}
        approved, estimates, members = played(of, one, a_round)
        assert played(of, two, moved) == (approved, estimates, [members[m] for m in order])
    for field in ("estimates", "levels"):
        assert (getattr(one, field) == getattr(two, field)).all()
    for field in ("exponent", "units", "reports", "reported", "changes", "earned", "costs", "waiting"):
        assert (getattr(one, field)[list(order)] == getattr(two, field)).all()


# --- trust -----------------------------------------------------------------------------------------------------------


def test_trust_follows_the_largest_distance_on_any_arm():
    """delta - distance: 1 - 0, 1 - 3, 1 - 5 and, absent, 1 - ONE; the first is the largest and becomes 0."""
    accounts = booked(terms(delta=1, span=9 * ONE), [[9, 9], [8, 12], [14, 9], [0, 0]], present=[1, 1, 1, 0])
    assert accounts.exponent.tolist() == [0, -3, -5, -ONE]


def test_trust_follows_the_rewards_paid():
    accounts = booked(terms(trust=REWARD, delta=7), [[9, 9], [0, 0], [0, 0], [0, 0]], paid=[5, 8, 0, -2])
    assert accounts.exponent.tolist() == [-3, 0, -8, -10]
    booked(terms(trust=REWARD), [[9, 9]] * 4, paid=[5, 0, 0, 1], present=[0, 1, 1, 1], accounts=accounts)
    assert accounts.exponent.tolist() == [0, -2, -10, -11]  # -3 + 5, 0, -8, -10 + 1, less 2


@pytest.mark.parametrize("span", [0, 1, 5, ONE])
def test_nobody_falls_behind_further_than_the_span(span):
    accounts = contract.open_accounts(terms())
    accounts.exponent[:] = [7, 4, -2, 7 - 10 * ONE]
    contract.clip(accounts.exponent, span)
    assert accounts.exponent.tolist() == [0, -min(3, span), -min(9, span), -span]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 25 * ONE), st.integers(0, 2**12)), max_size=40), st.randoms())
def test_units_sum_to_about_their_number_and_everybody_has_one(behind, random):
    """Rounding down loses less than one each, raising to one adds at most one each.

    Of two participants the one with the larger weight has at least the units of the other less one: a weight is wrong
    by at most 74 of the 2**30 that the largest has alone, a unit is worth 2**10 of these.
    """
    exponent = [0, *(-b for b in behind)]
    random.shuffle(exponent)
    units = np.zeros(len(exponent), np.int64)
    contract.quantise(np.array(exponent), units)
    assert units.min() >= 1
    assert UNITS - len(exponent) < int(units.sum()) < UNITS + len(exponent)
    ranked = units[np.argsort(exponent)]
    assert (np.maximum.accumulate(ranked) - ranked).max() <= 1


def test_units_by_hand():
    accounts = booked(terms(m=2, k=1, span=9 * ONE), [[0], [ONE]])
    share = 1 / (1 + np.exp(-1.0))
    assert abs(accounts.units - UNITS * np.array([share, 1 - share])).max() < 1
    for m in (1, 3, 4, 512):
        of = terms(m=m, faulty=0, k=1)
        assert contract.open_accounts(of).units.tolist() == booked(of, [[0]] * m).units.tolist() == [UNITS // m] * m


# --- pull levels -----------------------------------------------------------------------------------------------------


def test_ranked_by_hand():
    changes = np.array([[3, 0], [9, 2], [3, 5], [1, 5]])
    assert [contract.ranked(changes, 0, rank) for rank in range(4)] == [9, 3, 3, 1]
    assert [contract.ranked(changes, 1, rank) for rank in range(4)] == [5, 5, 2, 0]


def test_changes_count_from_the_second_report_on():
    of = terms(m=2, k=2, faulty=0)
    accounts = booked(of, [[5, 5], [5, 5]])
    assert accounts.changes.tolist() == [[0, 0], [0, 0]]
    booked(of, [[6, 5], [0, 0]], present=[True, False], accounts=accounts)
    booked(of, [[6, 7], [5, 6]], accounts=accounts)
    booked(of, [[5, 7], [5, 5]], accounts=accounts)
    assert accounts.changes.tolist() == [[2, 1], [0, 2]]
    assert accounts.levels.tolist() == [2, 2]
    assert accounts.reports.tolist() == [[5, 7], [5, 5]]


def test_liars_who_jitter_their_reports_do_not_move_the_levels():
    """Five honest participants pull arm 0 in every round and arm 1 in every third; two liars (f = 2) change always."""
    of = terms(m=7, k=2, faulty=2)
    honest_only, with_liars = contract.open_accounts(of), contract.open_accounts(of)
    for t in range(1, 31):
        honest = [[100 * t, 100 * (t // 3)]] * 5
        booked(of, [*honest, [0, 0], [0, 0]], accounts=honest_only)
        booked(of, [*honest, [t, -t], [-t, t]], accounts=with_liars)
        assert with_liars.levels.tolist() == honest_only.levels.tolist() == [t - 1, t // 3]
    assert with_liars.changes[5:].tolist() == [[29, 29], [29, 29]]


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(0, 3))
def test_a_level_lies_among_honest_counts(data, faulty):
    """Whatever f liars claim: not above the largest honest count, not below the (f + 1)-th largest."""
    honest = data.draw(st.lists(st.integers(0, 20), min_size=2 * faulty + 1, max_size=9))
    liars = data.draw(st.lists(st.integers(0, 10**6), min_size=faulty, max_size=faulty))
    column = np.array([[n] for n in data.draw(st.permutations(honest + liars))])
    assert sorted(honest)[-1 - faulty] <= contract.ranked(column, 0, faulty) <= max(honest)


# --- the whole contract ----------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.data(), terms_of())
def test_interpreted_compiled_and_in_unbounded_integers_it_is_the_same(data, of):
    plain, accounts, compiled = Plain(of), contract.open_accounts(of), contract.open_accounts(of)
    for a_round in data.draw(rounds_of(of)):
        expected = plain.round(a_round)
        assert played(of, accounts, a_round) == expected
        assert played(of, compiled, a_round, compiled_round) == expected
    same(accounts, plain)
    same(compiled, plain)


@pytest.mark.parametrize(("m", "k"), [(contract.MOST_PARTICIPANTS, 3), (3, contract.MOST_ARMS)])
@pytest.mark.parametrize("trust", [DISTANCE, REWARD])
def test_nothing_overflows_at_the_limits(m, k, trust):
    """The largest numbers there are, in both signs, from accounts a million rounds old."""
    of = Terms(m, k, (m - 1) // 3, m, MAJORITY, trust, ONE, 23 * ONE)
    plain, compiled = Plain(of), contract.open_accounts(of)
    old = [-(7919 * n) % of.span - of.span for n in range(m)]
    plain.exponent, compiled.exponent[:] = list(old), old
    plain.changes = [[10**6 + n] * k for n in range(m)]
    compiled.changes[:] = plain.changes
    extremes = [MOST_REPORT, -MOST_REPORT, MOST_REPORT - 1, 2 * ONE, 0]
    for top in (2 * ONE, -MOST_REPORT):
        reports = [[min(top, extremes[(n + i) % 5]) for i in range(k)] for n in range(m)]
        reports[-1] = [-MOST_REPORT] * k
        sets = [[[n != v] * k for n in range(m)] for v in range(3)]
        present, paid = [n % 4 > 0 for n in range(m)], [extremes[n % 5] for n in range(m)]
        a_round = plain_round(of, reports, sets, present=present, paid=paid)
        expected = plain.round(a_round)
        assert expected[0]
        assert played(of, compiled, a_round, compiled_round) == expected
    same(compiled, plain)
    for units in (1, int(compiled.units.max()), UNITS + m):
        assert compiled_unlucky(units, UNITS, m) == contract.unlucky(units, UNITS, m)


compiled_unlucky = jit(contract.unlucky)


@jit
def many_rounds(of, accounts, entry, estimates, rounds):
    for _ in range(rounds):
        contract.book(of, accounts, entry, 1, estimates)


@pytest.mark.parametrize("trust", [REWARD, DISTANCE])
def test_a_million_rounds_do_not_overflow(trust):
    """Without any clipping an exponent falls by 8 a round at most: exactly so much after a million."""
    of = Terms(2, 1, 0, 1, MAJORITY, trust, 0, 2**60)
    accounts = contract.open_accounts(of)
    reports, paid = [[MOST_REPORT], [-MOST_REPORT]], [MOST_REPORT, -MOST_REPORT]
    entry = arrays(of, plain_round(of, reports, [], paid=paid))[0]
    many_rounds(of, accounts, entry, np.array([MOST_REPORT]), 10**6)
    assert accounts.exponent.tolist() == [0, -(10**6) * 2 * MOST_REPORT]
    assert accounts.units.tolist() == [UNITS, 1]
