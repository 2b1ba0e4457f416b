"""The contract on an EVM chain computes, in every field, what contract.py computes."""

import re
from pathlib import Path

import numpy as np
import pytest
from evm_rounds import TERMS, equal, missing, on_evm, settled, some_rounds
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_contract import rounds_of, terms_of

from folkmoot.bc_ucb import contract, evm, settlement
from folkmoot.bc_ucb.contract import DISTANCE, MAJORITY, MOST_REPORT, ONE, REWARD, UNION, Terms
from folkmoot.bc_ucb.settlement import SettledRound

if missing is None:
    import vyper
    from evm_node import Node


class OnChain:
    """A contract that has been deployed on a node, called without the settlement."""

    def __init__(self, node, terms, code):
        self.node, self.terms, self.account = node, terms, node.eth_accounts()[0]
        name = self.send(None, bytes.fromhex(code["bytecode"][2:]) + evm.words(*terms))
        self.address = node.receipts[name]["contractAddress"]
        self.number = 0

    def send(self, to, data, account=None):
        fields = {"from": account or self.account, "data": "0x" + data.hex()}
        return self.node.eth_sendTransaction(fields | ({"to": to} if to else {}))

    def call(self, data):
        return bytes.fromhex(self.node.eth_call({"to": self.address, "data": "0x" + data.hex()}, "latest")[2:])

    def enter(self, a_round, number=None, account=None, **changed):
        """Enter a round, with some arguments replaced; is it approved? The reason, if it is refused."""
        whole = settlement.checked(self.terms, a_round, 1)
        flags = ("present", "silent", "awaits", "malicious")
        arguments = {
            "number": self.number if number is None else number,
            "reports": whole.reports.ravel().tolist(),
            "present": 0,
            "sets": [evm.members(named[:, i].tolist()) for named in whole.sets for i in range(self.terms.n_arms)],
            "n_sets": len(whole.sets),
            "paid": whole.paid.tolist(),
            "silent": 0,
            "awaits": 0,
            "claimed": whole.claimed.tolist(),
            "elapsed": whole.elapsed,
            "malicious": 0,
            "charged": whole.charged,
        }
        arguments |= {name: evm.members(getattr(whole, name).tolist()) for name in flags} | changed
        name = self.send(self.address, evm.ROUND + evm.words(*arguments.values()), account)
        done = self.node.last
        if done.is_error:
            assert self.node.receipts[name]["status"] == "0x0"
            return reason(done.output)
        self.number += 1
        return bool(int.from_bytes(done.output, "big"))

    def event(self):
        """Approved, estimates and members, as the last round's event tells them."""
        ((_, topics, data),) = self.node.last.get_log_entries()
        assert topics[1] == self.number - 1
        m, k = self.terms.n_participants, self.terms.n_arms
        answer = evm.AnswerWords(data)
        words = answer.array(2, k, 0, 2**256 - 1)
        members = np.array([evm.flags(word, m) for word in words]).T
        return bool(answer.number(0, 0, 1)), answer.array(1, k, contract.NO_ESTIMATE, MOST_REPORT), members.tolist()

    def accounts(self):
        return settlement.read_accounts(evm.AnswerWords(self.call(evm.ACCOUNTS)), self.terms)

    def unlucky(self, participant):
        return int.from_bytes(self.call(bytes.fromhex("8ac93f5c") + evm.word(participant)), "big")


def reason(output):
    return output[68 : 68 + int.from_bytes(output[36:68], "big")].decode()


@pytest.fixture(scope="module")
def node():
    return Node()


@on_evm
@settings(max_examples=40, deadline=None)
@given(st.data(), st.one_of(terms_of(4, 2), terms_of(4, 2), terms_of(8, 4)), st.sampled_from([4, 20, 32]))
def test_the_contract_computes_what_contract_py_computes(node, code, data, terms, resolution):
    """Every field of every round: 40 times 5 rounds of random terms, M <= 8, K <= 4, some with a disclosure."""
    terms = terms._replace(resolution=resolution, cost=data.draw(st.integers(0, ONE)))
    flags = st.lists(st.booleans(), min_size=terms.n_participants, max_size=terms.n_participants)
    chain, accounts = OnChain(node, terms, code), contract.open_accounts(terms)
    for lists in data.draw(rounds_of(terms, 5)):
        told = np.array(data.draw(flags)), data.draw(st.sampled_from([0, 0, 1, 7, 10**6]))
        a_round = settled(terms, lists, *told)
        approved = settlement.entered(terms, accounts, a_round)
        assert chain.enter(a_round) is approved
        estimates, members = np.zeros(terms.n_arms, np.int64), np.zeros(a_round.reports.shape, np.bool_)
        contract.validated(terms, a_round.sets, len(a_round.sets), a_round.reports, estimates, members)
        assert chain.event() == (approved, estimates.tolist(), members.tolist())
    found = chain.accounts()
    assert equal(found, accounts), (found, accounts)
    total = int(accounts.units.sum())
    for m in range(terms.n_participants):
        expected = contract.unlucky(int(accounts.units[m]), total, terms.expected_validators)
        assert chain.unlucky(m) == expected


@on_evm
def test_rounding_and_approval_by_hand(node, code):
    terms = Terms(2, 1, 0, 1, MAJORITY, DISTANCE, 0, ONE)
    chain, both = OnChain(node, terms, code), np.ones(2, np.bool_)
    for one, other, estimate, approved in [
        (2 * ONE, 2 * ONE, 2 * ONE, True), (2 * ONE, 2 * ONE + 1, 2 * ONE, True),
        (2 * ONE + 1, 2 * ONE + 1, 2 * ONE + 1, False), (0, -1, -1, True), (-3, -2, -3, True), (-4, -2, -3, True),
    ]:  # fmt: skip
        a_round = SettledRound(np.array([[one], [other]]), both, np.ones((1, 2, 1), np.bool_), np.zeros(2, np.int64))
        assert chain.enter(a_round) is approved
        assert chain.event() == (approved, [estimate], [[True], [True]])


@on_evm
@pytest.mark.parametrize("faulty", range(5))
def test_levels_by_hand(node, code, faulty):
    """In six blocks after the first the participants change their reports 3, 5, 0, 4 and 1 times."""
    terms = Terms(5, 1, faulty, 1, MAJORITY, DISTANCE, 0, ONE)
    chain, everybody = OnChain(node, terms, code), np.ones(5, np.bool_)
    for n in range(7):
        reports = np.minimum(n, [[3], [5], [0], [4], [1]])
        chain.enter(SettledRound(reports, everybody, np.ones((1, 5, 1), np.bool_), np.zeros(5, np.int64)))
    accounts = chain.accounts()
    assert accounts.changes.ravel().tolist() == [3, 5, 0, 4, 1]
    assert accounts.levels.tolist() == [[5, 4, 3, 1, 0][faulty]]


@on_evm
def test_weights_down_to_nothing(node, code):
    """One participant holds almost everything, so that the units of the others show weights down to 2**-20."""
    terms = Terms(8, 1, 0, 1, MAJORITY, REWARD, 0, evm.MOST_SPAN)
    chain, accounts = OnChain(node, terms, code), contract.open_accounts(terms)
    reports, sets = np.zeros((8, 1), np.int64), np.ones((1, 8, 1), np.bool_)
    for n in range(6):  # exponents fall by 4.3, 4.8, ..., 7.3 a round
        paid = np.array([MOST_REPORT, *(-contract.scaled(0.3 + 0.5 * m + 0.01 * n) for m in range(7))])
        a_round = SettledRound(reports, np.ones(8, np.bool_), sets, paid)
        assert chain.enter(a_round) is settlement.entered(terms, accounts, a_round) is True
        assert chain.accounts().units.tolist() == accounts.units.tolist()


def test_the_table_of_powers_is_that_of_contract_py():
    table = re.search(r"POWERS: constant\(uint256\[POSITIONS\]\) = \[([\d,\s]+)\]", evm.source())[1]
    assert [int(number) for number in table.split(",") if number.strip()] == contract._POWERS.tolist()


@on_evm
@pytest.mark.parametrize(("combination", "trust"), [(MAJORITY, DISTANCE), (UNION, REWARD)])
def test_the_largest_contract(node, code, combination, trust):
    """32 participants, 16 arms, 32 validators, extreme numbers; more than a million changes are nothing special."""
    terms = Terms(evm.MOST_PARTICIPANTS, evm.MOST_ARMS, 10, 32, combination, trust, ONE, evm.MOST_SPAN)
    chain, accounts, random = OnChain(node, terms, code), contract.open_accounts(terms), np.random.default_rng(1)
    for n in range(2):
        present = random.random(32) < 0.9
        reports = np.where(present[:, None], random.choice([-MOST_REPORT, 2 * ONE, n], (32, 16)), 0)
        sets = (random.random((32, 32, 16)) < 0.6) & present[:, None]
        a_round = SettledRound(reports, present, sets, random.choice([-MOST_REPORT, MOST_REPORT, 1], 32))
        assert chain.enter(a_round) is settlement.entered(terms, accounts, a_round) is True
    assert equal(chain.accounts(), accounts)
    assert node.last.get_gas_used() < 2**24  # the most that one transaction may use (EIP-7825)


BAD_ARGUMENTS = [
    ({"number": 1}, "not the next round"),
    ({"reports": [0] * 11}, "size of reports"),
    ({"reports": [0] * 13}, "size of reports"),
    ({"reports": [0] * 11 + [MOST_REPORT + 1]}, "report out of range"),
    ({"reports": [0] * 11 + [-MOST_REPORT - 1]}, "report out of range"),
    ({"reports": [-(2**255)] + [0] * 11}, "report out of range"),
    ({"present": 1 << 32}, "present"),
    ({"present": 2}, "present"),
    ({"sets": [0] * 5}, "size of sets"),
    ({"n_sets": 1}, "size of sets"),
    ({"n_sets": 5, "sets": [0] * 15}, "size of sets"),
    ({"sets": [2] + [0] * 5}, "a set names who has not reported"),
    ({"sets": [256] + [0] * 5, "present": 1}, "a set names who has not reported"),
    ({"paid": [0] * 3}, "size of paid"),
    ({"paid": [0, 0, 0, evm.MOST_PAID + 1]}, "reward out of range"),
    ({"paid": [0, 0, 0, -evm.MOST_PAID - 1]}, "reward out of range"),
    ({"silent": 2}, "silent"),
    ({"awaits": 1 << 32}, "awaits"),
    ({"malicious": 2}, "malicious"),
    ({"claimed": [0] * 3}, "size of claimed"),
    ({"claimed": [1 << 8, 0, 0, 0]}, "claimed"),
    ({"elapsed": 0}, "elapsed"),
    ({"charged": 2**32 + 1}, "charged"),
]


@pytest.fixture(scope="module")
def fresh(node, code):
    return OnChain(node, TERMS, code)


@on_evm
@pytest.mark.parametrize(("changed", "why"), BAD_ARGUMENTS)
def test_a_round_that_is_none_is_refused(fresh, changed, why):
    assert fresh.enter(some_rounds(1)[0], **changed) == why
    assert fresh.call(evm.ROUNDS) == bytes(32)


@on_evm
def test_a_report_off_the_grid_is_refused(node, code):
    chain, a_round = OnChain(node, TERMS._replace(resolution=8), code), some_rounds(1)[0]
    on_grid = a_round._replace(reports=a_round.reports >> 24 << 24)
    reports = on_grid.reports.ravel().tolist()
    assert chain.enter(on_grid, reports=[*reports[:-1], reports[-1] + 1]) == "report off the grid"
    assert chain.enter(on_grid) is True


@on_evm
def test_what_is_earned_owed_and_charged_by_hand(node, code):
    """One waits for the outcome of its first pull, claims it two rounds later, and is paid for it once."""
    terms = Terms(3, 1, 0, 1, MAJORITY, DISTANCE, 0, ONE, silence=0, window=3, cost=5)
    chain = OnChain(node, terms, code)
    here, nothing = np.array([True, True, False]), np.zeros(3, np.int64)
    about = np.zeros((3, 1), np.int64), here, np.ones((1, 3, 1), np.bool_) & here[:, None]
    first = SettledRound(*about, np.array([0, 7, 0]), silent=~here, awaits=np.array([True, False, False]))
    chain.enter(first)
    assert chain.accounts().waiting.tolist() == [1, 0, 0]
    assert chain.accounts().exponent.tolist() == [0, 0, 0]  # silence costs nothing by these terms
    chain.enter(SettledRound(*about, nothing, elapsed=2))
    assert chain.accounts().waiting.tolist() == [4, 0, 0]
    claim = SettledRound(*about, np.array([9, -1, 0]), claimed=np.array([4, 0, 0]), malicious=~here, charged=3)
    chain.enter(claim)
    accounts = chain.accounts()
    assert accounts.waiting.tolist() == [0, 0, 0]
    assert accounts.earned.tolist() == [9, 6, 0]
    assert accounts.costs.tolist() == [15, 15, -15]
    assert accounts.exponent.tolist() == [0, 0, -ONE]  # twice it neither reported nor was it silent


@on_evm
def test_only_the_operator_enters_rounds(node, fresh):
    assert fresh.enter(some_rounds(1)[0], account=node.eth_accounts()[1]) == "not the operator"
    assert fresh.call(bytes.fromhex("570ca735"))[12:].hex() == fresh.account[2:]


@on_evm
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_participants", 0), ("n_participants", 33), ("n_arms", 0), ("n_arms", 17), ("faulty", 4), ("combination", 2),
        ("trust", 2), ("delta", -1), ("delta", ONE + 1), ("span", -1), ("span", evm.MOST_SPAN + 1),
        ("expected_validators", 0), ("expected_validators", 513), ("silence", -1), ("silence", ONE + 1),
        ("resolution", 3), ("resolution", 33), ("window", 63), ("cost", -1), ("cost", ONE + 1),
    ],
)  # fmt: skip
def test_terms_that_are_none_are_refused(node, code, field, value):
    terms = TERMS._replace(**{field: value})
    with pytest.raises(ValueError, match=f"{field} = {value}: on an EVM chain expected an integer from"):
        evm.check(terms)
    OnChain(node, terms, code)
    assert node.last.is_error
    assert reason(node.last.output) == field


@on_evm
def test_functions_have_the_names_that_calls_use(code):
    names = {name.split("(")[0]: number for name, number in code["method_identifiers"].items()}
    told = {"round": evm.ROUND, "rounds": evm.ROUNDS, "terms": evm.TERMS, "accounts": evm.ACCOUNTS}
    for name, number in told.items():
        assert int(names[name], 16) == int.from_bytes(number, "big")


@on_evm
@pytest.mark.skipif(missing is None and vyper.__version__ != "0.4.3", reason="the table is for Vyper 0.4.3")
@pytest.mark.parametrize("size", [(4, 2), (8, 4)])
def test_the_table_of_gas(code, size):
    from gas_table import row

    assert row(*size) in (Path(evm.__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")


def test_the_contract_is_where_a_checkout_has_it():
    assert evm.source() == (Path(evm.__file__).parents[2] / "contracts" / "bc_ucb.vy").read_text(encoding="utf-8")
