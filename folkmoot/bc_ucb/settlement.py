"""Settlement: the rounds of a chain entered into the contract on an EVM chain, through any node of it.

The contract (contracts/bc_ucb.vy) is the twin of folkmoot/bc_ucb/contract.py. Every round is also computed here; at the
end the accounts of both must be the same. The node is asked by JSON-RPC, by the methods that every EVM node has.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from folkmoot.bc_ucb import evm
from folkmoot.bc_ucb.contract import MOST_REPORT, NO_ESTIMATE, ONE, UNITS, Accounts, Entry, Terms, charge, open_accounts
from folkmoot.bc_ucb.round import enter_round
from folkmoot.bc_ucb.rules import KIND
from folkmoot.bc_ucb.settled import SettledRound, settled_rounds
from folkmoot.errors import OtherSide, brief
from folkmoot.ledger.store import Ledger

MOST_ASKS = 1_200  # for the receipt of one transaction
_MOST_CHANGES = (1 << 28) - 1
_HEX = frozenset("0123456789abcdef")

Endpoint: TypeAlias = Callable[[str, Sequence[Any]], Any]  # (method, params) -> result
T = TypeVar("T")
Sign: TypeAlias = Callable[[dict[str, Any]], bytes]  # fields of a transaction -> the signed transaction


class NotSettled(OtherSide):
    """What the node answers is not what should happen; the rounds entered so far stay entered."""


class Settlement(NamedTuple):
    """The contract after the last round."""

    address: str
    rounds: int  # in the contract; those of earlier settlements included
    gas: tuple[int, ...]  # of each transaction sent, that of the deployment first if there was one
    accounts: Accounts  # as read from the contract, and as computed here


def settle(
    rounds: Ledger | Iterable[SettledRound],
    endpoint: Endpoint,
    *,
    terms: Terms | None = None,
    address: str | None = None,
    account: str | None = None,
    sign: Sign | None = None,
    pause: Callable[[], None] | None = None,
) -> Settlement:
    """Enter rounds into the contract on an EVM chain, those it has not seen yet, and compare the accounts.

    Args:
        rounds: a ledger of kind "bc_ucb", or all rounds from the first one on.
        endpoint: asks a node of the EVM chain, such as `folkmoot.node.json_rpc.EvmClient`.
        terms: of the contract; a ledger has its own.
        address: of the contract, "0x..."; None deploys one, for which the compiler Vyper must be installed.
        account: who sends the transactions, the operator of the contract; None: the node's first one.
        sign: makes a signed transaction of its fields. None: the node signs for the account, which only nodes with
            an unlocked account do, such as those for development.
        pause: called between two questions for a receipt.

    Raises:
        ValueError: terms or rounds that the contract cannot take; no account; no compiler.
        NotSettled: a transaction that fails or is not there in time, answers that make no sense, or accounts that
            differ. Settling again with the same address goes on after the last round that was entered.
    """
    if isinstance(rounds, Ledger):
        terms, rounds = _of_ledger(rounds)
    if not isinstance(terms, Terms):
        raise ValueError(f"terms = {brief(terms)}: expected the Terms of the contract")
    if not callable(endpoint):
        expected = "a function (method, params) -> result; folkmoot.node.settle takes a URL"
        raise ValueError(f"endpoint = {brief(endpoint)}: expected {expected}")
    evm.check(terms)
    sender = _Sender(endpoint, account, sign, pause or (lambda: None))
    address = sender.deployed(terms) if address is None else _address(address, "address")
    try:
        return _settled(terms, rounds, _Contract(sender, address, terms))
    except BaseException as error:
        error.add_note(f"The contract is at {address}; settling with this address goes on where this has ended.")
        raise


def _settled(terms: Terms, rounds: Iterable[SettledRound], contract: "_Contract") -> Settlement:
    before, number = contract.rounds(), 0
    accounts = open_accounts(terms)
    for number, a_round in enumerate(rounds, 1):
        whole = checked(terms, a_round, number)
        entered(terms, accounts, whole)
        if number > before:
            contract.enter(number - 1, whole)
    if contract.rounds() != number:
        raise NotSettled(f"{contract.address}: {contract.rounds()} rounds are in the contract, {number} were given")
    contract.compare(accounts)
    return Settlement(contract.address, number, tuple(contract.sender.gas), accounts)


def _of_ledger(ledger: Ledger) -> tuple[Terms, Iterable[SettledRound]]:
    """The terms and rounds of a ledger file, which is verified first."""
    kind = ledger.genesis.kind
    if kind != KIND:
        raise ValueError(f"{ledger.path}: a chain of kind {brief(kind)} is not settled; {KIND} is")
    return settled_rounds(ledger)


def checked(terms: Terms, a_round: SettledRound, number: int) -> SettledRound:
    """The round with all its arrays, if the contract can take it.

    Raises:
        ValueError: arrays of another shape or type, reports beyond +-4 or off the grid, rewards beyond +-64, sets with
            others than those present.
    """
    m, k = terms.n_participants, terms.n_arms
    if not isinstance(a_round, SettledRound) or not all(isinstance(array, np.ndarray) for array in a_round[:4]):
        raise ValueError(f"round {number}: {type(a_round).__name__}: expected a SettledRound of arrays")
    a_round = _whole(a_round, m)
    shapes = {"reports": (m, k), "sets": (len(a_round.sets), m, k)}
    for name, kind in _KINDS.items():
        array, shape = getattr(a_round, name), shapes.get(name, (m,))
        if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != kind:
            found = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
            raise ValueError(f"round {number}: {name} = {found}: expected {np.dtype(kind)} {list(shape)}")
    for name, most in (("reports", MOST_REPORT), ("paid", evm.MOST_PAID)):
        array = getattr(a_round, name)
        if not ((array >= -most) & (array <= most)).all():
            raise ValueError(f"round {number}: {name}: expected scaled numbers from {-most // ONE} to {most // ONE}")
    _check_rest(terms, a_round, number)
    return a_round


_KINDS: dict[str, type[np.generic]] = {
    "reports": np.int64, "present": np.bool_, "sets": np.bool_, "paid": np.int64, "silent": np.bool_,
    "awaits": np.bool_, "claimed": np.int64, "malicious": np.bool_,
}  # fmt: skip


def _whole(a_round: SettledRound, participants: int) -> SettledRound:
    blank: dict[str, Any] = {
        name: np.zeros(participants, kind) for name, kind in _KINDS.items() if getattr(a_round, name) is None
    }
    return a_round._replace(**blank)


def _check_rest(terms: Terms, a_round: SettledRound, number: int) -> None:
    m = terms.n_participants
    if (a_round.reports % (1 << (32 - terms.resolution))).any():
        raise ValueError(f"round {number}: reports: expected multiples of 2**-{terms.resolution}")
    if (np.asarray(a_round.claimed) >> terms.window).any():
        raise ValueError(f"round {number}: claimed: expected rounds within the window, which is {terms.window}")
    for name, low, high in (("elapsed", 1, 1 << 62), ("charged", 0, evm.MOST_CHARGED)):
        value = getattr(a_round, name)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"round {number}: {name} = {brief(value)}: expected an integer from {low} to {high}")
    if len(a_round.sets) > m:
        raise ValueError(f"round {number}: {len(a_round.sets)} sets: at most {m} are expected")
    if (a_round.sets & ~a_round.present[:, None]).any():
        raise ValueError(f"round {number}: sets: expected those who have reported, another is named")


def entered(terms: Terms, accounts: Accounts, a_round: SettledRound) -> bool:
    """Enter a round into accounts; is its block approved?"""
    estimates = np.zeros(terms.n_arms, np.int64)
    members = np.zeros((terms.n_participants, terms.n_arms), np.bool_)
    told: Any = _whole(a_round, len(members))
    entry = Entry(told.reports, told.present, told.silent, told.paid, told.awaits, told.claimed)
    approved = bool(enter_round(terms, accounts, told.sets, len(told.sets), entry, told.elapsed, estimates, members))
    if approved and told.charged > 0:
        charge(accounts, told.malicious, terms.cost * told.charged)
    return approved


def call_of(terms: Terms, a_round: SettledRound, number: int) -> bytes:
    """The data of the transaction that enters a checked round; `number` were entered before."""
    sets = [evm.members(named[:, i].tolist()) for named in a_round.sets for i in range(terms.n_arms)]
    flags = {
        name: evm.members(getattr(a_round, name).tolist()) for name in ("present", "silent", "awaits", "malicious")
    }
    return evm.ROUND + evm.words(
        number, a_round.reports.ravel().tolist(), flags["present"], sets, len(a_round.sets), a_round.paid.tolist(),
        flags["silent"], flags["awaits"], np.asarray(a_round.claimed).tolist(), a_round.elapsed, flags["malicious"],
        a_round.charged,
    )  # fmt: skip


class _Sender:
    """Sends transactions from one account and waits for their receipts."""

    def __init__(self, call: Endpoint, account: str | None, sign: Sign | None, pause: Callable[[], None]) -> None:
        self.call, self.sign, self.pause = call, sign, pause
        self.gas: list[int] = []
        if account is None:
            found = call("eth_accounts", [])
            if type(found) is not list or not found:
                raise ValueError("account: the node has none of its own; name one")
            account = _address(found[0], "account", NotSettled)
        self.account = _address(account, "account")

    def deployed(self, terms: Terms) -> str:
        """The address of a new contract."""
        receipt = self.transact(None, evm.deployment(terms), "deployment")
        return _address(receipt.get("contractAddress"), "contractAddress", NotSettled)

    def transact(self, to: str | None, data: bytes, what: str) -> dict[str, Any]:
        """The receipt of a transaction that has been executed.

        Raises:
            NotSettled: it failed, or there is no receipt in time.
        """
        fields: dict[str, Any] = {"from": self.account, "data": "0x" + data.hex()}
        if to is not None:
            fields["to"] = to
        name = self.call(*self._request(fields, data))
        if type(name) is not str or len(_bytes(name, "transaction hash")) != 32:
            raise NotSettled(f"{what}: the node gives no hash of the transaction")
        for _ in range(MOST_ASKS):
            receipt = self.call("eth_getTransactionReceipt", [name])
            if receipt is not None:
                break
            self.pause()
        else:
            raise NotSettled(f"{what}: no receipt of transaction {name} after {MOST_ASKS} questions")
        if type(receipt) is not dict or _quantity(receipt.get("status"), "status") != 1:
            raise NotSettled(f"{what}: transaction {name} failed")
        self.gas.append(_quantity(receipt.get("gasUsed"), "gasUsed"))
        return receipt

    def _request(self, fields: dict[str, Any], data: bytes) -> tuple[str, list[Any]]:
        if self.sign is None:
            return "eth_sendTransaction", [fields]
        asked: dict[str, tuple[str, list[Any]]] = {
            "chainId": ("eth_chainId", []),
            "nonce": ("eth_getTransactionCount", [self.account, "pending"]),
            "gas": ("eth_estimateGas", [fields]),
            "gasPrice": ("eth_gasPrice", []),
        }
        numbers = {name: _quantity(self.call(*question), name) for name, question in asked.items()}
        signed = self.sign({**numbers, "to": fields.get("to"), "value": 0, "data": data})
        return "eth_sendRawTransaction", ["0x" + bytes(signed).hex()]


class _Contract:
    """The contract at an address."""

    def __init__(self, sender: _Sender, address: str, terms: Terms) -> None:
        self.sender, self.address, self.terms = sender, address, terms
        there = range(len(Terms._fields))
        found = self.ask(evm.TERMS, lambda answer: [answer.number(n, 0, evm.MOST_SPAN) for n in there])
        if Terms(*found) != terms:
            raise NotSettled(f"{address}: the contract has other terms: {Terms(*found)}")

    def ask(self, function: bytes, read: Callable[[evm.AnswerWords], T]) -> T:
        """What is read in the answer of a function without arguments.

        Raises:
            NotSettled: the answer makes no sense.
        """
        reply = self.sender.call("eth_call", [{"to": self.address, "data": "0x" + function.hex()}, "latest"])
        try:
            return read(evm.AnswerWords(_bytes(reply, "eth_call")))
        except evm.BadAnswer as error:
            raise NotSettled(f"{self.address}: {error}") from None

    def rounds(self) -> int:
        return self.ask(evm.ROUNDS, lambda answer: answer.number(0, 0, 1 << 62))

    def enter(self, number: int, a_round: SettledRound) -> None:
        self.sender.transact(self.address, call_of(self.terms, a_round, number), f"round {number + 1}")

    def compare(self, accounts: Accounts) -> None:
        """Nothing, if the contract holds these accounts.

        Raises:
            NotSettled: it does not; the first field that differs is named.
        """
        found = self.ask(evm.ACCOUNTS, lambda answer: read_accounts(answer, self.terms))
        for name in Accounts._fields:
            if not np.array_equal(getattr(found, name), getattr(accounts, name)):
                raise NotSettled(f"{self.address}: {name} of the contract differ from those of the rounds")


def read_accounts(answer: evm.AnswerWords, terms: Terms) -> Accounts:
    """The accounts in the contract's answer.

    Raises:
        BadAnswer: numbers that no accounts have.
    """
    m, k = terms.n_participants, terms.n_arms
    shape = (m, k)
    return Accounts(
        np.array(answer.array(0, k, NO_ESTIMATE, 2 * ONE), np.int64),
        np.array(answer.array(1, m, -evm.MOST_SPAN, 0), np.int64),
        np.array(answer.array(2, m, 1, UNITS), np.int64),
        np.array(answer.array(3, m * k, -MOST_REPORT, MOST_REPORT), np.int64).reshape(shape),
        np.array(evm.flags(answer.number(4, 0, 1 << 8 * m), m), np.bool_),
        np.array(answer.array(5, m * k, 0, _MOST_CHANGES), np.int64).reshape(shape),
        np.array(answer.array(6, k, 0, _MOST_CHANGES), np.int64),
        np.array(answer.array(7, m, -evm.MOST_SUM, evm.MOST_SUM), np.int64),
        np.array(answer.array(8, m, -evm.MOST_SUM, evm.MOST_SUM), np.int64),
        np.array(answer.array(9, m, 0, (1 << terms.window) - 1), np.int64),
    )


def _bytes(reply: Any, what: str) -> bytes:
    """The bytes that a reply spells as 0x..."""
    if type(reply) is not str or reply[:2] != "0x" or len(reply) % 2:
        raise NotSettled(f"{what}: expected 0x and pairs of hexadecimal digits")
    if not _HEX.issuperset(reply[2:].lower()):
        raise NotSettled(f"{what}: expected hexadecimal digits")
    return bytes.fromhex(reply[2:])


def _quantity(reply: Any, what: str) -> int:
    """The number that a reply spells as 0x..., of at most 32 bytes."""
    if type(reply) is not str or not 3 <= len(reply) <= 66 or reply[:2] != "0x" or not _HEX.issuperset(reply[2:]):
        raise NotSettled(f"{what}: expected 0x and hexadecimal digits")
    return int(reply[2:], 16)


def _address(value: Any, what: str, error: type[Exception] = ValueError) -> str:
    if type(value) is not str or len(value) != 42 or value[:2] != "0x" or not _HEX.issuperset(value[2:].lower()):
        raise error(f"{what} = {value!r:.80}: expected 0x and 40 hexadecimal digits")
    return value
