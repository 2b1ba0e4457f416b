"""The contract on an EVM chain: the same numbers as contract.py, and the settlement of rounds through a node."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_game import made_game
from plain_contract import arrays, rounds_of, terms_of

from folkmoot import ledger
from folkmoot.agreement.records import RoundRecord
from folkmoot.ledger import contract, evm, settlement
from folkmoot.ledger.contract import DISTANCE, MAJORITY, MOST_REPORT, ONE, REWARD, UNION, Terms
from folkmoot.ledger.settlement import NotSettled, SettledRound, settle

missing = None
try:
    import vyper
    from evm_node import KEYS, Node, Refused, signer
except ImportError as error:
    missing = f"the extra evm is not installed ({error})"
on_evm = pytest.mark.skipif(missing is not None, reason=str(missing))

TERMS = Terms(4, 3, 1, 4, MAJORITY, DISTANCE, ONE // 10, 2 * ONE)


@pytest.fixture(scope="module")
def code():
    return evm.compiled()


@pytest.fixture(autouse=True)
def compiled_once(request, monkeypatch):
    if "code" in request.fixturenames:
        found = request.getfixturevalue("code")
        monkeypatch.setattr(evm, "compiled", lambda: found)


def settled(terms, a_round):
    """A round of lists as a SettledRound: sets name only those who are present."""
    reports, present, sets, n_sets, paid = arrays(terms, *a_round)
    sets = sets[:n_sets] & present[:, None]
    return SettledRound(np.where(present[:, None], reports, 0), present, sets, paid)


def some_rounds(count, terms=TERMS, seed=0):
    """Rounds of which the third is disapproved, with somebody absent in every other."""
    random, found = np.random.default_rng(seed), []
    m, k = terms.n_participants, terms.n_arms
    for n in range(count):
        reports = random.integers(0, ONE, (m, k)) + (2 * ONE if n == 2 else 0)
        present = np.arange(m) != (n % m if n % 2 else m)
        sets = np.broadcast_to(present[:, None], (2, m, k)).copy()
        found.append(SettledRound(np.where(present[:, None], reports, 0), present, sets, random.integers(0, ONE, m)))
    return found


def after(terms, rounds):
    """The accounts that contract.py arrives at."""
    accounts = contract.open_accounts(terms)
    approved = [settlement.entered(terms, accounts, a_round) for a_round in rounds]
    return accounts, approved


def equal(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in contract.Accounts._fields)


# --- the contract ----------------------------------------------------------------------------------------------------


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
        reports, present, sets, paid = a_round
        arguments = {
            "number": self.number if number is None else number,
            "reports": reports.ravel().tolist(),
            "present": evm.members(present.tolist()),
            "sets": [evm.members(named[:, i].tolist()) for named in sets for i in range(self.terms.n_arms)],
            "n_sets": len(sets),
            "paid": paid.tolist(),
        } | changed
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
        answer = evm.Answer(data)
        words = answer.array(2, k, 0, 2**256 - 1)
        members = np.array([evm.flags(word, m) for word in words]).T
        return bool(answer.number(0, 0, 1)), answer.array(1, k, contract.NONE, MOST_REPORT), members.tolist()

    def accounts(self):
        return settlement.read_accounts(evm.Answer(self.call(evm.ACCOUNTS)), self.terms)

    def unlucky(self, participant):
        return int.from_bytes(self.call(bytes.fromhex("8ac93f5c") + evm.word(participant)), "big")


def reason(output):
    return output[68 : 68 + int.from_bytes(output[36:68], "big")].decode()


@pytest.fixture(scope="module")
def node():
    return Node()


@on_evm
@settings(max_examples=40, deadline=None)
@given(st.data(), st.one_of(terms_of(4, 2), terms_of(4, 2), terms_of(8, 4)))
def test_the_contract_computes_what_contract_py_computes(node, code, data, terms):
    """Every field of every round: 40 times 5 rounds of random terms, M <= 8, K <= 4."""
    chain, accounts = OnChain(node, terms, code), contract.open_accounts(terms)
    for lists in data.draw(rounds_of(terms, 5)):
        a_round = settled(terms, lists)
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
    ({"paid": [0, 0, 0, MOST_REPORT + 1]}, "reward out of range"),
    ({"paid": [0, 0, 0, -MOST_REPORT - 1]}, "reward out of range"),
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
def test_only_the_operator_enters_rounds(node, fresh):
    assert fresh.enter(some_rounds(1)[0], account=node.eth_accounts()[1]) == "not the operator"
    assert fresh.call(bytes.fromhex("570ca735"))[12:].hex() == fresh.account[2:]


@on_evm
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_participants", 0), ("n_participants", 33), ("n_arms", 0), ("n_arms", 17), ("faulty", 4), ("combination", 2),
        ("trust", 2), ("delta", -1), ("delta", ONE + 1), ("span", -1), ("span", evm.MOST_SPAN + 1),
        ("expected_validators", 0), ("expected_validators", 513),
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


# --- the settlement --------------------------------------------------------------------------------------------------


@on_evm
def test_accounts_after_some_rounds_are_those_of_the_contract(code):
    rounds = some_rounds(5)
    accounts, approved = after(TERMS, rounds)
    assert approved == [True, True, False, True, True]
    found = ledger.settle(rounds, Node(), terms=TERMS)
    assert found.rounds == 5
    assert equal(found.accounts, accounts)
    assert len(found.gas) == 6
    assert all(gas > 21_000 for gas in found.gas)


@on_evm
def test_a_ledger_of_the_game_is_settled(code, tmp_path):
    """The accounts on the EVM chain are those that the rules of the ledger have arrived at."""
    node, book = Node(), ledger.open(made_game(tmp_path / "game.ledger", TERMS, 12))
    state = book.chain.state
    found = settle(book, node)
    assert found.rounds == book.height >= 6
    assert equal(found.accounts, state.accounts)
    refused = {reason for a_round in game_records(book) for _, reason in a_round.refused}
    assert refused == {"range", "missing"}  # so that there is somebody absent
    assert settle(book, node, address=found.address).gas == ()


def game_records(book):
    return [RoundRecord.from_bytes(block.records[0], *TERMS[:2]) for block in book.blocks()]


@on_evm
def test_settling_goes_on_after_the_last_round_entered(code):
    node, rounds = Node(), some_rounds(5)
    first = settle(rounds[:2], node, terms=TERMS)
    again = settle(rounds[:2], node, terms=TERMS, address=first.address)
    assert again.gas == ()
    last = settle(iter(rounds), node, terms=TERMS, address=first.address)
    assert (last.rounds, len(last.gas)) == (5, 3)
    with pytest.raises(NotSettled, match="5 rounds are in the contract, 4 were given"):
        settle(rounds[:4], node, terms=TERMS, address=first.address)


@on_evm
def test_an_interrupted_settlement_says_where_it_can_go_on(code):
    """The power fails after a transaction has been sent and before its receipt has been seen."""
    node, rounds = Node(), some_rounds(3)

    def failing(method, params):
        if method == "eth_getTransactionReceipt" and len(node.receipts) == 3:
            raise KeyboardInterrupt
        return node(method, params)

    with pytest.raises(KeyboardInterrupt) as caught:
        settle(rounds, failing, terms=TERMS)
    address = re.search("0x[0-9a-f]{40}", caught.value.__notes__[0])[0]
    found = settle(rounds, node, terms=TERMS, address=address)
    assert (found.rounds, len(found.gas)) == (3, 1)
    assert equal(found.accounts, after(TERMS, rounds)[0])


@on_evm
@pytest.mark.parametrize("field", contract.Accounts._fields)
def test_accounts_that_differ_are_noticed(code, field, monkeypatch):
    def off_by_one(terms, accounts, a_round):
        entered(terms, accounts, a_round)
        array = getattr(accounts, field)
        array.flat[0] = not array.flat[0] if array.dtype == np.bool_ else array.flat[0] + 1

    entered = settlement.entered
    monkeypatch.setattr(settlement, "entered", off_by_one)
    with pytest.raises(NotSettled, match=f"{field} of the contract differ from those of the rounds"):
        settle(some_rounds(1), Node(), terms=TERMS)


@on_evm
def test_another_contract_is_not_settled_with(code):
    node = Node()
    found = settle([], node, terms=TERMS)
    with pytest.raises(NotSettled, match=r"the contract has other terms: Terms.*faulty=1"):
        settle([], node, terms=TERMS._replace(faulty=0), address=found.address)
    with pytest.raises(NotSettled, match="expected 1 to 2048 words"):
        settle([], node, terms=TERMS, address="0x" + "77" * 20)


@on_evm
def test_an_account_that_is_not_the_operator_is_told_so(code):
    node = Node()
    found = settle([], node, terms=TERMS)
    with pytest.raises(NotSettled, match=r"round 1: transaction 0x.* failed"):
        settle(some_rounds(1), node, terms=TERMS, address=found.address, account=node.eth_accounts()[1])


@on_evm
def test_with_an_own_key_the_node_signs_nothing(code):
    node, key = Node(), KEYS[1]
    rounds = some_rounds(3)
    found = settle(rounds, node, terms=TERMS, account=key.public_key.to_address(), sign=signer(key))
    assert equal(found.accounts, after(TERMS, rounds)[0])
    assert "eth_sendTransaction" not in node.asked
    assert "eth_accounts" not in node.asked
    with pytest.raises(Refused, match="not the operator"):  # said when the node estimates the gas
        settle(
            some_rounds(4),
            node,
            terms=TERMS,
            address=found.address,
            account=node.eth_accounts()[0],
            sign=signer(KEYS[0]),
        )


@on_evm
def test_a_receipt_that_is_late_is_waited_for(code):
    pauses = []
    settle(some_rounds(1), Node(late=3), terms=TERMS, pause=lambda: pauses.append(1))
    assert len(pauses) == 6
    with pytest.raises(NotSettled, match=r"deployment: no receipt of transaction 0x\w{64} after 1200 questions"):
        settle(some_rounds(1), Node(late=1_200), terms=TERMS)


def scripted(**replies):
    """A node that has accounts and says what it is told to."""
    told = {"eth_accounts": ["0x" + "11" * 20], "eth_sendTransaction": "0x" + "22" * 32} | replies
    return lambda method, params: told[method]


HASH, RECEIPT = "0x" + "22" * 32, {"status": "0x1", "gasUsed": "0x5208"}


@pytest.mark.parametrize(
    "reply",
    [
        None, 5, "", "0x", "5", "0x5", "0xzz", "0x" + "0" * 63, "0x" + "00" * 32 * 7, "0x" + "00" * 32 * 8,
        "0x" + "ff" * 32 * 8, "0x" + "00" * 32 * 2049, "0x" + "0 " * 32, ["0x"], {"result": "0x"}, "0x" + "٣" * 64,
    ],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_refused(reply):
    with pytest.raises(NotSettled):
        settle([], scripted(eth_call=reply), terms=TERMS, address="0x" + "33" * 20)


def told(terms=TERMS, rounds=0, accounts=b""):
    """What a contract with these terms answers, by the function that is called."""
    answers = {evm.TERMS: evm.words(*terms), evm.ROUNDS: evm.word(rounds), evm.ACCOUNTS: accounts}
    return {"0x" + name.hex(): "0x" + data.hex() for name, data in answers.items()}


def answering(**replies):
    answers, plain = told(**replies), scripted()
    return lambda method, params: answers[params[0]["data"]] if method == "eth_call" else plain(method, params)


def accounts_as_told(accounts, **changed):
    fields = {
        "estimates": accounts.estimates.tolist(), "exponent": accounts.exponent.tolist(),
        "units": accounts.units.tolist(), "reports": accounts.reports.ravel().tolist(),
        "reported": evm.members(accounts.reported.tolist()), "changes": accounts.changes.ravel().tolist(),
        "levels": accounts.levels.tolist(),
    }  # fmt: skip
    return evm.words(*(fields | changed).values())


NEW = contract.open_accounts(TERMS)


def test_accounts_are_read_as_they_are_told():
    found = settle([], answering(accounts=accounts_as_told(NEW)), terms=TERMS, address="0x" + "33" * 20)
    assert found == (found.address, 0, (), found.accounts)
    assert equal(found.accounts, NEW)


@pytest.mark.parametrize(
    ("accounts", "why"),
    [
        (accounts_as_told(NEW, estimates=[0, 0, 2**200]), "expected a number from"),
        (accounts_as_told(NEW, estimates=[0, 0]), "expected an array of 3 numbers"),
        (accounts_as_told(NEW, exponent=[0, 0, 0, 1]), "1: expected a number from .* to 0"),
        (accounts_as_told(NEW, units=[0, 1, 1, 1]), "0: expected a number from 1"),
        (accounts_as_told(NEW, reported=2), "0x2: expected a set of 4"),
        (accounts_as_told(NEW, reported=1 << 32), "expected a set of 4|expected a number"),
        (accounts_as_told(NEW, changes=[-1] * 12), "expected a number from 0"),
        (accounts_as_told(NEW)[:-32], "the answer has"),
        (accounts_as_told(NEW)[:-1], "expected 1 to 2048 words"),
        (evm.word(33) + accounts_as_told(NEW)[32:], "expected an array"),
        (evm.word(2**255) + accounts_as_told(NEW)[32:], "expected a number"),
        (accounts_as_told(NEW, units=[1, 1, 1, 1]), "units of the contract differ"),
    ],
)
def test_accounts_that_make_no_sense_are_refused(accounts, why):
    with pytest.raises(NotSettled, match=why):
        settle([], answering(accounts=accounts), terms=TERMS, address="0x" + "33" * 20)


@pytest.mark.parametrize(
    ("replies", "why"),
    [
        ({"eth_sendTransaction": None}, "no hash"),
        ({"eth_sendTransaction": "0x22"}, "no hash"),
        ({"eth_getTransactionReceipt": RECEIPT | {"status": "0x0"}}, "transaction 0x.* failed"),
        ({"eth_getTransactionReceipt": {}}, "status: expected 0x"),
        ({"eth_getTransactionReceipt": RECEIPT | {"status": 1}}, "status: expected 0x"),
        ({"eth_getTransactionReceipt": RECEIPT | {"gasUsed": "0x"}}, "gasUsed: expected 0x"),
        ({"eth_getTransactionReceipt": "done"}, "failed"),
        ({"eth_accounts": ["0x"]}, "account = '0x': expected 0x and 40"),
        ({"eth_accounts": [None]}, "account = None: expected 0x and 40"),
    ],
)
def test_a_transaction_without_a_proper_receipt_is_not_settled(replies, why):
    def node(method, params):
        return told()[params[0]["data"]] if method == "eth_call" else scripted(**replies)(method, params)

    with pytest.raises(NotSettled, match=why):
        settle(some_rounds(1), node, terms=TERMS, address="0x" + "33" * 20)


def changed_round(**fields):
    return [some_rounds(1)[0]._replace(**fields)]


@pytest.mark.parametrize(
    ("rounds", "why"),
    [
        ([1], "int: expected a SettledRound"),
        ([tuple(some_rounds(1)[0])], "tuple: expected a SettledRound"),
        (changed_round(reports=[[0.0] * 3] * 4), "expected a SettledRound of arrays"),
        (changed_round(reports=np.full((4, 3), np.nan)), r"reports = float64 \[4, 3\]: expected int64 \[4, 3\]"),
        (changed_round(reports=np.full((3, 4), 0)), r"reports = int64 \[3, 4\]"),
        (changed_round(reports=np.full((4, 3), MOST_REPORT + 1)), "reports: expected scaled numbers from -4 to 4"),
        (changed_round(reports=np.full((4, 3), np.iinfo(np.int64).min)), "reports: expected scaled numbers"),
        (changed_round(paid=np.full(4, -MOST_REPORT - 1)), "paid: expected scaled numbers"),
        (changed_round(paid=np.zeros(5, np.int64)), "paid = int64"),
        (changed_round(present=np.ones(4)), r"present = float64 \[4\]: expected bool \[4\]"),
        (changed_round(sets=np.ones((2, 3, 4), np.bool_)), "sets = bool"),
        (changed_round(sets=np.ones((5, 4, 3), np.bool_)), "5 sets: at most 4"),
        (changed_round(present=np.zeros(4, np.bool_)), "sets: expected those who have reported"),
    ],
)
def test_a_round_that_the_contract_cannot_take_is_not_sent(rounds, why):
    with pytest.raises(ValueError, match=f"^round 1: .*{why}"):
        settle(rounds, answering(accounts=accounts_as_told(NEW)), terms=TERMS, address="0x" + "33" * 20)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"terms": None}, "terms = None: expected the Terms"),
        ({"terms": TERMS._replace(n_arms=17)}, "n_arms = 17: on an EVM chain expected an integer from 1 to 16"),
        ({"terms": TERMS._replace(n_participants="4")}, "n_participants = '4'"),
        ({"address": "0x12"}, "address = '0x12': expected 0x and 40"),
        ({"account": 7}, "account = 7: expected 0x and 40"),
        ({"endpoint": scripted(eth_accounts=[])}, "account: the node has none"),
        ({"endpoint": "file:///etc/passwd"}, "url = 'file:///etc/passwd': expected http"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, why):
    arguments = {"endpoint": scripted(), "terms": TERMS, "address": "0x" + "33" * 20} | arguments
    with pytest.raises(ValueError, match=why):
        settle([], **arguments)


def test_a_contract_without_an_address_is_not_settled_with(monkeypatch):
    monkeypatch.setattr(evm, "compiled", lambda: {"bytecode": "0x00"})
    with pytest.raises(NotSettled, match="contractAddress = '0x5': expected 0x and 40"):
        settle([], scripted(eth_getTransactionReceipt=RECEIPT | {"contractAddress": "0x5"}), terms=TERMS)


def test_without_the_compiler_nothing_is_deployed(monkeypatch):
    monkeypatch.setitem(sys.modules, "vyper", None)
    with pytest.raises(ValueError, match=re.escape("pip install 'folkmoot[evm]'")):
        settle([], scripted(), terms=TERMS)


def test_a_ledger_of_another_kind_is_not_settled(tmp_path):
    from made_ledgers import made

    with pytest.raises(ValueError, match="a chain of kind 'notes' is not settled; bc_ucb is"):
        settle(ledger.open(made(tmp_path / "notes.ledger", 1)), scripted())


def test_the_ledger_stays_light():
    command = "import sys, folkmoot.ledger; assert 'numba' not in sys.modules; folkmoot.ledger.settle.__module__"
    subprocess.run([sys.executable, "-c", command], check=True)


# --- a node over HTTP ------------------------------------------------------------------------------------------------

ANVIL = shutil.which("anvil")


@pytest.fixture
def anvil():
    """The URL of a node for development, on a port of its choice."""
    command = [ANVIL, "--port", "0", "--host", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        for line in process.stdout:
            if found := re.search(r"Listening on (127\.0\.0\.1:\d+)", line):
                break
        yield f"http://{found[1]}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.stdout.close()
        process.wait()


@on_evm
@pytest.mark.skipif(ANVIL is None, reason="anvil is not installed: npm install --global @foundry-rs/anvil")
def test_settling_with_anvil(anvil, code):
    rounds = some_rounds(4)
    found = settle(rounds[:3], anvil, terms=TERMS)
    found = settle(rounds, anvil, terms=TERMS, address=found.address)
    assert equal(found.accounts, after(TERMS, rounds)[0])
    key = KEYS[0]
    client = settlement.importlib.import_module("folkmoot.network.json_rpc").Client(anvil)
    client("anvil_setBalance", [key.public_key.to_address(), hex(10**24)])
    again = settle(rounds, anvil, terms=TERMS, account=key.public_key.to_address(), sign=signer(key))
    assert equal(again.accounts, found.accounts)
    assert json.dumps(client("eth_chainId", [])) == '"0x7a69"'


@on_evm
@pytest.mark.skipif(missing is None and vyper.__version__ != "0.4.3", reason="the table is for Vyper 0.4.3")
@pytest.mark.parametrize("size", [(4, 2), (8, 4)])
def test_the_table_of_gas(code, size):
    from gas_table import row

    assert row(*size) in (Path(evm.__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")


def test_the_contract_is_where_a_checkout_has_it():
    assert evm.source() == (Path(evm.__file__).parents[2] / "contracts" / "bc_ucb.vy").read_text(encoding="utf-8")
