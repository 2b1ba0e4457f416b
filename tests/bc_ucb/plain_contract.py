"""The dumb twin of the contract: lists and Python's integers, which cannot overflow; and random rounds."""

from decimal import Decimal, localcontext

import numpy as np
from hypothesis import strategies as st

from folkmoot.bc_ucb import contract
from folkmoot.bc_ucb.contract import DISTANCE, MAJORITY, MOST_REPORT, NO_ESTIMATE, ONE, REWARD, UNION, Terms


def exact_exponential(x, digits=60):
    """2**30 exp(-x / 2**32) as a Decimal of so many digits."""
    with localcontext() as context:
        context.prec = digits
        return (Decimal(-x) / 2**32).exp() * 2**30


POWERS = [int(exact_exponential(2**j)) for j in range(37)]


def shrunk(x):
    result = 2**30 if x < 22 * ONE else 0
    for j, power in enumerate(POWERS):
        if x & 2**j:
            result = result * power // 2**30
    return result


class Plain:
    """A contract and its accounts."""

    def __init__(self, terms):
        self.terms = terms
        m, k = terms.n_participants, terms.n_arms
        self.estimates = [NO_ESTIMATE] * k
        self.exponent = [0] * m
        self.units = [2**20 // m] * m
        self.reports = [[0] * k for _ in range(m)]
        self.reported = [False] * m
        self.changes = [[0] * k for _ in range(m)]
        self.levels = [0] * k
        self.earned, self.costs, self.waiting = [0] * m, [0] * m, [0] * m

    def round(self, a_round):
        """The estimates and members of a round, entered into the accounts if they are approved; is it?"""
        terms, reports, sets = self.terms, a_round["reports"], a_round["sets"]
        arms, everybody = range(terms.n_arms), range(terms.n_participants)
        need = 1 if terms.combination == UNION else len(sets) // 2 + 1
        members = [[sum(named[m][i] for named in sets) >= need for i in arms] for m in everybody]
        estimates = []
        for i in arms:
            heard = [reports[m][i] for m in everybody if members[m][i]]
            estimates.append(sum(heard) // len(heard) if heard else NO_ESTIMATE)
        approved = all(NO_ESTIMATE < estimate <= 2 * ONE for estimate in estimates)
        if approved:
            self.enter(estimates, **a_round)
        return approved, estimates, members

    def enter(self, estimates, reports, present, silent, paid, awaits, claimed, elapsed, sets):
        terms = self.terms
        self.estimates = estimates
        for m in range(terms.n_participants):
            left = [age + elapsed for age in range(63) if (self.waiting[m] >> age) & 1 and not (claimed[m] >> age) & 1]
            self.waiting[m] = sum(2**age for age in [*left, *([0] if awaits[m] else [])] if age < terms.window)
            self.earned[m] += paid[m]
            away = max(abs(a - b) for a, b in zip(reports[m], estimates))
            away = away if present[m] else terms.silence if silent[m] else ONE
            self.exponent[m] += paid[m] if terms.trust == REWARD else terms.delta - away
            if present[m]:
                if self.reported[m]:
                    self.changes[m] = [
                        n + (a != b) for n, a, b in zip(self.changes[m], self.reports[m], reports[m], strict=True)
                    ]
                self.reports[m], self.reported[m] = list(reports[m]), True
        self.levels = [sorted(column, reverse=True)[terms.faulty] for column in zip(*self.changes)]
        top = max(self.exponent)
        self.exponent = [max(e - top, -terms.span) for e in self.exponent]
        weights = [shrunk(-e) for e in self.exponent]
        self.units = [max(1, weight * 2**20 // sum(weights)) for weight in weights]


def same(accounts, plain):
    """Do these accounts (`contract.Accounts`, or lists by the same names) hold what the twin holds?"""
    for field in contract.Accounts._fields:
        found = np.asarray(getattr(accounts, field)).tolist()
        assert found == getattr(plain, field), f"{field}: {found} against {getattr(plain, field)}"


SCALED = st.one_of(
    st.sampled_from([-MOST_REPORT, -ONE, -1, 0, 1, ONE, 2 * ONE, 2 * ONE + 1, MOST_REPORT]),
    st.integers(0, ONE),
    st.integers(-MOST_REPORT, MOST_REPORT),
)


@st.composite
def terms_of(draw, most_participants=8, most_arms=4, later=True):
    """`later`: with fields that the first edition did not have."""
    m, k = draw(st.integers(1, most_participants)), draw(st.integers(1, most_arms))
    return Terms(
        m, k, draw(st.integers(0, m - 1)), draw(st.integers(1, m)), draw(st.sampled_from([MAJORITY, UNION])),
        draw(st.sampled_from([DISTANCE, REWARD])), draw(st.integers(0, ONE)),
        draw(st.one_of(st.sampled_from([0, 1, ONE, 23 * ONE]), st.integers(0, 14 * ONE))),
        draw(st.integers(0, ONE)) if later else ONE, 32, draw(st.sampled_from([0, 1, 2, 8, 61, 62])) if later else 0,
    )  # fmt: skip


@st.composite
def rounds_of(draw, terms, count=6):
    """Rounds as of `plain_round`: the sets named often enough that most of them are approved."""
    m, k = terms.n_participants, terms.n_arms
    found = []
    for _ in range(count):
        scale = draw(st.sampled_from([SCALED, st.integers(0, ONE), st.sampled_from([ONE, ONE + 1])]))
        row = st.lists(scale, min_size=k, max_size=k)
        reports = draw(st.lists(row, min_size=m, max_size=m))
        if found and draw(st.booleans()):  # somebody says the same again
            reports[0] = list(found[-1]["reports"][0])
        generous = draw(st.sampled_from([2, 8]))
        named = st.integers(0, generous).map(bool)
        lines = st.lists(st.lists(named, min_size=k, max_size=k), min_size=m, max_size=m)
        sets = draw(st.lists(lines, min_size=0 if generous == 2 else 1, max_size=m))
        paid = draw(st.lists(st.integers(0, ONE) if scale is not SCALED else SCALED, min_size=m, max_size=m))
        flags, bits = st.lists(st.booleans(), min_size=m, max_size=m), st.integers(0, (1 << terms.window) - 1)
        present = draw(st.lists(named, min_size=m, max_size=m))
        found.append(
            plain_round(
                terms,
                reports,
                sets,
                present=present,
                paid=paid,
                silent=draw(flags),
                awaits=draw(flags),
                claimed=draw(st.lists(bits, min_size=m, max_size=m)),
                elapsed=draw(st.sampled_from([1, 1, 2, 3, 61, 62, 63, 64, 10**6])),
            )
        )
    return found


def plain_round(terms, reports, sets, **told):
    """A round as lists by their names; whoever is not told of has reported, and is neither paid nor waiting."""
    m = terms.n_participants
    blank = {"present": [True] * m, "silent": [False] * m, "paid": [0] * m, "awaits": [False] * m, "claimed": [0] * m}
    return {"reports": reports, "sets": sets, "elapsed": 1, **blank, **{k: v for k, v in told.items() if v is not None}}


def arrays(terms, a_round):
    """A round as what the contract takes: entry, sets, n_sets, elapsed."""
    m, k, sets = terms.n_participants, terms.n_arms, a_round["sets"]
    table = np.zeros((max(len(sets), 1), m, k), np.bool_)
    for v, named in enumerate(sets):
        table[v] = named
    kinds = contract.blank_entry(terms)._asdict().items()
    entry = contract.Entry(**{name: np.array(a_round[name], like.dtype) for name, like in kinds})
    return entry, table, len(sets), a_round["elapsed"]
