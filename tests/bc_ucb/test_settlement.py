"""The settlement of rounds on an EVM chain, through nodes that are honest, late, or talk nonsense."""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evm_rounds import TERMS, after, equal, missing, on_evm, some_rounds
from made_game import made_game
from made_ledgers import made
from small_game import small_game

from folkmoot import ledger
from folkmoot import node as nodes
from folkmoot.bc_ucb import contract, evm, settlement
from folkmoot.bc_ucb.contract import MOST_REPORT, ONE
from folkmoot.bc_ucb.protocol import play
from folkmoot.bc_ucb.records import RoundRecord
from folkmoot.bc_ucb.settled import settled_rounds
from folkmoot.bc_ucb.settlement import NotSettled, settle
from folkmoot.node.json_rpc import EvmClient

if missing is None:
    from evm_node import KEYS, Node, Refused, signer


@on_evm
def test_accounts_after_some_rounds_are_those_of_the_contract(code):
    rounds = some_rounds(5)
    accounts, approved = after(TERMS, rounds)
    assert approved == [True, True, False, True, True]
    found = settle(rounds, Node(), terms=TERMS)
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
        "levels": accounts.levels.tolist(), "earned": accounts.earned.tolist(), "costs": accounts.costs.tolist(),
        "waiting": accounts.waiting.tolist(),
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
        (evm.word(10 * 32 + 1) + accounts_as_told(NEW)[32:], "word 0: expected an array"),
        (accounts_as_told(NEW, estimates=[contract.NO_ESTIMATE] * 4), "word 0: expected an array of 3 numbers"),
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
        (changed_round(paid=np.full(4, -evm.MOST_PAID - 1)), "paid: expected scaled numbers from -64 to 64"),
        (changed_round(silent=np.zeros(3, np.bool_)), r"silent = bool \[3\]: expected bool \[4\]"),
        (changed_round(awaits=[True] * 4), r"awaits = list: expected bool \[4\]"),
        (changed_round(claimed=np.full(4, 1 << 8)), "claimed: expected rounds within the window, which is 8"),
        (changed_round(elapsed=0), "elapsed = 0: expected an integer from 1"),
        (changed_round(charged=-1), "charged = -1: expected an integer from 0"),
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
        ({"endpoint": "http://127.0.0.1"}, "endpoint = 'http://127.0.0.1': expected a function .* takes a URL"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, why):
    arguments = {"endpoint": scripted(), "terms": TERMS, "address": "0x" + "33" * 20} | arguments
    with pytest.raises(ValueError, match=why):
        settle([], **arguments)


def test_a_url_is_settled_with_by_the_node_room():
    with pytest.raises(ValueError, match="url = 'file:///etc/passwd': expected http"):
        nodes.settle([], "file:///etc/passwd", terms=TERMS)


def test_a_contract_without_an_address_is_not_settled_with(monkeypatch):
    monkeypatch.setattr(evm, "compiled", lambda: {"bytecode": "0x00"})
    with pytest.raises(NotSettled, match="contractAddress = '0x5': expected 0x and 40"):
        settle([], scripted(eth_getTransactionReceipt=RECEIPT | {"contractAddress": "0x5"}), terms=TERMS)


def test_without_the_compiler_nothing_is_deployed(monkeypatch):
    monkeypatch.setitem(sys.modules, "vyper", None)
    with pytest.raises(ValueError, match=re.escape("pip install 'folkmoot[evm]'")):
        settle([], scripted(), terms=TERMS)


def test_a_ledger_of_another_kind_is_not_settled(tmp_path):
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
    client = EvmClient(anvil)
    client("anvil_setBalance", [key.public_key.to_address(), hex(10**24)])
    again = settle(rounds, anvil, terms=TERMS, account=key.public_key.to_address(), sign=signer(key))
    assert equal(again.accounts, found.accounts)
    assert client("eth_chainId", []) == "0x7a69"


# --- What a ledger says of its rounds --------------------------------------------------------------------------------


def in_the_end(path):
    """The accounts after the rounds that a ledger's blocks settle as, and those that its rules arrive at."""
    book = ledger.open(path)
    terms, rounds = settled_rounds(book)
    accounts, charged = contract.open_accounts(terms), []
    for number, a_round in enumerate(rounds, 1):
        assert settlement.entered(terms, accounts, settlement.checked(terms, a_round, number))
        charged.append(a_round.charged)
    return accounts, book.chain.state, charged


@pytest.mark.parametrize("attack", ["sign_flip", "allies_only"])
def test_the_rounds_of_a_ledger_lead_to_the_accounts_of_its_rules(tmp_path, attack):
    """With an environment, which signs rewards and in the end says who was malicious; and rounds without a block."""
    game = small_game(attack, horizon=26, environment=True, ledger_path=tmp_path / "a.ledger")
    game = replace(game, terms=game.terms._replace(cost=ONE // 8, silence=ONE // 10, window=8, resolution=24))
    play(game, 3)
    accounts, state, charged = in_the_end(tmp_path / "a.ledger")
    assert equal(accounts, state.accounts)
    assert accounts.earned.any()
    assert (attack == "allies_only") == any(charged) == accounts.costs.any()
    assert state.disclosed == 26


@pytest.mark.parametrize("name", ["coin", "vrf"])
def test_a_ledger_that_the_first_version_made_is_settled(name, tmp_path):
    path = shutil.copy(Path(__file__).parents[1] / "earlier" / "files" / f"{name}.ledger", tmp_path)
    accounts, state, charged = in_the_end(path)
    assert equal(accounts, state.accounts)
    assert not any(charged)
